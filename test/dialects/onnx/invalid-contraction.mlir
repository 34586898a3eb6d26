// RUN: burin-opt %s --split-input-file --verify-diagnostics
//
// What dialects/onnx/shapes/Contraction.cpp refuses; the rules that all share are in invalid.mlir.

func.func @matmul_scalar(%a: tensor<f32>, %b: tensor<2xf32>) {
  // expected-error @+1 {{operands must have rank 1 or more, not 0 and 1}}
  %r = onnx.MatMul %a, %b : (tensor<f32>, tensor<2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @gemm_c_rank(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>, %c: tensor<1x2x4xf32>) {
  // expected-error @+1 {{C must have rank 2 or less, not 3}}
  %r = onnx.Gemm %a, %b, %c : (tensor<2x3xf32>, tensor<3x4xf32>, tensor<1x2x4xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @gemm_c_size(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>, %c: tensor<5xf32>) {
  // expected-error @+1 {{C of size 5 does not broadcast to 4}}
  %r = onnx.Gemm %a, %b, %c : (tensor<2x3xf32>, tensor<3x4xf32>, tensor<5xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @det_vector(%a: tensor<2xf32>) {
  // expected-error @+1 {{X must have rank 2 or more, not 1}}
  %r = onnx.Det %a : (tensor<2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @det_matrix(%a: tensor<2x3xf32>) {
  // expected-error @+1 {{the sizes of a matrix of X must be equal, but are 3 and 2}}
  %r = onnx.Det %a : (tensor<2x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @einsum_result(%a: tensor<2x3xf32>) {
  // expected-error @+1 {{'equation' has the label 'k' in its result only}}
  %r = onnx.Einsum %a {equation = "ij->k"} : (tensor<2x3xf32>) -> tensor<*xf32>
  return
}
