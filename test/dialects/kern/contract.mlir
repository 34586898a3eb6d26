// RUN: burin-opt %s | burin-opt | FileCheck %s
// RUN: burin-opt %s --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" | FileCheck %s --check-prefix=BUFFER

#rows = affine_map<(m, n, k) -> (m, k)>
#none = affine_map<(m, n) -> ()>
#bias = affine_map<(m, n) -> (n)>

// CHECK-LABEL: func.func @gemm_bias
// CHECK: kern.contract ins(%{{.*}}, %{{.*}} : tensor<?x768xf32>, tensor<4x768x16xf32>) extras(%{{.*}} : tensor<50xf32>) outs(%{{.*}} : tensor<?x50xf32>)
// CHECK: kern.yield
// BUFFER-LABEL: func.func @gemm_bias
// BUFFER-NOT: alloc
// BUFFER-NOT: copy
// BUFFER: kern.contract ins(%{{.*}}, %{{.*}} : memref<?x768xf32>, memref<4x768x16xf32>) extras(%{{.*}} : memref<50xf32>) outs(%{{.*}} : memref<?x50xf32>)
// BUFFER: return
func.func @gemm_bias(%a: tensor<?x768xf32>, %w: tensor<4x768x16xf32>, %bias: tensor<50xf32>,
                     %o: tensor<?x50xf32>) -> tensor<?x50xf32> {
  %r = kern.contract ins(%a, %w : tensor<?x768xf32>, tensor<4x768x16xf32>)
      extras(%bias : tensor<50xf32>) outs(%o : tensor<?x50xf32>)
      attributes {a_map = #rows, b_map = #none, extra_maps = [#bias], reduction = array<i64: 768>} {
  ^bb0(%sum: f32, %b: f32):
    %s = arith.addf %sum, %b : f32
    kern.yield %s : f32
  } -> tensor<?x50xf32>
  return %r : tensor<?x50xf32>
}

// A 3x3 convolution, padding 1, two groups of 8 channels to 12.
// CHECK-LABEL: func.func @grouped_conv
// CHECK: kern.contract
func.func @grouped_conv(%a: tensor<1x14x14x2x8xf32>, %w: tensor<2x1x72x16xf32>,
                        %o: tensor<1x14x14x2x12xf32>) -> tensor<1x14x14x2x12xf32> {
  %r = kern.contract ins(%a, %w : tensor<1x14x14x2x8xf32>, tensor<2x1x72x16xf32>)
      outs(%o : tensor<1x14x14x2x12xf32>)
      attributes {a_map = affine_map<(b, y, x, g, n, i, j, c) -> (b, y + i - 1, x + j - 1, g, c)>,
                  b_map = affine_map<(b, y, x, g, n) -> (g)>, extra_maps = [],
                  reduction = array<i64: 3, 3, 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<1x14x14x2x12xf32>
  return %r : tensor<1x14x14x2x12xf32>
}

// Keys of heads that lie side by side, read where they lie.
// CHECK-LABEL: func.func @unpacked
// CHECK: kern.contract ins(%{{.*}}, %{{.*}} : tensor<2x4x8xf32>, tensor<1x?x3x8xf32>)
func.func @unpacked(%a: tensor<2x4x8xf32>, %k: tensor<1x?x3x8xf32>, %o: tensor<2x4x?xf32>) -> tensor<2x4x?xf32> {
  %r = kern.contract ins(%a, %k : tensor<2x4x8xf32>, tensor<1x?x3x8xf32>) outs(%o : tensor<2x4x?xf32>)
      attributes {a_map = affine_map<(h, m, n, k) -> (h, m, k)>,
                  b_map = affine_map<(h, m, n, k) -> (0, n, h + 1, k)>, extra_maps = [],
                  reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<2x4x?xf32>
  return %r : tensor<2x4x?xf32>
}
