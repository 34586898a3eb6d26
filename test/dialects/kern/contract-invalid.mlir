// RUN: burin-opt %s --split-input-file --verify-diagnostics
//
// Every diagnostic of kern.contract's verifier, once.

func.func @mixed(%a: tensor<5x8xf32>, %w: memref<2x8x16xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{mixes tensors and memrefs}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, memref<2x8x16xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @result_type(%a: tensor<5x8xf32>, %w: tensor<2x8x16xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{needs a result of the type of its destination, and none on memrefs}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<2x8x16xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<6x20xf32>
  return
}

// -----

func.func @result_on_memrefs(%a: memref<5x8xf32>, %w: memref<2x8x16xf32>, %o: memref<5x20xf32>) {
  // expected-error @+1 {{needs a result of the type of its destination, and none on memrefs}}
  %r = kern.contract ins(%a, %w : memref<5x8xf32>, memref<2x8x16xf32>)
      outs(%o : memref<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @elements(%a: tensor<5x8xf16>, %w: tensor<2x8x16xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{multiplies elements of type f32, or bf16 in panels}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf16>, tensor<2x8x16xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @no_reduction(%a: tensor<5x8xf32>, %w: tensor<2x8x16xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{needs a column dim and a reduction dim}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<2x8x16xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [], reduction = array<i64>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @dynamic_reductions(%a: tensor<5x8xf32>, %w: tensor<2x8x16xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{has reduction sizes that are neither static nor a single dynamic one}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<2x8x16xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [], reduction = array<i64: 8, -9223372036854775808>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @products(%a: tensor<5x8xf32>, %w: tensor<2x8x16xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{has more than 2^63 products per result}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<2x8x16xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [], reduction = array<i64: 4294967296, 4294967296>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @a_map_dims(%a: tensor<5x8xf32>, %w: tensor<2x8x16xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{has an a_map that does not take its dims to `a`}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<2x8x16xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n) -> (m, n)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @a_map_rank(%a: tensor<5x8xf32>, %w: tensor<2x8x16xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{has an a_map that does not take its dims to `a`}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<2x8x16xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @a_map_columns(%a: tensor<5x8xf32>, %w: tensor<2x8x16xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{has an a_map that reads the column dim and is not a depthwise convolution}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<2x8x16xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, n + k)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @a_map_linear(%a: tensor<5x8xf32>, %w: tensor<2x8x16xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{needs an a_map that is linear}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<2x8x16xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k mod 4)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @b_map_columns(%a: tensor<5x8xf32>, %w: tensor<20x2x8x16xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{needs a b_map that picks parallel dims other than the column dim}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<20x2x8x16xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> (n)>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @panel_width(%a: tensor<5x8xf32>, %w: tensor<3x8x8xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{needs `b` in panels: leading dims, panels, K, 16}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<3x8x8xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @panels(%a: tensor<5x8xf32>, %w: tensor<1x8x16xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{has panels of another size than its destination and reduction dims}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<1x8x16xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @panel_rows(%a: tensor<5x8xf32>, %w: tensor<2x9x16xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{has panels of another size than its destination and reduction dims}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<2x9x16xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @leading(%a: tensor<5x8xf32>, %w: tensor<4x2x8x16xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{has leading panel dims of other sizes than its destination}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<4x2x8x16xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> (m)>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @extra_maps(%a: tensor<5x8xf32>, %w: tensor<2x8x16xf32>, %o: tensor<5x20xf32>,
                     %e: tensor<20xf32>) {
  // expected-error @+1 {{needs one map per extra operand}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<2x8x16xf32>) extras(%e : tensor<20xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32, %x: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @extra_rank(%a: tensor<5x8xf32>, %w: tensor<2x8x16xf32>, %o: tensor<5x20xf32>,
                     %e: tensor<20xf32>) {
  // expected-error @+1 {{has an extra map that does not take the parallel dims to its operand}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<2x8x16xf32>) extras(%e : tensor<20xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [affine_map<(m, n) -> (m, n)>], reduction = array<i64: 8>} {
  ^bb0(%sum: f32, %x: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @extra_columns(%a: tensor<5x8xf32>, %w: tensor<2x8x16xf32>, %o: tensor<5x20xf32>,
                     %e: tensor<20x5xf32>) {
  // expected-error @+1 {{reads extras at parallel dims or 0, the column dim only last}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<2x8x16xf32>) extras(%e : tensor<20x5xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [affine_map<(m, n) -> (n, m)>], reduction = array<i64: 8>} {
  ^bb0(%sum: f32, %x: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @extra_size(%a: tensor<5x8xf32>, %w: tensor<2x8x16xf32>, %o: tensor<5x20xf32>,
                     %e: tensor<20xf32>) {
  // expected-error @+1 {{has an extra of another size than its destination}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<2x8x16xf32>) extras(%e : tensor<20xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [affine_map<(m, n) -> (m)>], reduction = array<i64: 8>} {
  ^bb0(%sum: f32, %x: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @epilogue_arguments(%a: tensor<5x8xf32>, %w: tensor<2x8x16xf32>, %o: tensor<5x20xf32>,
                     %e: tensor<20xf32>) {
  // expected-error @+1 {{needs an epilogue with arguments of types 'f32', 'f32'}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<2x8x16xf32>) extras(%e : tensor<20xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [affine_map<(m, n) -> (n)>], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @epilogue_yield(%a: tensor<5x8xf32>, %w: tensor<2x8x16xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{needs an epilogue that yields one element of its destination}}
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<2x8x16xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum, %sum : f32, f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @epilogue_op(%a: tensor<5x8xf32>, %w: tensor<2x8x16xf32>, %o: tensor<5x20xf32>,
                     %t: tensor<?xf32>) {
  %r = kern.contract ins(%a, %w : tensor<5x8xf32>, tensor<2x8x16xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    %i = arith.constant 0 : index
    // expected-error @+1 {{cannot be part of an epilogue: it does not map to vectors}}
    %d = tensor.dim %t, %i : tensor<?xf32>
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

#conv = affine_map<(b, y, x, n, i, j, c) -> (b, y + i - 1, x + j - 1, c)>
#strided = affine_map<(b, y, x, n, i, j, c) -> (b, y * 2 + i, x + j, c)>
#none = affine_map<(b, y, x, n) -> ()>

func.func @winograd_tile(%a: tensor<1x8x8x16xf32>, %w: tensor<25x1x16x16xf32>, %o: tensor<1x8x8x16xf32>) {
  // expected-error @+1 {{makes Winograd tiles of 2 or 4, not 3}}
  %r = kern.contract ins(%a, %w : tensor<1x8x8x16xf32>, tensor<25x1x16x16xf32>)
      outs(%o : tensor<1x8x8x16xf32>)
      attributes {a_map = #conv, b_map = #none, extra_maps = [], reduction = array<i64: 3, 3, 16>,
                  winograd = 3 : i64} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<1x8x8x16xf32>
  return
}

// -----

#strided = affine_map<(b, y, x, n, i, j, c) -> (b, y * 2 + i, x + j, c)>
#none = affine_map<(b, y, x, n) -> ()>

func.func @winograd_stride(%a: tensor<1x8x8x16xf32>, %w: tensor<16x1x16x16xf32>, %o: tensor<1x3x6x16xf32>) {
  // expected-error @+1 {{has Winograd tiles and is not a convolution of 3 x 3 taps}}
  %r = kern.contract ins(%a, %w : tensor<1x8x8x16xf32>, tensor<16x1x16x16xf32>)
      outs(%o : tensor<1x3x6x16xf32>)
      attributes {a_map = #strided, b_map = #none, extra_maps = [], reduction = array<i64: 3, 3, 16>,
                  winograd = 2 : i64} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<1x3x6x16xf32>
  return
}

// -----

#conv = affine_map<(b, y, x, n, i, j, c) -> (b, y + i - 1, x + j - 1, c)>
#none = affine_map<(b, y, x, n) -> ()>

func.func @winograd_taps(%a: tensor<1x8x8x16xf32>, %w: tensor<1x144x16xf32>, %o: tensor<1x8x8x16xf32>) {
  // expected-error @+1 {{needs 36 transformed taps}}
  %r = kern.contract ins(%a, %w : tensor<1x8x8x16xf32>, tensor<1x144x16xf32>)
      outs(%o : tensor<1x8x8x16xf32>)
      attributes {a_map = #conv, b_map = #none, extra_maps = [], reduction = array<i64: 3, 3, 16>,
                  winograd = 4 : i64} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<1x8x8x16xf32>
  return
}

// -----

func.func @shorter(%a: tensor<4x8xf32>, %w: tensor<2x8x16xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{reads dim 0 of `a` by a parallel dim that is larger}}
  %r = kern.contract ins(%a, %w : tensor<4x8xf32>, tensor<2x8x16xf32>)
      outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n) -> ()>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}
