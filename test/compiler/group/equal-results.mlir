// RUN: burin-opt %s --form-dispatches --cse --outline-kernels | FileCheck %s

// Two results that are the same copy are two places, each written by a launch.
// CHECK-LABEL: func.func @main
// CHECK: %[[A:.*]] = plan.launch @copy_k0(%arg0)
// CHECK: %[[B:.*]] = plan.launch @copy_k0(%arg0)
// CHECK: %[[V:.*]] = tensor.collapse_shape %[[B]]
// CHECK: return %[[A]], %[[V]]
#copied = affine_map<(d0, d1) -> (d0, d1)>
func.func @main(%x: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<8xf32>) {
  %e = tensor.empty() : tensor<2x4xf32>
  %0 = linalg.generic {indexing_maps = [#copied, #copied], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<2x4xf32> loc("copy")
  %1 = linalg.generic {indexing_maps = [#copied, #copied], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<2x4xf32> loc("copy")
  %v = tensor.collapse_shape %1 [[0, 1]] : tensor<2x4xf32> into tensor<8xf32>
  return %0, %v : tensor<2x4xf32>, tensor<8xf32>
}
