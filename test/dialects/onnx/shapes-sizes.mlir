// Sizes that are computed from named ones are expressions of those, in one form.
// RUN: burin-opt %s --infer-shapes | FileCheck %s

module attributes {onnx.dim_ranges = {B = array<i64: 1, 8>, P = array<i64: 0, 127>, S = array<i64: 1, 40>}} {

// CHECK-LABEL: @grows
// CHECK: onnx.Concat {{.*}} -> tensor<1x?x8xf32, #onnx.dims<["", "P + 3", ""]>>
func.func @grows(%past: tensor<1x?x8xf32, #onnx.dims<["", "P", ""]>>, %new: tensor<1x3x8xf32>) -> tensor<*xf32> {
  %0 = onnx.Concat %past, %new {axis = 1} : (tensor<1x?x8xf32, #onnx.dims<["", "P", ""]>>, tensor<1x3x8xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// CHECK-LABEL: @rows
// CHECK: onnx.Flatten {{.*}} -> tensor<?x32xf32, #onnx.dims<["B * S", ""]>>
func.func @rows(%x: tensor<?x?x32xf32, #onnx.dims<["B", "S", ""]>>) -> tensor<*xf32> {
  %0 = onnx.Flatten %x {axis = 2} : (tensor<?x?x32xf32, #onnx.dims<["B", "S", ""]>>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// What a table of 40 rows has of the first S: all of them, for S is at most 40.
// CHECK-LABEL: @table
// CHECK: onnx.Slice {{.*}} -> tensor<?x16xf32, #onnx.dims<["S", ""]>>
func.func @table(%table: tensor<40x16xf32>, %ids: tensor<?xsi64, #onnx.dims<["S"]>>) -> tensor<*xf32> {
  %n = onnx.None
  %zero = onnx.Constant {value = dense<0> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %size = onnx.Shape %ids : (tensor<?xsi64, #onnx.dims<["S"]>>) -> tensor<1xsi64>
  %0 = onnx.Slice %table, %zero, %size, %zero, %n : (tensor<40x16xf32>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, none) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
}
