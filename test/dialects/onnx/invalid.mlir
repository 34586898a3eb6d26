// RUN: burin-opt %s --infer-shapes --split-input-file --verify-diagnostics

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
