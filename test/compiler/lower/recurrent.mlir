// RUN: burin-opt %s --lower-onnx | FileCheck %s

// One contraction for what the input gives to all steps, then a loop that carries the
// hidden and the cell state and the sequence of results.
// CHECK-LABEL: func.func @lstm
// CHECK: kern.contract
// CHECK-SAME: outs(%{{.*}} : tensor<1x5x4x2x8xf32>)
// CHECK: scf.for {{.*}} -> (tensor<1x2x8xf32>, tensor<1x2x8xf32>, tensor<5x1x2x8xf32>)
// CHECK: tensor.extract_slice
// CHECK: kern.contract
// CHECK-SAME: outs(%{{.*}} : tensor<1x4x2x8xf32>)
// CHECK: linalg.generic
// CHECK: linalg.yield %{{.*}}, %{{.*}} : f32, f32
// CHECK-COUNT-2: bufferization.materialize_in_destination
// CHECK: tensor.insert_slice
// CHECK: scf.yield
func.func @lstm(%x: tensor<5x2x3xf32>, %w: tensor<1x32x3xf32>, %r: tensor<1x32x8xf32>)
    -> (tensor<5x1x2x8xf32>, tensor<1x2x8xf32>) {
  %n = onnx.None
  %0:3 = "onnx.LSTM"(%x, %w, %r, %n, %n, %n, %n, %n) {hidden_size = 8 : i64}
      : (tensor<5x2x3xf32>, tensor<1x32x3xf32>, tensor<1x32x8xf32>, none, none, none, none, none)
      -> (tensor<5x1x2x8xf32>, tensor<1x2x8xf32>, none)
  return %0#0, %0#1 : tensor<5x1x2x8xf32>, tensor<1x2x8xf32>
}

// The last state alone: no sequence is kept.
// CHECK-LABEL: func.func @gru_last
// CHECK: scf.for {{.*}} -> (tensor<2x2x8xf32>)
// CHECK-NOT: tensor.insert_slice
// CHECK: return
func.func @gru_last(%x: tensor<5x2x3xf32>, %w: tensor<2x24x3xf32>, %r: tensor<2x24x8xf32>)
    -> tensor<2x2x8xf32> {
  %n = onnx.None
  %0:2 = "onnx.GRU"(%x, %w, %r, %n, %n, %n) {direction = "bidirectional"}
      : (tensor<5x2x3xf32>, tensor<2x24x3xf32>, tensor<2x24x8xf32>, none, none, none)
      -> (none, tensor<2x2x8xf32>)
  return %0#1 : tensor<2x2x8xf32>
}
