// SPDX-License-Identifier: Apache-2.0
//
// The window family. A window slides over spatial dimensions.

include "OnnxBase.td"

class Onnx_WindowFamily<string mnemonic, string rule, dag ins_, dag outs_, list<Trait> traits = []>
    : Onnx_Op<mnemonic, "window", rule, ins_, outs_, traits>;

// The mean of each window.
def Onnx_AveragePoolOp : Onnx_WindowFamily<"AveragePool", "Pool",
        (ins Onnx_Value:$X, DefaultValuedStrAttr<StrAttr, "NOTSET">:$auto_pad,
         DefaultValuedAttr<I64Attr, "0">:$ceil_mode, DefaultValuedAttr<I64Attr,
         "0">:$count_include_pad, OptionalAttr<DenseI64ArrayAttr>:$dilations,
         DenseI64ArrayAttr:$kernel_shape, OptionalAttr<DenseI64ArrayAttr>:$pads,
         OptionalAttr<DenseI64ArrayAttr>:$strides),
        (outs Onnx_Value:$Y)>;
// Columns of blocks added up into images.
def Onnx_Col2ImOp : Onnx_WindowFamily<"Col2Im", "Col2Im",
        (ins Onnx_Value:$input, Onnx_Value:$image_shape, Onnx_Value:$block_shape,
         OptionalAttr<DenseI64ArrayAttr>:$dilations, OptionalAttr<DenseI64ArrayAttr>:$pads,
         OptionalAttr<DenseI64ArrayAttr>:$strides),
        (outs Onnx_Value:$output)>;
// Convolution of each window with the weight, in groups of channels.
def Onnx_ConvOp : Onnx_WindowFamily<"Conv", "Conv",
        (ins Onnx_Value:$X, Onnx_Value:$W, Onnx_OptValue:$B, DefaultValuedStrAttr<StrAttr,
         "NOTSET">:$auto_pad, OptionalAttr<DenseI64ArrayAttr>:$dilations,
         DefaultValuedAttr<I64Attr, "1">:$group, OptionalAttr<DenseI64ArrayAttr>:$kernel_shape,
         OptionalAttr<DenseI64ArrayAttr>:$pads, OptionalAttr<DenseI64ArrayAttr>:$strides),
        (outs Onnx_Value:$Y)>;
// Convolution of 8-bit integers less their zero points, in 32 bits.
def Onnx_ConvIntegerOp : Onnx_WindowFamily<"ConvInteger", "Conv",
        (ins Onnx_Value:$x, Onnx_Value:$w, Onnx_OptValue:$x_zero_point,
         Onnx_OptValue:$w_zero_point, DefaultValuedStrAttr<StrAttr, "NOTSET">:$auto_pad,
         OptionalAttr<DenseI64ArrayAttr>:$dilations, DefaultValuedAttr<I64Attr, "1">:$group,
         OptionalAttr<DenseI64ArrayAttr>:$kernel_shape, OptionalAttr<DenseI64ArrayAttr>:$pads,
         OptionalAttr<DenseI64ArrayAttr>:$strides),
        (outs Onnx_Value:$y)>;
// Transposed convolution: each input element spreads the weight over a window.
def Onnx_ConvTransposeOp : Onnx_WindowFamily<"ConvTranspose", "ConvTranspose",
        (ins Onnx_Value:$X, Onnx_Value:$W, Onnx_OptValue:$B, DefaultValuedStrAttr<StrAttr,
         "NOTSET">:$auto_pad, OptionalAttr<DenseI64ArrayAttr>:$dilations,
         DefaultValuedAttr<I64Attr, "1">:$group, OptionalAttr<DenseI64ArrayAttr>:$kernel_shape,
         OptionalAttr<DenseI64ArrayAttr>:$output_padding,
         OptionalAttr<DenseI64ArrayAttr>:$output_shape, OptionalAttr<DenseI64ArrayAttr>:$pads,
         OptionalAttr<DenseI64ArrayAttr>:$strides),
        (outs Onnx_Value:$Y)>;
// Convolution whose windows are bent by offsets.
def Onnx_DeformConvOp : Onnx_WindowFamily<"DeformConv", "DeformConv",
        (ins Onnx_Value:$X, Onnx_Value:$W, Onnx_Value:$offset, Onnx_OptValue:$B,
         Onnx_OptValue:$mask, OptionalAttr<DenseI64ArrayAttr>:$dilations,
         DefaultValuedAttr<I64Attr, "1">:$group, OptionalAttr<DenseI64ArrayAttr>:$kernel_shape,
         DefaultValuedAttr<I64Attr, "1">:$offset_group, OptionalAttr<DenseI64ArrayAttr>:$pads,
         OptionalAttr<DenseI64ArrayAttr>:$strides),
        (outs Onnx_Value:$Y)>;
// The mean of each channel.
def Onnx_GlobalAveragePoolOp : Onnx_WindowFamily<"GlobalAveragePool", "GlobalPool",
        (ins Onnx_Value:$X),
        (outs Onnx_Value:$Y)>;
// The p-norm of each channel.
def Onnx_GlobalLpPoolOp : Onnx_WindowFamily<"GlobalLpPool", "GlobalPool",
        (ins Onnx_Value:$X, DefaultValuedAttr<I64Attr, "2">:$p),
        (outs Onnx_Value:$Y)>;
// The greatest element of each channel.
def Onnx_GlobalMaxPoolOp : Onnx_WindowFamily<"GlobalMaxPool", "GlobalPool",
        (ins Onnx_Value:$X),
        (outs Onnx_Value:$Y)>;
// The p-norm of each window.
def Onnx_LpPoolOp : Onnx_WindowFamily<"LpPool", "Pool",
        (ins Onnx_Value:$X, DefaultValuedStrAttr<StrAttr, "NOTSET">:$auto_pad,
         DefaultValuedAttr<I64Attr, "0">:$ceil_mode, OptionalAttr<DenseI64ArrayAttr>:$dilations,
         DenseI64ArrayAttr:$kernel_shape, DefaultValuedAttr<I64Attr, "2">:$p,
         OptionalAttr<DenseI64ArrayAttr>:$pads, OptionalAttr<DenseI64ArrayAttr>:$strides),
        (outs Onnx_Value:$Y)>;
// The greatest element of each window, and where it lies.
def Onnx_MaxPoolOp : Onnx_WindowFamily<"MaxPool", "Pool",
        (ins Onnx_Value:$X, DefaultValuedStrAttr<StrAttr, "NOTSET">:$auto_pad,
         DefaultValuedAttr<I64Attr, "0">:$ceil_mode, OptionalAttr<DenseI64ArrayAttr>:$dilations,
         DenseI64ArrayAttr:$kernel_shape, OptionalAttr<DenseI64ArrayAttr>:$pads,
         DefaultValuedAttr<I64Attr, "0">:$storage_order,
         OptionalAttr<DenseI64ArrayAttr>:$strides),
        (outs Onnx_Value:$Y, Onnx_OptValue:$indices)>;
// The greatest elements of a grid over each region of interest.
def Onnx_MaxRoiPoolOp : Onnx_WindowFamily<"MaxRoiPool", "MaxRoiPool",
        (ins Onnx_Value:$X, Onnx_Value:$rois, DenseI64ArrayAttr:$pooled_shape,
         DefaultValuedAttr<F32Attr, "1.0f">:$spatial_scale),
        (outs Onnx_Value:$Y)>;
// Elements put back where MaxPool found them, zeros elsewhere.
def Onnx_MaxUnpoolOp : Onnx_WindowFamily<"MaxUnpool", "MaxUnpool",
        (ins Onnx_Value:$X, Onnx_Value:$I, Onnx_OptValue:$output_shape,
         DenseI64ArrayAttr:$kernel_shape, OptionalAttr<DenseI64ArrayAttr>:$pads,
         OptionalAttr<DenseI64ArrayAttr>:$strides),
        (outs Onnx_Value:$output)>;
// Convolution of quantized tensors, quantized again.
def Onnx_QLinearConvOp : Onnx_WindowFamily<"QLinearConv", "Conv",
        (ins Onnx_Value:$x, Onnx_Value:$x_scale, Onnx_Value:$x_zero_point, Onnx_Value:$w,
         Onnx_Value:$w_scale, Onnx_Value:$w_zero_point, Onnx_Value:$y_scale,
         Onnx_Value:$y_zero_point, Onnx_OptValue:$B, DefaultValuedStrAttr<StrAttr,
         "NOTSET">:$auto_pad, OptionalAttr<DenseI64ArrayAttr>:$dilations,
         DefaultValuedAttr<I64Attr, "1">:$group, OptionalAttr<DenseI64ArrayAttr>:$kernel_shape,
         OptionalAttr<DenseI64ArrayAttr>:$pads, OptionalAttr<DenseI64ArrayAttr>:$strides),
        (outs Onnx_Value:$y)>;
