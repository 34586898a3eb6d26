// RUN: burin-opt %s --split-input-file --verify-diagnostics
//
// What dialects/onnx/shapes/Attention.cpp refuses; the rules that all share are in invalid.mlir.

func.func @rank(%a: tensor<2x8xf32>) {
  %n = onnx.None
  // expected-error @+1 {{operand 0 has rank 2, not 3 (packed heads) or 4}}
  %r:4 = onnx.Attention %a, %a, %a, %n, %n, %n, %n : (tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, none, none, none, none) -> (tensor<*xf32>, none, none, none)
  return
}

// -----

func.func @heads(%a: tensor<2x3x8xf32>) {
  %n = onnx.None
  // expected-error @+1 {{operands of rank 3 need 'q_num_heads', at least 1}}
  %r:4 = onnx.Attention %a, %a, %a, %n, %n, %n, %n : (tensor<2x3x8xf32>, tensor<2x3x8xf32>, tensor<2x3x8xf32>, none, none, none, none) -> (tensor<*xf32>, none, none, none)
  return
}

// -----

func.func @divide(%a: tensor<2x3x8xf32>) {
  %n = onnx.None
  // expected-error @+1 {{'kv_num_heads' is 3, which does not divide the size 8 of operand 1}}
  %r:4 = onnx.Attention %a, %a, %a, %n, %n, %n, %n {q_num_heads = 4 : i64, kv_num_heads = 3 : i64} : (tensor<2x3x8xf32>, tensor<2x3x8xf32>, tensor<2x3x8xf32>, none, none, none, none) -> (tensor<*xf32>, none, none, none)
  return
}

// -----

func.func @groups(%q: tensor<1x4x3x8xf32>, %k: tensor<1x3x3x8xf32>) {
  %n = onnx.None
  // expected-error @+1 {{4 heads of queries cannot share 3 of keys}}
  %r:4 = onnx.Attention %q, %k, %k, %n, %n, %n, %n : (tensor<1x4x3x8xf32>, tensor<1x3x3x8xf32>, tensor<1x3x3x8xf32>, none, none, none, none) -> (tensor<*xf32>, none, none, none)
  return
}

// -----

func.func @sizes(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x6xf32>) {
  %n = onnx.None
  // expected-error @+1 {{the sizes of queries' and keys' heads must be equal, but are 8 and 6}}
  %r:4 = onnx.Attention %q, %k, %k, %n, %n, %n, %n : (tensor<1x4x3x8xf32>, tensor<1x4x3x6xf32>, tensor<1x4x3x6xf32>, none, none, none, none) -> (tensor<*xf32>, none, none, none)
  return
}

// -----

func.func @lengths(%q: tensor<1x4x3x8xf32>, %v: tensor<1x4x5x8xf32>) {
  %n = onnx.None
  // expected-error @+1 {{the lengths of keys and values must be equal, but are 3 and 5}}
  %r:4 = onnx.Attention %q, %q, %v, %n, %n, %n, %n : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x5x8xf32>, none, none, none, none) -> (tensor<*xf32>, none, none, none)
  return
}

// -----

func.func @past(%q: tensor<1x4x3x8xf32>) {
  %n = onnx.None
  // expected-error @+1 {{past_key and past_value come together}}
  %r:4 = onnx.Attention %q, %q, %q, %n, %q, %n, %n : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, none, tensor<1x4x3x8xf32>, none, none) -> (tensor<*xf32>, none, none, none)
  return
}
