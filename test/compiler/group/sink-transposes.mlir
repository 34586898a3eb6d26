// RUN: burin-opt %s --fold-transposes --canonicalize --split-input-file | FileCheck %s

#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#last0 = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3, d1)>
#first0 = affine_map<(d0, d1, d2, d3) -> (d0, d3, d1, d2)>
#point = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
#channel = affine_map<(d0, d1, d2, d3) -> (d1)>

// A residual, with what is the same for all pixels of a channel, between two convolutions: nothing is copied.
// CHECK-DAG: #[[ID:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK-DAG: #[[CHANNEL:.*]] = affine_map<(d0, d1, d2, d3) -> (d3)>
// CHECK-LABEL: func.func @residual
// CHECK-SAME: (%[[X:.*]]: tensor<?x6x7x16xf32>, %{{.*}}: tensor<16xf32>
// CHECK: %[[A:.*]] = kern.contract ins(%[[X]]
// CHECK: %[[B:.*]] = kern.contract ins(%[[X]]
// CHECK: %[[SUM:.*]] = linalg.generic {indexing_maps = [#[[ID]], #[[ID]], #[[CHANNEL]], #[[ID]]]
// CHECK-SAME: ins(%[[A]], %[[B]], %{{.*}}) outs(%{{.*}} : tensor<?x6x7x16xf32>)
// CHECK: linalg.index 3
// CHECK: %[[C:.*]] = kern.contract ins(%[[SUM]]
// CHECK: return %[[C]]
func.func @residual(%x: tensor<?x6x7x16xf32>, %bias: tensor<16xf32>, %w: tensor<1x16x16xf32>, %n: index) -> tensor<?x6x7x16xf32> {
  %e0 = tensor.empty(%n) : tensor<?x6x7x16xf32>
  %a = kern.contract ins(%x, %w : tensor<?x6x7x16xf32>, tensor<1x16x16xf32>) outs(%e0 : tensor<?x6x7x16xf32>)
      attributes {a_map = #point, b_map = affine_map<(d0, d1, d2, d3) -> ()>, extra_maps = [], reduction = array<i64: 16>} {
  ^bb0(%s: f32):
    kern.yield %s : f32
  } -> tensor<?x6x7x16xf32>
  %b = kern.contract ins(%x, %w : tensor<?x6x7x16xf32>, tensor<1x16x16xf32>) outs(%e0 : tensor<?x6x7x16xf32>)
      attributes {a_map = #point, b_map = affine_map<(d0, d1, d2, d3) -> ()>, extra_maps = [], reduction = array<i64: 16>} {
  ^bb0(%s: f32):
    %t = arith.negf %s : f32
    kern.yield %t : f32
  } -> tensor<?x6x7x16xf32>
  %e1 = tensor.empty(%n) : tensor<?x16x6x7xf32>
  %ac = linalg.generic {indexing_maps = [#last0, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%a : tensor<?x6x7x16xf32>) outs(%e1 : tensor<?x16x6x7xf32>) {
  ^bb0(%v: f32, %o: f32):
    linalg.yield %v : f32
  } -> tensor<?x16x6x7xf32>
  %bc = linalg.generic {indexing_maps = [#last0, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%b : tensor<?x6x7x16xf32>) outs(%e1 : tensor<?x16x6x7xf32>) {
  ^bb0(%v: f32, %o: f32):
    linalg.yield %v : f32
  } -> tensor<?x16x6x7xf32>
  %sum = linalg.generic {indexing_maps = [#id, #id, #channel, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%ac, %bc, %bias : tensor<?x16x6x7xf32>, tensor<?x16x6x7xf32>, tensor<16xf32>) outs(%e1 : tensor<?x16x6x7xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32, %o: f32):
    %i = linalg.index 1 : index
    %j = arith.index_cast %i : index to i32
    %k = arith.sitofp %j : i32 to f32
    %s0 = arith.addf %p, %q : f32
    %s1 = arith.addf %s0, %r : f32
    %s2 = arith.addf %s1, %k : f32
    linalg.yield %s2 : f32
  } -> tensor<?x16x6x7xf32>
  %t = linalg.generic {indexing_maps = [#first0, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%sum : tensor<?x16x6x7xf32>) outs(%e0 : tensor<?x6x7x16xf32>) {
  ^bb0(%v: f32, %o: f32):
    linalg.yield %v : f32
  } -> tensor<?x6x7x16xf32>
  %c = kern.contract ins(%t, %w : tensor<?x6x7x16xf32>, tensor<1x16x16xf32>) outs(%e0 : tensor<?x6x7x16xf32>)
      attributes {a_map = #point, b_map = affine_map<(d0, d1, d2, d3) -> ()>, extra_maps = [], reduction = array<i64: 16>} {
  ^bb0(%s: f32):
    kern.yield %s : f32
  } -> tensor<?x6x7x16xf32>
  return %c : tensor<?x6x7x16xf32>
}

// -----

#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#last = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3, d1)>
#point = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
#window = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2 * 2 + d4, d3 * 2 + d5)>
#taps = affine_map<(d0, d1, d2, d3, d4, d5) -> (d4, d5)>
#kept = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)>

// Padding, a window, what is pulled by indices of the same dim, and concatenation: one copy is left, of the result.
// CHECK-DAG: #[[WINDOW:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 * 2 + d4, d2 * 2 + d5, d3)>
// CHECK-DAG: #[[TURN:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3, d1)>
// CHECK-LABEL: func.func @windows
// CHECK: %[[A:.*]] = kern.contract
// CHECK: linalg.fill {{.*}} -> tensor<1x8x10x16xf32>
// CHECK: %[[PAD:.*]] = tensor.insert_slice %[[A]] into %{{.*}}[0, 1, 1, 0] [1, 6, 8, 16]
// CHECK: %[[POOL:.*]] = linalg.generic {indexing_maps = [#[[WINDOW]]
// CHECK-SAME: "parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%[[PAD]]
// CHECK: %[[WIDE:.*]] = linalg.generic
// CHECK: tensor.extract %[[POOL]][%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}] : tensor<1x3x4x16xf32>
// CHECK: %[[J0:.*]] = tensor.insert_slice %[[A]] into %{{.*}}[0, 0, 0, 0] [1, 6, 8, 16]
// CHECK: %[[J1:.*]] = tensor.insert_slice %[[WIDE]] into %[[J0]][0, 0, 0, 16] [1, 6, 8, 16]
// CHECK: %[[COPY:.*]] = linalg.generic {indexing_maps = [#[[TURN]], {{.*}} ins(%[[J1]]
// CHECK: return %[[COPY]]
func.func @windows(%x: tensor<1x6x8x16xf32>, %w: tensor<1x16x16xf32>) -> tensor<1x32x6x8xf32> {
  %low = arith.constant 0xFF800000 : f32
  %e0 = tensor.empty() : tensor<1x6x8x16xf32>
  %a = kern.contract ins(%x, %w : tensor<1x6x8x16xf32>, tensor<1x16x16xf32>) outs(%e0 : tensor<1x6x8x16xf32>)
      attributes {a_map = #point, b_map = affine_map<(d0, d1, d2, d3) -> ()>, extra_maps = [], reduction = array<i64: 16>} {
  ^bb0(%s: f32):
    kern.yield %s : f32
  } -> tensor<1x6x8x16xf32>
  %e1 = tensor.empty() : tensor<1x16x6x8xf32>
  %y = linalg.generic {indexing_maps = [#last, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%a : tensor<1x6x8x16xf32>) outs(%e1 : tensor<1x16x6x8xf32>) {
  ^bb0(%v: f32, %o: f32):
    linalg.yield %v : f32
  } -> tensor<1x16x6x8xf32>
  %e2 = tensor.empty() : tensor<1x16x8x10xf32>
  %f2 = linalg.fill ins(%low : f32) outs(%e2 : tensor<1x16x8x10xf32>) -> tensor<1x16x8x10xf32>
  %pad = tensor.insert_slice %y into %f2[0, 0, 1, 1] [1, 16, 6, 8] [1, 1, 1, 1] : tensor<1x16x6x8xf32> into tensor<1x16x8x10xf32>
  %e3 = tensor.empty() : tensor<1x16x3x4xf32>
  %f3 = linalg.fill ins(%low : f32) outs(%e3 : tensor<1x16x3x4xf32>) -> tensor<1x16x3x4xf32>
  %taps = tensor.empty() : tensor<3x3xf32>
  %pool = linalg.generic {indexing_maps = [#window, #taps, #kept], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%pad, %taps : tensor<1x16x8x10xf32>, tensor<3x3xf32>) outs(%f3 : tensor<1x16x3x4xf32>) {
  ^bb0(%v: f32, %t: f32, %o: f32):
    %m = arith.maximumf %v, %o : f32
    linalg.yield %m : f32
  } -> tensor<1x16x3x4xf32>
  %wide = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%e1 : tensor<1x16x6x8xf32>) {
  ^bb0(%o: f32):
    %two = arith.constant 2 : index
    %i = linalg.index 0 : index
    %c = linalg.index 1 : index
    %h = linalg.index 2 : index
    %q = linalg.index 3 : index
    %h2 = arith.divui %h, %two : index
    %q2 = arith.divui %q, %two : index
    %v = tensor.extract %pool[%i, %c, %h2, %q2] : tensor<1x16x3x4xf32>
    linalg.yield %v : f32
  } -> tensor<1x16x6x8xf32>
  %e4 = tensor.empty() : tensor<1x32x6x8xf32>
  %j0 = tensor.insert_slice %y into %e4[0, 0, 0, 0] [1, 16, 6, 8] [1, 1, 1, 1] : tensor<1x16x6x8xf32> into tensor<1x32x6x8xf32>
  %j1 = tensor.insert_slice %wide into %j0[0, 16, 0, 0] [1, 16, 6, 8] [1, 1, 1, 1] : tensor<1x16x6x8xf32> into tensor<1x32x6x8xf32>
  return %j1 : tensor<1x32x6x8xf32>
}

// -----

#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#last = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3, d1)>
#point = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>

// A whole tensor that lies otherwise would be read across; and dims that change places are no layout.
// CHECK-LABEL: func.func @apart
// CHECK: kern.contract
// CHECK: %[[COPY:.*]] = linalg.generic
// CHECK: linalg.generic {{.*}} ins(%[[COPY]], %{{.*}} : tensor<1x16x8x8xf32>, tensor<1x16x8x8xf32>)
// CHECK: linalg.generic
// CHECK: tensor.extract %[[COPY]]
func.func @apart(%x: tensor<1x8x8x16xf32>, %w: tensor<1x16x16xf32>, %z: tensor<1x16x8x8xf32>) -> (tensor<1x16x8x8xf32>, tensor<1x16x8x8xf32>) {
  %e0 = tensor.empty() : tensor<1x8x8x16xf32>
  %a = kern.contract ins(%x, %w : tensor<1x8x8x16xf32>, tensor<1x16x16xf32>) outs(%e0 : tensor<1x8x8x16xf32>)
      attributes {a_map = #point, b_map = affine_map<(d0, d1, d2, d3) -> ()>, extra_maps = [], reduction = array<i64: 16>} {
  ^bb0(%s: f32):
    kern.yield %s : f32
  } -> tensor<1x8x8x16xf32>
  %e1 = tensor.empty() : tensor<1x16x8x8xf32>
  %y = linalg.generic {indexing_maps = [#last, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%a : tensor<1x8x8x16xf32>) outs(%e1 : tensor<1x16x8x8xf32>) {
  ^bb0(%v: f32, %o: f32):
    linalg.yield %v : f32
  } -> tensor<1x16x8x8xf32>
  %sum = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%y, %z : tensor<1x16x8x8xf32>, tensor<1x16x8x8xf32>) outs(%e1 : tensor<1x16x8x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<1x16x8x8xf32>
  %turned = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%e1 : tensor<1x16x8x8xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %c = linalg.index 1 : index
    %h = linalg.index 2 : index
    %q = linalg.index 3 : index
    %one = arith.constant 1 : index
    %r = arith.subi %h, %one : index
    %k = arith.maxsi %r, %one : index
    %v = tensor.extract %y[%i, %c, %q, %k] : tensor<1x16x8x8xf32>
    %n = arith.negf %v : f32
    linalg.yield %n : f32
  } -> tensor<1x16x8x8xf32>
  return %sum, %turned : tensor<1x16x8x8xf32>, tensor<1x16x8x8xf32>
}

// -----

#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#last = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3, d1)>
#back = affine_map<(d0, d1, d2, d3) -> (d0, d3, d1, d2)>
#point = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
#window = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1 + d4 - 1, d2 + d5 - 1, d6)>

// A part of the channels is cut out as they lie: for what cannot read it in place, too.
// CHECK: #[[EIGHT:.*]] = affine_map<(d0, d1, d2, d3) -> (0, d1, d2, d3 + 8)>
// CHECK-LABEL: func.func @part
// CHECK: %[[A:.*]] = kern.contract
// CHECK: %[[PART:.*]] = linalg.generic {indexing_maps = [#[[EIGHT]], {{.*}} ins(%[[A]]
// CHECK-NOT: linalg.generic
// CHECK: kern.contract ins(%[[PART]]
func.func @part(%x: tensor<1x6x8x16xf32>, %w: tensor<1x16x16xf32>, %v: tensor<1x72x16xf32>) -> tensor<1x6x8x16xf32> {
  %e0 = tensor.empty() : tensor<1x6x8x16xf32>
  %a = kern.contract ins(%x, %w : tensor<1x6x8x16xf32>, tensor<1x16x16xf32>) outs(%e0 : tensor<1x6x8x16xf32>)
      attributes {a_map = #point, b_map = affine_map<(d0, d1, d2, d3) -> ()>, extra_maps = [], reduction = array<i64: 16>} {
  ^bb0(%s: f32):
    kern.yield %s : f32
  } -> tensor<1x6x8x16xf32>
  %e1 = tensor.empty() : tensor<1x16x6x8xf32>
  %y = linalg.generic {indexing_maps = [#last, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%a : tensor<1x6x8x16xf32>) outs(%e1 : tensor<1x16x6x8xf32>) {
  ^bb0(%p: f32, %o: f32):
    linalg.yield %p : f32
  } -> tensor<1x16x6x8xf32>
  %e2 = tensor.empty() : tensor<1x8x6x8xf32>
  %part = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%e2 : tensor<1x8x6x8xf32>) {
  ^bb0(%o: f32):
    %zero = arith.constant 0 : index
    %eight = arith.constant 8 : index
    %c = linalg.index 1 : index
    %h = linalg.index 2 : index
    %q = linalg.index 3 : index
    %k = arith.addi %c, %eight : index
    %p = tensor.extract %y[%zero, %k, %h, %q] : tensor<1x16x6x8xf32>
    linalg.yield %p : f32
  } -> tensor<1x8x6x8xf32>
  %e3 = tensor.empty() : tensor<1x6x8x8xf32>
  %t = linalg.generic {indexing_maps = [#back, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%part : tensor<1x8x6x8xf32>) outs(%e3 : tensor<1x6x8x8xf32>) {
  ^bb0(%p: f32, %o: f32):
    linalg.yield %p : f32
  } -> tensor<1x6x8x8xf32>
  %r = kern.contract ins(%t, %v : tensor<1x6x8x8xf32>, tensor<1x72x16xf32>) outs(%e0 : tensor<1x6x8x16xf32>)
      attributes {a_map = #window, b_map = affine_map<(d0, d1, d2, d3) -> ()>, extra_maps = [], reduction = array<i64: 3, 3, 8>} {
  ^bb0(%s: f32):
    kern.yield %s : f32
  } -> tensor<1x6x8x16xf32>
  return %r : tensor<1x6x8x16xf32>
}

// -----

#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#last = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3, d1)>
#row = affine_map<(d0, d1, d2, d3) -> (d2)>
#column = affine_map<(d0, d1, d2, d3) -> (d3)>
#point = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>

// An index may come from a table of places of its dim, as of a resize.
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1, d2, d3) -> (d1)>
// CHECK-DAG: #[[COLUMN:.*]] = affine_map<(d0, d1, d2, d3) -> (d2)>
// CHECK-LABEL: func.func @places
// CHECK: %[[A:.*]] = kern.contract
// CHECK: %[[WIDE:.*]] = linalg.generic {indexing_maps = [#[[ROW]], #[[COLUMN]]
// CHECK: tensor.extract %[[A]]
// CHECK: %[[COPY:.*]] = linalg.generic {{.*}} ins(%[[WIDE]]
// CHECK: return %[[COPY]]
func.func @places(%x: tensor<1x3x4x16xf32>, %w: tensor<1x16x16xf32>, %r: tensor<6xi64>, %q: tensor<8xi64>) -> tensor<1x16x6x8xf32> {
  %e0 = tensor.empty() : tensor<1x3x4x16xf32>
  %a = kern.contract ins(%x, %w : tensor<1x3x4x16xf32>, tensor<1x16x16xf32>) outs(%e0 : tensor<1x3x4x16xf32>)
      attributes {a_map = #point, b_map = affine_map<(d0, d1, d2, d3) -> ()>, extra_maps = [], reduction = array<i64: 16>} {
  ^bb0(%s: f32):
    kern.yield %s : f32
  } -> tensor<1x3x4x16xf32>
  %e1 = tensor.empty() : tensor<1x16x3x4xf32>
  %y = linalg.generic {indexing_maps = [#last, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%a : tensor<1x3x4x16xf32>) outs(%e1 : tensor<1x16x3x4xf32>) {
  ^bb0(%v: f32, %o: f32):
    linalg.yield %v : f32
  } -> tensor<1x16x3x4xf32>
  %e2 = tensor.empty() : tensor<1x16x6x8xf32>
  %wide = linalg.generic {indexing_maps = [#row, #column, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%r, %q : tensor<6xi64>, tensor<8xi64>) outs(%e2 : tensor<1x16x6x8xf32>) {
  ^bb0(%i: i64, %j: i64, %o: f32):
    %n = linalg.index 0 : index
    %c = linalg.index 1 : index
    %h = arith.index_cast %i : i64 to index
    %v = arith.index_cast %j : i64 to index
    %e = tensor.extract %y[%n, %c, %h, %v] : tensor<1x16x3x4xf32>
    linalg.yield %e : f32
  } -> tensor<1x16x6x8xf32>
  return %wide : tensor<1x16x6x8xf32>
}

// -----

#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#last = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3, d1)>
#row = affine_map<(d0, d1, d2, d3) -> (d3)>
#point = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>

// One that says where rows lie and where channels do at once turns nothing.
// CHECK-LABEL: func.func @diagonal
// CHECK: %[[A:.*]] = kern.contract
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%[[A]]
// CHECK: tensor.extract %[[Y]]
func.func @diagonal(%x: tensor<1x16x16x16xf32>, %w: tensor<1x16x16xf32>, %r: tensor<16xi64>) -> tensor<1x16x16x16xf32> {
  %e0 = tensor.empty() : tensor<1x16x16x16xf32>
  %a = kern.contract ins(%x, %w : tensor<1x16x16x16xf32>, tensor<1x16x16xf32>) outs(%e0 : tensor<1x16x16x16xf32>)
      attributes {a_map = #point, b_map = affine_map<(d0, d1, d2, d3) -> ()>, extra_maps = [], reduction = array<i64: 16>} {
  ^bb0(%s: f32):
    kern.yield %s : f32
  } -> tensor<1x16x16x16xf32>
  %y = linalg.generic {indexing_maps = [#last, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%a : tensor<1x16x16x16xf32>) outs(%e0 : tensor<1x16x16x16xf32>) {
  ^bb0(%v: f32, %o: f32):
    linalg.yield %v : f32
  } -> tensor<1x16x16x16xf32>
  %wide = linalg.generic {indexing_maps = [#row, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%r : tensor<16xi64>) outs(%e0 : tensor<1x16x16x16xf32>) {
  ^bb0(%i: i64, %o: f32):
    %n = linalg.index 0 : index
    %c = linalg.index 1 : index
    %q = linalg.index 3 : index
    %h = arith.index_cast %i : i64 to index
    %e = tensor.extract %y[%n, %c, %h, %q] : tensor<1x16x16x16xf32>
    linalg.yield %e : f32
  } -> tensor<1x16x16x16xf32>
  return %wide : tensor<1x16x16x16xf32>
}
