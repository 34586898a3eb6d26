// RUN: burin-opt %s --expand-math | FileCheck %s

// Scalars and vectors take the same recipe; nothing of libm and no fast-math is left.
// CHECK-LABEL: func.func @exp
// CHECK-NOT: math.exp
// CHECK: math.fma {{.*}} : f32
// CHECK-NOT: fastmath
// CHECK: return
func.func @exp(%x: f32) -> f32 {
  %y = math.exp %x : f32
  return %y : f32
}

// What a logistic function divides by is rounded once: e^r 2^n + 1.
// CHECK-LABEL: func.func @logistic
// CHECK-NOT: math.exp
// CHECK: %[[POWER:.*]] = arith.bitcast {{.*}} : vector<16xi32> to vector<16xf32>
// CHECK: %[[SUM:.*]] = math.fma {{.*}}, %[[POWER]], {{.*}} : vector<16xf32>
// CHECK-NOT: arith.mulf
// CHECK: arith.divf {{.*}}, %[[SUM]]
func.func @logistic(%x: vector<16xf32>) -> vector<16xf32> {
  %one = arith.constant dense<1.0> : vector<16xf32>
  %n = arith.negf %x : vector<16xf32>
  %e = math.exp %n : vector<16xf32>
  %s = arith.addf %e, %one : vector<16xf32>
  %y = arith.divf %one, %s : vector<16xf32>
  return %y : vector<16xf32>
}

// x times a logistic function is one division.
// CHECK-LABEL: func.func @silu
// CHECK: %[[POWER:.*]] = arith.bitcast {{.*}} : vector<16xi32> to vector<16xf32>
// CHECK: %[[SUM:.*]] = math.fma {{.*}}, %[[POWER]], {{.*}} : vector<16xf32>
// CHECK: %[[Y:.*]] = arith.divf %arg0, %[[SUM]]
// CHECK: return %[[Y]]
func.func @silu(%x: vector<16xf32>) -> vector<16xf32> {
  %one = arith.constant dense<1.0> : vector<16xf32>
  %n = arith.negf %x : vector<16xf32>
  %e = math.exp %n : vector<16xf32>
  %s = arith.addf %e, %one : vector<16xf32>
  %l = arith.divf %one, %s : vector<16xf32>
  %y = arith.mulf %l, %x : vector<16xf32>
  return %y : vector<16xf32>
}

// What a softmax sums is at most 1: one power of two and a constant in place of two powers.
// CHECK-LABEL: func.func @negative
// CHECK-COUNT-1: arith.select
// CHECK-NOT: arith.select
// CHECK-NOT: arith.shrsi
// CHECK: %[[POWER:.*]] = arith.bitcast {{.*}} : vector<16xi32> to vector<16xf32>
// CHECK: %[[HIGH:.*]] = arith.mulf {{.*}}, %[[POWER]]
// CHECK: %[[LEAST:.*]] = arith.constant dense<5.42101086E-20> : vector<16xf32>
// CHECK: arith.mulf %[[HIGH]], %[[LEAST]]
func.func @negative(%x: vector<16xf32>) -> vector<16xf32> {
  %e = math.exp %x {plan.not_positive} : vector<16xf32>
  return %e : vector<16xf32>
}

// CHECK-LABEL: func.func @tanh
// CHECK-NOT: math.tanh
// CHECK: math.fma {{.*}} : vector<4x16xf32>
// CHECK: arith.divf
// CHECK: arith.select
// CHECK-NOT: scf
// CHECK: return
func.func @tanh(%x: vector<4x16xf32>) -> vector<4x16xf32> {
  %y = math.tanh %x : vector<4x16xf32>
  return %y : vector<4x16xf32>
}

// A seldom function is computed in f64.
// CHECK-LABEL: func.func @asin
// CHECK: arith.extf {{.*}} : f32 to f64
// CHECK: arith.truncf {{.*}} : f64 to f32
func.func @asin(%x: f32) -> f32 {
  %y = math.asin %x : f32
  return %y : f32
}

// One instruction each: they stay.
// CHECK-LABEL: func.func @instructions
// CHECK: math.sqrt
// CHECK: math.floor
// CHECK: math.absf
// CHECK: math.copysign
func.func @instructions(%x: f32) -> f32 {
  %a = math.sqrt %x : f32
  %b = math.floor %a : f32
  %c = math.absf %b : f32
  %d = math.copysign %c, %x : f32
  return %d : f32
}

// A sign that would be rounded from f64 to f16 with its magnitude.
// CHECK-LABEL: func.func @sign
// CHECK-SAME: (%[[X:.*]]: f64, %[[S:.*]]: f64)
// CHECK: %[[M:.*]] = math.absf %[[X]]
// CHECK: %[[BITS:.*]] = arith.bitcast %[[S]]
// CHECK: %[[NEGATIVE:.*]] = arith.cmpi slt, %[[BITS]]
// CHECK: %[[N:.*]] = arith.negf %[[M]]
// CHECK: arith.select %[[NEGATIVE]], %[[N]], %[[M]]
func.func @sign(%x: f64, %s: f64) -> f64 {
  %0 = math.copysign %x, %s : f64
  return %0 : f64
}

// CHECK-LABEL: func.func @square
// CHECK-NEXT: %{{.*}} = arith.constant
// CHECK-NEXT: %[[Y:.*]] = arith.mulf %[[X:.*]], %[[X]] : f32
// CHECK-NEXT: return %[[Y]]
func.func @square(%x: f32) -> f32 {
  %two = arith.constant 2.0 : f32
  %y = math.powf %x, %two : f32
  return %y : f32
}

// CHECK-LABEL: func.func @remainder
// CHECK-NOT: arith.remf
// CHECK: scf.while
// CHECK: vector.reduction <or>
func.func @remainder(%x: vector<8xf32>, %y: vector<8xf32>) -> vector<8xf32> {
  %z = arith.remf %x, %y : vector<8xf32>
  return %z : vector<8xf32>
}

// CHECK-LABEL: func.func @conversions
// CHECK-NOT: arith.extf
// CHECK: arith.shli
// CHECK: arith.truncf {{.*}} : f64 to f32
// CHECK: arith.ori
// CHECK: arith.truncf {{.*}} : f32 to f16
// CHECK-NOT: arith.truncf
func.func @conversions(%x: bf16, %y: f64) -> (f32, f16, f8E4M3FN) {
  %a = arith.extf %x : bf16 to f32
  %b = arith.truncf %y : f64 to f16
  %c = arith.truncf %a : f32 to f8E4M3FN
  return %a, %b, %c : f32, f16, f8E4M3FN
}
