// Windows over sizes that change from run to run: how many there are is an expression of those.
// RUN: burin-opt %s --infer-shapes -split-input-file -verify-diagnostics | FileCheck %s

module attributes {onnx.dim_ranges = {h = array<i64: 2, 40>, w = array<i64: 3, 640>}} {

// CHECK-LABEL: @network
// CHECK: onnx.Conv {{.*}} -> tensor<1x8x?x?xf32, #onnx.dims<["", "", "(h + 1) floordiv 2", "(w + 1) floordiv 2"]>>
// CHECK: onnx.MaxPool {{.*}} -> (tensor<1x8x?x?xf32, #onnx.dims<["", "", "(h + 3) floordiv 4", "(w + 3) floordiv 4"]>>, none)
// CHECK: onnx.ConvTranspose {{.*}} -> tensor<1x4x?x?xf32, #onnx.dims<["", "", "2 * ((h + 3) floordiv 4)", "2 * ((w + 3) floordiv 4)"]>>
func.func @network(%x: tensor<1x3x?x?xf32, #onnx.dims<["", "", "h", "w"]>>, %v: tensor<8x3x3x3xf32>,
                   %t: tensor<8x4x2x2xf32>) -> tensor<*xf32> {
  %n = onnx.None
  %0 = onnx.Conv %x, %v, %n {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : (tensor<1x3x?x?xf32, #onnx.dims<["", "", "h", "w"]>>, tensor<8x3x3x3xf32>, none) -> tensor<*xf32>
  %1:2 = onnx.MaxPool %0 {kernel_shape = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : (tensor<*xf32>) -> (tensor<*xf32>, none)
  %3 = onnx.ConvTranspose %1#0, %t, %n {strides = array<i64: 2, 2>} : (tensor<*xf32>, tensor<8x4x2x2xf32>, none) -> tensor<*xf32>
  return %3 : tensor<*xf32>
}

// What ceil_mode adds may not start behind the input: with pads at the end it adds nothing.
// CHECK-LABEL: @ceil
// CHECK: onnx.AveragePool {{.*}} -> tensor<1x8x?xf32, #onnx.dims<["", "", "w floordiv 2"]>>
// CHECK: onnx.AveragePool {{.*}} -> tensor<1x8x?xf32, #onnx.dims<["", "", "(w + 1) floordiv 2"]>>
// CHECK: onnx.AveragePool {{.*}} -> tensor<1x8x?xf32, #onnx.dims<["", "", "(w + 2) floordiv 3"]>>
func.func @ceil(%x: tensor<1x8x?xf32, #onnx.dims<["", "", "w"]>>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) {
  %0 = onnx.AveragePool %x {ceil_mode = 1, kernel_shape = array<i64: 3>, strides = array<i64: 2>} : (tensor<1x8x?xf32, #onnx.dims<["", "", "w"]>>) -> tensor<*xf32>
  %1 = onnx.AveragePool %x {ceil_mode = 1, kernel_shape = array<i64: 2>, pads = array<i64: 0, 1>, strides = array<i64: 2>} : (tensor<1x8x?xf32, #onnx.dims<["", "", "w"]>>) -> tensor<*xf32>
  %2 = onnx.AveragePool %x {auto_pad = "SAME_UPPER", kernel_shape = array<i64: 5>, strides = array<i64: 3>} : (tensor<1x8x?xf32, #onnx.dims<["", "", "w"]>>) -> tensor<*xf32>
  return %0, %1, %2 : tensor<*xf32>, tensor<*xf32>, tensor<*xf32>
}

// A third in single precision is one for every w there is; so is one and a half.
// CHECK-LABEL: @scaled
// CHECK: onnx.Resize {{.*}} -> tensor<1x8x?x?xf32, #onnx.dims<["", "", "(h floordiv 2) + h", "w floordiv 3"]>>
func.func @scaled(%x: tensor<1x8x?x?xf32, #onnx.dims<["", "", "h", "w"]>>) -> tensor<*xf32> {
  %n = onnx.None
  %s = onnx.Constant {value = dense<[1.0, 1.0, 1.5, 0.333333343]> : tensor<4xf32>} : () -> tensor<4xf32>
  %0 = onnx.Resize %x, %n, %s, %n {mode = "linear"} : (tensor<1x8x?x?xf32, #onnx.dims<["", "", "h", "w"]>>, none, tensor<4xf32>, none) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// CHECK-LABEL: @parts
// CHECK: onnx.SpaceToDepth {{.*}} -> tensor<1x12x?x?xf32, #onnx.dims<["", "", "h", "2 * w"]>>
// CHECK: onnx.Split {{.*}} -> (tensor<1x3x?x?xf32, #onnx.dims<["", "", "2 * h", "2 * w"]>>, tensor<1x3x?x?xf32, #onnx.dims<["", "", "2 * h", "2 * w"]>>)
func.func @parts(%x: tensor<1x3x?x?xf32, #onnx.dims<["", "", "2 * h", "4 * w"]>>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) {
  %n = onnx.None
  %0 = onnx.SpaceToDepth %x {blocksize = 2} : (tensor<1x3x?x?xf32, #onnx.dims<["", "", "2 * h", "4 * w"]>>) -> tensor<*xf32>
  %1:2 = onnx.Split %x, %n {axis = 3} : (tensor<1x3x?x?xf32, #onnx.dims<["", "", "2 * h", "4 * w"]>>, none) -> (tensor<*xf32>, tensor<*xf32>)
  return %0, %1#0, %1#1 : tensor<*xf32>, tensor<*xf32>, tensor<*xf32>
}
}

// -----

module attributes {onnx.dim_ranges = {w = array<i64: 1, 640>}} {
func.func @small(%x: tensor<1x3x8x?xf32, #onnx.dims<["", "", "", "w"]>>, %v: tensor<8x3x3x3xf32>) -> tensor<*xf32> {
  %n = onnx.None
  // expected-error @+1 {{the window spans 3 elements of a dimension of 'w', which --dim lets be too small for it; give a range that starts higher, --dim w=MIN..MAX}}
  %0 = onnx.Conv %x, %v, %n : (tensor<1x3x8x?xf32, #onnx.dims<["", "", "", "w"]>>, tensor<8x3x3x3xf32>, none) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
}
