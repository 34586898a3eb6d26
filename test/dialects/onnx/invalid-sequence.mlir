// RUN: burin-opt %s --split-input-file --verify-diagnostics
//
// What dialects/onnx/shapes/Sequence.cpp refuses; the rules that all share are in invalid.mlir.

func.func @empty_type() {
  // expected-error @+1 {{'dtype' is 999, which is no ONNX element type}}
  %r = onnx.SequenceEmpty {dtype = 999 : i64} : () -> !onnx.seq<tensor<*xf32>>
  return
}

// -----

func.func @of_nothing() {
  // expected-error @+1 {{needs at least one operand}}
  %r = onnx.SequenceConstruct : () -> !onnx.seq<tensor<*xf32>>
  return
}

// -----

func.func @of_types(%a: tensor<2xf32>, %b: tensor<2xsi64>) {
  // expected-error @+1 {{operands 0 and 1 differ in element type}}
  %r = onnx.SequenceConstruct %a, %b : (tensor<2xf32>, tensor<2xsi64>) -> !onnx.seq<tensor<*xf32>>
  return
}

// -----

func.func @insert(%s: !onnx.seq<tensor<2xf32>>, %b: tensor<2xsi64>) {
  %n = onnx.None
  // expected-error @+1 {{cannot insert 'tensor<2xsi64>' into a sequence of 'tensor<2xf32>'}}
  %r = onnx.SequenceInsert %s, %b, %n : (!onnx.seq<tensor<2xf32>>, tensor<2xsi64>, none) -> !onnx.seq<tensor<*xf32>>
  return
}

// -----

func.func @length(%a: tensor<2xf32>) {
  // expected-error @+1 {{operand 0 must be a sequence, not 'tensor<2xf32>'}}
  %r = onnx.SequenceLength %a : (tensor<2xf32>) -> tensor<si64>
  return
}

// -----

func.func @concat(%s: !onnx.seq<!onnx.seq<tensor<2xf32>>>) {
  // expected-error @+1 {{needs a sequence of tensors, not of '!onnx.seq<tensor<2xf32>>'}}
  %r = onnx.ConcatFromSequence %s {axis = 0 : i64} : (!onnx.seq<!onnx.seq<tensor<2xf32>>>) -> tensor<*xf32>
  return
}

// -----

func.func @split_sequence(%s: !onnx.seq<tensor<2xf32>>) {
  %n = onnx.None
  // expected-error @+1 {{operand 0 must be a tensor, not '!onnx.seq<tensor<2xf32>>'}}
  %r = onnx.SplitToSequence %s, %n : (!onnx.seq<tensor<2xf32>>, none) -> !onnx.seq<tensor<2xf32>>
  return
}

// -----

func.func @split_size(%a: tensor<4xf32>) {
  %s = onnx.Constant {value = dense<0> : tensor<si64>} : () -> tensor<si64>
  // expected-error @+1 {{'split' must be 1 or more, not 0}}
  %r = onnx.SplitToSequence %a, %s : (tensor<4xf32>, tensor<si64>) -> !onnx.seq<tensor<2xf32>>
  return
}

// -----

func.func @optional() {
  %n = onnx.None
  // expected-error @+1 {{needs an operand or the attribute 'type'}}
  %r = onnx.Optional %n : (none) -> !onnx.optional<tensor<2xf32>>
  return
}
