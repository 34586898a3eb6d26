// RUN: burin-opt %s | burin-opt | FileCheck %s
// RUN: burin-opt %s --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" | FileCheck %s --check-prefix=BUFFER

// CHECK-LABEL: func.func @scatter
// CHECK: kern.scatter ins(%{{.*}}, %{{.*}} : tensor<3x1xi64>, tensor<3x4xf32>) outs(%{{.*}} : tensor<8x4xf32>)
// BUFFER-LABEL: func.func @scatter
// BUFFER-NOT: alloc
// BUFFER: kern.scatter ins(%{{.*}}, %{{.*}} : memref<3x1xi64>, memref<3x4xf32>) outs(%{{.*}} : memref<8x4xf32>)
// BUFFER: return
func.func @scatter(%i: tensor<3x1xi64>, %u: tensor<3x4xf32>, %o: tensor<8x4xf32>)
    -> tensor<8x4xf32> {
  %r = kern.scatter ins(%i, %u : tensor<3x1xi64>, tensor<3x4xf32>) outs(%o : tensor<8x4xf32>)
      attributes {index_map = affine_map<(d0, d1) -> (d0)>,
                  place_map = affine_map<(d0, d1)[s0] -> (s0, d1)>, wrap} {
  ^bb0(%update: f32, %old: f32):
    %new = arith.addf %update, %old : f32
    kern.yield %new : f32
  } -> tensor<8x4xf32>
  return %r : tensor<8x4xf32>
}

// CHECK-LABEL: func.func @sort
// CHECK: kern.sort ins(%{{.*}} : tensor<2x9xf32>) outs(%{{.*}} : tensor<2x3xi64>)
// BUFFER-LABEL: func.func @sort
// BUFFER-NOT: alloc
// BUFFER: kern.sort ins(%{{.*}} : memref<2x9xf32>) outs(%{{.*}} : memref<2x3xi64>)
// BUFFER: return
func.func @sort(%x: tensor<2x9xf32>, %o: tensor<2x3xi64>) -> tensor<2x3xi64> {
  %r = kern.sort ins(%x : tensor<2x9xf32>) outs(%o : tensor<2x3xi64>)
      attributes {axis = 1 : i64} {
  ^bb0(%a: f32, %b: f32):
    %first = arith.cmpf ogt, %a, %b : f32
    kern.yield %first : i1
  } -> tensor<2x3xi64>
  return %r : tensor<2x3xi64>
}

// CHECK-LABEL: func.func @scan
// CHECK: kern.scan ins(%{{.*}} : tensor<4x8xf16>) initial(%{{.*}} : f32) outs(%{{.*}} : tensor<4x8xf16>)
// BUFFER-LABEL: func.func @scan
// BUFFER-NOT: alloc
// BUFFER: kern.scan ins(%{{.*}} : memref<4x8xf16>) initial(%{{.*}} : f32) outs(%{{.*}} : memref<4x8xf16>)
// BUFFER: return
func.func @scan(%x: tensor<4x8xf16>, %o: tensor<4x8xf16>) -> tensor<4x8xf16> {
  %zero = arith.constant 0.0 : f32
  %r = kern.scan ins(%x : tensor<4x8xf16>) initial(%zero : f32) outs(%o : tensor<4x8xf16>)
      attributes {axis = 1 : i64, reverse} {
  ^bb0(%element: f16, %sum: f32):
    %wide = arith.extf %element : f16 to f32
    %next = arith.addf %sum, %wide : f32
    %out = arith.truncf %next : f32 to f16
    kern.yield %next, %out : f32, f16
  } -> tensor<4x8xf16>
  return %r : tensor<4x8xf16>
}
