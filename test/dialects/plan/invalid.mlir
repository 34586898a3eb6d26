// RUN: burin-opt %s --split-input-file --verify-diagnostics

func.func @dispatch_arguments(%x: tensor<4xf32>, %o: tensor<4xf32>) {
  // expected-error @+1 {{has body arguments of other types than its operands}}
  %0 = "plan.dispatch"(%x, %o) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%a: tensor<5xf32>, %out: tensor<4xf32>):
    plan.return %out : tensor<4xf32>
  }) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @dispatch_inits(%x: tensor<4xf32>) {
  // expected-error @+1 {{has 0 inits for 1 results}}
  %0 = "plan.dispatch"(%x) <{operandSegmentSizes = array<i32: 1, 0, 0>}> ({
  ^bb0(%a: tensor<4xf32>):
    plan.return %a : tensor<4xf32>
  }) : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @dispatch_init_type(%o: tensor<4xf32>) {
  // expected-error @+1 {{has an init of type 'tensor<4xf32>' for a result of type 'tensor<5xf32>'}}
  %0 = "plan.dispatch"(%o) <{operandSegmentSizes = array<i32: 0, 0, 1>}> ({
  ^bb0(%out: tensor<4xf32>):
    plan.return %out : tensor<4xf32>
  }) : (tensor<4xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @dispatch_returns(%x: tensor<5xf32>, %o: tensor<4xf32>) {
  // expected-error @+1 {{returns other types than its results}}
  %0 = "plan.dispatch"(%x, %o) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%a: tensor<5xf32>, %out: tensor<4xf32>):
    plan.return %a : tensor<5xf32>
  }) : (tensor<5xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @dispatch_isolated(%x: tensor<4xf32>, %o: tensor<4xf32>) {
  // expected-note @+1 {{required by region isolation constraints}}
  %0 = "plan.dispatch"(%o) <{operandSegmentSizes = array<i32: 0, 0, 1>}> ({
  ^bb0(%out: tensor<4xf32>):
    // expected-error @+1 {{using value defined outside the region}}
    plan.return %x : tensor<4xf32>
  }) : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @return_alone(%x: tensor<4xf32>) {
  // expected-error @+1 {{expects parent op 'plan.dispatch'}}
  plan.return %x : tensor<4xf32>
}

// -----

func.func @constant_type() {
  // expected-error @+1 {{failed to verify that all of {value, result} have same type}}
  %0 = "plan.constant"() <{value = dense<1.0> : tensor<4xf32>}> : () -> tensor<5xf32>
  return
}

// -----

// expected-error @+1 {{a weight is a tensor of static shape, not 'tensor<?xf32>'}}
func.func private @weight_type() attributes {x = #plan.weight<"model", 0, 16> : tensor<?xf32>}

// -----

// expected-error @+1 {{a weight ends before 2^64}}
func.func private @weight_end() attributes {x = #plan.weight<"model", 18446744073709551615, 16> : tensor<4xf32>}

// -----

// expected-error @+1 {{a weight of type 'tensor<2x3xf32>' has a layout of another shape}}
func.func private @weight_layout() attributes {x = #plan.weight<"model", 0, 24, <[2, 3] permute [1, 0]>> : tensor<2x3xf32>}

// -----

// expected-error @+1 {{a weight of type 'tensor<1x2x16xf32>' has a layout that rounds to bf16}}
func.func private @weight_bf16() attributes {x = #plan.weight<"model", 0, 24, <[2, 3] permute [1, 0] panel 16 bf16 true>> : tensor<1x2x16xf32>}

// -----

// expected-error @+1 {{panels are rounded to bf16 that are not transformed}}
func.func private @layout_bf16() attributes {x = #plan.layout<[2, 3] permute [1, 0] bf16 true>}

// -----

// expected-error @+1 {{a layout permutes the dims of its source}}
func.func private @layout_permutation() attributes {x = #plan.layout<[2, 3] permute [1, 1]>}

// -----

// expected-error @+1 {{a layout has a static source of less than 2^63 elements}}
func.func private @layout_elements() attributes {x = #plan.layout<[4294967296, 4294967296] permute [0, 1]>}

// -----

// expected-error @+1 {{panels take leading dims, a column dim and reduction dims}}
func.func private @layout_panel() attributes {x = #plan.layout<[2, 3] permute [1, 0] leading 1 panel 16>}

// -----

func.func @main(%x: tensor<4xf32>) {
  // expected-error @+1 {{names no function of @kernels: @k}}
  %0 = plan.launch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%x: tensor<4xf32>) {
  // expected-error @+1 {{needs a kernel that takes its inputs, results and dims; @k is}}
  %0 = plan.launch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return
}
module @kernels {
  func.func private @k(tensor<4xf32>, tensor<5xf32>) -> tensor<5xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) {
  // expected-error @+1 {{needs one place per input and result}}
  %0 = plan.launch @k(%x) at [#plan.place<input 0, 16>] : (tensor<4xf32>) -> tensor<4xf32>
  return
}
module @kernels {
  func.func private @k(tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) {
  // expected-error @+1 {{needs one place per input and result}}
  %0 = plan.launch @k(%x) at ["input 0", 16] : (tensor<4xf32>) -> tensor<4xf32>
  return
}
module @kernels {
  func.func private @k(tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
}

// -----

func.func @main(%x: tensor<?xf32>) {
  // expected-error@+1 {{has 0 sizes for 1 dynamic sizes of its results}}
  %0 = plan.launch @k(%x) : (tensor<?xf32>) -> tensor<?xf32>
  return
}
module @kernels {
  func.func private @k(tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
}

// -----

// expected-error@+1 {{a range has a name and bounds 0 <= min <= max}}
module attributes {plan.dims = [#plan.range<"n", 4, 3>]} {}

// -----

func.func @main(%x: tensor<2xi64>) {
  // expected-error@+1 {{measures a tensor of one i64, not 'tensor<2xi64>'}}
  %0 = plan.measure "n" from %x : tensor<2xi64>
  return
}

// -----

// expected-error @+1 {{a state that grows has an axis, a length and the next one}}
func.func private @state_axis() attributes {x = #plan.state<"present" grows -2 from "past" to affine_map<() -> ()>>}

// -----

// expected-error @+1 {{the next length of a state is one function of the model's dims}}
func.func private @state_next() attributes {x = #plan.state<"present" grows 0 from "past" to affine_map<() -> ()>>}

// -----

func.func @launch_states(%s: tensor<4xf32>) {
  // expected-error @+1 {{has states of other types than its last results}}
  %0 = plan.launch @k() states(%s : tensor<4xf32>) : () -> tensor<5xf32>
  return
}
