// RUN: burin-opt %s --split-input-file --verify-diagnostics
//
// What dialects/onnx/shapes/Indexing.cpp refuses; the rules that all share are in invalid.mlir.

func.func @gathernd_scalar(%a: tensor<f32>, %i: tensor<2xsi64>) {
  // expected-error @+1 {{data and indices must have rank 1 or more}}
  %r = onnx.GatherND %a, %i : (tensor<f32>, tensor<2xsi64>) -> tensor<*xf32>
  return
}

// -----

func.func @gathernd_batch(%a: tensor<4x5xf32>, %i: tensor<4x1xsi64>) {
  // expected-error @+1 {{'batch_dims' is 2; it must be in [0, 2)}}
  %r = onnx.GatherND %a, %i {batch_dims = 2 : i64} : (tensor<4x5xf32>, tensor<4x1xsi64>) -> tensor<*xf32>
  return
}

// -----

func.func @gathernd_depth(%a: tensor<4x5xf32>, %i: tensor<4x3xsi64>) {
  // expected-error @+1 {{the last size of indices is 3; it must be in [1, 2]}}
  %r = onnx.GatherND %a, %i : (tensor<4x5xf32>, tensor<4x3xsi64>) -> tensor<*xf32>
  return
}

// -----

func.func @compress(%a: tensor<2xf32>) {
  %c = onnx.Constant {value = dense<[true, false, true]> : tensor<3xi1>} : () -> tensor<3xi1>
  // expected-error @+1 {{condition has 3 elements for 2}}
  %r = onnx.Compress %a, %c {axis = 0 : i64} : (tensor<2xf32>, tensor<3xi1>) -> tensor<*xf32>
  return
}

// -----

func.func @topk(%a: tensor<2xf32>) {
  %k = onnx.Constant {value = dense<3> : tensor<1xsi64>} : () -> tensor<1xsi64>
  // expected-error @+1 {{K is 3; it must be in [0, 2]}}
  %r:2 = onnx.TopK %a, %k : (tensor<2xf32>, tensor<1xsi64>) -> (tensor<*xf32>, tensor<*xsi64>)
  return
}

// -----

func.func @topk_least(%a: tensor<2xf32>) {
  %k = onnx.Constant {value = dense<-9223372036854775808> : tensor<1xsi64>} : () -> tensor<1xsi64>
  // expected-error @+1 {{K is -9223372036854775808; it must be in [0, 2]}}
  %r:2 = onnx.TopK %a, %k : (tensor<2xf32>, tensor<1xsi64>) -> (tensor<*xf32>, tensor<*xsi64>)
  return
}

// -----

func.func @topk_two(%a: tensor<2xf32>, %k: tensor<2xsi64>) {
  // expected-error @+1 {{K must be a number}}
  %r:2 = onnx.TopK %a, %k : (tensor<2xf32>, tensor<2xsi64>) -> (tensor<*xf32>, tensor<*xsi64>)
  return
}

// -----

func.func @gridsample(%x: tensor<1x2xf32>, %g: tensor<1x2xf32>) {
  // expected-error @+1 {{X must have rank 3 or more, not 2}}
  %r = onnx.GridSample %x, %g : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @resize_neither(%x: tensor<1x1x4x4xf32>) {
  %n = onnx.None
  // expected-error @+1 {{needs either scales or sizes}}
  %r = onnx.Resize %x, %n, %n, %n : (tensor<1x1x4x4xf32>, none, none, none) -> tensor<*xf32>
  return
}

// -----

func.func @resize_policy(%x: tensor<1x1x4x4xf32>) {
  %n = onnx.None
  %s = onnx.Constant {value = dense<[1, 1, 8, 8]> : tensor<4xsi64>} : () -> tensor<4xsi64>
  // expected-error @+1 {{'keep_aspect_ratio_policy' is 'some'; it must be stretch, not_larger or not_smaller}}
  %r = onnx.Resize %x, %n, %n, %s {keep_aspect_ratio_policy = "some"} : (tensor<1x1x4x4xf32>, none, none, tensor<4xsi64>) -> tensor<*xf32>
  return
}

// -----

func.func @resize_sizes(%x: tensor<1x4611686018427387904xf32>) {
  %n = onnx.None
  %s = onnx.Constant {value = dense<[9, 1]> : tensor<2xsi64>} : () -> tensor<2xsi64>
  // expected-error @+1 {{'sizes' are out of range}}
  %r = onnx.Resize %x, %n, %n, %s {keep_aspect_ratio_policy = "not_smaller"} : (tensor<1x4611686018427387904xf32>, none, none, tensor<2xsi64>) -> tensor<*xf32>
  return
}

// -----

func.func @resize_scales(%x: tensor<2x4xf32>) {
  %n = onnx.None
  %s = onnx.Constant {value = dense<[1.0, -2.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  // expected-error @+1 {{'scales' has an element out of range}}
  %r = onnx.Resize %x, %n, %s, %n : (tensor<2x4xf32>, none, tensor<2xf32>, none) -> tensor<*xf32>
  return
}
