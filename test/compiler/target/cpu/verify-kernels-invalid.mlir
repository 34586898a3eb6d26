// RUN: burin-opt %s --verify-kernels --split-input-file --verify-diagnostics

func.func @heap(%n: index, %o: memref<8xf32>)
    attributes {plan.kernel, plan.asked = {contractions = 0 : i64, copies = 0 : i64, steps = 0 : i64}} {
  // expected-error @+1 {{kernel 'heap' allocates memory without a static bound}}
  %a = memref.alloc(%n) : memref<?xf32>
  return
}

// -----

func.func @huge(%o: memref<8xf32>)
    attributes {plan.kernel, plan.asked = {contractions = 0 : i64, copies = 0 : i64, steps = 0 : i64}} {
  %a = memref.alloc() : memref<300000000xf32>
  // expected-error @+1 {{kernel 'huge' needs more than 2 GiB of scratch per worker}}
  %b = memref.alloc() : memref<300000000xf32>
  return
}

// -----

// What bufferization does where it finds no way to work in place.
func.func @copied(%x: memref<8xf32>, %o: memref<8xf32>)
    attributes {plan.kernel, plan.asked = {contractions = 0 : i64, copies = 0 : i64, steps = 0 : i64}} {
  %a = memref.alloc() : memref<8xf32>
  linalg.exp ins(%x : memref<8xf32>) outs(%a : memref<8xf32>)
  // expected-error @+1 {{kernel 'copied' copies 'memref<8xf32>', which its dispatch did not ask for}}
  linalg.copy ins(%a : memref<8xf32>) outs(%o : memref<8xf32>)
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// expected-error @+1 {{kernel 'twice' holds 2 contractions and reductions, its dispatch 1}}
func.func @twice(%x: memref<8x16xf32>, %o: memref<8xf32>, %p: memref<8xf32>)
    attributes {plan.kernel, plan.asked = {contractions = 1 : i64, copies = 0 : i64, steps = 128 : i64}} {
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<8x16xf32>) outs(%o : memref<8xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %r = arith.addf %acc, %a : f32
    linalg.yield %r : f32
  }
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<8x16xf32>) outs(%p : memref<8xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %r = arith.addf %acc, %a : f32
    linalg.yield %r : f32
  }
  return
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#none = affine_map<(m, n) -> ()>

// One op, but in a loop that a tail brought along: every task computes it all.
// expected-error @+1 {{kernel 'again' reduces in 16384 steps, its dispatch in 4096}}
func.func @again(%a: memref<4x64xf32>, %w: memref<1x64x16xf32>, %o: memref<4x16xf32>)
    attributes {plan.kernel, plan.asked = {contractions = 1 : i64, copies = 0 : i64, steps = 4096 : i64}} {
  scf.forall (%i) in (4) {
    %all = memref.alloc() : memref<4x16xf32>
    kern.contract ins(%a, %w : memref<4x64xf32>, memref<1x64x16xf32>) outs(%all : memref<4x16xf32>)
        attributes {a_map = #rows, b_map = #none, extra_maps = [], reduction = array<i64: 64>} {
    ^bb0(%sum: f32):
      kern.yield %sum : f32
    }
  }
  return
}

// -----

// expected-error @+1 {{kernel 'unsaid' does not say what its dispatch asked for}}
func.func @unsaid(%o: memref<8xf32>) attributes {plan.kernel} {
  return
}
