// SPDX-License-Identifier: Apache-2.0
//
// The recipes of the pass expand-math. Each takes and returns scalars or vectors of one shape and
// makes arith and math.fma ops, and the math ops that are one instruction (absf, copysign, sqrt,
// floor, trunc, roundeven). docs/rationale/maths.md states ranges and errors.

#ifndef BURIN_COMPILER_TARGET_CPU_EXPANDMATH_H
#define BURIN_COMPILER_TARGET_CPU_EXPANDMATH_H

#include "compiler/target/cpu/MathExpr.h"

namespace burin {

/// binary32 in and out, computed in binary32 (sin, cos: reduced in binary64).
namespace f32 {
Expr exp(const Expr &x);
/// exp(x) in fewer steps, with the same bits, where x is not positive (0, below or NaN).
Expr expOfNegative(const Expr &x);
/// exp(x) + 1, rounded once; infinity where exp(x) is above 2^127, as what a logistic function divides by.
Expr expPlusOne(const Expr &x);
Expr exp2(const Expr &x);
Expr expm1(const Expr &x);
Expr log(const Expr &x);
Expr log1p(const Expr &x);
Expr tanh(const Expr &x);
Expr erf(const Expr &x);
Expr sin(const Expr &x);
Expr cos(const Expr &x);
/// Through binary64: x^y rounded once.
Expr pow(const Expr &x, const Expr &y);
} // namespace f32

/// binary64 in and out. For binary32 functions that are seldom hot these are used with a conversion
/// on either side, which makes them correctly rounded but for rare ties.
namespace f64 {
Expr exp(const Expr &x);
Expr exp2(const Expr &x);
Expr expm1(const Expr &x);
Expr log(const Expr &x);
Expr log1p(const Expr &x);
Expr log2(const Expr &x);
Expr log10(const Expr &x);
Expr sin(const Expr &x);
Expr cos(const Expr &x);
Expr tan(const Expr &x);
Expr asin(const Expr &x);
Expr acos(const Expr &x);
Expr atan(const Expr &x);
Expr atan2(const Expr &y, const Expr &x);
Expr sinh(const Expr &x);
Expr cosh(const Expr &x);
Expr tanh(const Expr &x);
Expr asinh(const Expr &x);
Expr acosh(const Expr &x);
Expr atanh(const Expr &x);
Expr erf(const Expr &x);
Expr erfc(const Expr &x);
Expr cbrt(const Expr &x);
Expr pow(const Expr &x, const Expr &y);
} // namespace f64

/// x - trunc(x/y) y, exact, with the sign of x; f32 or f64. Makes an scf.while.
Expr remainder(const Expr &x, const Expr &y);

/// x to the n-th power, by squaring.
Expr powerByConstant(const Expr &x, unsigned n);

/// What x^y is where |x|^y = `magnitude`: the sign of an odd y, NaN for negative x and other y, and
/// the cases that IEEE 754 fixes (x = 1, y = 0, infinities, zeros).
Expr powSpecialCases(const Expr &x, const Expr &y, const Expr &magnitude);

/// A narrow float's value as f32, and f32 rounded once (nearest, ties to even) to a narrow float; 
/// `narrow` is any MLIR float type of at most 16 bits but f16.
Expr extendNarrowFloat(const Expr &x);
Expr truncateToNarrowFloat(const Expr &x, mlir::FloatType narrow);
/// f64 to f32 rounded to odd: a second rounding to a format of at most 22 bits' precision is then exact.
Expr truncateToOdd(const Expr &x);

} // namespace burin

#endif
