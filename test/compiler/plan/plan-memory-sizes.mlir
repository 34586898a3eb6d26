// RUN: burin-opt %s --plan-memory --split-input-file -verify-diagnostics | FileCheck %s

// A buffer has room for the largest size of the range; the kernel is told the actual one: of its
// input, its result, then its dims.
// CHECK-DAG: #[[PLAIN:.*]] = affine_map<()[s0, s1] -> (s1, s1, s1)>
// CHECK-DAG: #[[DOUBLED:.*]] = affine_map<()[s0, s1] -> (s1, s1 * 2)>
module {
  // CHECK: func.func @main(
  // CHECK-SAME: plan.arena_bytes = 960
  func.func @main(%x: tensor<?x4xf32> {onnx.type = tensor<?x4xf32, #onnx.dims<["n", ""]>>})
      -> tensor<?x4xf32>
      attributes {plan.dims = [#plan.range<"a", 0, 3>, #plan.range<"n", 1, 60>]} {
    %c2 = arith.constant 2 : index
    %n = plan.dim "n"
    // CHECK: plan.launch @k({{.*}} at [#plan.place<input 0, 960>, #plan.place<arena 0, 960>] extents #[[PLAIN]]
    %0 = plan.launch @k(%x) dims(%n) sizes(%n) : (tensor<?x4xf32>) -> tensor<?x4xf32>
    %n2 = arith.muli %n, %c2 : index
    // CHECK: plan.launch @twice({{.*}} at [#plan.place<arena 0, 960>, #plan.place<output 0, 1920>] extents #[[DOUBLED]]
    %1 = plan.launch @twice(%0) sizes(%n2) : (tensor<?x4xf32>) -> tensor<?x4xf32>
    return %1 : tensor<?x4xf32>
  }
  module @kernels {
    func.func private @k(tensor<?x4xf32>, tensor<?x4xf32>, index) -> tensor<?x4xf32>
    func.func private @twice(tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  }
}

// -----

module {
  func.func @main(%x: tensor<4xf32>) -> tensor<?xf32> {
    %c4 = arith.constant 4 : index
    %n = arith.shli %c4, %c4 : index
    // expected-error@+1 {{whose size has no bound this machine could hold}}
    %0 = plan.launch @k(%x) sizes(%n) : (tensor<4xf32>) -> tensor<?xf32>
    return %0 : tensor<?xf32>
  }
  module @kernels {
    func.func private @k(tensor<4xf32>, tensor<?xf32>) -> tensor<?xf32>
  }
}
