// RUN: burin-opt %s --recognize-attention --canonicalize --cse --split-input-file | FileCheck %s

// A divisor and a mask that is added; keys transposed out of [batch, length, heads, size].
// CHECK-LABEL: func @added
// CHECK-SAME: (%[[Q:.*]]: tensor<2x4x5x8xf32>, %[[K:.*]]: tensor<2x6x4x8xf32>, %[[V:.*]]: tensor<2x4x6x8xf32>, %[[M:.*]]: tensor<2x1x1x6xf32>)
// CHECK: %[[KT:.*]] = onnx.Transpose %[[K]] {perm = array<i64: 0, 2, 1, 3>}
// CHECK: %[[Y:[a-zA-Z0-9_]+]], %{{.*}} = onnx.Attention %[[Q]], %[[KT]], %[[V]], %[[M]], {{.*}} {scale = 2.500000e-01 : f32, unguarded}
// CHECK-NEXT: return %[[Y]]
func.func @added(%q: tensor<2x4x5x8xf32>, %k: tensor<2x6x4x8xf32>, %v: tensor<2x4x6x8xf32>, %m: tensor<2x1x1x6xf32>) -> tensor<2x4x5x8xf32> {
  %four = onnx.Constant {value = dense<4.0> : tensor<f32>} : () -> tensor<f32>
  %kt = onnx.Transpose %k {perm = array<i64: 0, 2, 3, 1>} : (tensor<2x6x4x8xf32>) -> tensor<2x4x8x6xf32>
  %s = onnx.MatMul %q, %kt : (tensor<2x4x5x8xf32>, tensor<2x4x8x6xf32>) -> tensor<2x4x5x6xf32>
  %d = onnx.Div %s, %four : (tensor<2x4x5x6xf32>, tensor<f32>) -> tensor<2x4x5x6xf32>
  %a = onnx.Add %m, %d : (tensor<2x1x1x6xf32>, tensor<2x4x5x6xf32>) -> tensor<2x4x5x6xf32>
  %p = onnx.Softmax %a {axis = 3 : i64} : (tensor<2x4x5x6xf32>) -> tensor<2x4x5x6xf32>
  %y = onnx.MatMul %p, %v : (tensor<2x4x5x6xf32>, tensor<2x4x6x8xf32>) -> tensor<2x4x5x8xf32>
  return %y : tensor<2x4x5x8xf32>
}

// -----

// Half of the scale on queries, half on keys; NaN of rows that are masked wholly becomes 0.
// CHECK-LABEL: func @guarded
// CHECK-SAME: (%[[Q:.*]]: tensor<1x4x5x8xf32>, %[[K:.*]]: tensor<1x4x6x8xf32>, %[[V:.*]]: tensor<1x4x6x8xf32>, %[[M:.*]]: tensor<5x6xf32>)
// CHECK: onnx.Attention %[[Q]], %[[K]], %[[V]], %[[M]], {{.*}} {scale = 2.500000e-01 : f32}
// CHECK-NEXT: return
func.func @guarded(%q: tensor<1x4x5x8xf32>, %k: tensor<1x4x6x8xf32>, %v: tensor<1x4x6x8xf32>, %m: tensor<5x6xf32>) -> tensor<1x4x5x8xf32> {
  %half = onnx.Constant {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %zero = onnx.Constant {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
  %qs = onnx.Mul %q, %half : (tensor<1x4x5x8xf32>, tensor<f32>) -> tensor<1x4x5x8xf32>
  %kt = onnx.Transpose %k {perm = array<i64: 0, 1, 3, 2>} : (tensor<1x4x6x8xf32>) -> tensor<1x4x8x6xf32>
  %ks = onnx.Mul %kt, %half : (tensor<1x4x8x6xf32>, tensor<f32>) -> tensor<1x4x8x6xf32>
  %s = onnx.MatMul %qs, %ks : (tensor<1x4x5x8xf32>, tensor<1x4x8x6xf32>) -> tensor<1x4x5x6xf32>
  %a = onnx.Add %s, %m : (tensor<1x4x5x6xf32>, tensor<5x6xf32>) -> tensor<1x4x5x6xf32>
  %p = onnx.Softmax %a : (tensor<1x4x5x6xf32>) -> tensor<1x4x5x6xf32>
  %n = onnx.IsNaN %p : (tensor<1x4x5x6xf32>) -> tensor<1x4x5x6xi1>
  %w = onnx.Where %n, %zero, %p : (tensor<1x4x5x6xi1>, tensor<f32>, tensor<1x4x5x6xf32>) -> tensor<1x4x5x6xf32>
  %y = onnx.MatMul %w, %v : (tensor<1x4x5x6xf32>, tensor<1x4x6x8xf32>) -> tensor<1x4x5x8xf32>
  return %y : tensor<1x4x5x8xf32>
}

// -----

// A mask by Where, keys and values repeated for groups of three heads.
// CHECK-LABEL: func @groups
// CHECK-SAME: (%[[Q:.*]]: tensor<1x6x1x8xf32>, %[[K:.*]]: tensor<1x2x7x8xf32>, %[[V:.*]]: tensor<1x2x7x8xf32>, %[[C:.*]]: tensor<1x1x1x7xi1>)
// CHECK: onnx.Attention %[[Q]], %[[K]], %[[V]], %[[C]], {{.*}} {excluded = -1.000000e+09 : f32, scale = 1.000000e+00 : f32, unguarded}
// CHECK-NEXT: return
func.func @groups(%q: tensor<1x6x1x8xf32>, %k: tensor<1x2x7x8xf32>, %v: tensor<1x2x7x8xf32>, %c: tensor<1x1x1x7xi1>) -> tensor<1x6x1x8xf32> {
  %low = onnx.Constant {value = dense<-1.0e9> : tensor<f32>} : () -> tensor<f32>
  %two = onnx.Constant {value = dense<2> : tensor<1xsi64>} : () -> tensor<1xsi64>
  %five = onnx.Constant {value = dense<[1, 2, 3, 7, 8]> : tensor<5xsi64>} : () -> tensor<5xsi64>
  %four = onnx.Constant {value = dense<[1, 6, 7, 8]> : tensor<4xsi64>} : () -> tensor<4xsi64>
  %ku = onnx.Unsqueeze %k, %two : (tensor<1x2x7x8xf32>, tensor<1xsi64>) -> tensor<1x2x1x7x8xf32>
  %ke = onnx.Expand %ku, %five : (tensor<1x2x1x7x8xf32>, tensor<5xsi64>) -> tensor<1x2x3x7x8xf32>
  %kr = onnx.Reshape %ke, %four : (tensor<1x2x3x7x8xf32>, tensor<4xsi64>) -> tensor<1x6x7x8xf32>
  %vu = onnx.Unsqueeze %v, %two : (tensor<1x2x7x8xf32>, tensor<1xsi64>) -> tensor<1x2x1x7x8xf32>
  %ve = onnx.Expand %vu, %five : (tensor<1x2x1x7x8xf32>, tensor<5xsi64>) -> tensor<1x2x3x7x8xf32>
  %vr = onnx.Reshape %ve, %four : (tensor<1x2x3x7x8xf32>, tensor<4xsi64>) -> tensor<1x6x7x8xf32>
  %kt = onnx.Transpose %kr {perm = array<i64: 0, 1, 3, 2>} : (tensor<1x6x7x8xf32>) -> tensor<1x6x8x7xf32>
  %s = onnx.MatMul %q, %kt : (tensor<1x6x1x8xf32>, tensor<1x6x8x7xf32>) -> tensor<1x6x1x7xf32>
  %a = onnx.Where %c, %s, %low : (tensor<1x1x1x7xi1>, tensor<1x6x1x7xf32>, tensor<f32>) -> tensor<1x6x1x7xf32>
  %p = onnx.Softmax %a : (tensor<1x6x1x7xf32>) -> tensor<1x6x1x7xf32>
  %y = onnx.MatMul %p, %vr : (tensor<1x6x1x7xf32>, tensor<1x6x7x8xf32>) -> tensor<1x6x1x8xf32>
  return %y : tensor<1x6x1x8xf32>
}

// -----

// Heads as the batch of products of rank 3, the scores capped; where a row counts, Where says the
// other way round.
// CHECK-LABEL: func @capped
// CHECK-SAME: (%[[Q:.*]]: tensor<4x5x8xf32>, %[[K:.*]]: tensor<4x8x6xf32>, %[[V:.*]]: tensor<4x6x8xf32>, %[[C:.*]]: tensor<5x6xi1>)
// CHECK-DAG: %[[N:.*]] = onnx.Not %[[C]]
// CHECK-DAG: %[[KT:.*]] = onnx.Transpose %[[K]] {perm = array<i64: 0, 2, 1>}
// CHECK-DAG: %[[Q4:.*]] = onnx.Unsqueeze %[[Q]]
// CHECK-DAG: %[[K4:.*]] = onnx.Unsqueeze %[[KT]]
// CHECK-DAG: %[[V4:.*]] = onnx.Unsqueeze %[[V]]
// CHECK: %[[Y:[a-zA-Z0-9_]+]], %{{.*}} = onnx.Attention %[[Q4]], %[[K4]], %[[V4]], %[[N]], {{.*}} {scale = 1.250000e-01 : f32, softcap = 5.000000e+01 : f32, unguarded}
// CHECK: onnx.Squeeze %[[Y]]
func.func @capped(%q: tensor<4x5x8xf32>, %k: tensor<4x8x6xf32>, %v: tensor<4x6x8xf32>, %c: tensor<5x6xi1>) -> tensor<4x5x8xf32> {
  %low = onnx.Constant {value = dense<0xFF800000> : tensor<f32>} : () -> tensor<f32>
  %scale = onnx.Constant {value = dense<0.125> : tensor<f32>} : () -> tensor<f32>
  %cap = onnx.Constant {value = dense<50.0> : tensor<f32>} : () -> tensor<f32>
  %s = onnx.MatMul %q, %k : (tensor<4x5x8xf32>, tensor<4x8x6xf32>) -> tensor<4x5x6xf32>
  %m = onnx.Mul %scale, %s : (tensor<f32>, tensor<4x5x6xf32>) -> tensor<4x5x6xf32>
  %d = onnx.Div %m, %cap : (tensor<4x5x6xf32>, tensor<f32>) -> tensor<4x5x6xf32>
  %t = onnx.Tanh %d : (tensor<4x5x6xf32>) -> tensor<4x5x6xf32>
  %u = onnx.Mul %t, %cap : (tensor<4x5x6xf32>, tensor<f32>) -> tensor<4x5x6xf32>
  %a = onnx.Where %c, %low, %u : (tensor<5x6xi1>, tensor<f32>, tensor<4x5x6xf32>) -> tensor<4x5x6xf32>
  %p = onnx.Softmax %a : (tensor<4x5x6xf32>) -> tensor<4x5x6xf32>
  %y = onnx.MatMul %p, %v : (tensor<4x5x6xf32>, tensor<4x6x8xf32>) -> tensor<4x5x8xf32>
  return %y : tensor<4x5x8xf32>
}

// -----

// Windows: a bias of each head, and a mask of each window behind a Reshape. Scaled after the bias, as some
// do: the bias is scaled too.
// CHECK-LABEL: func @windows
// CHECK-SAME: %[[B:[a-z0-9]+]]: tensor<2x4x4xf32>, %[[M:[a-z0-9]+]]: tensor<1x3x1x4x4xf32>)
// CHECK-DAG: %[[S:.*]] = onnx.Mul %[[B]]
// CHECK-DAG: %[[R:.*]] = onnx.Reshape %[[M]], %{{.*}} -> tensor<3x1x4x4xf32>
// CHECK: %[[A:.*]] = onnx.Add %[[S]], %[[R]] : (tensor<2x4x4xf32>, tensor<3x1x4x4xf32>) -> tensor<3x2x4x4xf32>
// CHECK: onnx.Attention %{{.*}}, %{{.*}}, %{{.*}}, %[[A]], {{.*}} {scale = 5.000000e-01 : f32, unguarded}
func.func @windows(%q: tensor<3x2x4x8xf32>, %k: tensor<3x2x8x4xf32>, %v: tensor<3x2x4x8xf32>, %b: tensor<2x4x4xf32>, %m: tensor<1x3x1x4x4xf32>) -> tensor<3x2x4x8xf32> {
  %half = onnx.Constant {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %five = onnx.Constant {value = dense<[1, 3, 2, 4, 4]> : tensor<5xsi64>} : () -> tensor<5xsi64>
  %four = onnx.Constant {value = dense<[-1, 2, 4, 4]> : tensor<4xsi64>} : () -> tensor<4xsi64>
  %s = onnx.MatMul %q, %k : (tensor<3x2x4x8xf32>, tensor<3x2x8x4xf32>) -> tensor<3x2x4x4xf32>
  %a = onnx.Add %s, %b : (tensor<3x2x4x4xf32>, tensor<2x4x4xf32>) -> tensor<3x2x4x4xf32>
  %h = onnx.Mul %a, %half : (tensor<3x2x4x4xf32>, tensor<f32>) -> tensor<3x2x4x4xf32>
  %r = onnx.Reshape %h, %five : (tensor<3x2x4x4xf32>, tensor<5xsi64>) -> tensor<1x3x2x4x4xf32>
  %w = onnx.Add %r, %m : (tensor<1x3x2x4x4xf32>, tensor<1x3x1x4x4xf32>) -> tensor<1x3x2x4x4xf32>
  %x = onnx.Reshape %w, %four : (tensor<1x3x2x4x4xf32>, tensor<4xsi64>) -> tensor<3x2x4x4xf32>
  %p = onnx.Softmax %x : (tensor<3x2x4x4xf32>) -> tensor<3x2x4x4xf32>
  %y = onnx.MatMul %p, %v : (tensor<3x2x4x4xf32>, tensor<3x2x4x8xf32>) -> tensor<3x2x4x8xf32>
  return %y : tensor<3x2x4x8xf32>
}

// -----

// The windows of several images, of which there are as many as a run has: the mask is repeated for each.
// CHECK-LABEL: func @images
// CHECK-SAME: %[[M:[a-z0-9]+]]: tensor<1x?x1x4x4xf32, {{.*}}>)
// CHECK: %[[N:.*]] = onnx.Concat %{{.*}}, %{{.*}} -> tensor<5xsi64>
// CHECK: %[[E:.*]] = onnx.Expand %[[M]], %[[N]]
// CHECK: %[[R:.*]] = onnx.Reshape %[[E]], %{{.*}} -> tensor<?x1x4x4xf32, #onnx.dims<["B * W", "", "", ""]>>
// CHECK: onnx.Attention %{{.*}}, %{{.*}}, %{{.*}}, %[[R]], {{.*}} {scale = 1.000000e+00 : f32, unguarded}
#one = #onnx.dims<["B * W", "", "", ""]>
#two = #onnx.dims<["B", "W", "", "", ""]>
#mask = #onnx.dims<["", "W", "", "", ""]>
func.func @images(%q: tensor<?x2x4x8xf32, #one>, %k: tensor<?x2x8x4xf32, #one>, %v: tensor<?x2x4x8xf32, #one>, %n: tensor<5xsi64>, %m: tensor<1x?x1x4x4xf32, #mask>) -> tensor<?x2x4x8xf32, #one> {
  %four = onnx.Constant {value = dense<[-1, 2, 4, 4]> : tensor<4xsi64>} : () -> tensor<4xsi64>
  %s = onnx.MatMul %q, %k : (tensor<?x2x4x8xf32, #one>, tensor<?x2x8x4xf32, #one>) -> tensor<?x2x4x4xf32, #one>
  %r = onnx.Reshape %s, %n : (tensor<?x2x4x4xf32, #one>, tensor<5xsi64>) -> tensor<?x?x2x4x4xf32, #two>
  %w = onnx.Add %r, %m : (tensor<?x?x2x4x4xf32, #two>, tensor<1x?x1x4x4xf32, #mask>) -> tensor<?x?x2x4x4xf32, #two>
  %x = onnx.Reshape %w, %four : (tensor<?x?x2x4x4xf32, #two>, tensor<4xsi64>) -> tensor<?x2x4x4xf32, #one>
  %p = onnx.Softmax %x : (tensor<?x2x4x4xf32, #one>) -> tensor<?x2x4x4xf32, #one>
  %y = onnx.MatMul %p, %v : (tensor<?x2x4x4xf32, #one>, tensor<?x2x4x8xf32, #one>) -> tensor<?x2x4x8xf32, #one>
  return %y : tensor<?x2x4x8xf32, #one>
}

// -----

// Not one attention: the weights are a result, too; the softmax is along another axis; the mask has
// more rows than the scores; keys of one batch serve all; a negative scale; two kinds of masks.
// CHECK-LABEL: func @others
// CHECK-NOT: onnx.Attention
func.func @others(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x8x5xf32>, %v: tensor<2x4x5x8xf32>, %k1: tensor<1x4x8x5xf32>, %q1: tensor<1x1x5x8xf32>, %kk: tensor<1x1x8x5xf32>, %v1: tensor<1x1x5x8xf32>, %m: tensor<1x4x5x5xf32>, %c: tensor<5x5xi1>) -> (tensor<2x4x5x8xf32>, tensor<2x4x5x5xf32>, tensor<2x4x5x8xf32>, tensor<1x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>) {
  %low = onnx.Constant {value = dense<-1.0e9> : tensor<f32>} : () -> tensor<f32>
  %minus = onnx.Constant {value = dense<-0.5> : tensor<f32>} : () -> tensor<f32>
  %s0 = onnx.MatMul %q, %k : (tensor<2x4x5x8xf32>, tensor<2x4x8x5xf32>) -> tensor<2x4x5x5xf32>
  %p0 = onnx.Softmax %s0 : (tensor<2x4x5x5xf32>) -> tensor<2x4x5x5xf32>
  %y0 = onnx.MatMul %p0, %v : (tensor<2x4x5x5xf32>, tensor<2x4x5x8xf32>) -> tensor<2x4x5x8xf32>
  %r1 = onnx.Neg %q : (tensor<2x4x5x8xf32>) -> tensor<2x4x5x8xf32>
  %s1 = onnx.MatMul %r1, %k : (tensor<2x4x5x8xf32>, tensor<2x4x8x5xf32>) -> tensor<2x4x5x5xf32>
  %p1 = onnx.Softmax %s1 {axis = 2 : i64} : (tensor<2x4x5x5xf32>) -> tensor<2x4x5x5xf32>
  %y1 = onnx.MatMul %p1, %v : (tensor<2x4x5x5xf32>, tensor<2x4x5x8xf32>) -> tensor<2x4x5x8xf32>
  %s2 = onnx.MatMul %q1, %kk : (tensor<1x1x5x8xf32>, tensor<1x1x8x5xf32>) -> tensor<1x1x5x5xf32>
  %a2 = onnx.Add %s2, %m : (tensor<1x1x5x5xf32>, tensor<1x4x5x5xf32>) -> tensor<1x4x5x5xf32>
  %p2 = onnx.Softmax %a2 : (tensor<1x4x5x5xf32>) -> tensor<1x4x5x5xf32>
  %y2 = onnx.MatMul %p2, %v1 : (tensor<1x4x5x5xf32>, tensor<1x1x5x8xf32>) -> tensor<1x4x5x8xf32>
  %s3 = onnx.MatMul %q, %k1 : (tensor<2x4x5x8xf32>, tensor<1x4x8x5xf32>) -> tensor<2x4x5x5xf32>
  %p3 = onnx.Softmax %s3 : (tensor<2x4x5x5xf32>) -> tensor<2x4x5x5xf32>
  %y3 = onnx.MatMul %p3, %v : (tensor<2x4x5x5xf32>, tensor<2x4x5x8xf32>) -> tensor<2x4x5x8xf32>
  %r4 = onnx.Abs %q : (tensor<2x4x5x8xf32>) -> tensor<2x4x5x8xf32>
  %s4 = onnx.MatMul %r4, %k : (tensor<2x4x5x8xf32>, tensor<2x4x8x5xf32>) -> tensor<2x4x5x5xf32>
  %n4 = onnx.Mul %s4, %minus : (tensor<2x4x5x5xf32>, tensor<f32>) -> tensor<2x4x5x5xf32>
  %p4 = onnx.Softmax %n4 : (tensor<2x4x5x5xf32>) -> tensor<2x4x5x5xf32>
  %y4 = onnx.MatMul %p4, %v : (tensor<2x4x5x5xf32>, tensor<2x4x5x8xf32>) -> tensor<2x4x5x8xf32>
  %r5 = onnx.Exp %q : (tensor<2x4x5x8xf32>) -> tensor<2x4x5x8xf32>
  %s5 = onnx.MatMul %r5, %k : (tensor<2x4x5x8xf32>, tensor<2x4x8x5xf32>) -> tensor<2x4x5x5xf32>
  %w5 = onnx.Where %c, %s5, %low : (tensor<5x5xi1>, tensor<2x4x5x5xf32>, tensor<f32>) -> tensor<2x4x5x5xf32>
  %a5 = onnx.Add %w5, %m : (tensor<2x4x5x5xf32>, tensor<1x4x5x5xf32>) -> tensor<2x4x5x5xf32>
  %p5 = onnx.Softmax %a5 : (tensor<2x4x5x5xf32>) -> tensor<2x4x5x5xf32>
  %y5 = onnx.MatMul %p5, %v : (tensor<2x4x5x5xf32>, tensor<2x4x5x8xf32>) -> tensor<2x4x5x8xf32>
  return %y0, %p0, %y1, %y2, %y3, %y4, %y5 : tensor<2x4x5x8xf32>, tensor<2x4x5x5xf32>, tensor<2x4x5x8xf32>, tensor<1x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>
}

// -----

// Layers with a softmax between them: weights are no keys, nor is a matrix without heads.
// CHECK-LABEL: func @layers
// CHECK-NOT: onnx.Attention
func.func @layers(%x: tensor<2x5x8xf32>, %v: tensor<2x6x4xf32>, %z: tensor<5x8xf32>, %k: tensor<8x6xf32>, %u: tensor<6x4xf32>) -> (tensor<2x5x4xf32>, tensor<5x4xf32>) {
  %w = onnx.Constant {value = dense<0.5> : tensor<2x8x6xf32>} : () -> tensor<2x8x6xf32>
  %s = onnx.MatMul %x, %w : (tensor<2x5x8xf32>, tensor<2x8x6xf32>) -> tensor<2x5x6xf32>
  %p = onnx.Softmax %s : (tensor<2x5x6xf32>) -> tensor<2x5x6xf32>
  %y = onnx.MatMul %p, %v : (tensor<2x5x6xf32>, tensor<2x6x4xf32>) -> tensor<2x5x4xf32>
  %t = onnx.MatMul %z, %k : (tensor<5x8xf32>, tensor<8x6xf32>) -> tensor<5x6xf32>
  %q = onnx.Softmax %t : (tensor<5x6xf32>) -> tensor<5x6xf32>
  %a = onnx.MatMul %q, %u : (tensor<5x6xf32>, tensor<6x4xf32>) -> tensor<5x4xf32>
  return %y, %a : tensor<2x5x4xf32>, tensor<5x4xf32>
}

// -----

// The scale as torchscript computes it: roots of constants.
// CHECK-LABEL: func @computed
// CHECK: onnx.Attention {{.*}} {scale = 2.500000e-01 : f32}
func.func @computed(%q: tensor<1x4x5x8xf32>, %k: tensor<1x4x8x6xf32>, %v: tensor<1x4x6x8xf32>) -> tensor<1x4x5x8xf32> {
  %one = onnx.Constant {value = dense<1.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %size = onnx.Constant {value = dense<16.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %r = onnx.Sqrt %size : (tensor<1xf32>) -> tensor<1xf32>
  %d = onnx.Div %one, %r : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  %h = onnx.Sqrt %d : (tensor<1xf32>) -> tensor<1xf32>
  %a = onnx.Mul %q, %h : (tensor<1x4x5x8xf32>, tensor<1xf32>) -> tensor<1x4x5x8xf32>
  %b = onnx.Mul %k, %h : (tensor<1x4x8x6xf32>, tensor<1xf32>) -> tensor<1x4x8x6xf32>
  %s = onnx.MatMul %a, %b : (tensor<1x4x5x8xf32>, tensor<1x4x8x6xf32>) -> tensor<1x4x5x6xf32>
  %p = onnx.Softmax %s : (tensor<1x4x5x6xf32>) -> tensor<1x4x5x6xf32>
  %y = onnx.MatMul %p, %v : (tensor<1x4x5x6xf32>, tensor<1x4x6x8xf32>) -> tensor<1x4x5x8xf32>
  return %y : tensor<1x4x5x8xf32>
}
