// RUN: burin-opt %s --expand-contract --canonicalize --cse | FileCheck %s --check-prefixes=CHECK,V3
// RUN: burin-opt %s --expand-contract=vector-level=v4 --canonicalize --cse | FileCheck %s --check-prefixes=CHECK,V4

#window = affine_map<(b, y, x, c, i, j) -> (b, y + i - 1, x + j - 1, c)>
#strided = affine_map<(b, y, x, c, i, j) -> (b, y * 2 + i * 3, x * 2 + j * 3, c)>
#flat = affine_map<(b, y, x, c, i, j) -> (b, y + i, x + j - 4, c)>
#none = affine_map<(b, y, x, c) -> ()>

// Seven results of a row at a time are in registers, and so is a row of taps; what they read is loaded once for
// all taps, but for the column outside of the picture. Rows outside are zeros: the branch has no load of it.
// CHECK-LABEL: func.func @padded
// CHECK-NOT: memref.alloc() : memref<{{.*}}x{{.*}}x16xf32>
// V3: scf.for {{.*}} iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// CHECK: arith.cmpi ult
// CHECK-NEXT: scf.if
// V3-COUNT-3: vector.load {{.*}} : memref<2x9x16xf32>, vector<8xf32>
// V3-COUNT-8: vector.load {{.*}} : memref<1x14x14x32xf32>, vector<8xf32>
// V3: } else {
// V3-NOT: memref<1x14x14x32xf32>
// V3-COUNT-21: math.fma {{.*}} : vector<8xf32>
// V3-NOT: math.fma
// V3: arith.maximumf
// V4-COUNT-3: vector.load {{.*}} : memref<2x9x16xf32>, vector<16xf32>
// V4-COUNT-8: vector.load {{.*}} : memref<1x14x14x32xf32>, vector<16xf32>
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

// Of what exceeds the second cache the row that the next results read is fetched.
// CHECK-LABEL: func.func @large
// CHECK-COUNT-7: memref.prefetch {{.*}} : memref<1x56x56x32xf32>
// CHECK: math.fma
func.func @large(%a: memref<1x56x56x32xf32>, %w: memref<2x9x16xf32>, %o: memref<1x56x56x32xf32>) {
  kern.contract ins(%a, %w : memref<1x56x56x32xf32>, memref<2x9x16xf32>)
      outs(%o : memref<1x56x56x32xf32>)
      attributes {a_map = #window, b_map = #none, extra_maps = [], reduction = array<i64: 3, 3>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  return
}

// More taps in a row than there are registers for: a task copies a panel of what it reads, zeros around it, and a
// tap is loaded for each row of results.
// CHECK-LABEL: func.func @manyTaps
// CHECK: memref.alloc() : memref<14x22x16xf32>
// CHECK: vector.load {{.*}} : memref<1x14x14x32xf32>, vector<16xf32>
// CHECK: math.fma
func.func @manyTaps(%a: memref<1x14x14x32xf32>, %w: memref<2x9x16xf32>, %o: memref<1x14x14x32xf32>) {
  kern.contract ins(%a, %w : memref<1x14x14x32xf32>, memref<2x9x16xf32>)
      outs(%o : memref<1x14x14x32xf32>)
      attributes {a_map = #flat, b_map = #none, extra_maps = [], reduction = array<i64: 1, 9>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  return
}

// Channels that fill no vector are read and written by masks.
// CHECK-LABEL: func.func @channels
// CHECK: vector.load {{.*}} : memref<1x?x14x20xf32>
// CHECK: vector.maskedload {{.*}} : memref<1x?x14x20xf32>
// CHECK: vector.maskedstore {{.*}} : memref<1x?x14x20xf32>
func.func @channels(%a: memref<1x?x14x20xf32>, %w: memref<2x9x16xf32>, %o: memref<1x?x14x20xf32>) {
  kern.contract ins(%a, %w : memref<1x?x14x20xf32>, memref<2x9x16xf32>)
      outs(%o : memref<1x?x14x20xf32>)
      attributes {a_map = #window, b_map = #none, extra_maps = [], reduction = array<i64: 3, 3>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  return
}

// Columns that are told when it runs are copied to windows, too.
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

#row = affine_map<(b, y, x, c, k) -> (b, y, x, k)>
#column = affine_map<(b, y, x, c) -> (c)>
#halves = affine_map<(b, y, x, c, i, j) -> (b, y * 2 + i - 1, x * 2 + j - 1, c)>

// What a product makes for it is a task's own: a panel of the rows that 7 rows of results read, a multiple of 6 rows of the
// product, whose sums have all registers.
// CHECK-LABEL: func.func @fed
// V3: scf.forall ({{.*}}) in (8, 6)
// V3-DAG: memref.alloc() : memref<15x112x16xf32>
// V3-DAG: llvm.inline_asm has_side_effects "", "~{xmm0},{{.*}},~{xmm15}"
// V4-DAG: llvm.inline_asm has_side_effects "", "~{xmm0},{{.*}},~{xmm31}"
// V3: scf.for
// V3: math.fma
// V3: vector.store {{.*}} : memref<1680x16xf32>
// V3: llvm.inline_asm
// V3: vector.load {{.*}} : memref<15x112x16xf32>
// V3: math.fma
// V3: arith.minimumf
// V3: vector.store {{.*}} : memref<1x56x56x96xf32>
// CHECK-NOT: memref<1x112x112x96xf32>
func.func @fed(%x: memref<1x112x112x16xf32>, %w: memref<6x16x16xf32>, %v: memref<96xf32>, %t: memref<6x9x16xf32>,
               %o: memref<1x56x56x96xf32>) {
  %six = arith.constant 6.0 : f32
  %between = memref.alloc() : memref<1x112x112x96xf32>
  kern.contract ins(%x, %w : memref<1x112x112x16xf32>, memref<6x16x16xf32>) extras(%v : memref<96xf32>)
      outs(%between : memref<1x112x112x96xf32>)
      attributes {a_map = #row, b_map = #none, extra_maps = [#column], reduction = array<i64: 16>} {
  ^bb0(%sum: f32, %bias: f32):
    %r = arith.addf %sum, %bias : f32
    kern.yield %r : f32
  }
  kern.contract ins(%between, %t : memref<1x112x112x96xf32>, memref<6x9x16xf32>) outs(%o : memref<1x56x56x96xf32>)
      attributes {a_map = #halves, b_map = #none, extra_maps = [], reduction = array<i64: 3, 3>} {
  ^bb0(%sum: f32):
    %r = arith.minimumf %sum, %six : f32
    kern.yield %r : f32
  }
  return
}

#places = affine_map<(b, y, x, c) -> (b, y, x, c)>

// The product behind it reads results of five rows, which a task makes of all channels; of the last task two.
// CHECK-LABEL: func.func @between
// V3: scf.forall ({{.*}}) in (2, 12)
// V3: memref.alloc() : memref<5x57x40xf32>
// V3: vector.load {{.*}} : memref<2x57x57x40xf32>
// V3: vector.store {{.*}} : memref<5x57x40xf32>
// V3: llvm.inline_asm
// V3: scf.if
// V3: vector.store {{.*}} : memref<285x24xf32
// V3: } else {
// V3: vector.store {{.*}} : memref<114x24xf32
// CHECK-NOT: memref.alloc() : memref<2x57x57x40xf32>
func.func @between(%x: memref<2x57x57x40xf32>, %t: memref<3x9x16xf32>, %w: memref<2x40x16xf32>, %r: memref<2x57x57x24xf32>,
                   %o: memref<2x57x57x24xf32>) {
  %made = memref.alloc() : memref<2x57x57x40xf32>
  kern.contract ins(%x, %t : memref<2x57x57x40xf32>, memref<3x9x16xf32>) outs(%made : memref<2x57x57x40xf32>)
      attributes {a_map = #window, b_map = #none, extra_maps = [], reduction = array<i64: 3, 3>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  kern.contract ins(%made, %w : memref<2x57x57x40xf32>, memref<2x40x16xf32>) extras(%r : memref<2x57x57x24xf32>)
      outs(%o : memref<2x57x57x24xf32>)
      attributes {a_map = #row, b_map = #none, extra_maps = [#places], reduction = array<i64: 40>} {
  ^bb0(%sum: f32, %residual: f32):
    %s = arith.addf %sum, %residual : f32
    kern.yield %s : f32
  }
  return
}

// All three: a panel at a time is made, read, and its results kept for the second product.
// CHECK-LABEL: func.func @chain
// V3: scf.forall ({{.*}}) in (8)
// V3: memref.alloc() : memref<7x56x96xf32>
// V3: scf.for {{.*}} to %c6
// V3: memref.alloc() : memref<15x112x16xf32>
// V3: vector.store {{.*}} : memref<1680x16xf32>
// V3: vector.load {{.*}} : memref<15x112x16xf32>
// V3: vector.store {{.*}} : memref<7x56x96xf32>
// V3: vector.{{(masked)?}}store {{.*}} : memref<392x24xf32
// CHECK-NOT: memref<1x112x112x96xf32>
// CHECK-NOT: memref<1x56x56x96xf32>
func.func @chain(%x: memref<1x112x112x16xf32>, %w: memref<6x16x16xf32>, %t: memref<6x9x16xf32>, %v: memref<2x96x16xf32>,
                 %o: memref<1x56x56x24xf32>) {
  %between = memref.alloc() : memref<1x112x112x96xf32>
  kern.contract ins(%x, %w : memref<1x112x112x16xf32>, memref<6x16x16xf32>) outs(%between : memref<1x112x112x96xf32>)
      attributes {a_map = #row, b_map = #none, extra_maps = [], reduction = array<i64: 16>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  %made = memref.alloc() : memref<1x56x56x96xf32>
  kern.contract ins(%between, %t : memref<1x112x112x96xf32>, memref<6x9x16xf32>) outs(%made : memref<1x56x56x96xf32>)
      attributes {a_map = #halves, b_map = #none, extra_maps = [], reduction = array<i64: 3, 3>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  kern.contract ins(%made, %v : memref<1x56x56x96xf32>, memref<2x96x16xf32>) outs(%o : memref<1x56x56x24xf32>)
      attributes {a_map = #row, b_map = #none, extra_maps = [], reduction = array<i64: 96>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  return
}
