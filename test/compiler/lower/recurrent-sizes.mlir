// RUN: burin-opt %s --lower-onnx --resolve-sizes | FileCheck %s

// Steps and sequences change from run to run: the input's part is one contraction still, states have
// places of the sequences' number, and the loop runs as often as there are steps.
// CHECK-LABEL: func.func @lstm
// CHECK-DAG: %[[B:.*]] = plan.dim "B"
// CHECK-DAG: %[[S:.*]] = plan.dim "S"
// CHECK-DAG: %[[ALL:.*]] = tensor.empty(%[[S]], %[[B]]) : tensor<1x?x4x?x8xf32>
// CHECK: kern.contract
// CHECK-SAME: outs(%[[ALL]] : tensor<1x?x4x?x8xf32>)
// CHECK: %[[Y:.*]] = tensor.empty(%[[S]], %[[B]]) : tensor<?x1x?x8xf32>
// CHECK: scf.for %[[STEP:.*]] = %{{.*}} to %[[S]] step %{{.*}} iter_args(%[[H:.*]] = %{{.*}}, %[[C:.*]] = %{{.*}}, %{{.*}} = %[[Y]])
// CHECK: tensor.extract_slice %{{.*}}[0, %[[STEP]], 0, 0, 0] [1, 1, 4, %[[B]], 8]
// CHECK-NOT: tensor.dim
// CHECK: kern.contract
// CHECK-SAME: outs(%{{.*}} : tensor<1x4x?x8xf32>)
// CHECK: bufferization.materialize_in_destination %{{.*}} in %[[H]]
// CHECK: bufferization.materialize_in_destination %{{.*}} in %[[C]]
// CHECK: tensor.insert_slice
module attributes {onnx.dim_ranges = {B = array<i64: 1, 5>, S = array<i64: 1, 30>}} {
  func.func @lstm(%x: tensor<?x?x3xf32, #onnx.dims<["S", "B", ""]>>, %w: tensor<1x32x3xf32>,
                  %r: tensor<1x32x8xf32>)
      -> (tensor<?x1x?x8xf32, #onnx.dims<["S", "", "B", ""]>>,
          tensor<1x?x8xf32, #onnx.dims<["", "B", ""]>>) {
    %n = onnx.None
    %0:3 = "onnx.LSTM"(%x, %w, %r, %n, %n, %n, %n, %n) {hidden_size = 8 : i64}
        : (tensor<?x?x3xf32, #onnx.dims<["S", "B", ""]>>, tensor<1x32x3xf32>, tensor<1x32x8xf32>,
           none, none, none, none, none)
        -> (tensor<?x1x?x8xf32, #onnx.dims<["S", "", "B", ""]>>,
            tensor<1x?x8xf32, #onnx.dims<["", "B", ""]>>, none)
    return %0#0, %0#1 : tensor<?x1x?x8xf32, #onnx.dims<["S", "", "B", ""]>>,
        tensor<1x?x8xf32, #onnx.dims<["", "B", ""]>>
  }
}
