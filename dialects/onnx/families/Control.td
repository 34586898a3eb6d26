// SPDX-License-Identifier: Apache-2.0
//
// The control family. Branches, loops, sequences and optionals.

include "OnnxBase.td"

class Onnx_ControlFamily<string mnemonic, string rule, dag ins_, dag outs_, list<Trait> traits = []>
    : Onnx_Op<mnemonic, "control", rule, ins_, outs_, traits>;

// The tensors of a sequence joined along an axis, or stacked along a new one.
def Onnx_ConcatFromSequenceOp : Onnx_ControlFamily<"ConcatFromSequence", "ConcatFromSequence",
        (ins Onnx_Value:$input_sequence, I64Attr:$axis, DefaultValuedAttr<I64Attr,
         "0">:$new_axis),
        (outs Onnx_Value:$concat_result)>;
// What the branch yields that the condition chooses.
def Onnx_IfOp : Onnx_ControlFamily<"If", "If",
        (ins Onnx_Value:$cond),
        (outs Variadic<Onnx_Value>:$outputs)> {
  let regions = (region AnyRegion:$else_branch, AnyRegion:$then_branch);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results) regions";
}
// A body run as often as a count and a condition say, with values carried along and scan outputs stacked.
def Onnx_LoopOp : Onnx_ControlFamily<"Loop", "Loop",
        (ins Onnx_OptValue:$M, Onnx_OptValue:$cond, Variadic<Onnx_Value>:$v_initial),
        (outs Variadic<Onnx_Value>:$v_final_and_scan_outputs)> {
  let regions = (region AnyRegion:$body);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results) regions";
}
// A value as an optional, or an optional of a type that holds none.
def Onnx_OptionalOp : Onnx_ControlFamily<"Optional", "Optional",
        (ins Onnx_OptValue:$input, OptionalAttr<TypeAttr>:$type),
        (outs Onnx_Value:$output)>;
// The value of an optional, which must hold one.
def Onnx_OptionalGetElementOp : Onnx_ControlFamily<"OptionalGetElement", "OptionalGetElement",
        (ins Onnx_Value:$input),
        (outs Onnx_Value:$output)>;
// Whether an optional holds a value.
def Onnx_OptionalHasElementOp : Onnx_ControlFamily<"OptionalHasElement", "OptionalHasElement",
        (ins Onnx_OptValue:$input),
        (outs Onnx_Value:$output)>;
// A body run over slices of its scan inputs, with states carried along and outputs stacked.
def Onnx_ScanOp : Onnx_ControlFamily<"Scan", "Scan",
        (ins Variadic<Onnx_Value>:$initial_state_and_scan_inputs, I64Attr:$num_scan_inputs,
         OptionalAttr<DenseI64ArrayAttr>:$scan_input_axes,
         OptionalAttr<DenseI64ArrayAttr>:$scan_input_directions,
         OptionalAttr<DenseI64ArrayAttr>:$scan_output_axes,
         OptionalAttr<DenseI64ArrayAttr>:$scan_output_directions),
        (outs Variadic<Onnx_Value>:$final_state_and_scan_outputs)> {
  let regions = (region AnyRegion:$body);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results) regions";
}
// One tensor of a sequence; negative positions count from its end.
def Onnx_SequenceAtOp : Onnx_ControlFamily<"SequenceAt", "SequenceAt",
        (ins Onnx_Value:$input_sequence, Onnx_Value:$position),
        (outs Onnx_Value:$tensor)>;
// A sequence of the operands.
def Onnx_SequenceConstructOp : Onnx_ControlFamily<"SequenceConstruct", "SequenceConstruct",
        (ins Variadic<Onnx_Value>:$inputs),
        (outs Onnx_Value:$output_sequence)>;
// A sequence of no tensors.
def Onnx_SequenceEmptyOp : Onnx_ControlFamily<"SequenceEmpty", "SequenceEmpty",
        (ins OptionalAttr<I64Attr>:$dtype),
        (outs Onnx_Value:$output)>;
// A sequence without the tensor at a position, its last by default.
def Onnx_SequenceEraseOp : Onnx_ControlFamily<"SequenceErase", "SequenceErase",
        (ins Onnx_Value:$input_sequence, Onnx_OptValue:$position),
        (outs Onnx_Value:$output_sequence)>;
// A sequence with a tensor put in at a position, its end by default.
def Onnx_SequenceInsertOp : Onnx_ControlFamily<"SequenceInsert", "SequenceInsert",
        (ins Onnx_Value:$input_sequence, Onnx_Value:$tensor, Onnx_OptValue:$position),
        (outs Onnx_Value:$output_sequence)>;
// How many tensors a sequence holds.
def Onnx_SequenceLengthOp : Onnx_ControlFamily<"SequenceLength", "SequenceLength",
        (ins Onnx_Value:$input_sequence),
        (outs Onnx_Value:$length)>;
// A tensor cut along an axis into a sequence.
def Onnx_SplitToSequenceOp : Onnx_ControlFamily<"SplitToSequence", "SplitToSequence",
        (ins Onnx_Value:$input, Onnx_OptValue:$split, DefaultValuedAttr<I64Attr, "0">:$axis,
         DefaultValuedAttr<I64Attr, "1">:$keepdims),
        (outs Onnx_Value:$output_sequence)>;
