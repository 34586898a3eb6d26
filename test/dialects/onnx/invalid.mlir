// RUN: burin-opt %s --split-input-file --verify-diagnostics
//
// Every operator's verifier asks its shape rule: contradictions are found wherever they
// come from.

func.func @broadcast(%a: tensor<2xf32>, %b: tensor<3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{sizes 2 and 3 do not broadcast}}
  %0 = onnx.Add %a, %b : (tensor<2xf32>, tensor<3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @contracted(%a: tensor<2x4xf32>, %b: tensor<5x2xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{the contracted sizes (columns of A, rows of B) must be equal, but are 4 and 5}}
  %0 = onnx.MatMul %a, %b : (tensor<2x4xf32>, tensor<5x2xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @axis(%a: tensor<2x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{axis 2 is out of range for rank 2}}
  %0 = onnx.Concat %a, %a {axis = 2} : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @declared(%a: tensor<2x4xf32>) -> tensor<3x4xf32> {
  // expected-error @+1 {{result 0 is declared as 'tensor<3x4xf32>', but its operands and attributes make it 'tensor<2x4xf32>'}}
  %0 = onnx.Relu %a : (tensor<2x4xf32>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// -----

func.func @strides(%x: tensor<1x1x4x4xf32>, %w: tensor<1x1x3x3xf32>) -> tensor<*xf32> {
  %n = onnx.None
  // expected-error @+1 {{'strides' and 'dilations' must be 1 or more}}
  %0 = onnx.Conv %x, %w, %n {strides = array<i64: 0, 1>} : (tensor<1x1x4x4xf32>, tensor<1x1x3x3xf32>, none) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @overflow(%x: tensor<4611686018427387904xf32>) -> tensor<*xf32> {
  %r = onnx.Constant {value = dense<4> : tensor<1xsi64>} : () -> tensor<1xsi64>
  // expected-error @+1 {{the product of its sizes exceeds 2^63}}
  %0 = onnx.Tile %x, %r : (tensor<4611686018427387904xf32>, tensor<1xsi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @perm(%a: tensor<2x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{axis 0 is given twice}}
  %0 = onnx.Transpose %a {perm = array<i64: 0, 0>} : (tensor<2x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @perm_range(%a: tensor<2x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{axis 2 is out of range for rank 2}}
  %0 = onnx.Transpose %a {perm = array<i64: 0, 2>} : (tensor<2x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @perm_length(%a: tensor<2x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{'perm' must have 2 elements, not 1}}
  %0 = onnx.Transpose %a {perm = array<i64: 0>} : (tensor<2x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @cast(%a: tensor<2x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{'to' is 999, which is no ONNX element type}}
  %0 = onnx.Cast %a {to = 999 : i64} : (tensor<2x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @einsum(%a: tensor<2x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{'equation' must have 1 elements, not 2}}
  %0 = onnx.Einsum %a {equation = "ij,jk->ik"} : (tensor<2x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @einsum_labels(%a: tensor<2x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{operand 0 has rank 2, but its term in 'equation' has 1 labels}}
  %0 = onnx.Einsum %a {equation = "i->j->"} : (tensor<2x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @group(%x: tensor<1x3x4x4xf32>, %w: tensor<2x1x3x3xf32>) -> tensor<*xf32> {
  %n = onnx.None
  // expected-error @+1 {{'group' must be 1 or more, not 0}}
  %0 = onnx.Conv %x, %w, %n {group = 0 : i64} : (tensor<1x3x4x4xf32>, tensor<2x1x3x3xf32>, none) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @pads(%x: tensor<1x1x4x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{'pads' must have 4 elements, not 2}}
  %0 = onnx.AveragePool %x {kernel_shape = array<i64: 3, 3>, pads = array<i64: 1, 1>} : (tensor<1x1x4x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @kernel_shape(%x: tensor<1x1x4x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{operand 0 must have rank 3, not 4}}
  %0 = onnx.AveragePool %x {kernel_shape = array<i64: 3>} : (tensor<1x1x4x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @auto_pad(%x: tensor<1x1x4x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{'auto_pad' is 'SOME'; it must be NOTSET, VALID, SAME_UPPER or SAME_LOWER}}
  %0 = onnx.AveragePool %x {kernel_shape = array<i64: 3, 3>, auto_pad = "SOME"} : (tensor<1x1x4x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @blocksize(%x: tensor<1x4x4x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{'blocksize' is 0; it must be 1 or more}}
  %0 = onnx.DepthToSpace %x {blocksize = 0 : i64} : (tensor<1x4x4x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @reshape(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  %r = onnx.Constant {value = dense<[-1, -1]> : tensor<2xsi64>} : () -> tensor<2xsi64>
  // expected-error @+1 {{the shape has more than one -1}}
  %0 = onnx.Reshape %x, %r : (tensor<2x3xf32>, tensor<2xsi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @reshape_elements(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  %r = onnx.Constant {value = dense<[4, 2]> : tensor<2xsi64>} : () -> tensor<2xsi64>
  // expected-error @+1 {{the numbers of elements before and after must be equal, but are 6 and 8}}
  %0 = onnx.Reshape %x, %r : (tensor<2x3xf32>, tensor<2xsi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @split(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  %r = onnx.Constant {value = dense<[1, 3]> : tensor<2xsi64>} : () -> tensor<2xsi64>
  // expected-error @+1 {{the sum of 'split' and the size of the axis must be equal, but are 4 and 3}}
  %0:2 = onnx.Split %x, %r {axis = 1 : i64}: (tensor<2x3xf32>, tensor<2xsi64>) -> (tensor<*xf32>, tensor<*xf32>)
  return %0#0 : tensor<*xf32>
}

// -----

func.func @scan(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{'num_scan_inputs' is 5, but it has 1 operands}}
  %0 = onnx.Scan %x {num_scan_inputs = 5 : i64} : (tensor<2x3xf32>) -> tensor<*xf32> {
  ^bb0(%a: tensor<3xf32>):
    onnx.Yield %a : tensor<3xf32>
  }
  return %0 : tensor<*xf32>
}

// -----

func.func @scan_axes(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{axis 7 is out of range for rank 2}}
  %0 = onnx.Scan %x {num_scan_inputs = 1 : i64, scan_input_axes = array<i64: 7>} : (tensor<2x3xf32>) -> tensor<*xf32> {
  ^bb0(%a: tensor<3xf32>):
    onnx.Yield %a : tensor<3xf32>
  }
  return %0 : tensor<*xf32>
}

// -----

func.func @branches(%c: tensor<i1>) -> tensor<*xf32> {
  // expected-error @+1 {{each body must be one block that ends in onnx.Yield}}
  %0 = "onnx.If"(%c) ({}, {}) : (tensor<i1>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @loop_arguments(%a: tensor<1xf32>) -> tensor<*xf32> {
  %n = onnx.None
  // expected-error @+1 {{carries 1 values and has 1 results, but its body takes 1 and yields 1}}
  %0 = onnx.Loop %n, %n, %a : (none, none, tensor<1xf32>) -> tensor<*xf32> {
  ^bb0(%i: tensor<si64>):
    onnx.Yield %a : tensor<1xf32>
  }
  return %0 : tensor<*xf32>
}

// -----

func.func @operand_kind(%a: !onnx.seq<tensor<2xf32>>, %b: tensor<2xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{operand 0 must be a tensor, not '!onnx.seq<tensor<2xf32>>'}}
  %0 = onnx.Add %a, %b : (!onnx.seq<tensor<2xf32>>, tensor<2xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @batch_dims(%a: tensor<2x3xf32>, %b: tensor<2x5xsi64>) -> tensor<*xf32> {
  // expected-error @+1 {{'batch_dims' is 9; it must be in [0, 2)}}
  %0 = onnx.GatherND %a, %b {batch_dims = 9 : i64} : (tensor<2x3xf32>, tensor<2x5xsi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @constant() -> tensor<*xf32> {
  // expected-error @+1 {{but its operands and attributes make it 'f32'}}
  %0 = onnx.Constant {value = 1.0 : f32} : () -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @concat_axis(%a: !onnx.seq<tensor<2xf32>>) -> tensor<*xf32> {
  // expected-error @+1 {{axis 5 is out of range for rank 1}}
  %0 = onnx.ConcatFromSequence %a {axis = 5 : i64} : (!onnx.seq<tensor<2xf32>>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @direction(%x: tensor<2x3x4xf32>, %w: tensor<1x5x4xf32>, %r: tensor<1x5x3xf32>) -> tensor<*xf32> {
  %n = onnx.None
  // expected-error @+1 {{'direction' is 'sideways'; it must be forward, reverse or bidirectional}}
  %0:3 = onnx.LSTM %x, %w, %r, %n, %n, %n, %n, %n {hidden_size = -4 : i64, direction = "sideways"} : (tensor<2x3x4xf32>, tensor<1x5x4xf32>, tensor<1x5x3xf32>, none, none, none, none, none) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  return %0#0 : tensor<*xf32>
}

// -----

// expected-error @+1 {{a tensor of rank 2 has 1 names of sizes}}
func.func private @names(tensor<2x?xf32, #onnx.dims<["n"]>>)
