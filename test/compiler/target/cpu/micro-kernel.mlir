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

// Of 106 rows 4 are left behind 17 tiles of 6: one tile of code of its own, so that nothing looks at a row.
// CHECK-LABEL: func.func @row_tail
// CHECK-NOT: scf.if
// CHECK: scf.for
// V3-COUNT-6: math.fma
// V4-COUNT-24: math.fma
// CHECK-NOT: math.fma
// CHECK-COUNT-6: vector.store
// V3-COUNT-4: math.fma
// V4-COUNT-16: math.fma
// CHECK-NOT: math.fma
// CHECK-NOT: scf.if
// CHECK: return
func.func @row_tail(%a: memref<106x64xf32>, %w: memref<4x64x16xf32>, %o: memref<106x64xf32>) {
  kern.contract ins(%a, %w : memref<106x64xf32>, memref<4x64x16xf32>)
      outs(%o : memref<106x64xf32>)
      attributes {a_map = #rows, b_map = #none, extra_maps = [], reduction = array<i64: 64>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  return
}

// Of 24 columns the second panel has 8: half a vector, which needs no mask.
// CHECK-LABEL: func.func @half_panel
// CHECK-NOT: vector.maskedstore
// V4: scf.for {{.*}} -> (vector<16xf32>, vector<8xf32>, vector<16xf32>, vector<8xf32>
// V4: vector.load {{.*}} vector<16xf32>
// V4: vector.load {{.*}} vector<8xf32>
// V3: math.fma {{.*}} vector<16xf32>
// V3: vector.store {{.*}} vector<16xf32>
// CHECK: math.fma {{.*}} vector<8xf32>
// CHECK: vector.store {{.*}} vector<8xf32>
// CHECK-NOT: vector.maskedstore
// CHECK: return
func.func @half_panel(%a: memref<96x64xf32>, %w: memref<2x64x16xf32>, %o: memref<96x24xf32>) {
  kern.contract ins(%a, %w : memref<96x64xf32>, memref<2x64x16xf32>)
      outs(%o : memref<96x24xf32>)
      attributes {a_map = #rows, b_map = #none, extra_maps = [], reduction = array<i64: 64>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  return
}

// One row: panels of a cache several at once, a chain each; those that come from memory one after the other.
// CHECK-LABEL: func.func @row_of_cache
// CHECK-COUNT-4: math.fma
// CHECK-NOT: math.fma
// CHECK: return
func.func @row_of_cache(%a: memref<1x192xf32>, %w: memref<8x192x16xf32>, %o: memref<1x128xf32>) {
  kern.contract ins(%a, %w : memref<1x192xf32>, memref<8x192x16xf32>)
      outs(%o : memref<1x128xf32>)
      attributes {a_map = #rows, b_map = #none, extra_maps = [], reduction = array<i64: 192>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  return
}

// CHECK-LABEL: func.func @row_of_memory
// CHECK-COUNT-1: math.fma
// CHECK-NOT: math.fma
// CHECK: return
func.func @row_of_memory(%a: memref<1x192xf32>, %w: memref<128x192x16xf32>, %o: memref<1x2048xf32>) {
  kern.contract ins(%a, %w : memref<1x192xf32>, memref<128x192x16xf32>)
      outs(%o : memref<1x2048xf32>)
      attributes {a_map = #rows, b_map = #none, extra_maps = [], reduction = array<i64: 192>} {
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
// row count is an argument: whole tiles first, then one of which some rows are not stored.
// CHECK-LABEL: func.func @bias_tail
// CHECK-NOT: memref.alloc
// CHECK: scf.forall
// CHECK: arith.remui {{.*}}, %c6
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
// The rows of a task stay there, so that all three K blocks of a panel are summed before the next panel.
// CHECK-LABEL: func.func @fetched
// V3: scf.for {{.*}} to %c2 step
// V3: scf.for {{.*}} to %c3 step
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

// Rows that are whole panels are read where they lie: K blocks of 192 and 108.
// CHECK-LABEL: func.func @unpacked_rows
// CHECK: memref.alloc() : memref<{{[0-9]+}}x1x16xf32>
// CHECK-NOT: vector.shuffle
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-3: vector.load %{{.*}} : memref<2x300x64xf32>
// CHECK: math.fma
// CHECK: return
func.func @unpacked_rows(%a: memref<2x1x300xf32>, %b: memref<2x300x64xf32>, %o: memref<2x1x64xf32>) {
  kern.contract ins(%a, %b : memref<2x1x300xf32>, memref<2x300x64xf32>) outs(%o : memref<2x1x64xf32>)
      attributes {a_map = affine_map<(h, m, n, k) -> (h, m, k)>,
                  b_map = affine_map<(h, m, n, k) -> (h, k, n)>, extra_maps = [],
                  reduction = array<i64: 300>} {
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

// Others are copied to panels of the task's own, as many columns as there are.
// CHECK-LABEL: func.func @unpacked_part
// CHECK: %[[PANELS:.*]] = memref.alloc() : memref<2x8x16xf32>
// CHECK: vector.maskedload
// CHECK: vector.store %{{.*}}, %[[PANELS]]
// CHECK: vector.load %[[PANELS]]
// CHECK: math.fma
// CHECK: return
func.func @unpacked_part(%a: memref<1x8xf32>, %b: memref<8x24xf32>, %o: memref<1x24xf32>) {
  kern.contract ins(%a, %b : memref<1x8xf32>, memref<8x24xf32>) outs(%o : memref<1x24xf32>)
      attributes {a_map = #rows, b_map = affine_map<(m, n, k) -> (k, n)>, extra_maps = [],
                  reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  return
}

// Columns are turned in squares of 8, while those of the next panels come; the last 4 steps are
// copied one by one. Of a part of a state only so many columns exist as are told.
// CHECK-LABEL: func.func @unpacked_columns
// CHECK: %[[PANELS:.*]] = memref.alloc() : memref<[[SIZE:[0-9]+x20x16xf32]]>
// CHECK: memref.prefetch
// CHECK-COUNT-8: vector.load %{{.*}} : memref<3x?x20xf32, strided<[2000, 20, 1]>>, vector<8xf32>
// CHECK-COUNT-24: vector.shuffle
// CHECK-COUNT-8: vector.store %{{.*}}, %[[PANELS]]{{.*}} : memref<[[SIZE]]>, vector<8xf32>
// CHECK: memref.store %{{.*}}, %[[PANELS]]
// CHECK: vector.load %[[PANELS]]
// CHECK: math.fma
// CHECK: return
func.func @unpacked_columns(%a: memref<3x1x20xf32>, %b: memref<3x?x20xf32, strided<[2000, 20, 1]>>,
                            %o: memref<3x1x?xf32>) {
  kern.contract ins(%a, %b : memref<3x1x20xf32>, memref<3x?x20xf32, strided<[2000, 20, 1]>>)
      outs(%o : memref<3x1x?xf32>)
      attributes {a_map = affine_map<(h, m, n, k) -> (h, m, k)>,
                  b_map = affine_map<(h, m, n, k) -> (h, n, k)>, extra_maps = [],
                  reduction = array<i64: 20>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  return
}

// A tuning names the schedule, and the kernel is told what else there is.
// V3-LABEL: module @tuned
// V3: func.func @product
// V3-SAME: plan.tunable = [{key = "96x8x64", others = [array<i64: {{.*}}>{{.*}}], taken = array<i64: 5, 1, 15, 4, 0, 0>}]
// The 16 rows that are left behind 16 tiles of 5 are 4 tiles of 4, of the last task.
// V3: scf.forall {{.*}} in (6, 2)
// V3: iter_args
// V3-COUNT-5: math.fma
// V3-NOT: math.fma
// V3: scf.if
// V3: iter_args
// V3-COUNT-4: math.fma
// V3-NOT: math.fma
// V3: return
module @tuned attributes {plan.tuning = {"96x8x64" = array<i64: 5, 1, 15, 4, 0, 0>}} {
  func.func @product(%a: memref<96x64xf32>, %w: memref<8x64x16xf32>, %o: memref<96x128xf32>) {
    kern.contract ins(%a, %w : memref<96x64xf32>, memref<8x64x16xf32>)
        outs(%o : memref<96x128xf32>)
        attributes {a_map = #rows, b_map = #none, extra_maps = [], reduction = array<i64: 64>} {
    ^bb0(%sum: f32):
      kern.yield %sum : f32
    }
    return
  }
}

// A residual of such a size, too: each row of a tile before it is summed, and not what all rows share.
// CHECK-LABEL: func.func @residual
// CHECK-NOT: memref.prefetch
// V3-COUNT-6: memref.prefetch {{.*}}, read, locality<3>, data : memref<384x256xf32>
// V4-COUNT-24: memref.prefetch {{.*}}, read, locality<3>, data : memref<384x256xf32>
// CHECK-NOT: memref.prefetch
// CHECK: math.fma
func.func @residual(%a: memref<384x64xf32>, %w: memref<16x64x16xf32>, %bias: memref<256xf32>,
                    %r: memref<384x256xf32>, %o: memref<384x256xf32>) {
  kern.contract ins(%a, %w : memref<384x64xf32>, memref<16x64x16xf32>)
      extras(%bias, %r : memref<256xf32>, memref<384x256xf32>) outs(%o : memref<384x256xf32>)
      attributes {a_map = #rows, b_map = #none,
                  extra_maps = [affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>],
                  reduction = array<i64: 64>} {
  ^bb0(%sum: f32, %b: f32, %x: f32):
    %0 = arith.addf %sum, %b : f32
    %1 = arith.addf %0, %x : f32
    kern.yield %1 : f32
  }
  return
}


// Rows of a part of a whole do not lie side by side: they stay two dims.
// CHECK-LABEL: func.func @part
// CHECK-NOT: memref.collapse_shape %arg0
// CHECK: return
func.func @part(%a: memref<3x8x16xf32>, %w: memref<1x16x16xf32>, %o: memref<3x4x16xf32>) {
  kern.contract ins(%a, %w : memref<3x8x16xf32>, memref<1x16x16xf32>)
      outs(%o : memref<3x4x16xf32>)
      attributes {a_map = affine_map<(b, m, n, k) -> (b, m, k)>, b_map = affine_map<(b, m, n) -> ()>,
                  extra_maps = [], reduction = array<i64: 16>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  return
}

// A recurrence's weights, more than the second cache keeps: each other trip goes through them backward.
// CHECK-LABEL: func.func @recurrence
// CHECK: scf.for %[[T:.*]] = %
// CHECK: %[[ODD:.*]] = arith.remui %{{.*}}, %{{.*}} : index
// CHECK: %[[BACK:.*]] = arith.cmpi ne, %[[ODD]]
// CHECK: %[[FROM_END:.*]] = arith.subi %c3{{.*}}, %[[GATE:.*]] : index
// CHECK: arith.select %[[BACK]], %[[FROM_END]], %[[GATE]]
func.func @recurrence(%x: memref<1x256xf32>, %w: memref<4x16x256x16xf32>, %c: memref<4x1x256xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %steps = arith.constant 9 : index
  scf.for %t = %zero to %steps step %one {
    kern.contract ins(%x, %w : memref<1x256xf32>, memref<4x16x256x16xf32>) outs(%c : memref<4x1x256xf32>)
      attributes {a_map = affine_map<(g, m, n, k) -> (m, k)>,
                  b_map = affine_map<(g, m, n) -> (g)>,
                  extra_maps = [], reduction = array<i64: 256>} {
    ^bb0(%sum: f32):
      kern.yield %sum : f32
    }
  }
  return
}
