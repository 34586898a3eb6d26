// RUN: burin-opt %s --lower-onnx | FileCheck %s

// CHECK-DAG: #[[SLICE:.*]] = affine_map<(d0, d1) -> (d0 * 2 + 1, d1)>
// CHECK-DAG: #[[TILE:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[SPLIT:.*]] = affine_map<(d0, d1) -> (d0, d1 + 2)>

// CHECK-LABEL: func.func @slice
// CHECK: linalg.generic {indexing_maps = [#[[SLICE]]
func.func @slice(%x: tensor<6x4xf32>) -> tensor<3x4xf32> {
  %s = "onnx.Constant"() {value = dense<[1]> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %e = "onnx.Constant"() {value = dense<[100]> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %a = "onnx.Constant"() {value = dense<[0]> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %t = "onnx.Constant"() {value = dense<[2]> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %0 = "onnx.Slice"(%x, %s, %e, %a, %t) : (tensor<6x4xf32>, tensor<1xsi64>, tensor<1xsi64>,
      tensor<1xsi64>, tensor<1xsi64>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// Bounds that are data are checked against the declared shape.
// CHECK-LABEL: func.func @slice_data
// CHECK: linalg.generic
// CHECK: plan.check %{{.*}}, 7
// CHECK: tensor.extract
func.func @slice_data(%x: tensor<6xf32>, %s: tensor<1xsi64>, %e: tensor<1xsi64>) -> tensor<3xf32> {
  %n = onnx.None
  %0 = "onnx.Slice"(%x, %s, %e, %n, %n)
      : (tensor<6xf32>, tensor<1xsi64>, tensor<1xsi64>, none, none) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// Each operand is written straight into the result.
// CHECK-LABEL: func.func @concat
// CHECK-SAME: %[[A:[a-z0-9]+]]: tensor<2x3xf32>
// CHECK-SAME: %[[B:[a-z0-9]+]]: tensor<2x4xf32>
// CHECK: %[[E:.*]] = tensor.empty() : tensor<2x7xf32>
// CHECK: %[[F:.*]] = tensor.insert_slice %[[A]] into %[[E]][0, 0] [2, 3] [1, 1]
// CHECK: tensor.insert_slice %[[B]] into %[[F]][0, 3] [2, 4] [1, 1]
func.func @concat(%a: tensor<2x3xf32>, %b: tensor<2x4xf32>) -> tensor<2x7xf32> {
  %0 = "onnx.Concat"(%a, %b) {axis = -1 : i64}
      : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<2x7xf32>
  return %0 : tensor<2x7xf32>
}

// CHECK-LABEL: func.func @split
// CHECK: tensor.extract
// CHECK: linalg.generic {indexing_maps = [#[[SPLIT]]
func.func @split(%x: tensor<2x6xf32>) -> (tensor<2x2xf32>, tensor<2x4xf32>) {
  %s = onnx.Constant {value = dense<[2, 4]> : tensor<2xsi64>} : () -> tensor<2xsi64>
  %0:2 = "onnx.Split"(%x, %s) {axis = 1 : i64}
      : (tensor<2x6xf32>, tensor<2xsi64>) -> (tensor<2x2xf32>, tensor<2x4xf32>)
  return %0#0, %0#1 : tensor<2x2xf32>, tensor<2x4xf32>
}

// CHECK-LABEL: func.func @tile
// CHECK: linalg.generic {indexing_maps = [#[[TILE]]
// CHECK: tensor.collapse_shape
func.func @tile(%x: tensor<2x3xui8>, %r: tensor<2xsi64>) -> tensor<8x3xui8> {
  %0 = "onnx.Tile"(%x, %r) : (tensor<2x3xui8>, tensor<2xsi64>) -> tensor<8x3xui8>
  return %0 : tensor<8x3xui8>
}

// CHECK-LABEL: func.func @pad
// CHECK: %[[FILL:.*]] = linalg.fill
// CHECK: tensor.insert_slice %{{.*}} into %[[FILL]][0, 1] [2, 3] [1, 1]
func.func @pad(%x: tensor<2x3xf32>) -> tensor<2x6xf32> {
  %n = onnx.None
  %p = "onnx.Constant"() {value = dense<[0, 1, 0, 2]> : tensor<4xsi64>} : () -> tensor<4xsi64>
  %0 = "onnx.Pad"(%x, %p, %n, %n) {mode = "constant"}
      : (tensor<2x3xf32>, tensor<4xsi64>, none, none) -> tensor<2x6xf32>
  return %0 : tensor<2x6xf32>
}

// CHECK-LABEL: func.func @reflect
// CHECK: arith.remsi
// CHECK: tensor.extract
func.func @reflect(%x: tensor<3xf32>) -> tensor<7xf32> {
  %n = onnx.None
  %p = "onnx.Constant"() {value = dense<2> : tensor<2xsi64>} : () -> tensor<2xsi64>
  %0 = "onnx.Pad"(%x, %p, %n, %n) {mode = "reflect"}
      : (tensor<3xf32>, tensor<2xsi64>, none, none) -> tensor<7xf32>
  return %0 : tensor<7xf32>
}

// Views around one permutation.
// CHECK-LABEL: func.func @depth_to_space
// CHECK: tensor.expand_shape
// CHECK: linalg.generic
// CHECK: tensor.collapse_shape
func.func @depth_to_space(%x: tensor<1x8x2x3xf32>) -> tensor<1x2x4x6xf32> {
  %0 = "onnx.DepthToSpace"(%x) {blocksize = 2 : i64, mode = "DCR"}
      : (tensor<1x8x2x3xf32>) -> tensor<1x2x4x6xf32>
  return %0 : tensor<1x2x4x6xf32>
}

// CHECK-LABEL: func.func @trilu
// CHECK: linalg.index 0
// CHECK: arith.select
func.func @trilu(%x: tensor<4x5xsi64>, %k: tensor<si64>) -> tensor<4x5xsi64> {
  %0 = "onnx.Trilu"(%x, %k) {upper = 0 : i64} : (tensor<4x5xsi64>, tensor<si64>) -> tensor<4x5xsi64>
  return %0 : tensor<4x5xsi64>
}
