// RUN: burin-opt %s --expand-contract --canonicalize --cse | FileCheck %s --check-prefixes=CHECK,V3
// RUN: burin-opt %s --expand-contract=vector-level=neon --canonicalize --cse | FileCheck %s --check-prefixes=CHECK,V3
// RUN: burin-opt %s --expand-contract=vector-level=v4 --canonicalize --cse | FileCheck %s --check-prefixes=CHECK,V4

#rows = affine_map<(m, n, k) -> (m, k)>
#none = affine_map<(m, n) -> ()>

// Three K blocks: 192, 192 and 128. The inner loop holds the tile's sums in registers and
// nothing but loads, splats and fused multiply-adds.
// CHECK-LABEL: func.func @gemm
// CHECK-NOT: kern.contract
// CHECK: scf.forall
// CHECK: memref.alloc() : memref<{{.*}}x16xf32>
// V3: scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>) {
// V3-COUNT-1: vector.load
// V3-COUNT-6: math.fma
// V3-NOT: math.fma
// V4: iter_args
// V4-COUNT-4: vector.load
// V4-COUNT-24: math.fma
// V4-NOT: math.fma
// CHECK: return
func.func @gemm(%a: memref<96x512xf32>, %w: memref<8x512x16xf32>, %o: memref<96x128xf32>) {
  kern.contract ins(%a, %w : memref<96x512xf32>, memref<8x512x16xf32>)
      outs(%o : memref<96x128xf32>)
      attributes {a_map = #rows, b_map = #none, extra_maps = [], reduction = array<i64: 512>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  return
}

// Panels of bf16 are extended as they are loaded.
// CHECK-LABEL: func.func @gemm_bf16
// CHECK: scf.for
// CHECK: %[[B:.*]] = vector.load {{.*}} : memref<8x64x16xbf16>, vector<16xbf16>
// CHECK: arith.extf %[[B]] : vector<16xbf16> to vector<16xf32>
// CHECK: math.fma {{.*}} : vector<16xf32>
// CHECK: return
func.func @gemm_bf16(%a: memref<96x64xf32>, %w: memref<8x64x16xbf16>, %o: memref<96x128xf32>) {
  kern.contract ins(%a, %w : memref<96x64xf32>, memref<8x64x16xbf16>)
      outs(%o : memref<96x128xf32>)
      attributes {a_map = #rows, b_map = #none, extra_maps = [], reduction = array<i64: 64>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  return
}

// One K block needs no scratch. The last panel is masked, bias and result alike; the
// row count is an argument and rows past the end are not stored.
// CHECK-LABEL: func.func @bias_tail
// CHECK-NOT: memref.alloc
// CHECK: scf.forall
// CHECK: math.fma
// CHECK: vector.maskedload
// CHECK: arith.addf {{.*}} : vector<16xf32>
// CHECK: vector.maskedstore
// CHECK: return
func.func @bias_tail(%a: memref<?x64xf32>, %w: memref<3x64x16xf32>, %bias: memref<40xf32>,
                     %o: memref<?x40xf32>) {
  kern.contract ins(%a, %w : memref<?x64xf32>, memref<3x64x16xf32>) extras(%bias : memref<40xf32>)
      outs(%o : memref<?x40xf32>)
      attributes {a_map = #rows, b_map = #none, extra_maps = [affine_map<(m, n) -> (n)>],
                  reduction = array<i64: 64>} {
  ^bb0(%sum: f32, %b: f32):
    %s = arith.addf %sum, %b : f32
    kern.yield %s : f32
  }
  return
}

// A padded window: each row of a tap is the row of `a` or a row of zeros.
// CHECK-LABEL: func.func @conv
// CHECK: memref.alloc() : memref<64xf32>
// CHECK: arith.cmpi ult
// CHECK: arith.select {{.*}} : memref<?xf32, strided<[1], offset: ?>>
// CHECK: math.fma
func.func @conv(%a: memref<1x14x14x64xf32>, %w: memref<4x576x16xf32>, %o: memref<1x14x14x64xf32>) {
  kern.contract ins(%a, %w : memref<1x14x14x64xf32>, memref<4x576x16xf32>)
      outs(%o : memref<1x14x14x64xf32>)
      attributes {a_map = affine_map<(b, y, x, n, i, j, c) -> (b, y + i - 1, x + j - 1, c)>,
                  b_map = affine_map<(b, y, x, n) -> ()>, extra_maps = [],
                  reduction = array<i64: 3, 3, 64>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  return
}

// A window without padding and with size 1 walks its rows as one dim.
// CHECK-LABEL: func.func @pointwise
// CHECK: memref.collapse_shape {{.*}} : memref<2x14x14x64xf32> into memref<392x64xf32>
// CHECK-NOT: arith.remui
// CHECK: return
func.func @pointwise(%a: memref<2x14x14x64xf32>, %w: memref<4x64x16xf32>,
                     %o: memref<2x14x14x64xf32>) {
  kern.contract ins(%a, %w : memref<2x14x14x64xf32>, memref<4x64x16xf32>)
      outs(%o : memref<2x14x14x64xf32>)
      attributes {a_map = affine_map<(b, y, x, n, c) -> (b, y, x, c)>,
                  b_map = affine_map<(b, y, x, n) -> ()>, extra_maps = [],
                  reduction = array<i64: 64>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  return
}

// Weights of more than the second cache are fetched ahead, a part while each tile of rows is summed.
// CHECK-LABEL: func.func @fetched
// CHECK: memref.prefetch {{.*}}, read, locality<2>, data : memref<64x512x16xf32>
// CHECK: math.fma
func.func @fetched(%a: memref<96x512xf32>, %w: memref<64x512x16xf32>, %o: memref<96x1024xf32>) {
  kern.contract ins(%a, %w : memref<96x512xf32>, memref<64x512x16xf32>)
      outs(%o : memref<96x1024xf32>)
      attributes {a_map = #rows, b_map = #none, extra_maps = [], reduction = array<i64: 512>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  return
}

// Of one window along an axis a tap alone says where it reads: it can leave `a`.
// CHECK-LABEL: func.func @one_window
// CHECK: %[[IN:.*]] = arith.cmpi ult, %{{.*}}, %c2
// CHECK: arith.select %[[IN]]
// CHECK: return
func.func @one_window(%a: memref<2x8xf32>, %w: memref<1x24x16xf32>, %o: memref<1x16xf32>) {
  kern.contract ins(%a, %w : memref<2x8xf32>, memref<1x24x16xf32>)
      outs(%o : memref<1x16xf32>)
      attributes {a_map = affine_map<(m, n, t, k) -> (m + t, k)>, b_map = #none, extra_maps = [],
                  reduction = array<i64: 3, 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  return
}
