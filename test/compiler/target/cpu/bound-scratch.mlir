// RUN: burin-opt %s --lower-kern --split-input-file | FileCheck %s

// What is sorted changes in size: its scratch has room for the most that plan.bounds allows, of
// which a run uses the part that it needs; how often runs double is found out.
// CHECK-LABEL: func.func @sort
// CHECK: %[[N:.*]] = memref.dim %{{.*}}, %{{.*}} : memref<?xf32>
// CHECK: %[[M:.*]] = memref.alloc() {alignment = 64 : i64} : memref<1440xi8>
// CHECK: memref.view %[[M]][%{{.*}}][%[[N]]] : memref<1440xi8> to memref<2x?xi64>
// CHECK: scf.while
// CHECK: arith.shli
func.func @sort(%x: memref<?xf32>, %o: memref<?xi64>)
    attributes {plan.kernel, plan.bounds = [array<i64: 1, 90>, array<i64: 1, 90>]} {
  kern.sort ins(%x : memref<?xf32>) outs(%o : memref<?xi64>) attributes {axis = 0 : i64} {
  ^bb0(%a: f32, %b: f32):
    %first = arith.cmpf ogt, %a, %b : f32
    kern.yield %first : i1
  }
  return
}

// -----

// A few that come first need none.
// CHECK-LABEL: func.func @top
// CHECK-NOT: memref.alloc
// CHECK: return
func.func @top(%x: memref<?xf32>, %o: memref<3xi64>)
    attributes {plan.kernel, plan.bounds = [array<i64: 3, 90>, array<i64: 3, 3>]} {
  kern.sort ins(%x : memref<?xf32>) outs(%o : memref<3xi64>) attributes {axis = 0 : i64} {
  ^bb0(%a: f32, %b: f32):
    %first = arith.cmpf ogt, %a, %b : f32
    kern.yield %first : i1
  }
  return
}
