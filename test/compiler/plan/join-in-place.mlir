// RUN: burin-opt %s --split-input-file --join-in-place | FileCheck %s --check-prefixes=CHECK,JOIN
// RUN: burin-opt %s --split-input-file --join-in-place --plan-memory | FileCheck %s --check-prefixes=CHECK,PLAN

// Two halves of a tensor and what is computed of one, side by side, as in a detector: the tensor and the third part
// are written where they lie in the whole, the half is read there, and nothing is copied.
// CHECK-LABEL: func.func @main
// JOIN: %[[A:.*]] = plan.launch @twice_s0(%{{.*}}) {plan.within = array<i64: 0, 752>}
// JOIN: %[[S:.*]] = plan.part %[[A]] within [16, 736]
// JOIN: %[[M:.*]] = plan.launch @twice16_s0(%[[S]]) {plan.within = array<i64: 32, 736>}
// JOIN: %[[J:.*]] = plan.join %[[A]], %[[M]] : (tensor<1x4x4x32xf32>, tensor<1x4x4x16xf32>) -> tensor<1x4x4x48xf32>
// JOIN: plan.launch @twice48(%[[J]])
// PLAN: plan.launch @twice_s0({{.*}} at [#plan.place<input 0, 2048>, #plan.place<arena 0, 3008>]
// PLAN: plan.launch @twice16_s0({{.*}} at [#plan.place<arena 64, 2944>, #plan.place<arena 128, 2944>]
// PLAN: plan.launch @twice48({{.*}} at [#plan.place<arena 0, 3072>, #plan.place<output 0, 3072>]
// CHECK-NOT: @low
// CHECK-NOT: @join
// CHECK: func.func @twice_s0(%{{.*}}: tensor<1x4x4x32xf32>, %{{.*}}: tensor<1x4x4x32xf32> {plan.strides = array<i64: 768, 192, 48, 1>})
// CHECK: func.func @twice16_s0(%{{.*}}: tensor<1x4x4x16xf32> {plan.strides = array<i64: 768, 192, 48, 1>}, %{{.*}}: tensor<1x4x4x16xf32> {plan.strides = array<i64: 768, 192, 48, 1>})
#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
module {
  func.func @main(%x: tensor<1x4x4x32xf32>) -> tensor<1x4x4x48xf32> {
    %a = plan.launch @twice(%x) : (tensor<1x4x4x32xf32>) -> tensor<1x4x4x32xf32>
    %s0 = plan.launch @low(%a) : (tensor<1x4x4x32xf32>) -> tensor<1x4x4x16xf32>
    %s1 = plan.launch @high(%a) : (tensor<1x4x4x32xf32>) -> tensor<1x4x4x16xf32>
    %m = plan.launch @twice16(%s1) : (tensor<1x4x4x16xf32>) -> tensor<1x4x4x16xf32>
    %j = plan.launch @join(%s0, %s1, %m) : (tensor<1x4x4x16xf32>, tensor<1x4x4x16xf32>, tensor<1x4x4x16xf32>) -> tensor<1x4x4x48xf32>
    %y = plan.launch @twice48(%j) : (tensor<1x4x4x48xf32>) -> tensor<1x4x4x48xf32>
    return %y : tensor<1x4x4x48xf32>
  }
  module @kernels {
    func.func @twice(%x: tensor<1x4x4x32xf32>, %y: tensor<1x4x4x32xf32>) -> tensor<1x4x4x32xf32> attributes {plan.kernel} {
      %r = linalg.add ins(%x, %x : tensor<1x4x4x32xf32>, tensor<1x4x4x32xf32>) outs(%y : tensor<1x4x4x32xf32>) -> tensor<1x4x4x32xf32>
      return %r : tensor<1x4x4x32xf32>
    }
    func.func @twice16(%x: tensor<1x4x4x16xf32>, %y: tensor<1x4x4x16xf32>) -> tensor<1x4x4x16xf32> attributes {plan.kernel} {
      %r = linalg.add ins(%x, %x : tensor<1x4x4x16xf32>, tensor<1x4x4x16xf32>) outs(%y : tensor<1x4x4x16xf32>) -> tensor<1x4x4x16xf32>
      return %r : tensor<1x4x4x16xf32>
    }
    func.func @twice48(%x: tensor<1x4x4x48xf32>, %y: tensor<1x4x4x48xf32>) -> tensor<1x4x4x48xf32> attributes {plan.kernel} {
      %r = linalg.add ins(%x, %x : tensor<1x4x4x48xf32>, tensor<1x4x4x48xf32>) outs(%y : tensor<1x4x4x48xf32>) -> tensor<1x4x4x48xf32>
      return %r : tensor<1x4x4x48xf32>
    }
    func.func @low(%x: tensor<1x4x4x32xf32>, %y: tensor<1x4x4x16xf32>) -> tensor<1x4x4x16xf32> attributes {plan.kernel} {
      %r = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%y : tensor<1x4x4x16xf32>) {
      ^bb0(%o: f32):
        %n = linalg.index 0 : index
        %h = linalg.index 1 : index
        %w = linalg.index 2 : index
        %c = linalg.index 3 : index
        %e = tensor.extract %x[%n, %h, %w, %c] : tensor<1x4x4x32xf32>
        linalg.yield %e : f32
      } -> tensor<1x4x4x16xf32>
      return %r : tensor<1x4x4x16xf32>
    }
    func.func @high(%x: tensor<1x4x4x32xf32>, %y: tensor<1x4x4x16xf32>) -> tensor<1x4x4x16xf32> attributes {plan.kernel} {
      %r = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3 + 16)>, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
          ins(%x : tensor<1x4x4x32xf32>) outs(%y : tensor<1x4x4x16xf32>) {
      ^bb0(%e: f32, %o: f32):
        linalg.yield %e : f32
      } -> tensor<1x4x4x16xf32>
      return %r : tensor<1x4x4x16xf32>
    }
    func.func @join(%a: tensor<1x4x4x16xf32>, %b: tensor<1x4x4x16xf32>, %c: tensor<1x4x4x16xf32>, %y: tensor<1x4x4x48xf32>) -> tensor<1x4x4x48xf32> attributes {plan.kernel} {
      %0 = tensor.insert_slice %a into %y[0, 0, 0, 0] [1, 4, 4, 16] [1, 1, 1, 1] : tensor<1x4x4x16xf32> into tensor<1x4x4x48xf32>
      %1 = tensor.insert_slice %b into %0[0, 0, 0, 16] [1, 4, 4, 16] [1, 1, 1, 1] : tensor<1x4x4x16xf32> into tensor<1x4x4x48xf32>
      %2 = tensor.insert_slice %c into %1[0, 0, 0, 32] [1, 4, 4, 16] [1, 1, 1, 1] : tensor<1x4x4x16xf32> into tensor<1x4x4x48xf32>
      return %2 : tensor<1x4x4x48xf32>
    }
  }
}

// -----

// The model's input and what is in two wholes are copied; what one of them is part of is as strided as the other.
// CHECK-LABEL: func.func @main
// JOIN: %[[A:.*]] = plan.launch @twice_s0(%{{.*}}) {plan.within = array<i64: 0, 160>}
// JOIN: %[[C:.*]] = plan.launch @join_c0_s0(%{{.*}}) {plan.within = array<i64: 16, 160>}
// JOIN: %[[J:.*]] = plan.join %[[A]], %[[C]] within [0, 176] : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x32xf32>
// JOIN: %[[D:.*]] = plan.launch @join_c0_s1(%[[A]]) {plan.within = array<i64: 32, 160>}
// JOIN: %[[K:.*]] = plan.join %[[J]], %[[D]] : (tensor<4x32xf32>, tensor<4x16xf32>) -> tensor<4x48xf32>
// JOIN: plan.launch @twice48(%[[K]])
module {
  func.func @main(%x: tensor<4x16xf32>) -> tensor<4x48xf32> {
    %a = plan.launch @twice(%x) : (tensor<4x16xf32>) -> tensor<4x16xf32>
    %j = plan.launch @join(%a, %x) : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x32xf32>
    %k = plan.launch @join2(%j, %a) : (tensor<4x32xf32>, tensor<4x16xf32>) -> tensor<4x48xf32>
    %y = plan.launch @twice48(%k) : (tensor<4x48xf32>) -> tensor<4x48xf32>
    return %y : tensor<4x48xf32>
  }
  module @kernels {
    func.func @twice(%x: tensor<4x16xf32>, %y: tensor<4x16xf32>) -> tensor<4x16xf32> attributes {plan.kernel} {
      %r = linalg.add ins(%x, %x : tensor<4x16xf32>, tensor<4x16xf32>) outs(%y : tensor<4x16xf32>) -> tensor<4x16xf32>
      return %r : tensor<4x16xf32>
    }
    func.func @twice48(%x: tensor<4x48xf32>, %y: tensor<4x48xf32>) -> tensor<4x48xf32> attributes {plan.kernel} {
      %r = linalg.add ins(%x, %x : tensor<4x48xf32>, tensor<4x48xf32>) outs(%y : tensor<4x48xf32>) -> tensor<4x48xf32>
      return %r : tensor<4x48xf32>
    }
    func.func @join(%a: tensor<4x16xf32>, %b: tensor<4x16xf32>, %y: tensor<4x32xf32>) -> tensor<4x32xf32> attributes {plan.kernel} {
      %0 = tensor.insert_slice %a into %y[0, 0] [4, 16] [1, 1] : tensor<4x16xf32> into tensor<4x32xf32>
      %1 = tensor.insert_slice %b into %0[0, 16] [4, 16] [1, 1] : tensor<4x16xf32> into tensor<4x32xf32>
      return %1 : tensor<4x32xf32>
    }
    func.func @join2(%a: tensor<4x32xf32>, %b: tensor<4x16xf32>, %y: tensor<4x48xf32>) -> tensor<4x48xf32> attributes {plan.kernel} {
      %0 = tensor.insert_slice %a into %y[0, 0] [4, 32] [1, 1] : tensor<4x32xf32> into tensor<4x48xf32>
      %1 = tensor.insert_slice %b into %0[0, 32] [4, 16] [1, 1] : tensor<4x16xf32> into tensor<4x48xf32>
      return %1 : tensor<4x48xf32>
    }
  }
}

// -----

// What the model returns is the caller's memory; parts of few elements side by side stay apart; a kernel that does more
// than linalg and contractions gets dense tensors.
// CHECK-LABEL: func.func @main
// CHECK-NOT: plan.join
// CHECK-NOT: plan.part
// CHECK: return
module {
  func.func @main(%x: tensor<4x16xf32>, %z: tensor<64x4xf32>) -> (tensor<4x32xf32>, tensor<64x8xf32>) {
    %a = plan.launch @twice(%x) : (tensor<4x16xf32>) -> tensor<4x16xf32>
    %j = plan.launch @join(%a, %a) : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x32xf32>
    %b = plan.launch @thin(%z) : (tensor<64x4xf32>) -> tensor<64x4xf32>
    %k = plan.launch @join2(%b, %b) : (tensor<64x4xf32>, tensor<64x4xf32>) -> tensor<64x8xf32>
    %y = plan.launch @thin8(%k) : (tensor<64x8xf32>) -> tensor<64x8xf32>
    return %j, %y : tensor<4x32xf32>, tensor<64x8xf32>
  }
  module @kernels {
    func.func @twice(%x: tensor<4x16xf32>, %y: tensor<4x16xf32>) -> tensor<4x16xf32> attributes {plan.kernel} {
      %r = linalg.add ins(%x, %x : tensor<4x16xf32>, tensor<4x16xf32>) outs(%y : tensor<4x16xf32>) -> tensor<4x16xf32>
      return %r : tensor<4x16xf32>
    }
    func.func @thin(%x: tensor<64x4xf32>, %y: tensor<64x4xf32>) -> tensor<64x4xf32> attributes {plan.kernel} {
      %r = linalg.add ins(%x, %x : tensor<64x4xf32>, tensor<64x4xf32>) outs(%y : tensor<64x4xf32>) -> tensor<64x4xf32>
      return %r : tensor<64x4xf32>
    }
    func.func @thin8(%x: tensor<64x8xf32>, %y: tensor<64x8xf32>) -> tensor<64x8xf32> attributes {plan.kernel} {
      %r = linalg.add ins(%x, %x : tensor<64x8xf32>, tensor<64x8xf32>) outs(%y : tensor<64x8xf32>) -> tensor<64x8xf32>
      return %r : tensor<64x8xf32>
    }
    func.func @join(%a: tensor<4x16xf32>, %b: tensor<4x16xf32>, %y: tensor<4x32xf32>) -> tensor<4x32xf32> attributes {plan.kernel} {
      %0 = tensor.insert_slice %a into %y[0, 0] [4, 16] [1, 1] : tensor<4x16xf32> into tensor<4x32xf32>
      %1 = tensor.insert_slice %b into %0[0, 16] [4, 16] [1, 1] : tensor<4x16xf32> into tensor<4x32xf32>
      return %1 : tensor<4x32xf32>
    }
    func.func @join2(%a: tensor<64x4xf32>, %b: tensor<64x4xf32>, %y: tensor<64x8xf32>) -> tensor<64x8xf32> attributes {plan.kernel} {
      %0 = tensor.insert_slice %a into %y[0, 0] [64, 4] [1, 1] : tensor<64x4xf32> into tensor<64x8xf32>
      %1 = tensor.insert_slice %b into %0[0, 4] [64, 4] [1, 1] : tensor<64x4xf32> into tensor<64x8xf32>
      return %1 : tensor<64x8xf32>
    }
  }
}
