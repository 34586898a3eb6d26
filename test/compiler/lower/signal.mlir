// RUN: burin-opt %s --lower-onnx | FileCheck %s

// A table of the unit circle, then sums in f64, rounded once.
// CHECK-LABEL: func.func @rfft
// CHECK: math.cos %{{.*}} : f64
// CHECK: math.sin %{{.*}} : f64
// CHECK: iterator_types = ["parallel", "parallel", "parallel", "reduction"]
// CHECK: arith.truncf %{{.*}} : f64 to f32
func.func @rfft(%x: tensor<1x10x1xf32>) -> tensor<1x6x2xf32> {
  %n = onnx.None
  %0 = "onnx.DFT"(%x, %n, %n) {onesided = 1 : i64} : (tensor<1x10x1xf32>, none, none) -> tensor<1x6x2xf32>
  return %0 : tensor<1x6x2xf32>
}

// The step is read when the model runs; frames stay inside of the signal.
// CHECK-LABEL: func.func @stft
// CHECK: tensor.extract %{{.*}} : tensor<i64>
// CHECK: arith.minui
func.func @stft(%x: tensor<1x128x1xf32>, %step: tensor<si64>, %w: tensor<16xf32>) -> tensor<1x15x9x2xf32> {
  %n = onnx.None
  %0 = "onnx.STFT"(%x, %step, %w, %n)
      : (tensor<1x128x1xf32>, tensor<si64>, tensor<16xf32>, none) -> tensor<1x15x9x2xf32>
  return %0 : tensor<1x15x9x2xf32>
}

// Real samples without a dim of their own.
// CHECK-LABEL: func.func @stft_samples
// CHECK: tensor.expand_shape %{{.*}} {{.*}} : tensor<1x128xf32> into tensor<1x128x1xf32>
func.func @stft_samples(%x: tensor<1x128xf32>, %step: tensor<si64>, %w: tensor<16xf32>) -> tensor<1x15x9x2xf32> {
  %n = onnx.None
  %0 = "onnx.STFT"(%x, %step, %w, %n)
      : (tensor<1x128xf32>, tensor<si64>, tensor<16xf32>, none) -> tensor<1x15x9x2xf32>
  return %0 : tensor<1x15x9x2xf32>
}

// CHECK-LABEL: func.func @mel
// CHECK: math.log1p
// CHECK: math.expm1
func.func @mel(%n: tensor<si32>, %l: tensor<si32>, %r: tensor<si32>, %a: tensor<f32>, %b: tensor<f32>) -> tensor<9x8xf32> {
  %0 = "onnx.MelWeightMatrix"(%n, %l, %r, %a, %b)
      : (tensor<si32>, tensor<si32>, tensor<si32>, tensor<f32>, tensor<f32>) -> tensor<9x8xf32>
  return %0 : tensor<9x8xf32>
}

// A frame length of the running model is one of those that have the result's bins.
// CHECK-LABEL: func.func @stft_length
// CHECK: tensor<16x2xf64>
// CHECK: tensor<17x2xf64>
// CHECK: plan.check %{{.*}}, 7,
func.func @stft_length(%x: tensor<1x128x1xf32>, %step: tensor<si64>, %length: tensor<si64>) -> tensor<1x15x9x2xf32> {
  %n = onnx.None
  %0 = "onnx.STFT"(%x, %step, %n, %length) {onesided = 1 : i64}
      : (tensor<1x128x1xf32>, tensor<si64>, none, tensor<si64>) -> tensor<1x15x9x2xf32>
  return %0 : tensor<1x15x9x2xf32>
}
