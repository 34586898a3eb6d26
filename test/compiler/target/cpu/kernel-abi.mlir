// RUN: burin-opt %s --kernel-abi --split-input-file | FileCheck %s

// The task grid becomes a loop from begin to end, a task's coordinates come from
// its number; scratch is shared out from its pointer, in multiples of 64 bytes.
// CHECK: #[[TASKS:.*]] = affine_map<() -> (4, 3)>
// CHECK-LABEL: func.func @grid
// CHECK-SAME: (%[[ARGS:.*]]: !llvm.ptr, %[[BEGIN:.*]]: i32, %[[END:.*]]: i32, %[[SCRATCH:.*]]: !llvm.ptr)
// CHECK-SAME: plan.scratch_bytes = 192 : i64, plan.tasks = #[[TASKS]]
// CHECK-DAG: llvm.getelementptr %[[SCRATCH]][0]
// CHECK-DAG: llvm.getelementptr %[[SCRATCH]][128]
// CHECK: %[[FROM:.*]] = arith.index_castui %[[BEGIN]]
// CHECK: %[[TO:.*]] = arith.index_castui %[[END]]
// CHECK: scf.for %[[TASK:.*]] = %[[FROM]] to %[[TO]]
// CHECK: arith.remui %[[TASK]], %c3
// CHECK: arith.divui %[[TASK]], %c3
// CHECK-NOT: memref.alloc
// CHECK: return
func.func @grid(%x: memref<8x6xf32>, %o: memref<8x6xf32>) attributes {plan.kernel} {
  scf.forall (%i, %j) = (0, 0) to (8, 6) step (2, 2) {
    %a = memref.alloc() : memref<2x9xf32>
    %b = memref.alloc() : memref<2x2xf32>
    %v = memref.load %x[%i, %j] : memref<8x6xf32>
    %c0 = arith.constant 0 : index
    memref.store %v, %a[%c0, %c0] : memref<2x9xf32>
    memref.store %v, %b[%c0, %c0] : memref<2x2xf32>
    memref.store %v, %o[%i, %j] : memref<8x6xf32>
  }
  return
}

// -----

// What each worker does in scratch of its own before its tasks leaves them tasks.
// CHECK: #[[TASKS:.*]] = affine_map<() -> (8)>
// CHECK-LABEL: func.func @in_front
// CHECK-SAME: plan.scratch_bytes = 64 : i64, plan.tasks = #[[TASKS]]
// CHECK: memref.store %c-1
// CHECK: scf.for
// CHECK: memref.load
// CHECK: return
func.func @in_front(%o: memref<8xindex>) attributes {plan.kernel} {
  %none = arith.constant -1 : index
  %c0 = arith.constant 0 : index
  %last = memref.alloc() : memref<1xindex>
  memref.store %none, %last[%c0] : memref<1xindex>
  scf.forall (%i) in (8) {
    %v = memref.load %last[%c0] : memref<1xindex>
    memref.store %v, %o[%i] : memref<8xindex>
    memref.store %i, %last[%c0] : memref<1xindex>
  }
  return
}

// -----

// Two grids cannot share one range: a single task runs both.
// CHECK: #[[TASKS:.*]] = affine_map<() -> ()>
// CHECK-LABEL: func.func @one_task
// CHECK-SAME: plan.tasks = #[[TASKS]]
// CHECK-COUNT-2: scf.for
// CHECK-NOT: scf.forall
// CHECK: return
func.func @one_task(%x: memref<8xf32>, %o: memref<8xf32>) attributes {plan.kernel} {
  scf.forall (%i) in (8) {
    %v = memref.load %x[%i] : memref<8xf32>
    memref.store %v, %o[%i] : memref<8xf32>
  }
  scf.forall (%i) in (8) {
    %v = memref.load %o[%i] : memref<8xf32>
    memref.store %v, %x[%i] : memref<8xf32>
  }
  return
}

// -----

// A fault of the data is written where no other is.
// CHECK-LABEL: func.func @check
// CHECK: scf.if
// CHECK: %[[PAIR:.*]] = llvm.cmpxchg
// CHECK: %[[WON:.*]] = llvm.extractvalue %[[PAIR]][1]
// CHECK: scf.if %[[WON]]
// CHECK: llvm.store
// CHECK-NOT: plan.check
// CHECK: return
func.func @check(%x: memref<8xi64>) attributes {plan.kernel} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i64
  %v = memref.load %x[%c0] : memref<8xi64>
  %ok = arith.cmpi sge, %v, %zero : i64
  plan.check %ok, 6, %v
  return
}

// -----

// How many tasks there are follows from the sizes that the kernel is given: those of its
// arguments, in order, then its dims. The main program hands out at most that many.
// CHECK: #[[TASKS:.*]] = affine_map<(d0, d1, d2) -> (d1 ceildiv 16, 4)>
// CHECK-LABEL: func.func @rows
// CHECK-SAME: (%[[ARGS:.*]]: !llvm.ptr, %{{.*}}: i32, %[[END:.*]]: i32,
// CHECK-SAME: plan.tasks = #[[TASKS]]
// CHECK: %[[DIMS:.*]] = llvm.load
// CHECK: llvm.getelementptr %[[DIMS]][0]
// CHECK: llvm.getelementptr %[[DIMS]][1]
// CHECK: %[[TILES:.*]] = arith.ceildivui %{{.*}}, %c16
// CHECK: %[[TO:.*]] = arith.minui
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[TO]]
func.func @rows(%x: memref<?x8xf32>, %o: memref<?x8xf32>, %n: index) attributes {plan.kernel} {
  %c0 = arith.constant 0 : index
  %rows = memref.dim %o, %c0 : memref<?x8xf32>
  scf.forall (%i, %j) = (0, 0) to (%rows, 8) step (16, 2) {
    %v = memref.load %x[%i, %j] : memref<?x8xf32>
    memref.store %v, %o[%i, %j] : memref<?x8xf32>
  }
  return
}
