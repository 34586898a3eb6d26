// SPDX-License-Identifier: Apache-2.0
//
// The shape family. Shapes as values, and values from shapes.

include "OnnxBase.td"

class Onnx_ShapeFamily<string mnemonic, string rule, dag ins_, dag outs_, list<Trait> traits = []>
    : Onnx_Op<mnemonic, "shape", rule, ins_, outs_, traits>;

// A tensor that the model holds.
def Onnx_ConstantOp : Onnx_ShapeFamily<"Constant", "Constant",
        (ins Onnx_ConstantAttr:$value),
        (outs Onnx_Value:$output), [ConstantLike]> {
  let hasFolder = 1;
}
// A tensor of a given shape with one value throughout.
def Onnx_ConstantOfShapeOp : Onnx_ShapeFamily<"ConstantOfShape", "ConstantOfShape",
        (ins Onnx_Value:$input, OptionalAttr<AnyAttr>:$value),
        (outs Onnx_Value:$output)>;
// Ones on a diagonal, zeros elsewhere, in the shape of the input.
def Onnx_EyeLikeOp : Onnx_ShapeFamily<"EyeLike", "EyeLike",
        (ins Onnx_Value:$input, OptionalAttr<I64Attr>:$dtype, DefaultValuedAttr<I64Attr, "0">:$k),
        (outs Onnx_Value:$output)>;
// A matrix whose rows are the dimensions before an axis, whose columns are the others.
def Onnx_FlattenOp : Onnx_ShapeFamily<"Flatten", "Flatten",
        (ins Onnx_Value:$input, DefaultValuedAttr<I64Attr, "1">:$axis),
        (outs Onnx_Value:$output)>;
// Numbers from start up to limit by delta.
def Onnx_RangeOp : Onnx_ShapeFamily<"Range", "Range",
        (ins Onnx_Value:$start, Onnx_Value:$limit, Onnx_Value:$delta, DefaultValuedAttr<I64Attr,
         "1">:$stash_type),
        (outs Onnx_Value:$output)>;
// The same elements in another shape.
def Onnx_ReshapeOp : Onnx_ShapeFamily<"Reshape", "Reshape",
        (ins Onnx_Value:$data, Onnx_Value:$shape, DefaultValuedAttr<I64Attr, "0">:$allowzero),
        (outs Onnx_Value:$reshaped)>;
// The sizes of a tensor, or some of them.
def Onnx_ShapeOp : Onnx_ShapeFamily<"Shape", "Shape",
        (ins Onnx_Value:$data, OptionalAttr<I64Attr>:$end, DefaultValuedAttr<I64Attr,
         "0">:$start),
        (outs Onnx_Value:$shape)>;
// The number of elements of a tensor.
def Onnx_SizeOp : Onnx_ShapeFamily<"Size", "Size",
        (ins Onnx_Value:$data),
        (outs Onnx_Value:$size)>;
// A tensor without some dimensions of size 1.
def Onnx_SqueezeOp : Onnx_ShapeFamily<"Squeeze", "Squeeze",
        (ins Onnx_Value:$data, Onnx_OptValue:$axes),
        (outs Onnx_Value:$squeezed)>;
// A tensor with dimensions of size 1 put in.
def Onnx_UnsqueezeOp : Onnx_ShapeFamily<"Unsqueeze", "Unsqueeze",
        (ins Onnx_Value:$data, Onnx_Value:$axes),
        (outs Onnx_Value:$expanded)>;
