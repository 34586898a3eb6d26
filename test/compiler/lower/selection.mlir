// RUN: burin-opt %s --lower-onnx | FileCheck %s

// Sorted, numbered by a running sum, placed by scatters.
// CHECK-LABEL: func.func @unique
// CHECK: kern.sort
// CHECK: kern.scan
// CHECK: kern.scatter
// CHECK: tensor.extract
func.func @unique(%x: tensor<6xf32>) -> (tensor<4xf32>, tensor<6xsi64>) {
  %0:4 = "onnx.Unique"(%x) {sorted = 1 : i64}
      : (tensor<6xf32>) -> (tensor<4xf32>, none, tensor<6xsi64>, none)
  return %0#0, %0#2 : tensor<4xf32>, tensor<6xsi64>
}

// CHECK-LABEL: func.func @nonzero
// CHECK: kern.scan
// CHECK: kern.scatter
// CHECK: arith.remui
func.func @nonzero(%x: tensor<2x3xi1>) -> tensor<2x4xsi64> {
  %0 = "onnx.NonZero"(%x) : (tensor<2x3xi1>) -> tensor<2x4xsi64>
  return %0 : tensor<2x4xsi64>
}

// By descending score; a box is compared with those kept before it.
// CHECK-LABEL: func.func @suppression
// CHECK: kern.sort
// CHECK: scf.for
// CHECK: scf.for
// CHECK: scf.for
// CHECK: arith.divf
// CHECK: plan.check %{{.*}}, 7
// CHECK-COUNT-4: tensor.insert
func.func @suppression(%b: tensor<1x6x4xf32>, %s: tensor<1x1x6xf32>, %m: tensor<1xsi64>,
                       %t: tensor<1xf32>) -> tensor<3x3xsi64> {
  %n = onnx.None
  %0 = "onnx.NonMaxSuppression"(%b, %s, %m, %t, %n)
      : (tensor<1x6x4xf32>, tensor<1x1x6xf32>, tensor<1xsi64>, tensor<1xf32>, none) -> tensor<3x3xsi64>
  return %0 : tensor<3x3xsi64>
}

// What is found is counted, and the count is the size: room is for all of it.
// CHECK-LABEL: func.func @found
// CHECK-SAME: plan.dims = [#plan.range<"found_count", 0, 12>]
// CHECK: %[[LIST:.*]] = kern.scatter
// CHECK: %[[COUNT:.*]] = linalg.generic {{.*}} ins(%[[LIST]] : tensor<12xi64>)
// CHECK: %[[SIZE:.*]] = plan.measure "found_count" from %[[COUNT]] : tensor<i64>
// CHECK: tensor.empty(%[[SIZE]]) : tensor<2x?xi64>
#found = #onnx.dims<["", "found_count"]>
func.func @found(%x: tensor<3x4xf32>) -> tensor<2x?xsi64, #found> {
  %0 = "onnx.NonZero"(%x) {onnx.size = "found_count"} : (tensor<3x4xf32>) -> tensor<2x?xsi64, #found>
  return %0 : tensor<2x?xsi64, #found>
}
