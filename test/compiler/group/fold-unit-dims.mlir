// RUN: burin-opt %s --fold-unit-dims | FileCheck %s

#window = affine_map<(c, y, x, i, j) -> (c, y * 2 + i, x * 2 + j)>
#taps = affine_map<(c, y, x, i, j) -> (i, j)>
#out = affine_map<(c, y, x, i, j) -> (c, y, x)>

// One window that reads all of its operand: two loops go.
// CHECK-LABEL: @whole
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<8x2x2xf32>, tensor<2x2xf32>) outs(%{{.*}} : tensor<8xf32>)
func.func @whole(%x: tensor<8x2x2xf32>, %out: tensor<8x1x1xf32>) -> tensor<8x1x1xf32> {
  %taps = tensor.empty() : tensor<2x2xf32>
  %0 = linalg.generic {indexing_maps = [#window, #taps, #out], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %taps : tensor<8x2x2xf32>, tensor<2x2xf32>) outs(%out : tensor<8x1x1xf32>) {
  ^bb0(%a: f32, %t: f32, %o: f32):
    %m = arith.maximumf %a, %o : f32
    linalg.yield %m : f32
  } -> tensor<8x1x1xf32>
  return %0 : tensor<8x1x1xf32>
}

// One that leaves the last row and column: they stay.
// CHECK-LABEL: @part
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<8x3x3xf32>, tensor<2x2xf32>) outs(%{{.*}} : tensor<8x1x1xf32>)
func.func @part(%x: tensor<8x3x3xf32>, %out: tensor<8x1x1xf32>) -> tensor<8x1x1xf32> {
  %taps = tensor.empty() : tensor<2x2xf32>
  %0 = linalg.generic {indexing_maps = [#window, #taps, #out], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %taps : tensor<8x3x3xf32>, tensor<2x2xf32>) outs(%out : tensor<8x1x1xf32>) {
  ^bb0(%a: f32, %t: f32, %o: f32):
    %m = arith.maximumf %a, %o : f32
    linalg.yield %m : f32
  } -> tensor<8x1x1xf32>
  return %0 : tensor<8x1x1xf32>
}
