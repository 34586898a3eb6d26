// How convolutions are summed.
// RUN: burin-opt %s --lower-onnx --split-input-file | FileCheck %s
// RUN: burin-opt %s --lower-onnx=winograd=false --split-input-file | FileCheck %s --check-prefix=OFF

// 3 x 3 taps without strides: transformed when they are written, as are sizes that change from run to run.
// CHECK-LABEL: func.func @tiles
// CHECK: plan.constant #plan.weight<"model", 0, 14400, <[20, 20, 3, 3] permute[2, 3, 0, 1] leading 2 panel 16 winograd 4>> : tensor<36x2x20x16xf32>
// CHECK: kern.contract
// CHECK-SAME: reduction = array<i64: 3, 3, 20>, winograd = 4 : i64
// OFF-LABEL: func.func @tiles
// OFF-NOT: winograd
// OFF: kern.contract
module attributes {onnx.dim_ranges = {h = array<i64: 3, 40>}} {
func.func @tiles(%x: tensor<1x20x?x8xf32, #onnx.dims<["", "", "h", ""]>>) -> tensor<1x20x?x8xf32, #onnx.dims<["", "", "h", ""]>> {
  %w = onnx.Constant {value = #plan.weight<"model", 0, 14400> : tensor<20x20x3x3xf32>} : () -> tensor<20x20x3x3xf32>
  %n = onnx.None
  %y = onnx.Conv %x, %w, %n {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x20x?x8xf32, #onnx.dims<["", "", "h", ""]>>, tensor<20x20x3x3xf32>, none) -> tensor<1x20x?x8xf32, #onnx.dims<["", "", "h", ""]>>
  return %y : tensor<1x20x?x8xf32, #onnx.dims<["", "", "h", ""]>>
}
}

// -----

// Many channels: smaller tiles, whose weights are fewer.
// CHECK-LABEL: func.func @channels
// CHECK: kern.contract
// CHECK-SAME: winograd = 2 : i64
func.func @channels(%x: tensor<1x256x8x8xf32> {onnx.name = "x"}) -> (tensor<1x256x8x8xf32> {onnx.name = "y"}) {
  %w = onnx.Constant {value = #plan.weight<"model", 0, 2359296> : tensor<256x256x3x3xf32>} : () -> tensor<256x256x3x3xf32>
  %n = onnx.None
  %y = onnx.Conv %x, %w, %n {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x256x8x8xf32>, tensor<256x256x3x3xf32>, none) -> tensor<1x256x8x8xf32>
  return %y : tensor<1x256x8x8xf32>
}

// -----

// Few channels, strides, and weights that are no constant are summed product by product.
// CHECK-LABEL: func.func @others
// CHECK-NOT: winograd
func.func @others(%x: tensor<1x8x8x8xf32> {onnx.name = "x"}, %z: tensor<1x32x8x8xf32> {onnx.name = "z"},
                  %v: tensor<32x32x3x3xf32> {onnx.name = "v"})
    -> (tensor<1x32x6x6xf32> {onnx.name = "a"}, tensor<1x32x3x3xf32> {onnx.name = "b"},
        tensor<1x32x6x6xf32> {onnx.name = "c"}) {
  %w = onnx.Constant {value = #plan.weight<"model", 0, 9216> : tensor<32x8x3x3xf32>} : () -> tensor<32x8x3x3xf32>
  %u = onnx.Constant {value = #plan.weight<"model", 9216, 36864> : tensor<32x32x3x3xf32>} : () -> tensor<32x32x3x3xf32>
  %n = onnx.None
  %a = onnx.Conv %x, %w, %n : (tensor<1x8x8x8xf32>, tensor<32x8x3x3xf32>, none) -> tensor<1x32x6x6xf32>
  %b = onnx.Conv %z, %u, %n {strides = array<i64: 2, 2>} : (tensor<1x32x8x8xf32>, tensor<32x32x3x3xf32>, none) -> tensor<1x32x3x3xf32>
  %c = onnx.Conv %z, %v, %n : (tensor<1x32x8x8xf32>, tensor<32x32x3x3xf32>, none) -> tensor<1x32x6x6xf32>
  return %a, %b, %c : tensor<1x32x6x6xf32>, tensor<1x32x3x3xf32>, tensor<1x32x6x6xf32>
}

// -----

// Of few channels a row's taps and channels are one dim, in a padded copy.
// CHECK-LABEL: func.func @first
// CHECK: tensor.insert_slice {{.*}}[0, 3, 3, 0] [1, 224, 224, 3]
// CHECK: tensor.collapse_shape {{.*}} : tensor<1x229x229x3xf32> into tensor<1x229x687xf32>
// CHECK: kern.contract
// CHECK-SAME: reduction = array<i64: 7, 21>
func.func @first(%x: tensor<1x3x224x224xf32> {onnx.name = "x"}) -> (tensor<1x64x112x112xf32> {onnx.name = "y"}) {
  %w = onnx.Constant {value = #plan.weight<"model", 0, 37632> : tensor<64x3x7x7xf32>} : () -> tensor<64x3x7x7xf32>
  %n = onnx.None
  %y = onnx.Conv %x, %w, %n {pads = array<i64: 3, 3, 3, 3>, strides = array<i64: 2, 2>} : (tensor<1x3x224x224xf32>, tensor<64x3x7x7xf32>, none) -> tensor<1x64x112x112xf32>
  return %y : tensor<1x64x112x112xf32>
}

// -----

// A small picture is written into one of zeros.
// CHECK-LABEL: func.func @small
// CHECK: tensor.insert_slice {{.*}}[0, 1, 1, 0] [1, 28, 28, 1] [1, 1, 1, 1] : tensor<1x28x28x1xf32> into tensor<1x30x30x1xf32>
// CHECK: tensor.collapse_shape {{.*}} : tensor<1x30x30x1xf32> into tensor<1x30x30xf32>
// CHECK: kern.contract
// CHECK-SAME: reduction = array<i64: 3, 3>
func.func @small(%x: tensor<1x1x28x28xf32> {onnx.name = "x"}) -> (tensor<1x16x28x28xf32> {onnx.name = "y"}) {
  %w = onnx.Constant {value = #plan.weight<"model", 0, 576> : tensor<16x1x3x3xf32>} : () -> tensor<16x1x3x3xf32>
  %n = onnx.None
  %y = onnx.Conv %x, %w, %n {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x1x28x28xf32>, tensor<16x1x3x3xf32>, none) -> tensor<1x16x28x28xf32>
  return %y : tensor<1x16x28x28xf32>
}

// -----

// One tap along an axis whose result is larger: the tap stays, since a dim that is read by a parallel
// dim alone is not smaller than that.
// CHECK: #[[MAP:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 + d4, d2, d5)>
// CHECK-LABEL: func.func @one_tap
// CHECK: kern.contract {{.*}}a_map = #[[MAP]],{{.*}} reduction = array<i64: 1, 8>
func.func @one_tap(%x: tensor<1x8x5x6xf32> {onnx.name = "x"}) -> (tensor<1x16x6x6xf32> {onnx.name = "y"}) {
  %w = onnx.Constant {value = #plan.weight<"model", 0, 512> : tensor<16x8x1x1xf32>} : () -> tensor<16x8x1x1xf32>
  %n = onnx.None
  %y = onnx.Conv %x, %w, %n {pads = array<i64: 0, 0, 1, 0>} : (tensor<1x8x5x6xf32>, tensor<16x8x1x1xf32>, none) -> tensor<1x16x6x6xf32>
  return %y : tensor<1x16x6x6xf32>
}
