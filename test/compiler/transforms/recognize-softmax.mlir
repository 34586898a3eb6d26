// RUN: burin-opt %s --recognize-normalizations --canonicalize --split-input-file | FileCheck %s

// exp(x - max) / sum, along any one axis.
// CHECK-LABEL: func @softmax
// CHECK-SAME: (%[[X:.*]]: tensor<2x3x8xf32>)
// CHECK-NEXT: %[[Y:.*]] = onnx.Softmax %[[X]] {axis = -2 : i64}
// CHECK-NEXT: return %[[Y]]
func.func @softmax(%x: tensor<2x3x8xf32>) -> tensor<2x3x8xf32> {
  %axes = onnx.Constant {value = dense<1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %m = onnx.ReduceMax %x, %axes : (tensor<2x3x8xf32>, tensor<1xsi64>) -> tensor<2x1x8xf32>
  %d = onnx.Sub %x, %m : (tensor<2x3x8xf32>, tensor<2x1x8xf32>) -> tensor<2x3x8xf32>
  %e = onnx.Exp %d : (tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
  %s = onnx.ReduceSum %e, %axes : (tensor<2x3x8xf32>, tensor<1xsi64>) -> tensor<2x1x8xf32>
  %y = onnx.Div %e, %s : (tensor<2x3x8xf32>, tensor<2x1x8xf32>) -> tensor<2x3x8xf32>
  return %y : tensor<2x3x8xf32>
}

// -----

// Without the maximum it overflows where Softmax does not; a sum along another axis; a sum that
// is a result; two axes.
// CHECK-LABEL: func @near_misses
// CHECK-NOT: onnx.Softmax
// CHECK: return
func.func @near_misses(%x: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x1xf32>, tensor<4x4xf32>) {
  %rows = onnx.Constant {value = dense<1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %columns = onnx.Constant {value = dense<0> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %both = onnx.Constant {value = dense<[0, 1]> : tensor<2xsi64>} : () -> tensor<2xsi64>
  %e0 = onnx.Exp %x : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %s0 = onnx.ReduceSum %e0, %rows : (tensor<4x4xf32>, tensor<1xsi64>) -> tensor<4x1xf32>
  %y0 = onnx.Div %e0, %s0 : (tensor<4x4xf32>, tensor<4x1xf32>) -> tensor<4x4xf32>

  %m1 = onnx.ReduceMax %x, %rows : (tensor<4x4xf32>, tensor<1xsi64>) -> tensor<4x1xf32>
  %d1 = onnx.Sub %x, %m1 : (tensor<4x4xf32>, tensor<4x1xf32>) -> tensor<4x4xf32>
  %e1 = onnx.Exp %d1 : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %s1 = onnx.ReduceSum %e1, %columns : (tensor<4x4xf32>, tensor<1xsi64>) -> tensor<1x4xf32>
  %y1 = onnx.Div %e1, %s1 : (tensor<4x4xf32>, tensor<1x4xf32>) -> tensor<4x4xf32>

  %m2 = onnx.ReduceMax %x, %rows : (tensor<4x4xf32>, tensor<1xsi64>) -> tensor<4x1xf32>
  %d2 = onnx.Sub %x, %m2 : (tensor<4x4xf32>, tensor<4x1xf32>) -> tensor<4x4xf32>
  %e2 = onnx.Exp %d2 : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %s2 = onnx.ReduceSum %e2, %rows : (tensor<4x4xf32>, tensor<1xsi64>) -> tensor<4x1xf32>
  %y2 = onnx.Div %e2, %s2 : (tensor<4x4xf32>, tensor<4x1xf32>) -> tensor<4x4xf32>

  %m3 = onnx.ReduceMax %x, %both : (tensor<4x4xf32>, tensor<2xsi64>) -> tensor<1x1xf32>
  %d3 = onnx.Sub %x, %m3 : (tensor<4x4xf32>, tensor<1x1xf32>) -> tensor<4x4xf32>
  %e3 = onnx.Exp %d3 : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %s3 = onnx.ReduceSum %e3, %both : (tensor<4x4xf32>, tensor<2xsi64>) -> tensor<1x1xf32>
  %y3 = onnx.Div %e3, %s3 : (tensor<4x4xf32>, tensor<1x1xf32>) -> tensor<4x4xf32>
  return %y0, %y1, %y2, %s2, %y3 : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x1xf32>, tensor<4x4xf32>
}
