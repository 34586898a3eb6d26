// RUN: burin-opt %s --infer-shapes --split-input-file | FileCheck %s

// CHECK-LABEL: func @affine_grid
// CHECK-SAME: -> tensor<2x4x5x6x3xf32>
func.func @affine_grid(%theta: tensor<2x3x4xf32>) -> tensor<*xf32> {
  %size = onnx.Constant {value = dense<[2, 1, 4, 5, 6]> : tensor<5xsi64>} : () -> tensor<5xsi64>
  %0 = onnx.AffineGrid %theta, %size : (tensor<2x3x4xf32>, tensor<5xsi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// What is computed is known as far as the transformation says it.
// CHECK-LABEL: func @affine_grid_computed
// CHECK-SAME: -> tensor<2x?x?x2xf32>
func.func @affine_grid_computed(%theta: tensor<2x2x3xf32>, %size: tensor<4xsi64>) -> tensor<*xf32> {
  %0 = onnx.AffineGrid %theta, %size : (tensor<2x2x3xf32>, tensor<4xsi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// CHECK-LABEL: func @tfidf
// CHECK-SAME: -> tensor<3x5xf32>
func.func @tfidf(%x: tensor<3x9xsi64>) -> tensor<*xf32> {
  %0 = onnx.TfIdfVectorizer %x {max_gram_length = 1 : i64, max_skip_count = 0 : i64,
    min_gram_length = 1 : i64, mode = "TF", ngram_counts = array<i64: 0>,
    ngram_indexes = array<i64: 4, 0>, pool_int64s = array<i64: 7, 8>}
    : (tensor<3x9xsi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// Of one element there is nothing to leave out.
// CHECK-LABEL: func @unique_one
// CHECK-SAME: -> (tensor<1xf32>, tensor<1xsi64>, tensor<?x3xf32, #onnx.dims<["node_count", ""]>>)
func.func @unique_one(%x: tensor<1x1xf32>, %y: tensor<2x3xf32>) -> (tensor<*xf32>, tensor<*xsi64>, tensor<*xf32>) {
  %0:4 = "onnx.Unique"(%x) : (tensor<1x1xf32>) -> (tensor<*xf32>, tensor<*xsi64>, none, none)
  %1:4 = "onnx.Unique"(%y) {axis = 0 : i64} : (tensor<2x3xf32>) -> (tensor<*xf32>, none, none, none)
  return %0#0, %0#1, %1#0 : tensor<*xf32>, tensor<*xsi64>, tensor<*xf32>
}
