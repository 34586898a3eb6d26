// RUN: burin-opt %s --infer-shapes --split-input-file | FileCheck %s

// CHECK-LABEL: func @stem
// CHECK: onnx.Conv {{.*}} -> tensor<?x64x112x112xf32, #onnx.dims<["batch", "", "", ""]>>
// CHECK: onnx.MaxPool {{.*}} -> (tensor<?x64x56x56xf32, {{.*}}>, none)
// CHECK: onnx.GlobalAveragePool {{.*}} -> tensor<?x64x1x1xf32, {{.*}}>
func.func @stem(%x: tensor<?x3x224x224xf32, #onnx.dims<["batch", "", "", ""]>>, %w: tensor<64x3x7x7xf32>) -> tensor<*xf32> {
  %n = onnx.None
  %0 = onnx.Conv %x, %w, %n {strides = array<i64: 2, 2>, pads = array<i64: 3, 3, 3, 3>} : (tensor<?x3x224x224xf32, #onnx.dims<["batch", "", "", ""]>>, tensor<64x3x7x7xf32>, none) -> tensor<*xf32>
  %1:2 = onnx.MaxPool %0 {kernel_shape = array<i64: 3, 3>, strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>} : (tensor<*xf32>) -> (tensor<*xf32>, none)
  %2 = onnx.GlobalAveragePool %1#0 : (tensor<*xf32>) -> tensor<*xf32>
  return %2 : tensor<*xf32>
}

// -----

// The channels_last attribute moves the channels of activations, not of weights.
// CHECK-LABEL: func @channels_last
// CHECK-SAME: -> tensor<1x4x4x8xf32>
func.func @channels_last(%x: tensor<1x8x8x3xf32>, %w: tensor<8x3x3x3xf32>) -> tensor<*xf32> {
  %n = onnx.None
  %0 = onnx.Conv %x, %w, %n {auto_pad = "SAME_UPPER", strides = array<i64: 2, 2>, channels_last} : (tensor<1x8x8x3xf32>, tensor<8x3x3x3xf32>, none) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// A last window that starts in the padding behind the input is left out.
// CHECK-LABEL: func @ceil_mode
// CHECK-SAME: -> (tensor<1x1x2xf32>, tensor<1x1x1xf32>)
func.func @ceil_mode(%x: tensor<1x1x4xf32>, %y: tensor<1x1x2xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %0:2 = onnx.MaxPool %x {kernel_shape = array<i64: 3>, strides = array<i64: 2>, ceil_mode = 1} : (tensor<1x1x4xf32>) -> (tensor<*xf32>, none)
  %1:2 = onnx.MaxPool %y {kernel_shape = array<i64: 1>, strides = array<i64: 2>, pads = array<i64: 0, 1>, ceil_mode = 1} : (tensor<1x1x2xf32>) -> (tensor<*xf32>, none)
  return %0#0, %1#0 : tensor<*xf32>, tensor<*xf32>
}

// -----

// CHECK-LABEL: func @transposed
// CHECK-SAME: -> tensor<1x2x10x8xf32>
func.func @transposed(%x: tensor<1x1x3x3xf32>, %w: tensor<1x2x3x3xf32>) -> tensor<*xf32> {
  %n = onnx.None
  %0 = onnx.ConvTranspose %x, %w, %n {strides = array<i64: 3, 2>, output_padding = array<i64: 1, 1>} : (tensor<1x1x3x3xf32>, tensor<1x2x3x3xf32>, none) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
