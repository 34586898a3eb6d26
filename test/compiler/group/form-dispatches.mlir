// RUN: burin-opt %s --form-dispatches --canonicalize --cse | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// Ops that walk the same rows are one dispatch; it sees nothing but its arguments, and
// what is cheap is computed inside.
// CHECK-LABEL: func.func @rows
// CHECK: "plan.dispatch"(%{{.*}}, %{{.*}})
// CHECK: ^bb0(%[[X:.*]]: tensor<4x8xf32>, %[[OUT:.*]]: tensor<4x8xf32>):
// CHECK: arith.constant 0xFF800000
// CHECK: linalg.fill
// CHECK: arith.maximumf
// CHECK: outs(%[[OUT]] : tensor<4x8xf32>)
// CHECK: arith.subf
// CHECK: plan.return
// CHECK-NOT: plan.dispatch
// CHECK: return
func.func @rows(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %low = arith.constant 0xFF800000 : f32
  %s = tensor.empty() : tensor<4xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %f = linalg.fill ins(%low : f32) outs(%s : tensor<4xf32>) -> tensor<4xf32>
  %0 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %r = arith.maximumf %acc, %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %0 : tensor<4x8xf32>, tensor<4xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %m: f32, %o: f32):
    %r = arith.subf %a, %m : f32
    linalg.yield %r : f32
  } -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// A whole reduction shares no row with its reader: two dispatches. Reshapes stay
// outside.
// CHECK-LABEL: func.func @whole
// CHECK: tensor.collapse_shape
// CHECK: "plan.dispatch"
// CHECK: "reduction"
// CHECK: "plan.dispatch"
// CHECK: arith.subf
// CHECK: return
func.func @whole(%x: tensor<128x128xf32>) -> tensor<16384xf32> {
  %zero = arith.constant 0.0 : f32
  %s = tensor.empty() : tensor<f32>
  %e = tensor.empty() : tensor<16384xf32>
  %f = linalg.fill ins(%zero : f32) outs(%s : tensor<f32>) -> tensor<f32>
  %flat = tensor.collapse_shape %x [[0, 1]] : tensor<128x128xf32> into tensor<16384xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>],
                       iterator_types = ["reduction"]}
      ins(%flat : tensor<16384xf32>) outs(%f : tensor<f32>) {
  ^bb0(%a: f32, %acc: f32):
    %r = arith.addf %acc, %a : f32
    linalg.yield %r : f32
  } -> tensor<f32>
  %1 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>,
                                        affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%flat, %0 : tensor<16384xf32>, tensor<f32>) outs(%e : tensor<16384xf32>) {
  ^bb0(%a: f32, %m: f32, %o: f32):
    %r = arith.subf %a, %m : f32
    linalg.yield %r : f32
  } -> tensor<16384xf32>
  return %1 : tensor<16384xf32>
}

// Where each would be one task by itself, they are one dispatch.
// CHECK-LABEL: func.func @small
// CHECK: "plan.dispatch"
// CHECK: "reduction"
// CHECK-NOT: plan.dispatch
// CHECK: arith.subf
// CHECK: return
func.func @small(%x: tensor<4x8xf32>) -> tensor<32xf32> {
  %zero = arith.constant 0.0 : f32
  %s = tensor.empty() : tensor<f32>
  %e = tensor.empty() : tensor<32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%s : tensor<f32>) -> tensor<f32>
  %flat = tensor.collapse_shape %x [[0, 1]] : tensor<4x8xf32> into tensor<32xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>],
                       iterator_types = ["reduction"]}
      ins(%flat : tensor<32xf32>) outs(%f : tensor<f32>) {
  ^bb0(%a: f32, %acc: f32):
    %r = arith.addf %acc, %a : f32
    linalg.yield %r : f32
  } -> tensor<f32>
  %1 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>,
                                        affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%flat, %0 : tensor<32xf32>, tensor<f32>) outs(%e : tensor<32xf32>) {
  ^bb0(%a: f32, %m: f32, %o: f32):
    %r = arith.subf %a, %m : f32
    linalg.yield %r : f32
  } -> tensor<32xf32>
  return %1 : tensor<32xf32>
}

// Writers of one destination are one dispatch, which writes it in place.
// CHECK-LABEL: func.func @concat
// CHECK: "plan.dispatch"
// CHECK: ^bb0(%{{.*}}: tensor<2xf32>, %{{.*}}: tensor<3xf32>, %[[OUT:.*]]: tensor<5xf32>):
// CHECK: %[[FIRST:.*]] = tensor.insert_slice %{{.*}} into %[[OUT]][0] [2] [1]
// CHECK: tensor.insert_slice %{{.*}} into %[[FIRST]][2] [3] [1]
// CHECK-NOT: plan.dispatch
// CHECK: return
func.func @concat(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<5xf32> {
  %e = tensor.empty() : tensor<5xf32>
  %0 = tensor.insert_slice %x into %e[0] [2] [1] : tensor<2xf32> into tensor<5xf32>
  %1 = tensor.insert_slice %y into %0[2] [3] [1] : tensor<3xf32> into tensor<5xf32>
  return %1 : tensor<5xf32>
}

// A result needs storage that nothing else names: an argument and a value returned
// twice get a copy.
// CHECK-LABEL: func.func @returned
// CHECK-COUNT-3: "plan.dispatch"
// CHECK-NOT: "plan.dispatch"
// CHECK: return
func.func @returned(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) {
  %e = tensor.empty() : tensor<8xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.negf %a : f32
    linalg.yield %r : f32
  } -> tensor<8xf32>
  return %x, %0, %0 : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>
}

// Two readers walk the rows of a producer that checks its data: it stays alone.
// CHECK-LABEL: func.func @checked
// CHECK: "plan.dispatch"
// CHECK: plan.check
// CHECK: plan.return
// CHECK: "plan.dispatch"
// CHECK-NOT: plan.check
// CHECK: return
func.func @checked(%i: tensor<16x32xi64>) -> tensor<16x32xi64> {
  %c9 = arith.constant 9 : i64
  %c0 = arith.constant 0 : i64
  %e = tensor.empty() : tensor<16x32xi64>
  %r = tensor.empty() : tensor<16xi64>
  %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%i : tensor<16x32xi64>) outs(%e : tensor<16x32xi64>) {
  ^bb0(%a: i64, %o: i64):
    %ok = arith.cmpi ult, %a, %c9 : i64
    plan.check %ok, 6, %a
    linalg.yield %a : i64
  } -> tensor<16x32xi64>
  %zeros = linalg.fill ins(%c0 : i64) outs(%r : tensor<16xi64>) -> tensor<16xi64>
  %1 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>],
                       iterator_types = ["parallel", "reduction"]}
      ins(%0 : tensor<16x32xi64>) outs(%zeros : tensor<16xi64>) {
  ^bb0(%a: i64, %o: i64):
    %s = arith.addi %a, %o : i64
    linalg.yield %s : i64
  } -> tensor<16xi64>
  %2 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%0, %1 : tensor<16x32xi64>, tensor<16xi64>) outs(%e : tensor<16x32xi64>) {
  ^bb0(%a: i64, %s: i64, %o: i64):
    %t = arith.subi %a, %s : i64
    linalg.yield %t : i64
  } -> tensor<16x32xi64>
  return %2 : tensor<16x32xi64>
}

// Two that write in a copy of one tensor: each has its own.
// CHECK-LABEL: func.func @two_scatters
// CHECK: plan.dispatch
// CHECK: %[[A:.*]] = bufferization.materialize_in_destination
// CHECK: kern.scatter {{.*}} outs(%[[A]]
// CHECK: plan.dispatch
// CHECK: %[[B:.*]] = bufferization.materialize_in_destination
// CHECK: kern.scatter {{.*}} outs(%[[B]]
func.func @two_scatters(%x: tensor<4xf32>, %i: tensor<2x1xi64>, %j: tensor<2x1xi64>, %u: tensor<2xf32>)
    -> (tensor<4xf32>, tensor<4xf32>) {
  %e = tensor.empty() : tensor<4xf32>
  %c = bufferization.materialize_in_destination %x in %e : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %0 = kern.scatter ins(%i, %u : tensor<2x1xi64>, tensor<2xf32>) outs(%c : tensor<4xf32>)
      attributes {index_map = affine_map<(d0) -> (d0)>, place_map = affine_map<(d0)[s0] -> (s0)>, wrap} {
  ^bb0(%a: f32, %b: f32):
    kern.yield %a : f32
  } -> tensor<4xf32>
  %1 = kern.scatter ins(%j, %u : tensor<2x1xi64>, tensor<2xf32>) outs(%c : tensor<4xf32>)
      attributes {index_map = affine_map<(d0) -> (d0)>, place_map = affine_map<(d0)[s0] -> (s0)>, wrap} {
  ^bb0(%a: f32, %b: f32):
    kern.yield %a : f32
  } -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// What is read backward along one dimension cannot be cut along another: a slice of it would be
// taken from the first index read to the last one.
// CHECK-LABEL: func.func @mirrored
// CHECK: plan.dispatch
// CHECK: arith.negf
// CHECK: plan.dispatch
// CHECK: arith.addf
#id3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#back = affine_map<(d0, d1, d2) -> (d0, -d1 + 1, d2)>
func.func @mirrored(%x: tensor<512x2x32xf32>) -> tensor<512x2x32xf32> {
  %e = tensor.empty() : tensor<512x2x32xf32>
  %0 = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<512x2x32xf32>) outs(%e : tensor<512x2x32xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.negf %a : f32
    linalg.yield %r : f32
  } -> tensor<512x2x32xf32>
  %1 = linalg.generic {indexing_maps = [#id3, #back, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%0, %0 : tensor<512x2x32xf32>, tensor<512x2x32xf32>) outs(%e : tensor<512x2x32xf32>) {
  ^bb0(%a: f32, %m: f32, %o: f32):
    %r = arith.addf %a, %m : f32
    linalg.yield %r : f32
  } -> tensor<512x2x32xf32>
  return %1 : tensor<512x2x32xf32>
}

// -----

// Two that begin with the same part: each is made whole by a kernel of its own.
// CHECK-LABEL: func.func @same_first_part
// CHECK: plan.dispatch
// CHECK-COUNT-2: tensor.insert_slice
// CHECK: plan.dispatch
// CHECK-COUNT-2: tensor.insert_slice
// CHECK-NOT: plan.dispatch
// CHECK: return
func.func @same_first_part(%a: tensor<4x8xf32>, %b: tensor<4x8xf32>, %c: tensor<4x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>) {
  %e = tensor.empty() : tensor<8x8xf32>
  %first = tensor.insert_slice %a into %e[0, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<8x8xf32>
  %x = tensor.insert_slice %b into %first[4, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<8x8xf32>
  %y = tensor.insert_slice %c into %first[4, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<8x8xf32>
  return %x, %y : tensor<8x8xf32>, tensor<8x8xf32>
}
