// RUN: burin-opt %s --resolve-sizes --canonicalize --cse | FileCheck %s

// What an op computes has the sizes of what it computes it from, and in the end those that the
// types of the model's inputs name.
module {
  // CHECK-LABEL: func.func @main
  // CHECK-DAG: %[[BATCH:.*]] = plan.dim "batch"
  // CHECK-DAG: %[[SEQ:.*]] = plan.dim "seq"
  // CHECK: %[[ROWS:.*]] = affine.apply {{.*}}()[%[[BATCH]], %[[SEQ]]]
  // CHECK: return %[[ROWS]], %[[SEQ]]
  func.func @main(%x: tensor<?x?x4xf32> {
      onnx.name = "x", onnx.type = tensor<?x?x4xf32, #onnx.dims<["batch", "seq", ""]>>})
      -> (index, index)
      attributes {plan.dims = [#plan.range<"batch", 1, 8>, #plan.range<"seq", 1, 512>]} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %b = tensor.dim %x, %c0 : tensor<?x?x4xf32>
    %s = tensor.dim %x, %c1 : tensor<?x?x4xf32>
    %init = tensor.empty(%b, %s) : tensor<?x?x4xf32>
    %y = linalg.exp ins(%x : tensor<?x?x4xf32>) outs(%init : tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
    %rows = tensor.collapse_shape %y [[0, 1], [2]] : tensor<?x?x4xf32> into tensor<?x4xf32>
    %n = tensor.dim %rows, %c0 : tensor<?x4xf32>
    %m = tensor.dim %y, %c1 : tensor<?x?x4xf32>
    return %n, %m : index, index
  }
}
