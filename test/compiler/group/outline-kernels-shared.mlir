// RUN: burin-opt %s --outline-kernels | FileCheck %s

// Two results that name one destination, whose definition goes with the dispatch.
// CHECK-LABEL: func.func @main
// CHECK-NOT: tensor.empty
// CHECK: plan.launch @{{.*}}(%{{.*}}) : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
// CHECK: module @kernels
func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %e = tensor.empty() : tensor<4xf32>
  %r:2 = "plan.dispatch"(%x, %e, %e) <{operandSegmentSizes = array<i32: 1, 0, 2>}> ({
  ^bb0(%a: tensor<4xf32>, %o: tensor<4xf32>, %p: tensor<4xf32>):
    %0 = linalg.exp ins(%a : tensor<4xf32>) outs(%o : tensor<4xf32>) -> tensor<4xf32>
    %1 = linalg.abs ins(%a : tensor<4xf32>) outs(%p : tensor<4xf32>) -> tensor<4xf32>
    plan.return %0, %1 : tensor<4xf32>, tensor<4xf32>
  }) : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>
}
