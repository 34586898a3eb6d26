// RUN: burin-opt %s --split-input-file --verify-diagnostics
//
// What dialects/onnx/shapes/Window.cpp refuses; the rules that all share are in invalid.mlir.

func.func @pads_negative(%x: tensor<1x1x4x4xf32>, %w: tensor<2x1x3x3xf32>) {
  %n = onnx.None
  // expected-error @+1 {{'pads' must not be negative}}
  %r = onnx.Conv %x, %w, %n {pads = array<i64: 0, 0, -1, 0>} : (tensor<1x1x4x4xf32>, tensor<2x1x3x3xf32>, none) -> tensor<*xf32>
  return
}

// -----

func.func @kernel_empty(%x: tensor<1x1x4x4xf32>, %w: tensor<2x1x0x3xf32>) {
  %n = onnx.None
  // expected-error @+1 {{the kernel must have sizes of 1 or more, not 0}}
  %r = onnx.Conv %x, %w, %n : (tensor<1x1x4x4xf32>, tensor<2x1x0x3xf32>, none) -> tensor<*xf32>
  return
}

// -----

func.func @kernel_large(%x: tensor<1x1x4x4xf32>, %w: tensor<2x1x5x3xf32>) {
  %n = onnx.None
  // expected-error @+1 {{the window spans 5 elements of a dimension of 4 with padding 0; no window fits}}
  %r = onnx.Conv %x, %w, %n : (tensor<1x1x4x4xf32>, tensor<2x1x5x3xf32>, none) -> tensor<*xf32>
  return
}

// -----

func.func @weight_rank(%x: tensor<1x1x4x4xf32>, %w: tensor<2x1xf32>) {
  %n = onnx.None
  // expected-error @+1 {{the weight must have rank 3 or more, not 2}}
  %r = onnx.Conv %x, %w, %n : (tensor<1x1x4x4xf32>, tensor<2x1xf32>, none) -> tensor<*xf32>
  return
}

// -----

func.func @conv_rank(%x: tensor<1x1xf32>, %w: tensor<2x1x3x3xf32>) {
  %n = onnx.None
  // expected-error @+1 {{X must have rank 3 or more, not 2}}
  %r = onnx.Conv %x, %w, %n : (tensor<1x1xf32>, tensor<2x1x3x3xf32>, none) -> tensor<*xf32>
  return
}

// -----

func.func @conv_spatial(%x: tensor<1x1x4xf32>, %w: tensor<2x1x3x3xf32>) {
  %n = onnx.None
  // expected-error @+1 {{X has 1 spatial dimensions, the kernel 2}}
  %r = onnx.Conv %x, %w, %n : (tensor<1x1x4xf32>, tensor<2x1x3x3xf32>, none) -> tensor<*xf32>
  return
}

// -----

func.func @conv_groups(%x: tensor<1x3x4x4xf32>, %w: tensor<2x1x3x3xf32>) {
  %n = onnx.None
  // expected-error @+1 {{the weight's 2 output channels are not divisible by 'group' 3}}
  %r = onnx.Conv %x, %w, %n {group = 3 : i64} : (tensor<1x3x4x4xf32>, tensor<2x1x3x3xf32>, none) -> tensor<*xf32>
  return
}

// -----

func.func @transposed_rank(%x: tensor<1x2xf32>, %w: tensor<2x1x3x3xf32>) {
  %n = onnx.None
  // expected-error @+1 {{X must have rank 3 or more, not 2}}
  %r = onnx.ConvTranspose %x, %w, %n : (tensor<1x2xf32>, tensor<2x1x3x3xf32>, none) -> tensor<*xf32>
  return
}

// -----

func.func @transposed_spatial(%x: tensor<1x2x4xf32>, %w: tensor<2x1x3x3xf32>) {
  %n = onnx.None
  // expected-error @+1 {{X has 1 spatial dimensions, the kernel 2}}
  %r = onnx.ConvTranspose %x, %w, %n : (tensor<1x2x4xf32>, tensor<2x1x3x3xf32>, none) -> tensor<*xf32>
  return
}

// -----

func.func @transposed_padding(%x: tensor<1x2x4x4xf32>, %w: tensor<2x1x3x3xf32>) {
  %n = onnx.None
  // expected-error @+1 {{'output_padding' must not be negative}}
  %r = onnx.ConvTranspose %x, %w, %n {output_padding = array<i64: 0, -1>} : (tensor<1x2x4x4xf32>, tensor<2x1x3x3xf32>, none) -> tensor<*xf32>
  return
}

// -----

func.func @transposed_groups(%x: tensor<1x2x4x4xf32>, %w: tensor<2x2x3x3xf32>) {
  %n = onnx.None
  // expected-error @+1 {{'group' is too large}}
  %r = onnx.ConvTranspose %x, %w, %n {group = 9223372036854775807 : i64} : (tensor<1x2x4x4xf32>, tensor<2x2x3x3xf32>, none) -> tensor<*xf32>
  return
}

// -----

func.func @transposed_negative(%x: tensor<1x2x1x4xf32>, %w: tensor<2x1x3x3xf32>) {
  %n = onnx.None
  // expected-error @+1 {{a spatial size would be negative; check its kernel, strides and pads}}
  %r = onnx.ConvTranspose %x, %w, %n {pads = array<i64: 2, 0, 2, 0>} : (tensor<1x2x1x4xf32>, tensor<2x1x3x3xf32>, none) -> tensor<*xf32>
  return
}

// -----

func.func @global_rank(%x: tensor<2xf32>) {
  // expected-error @+1 {{X must have rank 2 or more, not 1}}
  %r = onnx.GlobalMaxPool %x : (tensor<2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @col2im(%x: tensor<1x5x4xf32>) {
  %i = onnx.Constant {value = dense<3> : tensor<2xsi64>} : () -> tensor<2xsi64>
  %b = onnx.Constant {value = dense<2> : tensor<2xsi64>} : () -> tensor<2xsi64>
  // expected-error @+1 {{the input's 5 rows are not divisible by the block's 4 elements}}
  %r = onnx.Col2Im %x, %i, %b : (tensor<1x5x4xf32>, tensor<2xsi64>, tensor<2xsi64>) -> tensor<*xf32>
  return
}
