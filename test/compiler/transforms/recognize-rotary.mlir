// RUN: burin-opt %s --recognize-rotary --canonicalize --cse --split-input-file | FileCheck %s

// Sliced halves, tables of the head's size from angles that are doubled: half of each is computed.
// CHECK-LABEL: func @slices
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x3x8xf32>, %[[A:.*]]: tensor<1x3x4xf32>)
// CHECK: %[[U:.*]] = onnx.Unsqueeze %[[A]]
// CHECK-DAG: %[[C:.*]] = onnx.Cos %[[U]] : (tensor<1x1x3x4xf32>)
// CHECK-DAG: %[[S:.*]] = onnx.Sin %[[U]] : (tensor<1x1x3x4xf32>)
// CHECK-DAG: %[[CC:.*]] = onnx.Squeeze %[[C]]
// CHECK-DAG: %[[SS:.*]] = onnx.Squeeze %[[S]]
// CHECK: %[[Y:.*]] = onnx.RotaryEmbedding %[[X]], %[[CC]], %[[SS]], %{{.*}} : ({{.*}}, tensor<1x3x4xf32>, tensor<1x3x4xf32>, none)
// CHECK-NEXT: return %[[Y]]
func.func @slices(%x: tensor<1x4x3x8xf32>, %a: tensor<1x3x4xf32>) -> tensor<1x4x3x8xf32> {
  %zero = onnx.Constant {value = dense<0> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %one = onnx.Constant {value = dense<1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %four = onnx.Constant {value = dense<4> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %end = onnx.Constant {value = dense<9223372036854775807> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %last = onnx.Constant {value = dense<-1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %d = onnx.Concat %a, %a {axis = -1 : i64} : (tensor<1x3x4xf32>, tensor<1x3x4xf32>) -> tensor<1x3x8xf32>
  %u = onnx.Unsqueeze %d, %one : (tensor<1x3x8xf32>, tensor<1xsi64>) -> tensor<1x1x3x8xf32>
  %cos = onnx.Cos %u : (tensor<1x1x3x8xf32>) -> tensor<1x1x3x8xf32>
  %sin = onnx.Sin %u : (tensor<1x1x3x8xf32>) -> tensor<1x1x3x8xf32>
  %low = onnx.Slice %x, %zero, %four, %last, %one : (tensor<1x4x3x8xf32>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<1x4x3x4xf32>
  %high = onnx.Slice %x, %four, %end, %last, %one : (tensor<1x4x3x8xf32>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<1x4x3x4xf32>
  %n = onnx.Neg %high : (tensor<1x4x3x4xf32>) -> tensor<1x4x3x4xf32>
  %t = onnx.Concat %n, %low {axis = -1 : i64} : (tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x8xf32>
  %p = onnx.Mul %x, %cos : (tensor<1x4x3x8xf32>, tensor<1x1x3x8xf32>) -> tensor<1x4x3x8xf32>
  %q = onnx.Mul %sin, %t : (tensor<1x1x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  %y = onnx.Add %p, %q : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return %y : tensor<1x4x3x8xf32>
}

// -----

// Halves by Split, tables of half the head's size without batch.
// CHECK-LABEL: func @split
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x3x8xf32>, %[[C:.*]]: tensor<3x4xf32>, %[[S:.*]]: tensor<3x4xf32>)
// CHECK-DAG: %[[CC:.*]] = onnx.Unsqueeze %[[C]]
// CHECK-DAG: %[[SS:.*]] = onnx.Unsqueeze %[[S]]
// CHECK: onnx.RotaryEmbedding %[[X]], %[[CC]], %[[SS]]
// CHECK-NOT: onnx.Split
// CHECK: return
func.func @split(%x: tensor<1x4x3x8xf32>, %c: tensor<3x4xf32>, %s: tensor<3x4xf32>) -> tensor<1x4x3x8xf32> {
  %none = onnx.None
  %low, %high = onnx.Split %x, %none {axis = 3 : i64, num_outputs = 2 : i64} : (tensor<1x4x3x8xf32>, none) -> (tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>)
  %lc = onnx.Mul %low, %c : (tensor<1x4x3x4xf32>, tensor<3x4xf32>) -> tensor<1x4x3x4xf32>
  %hs = onnx.Mul %high, %s : (tensor<1x4x3x4xf32>, tensor<3x4xf32>) -> tensor<1x4x3x4xf32>
  %0 = onnx.Sub %lc, %hs : (tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x4xf32>
  %hc = onnx.Mul %c, %high : (tensor<3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x4xf32>
  %ls = onnx.Mul %low, %s : (tensor<1x4x3x4xf32>, tensor<3x4xf32>) -> tensor<1x4x3x4xf32>
  %1 = onnx.Add %ls, %hc : (tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x4xf32>
  %y = onnx.Concat %0, %1 {axis = 3 : i64} : (tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x8xf32>
  return %y : tensor<1x4x3x8xf32>
}

// -----

// The upper half is not negated.
// CHECK-LABEL: func @not_negated
// CHECK-NOT: onnx.RotaryEmbedding
// CHECK: return
func.func @not_negated(%x: tensor<1x4x3x8xf32>, %a: tensor<1x3x4xf32>) -> tensor<1x4x3x8xf32> {
  %zero = onnx.Constant {value = dense<0> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %one = onnx.Constant {value = dense<1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %four = onnx.Constant {value = dense<4> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %end = onnx.Constant {value = dense<9223372036854775807> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %last = onnx.Constant {value = dense<-1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %d = onnx.Concat %a, %a {axis = -1 : i64} : (tensor<1x3x4xf32>, tensor<1x3x4xf32>) -> tensor<1x3x8xf32>
  %u = onnx.Unsqueeze %d, %one : (tensor<1x3x8xf32>, tensor<1xsi64>) -> tensor<1x1x3x8xf32>
  %cos = onnx.Cos %u : (tensor<1x1x3x8xf32>) -> tensor<1x1x3x8xf32>
  %sin = onnx.Sin %u : (tensor<1x1x3x8xf32>) -> tensor<1x1x3x8xf32>
  %low = onnx.Slice %x, %zero, %four, %last, %one : (tensor<1x4x3x8xf32>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<1x4x3x4xf32>
  %high = onnx.Slice %x, %four, %end, %last, %one : (tensor<1x4x3x8xf32>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<1x4x3x4xf32>
  %t = onnx.Concat %high, %low {axis = -1 : i64} : (tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x8xf32>
  %p = onnx.Mul %x, %cos : (tensor<1x4x3x8xf32>, tensor<1x1x3x8xf32>) -> tensor<1x4x3x8xf32>
  %q = onnx.Mul %sin, %t : (tensor<1x1x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  %y = onnx.Add %p, %q : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return %y : tensor<1x4x3x8xf32>
}

// -----

// The lower half is the one that is negated.
// CHECK-LABEL: func @other_half
// CHECK-NOT: onnx.RotaryEmbedding
// CHECK: return
func.func @other_half(%x: tensor<1x4x3x8xf32>, %a: tensor<1x3x4xf32>) -> tensor<1x4x3x8xf32> {
  %zero = onnx.Constant {value = dense<0> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %one = onnx.Constant {value = dense<1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %four = onnx.Constant {value = dense<4> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %end = onnx.Constant {value = dense<9223372036854775807> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %last = onnx.Constant {value = dense<-1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %d = onnx.Concat %a, %a {axis = -1 : i64} : (tensor<1x3x4xf32>, tensor<1x3x4xf32>) -> tensor<1x3x8xf32>
  %u = onnx.Unsqueeze %d, %one : (tensor<1x3x8xf32>, tensor<1xsi64>) -> tensor<1x1x3x8xf32>
  %cos = onnx.Cos %u : (tensor<1x1x3x8xf32>) -> tensor<1x1x3x8xf32>
  %sin = onnx.Sin %u : (tensor<1x1x3x8xf32>) -> tensor<1x1x3x8xf32>
  %low = onnx.Slice %x, %zero, %four, %last, %one : (tensor<1x4x3x8xf32>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<1x4x3x4xf32>
  %high = onnx.Slice %x, %four, %end, %last, %one : (tensor<1x4x3x8xf32>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<1x4x3x4xf32>
  %n = onnx.Neg %low : (tensor<1x4x3x4xf32>) -> tensor<1x4x3x4xf32>
  %t = onnx.Concat %n, %high {axis = -1 : i64} : (tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x8xf32>
  %p = onnx.Mul %x, %cos : (tensor<1x4x3x8xf32>, tensor<1x1x3x8xf32>) -> tensor<1x4x3x8xf32>
  %q = onnx.Mul %sin, %t : (tensor<1x1x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  %y = onnx.Add %p, %q : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return %y : tensor<1x4x3x8xf32>
}

// -----

// Halves in their own order.
// CHECK-LABEL: func @one_order
// CHECK-NOT: onnx.RotaryEmbedding
// CHECK: return
func.func @one_order(%x: tensor<1x4x3x8xf32>, %a: tensor<1x3x4xf32>) -> tensor<1x4x3x8xf32> {
  %zero = onnx.Constant {value = dense<0> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %one = onnx.Constant {value = dense<1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %four = onnx.Constant {value = dense<4> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %end = onnx.Constant {value = dense<9223372036854775807> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %last = onnx.Constant {value = dense<-1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %d = onnx.Concat %a, %a {axis = -1 : i64} : (tensor<1x3x4xf32>, tensor<1x3x4xf32>) -> tensor<1x3x8xf32>
  %u = onnx.Unsqueeze %d, %one : (tensor<1x3x8xf32>, tensor<1xsi64>) -> tensor<1x1x3x8xf32>
  %cos = onnx.Cos %u : (tensor<1x1x3x8xf32>) -> tensor<1x1x3x8xf32>
  %sin = onnx.Sin %u : (tensor<1x1x3x8xf32>) -> tensor<1x1x3x8xf32>
  %low = onnx.Slice %x, %zero, %four, %last, %one : (tensor<1x4x3x8xf32>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<1x4x3x4xf32>
  %high = onnx.Slice %x, %four, %end, %last, %one : (tensor<1x4x3x8xf32>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<1x4x3x4xf32>
  %n = onnx.Neg %high : (tensor<1x4x3x4xf32>) -> tensor<1x4x3x4xf32>
  %t = onnx.Concat %low, %n {axis = -1 : i64} : (tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x8xf32>
  %p = onnx.Mul %x, %cos : (tensor<1x4x3x8xf32>, tensor<1x1x3x8xf32>) -> tensor<1x4x3x8xf32>
  %q = onnx.Mul %sin, %t : (tensor<1x1x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  %y = onnx.Add %p, %q : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return %y : tensor<1x4x3x8xf32>
}

// -----

// Tables whose halves may differ.
// CHECK-LABEL: func @unequal_tables
// CHECK-NOT: onnx.RotaryEmbedding
// CHECK: return
func.func @unequal_tables(%x: tensor<1x4x3x8xf32>, %cos: tensor<1x1x3x8xf32>, %sin: tensor<1x1x3x8xf32>) -> tensor<1x4x3x8xf32> {
  %zero = onnx.Constant {value = dense<0> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %one = onnx.Constant {value = dense<1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %four = onnx.Constant {value = dense<4> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %end = onnx.Constant {value = dense<9223372036854775807> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %last = onnx.Constant {value = dense<-1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %low = onnx.Slice %x, %zero, %four, %last, %one : (tensor<1x4x3x8xf32>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<1x4x3x4xf32>
  %high = onnx.Slice %x, %four, %end, %last, %one : (tensor<1x4x3x8xf32>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<1x4x3x4xf32>
  %n = onnx.Neg %high : (tensor<1x4x3x4xf32>) -> tensor<1x4x3x4xf32>
  %t = onnx.Concat %n, %low {axis = -1 : i64} : (tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x8xf32>
  %p = onnx.Mul %x, %cos : (tensor<1x4x3x8xf32>, tensor<1x1x3x8xf32>) -> tensor<1x4x3x8xf32>
  %q = onnx.Mul %sin, %t : (tensor<1x1x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  %y = onnx.Add %p, %q : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return %y : tensor<1x4x3x8xf32>
}

// -----

// Tables that differ from head to head.
// CHECK-LABEL: func @per_head
// CHECK-NOT: onnx.RotaryEmbedding
// CHECK: return
func.func @per_head(%x: tensor<1x4x3x8xf32>, %h: tensor<1x4x3x4xf32>) -> tensor<1x4x3x8xf32> {
  %zero = onnx.Constant {value = dense<0> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %one = onnx.Constant {value = dense<1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %four = onnx.Constant {value = dense<4> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %end = onnx.Constant {value = dense<9223372036854775807> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %last = onnx.Constant {value = dense<-1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %d = onnx.Concat %h, %h {axis = -1 : i64} : (tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x8xf32>
  %cos = onnx.Cos %d : (tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  %sin = onnx.Sin %d : (tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  %low = onnx.Slice %x, %zero, %four, %last, %one : (tensor<1x4x3x8xf32>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<1x4x3x4xf32>
  %high = onnx.Slice %x, %four, %end, %last, %one : (tensor<1x4x3x8xf32>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<1x4x3x4xf32>
  %n = onnx.Neg %high : (tensor<1x4x3x4xf32>) -> tensor<1x4x3x4xf32>
  %t = onnx.Concat %n, %low {axis = -1 : i64} : (tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x8xf32>
  %p = onnx.Mul %x, %cos : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  %q = onnx.Mul %sin, %t : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  %y = onnx.Add %p, %q : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return %y : tensor<1x4x3x8xf32>
}

// -----

// What is turned is a result as well: it stays what it was.
// CHECK-LABEL: func @read_twice
// CHECK-NOT: onnx.RotaryEmbedding
// CHECK: return
func.func @read_twice(%x: tensor<1x4x3x8xf32>, %a: tensor<1x3x4xf32>) -> (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) {
  %zero = onnx.Constant {value = dense<0> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %one = onnx.Constant {value = dense<1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %four = onnx.Constant {value = dense<4> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %end = onnx.Constant {value = dense<9223372036854775807> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %last = onnx.Constant {value = dense<-1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %d = onnx.Concat %a, %a {axis = -1 : i64} : (tensor<1x3x4xf32>, tensor<1x3x4xf32>) -> tensor<1x3x8xf32>
  %u = onnx.Unsqueeze %d, %one : (tensor<1x3x8xf32>, tensor<1xsi64>) -> tensor<1x1x3x8xf32>
  %cos = onnx.Cos %u : (tensor<1x1x3x8xf32>) -> tensor<1x1x3x8xf32>
  %sin = onnx.Sin %u : (tensor<1x1x3x8xf32>) -> tensor<1x1x3x8xf32>
  %low = onnx.Slice %x, %zero, %four, %last, %one : (tensor<1x4x3x8xf32>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<1x4x3x4xf32>
  %high = onnx.Slice %x, %four, %end, %last, %one : (tensor<1x4x3x8xf32>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<1x4x3x4xf32>
  %n = onnx.Neg %high : (tensor<1x4x3x4xf32>) -> tensor<1x4x3x4xf32>
  %t = onnx.Concat %n, %low {axis = -1 : i64} : (tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x8xf32>
  %p = onnx.Mul %x, %cos : (tensor<1x4x3x8xf32>, tensor<1x1x3x8xf32>) -> tensor<1x4x3x8xf32>
  %q = onnx.Mul %sin, %t : (tensor<1x1x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  %y = onnx.Add %p, %q : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return %y, %t : tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>
}

// -----

// Even and odd elements: by steps, and out of pairs. In the other order, nothing is recognised.
// CHECK-LABEL: func @pairs
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x3x8xf32>, %[[C:.*]]: tensor<3x4xf32>, %[[S:.*]]: tensor<3x4xf32>)
// CHECK: %[[Y:.*]] = onnx.RotaryEmbedding %[[X]], {{.*}} {interleaved = 1 : i64}
// CHECK-NOT: onnx.RotaryEmbedding
// CHECK: return %[[Y]], %[[Y]], %{{[0-9]+}} :
func.func @pairs(%x: tensor<1x4x3x8xf32>, %cos: tensor<3x4xf32>, %sin: tensor<3x4xf32>) -> (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) {
  %zero = onnx.Constant {value = dense<0> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %one = onnx.Constant {value = dense<1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %first = onnx.Constant {value = dense<0> : tensor<si64>} : () -> tensor<si64>
  %second = onnx.Constant {value = dense<1> : tensor<si64>} : () -> tensor<si64>
  %two = onnx.Constant {value = dense<2> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %end = onnx.Constant {value = dense<9223372036854775807> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %last = onnx.Constant {value = dense<-1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %four = onnx.Constant {value = dense<[1, 4, 3, 8]> : tensor<4xsi64>} : () -> tensor<4xsi64>
  %five = onnx.Constant {value = dense<[1, 4, 3, 4, 2]> : tensor<5xsi64>} : () -> tensor<5xsi64>

  %even = onnx.Slice %x, %zero, %end, %last, %two : (tensor<1x4x3x8xf32>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<1x4x3x4xf32>
  %odd = onnx.Slice %x, %one, %end, %last, %two : (tensor<1x4x3x8xf32>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>, tensor<1xsi64>) -> tensor<1x4x3x4xf32>
  %ec = onnx.Mul %even, %cos : (tensor<1x4x3x4xf32>, tensor<3x4xf32>) -> tensor<1x4x3x4xf32>
  %os = onnx.Mul %odd, %sin : (tensor<1x4x3x4xf32>, tensor<3x4xf32>) -> tensor<1x4x3x4xf32>
  %es = onnx.Mul %even, %sin : (tensor<1x4x3x4xf32>, tensor<3x4xf32>) -> tensor<1x4x3x4xf32>
  %oc = onnx.Mul %odd, %cos : (tensor<1x4x3x4xf32>, tensor<3x4xf32>) -> tensor<1x4x3x4xf32>
  %a = onnx.Sub %ec, %os : (tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x4xf32>
  %b = onnx.Add %es, %oc : (tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x4xf32>
  %au = onnx.Unsqueeze %a, %last : (tensor<1x4x3x4xf32>, tensor<1xsi64>) -> tensor<1x4x3x4x1xf32>
  %bu = onnx.Unsqueeze %b, %last : (tensor<1x4x3x4xf32>, tensor<1xsi64>) -> tensor<1x4x3x4x1xf32>
  %ab = onnx.Concat %au, %bu {axis = -1 : i64} : (tensor<1x4x3x4x1xf32>, tensor<1x4x3x4x1xf32>) -> tensor<1x4x3x4x2xf32>
  %y0 = onnx.Reshape %ab, %four : (tensor<1x4x3x4x2xf32>, tensor<4xsi64>) -> tensor<1x4x3x8xf32>

  %p = onnx.Reshape %x, %five : (tensor<1x4x3x8xf32>, tensor<5xsi64>) -> tensor<1x4x3x4x2xf32>
  %g = onnx.Gather %p, %first {axis = -1 : i64} : (tensor<1x4x3x4x2xf32>, tensor<si64>) -> tensor<1x4x3x4xf32>
  %h = onnx.Gather %p, %second {axis = 4 : i64} : (tensor<1x4x3x4x2xf32>, tensor<si64>) -> tensor<1x4x3x4xf32>
  %gc = onnx.Mul %g, %cos : (tensor<1x4x3x4xf32>, tensor<3x4xf32>) -> tensor<1x4x3x4xf32>
  %hs = onnx.Mul %h, %sin : (tensor<1x4x3x4xf32>, tensor<3x4xf32>) -> tensor<1x4x3x4xf32>
  %gs = onnx.Mul %g, %sin : (tensor<1x4x3x4xf32>, tensor<3x4xf32>) -> tensor<1x4x3x4xf32>
  %hc = onnx.Mul %h, %cos : (tensor<1x4x3x4xf32>, tensor<3x4xf32>) -> tensor<1x4x3x4xf32>
  %c = onnx.Sub %gc, %hs : (tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x4xf32>
  %d = onnx.Add %hc, %gs : (tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x4xf32>
  %cu = onnx.Unsqueeze %c, %last : (tensor<1x4x3x4xf32>, tensor<1xsi64>) -> tensor<1x4x3x4x1xf32>
  %du = onnx.Unsqueeze %d, %last : (tensor<1x4x3x4xf32>, tensor<1xsi64>) -> tensor<1x4x3x4x1xf32>
  %cd = onnx.Concat %cu, %du {axis = 4 : i64} : (tensor<1x4x3x4x1xf32>, tensor<1x4x3x4x1xf32>) -> tensor<1x4x3x4x2xf32>
  %y1 = onnx.Reshape %cd, %four : (tensor<1x4x3x4x2xf32>, tensor<4xsi64>) -> tensor<1x4x3x8xf32>

  %oc2 = onnx.Mul %cos, %odd : (tensor<3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x4xf32>
  %es2 = onnx.Mul %sin, %even : (tensor<3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x4xf32>
  %os2 = onnx.Mul %sin, %odd : (tensor<3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x4xf32>
  %ec2 = onnx.Mul %cos, %even : (tensor<3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x4xf32>
  %e = onnx.Sub %oc2, %es2 : (tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x4xf32>
  %f = onnx.Add %os2, %ec2 : (tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>) -> tensor<1x4x3x4xf32>
  %eu = onnx.Unsqueeze %e, %last : (tensor<1x4x3x4xf32>, tensor<1xsi64>) -> tensor<1x4x3x4x1xf32>
  %fu = onnx.Unsqueeze %f, %last : (tensor<1x4x3x4xf32>, tensor<1xsi64>) -> tensor<1x4x3x4x1xf32>
  %ef = onnx.Concat %eu, %fu {axis = -1 : i64} : (tensor<1x4x3x4x1xf32>, tensor<1x4x3x4x1xf32>) -> tensor<1x4x3x4x2xf32>
  %y2 = onnx.Reshape %ef, %four : (tensor<1x4x3x4x2xf32>, tensor<4xsi64>) -> tensor<1x4x3x8xf32>
  return %y0, %y1, %y2 : tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>
}
