// RUN: burin-opt %s --lower-onnx | FileCheck %s

// Generics on the same rows; one inverse a row.
// CHECK-LABEL: func.func @softmax
// CHECK: arith.cmpf olt
// CHECK: math.exp {{.*}} {plan.not_positive}
// CHECK: arith.addf
// CHECK: iterator_types = ["parallel"]
// CHECK: arith.divf
// CHECK: arith.mulf
// CHECK-NOT: shape
// CHECK: return
func.func @softmax(%a: tensor<4x9xf32>) -> tensor<4x9xf32> {
  %0 = "onnx.Softmax"(%a) : (tensor<4x9xf32>) -> tensor<4x9xf32>
  return %0 : tensor<4x9xf32>
}

// CHECK-LABEL: func.func @layer_norm
// CHECK: %[[TOTAL:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]} ins(%[[TOTAL]]
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]
// CHECK: math.sqrt
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel"]
func.func @layer_norm(%x: tensor<2x4x8xf32>, %s: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<2x4x8xf32> {
  %0:3 = "onnx.LayerNormalization"(%x, %s, %b)
      : (tensor<2x4x8xf32>, tensor<8xf32>, tensor<8xf32>) -> (tensor<2x4x8xf32>, none, none)
  return %0#0 : tensor<2x4x8xf32>
}

// CHECK-LABEL: func.func @batch_norm
// CHECK: math.sqrt
// CHECK: iterator_types = ["parallel", "parallel", "parallel"]
// CHECK: math.fma
func.func @batch_norm(%x: tensor<2x4x8xf32>, %s: tensor<4xf32>) -> tensor<2x4x8xf32> {
  %0:3 = "onnx.BatchNormalization"(%x, %s, %s, %s, %s)
      : (tensor<2x4x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)
      -> (tensor<2x4x8xf32>, none, none)
  return %0#0 : tensor<2x4x8xf32>
}
