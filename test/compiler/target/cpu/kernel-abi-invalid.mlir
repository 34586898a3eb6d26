// RUN: burin-opt %s --kernel-abi --split-input-file --verify-diagnostics

func.func @dynamic_scratch(%o: memref<8xf32>, %n: index) attributes {plan.kernel} {
  // expected-error @+1 {{needs scratch of a size that is not static}}
  %a = memref.alloc(%n) : memref<?xf32>
  return
}

// -----

func.func @dynamic_tiles(%o: memref<8xf32>, %n: index) attributes {plan.kernel} {
  // expected-error @+1 {{has a task grid whose tiles are not of static size}}
  scf.forall (%i) = (0) to (8) step (%n) {
    %v = arith.constant 0.0 : f32
    memref.store %v, %o[%i] : memref<8xf32>
  }
  return
}

// -----

func.func @many_tasks(%o: memref<8xf32>) attributes {plan.kernel} {
  // expected-error @+1 {{has more than 2^32 tasks}}
  scf.forall (%i, %j) in (65536, 65537) {
    %v = arith.constant 0.0 : f32
    memref.store %v, %o[%i] : memref<8xf32>
  }
  return
}

// -----

// expected-error @+1 {{needs more than 2 GiB of scratch per worker}}
func.func @large_scratch(%o: memref<8xf32>) attributes {plan.kernel} {
  %a = memref.alloc() : memref<600000000xf32>
  return
}

// -----

// Each is small enough; all together are not.
// expected-error @+1 {{needs more than 2 GiB of scratch per worker}}
func.func @large_sum(%o: memref<8xf32>) attributes {plan.kernel} {
  %a = memref.alloc() : memref<300000000xf32>
  %b = memref.alloc() : memref<300000000xf32>
  return
}
