// RUN: burin-opt %s --split-input-file --verify-diagnostics
//
// What dialects/onnx/shapes/Signal.cpp refuses; the rules that all share are in invalid.mlir.

func.func @dft_rank(%a: tensor<2xf32>) {
  %n = onnx.None
  // expected-error @+1 {{input must have rank 2 or more, not 1}}
  %r = onnx.DFT %a, %n, %n : (tensor<2xf32>, none, none) -> tensor<*xf32>
  return
}

// -----

func.func @dft_axis(%a: tensor<1x4x2xf32>) {
  %n = onnx.None
  %s = onnx.Constant {value = dense<-1> : tensor<si64>} : () -> tensor<si64>
  // expected-error @+1 {{axis -1 is the one of real and imaginary parts}}
  %r = onnx.DFT %a, %n, %s : (tensor<1x4x2xf32>, none, tensor<si64>) -> tensor<*xf32>
  return
}

// -----

func.func @dft_length(%a: tensor<1x4x2xf32>) {
  %n = onnx.None
  %s = onnx.Constant {value = dense<0> : tensor<si64>} : () -> tensor<si64>
  // expected-error @+1 {{'dft_length' must be 1 or more, not 0}}
  %r = onnx.DFT %a, %s, %n : (tensor<1x4x2xf32>, tensor<si64>, none) -> tensor<*xf32>
  return
}

// -----

func.func @stft_step(%a: tensor<1x8x1xf32>) {
  %n = onnx.None
  %s = onnx.Constant {value = dense<0> : tensor<si64>} : () -> tensor<si64>
  // expected-error @+1 {{'frame_step' must be 1 or more, not 0}}
  %r = onnx.STFT %a, %s, %n, %n : (tensor<1x8x1xf32>, tensor<si64>, none, none) -> tensor<*xf32>
  return
}

// -----

func.func @stft_frame(%a: tensor<1x8x1xf32>) {
  %n = onnx.None
  %s = onnx.Constant {value = dense<1> : tensor<si64>} : () -> tensor<si64>
  %l = onnx.Constant {value = dense<9> : tensor<si64>} : () -> tensor<si64>
  // expected-error @+1 {{a frame of 9 does not fit a signal of 8}}
  %r = onnx.STFT %a, %s, %n, %l : (tensor<1x8x1xf32>, tensor<si64>, none, tensor<si64>) -> tensor<*xf32>
  return
}

// -----

func.func @mel_type(%i: tensor<si64>, %f: tensor<f32>) {
  // expected-error @+1 {{'output_datatype' is 999, which is no ONNX element type}}
  %r = onnx.MelWeightMatrix %i, %i, %i, %f, %f {output_datatype = 999 : i64} : (tensor<si64>, tensor<si64>, tensor<si64>, tensor<f32>, tensor<f32>) -> tensor<*xf32>
  return
}

// -----

func.func @rnn_layout(%x: tensor<5x1x2xf32>, %w: tensor<1x3x2xf32>, %u: tensor<1x3x3xf32>) {
  %n = onnx.None
  // expected-error @+1 {{'layout' must be 0 or 1, not 2}}
  %r:2 = onnx.RNN %x, %w, %u, %n, %n, %n {layout = 2 : i64} : (tensor<5x1x2xf32>, tensor<1x3x2xf32>, tensor<1x3x3xf32>, none, none, none) -> (tensor<*xf32>, none)
  return
}

// -----

func.func @rnn_direction(%x: tensor<5x1x2xf32>, %w: tensor<1x3x2xf32>, %u: tensor<1x3x3xf32>) {
  %n = onnx.None
  // expected-error @+1 {{'direction' is 'some'; it must be forward, reverse or bidirectional}}
  %r:2 = onnx.RNN %x, %w, %u, %n, %n, %n {direction = "some"} : (tensor<5x1x2xf32>, tensor<1x3x2xf32>, tensor<1x3x3xf32>, none, none, none) -> (tensor<*xf32>, none)
  return
}
