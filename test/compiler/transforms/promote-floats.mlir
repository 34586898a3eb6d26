// RUN: burin-opt %s --promote-floats --split-input-file --verify-diagnostics | FileCheck %s

// Values, constants and the element types that attributes name become f64; integers stay.
// CHECK-LABEL: func.func @main(%arg0: tensor<2x3xf64>, %arg1: tensor<2x3xsi32>) -> (tensor<2x3xf64>, tensor<2x3xi1>)
// CHECK: onnx.Constant {value = dense<1.500000e+00> : tensor<f64>}
// CHECK: onnx.Cast %arg1 {to = 11 : i64} : (tensor<2x3xsi32>) -> tensor<2x3xf64>
// CHECK: onnx.Add {{.*}} (tensor<2x3xf64>, tensor<f64>) -> tensor<2x3xf64>
// CHECK: onnx.Less {{.*}} (tensor<2x3xf64>, tensor<2x3xf64>) -> tensor<2x3xi1>
func.func @main(%x: tensor<2x3xf16>, %i: tensor<2x3xsi32>) -> (tensor<2x3xf16>, tensor<2x3xi1>) {
  %c = onnx.Constant {value = dense<1.5> : tensor<f16>} : () -> tensor<f16>
  %y = onnx.Cast %i {to = 10 : i64} : (tensor<2x3xsi32>) -> tensor<2x3xf16>
  %sum = onnx.Add %y, %c : (tensor<2x3xf16>, tensor<f16>) -> tensor<2x3xf16>
  %less = onnx.Less %sum, %x : (tensor<2x3xf16>, tensor<2x3xf16>) -> tensor<2x3xi1>
  return %sum, %less : tensor<2x3xf16>, tensor<2x3xi1>
}

// -----

// ONNX does not define this in f64: it is between casts.
// CHECK-LABEL: func.func @main(%arg0: tensor<6xf64>, %arg1: tensor<f64>) -> (tensor<6xsi8>, tensor<6xf64>)
// CHECK: %[[X:.*]] = onnx.Cast %arg0 {to = 1 : i64} : (tensor<6xf64>) -> tensor<6xf32>
// CHECK: %[[S:.*]] = onnx.Cast %arg1 {to = 1 : i64} : (tensor<f64>) -> tensor<f32>
// CHECK: %[[Q:.*]] = onnx.QuantizeLinear %[[X]], %[[S]]
// CHECK: %[[D:.*]] = onnx.DequantizeLinear %[[Q]], %{{.*}} -> tensor<6xf32>
// CHECK: onnx.Cast %[[D]] {to = 11 : i64} : (tensor<6xf32>) -> tensor<6xf64>
func.func @main(%x: tensor<6xf32>, %s: tensor<f32>) -> (tensor<6xsi8>, tensor<6xf32>) {
  %n = "onnx.None"() : () -> none
  %q = onnx.QuantizeLinear %x, %s, %n {output_dtype = 3 : i64} : (tensor<6xf32>, tensor<f32>, none) -> tensor<6xsi8>
  %d = onnx.DequantizeLinear %q, %s, %n : (tensor<6xsi8>, tensor<f32>, none) -> tensor<6xf32>
  return %q, %d : tensor<6xsi8>, tensor<6xf32>
}

// -----

// Bodies follow their operator.
// CHECK-LABEL: func.func @main(%arg0: tensor<i1>, %arg1: tensor<4xf64>) -> tensor<4xf64>
// CHECK: onnx.If
// CHECK: onnx.Exp %arg1 : (tensor<4xf64>) -> tensor<4xf64>
func.func @main(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %y = "onnx.If"(%c) ({
    onnx.Yield %x : tensor<4xf32>
  }, {
    %e = onnx.Exp %x : (tensor<4xf32>) -> tensor<4xf32>
    onnx.Yield %e : tensor<4xf32>
  }) : (tensor<i1>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{has a weight whose bytes are not at hand}}
  %w = onnx.Constant {value = #plan.weight<"model", 0, 16> : tensor<4xf32>} : () -> tensor<4xf32>
  %y = onnx.Add %x, %w : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
