// RUN: burin-opt %s --split-input-file --verify-diagnostics

func.func @scatter_coordinates(%i: tensor<3x2xi64>, %u: tensor<3x4xf32>, %o: tensor<8x4xf32>) -> tensor<8x4xf32> {
  // expected-error @+1 {{place_map that does not take dims and coordinates}}
  %r = kern.scatter ins(%i, %u : tensor<3x2xi64>, tensor<3x4xf32>) outs(%o : tensor<8x4xf32>)
      attributes {index_map = affine_map<(d0, d1) -> (d0)>,
                  place_map = affine_map<(d0, d1)[s0] -> (s0, d1)>} {
  ^bb0(%update: f32, %old: f32):
    kern.yield %update : f32
  } -> tensor<8x4xf32>
  return %r : tensor<8x4xf32>
}

// -----

func.func @scatter_body(%i: tensor<3x1xi64>, %u: tensor<3x4xf16>, %o: tensor<8x4xf32>) -> tensor<8x4xf32> {
  // expected-error @+1 {{needs a body that yields values of types 'f32'}}
  %r = kern.scatter ins(%i, %u : tensor<3x1xi64>, tensor<3x4xf16>) outs(%o : tensor<8x4xf32>)
      attributes {index_map = affine_map<(d0, d1) -> (d0)>,
                  place_map = affine_map<(d0, d1)[s0] -> (s0, d1)>} {
  ^bb0(%update: f16, %old: f32):
    kern.yield %update : f16
  } -> tensor<8x4xf32>
  return %r : tensor<8x4xf32>
}

// -----

func.func @sort_more(%x: tensor<2x9xf32>, %o: tensor<2x10xi64>) -> tensor<2x10xi64> {
  // expected-error @+1 {{writes more along its axis than it reads}}
  %r = kern.sort ins(%x : tensor<2x9xf32>) outs(%o : tensor<2x10xi64>) attributes {axis = 1 : i64} {
  ^bb0(%a: f32, %b: f32):
    %first = arith.cmpf ogt, %a, %b : f32
    kern.yield %first : i1
  } -> tensor<2x10xi64>
  return %r : tensor<2x10xi64>
}

// -----

func.func @sort_mixed(%x: memref<2x9xf32>, %o: tensor<2x3xi64>) -> tensor<2x3xi64> {
  // expected-error @+1 {{mixes tensors and memrefs}}
  %r = kern.sort ins(%x : memref<2x9xf32>) outs(%o : tensor<2x3xi64>) attributes {axis = 1 : i64} {
  ^bb0(%a: f32, %b: f32):
    %first = arith.cmpf ogt, %a, %b : f32
    kern.yield %first : i1
  } -> tensor<2x3xi64>
  return %r : tensor<2x3xi64>
}

// -----

func.func @scan_sizes(%x: tensor<4x8xf32>, %o: tensor<4x9xf32>) -> tensor<4x9xf32> {
  %zero = arith.constant 0.0 : f32
  // expected-error @+1 {{inputs and destinations of different sizes}}
  %r = kern.scan ins(%x : tensor<4x8xf32>) initial(%zero : f32) outs(%o : tensor<4x9xf32>)
      attributes {axis = 1 : i64} {
  ^bb0(%element: f32, %sum: f32):
    kern.yield %sum, %element : f32, f32
  } -> tensor<4x9xf32>
  return %r : tensor<4x9xf32>
}

// -----

func.func @scan_axis(%x: tensor<4x8xf32>, %o: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %zero = arith.constant 0.0 : f32
  // expected-error @+1 {{needs an axis of its inputs}}
  %r = kern.scan ins(%x : tensor<4x8xf32>) initial(%zero : f32) outs(%o : tensor<4x8xf32>)
      attributes {axis = 2 : i64} {
  ^bb0(%element: f32, %sum: f32):
    kern.yield %sum, %element : f32, f32
  } -> tensor<4x8xf32>
  return %r : tensor<4x8xf32>
}

// -----

func.func @scatter_result(%i: tensor<3x1xi64>, %u: tensor<3x4xf32>, %o: tensor<8x4xf32>) {
  // expected-error @+1 {{needs results of the types of its destinations, and none on memrefs}}
  %r = kern.scatter ins(%i, %u : tensor<3x1xi64>, tensor<3x4xf32>) outs(%o : tensor<8x4xf32>)
      attributes {index_map = affine_map<(d0, d1) -> (d0)>,
                  place_map = affine_map<(d0, d1)[s0] -> (s0, d1)>} {
  ^bb0(%update: f32, %old: f32):
    kern.yield %update : f32
  } -> tensor<9x4xf32>
  return
}

// -----

func.func @scatter_arguments(%i: tensor<3x1xi64>, %u: tensor<3x4xf16>, %o: tensor<8x4xf32>) {
  // expected-error @+1 {{needs a body with arguments of types 'f16', 'f32'}}
  %r = kern.scatter ins(%i, %u : tensor<3x1xi64>, tensor<3x4xf16>) outs(%o : tensor<8x4xf32>)
      attributes {index_map = affine_map<(d0, d1) -> (d0)>,
                  place_map = affine_map<(d0, d1)[s0] -> (s0, d1)>} {
  ^bb0(%update: f32, %old: f32):
    kern.yield %update : f32
  } -> tensor<8x4xf32>
  return
}

// -----

func.func @scatter_indices(%i: tensor<3x1xf32>, %u: tensor<3x4xf32>, %o: tensor<8x4xf32>) {
  // expected-error @+1 {{needs integer indices with a dim of coordinates}}
  %r = kern.scatter ins(%i, %u : tensor<3x1xf32>, tensor<3x4xf32>) outs(%o : tensor<8x4xf32>)
      attributes {index_map = affine_map<(d0, d1) -> (d0)>,
                  place_map = affine_map<(d0, d1)[s0] -> (s0, d1)>} {
  ^bb0(%update: f32, %old: f32):
    kern.yield %update : f32
  } -> tensor<8x4xf32>
  return
}

// -----

func.func @scatter_index_map(%i: tensor<3x1xi64>, %u: tensor<3x4xf32>, %o: tensor<8x4xf32>) {
  // expected-error @+1 {{has an index_map that does not take the dims of its updates to `indices`}}
  %r = kern.scatter ins(%i, %u : tensor<3x1xi64>, tensor<3x4xf32>) outs(%o : tensor<8x4xf32>)
      attributes {index_map = affine_map<(d0, d1) -> (d0, d1)>,
                  place_map = affine_map<(d0, d1)[s0] -> (s0, d1)>} {
  ^bb0(%update: f32, %old: f32):
    kern.yield %update : f32
  } -> tensor<8x4xf32>
  return
}

// -----

func.func @scatter_sizes(%i: tensor<5x1xi64>, %u: tensor<3x4xf32>, %o: tensor<8x4xf32>) {
  // expected-error @+1 {{has indices of other sizes than its updates}}
  %r = kern.scatter ins(%i, %u : tensor<5x1xi64>, tensor<3x4xf32>) outs(%o : tensor<8x4xf32>)
      attributes {index_map = affine_map<(d0, d1) -> (d0)>,
                  place_map = affine_map<(d0, d1)[s0] -> (s0, d1)>} {
  ^bb0(%update: f32, %old: f32):
    kern.yield %update : f32
  } -> tensor<8x4xf32>
  return
}

// -----

func.func @sort_axis(%x: tensor<2x9xf32>, %o: tensor<2x3xi64>) {
  // expected-error @+1 {{needs an axis of its input, and a destination of the same rank}}
  %r = kern.sort ins(%x : tensor<2x9xf32>) outs(%o : tensor<2x3xi64>) attributes {axis = 2 : i64} {
  ^bb0(%a: f32, %b: f32):
    %first = arith.cmpf ogt, %a, %b : f32
    kern.yield %first : i1
  } -> tensor<2x3xi64>
  return
}

// -----

func.func @sort_values(%x: tensor<2x9xf32>, %o: tensor<2x3xf32>) {
  // expected-error @+1 {{writes positions, which are integers}}
  %r = kern.sort ins(%x : tensor<2x9xf32>) outs(%o : tensor<2x3xf32>) attributes {axis = 1 : i64} {
  ^bb0(%a: f32, %b: f32):
    %first = arith.cmpf ogt, %a, %b : f32
    kern.yield %first : i1
  } -> tensor<2x3xf32>
  return
}

// -----

func.func @sort_sizes(%x: tensor<2x9xf32>, %o: tensor<3x3xi64>) {
  // expected-error @+1 {{has a destination of other sizes than its input}}
  %r = kern.sort ins(%x : tensor<2x9xf32>) outs(%o : tensor<3x3xi64>) attributes {axis = 1 : i64} {
  ^bb0(%a: f32, %b: f32):
    %first = arith.cmpf ogt, %a, %b : f32
    kern.yield %first : i1
  } -> tensor<3x3xi64>
  return
}

// -----

func.func @scan_nothing(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{needs an input and a destination}}
  "kern.scan"(%x) <{axis = 1 : i64, operandSegmentSizes = array<i32: 1, 0, 0>}> ({
  ^bb0(%element: f32):
    "kern.yield"() : () -> ()
  }) : (tensor<4x8xf32>) -> ()
  return
}
