// RUN: burin-opt %s --fold-epilogues | FileCheck %s

#rows = affine_map<(m, n, k) -> (m, k)>
#none = affine_map<(m, n) -> ()>
#id = affine_map<(d0, d1) -> (d0, d1)>
#column = affine_map<(d0, d1) -> (d1)>

// Bias and activation follow the sum inside one op.
// CHECK-LABEL: func.func @bias_relu
// CHECK: kern.contract {{.*}}extras(%{{.*}} : tensor<40xf32>)
// CHECK: ^bb0(%[[SUM:.*]]: f32, %[[BIAS:.*]]: f32):
// CHECK: %[[S:.*]] = arith.addf %[[SUM]], %[[BIAS]]
// CHECK: arith.maximumf %[[S]]
// CHECK: kern.yield
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @bias_relu(%a: tensor<8x64xf32>, %w: tensor<3x64x16xf32>,
                     %bias: tensor<40xf32>) -> tensor<8x40xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x40xf32>
  %0 = kern.contract ins(%a, %w : tensor<8x64xf32>, tensor<3x64x16xf32>) outs(%e : tensor<8x40xf32>)
      attributes {a_map = #rows, b_map = #none, extra_maps = [], reduction = array<i64: 64>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<8x40xf32>
  %1 = linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %bias : tensor<8x40xf32>, tensor<40xf32>) outs(%e : tensor<8x40xf32>) {
  ^bb0(%x: f32, %b: f32, %o: f32):
    %s = arith.addf %x, %b : f32
    linalg.yield %s : f32
  } -> tensor<8x40xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%1 : tensor<8x40xf32>) outs(%e : tensor<8x40xf32>) {
  ^bb0(%x: f32, %o: f32):
    %s = arith.maximumf %x, %zero : f32
    linalg.yield %s : f32
  } -> tensor<8x40xf32>
  return %2 : tensor<8x40xf32>
}

// A sum that has another reader is needed as it is.
// CHECK-LABEL: func.func @two_readers
// CHECK: kern.contract
// CHECK: linalg.generic
func.func @two_readers(%a: tensor<8x64xf32>,
                       %w: tensor<3x64x16xf32>) -> (tensor<8x40xf32>, tensor<8x40xf32>) {
  %e = tensor.empty() : tensor<8x40xf32>
  %0 = kern.contract ins(%a, %w : tensor<8x64xf32>, tensor<3x64x16xf32>) outs(%e : tensor<8x40xf32>)
      attributes {a_map = #rows, b_map = #none, extra_maps = [], reduction = array<i64: 64>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<8x40xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<8x40xf32>) outs(%e : tensor<8x40xf32>) {
  ^bb0(%x: f32, %o: f32):
    %s = arith.negf %x : f32
    linalg.yield %s : f32
  } -> tensor<8x40xf32>
  return %0, %1 : tensor<8x40xf32>, tensor<8x40xf32>
}

// A transposed reader does not write where the contraction does.
// CHECK-LABEL: func.func @transposed
// CHECK: kern.contract
// CHECK: linalg.generic
func.func @transposed(%a: tensor<8x64xf32>, %w: tensor<3x64x16xf32>) -> tensor<40x8xf32> {
  %e = tensor.empty() : tensor<8x40xf32>
  %t = tensor.empty() : tensor<40x8xf32>
  %0 = kern.contract ins(%a, %w : tensor<8x64xf32>, tensor<3x64x16xf32>) outs(%e : tensor<8x40xf32>)
      attributes {a_map = #rows, b_map = #none, extra_maps = [], reduction = array<i64: 64>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<8x40xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<8x40xf32>) outs(%t : tensor<40x8xf32>) {
  ^bb0(%x: f32, %o: f32):
    linalg.yield %x : f32
  } -> tensor<40x8xf32>
  return %1 : tensor<40x8xf32>
}

// What it would add is a column of a matrix: no vector of it lies in memory.
// CHECK-LABEL: func.func @strided
// CHECK: kern.contract {{.*}} extra_maps = []
// CHECK: linalg.generic
func.func @strided(%a: tensor<1x64xf32>, %w: tensor<3x64x16xf32>, %m: tensor<40x7xf32>, %i: index)
    -> tensor<1x40xf32> {
  %e = tensor.empty() : tensor<1x40xf32>
  %c = tensor.extract_slice %m[0, %i] [40, 1] [1, 1] : tensor<40x7xf32> to tensor<40xf32>
  %x = tensor.expand_shape %c [[0, 1]] output_shape [1, 40] : tensor<40xf32> into tensor<1x40xf32>
  %0 = kern.contract ins(%a, %w : tensor<1x64xf32>, tensor<3x64x16xf32>) outs(%e : tensor<1x40xf32>)
      attributes {a_map = #rows, b_map = #none, extra_maps = [], reduction = array<i64: 64>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<1x40xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %x : tensor<1x40xf32>, tensor<1x40xf32>) outs(%e : tensor<1x40xf32>) {
  ^bb0(%y: f32, %z: f32, %o: f32):
    %s = arith.addf %y, %z : f32
    linalg.yield %s : f32
  } -> tensor<1x40xf32>
  return %1 : tensor<1x40xf32>
}

// A bias that is one number everywhere is a constant of the epilogue; the other extras stay.
// CHECK-LABEL: func.func @number
// CHECK: kern.contract {{.*}}extras(%arg2 : tensor<8x40xf32>)
// CHECK: ^bb0(%[[SUM:.*]]: f32, %[[OTHER:.*]]: f32):
// CHECK: %[[HALF:.*]] = arith.constant 5.000000e-01 : f32
// CHECK: %[[S:.*]] = arith.addf %[[SUM]], %[[HALF]]
// CHECK: arith.mulf %[[S]], %[[OTHER]]
func.func @number(%a: tensor<8x64xf32>, %w: tensor<3x64x16xf32>, %other: tensor<8x40xf32>) -> tensor<8x40xf32> {
  %bias = arith.constant dense<0.5> : tensor<40xf32>
  %e = tensor.empty() : tensor<8x40xf32>
  %0 = kern.contract ins(%a, %w : tensor<8x64xf32>, tensor<3x64x16xf32>)
      extras(%bias : tensor<40xf32>) outs(%e : tensor<8x40xf32>)
      attributes {a_map = #rows, b_map = #none, extra_maps = [#column], reduction = array<i64: 64>} {
  ^bb0(%sum: f32, %b: f32):
    %s = arith.addf %sum, %b : f32
    kern.yield %s : f32
  } -> tensor<8x40xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %other : tensor<8x40xf32>, tensor<8x40xf32>) outs(%e : tensor<8x40xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %s = arith.mulf %x, %y : f32
    linalg.yield %s : f32
  } -> tensor<8x40xf32>
  return %1 : tensor<8x40xf32>
}
