// RUN: burin-opt %s --lower-kern --split-input-file --verify-diagnostics

func.func @tensors(%x: tensor<2x9xf32>, %o: tensor<2x3xi64>) -> tensor<2x3xi64> {
  // expected-error @+1 {{is still on tensors; bufferize first}}
  %r = kern.sort ins(%x : tensor<2x9xf32>) outs(%o : tensor<2x3xi64>) attributes {axis = 1 : i64} {
  ^bb0(%a: f32, %b: f32):
    %first = arith.cmpf ogt, %a, %b : f32
    kern.yield %first : i1
  } -> tensor<2x3xi64>
  return %r : tensor<2x3xi64>
}
