// RUN: burin-opt %s -merge-matmuls | FileCheck %s

// Three products with their biases, one of them without, are one; the parts are split off.
// CHECK-LABEL: func.func @qkv(
// CHECK-SAME: %[[X:.*]]: tensor<5x4xf32>
// CHECK: %[[W:.*]] = onnx.Concat {{.*}}{axis = 1 : i64} : {{.*}} -> tensor<4x16xf32>
// CHECK: %[[B:.*]] = onnx.Concat {{.*}} -> tensor<16xf32>
// CHECK: %[[P:.*]] = onnx.MatMul %[[X]], %[[W]] : {{.*}} -> tensor<5x16xf32>
// CHECK: %[[S:.*]] = onnx.Add %[[P]], %[[B]]
// CHECK: %[[Q:.*]]:3 = onnx.Split %[[S]]
// CHECK: onnx.Transpose %[[Q]]#0
// CHECK: onnx.Transpose %[[Q]]#1
// CHECK: onnx.Transpose %[[Q]]#2
func.func @qkv(%x: tensor<5x4xf32>) -> (tensor<8x5xf32>, tensor<4x5xf32>, tensor<4x5xf32>) {
  %w1 = onnx.Constant {value = dense<1.0> : tensor<4x8xf32>} : () -> tensor<4x8xf32>
  %b1 = onnx.Constant {value = dense<1.0> : tensor<8xf32>} : () -> tensor<8xf32>
  %p1 = onnx.MatMul %x, %w1 : (tensor<5x4xf32>, tensor<4x8xf32>) -> tensor<5x8xf32>
  %a1 = onnx.Add %b1, %p1 : (tensor<8xf32>, tensor<5x8xf32>) -> tensor<5x8xf32>
  %t1 = onnx.Transpose %a1 : (tensor<5x8xf32>) -> tensor<8x5xf32>
  %w2 = onnx.Constant {value = dense<2.0> : tensor<4x4xf32>} : () -> tensor<4x4xf32>
  %p2 = onnx.MatMul %x, %w2 : (tensor<5x4xf32>, tensor<4x4xf32>) -> tensor<5x4xf32>
  %t2 = onnx.Transpose %p2 : (tensor<5x4xf32>) -> tensor<4x5xf32>
  %w3 = onnx.Constant {value = dense<3.0> : tensor<4x4xf32>} : () -> tensor<4x4xf32>
  %b3 = onnx.Constant {value = dense<3.0> : tensor<4xf32>} : () -> tensor<4xf32>
  %p3 = onnx.MatMul %x, %w3 : (tensor<5x4xf32>, tensor<4x4xf32>) -> tensor<5x4xf32>
  %a3 = onnx.Add %p3, %b3 : (tensor<5x4xf32>, tensor<4xf32>) -> tensor<5x4xf32>
  %t3 = onnx.Transpose %a3 : (tensor<5x4xf32>) -> tensor<4x5xf32>
  return %t1, %t2, %t3 : tensor<8x5xf32>, tensor<4x5xf32>, tensor<4x5xf32>
}

// What an activation reads is fused into its product: it stays.
// CHECK-LABEL: func.func @gated(
// CHECK-COUNT-2: onnx.MatMul
func.func @gated(%x: tensor<5x4xf32>) -> tensor<5x8xf32> {
  %w1 = onnx.Constant {value = dense<1.0> : tensor<4x8xf32>} : () -> tensor<4x8xf32>
  %w2 = onnx.Constant {value = dense<2.0> : tensor<4x8xf32>} : () -> tensor<4x8xf32>
  %p1 = onnx.MatMul %x, %w1 : (tensor<5x4xf32>, tensor<4x8xf32>) -> tensor<5x8xf32>
  %p2 = onnx.MatMul %x, %w2 : (tensor<5x4xf32>, tensor<4x8xf32>) -> tensor<5x8xf32>
  %s = onnx.Sigmoid %p1 : (tensor<5x8xf32>) -> tensor<5x8xf32>
  %y = onnx.Mul %s, %p2 : (tensor<5x8xf32>, tensor<5x8xf32>) -> tensor<5x8xf32>
  return %y : tensor<5x8xf32>
}
