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
