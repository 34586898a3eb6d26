// RUN: burin-opt %s --expand-contract --split-input-file --verify-diagnostics
// RUN: not burin-opt %s --expand-contract=vector-level=v5 2>&1 | FileCheck %s

// CHECK: error: vector-level is v3, v4 or neon, not v5

#rows = affine_map<(m, n, k) -> (m, k)>
#none = affine_map<(m, n) -> ()>

func.func @tensors(%a: tensor<5x8xf32>, %w: tensor<2x8x16xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{is not on buffers yet}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<2x8x16xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = #rows, b_map = #none, extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

#outside = affine_map<(m, n, k) -> (m, k - 1)>
#whole = affine_map<(m, n) -> ()>

// Along the last reduction dim whole blocks are read: padding is for the dims before it.
func.func @padded(%a: memref<5x8xf32>, %w: memref<2x8x16xf32>, %o: memref<5x20xf32>) {
  // expected-error @+1 {{reads outside `a` along its last reduction dim}}
  kern.contract ins(%a, %w : memref<5x8xf32>, memref<2x8x16xf32>)
      outs(%o : memref<5x20xf32>)
      attributes {a_map = #outside, b_map = #whole, extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  }
  return
}
