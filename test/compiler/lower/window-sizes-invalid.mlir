// What sizes that change from run to run leave open, and the way out.
// RUN: burin-opt %s --lower-onnx -split-input-file -verify-diagnostics

module attributes {onnx.dim_ranges = {w = array<i64: 3, 640>}} {
func.func @joined(%x: tensor<1x3x?xf32, #onnx.dims<["", "", "w"]>>, %y: tensor<1x3x?xf32, #onnx.dims<["", "", "w + 1"]>>) -> tensor<1x6x?xf32, #onnx.dims<["", "", "w"]>> {
  // expected-error @+1 {{it takes the sizes 'w' and 'w + 1' for one, which no sizes that --dim allows make equal}}
  %0 = onnx.Concat %x, %y {axis = 1} : (tensor<1x3x?xf32, #onnx.dims<["", "", "w"]>>, tensor<1x3x?xf32, #onnx.dims<["", "", "w + 1"]>>) -> tensor<1x6x?xf32, #onnx.dims<["", "", "w"]>>
  return %0 : tensor<1x6x?xf32, #onnx.dims<["", "", "w"]>>
}
}

// -----

module attributes {onnx.dim_ranges = {w = array<i64: 3, 640>}} {
func.func @antialias(%x: tensor<1x3x?xf32, #onnx.dims<["", "", "w"]>>, %s: tensor<3xf32>) -> tensor<1x3x?xf32, #onnx.dims<["", "", "w floordiv 2"]>> {
  %n = onnx.None
  // expected-error @+1 {{antialiasing along a size that changes from run to run; fix it with --dim NAME=VALUE}}
  %0 = onnx.Resize %x, %n, %s, %n {antialias = 1, mode = "linear"} : (tensor<1x3x?xf32, #onnx.dims<["", "", "w"]>>, none, tensor<3xf32>, none) -> tensor<1x3x?xf32, #onnx.dims<["", "", "w floordiv 2"]>>
  return %0 : tensor<1x3x?xf32, #onnx.dims<["", "", "w floordiv 2"]>>
}
}

// -----

// A slice that starts past the end of the shortest: the range that makes it one expression.
module attributes {onnx.dim_ranges = {w = array<i64: 1, 20>}} {
func.func @past_the_end(%x: tensor<?xf32, #onnx.dims<["w"]>>) -> tensor<?xf32> {
  %n = onnx.None
  %from = onnx.Constant {value = dense<5> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %to = onnx.Constant {value = dense<100> : tensor<1xsi64>} : () -> tensor<1xsi64>
  // expected-error @+1 {{give a range that starts higher, for example --dim w=5..20, or fixed sizes}}
  %0 = onnx.Slice %x, %from, %to, %n, %n : (tensor<?xf32, #onnx.dims<["w"]>>, tensor<1xsi64>, tensor<1xsi64>, none, none) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
}

// -----

module attributes {onnx.dim_ranges = {w = array<i64: 4, 20>}} {
func.func @short_signal(%x: tensor<1x?x1xf32, #onnx.dims<["", "w", ""]>>, %window: tensor<8xf32>) -> tensor<1x?x5x2xf32, #onnx.dims<["", "(w floordiv 4) - 1", "", ""]>> {
  %n = onnx.None
  %hop = onnx.Constant {value = dense<4> : tensor<si64>} : () -> tensor<si64>
  // expected-error @+1 {{frames of 8 in a signal of w samples, which can be fewer; give a range that starts higher}}
  %0 = "onnx.STFT"(%x, %hop, %window, %n) {onesided = 1 : i64}
      : (tensor<1x?x1xf32, #onnx.dims<["", "w", ""]>>, tensor<si64>, tensor<8xf32>, none) -> tensor<1x?x5x2xf32, #onnx.dims<["", "(w floordiv 4) - 1", "", ""]>>
  return %0 : tensor<1x?x5x2xf32, #onnx.dims<["", "(w floordiv 4) - 1", "", ""]>>
}
}

// -----

module attributes {onnx.dim_ranges = {w = array<i64: 1, 8>}} {
func.func @units(%x: tensor<3x1x2xf32>, %w: tensor<1x?x2xf32, #onnx.dims<["", "w", ""]>>, %r: tensor<1x?x?xf32, #onnx.dims<["", "w", "w"]>>) -> tensor<1x1x4xf32> {
  %n = onnx.None
  // expected-error @+1 {{a size of its weights or states, or of what they take, changes from run to run; fix it}}
  %0:2 = "onnx.RNN"(%x, %w, %r, %n, %n, %n) {hidden_size = 4 : i64}
      : (tensor<3x1x2xf32>, tensor<1x?x2xf32, #onnx.dims<["", "w", ""]>>, tensor<1x?x?xf32, #onnx.dims<["", "w", "w"]>>, none, none, none)
      -> (none, tensor<1x1x4xf32>)
  return %0#1 : tensor<1x1x4xf32>
}
}

// -----

// A declared size that no size in the range gives.
module attributes {onnx.dim_ranges = {w = array<i64: 6, 20>}} {
func.func @declared(%x: tensor<?xf32, #onnx.dims<["w"]>>, %y: tensor<3xf32>) -> tensor<8xf32> {
  // expected-error @+1 {{it takes the sizes '8' and 'w + 3' for one, which no sizes that --dim allows make equal}}
  %0 = onnx.Concat %x, %y {axis = 0} : (tensor<?xf32, #onnx.dims<["w"]>>, tensor<3xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}
}

// -----

// What is counted in a body has no bound of its own.
func.func @counted_in_a_body(%m: tensor<si64>, %x: tensor<6xi1>, %s: tensor<2xf32>) -> tensor<2xf32> {
  %n = onnx.None
  // expected-error @+1 {{its body holds a node that cannot be lowered}}
  %0 = "onnx.Loop"(%m, %n, %s) ({
  ^bb0(%i: tensor<si64>, %c: tensor<i1>, %state: tensor<2xf32>):
    // expected-error @+1 {{what it counts in a body of a loop or a branch has no bound of its own in each round; mark what counts by booleans of a fixed size (Where) instead, or do it outside of the body}}
    %p = "onnx.NonZero"(%x) : (tensor<6xi1>) -> tensor<1x?xsi64>
    %f = "onnx.Cast"(%p) {to = 1 : i64} : (tensor<1x?xsi64>) -> tensor<1x?xf32>
    %t = "onnx.ReduceSum"(%f, %n) {keepdims = 0 : i64} : (tensor<1x?xf32>, none) -> tensor<f32>
    %next = "onnx.Add"(%state, %t) : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
    onnx.Yield %c, %next : tensor<i1>, tensor<2xf32>
  }) : (tensor<si64>, none, tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
