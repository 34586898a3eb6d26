// RUN: burin-opt %s --split-input-file --verify-diagnostics
//
// What dialects/onnx/shapes/Shape.cpp refuses; the rules that all share are in invalid.mlir.

func.func @constant_of_shape(%s: tensor<1xsi64>) {
  // expected-error @+1 {{'value' must be a tensor of one element}}
  %r = onnx.ConstantOfShape %s {value = dense<[1.0, 2.0]> : tensor<2xf32>} : (tensor<1xsi64>) -> tensor<*xf32>
  return
}

// -----

func.func @eye_type(%a: tensor<2x2xf32>) {
  // expected-error @+1 {{'dtype' is 999, which is no ONNX element type}}
  %r = onnx.EyeLike %a {dtype = 999 : i64} : (tensor<2x2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @flatten_axis(%a: tensor<2x2xf32>) {
  // expected-error @+1 {{axis 3 is out of range for rank 2; it must be in [-2, 2]}}
  %r = onnx.Flatten %a {axis = 3 : i64} : (tensor<2x2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @range_vector(%a: tensor<2xsi64>, %b: tensor<si64>) {
  // expected-error @+1 {{operand 0 must be a scalar}}
  %r = onnx.Range %a, %b, %b : (tensor<2xsi64>, tensor<si64>, tensor<si64>) -> tensor<*xsi64>
  return
}

// -----

func.func @range_delta() {
  %z = onnx.Constant {value = dense<0> : tensor<si64>} : () -> tensor<si64>
  // expected-error @+1 {{delta must not be 0}}
  %r = onnx.Range %z, %z, %z : (tensor<si64>, tensor<si64>, tensor<si64>) -> tensor<*xsi64>
  return
}

// -----

func.func @range_elements() {
  %a = onnx.Constant {value = dense<-9223372036854775807> : tensor<si64>} : () -> tensor<si64>
  %b = onnx.Constant {value = dense<9223372036854775807> : tensor<si64>} : () -> tensor<si64>
  %d = onnx.Constant {value = dense<1> : tensor<si64>} : () -> tensor<si64>
  // expected-error @+1 {{has more than 2^63 elements}}
  %r = onnx.Range %a, %b, %d : (tensor<si64>, tensor<si64>, tensor<si64>) -> tensor<*xsi64>
  return
}

// -----

func.func @range_infinite() {
  %z = onnx.Constant {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
  %o = onnx.Constant {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
  // expected-error @+1 {{has no finite number of elements; delta must not be 0}}
  %r = onnx.Range %z, %o, %z : (tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<*xf32>
  return
}

// -----

func.func @reshape_divide(%a: tensor<7xf32>) {
  %s = onnx.Constant {value = dense<[2, -1]> : tensor<2xsi64>} : () -> tensor<2xsi64>
  // expected-error @+1 {{cannot divide 7 elements by the shape's other sizes, 2; correct the operand 'shape'}}
  %r = onnx.Reshape %a, %s : (tensor<7xf32>, tensor<2xsi64>) -> tensor<*xf32>
  return
}

// -----

func.func @reshape_copied(%a: tensor<7xf32>) {
  %s = onnx.Constant {value = dense<[7, 0]> : tensor<2xsi64>} : () -> tensor<2xsi64>
  // expected-error @+1 {{the shape's element 1 is 0, but the data has rank 1}}
  %r = onnx.Reshape %a, %s : (tensor<7xf32>, tensor<2xsi64>) -> tensor<*xf32>
  return
}

// -----

func.func @reshape_allowzero(%a: tensor<0xf32>) {
  %s = onnx.Constant {value = dense<[0, -1]> : tensor<2xsi64>} : () -> tensor<2xsi64>
  // expected-error @+1 {{the shape has both 0 and -1, which 'allowzero' forbids}}
  %r = onnx.Reshape %a, %s {allowzero = 1 : i64} : (tensor<0xf32>, tensor<2xsi64>) -> tensor<*xf32>
  return
}

// -----

func.func @reshape_negative(%a: tensor<7xf32>) {
  %s = onnx.Constant {value = dense<-2> : tensor<1xsi64>} : () -> tensor<1xsi64>
  // expected-error @+1 {{the shape has the negative size -2}}
  %r = onnx.Reshape %a, %s : (tensor<7xf32>, tensor<1xsi64>) -> tensor<*xf32>
  return
}

// -----

func.func @squeeze(%a: tensor<1x7xf32>) {
  %s = onnx.Constant {value = dense<1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  // expected-error @+1 {{axis 1 has size 7; only a size of 1 can be squeezed}}
  %r = onnx.Squeeze %a, %s : (tensor<1x7xf32>, tensor<1xsi64>) -> tensor<*xf32>
  return
}
