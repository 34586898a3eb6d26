// RUN: burin-opt %s --lower-onnx | FileCheck %s

// A condition that only the running model knows: one op, which reads it.
// CHECK-LABEL: func.func @if
// CHECK: scf.execute_region -> tensor<3xf32> no_inline
// CHECK: tensor.extract
// CHECK: scf.if %{{.*}} -> (tensor<3xf32>)
// CHECK: arith.addf
// CHECK: } else {
// CHECK: arith.mulf
func.func @if(%c: tensor<i1>, %x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = "onnx.If"(%c) ({
    %1 = "onnx.Mul"(%x, %x) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    onnx.Yield %1 : tensor<3xf32>
  }, {
    %1 = "onnx.Add"(%x, %x) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    onnx.Yield %1 : tensor<3xf32>
  }) : (tensor<i1>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// A known one: its branch alone.
// CHECK-LABEL: func.func @known
// CHECK-NOT: scf
// CHECK: arith.mulf
// CHECK-NOT: arith.addf
// CHECK: return
func.func @known(%x: tensor<3xf32>) -> tensor<3xf32> {
  %c = "onnx.Constant"() {value = dense<false> : tensor<i1>} : () -> tensor<i1>
  %0 = "onnx.If"(%c) ({
    %1 = "onnx.Mul"(%x, %x) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    onnx.Yield %1 : tensor<3xf32>
  }, {
    %1 = "onnx.Add"(%x, %x) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    onnx.Yield %1 : tensor<3xf32>
  }) : (tensor<i1>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// A branch that no sizes fit: the other one alone, and a fault where the condition would take it.
// CHECK-LABEL: func.func @never
// CHECK-NOT: scf.if
// CHECK: arith.addf
// CHECK: %[[TAKEN:.*]] = tensor.extract
// CHECK: %[[FITS:.*]] = arith.cmpi eq, %[[TAKEN]]
// CHECK: plan.check %[[FITS]], 7,
func.func @never(%c: tensor<i1>, %x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = "onnx.If"(%c) ({
    %1 = "onnx.Add"(%x, %x) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    onnx.Yield %1 : tensor<3xf32>
  }, {
    %1 = "onnx.Add"(%x, %x) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    onnx.Yield %1 : tensor<3xf32>
  }) {onnx.never = true} : (tensor<i1>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// A known trip count: the state stays in the loop's memory, weights stay outside.
// CHECK-LABEL: func.func @counted
// CHECK: %[[W:.*]] = plan.constant
// CHECK: scf.for
// CHECK: ins(%[[S:.*]], %[[W]] :
// CHECK: tensor.insert_slice
// CHECK: bufferization.materialize_in_destination %{{.*}} in %[[S]]
func.func @counted(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<4x2xf32>) {
  %n = onnx.None
  %m = "onnx.Constant"() {value = dense<4> : tensor<si64>} : () -> tensor<si64>
  %0:2 = "onnx.Loop"(%m, %n, %x) ({
  ^bb0(%i: tensor<si64>, %c: tensor<i1>, %s: tensor<2xf32>):
    %w = "onnx.Constant"() {value = dense<[1.0, 2.0]> : tensor<2xf32>} : () -> tensor<2xf32>
    %1 = "onnx.Add"(%s, %w) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    onnx.Yield %c, %1, %1 : tensor<i1>, tensor<2xf32>, tensor<2xf32>
  }) : (tensor<si64>, none, tensor<2xf32>) -> (tensor<2xf32>, tensor<4x2xf32>)
  return %0#0, %0#1 : tensor<2xf32>, tensor<4x2xf32>
}

// A trip count and a condition of the running model.
// CHECK-LABEL: func.func @conditional
// CHECK: scf.while
// CHECK: plan.check %{{.*}}, 7,
// CHECK: scf.condition
func.func @conditional(%m: tensor<si64>, %x: tensor<2xf32>) -> (tensor<2xf32>, tensor<4x2xf32>) {
  %n = onnx.None
  %0:2 = "onnx.Loop"(%m, %n, %x) ({
  ^bb0(%i: tensor<si64>, %c: tensor<i1>, %s: tensor<2xf32>):
    %1 = "onnx.Add"(%s, %s) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    onnx.Yield %c, %1, %1 : tensor<i1>, tensor<2xf32>, tensor<2xf32>
  }) : (tensor<si64>, none, tensor<2xf32>) -> (tensor<2xf32>, tensor<4x2xf32>)
  return %0#0, %0#1 : tensor<2xf32>, tensor<4x2xf32>
}

// CHECK-LABEL: func.func @scan
// CHECK: scf.for
// CHECK: tensor.extract_slice %{{.*}}[%{{.*}}, 0] [1, 2] [1, 1] : tensor<3x2xf32> to tensor<2xf32>
// CHECK: tensor.insert_slice
func.func @scan(%s: tensor<2xf32>, %x: tensor<3x2xf32>) -> (tensor<2xf32>, tensor<3x2xf32>) {
  %0:2 = "onnx.Scan"(%s, %x) ({
  ^bb0(%a: tensor<2xf32>, %e: tensor<2xf32>):
    %1 = "onnx.Add"(%a, %e) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    onnx.Yield %1, %1 : tensor<2xf32>, tensor<2xf32>
  }) {num_scan_inputs = 1 : i64} : (tensor<2xf32>, tensor<3x2xf32>) -> (tensor<2xf32>, tensor<3x2xf32>)
  return %0#0, %0#1 : tensor<2xf32>, tensor<3x2xf32>
}

// States are written last: outputs are slices of those that come in, and each of two that
// change places is still to be read.
// CHECK-LABEL: func.func @exchange
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}, %{{.*}} = %{{.*}})
// CHECK: tensor.insert_slice %[[A]]
// CHECK: %[[E:.*]] = bufferization.alloc_tensor
// CHECK: %[[B2:.*]] = bufferization.materialize_in_destination %[[B]] in %[[E]]
// CHECK: %[[A2:.*]] = bufferization.materialize_in_destination %[[A]] in
// CHECK: bufferization.materialize_in_destination %[[B2]] in %[[A]]
// CHECK: bufferization.materialize_in_destination %[[A2]] in %[[B]]
func.func @exchange(%x: tensor<2xf32>, %y: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<4x2xf32>) {
  %n = onnx.None
  %m = "onnx.Constant"() {value = dense<4> : tensor<si64>} : () -> tensor<si64>
  %0:3 = "onnx.Loop"(%m, %n, %x, %y) ({
  ^bb0(%i: tensor<si64>, %c: tensor<i1>, %a: tensor<2xf32>, %b: tensor<2xf32>):
    onnx.Yield %c, %b, %a, %a : tensor<i1>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
  }) : (tensor<si64>, none, tensor<2xf32>, tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<4x2xf32>)
  return %0#0, %0#1, %0#2 : tensor<2xf32>, tensor<2xf32>, tensor<4x2xf32>
}

// Sequences leave nothing behind.
// CHECK-LABEL: func.func @sequence
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2xf32>
// CHECK-NOT: unrealized
// CHECK: return %[[X]]
func.func @sequence(%x: tensor<2xf32>) -> tensor<2xf32> {
  %p = "onnx.Constant"() {value = dense<-1> : tensor<si64>} : () -> tensor<si64>
  %0 = "onnx.SequenceConstruct"(%x) : (tensor<2xf32>) -> !onnx.seq<tensor<2xf32>>
  %1 = "onnx.SequenceInsert"(%0, %x, %p) : (!onnx.seq<tensor<2xf32>>, tensor<2xf32>, tensor<si64>) -> !onnx.seq<tensor<2xf32>>
  %2 = "onnx.SequenceAt"(%1, %p) : (!onnx.seq<tensor<2xf32>>, tensor<si64>) -> tensor<2xf32>
  return %2 : tensor<2xf32>
}

// -----

// What grows by a slice per trip and is read by none goes, with what was computed for it alone: here the
// data decide how many trips there are, and nothing says how much room it would need.
// CHECK-LABEL: func.func @unused
// CHECK: scf.while
// CHECK-NOT: math.exp
// CHECK: return
func.func @unused(%m: tensor<si64>, %x: tensor<2xf32>) -> tensor<2xf32> {
  %n = onnx.None
  %0:3 = "onnx.Loop"(%m, %n, %x) ({
  ^bb0(%i: tensor<si64>, %c: tensor<i1>, %s: tensor<2xf32>):
    %1 = "onnx.Add"(%s, %s) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    %2:2 = "onnx.Scan"(%1, %1) ({
    ^bb0(%t: tensor<2xf32>, %u: tensor<f32>):
      %3 = "onnx.Exp"(%u) : (tensor<f32>) -> tensor<f32>
      onnx.Yield %t, %3 : tensor<2xf32>, tensor<f32>
    }) {num_scan_inputs = 1 : i64, scan_output_axes = array<i64: 0>} : (tensor<2xf32>, tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>)
    onnx.Yield %c, %2#0, %2#1, %1 : tensor<i1>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
  }) : (tensor<si64>, none, tensor<2xf32>) -> (tensor<2xf32>, tensor<?x2xf32>, tensor<?x2xf32>)
  return %0#0 : tensor<2xf32>
}
