// RUN: burin-opt %s --infer-shapes --split-input-file | FileCheck %s

// Sizes computed from a shape keep their names, and known ones become constant.
// CHECK-LABEL: func @flatten_heads
// CHECK-SAME: -> tensor<?x768xf32, #onnx.dims<["batch", ""]>>
func.func @flatten_heads(%x: tensor<?x12x64xf32, #onnx.dims<["batch", "", ""]>>) -> tensor<*xf32> {
  %minus = onnx.Constant {value = dense<-1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %zero = onnx.Constant {value = dense<0> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %0 = onnx.Shape %x : (tensor<?x12x64xf32, #onnx.dims<["batch", "", ""]>>) -> tensor<3xsi64>
  %1 = onnx.Gather %0, %zero : (tensor<3xsi64>, tensor<1xsi64>) -> tensor<*xsi64>
  %2 = onnx.Concat %1, %minus {axis = 0} : (tensor<*xsi64>, tensor<1xsi64>) -> tensor<*xsi64>
  %3 = onnx.Reshape %x, %2 : (tensor<?x12x64xf32, #onnx.dims<["batch", "", ""]>>, tensor<*xsi64>) -> tensor<*xf32>
  return %3 : tensor<*xf32>
}

// -----

// A declared size is kept where the rule knows less.
// CHECK-LABEL: func @declared
// CHECK-SAME: -> tensor<2x6xf32>
func.func @declared(%x: tensor<3x4xf32>, %s: tensor<2xsi64>) -> tensor<*xf32> {
  %0 = onnx.Reshape %x, %s : (tensor<3x4xf32>, tensor<2xsi64>) -> tensor<2x6xf32>
  %1 = onnx.Relu %0 : (tensor<2x6xf32>) -> tensor<*xf32>
  return %1 : tensor<*xf32>
}

// -----

// CHECK-LABEL: func @slices
// CHECK-SAME: -> (tensor<2x4xf32>, tensor<5x2xf32>)
func.func @slices(%x: tensor<5x4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %n = onnx.None
  %one = onnx.Constant {value = dense<1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %three = onnx.Constant {value = dense<3> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %start = onnx.Constant {value = dense<-1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %end = onnx.Constant {value = dense<-9223372036854775808> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %step = onnx.Constant {value = dense<-2> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %0 = onnx.Slice %x, %one, %three, %n, %n : (tensor<5x4xf32>, tensor<1xsi64>, tensor<1xsi64>, none, none) -> tensor<*xf32>
  %1 = onnx.Slice %x, %start, %end, %one, %step : (tensor<5x4xf32>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<*xf32>
  return %0, %1 : tensor<*xf32>, tensor<*xf32>
}
