// RUN: burin-opt %s --keep-kernel-results | FileCheck %s
// RUN: burin-opt %s --keep-kernel-results --plan-memory | FileCheck %s --check-prefix=PLAN

// Each launch's result is an output, which names the launch; one that is an output already, as a
// view, takes the name. Kernels stay as they are.
// CHECK: func.func @main(%arg0: tensor<4x8xf32>) -> (tensor<32xf32> {onnx.name = "1\0Ak2\0Asecond\0Athird"}, tensor<4x8xf32> {onnx.name = "0\0Ak1\0Afirst"})
// CHECK: %[[A:.*]] = plan.launch @k1
// CHECK: %[[B:.*]] = plan.launch @k2
// CHECK: %[[VIEW:.*]] = tensor.collapse_shape %[[B]]
// CHECK: return %[[VIEW]], %[[A]]
// CHECK: func.func private @k1(tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
//
// The plan has nothing left for the arena.
// PLAN: plan.arena_bytes = 0
// PLAN: plan.launch @k1({{.*}}) at [#plan.place<input 0, 128>, #plan.place<output 1, 128>]
// PLAN: plan.launch @k2({{.*}}) at [#plan.place<output 1, 128>, #plan.place<output 0, 128>]
module {
  func.func @main(%x: tensor<4x8xf32>) -> (tensor<32xf32> {onnx.name = "y"}) {
    %0 = plan.launch @k1(%x) : (tensor<4x8xf32>) -> tensor<4x8xf32> loc("first")
    %1 = plan.launch @k2(%0) : (tensor<4x8xf32>) -> tensor<4x8xf32> loc(fused["second", "third"])
    %2 = tensor.collapse_shape %1 [[0, 1]] : tensor<4x8xf32> into tensor<32xf32>
    return %2 : tensor<32xf32>
  }
  module @kernels {
    func.func private @k1(tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
    func.func private @k2(tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  }
}
