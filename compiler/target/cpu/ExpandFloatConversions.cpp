// SPDX-License-Identifier: Apache-2.0
//
// Conversions between f32 and the narrow floats by integer arithmetic. What a
// format can say (infinities, NaN, -0) is asked of APFloat, not of a type's name.

#include "compiler/target/cpu/ExpandMath.h"

using namespace mlir;

namespace burin {
namespace {

constexpr uint64_t kSign = 0x80000000, kInfBits = 0x7f800000, kNaNBits = 0x7fc00000;

/// A narrow format in numbers; its magnitudes order like integers.
struct Format {
  explicit Format(FloatType type) {
    const llvm::fltSemantics &s = type.getFloatSemantics();
    width = type.getWidth();
    mantissa = llvm::APFloat::semanticsPrecision(s) - 1;
    minExponent = llvm::APFloat::semanticsMinExponent(s);
    largest = llvm::APFloat::getLargest(s).bitcastToAPInt().getZExtValue();
    if (llvm::APFloat::semanticsHasInf(s))
      infinity = llvm::APFloat::getInf(s).bitcastToAPInt().getZExtValue();
    if (llvm::APFloat::semanticsHasNaN(s))
      nan = llvm::APFloat::getQNaN(s).bitcastToAPInt().getZExtValue();
    // Where the pattern of -0 is the NaN there is no -0.
    hasNegativeZero = nan != signBit();
  }
  uint64_t signBit() const { return uint64_t(1) << (width - 1); }
  /// What is added to a magnitude, shifted to f32's place, to move the exponent's bias.
  int rebias() const { return 127 + minExponent - 1; }

  unsigned width, mantissa;
  int minExponent;
  uint64_t largest;
  std::optional<uint64_t> infinity, nan;
  bool hasNegativeZero;
};

Expr equalInt(const Expr &x, uint64_t c) {
  return compareInt(arith::CmpIPredicate::eq, x, x.integer(c));
}
Expr above(const Expr &x, uint64_t c) {
  return compareInt(arith::CmpIPredicate::ugt, x, x.integer(c));
}

Expr extendExponentOnly(const Expr &bits) {
  Expr value = shiftLeft(bits, 23);
  value = select(equalInt(bits, 0), bits.integer(0x00400000), value);
  return select(equalInt(bits, 0xff), bits.integer(kNaNBits), value).asFloat();
}

Expr truncateToExponentOnly(const Expr &x) {
  Expr magnitude = andInt(x.bits(), ~kSign & 0xffffffff);
  Expr rounded = shiftRight(addInt(magnitude, 0x400000), 23); // a tie rounds to the even, larger power
  Expr special = above(magnitude, kInfBits - 1);
  return select(special, rounded.integer(0xff), rounded);
}

} // namespace

Expr extendNarrowFloat(const Expr &x) {
  auto type = cast<FloatType>(x.elementType());
  unsigned width = type.getWidth();
  ImplicitLocOpBuilder &b = x.builder();
  Expr bits = x.bitcast(b.getIntegerType(width)).extendUnsigned(32);
  if (type.isBF16())
    return shiftLeft(bits, 16).asFloat();
  if (isa<Float8E8M0FNUType>(type))
    return extendExponentOnly(bits);

  Format format(type);
  Expr magnitude = andInt(bits, format.signBit() - 1);
  Expr normal = addInt(shiftLeft(magnitude, 23 - format.mantissa), uint64_t(format.rebias()) << 23);
  Expr subnormal = magnitude.toFloat(b.getF32Type()) *
                   std::ldexp(1.0, format.minExponent - int(format.mantissa));
  Expr value = select(above(magnitude, (uint64_t(1) << format.mantissa) - 1), normal, subnormal.bits());
  if (format.infinity) {
    value = select(equalInt(magnitude, *format.infinity), value.integer(kInfBits), value);
    value = select(above(magnitude, *format.infinity), value.integer(kNaNBits), value);
  } else if (format.nan && format.hasNegativeZero) {
    value = select(equalInt(magnitude, *format.nan), value.integer(kNaNBits), value);
  }
  value = value | shiftLeft(andInt(bits, format.signBit()), 32 - width);
  if (format.nan && !format.hasNegativeZero)
    value = select(equalInt(bits, *format.nan), value.integer(kNaNBits), value);
  return value.asFloat();
}

Expr truncateToNarrowFloat(const Expr &x, FloatType narrow) {
  unsigned width = narrow.getWidth();
  Expr bits = x.bits();
  auto finish = [&](const Expr &result) { return result.truncate(width).bitcast(narrow); };
  if (narrow.isBF16()) {
    Expr even = andInt(shiftRight(bits, 16), 1);
    Expr rounded = shiftRight(addInt(bits, 0x7fff) + even, 16);
    Expr quiet = orInt(shiftRight(bits, 16), 0x40);
    return finish(select(isNaN(x), quiet, rounded));
  }
  if (isa<Float8E8M0FNUType>(narrow))
    return finish(truncateToExponentOnly(x));

  Format format(narrow);
  unsigned drop = 23 - format.mantissa;
  Expr magnitude = andInt(bits, kSign - 1);
  Expr even = andInt(shiftRight(magnitude, drop), 1);
  Expr rounded = addInt(magnitude, (uint64_t(1) << (drop - 1)) - 1) + even;
  Expr normal = shiftRight(rounded, drop) - bits.integer(uint64_t(format.rebias()) << format.mantissa);
  // Adding a power of two whose last place is the format's smallest step rounds to such steps.
  double step = std::ldexp(1.0, format.minExponent - int(format.mantissa) + 23);
  Expr sum = magnitude.asFloat() + step;
  Expr subnormal = sum.bits() - sum.constant(step).bits();
  Expr isNormal = magnitude.asFloat() >= std::ldexp(1.0, format.minExponent);
  Expr value = select(isNormal, normal, subnormal);
  uint64_t overflow = format.infinity ? *format.infinity : format.nan ? *format.nan : format.largest;
  value = select(above(value, format.largest), value.integer(overflow), value);
  if (format.nan)
    value = select(isNaN(x), value.integer(*format.nan), value);
  else
    value = select(isNaN(x), value.integer(format.largest), value);
  Expr sign = shiftLeft(shiftRight(bits, 31), width - 1);
  if (!format.hasNegativeZero)
    sign = select(equalInt(value, 0), sign.integer(0), sign);
  return finish(value | sign);
}

Expr truncateToOdd(const Expr &x) {
  Expr y = x.toF32();
  Expr back = y.toF64();
  Expr bits = y.bits();
  // A result that is too large in magnitude steps back; then an inexact one becomes odd.
  Expr tooLarge = abs(back) > abs(x);
  Expr toZero = select(tooLarge, addInt(bits, -1), bits);
  Expr inexact = compare(arith::CmpFPredicate::ONE, back, x);
  return select(inexact, orInt(toZero, 1), bits).asFloat();
}

} // namespace burin
