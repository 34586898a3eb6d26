// RUN: burin-opt %s --split-input-file --group-launches="run-us=20 alone-us=4 launch-us=200" | FileCheck %s
// RUN: burin-opt %s --split-input-file --group-launches="run-us=20 alone-us=4 launch-us=200" --plan-memory --bound-threads="run-us=20 launch-us=4" | FileCheck %s --check-prefix=PLAN

// Two branches of two products each, of 7 us: those that are first in them are a group, as are the seconds. What they read
// through a view moves with them. The sum waits for both.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: %[[A:.*]] = plan.launch @product(%[[X:.*]], %[[X]]) {plan.group = 0 : i64}
// CHECK-NEXT: %[[C:.*]] = plan.launch @product(%[[X]], %[[Y:.*]]) {plan.group = 0 : i64}
// CHECK-NEXT: %[[B:.*]] = plan.launch @product(%[[A]], %[[X]]) {plan.group = 1 : i64}
// CHECK-NEXT: %[[FLAT:.*]] = tensor.collapse_shape %[[C]]
// CHECK-NEXT: %[[AGAIN:.*]] = tensor.expand_shape %[[FLAT]]
// CHECK-NEXT: %[[D:.*]] = plan.launch @product(%[[AGAIN]], %[[X]]) {plan.group = 1 : i64}
// CHECK-NEXT: plan.launch @sum(%[[A]], %[[B]], %[[C]], %[[D]]) :

// All of a group are alive at once: nobody's result takes the place of what another reads. The time of each is told for
// their shares.
// PLAN-LABEL: func.func @main
// PLAN-SAME: plan.live_bytes = 65536
// PLAN: plan.launch @product({{.*}} at [{{.*}}, {{.*}}, #plan.place<arena [[A:[0-9]+]], 16384>] {plan.group = 0 : i64, plan.ns = {{[0-9]+}} : i64}
// PLAN-NOT: arena [[A]], 16384>] {plan.group = 0
// PLAN: plan.group = 1
#a = affine_map<(i, j, k) -> (i, k)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>
#id = affine_map<(i, j) -> (i, j)>
func.func @main(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %0 = plan.launch @product(%x, %x) : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  %1 = plan.launch @product(%0, %x) : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  %2 = plan.launch @product(%x, %y) : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  %flat = tensor.collapse_shape %2 [[0, 1]] : tensor<64x64xf32> into tensor<4096xf32>
  %again = tensor.expand_shape %flat [[0, 1]] output_shape [64, 64] : tensor<4096xf32> into tensor<64x64xf32>
  %3 = plan.launch @product(%again, %x) : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  %4 = plan.launch @sum(%0, %1, %2, %3) : (tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  return %4 : tensor<64x64xf32>
}
module @kernels {
  func.func @sum(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>, %z: tensor<64x64xf32>, %w: tensor<64x64xf32>, %o: tensor<64x64xf32>) -> tensor<64x64xf32> attributes {plan.kernel} {
    %0 = linalg.generic {indexing_maps = [#id, #id, #id, #id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%x, %y, %z, %w : tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>) outs(%o : tensor<64x64xf32>) {
    ^bb0(%p: f32, %q: f32, %r: f32, %s: f32, %t: f32):
      %1 = arith.addf %p, %q : f32
      %2 = arith.addf %r, %s : f32
      %3 = arith.addf %1, %2 : f32
      linalg.yield %3 : f32
    } -> tensor<64x64xf32>
    return %0 : tensor<64x64xf32>
  }
  func.func @product(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>, %o: tensor<64x64xf32>) -> tensor<64x64xf32> attributes {plan.kernel} {
    %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%x, %y : tensor<64x64xf32>, tensor<64x64xf32>) outs(%o : tensor<64x64xf32>) {
    ^bb0(%p: f32, %q: f32, %sum: f32):
      %1 = math.fma %p, %q, %sum : f32
      linalg.yield %1 : f32
    } -> tensor<64x64xf32>
    return %0 : tensor<64x64xf32>
  }
}

// -----

// A launch of more than 200 us has tasks enough; a kernel that checks its data stays alone, so that its errors have one place.
// CHECK-LABEL: func.func @main
// CHECK-NOT: plan.group
// CHECK-LABEL: module @kernels
#a = affine_map<(i, j, k) -> (i, k)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>
func.func @main(%x: tensor<256x256xf32>, %y: tensor<64xf32>) -> (tensor<256x256xf32>, tensor<256x256xf32>, tensor<64xf32>, tensor<64xf32>) {
  %0 = plan.launch @product(%x, %x) : (tensor<256x256xf32>, tensor<256x256xf32>) -> tensor<256x256xf32>
  %1 = plan.launch @product(%x, %x) : (tensor<256x256xf32>, tensor<256x256xf32>) -> tensor<256x256xf32>
  %2 = plan.launch @checked(%y) : (tensor<64xf32>) -> tensor<64xf32>
  %3 = plan.launch @checked(%y) : (tensor<64xf32>) -> tensor<64xf32>
  return %0, %1, %2, %3 : tensor<256x256xf32>, tensor<256x256xf32>, tensor<64xf32>, tensor<64xf32>
}
module @kernels {
  func.func @product(%x: tensor<256x256xf32>, %y: tensor<256x256xf32>, %o: tensor<256x256xf32>) -> tensor<256x256xf32> attributes {plan.kernel} {
    %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%x, %y : tensor<256x256xf32>, tensor<256x256xf32>) outs(%o : tensor<256x256xf32>) {
    ^bb0(%p: f32, %q: f32, %sum: f32):
      %1 = math.fma %p, %q, %sum : f32
      linalg.yield %1 : f32
    } -> tensor<256x256xf32>
    return %0 : tensor<256x256xf32>
  }
  func.func @checked(%x: tensor<64xf32>, %o: tensor<64xf32>) -> tensor<64xf32> attributes {plan.kernel} {
    %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
        ins(%x : tensor<64xf32>) outs(%o : tensor<64xf32>) {
    ^bb0(%p: f32, %q: f32):
      %zero = arith.constant 0.0 : f32
      %detail = arith.constant 0 : i64
      %ok = arith.cmpf oge, %p, %zero : f32
      plan.check %ok, 9, %detail
      linalg.yield %p : f32
    } -> tensor<64xf32>
    return %0 : tensor<64xf32>
  }
}

// -----

// One behind the other two large tensors are alive, side by side three would be: what moves up would keep its result. Nothing
// moves. (A result that is an output is the caller's memory, and the small one costs nothing.)
// CHECK-LABEL: func.func @main
// CHECK: plan.launch @grow
// CHECK-SAME: -> tensor<4096x16xf32>
// CHECK-NEXT: plan.launch @sum
// CHECK-NEXT: plan.launch @grow
// CHECK-NEXT: plan.launch @sum
// CHECK-NOT: plan.group
// CHECK-LABEL: module @kernels
#row = affine_map<(i, j) -> (i)>
#all = affine_map<(i, j) -> (i, j)>
func.func @main(%x: tensor<4096xf32>, %y: tensor<4096xf32>) -> (tensor<4096xf32>, tensor<4096xf32>) {
  %0 = plan.launch @grow(%x) : (tensor<4096xf32>) -> tensor<4096x16xf32>
  %1 = plan.launch @sum(%0) : (tensor<4096x16xf32>) -> tensor<4096xf32>
  %2 = plan.launch @grow(%y) : (tensor<4096xf32>) -> tensor<4096x16xf32>
  %3 = plan.launch @sum(%2) : (tensor<4096x16xf32>) -> tensor<4096xf32>
  return %1, %3 : tensor<4096xf32>, tensor<4096xf32>
}
module @kernels {
  func.func @grow(%x: tensor<4096xf32>, %o: tensor<4096x16xf32>) -> tensor<4096x16xf32> attributes {plan.kernel} {
    %0 = linalg.generic {indexing_maps = [#row, #all], iterator_types = ["parallel", "parallel"]}
        ins(%x : tensor<4096xf32>) outs(%o : tensor<4096x16xf32>) {
    ^bb0(%p: f32, %q: f32):
      %1 = math.exp %p : f32
      linalg.yield %1 : f32
    } -> tensor<4096x16xf32>
    return %0 : tensor<4096x16xf32>
  }
  func.func @sum(%x: tensor<4096x16xf32>, %o: tensor<4096xf32>) -> tensor<4096xf32> attributes {plan.kernel} {
    %zero = arith.constant 0.0 : f32
    %f = linalg.fill ins(%zero : f32) outs(%o : tensor<4096xf32>) -> tensor<4096xf32>
    %0 = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]}
        ins(%x : tensor<4096x16xf32>) outs(%f : tensor<4096xf32>) {
    ^bb0(%p: f32, %q: f32):
      %1 = arith.addf %p, %q : f32
      linalg.yield %1 : f32
    } -> tensor<4096xf32>
    return %0 : tensor<4096xf32>
  }
}
