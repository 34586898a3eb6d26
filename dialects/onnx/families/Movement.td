// SPDX-License-Identifier: Apache-2.0
//
// The movement family. Elements change place, never value.

include "OnnxBase.td"

class Onnx_MovementFamily<string mnemonic, string rule, dag ins_, dag outs_, list<Trait> traits = []>
    : Onnx_Op<mnemonic, "movement", rule, ins_, outs_, traits>;

// Each axis cropped or padded with zeros about its centre to a given size.
def Onnx_CenterCropPadOp : Onnx_MovementFamily<"CenterCropPad", "CenterCropPad",
        (ins Onnx_Value:$input_data, Onnx_Value:$shape, OptionalAttr<DenseI64ArrayAttr>:$axes),
        (outs Onnx_Value:$output_data)>;
// Tensors joined along an axis.
def Onnx_ConcatOp : Onnx_MovementFamily<"Concat", "Concat",
        (ins Variadic<Onnx_Value>:$inputs, I64Attr:$axis),
        (outs Onnx_Value:$concat_result)>;
// Channels moved into blocks of rows and columns.
def Onnx_DepthToSpaceOp : Onnx_MovementFamily<"DepthToSpace", "DepthToSpace",
        (ins Onnx_Value:$input, I64Attr:$blocksize, DefaultValuedStrAttr<StrAttr, "DCR">:$mode),
        (outs Onnx_Value:$output)>;
// A tensor broadcast to a shape.
def Onnx_ExpandOp : Onnx_MovementFamily<"Expand", "Expand",
        (ins Onnx_Value:$input, Onnx_Value:$shape),
        (outs Onnx_Value:$output)>;
// A tensor with elements added, or removed, at both ends of its axes.
def Onnx_PadOp : Onnx_MovementFamily<"Pad", "Pad",
        (ins Onnx_Value:$data, Onnx_Value:$pads, Onnx_OptValue:$constant_value,
         Onnx_OptValue:$axes, DefaultValuedStrAttr<StrAttr, "constant">:$mode),
        (outs Onnx_Value:$output)>;
// The first elements of each sequence of a batch in reverse order.
def Onnx_ReverseSequenceOp : Onnx_MovementFamily<"ReverseSequence", "SameAsFirst",
        (ins Onnx_Value:$input, Onnx_Value:$sequence_lens, DefaultValuedAttr<I64Attr,
         "1">:$batch_axis, DefaultValuedAttr<I64Attr, "0">:$time_axis),
        (outs Onnx_Value:$Y)>;
// Elements from start to end by a step, along some axes.
def Onnx_SliceOp : Onnx_MovementFamily<"Slice", "Slice",
        (ins Onnx_Value:$data, Onnx_Value:$starts, Onnx_Value:$ends, Onnx_OptValue:$axes,
         Onnx_OptValue:$steps),
        (outs Onnx_Value:$output)>;
// Blocks of rows and columns moved into channels.
def Onnx_SpaceToDepthOp : Onnx_MovementFamily<"SpaceToDepth", "SpaceToDepth",
        (ins Onnx_Value:$input, I64Attr:$blocksize, DefaultValuedStrAttr<StrAttr, "DCR">:$mode),
        (outs Onnx_Value:$output)>;
// A tensor cut along an axis into several.
def Onnx_SplitOp : Onnx_MovementFamily<"Split", "Split",
        (ins Onnx_Value:$input, Onnx_OptValue:$split, DefaultValuedAttr<I64Attr, "0">:$axis,
         OptionalAttr<I64Attr>:$num_outputs),
        (outs Variadic<Onnx_Value>:$outputs)>;
// A tensor repeated along each axis.
def Onnx_TileOp : Onnx_MovementFamily<"Tile", "Tile",
        (ins Onnx_Value:$input, Onnx_Value:$repeats),
        (outs Onnx_Value:$output)>;
// A tensor with its axes in another order, by default reversed.
def Onnx_TransposeOp : Onnx_MovementFamily<"Transpose", "Transpose",
        (ins Onnx_Value:$data, OptionalAttr<DenseI64ArrayAttr>:$perm),
        (outs Onnx_Value:$transposed)>;
// The upper or the lower triangle of matrices, zeros elsewhere.
def Onnx_TriluOp : Onnx_MovementFamily<"Trilu", "SameAsFirst",
        (ins Onnx_Value:$input, Onnx_OptValue:$k, DefaultValuedAttr<I64Attr, "1">:$upper),
        (outs Onnx_Value:$output)>;
