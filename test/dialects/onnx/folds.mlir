// RUN: burin-opt %s --infer-shapes --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func @identities
// CHECK-NEXT: return %arg0, %arg0, %arg0
func.func @identities(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %0 = onnx.Identity %x : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %1 = onnx.Cast %x {to = 1} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %2 = onnx.Transpose %x {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %3 = onnx.Transpose %2 : (tensor<3x2xf32>) -> tensor<2x3xf32>
  return %0, %1, %3 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}

// -----

// A weight changes its type, not its bytes.
// CHECK-LABEL: func @weight
// CHECK: onnx.Constant {value = #plan.weight<"model", 16, 24> : tensor<6xf32>}
// CHECK-NOT: onnx.Reshape
func.func @weight() -> tensor<*xf32> {
  %w = onnx.Constant {value = #plan.weight<"model", 16, 24> : tensor<2x3xf32>} : () -> tensor<2x3xf32>
  %s = onnx.Constant {value = dense<-1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %0 = onnx.Reshape %w, %s : (tensor<2x3xf32>, tensor<1xsi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// CHECK-LABEL: func @moved
// CHECK: dense<{{\[\[}}1, 4], [2, 5], [3, 6]]> : tensor<3x2xsi64>
// CHECK: dense<[3, 2, 1]> : tensor<3xsi64>
// CHECK: dense<24> : tensor<si64>
func.func @moved(%x: tensor<2x3x4xf32>) -> (tensor<*xsi64>, tensor<*xsi64>, tensor<*xsi64>) {
  %n = onnx.None
  %c = onnx.Constant {value = dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xsi64>} : () -> tensor<2x3xsi64>
  %0 = onnx.Transpose %c : (tensor<2x3xsi64>) -> tensor<*xsi64>
  %start = onnx.Constant {value = dense<3> : tensor<si64>} : () -> tensor<si64>
  %limit = onnx.Constant {value = dense<0> : tensor<si64>} : () -> tensor<si64>
  %delta = onnx.Constant {value = dense<-1> : tensor<si64>} : () -> tensor<si64>
  %1 = onnx.Range %start, %limit, %delta : (tensor<si64>, tensor<si64>, tensor<si64>) -> tensor<*xsi64>
  %s = onnx.Shape %x : (tensor<2x3x4xf32>) -> tensor<*xsi64>
  %2 = onnx.ReduceProd %s, %n {keepdims = 0} : (tensor<*xsi64>, none) -> tensor<*xsi64>
  return %0, %1, %2 : tensor<*xsi64>, tensor<*xsi64>, tensor<*xsi64>
}

// -----

// There and back moves nothing where one size is open: the elements are as many.
// CHECK-LABEL: func @back
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32, {{.*}}>, %[[Z:.*]]: tensor<?x?xf32, {{.*}}>
// CHECK: %[[R:.*]] = onnx.Reshape %[[Z]]
// CHECK: return %[[X]], %[[R]]
func.func @back(%x: tensor<?x4xf32, #onnx.dims<["N", ""]>>, %z: tensor<?x?xf32, #onnx.dims<["N", "M"]>>, %s: tensor<3xsi64>, %t: tensor<2xsi64>)
    -> (tensor<?x4xf32, #onnx.dims<["N", ""]>>, tensor<?x?xf32, #onnx.dims<["N", "M"]>>) {
  %0 = onnx.Reshape %x, %s : (tensor<?x4xf32, #onnx.dims<["N", ""]>>, tensor<3xsi64>) -> tensor<?x?x?xf32>
  %1 = onnx.Reshape %0, %t : (tensor<?x?x?xf32>, tensor<2xsi64>) -> tensor<?x4xf32, #onnx.dims<["N", ""]>>
  %2 = onnx.Reshape %z, %t : (tensor<?x?xf32, #onnx.dims<["N", "M"]>>, tensor<2xsi64>) -> tensor<?x?xf32, #onnx.dims<["N", "M"]>>
  return %1, %2 : tensor<?x4xf32, #onnx.dims<["N", ""]>>, tensor<?x?xf32, #onnx.dims<["N", "M"]>>
}
