// RUN: burin-opt %s --plan-memory | FileCheck %s

// The sum takes the place of the larger input, whose last reader it is; the row that is
// read for every element stays, and so does what is read again later.

#id = affine_map<(d0, d1) -> (d0, d1)>

// CHECK: @main({{.*}} attributes {plan.arena_bytes = 4160 : i64, plan.live_bytes = 4160 : i64, plan.live_set = [#plan.live<"", tensor<32x32xf32>, 4096>, #plan.live<"", tensor<16xf32>, 64>]}
func.func @main(%x: tensor<32x32xf32>) -> tensor<32x32xf32> {
  // CHECK: %[[A:.*]] = plan.launch @twice({{.*}}) at [#plan.place<input 0, 4096>, #plan.place<arena [[AT:.*]], 4096>]
  %a = plan.launch @twice(%x) : (tensor<32x32xf32>) -> tensor<32x32xf32>
  // CHECK: plan.launch @first_row({{.*}}) at [#plan.place<arena [[AT]], 4096>, #plan.place<arena [[ROW:.*]], 64>]
  %r = plan.launch @first_row(%a) : (tensor<32x32xf32>) -> tensor<16xf32>
  // CHECK: plan.launch @add_row({{.*}}) at [#plan.place<arena [[AT]], 4096>, #plan.place<arena [[ROW]], 64>, #plan.place<arena [[AT]], 4096>]
  %s = plan.launch @add_row(%a, %r) : (tensor<32x32xf32>, tensor<16xf32>) -> tensor<32x32xf32>
  // CHECK: plan.launch @twice({{.*}}) at [#plan.place<arena [[AT]], 4096>, #plan.place<output 0, 4096>]
  %y = plan.launch @twice(%s) : (tensor<32x32xf32>) -> tensor<32x32xf32>
  return %y : tensor<32x32xf32>
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
  func.func @first_row(%x: tensor<32x32xf32>, %o: tensor<16xf32>) -> tensor<16xf32> attributes {plan.kernel} {
    %c0 = arith.constant 0 : index
    %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
        outs(%o : tensor<16xf32>) {
    ^bb0(%out: f32):
      %i = linalg.index 0 : index
      %z = tensor.extract %x[%c0, %i] : tensor<32x32xf32>
      linalg.yield %z : f32
    } -> tensor<16xf32>
    return %y : tensor<16xf32>
  }
  func.func @add_row(%x: tensor<32x32xf32>, %r: tensor<16xf32>, %o: tensor<32x32xf32>) -> tensor<32x32xf32> attributes {plan.kernel} {
    %c16 = arith.constant 16 : index
    %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%x : tensor<32x32xf32>) outs(%o : tensor<32x32xf32>) {
    ^bb0(%in: f32, %out: f32):
      %j = linalg.index 1 : index
      %k = arith.remui %j, %c16 : index
      %b = tensor.extract %r[%k] : tensor<16xf32>
      %z = arith.addf %in, %b : f32
      linalg.yield %z : f32
    } -> tensor<32x32xf32>
    return %y : tensor<32x32xf32>
  }
}
