// SPDX-License-Identifier: Apache-2.0
//
// Elementary functions on binary32. Argument reduction is Cody and Waite's (Software Manual for the
// Elementary Functions, 1980) with fused multiply-adds; polynomials are our own minimax fits.

#include "compiler/target/cpu/ExpandMath.h"
#include "compiler/target/cpu/MathCoefficients.h"

namespace burin::f32 {
namespace {

using namespace coefficients;

constexpr double kLog2E = 0x1.715476p+0;
/// ln 2 = high + low; n * high is exact in an fma.
constexpr double kLn2High = 0x1.62e43p-1, kLn2Low = -0x1.05c61p-29;
/// Adding 1.5 * 2^23 rounds to an integer, which then is the low bits of the sum.
constexpr double kRound = 0x1.8p+23;
constexpr uint64_t kRoundBits = 0x4b400000;
constexpr uint64_t kOneBits = 0x3f800000, kSqrtHalfBits = 0x3f3504f3, kMantissa = 0x7fffff;
constexpr double kInf = __builtin_huge_val(), kNaN = __builtin_nan("");

/// e^x = 2^n e^r, |r| <= ln2/2.
struct ExpReduction {
  Expr n; ///< integer
  Expr r;
  Expr nFloat;
};

ExpReduction reduceExp(const Expr &x) {
  Expr sum = fma(x, kLog2E, x.constant(kRound));
  Expr nf = sum - kRound;
  Expr r = fma(nf, -kLn2High, x);
  r = fma(nf, -kLn2Low, r);
  return {sum.bits() - x.integer(kRoundBits), r, nf};
}

/// As reduceExp, with 2^(n + shift) in place of n: the number that rounds brings the exponent's bias. Its
/// result is a normal number.
struct ScaledExp {
  Expr power;
  Expr r;
};

ScaledExp reduceScaledExp(const Expr &x, int shift) {
  const double round = kRound + 127 + shift;
  Expr sum = fma(x, kLog2E, x.constant(round));
  Expr nf = sum - round;
  Expr r = fma(nf, -kLn2High, x);
  return {shiftLeft(sum.bits(), 23).asFloat(), fma(nf, -kLn2Low, r)};
}

Expr powerOfTwo(const Expr &n) { return shiftLeft(addInt(n, 127), 23).asFloat(); }

/// p * 2^n for |n| <= 252: two factors, so that a subnormal result is rounded once.
Expr scale(const Expr &p, const Expr &n) {
  Expr half = shiftRightSigned(n, 1);
  return p * powerOfTwo(half) * powerOfTwo(n - half);
}

/// e^r - 1 - r.
Expr expTail(const Expr &r) { return polynomial(r, kExpF32) * (r * r); }

/// e^r for |r| <= ln2/2, in a chain of five steps: it is what sums of exponentials wait for.
Expr expPolynomial(const Expr &r) {
  const auto &c = kExpF32;
  static_assert(std::size(kExpF32) == 5);
  Expr square = r * r;
  Expr high = fma(square, c[4], fma(r, c[3], c[2]));
  Expr tail = fma(high, square, fma(r, c[1], c[0]));
  return fma(tail, square, r) + 1.0;
}

/// A magnitude that is not negative with the sign of x: an instruction less than copysign.
Expr withSign(const Expr &magnitude, const Expr &x) {
  return (magnitude.bits() | andInt(x.bits(), 0x80000000)).asFloat();
}

/// x = 2^e m with m in [sqrt(1/2), sqrt(2)), for a positive normal x.
struct LogReduction {
  Expr e; ///< integer
  Expr m;
};
LogReduction reduceLog(const Expr &x) {
  Expr biased = addInt(x.bits(), kOneBits - kSqrtHalfBits);
  Expr e = addInt(shiftRight(biased, 23), -127);
  Expr m = addInt(andInt(biased, kMantissa), kSqrtHalfBits).asFloat();
  return {e, m};
}

/// e ln2 + log(1+f) for f in [sqrt(1/2) - 1, sqrt(2) - 1].
Expr logSum(const Expr &e, const Expr &f) {
  Expr f2 = f * f;
  Expr tail = fma(polynomial(f, kLogF32), f * f2, e * kLn2Low);
  return fma(e, kLn2High, f + fma(f2, -0.5, tail));
}

/// The logarithm's special cases for argument u with log(u) = y.
Expr logCases(const Expr &u, const Expr &y, double pole) {
  Expr result = select(u < kInf, y, u); // +inf and NaN
  result = select(u < pole, kNaN, result);
  return select(equal(u, pole), -kInf, result);
}

/// r in [-pi/4, pi/4] and n with x = n pi/2 + r, for |x| <= 2^48.
struct TrigReduction {
  Expr r;
  Expr quadrant; ///< n mod 2^32
};
TrigReduction reduceTrig(const Expr &x) {
  // In binary64 n * high is exact and n * low loses nothing that shows in 24 bits.
  constexpr double twoOverPi = 0x1.45f306dc9c883p-1;
  constexpr double high = 0x1.921fb54442d18p+0, low = 0x1.1a62633145c07p-54;
  constexpr double round = 0x1.8p+52;
  Expr wide = x.toF64();
  Expr sum = fma(wide, twoOverPi, wide.constant(round));
  Expr n = sum - round;
  Expr r = fma(n, -high, wide);
  r = fma(n, -low, r);
  return {r.toF32(), sum.bits().truncate(32)};
}

/// sin(r + quadrant pi/2).
Expr sinOfQuadrant(const Expr &r, const Expr &quadrant) {
  Expr z = r * r;
  Expr s = fma(r * z, polynomial(z, kSinF32), r);
  Expr c = fma(z, fma(z, polynomial(z, kCosF32), -0.5), 1.0);
  Expr odd = compareInt(mlir::arith::CmpIPredicate::ne, andInt(quadrant, 1), quadrant.integer(0));
  Expr value = select(odd, c, s);
  Expr sign = shiftLeft(andInt(quadrant, 2), 30);
  return (value.bits() ^ sign).asFloat();
}

} // namespace

Expr exp(const Expr &x) {
  Expr clamped = atLeast(atMost(x, 0x1.62p+6 + 1.0), -105.0);
  ExpReduction red = reduceExp(clamped);
  return scale(expPolynomial(red.r), red.n);
}

Expr expOfNegative(const Expr &x) {
  // 2^n is 2^(n + 64), which is normal, by 2^-64: a subnormal result is rounded once.
  ScaledExp red = reduceScaledExp(atLeast(x, -105.0), 64);
  return expPolynomial(red.r) * red.power * 0x1p-64;
}

Expr expPlusOne(const Expr &x) {
  // 2^128 is infinity, and below -87 one is what remains.
  ScaledExp red = reduceScaledExp(atLeast(atMost(x, 89.0), -87.0), 0);
  return fma(expPolynomial(red.r), red.power, 1.0);
}

Expr exp2(const Expr &x) {
  Expr clamped = atLeast(atMost(x, 129.0), -151.0);
  Expr sum = clamped + kRound;
  Expr r = (clamped - (sum - kRound)) * 0x1.62e43p-1;
  return scale(expPolynomial(r), sum.bits() - x.integer(kRoundBits));
}

Expr expm1(const Expr &x) {
  Expr clamped = atLeast(atMost(x, 89.0), -20.0);
  ExpReduction red = reduceExp(clamped);
  Expr p = red.r + expTail(red.r);
  // 2 (2^(n-1) p + (2^(n-1) - 1/2)): n = 128 does not overflow early.
  Expr s = powerOfTwo(addInt(red.n, -1));
  Expr y = fma(s, p, s - 0.5) * 2.0;
  // n = 0: r is x, and a subnormal stays as it is.
  y = select(equal(red.nFloat, 0.0), p, y);
  return select(equal(x, 0.0), x, y); // -0
}

Expr log(const Expr &x) {
  Expr subnormal = x < 0x1p-126;
  LogReduction red = reduceLog(select(subnormal, x * 0x1p+23, x));
  Expr e = red.e.toFloat(x.elementType());
  e = select(subnormal, e - 23.0, e);
  return logCases(x, logSum(e, red.m - 1.0), 0.0);
}

Expr log1p(const Expr &x) {
  // 1 + x = 2^e (1 + f), with f = 2^-e x + (2^-e - 1) rounded once.
  Expr u = x + 1.0;
  LogReduction red = reduceLog(u);
  Expr zero = compareInt(mlir::arith::CmpIPredicate::eq, red.e, red.e.integer(0));
  // 2^(2-e) stays normal for the largest e.
  Expr s = shiftLeft(red.e.integer(127 + 2) - red.e, 23).asFloat();
  Expr f = select(zero, x, fma(x * 0.25, s, fma(s, 0.25, s.constant(-1.0))));
  Expr y = logSum(red.e.toFloat(x.elementType()), f);
  y = select(equal(x, 0.0), x, y);
  return logCases(x, y, -1.0);
}

Expr tanh(const Expr &x) {
  Expr a = abs(x);
  Expr z = x * x;
  Expr small = fma(polynomial(z, kTanhF32), z * x, x);
  // 1 - 2 / (e^2|x| + 1); beyond 9.1 it rounds to 1.
  ScaledExp red = reduceScaledExp(atMost(a, 9.5) * 2.0, 0);
  Expr large = 1.0 - 2.0 / fma(expPolynomial(red.r), red.power, 1.0);
  return copysign(select(a < 0.625, small, large), x);
}

Expr erf(const Expr &x) {
  Expr a = abs(x);
  Expr z = x * x;
  Expr small = fma(polynomial(z, kErfSmallF32), x, x);
  // Beyond 3.92 it rounds to 1, and so does the polynomial at 4. The centre is one where erf is close to a float.
  Expr large = shortPolynomial(atMost(a, 4.0) - 2.40625, kErfLargeF32);
  return select(a < 1.125, small, withSign(large, x));
}

Expr sin(const Expr &x) {
  TrigReduction red = reduceTrig(x);
  Expr y = sinOfQuadrant(red.r, red.quadrant);
  return select(equal(x, 0.0), x, y); // -0
}

Expr cos(const Expr &x) {
  TrigReduction red = reduceTrig(x);
  return sinOfQuadrant(red.r, addInt(red.quadrant, 1));
}

Expr pow(const Expr &x, const Expr &y) {
  // |x| = 2^e m; log|x| = e ln2 + 2s + s^3 P(s^2) with s = (m-1)/(m+1).
  constexpr uint64_t sqrtHalf = 0x3fe6a09e667f3bcd, one = 0x3ff0000000000000;
  constexpr double ln2 = 0x1.62e42fefa39efp-1, log2e = 0x1.71547652b82fep+0;
  Expr wide = abs(x).toF64(); // every binary32 is a normal number here
  Expr biased = addInt(wide.bits(), one - sqrtHalf);
  Expr m = addInt(andInt(biased, 0xfffffffffffff), sqrtHalf).asFloat();
  // The biased exponent as the low bits of 2^52 + e, minus 2^52.
  Expr e = orInt(shiftRight(biased, 52), 0x4330000000000000).asFloat() - (0x1p+52 + 1023.0);
  Expr s = (m - 1.0) / (m + 1.0);
  Expr z = s * s;
  Expr log = fma(e, ln2, fma(s * z, polynomial(z, kLogShort), s + s));
  // e^t, clamped to where binary32 has long overflowed or vanished.
  Expr t = atLeast(atMost(log * y.toF64(), 200.0), -200.0);
  Expr sum = fma(t, log2e, t.constant(0x1.8p+52));
  Expr r = fma(sum - 0x1.8p+52, -ln2, t);
  Expr p = expPolynomial(r);
  Expr power = shiftLeft(addInt(sum.bits(), 1023), 52).asFloat();
  Expr magnitude = (p * power).toF32();
  return powSpecialCases(x, y, magnitude);
}

} // namespace burin::f32
