// RUN: burin-opt %s --lower-onnx --split-input-file | FileCheck %s
// RUN: burin-opt %s --lower-onnx --split-input-file --canonicalize -o /dev/null

// Scale and mask are the first product's epilogue, the division of the softmax the second's. What exporters
// write out needs no guard.
// CHECK-LABEL: func.func @masked
// CHECK: %[[S:.*]] = kern.contract {{.*}} extras(%{{.*}} : tensor<1x1x1x6xf32>) outs(%{{.*}} : tensor<2x4x5x6xf32>)
// CHECK-NEXT: ^bb0(%[[SUM:.*]]: f32, %[[M:.*]]: f32):
// CHECK-NEXT: %[[C:.*]] = arith.constant 0.353553385 : f32
// CHECK-NEXT: %[[X:.*]] = arith.mulf %[[SUM]], %[[C]]
// CHECK: arith.addf %[[X]], %[[M]]
// CHECK-NEXT: kern.yield
// CHECK: arith.cmpf olt
// CHECK-NEXT: arith.select
// CHECK-NOT: arith.select
// CHECK: math.exp
// CHECK: kern.contract {{.*}} extras(%{{.*}} : tensor<2x4x5xf32>) outs(%{{.*}} : tensor<2x4x5x8xf32>) {{.*}}reduction = array<i64: 6>
// CHECK-NEXT: ^bb0(%[[SUM:.*]]: f32, %[[TOTAL:.*]]: f32):
// CHECK-NEXT: arith.divf %[[SUM]], %[[TOTAL]]
// CHECK: return
func.func @masked(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<2x4x6x8xf32>, %m: tensor<1x1x1x6xf32>) -> tensor<2x4x5x8xf32> {
  %n = onnx.None
  %y:4 = onnx.Attention %q, %k, %v, %m, %n, %n, %n {unguarded} : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<2x4x6x8xf32>, tensor<1x1x1x6xf32>, none, none, none) -> (tensor<2x4x5x8xf32>, none, none, none)
  return %y#0 : tensor<2x4x5x8xf32>
}

// -----

// Rows that a boolean mask excludes wholly are 0: ONNX's definition.
// CHECK-LABEL: func.func @guarded
// CHECK: kern.contract {{.*}} extras(%{{.*}} : tensor<5x6xi8>)
// CHECK: arith.select
// CHECK: kern.yield
// CHECK: arith.cmpf olt
// CHECK-NEXT: arith.select
// CHECK: arith.select
// CHECK: math.exp
// CHECK: arith.select
// CHECK: kern.contract
// CHECK: arith.divf
// CHECK: return
func.func @guarded(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<2x4x6x8xf32>, %m: tensor<5x6xi1>) -> tensor<2x4x5x8xf32> {
  %n = onnx.None
  %y:4 = onnx.Attention %q, %k, %v, %m, %n, %n, %n : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<2x4x6x8xf32>, tensor<5x6xi1>, none, none, none) -> (tensor<2x4x5x8xf32>, none, none, none)
  return %y#0 : tensor<2x4x5x8xf32>
}

// -----

// Groups of queries read their head of keys by the map of the panels, or where it lies where rows are
// few. The past and the new keys are joined as by Concat, and may be results. One query's group is the
// rows of the product.
// CHECK-DAG: #[[KEYS:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (0, d1, d3, d4)>
// CHECK-DAG: #[[VALUES:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (0, d1, d4, d3)>
// CHECK-DAG: #[[GROUPS:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1)>
// CHECK-LABEL: func.func @single
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0, 0, 0, 0] [1, 2, 7, 8]
// CHECK: %[[K:.*]] = tensor.insert_slice %{{.*}} into %{{.*}}[0, 0, 7, 0] [1, 2, 1, 8]
// CHECK: kern.contract ins(%{{.*}}, %[[K]] : {{.*}}) outs(%{{.*}} : tensor<1x2x3x8xf32>) {{.*}}b_map = #[[KEYS]]
// CHECK: kern.contract {{.*}} outs(%{{.*}} : tensor<1x2x3x8xf32>) {{.*}}b_map = #[[VALUES]]
// CHECK: return %{{.*}}, %[[K]]
// CHECK-LABEL: func.func @groups
// CHECK: kern.contract {{.*}} extras(%{{.*}} : tensor<1x2x3x40x5xf32>) outs(%{{.*}} : tensor<1x2x3x40x5xf32>) {{.*}}b_map = #[[GROUPS]]
// CHECK: return
func.func @single(%q: tensor<1x6x1x8xf32>, %k: tensor<1x2x1x8xf32>, %pk: tensor<1x2x7x8xf32>, %pv: tensor<1x2x7x8xf32>) -> (tensor<1x6x1x8xf32>, tensor<1x2x8x8xf32>) {
  %n = onnx.None
  %y:4 = onnx.Attention %q, %k, %k, %n, %pk, %pv, %n {is_causal = 1 : i64} : (tensor<1x6x1x8xf32>, tensor<1x2x1x8xf32>, tensor<1x2x1x8xf32>, none, tensor<1x2x7x8xf32>, tensor<1x2x7x8xf32>, none) -> (tensor<1x6x1x8xf32>, tensor<1x2x8x8xf32>, none, none)
  return %y#0, %y#1 : tensor<1x6x1x8xf32>, tensor<1x2x8x8xf32>
}
func.func @groups(%q: tensor<1x6x40x8xf32>, %k: tensor<1x2x5x8xf32>, %m: tensor<1x6x40x5xf32>) -> tensor<1x6x40x8xf32> {
  %n = onnx.None
  %y:4 = onnx.Attention %q, %k, %k, %m, %n, %n, %n : (tensor<1x6x40x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>, tensor<1x6x40x5xf32>, none, none, none) -> (tensor<1x6x40x8xf32>, none, none, none)
  return %y#0 : tensor<1x6x40x8xf32>
}

// -----

// Packed heads; which keys come before a query is a mask of i8.
// CHECK-LABEL: func.func @causal
// CHECK: %[[M:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<1x1x3x3xi8>)
// CHECK-DAG: linalg.index 2
// CHECK-DAG: linalg.index 3
// CHECK: arith.cmpi sle
// CHECK: kern.contract {{.*}} extras(%[[M]] : tensor<1x1x3x3xi8>)
// CHECK: tensor.collapse_shape %{{.*}} into tensor<2x3x8xf32>
func.func @causal(%q: tensor<2x3x8xf32>) -> tensor<2x3x8xf32> {
  %n = onnx.None
  %y:4 = onnx.Attention %q, %q, %q, %n, %n, %n, %n {is_causal = 1 : i64, q_num_heads = 2 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x8xf32>, tensor<2x3x8xf32>, tensor<2x3x8xf32>, none, none, none, none) -> (tensor<2x3x8xf32>, none, none, none)
  return %y#0 : tensor<2x3x8xf32>
}

// -----

// f16 rounds after each step, as ONNX's definition does.
// CHECK-LABEL: func.func @narrow
// CHECK-NOT: kern.contract
// CHECK: math.fma
// CHECK: arith.truncf
// CHECK: return
func.func @narrow(%q: tensor<1x2x3x8xf16>) -> (tensor<1x2x3x8xf16>, tensor<1x2x3x3xf16>) {
  %n = onnx.None
  %y:4 = onnx.Attention %q, %q, %q, %n, %n, %n, %n {qk_matmul_output_mode = 3 : i64} : (tensor<1x2x3x8xf16>, tensor<1x2x3x8xf16>, tensor<1x2x3x8xf16>, none, none, none, none) -> (tensor<1x2x3x8xf16>, none, none, tensor<1x2x3x3xf16>)
  return %y#0, %y#3 : tensor<1x2x3x8xf16>, tensor<1x2x3x3xf16>
}
