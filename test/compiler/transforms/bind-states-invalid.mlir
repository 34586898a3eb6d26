// RUN: burin-opt %s --bind-states --split-input-file --verify-diagnostics

// expected-error @+1 {{the state 's' cannot be kept in place: several of its sizes change from run to run; fix all but one with --dim}}
func.func @main(%s: tensor<?x?xf32> {onnx.name = "s", onnx.type = tensor<?x?xf32, #onnx.dims<["batch", "past"]>>, plan.state = #plan.state<"t">})
    -> (tensor<?x?xf32> {plan.state = 0 : i64})
    attributes {plan.dims = [#plan.range<"batch", 1, 7>, #plan.range<"past", 0, 7>]} {
  return %s : tensor<?x?xf32>
}

// -----

func.func @main(%s: tensor<4xf32> {onnx.name = "s", plan.state = #plan.state<"t">}, %x: tensor<5xf32>)
    -> (tensor<5xf32> {plan.state = 0 : i64}) {
  %e = tensor.empty() : tensor<5xf32>
  // expected-error @+1 {{the state 's' cannot be kept in place: it is 4xf32, and its next value 5xf32}}
  %0 = linalg.copy ins(%x : tensor<5xf32>) outs(%e : tensor<5xf32>) -> tensor<5xf32>
  return %0 : tensor<5xf32>
}

// -----

// expected-error @+1 {{its length is none of the sizes that --dim names}}
func.func @main(%s: tensor<?xf32> {onnx.name = "s", onnx.type = tensor<?xf32>, plan.state = #plan.state<"t">})
    -> (tensor<?xf32> {plan.state = 0 : i64}) attributes {plan.dims = [#plan.range<"past", 0, 7>]} {
  return %s : tensor<?xf32>
}

// -----

#v = affine_map<(d0) -> (d0)>
func.func @main(%s: tensor<?xf32> {onnx.name = "s", onnx.type = tensor<?xf32, #onnx.dims<["past"]>>, plan.state = #plan.state<"t">})
    -> (tensor<?xf32> {plan.state = 0 : i64}) attributes {plan.dims = [#plan.range<"past", 0, 7>]} {
  %p = plan.dim "past"
  %e = tensor.empty(%p) : tensor<?xf32>
  // expected-error @+1 {{this node makes its next value, and only a Concat of it with what is new appends}}
  %0 = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]}
      ins(%s : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.negf %a : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

func.func @main(%s: tensor<?xf32> {onnx.name = "s", onnx.type = tensor<?xf32, #onnx.dims<["past"]>>, plan.state = #plan.state<"t">}, %x: tensor<1xf32>)
    -> (tensor<?xf32> {plan.state = 0 : i64}) attributes {plan.dims = [#plan.range<"past", 0, 7>]} {
  %p = plan.dim "past"
  %c1 = arith.constant 1 : index
  %n = arith.addi %p, %c1 : index
  %e = tensor.empty(%n) : tensor<?xf32>
  %0 = tensor.insert_slice %x into %e[0] [1] [1] : tensor<1xf32> into tensor<?xf32>
  // expected-error @+1 {{this node puts something before it, and not behind it}}
  %1 = tensor.insert_slice %s into %0[1] [%p] [1] : tensor<?xf32> into tensor<?xf32>
  return %1 : tensor<?xf32>
}

// -----

func.func @main(%s: tensor<?xf32> {onnx.name = "s", onnx.type = tensor<?xf32, #onnx.dims<["past"]>>, plan.state = #plan.state<"t">}, %x: tensor<1xf32>)
    -> (tensor<?xf32> {plan.state = 0 : i64}, tensor<?xf32>) attributes {plan.dims = [#plan.range<"past", 0, 7>]} {
  %p = plan.dim "past"
  %c1 = arith.constant 1 : index
  %n = arith.addi %p, %c1 : index
  %e = tensor.empty(%n) : tensor<?xf32>
  %0 = tensor.insert_slice %s into %e[0] [%p] [1] : tensor<?xf32> into tensor<?xf32>
  // expected-error @+1 {{a part of what this node makes is used elsewhere}}
  %1 = tensor.insert_slice %x into %0[%p] [1] [1] : tensor<1xf32> into tensor<?xf32>
  return %1, %0 : tensor<?xf32>, tensor<?xf32>
}

// -----

func.func @main(%s: tensor<?xf32> {onnx.name = "s", onnx.type = tensor<?xf32, #onnx.dims<["past"]>>, plan.state = #plan.state<"t">}, %x: tensor<1xf32>,
                %u: tensor<?xf32> {onnx.name = "u", onnx.type = tensor<?xf32, #onnx.dims<["past"]>>, plan.state = #plan.state<"v">}, %y: tensor<2xf32>)
    -> (tensor<?xf32> {plan.state = 0 : i64}, tensor<?xf32> {plan.state = 2 : i64}) attributes {plan.dims = [#plan.range<"past", 0, 7>]} {
  %p = plan.dim "past"
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %n = arith.addi %p, %c1 : index
  %m = arith.addi %p, %c2 : index
  %e = tensor.empty(%n) : tensor<?xf32>
  %0 = tensor.insert_slice %s into %e[0] [%p] [1] : tensor<?xf32> into tensor<?xf32>
  %1 = tensor.insert_slice %x into %0[%p] [1] [1] : tensor<1xf32> into tensor<?xf32>
  %f = tensor.empty(%m) : tensor<?xf32>
  %2 = tensor.insert_slice %u into %f[0] [%p] [1] : tensor<?xf32> into tensor<?xf32>
  // expected-error @+1 {{another state of its length 'past' grows by another size}}
  %3 = tensor.insert_slice %y into %2[%p] [2] [1] : tensor<2xf32> into tensor<?xf32>
  return %1, %3 : tensor<?xf32>, tensor<?xf32>
}
