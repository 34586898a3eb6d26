// RUN: burin-opt %s --split-input-file --form-dispatches --canonicalize --cse | FileCheck %s

#id3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>

// Rows of a state lie as far apart as they do, whatever dims of size 1 a reshape puts beside them and
// another takes away: what is reshaped is the state, and its slice is read in place.
// CHECK-LABEL: func.func @main
// CHECK: %[[STATE:.*]] = tensor.expand_shape %arg0 {{\[}}[0], [1, 2], [3, 4]] output_shape [1, 21, 1, 2, 4]
// CHECK-NOT: linalg.generic
// CHECK: "plan.dispatch"(%[[STATE]]
// CHECK: tensor.extract_slice %{{.*}}[0, 0, 0, 0, 0] [1, %{{.*}}, 1, 2, 4] {{.*}} to tensor<?x2x4xf32>
// CHECK-NOT: shape
// CHECK: math.exp
func.func @main(%s: tensor<1x21x8xf32> {onnx.name = "s", plan.state = #plan.state<"t" grows 1 from "past" to affine_map<()[s0] -> (s0)>>})
    -> tensor<?x2x4xf32> attributes {plan.dims = [#plan.range<"past", 0, 21>]} {
  %n = plan.dim "past"
  %0 = tensor.extract_slice %s[0, 0, 0] [1, %n, 8] [1, 1, 1] : tensor<1x21x8xf32> to tensor<1x?x8xf32>
  %1 = tensor.expand_shape %0 [[0], [1, 2], [3, 4]] output_shape [1, %n, 1, 2, 4]
      : tensor<1x?x8xf32> into tensor<1x?x1x2x4xf32>
  %2 = tensor.collapse_shape %1 [[0, 1, 2], [3], [4]] : tensor<1x?x1x2x4xf32> into tensor<?x2x4xf32>
  %e = tensor.empty(%n) : tensor<?x2x4xf32>
  %3 = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%2 : tensor<?x2x4xf32>) outs(%e : tensor<?x2x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<?x2x4xf32>
  return %3 : tensor<?x2x4xf32>
}

// -----

// Rows that are split lie apart: they are copied before they are joined with others.
// CHECK-LABEL: func.func @main
// CHECK: "plan.dispatch"
// CHECK: tensor.extract_slice
// CHECK: plan.return %extracted_slice
// CHECK: tensor.collapse_shape
// CHECK: "plan.dispatch"
// CHECK: math.exp
#id = affine_map<(d0) -> (d0)>
func.func @main(%s: tensor<2x21x4xf32> {onnx.name = "s", plan.state = #plan.state<"t" grows 1 from "past" to affine_map<()[s0] -> (s0)>>})
    -> tensor<?xf32> attributes {plan.dims = [#plan.range<"past", 0, 21>]} {
  %c8 = arith.constant 8 : index
  %n = plan.dim "past"
  %0 = tensor.extract_slice %s[0, 0, 0] [2, %n, 4] [1, 1, 1] : tensor<2x21x4xf32> to tensor<2x?x4xf32>
  %1 = tensor.expand_shape %0 [[0], [1], [2, 3]] output_shape [2, %n, 2, 2] : tensor<2x?x4xf32> into tensor<2x?x2x2xf32>
  %2 = tensor.collapse_shape %1 [[0, 1, 2, 3]] : tensor<2x?x2x2xf32> into tensor<?xf32>
  %m = arith.muli %n, %c8 : index
  %e = tensor.empty(%m) : tensor<?xf32>
  %3 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%2 : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  return %3 : tensor<?xf32>
}
