// RUN: burin-opt %s --push-strides --split-input-file | FileCheck %s

// Two 1x1 convolutions read every second position of a sum: it is computed there alone, and so are the
// convolutions behind one of its operands. The other operand has a second reader and is sliced beside it.
// CHECK-LABEL: func @block
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x14x14xf32>, %[[S:.*]]: tensor<1x4x14x14xf32>, %[[F:.*]]: tensor<4x1x1xf32>,
// CHECK: %[[C:.*]] = onnx.Conv %[[X]], {{.*}} {{{.*}}strides = array<i64: 2, 2>} {{.*}} -> tensor<1x4x7x7xf32>
// CHECK: %[[R:.*]] = onnx.Relu %[[C]] : (tensor<1x4x7x7xf32>) -> tensor<1x4x7x7xf32>
// CHECK: %[[E:.*]] = onnx.Conv %[[R]], {{.*}} {strides = array<i64: 1, 1>} {{.*}} -> tensor<1x4x7x7xf32>
// CHECK: %[[T:.*]] = onnx.Slice %[[S]], {{.*}} -> tensor<1x4x7x7xf32>
// CHECK: %[[A:.*]] = onnx.Add %[[E]], %[[T]] : {{.*}} -> tensor<1x4x7x7xf32>
// CHECK: %[[M:.*]] = onnx.Mul %[[A]], %[[F]] : (tensor<1x4x7x7xf32>, tensor<4x1x1xf32>) -> tensor<1x4x7x7xf32>
// CHECK: onnx.Conv %[[M]], {{.*}} {strides = array<i64: 1, 1>} {{.*}} -> tensor<1x8x7x7xf32>
// CHECK: onnx.Conv %[[M]], {{.*}} {strides = array<i64: 1, 1>} {{.*}} -> tensor<1x2x7x7xf32>
func.func @block(%x: tensor<1x4x14x14xf32>, %s: tensor<1x4x14x14xf32>, %f: tensor<4x1x1xf32>, %w3: tensor<4x4x3x3xf32>, %w1: tensor<4x4x1x1xf32>,
                 %wa: tensor<8x4x1x1xf32>, %wb: tensor<2x4x1x1xf32>)
    -> (tensor<1x8x7x7xf32>, tensor<1x2x7x7xf32>, tensor<1x4x14x14xf32>) {
  %none = onnx.None
  %c = onnx.Conv %x, %w3, %none {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x4x14x14xf32>, tensor<4x4x3x3xf32>, none) -> tensor<1x4x14x14xf32>
  %r = onnx.Relu %c : (tensor<1x4x14x14xf32>) -> tensor<1x4x14x14xf32>
  %e = onnx.Conv %r, %w1, %none : (tensor<1x4x14x14xf32>, tensor<4x4x1x1xf32>, none) -> tensor<1x4x14x14xf32>
  %a = onnx.Add %e, %s : (tensor<1x4x14x14xf32>, tensor<1x4x14x14xf32>) -> tensor<1x4x14x14xf32>
  %m = onnx.Mul %a, %f : (tensor<1x4x14x14xf32>, tensor<4x1x1xf32>) -> tensor<1x4x14x14xf32>
  %k = onnx.Abs %s : (tensor<1x4x14x14xf32>) -> tensor<1x4x14x14xf32>
  %y = onnx.Conv %m, %wa, %none {strides = array<i64: 2, 2>} : (tensor<1x4x14x14xf32>, tensor<8x4x1x1xf32>, none) -> tensor<1x8x7x7xf32>
  %z = onnx.Conv %m, %wb, %none {strides = array<i64: 2, 2>} : (tensor<1x4x14x14xf32>, tensor<2x4x1x1xf32>, none) -> tensor<1x2x7x7xf32>
  return %y, %z, %k : tensor<1x8x7x7xf32>, tensor<1x2x7x7xf32>, tensor<1x4x14x14xf32>
}

// -----

// Sizes that have names keep them; a Slice of the model is one, too; strides of a convolution multiply.
// CHECK-LABEL: func @named
// CHECK: %[[C:.*]] = onnx.Conv %{{.*}} {strides = array<i64: 6, 2>} : {{.*}} -> tensor<1x4x?x7xf32, #[[HALF:.*]]>
// CHECK: %[[R:.*]] = onnx.Relu %[[C]]
// CHECK: return %[[R]] : tensor<1x4x?x7xf32, #[[HALF]]>
#whole = #onnx.dims<["", "", "h", ""]>
#third = #onnx.dims<["", "", "floor((h - 1) / 3) + 1", ""]>
#half = #onnx.dims<["", "", "floor((h - 1) / 6) + 1", ""]>
func.func @named(%x: tensor<1x4x?x14xf32, #whole>, %w1: tensor<4x4x1x1xf32>) -> tensor<1x4x?x7xf32, #half> {
  %none = onnx.None
  %zeros = onnx.Constant {value = dense<0> : tensor<2xsi64>} : () -> tensor<2xsi64>
  %ends = onnx.Constant {value = dense<9223372036854775807> : tensor<2xsi64>} : () -> tensor<2xsi64>
  %axes = onnx.Constant {value = dense<[2, -1]> : tensor<2xsi64>} : () -> tensor<2xsi64>
  %steps = onnx.Constant {value = dense<2> : tensor<2xsi64>} : () -> tensor<2xsi64>
  %c = onnx.Conv %x, %w1, %none {strides = array<i64: 3, 1>} : (tensor<1x4x?x14xf32, #whole>, tensor<4x4x1x1xf32>, none) -> tensor<1x4x?x14xf32, #third>
  %r = onnx.Relu %c : (tensor<1x4x?x14xf32, #third>) -> tensor<1x4x?x14xf32, #third>
  %y = onnx.Slice %r, %zeros, %ends, %axes, %steps : (tensor<1x4x?x14xf32, #third>, tensor<2xsi64>, tensor<2xsi64>, tensor<2xsi64>, tensor<2xsi64>) -> tensor<1x4x?x7xf32, #half>
  return %y : tensor<1x4x?x7xf32, #half>
}

// -----

// Nothing moves: another reader, readers of other strides, pads that follow from sizes, a reader of more than
// one tap, and no convolution above.
// CHECK-LABEL: func @stays
// CHECK-NOT: onnx.Slice
// CHECK-COUNT-6: -> tensor<1x4x14x14xf32>
// CHECK-NOT: onnx.Slice
// CHECK-COUNT-5: strides = array<i64: 2, 2>
// CHECK: return
func.func @stays(%x: tensor<1x4x14x14xf32>, %w: tensor<4x4x1x1xf32>, %w3: tensor<4x4x3x3xf32>)
    -> (tensor<1x4x7x7xf32>, tensor<1x4x14x14xf32>, tensor<1x4x7x7xf32>, tensor<1x4x14x7xf32>, tensor<1x4x7x7xf32>, tensor<1x4x7x7xf32>, tensor<1x4x7x7xf32>) {
  %none = onnx.None
  %c0 = onnx.Conv %x, %w, %none : (tensor<1x4x14x14xf32>, tensor<4x4x1x1xf32>, none) -> tensor<1x4x14x14xf32>
  %read = onnx.Abs %c0 : (tensor<1x4x14x14xf32>) -> tensor<1x4x14x14xf32>
  %c1 = onnx.Conv %x, %w, %none : (tensor<1x4x14x14xf32>, tensor<4x4x1x1xf32>, none) -> tensor<1x4x14x14xf32>
  %c2 = onnx.Conv %x, %w3, %none {auto_pad = "SAME_UPPER"} : (tensor<1x4x14x14xf32>, tensor<4x4x3x3xf32>, none) -> tensor<1x4x14x14xf32>
  %c3 = onnx.Conv %x, %w, %none : (tensor<1x4x14x14xf32>, tensor<4x4x1x1xf32>, none) -> tensor<1x4x14x14xf32>
  %r = onnx.Relu %x : (tensor<1x4x14x14xf32>) -> tensor<1x4x14x14xf32>
  %y0 = onnx.Conv %c0, %w, %none {strides = array<i64: 2, 2>} : (tensor<1x4x14x14xf32>, tensor<4x4x1x1xf32>, none) -> tensor<1x4x7x7xf32>
  %y1 = onnx.Conv %c1, %w, %none {strides = array<i64: 2, 2>} : (tensor<1x4x14x14xf32>, tensor<4x4x1x1xf32>, none) -> tensor<1x4x7x7xf32>
  %z1 = onnx.Conv %c1, %w, %none {strides = array<i64: 1, 2>} : (tensor<1x4x14x14xf32>, tensor<4x4x1x1xf32>, none) -> tensor<1x4x14x7xf32>
  %y2 = onnx.Conv %c2, %w, %none {strides = array<i64: 2, 2>} : (tensor<1x4x14x14xf32>, tensor<4x4x1x1xf32>, none) -> tensor<1x4x7x7xf32>
  %y3 = onnx.Conv %c3, %w3, %none {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : (tensor<1x4x14x14xf32>, tensor<4x4x3x3xf32>, none) -> tensor<1x4x7x7xf32>
  %y4 = onnx.Conv %r, %w, %none {strides = array<i64: 2, 2>} : (tensor<1x4x14x14xf32>, tensor<4x4x1x1xf32>, none) -> tensor<1x4x7x7xf32>
  return %y0, %read, %y1, %z1, %y2, %y3, %y4 : tensor<1x4x7x7xf32>, tensor<1x4x14x14xf32>, tensor<1x4x7x7xf32>, tensor<1x4x14x7xf32>, tensor<1x4x7x7xf32>, tensor<1x4x7x7xf32>, tensor<1x4x7x7xf32>
}
