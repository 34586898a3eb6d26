// RUN: burin-opt %s --split-input-file --join-in-place | FileCheck %s

// What is padded is written where it lies in the padded tensor, what lies around is filled there: rows above, a column on
// the left, whose kernel knows the strides.
// CHECK-LABEL: func.func @main
// CHECK: %[[A:.*]] = plan.launch @twice_s0(%{{.*}}) {plan.within = array<i64: 2080, 66032>}
// CHECK: %[[TOP:.*]] = plan.launch @pad_f0() {plan.within = array<i64: 0, 2064>}
// CHECK: %[[LEFT:.*]] = plan.launch @pad_f1_s0() {plan.within = array<i64: 2064, 64000>}
// CHECK: %[[J:.*]] = plan.join %[[A]], %[[TOP]], %[[LEFT]] : (tensor<1x32x128x16xf32>, tensor<1x1x129x16xf32>, tensor<1x32x1x16xf32>
// CHECK: plan.launch @pool(%[[J]])
// CHECK-NOT: @pad(
// CHECK: func.func @pad_f0(%[[D:.*]]: tensor<1x1x129x16xf32>)
// CHECK-NEXT: %{{.*}} = arith.constant 0xFF800000 : f32
// CHECK-NEXT: %{{.*}} = linalg.fill {{.*}} outs(%[[D]]
module {
  func.func @main(%x: tensor<1x32x128x16xf32>) -> tensor<1x33x129x16xf32> {
    %a = plan.launch @twice(%x) : (tensor<1x32x128x16xf32>) -> tensor<1x32x128x16xf32>
    %p = plan.launch @pad(%a) : (tensor<1x32x128x16xf32>) -> tensor<1x33x129x16xf32>
    %y = plan.launch @pool(%p) : (tensor<1x33x129x16xf32>) -> tensor<1x33x129x16xf32>
    return %y : tensor<1x33x129x16xf32>
  }
  module @kernels {
    func.func @twice(%x: tensor<1x32x128x16xf32>, %y: tensor<1x32x128x16xf32>) -> tensor<1x32x128x16xf32> attributes {plan.kernel} {
      %r = linalg.add ins(%x, %x : tensor<1x32x128x16xf32>, tensor<1x32x128x16xf32>) outs(%y : tensor<1x32x128x16xf32>) -> tensor<1x32x128x16xf32>
      return %r : tensor<1x32x128x16xf32>
    }
    func.func @pad(%x: tensor<1x32x128x16xf32>, %y: tensor<1x33x129x16xf32>) -> tensor<1x33x129x16xf32> attributes {plan.kernel} {
      %low = arith.constant 0xFF800000 : f32
      %f = linalg.fill ins(%low : f32) outs(%y : tensor<1x33x129x16xf32>) -> tensor<1x33x129x16xf32>
      %r = tensor.insert_slice %x into %f[0, 1, 1, 0] [1, 32, 128, 16] [1, 1, 1, 1] : tensor<1x32x128x16xf32> into tensor<1x33x129x16xf32>
      return %r : tensor<1x33x129x16xf32>
    }
    func.func @pool(%x: tensor<1x33x129x16xf32>, %y: tensor<1x33x129x16xf32>) -> tensor<1x33x129x16xf32> attributes {plan.kernel} {
      %r = linalg.add ins(%x, %x : tensor<1x33x129x16xf32>, tensor<1x33x129x16xf32>) outs(%y : tensor<1x33x129x16xf32>) -> tensor<1x33x129x16xf32>
      return %r : tensor<1x33x129x16xf32>
    }
  }
}

// -----

// An input is copied, and so is what is small, or what others read.
// CHECK-LABEL: func.func @main
// CHECK: plan.launch @pad(
// CHECK: plan.launch @twice(
// CHECK: plan.launch @pad(
// CHECK: plan.launch @twice(
// CHECK: plan.launch @pad_small(
module {
  func.func @main(%x: tensor<1x32x128x16xf32>, %z: tensor<1x4x128x16xf32>)
      -> (tensor<1x34x130x16xf32>, tensor<1x34x130x16xf32>, tensor<1x32x128x16xf32>, tensor<1x6x130x16xf32>) {
    %p = plan.launch @pad(%x) : (tensor<1x32x128x16xf32>) -> tensor<1x34x130x16xf32>
    %q = plan.launch @same(%p) : (tensor<1x34x130x16xf32>) -> tensor<1x34x130x16xf32>
    %a = plan.launch @twice(%x) : (tensor<1x32x128x16xf32>) -> tensor<1x32x128x16xf32>
    %b = plan.launch @pad(%a) : (tensor<1x32x128x16xf32>) -> tensor<1x34x130x16xf32>
    %r = plan.launch @same(%b) : (tensor<1x34x130x16xf32>) -> tensor<1x34x130x16xf32>
    %c = plan.launch @twice(%a) : (tensor<1x32x128x16xf32>) -> tensor<1x32x128x16xf32>
    %d = plan.launch @small(%z) : (tensor<1x4x128x16xf32>) -> tensor<1x4x128x16xf32>
    %e = plan.launch @pad_small(%d) : (tensor<1x4x128x16xf32>) -> tensor<1x6x130x16xf32>
    %s = plan.launch @same_small(%e) : (tensor<1x6x130x16xf32>) -> tensor<1x6x130x16xf32>
    return %q, %r, %c, %s : tensor<1x34x130x16xf32>, tensor<1x34x130x16xf32>, tensor<1x32x128x16xf32>, tensor<1x6x130x16xf32>
  }
  module @kernels {
    func.func @twice(%x: tensor<1x32x128x16xf32>, %y: tensor<1x32x128x16xf32>) -> tensor<1x32x128x16xf32> attributes {plan.kernel} {
      %r = linalg.add ins(%x, %x : tensor<1x32x128x16xf32>, tensor<1x32x128x16xf32>) outs(%y : tensor<1x32x128x16xf32>) -> tensor<1x32x128x16xf32>
      return %r : tensor<1x32x128x16xf32>
    }
    func.func @same(%x: tensor<1x34x130x16xf32>, %y: tensor<1x34x130x16xf32>) -> tensor<1x34x130x16xf32> attributes {plan.kernel} {
      %r = linalg.add ins(%x, %x : tensor<1x34x130x16xf32>, tensor<1x34x130x16xf32>) outs(%y : tensor<1x34x130x16xf32>) -> tensor<1x34x130x16xf32>
      return %r : tensor<1x34x130x16xf32>
    }
    func.func @pad(%x: tensor<1x32x128x16xf32>, %y: tensor<1x34x130x16xf32>) -> tensor<1x34x130x16xf32> attributes {plan.kernel} {
      %low = arith.constant 0.0 : f32
      %f = linalg.fill ins(%low : f32) outs(%y : tensor<1x34x130x16xf32>) -> tensor<1x34x130x16xf32>
      %r = tensor.insert_slice %x into %f[0, 1, 1, 0] [1, 32, 128, 16] [1, 1, 1, 1] : tensor<1x32x128x16xf32> into tensor<1x34x130x16xf32>
      return %r : tensor<1x34x130x16xf32>
    }
    func.func @small(%x: tensor<1x4x128x16xf32>, %y: tensor<1x4x128x16xf32>) -> tensor<1x4x128x16xf32> attributes {plan.kernel} {
      %r = linalg.add ins(%x, %x : tensor<1x4x128x16xf32>, tensor<1x4x128x16xf32>) outs(%y : tensor<1x4x128x16xf32>) -> tensor<1x4x128x16xf32>
      return %r : tensor<1x4x128x16xf32>
    }
    func.func @same_small(%x: tensor<1x6x130x16xf32>, %y: tensor<1x6x130x16xf32>) -> tensor<1x6x130x16xf32> attributes {plan.kernel} {
      %r = linalg.add ins(%x, %x : tensor<1x6x130x16xf32>, tensor<1x6x130x16xf32>) outs(%y : tensor<1x6x130x16xf32>) -> tensor<1x6x130x16xf32>
      return %r : tensor<1x6x130x16xf32>
    }
    func.func @pad_small(%x: tensor<1x4x128x16xf32>, %y: tensor<1x6x130x16xf32>) -> tensor<1x6x130x16xf32> attributes {plan.kernel} {
      %low = arith.constant 0.0 : f32
      %f = linalg.fill ins(%low : f32) outs(%y : tensor<1x6x130x16xf32>) -> tensor<1x6x130x16xf32>
      %r = tensor.insert_slice %x into %f[0, 1, 1, 0] [1, 4, 128, 16] [1, 1, 1, 1] : tensor<1x4x128x16xf32> into tensor<1x6x130x16xf32>
      return %r : tensor<1x6x130x16xf32>
    }
  }
}

// -----

// Three channels: the columns beside them are filled where they lie, a few numbers in each row.
// CHECK-LABEL: func.func @main
// CHECK: plan.launch @twice_s0(
// CHECK: plan.launch @pad_f0() {plan.within
// CHECK: plan.launch @pad_f1_s0() {plan.within
// CHECK: plan.join
// CHECK: plan.launch @pool(
// CHECK-NOT: _c0
module {
  func.func @main(%x: tensor<1x64x128x3xf32>) -> tensor<1x65x129x3xf32> {
    %a = plan.launch @twice(%x) : (tensor<1x64x128x3xf32>) -> tensor<1x64x128x3xf32>
    %p = plan.launch @pad(%a) : (tensor<1x64x128x3xf32>) -> tensor<1x65x129x3xf32>
    %y = plan.launch @pool(%p) : (tensor<1x65x129x3xf32>) -> tensor<1x65x129x3xf32>
    return %y : tensor<1x65x129x3xf32>
  }
  module @kernels {
    func.func @twice(%x: tensor<1x64x128x3xf32>, %y: tensor<1x64x128x3xf32>) -> tensor<1x64x128x3xf32> attributes {plan.kernel} {
      %r = linalg.add ins(%x, %x : tensor<1x64x128x3xf32>, tensor<1x64x128x3xf32>) outs(%y : tensor<1x64x128x3xf32>) -> tensor<1x64x128x3xf32>
      return %r : tensor<1x64x128x3xf32>
    }
    func.func @pad(%x: tensor<1x64x128x3xf32>, %y: tensor<1x65x129x3xf32>) -> tensor<1x65x129x3xf32> attributes {plan.kernel} {
      %zero = arith.constant 0.0 : f32
      %f = linalg.fill ins(%zero : f32) outs(%y : tensor<1x65x129x3xf32>) -> tensor<1x65x129x3xf32>
      %r = tensor.insert_slice %x into %f[0, 1, 1, 0] [1, 64, 128, 3] [1, 1, 1, 1] : tensor<1x64x128x3xf32> into tensor<1x65x129x3xf32>
      return %r : tensor<1x65x129x3xf32>
    }
    func.func @pool(%x: tensor<1x65x129x3xf32>, %y: tensor<1x65x129x3xf32>) -> tensor<1x65x129x3xf32> attributes {plan.kernel} {
      %r = linalg.add ins(%x, %x : tensor<1x65x129x3xf32>, tensor<1x65x129x3xf32>) outs(%y : tensor<1x65x129x3xf32>) -> tensor<1x65x129x3xf32>
      return %r : tensor<1x65x129x3xf32>
    }
  }
}
