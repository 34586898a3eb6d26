// RUN: burin-opt %s --lower-onnx --split-input-file --verify-diagnostics
//
// What the lowering refuses of any operator: a rule's own reason, a boundary that is no
// tensor, a size that nothing fixes.

// expected-error @+1 {{has an input or output of type '!onnx.seq<tensor<2xf32>>'; only tensors of known rank cross a model's boundary}}
func.func @main(%s: !onnx.seq<tensor<2xf32>>) -> !onnx.seq<tensor<2xf32>> {
  return %s : !onnx.seq<tensor<2xf32>>
}

// -----

func.func @main(%s: tensor<2x!onnx.string>) -> tensor<2x!onnx.string> {
  // expected-error @+1 {{is not supported here: strings, sequences and optionals are not moved at run time}}
  %0 = onnx.Transpose %s : (tensor<2x!onnx.string>) -> tensor<2x!onnx.string>
  return %0 : tensor<2x!onnx.string>
}

// -----

func.func @main(%x: tensor<2xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{is not supported here: the result's shape is known only when the model runs}}
  %0 = onnx.Relu %x : (tensor<2xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
