// RUN: burin-opt %s | burin-opt | FileCheck %s

// CHECK-LABEL: func.func @dispatch
// CHECK: "plan.dispatch"(%{{.*}}, %{{.*}}, %{{.*}}) <{operandSegmentSizes = array<i32: 1, 1, 1>}> ({
// CHECK: ^bb0(%{{.*}}: tensor<?xf32>, %{{.*}}: index, %[[OUT:.*]]: tensor<?xf32>):
// CHECK: plan.return %[[OUT]] : tensor<?xf32>
func.func @dispatch(%x: tensor<?xf32>, %n: index, %o: tensor<?xf32>) -> tensor<?xf32> {
  %0 = "plan.dispatch"(%x, %n, %o) <{operandSegmentSizes = array<i32: 1, 1, 1>}> ({
  ^bb0(%a: tensor<?xf32>, %size: index, %out: tensor<?xf32>):
    plan.return %out : tensor<?xf32>
  }) : (tensor<?xf32>, index, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// CHECK-LABEL: func.func @constants
// CHECK: plan.constant dense<[1, 2]> : tensor<2xi8>
// CHECK: plan.constant {offset = 64 : i64} #plan.weight<"model", 128, 24> : tensor<2x3xf32>
// CHECK: plan.constant #plan.weight<"w.bin", 0, 24, <[2, 3] permute{{ ?}}[1, 0]>> : tensor<3x2xf32>
// CHECK: plan.constant #plan.weight<"w.bin", 0, 240, <[3, 20] permute{{ ?}}[1, 0] panel 16>> : tensor<2x3x16xf32>
// CHECK: plan.constant #plan.weight<"w.bin", 0, 480, <[2, 3, 20] permute{{ ?}}[0, 2, 1] leading 1 panel 16>> : tensor<2x2x3x16xf32>
func.func @constants() {
  %0 = plan.constant dense<[1, 2]> : tensor<2xi8>
  %1 = plan.constant {offset = 64 : i64} #plan.weight<"model", 128, 24> : tensor<2x3xf32>
  %2 = plan.constant #plan.weight<"w.bin", 0, 24, <[2, 3] permute [1, 0]>> : tensor<3x2xf32>
  %3 = plan.constant #plan.weight<"w.bin", 0, 240, <[3, 20] permute [1, 0] panel 16>> : tensor<2x3x16xf32>
  %4 = plan.constant #plan.weight<"w.bin", 0, 480, <[2, 3, 20] permute [0, 2, 1] leading 1 panel 16>> : tensor<2x2x3x16xf32>
  return
}

// CHECK-LABEL: func.func @check
// CHECK: plan.check %{{.*}}, 6, %{{.*}}
func.func @check(%ok: i1, %detail: i64) {
  plan.check %ok, 6, %detail
  return
}

// CHECK-LABEL: func.func @main
// CHECK: %[[N:.*]] = plan.dim "n"
// CHECK: plan.launch @k(%{{.*}}) dims(%{{.*}}) sizes(%[[N]]) : (tensor<?xf32>) -> tensor<?xf32>
// CHECK: plan.launch @k(%{{.*}}) dims(%{{.*}}) sizes(%[[N]]) extents #{{.*}} : (tensor<?xf32>) -> tensor<?xf32>
// CHECK: plan.launch @fixed(%{{.*}}) at [#plan.place<input 0, 32>, #plan.place<arena 64, 32>] : (tensor<8xf32>) -> tensor<8xf32>
// CHECK: plan.launch @buffers(%{{.*}}) at [#plan.place<arena 64, 32>, #plan.place<output 0, 32>]
// CHECK: plan.launch @done(%{{.*}}) at [#plan.place<weights 0, 32>, #plan.place<output 1, 32>]
func.func @main(%x: tensor<?xf32>, %n: index, %y: tensor<8xf32>) {
  %d = plan.dim "n"
  %0 = plan.launch @k(%x) dims(%n) sizes(%d) : (tensor<?xf32>) -> tensor<?xf32>
  %e = plan.launch @k(%0) dims(%n) sizes(%d) extents affine_map<()[s0] -> (s0, s0, s0 * 2)>
      : (tensor<?xf32>) -> tensor<?xf32>
  %1 = plan.launch @fixed(%y) at [#plan.place<input 0, 32>, #plan.place<arena 64, 32>]
      : (tensor<8xf32>) -> tensor<8xf32>
  %2 = plan.launch @buffers(%1) at [#plan.place<arena 64, 32>, #plan.place<output 0, 32>]
      : (tensor<8xf32>) -> tensor<8xf32>
  %3 = plan.launch @done(%y) at [#plan.place<weights 0, 32>, #plan.place<output 1, 32>]
      : (tensor<8xf32>) -> tensor<8xf32>
  return
}

// A launch keeps its types while the target's phases change those of its kernel.
module @kernels {
  func.func private @k(tensor<?xf32>, tensor<?xf32>, index) -> tensor<?xf32>
  func.func private @fixed(tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  func.func private @buffers(memref<8xf32>, memref<8xf32>)
  func.func private @done(!llvm.ptr, i32, i32, !llvm.ptr) attributes {plan.tasks = affine_map<() -> ()>}
}
