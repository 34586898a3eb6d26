// RUN: burin-opt %s --form-dispatches --canonicalize --cse | FileCheck %s

#place = affine_map<(b, y, x, c, k) -> (b, y, x, k)>
#weights = affine_map<(b, y, x, c) -> ()>
#channel = affine_map<(b, y, x, c) -> (c)>
#halves = affine_map<(b, y, x, c, i, j) -> (b, y * 2 + i - 1, x * 2 + j - 1, c)>

// What a product makes for a depthwise convolution is more than caches hold: both are one kernel, which
// keeps a task's part of it. Of a smaller picture they are two.
// CHECK-LABEL: func.func @fed(
// CHECK: plan.dispatch
// CHECK: kern.contract
// CHECK: kern.contract
// CHECK: plan.return
// CHECK-NOT: plan.dispatch
// CHECK-LABEL: func.func @small_fed(
// CHECK-COUNT-2: plan.dispatch
func.func @fed(%x: tensor<1x112x112x16xf32>, %w: tensor<6x16x16xf32>, %v: tensor<96xf32>, %t: tensor<6x9x16xf32>)
    -> tensor<1x56x56x96xf32> {
  %0 = tensor.empty() : tensor<1x112x112x96xf32>
  %1 = kern.contract ins(%x, %w : tensor<1x112x112x16xf32>, tensor<6x16x16xf32>) extras(%v : tensor<96xf32>)
      outs(%0 : tensor<1x112x112x96xf32>)
      attributes {a_map = #place, b_map = #weights, extra_maps = [#channel], reduction = array<i64: 16>} {
  ^bb0(%sum: f32, %bias: f32):
    %r = arith.addf %sum, %bias : f32
    kern.yield %r : f32
  } -> tensor<1x112x112x96xf32>
  %2 = tensor.empty() : tensor<1x56x56x96xf32>
  %3 = kern.contract ins(%1, %t : tensor<1x112x112x96xf32>, tensor<6x9x16xf32>) outs(%2 : tensor<1x56x56x96xf32>)
      attributes {a_map = #halves, b_map = #weights, extra_maps = [], reduction = array<i64: 3, 3>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<1x56x56x96xf32>
  return %3 : tensor<1x56x56x96xf32>
}

func.func @small_fed(%x: tensor<1x28x28x16xf32>, %w: tensor<6x16x16xf32>, %t: tensor<6x9x16xf32>)
    -> tensor<1x14x14x96xf32> {
  %0 = tensor.empty() : tensor<1x28x28x96xf32>
  %1 = kern.contract ins(%x, %w : tensor<1x28x28x16xf32>, tensor<6x16x16xf32>) outs(%0 : tensor<1x28x28x96xf32>)
      attributes {a_map = #place, b_map = #weights, extra_maps = [], reduction = array<i64: 16>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<1x28x28x96xf32>
  %2 = tensor.empty() : tensor<1x14x14x96xf32>
  %3 = kern.contract ins(%1, %t : tensor<1x28x28x96xf32>, tensor<6x9x16xf32>) outs(%2 : tensor<1x14x14x96xf32>)
      attributes {a_map = #halves, b_map = #weights, extra_maps = [], reduction = array<i64: 3, 3>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<1x14x14x96xf32>
  return %3 : tensor<1x14x14x96xf32>
}

// What it makes itself is more than caches hold, and a product alone reads it: one kernel, with the product in front, if that
// makes more than caches hold, too. Residuals are the product's own.
// CHECK-LABEL: func.func @between(
// CHECK: plan.dispatch
// CHECK-COUNT-2: kern.contract
// CHECK: plan.return
// CHECK-NOT: plan.dispatch
// CHECK-LABEL: func.func @chain(
// CHECK: plan.dispatch
// CHECK-COUNT-3: kern.contract
// CHECK: plan.return
// CHECK-NOT: plan.dispatch
// CHECK-LABEL: func.func @read_twice(
// CHECK-COUNT-2: plan.dispatch
#same = affine_map<(b, y, x, c, i, j) -> (b, y + i - 1, x + j - 1, c)>
#places = affine_map<(b, y, x, c) -> (b, y, x, c)>
func.func @between(%x: tensor<2x80x80x40xf32>, %t: tensor<3x9x16xf32>, %w: tensor<2x40x16xf32>, %r: tensor<2x80x80x24xf32>)
    -> tensor<2x80x80x24xf32> {
  %0 = tensor.empty() : tensor<2x80x80x40xf32>
  %1 = kern.contract ins(%x, %t : tensor<2x80x80x40xf32>, tensor<3x9x16xf32>) outs(%0 : tensor<2x80x80x40xf32>)
      attributes {a_map = #same, b_map = #weights, extra_maps = [], reduction = array<i64: 3, 3>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<2x80x80x40xf32>
  %2 = tensor.empty() : tensor<2x80x80x24xf32>
  %3 = kern.contract ins(%1, %w : tensor<2x80x80x40xf32>, tensor<2x40x16xf32>) extras(%r : tensor<2x80x80x24xf32>)
      outs(%2 : tensor<2x80x80x24xf32>)
      attributes {a_map = #place, b_map = #weights, extra_maps = [#places], reduction = array<i64: 40>} {
  ^bb0(%sum: f32, %residual: f32):
    %s = arith.addf %sum, %residual : f32
    kern.yield %s : f32
  } -> tensor<2x80x80x24xf32>
  return %3 : tensor<2x80x80x24xf32>
}

func.func @chain(%x: tensor<1x112x112x16xf32>, %w: tensor<6x16x16xf32>, %t: tensor<6x9x16xf32>, %v: tensor<2x96x16xf32>)
    -> tensor<1x56x56x24xf32> {
  %0 = tensor.empty() : tensor<1x112x112x96xf32>
  %1 = kern.contract ins(%x, %w : tensor<1x112x112x16xf32>, tensor<6x16x16xf32>) outs(%0 : tensor<1x112x112x96xf32>)
      attributes {a_map = #place, b_map = #weights, extra_maps = [], reduction = array<i64: 16>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<1x112x112x96xf32>
  %2 = tensor.empty() : tensor<1x56x56x96xf32>
  %3 = kern.contract ins(%1, %t : tensor<1x112x112x96xf32>, tensor<6x9x16xf32>) outs(%2 : tensor<1x56x56x96xf32>)
      attributes {a_map = #halves, b_map = #weights, extra_maps = [], reduction = array<i64: 3, 3>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<1x56x56x96xf32>
  %4 = tensor.empty() : tensor<1x56x56x24xf32>
  %5 = kern.contract ins(%3, %v : tensor<1x56x56x96xf32>, tensor<2x96x16xf32>) outs(%4 : tensor<1x56x56x24xf32>)
      attributes {a_map = #place, b_map = #weights, extra_maps = [], reduction = array<i64: 96>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<1x56x56x24xf32>
  return %5 : tensor<1x56x56x24xf32>
}

func.func @read_twice(%x: tensor<2x80x80x40xf32>, %t: tensor<3x9x16xf32>, %w: tensor<2x40x16xf32>)
    -> (tensor<2x80x80x24xf32>, tensor<2x80x80x40xf32>) {
  %0 = tensor.empty() : tensor<2x80x80x40xf32>
  %1 = kern.contract ins(%x, %t : tensor<2x80x80x40xf32>, tensor<3x9x16xf32>) outs(%0 : tensor<2x80x80x40xf32>)
      attributes {a_map = #same, b_map = #weights, extra_maps = [], reduction = array<i64: 3, 3>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<2x80x80x40xf32>
  %2 = tensor.empty() : tensor<2x80x80x24xf32>
  %3 = kern.contract ins(%1, %w : tensor<2x80x80x40xf32>, tensor<2x40x16xf32>) outs(%2 : tensor<2x80x80x24xf32>)
      attributes {a_map = #place, b_map = #weights, extra_maps = [], reduction = array<i64: 40>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<2x80x80x24xf32>
  return %3, %1 : tensor<2x80x80x24xf32>, tensor<2x80x80x40xf32>
}

// The greatest of each 2 x 2 results of a convolution by Winograd's algorithm is of its kernel, through the view of its
// only picture, too; windows that overlap, and sums, are kernels of their own.
// CHECK-LABEL: func.func @pooled(
// CHECK: plan.dispatch
// CHECK: kern.contract
// CHECK: tensor.collapse_shape
// CHECK: arith.maximumf
// CHECK: plan.return
// CHECK-NOT: plan.dispatch
// CHECK-LABEL: func.func @overlapping(
// CHECK-COUNT-2: plan.dispatch
// CHECK-LABEL: func.func @summed(
// CHECK-COUNT-2: plan.dispatch
#conv = affine_map<(b, y, x, n, i, j, c) -> (b, y + i - 1, x + j - 1, c)>
#window = affine_map<(y, x, n, i, j) -> (y * 2 + i, x * 2 + j, n)>
#window4 = affine_map<(b, y, x, n, i, j) -> (b, y * 2 + i, x * 2 + j, n)>
#taps = affine_map<(y, x, n, i, j) -> (i, j)>
#taps4 = affine_map<(b, y, x, n, i, j) -> (i, j)>
#windows = affine_map<(y, x, n, i, j) -> (y, x, n)>
#windows4 = affine_map<(b, y, x, n, i, j) -> (b, y, x, n)>
func.func @pooled(%a: tensor<1x16x16x32xf32>, %w: tensor<36x2x32x16xf32>) -> tensor<8x8x32xf32> {
  %low = arith.constant 0xFF800000 : f32
  %0 = tensor.empty() : tensor<1x16x16x32xf32>
  %1 = kern.contract ins(%a, %w : tensor<1x16x16x32xf32>, tensor<36x2x32x16xf32>) outs(%0 : tensor<1x16x16x32xf32>)
      attributes {a_map = #conv, b_map = #weights, extra_maps = [], reduction = array<i64: 3, 3, 32>, winograd = 4 : i64} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<1x16x16x32xf32>
  %2 = tensor.collapse_shape %1 [[0, 1], [2], [3]] : tensor<1x16x16x32xf32> into tensor<16x16x32xf32>
  %3 = tensor.empty() : tensor<2x2xf32>
  %4 = tensor.empty() : tensor<8x8x32xf32>
  %5 = linalg.fill ins(%low : f32) outs(%4 : tensor<8x8x32xf32>) -> tensor<8x8x32xf32>
  %6 = linalg.generic {indexing_maps = [#window, #taps, #windows], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%2, %3 : tensor<16x16x32xf32>, tensor<2x2xf32>) outs(%5 : tensor<8x8x32xf32>) {
  ^bb0(%in: f32, %t: f32, %out: f32):
    %m = arith.maximumf %out, %in : f32
    linalg.yield %m : f32
  } -> tensor<8x8x32xf32>
  return %6 : tensor<8x8x32xf32>
}

func.func @overlapping(%a: tensor<1x16x16x32xf32>, %w: tensor<36x2x32x16xf32>) -> tensor<1x7x7x32xf32> {
  %low = arith.constant 0xFF800000 : f32
  %0 = tensor.empty() : tensor<1x16x16x32xf32>
  %1 = kern.contract ins(%a, %w : tensor<1x16x16x32xf32>, tensor<36x2x32x16xf32>) outs(%0 : tensor<1x16x16x32xf32>)
      attributes {a_map = #conv, b_map = #weights, extra_maps = [], reduction = array<i64: 3, 3, 32>, winograd = 4 : i64} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<1x16x16x32xf32>
  %3 = tensor.empty() : tensor<3x3xf32>
  %4 = tensor.empty() : tensor<1x7x7x32xf32>
  %5 = linalg.fill ins(%low : f32) outs(%4 : tensor<1x7x7x32xf32>) -> tensor<1x7x7x32xf32>
  %6 = linalg.generic {indexing_maps = [#window4, #taps4, #windows4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%1, %3 : tensor<1x16x16x32xf32>, tensor<3x3xf32>) outs(%5 : tensor<1x7x7x32xf32>) {
  ^bb0(%in: f32, %t: f32, %out: f32):
    %m = arith.maximumf %out, %in : f32
    linalg.yield %m : f32
  } -> tensor<1x7x7x32xf32>
  return %6 : tensor<1x7x7x32xf32>
}

func.func @summed(%a: tensor<2x16x16x32xf32>, %w: tensor<36x2x32x16xf32>) -> tensor<2x8x8x32xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<2x16x16x32xf32>
  %1 = kern.contract ins(%a, %w : tensor<2x16x16x32xf32>, tensor<36x2x32x16xf32>) outs(%0 : tensor<2x16x16x32xf32>)
      attributes {a_map = #conv, b_map = #weights, extra_maps = [], reduction = array<i64: 3, 3, 32>, winograd = 4 : i64} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<2x16x16x32xf32>
  %3 = tensor.empty() : tensor<2x2xf32>
  %4 = tensor.empty() : tensor<2x8x8x32xf32>
  %5 = linalg.fill ins(%zero : f32) outs(%4 : tensor<2x8x8x32xf32>) -> tensor<2x8x8x32xf32>
  %6 = linalg.generic {indexing_maps = [#window4, #taps4, #windows4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%1, %3 : tensor<2x16x16x32xf32>, tensor<2x2xf32>) outs(%5 : tensor<2x8x8x32xf32>) {
  ^bb0(%in: f32, %t: f32, %out: f32):
    %m = arith.addf %out, %in : f32
    linalg.yield %m : f32
  } -> tensor<2x8x8x32xf32>
  return %6 : tensor<2x8x8x32xf32>
}
