// RUN: burin-opt %s --push-transposes --split-input-file | FileCheck %s

// Dims of size 1 move without data; others do not.
// CHECK-LABEL: func @units
// CHECK-SAME: (%[[X:.*]]: tensor<1x5x8xf32>, %[[Y:.*]]: tensor<2x5x8xf32>)
// CHECK-DAG: %[[A:.*]] = onnx.Reshape %[[X]], %{{.*}} -> tensor<5x1x8xf32>
// CHECK-DAG: %[[B:.*]] = onnx.Transpose %[[Y]]
// CHECK: return %[[A]], %[[B]]
func.func @units(%x: tensor<1x5x8xf32>, %y: tensor<2x5x8xf32>) -> (tensor<5x1x8xf32>, tensor<5x2x8xf32>) {
  %a = onnx.Transpose %x {perm = array<i64: 1, 0, 2>} : (tensor<1x5x8xf32>) -> tensor<5x1x8xf32>
  %b = onnx.Transpose %y {perm = array<i64: 1, 0, 2>} : (tensor<2x5x8xf32>) -> tensor<5x2x8xf32>
  return %a, %b : tensor<5x1x8xf32>, tensor<5x2x8xf32>
}

// -----

// Channels last between convolutions: bias, activation, a join and a residual are computed with channels
// first, and no transpose is left.
// CHECK-LABEL: func @channels
// CHECK-SAME: (%[[X:.*]]: tensor<2x4x6x7xf32>, %[[Z:.*]]: tensor<2x4x6x7xf32>)
// CHECK: %[[BIAS:.*]] = onnx.Constant {{.*}} : tensor<1x4x1x1xf32>
// CHECK-NOT: onnx.Transpose
// CHECK: %[[S:.*]] = onnx.Add %[[X]], %[[BIAS]]
// CHECK: %[[R:.*]] = onnx.Relu %[[S]]
// CHECK: %[[A:.*]] = onnx.Abs %[[R]]
// CHECK: %[[T:.*]] = onnx.Add %[[Z]], %[[R]]
// CHECK: %[[C:.*]] = onnx.Concat %[[T]], %[[T]] {axis = 1 : i64}
// CHECK: %[[M:.*]] = onnx.ReduceMean %[[C]], %{{.*}} : (tensor<2x8x6x7xf32>, tensor<2xsi64>) -> tensor<2x8xf32>
// CHECK: return %[[A]], %[[M]]
func.func @channels(%x: tensor<2x4x6x7xf32>, %z: tensor<2x4x6x7xf32>) -> (tensor<2x4x6x7xf32>, tensor<2x8xf32>) {
  %bias = onnx.Constant {value = dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>} : () -> tensor<4xf32>
  %axes = onnx.Constant {value = dense<[1, 2]> : tensor<2xsi64>} : () -> tensor<2xsi64>
  %xt = onnx.Transpose %x {perm = array<i64: 0, 2, 3, 1>} : (tensor<2x4x6x7xf32>) -> tensor<2x6x7x4xf32>
  %zt = onnx.Transpose %z {perm = array<i64: 0, 2, 3, 1>} : (tensor<2x4x6x7xf32>) -> tensor<2x6x7x4xf32>
  %s = onnx.Add %xt, %bias : (tensor<2x6x7x4xf32>, tensor<4xf32>) -> tensor<2x6x7x4xf32>
  %r = onnx.Relu %s : (tensor<2x6x7x4xf32>) -> tensor<2x6x7x4xf32>
  %rt = onnx.Transpose %r {perm = array<i64: 0, 3, 1, 2>} : (tensor<2x6x7x4xf32>) -> tensor<2x4x6x7xf32>
  %a = onnx.Abs %rt : (tensor<2x4x6x7xf32>) -> tensor<2x4x6x7xf32>
  %t = onnx.Add %zt, %r : (tensor<2x6x7x4xf32>, tensor<2x6x7x4xf32>) -> tensor<2x6x7x4xf32>
  %c = onnx.Concat %t, %t {axis = 3 : i64} : (tensor<2x6x7x4xf32>, tensor<2x6x7x4xf32>) -> tensor<2x6x7x8xf32>
  %m = onnx.ReduceMean %c, %axes {keepdims = 0 : i64} : (tensor<2x6x7x8xf32>, tensor<2xsi64>) -> tensor<2x8xf32>
  return %a, %m : tensor<2x4x6x7xf32>, tensor<2x8xf32>
}

// -----

// Nothing moves: another order, an operand that is not transposed, a second reader, dims that are left
// in another order.
// CHECK-LABEL: func @stays
// CHECK: %[[H:.*]] = onnx.Transpose %{{.*}} {perm = array<i64: 0, 2, 1, 3>}
// CHECK: onnx.Relu %[[H]]
// CHECK: %[[T:.*]] = onnx.Transpose
// CHECK: onnx.Add %[[T]]
// CHECK: %[[U:.*]] = onnx.Transpose
// CHECK: onnx.Relu %[[U]]
// CHECK: onnx.Exp %[[U]]
// CHECK: %[[V:.*]] = onnx.Transpose
// CHECK: onnx.ReduceSum %[[V]]
func.func @stays(%x: tensor<2x4x6x7xf32>, %y: tensor<2x6x7x4xf32>) -> (tensor<2x6x4x7xf32>, tensor<2x6x7x4xf32>, tensor<2x6x7x4xf32>, tensor<2x6x7x4xf32>, tensor<2x7x4xf32>) {
  %one = onnx.Constant {value = dense<1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %h = onnx.Transpose %x {perm = array<i64: 0, 2, 1, 3>} : (tensor<2x4x6x7xf32>) -> tensor<2x6x4x7xf32>
  %0 = onnx.Relu %h : (tensor<2x6x4x7xf32>) -> tensor<2x6x4x7xf32>
  %t = onnx.Transpose %x {perm = array<i64: 0, 2, 3, 1>} : (tensor<2x4x6x7xf32>) -> tensor<2x6x7x4xf32>
  %1 = onnx.Add %t, %y : (tensor<2x6x7x4xf32>, tensor<2x6x7x4xf32>) -> tensor<2x6x7x4xf32>
  %u = onnx.Transpose %x {perm = array<i64: 0, 2, 3, 1>} : (tensor<2x4x6x7xf32>) -> tensor<2x6x7x4xf32>
  %2 = onnx.Relu %u : (tensor<2x6x7x4xf32>) -> tensor<2x6x7x4xf32>
  %3 = onnx.Exp %u : (tensor<2x6x7x4xf32>) -> tensor<2x6x7x4xf32>
  %v = onnx.Transpose %x {perm = array<i64: 0, 2, 3, 1>} : (tensor<2x4x6x7xf32>) -> tensor<2x6x7x4xf32>
  %4 = onnx.ReduceSum %v, %one {keepdims = 0 : i64} : (tensor<2x6x7x4xf32>, tensor<1xsi64>) -> tensor<2x7x4xf32>
  return %0, %1, %2, %3, %4 : tensor<2x6x4x7xf32>, tensor<2x6x7x4xf32>, tensor<2x6x7x4xf32>, tensor<2x6x7x4xf32>, tensor<2x7x4xf32>
}
