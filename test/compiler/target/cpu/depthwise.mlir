// RUN: burin-opt %s --expand-contract --canonicalize --cse | FileCheck %s --check-prefixes=CHECK,V3
// RUN: burin-opt %s --expand-contract=vector-level=v4 --canonicalize --cse | FileCheck %s --check-prefixes=CHECK,V4

#window = affine_map<(b, y, x, c, i, j) -> (b, y + i - 1, x + j - 1, c)>
#strided = affine_map<(b, y, x, c, i, j) -> (b, y * 2 + i * 3, x * 2 + j * 3, c)>
#none = affine_map<(b, y, x, c) -> ()>

// A task copies a panel of what it reads, zeros around it; then seven results of a row at a time are
// in registers, three taps for each load of them.
// CHECK-LABEL: func.func @padded
// CHECK: memref.alloc() : memref<16x16x16xf32>
// CHECK: arith.cmpi ult
// CHECK: vector.load {{.*}} : memref<1x14x14x32xf32>, vector<16xf32>
// V3: scf.for {{.*}} iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// V3-COUNT-21: math.fma {{.*}} : vector<8xf32>
// V4: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// V4-COUNT-21: math.fma {{.*}} : vector<16xf32>
// CHECK-NOT: math.fma
// CHECK: arith.maximumf
// CHECK: vector.store {{.*}} : memref<1x14x14x32xf32>
// CHECK-NOT: kern.contract
func.func @padded(%a: memref<1x14x14x32xf32>, %w: memref<2x9x16xf32>, %o: memref<1x14x14x32xf32>) {
  kern.contract ins(%a, %w : memref<1x14x14x32xf32>, memref<2x9x16xf32>)
      outs(%o : memref<1x14x14x32xf32>)
      attributes {a_map = #window, b_map = #none, extra_maps = [], reduction = array<i64: 3, 3>} {
  ^bb0(%sum: f32):
    %zero = arith.constant 0.0 : f32
    %r = arith.maximumf %sum, %zero : f32
    kern.yield %r : f32
  }
  return
}

// Sizes that are told when it runs are taken in blocks; channels that fill no vector by masks.
// CHECK-LABEL: func.func @sizes
// CHECK: scf.forall
// CHECK: memref.alloc() : memref<{{[0-9]+}}x{{[0-9]+}}x16xf32>
// CHECK: vector.maskedload {{.*}} : memref<?x?x?x20xf32>
// CHECK: vector.maskedstore {{.*}} : memref<?x?x?x20xf32>
func.func @sizes(%a: memref<?x?x?x20xf32>, %w: memref<2x9x16xf32>, %o: memref<?x?x?x20xf32>) {
  kern.contract ins(%a, %w : memref<?x?x?x20xf32>, memref<2x9x16xf32>)
      outs(%o : memref<?x?x?x20xf32>)
      attributes {a_map = #strided, b_map = #none, extra_maps = [], reduction = array<i64: 3, 3>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  return
}
