// RUN: burin-opt %s --infer-shapes --split-input-file | FileCheck %s

// A name survives where it meets itself, or a size of 1.
// CHECK-LABEL: func @broadcast
// CHECK-SAME: -> tensor<?x4x3xf32, #onnx.dims<["batch", "", ""]>>
func.func @broadcast(%a: tensor<?x1x3xf32, #onnx.dims<["batch", "", ""]>>, %b: tensor<4x1xf32>) -> tensor<*xf32> {
  %0 = onnx.Add %a, %b : (tensor<?x1x3xf32, #onnx.dims<["batch", "", ""]>>, tensor<4x1xf32>) -> tensor<*xf32>
  %1 = onnx.Mul %0, %0 : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  return %1 : tensor<*xf32>
}

// -----

// CHECK-LABEL: func @elements
// CHECK-SAME: -> (tensor<2xi1>, tensor<2xf16>, tensor<2xsi32>)
func.func @elements(%a: tensor<2xf32>, %like: tensor<1xsi32>) -> (tensor<*xi1>, tensor<*xf16>, tensor<*xsi32>) {
  %0 = onnx.Less %a, %a : (tensor<2xf32>, tensor<2xf32>) -> tensor<*xi1>
  %1 = onnx.Cast %a {to = 10} : (tensor<2xf32>) -> tensor<*xf16>
  %2 = onnx.CastLike %a, %like : (tensor<2xf32>, tensor<1xsi32>) -> tensor<*xsi32>
  return %0, %1, %2 : tensor<*xi1>, tensor<*xf16>, tensor<*xsi32>
}

// -----

// CHECK-LABEL: func @quantize
// CHECK-SAME: -> (tensor<2x3xsi8>, tensor<2x3xf32>)
func.func @quantize(%x: tensor<2x3xf32>, %s: tensor<3xf32>, %z: tensor<3xsi8>) -> (tensor<*xsi8>, tensor<*xf32>) {
  %0 = onnx.QuantizeLinear %x, %s, %z : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xsi8>) -> tensor<*xsi8>
  %1 = onnx.DequantizeLinear %0, %s, %z : (tensor<*xsi8>, tensor<3xf32>, tensor<3xsi8>) -> tensor<*xf32>
  return %0, %1 : tensor<*xsi8>, tensor<*xf32>
}
