// RUN: burin-opt %s --keep-node-results | FileCheck %s

// What has a fixed size becomes an output under the node's name, also where it is one already;
// constants do not.
// CHECK: func.func @main(%arg0: tensor<2x3xf32>, %arg1: tensor<?xf32>) -> (tensor<2x3xf32> {onnx.name = "y"}, tensor<2x3xf32> {onnx.name = "node\0Afirst"}, tensor<2x3xf32> {onnx.name = "node\0Asecond"})
// CHECK: %[[A:.*]] = onnx.Exp
// CHECK: %[[B:.*]] = onnx.Add
// CHECK: return %[[B]], %[[A]], %[[B]]
func.func @main(%x: tensor<2x3xf32>, %open: tensor<?xf32>) -> (tensor<2x3xf32> {onnx.name = "y"}) {
  %c = onnx.Constant {value = dense<1.5> : tensor<f32>} : () -> tensor<f32>
  %a = onnx.Exp %x : (tensor<2x3xf32>) -> tensor<2x3xf32> loc("first")
  %o = onnx.Exp %open : (tensor<?xf32>) -> tensor<?xf32> loc("open")
  %b = onnx.Add %a, %c : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32> loc("second")
  return %b : tensor<2x3xf32>
}
