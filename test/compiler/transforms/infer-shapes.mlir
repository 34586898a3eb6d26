// RUN: burin-opt %s --infer-shapes --split-input-file | FileCheck %s

// A constant condition leaves one branch, and what it computes folds further.
// CHECK-LABEL: func @branch
// CHECK-SAME: -> tensor<6xf32>
// CHECK-NOT: onnx.If
func.func @branch(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  %c = onnx.Constant {value = dense<true> : tensor<i1>} : () -> tensor<i1>
  %0 = onnx.If %c : (tensor<i1>) -> tensor<*xf32> {
    onnx.Yield %x : tensor<2x3xf32>
  }, {
    %s = onnx.Size %x : (tensor<2x3xf32>) -> tensor<*xsi64>
    %z = onnx.Constant {value = dense<0> : tensor<1xsi64>} : () -> tensor<1xsi64>
    %u = onnx.Unsqueeze %s, %z : (tensor<*xsi64>, tensor<1xsi64>) -> tensor<*xsi64>
    %r = onnx.Reshape %x, %u : (tensor<2x3xf32>, tensor<*xsi64>) -> tensor<*xf32>
    onnx.Yield %r : tensor<*xf32>
  }
  return %0 : tensor<*xf32>
}

// -----

// A carried value that grows has no known size inside; one that does not keeps it.
// CHECK-LABEL: func @loop
// CHECK-SAME: -> (tensor<?xf32>, tensor<2xf32>, tensor<3x2xf32>)
func.func @loop(%a: tensor<1xf32>, %b: tensor<2xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) {
  %m = onnx.Constant {value = dense<3> : tensor<si64>} : () -> tensor<si64>
  %n = onnx.None
  %0:3 = onnx.Loop %m, %n, %a, %b : (tensor<si64>, none, tensor<1xf32>, tensor<2xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) {
  ^bb0(%i: tensor<si64>, %c: tensor<i1>, %grows: tensor<*xf32>, %same: tensor<*xf32>):
    %1 = onnx.Concat %grows, %grows {axis = 0} : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
    %2 = onnx.Relu %same : (tensor<*xf32>) -> tensor<*xf32>
    onnx.Yield %c, %1, %2, %2 : tensor<i1>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>
  }
  return %0#0, %0#1, %0#2 : tensor<*xf32>, tensor<*xf32>, tensor<*xf32>
}

// -----

// An optional that goes in, and comes out as what the body makes of it.
// CHECK-LABEL: func @optional
// CHECK-SAME: -> !onnx.seq<tensor<?xf32>>
func.func @optional(%m: tensor<si64>, %o: !onnx.optional<!onnx.seq<tensor<2xf32>>>, %x: tensor<3xf32>) -> !onnx.seq<tensor<*xf32>> {
  %n = onnx.None
  %0 = onnx.Loop %m, %n, %o : (tensor<si64>, none, !onnx.optional<!onnx.seq<tensor<2xf32>>>) -> !onnx.seq<tensor<*xf32>> {
  ^bb0(%i: tensor<si64>, %c: tensor<i1>, %state: !onnx.optional<!onnx.seq<tensor<*xf32>>>):
    %1 = onnx.SequenceConstruct %x : (tensor<3xf32>) -> !onnx.seq<tensor<*xf32>>
    onnx.Yield %c, %1 : tensor<i1>, !onnx.seq<tensor<*xf32>>
  }
  return %0 : !onnx.seq<tensor<*xf32>>
}

// -----

// A branch that is never taken may contradict what it is given: exporters leave such
// code for other ranks.
// CHECK-LABEL: func @branch_not_taken
// CHECK-SAME: -> tensor<2x3xf32>
// CHECK-NOT: onnx.MatMul
func.func @branch_not_taken(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  %c = onnx.Constant {value = dense<false> : tensor<i1>} : () -> tensor<i1>
  %0 = onnx.If %c : (tensor<i1>) -> tensor<*xf32> {
    %1 = onnx.Relu %x : (tensor<2x3xf32>) -> tensor<*xf32>
    onnx.Yield %1 : tensor<*xf32>
  }, {
    %1 = onnx.MatMul %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<*xf32>
    onnx.Yield %1 : tensor<*xf32>
  }
  return %0 : tensor<*xf32>
}

// -----

// A branch that no sizes fit is left out; lowering checks that it is not taken.
// CHECK-LABEL: func @branch_of_other_sizes
// CHECK: onnx.If
// CHECK-SAME: onnx.never = true
// CHECK-COUNT-2: onnx.Relu
// CHECK-NOT: onnx.Squeeze
func.func @branch_of_other_sizes(%c: tensor<i1>, %x: tensor<2x3xf32>) -> tensor<*xf32> {
  %0 = onnx.If %c : (tensor<i1>) -> tensor<*xf32> {
    %1 = onnx.Relu %x : (tensor<2x3xf32>) -> tensor<*xf32>
    onnx.Yield %1 : tensor<*xf32>
  }, {
    %a = onnx.Constant {value = dense<0> : tensor<1xsi64>} : () -> tensor<1xsi64>
    %1 = onnx.Squeeze %x, %a : (tensor<2x3xf32>, tensor<1xsi64>) -> tensor<*xf32>
    onnx.Yield %1 : tensor<*xf32>
  }
  return %0 : tensor<*xf32>
}

// -----

// A declared size goes back to the operator whose data decides it, through what has its shape.
// CHECK-LABEL: func @declared
// CHECK: onnx.Range {{.*}} -> tensor<10xf32>
// CHECK: onnx.Mul {{.*}} -> tensor<10xf32>
// CHECK: onnx.Add {{.*}} -> tensor<1x10xf32>
func.func @declared(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<1x1xf32>) -> tensor<1x10xf32> {
  %0 = onnx.Range %a, %b, %a : (tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<?xf32>
  %1 = onnx.Mul %0, %b : (tensor<?xf32>, tensor<f32>) -> tensor<?xf32>
  %2 = onnx.Add %1, %c : (tensor<?xf32>, tensor<1x1xf32>) -> tensor<?x?xf32>
  %3 = onnx.Neg %2 : (tensor<?x?xf32>) -> tensor<1x10xf32>
  return %3 : tensor<1x10xf32>
}

// -----

// What the data decide has a name of its own, also where the model has one for it that is another
// tensor's; what is computed from it has the same size.
// CHECK-LABEL: func @sized_by_data
// CHECK: onnx.NonZero {{.*}} {onnx.size = "where_count"} {{.*}} -> tensor<2x?xsi64, #onnx.dims<["", "where_count"]>>
// CHECK: onnx.Transpose {{.*}} -> tensor<?x2xsi64, #onnx.dims<["where_count", ""]>>
// CHECK: onnx.NonZero {{.*}} {onnx.size = "where_count2"}
#n = #onnx.dims<["n"]>
#named = #onnx.dims<["", "n"]>
func.func @sized_by_data(%x: tensor<3x4xf32>, %y: tensor<?xf32, #n>)
    -> (tensor<*xsi64>, tensor<2x?xsi64, #named>) {
  %0 = onnx.NonZero %x : (tensor<3x4xf32>) -> tensor<*xsi64> loc("where")
  %1 = onnx.Transpose %0 {perm = array<i64: 1, 0>} : (tensor<*xsi64>) -> tensor<*xsi64>
  %2 = onnx.Neg %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %3 = onnx.NonZero %2 : (tensor<3x4xf32>) -> tensor<2x?xsi64, #named> loc("where")
  return %1, %3 : tensor<*xsi64>, tensor<2x?xsi64, #named>
}
