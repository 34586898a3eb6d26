// SPDX-License-Identifier: Apache-2.0
//
// The reduction family. Folds dimensions with a neutral element and a combiner; scans keep every partial result.

include "OnnxBase.td"

class Onnx_ReductionFamily<string mnemonic, string rule, dag ins_, dag outs_, list<Trait> traits = []>
    : Onnx_Op<mnemonic, "reduction", rule, ins_, outs_, traits>;

// The index of the greatest element along an axis.
def Onnx_ArgMaxOp : Onnx_ReductionFamily<"ArgMax", "ArgReduction",
        (ins Onnx_Value:$data, DefaultValuedAttr<I64Attr, "0">:$axis, DefaultValuedAttr<I64Attr,
         "1">:$keepdims, DefaultValuedAttr<I64Attr, "0">:$select_last_index),
        (outs Onnx_Value:$reduced)>;
// The index of the least element along an axis.
def Onnx_ArgMinOp : Onnx_ReductionFamily<"ArgMin", "ArgReduction",
        (ins Onnx_Value:$data, DefaultValuedAttr<I64Attr, "0">:$axis, DefaultValuedAttr<I64Attr,
         "1">:$keepdims, DefaultValuedAttr<I64Attr, "0">:$select_last_index),
        (outs Onnx_Value:$reduced)>;
// Running products along an axis.
def Onnx_CumProdOp : Onnx_ReductionFamily<"CumProd", "Cumulative",
        (ins Onnx_Value:$x, Onnx_Value:$axis, DefaultValuedAttr<I64Attr, "0">:$exclusive,
         DefaultValuedAttr<I64Attr, "0">:$reverse),
        (outs Onnx_Value:$y)>;
// Running sums along an axis.
def Onnx_CumSumOp : Onnx_ReductionFamily<"CumSum", "Cumulative",
        (ins Onnx_Value:$x, Onnx_Value:$axis, DefaultValuedAttr<I64Attr, "0">:$exclusive,
         DefaultValuedAttr<I64Attr, "0">:$reverse),
        (outs Onnx_Value:$y)>;
// The sum of absolute values over some axes.
def Onnx_ReduceL1Op : Onnx_ReductionFamily<"ReduceL1", "Reduction",
        (ins Onnx_Value:$data, Onnx_OptValue:$axes, DefaultValuedAttr<I64Attr, "1">:$keepdims,
         DefaultValuedAttr<I64Attr, "0">:$noop_with_empty_axes),
        (outs Onnx_Value:$reduced)>;
// The root of the sum of squares over some axes.
def Onnx_ReduceL2Op : Onnx_ReductionFamily<"ReduceL2", "Reduction",
        (ins Onnx_Value:$data, Onnx_OptValue:$axes, DefaultValuedAttr<I64Attr, "1">:$keepdims,
         DefaultValuedAttr<I64Attr, "0">:$noop_with_empty_axes),
        (outs Onnx_Value:$reduced)>;
// The logarithm of the sum over some axes.
def Onnx_ReduceLogSumOp : Onnx_ReductionFamily<"ReduceLogSum", "Reduction",
        (ins Onnx_Value:$data, Onnx_OptValue:$axes, DefaultValuedAttr<I64Attr, "1">:$keepdims,
         DefaultValuedAttr<I64Attr, "0">:$noop_with_empty_axes),
        (outs Onnx_Value:$reduced)>;
// The logarithm of the sum of exponentials over some axes.
def Onnx_ReduceLogSumExpOp : Onnx_ReductionFamily<"ReduceLogSumExp", "Reduction",
        (ins Onnx_Value:$data, Onnx_OptValue:$axes, DefaultValuedAttr<I64Attr, "1">:$keepdims,
         DefaultValuedAttr<I64Attr, "0">:$noop_with_empty_axes),
        (outs Onnx_Value:$reduced)>;
// The greatest element over some axes.
def Onnx_ReduceMaxOp : Onnx_ReductionFamily<"ReduceMax", "Reduction",
        (ins Onnx_Value:$data, Onnx_OptValue:$axes, DefaultValuedAttr<I64Attr, "1">:$keepdims,
         DefaultValuedAttr<I64Attr, "0">:$noop_with_empty_axes),
        (outs Onnx_Value:$reduced)>;
// The arithmetic mean over some axes.
def Onnx_ReduceMeanOp : Onnx_ReductionFamily<"ReduceMean", "Reduction",
        (ins Onnx_Value:$data, Onnx_OptValue:$axes, DefaultValuedAttr<I64Attr, "1">:$keepdims,
         DefaultValuedAttr<I64Attr, "0">:$noop_with_empty_axes),
        (outs Onnx_Value:$reduced)>;
// The least element over some axes.
def Onnx_ReduceMinOp : Onnx_ReductionFamily<"ReduceMin", "Reduction",
        (ins Onnx_Value:$data, Onnx_OptValue:$axes, DefaultValuedAttr<I64Attr, "1">:$keepdims,
         DefaultValuedAttr<I64Attr, "0">:$noop_with_empty_axes),
        (outs Onnx_Value:$reduced)>;
// The product over some axes.
def Onnx_ReduceProdOp : Onnx_ReductionFamily<"ReduceProd", "Reduction",
        (ins Onnx_Value:$data, Onnx_OptValue:$axes, DefaultValuedAttr<I64Attr, "1">:$keepdims,
         DefaultValuedAttr<I64Attr, "0">:$noop_with_empty_axes),
        (outs Onnx_Value:$reduced)>;
// The sum over some axes.
def Onnx_ReduceSumOp : Onnx_ReductionFamily<"ReduceSum", "Reduction",
        (ins Onnx_Value:$data, Onnx_OptValue:$axes, DefaultValuedAttr<I64Attr, "1">:$keepdims,
         DefaultValuedAttr<I64Attr, "0">:$noop_with_empty_axes),
        (outs Onnx_Value:$reduced)>;
// The sum of squares over some axes.
def Onnx_ReduceSumSquareOp : Onnx_ReductionFamily<"ReduceSumSquare", "Reduction",
        (ins Onnx_Value:$data, Onnx_OptValue:$axes, DefaultValuedAttr<I64Attr, "1">:$keepdims,
         DefaultValuedAttr<I64Attr, "0">:$noop_with_empty_axes),
        (outs Onnx_Value:$reduced)>;
