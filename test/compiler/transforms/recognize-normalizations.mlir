// RUN: burin-opt %s --recognize-normalizations --canonicalize --split-input-file | FileCheck %s

// ReduceMean, Sub, Pow, ReduceMean, Add, Sqrt, Div, Mul, Add.
// CHECK-LABEL: func @layer_norm
// CHECK-SAME: (%[[X:.*]]: tensor<2x3x8xf32>, %[[W:.*]]: tensor<8xf32>, %[[B:.*]]: tensor<8xf32>)
// CHECK: %[[Y:.*]], %{{.*}}, %{{.*}} = onnx.LayerNormalization %[[X]], %[[W]], %[[B]]
// CHECK-SAME: {epsilon = 9.99999996E-13 : f32}
// CHECK-NEXT: return %[[Y]]
func.func @layer_norm(%x: tensor<2x3x8xf32>, %w: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<2x3x8xf32> {
  %axes = onnx.Constant {value = dense<-1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %two = onnx.Constant {value = dense<2.0> : tensor<f32>} : () -> tensor<f32>
  %eps = onnx.Constant {value = dense<9.99999996E-13> : tensor<f32>} : () -> tensor<f32>
  %m = onnx.ReduceMean %x, %axes : (tensor<2x3x8xf32>, tensor<1xsi64>) -> tensor<2x3x1xf32>
  %d = onnx.Sub %x, %m : (tensor<2x3x8xf32>, tensor<2x3x1xf32>) -> tensor<2x3x8xf32>
  %s = onnx.Pow %d, %two : (tensor<2x3x8xf32>, tensor<f32>) -> tensor<2x3x8xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<2x3x8xf32>, tensor<1xsi64>) -> tensor<2x3x1xf32>
  %a = onnx.Add %v, %eps : (tensor<2x3x1xf32>, tensor<f32>) -> tensor<2x3x1xf32>
  %r = onnx.Sqrt %a : (tensor<2x3x1xf32>) -> tensor<2x3x1xf32>
  %q = onnx.Div %d, %r : (tensor<2x3x8xf32>, tensor<2x3x1xf32>) -> tensor<2x3x8xf32>
  %k = onnx.Mul %q, %w : (tensor<2x3x8xf32>, tensor<8xf32>) -> tensor<2x3x8xf32>
  %y = onnx.Add %k, %b : (tensor<2x3x8xf32>, tensor<8xf32>) -> tensor<2x3x8xf32>
  return %y : tensor<2x3x8xf32>
}

// -----

// A square that is a Mul, the last two dimensions, operands the other way round, no bias.
// CHECK-LABEL: func @two_axes
// CHECK-SAME: (%[[X:.*]]: tensor<2x3x8xf32>, %[[W:.*]]: tensor<3x8xf32>)
// CHECK: %[[N:.*]] = onnx.None
// CHECK: %[[Y:.*]], %{{.*}}, %{{.*}} = onnx.LayerNormalization %[[X]], %[[W]], %[[N]]
// CHECK-SAME: axis = -2
// CHECK-NEXT: return %[[Y]]
func.func @two_axes(%x: tensor<2x3x8xf32>, %w: tensor<3x8xf32>) -> tensor<2x3x8xf32> {
  %axes = onnx.Constant {value = dense<[-1, 1]> : tensor<2xsi64>} : () -> tensor<2xsi64>
  %eps = onnx.Constant {value = dense<1.0e-5> : tensor<f32>} : () -> tensor<f32>
  %m = onnx.ReduceMean %x, %axes : (tensor<2x3x8xf32>, tensor<2xsi64>) -> tensor<2x1x1xf32>
  %d = onnx.Sub %x, %m : (tensor<2x3x8xf32>, tensor<2x1x1xf32>) -> tensor<2x3x8xf32>
  %s = onnx.Mul %d, %d : (tensor<2x3x8xf32>, tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<2x3x8xf32>, tensor<2xsi64>) -> tensor<2x1x1xf32>
  %a = onnx.Add %eps, %v : (tensor<f32>, tensor<2x1x1xf32>) -> tensor<2x1x1xf32>
  %r = onnx.Sqrt %a : (tensor<2x1x1xf32>) -> tensor<2x1x1xf32>
  %i = onnx.Reciprocal %r : (tensor<2x1x1xf32>) -> tensor<2x1x1xf32>
  %q = onnx.Mul %i, %d : (tensor<2x1x1xf32>, tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
  %y = onnx.Mul %w, %q : (tensor<3x8xf32>, tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
  return %y : tensor<2x3x8xf32>
}

// -----

// Of an f16 tensor: statistics are f32 between casts, the scale is f16.
// CHECK-LABEL: func @rms_norm_f16
// CHECK-SAME: (%[[X:.*]]: tensor<2x8xf16>, %[[W:.*]]: tensor<8xf16>)
// CHECK-NEXT: %[[Y:.*]] = onnx.RMSNormalization %[[X]], %[[W]] {epsilon = 9.99999997E-7 : f32}
// CHECK-NEXT: return %[[Y]]
func.func @rms_norm_f16(%x: tensor<2x8xf16>, %w: tensor<8xf16>) -> tensor<2x8xf16> {
  %axes = onnx.Constant {value = dense<-1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %two = onnx.Constant {value = dense<2> : tensor<si64>} : () -> tensor<si64>
  %one = onnx.Constant {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
  %eps = onnx.Constant {value = dense<9.99999997E-7> : tensor<1xf32>} : () -> tensor<1xf32>
  %c = onnx.Cast %x {to = 1 : i64} : (tensor<2x8xf16>) -> tensor<2x8xf32>
  %s = onnx.Pow %c, %two : (tensor<2x8xf32>, tensor<si64>) -> tensor<2x8xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<2x8xf32>, tensor<1xsi64>) -> tensor<2x1xf32>
  %a = onnx.Add %v, %eps : (tensor<2x1xf32>, tensor<1xf32>) -> tensor<2x1xf32>
  %r = onnx.Sqrt %a : (tensor<2x1xf32>) -> tensor<2x1xf32>
  %i = onnx.Div %one, %r : (tensor<f32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  %q = onnx.Mul %c, %i : (tensor<2x8xf32>, tensor<2x1xf32>) -> tensor<2x8xf32>
  %n = onnx.Cast %q {to = 10 : i64} : (tensor<2x8xf32>) -> tensor<2x8xf16>
  %y = onnx.Mul %w, %n : (tensor<8xf16>, tensor<2x8xf16>) -> tensor<2x8xf16>
  return %y : tensor<2x8xf16>
}

// -----

// The inverse root as a power; a scale of the batch's size stays a product of its own.
// CHECK-LABEL: func @rms_norm_power
// CHECK: onnx.RMSNormalization
// CHECK-NEXT: onnx.Mul
func.func @rms_norm_power(%x: tensor<2x8xf32>, %w: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %axes = onnx.Constant {value = dense<1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %half = onnx.Constant {value = dense<-0.5> : tensor<f32>} : () -> tensor<f32>
  %eps = onnx.Constant {value = dense<1.0e-6> : tensor<f32>} : () -> tensor<f32>
  %s = onnx.Mul %x, %x : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<2x8xf32>, tensor<1xsi64>) -> tensor<2x1xf32>
  %a = onnx.Add %v, %eps : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32>
  %i = onnx.Pow %a, %half : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32>
  %q = onnx.Mul %x, %i : (tensor<2x8xf32>, tensor<2x1xf32>) -> tensor<2x8xf32>
  %y = onnx.Mul %q, %w : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  return %y : tensor<2x8xf32>
}

// -----

// A mean of another axis than the variance: the difference is normalised, not x.
// CHECK-LABEL: func @other_mean
// CHECK-NOT: onnx.LayerNormalization
// CHECK: onnx.Sub
// CHECK-NEXT: onnx.RMSNormalization
func.func @other_mean(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %rows = onnx.Constant {value = dense<1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %columns = onnx.Constant {value = dense<0> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %eps = onnx.Constant {value = dense<1.0e-6> : tensor<f32>} : () -> tensor<f32>
  %m = onnx.ReduceMean %x, %columns : (tensor<8x8xf32>, tensor<1xsi64>) -> tensor<1x8xf32>
  %d = onnx.Sub %x, %m : (tensor<8x8xf32>, tensor<1x8xf32>) -> tensor<8x8xf32>
  %s = onnx.Mul %d, %d : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %v = onnx.ReduceMean %s, %rows : (tensor<8x8xf32>, tensor<1xsi64>) -> tensor<8x1xf32>
  %a = onnx.Add %v, %eps : (tensor<8x1xf32>, tensor<f32>) -> tensor<8x1xf32>
  %r = onnx.Sqrt %a : (tensor<8x1xf32>) -> tensor<8x1xf32>
  %y = onnx.Div %d, %r : (tensor<8x8xf32>, tensor<8x1xf32>) -> tensor<8x8xf32>
  return %y : tensor<8x8xf32>
}

// -----

// Neither the first dimension, nor an exponent of 3, nor f16 written out, nor a variance that is
// a result, nor an epsilon of one number per row.
// CHECK-LABEL: func @near_misses
// CHECK-NOT: Normalization
// CHECK: return
func.func @near_misses(%x: tensor<4x8xf32>, %h: tensor<4x8xf16>, %e: tensor<4x1xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf16>, tensor<4x8xf32>, tensor<4x1xf32>, tensor<4x8xf32>) {
  %rows = onnx.Constant {value = dense<1> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %columns = onnx.Constant {value = dense<0> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %three = onnx.Constant {value = dense<3.0> : tensor<f32>} : () -> tensor<f32>
  %eps = onnx.Constant {value = dense<1.0e-6> : tensor<f32>} : () -> tensor<f32>
  %eps16 = onnx.Constant {value = dense<1.0e-3> : tensor<f16>} : () -> tensor<f16>
  %s = onnx.Mul %x, %x : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %v0 = onnx.ReduceMean %s, %columns : (tensor<4x8xf32>, tensor<1xsi64>) -> tensor<1x8xf32>
  %a0 = onnx.Add %v0, %eps : (tensor<1x8xf32>, tensor<f32>) -> tensor<1x8xf32>
  %r0 = onnx.Sqrt %a0 : (tensor<1x8xf32>) -> tensor<1x8xf32>
  %y0 = onnx.Div %x, %r0 : (tensor<4x8xf32>, tensor<1x8xf32>) -> tensor<4x8xf32>

  %p = onnx.Pow %x, %three : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32>
  %v1 = onnx.ReduceMean %p, %rows : (tensor<4x8xf32>, tensor<1xsi64>) -> tensor<4x1xf32>
  %a1 = onnx.Add %v1, %eps : (tensor<4x1xf32>, tensor<f32>) -> tensor<4x1xf32>
  %r1 = onnx.Sqrt %a1 : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %y1 = onnx.Div %x, %r1 : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>

  %s2 = onnx.Mul %h, %h : (tensor<4x8xf16>, tensor<4x8xf16>) -> tensor<4x8xf16>
  %v2 = onnx.ReduceMean %s2, %rows : (tensor<4x8xf16>, tensor<1xsi64>) -> tensor<4x1xf16>
  %a2 = onnx.Add %v2, %eps16 : (tensor<4x1xf16>, tensor<f16>) -> tensor<4x1xf16>
  %r2 = onnx.Sqrt %a2 : (tensor<4x1xf16>) -> tensor<4x1xf16>
  %y2 = onnx.Div %h, %r2 : (tensor<4x8xf16>, tensor<4x1xf16>) -> tensor<4x8xf16>

  %s3 = onnx.Mul %x, %x : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %v3 = onnx.ReduceMean %s3, %rows : (tensor<4x8xf32>, tensor<1xsi64>) -> tensor<4x1xf32>
  %a3 = onnx.Add %v3, %eps : (tensor<4x1xf32>, tensor<f32>) -> tensor<4x1xf32>
  %r3 = onnx.Sqrt %a3 : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %y3 = onnx.Div %x, %r3 : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>

  %s4 = onnx.Mul %x, %x : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %v4 = onnx.ReduceMean %s4, %rows : (tensor<4x8xf32>, tensor<1xsi64>) -> tensor<4x1xf32>
  %a4 = onnx.Add %v4, %e : (tensor<4x1xf32>, tensor<4x1xf32>) -> tensor<4x1xf32>
  %r4 = onnx.Sqrt %a4 : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %y4 = onnx.Div %x, %r4 : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  return %y0, %y1, %y2, %y3, %v3, %y4 : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf16>, tensor<4x8xf32>, tensor<4x1xf32>, tensor<4x8xf32>
}

// -----

// A norm that is read before its scale keeps its own; the scaled one is another op.
// CHECK-LABEL: func @read_twice
// CHECK: onnx.RMSNormalization
// CHECK-NEXT: onnx.Mul
func.func @read_twice(%x: tensor<4x8xf32>, %w: tensor<8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %ones = onnx.Constant {value = dense<1.0> : tensor<8xf32>} : () -> tensor<8xf32>
  %n = onnx.RMSNormalization %x, %ones : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %y = onnx.Mul %n, %w : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  return %n, %y : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// Groups of channels by reshapes, with a scale and a bias per channel; the parameters of another axis, and
// groups that are scaled themselves, stay.
// CHECK-LABEL: func @groups
// CHECK-SAME: (%[[X:.*]]: tensor<2x6x4x5xf32>, %[[W:.*]]: tensor<6x1x1xf32>, %[[B:.*]]: tensor<1x6x1x1xf32>, %[[R:.*]]: tensor<4x1xf32>
// CHECK-DAG: %[[WV:.*]] = onnx.Reshape %[[W]], %{{.*}} -> tensor<6xf32>
// CHECK-DAG: %[[BV:.*]] = onnx.Reshape %[[B]], %{{.*}} -> tensor<6xf32>
// CHECK: %[[Y:.*]] = onnx.GroupNormalization %[[X]], %[[WV]], %[[BV]] {epsilon = {{.*}}, num_groups = 3 : i64}
// CHECK: %[[N:.*]] = onnx.GroupNormalization %[[X]]
// CHECK: %[[Z:.*]] = onnx.Mul %[[N]], %[[R]]
// CHECK: onnx.InstanceNormalization
// CHECK: return %[[Y]], %[[Z]]
func.func @groups(%x: tensor<2x6x4x5xf32>, %w: tensor<6x1x1xf32>, %b: tensor<1x6x1x1xf32>, %r: tensor<4x1xf32>, %s: tensor<3xf32>) -> (tensor<2x6x4x5xf32>, tensor<2x6x4x5xf32>, tensor<2x6x4x5xf32>) {
  %ones = onnx.Constant {value = dense<1.0> : tensor<3xf32>} : () -> tensor<3xf32>
  %zeros = onnx.Constant {value = dense<0.0> : tensor<3xf32>} : () -> tensor<3xf32>
  %three = onnx.Constant {value = dense<[0, 3, -1]> : tensor<3xsi64>} : () -> tensor<3xsi64>
  %four = onnx.Constant {value = dense<[2, 6, 4, 5]> : tensor<4xsi64>} : () -> tensor<4xsi64>
  %g = onnx.Reshape %x, %three : (tensor<2x6x4x5xf32>, tensor<3xsi64>) -> tensor<2x3x40xf32>
  %i = onnx.InstanceNormalization %g, %ones, %zeros {epsilon = 1.0e-3 : f32} : (tensor<2x3x40xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3x40xf32>
  %n = onnx.Reshape %i, %four : (tensor<2x3x40xf32>, tensor<4xsi64>) -> tensor<2x6x4x5xf32>
  %m = onnx.Mul %n, %w : (tensor<2x6x4x5xf32>, tensor<6x1x1xf32>) -> tensor<2x6x4x5xf32>
  %y = onnx.Add %m, %b : (tensor<2x6x4x5xf32>, tensor<1x6x1x1xf32>) -> tensor<2x6x4x5xf32>
  %g2 = onnx.Reshape %x, %three : (tensor<2x6x4x5xf32>, tensor<3xsi64>) -> tensor<2x3x40xf32>
  %i2 = onnx.InstanceNormalization %g2, %ones, %zeros : (tensor<2x3x40xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3x40xf32>
  %n2 = onnx.Reshape %i2, %four : (tensor<2x3x40xf32>, tensor<4xsi64>) -> tensor<2x6x4x5xf32>
  %z = onnx.Mul %n2, %r : (tensor<2x6x4x5xf32>, tensor<4x1xf32>) -> tensor<2x6x4x5xf32>
  %g3 = onnx.Reshape %x, %three : (tensor<2x6x4x5xf32>, tensor<3xsi64>) -> tensor<2x3x40xf32>
  %i3 = onnx.InstanceNormalization %g3, %s, %zeros : (tensor<2x3x40xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3x40xf32>
  %n3 = onnx.Reshape %i3, %four : (tensor<2x3x40xf32>, tensor<4xsi64>) -> tensor<2x6x4x5xf32>
  return %y, %z, %n3 : tensor<2x6x4x5xf32>, tensor<2x6x4x5xf32>, tensor<2x6x4x5xf32>
}
