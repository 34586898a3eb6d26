// RUN: burin-opt %s --recognize-activations --canonicalize --cse --split-input-file | FileCheck %s

// Each order of the product, the square root of 2 divided by or multiplied with, the half in
// the sum, and a gate multiplied behind it.
// CHECK-LABEL: func @gelu_erf
// CHECK-SAME: (%[[X:.*]]: tensor<2x8xf32>, %[[G:.*]]: tensor<2x8xf32>)
// CHECK: %[[Y0:.*]] = onnx.Gelu %[[X]] :
// CHECK: %[[Z:.*]] = onnx.Mul %[[Y0]], %[[G]]
// CHECK: return %[[Y0]], %[[Y0]], %[[Y0]], %[[Y0]], %[[Y0]], %[[Z]]
func.func @gelu_erf(%x: tensor<2x8xf32>, %g: tensor<2x8xf32>) -> (tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>) {
  %c0 = onnx.Constant {value = dense<1.41421354> : tensor<f32>} : () -> tensor<f32>
  %0 = onnx.Div %x, %c0 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %1 = onnx.Erf %0 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %c1 = onnx.Constant {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
  %2 = onnx.Add %1, %c1 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %3 = onnx.Mul %x, %2 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %c2 = onnx.Constant {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %4 = onnx.Mul %3, %c2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %c3 = onnx.Constant {value = dense<0.707106769> : tensor<f32>} : () -> tensor<f32>
  %5 = onnx.Mul %x, %c3 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %6 = onnx.Erf %5 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %7 = onnx.Add %c1, %6 : (tensor<f32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %8 = onnx.Mul %x, %c2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %9 = onnx.Mul %8, %7 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %10 = onnx.Div %x, %c0 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %11 = onnx.Erf %10 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %12 = onnx.Add %11, %c1 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %13 = onnx.Mul %c2, %12 : (tensor<f32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %14 = onnx.Mul %x, %13 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %15 = onnx.Div %x, %c0 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %16 = onnx.Erf %15 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %17 = onnx.Add %16, %c1 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %18 = onnx.Mul %17, %x : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %c4 = onnx.Constant {value = dense<2.0> : tensor<f32>} : () -> tensor<f32>
  %19 = onnx.Div %18, %c4 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %20 = onnx.Div %x, %c0 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %21 = onnx.Erf %20 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %22 = onnx.Mul %21, %c2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %23 = onnx.Add %22, %c2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %24 = onnx.Mul %23, %x : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %25 = onnx.Div %x, %c0 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %26 = onnx.Erf %25 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %27 = onnx.Add %26, %c1 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %28 = onnx.Mul %x, %27 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %29 = onnx.Mul %28, %c2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %30 = onnx.Mul %29, %g : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  return %4, %9, %14, %19, %24, %30 : tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>
}

// -----

// By tanh: the cube as a Pow or as products, the linear term inside or outside.
// CHECK-LABEL: func @gelu_tanh
// CHECK-SAME: (%[[X:.*]]: tensor<2x8xf32>)
// CHECK: %[[Y:.*]] = onnx.Gelu %[[X]] {approximate = "tanh"}
// CHECK: return %[[Y]], %[[Y]], %[[Y]]
func.func @gelu_tanh(%x: tensor<2x8xf32>) -> (tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>) {
  %c0 = onnx.Constant {value = dense<3.0> : tensor<f32>} : () -> tensor<f32>
  %0 = onnx.Pow %x, %c0 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %c1 = onnx.Constant {value = dense<0.044715> : tensor<f32>} : () -> tensor<f32>
  %1 = onnx.Mul %0, %c1 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %2 = onnx.Add %x, %1 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %c2 = onnx.Constant {value = dense<0.797884583> : tensor<f32>} : () -> tensor<f32>
  %3 = onnx.Mul %2, %c2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %4 = onnx.Tanh %3 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %c3 = onnx.Constant {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %5 = onnx.Mul %x, %c3 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %c4 = onnx.Constant {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
  %6 = onnx.Add %4, %c4 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %7 = onnx.Mul %5, %6 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %8 = onnx.Mul %x, %c1 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %9 = onnx.Mul %8, %x : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %10 = onnx.Mul %9, %x : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %11 = onnx.Add %10, %x : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %12 = onnx.Mul %c2, %11 : (tensor<f32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %13 = onnx.Tanh %12 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %14 = onnx.Mul %x, %c3 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %15 = onnx.Add %13, %c4 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %16 = onnx.Mul %14, %15 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %17 = onnx.Mul %x, %c2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %18 = onnx.Mul %x, %x : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %19 = onnx.Mul %18, %c1 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %20 = onnx.Add %19, %c4 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %21 = onnx.Mul %17, %20 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %22 = onnx.Tanh %21 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %23 = onnx.Mul %x, %c3 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %24 = onnx.Add %22, %c4 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %25 = onnx.Mul %23, %24 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  return %7, %16, %25 : tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>
}

// -----

// Another constant, another argument of erf, a sum that is a result, a cube of something else.
// CHECK-LABEL: func @gelu_near_misses
// CHECK-NOT: onnx.Gelu
// CHECK: return
func.func @gelu_near_misses(%x: tensor<2x8xf32>, %g: tensor<2x8xf32>) -> (tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>) {
  %c0 = onnx.Constant {value = dense<1.414> : tensor<f32>} : () -> tensor<f32>
  %0 = onnx.Div %x, %c0 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %1 = onnx.Erf %0 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %c1 = onnx.Constant {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
  %2 = onnx.Add %1, %c1 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %3 = onnx.Mul %x, %2 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %c2 = onnx.Constant {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %4 = onnx.Mul %3, %c2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %c3 = onnx.Constant {value = dense<1.41421354> : tensor<f32>} : () -> tensor<f32>
  %5 = onnx.Div %g, %c3 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %6 = onnx.Erf %5 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %7 = onnx.Add %6, %c1 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %8 = onnx.Mul %x, %7 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %9 = onnx.Mul %8, %c2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %10 = onnx.Div %x, %c3 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %11 = onnx.Erf %10 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %12 = onnx.Add %11, %c1 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %13 = onnx.Mul %x, %12 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %14 = onnx.Mul %13, %c2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %15 = onnx.Div %x, %c3 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %16 = onnx.Erf %15 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %17 = onnx.Add %16, %c1 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %18 = onnx.Mul %x, %17 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %c4 = onnx.Constant {value = dense<0.25> : tensor<f32>} : () -> tensor<f32>
  %19 = onnx.Mul %18, %c4 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %c5 = onnx.Constant {value = dense<3.0> : tensor<f32>} : () -> tensor<f32>
  %20 = onnx.Pow %g, %c5 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %c6 = onnx.Constant {value = dense<0.044715> : tensor<f32>} : () -> tensor<f32>
  %21 = onnx.Mul %20, %c6 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %22 = onnx.Add %x, %21 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %c7 = onnx.Constant {value = dense<0.797884583> : tensor<f32>} : () -> tensor<f32>
  %23 = onnx.Mul %22, %c7 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %24 = onnx.Tanh %23 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %25 = onnx.Mul %x, %c2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %26 = onnx.Add %24, %c1 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %27 = onnx.Mul %25, %26 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %c8 = onnx.Constant {value = dense<2.0> : tensor<f32>} : () -> tensor<f32>
  %28 = onnx.Pow %x, %c8 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %29 = onnx.Mul %28, %c6 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %30 = onnx.Add %x, %29 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %31 = onnx.Mul %30, %c7 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %32 = onnx.Tanh %31 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %33 = onnx.Mul %x, %c2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %34 = onnx.Add %32, %c1 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %35 = onnx.Mul %33, %34 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  return %4, %9, %14, %12, %19, %27, %35 : tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>
}

// -----

// Constants as f16 rounds them.
// CHECK-LABEL: func @gelu_f16
// CHECK: onnx.Gelu
// CHECK-NEXT: return
func.func @gelu_f16(%x: tensor<2x8xf16>) -> (tensor<2x8xf16>) {
  %c0 = onnx.Constant {value = dense<1.41406> : tensor<f16>} : () -> tensor<f16>
  %0 = onnx.Div %x, %c0 : (tensor<2x8xf16>, tensor<f16>) -> tensor<2x8xf16>
  %1 = onnx.Erf %0 : (tensor<2x8xf16>) -> tensor<2x8xf16>
  %c1 = onnx.Constant {value = dense<1.0> : tensor<f16>} : () -> tensor<f16>
  %2 = onnx.Add %1, %c1 : (tensor<2x8xf16>, tensor<f16>) -> tensor<2x8xf16>
  %3 = onnx.Mul %x, %2 : (tensor<2x8xf16>, tensor<2x8xf16>) -> tensor<2x8xf16>
  %c2 = onnx.Constant {value = dense<0.5> : tensor<f16>} : () -> tensor<f16>
  %4 = onnx.Mul %3, %c2 : (tensor<2x8xf16>, tensor<f16>) -> tensor<2x8xf16>
  return %4 : tensor<2x8xf16>
}

// -----

// Constants of f32 are not those of f64.
// CHECK-LABEL: func @gelu_f64
// CHECK-NOT: onnx.Gelu
// CHECK: return
func.func @gelu_f64(%x: tensor<2x8xf64>) -> (tensor<2x8xf64>) {
  %c0 = onnx.Constant {value = dense<1.4142135381698608> : tensor<f64>} : () -> tensor<f64>
  %0 = onnx.Div %x, %c0 : (tensor<2x8xf64>, tensor<f64>) -> tensor<2x8xf64>
  %1 = onnx.Erf %0 : (tensor<2x8xf64>) -> tensor<2x8xf64>
  %c1 = onnx.Constant {value = dense<1.0> : tensor<f64>} : () -> tensor<f64>
  %2 = onnx.Add %1, %c1 : (tensor<2x8xf64>, tensor<f64>) -> tensor<2x8xf64>
  %3 = onnx.Mul %x, %2 : (tensor<2x8xf64>, tensor<2x8xf64>) -> tensor<2x8xf64>
  %c2 = onnx.Constant {value = dense<0.5> : tensor<f64>} : () -> tensor<f64>
  %4 = onnx.Mul %3, %c2 : (tensor<2x8xf64>, tensor<f64>) -> tensor<2x8xf64>
  return %4 : tensor<2x8xf64>
}

// -----

// With and without a factor; a sigmoid of something else, or that is a result, stays.
// CHECK-LABEL: func @swish
// CHECK-SAME: (%[[X:.*]]: tensor<2x8xf32>, %[[G:.*]]: tensor<2x8xf32>)
// CHECK-DAG: %[[Y:.*]] = onnx.Swish %[[X]] :
// CHECK-DAG: %[[Z:.*]] = onnx.Swish %[[X]] {alpha = 1.702
// CHECK-DAG: %[[S:.*]] = onnx.Sigmoid %[[G]]
// CHECK-DAG: %[[M:.*]] = onnx.Mul %[[X]], %[[S]]
// CHECK-DAG: %[[N:.*]] = onnx.Mul %[[S]], %[[G]]
// CHECK: return %[[Y]], %[[Z]], %[[M]], %[[N]]
func.func @swish(%x: tensor<2x8xf32>, %g: tensor<2x8xf32>) -> (tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>) {
  %0 = onnx.Sigmoid %x : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %1 = onnx.Mul %0, %x : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %c0 = onnx.Constant {value = dense<1.702> : tensor<f32>} : () -> tensor<f32>
  %2 = onnx.Mul %x, %c0 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %3 = onnx.Sigmoid %2 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %4 = onnx.Mul %x, %3 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %5 = onnx.Sigmoid %g : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %6 = onnx.Mul %x, %5 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %7 = onnx.Mul %5, %g : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  return %1, %4, %6, %7 : tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>
}

// -----

// Relu6 as Clip, as Min of Relu and the other way round; then times x.
// CHECK-LABEL: func @hard
// CHECK-SAME: (%[[X:.*]]: tensor<2x8xf32>)
// CHECK-DAG: %[[Y:.*]] = onnx.HardSigmoid %[[X]] {alpha = 0.166666672 : f32
// CHECK-DAG: %[[Z:.*]] = onnx.HardSwish %[[X]]
// CHECK: return %[[Y]], %[[Y]], %[[Y]], %[[Z]], %[[Z]]
func.func @hard(%x: tensor<2x8xf32>) -> (tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>) {
  %c0 = onnx.Constant {value = dense<3.0> : tensor<f32>} : () -> tensor<f32>
  %0 = onnx.Add %x, %c0 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %c1 = onnx.Constant {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
  %c2 = onnx.Constant {value = dense<6.0> : tensor<f32>} : () -> tensor<f32>
  %1 = onnx.Clip %0, %c1, %c2 : (tensor<2x8xf32>, tensor<f32>, tensor<f32>) -> tensor<2x8xf32>
  %2 = onnx.Div %1, %c2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %3 = onnx.Add %x, %c0 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %4 = onnx.Relu %3 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %5 = onnx.Min %4, %c2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %c3 = onnx.Constant {value = dense<0.166666672> : tensor<f32>} : () -> tensor<f32>
  %6 = onnx.Mul %5, %c3 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %7 = onnx.Add %x, %c0 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %8 = onnx.Min %7, %c2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %9 = onnx.Relu %8 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %10 = onnx.Div %9, %c2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %11 = onnx.Add %x, %c0 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %12 = onnx.Clip %11, %c1, %c2 : (tensor<2x8xf32>, tensor<f32>, tensor<f32>) -> tensor<2x8xf32>
  %13 = onnx.Mul %x, %12 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %14 = onnx.Div %13, %c2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %15 = onnx.Add %x, %c0 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %16 = onnx.Clip %15, %c1, %c2 : (tensor<2x8xf32>, tensor<f32>, tensor<f32>) -> tensor<2x8xf32>
  %17 = onnx.Mul %16, %c3 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %18 = onnx.Mul %x, %17 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  return %2, %6, %10, %14, %18 : tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>
}

// -----

// A limit of 5; a sixth that is none; a limit that is a result.
// CHECK-LABEL: func @hard_near_misses
// CHECK-NOT: onnx.Hard
// CHECK: return
func.func @hard_near_misses(%x: tensor<2x8xf32>) -> (tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>) {
  %c0 = onnx.Constant {value = dense<3.0> : tensor<f32>} : () -> tensor<f32>
  %0 = onnx.Add %x, %c0 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %c1 = onnx.Constant {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
  %c2 = onnx.Constant {value = dense<6.0> : tensor<f32>} : () -> tensor<f32>
  %1 = onnx.Clip %0, %c1, %c2 : (tensor<2x8xf32>, tensor<f32>, tensor<f32>) -> tensor<2x8xf32>
  %2 = onnx.Add %x, %c0 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %c3 = onnx.Constant {value = dense<5.0> : tensor<f32>} : () -> tensor<f32>
  %3 = onnx.Clip %2, %c1, %c3 : (tensor<2x8xf32>, tensor<f32>, tensor<f32>) -> tensor<2x8xf32>
  %4 = onnx.Div %3, %c2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %5 = onnx.Add %x, %c0 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %6 = onnx.Clip %5, %c1, %c2 : (tensor<2x8xf32>, tensor<f32>, tensor<f32>) -> tensor<2x8xf32>
  %7 = onnx.Div %6, %c3 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %8 = onnx.Div %1, %c2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %9 = onnx.Mul %x, %8 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  return %4, %7, %9, %1 : tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>
}
