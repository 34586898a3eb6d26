// RUN: burin-opt %s --outline-kernels | FileCheck %s

// Both are one kernel, whose checks are told apart; each launch says which of its nodes they are of. The
// last has one node to blame, the one that it is named after.
// CHECK-LABEL: func.func @main
// CHECK: plan.launch @[[K:sum_1_k0]](%{{.*}}) {plan.faults = ["pick_1", "other_1"]}
// CHECK: plan.launch @[[K]](%{{.*}}) {plan.faults = ["pick_2", "other_2"]}
// CHECK: plan.launch @alone_k1(%{{[^{]*}} :
// CHECK: module @kernels
// CHECK: func.func @[[K]]({{.*}} attributes {plan.faults = ["pick_1", "other_1"], plan.kernel}
// CHECK: func.func @alone_k1({{.*}} attributes {plan.kernel}
#map = affine_map<(d0) -> (d0)>
func.func @main(%x: tensor<4xi64>) -> (tensor<4xi64>, tensor<4xi64>, tensor<4xi64>) {
  %e = tensor.empty() : tensor<4xi64>
  %0 = "plan.dispatch"(%x, %e) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%a: tensor<4xi64>, %o: tensor<4xi64>):
    %zero = arith.constant 0 : i64
    %r = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]}
        ins(%a : tensor<4xi64>) outs(%o : tensor<4xi64>) {
    ^bb0(%in: i64, %out: i64):
      %ok = arith.cmpi sge, %in, %zero : i64
      plan.check %ok, 6, %in loc("pick_1")
      plan.check %ok, 6, %zero loc("other_1")
      linalg.yield %in : i64
    } -> tensor<4xi64>
    plan.return %r : tensor<4xi64>
  }) : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi64> loc("sum_1")
  %f = tensor.empty() : tensor<4xi64>
  %1 = "plan.dispatch"(%0, %f) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%a: tensor<4xi64>, %o: tensor<4xi64>):
    %zero = arith.constant 0 : i64
    %r = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]}
        ins(%a : tensor<4xi64>) outs(%o : tensor<4xi64>) {
    ^bb0(%in: i64, %out: i64):
      %ok = arith.cmpi sge, %in, %zero : i64
      plan.check %ok, 6, %in loc("pick_2")
      plan.check %ok, 6, %zero loc("other_2")
      linalg.yield %in : i64
    } -> tensor<4xi64>
    plan.return %r : tensor<4xi64>
  }) : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi64> loc("sum_2")
  %g = tensor.empty() : tensor<4xi64>
  %2 = "plan.dispatch"(%1, %g) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%a: tensor<4xi64>, %o: tensor<4xi64>):
    %zero = arith.constant 0 : i64
    %r = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]}
        ins(%a : tensor<4xi64>) outs(%o : tensor<4xi64>) {
    ^bb0(%in: i64, %out: i64):
      %ok = arith.cmpi sge, %in, %zero : i64
      plan.check %ok, 6, %in loc("alone")
      linalg.yield %in : i64
    } -> tensor<4xi64>
    plan.return %r : tensor<4xi64>
  }) : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi64> loc("alone")
  return %0, %1, %2 : tensor<4xi64>, tensor<4xi64>, tensor<4xi64>
}
