// SPDX-License-Identifier: Apache-2.0
//
// The normalization family. Whole slices scaled by their own statistics.

include "OnnxBase.td"

class Onnx_NormalizationFamily<string mnemonic, string rule, dag ins_, dag outs_, list<Trait> traits = []>
    : Onnx_Op<mnemonic, "normalization", rule, ins_, outs_, traits>;

// Each channel normalized by given mean and variance, scaled and shifted.
def Onnx_BatchNormalizationOp : Onnx_NormalizationFamily<"BatchNormalization", "BatchNormalization",
        (ins Onnx_Value:$X, Onnx_Value:$scale, Onnx_Value:$B, Onnx_Value:$input_mean,
         Onnx_Value:$input_var, DefaultValuedAttr<F32Attr, "9.99999975e-06f">:$epsilon,
         DefaultValuedAttr<F32Attr, "0.899999976f">:$momentum, DefaultValuedAttr<I64Attr,
         "0">:$training_mode),
        (outs Onnx_Value:$Y, Onnx_OptValue:$running_mean, Onnx_OptValue:$running_var)>;
// Groups of channels normalized by their own mean and variance, scaled and shifted.
def Onnx_GroupNormalizationOp : Onnx_NormalizationFamily<"GroupNormalization", "SameAsFirst",
        (ins Onnx_Value:$X, Onnx_Value:$scale, Onnx_Value:$bias, DefaultValuedAttr<F32Attr,
         "9.99999975e-06f">:$epsilon, I64Attr:$num_groups, DefaultValuedAttr<I64Attr,
         "1">:$stash_type),
        (outs Onnx_Value:$Y)>;
// 1 at the first greatest element along an axis, 0 elsewhere.
def Onnx_HardmaxOp : Onnx_NormalizationFamily<"Hardmax", "SameAsFirst",
        (ins Onnx_Value:$input, DefaultValuedAttr<I64Attr, "-1">:$axis),
        (outs Onnx_Value:$output)>;
// Each channel of each instance normalized by its own mean and variance, scaled and shifted.
def Onnx_InstanceNormalizationOp : Onnx_NormalizationFamily<"InstanceNormalization", "SameAsFirst",
        (ins Onnx_Value:$input, Onnx_Value:$scale, Onnx_Value:$B, DefaultValuedAttr<F32Attr,
         "9.99999975e-06f">:$epsilon),
        (outs Onnx_Value:$output)>;
// Each element divided by a power of its neighbour channels' sum of squares.
def Onnx_LRNOp : Onnx_NormalizationFamily<"LRN", "SameAsFirst",
        (ins Onnx_Value:$X, DefaultValuedAttr<F32Attr, "9.99999975e-05f">:$alpha,
         DefaultValuedAttr<F32Attr, "0.75f">:$beta, DefaultValuedAttr<F32Attr, "1.0f">:$bias,
         I64Attr:$size),
        (outs Onnx_Value:$Y)>;
// The last axes normalized by their own mean and variance, scaled and shifted.
def Onnx_LayerNormalizationOp : Onnx_NormalizationFamily<"LayerNormalization", "LayerNormalization",
        (ins Onnx_Value:$X, Onnx_Value:$scale, Onnx_OptValue:$B, DefaultValuedAttr<I64Attr,
         "-1">:$axis, DefaultValuedAttr<F32Attr, "9.99999975e-06f">:$epsilon,
         DefaultValuedAttr<I64Attr, "1">:$stash_type),
        (outs Onnx_Value:$Y, Onnx_OptValue:$mean, Onnx_OptValue:$invStdDev)>;
// The logarithm of Softmax.
def Onnx_LogSoftmaxOp : Onnx_NormalizationFamily<"LogSoftmax", "SameAsFirst",
        (ins Onnx_Value:$input, DefaultValuedAttr<I64Attr, "-1">:$axis),
        (outs Onnx_Value:$output)>;
// Elements divided by the p-norm along an axis.
def Onnx_LpNormalizationOp : Onnx_NormalizationFamily<"LpNormalization", "SameAsFirst",
        (ins Onnx_Value:$input, DefaultValuedAttr<I64Attr, "-1">:$axis, DefaultValuedAttr<I64Attr,
         "2">:$p),
        (outs Onnx_Value:$output)>;
// Elements less their mean over some axes, divided by their standard deviation.
def Onnx_MeanVarianceNormalizationOp : Onnx_NormalizationFamily<"MeanVarianceNormalization", "SameAsFirst",
        (ins Onnx_Value:$X, DefaultValuedAttr<DenseI64ArrayAttr, "{0,2,3}">:$axes),
        (outs Onnx_Value:$Y)>;
// The last axes divided by the root of their mean square, and scaled.
def Onnx_RMSNormalizationOp : Onnx_NormalizationFamily<"RMSNormalization", "SameAsFirst",
        (ins Onnx_Value:$X, Onnx_Value:$scale, DefaultValuedAttr<I64Attr, "-1">:$axis,
         DefaultValuedAttr<F32Attr, "9.99999975e-06f">:$epsilon, DefaultValuedAttr<I64Attr,
         "1">:$stash_type),
        (outs Onnx_Value:$Y)>;
// exp(x) divided by its sum along an axis.
def Onnx_SoftmaxOp : Onnx_NormalizationFamily<"Softmax", "SameAsFirst",
        (ins Onnx_Value:$input, DefaultValuedAttr<I64Attr, "-1">:$axis),
        (outs Onnx_Value:$output)>;
