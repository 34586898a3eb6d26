// RUN: burin-opt %s -fold-scales | FileCheck %s

// A batch normalisation goes into weight and bias, which are ops on constants.
// CHECK-LABEL: func.func @normalised(
// CHECK-SAME: %[[X:.*]]: tensor<1x2x4x4xf32>
// CHECK: %[[DEVIATION:.*]] = onnx.Sqrt
// CHECK: %[[S:.*]] = onnx.Div %{{.*}}, %[[DEVIATION]] : (tensor<3xf32>
// CHECK: %[[SHIFT:.*]] = onnx.Sub
// CHECK: %[[COLUMN:.*]] = onnx.Reshape %[[S]], {{.*}} -> tensor<3x1x1x1xf32>
// CHECK: %[[W:.*]] = onnx.Mul %{{.*}}, %[[COLUMN]] {{.*}} -> tensor<3x2x1x1xf32>
// CHECK: %[[Y:.*]] = onnx.Conv %[[X]], %[[W]], %[[SHIFT]]
// CHECK-NOT: onnx.BatchNormalization
// CHECK: return %[[Y]]
func.func @normalised(%x: tensor<1x2x4x4xf32>) -> tensor<1x3x4x4xf32> {
  %w = onnx.Constant {value = dense<2.0> : tensor<3x2x1x1xf32>} : () -> tensor<3x2x1x1xf32>
  %c = onnx.Constant {value = dense<[1.0, 2.0, 3.0]> : tensor<3xf32>} : () -> tensor<3xf32>
  %none = onnx.None
  %y = onnx.Conv %x, %w, %none : (tensor<1x2x4x4xf32>, tensor<3x2x1x1xf32>, none) -> tensor<1x3x4x4xf32>
  %n, %m, %v = onnx.BatchNormalization %y, %c, %c, %c, %c : (tensor<1x3x4x4xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<1x3x4x4xf32>, none, none)
  return %n : tensor<1x3x4x4xf32>
}

// A factor behind a bias scales both.
// CHECK-LABEL: func.func @scaled(
// CHECK: %[[W:.*]] = onnx.Constant {{.*}}dense<2.500000e-01> : tensor<4x8xf32>
// CHECK: %[[B:.*]] = onnx.Constant {{.*}}dense<[1.250000e-01, 2.500000e-01
// CHECK: %[[P:.*]] = onnx.MatMul %{{.*}}, %[[W]]
// CHECK: %[[Y:.*]] = onnx.Add %[[P]], %[[B]]
// CHECK: return %[[Y]]
func.func @scaled(%x: tensor<5x4xf32>) -> tensor<5x8xf32> {
  %w = onnx.Constant {value = dense<2.0> : tensor<4x8xf32>} : () -> tensor<4x8xf32>
  %b = onnx.Constant {value = dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]> : tensor<8xf32>} : () -> tensor<8xf32>
  %s = onnx.Constant {value = dense<0.125> : tensor<f32>} : () -> tensor<f32>
  %p = onnx.MatMul %x, %w : (tensor<5x4xf32>, tensor<4x8xf32>) -> tensor<5x8xf32>
  %a = onnx.Add %p, %b : (tensor<5x8xf32>, tensor<8xf32>) -> tensor<5x8xf32>
  %y = onnx.Mul %a, %s : (tensor<5x8xf32>, tensor<f32>) -> tensor<5x8xf32>
  return %y : tensor<5x8xf32>
}

// Not by channel; a weight that another product reads; a product that another op reads.
// CHECK-LABEL: func.func @kept(
// CHECK-COUNT-3: onnx.MatMul
// CHECK-COUNT-3: onnx.Mul
func.func @kept(%x: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>) {
  %w = onnx.Constant {value = dense<2.0> : tensor<8x8xf32>} : () -> tensor<8x8xf32>
  %v = onnx.Constant {value = dense<3.0> : tensor<8x8xf32>} : () -> tensor<8x8xf32>
  %u = onnx.Constant {value = dense<4.0> : tensor<8x8xf32>} : () -> tensor<8x8xf32>
  %rows = onnx.Constant {value = dense<[[1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0], [8.0]]> : tensor<8x1xf32>} : () -> tensor<8x1xf32>
  %s = onnx.Constant {value = dense<0.125> : tensor<f32>} : () -> tensor<f32>
  %p = onnx.MatMul %x, %v : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %q = onnx.MatMul %p, %w : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %r = onnx.MatMul %x, %u : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %a = onnx.Mul %q, %rows : (tensor<8x8xf32>, tensor<8x1xf32>) -> tensor<8x8xf32>
  %b = onnx.Mul %r, %s : (tensor<8x8xf32>, tensor<f32>) -> tensor<8x8xf32>
  %c = onnx.Mul %p, %s : (tensor<8x8xf32>, tensor<f32>) -> tensor<8x8xf32>
  %d = onnx.Add %r, %w : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  return %a, %b, %c, %d : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>
}
