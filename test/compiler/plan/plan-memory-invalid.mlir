// RUN: burin-opt %s --plan-memory --split-input-file --verify-diagnostics

// expected-error @+1 {{holds no @main to plan}}
module {
  module @kernels {
  }
}

// -----

// expected-error @+1 {{holds no kernels that @main could launch}}
module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}

// -----

module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    %c4 = arith.constant 4 : index
    %n = arith.shli %c4, %c4 : index
    // expected-error @+1 {{has a size that is not computed from the model's dims}}
    %0 = plan.launch @k(%x) dims(%n) : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
  module @kernels {
    func.func private @k(tensor<4xf32>, tensor<4xf32>, index) -> tensor<4xf32>
  }
}

// -----

module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error @+1 {{is larger than this machine could hold}}
    %w = plan.constant #plan.weight<"model", 0, 16> : tensor<4611686018427387904xf32>
    %0 = plan.launch @k(%x, %w) : (tensor<4xf32>, tensor<4611686018427387904xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
  module @kernels {
    func.func private @k(tensor<4xf32>, tensor<4611686018427387904xf32>, tensor<4xf32>) -> tensor<4xf32>
  }
}

// -----

module {
  func.func @main(%s: tensor<4xf32> {plan.state = #plan.state<"sn">}) -> (tensor<4xf32> {plan.state = 0 : i64}) {
    // expected-error @+1 {{writes to a state that does not grow, which is replaced when all have run}}
    %0 = plan.launch @k() states(%s : tensor<4xf32>) : () -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
  module @kernels {
    func.func private @k(tensor<4xf32>) -> tensor<4xf32>
  }
}
