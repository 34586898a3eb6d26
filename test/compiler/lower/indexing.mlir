// RUN: burin-opt %s --lower-onnx | FileCheck %s

// CHECK-LABEL: func.func @gather
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<5x8xf32>
// CHECK-SAME: %[[I:[a-z0-9]+]]: tensor<3xi64>
// CHECK: linalg.generic
// CHECK-SAME: ins(%[[I]] : tensor<3xi64>)
// CHECK: plan.check %{{.*}}, 6
// CHECK: tensor.extract %[[X]]
func.func @gather(%x: tensor<5x8xf32>, %i: tensor<3xsi64>) -> tensor<3x8xf32> {
  %0 = "onnx.Gather"(%x, %i) {axis = 0 : i64} : (tensor<5x8xf32>, tensor<3xsi64>) -> tensor<3x8xf32>
  return %0 : tensor<3x8xf32>
}

// The data is copied once, then updated in place.
// CHECK-LABEL: func.func @scatter_nd
// CHECK: %[[COPY:.*]] = bufferization.materialize_in_destination
// CHECK: kern.scatter ins({{.*}}) outs(%[[COPY]] : tensor<8x4xf32>)
// CHECK: arith.addf
func.func @scatter_nd(%x: tensor<8x4xf32>, %i: tensor<3x1xsi64>, %u: tensor<3x4xf32>)
    -> tensor<8x4xf32> {
  %0 = "onnx.ScatterND"(%x, %i, %u) {reduction = "add"}
      : (tensor<8x4xf32>, tensor<3x1xsi64>, tensor<3x4xf32>) -> tensor<8x4xf32>
  return %0 : tensor<8x4xf32>
}

// CHECK-LABEL: func.func @scatter_elements
// CHECK: tensor.expand_shape
// CHECK: kern.scatter
// CHECK: arith.maxui
func.func @scatter_elements(%x: tensor<8x4xui8>, %i: tensor<3x4xsi32>, %u: tensor<3x4xui8>)
    -> tensor<8x4xui8> {
  %0 = "onnx.ScatterElements"(%x, %i, %u) {axis = 0 : i64, reduction = "max"}
      : (tensor<8x4xui8>, tensor<3x4xsi32>, tensor<3x4xui8>) -> tensor<8x4xui8>
  return %0 : tensor<8x4xui8>
}

// CHECK-LABEL: func.func @topk
// CHECK: %[[P:.*]] = kern.sort ins(%{{.*}} : tensor<4x9xf32>) outs(%{{.*}} : tensor<4x3xi64>)
// CHECK: linalg.generic
// CHECK-SAME: ins(%[[P]] : tensor<4x3xi64>)
func.func @topk(%x: tensor<4x9xf32>) -> (tensor<4x3xf32>, tensor<4x3xsi64>) {
  %k = "onnx.Constant"() {value = dense<3> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %0:2 = "onnx.TopK"(%x, %k) : (tensor<4x9xf32>, tensor<1xsi64>) -> (tensor<4x3xf32>, tensor<4x3xsi64>)
  return %0#0, %0#1 : tensor<4x3xf32>, tensor<4x3xsi64>
}

// Counted, placed, then read.
// CHECK-LABEL: func.func @compress
// CHECK: kern.scan
// CHECK: plan.check %{{.*}}, 7
// CHECK: kern.scatter
// CHECK: tensor.extract
func.func @compress(%x: tensor<5x2xf32>, %c: tensor<5xi1>) -> tensor<3x2xf32> {
  %0 = "onnx.Compress"(%x, %c) {axis = 0 : i64} : (tensor<5x2xf32>, tensor<5xi1>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// Nearest takes all axes at once, an index table each.
// CHECK-LABEL: func.func @resize_nearest
// CHECK: math.floor
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<4xi64>, tensor<4xi64>)
// CHECK: tensor.extract
func.func @resize_nearest(%x: tensor<1x1x2x2xf32>) -> tensor<1x1x4x4xf32> {
  %n = onnx.None
  %s = "onnx.Constant"() {value = dense<[1.0, 1.0, 2.0, 2.0]> : tensor<4xf32>} : () -> tensor<4xf32>
  %0 = "onnx.Resize"(%x, %n, %s, %n) {coordinate_transformation_mode = "asymmetric", nearest_mode = "floor"}
      : (tensor<1x1x2x2xf32>, none, tensor<4xf32>, none) -> tensor<1x1x4x4xf32>
  return %0 : tensor<1x1x4x4xf32>
}

// Linear is a pass per axis that changes.
// CHECK-LABEL: func.func @resize_linear
// CHECK: math.fma
// CHECK: -> tensor<1x3x4x2xf32>
// CHECK: math.fma
// CHECK: -> tensor<1x3x4x6xf32>
func.func @resize_linear(%x: tensor<1x3x2x2xf32>) -> tensor<1x3x4x6xf32> {
  %n = onnx.None
  %s = "onnx.Constant"() {value = dense<[1, 3, 4, 6]> : tensor<4xsi64>} : () -> tensor<4xsi64>
  %0 = "onnx.Resize"(%x, %n, %n, %s) {mode = "linear"}
      : (tensor<1x3x2x2xf32>, none, none, tensor<4xsi64>) -> tensor<1x3x4x6xf32>
  return %0 : tensor<1x3x4x6xf32>
}

// CHECK-LABEL: func.func @grid_sample
// CHECK: math.floor
// CHECK-COUNT-4: tensor.extract %{{.*}} : tensor<1x2x4x4xf32>
func.func @grid_sample(%x: tensor<1x2x4x4xf32>, %g: tensor<1x3x3x2xf32>) -> tensor<1x2x3x3xf32> {
  %0 = "onnx.GridSample"(%x, %g) : (tensor<1x2x4x4xf32>, tensor<1x3x3x2xf32>) -> tensor<1x2x3x3xf32>
  return %0 : tensor<1x2x3x3xf32>
}

// A size of the running model must be the result's; the last dimension comes first.
// CHECK-LABEL: func.func @affine_grid
// CHECK-COUNT-3: plan.check %{{.*}}, 7,
// CHECK-COUNT-2: math.fma
func.func @affine_grid(%t: tensor<2x2x3xf32>, %s: tensor<4xsi64>) -> tensor<2x5x6x2xf32> {
  %0 = "onnx.AffineGrid"(%t, %s) : (tensor<2x2x3xf32>, tensor<4xsi64>) -> tensor<2x5x6x2xf32>
  return %0 : tensor<2x5x6x2xf32>
}

// A constant one gives the shape, with nothing to check.
// CHECK-LABEL: func.func @affine_grid_known
// CHECK-NOT: plan.check
// CHECK: return
func.func @affine_grid_known(%t: tensor<2x2x3xf32>) -> tensor<2x5x6x2xf32> {
  %s = "onnx.Constant"() {value = dense<[2, 1, 5, 6]> : tensor<4xsi64>} : () -> tensor<4xsi64>
  %0 = "onnx.AffineGrid"(%t, %s) : (tensor<2x2x3xf32>, tensor<4xsi64>) -> tensor<2x5x6x2xf32>
  return %0 : tensor<2x5x6x2xf32>
}

// Rows, columns; n-grams of a column, skips and places are summed over. Pools are tables by column.
// CHECK-LABEL: func.func @tfidf
// CHECK-DAG: dense<{{\[\[}}2], [1]]> : tensor<2x1xi64>
// CHECK-DAG: dense<{{\[\[\[}}7, 8]], {{\[\[}}5, 0]]]> : tensor<2x1x2xi64>
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction", "reduction", "reduction"]
// CHECK: arith.minsi
// CHECK: arith.sitofp
// CHECK: arith.mulf
func.func @tfidf(%x: tensor<3x4xsi32>) -> tensor<3x2xf32> {
  %0 = "onnx.TfIdfVectorizer"(%x) {max_gram_length = 2 : i64, max_skip_count = 1 : i64,
    min_gram_length = 1 : i64, mode = "IDF", ngram_counts = array<i64: 0, 1>,
    ngram_indexes = array<i64: 1, 0>, pool_int64s = array<i64: 5, 7, 8>,
    weights = array<f32: 0.5, 2.0>} : (tensor<3x4xsi32>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// Indices that are known and follow each other are a slice.
// CHECK-LABEL: func.func @gather_run
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #{{.*}}], {{.*}} ins(%{{.*}} : tensor<5x8xf32>) outs(%{{.*}} : tensor<2x8xf32>)
// CHECK-NOT: plan.check
// CHECK: return
func.func @gather_run(%x: tensor<5x8xf32>) -> tensor<2x8xf32> {
  %i = onnx.Constant {value = dense<[-2, 4]> : tensor<2xsi64>} : () -> tensor<2xsi64>
  %0 = onnx.Gather %x, %i : (tensor<5x8xf32>, tensor<2xsi64>) -> tensor<2x8xf32>
  return %0 : tensor<2x8xf32>
}

// What lies outside is found when the model runs, however far it is.
// CHECK-LABEL: func.func @gather_far
// CHECK-NOT: tensor.extract_slice
// CHECK: plan.check
func.func @gather_far(%x: tensor<5x8xf32>) -> tensor<1x8xf32> {
  %i = onnx.Constant {value = dense<9223372036854775807> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %0 = onnx.Gather %x, %i : (tensor<5x8xf32>, tensor<1xsi64>) -> tensor<1x8xf32>
  return %0 : tensor<1x8xf32>
}
