// RUN: burin-opt %s --plan-memory | FileCheck %s

// A chain of tensors of 2, 3, 3, 4, 5 and 3 KiB, two of which are alive at a time. The largest first, each at the lowest
// place that is free, would take 12 KiB; by how long they live they take what is alive at most.
// CHECK: attributes {plan.arena_bytes = 9216 : i64, plan.live_bytes = 9216 : i64
module {
  func.func @main(%x: tensor<512xf32>) -> tensor<512xf32> {
    %0 = plan.launch @k0(%x) : (tensor<512xf32>) -> tensor<512xf32>
    %1 = plan.launch @k1(%0) : (tensor<512xf32>) -> tensor<768xf32>
    %2 = plan.launch @k2(%1) : (tensor<768xf32>) -> tensor<768xf32>
    %3 = plan.launch @k3(%2) : (tensor<768xf32>) -> tensor<1024xf32>
    %4 = plan.launch @k4(%3) : (tensor<1024xf32>) -> tensor<1280xf32>
    %5 = plan.launch @k5(%4) : (tensor<1280xf32>) -> tensor<768xf32>
    %6 = plan.launch @k6(%5) : (tensor<768xf32>) -> tensor<512xf32>
    return %6 : tensor<512xf32>
  }
  module @kernels {
    func.func private @k0(tensor<512xf32>, tensor<512xf32>) -> tensor<512xf32>
    func.func private @k1(tensor<512xf32>, tensor<768xf32>) -> tensor<768xf32>
    func.func private @k2(tensor<768xf32>, tensor<768xf32>) -> tensor<768xf32>
    func.func private @k3(tensor<768xf32>, tensor<1024xf32>) -> tensor<1024xf32>
    func.func private @k4(tensor<1024xf32>, tensor<1280xf32>) -> tensor<1280xf32>
    func.func private @k5(tensor<1280xf32>, tensor<768xf32>) -> tensor<768xf32>
    func.func private @k6(tensor<768xf32>, tensor<512xf32>) -> tensor<512xf32>
  }
}
