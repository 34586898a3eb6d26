// RUN: burin-opt %s --verify-kernels | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// Scratch of static size, one copy into a slice and one sum, as the dispatch asked.
// CHECK-LABEL: func.func @asked
func.func @asked(%x: memref<8x16xf32>, %y: memref<8xf32>, %o: memref<16xf32>)
    attributes {plan.kernel, plan.asked = {contractions = 1 : i64, copies = 1 : i64, steps = 128 : i64}} {
  %zero = arith.constant 0.0 : f32
  %head = memref.subview %o[0] [8] [1] : memref<16xf32> to memref<8xf32, strided<[1]>>
  %tail = memref.subview %o[8] [8] [1] : memref<16xf32> to memref<8xf32, strided<[1], offset: 8>>
  linalg.copy ins(%y : memref<8xf32>) outs(%head : memref<8xf32, strided<[1]>>)
  scf.forall (%i) = (0) to (8) step (4) {
    %sum = memref.alloc() : memref<4xf32>
    %part = memref.subview %tail[%i] [4] [1]
        : memref<8xf32, strided<[1], offset: 8>> to memref<4xf32, strided<[1], offset: ?>>
    %rows = memref.subview %x[%i, 0] [4, 16] [1, 1]
        : memref<8x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
    linalg.fill ins(%zero : f32) outs(%sum : memref<4xf32>)
    linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
        ins(%rows : memref<4x16xf32, strided<[16, 1], offset: ?>>) outs(%sum : memref<4xf32>) {
    ^bb0(%a: f32, %acc: f32):
      %r = arith.addf %acc, %a : f32
      linalg.yield %r : f32
    }
    linalg.exp ins(%sum : memref<4xf32>) outs(%part : memref<4xf32, strided<[1], offset: ?>>)
  }
  return
}

// Work under a size that nobody knows is counted in ops alone.
// CHECK-LABEL: func.func @dynamic
func.func @dynamic(%x: memref<?x16xf32>, %o: memref<?xf32>)
    attributes {plan.kernel, plan.asked = {contractions = 1 : i64, copies = 0 : i64}} {
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<?x16xf32>) outs(%o : memref<?xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %r = arith.addf %acc, %a : f32
    linalg.yield %r : f32
  }
  return
}
