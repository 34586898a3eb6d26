// RUN: burin-opt %s --form-dispatches --outline-kernels | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#turned = affine_map<(d0, d1) -> (d1, d0)>

// Equal dispatches are launches of one kernel, named after the first node that needs
// it; its arguments are inputs, then destinations.
// CHECK-LABEL: func.func @main
// CHECK: %[[A:.*]] = plan.launch @neg_a_k0(%{{.*}}) : (tensor<128x128xf32>) -> tensor<128x128xf32>
// CHECK: %[[B:.*]] = plan.launch @exp_k1(%[[A]])
// CHECK: tensor.collapse_shape %[[B]]
// CHECK: plan.launch @neg_a_k0(%{{.*}})
// CHECK-NOT: tensor.empty
// CHECK: module @kernels
// CHECK: func.func @neg_a_k0(%[[IN:.*]]: tensor<128x128xf32>, %[[OUT:.*]]: tensor<128x128xf32>) -> tensor<128x128xf32> attributes {plan.kernel}
// CHECK: ins(%[[IN]] : tensor<128x128xf32>) outs(%[[OUT]] : tensor<128x128xf32>)
// CHECK: func.func @exp_k1
// CHECK-NOT: func.func
func.func @main(%x: tensor<128x128xf32>) -> tensor<128x128xf32> {
  %e = tensor.empty() : tensor<128x128xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<128x128xf32>) outs(%e : tensor<128x128xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.negf %a : f32
    linalg.yield %r : f32
  } -> tensor<128x128xf32> loc("/neg:a")
  %1 = linalg.generic {indexing_maps = [#turned, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<128x128xf32>) outs(%e : tensor<128x128xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<128x128xf32> loc("exp")
  %t = tensor.collapse_shape %1 [[0, 1]] : tensor<128x128xf32> into tensor<16384xf32>
  %v = tensor.expand_shape %t [[0, 1]] output_shape [128, 128] : tensor<16384xf32> into tensor<128x128xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%v : tensor<128x128xf32>) outs(%e : tensor<128x128xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.negf %a : f32
    linalg.yield %r : f32
  } -> tensor<128x128xf32> loc("neg:b")
  return %2 : tensor<128x128xf32>
}
