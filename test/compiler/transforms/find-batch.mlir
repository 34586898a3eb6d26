// RUN: burin-opt %s -split-input-file -find-batch=dim=N -verify-diagnostics | FileCheck %s

// Rows stay apart through contractions, reshapes and what is the same for all of them.
// CHECK: module attributes {plan.batch = #plan.batch<"N", [1, -1] -> [0, 1, -1]>}
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>
#turned = affine_map<(d0, d1) -> (d1, d0)>
module {
  func.func @main(%x: tensor<4x11xf32> {onnx.dim_names = ["", "N"]}, %s: tensor<4xf32>)
      -> (tensor<44xf32>, tensor<4x11xf32>, tensor<4xf32>) {
    %e = tensor.empty() : tensor<11x4xf32>
    %t = linalg.generic {indexing_maps = [#turned, #row, #id], iterator_types = ["parallel", "parallel"]}
        ins(%x, %s : tensor<4x11xf32>, tensor<4xf32>) outs(%e : tensor<11x4xf32>) {
    ^bb0(%a: f32, %b: f32, %out: f32):
      %0 = arith.mulf %a, %b : f32
      linalg.yield %0 : f32
    } -> tensor<11x4xf32>
    %flat = tensor.collapse_shape %t [[0, 1]] : tensor<11x4xf32> into tensor<44xf32>
    return %flat, %x, %s : tensor<44xf32>, tensor<4x11xf32>, tensor<4xf32>
  }
  func.func @main_1(%x: tensor<4x13xf32>, %s: tensor<4xf32>)
      -> (tensor<52xf32>, tensor<4x13xf32>, tensor<4xf32>) {
    %e = tensor.empty() : tensor<13x4xf32>
    %t = linalg.generic {indexing_maps = [#turned, #row, #id], iterator_types = ["parallel", "parallel"]}
        ins(%x, %s : tensor<4x13xf32>, tensor<4xf32>) outs(%e : tensor<13x4xf32>) {
    ^bb0(%a: f32, %b: f32, %out: f32):
      %0 = arith.mulf %a, %b : f32
      linalg.yield %0 : f32
    } -> tensor<13x4xf32>
    %flat = tensor.collapse_shape %t [[0, 1]] : tensor<13x4xf32> into tensor<52xf32>
    return %flat, %x, %s : tensor<52xf32>, tensor<4x13xf32>, tensor<4xf32>
  }
}

// -----

// A constant that differs with the size.
// CHECK-NOT: plan.batch
#id = affine_map<(d0) -> (d0)>
module {
  func.func @main(%x: tensor<11xf32> {onnx.dim_names = ["N"]}) -> tensor<11xf32> {
    %n = arith.constant 1.100000e+01 : f32
    %e = tensor.empty() : tensor<11xf32>
    %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%x : tensor<11xf32>) outs(%e : tensor<11xf32>) {
    ^bb0(%a: f32, %out: f32):
      // expected-remark @+1 {{what it computes depends on the size of 'N'}}
      %0 = arith.divf %a, %n : f32
      linalg.yield %0 : f32
    } -> tensor<11xf32>
    return %y : tensor<11xf32>
  }
  func.func @main_1(%x: tensor<13xf32>) -> tensor<13xf32> {
    %n = arith.constant 1.300000e+01 : f32
    %e = tensor.empty() : tensor<13xf32>
    %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%x : tensor<13xf32>) outs(%e : tensor<13xf32>) {
    ^bb0(%a: f32, %out: f32):
      %0 = arith.divf %a, %n : f32
      linalg.yield %0 : f32
    } -> tensor<13xf32>
    return %y : tensor<13xf32>
  }
}

// -----

// A reduction over rows.
#id = affine_map<(d0) -> (d0)>
#none = affine_map<(d0) -> ()>
module {
  func.func @main(%x: tensor<11xf32> {onnx.dim_names = ["N"]}) -> tensor<f32> {
    %zero = arith.constant dense<0.0> : tensor<f32>
    // expected-remark @+1 {{the rows of 'N' depend on one another: it adds them up}}
    %y = linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
        ins(%x : tensor<11xf32>) outs(%zero : tensor<f32>) {
    ^bb0(%a: f32, %out: f32):
      %0 = arith.addf %a, %out : f32
      linalg.yield %0 : f32
    } -> tensor<f32>
    return %y : tensor<f32>
  }
  func.func @main_1(%x: tensor<13xf32>) -> tensor<f32> {
    %zero = arith.constant dense<0.0> : tensor<f32>
    %y = linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
        ins(%x : tensor<13xf32>) outs(%zero : tensor<f32>) {
    ^bb0(%a: f32, %out: f32):
      %0 = arith.addf %a, %out : f32
      linalg.yield %0 : f32
    } -> tensor<f32>
    return %y : tensor<f32>
  }
}

// -----

// The number of a row goes into its value.
#id = affine_map<(d0) -> (d0)>
module {
  func.func @main(%x: tensor<11xindex> {onnx.dim_names = ["N"]}) -> tensor<11xindex> {
    %e = tensor.empty() : tensor<11xindex>
    // expected-remark @+1 {{what it computes depends on the row's number}}
    %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%x : tensor<11xindex>) outs(%e : tensor<11xindex>) {
    ^bb0(%a: index, %out: index):
      %i = linalg.index 0 : index
      %0 = arith.addi %a, %i : index
      linalg.yield %0 : index
    } -> tensor<11xindex>
    return %y : tensor<11xindex>
  }
  func.func @main_1(%x: tensor<13xindex>) -> tensor<13xindex> {
    %e = tensor.empty() : tensor<13xindex>
    %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%x : tensor<13xindex>) outs(%e : tensor<13xindex>) {
    ^bb0(%a: index, %out: index):
      %i = linalg.index 0 : index
      %0 = arith.addi %a, %i : index
      linalg.yield %0 : index
    } -> tensor<13xindex>
    return %y : tensor<13xindex>
  }
}

// -----

// A table with a row of its own for each request; a state that is carried from zeros.
// CHECK: module attributes {plan.batch = #plan.batch<"N", [0] -> [0]>}
#id = affine_map<(d0) -> (d0)>
module {
  func.func @main(%x: tensor<11xf32> {onnx.dim_names = ["N"]}) -> tensor<11xf32> {
    %zero = arith.constant dense<0.0> : tensor<11xf32>
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %y = scf.for %i = %c0 to %c4 step %c1 iter_args(%h = %zero) -> tensor<11xf32> {
      %e = tensor.empty() : tensor<11xf32>
      %n = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
          ins(%x, %h : tensor<11xf32>, tensor<11xf32>) outs(%e : tensor<11xf32>) {
      ^bb0(%a: f32, %b: f32, %out: f32):
        %0 = arith.addf %a, %b : f32
        linalg.yield %0 : f32
      } -> tensor<11xf32>
      scf.yield %n : tensor<11xf32>
    }
    return %y : tensor<11xf32>
  }
  func.func @main_1(%x: tensor<13xf32>) -> tensor<13xf32> {
    %zero = arith.constant dense<0.0> : tensor<13xf32>
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %y = scf.for %i = %c0 to %c4 step %c1 iter_args(%h = %zero) -> tensor<13xf32> {
      %e = tensor.empty() : tensor<13xf32>
      %n = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
          ins(%x, %h : tensor<13xf32>, tensor<13xf32>) outs(%e : tensor<13xf32>) {
      ^bb0(%a: f32, %b: f32, %out: f32):
        %0 = arith.addf %a, %b : f32
        linalg.yield %0 : f32
      } -> tensor<13xf32>
      scf.yield %n : tensor<13xf32>
    }
    return %y : tensor<13xf32>
  }
}
