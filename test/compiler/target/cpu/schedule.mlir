// RUN: burin-opt %s --schedule-kernels --split-input-file | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// Rows are the tasks; what a row needs for itself is scratch, the result is written in
// place. What the dispatch asked for is kept for the verifier.
// CHECK-LABEL: func.func @softmax_like
// CHECK-SAME: (%[[X:.*]]: memref<512x256xf32>, %[[OUT:.*]]: memref<512x256xf32>)
// CHECK-SAME: plan.asked = {contractions = 1 : i64, copies = 0 : i64, steps = 131072 : i64}
// CHECK: scf.forall (%[[I:.*]]) = (0) to (512) step (4)
// CHECK: memref.subview %[[X]][%[[I]], 0] [4, 256]
// CHECK: %[[MAX:.*]] = memref.alloc() {{.*}}: memref<4xf32>
// CHECK: linalg.fill {{.*}} outs(%[[MAX]]
// CHECK: linalg.generic {{.*}} outs(%[[MAX]]
// CHECK: memref.subview %[[OUT]][%[[I]], 0] [4, 256]
// CHECK: linalg.generic
// CHECK-NOT: copy
// CHECK: return
func.func @softmax_like(%x: tensor<512x256xf32>, %o: tensor<512x256xf32>) -> tensor<512x256xf32>
    attributes {plan.kernel} {
  %low = arith.constant 0xFF800000 : f32
  %s = tensor.empty() : tensor<512xf32>
  %f = linalg.fill ins(%low : f32) outs(%s : tensor<512xf32>) -> tensor<512xf32>
  %0 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<512x256xf32>) outs(%f : tensor<512xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %r = arith.maximumf %acc, %a : f32
    linalg.yield %r : f32
  } -> tensor<512xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %0 : tensor<512x256xf32>, tensor<512xf32>) outs(%o : tensor<512x256xf32>) {
  ^bb0(%a: f32, %m: f32, %out: f32):
    %r = arith.subf %a, %m : f32
    linalg.yield %r : f32
  } -> tensor<512x256xf32>
  return %1 : tensor<512x256xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// What the result is made of, element by element, is made where the result goes.
// CHECK-LABEL: func.func @terms
// CHECK-SAME: (%[[X:.*]]: memref<512x256xf32>, %[[OUT:.*]]: memref<512x256xf32>)
// CHECK: %[[TILE:.*]] = memref.subview %[[OUT]]
// CHECK: linalg.generic {{.*}} outs(%[[TILE]]
// CHECK: math.exp
// CHECK: memref.alloc() {{.*}} : memref<4xf32>
// CHECK: linalg.generic {{.*}} ins(%[[TILE]], %{{.*}}) outs(%[[TILE]]
// CHECK: arith.mulf
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @terms(%x: tensor<512x256xf32>, %o: tensor<512x256xf32>) -> tensor<512x256xf32>
    attributes {plan.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<512x256xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<512x256xf32>) outs(%e : tensor<512x256xf32>) {
  ^bb0(%a: f32, %out: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<512x256xf32>
  %s = tensor.empty() : tensor<512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%s : tensor<512xf32>) -> tensor<512xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%0 : tensor<512x256xf32>) outs(%f : tensor<512xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %r = arith.addf %acc, %a : f32
    linalg.yield %r : f32
  } -> tensor<512xf32>
  %2 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %1 : tensor<512x256xf32>, tensor<512xf32>) outs(%o : tensor<512x256xf32>) {
  ^bb0(%a: f32, %m: f32, %out: f32):
    %r = arith.mulf %a, %m : f32
    linalg.yield %r : f32
  } -> tensor<512x256xf32>
  return %2 : tensor<512x256xf32>
}

// -----

// An elementwise op alone walks memory as one loop.
// CHECK-LABEL: func.func @flat
// CHECK: scf.forall {{.*}} (131072) step (16384)
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel"]
// CHECK-NOT: memref.alloc
// CHECK: return
func.func @flat(%x: tensor<512x256xf32>, %o: tensor<512x256xf32>) -> tensor<512x256xf32>
    attributes {plan.kernel} {
  %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<512x256xf32>) outs(%o : tensor<512x256xf32>) {
  ^bb0(%a: f32, %out: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<512x256xf32>
  return %0 : tensor<512x256xf32>
}

// -----

// Each part of a concatenation is a copy into its slice, no more.
// CHECK-LABEL: func.func @concat
// CHECK-SAME: copies = 2
// CHECK-NOT: memref.alloc
// CHECK-COUNT-2: linalg.copy
// CHECK-NOT: copy
// CHECK: return
func.func @concat(%x: tensor<2xf32>, %y: tensor<3xf32>, %o: tensor<5xf32>) -> tensor<5xf32>
    attributes {plan.kernel} {
  %0 = tensor.insert_slice %x into %o[0] [2] [1] : tensor<2xf32> into tensor<5xf32>
  %1 = tensor.insert_slice %y into %0[2] [3] [1] : tensor<3xf32> into tensor<5xf32>
  return %1 : tensor<5xf32>
}

// -----

// Two sums start at one fill: each gets its own, and nothing is copied.
// CHECK-LABEL: func.func @shared_fill
// CHECK-COUNT-2: linalg.fill
// CHECK-NOT: copy
// CHECK: return
func.func @shared_fill(%x: tensor<4x8xf32>, %y: tensor<4x8xf32>, %o: tensor<4xf32>) -> tensor<4xf32>
    attributes {plan.kernel} {
  %zero = arith.constant 0.0 : f32
  %s = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%s : tensor<4xf32>) -> tensor<4xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>],
                       iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %r = arith.addf %acc, %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>],
                       iterator_types = ["parallel", "reduction"]}
      ins(%y : tensor<4x8xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %r = arith.addf %acc, %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %2 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>,
                                        affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%0, %1 : tensor<4xf32>, tensor<4xf32>) outs(%o : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %r = arith.divf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  return %2 : tensor<4xf32>
}

// -----

// A reduction that is tiled starts and ends in its own part of the destination.
// CHECK-LABEL: func.func @row_sums
// CHECK-NOT: memref.alloc
// CHECK: scf.forall
// CHECK: %[[PART:.*]] = memref.subview %arg1
// CHECK: linalg.fill {{.*}} outs(%[[PART]]
// CHECK: linalg.generic {{.*}} outs(%[[PART]]
// CHECK-NOT: copy
// CHECK: return
func.func @row_sums(%x: tensor<512x256xf32>, %o: tensor<512xf32>) -> tensor<512xf32>
    attributes {plan.kernel} {
  %zero = arith.constant 0.0 : f32
  %f = linalg.fill ins(%zero : f32) outs(%o : tensor<512xf32>) -> tensor<512xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>],
                       iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<512x256xf32>) outs(%f : tensor<512xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %r = arith.addf %acc, %a : f32
    linalg.yield %r : f32
  } -> tensor<512xf32>
  return %0 : tensor<512xf32>
}

// -----

// A constant result is written where it goes.
// CHECK-LABEL: func.func @constant
// CHECK-NEXT: %[[ONE:.*]] = arith.constant 1 : i8
// CHECK-NEXT: linalg.fill ins(%[[ONE]] : i8) outs(%arg0 : memref<3x4xi8>)
// CHECK-NEXT: return
func.func @constant(%o: tensor<3x4xi8>) -> tensor<3x4xi8> attributes {plan.kernel} {
  %one = arith.constant 1 : i8
  %e = tensor.empty() : tensor<3x4xi8>
  %0 = linalg.fill ins(%one : i8) outs(%e : tensor<3x4xi8>) -> tensor<3x4xi8>
  return %0 : tensor<3x4xi8>
}

// -----

#rows = affine_map<(d0, d1) -> (d0)>
#place = affine_map<(d0, d1)[s0] -> (s0, d1)>

// A constant that a scatter writes some of is written in the scatter's place, whatever its size.
// CHECK-LABEL: func.func @scatter_zeros
// CHECK-SAME: %[[OUT:[a-z0-9]*]]: memref<?x8xf32>, %{{[a-z0-9]*}}: index)
// CHECK-NOT: memref.alloc
// CHECK: linalg.fill {{.*}} outs(%[[OUT]]
// CHECK: kern.scatter {{.*}} outs(%[[OUT]]
func.func @scatter_zeros(%at: tensor<4x1xi64>, %x: tensor<4x8xf32>, %o: tensor<?x8xf32>, %n: index) -> tensor<?x8xf32>
    attributes {plan.kernel} {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty(%n) : tensor<?x8xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = bufferization.materialize_in_destination %1 in %o : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %3 = kern.scatter ins(%at, %x : tensor<4x1xi64>, tensor<4x8xf32>) outs(%2 : tensor<?x8xf32>) attributes {index_map = #rows, place_map = #place, wrap} {
  ^bb0(%new: f32, %old: f32):
    %s = arith.addf %old, %new : f32
    kern.yield %s : f32
  } -> tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}

// -----

#same = affine_map<(h, s, i, d) -> (h, s, i, d)>
#back = affine_map<(h, s, i, d) -> (h, s, -i + 1, d)>

// Halves that change places, as a rotation's: a tile reads them by index.
// CHECK-LABEL: func.func @halves
// CHECK: scf.forall
// CHECK: linalg.generic
// CHECK: memref.load %{{.*}} : memref<12x64x2x32xf32>
func.func @halves(%x: tensor<12x64x2x32xf32>, %o: tensor<12x64x2x32xf32>) -> tensor<12x64x2x32xf32>
    attributes {plan.kernel} {
  %0 = linalg.generic {indexing_maps = [#same, #back, #same], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x, %x : tensor<12x64x2x32xf32>, tensor<12x64x2x32xf32>) outs(%o : tensor<12x64x2x32xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<12x64x2x32xf32>
  return %0 : tensor<12x64x2x32xf32>
}

// -----

#in = affine_map<(c, p) -> (p, c)>
#out = affine_map<(c, p) -> (c, p)>

// What turns squares has tasks of whole lines on both sides: 144 channels of 112 places, not 6 channels of all.
// CHECK-LABEL: func.func @turned
// CHECK: scf.forall (%{{.*}}) = (0) to (3136) step (112)
// CHECK: memref<144x112xf32, strided<[3136, 1], offset: ?>>
func.func @turned(%x: tensor<3136x144xf32>, %o: tensor<144x3136xf32>) -> tensor<144x3136xf32>
    attributes {plan.kernel} {
  %0 = linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<3136x144xf32>) outs(%o : tensor<144x3136xf32>) {
  ^bb0(%a: f32, %out: f32):
    linalg.yield %a : f32
  } -> tensor<144x3136xf32>
  return %0 : tensor<144x3136xf32>
}
