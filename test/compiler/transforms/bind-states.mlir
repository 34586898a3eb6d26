// RUN: burin-opt %s --bind-states --split-input-file | FileCheck %s
// RUN: burin-opt %s --bind-states --canonicalize --cse --form-dispatches --resolve-sizes --canonicalize --cse --outline-kernels --plan-memory --split-input-file \
// RUN:   | FileCheck %s --check-prefix=PLAN
// RUN: burin-opt %s --pass-pipeline='builtin.module(bind-states,canonicalize,cse,form-dispatches,resolve-sizes,canonicalize,cse,outline-kernels,builtin.module(schedule-kernels,verify-kernels))' --split-input-file \
// RUN:   | FileCheck %s --check-prefix=KERNEL

// The cache has memory for 7 + 1 rows. What is new goes behind those in use, readers take slices of it:
// nothing is copied, and no kernel sees a stride that changes.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[NEW:.*]]: tensor<1x2x1x4xf32>, %[[PAST:.*]]: tensor<1x2x8x4xf32> {{.*}}plan.state = #plan.state<"present" grows 2 from "past" to affine_map<()[s0] -> (s0 + 1)>>}
// CHECK-SAME: -> (tensor<1x2x?x4xf32>, tensor<1x2x8x4xf32> {plan.state = 1 : i64})
// CHECK: %[[GROWN:.*]] = tensor.insert_slice %[[NEW]] into %[[PAST]][0, 0, %{{.*}}, 0] [1, 2, 1, 4] [1, 1, 1, 1] : tensor<1x2x1x4xf32> into tensor<1x2x8x4xf32>
// CHECK: %[[PRESENT:.*]] = tensor.extract_slice %[[GROWN]][0, 0, 0, 0] [1, 2, %{{.*}}, 4] [1, 1, 1, 1] : tensor<1x2x8x4xf32> to tensor<1x2x?x4xf32>
// CHECK: linalg.generic {{.*}} ins(%[[PRESENT]] :
// CHECK: return %{{.*}}, %[[GROWN]]

// PLAN: plan.state_bytes = 256 : i64
// PLAN-LABEL: func.func @main(
// PLAN-SAME: plan.place = #plan.place<state 0, 256>
// PLAN: %[[GROWN:.*]] = plan.launch @[[APPEND:.*]](%{{.*}}) states(%arg1 : tensor<1x2x8x4xf32>) dims(%{{.*}}) at [#plan.place<input 0, 32>, #plan.place<state 0, 256>] extents #{{.*}} : (tensor<1x2x1x4xf32>) -> tensor<1x2x8x4xf32>
// PLAN: plan.launch @{{.*}}(%[[GROWN]]) {{.*}} at [#plan.place<state 0, 256>, #plan.place<output 0, 256>]
// PLAN: return %{{.*}}, %[[GROWN]]

// KERNEL-LABEL: func.func @main(
// KERNEL: func.func @node_k0(%[[IN:.*]]: memref<1x2x1x4xf32>, %[[STATE:.*]]: memref<1x2x8x4xf32>, %[[P:.*]]: index)
// KERNEL: %[[ROW:.*]] = memref.subview %[[STATE]][0, 0, %[[P]], 0] [1, 2, 1, 4] [1, 1, 1, 1]
// KERNEL-NEXT: linalg.copy ins(%[[IN]] : {{.*}}) outs(%[[ROW]] :
// KERNEL-NEXT: return
// KERNEL: func.func @node_k1(%[[READ:.*]]: memref<1x2x8x4xf32>, %{{.*}}: memref<1x2x?x4xf32>, %{{.*}}: index
// KERNEL: memref.subview %[[READ]][0, 0, 0, 0] [1, 2, %{{.*}}, 4] [1, 1, 1, 1] : memref<1x2x8x4xf32> to memref<1x2x?x4xf32, strided<[64, 32, 4, 1]>>
#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
func.func @main(%new: tensor<1x2x1x4xf32>,
                %past: tensor<1x2x?x4xf32> {onnx.name = "past", onnx.type = tensor<1x2x?x4xf32, #onnx.dims<["", "", "past", ""]>>, plan.state = #plan.state<"present">})
    -> (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32> {plan.state = 1 : i64})
    attributes {plan.dims = [#plan.range<"past", 0, 7>]} {
  %c1 = arith.constant 1 : index
  %p = plan.dim "past"
  %n = arith.addi %p, %c1 : index
  %e = tensor.empty(%n) : tensor<1x2x?x4xf32>
  %0 = tensor.insert_slice %past into %e[0, 0, 0, 0] [1, 2, %p, 4] [1, 1, 1, 1] : tensor<1x2x?x4xf32> into tensor<1x2x?x4xf32>
  %1 = tensor.insert_slice %new into %0[0, 0, %p, 0] [1, 2, 1, 4] [1, 1, 1, 1] : tensor<1x2x1x4xf32> into tensor<1x2x?x4xf32>
  %f = tensor.empty(%n) : tensor<1x2x?x4xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%1 : tensor<1x2x?x4xf32>) outs(%f : tensor<1x2x?x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.negf %a : f32
    linalg.yield %r : f32
  } -> tensor<1x2x?x4xf32>
  return %2, %1 : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>
}

// -----

// States that do not grow: the next value lies in the arena to the end, then takes the old one's place.
// One that is another's old value is a copy, since that one is replaced, too; one that stays moves nothing.
// CHECK-LABEL: func.func @main(
// PLAN-LABEL: func.func @main(
// PLAN-SAME: plan.place = #plan.place<state 0, 400>{{.*}}plan.place = #plan.place<state 448, 400>{{.*}}plan.place = #plan.place<state 896, 12>
// PLAN-SAME: plan.commits = {{\[}}[#plan.place<arena [[H:[0-9]+]], 400>, #plan.place<state 0, 400>], [#plan.place<arena [[C:[0-9]+]], 400>, #plan.place<state 448, 400>]]
// PLAN: plan.launch {{.*}} at [#plan.place<state 0, 400>, #plan.place<input 0, 400>, #plan.place<arena [[H]], 400>]
// PLAN: plan.launch {{.*}} at [#plan.place<arena [[H]], 400>, #plan.place<output 0, 400>]
// PLAN: plan.launch {{.*}} at [#plan.place<state 0, 400>, #plan.place<arena [[C]], 400>]
// KERNEL-LABEL: func.func @main(
#v = affine_map<(d0) -> (d0)>
func.func @main(%h: tensor<100xf32> {plan.state = #plan.state<"hn">}, %x: tensor<100xf32>,
                %c: tensor<100xf32> {plan.state = #plan.state<"cn">},
                %k: tensor<3xf32> {plan.state = #plan.state<"kn">})
    -> (tensor<100xf32> {plan.state = 0 : i64}, tensor<100xf32>, tensor<100xf32> {plan.state = 2 : i64},
        tensor<3xf32> {plan.state = 3 : i64}) {
  %e = tensor.empty() : tensor<100xf32>
  %0 = linalg.generic {indexing_maps = [#v, #v, #v], iterator_types = ["parallel"]}
      ins(%h, %x : tensor<100xf32>, tensor<100xf32>) outs(%e : tensor<100xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<100xf32>
  %1 = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]}
      ins(%0 : tensor<100xf32>) outs(%e : tensor<100xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<100xf32>
  return %0, %1, %h, %k : tensor<100xf32>, tensor<100xf32>, tensor<100xf32>, tensor<3xf32>
}

// -----

// A loop that starts with a state which does not grow reads it, and writes its next value elsewhere.
// PLAN-LABEL: func.func @main(
// PLAN-SAME: plan.commits = {{\[}}[#plan.place<arena [[S:[0-9]+]], 16>, #plan.place<state 0, 16>]]
// PLAN: plan.launch @{{[^(]*}}(%arg0, %arg1) at [#plan.place<state 0, 16>, #plan.place<input 0, 16>, #plan.place<arena [[S]], 16>]
// KERNEL: func.func @{{.*}}_k0(%[[STATE:.*]]: memref<4xf32>, %{{.*}}: memref<4xf32>, %[[NEXT:.*]]: memref<4xf32>)
// KERNEL: %[[OWN:.*]] = memref.alloc
// KERNEL: linalg.copy ins(%[[STATE]] : {{.*}}) outs(%[[OWN]]
// KERNEL: scf.for
// KERNEL: linalg.copy ins(%[[OWN]] : {{.*}}) outs(%[[NEXT]]
#s = affine_map<(d0) -> (d0)>
func.func @main(%s0: tensor<4xf32> {plan.state = #plan.state<"sn">}, %x: tensor<4xf32>)
    -> (tensor<4xf32> {plan.state = 0 : i64}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %0 = scf.for %i = %c0 to %c5 step %c1 iter_args(%s = %s0) -> (tensor<4xf32>) {
    %e = tensor.empty() : tensor<4xf32>
    %1 = linalg.generic {indexing_maps = [#s, #s, #s], iterator_types = ["parallel"]}
        ins(%s, %x : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %r = arith.addf %a, %b : f32
      linalg.yield %r : f32
    } -> tensor<4xf32>
    %2 = bufferization.materialize_in_destination %1 in %s : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    scf.yield %2 : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}
