// RUN: burin-opt %s --split-input-file --plan-memory --bound-threads="run-us=100 launch-us=20" | FileCheck %s

// A product of 2 * 64^3 operations takes a core about 7 us: two of them are no run for a second worker.
// CHECK-LABEL: @main
// CHECK-SAME: plan.alone_up_to = array<i64>
// CHECK-COUNT-2: plan.launch @product({{.*}}plan.alone
#a = affine_map<(i, j, k) -> (i, k)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>
func.func @main(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %0 = plan.launch @product(%x, %x) : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  %1 = plan.launch @product(%0, %x) : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  return %1 : tensor<64x64xf32>
}
module @kernels {
  func.func @product(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>, %o: tensor<64x64xf32>) -> tensor<64x64xf32> attributes {plan.kernel} {
    %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%x, %y : tensor<64x64xf32>, tensor<64x64xf32>) outs(%o : tensor<64x64xf32>) {
    ^bb0(%p: f32, %q: f32, %sum: f32):
      %1 = math.fma %p, %q, %sum : f32
      linalg.yield %1 : f32
    } -> tensor<64x64xf32>
    return %0 : tensor<64x64xf32>
  }
}

// -----

// Here one takes 58 us: the run is worth it, and each launch.
// CHECK-LABEL: @main
// CHECK-NOT: plan.alone
// CHECK-LABEL: module @kernels
#a = affine_map<(i, j, k) -> (i, k)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>
func.func @main(%x: tensor<128x128xf32>) -> tensor<128x128xf32> {
  %0 = plan.launch @product(%x, %x) : (tensor<128x128xf32>, tensor<128x128xf32>) -> tensor<128x128xf32>
  %1 = plan.launch @product(%0, %x) : (tensor<128x128xf32>, tensor<128x128xf32>) -> tensor<128x128xf32>
  return %1 : tensor<128x128xf32>
}
module @kernels {
  func.func @product(%x: tensor<128x128xf32>, %y: tensor<128x128xf32>, %o: tensor<128x128xf32>) -> tensor<128x128xf32> attributes {plan.kernel} {
    %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%x, %y : tensor<128x128xf32>, tensor<128x128xf32>) outs(%o : tensor<128x128xf32>) {
    ^bb0(%p: f32, %q: f32, %sum: f32):
      %1 = math.fma %p, %q, %sum : f32
      linalg.yield %1 : f32
    } -> tensor<128x128xf32>
    return %0 : tensor<128x128xf32>
  }
}

// -----

// Up to some number of rows a run is short; each launch counts at its most rows.
// CHECK-LABEL: @main
// CHECK-SAME: plan.alone_up_to = array<i64: [[#%u,ROWS:]]>
// CHECK-NOT: plan.alone
// CHECK-LABEL: module @kernels
#a = affine_map<(i, j, k) -> (i, k)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>
func.func @main(%x: tensor<?x128xf32> {onnx.type = tensor<?x128xf32, #onnx.dims<["rows", ""]>>}, %w: tensor<128x128xf32>) -> tensor<?x128xf32> attributes {plan.dims = [#plan.range<"rows", 1, 4096>]} {
  %rows = plan.dim "rows"
  %0 = plan.launch @product(%x, %w) sizes(%rows) : (tensor<?x128xf32>, tensor<128x128xf32>) -> tensor<?x128xf32>
  return %0 : tensor<?x128xf32>
}
module @kernels {
  func.func @product(%x: tensor<?x128xf32>, %y: tensor<128x128xf32>, %o: tensor<?x128xf32>) -> tensor<?x128xf32> attributes {plan.kernel} {
    %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%x, %y : tensor<?x128xf32>, tensor<128x128xf32>) outs(%o : tensor<?x128xf32>) {
    ^bb0(%p: f32, %q: f32, %sum: f32):
      %1 = math.fma %p, %q, %sum : f32
      linalg.yield %1 : f32
    } -> tensor<?x128xf32>
    return %0 : tensor<?x128xf32>
  }
}
