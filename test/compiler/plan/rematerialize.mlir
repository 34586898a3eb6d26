// RUN: burin-opt %s --rematerialize="max-bytes=12288" 2>/dev/null | FileCheck %s
// RUN: burin-opt %s --rematerialize="max-bytes=12288" 2>&1 >/dev/null | FileCheck %s --check-prefix=SAYS
// RUN: burin-opt %s --rematerialize="max-bytes=16384" --plan-memory | FileCheck %s --check-prefix=FITS

// %e is kept over the launch of @wide, where 4,096 + 4,096 + 8,192 bytes would be alive, and read by the last. It
// is made again from the input; its view, too. With room for it nothing changes.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: tensor<32x32xf32>
// CHECK: %[[E:.*]] = plan.launch @twice(%[[X]]) :
// CHECK: plan.launch @sum(%[[E]])
// CHECK: plan.launch @wide
// CHECK: plan.launch @narrow
// CHECK: %[[AGAIN:.*]] = plan.launch @twice(%[[X]]) {plan.again = 4096 : i64} :
// CHECK: %[[VIEW:.*]] = tensor.collapse_shape %[[AGAIN]]
// CHECK: plan.launch @last(%{{.*}}, %[[VIEW]])
// SAYS: [[#@LINE+5]]:{{[0-9]+}}: remark: is computed again where it is read late: 4096 bytes less of 16384
// FITS-NOT: plan.again

#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @main(%x: tensor<32x32xf32>) -> tensor<1024xf32> {
  %e = plan.launch @twice(%x) : (tensor<32x32xf32>) -> tensor<32x32xf32>
  %f = tensor.collapse_shape %e [[0, 1]] : tensor<32x32xf32> into tensor<1024xf32>
  %a = plan.launch @sum(%e) : (tensor<32x32xf32>) -> tensor<32x32xf32>
  %b = plan.launch @wide(%a) : (tensor<32x32xf32>) -> tensor<64x32xf32>
  %c = plan.launch @narrow(%b) : (tensor<64x32xf32>) -> tensor<16xf32>
  %y = plan.launch @last(%c, %f) : (tensor<16xf32>, tensor<1024xf32>) -> tensor<1024xf32>
  return %y : tensor<1024xf32>
}

module @kernels {
  func.func @twice(%x: tensor<32x32xf32>, %o: tensor<32x32xf32>) -> tensor<32x32xf32> attributes {plan.kernel} {
    %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%x : tensor<32x32xf32>) outs(%o : tensor<32x32xf32>) {
    ^bb0(%in: f32, %out: f32):
      %z = arith.addf %in, %in : f32
      linalg.yield %z : f32
    } -> tensor<32x32xf32>
    return %y : tensor<32x32xf32>
  }
  func.func private @sum(tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
  func.func private @wide(tensor<32x32xf32>, tensor<64x32xf32>) -> tensor<64x32xf32>
  func.func private @narrow(tensor<64x32xf32>, tensor<16xf32>) -> tensor<16xf32>
  func.func private @last(tensor<16xf32>, tensor<1024xf32>, tensor<1024xf32>) -> tensor<1024xf32>
}
