// RUN: burin-opt %s --lower-onnx | FileCheck %s

// CHECK-DAG: #[[WINDOW:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2 * 2 + d4, d3 * 2 + d5)>
// CHECK-DAG: #[[LAST:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 + d4, d2 + d5, d3)>

// CHECK-LABEL: func.func @max
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0, 0, 1, 1] [1, 3, 8, 8] [1, 1, 1, 1]
// CHECK: linalg.generic {indexing_maps = [#[[WINDOW]]
// CHECK: arith.maximumf
func.func @max(%x: tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32> {
  %0:2 = "onnx.MaxPool"(%x) {kernel_shape = array<i64: 3, 3>, strides = array<i64: 2, 2>,
      pads = array<i64: 1, 1, 1, 1>} : (tensor<1x3x8x8xf32>) -> (tensor<1x3x4x4xf32>, none)
  return %0#0 : tensor<1x3x4x4xf32>
}

// Windows at the border hold fewer elements: a factor per dimension.
// CHECK-LABEL: func.func @average
// CHECK: plan.constant dense<[2.000000e+00, 3.000000e+00, 3.000000e+00, 2.000000e+00]>
// CHECK: arith.divf
func.func @average(%x: tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32> {
  %0 = "onnx.AveragePool"(%x) {kernel_shape = array<i64: 3, 3>, auto_pad = "SAME_UPPER"}
      : (tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32>
  return %0 : tensor<1x3x4x4xf32>
}

// CHECK-LABEL: func.func @channels_last
// CHECK-NOT: tensor.insert_slice
// CHECK: linalg.generic {indexing_maps = [#[[LAST]]
func.func @channels_last(%x: tensor<1x4x4x3xf32>) -> tensor<1x3x3x3xf32> {
  %0:2 = "onnx.MaxPool"(%x) {channels_last, kernel_shape = array<i64: 2, 2>}
      : (tensor<1x4x4x3xf32>) -> (tensor<1x3x3x3xf32>, none)
  return %0#0 : tensor<1x3x3x3xf32>
}

// CHECK-LABEL: func.func @unpool
// CHECK: kern.scatter
// CHECK: tensor.expand_shape
func.func @unpool(%x: tensor<1x1x2x2xf32>, %i: tensor<1x1x2x2xsi64>) -> tensor<1x1x4x4xf32> {
  %n = onnx.None
  %0 = "onnx.MaxUnpool"(%x, %i, %n) {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : (tensor<1x1x2x2xf32>, tensor<1x1x2x2xsi64>, none) -> tensor<1x1x4x4xf32>
  return %0 : tensor<1x1x4x4xf32>
}

// CHECK-LABEL: func.func @global
// CHECK: iterator_types = ["parallel", "parallel", "reduction", "reduction"]
func.func @global(%x: tensor<2x3x5x5xf16>) -> tensor<2x3x1x1xf16> {
  %0 = "onnx.GlobalAveragePool"(%x) : (tensor<2x3x5x5xf16>) -> tensor<2x3x1x1xf16>
  return %0 : tensor<2x3x1x1xf16>
}
