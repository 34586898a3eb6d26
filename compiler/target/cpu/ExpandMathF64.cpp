// SPDX-License-Identifier: Apache-2.0
//
// Elementary functions on binary64. 64-bit integers are only added, masked and
// shifted logically, which AVX2 has.

#include "compiler/target/cpu/ExpandMath.h"
#include "compiler/target/cpu/MathCoefficients.h"

namespace burin::f64 {
namespace {

using namespace coefficients;

constexpr double kLog2E = 0x1.71547652b82fep+0;
constexpr double kLn2High = 0x1.62e42fefa39efp-1, kLn2Low = 0x1.abc9e3b39803fp-56;
constexpr double kRound = 0x1.8p+52;
constexpr double kPi = 0x1.921fb54442d18p+1, kPiLow = 0x1.1a62633145c07p-53;
constexpr double kHalfPi = kPi / 2, kHalfPiLow = kPiLow / 2, kHalfPiLower = -0x1.f1976b7ed8fbcp-110;
constexpr double kInf = __builtin_huge_val(), kNaN = __builtin_nan("");
constexpr uint64_t kOneBits = 0x3ff0000000000000, kSqrtHalfBits = 0x3fe6a09e667f3bcd;
constexpr uint64_t kMantissa = 0xfffffffffffff;

/// An unevaluated sum; |low| is at most half a unit in the last place of high.
struct Double {
  Expr high, low;
};
/// x + y exactly, for |x| >= |y| or x = 0.
Double fastTwoSum(const Expr &x, const Expr &y) {
  Expr sum = x + y;
  return {sum, y - (sum - x)};
}
Double twoProduct(const Expr &x, const Expr &y) {
  Expr product = x * y;
  return {product, fma(x, y, -product)};
}
Double product(const Double &x, const Double &y) {
  Double p = twoProduct(x.high, y.high);
  return fastTwoSum(p.high, fma(x.high, y.low, fma(x.low, y.high, p.low)));
}

/// e^x = 2^n e^(r + low), |r| <= ln2/2.
struct ExpReduction {
  Expr n; ///< integer, in the low 32 bits
  Expr r;
  Expr low;
  Expr nFloat;
};
ExpReduction reduceExp(const Expr &x) {
  Expr sum = fma(x, kLog2E, x.constant(kRound));
  Expr n = sum - kRound;
  Expr exact = fma(n, -kLn2High, x);
  Expr r = fma(n, -kLn2Low, exact);
  Expr low = fma(n, -kLn2Low, exact - r);
  return {sum.bits(), r, low, n};
}

/// 2^n for an integer whose low 11 bits count, -1022 <= n <= 1023.
Expr powerOfTwo(const Expr &n) { return shiftLeft(addInt(n, 1023), 52).asFloat(); }

/// p * 2^n, n as a float of magnitude <= 2044, a subnormal result rounded once.
Expr scale(const Expr &p, const Expr &n) {
  Expr half = n * 0.5 + kRound; // rounds to an integer
  Expr rest = (n - (half - kRound)) + kRound;
  return p * powerOfTwo(half.bits()) * powerOfTwo(rest.bits());
}

/// e^(r + low) - 1.
Expr expm1Polynomial(const ExpReduction &red) {
  return red.r + fma(polynomial(red.r, kExpF64), red.r * red.r, red.low);
}

/// 2^offset e^x.
Expr expScaled(const Expr &x, double offset = 0) {
  Expr clamped = atLeast(atMost(x, 711.0), -747.0);
  ExpReduction red = reduceExp(clamped);
  return scale(expm1Polynomial(red) + 1.0, offset ? red.nFloat + offset : red.nFloat);
}

/// x = 2^e m with m in [sqrt(1/2), sqrt(2)), for a positive normal x.
struct LogReduction {
  Expr e; ///< float
  Expr m;
};
LogReduction reduceLog(const Expr &x) {
  Expr biased = addInt(x.bits(), kOneBits - kSqrtHalfBits);
  // The biased exponent as the low bits of 2^52 + e, minus 2^52.
  Expr e = orInt(shiftRight(biased, 52), 0x4330000000000000).asFloat() - (0x1p+52 + 1023.0);
  Expr m = addInt(andInt(biased, kMantissa), kSqrtHalfBits).asFloat();
  return {e, m};
}
LogReduction reduceLogAny(const Expr &x) {
  Expr subnormal = x < 0x1p-1022;
  LogReduction red = reduceLog(select(subnormal, x * 0x1p+54, x));
  return {select(subnormal, red.e - 54.0, red.e), red.m};
}

/// log(1+f) - f, with s = f/(2+f): log(1+f) = f - f^2/2 + s (f^2/2 + s^2 P(s^2)).
Double logOfOnePlus(const Expr &f) {
  Expr s = f / (f + 2.0);
  Expr z = s * s;
  Expr half = f * f * 0.5;
  Expr tail = s * fma(z, polynomial(z, kLogF64), half);
  return {half, tail};
}
/// e * scaleOfE + c log(1+f).
Expr logSum(const Expr &e, const Expr &f) {
  Double l = logOfOnePlus(f);
  Expr small = fma(e, kLn2Low, l.low);
  return fma(e, kLn2High, f - (l.high - small));
}
/// The logarithm's special cases for argument u with log(u) = y.
Expr logCases(const Expr &u, const Expr &y, double pole) {
  Expr result = select(u < kInf, y, u);
  result = select(u < pole, kNaN, result);
  return select(equal(u, pole), -kInf, result);
}

/// log(x) in another base: e * (high + low) + log(m) * (invHigh + invLow).
Expr logInBase(const Expr &x, double high, double low, double invHigh, double invLow) {
  LogReduction red = reduceLogAny(x);
  Expr f = red.m - 1.0;
  Double l = logOfOnePlus(f);
  Double log = fastTwoSum(f, l.low - l.high);
  Expr product = log.high * invHigh;
  Expr error = fma(log.high, invHigh, -product);
  error = fma(log.high, invLow, fma(log.low, invHigh, error));
  Expr y = fma(red.e, high, product + fma(red.e, low, error));
  return logCases(x, y, 0.0);
}

/// x = n pi/2 + r + low, |r| <= pi/4, for |x| <= 2^30.
struct TrigReduction {
  Expr r, low;
  Expr quadrant; ///< n in the low bits
};
TrigReduction reduceTrig(const Expr &x) {
  Expr sum = fma(x, 1 / kHalfPi, x.constant(kRound));
  Expr n = sum - kRound;
  Expr exact = fma(n, -kHalfPi, x);
  Expr p = n * kHalfPiLow;
  Expr pLow = fma(n, kHalfPiLow, -p);
  Expr r = exact - p;
  Expr low = ((exact - r) - p) - fma(n, kHalfPiLower, pLow);
  return {r, low, sum.bits()};
}
Expr sinPolynomial(const TrigReduction &red) {
  Expr z = red.r * red.r;
  // sin(r + low) = sin r + low cos r, cos r = 1 - r^2/2.
  Expr tail = fma(red.low, fma(z, -0.5, 1.0), red.r * z * polynomial(z, kSinF64));
  return red.r + tail;
}
Expr cosPolynomial(const TrigReduction &red) {
  Expr z = red.r * red.r;
  Expr half = z * 0.5;
  Expr top = 1.0 - half;
  Expr lost = (1.0 - top) - half;
  return top + fma(z * z, polynomial(z, kCosF64), lost - red.r * red.low);
}
Expr isSet(const Expr &bits, uint64_t mask) {
  return compareInt(mlir::arith::CmpIPredicate::ne, andInt(bits, mask), bits.integer(0));
}
Expr sinOfQuadrant(const TrigReduction &red, const Expr &quadrant) {
  Expr value = select(isSet(quadrant, 1), cosPolynomial(red), sinPolynomial(red));
  return (value.bits() ^ shiftLeft(andInt(quadrant, 2), 62)).asFloat();
}

/// atan(t) for t >= 0.
Expr atanPositive(const Expr &t) {
  // t, (t-1)/(t+1) or -1/t, so that the polynomial's argument is at most tan(pi/8).
  Expr middle = t > 0x1.a827999fcef32p-2;
  Expr large = t > 0x1.3504f333f9de6p+1;
  Expr numerator = select(large, -1.0, select(middle, t - 1.0, t));
  Expr denominator = select(large, t, select(middle, t + 1.0, 1.0));
  Expr u = numerator / denominator;
  Expr z = u * u;
  Expr tail = u * z * polynomial(z, kAtanF64);
  Expr offset = select(large, kHalfPi, select(middle, kHalfPi / 2, t.constant(0.0)));
  Expr low = select(large, kHalfPiLow, select(middle, kHalfPiLow / 2, t.constant(0.0)));
  return offset + (u + (tail + low));
}

/// asin(x) for |x| <= 1/2, as x + tail.
Expr asinTail(const Expr &x) {
  Expr z = x * x;
  return x * z * polynomial(z, kAsinF64);
}
/// acos(x) / 2 = asin(sqrt((1-x)/2)) for 1/2 <= x <= 1, as high + low.
Double halfAcos(const Expr &x) {
  Expr z = (1.0 - x) * 0.5; // exact
  Expr s = sqrt(z);
  // What the square root rounded away.
  Expr lost = fma(-s, s, z) / (s + s);
  lost = select(equal(s, 0.0), 0.0, lost);
  return {s, fma(s * z, polynomial(z, kAsinF64), lost)};
}

/// erfc(x) for x >= 0.88: e^(-x^2) P((x-4)/(x+4)) / (1 + 2x).
Expr erfcLarge(const Expr &a) {
  Expr x = atMost(a, 28.0);
  Expr t = (x - 4.0) / (x + 4.0);
  Expr p = polynomial(t, kErfcF64) / fma(x, 2.0, x.constant(1.0));
  Double square = twoProduct(x, x);
  Expr e = expScaled(-square.high);
  return fma(e, -square.low, e) * p;
}

/// log(x) as high + low to about 2^-66 of itself, for positive normal x.
Double logExtended(const LogReduction &red) {
  // s = f/(2+f) = high + low; log(1+f) = 2s + 2/3 s^3 + s^5 Q(s^2).
  Expr f = red.m - 1.0;
  Double denominator = fastTwoSum(f.constant(2.0), f);
  Expr sHigh = f / denominator.high;
  Expr residue = fma(-sHigh, denominator.high, f);
  Expr sLow = fma(-sHigh, denominator.low, residue) / denominator.high;
  Double s{sHigh, sLow};
  Double z = product(s, s);
  Double thirds{z.high.constant(0x1.5555555555555p-1), z.high.constant(0x1.5555555555555p-55)};
  Double cubic = product(product(z, thirds), s);
  Expr tail = s.high * (z.high * z.high) * polynomial(z.high, kLogTailF64);
  Double sum = fastTwoSum(s.high + s.high, cubic.high);
  Expr low = sum.low + (s.low + s.low + cubic.low + tail);
  // e ln2 is at least as large as log(m), or 0.
  Double eLn2 = twoProduct(red.e, f.constant(kLn2High));
  Double total = fastTwoSum(eLn2.high, sum.high);
  return fastTwoSum(total.high, total.low + (low + fma(red.e, kLn2Low, eLn2.low)));
}

} // namespace

Expr exp(const Expr &x) { return expScaled(x); }

Expr exp2(const Expr &x) {
  Expr clamped = atLeast(atMost(x, 1025.0), -1076.0);
  Expr n = (clamped + kRound) - kRound;
  Expr f = clamped - n;
  Expr r = f * kLn2High;
  Expr low = fma(f, kLn2High, -r) + f * kLn2Low;
  return scale(expm1Polynomial({n, r, low, n}) + 1.0, n);
}

Expr expm1(const Expr &x) {
  Expr clamped = atLeast(atMost(x, 710.0), -50.0);
  ExpReduction red = reduceExp(clamped);
  Expr p = expm1Polynomial(red);
  // 2 (2^(n-1) p + (2^(n-1) - 1/2)): n = 1024 does not overflow early.
  Expr s = powerOfTwo(addInt(red.n, -1));
  Expr y = fma(s, p, s - 0.5) * 2.0;
  y = select(equal(red.nFloat, 0.0), p, y);
  return select(equal(x, 0.0), x, y); // -0
}

Expr log(const Expr &x) {
  LogReduction red = reduceLogAny(x);
  return logCases(x, logSum(red.e, red.m - 1.0), 0.0);
}

Expr log1p(const Expr &x) {
  // 1 + x = 2^e (1 + f), with f = 2^-e x + (2^-e - 1) rounded once.
  LogReduction red = reduceLog(x + 1.0);
  Expr s = shiftLeft((red.e.constant(0x1p+52 + 1023.0 + 2.0) - red.e).bits(), 52).asFloat();
  Expr f = select(equal(red.e, 0.0), x, fma(x * 0.25, s, fma(s, 0.25, s.constant(-1.0))));
  Expr y = select(equal(x, 0.0), x, logSum(red.e, f));
  return logCases(x, y, -1.0);
}

Expr log2(const Expr &x) { return logInBase(x, 1.0, 0.0, kLog2E, 0x1.777d0ffda0d24p-56); }

Expr log10(const Expr &x) {
  return logInBase(x, 0x1.34413509f79ffp-2, -0x1.9dc1da994fd21p-59, 0x1.bcb7b1526e50ep-2,
                   0x1.95355baaafad3p-57);
}

Expr sin(const Expr &x) {
  TrigReduction red = reduceTrig(x);
  return select(equal(x, 0.0), x, sinOfQuadrant(red, red.quadrant));
}

Expr cos(const Expr &x) {
  TrigReduction red = reduceTrig(x);
  return sinOfQuadrant(red, addInt(red.quadrant, 1));
}

Expr tan(const Expr &x) {
  TrigReduction red = reduceTrig(x);
  Expr s = sinPolynomial(red), c = cosPolynomial(red);
  Expr odd = isSet(red.quadrant, 1);
  Expr y = select(odd, -c, s) / select(odd, s, c);
  return select(equal(x, 0.0), x, y);
}

Expr atan(const Expr &x) { return copysign(atanPositive(abs(x)), x); }

Expr atan2(const Expr &y, const Expr &x) {
  Expr ax = abs(x), ay = abs(y);
  Expr t = ay / ax;
  t = select(equal(ay, ax), 1.0, t); // both may be infinite
  t = select(equal(ay, 0.0), 0.0, t); // both may be zero
  t = select(isNaN(x), x, select(isNaN(y), y, t));
  Expr a = atanPositive(t);
  Expr negative = copysign(x.constant(1.0), x) < 0.0;
  Expr reflected = kPi - (a - kPiLow);
  return copysign(select(negative, reflected, a), y);
}

Expr asin(const Expr &x) {
  Expr a = abs(x);
  Double h = halfAcos(a);
  Expr large = kHalfPi - (((h.low * 2.0) - kHalfPiLow) + h.high * 2.0);
  return copysign(select(a > 0.5, large, a + asinTail(a)), x);
}

Expr acos(const Expr &x) {
  Expr a = abs(x);
  Double h = halfAcos(a);
  Expr middle = kHalfPi - (x - (kHalfPiLow - asinTail(x)));
  Expr twice = (h.high + h.low) * 2.0;
  Expr negative = kPi - ((h.low * 2.0 - kPiLow) + h.high * 2.0);
  return select(a > 0.5, select(x < 0.0, negative, twice), middle);
}

Expr sinh(const Expr &x) {
  Expr a = abs(x);
  Expr t = expm1(atMost(a, 40.0));
  Expr small = (t + t / (t + 1.0)) * 0.5;
  return copysign(select(a < 22.0, small, expScaled(a, -1)), x);
}

Expr cosh(const Expr &x) {
  Expr a = abs(x);
  Expr half = expScaled(a, -1);
  return half + 0.25 / half;
}

Expr tanh(const Expr &x) {
  Expr a = abs(x);
  Expr t = expm1(atMost(a, 20.0) * 2.0);
  return copysign(t / (t + 2.0), x);
}

Expr asinh(const Expr &x) {
  Expr a = abs(x);
  Expr square = a * a;
  Expr small = log1p(a + square / (sqrt(square + 1.0) + 1.0));
  Expr large = log(a) + kLn2High;
  return copysign(select(a < 0x1p+28, small, large), x);
}

Expr acosh(const Expr &x) {
  Expr t = x - 1.0;
  Expr small = log1p(t + sqrt(fma(t, t, t + t)));
  Expr y = select(x > 0x1p+28, log(x) + kLn2High, small);
  return select(x < 1.0, kNaN, y);
}

Expr atanh(const Expr &x) {
  Expr a = abs(x);
  Expr y = log1p((a + a) / (1.0 - a)) * 0.5;
  return copysign(y, x);
}

Expr erf(const Expr &x) {
  Expr a = abs(x);
  Expr z = x * x;
  Expr small = fma(polynomial(z, kErfSmallF64), x, x);
  return select(a < 0.9, small, copysign(1.0 - erfcLarge(a), x));
}

Expr erfc(const Expr &x) {
  Expr a = abs(x);
  Expr z = x * x;
  Expr erfX = fma(polynomial(z, kErfSmallF64), x, x);
  Expr tail = erfcLarge(a);
  return select(a < 0.9, 1.0 - erfX, select(x < 0.0, 2.0 - tail, tail));
}

Expr cbrt(const Expr &x) {
  // A first value from logarithms and one step of Newton's, on a scale without subnormals.
  Expr a = abs(x);
  Expr subnormal = a < 0x1p-1022;
  Expr scaled = select(subnormal, a * 0x1p+54, a);
  Expr y = expScaled(log(scaled) * (1.0 / 3.0));
  Double square = twoProduct(y, y);
  Expr residue = fma(square.high, y, -scaled);
  residue = fma(square.low, y, residue);
  y = y - residue / (square.high * 3.0);
  y = select(subnormal, y * 0x1p-18, y);
  return select(equal(x, 0.0), x, select(a < kInf, copysign(y, x), x));
}

Expr pow(const Expr &x, const Expr &y) {
  Double log = logExtended(reduceLogAny(abs(x)));
  Double t = twoProduct(log.high, y);
  // Beyond these bounds the result has overflowed or vanished, and the products' low parts may be NaN.
  Expr high = atLeast(atMost(t.high, 711.0), -747.0);
  Expr low = fma(log.low, y, t.low);
  low = select(equal(high, t.high), low, 0.0);
  ExpReduction red = reduceExp(high);
  Expr e = expm1Polynomial(red) + 1.0;
  Expr magnitude = scale(fma(e, low, e), red.nFloat);
  return powSpecialCases(x, y, magnitude);
}

} // namespace burin::f64
