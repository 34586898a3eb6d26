// RUN: burin-opt %s --lower-onnx --resolve-sizes --cse --split-input-file | FileCheck %s

// A state whose rows change from run to run, in as many rounds as a size says: slots for all of
// them, the data checked against that.
// CHECK-LABEL: func.func @rounds
// CHECK-DAG: %[[B:.*]] = plan.dim "B"
// CHECK-DAG: %[[S:.*]] = plan.dim "S"
// CHECK-DAG: %[[ALL:.*]] = tensor.empty(%[[S]], %[[B]]) : tensor<?x?x4xf32>
// CHECK: scf.while (%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} = %[[ALL]])
// CHECK: plan.check
// CHECK: ^bb0(%[[TRIP:.*]]: index, %{{.*}}: tensor<i8>, %[[H:.*]]: tensor<?x4xf32>
// CHECK: linalg.generic
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[%[[TRIP]], 0, 0] [1, %[[B]], 4]
// CHECK: bufferization.materialize_in_destination %{{.*}} in %[[H]]
module attributes {onnx.dim_ranges = {B = array<i64: 1, 5>, S = array<i64: 1, 30>}} {
  func.func @rounds(%x: tensor<?xf32, #onnx.dims<["S"]>>, %h: tensor<?x4xf32, #onnx.dims<["B", ""]>>)
      -> (tensor<?x4xf32, #onnx.dims<["B", ""]>>, tensor<?x?x4xf32, #onnx.dims<["S", "B", ""]>>) {
    %n = onnx.None
    %m = "onnx.Shape"(%x) {start = 0 : i64} : (tensor<?xf32, #onnx.dims<["S"]>>) -> tensor<1xsi64>
    %0:2 = "onnx.Loop"(%m, %n, %h) ({
    ^bb0(%i: tensor<si64>, %c: tensor<i1>, %s: tensor<?x4xf32, #onnx.dims<["B", ""]>>):
      %1 = "onnx.Add"(%s, %s) : (tensor<?x4xf32, #onnx.dims<["B", ""]>>,
                                 tensor<?x4xf32, #onnx.dims<["B", ""]>>) -> tensor<?x4xf32, #onnx.dims<["B", ""]>>
      onnx.Yield %c, %1, %1 : tensor<i1>, tensor<?x4xf32, #onnx.dims<["B", ""]>>,
          tensor<?x4xf32, #onnx.dims<["B", ""]>>
    }) : (tensor<1xsi64>, none, tensor<?x4xf32, #onnx.dims<["B", ""]>>)
        -> (tensor<?x4xf32, #onnx.dims<["B", ""]>>, tensor<?x?x4xf32, #onnx.dims<["S", "B", ""]>>)
    return %0#0, %0#1 : tensor<?x4xf32, #onnx.dims<["B", ""]>>,
        tensor<?x?x4xf32, #onnx.dims<["S", "B", ""]>>
  }
}

// -----

// Both branches end in memory of the size that the model names; who asks for it asks no branch.
// CHECK-LABEL: func.func @branch
// CHECK: %[[B:.*]] = plan.dim "B"
// CHECK: %[[R:.*]] = scf.execute_region -> tensor<?x4xf32> no_inline
// CHECK: bufferization.alloc_tensor(%[[B]]) : tensor<?x4xf32>
// CHECK-NOT: tensor.dim
// CHECK: tensor.empty(%[[B]]) : tensor<?x4xf32>
// CHECK-NOT: tensor.dim
module attributes {onnx.dim_ranges = {B = array<i64: 1, 5>}} {
  func.func @branch(%c: tensor<i1>, %x: tensor<?x4xf32, #onnx.dims<["B", ""]>>)
      -> tensor<?x4xf32, #onnx.dims<["B", ""]>> {
    %0 = "onnx.If"(%c) ({
      %1 = "onnx.Mul"(%x, %x) : (tensor<?x4xf32, #onnx.dims<["B", ""]>>,
                                 tensor<?x4xf32, #onnx.dims<["B", ""]>>) -> tensor<?x4xf32, #onnx.dims<["B", ""]>>
      onnx.Yield %1 : tensor<?x4xf32, #onnx.dims<["B", ""]>>
    }, {
      onnx.Yield %x : tensor<?x4xf32, #onnx.dims<["B", ""]>>
    }) : (tensor<i1>) -> tensor<?x4xf32, #onnx.dims<["B", ""]>>
    %2 = "onnx.Exp"(%0) : (tensor<?x4xf32, #onnx.dims<["B", ""]>>) -> tensor<?x4xf32, #onnx.dims<["B", ""]>>
    return %2 : tensor<?x4xf32, #onnx.dims<["B", ""]>>
  }
}
