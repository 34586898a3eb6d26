// RUN: burin-opt %s --agree-sizes --split-input-file --verify-diagnostics | FileCheck %s

#rows = affine_map<(d0, d1) -> (d0, d1)>

// CHECK-LABEL: func.func @add
// CHECK-SAME: plan.agreements = {{\[\[}}"M", "N", "sum"]]
func.func @add(%x: tensor<?x2xf32> {onnx.type = tensor<?x2xf32, #onnx.dims<["N", ""]>>},
               %y: tensor<?x2xf32> {onnx.type = tensor<?x2xf32, #onnx.dims<["M", ""]>>}) -> tensor<?x2xf32>
    attributes {plan.dims = [#plan.range<"M", 1, 4>, #plan.range<"N", 2, 6>]} {
  %n = plan.dim "N"
  %0 = tensor.empty(%n) : tensor<?x2xf32>
  %1 = linalg.generic {indexing_maps = [#rows, #rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x, %y : tensor<?x2xf32>, tensor<?x2xf32>) outs(%0 : tensor<?x2xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x2xf32> loc("sum")
  return %1 : tensor<?x2xf32>
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#none = affine_map<(m, n) -> ()>

// The sum's length of both operands; the rows are one name and need no agreement.
// CHECK-LABEL: func.func @contract
// CHECK-SAME: plan.agreements = {{\[\[}}"K", "L", "product"]]
func.func @contract(%x: tensor<?x?xf32> {onnx.type = tensor<?x?xf32, #onnx.dims<["M", "K"]>>},
                    %w: tensor<2x?x16xf32> {onnx.type = tensor<2x?x16xf32, #onnx.dims<["", "L", ""]>>}) -> tensor<?x32xf32>
    attributes {plan.dims = [#plan.range<"K", 1, 4>, #plan.range<"L", 1, 4>, #plan.range<"M", 2, 6>]} {
  %m = plan.dim "M"
  %0 = tensor.empty(%m) : tensor<?x32xf32>
  %1 = kern.contract ins(%x, %w : tensor<?x?xf32>, tensor<2x?x16xf32>) outs(%0 : tensor<?x32xf32>)
      attributes {a_map = #a, b_map = #none, extra_maps = [], reduction = array<i64: -9223372036854775808>} {
  ^bb0(%s: f32):
    kern.yield %s : f32
  } -> tensor<?x32xf32> loc("product")
  return %1 : tensor<?x32xf32>
}

// -----

#rows = affine_map<(d0) -> (d0)>

func.func @never(%x: tensor<?xf32> {onnx.type = tensor<?xf32, #onnx.dims<["N"]>>},
                 %y: tensor<?xf32> {onnx.type = tensor<?xf32, #onnx.dims<["N + 1"]>>}) -> tensor<?xf32>
    attributes {plan.dims = [#plan.range<"N", 2, 6>]} {
  %n = plan.dim "N"
  %0 = tensor.empty(%n) : tensor<?xf32>
  // expected-error@+1 {{is not supported here: it takes the sizes 'N' and 'N + 1' for one, which no sizes that --dim allows make equal}}
  %1 = linalg.generic {indexing_maps = [#rows, #rows, #rows], iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xf32>, tensor<?xf32>) outs(%0 : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  return %1 : tensor<?xf32>
}
