// RUN: burin-opt %s --lower-onnx --split-input-file --mlir-print-local-scope | FileCheck %s
// RUN: burin-opt %s --lower-onnx=bf16-weights --split-input-file --mlir-print-local-scope | FileCheck %s --check-prefix=BF16

// A constant right operand is packed when it is written.
// CHECK-LABEL: func.func @matmul_weight
// CHECK: %[[W:.*]] = plan.constant #plan.weight<"model", 128, 16384, <[64, 64] permute[1, 0] panel 16>> : tensor<4x64x16xf32>
// CHECK: kern.contract ins(%{{.*}}, %[[W]] : tensor<2x10x64xf32>, tensor<4x64x16xf32>) outs(%{{.*}} : tensor<2x10x64xf32>)
// BF16-LABEL: func.func @matmul_weight
// BF16: %[[W:.*]] = plan.constant #plan.weight<"model", 128, 16384, <[64, 64] permute[1, 0] panel 16 bf16 true>> : tensor<4x64x16xbf16>
// BF16: kern.contract ins(%{{.*}}, %[[W]] : tensor<2x10x64xf32>, tensor<4x64x16xbf16>) outs(%{{.*}} : tensor<2x10x64xf32>)
func.func @matmul_weight(%a: tensor<2x10x64xf32>) -> tensor<2x10x64xf32> {
  %w = "onnx.Constant"() {value = #plan.weight<"model", 128, 16384> : tensor<64x64xf32>} : () -> tensor<64x64xf32>
  %r = "onnx.MatMul"(%a, %w) : (tensor<2x10x64xf32>, tensor<64x64xf32>) -> tensor<2x10x64xf32>
  return %r : tensor<2x10x64xf32>
}

// -----

// Small constants are packed at once, zeros in the columns past the end.
// CHECK-LABEL: func.func @matmul_dense
// CHECK: plan.constant dense<{{.*}}1.000000e+00, 2.000000e+00, 0.000000e+00{{.*}}3.000000e+00, 4.000000e+00, 0.000000e+00{{.*}}> : tensor<1x2x16xf32>
func.func @matmul_dense(%a: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %w = "onnx.Constant"() {value = dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>} : () -> tensor<2x2xf32>
  %r = "onnx.MatMul"(%a, %w) : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  return %r : tensor<3x2xf32>
}

// -----

// Two activations: packing is an op of its own; the batch dim of size 1 is shared.
// CHECK-LABEL: func.func @matmul_batched
// CHECK: %[[SPLIT:.*]] = tensor.expand_shape {{.*}} into tensor<12x32x3x16xf32>
// CHECK: %[[PACKED:.*]] = linalg.generic {{.*}} ins(%[[SPLIT]]
// CHECK: kern.contract ins(%{{.*}}, %[[PACKED]] : tensor<4x12x100x32xf32>, tensor<12x3x32x16xf32>)
// CHECK-SAME: b_map = affine_map<(d0, d1, d2, d3) -> (d1)>
// What is no constant stays f32.
// BF16-LABEL: func.func @matmul_batched
// BF16-NOT: bf16
// BF16: return
func.func @matmul_batched(%a: tensor<4x12x100x32xf32>, %b: tensor<1x12x32x48xf32>) -> tensor<4x12x100x48xf32> {
  %r = "onnx.MatMul"(%a, %b) : (tensor<4x12x100x32xf32>, tensor<1x12x32x48xf32>) -> tensor<4x12x100x48xf32>
  return %r : tensor<4x12x100x48xf32>
}

// -----

// As few rows of one matrix as gain too little from packing it; those of the batch have matrices of their own.
// CHECK-LABEL: func.func @matmul_few
// CHECK-NOT: linalg.generic
// CHECK: kern.contract ins(%{{.*}}, %{{.*}} : tensor<12x8x32xf32>, tensor<12x32x48xf32>)
// CHECK-SAME: b_map = affine_map<(d0, d1, d2, d3) -> (d0, d3, d2)>
func.func @matmul_few(%a: tensor<12x8x32xf32>, %b: tensor<12x32x48xf32>) -> tensor<12x8x48xf32> {
  %r = "onnx.MatMul"(%a, %b) : (tensor<12x8x32xf32>, tensor<12x32x48xf32>) -> tensor<12x8x48xf32>
  return %r : tensor<12x8x48xf32>
}

// -----

// CHECK-LABEL: func.func @matmul_vectors
// CHECK: kern.contract ins(%{{.*}}, %{{.*}} : tensor<1x5xf32>, tensor<5x1xf32>) outs(%{{.*}} : tensor<1x1xf32>)
// CHECK: tensor.collapse_shape {{.*}} : tensor<1x1xf32> into tensor<f32>
func.func @matmul_vectors(%a: tensor<5xf32>, %b: tensor<5xf32>) -> tensor<f32> {
  %r = "onnx.MatMul"(%a, %b) : (tensor<5xf32>, tensor<5xf32>) -> tensor<f32>
  return %r : tensor<f32>
}

// -----

// Narrow floats are summed in f32 and rounded once.
// CHECK-LABEL: func.func @matmul_f16
// CHECK: math.fma {{.*}} : f32
// CHECK: arith.truncf
func.func @matmul_f16(%a: tensor<3x4xf16>, %b: tensor<4x5xf16>) -> tensor<3x5xf16> {
  %r = "onnx.MatMul"(%a, %b) : (tensor<3x4xf16>, tensor<4x5xf16>) -> tensor<3x5xf16>
  return %r : tensor<3x5xf16>
}

// -----

// alpha, beta and C are the epilogue.
// CHECK-LABEL: func.func @gemm
// CHECK: kern.contract {{.*}} extras(%{{.*}} : tensor<50xf32>)
// CHECK-SAME: a_map = affine_map<(d0, d1, d2) -> (d2, d0)>
// CHECK: ^bb0(%[[SUM:.*]]: f32, %[[C:.*]]: f32):
// CHECK: %[[ALPHA:.*]] = arith.mulf %[[SUM]]
// CHECK: %[[BETA:.*]] = arith.mulf %[[C]]
// CHECK: arith.addf %[[ALPHA]], %[[BETA]]
func.func @gemm(%a: tensor<20x8xf32>, %w: tensor<50x20xf32>, %c: tensor<50xf32>) -> tensor<8x50xf32> {
  %r = "onnx.Gemm"(%a, %w, %c) {alpha = 0.5 : f32, beta = 2.0 : f32, transA = 1 : i64, transB = 1 : i64}
      : (tensor<20x8xf32>, tensor<50x20xf32>, tensor<50xf32>) -> tensor<8x50xf32>
  return %r : tensor<8x50xf32>
}

// -----

// CHECK-LABEL: func.func @matmul_integer
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction", "parallel"]
// CHECK: arith.extui {{.*}} : i8 to i32
// CHECK: arith.subi
// CHECK: arith.muli
func.func @matmul_integer(%a: tensor<4x3xui8>, %b: tensor<3x2xsi8>, %za: tensor<ui8>) -> tensor<4x2xsi32> {
  %none = onnx.None
  %r = "onnx.MatMulInteger"(%a, %b, %za, %none) : (tensor<4x3xui8>, tensor<3x2xsi8>, tensor<ui8>, none) -> tensor<4x2xsi32>
  return %r : tensor<4x2xsi32>
}

// -----

// One column dim only in the right operand: a contraction.
// CHECK-LABEL: func.func @einsum_attention
// CHECK: kern.contract
// CHECK-SAME: reduction = array<i64: 64>
func.func @einsum_attention(%q: tensor<2x4x10x64xf32>, %k: tensor<2x4x16x64xf32>) -> tensor<2x4x10x16xf32> {
  %r = "onnx.Einsum"(%q, %k) {equation = "bhqd,bhkd->bhqk"} : (tensor<2x4x10x64xf32>, tensor<2x4x16x64xf32>) -> tensor<2x4x10x16xf32>
  return %r : tensor<2x4x10x16xf32>
}

// -----

// CHECK-LABEL: func.func @einsum_trace
// CHECK: linalg.generic {{.*}} iterator_types = ["reduction"]
func.func @einsum_trace(%x: tensor<5x5xf32>) -> tensor<f32> {
  %r = "onnx.Einsum"(%x) {equation = "ii->"} : (tensor<5x5xf32>) -> tensor<f32>
  return %r : tensor<f32>
}

// -----

// CHECK-LABEL: func.func @det
// CHECK: scf.for
// CHECK: math.absf
func.func @det(%x: tensor<2x3x3xf32>) -> tensor<2xf32> {
  %r = "onnx.Det"(%x) : (tensor<2x3x3xf32>) -> tensor<2xf32>
  return %r : tensor<2xf32>
}
