// RUN: burin-opt %s --vectorize-linalg --canonicalize --cse | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// A long row has 64 lanes and a tree; its length alone says so.
// CHECK-LABEL: func.func @row_max
// CHECK: scf.for {{.*}} step %c64 iter_args({{.*}}) -> (vector<64xf32>)
// CHECK: vector.load {{.*}} vector<64xf32>
// CHECK: arith.maximumf {{.*}} : vector<64xf32>
// CHECK: arith.maximumf {{.*}} : vector<32xf32>
// CHECK: arith.maximumf {{.*}} : vector<1xf32>
// CHECK: memref.store
func.func @row_max(%x: memref<8x768xf32>, %m: memref<8xf32>) {
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<8x768xf32>) outs(%m : memref<8xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %r = arith.maximumf %acc, %a : f32
    linalg.yield %r : f32
  }
  return
}

// The greatest that is no NaN: one instruction for each vector of a row.
// CHECK-LABEL: func.func @row_greatest
// CHECK: %[[LOW:.*]] = arith.constant dense<0xFF800000> : vector<64xf32>
// CHECK: scf.for {{.*}} step %c64 iter_args(%[[ACC:.*]] = %[[LOW]]) -> (vector<64xf32>)
// CHECK: %[[X:.*]] = vector.load {{.*}} vector<64xf32>
// CHECK: %[[LESS:.*]] = arith.cmpf olt, %[[ACC]], %[[X]] : vector<64xf32>
// CHECK: arith.select %[[LESS]], %[[X]], %[[ACC]] : vector<64xi1>, vector<64xf32>
// CHECK: arith.cmpf olt, {{.*}} : vector<32xf32>
// CHECK: memref.store
func.func @row_greatest(%x: memref<8x768xf32>, %m: memref<8xf32>) {
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<8x768xf32>) outs(%m : memref<8xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %less = arith.cmpf olt, %acc, %a : f32
    %r = arith.select %less, %a, %acc : f32
    linalg.yield %r : f32
  }
  return
}

// The value of a row is one for all lanes; the end is masked.
// CHECK-LABEL: func.func @minus_row
// CHECK: scf.for
// CHECK: scf.for {{.*}} step %c16
// CHECK: %[[M:.*]] = memref.load
// CHECK: vector.broadcast %[[M]] : f32 to vector<16xf32>
// CHECK: vector.store
// CHECK: %[[MASK:.*]] = vector.constant_mask [13] : vector<16xi1>
// CHECK: vector.maskedload {{.*}}, %[[MASK]]
// CHECK: vector.maskedstore {{.*}}, %[[MASK]]
func.func @minus_row(%x: memref<8x77xf32>, %m: memref<8xf32>, %y: memref<8x77xf32>) {
  linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %m : memref<8x77xf32>, memref<8xf32>) outs(%y : memref<8x77xf32>) {
  ^bb0(%a: f32, %s: f32, %o: f32):
    %r = arith.subf %a, %s : f32
    linalg.yield %r : f32
  }
  return
}

// Loops that all operands walk as one are one; no end is left.
// CHECK-LABEL: func.func @relu
// CHECK-COUNT-1: scf.for
// CHECK-NOT: scf.for
// CHECK-NOT: masked
// CHECK: return
func.func @relu(%x: memref<4x16x7x7xf32>, %y: memref<4x16x7x7xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.generic {indexing_maps = [affine_map<(a, b, c, d) -> (a, b, c, d)>,
                                   affine_map<(a, b, c, d) -> (a, b, c, d)>],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : memref<4x16x7x7xf32>) outs(%y : memref<4x16x7x7xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.maximumf %a, %zero : f32
    linalg.yield %r : f32
  }
  return
}

// Lanes are channels; the window's loops stay apart and carry the accumulators.
// CHECK-LABEL: func.func @pool
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<64xf32>)
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<64xf32>)
// CHECK: vector.load
// CHECK: arith.maximumf {{.*}} : vector<64xf32>
// CHECK: vector.store
func.func @pool(%x: memref<1x57x57x64xf32>, %window: memref<3x3xf32>, %y: memref<1x28x28x64xf32>) {
  linalg.generic {indexing_maps = [affine_map<(n, h, w, c, kh, kw) -> (n, h * 2 + kh, w * 2 + kw, c)>,
                                   affine_map<(n, h, w, c, kh, kw) -> (kh, kw)>,
                                   affine_map<(n, h, w, c, kh, kw) -> (n, h, w, c)>],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %window : memref<1x57x57x64xf32>, memref<3x3xf32>) outs(%y : memref<1x28x28x64xf32>) {
  ^bb0(%a: f32, %k: f32, %o: f32):
    %r = arith.maximumf %a, %o : f32
    linalg.yield %r : f32
  }
  return
}

// Rows fetched by index are read whole.
// CHECK-LABEL: func.func @rows_by_index
// CHECK: vector.load {{.*}} : memref<100x64xf32>, vector<16xf32>
func.func @rows_by_index(%table: memref<100x64xf32>, %i: memref<5xi64>, %y: memref<5x64xf32>) {
  linalg.generic {indexing_maps = [#row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%i : memref<5xi64>) outs(%y : memref<5x64xf32>) {
  ^bb0(%a: i64, %o: f32):
    %k = arith.index_cast %a : i64 to index
    %c = linalg.index 1 : index
    %r = memref.load %table[%k, %c] : memref<100x64xf32>
    linalg.yield %r : f32
  }
  return
}

// Two results that depend on one another are left alone.
// CHECK-LABEL: func.func @arg_max
// CHECK: linalg.generic
func.func @arg_max(%x: memref<8x64xf32>, %m: memref<8xf32>, %at: memref<8xi64>) {
  linalg.generic {indexing_maps = [#id, #row, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<8x64xf32>) outs(%m, %at : memref<8xf32>, memref<8xi64>) {
  ^bb0(%a: f32, %best: f32, %where: i64):
    %k = linalg.index 1 : index
    %i = arith.index_cast %k : index to i64
    %more = arith.cmpf ogt, %a, %best : f32
    %v = arith.select %more, %a, %best : f32
    %w = arith.select %more, %i, %where : i64
    linalg.yield %v, %w : f32, i64
  }
  return
}

// What lies apart in one input lies together along the other loop: squares of eight are loaded in rows and turned
// in registers. The sizes leave rows and lanes over.
// CHECK-LABEL: func.func @turned
// CHECK: scf.for %[[ROW:.*]] = %c0{{.*}} to %c96{{.*}} step %c8
// CHECK: scf.for %[[LANE:.*]] = %c0{{.*}} to %c16{{.*}} step %c8
// CHECK-COUNT-8: vector.load {{.*}} : memref<20x100xf32>, vector<8xf32>
// CHECK-COUNT-24: vector.shuffle
// CHECK: vector.load {{.*}} : memref<100x20xf32>, vector<8xf32>
// CHECK: arith.addf {{.*}} : vector<8xf32>
// CHECK: vector.store {{.*}} : memref<100x20xf32>, vector<8xf32>
// CHECK: memref.load {{.*}} : memref<20x100xf32>
// CHECK: return
#turned = affine_map<(i, j) -> (j, i)>
func.func @turned(%x: memref<20x100xf32>, %z: memref<100x20xf32>, %y: memref<100x20xf32>) {
  linalg.generic {indexing_maps = [#turned, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %z : memref<20x100xf32>, memref<100x20xf32>) outs(%y : memref<100x20xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  }
  return
}

// A tile's position in a body is an affine map; rows of a table that the lanes choose are turned as well.
// CHECK-LABEL: func.func @turned_by_index
// CHECK: scf.for {{.*}} step %c8
// CHECK-COUNT-8: vector.load {{.*}} : memref<100x64xf32>, vector<8xf32>
// CHECK-COUNT-24: vector.shuffle
// CHECK-COUNT-8: vector.store {{.*}} : memref<64x16xf32>, vector<8xf32>
// CHECK-NOT: linalg.generic
func.func @turned_by_index(%table: memref<100x64xf32>, %first: index, %y: memref<64x16xf32>) {
  %last = arith.constant 99 : index
  linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]}
      outs(%y : memref<64x16xf32>) {
  ^bb0(%o: f32):
    %k = linalg.index 0 : index
    %j = linalg.index 1 : index
    %row = affine.apply affine_map<(d0)[s0] -> (d0 + s0)>(%j)[%first]
    %inside = arith.minui %row, %last : index
    %v = memref.load %table[%inside, %k] : memref<100x64xf32>
    linalg.yield %v : f32
  }
  return
}

// Rows that indices name: the index is checked once for all lanes.
// CHECK-LABEL: func.func @checked_rows_by_index
// CHECK: scf.for
// CHECK: scf.for {{.*}} step %c16
// CHECK: %[[I:.*]] = memref.load {{.*}} : memref<9xi64>
// CHECK: plan.check {{.*}}, 6, %[[I]]
// CHECK: vector.load {{.*}} : memref<100x64xf32>, vector<16xf32>
// CHECK: vector.store {{.*}} : memref<9x64xf32>, vector<16xf32>
// CHECK-NOT: linalg.generic
func.func @checked_rows_by_index(%table: memref<100x64xf32>, %i: memref<9xi64>, %y: memref<9x64xf32>) {
  %rows = arith.constant 100 : index
  %last = arith.constant 99 : index
  linalg.generic {indexing_maps = [#row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%i : memref<9xi64>) outs(%y : memref<9x64xf32>) {
  ^bb0(%at: i64, %o: f32):
    %j = linalg.index 1 : index
    %row = arith.index_cast %at : i64 to index
    %ok = arith.cmpi ult, %row, %rows : index
    plan.check %ok, 6, %at
    %inside = arith.minui %row, %last : index
    %v = memref.load %table[%inside, %j] : memref<100x64xf32>
    linalg.yield %v : f32
  }
  return
}

// Where each lane has an index of its own, nothing is gained.
// CHECK-LABEL: func.func @checked_elements_by_index
// CHECK: linalg.generic
func.func @checked_elements_by_index(%table: memref<100xf32>, %i: memref<64xi64>, %y: memref<64xf32>) {
  %size = arith.constant 100 : index
  %last = arith.constant 99 : index
  linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%i : memref<64xi64>) outs(%y : memref<64xf32>) {
  ^bb0(%at: i64, %o: f32):
    %place = arith.index_cast %at : i64 to index
    %ok = arith.cmpi ult, %place, %size : index
    plan.check %ok, 6, %at
    %inside = arith.minui %place, %last : index
    %v = memref.load %table[%inside] : memref<100xf32>
    linalg.yield %v : f32
  }
  return
}

// A row that is another for each place of it is no row: nothing is turned.
// CHECK-LABEL: func.func @diagonal
// CHECK-NOT: vector.shuffle
// CHECK: return
#column = affine_map<(d0, d1) -> (d0)>
func.func @diagonal(%table: memref<100x64xf32>, %i: memref<64xi32>, %y: memref<64x32xf32>) {
  %last = arith.constant 99 : index
  linalg.generic {indexing_maps = [#column, #id], iterator_types = ["parallel", "parallel"]}
      ins(%i : memref<64xi32>) outs(%y : memref<64x32xf32>) {
  ^bb0(%at: i32, %o: f32):
    %k = linalg.index 0 : index
    %row = arith.index_cast %at : i32 to index
    %inside = arith.minui %row, %last : index
    %v = memref.load %table[%inside, %k] : memref<100x64xf32>
    linalg.yield %v : f32
  }
  return
}
