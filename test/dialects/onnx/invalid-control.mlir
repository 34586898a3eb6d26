// RUN: burin-opt %s --split-input-file --verify-diagnostics
//
// What dialects/onnx/shapes/Control.cpp refuses; the rules that all share are in invalid.mlir.

func.func @if_count(%c: tensor<i1>, %a: tensor<2xf32>, %b: tensor<2xsi64>) {
  // expected-error @+1 {{has 1 results, but its branches yield 2 and 1 values}}
  %r = onnx.If %c : (tensor<i1>) -> tensor<*xf32> {
    onnx.Yield %a : tensor<2xf32>
  }, {
    onnx.Yield %a, %a : tensor<2xf32>, tensor<2xf32>
  }
  return
}

// -----

func.func @if_types(%c: tensor<i1>, %a: tensor<2xf32>, %b: tensor<2xsi64>) {
  // expected-error @+1 {{the branches yield 'tensor<2xsi64>' and 'tensor<2xf32>' for result 0}}
  %r = onnx.If %c : (tensor<i1>) -> tensor<*xf32> {
    onnx.Yield %a : tensor<2xf32>
  }, {
    onnx.Yield %b : tensor<2xsi64>
  }
  return
}

// -----

func.func @loop_carried(%m: tensor<si64>, %c: tensor<i1>, %a: tensor<2xf32>) {
  // expected-error @+1 {{carries 'tensor<2xf32>' in, but its body yields 'tensor<2xsi64>'}}
  %r = onnx.Loop %m, %c, %a : (tensor<si64>, tensor<i1>, tensor<2xf32>) -> tensor<*xf32> {
  ^bb0(%i: tensor<si64>, %go: tensor<i1>, %v: tensor<2xsi64>):
    onnx.Yield %go, %v : tensor<i1>, tensor<2xsi64>
  }
  return
}

// -----

func.func @loop_stacked(%m: tensor<si64>, %c: tensor<i1>, %s: !onnx.seq<tensor<2xf32>>) {
  // expected-error @+1 {{a scan output must be a tensor, not '!onnx.seq<tensor<2xf32>>'}}
  %r = onnx.Loop %m, %c : (tensor<si64>, tensor<i1>) -> tensor<*xf32> {
  ^bb0(%i: tensor<si64>, %go: tensor<i1>):
    onnx.Yield %go, %s : tensor<i1>, !onnx.seq<tensor<2xf32>>
  }
  return
}

// -----

func.func @scan_body(%a: tensor<2x3xf32>) {
  // expected-error @+1 {{has 1 operands, 0 of them states, and 1 results, which its body does not match}}
  %r = onnx.Scan %a {num_scan_inputs = 1 : i64} : (tensor<2x3xf32>) -> tensor<*xf32> {
  ^bb0(%x: tensor<3xf32>, %y: tensor<3xf32>):
    onnx.Yield %x : tensor<3xf32>
  }
  return
}

// -----

func.func @scan_sequence(%s: !onnx.seq<tensor<2xf32>>) {
  // expected-error @+1 {{a scan input must be a tensor, not '!onnx.seq<tensor<2xf32>>'}}
  %r = onnx.Scan %s {num_scan_inputs = 1 : i64} : (!onnx.seq<tensor<2xf32>>) -> tensor<*xf32> {
  ^bb0(%x: tensor<2xf32>):
    onnx.Yield %x : tensor<2xf32>
  }
  return
}

// -----

func.func @scan_yields(%a: tensor<2x3xf32>) {
  // expected-error @+1 {{has 1 results, but its body yields 2}}
  %r = onnx.Scan %a {num_scan_inputs = 1 : i64} : (tensor<2x3xf32>) -> tensor<*xf32> {
  ^bb0(%x: tensor<3xf32>):
    onnx.Yield %x, %x : tensor<3xf32>, tensor<3xf32>
  }
  return
}

// -----

func.func @scan_state(%a: tensor<2x3xf32>, %b: tensor<2xf32>) {
  // expected-error @+1 {{carries 'tensor<2xf32>' in, but its body yields 'tensor<2xsi64>'}}
  %r:2 = onnx.Scan %b, %a {num_scan_inputs = 1 : i64} : (tensor<2xf32>, tensor<2x3xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  ^bb0(%s: tensor<2xsi64>, %x: tensor<3xf32>):
    onnx.Yield %s, %x : tensor<2xsi64>, tensor<3xf32>
  }
  return
}

// -----

func.func @scan_stacked(%a: tensor<2x3xf32>, %s: !onnx.seq<tensor<2xf32>>) {
  // expected-error @+1 {{a scan output must be a tensor, not '!onnx.seq<tensor<2xf32>>'}}
  %r = onnx.Scan %a {num_scan_inputs = 1 : i64} : (tensor<2x3xf32>) -> tensor<*xf32> {
  ^bb0(%x: tensor<3xf32>):
    onnx.Yield %s : !onnx.seq<tensor<2xf32>>
  }
  return
}
