// RUN: burin-opt %s --split-input-file --verify-diagnostics
//
// What dialects/onnx/shapes/Normalization.cpp refuses; the rules that all share are in invalid.mlir.

func.func @batch_scalar(%a: tensor<f32>, %s: tensor<1xf32>) {
  // expected-error @+1 {{X must have rank 1 or more}}
  %r:3 = onnx.BatchNormalization %a, %s, %s, %s, %s : (tensor<f32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> (tensor<*xf32>, none, none)
  return
}

// -----

func.func @batch_channels(%a: tensor<1x3x4xf32>, %s: tensor<2xf32>) {
  // expected-error @+1 {{the channels of X and the parameters' sizes must be equal, but are 3 and 2}}
  %r:3 = onnx.BatchNormalization %a, %s, %s, %s, %s : (tensor<1x3x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> (tensor<*xf32>, none, none)
  return
}

// -----

func.func @layer_stash(%a: tensor<2x3xf32>, %s: tensor<3xf32>) {
  %n = onnx.None
  // expected-error @+1 {{'stash_type' is 999, which is no ONNX element type}}
  %r:3 = onnx.LayerNormalization %a, %s, %n {stash_type = 999 : i64} : (tensor<2x3xf32>, tensor<3xf32>, none) -> (tensor<*xf32>, none, none)
  return
}

// -----

func.func @softmax_axis(%a: tensor<4x8xf32>) {
  // expected-error @+1 {{axis 7 is out of range for rank 2}}
  %r = onnx.Softmax %a {axis = 7 : i64} : (tensor<4x8xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @cumulative_axis(%a: tensor<4x8xf32>) {
  %axis = onnx.Constant {value = dense<-3> : tensor<si64>} : () -> tensor<si64>
  // expected-error @+1 {{axis -3 is out of range for rank 2}}
  %r = onnx.CumSum %a, %axis : (tensor<4x8xf32>, tensor<si64>) -> tensor<*xf32>
  return
}
