// RUN: burin-opt %s --plan-memory | FileCheck %s

// %0 lives until the second launch, so %1 lies after it; %2 takes %0's place. Inputs and
// outputs are the caller's. Equal constants share their bytes; offsets are
// multiples of 64.
// CHECK: module attributes {plan.weights_bytes = 128 : i64}
// CHECK: func.func @main({{.*}} attributes {plan.arena_bytes = 576 : i64, plan.live_bytes = 576 : i64, plan.live_set = [#plan.live<"first", tensor<100xf32>, 400>, #plan.live<"", tensor<20xf32>, 80>]}
// CHECK: plan.constant {offset = 0 : i64} dense<[1.0
// CHECK: plan.constant {offset = 64 : i64} dense<[2.0
// CHECK: plan.constant {offset = 0 : i64} dense<[1.0
// CHECK: plan.launch @k(%{{.*}}) at [#plan.place<input 0, 400>, #plan.place<weights 0, 8>, #plan.place<arena 0, 400>]
// CHECK: plan.launch @k2(%{{.*}}) at [#plan.place<arena 0, 400>, #plan.place<weights 64, 8>, #plan.place<arena 448, 80>]
// CHECK: plan.launch @k4(%{{.*}}) at [#plan.place<arena 448, 80>, #plan.place<arena 0, 400>]
// CHECK: plan.launch @k3(%{{.*}}) at [#plan.place<arena 0, 400>, #plan.place<weights 0, 8>, #plan.place<output 0, 400>]
module {
  func.func @main(%x: tensor<100xf32>) -> tensor<100xf32> {
    %c = plan.constant dense<[1.0, 2.0]> : tensor<2xf32>
    %d = plan.constant dense<[2.0, 3.0]> : tensor<2xf32>
    %e = plan.constant dense<[1.0, 2.0]> : tensor<2xf32>
    %0 = plan.launch @k(%x, %c) : (tensor<100xf32>, tensor<2xf32>) -> tensor<100xf32> loc("first")
    %1 = plan.launch @k2(%0, %d) : (tensor<100xf32>, tensor<2xf32>) -> tensor<20xf32>
    %2 = plan.launch @k4(%1) : (tensor<20xf32>) -> tensor<100xf32>
    %3 = plan.launch @k3(%2, %e) : (tensor<100xf32>, tensor<2xf32>) -> tensor<100xf32>
    return %3 : tensor<100xf32>
  }
  module @kernels {
    func.func private @k(tensor<100xf32>, tensor<2xf32>, tensor<100xf32>) -> tensor<100xf32>
    func.func private @k2(tensor<100xf32>, tensor<2xf32>, tensor<20xf32>) -> tensor<20xf32>
    func.func private @k3(tensor<100xf32>, tensor<2xf32>, tensor<100xf32>) -> tensor<100xf32>
    func.func private @k4(tensor<20xf32>, tensor<100xf32>) -> tensor<100xf32>
  }
}
