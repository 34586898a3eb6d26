// RUN: burin-opt %s --schedule-kernels --verify-kernels | FileCheck %s

// Tensors that lie side by side are copied by tasks of whole rows, into the destination itself: 4 rows of 64 x 96 are
// some 16 thousand elements. 80 rows are 20 tasks.
// CHECK-LABEL: func.func @side_by_side(
// CHECK-SAME: %[[A:.*]]: memref<1x80x64x32xf32>, %[[B:.*]]: memref<1x80x64x64xf32>, %[[OUT:.*]]: memref<1x80x64x96xf32>
// CHECK: scf.forall (%[[ROW:.*]]) = (0) to (80) step (4)
// CHECK: %[[FROM:.*]] = memref.subview %[[A]][0, %[[ROW]], 0, 0] [1, 4, 64, 32]
// CHECK: linalg.copy ins(%[[FROM]]
// CHECK: %[[NEXT:.*]] = memref.subview %[[B]][0, %[[ROW]], 0, 0] [1, 4, 64, 64]
// CHECK: linalg.copy ins(%[[NEXT]]
// CHECK-NOT: linalg.copy
// CHECK: return
module @kernels {
  func.func @side_by_side(%a: tensor<1x80x64x32xf32>, %b: tensor<1x80x64x64xf32>, %o: tensor<1x80x64x96xf32>) -> tensor<1x80x64x96xf32> attributes {plan.kernel} {
    %0 = tensor.insert_slice %a into %o[0, 0, 0, 0] [1, 80, 64, 32] [1, 1, 1, 1] : tensor<1x80x64x32xf32> into tensor<1x80x64x96xf32>
    %1 = tensor.insert_slice %b into %0[0, 0, 0, 32] [1, 80, 64, 64] [1, 1, 1, 1] : tensor<1x80x64x64xf32> into tensor<1x80x64x96xf32>
    return %1 : tensor<1x80x64x96xf32>
  }

  // Behind one another: the first dim that both have in full is the second.
  // CHECK-LABEL: func.func @behind(
  // CHECK: scf.forall (%{{.*}}) = (0) to (128) step (64)
  // CHECK-COUNT-2: linalg.copy
  // CHECK: return
  func.func @behind(%a: tensor<200x128xf32>, %b: tensor<56x128xf32>, %o: tensor<256x128xf32>) -> tensor<256x128xf32> attributes {plan.kernel} {
    %0 = tensor.insert_slice %a into %o[0, 0] [200, 128] [1, 1] : tensor<200x128xf32> into tensor<256x128xf32>
    %1 = tensor.insert_slice %b into %0[200, 0] [56, 128] [1, 1] : tensor<56x128xf32> into tensor<256x128xf32>
    return %1 : tensor<256x128xf32>
  }

  // A part of a tensor.
  // CHECK-LABEL: func.func @cut(
  // CHECK: scf.forall (%[[ROW:.*]]) = (0) to (128) step (2)
  // CHECK: linalg.copy
  // CHECK-NOT: linalg.copy
  // CHECK: return
  func.func @cut(%a: tensor<130x130x64xf32>, %o: tensor<128x128x64xf32>) -> tensor<128x128x64xf32> attributes {plan.kernel} {
    %0 = tensor.extract_slice %a[1, 1, 0] [128, 128, 64] [1, 1, 1] : tensor<130x130x64xf32> to tensor<128x128x64xf32>
    return %0 : tensor<128x128x64xf32>
  }

  // Columns of a few elements are no tasks.
  // CHECK-LABEL: func.func @narrow(
  // CHECK-NOT: scf.forall
  // CHECK: return
  func.func @narrow(%a: tensor<9000x8xf32>, %b: tensor<1000x8xf32>, %o: tensor<10000x8xf32>) -> tensor<10000x8xf32> attributes {plan.kernel} {
    %0 = tensor.insert_slice %a into %o[0, 0] [9000, 8] [1, 1] : tensor<9000x8xf32> into tensor<10000x8xf32>
    %1 = tensor.insert_slice %b into %0[9000, 0] [1000, 8] [1, 1] : tensor<1000x8xf32> into tensor<10000x8xf32>
    return %1 : tensor<10000x8xf32>
  }

  // One task is enough.
  // CHECK-LABEL: func.func @small(
  // CHECK-NOT: scf.forall
  // CHECK: return
  func.func @small(%a: tensor<80x32xf32>, %b: tensor<80x64xf32>, %o: tensor<80x96xf32>) -> tensor<80x96xf32> attributes {plan.kernel} {
    %0 = tensor.insert_slice %a into %o[0, 0] [80, 32] [1, 1] : tensor<80x32xf32> into tensor<80x96xf32>
    %1 = tensor.insert_slice %b into %0[0, 32] [80, 64] [1, 1] : tensor<80x64xf32> into tensor<80x96xf32>
    return %1 : tensor<80x96xf32>
  }
}
