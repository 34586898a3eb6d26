// RUN: burin-opt %s --lower-kern --canonicalize | FileCheck %s

// Rows may collide: one after the other; a bad index is reported and left out.
// CHECK-LABEL: func.func @scatter
// CHECK-NOT: scf.forall
// CHECK: scf.for
// CHECK: scf.for
// CHECK: %[[OK:.*]] = arith.cmpi ult
// CHECK: plan.check %[[OK]], 6
// CHECK: scf.if %[[OK]]
// CHECK: arith.addf
// CHECK: memref.store
func.func @scatter(%i: memref<3x1xi64>, %u: memref<3x4xf32>, %o: memref<8x4xf32>) {
  kern.scatter ins(%i, %u : memref<3x1xi64>, memref<3x4xf32>) outs(%o : memref<8x4xf32>)
      attributes {index_map = affine_map<(d0, d1) -> (d0)>,
                  place_map = affine_map<(d0, d1)[s0] -> (s0, d1)>, wrap} {
  ^bb0(%update: f32, %old: f32):
    %new = arith.addf %update, %old : f32
    kern.yield %new : f32
  }
  return
}

// Batches cannot collide.
// CHECK-LABEL: func.func @scatter_batches
// CHECK: scf.forall (%{{.*}}) in (5)
func.func @scatter_batches(%i: memref<5x3x1xi64>, %u: memref<5x3xf32>, %o: memref<5x4xf32>) {
  kern.scatter ins(%i, %u : memref<5x3x1xi64>, memref<5x3xf32>) outs(%o : memref<5x4xf32>)
      attributes {index_map = affine_map<(d0, d1) -> (d0, d1)>,
                  place_map = affine_map<(d0, d1)[s0] -> (d0, s0)>, drop} {
  ^bb0(%update: f32, %old: f32):
    kern.yield %update : f32
  }
  return
}

// Few wanted: kept sorted in the destination.
// CHECK-LABEL: func.func @top_k
// CHECK: scf.forall (%{{.*}}) in (2)
// CHECK-NOT: memref.alloc
// CHECK: scf.while
func.func @top_k(%x: memref<2x900xf32>, %o: memref<2x3xi64>) {
  kern.sort ins(%x : memref<2x900xf32>) outs(%o : memref<2x3xi64>) attributes {axis = 1 : i64} {
  ^bb0(%a: f32, %b: f32):
    %first = arith.cmpf ogt, %a, %b : f32
    kern.yield %first : i1
  }
  return
}

// CHECK-LABEL: func.func @merge_sort
// CHECK: scf.forall (%{{.*}}) in (2)
// CHECK: memref.alloc() : memref<2x900xi32>
// CHECK: arith.shli
func.func @merge_sort(%x: memref<2x900xf32>, %o: memref<2x900xi64>) {
  kern.sort ins(%x : memref<2x900xf32>) outs(%o : memref<2x900xi64>) attributes {axis = 1 : i64} {
  ^bb0(%a: f32, %b: f32):
    %first = arith.cmpf ogt, %a, %b : f32
    kern.yield %first : i1
  }
  return
}

// CHECK-LABEL: func.func @scan
// CHECK: scf.forall (%{{.*}}) in (4)
// CHECK: scf.for %{{.*}} iter_args(%[[SUM:.*]] = %{{.*}}) -> (f32)
// CHECK: memref.store %[[SUM]]
func.func @scan(%x: memref<4x8xf32>, %o: memref<4x8xf32>) {
  %zero = arith.constant 0.0 : f32
  kern.scan ins(%x : memref<4x8xf32>) initial(%zero : f32) outs(%o : memref<4x8xf32>)
      attributes {axis = 1 : i64} {
  ^bb0(%element: f32, %sum: f32):
    %next = arith.addf %sum, %element : f32
    kern.yield %next, %sum : f32, f32
  }
  return
}
