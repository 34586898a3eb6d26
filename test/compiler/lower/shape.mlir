// RUN: burin-opt %s --lower-onnx | FileCheck %s

// CHECK-LABEL: func.func @shape
// CHECK: plan.constant dense<[3, 4]> : tensor<2xi64>
func.func @shape(%x: tensor<2x3x4xf32>) -> tensor<2xsi64> {
  %0 = "onnx.Shape"(%x) {start = -2 : i64} : (tensor<2x3x4xf32>) -> tensor<2xsi64>
  return %0 : tensor<2xsi64>
}

// CHECK-LABEL: func.func @size
// CHECK: arith.constant dense<24> : tensor<i64>
func.func @size(%x: tensor<2x3x4xf32>) -> tensor<si64> {
  %0 = "onnx.Size"(%x) : (tensor<2x3x4xf32>) -> tensor<si64>
  return %0 : tensor<si64>
}

// CHECK-LABEL: func.func @constant_of_shape
// CHECK: linalg.fill
func.func @constant_of_shape(%s: tensor<2xsi64>) -> tensor<2x3xi1> {
  %0 = "onnx.ConstantOfShape"(%s) {value = dense<true> : tensor<1xi1>} : (tensor<2xsi64>) -> tensor<2x3xi1>
  return %0 : tensor<2x3xi1>
}

// The declared length is checked.
// CHECK-LABEL: func.func @range
// CHECK: plan.check %{{.*}}, 7
// CHECK: arith.muli
func.func @range(%s: tensor<si32>, %l: tensor<si32>, %d: tensor<si32>) -> tensor<5xsi32> {
  %0 = "onnx.Range"(%s, %l, %d) : (tensor<si32>, tensor<si32>, tensor<si32>) -> tensor<5xsi32>
  return %0 : tensor<5xsi32>
}

// CHECK-LABEL: func.func @eye
// CHECK: linalg.index 1
func.func @eye(%x: tensor<3x4xf32>) -> tensor<3x4xf64> {
  %0 = "onnx.EyeLike"(%x) {dtype = 11 : i64, k = 1 : i64} : (tensor<3x4xf32>) -> tensor<3x4xf64>
  return %0 : tensor<3x4xf64>
}
