// SPDX-License-Identifier: Apache-2.0
//
// The normalization family. Whole slices scaled by their own statistics.

include "OnnxBase.td"

class Onnx_NormalizationFamily<string mnemonic, string rule, dag ins_, dag outs_, list<Trait> traits = []>
    : Onnx_Op<mnemonic, "normalization", rule, ins_, outs_, traits>;

def Onnx_BatchNormalizationOp : Onnx_NormalizationFamily<"BatchNormalization", "BatchNormalization",
        (ins Onnx_Value:$X, Onnx_Value:$scale, Onnx_Value:$B, Onnx_Value:$input_mean,
         Onnx_Value:$input_var, DefaultValuedAttr<F32Attr, "9.99999975e-06f">:$epsilon,
         DefaultValuedAttr<F32Attr, "0.899999976f">:$momentum, DefaultValuedAttr<I64Attr,
         "0">:$training_mode),
        (outs Onnx_Value:$Y, Onnx_OptValue:$running_mean, Onnx_OptValue:$running_var)>;
def Onnx_GroupNormalizationOp : Onnx_NormalizationFamily<"GroupNormalization", "SameAsFirst",
        (ins Onnx_Value:$X, Onnx_Value:$scale, Onnx_Value:$bias, DefaultValuedAttr<F32Attr,
         "9.99999975e-06f">:$epsilon, I64Attr:$num_groups, DefaultValuedAttr<I64Attr,
         "1">:$stash_type),
        (outs Onnx_Value:$Y)>;
def Onnx_HardmaxOp : Onnx_NormalizationFamily<"Hardmax", "SameAsFirst",
        (ins Onnx_Value:$input, DefaultValuedAttr<I64Attr, "-1">:$axis),
        (outs Onnx_Value:$output)>;
def Onnx_InstanceNormalizationOp : Onnx_NormalizationFamily<"InstanceNormalization", "SameAsFirst",
        (ins Onnx_Value:$input, Onnx_Value:$scale, Onnx_Value:$B, DefaultValuedAttr<F32Attr,
         "9.99999975e-06f">:$epsilon),
        (outs Onnx_Value:$output)>;
def Onnx_LRNOp : Onnx_NormalizationFamily<"LRN", "SameAsFirst",
        (ins Onnx_Value:$X, DefaultValuedAttr<F32Attr, "9.99999975e-05f">:$alpha,
         DefaultValuedAttr<F32Attr, "0.75f">:$beta, DefaultValuedAttr<F32Attr, "1.0f">:$bias,
         I64Attr:$size),
        (outs Onnx_Value:$Y)>;
def Onnx_LayerNormalizationOp : Onnx_NormalizationFamily<"LayerNormalization", "LayerNormalization",
        (ins Onnx_Value:$X, Onnx_Value:$scale, Onnx_OptValue:$B, DefaultValuedAttr<I64Attr,
         "-1">:$axis, DefaultValuedAttr<F32Attr, "9.99999975e-06f">:$epsilon,
         DefaultValuedAttr<I64Attr, "1">:$stash_type),
        (outs Onnx_Value:$Y, Onnx_OptValue:$mean, Onnx_OptValue:$invStdDev)>;
def Onnx_LogSoftmaxOp : Onnx_NormalizationFamily<"LogSoftmax", "SameAsFirst",
        (ins Onnx_Value:$input, DefaultValuedAttr<I64Attr, "-1">:$axis),
        (outs Onnx_Value:$output)>;
def Onnx_LpNormalizationOp : Onnx_NormalizationFamily<"LpNormalization", "SameAsFirst",
        (ins Onnx_Value:$input, DefaultValuedAttr<I64Attr, "-1">:$axis, DefaultValuedAttr<I64Attr,
         "2">:$p),
        (outs Onnx_Value:$output)>;
def Onnx_MeanVarianceNormalizationOp : Onnx_NormalizationFamily<"MeanVarianceNormalization", "SameAsFirst",
        (ins Onnx_Value:$X, DefaultValuedAttr<DenseI64ArrayAttr, "{0,2,3}">:$axes),
        (outs Onnx_Value:$Y)>;
def Onnx_RMSNormalizationOp : Onnx_NormalizationFamily<"RMSNormalization", "SameAsFirst",
        (ins Onnx_Value:$X, Onnx_Value:$scale, DefaultValuedAttr<I64Attr, "-1">:$axis,
         DefaultValuedAttr<F32Attr, "9.99999975e-06f">:$epsilon, DefaultValuedAttr<I64Attr,
         "1">:$stash_type),
        (outs Onnx_Value:$Y)>;
def Onnx_SoftmaxOp : Onnx_NormalizationFamily<"Softmax", "SameAsFirst",
        (ins Onnx_Value:$input, DefaultValuedAttr<I64Attr, "-1">:$axis),
        (outs Onnx_Value:$output)>;
