// RUN: burin-opt %s --fold-transposes --canonicalize --split-input-file | FileCheck %s

#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#swap = affine_map<(d0, d1, d2, d3) -> (d0, d2, d1, d3)>
#a = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
#b = affine_map<(d0, d1, d2, d3) -> (d1)>

// Heads are read where they lie, and written where they are wanted.
// CHECK-DAG: #[[A:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
// CHECK-DAG: #[[B:.*]] = affine_map<(d0, d1, d2, d3) -> (d2)>
// CHECK-LABEL: func.func @heads
// CHECK-SAME: (%[[X:.*]]: tensor<2x5x3x8xf32>
// CHECK-NOT: linalg.generic
// CHECK: %[[Y:.*]] = kern.contract ins(%[[X]], %{{.*}} : {{.*}}) outs(%{{.*}} : tensor<2x5x3x16xf32>) attributes {a_map = #[[A]], b_map = #[[B]]
// CHECK: return %[[Y]]
func.func @heads(%x: tensor<2x5x3x8xf32>, %w: tensor<3x1x8x16xf32>) -> tensor<2x5x3x16xf32> {
  %e0 = tensor.empty() : tensor<2x3x5x8xf32>
  %t = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<2x5x3x8xf32>) outs(%e0 : tensor<2x3x5x8xf32>) {
  ^bb0(%v: f32, %o: f32):
    linalg.yield %v : f32
  } -> tensor<2x3x5x8xf32>
  %e1 = tensor.empty() : tensor<2x3x5x16xf32>
  %c = kern.contract ins(%t, %w : tensor<2x3x5x8xf32>, tensor<3x1x8x16xf32>)
      outs(%e1 : tensor<2x3x5x16xf32>)
      attributes {a_map = #a, b_map = #b, extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%s: f32):
    kern.yield %s : f32
  } -> tensor<2x3x5x16xf32>
  %e2 = tensor.empty() : tensor<2x5x3x16xf32>
  %y = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%c : tensor<2x3x5x16xf32>) outs(%e2 : tensor<2x5x3x16xf32>) {
  ^bb0(%v: f32, %o: f32):
    linalg.yield %v : f32
  } -> tensor<2x5x3x16xf32>
  return %y : tensor<2x5x3x16xf32>
}

// -----

#id2 = affine_map<(d0, d1) -> (d0, d1)>
#turn = affine_map<(d0, d1) -> (d1, d0)>
#rows = affine_map<(d0, d1, d2) -> (d0, d2)>
#none = affine_map<(d0, d1) -> ()>

// Neither a factor whose products would not lie side by side, nor columns that would not, nor a
// product that is a result as it is.
// CHECK-LABEL: func.func @apart
// CHECK-COUNT-3: linalg.generic
// CHECK: return
func.func @apart(%x: tensor<8x5xf32>, %w: tensor<1x8x16xf32>, %z: tensor<5x8xf32>) -> (tensor<16x5xf32>, tensor<5x16xf32>, tensor<16x5xf32>) {
  %e0 = tensor.empty() : tensor<5x8xf32>
  %t = linalg.generic {indexing_maps = [#turn, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x5xf32>) outs(%e0 : tensor<5x8xf32>) {
  ^bb0(%v: f32, %o: f32):
    linalg.yield %v : f32
  } -> tensor<5x8xf32>
  %e1 = tensor.empty() : tensor<5x16xf32>
  %c = kern.contract ins(%t, %w : tensor<5x8xf32>, tensor<1x8x16xf32>) outs(%e1 : tensor<5x16xf32>)
      attributes {a_map = #rows, b_map = #none, extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%s: f32):
    kern.yield %s : f32
  } -> tensor<5x16xf32>
  %e2 = tensor.empty() : tensor<16x5xf32>
  %y = linalg.generic {indexing_maps = [#turn, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%c : tensor<5x16xf32>) outs(%e2 : tensor<16x5xf32>) {
  ^bb0(%v: f32, %o: f32):
    linalg.yield %v : f32
  } -> tensor<16x5xf32>
  %d = kern.contract ins(%z, %w : tensor<5x8xf32>, tensor<1x8x16xf32>) outs(%e1 : tensor<5x16xf32>)
      attributes {a_map = #rows, b_map = #none, extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%s: f32):
    kern.yield %s : f32
  } -> tensor<5x16xf32>
  %u = linalg.generic {indexing_maps = [#turn, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%d : tensor<5x16xf32>) outs(%e2 : tensor<16x5xf32>) {
  ^bb0(%v: f32, %o: f32):
    linalg.yield %v : f32
  } -> tensor<16x5xf32>
  return %y, %d, %u : tensor<16x5xf32>, tensor<5x16xf32>, tensor<16x5xf32>
}

// -----

#id3 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#heads = affine_map<(d0, d1, d2, d3) -> (d0, d2, d1, d3)>

// Dims of size 1 go, and columns are split, before the copy.
// CHECK: #[[MAP:.*]] = affine_map<(d0, d1, d2, d3) -> (d1, d0, d2, d3)>
// CHECK-LABEL: func.func @panels
// CHECK-SAME: (%[[X:.*]]: tensor<1x5x3x32xf32>)
// CHECK: %[[C:.*]] = tensor.collapse_shape %[[X]] {{\[\[}}0, 1], [2], [3]]
// CHECK: %[[E:.*]] = tensor.expand_shape %[[C]] {{\[\[}}0], [1], [2, 3]] output_shape [5, 3, 2, 16]
// CHECK: linalg.generic {indexing_maps = [#[[MAP]], {{.*}} ins(%[[E]] : tensor<5x3x2x16xf32>) outs(%{{.*}} : tensor<3x5x2x16xf32>)
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @panels(%x: tensor<1x5x3x32xf32>) -> tensor<3x5x2x16xf32> {
  %e = tensor.empty() : tensor<1x3x5x32xf32>
  %t = linalg.generic {indexing_maps = [#heads, #id3], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x5x3x32xf32>) outs(%e : tensor<1x3x5x32xf32>) {
  ^bb0(%v: f32, %o: f32):
    linalg.yield %v : f32
  } -> tensor<1x3x5x32xf32>
  %c = tensor.collapse_shape %t [[0, 1], [2], [3]] : tensor<1x3x5x32xf32> into tensor<3x5x32xf32>
  %s = tensor.expand_shape %c [[0], [1], [2, 3]] output_shape [3, 5, 2, 16] : tensor<3x5x32xf32> into tensor<3x5x2x16xf32>
  return %s : tensor<3x5x2x16xf32>
}

// -----

#id4 = affine_map<(d0, d1) -> (d0, d1)>
#part = affine_map<(d0, d1) -> (d0, d1 + 8)>
#rows4 = affine_map<(d0, d1, d2) -> (d0, d2)>
#window = affine_map<(d0, d1, d2, d3) -> (d0 + d2 - 1, d3)>
#none4 = affine_map<(d0, d1) -> ()>

// A part is read where it lies, by a constant index too; a window that reads outside of its part, as
// padding, would find the rest.
// CHECK-DAG: #[[PART:.*]] = affine_map<(d0, d1, d2) -> (d0, d2 + 8)>
// CHECK-DAG: #[[FIRST:.*]] = affine_map<(d0, d1, d2) -> (2, d0, d2)>
// CHECK-LABEL: func.func @parts
// CHECK-SAME: (%[[X:.*]]: tensor<5x24xf32>, %[[Z:.*]]: tensor<3x5x8xf32>
// CHECK: kern.contract ins(%[[X]], {{.*}}a_map = #[[PART]]
// CHECK: kern.contract ins(%[[Z]], {{.*}}a_map = #[[FIRST]]
// CHECK: %[[COPY:.*]] = linalg.generic
// CHECK: kern.contract ins(%[[COPY]]
// CHECK: return
func.func @parts(%x: tensor<5x24xf32>, %z: tensor<3x5x8xf32>, %w: tensor<1x8x16xf32>, %v: tensor<1x24x16xf32>) -> (tensor<5x16xf32>, tensor<5x16xf32>, tensor<5x16xf32>) {
  %e0 = tensor.empty() : tensor<5x8xf32>
  %e1 = tensor.empty() : tensor<5x16xf32>
  %p = linalg.generic {indexing_maps = [#part, #id4], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<5x24xf32>) outs(%e0 : tensor<5x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<5x8xf32>
  %0 = kern.contract ins(%p, %w : tensor<5x8xf32>, tensor<1x8x16xf32>) outs(%e1 : tensor<5x16xf32>)
      attributes {a_map = #rows4, b_map = #none4, extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%s: f32):
    kern.yield %s : f32
  } -> tensor<5x16xf32>
  %q = linalg.generic {indexing_maps = [#id4], iterator_types = ["parallel", "parallel"]} outs(%e0 : tensor<5x8xf32>) {
  ^bb0(%o: f32):
    %c2 = arith.constant 2 : index
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %a = tensor.extract %z[%c2, %i, %j] : tensor<3x5x8xf32>
    linalg.yield %a : f32
  } -> tensor<5x8xf32>
  %1 = kern.contract ins(%q, %w : tensor<5x8xf32>, tensor<1x8x16xf32>) outs(%e1 : tensor<5x16xf32>)
      attributes {a_map = #rows4, b_map = #none4, extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%s: f32):
    kern.yield %s : f32
  } -> tensor<5x16xf32>
  %r = linalg.generic {indexing_maps = [#part, #id4], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<5x24xf32>) outs(%e0 : tensor<5x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<5x8xf32>
  %2 = kern.contract ins(%r, %v : tensor<5x8xf32>, tensor<1x24x16xf32>) outs(%e1 : tensor<5x16xf32>)
      attributes {a_map = #window, b_map = #none4, extra_maps = [], reduction = array<i64: 3, 8>} {
  ^bb0(%s: f32):
    kern.yield %s : f32
  } -> tensor<5x16xf32>
  return %0, %1, %2 : tensor<5x16xf32>, tensor<5x16xf32>, tensor<5x16xf32>
}

// -----

#id2 = affine_map<(d0, d1) -> (d0, d1)>
#late = affine_map<(d0, d1) -> (d0, d1 + 16)>
#odd = affine_map<(d0, d1) -> (d0, d1 + 4)>
#heads = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
#perHead = affine_map<(d0, d1, d2) -> (d1)>

// Heads of a part of what several products share: read where they lie, if the part begins with a head.
// CHECK-DAG: #[[LATE:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1 + 2, d3)>
// CHECK-LABEL: func.func @heads_of_parts
// CHECK-SAME: (%[[X:.*]]: tensor<5x48xf32>
// CHECK: %[[ALL:.*]] = tensor.expand_shape %[[X]] {{\[\[}}0], [1, 2]] {{.*}} into tensor<5x6x8xf32>
// CHECK: kern.contract ins(%[[ALL]], {{.*}}a_map = #[[LATE]]
// CHECK: %[[COPY:.*]] = linalg.generic
// CHECK: %[[ODD:.*]] = tensor.expand_shape %[[COPY]]
// CHECK: kern.contract ins(%[[ODD]]
func.func @heads_of_parts(%x: tensor<5x48xf32>, %w: tensor<2x1x8x16xf32>) -> (tensor<5x2x16xf32>, tensor<5x2x16xf32>) {
  %e0 = tensor.empty() : tensor<5x16xf32>
  %e1 = tensor.empty() : tensor<5x2x16xf32>
  %p = linalg.generic {indexing_maps = [#late, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<5x48xf32>) outs(%e0 : tensor<5x16xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<5x16xf32>
  %ph = tensor.expand_shape %p [[0], [1, 2]] output_shape [5, 2, 8] : tensor<5x16xf32> into tensor<5x2x8xf32>
  %0 = kern.contract ins(%ph, %w : tensor<5x2x8xf32>, tensor<2x1x8x16xf32>) outs(%e1 : tensor<5x2x16xf32>)
      attributes {a_map = #heads, b_map = #perHead, extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%s: f32):
    kern.yield %s : f32
  } -> tensor<5x2x16xf32>
  %q = linalg.generic {indexing_maps = [#odd, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<5x48xf32>) outs(%e0 : tensor<5x16xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<5x16xf32>
  %qh = tensor.expand_shape %q [[0], [1, 2]] output_shape [5, 2, 8] : tensor<5x16xf32> into tensor<5x2x8xf32>
  %1 = kern.contract ins(%qh, %w : tensor<5x2x8xf32>, tensor<2x1x8x16xf32>) outs(%e1 : tensor<5x2x16xf32>)
      attributes {a_map = #heads, b_map = #perHead, extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%s: f32):
    kern.yield %s : f32
  } -> tensor<5x2x16xf32>
  return %0, %1 : tensor<5x2x16xf32>, tensor<5x2x16xf32>
}

// -----

// What is read where it lies is read before it is turned, and before its heads are put apart; a turn that
// leaves neither columns nor steps side by side stays.
// CHECK-DAG: #[[KEYS:.*]] = affine_map<(d0, d1, d2, d3) -> (d2, d0, d3)>
// CHECK-LABEL: func.func @unpacked
// CHECK-SAME: %[[Q:.*]]: tensor<3x1x20xf32>, %[[K:.*]]: tensor<37x3x20xf32>
// CHECK-NOT: linalg.generic
// CHECK: kern.contract ins(%[[Q]], %[[K]] : {{.*}}b_map = #[[KEYS]]
// CHECK: return
// CHECK-LABEL: func.func @heads_last
// CHECK: %[[K:.*]] = linalg.generic
// CHECK: kern.contract ins(%{{.*}}, %[[K]] :
func.func @unpacked(%q: tensor<3x1x20xf32>, %k: tensor<37x3x20xf32>, %o: tensor<3x1x37xf32>) -> tensor<3x1x37xf32> {
  %e = tensor.empty() : tensor<3x20x37xf32>
  %t = linalg.generic {indexing_maps = [affine_map<(h, k, n) -> (n, h, k)>, affine_map<(h, k, n) -> (h, k, n)>],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%k : tensor<37x3x20xf32>) outs(%e : tensor<3x20x37xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<3x20x37xf32>
  %r = kern.contract ins(%q, %t : tensor<3x1x20xf32>, tensor<3x20x37xf32>) outs(%o : tensor<3x1x37xf32>)
      attributes {a_map = affine_map<(h, m, n, k) -> (h, m, k)>, b_map = affine_map<(h, m, n, k) -> (h, k, n)>,
                  extra_maps = [], reduction = array<i64: 20>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<3x1x37xf32>
  return %r : tensor<3x1x37xf32>
}
func.func @heads_last(%q: tensor<3x1x20xf32>, %k: tensor<37x20x3xf32>, %o: tensor<3x1x37xf32>) -> tensor<3x1x37xf32> {
  %e = tensor.empty() : tensor<3x20x37xf32>
  %t = linalg.generic {indexing_maps = [affine_map<(h, k, n) -> (n, k, h)>, affine_map<(h, k, n) -> (h, k, n)>],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%k : tensor<37x20x3xf32>) outs(%e : tensor<3x20x37xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<3x20x37xf32>
  %r = kern.contract ins(%q, %t : tensor<3x1x20xf32>, tensor<3x20x37xf32>) outs(%o : tensor<3x1x37xf32>)
      attributes {a_map = affine_map<(h, m, n, k) -> (h, m, k)>, b_map = affine_map<(h, m, n, k) -> (h, k, n)>,
                  extra_maps = [], reduction = array<i64: 20>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<3x1x37xf32>
  return %r : tensor<3x1x37xf32>
}
