// RUN: burin-opt %s --split-input-file --verify-diagnostics
//
// What dialects/onnx/shapes/Elementwise.cpp refuses; the rules that all share are in invalid.mlir.

func.func @sum_of_nothing() {
  // expected-error @+1 {{needs at least one operand}}
  %r = onnx.Sum : () -> tensor<*xf32>
  return
}

// -----

func.func @add_sequence(%a: tensor<2xf32>, %s: !onnx.seq<tensor<2xf32>>) {
  // expected-error @+1 {{operand 1 must be a tensor, not '!onnx.seq<tensor<2xf32>>'}}
  %r = onnx.Add %a, %s : (tensor<2xf32>, !onnx.seq<tensor<2xf32>>) -> tensor<*xf32>
  return
}

// -----

func.func @bitcast_type(%a: tensor<2xf32>) {
  // expected-error @+1 {{'to' is 8, which is no element type of fixed width}}
  %r = onnx.BitCast %a {to = 8 : i64} : (tensor<2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @bitcast_width(%a: tensor<2xf32>) {
  // expected-error @+1 {{cannot reinterpret 'f32' as 'si64'; their widths must be equal}}
  %r = onnx.BitCast %a {to = 7 : i64} : (tensor<2xf32>) -> tensor<*xsi64>
  return
}

// -----

func.func @block_size(%x: tensor<4x6xf32>, %s: tensor<f32>) {
  %n = onnx.None
  // expected-error @+1 {{'block_size' must not be negative, but is -1}}
  %r = onnx.QuantizeLinear %x, %s, %n {block_size = -1 : i64} : (tensor<4x6xf32>, tensor<f32>, none) -> tensor<*xui8>
  return
}

// -----

func.func @zero_point_shape(%x: tensor<4x6xf32>, %s: tensor<4xf32>, %z: tensor<4x6xui8>) {
  // expected-error @+1 {{scale and zero point must have one shape}}
  %r = onnx.QuantizeLinear %x, %s, %z {axis = 0 : i64} : (tensor<4x6xf32>, tensor<4xf32>, tensor<4x6xui8>) -> tensor<*xui8>
  return
}

// -----

func.func @scale_rank(%x: tensor<4x6xf32>, %s: tensor<4x6xf32>) {
  %n = onnx.None
  // expected-error @+1 {{scale must have rank 0 or 1 without 'block_size', not 2}}
  %r = onnx.QuantizeLinear %x, %s, %n : (tensor<4x6xf32>, tensor<4x6xf32>, none) -> tensor<*xui8>
  return
}

// -----

func.func @scale_blocks(%x: tensor<4x6xf32>, %s: tensor<4xf32>) {
  %n = onnx.None
  // expected-error @+1 {{scale must have rank 2 with 'block_size', not 1}}
  %r = onnx.QuantizeLinear %x, %s, %n {block_size = 2 : i64} : (tensor<4x6xf32>, tensor<4xf32>, none) -> tensor<*xui8>
  return
}

// -----

func.func @quantize_type(%x: tensor<4x6xf32>, %s: tensor<f32>) {
  %n = onnx.None
  // expected-error @+1 {{'output_dtype' is 999, which is no ONNX element type}}
  %r = onnx.QuantizeLinear %x, %s, %n {output_dtype = 999 : i64} : (tensor<4x6xf32>, tensor<f32>, none) -> tensor<*xui8>
  return
}

// -----

func.func @quantize_zero(%x: tensor<4x6xf32>, %s: tensor<f32>, %z: tensor<ui8>) {
  // expected-error @+1 {{'output_dtype' is 'si8', but the zero point is 'ui8'}}
  %r = onnx.QuantizeLinear %x, %s, %z {output_dtype = 3 : i64} : (tensor<4x6xf32>, tensor<f32>, tensor<ui8>) -> tensor<*xui8>
  return
}

// -----

func.func @dequantize_type(%x: tensor<4x6xui8>, %s: tensor<f32>) {
  %n = onnx.None
  // expected-error @+1 {{'output_dtype' is 999, which is no ONNX element type}}
  %r = onnx.DequantizeLinear %x, %s, %n {output_dtype = 999 : i64} : (tensor<4x6xui8>, tensor<f32>, none) -> tensor<*xf32>
  return
}

// -----

func.func @element_types(%a: tensor<2xf32>, %b: tensor<2xsi64>) {
  // expected-error @+1 {{operands 0 and 1 differ in element type: 'f32' and 'si64'; cast one of them}}
  %r = onnx.Add %a, %b : (tensor<2xf32>, tensor<2xsi64>) -> tensor<*xf32>
  return
}
