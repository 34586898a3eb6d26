// RUN: burin-opt %s --split-input-file --verify-diagnostics

// What kern.contract asks of a `b` that it reads where it lies.

func.func @dims(%a: tensor<5x8xf32>, %b: tensor<8x20xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{needs a b_map of its parallel dims, or of all its dims}}
  %r = kern.contract ins(%a, %b : tensor<5x8xf32>, tensor<8x20xf32>) outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n, k, j) -> (k, n)>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @reductions(%a: tensor<5x2x8xf32>, %b: tensor<2x8x20xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{reads `b` where it lies and is no product of matrices}}
  %r = kern.contract ins(%a, %b : tensor<5x2x8xf32>, tensor<2x8x20xf32>) outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, i, k) -> (m, i, k)>, b_map = affine_map<(m, n, i, k) -> (i, k, n)>,
                  extra_maps = [], reduction = array<i64: 2, 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @rank(%a: tensor<5x8xf32>, %b: tensor<8x20xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{has a b_map that does not take its dims to `b`}}
  %r = kern.contract ins(%a, %b : tensor<5x8xf32>, tensor<8x20xf32>) outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n, k) -> (k, n, 0)>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @scaled(%a: tensor<5x8xf32>, %b: tensor<8x20xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{needs a b_map that reads each dim once, as it is or a constant further on}}
  %r = kern.contract ins(%a, %b : tensor<5x8xf32>, tensor<8x20xf32>) outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n, k) -> (k, n * 2)>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @diagonal(%a: tensor<5x8xf32>, %b: tensor<8x20x20xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{needs a b_map that reads each dim once, as it is or a constant further on}}
  %r = kern.contract ins(%a, %b : tensor<5x8xf32>, tensor<8x20x20xf32>) outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n, k) -> (k, n, n)>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @front(%a: tensor<5x8xf32>, %b: tensor<8x20xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{reads in front of `b`}}
  %r = kern.contract ins(%a, %b : tensor<5x8xf32>, tensor<8x20xf32>) outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n, k) -> (k, n - 1)>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @behind(%a: tensor<5x8xf32>, %b: tensor<8x20xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{reads more of `b` than there is}}
  %r = kern.contract ins(%a, %b : tensor<5x8xf32>, tensor<8x20xf32>) outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n, k) -> (k, n + 1)>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @batch_last(%a: tensor<5x8xf32>, %b: tensor<8x20x5xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{needs a b_map whose last place is a column or a step of the sum}}
  %r = kern.contract ins(%a, %b : tensor<5x8xf32>, tensor<8x20x5xf32>) outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n, k) -> (k, n, m)>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @no_column(%a: tensor<5x8xf32>, %b: tensor<8x20xf32>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{needs a b_map whose last place is a column or a step of the sum}}
  %r = kern.contract ins(%a, %b : tensor<5x8xf32>, tensor<8x20xf32>) outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n, k) -> (0, k)>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}

// -----

func.func @halves(%a: tensor<5x8xf32>, %b: tensor<8x20xbf16>, %o: tensor<5x20xf32>) {
  // expected-error @+1 {{multiplies elements of type f32, or bf16 in panels}}
  %r = kern.contract ins(%a, %b : tensor<5x8xf32>, tensor<8x20xbf16>) outs(%o : tensor<5x20xf32>)
      attributes {a_map = affine_map<(m, n, k) -> (m, k)>, b_map = affine_map<(m, n, k) -> (k, n)>,
                  extra_maps = [], reduction = array<i64: 8>} {
  ^bb0(%sum: f32):
    kern.yield %sum : f32
  } -> tensor<5x20xf32>
  return
}
