// RUN: burin-opt %s --expand-contract --canonicalize --cse | FileCheck %s

#conv = affine_map<(b, y, x, n, i, j, c) -> (b, y + i - 1, x + j - 1, c)>
#none = affine_map<(b, y, x, n) -> ()>

// 4 x 4 tiles of 14 x 14: 16 of them, in one block, with two blocks of columns. A worker's tasks of the same tiles transform
// them once: what is in front of them is its own. Of each tile 36 places,
// those outside in a row of zeros, go to 36 rows: rows of a tile that have terms in common are made at once, others
// from places that are loaded again. Of a whole tile two rows of results at once are stored from registers.
// CHECK-LABEL: func.func @large_tiles
// CHECK: memref.alloc() : memref<36x4112xf32>
// CHECK: %[[DONE:.*]] = memref.alloc() : memref<1xindex>
// CHECK: memref.store %c-1, %[[DONE]]
// CHECK: scf.forall ({{.*}}) in (2)
// CHECK: memref.alloc() : memref<36x2064xf32>
// CHECK: %[[LAST:.*]] = memref.load %[[DONE]]
// CHECK: %[[OTHERS:.*]] = arith.cmpi ne, %[[LAST]], %c0
// CHECK: scf.if %[[OTHERS]]
// CHECK-COUNT-36: arith.select {{.*}} : memref<?xf32, strided<[1], offset: ?>>
// CHECK-COUNT-18: vector.load {{.*}} : memref<?xf32, strided<[1], offset: ?>>, vector<8xf32>
// CHECK-COUNT-6: vector.store {{.*}} : memref<36x16x256xf32, strided<[4112, 256, 1]>>
// CHECK-COUNT-24: vector.load {{.*}} : memref<?xf32, strided<[1], offset: ?>>, vector<8xf32>
// CHECK-COUNT-12: vector.store {{.*}} : memref<36x16x256xf32, strided<[4112, 256, 1]>>
// CHECK: memref.store %c0, %[[DONE]]
// CHECK: scf.forall
// CHECK: memref.load {{.*}} : memref<256xf32, strided<[1], offset: ?>>
// CHECK: scf.if
// CHECK-COUNT-30: vector.load {{.*}} : memref<36x16x128xf32, strided<[2064, 128, 1]>>
// CHECK-COUNT-8: vector.store {{.*}} : memref<1x14x14x256xf32>, vector<8xf32>
// CHECK: } else {
// CHECK-COUNT-30: vector.load {{.*}} : memref<36x16x128xf32, strided<[2064, 128, 1]>>
// CHECK-COUNT-8: vector.store {{.*}} : memref<4x4x16xf32>
// CHECK: arith.maximumf
// CHECK: vector.store {{.*}} : memref<1x14x14x256xf32>, vector<16xf32>
// CHECK-NOT: kern.contract
func.func @large_tiles(%a: memref<1x14x14x256xf32>, %w: memref<36x16x256x16xf32>,
                       %o: memref<1x14x14x256xf32>) {
  kern.contract ins(%a, %w : memref<1x14x14x256xf32>, memref<36x16x256x16xf32>)
      outs(%o : memref<1x14x14x256xf32>)
      attributes {a_map = #conv, b_map = #none, extra_maps = [], reduction = array<i64: 3, 3, 256>,
                  winograd = 4 : i64} {
  ^bb0(%sum: f32):
    %zero = arith.constant 0.0 : f32
    %r = arith.maximumf %sum, %zero : f32
    kern.yield %r : f32
  }
  return
}

// 2 x 2 tiles, sizes that are told when it runs, channels that fill no vector: read and written by masks.
// CHECK-LABEL: func.func @small_tiles
// CHECK: scf.forall
// CHECK: vector.maskedload {{.*}} : memref<?xf32, strided<[1], offset: ?>>
// CHECK-COUNT-16: vector.store {{.*}} : memref<16x60x32xf32, strided<[1936, 32, 1]>>
// CHECK: vector.maskedstore {{.*}} : memref<?x?x?x20xf32>
func.func @small_tiles(%a: memref<?x?x?x20xf32>, %w: memref<16x2x20x16xf32>,
                       %o: memref<?x?x?x20xf32>) {
  kern.contract ins(%a, %w : memref<?x?x?x20xf32>, memref<16x2x20x16xf32>)
      outs(%o : memref<?x?x?x20xf32>)
      attributes {a_map = #conv, b_map = #none, extra_maps = [], reduction = array<i64: 3, 3, 20>,
                  winograd = 2 : i64} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  return
}

#window = affine_map<(b, y, x, n, i, j) -> (b, y * 2 + i, x * 2 + j, n)>
#taps = affine_map<(b, y, x, n, i, j) -> (i, j)>
#pooled = affine_map<(b, y, x, n, i, j) -> (b, y, x, n)>

// The greatest of each 2 x 2 is what is stored: of whole tiles from registers, of others from what was put aside. The last
// row and column of results have no window.
// CHECK-LABEL: func.func @pooled
// CHECK-NOT: memref.alloc() : memref<2x15x15x64xf32>
// CHECK-NOT: linalg.fill
// CHECK: scf.if
// CHECK-COUNT-12: arith.maximumf {{.*}} : vector<8xf32>
// CHECK-NOT: arith.maximumf
// CHECK: vector.store {{.*}} : memref<2x7x7x64xf32>, vector<8xf32>
// CHECK: } else {
// CHECK-COUNT-8: vector.store {{.*}} : memref<4x4x16xf32>
// CHECK-COUNT-3: arith.maximumf {{.*}} : vector<16xf32>
// CHECK: vector.store {{.*}} : memref<2x7x7x64xf32>, vector<16xf32>
// CHECK-NOT: linalg.generic
func.func @pooled(%a: memref<2x15x15x64xf32>, %w: memref<36x4x64x16xf32>, %o: memref<2x7x7x64xf32>) {
  %low = arith.constant 0xFF800000 : f32
  %taps = memref.alloc() : memref<2x2xf32>
  %made = memref.alloc() : memref<2x15x15x64xf32>
  kern.contract ins(%a, %w : memref<2x15x15x64xf32>, memref<36x4x64x16xf32>) outs(%made : memref<2x15x15x64xf32>)
      attributes {a_map = #conv, b_map = #none, extra_maps = [], reduction = array<i64: 3, 3, 64>, winograd = 4 : i64} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  linalg.fill ins(%low : f32) outs(%o : memref<2x7x7x64xf32>)
  linalg.generic {indexing_maps = [#window, #taps, #pooled],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%made, %taps : memref<2x15x15x64xf32>, memref<2x2xf32>) outs(%o : memref<2x7x7x64xf32>) {
  ^bb0(%in: f32, %t: f32, %out: f32):
    %m = arith.maximumf %out, %in : f32
    linalg.yield %m : f32
  }
  return
}
