// RUN: burin-opt %s --split-input-file --verify-diagnostics
//
// What dialects/onnx/shapes/Movement.cpp refuses; the rules that all share are in invalid.mlir.

func.func @concat_nothing() {
  // expected-error @+1 {{needs at least one operand}}
  %r = onnx.Concat {axis = 0 : i64} : () -> tensor<*xf32>
  return
}

// -----

func.func @concat_types(%a: tensor<2xf32>, %b: tensor<2xsi64>) {
  // expected-error @+1 {{operands 0 and 1 differ in element type}}
  %r = onnx.Concat %a, %b {axis = 0 : i64} : (tensor<2xf32>, tensor<2xsi64>) -> tensor<*xf32>
  return
}

// -----

func.func @concat_size(%a: tensor<4611686018427387904xf32>) {
  // expected-error @+1 {{the size along the axis exceeds 2^63}}
  %r = onnx.Concat %a, %a {axis = 0 : i64} : (tensor<4611686018427387904xf32>, tensor<4611686018427387904xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @split_nothing(%a: tensor<2xf32>) {
  %n = onnx.None
  // expected-error @+1 {{needs at least one result}}
  onnx.Split %a, %n : (tensor<2xf32>, none) -> ()
  return
}

// -----

func.func @split_outputs(%a: tensor<4xf32>) {
  %n = onnx.None
  // expected-error @+1 {{'num_outputs' is 2, but it has 1 results}}
  %r = onnx.Split %a, %n {num_outputs = 2 : i64} : (tensor<4xf32>, none) -> tensor<*xf32>
  return
}

// -----

func.func @split_negative(%a: tensor<4xf32>) {
  %s = onnx.Constant {value = dense<[5, -1]> : tensor<2xsi64>} : () -> tensor<2xsi64>
  // expected-error @+1 {{'split' has the size -1}}
  %r:2 = onnx.Split %a, %s : (tensor<4xf32>, tensor<2xsi64>) -> (tensor<*xf32>, tensor<*xf32>)
  return
}

// -----

func.func @slice_steps(%a: tensor<4xf32>) {
  %s = onnx.Constant {value = dense<0> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %e = onnx.Constant {value = dense<3> : tensor<1xsi64>} : () -> tensor<1xsi64>
  // expected-error @+1 {{'steps' must not be 0}}
  %r = onnx.Slice %a, %s, %e, %s, %s : (tensor<4xf32>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<*xf32>
  return
}

// -----

func.func @pad_mode(%a: tensor<4xf32>, %p: tensor<2xsi64>) {
  %n = onnx.None
  // expected-error @+1 {{'mode' is 'some'; it must be constant, reflect, edge or wrap}}
  %r = onnx.Pad %a, %p, %n, %n {mode = "some"} : (tensor<4xf32>, tensor<2xsi64>, none, none) -> tensor<*xf32>
  return
}

// -----

func.func @pad_size(%a: tensor<4xf32>) {
  %n = onnx.None
  %p = onnx.Constant {value = dense<9223372036854775807> : tensor<2xsi64>} : () -> tensor<2xsi64>
  // expected-error @+1 {{the size of axis 0 exceeds 2^63}}
  %r = onnx.Pad %a, %p, %n, %n : (tensor<4xf32>, tensor<2xsi64>, none, none) -> tensor<*xf32>
  return
}

// -----

func.func @pad_negative(%a: tensor<4xf32>) {
  %n = onnx.None
  %p = onnx.Constant {value = dense<-3> : tensor<2xsi64>} : () -> tensor<2xsi64>
  // expected-error @+1 {{result 0 would have the negative size -2}}
  %r = onnx.Pad %a, %p, %n, %n : (tensor<4xf32>, tensor<2xsi64>, none, none) -> tensor<*xf32>
  return
}

// -----

func.func @space_to_depth(%a: tensor<1x1x5x4xf32>) {
  // expected-error @+1 {{are not divisible by 2}}
  %r = onnx.SpaceToDepth %a {blocksize = 2 : i64} : (tensor<1x1x5x4xf32>) -> tensor<*xf32>
  return
}
