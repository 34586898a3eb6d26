// Windows over sizes that change from run to run.
// RUN: burin-opt %s --lower-onnx --resolve-sizes --canonicalize --cse | FileCheck %s

module attributes {onnx.dim_ranges = {h = array<i64: 3, 40>, w = array<i64: 3, 640>}} {
// The contraction reads zeros around what it is given; how many windows there are is computed from h and w.
// CHECK-LABEL: func.func @convolution
// CHECK-DAG: %[[H:.*]] = plan.dim "h"
// CHECK-DAG: %[[H1:.*]] = arith.addi %[[H]]
// CHECK-DAG: %[[ROWS:.*]] = arith.floordivsi %[[H1]]
// CHECK: tensor.empty(%[[ROWS]], {{.*}}) : tensor<1x?x?x8xf32>
// CHECK: kern.contract {{.*}} outs({{.*}} : tensor<1x?x?x8xf32>)
func.func @convolution(%x: tensor<1x3x?x?xf32, #onnx.dims<["", "", "h", "w"]>>) -> tensor<1x8x?x?xf32, #onnx.dims<["", "", "(h + 1) floordiv 2", "(w + 1) floordiv 2"]>> {
  %n = onnx.None
  %v = onnx.Constant {value = dense<1.0> : tensor<8x3x3x3xf32>} : () -> tensor<8x3x3x3xf32>
  %0 = onnx.Conv %x, %v, %n {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : (tensor<1x3x?x?xf32, #onnx.dims<["", "", "h", "w"]>>, tensor<8x3x3x3xf32>, none) -> tensor<1x8x?x?xf32, #onnx.dims<["", "", "(h + 1) floordiv 2", "(w + 1) floordiv 2"]>>
  return %0 : tensor<1x8x?x?xf32, #onnx.dims<["", "", "(h + 1) floordiv 2", "(w + 1) floordiv 2"]>>
}

// Where the pads follow from a size, a padded copy begins where that says.
// CHECK-LABEL: func.func @same
// CHECK: %[[PAD:.*]] = arith.maxsi
// CHECK: %[[BEFORE:.*]] = arith.divui %[[PAD]]
// CHECK: linalg.generic
// CHECK: arith.subi {{.*}}, %[[BEFORE]]
// CHECK: kern.contract
func.func @same(%x: tensor<1x3x?xf32, #onnx.dims<["", "", "w"]>>) -> tensor<1x8x?xf32, #onnx.dims<["", "", "(w + 1) floordiv 2"]>> {
  %n = onnx.None
  %v = onnx.Constant {value = dense<1.0> : tensor<8x3x3xf32>} : () -> tensor<8x3x3xf32>
  %0 = onnx.Conv %x, %v, %n {auto_pad = "SAME_UPPER", strides = array<i64: 2>} : (tensor<1x3x?xf32, #onnx.dims<["", "", "w"]>>, tensor<8x3x3xf32>, none) -> tensor<1x8x?xf32, #onnx.dims<["", "", "(w + 1) floordiv 2"]>>
  return %0 : tensor<1x8x?xf32, #onnx.dims<["", "", "(w + 1) floordiv 2"]>>
}

// How many elements count is counted where windows may leave the operand, else a number.
// CHECK-LABEL: func.func @average
// CHECK: tensor.insert_slice {{.*}} into tensor<1x3x?xf32>
// CHECK: arith.minsi
// CHECK: arith.sitofp
// CHECK: arith.divf
func.func @average(%x: tensor<1x3x?xf32, #onnx.dims<["", "", "w"]>>) -> tensor<1x3x?xf32, #onnx.dims<["", "", "(w + 1) floordiv 2"]>> {
  %0 = onnx.AveragePool %x {kernel_shape = array<i64: 3>, pads = array<i64: 1, 1>, strides = array<i64: 2>} : (tensor<1x3x?xf32, #onnx.dims<["", "", "w"]>>) -> tensor<1x3x?xf32, #onnx.dims<["", "", "(w + 1) floordiv 2"]>>
  return %0 : tensor<1x3x?xf32, #onnx.dims<["", "", "(w + 1) floordiv 2"]>>
}
}
