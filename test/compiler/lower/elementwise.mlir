// RUN: burin-opt %s --lower-onnx | FileCheck %s

// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-DAG: #[[ALL:.*]] = affine_map<(d0, d1) -> (d0, d1)>

// CHECK-LABEL: func.func @broadcast
// CHECK: linalg.generic {indexing_maps = [#[[ALL]], #[[ROW]], #[[ALL]]]
// CHECK: arith.addf %{{.*}}, %{{.*}} : f32
func.func @broadcast(%a: tensor<2x3xf32>, %b: tensor<3xf32>) -> tensor<2x3xf32> {
  %0 = "onnx.Add"(%a, %b) : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// A scalar constant is part of the body.
// CHECK-LABEL: func.func @splat
// CHECK: linalg.generic
// CHECK-SAME: ins(%{{[^,]*}} : tensor<2x3xf32>)
// CHECK: arith.constant 2.000000e+00 : f32
// CHECK: arith.mulf
func.func @splat(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %c = "onnx.Constant"() {value = dense<2.0> : tensor<f32>} : () -> tensor<f32>
  %0 = "onnx.Mul"(%a, %c) : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// Narrow floats are computed in f32 and rounded once.
// CHECK-LABEL: func.func @narrow
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK: math.exp %{{.*}} : f32
// CHECK: arith.divf %{{.*}} : f32
// CHECK: arith.truncf %{{.*}} : f32 to f16
func.func @narrow(%a: tensor<4xf16>) -> tensor<4xf16> {
  %0 = "onnx.Sigmoid"(%a) : (tensor<4xf16>) -> tensor<4xf16>
  return %0 : tensor<4xf16>
}

// CHECK-LABEL: func.func @compare
// CHECK: %[[LESS:.*]] = arith.cmpi ult, %{{.*}} : i8
// CHECK: arith.extui %[[LESS]] : i1 to i8
func.func @compare(%a: tensor<4xui8>, %b: tensor<4xui8>) -> tensor<4xi1> {
  %0 = "onnx.Less"(%a, %b) : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xi1>
  return %0 : tensor<4xi1>
}

// x/0 is 0, the smallest by -1 wraps.
// CHECK-LABEL: func.func @divide
// CHECK: %[[ZERO:.*]] = arith.cmpi eq, %[[Y:.*]], %c0_i32
// CHECK: %[[MINUS:.*]] = arith.cmpi eq, %[[Y]], %c-1_i32
// CHECK: %[[UNSAFE:.*]] = arith.ori %[[ZERO]], %[[MINUS]]
// CHECK: %[[SAFE:.*]] = arith.select %[[UNSAFE]], %c1_i32, %[[Y]]
// CHECK: arith.divsi %{{.*}}, %[[SAFE]]
func.func @divide(%a: tensor<4xsi32>, %b: tensor<4xsi32>) -> tensor<4xsi32> {
  %0 = "onnx.Div"(%a, %b) : (tensor<4xsi32>, tensor<4xsi32>) -> tensor<4xsi32>
  return %0 : tensor<4xsi32>
}

// CHECK-LABEL: func.func @quantize
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x8xf32>
// CHECK: ins(%[[X]], %{{.*}} : tensor<2x8xf32>, tensor<8xf32>)
// CHECK: arith.divf
// CHECK: math.roundeven
// CHECK: arith.fptosi %{{.*}} : f32 to i32
// CHECK: arith.trunci %{{.*}} : i32 to i8
func.func @quantize(%x: tensor<2x8xf32>, %s: tensor<8xf32>) -> tensor<2x8xsi8> {
  %n = onnx.None
  %0 = "onnx.QuantizeLinear"(%x, %s, %n) {axis = 1 : i64, output_dtype = 3 : i64}
      : (tensor<2x8xf32>, tensor<8xf32>, none) -> tensor<2x8xsi8>
  return %0 : tensor<2x8xsi8>
}

// CHECK-LABEL: func.func @cast_float8
// CHECK: arith.bitcast %{{.*}} : i8 to f8E4M3FN
func.func @cast_float8(%x: tensor<4xf32>) -> tensor<4xf8E4M3FN> {
  %0 = "onnx.Cast"(%x) {to = 17 : i64} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  return %0 : tensor<4xf8E4M3FN>
}

// CastLike reads no element of what names its type, whatever shape that has.
// CHECK-LABEL: func.func @cast_like
// CHECK: linalg.generic {{.*}} ins(%arg0 : tensor<f32>)
// CHECK: arith.truncf %{{.*}} : f32 to f16
func.func @cast_like(%a: tensor<f32>, %b: tensor<5xf16>) -> tensor<f16> {
  %0 = "onnx.CastLike"(%a, %b) : (tensor<f32>, tensor<5xf16>) -> tensor<f16>
  return %0 : tensor<f16>
}

// No element, no loop.
// CHECK-LABEL: func.func @no_element
// CHECK-NOT: linalg.generic
// CHECK: tensor.empty() : tensor<2x0xf32>
func.func @no_element(%a: tensor<2x0xf32>) -> tensor<2x0xf32> {
  %0 = "onnx.Relu"(%a) : (tensor<2x0xf32>) -> tensor<2x0xf32>
  return %0 : tensor<2x0xf32>
}
