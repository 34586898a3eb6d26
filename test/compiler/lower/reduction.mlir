// RUN: burin-opt %s --lower-onnx | FileCheck %s

// CHECK-LABEL: func.func @sum
// CHECK: linalg.generic
// CHECK-SAME: iterator_types = ["parallel", "reduction"]
// CHECK: arith.addf
// CHECK: tensor.expand_shape
func.func @sum(%a: tensor<2x3xf32>) -> tensor<2x1xf32> {
  %axes = "onnx.Constant"() {value = dense<-1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %0 = "onnx.ReduceSum"(%a, %axes) : (tensor<2x3xf32>, tensor<1xsi64>) -> tensor<2x1xf32>
  return %0 : tensor<2x1xf32>
}

// f16 accumulates in f32 and is rounded once.
// CHECK-LABEL: func.func @mean
// CHECK: iterator_types = ["reduction", "reduction"]
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK: linalg.generic
// CHECK: arith.divf
// CHECK: arith.truncf %{{.*}} : f32 to f16
func.func @mean(%a: tensor<2x3xf16>) -> tensor<f16> {
  %axes = onnx.None
  %0 = "onnx.ReduceMean"(%a, %axes) {keepdims = 0 : i64} : (tensor<2x3xf16>, none) -> tensor<f16>
  return %0 : tensor<f16>
}

// Axes that the model computes are told by the shapes.
// CHECK-LABEL: func.func @deduced
// CHECK: iterator_types = ["parallel", "reduction", "parallel"]
func.func @deduced(%a: tensor<2x3x4xf32>, %axes: tensor<1xsi64>) -> tensor<2x1x4xf32> {
  %0 = "onnx.ReduceMax"(%a, %axes) : (tensor<2x3x4xf32>, tensor<1xsi64>) -> tensor<2x1x4xf32>
  return %0 : tensor<2x1x4xf32>
}

// CHECK-LABEL: func.func @argmax
// CHECK: linalg.index 1
// CHECK: arith.index_cast
func.func @argmax(%a: tensor<2x3xf32>) -> tensor<2xsi64> {
  %0 = "onnx.ArgMax"(%a) {axis = 1 : i64, keepdims = 0 : i64} : (tensor<2x3xf32>) -> tensor<2xsi64>
  return %0 : tensor<2xsi64>
}

// CHECK-LABEL: func.func @cumsum
// CHECK: kern.scan {{.*}} attributes {axis = 1 : i64}
// CHECK: %[[NEXT:.*]] = arith.addf
// CHECK: kern.yield %[[NEXT]], %[[NEXT]] : f32, f32
func.func @cumsum(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %axis = "onnx.Constant"() {value = dense<1> : tensor<si64>} : () -> tensor<si64>
  %0 = "onnx.CumSum"(%a, %axis) : (tensor<2x3xf32>, tensor<si64>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// Axes that the shapes leave open: every choice is computed, the running model picks.
// CHECK-LABEL: func.func @open
// CHECK: iterator_types = ["parallel", "reduction", "parallel"]
// CHECK: iterator_types = ["parallel", "parallel", "reduction"]
// CHECK: linalg.generic
// CHECK: tensor.extract %{{.*}} : tensor<1xi64>
// CHECK: plan.check %{{.*}}, 7,
func.func @open(%a: tensor<3x2x2xf32>, %axes: tensor<1xsi64>) -> tensor<3x2xf32> {
  %0 = "onnx.ReduceSum"(%a, %axes) {keepdims = 0 : i64}
      : (tensor<3x2x2xf32>, tensor<1xsi64>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}
