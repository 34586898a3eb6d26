// RUN: burin-opt %s --lower-onnx --split-input-file | FileCheck %s
// RUN: burin-opt %s --lower-onnx --split-input-file --canonicalize -o /dev/null

// One generic over [batch, heads, sequence, 2, half]: each element and the one across.
// CHECK: #[[OTHER:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, -d3 + 1, d4)>
// CHECK: #[[ANGLE:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (0, d2, d4)>
// CHECK-LABEL: func.func @halves
// CHECK: tensor.expand_shape %{{.*}} into tensor<2x4x3x2x4xf32>
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[OTHER]], #[[ANGLE]], #[[ANGLE]], #{{.*}}]
// CHECK: arith.negf
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @halves(%x: tensor<2x4x3x8xf32>, %c: tensor<1x3x4xf32>, %s: tensor<1x3x4xf32>) -> tensor<2x4x3x8xf32> {
  %n = onnx.None
  %y = onnx.RotaryEmbedding %x, %c, %s, %n : (tensor<2x4x3x8xf32>, tensor<1x3x4xf32>, tensor<1x3x4xf32>, none) -> tensor<2x4x3x8xf32>
  return %y : tensor<2x4x3x8xf32>
}

// -----

// Rows of the caches by position, checked; the first 4 of each head's 6 elements, pair by pair.
// CHECK-LABEL: func.func @positions
// CHECK-COUNT-2: plan.check
// CHECK: linalg.generic
// CHECK: linalg.index 4
// CHECK-COUNT-2: tensor.insert_slice
// CHECK: return
func.func @positions(%x: tensor<2x3x24xf32>, %c: tensor<9x2xf32>, %s: tensor<9x2xf32>, %p: tensor<2x3xsi64>) -> tensor<2x3x24xf32> {
  %y = onnx.RotaryEmbedding %x, %c, %s, %p {num_heads = 4 : i64, rotary_embedding_dim = 4 : i64, interleaved = 1 : i64} : (tensor<2x3x24xf32>, tensor<9x2xf32>, tensor<9x2xf32>, tensor<2x3xsi64>) -> tensor<2x3x24xf32>
  return %y : tensor<2x3x24xf32>
}
