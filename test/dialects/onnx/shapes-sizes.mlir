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

// A size that may be 1 leaves the rank open where the axes are not said.
// CHECK-LABEL: @squeezed
// CHECK: onnx.Squeeze {{.*}} -> tensor<?xf32, #onnx.dims<["B + 1"]>>
// CHECK: onnx.Squeeze {{.*}} -> tensor<*xf32>
func.func @squeezed(%past: tensor<1x?x1xf32, #onnx.dims<["", "B + 1", ""]>>, %x: tensor<?x1xf32, #onnx.dims<["S", ""]>>) -> (tensor<*xf32>, tensor<*xf32>) {
  %n = onnx.None
  %0 = onnx.Squeeze %past, %n : (tensor<1x?x1xf32, #onnx.dims<["", "B + 1", ""]>>, none) -> tensor<*xf32>
  %1 = onnx.Squeeze %x, %n : (tensor<?x1xf32, #onnx.dims<["S", ""]>>, none) -> tensor<*xf32>
  return %0, %1 : tensor<*xf32>, tensor<*xf32>
}

// Exporters compute sizes in 32 bits; what fits is the same there.
// CHECK-LABEL: @narrow
// CHECK: onnx.Expand {{.*}} -> tensor<?x8xf32, #onnx.dims<["S", ""]>>
func.func @narrow(%ids: tensor<?xsi64, #onnx.dims<["S"]>>, %row: tensor<1x8xf32>) -> tensor<*xf32> {
  %eight = onnx.Constant {value = dense<8> : tensor<1xsi32>} : () -> tensor<1xsi32>
  %size = onnx.Shape %ids : (tensor<?xsi64, #onnx.dims<["S"]>>) -> tensor<1xsi64>
  %short = onnx.Cast %size {to = 6 : i64} : (tensor<1xsi64>) -> tensor<1xsi32>
  %both = onnx.Concat %short, %eight {axis = 0} : (tensor<1xsi32>, tensor<1xsi32>) -> tensor<2xsi32>
  %shape = onnx.Cast %both {to = 7 : i64} : (tensor<2xsi32>) -> tensor<2xsi64>
  %0 = onnx.Expand %row, %shape : (tensor<1x8xf32>, tensor<2xsi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// Bounds of a difference know what quotients have in common: (S + 2) / 3 is at most S / 3 + 1.
// CHECK-LABEL: @quotients
// CHECK: onnx.Slice {{.*}} -> tensor<?xf32, #onnx.dims<["(S + 2) floordiv 3"]>>
func.func @quotients(%x: tensor<?xf32, #onnx.dims<["(S floordiv 3) + 1"]>>, %ids: tensor<?xsi64, #onnx.dims<["S"]>>) -> tensor<*xf32> {
  %n = onnx.None
  %zero = onnx.Constant {value = dense<0> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %two = onnx.Constant {value = dense<2> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %three = onnx.Constant {value = dense<3> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %size = onnx.Shape %ids : (tensor<?xsi64, #onnx.dims<["S"]>>) -> tensor<1xsi64>
  %more = onnx.Add %size, %two : (tensor<1xsi64>, tensor<1xsi64>) -> tensor<1xsi64>
  %end = onnx.Div %more, %three : (tensor<1xsi64>, tensor<1xsi64>) -> tensor<1xsi64>
  %0 = onnx.Slice %x, %zero, %end, %zero, %n : (tensor<?xf32, #onnx.dims<["(S floordiv 3) + 1"]>>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, none) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// Two ranges that an operator is defined for where they are equal are one, by the same name
// whatever the order.
// CHECK-LABEL: @equal
// CHECK-COUNT-2: onnx.Add {{.*}} -> tensor<?xf32, #onnx.dims<["B"]>>
func.func @equal(%x: tensor<?xf32, #onnx.dims<["B"]>>, %y: tensor<?xf32, #onnx.dims<["S"]>>) -> (tensor<*xf32>, tensor<*xf32>) {
  %0 = onnx.Add %x, %y : (tensor<?xf32, #onnx.dims<["B"]>>, tensor<?xf32, #onnx.dims<["S"]>>) -> tensor<*xf32>
  %1 = onnx.Add %y, %x : (tensor<?xf32, #onnx.dims<["S"]>>, tensor<?xf32, #onnx.dims<["B"]>>) -> tensor<*xf32>
  return %0, %1 : tensor<*xf32>, tensor<*xf32>
}

// A detector counts its anchors in floats.
// CHECK-LABEL: @anchors
// CHECK: onnx.Range {{.*}} -> tensor<?xf32, #onnx.dims<["S"]>>
func.func @anchors(%ids: tensor<?xsi64, #onnx.dims<["S"]>>) -> tensor<*xf32> {
  %zero = onnx.Constant {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
  %one = onnx.Constant {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
  %size = onnx.Size %ids : (tensor<?xsi64, #onnx.dims<["S"]>>) -> tensor<si64>
  %limit = onnx.Cast %size {to = 1 : i64} : (tensor<si64>) -> tensor<f32>
  %0 = onnx.Range %zero, %limit, %one : (tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// All of it backwards, every other of it, and what is behind the first.
// CHECK-LABEL: @backwards
// CHECK: onnx.Slice {{.*}} -> tensor<?xf32, #onnx.dims<["S"]>>
// CHECK: onnx.Slice {{.*}} -> tensor<?xf32, #onnx.dims<["(S + 1) floordiv 2"]>>
// CHECK: onnx.Slice {{.*}} -> tensor<?xf32, #onnx.dims<["S - 1"]>>
func.func @backwards(%x: tensor<?xf32, #onnx.dims<["S"]>>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) {
  %last = onnx.Constant {value = dense<-1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %before = onnx.Constant {value = dense<-9223372036854775808> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %zero = onnx.Constant {value = dense<0> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %two = onnx.Constant {value = dense<-2> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %0 = onnx.Slice %x, %last, %before, %zero, %last : (tensor<?xf32, #onnx.dims<["S"]>>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<*xf32>
  %1 = onnx.Slice %x, %last, %before, %zero, %two : (tensor<?xf32, #onnx.dims<["S"]>>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<*xf32>
  %2 = onnx.Slice %x, %last, %zero, %zero, %last : (tensor<?xf32, #onnx.dims<["S"]>>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<*xf32>
  return %0, %1, %2 : tensor<*xf32>, tensor<*xf32>, tensor<*xf32>
}
}
