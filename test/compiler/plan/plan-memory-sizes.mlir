// RUN: burin-opt %s --plan-memory --split-input-file -verify-diagnostics | FileCheck %s

// A buffer has room for the largest size of the range; the kernel is told the actual one: of its
// input, its result, then its dims.
// CHECK-DAG: #[[PLAIN:.*]] = affine_map<()[s0, s1] -> (s1, s1, s1)>
// CHECK-DAG: #[[DOUBLED:.*]] = affine_map<()[s0, s1] -> (s1, s1 * 2)>
module {
  // CHECK: func.func @main(
  // CHECK-SAME: plan.arena_bytes = 960
  // CHECK-SAME: plan.live_formula = ["16 * n"]
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

// -----

// A count is read before the next launch writes, and not overwritten until then.
// CHECK: #[[MEASURED:.*]] = affine_map<()[s0] -> (s0)>
module {
  func.func @main(%x: tensor<8xf32>) -> (tensor<?xf32>, tensor<8xf32>)
      attributes {plan.dims = [#plan.range<"found", 0, 8>]} {
    // CHECK: plan.launch @count({{.*}} at [#plan.place<input 0, 32>, #plan.place<arena 64, 8>]
    %0 = plan.launch @count(%x) : (tensor<8xf32>) -> tensor<i64>
    // CHECK: plan.launch @other({{.*}} at [#plan.place<input 0, 32>, #plan.place<arena 0, 32>]
    %1 = plan.launch @other(%x) : (tensor<8xf32>) -> tensor<8xf32>
    // CHECK: plan.measure "found" from %{{.*}} at <arena 64, 8>
    %n = plan.measure "found" from %0 : tensor<i64>
    // CHECK: plan.launch @take({{.*}} at [#plan.place<arena 0, 32>, #plan.place<output 0, 32>] extents #[[MEASURED]]
    %2 = plan.launch @take(%1) sizes(%n) : (tensor<8xf32>) -> tensor<?xf32>
    %3 = plan.launch @other(%1) : (tensor<8xf32>) -> tensor<8xf32>
    return %2, %3 : tensor<?xf32>, tensor<8xf32>
  }
  module @kernels {
    func.func private @count(tensor<8xf32>, tensor<i64>) -> tensor<i64>
    func.func private @other(tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
    func.func private @take(tensor<8xf32>, tensor<?xf32>) -> tensor<?xf32>
  }
}

// -----

// What is alive at once, over the dims: without the sum that another one is never below.
module {
  // CHECK: func.func @main(
  // CHECK-SAME: plan.live_formula = ["4 * n * n + 20 * n", "20 * n + 512"]
  func.func @main(%x: tensor<?x2xf32> {onnx.type = tensor<?x2xf32, #onnx.dims<["n", ""]>>}) -> tensor<?x3xf32>
      attributes {plan.dims = [#plan.range<"n", 1, 60>]} {
    %n = plan.dim "n"
    %0 = plan.launch @small(%x) sizes(%n) : (tensor<?x2xf32>) -> tensor<?x2xf32>
    %1 = plan.launch @square(%0) sizes(%n, %n) : (tensor<?x2xf32>) -> tensor<?x?xf32>
    %2 = plan.launch @wide(%1) sizes(%n) : (tensor<?x?xf32>) -> tensor<?x5xf32>
    %3 = plan.launch @fixed(%2) : (tensor<?x5xf32>) -> tensor<128xf32>
    %4 = plan.launch @last(%3, %2) sizes(%n) : (tensor<128xf32>, tensor<?x5xf32>) -> tensor<?x3xf32>
    return %4 : tensor<?x3xf32>
  }
  module @kernels {
    func.func private @small(tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
    func.func private @square(tensor<?x2xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
    func.func private @wide(tensor<?x?xf32>, tensor<?x5xf32>) -> tensor<?x5xf32>
    func.func private @fixed(tensor<?x5xf32>, tensor<128xf32>) -> tensor<128xf32>
    func.func private @last(tensor<128xf32>, tensor<?x5xf32>, tensor<?x3xf32>) -> tensor<?x3xf32>
  }
}
