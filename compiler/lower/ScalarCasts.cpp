// SPDX-License-Identifier: Apache-2.0
//
// Conversions between element types. 8- and 4-bit floats are taken apart by
// integer arithmetic here, since no machine of ours has them.

#include "compiler/lower/Lowering.h"
#include "compiler/lower/Scalars.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace burin::lower {

Type computeType(Type type) {
  auto floatType = dyn_cast<FloatType>(type);
  return floatType && floatType.getWidth() < 32 ? Float32Type::get(type.getContext()) : type;
}

namespace {

/// A small float's bits: sign, exponent, mantissa from the top.
struct Format {
  unsigned width, mantissa;
  int bias;
  int largest;  // code of the largest finite magnitude
  int infinity; // code of infinity, or -1
  int nan;      // code that NaN becomes, without sign
  bool hasNegativeZero;

  bool hasNan() const { return width == 8; }
  int smallestNormalExponent() const { return 1 - bias; }
};

std::optional<Format> formatOf(Type type) {
  if (isa<Float8E4M3FNType>(type))
    return Format{8, 3, 7, 0x7e, -1, 0x7f, true};
  if (isa<Float8E4M3FNUZType>(type))
    return Format{8, 3, 8, 0x7f, -1, 0x80, false};
  if (isa<Float8E5M2Type>(type))
    return Format{8, 2, 15, 0x7b, 0x7c, 0x7e, true};
  if (isa<Float8E5M2FNUZType>(type))
    return Format{8, 2, 16, 0x7f, -1, 0x80, false};
  if (isa<Float4E2M1FNType>(type))
    return Format{4, 1, 1, 0x7, -1, 0x8, true}; // no NaN: it becomes -0
  return std::nullopt;
}

/// The integer ops of this file, on i32.
struct Bits : Scalars {
  Type i32 = b.getI32Type(), f32 = b.getF32Type();
  Value code(int64_t value) { return constantInt(i32, value); }
  Value bitsOf(Value x) { return arith::BitcastOp::create(b, i32, x); }
  Value floatOf(Value x) { return arith::BitcastOp::create(b, f32, x); }
  Value shl(Value x, int n) { return arith::ShLIOp::create(b, x, code(n)); }
  Value shr(Value x, int n) { return arith::ShRUIOp::create(b, x, code(n)); }
  Value both(Value x, int64_t mask) { return arith::AndIOp::create(b, x, code(mask)); }
  Value either(Value x, Value y) { return arith::OrIOp::create(b, x, y); }
};

Value widenSmall(Bits s, Value x, const Format &format) {
  Type code = s.b.getIntegerType(format.width);
  Value bits = arith::ExtUIOp::create(s.b, s.i32, arith::BitcastOp::create(s.b, code, x));
  int signShift = 31 - int(format.width - 1);
  Value magnitude = s.both(bits, (1 << (format.width - 1)) - 1);
  Value sign = s.shl(s.both(bits, 1 << (format.width - 1)), signShift);
  Value normal = s.floatOf(s.add(s.shl(magnitude, 23 - format.mantissa),
                                 s.code(int64_t(127 - format.bias) << 23)));
  Value subnormal =
      s.mul(arith::UIToFPOp::create(s.b, s.f32, magnitude),
            s.constant(s.f32, std::ldexp(1.0, format.smallestNormalExponent() - format.mantissa)));
  Value value = s.select(s.less(magnitude, s.code(1 << format.mantissa)), subnormal, normal);
  if (format.infinity >= 0) {
    Value infinity = s.constant(s.f32, std::numeric_limits<double>::infinity());
    value = s.select(s.equal(magnitude, s.code(format.infinity)), infinity, value);
  }
  Value signedValue = s.floatOf(s.either(s.bitsOf(value), sign));
  if (!format.hasNan())
    return signedValue;
  Value nan = s.constant(s.f32, std::numeric_limits<double>::quiet_NaN());
  Value isNan = !format.hasNegativeZero ? s.equal(bits, s.code(format.nan))
                : format.infinity >= 0  ? s.less(s.code(format.infinity), magnitude)
                                        : s.equal(magnitude, s.code(format.nan));
  return s.select(isNan, nan, signedValue);
}

/// Rounds the f32 `x` to nearest even.
Value narrowSmall(Bits s, Value x, const Format &format, Type to, bool saturate) {
  Value bits = s.bitsOf(x);
  Value magnitude = s.both(bits, 0x7fffffff);
  // Normal: round the mantissa in place, a carry moves into the exponent.
  int drop = 23 - format.mantissa;
  Value odd = s.both(s.shr(magnitude, drop), 1);
  Value rounded = s.shr(s.add(magnitude, s.add(odd, s.code((1 << (drop - 1)) - 1))), drop);
  Value normal = s.sub(rounded, s.code((127 - format.bias) << format.mantissa));
  // Subnormal: adding a power of two puts the last bit kept at the end of the mantissa.
  double unit = std::ldexp(1.0, format.smallestNormalExponent() - format.mantissa + 23);
  Value magic = s.constant(s.f32, unit);
  Value subnormal = s.sub(s.bitsOf(s.add(s.floatOf(magnitude), magic)), s.bitsOf(magic));
  Value smallestNormal = s.bitsOf(s.constant(s.f32, std::ldexp(1.0, format.smallestNormalExponent())));
  Value code = s.select(s.less(magnitude, smallestNormal), subnormal, normal);

  bool clamps = saturate || !format.hasNan();
  Value beyond = s.code(clamps ? format.largest : format.infinity >= 0 ? format.infinity : format.nan);
  Value isBeyond = s.less(s.code(format.largest), code);
  code = s.select(isBeyond, beyond, code);
  Value sign = s.shl(s.shr(bits, 31), format.width - 1);
  if (format.hasNegativeZero) {
    code = s.either(code, sign);
  } else {
    // The code of -0 is NaN's.
    Value needsSign = s.notEqual(code, s.code(0));
    code = s.select(needsSign, s.either(code, sign), code);
  }
  Value nan = s.code(format.nan);
  if (format.hasNegativeZero)
    nan = s.either(nan, sign);
  code = s.select(s.isNan(x), nan, code);
  Value stored = arith::TruncIOp::create(s.b, s.b.getIntegerType(format.width), code);
  return arith::BitcastOp::create(s.b, to, stored);
}

/// f8E8M0 is the exponent of an f32 and nothing else; 255 is NaN.
Value widenExponent(Bits s, Value x) {
  Value bits = arith::ExtUIOp::create(s.b, s.i32, arith::BitcastOp::create(s.b, s.b.getI8Type(), x));
  Value smallest = s.code(0x00400000); // 2^-127, subnormal
  Value value = s.select(s.equal(bits, s.code(0)), smallest, s.shl(bits, 23));
  return s.floatOf(s.select(s.equal(bits, s.code(255)), s.code(0x7fc00000), value));
}

Value narrowExponent(Bits s, Value x, Type to, const CastOptions &options) {
  Value bits = s.bitsOf(x);
  Value exponent = s.both(s.shr(bits, 23), 0xff);
  Value mantissa = s.both(bits, 0x7fffff);
  Value up;
  if (options.roundMode == "up")
    up = s.notEqual(mantissa, s.code(0));
  else if (options.roundMode == "nearest") // ties to the larger but for the subnormal one
    up = s.select(s.equal(exponent, s.code(0)), s.less(s.code(0x400000), mantissa),
                  s.lessEqual(s.code(0x400000), mantissa));
  if (up) {
    Value last = s.code(options.saturate ? 0xfe : 0xff);
    Value increment = arith::AndIOp::create(s.b, up, s.less(exponent, last));
    exponent = s.add(exponent, arith::ExtUIOp::create(s.b, s.i32, increment));
  }
  return arith::BitcastOp::create(s.b, to, arith::TruncIOp::create(s.b, s.b.getI8Type(), exponent));
}

/// f64 to f32 so that rounding the result once more gives what one rounding would:
/// an inexact result gets an odd last bit.
Value roundToOdd(Bits s, Value x) {
  Value near = arith::TruncFOp::create(s.b, s.f32, x);
  Value back = arith::ExtFOp::create(s.b, s.b.getF64Type(), near);
  Value tooFar = s.less(s.abs(x), s.abs(back));
  Value inexact = arith::CmpFOp::create(s.b, arith::CmpFPredicate::ONE, back, x);
  Value bits = s.bitsOf(near);
  bits = s.sub(bits, arith::ExtUIOp::create(s.b, s.i32, tooFar));
  return s.floatOf(s.either(bits, arith::ExtUIOp::create(s.b, s.i32, inexact)));
}

} // namespace

Value Scalars::widen(Value x) {
  Type type = x.getType();
  if (std::optional<Format> format = formatOf(type))
    return widenSmall({*this}, x, *format);
  if (isa<Float8E8M0FNUType>(type))
    return widenExponent({*this}, x);
  if (computeType(type) == type)
    return x;
  return arith::ExtFOp::create(b, b.getF32Type(), x);
}

Value Scalars::narrow(Value x, Type to, const CastOptions &options) {
  if (x.getType() == to)
    return x;
  unsigned width = to.getIntOrFloatBitWidth();
  if (width < 32 && x.getType().isF64())
    x = roundToOdd({*this}, x);
  if (std::optional<Format> format = formatOf(to))
    return narrowSmall({*this}, x, *format, to, options.saturate);
  if (isa<Float8E8M0FNUType>(to))
    return narrowExponent({*this}, x, to, options);
  if (width > x.getType().getIntOrFloatBitWidth())
    return arith::ExtFOp::create(b, to, x);
  return arith::TruncFOp::create(b, to, x);
}

Value Scalars::saturatingToInt(Value x, Type to, bool isUnsigned) {
  unsigned width = to.getIntOrFloatBitWidth();
  if (width <= 16) {
    // Both ends are exact, and f32 to i32 is what vector units convert.
    double least = isUnsigned ? 0 : -std::ldexp(1.0, width - 1);
    double most = std::ldexp(1.0, isUnsigned ? width : width - 1) - 1;
    Value clamped = select(less(x, like(x, least)), like(x, least), x);
    clamped = select(less(like(x, most), clamped), like(x, most), clamped);
    clamped = select(isNan(x), like(x, 0), clamped);
    return arith::TruncIOp::create(b, to, arith::FPToSIOp::create(b, b.getI32Type(), clamped));
  }
  // Both bounds are powers of two, hence exact.
  double above = std::ldexp(1.0, isUnsigned ? width : width - 1);
  Value low = isUnsigned ? lessEqual(x, like(x, -1)) : less(x, like(x, -above));
  Value high = lessEqual(like(x, above), x);
  Value outside = arith::OrIOp::create(b, arith::OrIOp::create(b, low, high), isNan(x));
  Value inside = select(outside, like(x, 0), x);
  Value result = isUnsigned ? Value(arith::FPToUIOp::create(b, to, inside))
                            : arith::FPToSIOp::create(b, to, inside);
  APInt least = isUnsigned ? APInt::getZero(width) : APInt::getSignedMinValue(width);
  APInt most = isUnsigned ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width);
  Value leastValue = arith::ConstantOp::create(b, IntegerAttr::get(to, least));
  Value mostValue = arith::ConstantOp::create(b, IntegerAttr::get(to, most));
  return select(low, leastValue, select(high, mostValue, result));
}

Value Scalars::cast(Value x, Type from, Type to, const CastOptions &options) {
  if (from == to)
    return x;
  Type stored = storageType(to);
  bool fromUnsigned = isUnsigned(from) || isBool(from);
  if (isBool(to)) {
    if (isa<FloatType>(from))
      x = widen(x);
    return arith::ExtUIOp::create(b, stored, notEqual(x, like(x, 0)));
  }
  if (isa<FloatType>(from)) {
    x = widen(x);
    if (isa<FloatType>(to))
      return narrow(x, to, options);
    if (stored.getIntOrFloatBitWidth() >= 8)
      return saturatingToInt(x, stored, isUnsigned(to));
    // 4- and 2-bit integers keep the low bits, as ONNX's own reference does.
    return arith::TruncIOp::create(b, stored, saturatingToInt(x, b.getI32Type(), false));
  }
  unsigned fromWidth = x.getType().getIntOrFloatBitWidth();
  unsigned toWidth = stored.getIntOrFloatBitWidth();
  if (isa<FloatType>(to)) {
    // Through f64, which holds 32-bit integers, where f32 would round first.
    Type through = toWidth >= 32 ? to : fromWidth >= 32 ? b.getF64Type() : Type(b.getF32Type());
    Value value = fromUnsigned ? Value(arith::UIToFPOp::create(b, through, x))
                               : arith::SIToFPOp::create(b, through, x);
    return narrow(value, to, options);
  }
  if (toWidth == fromWidth)
    return x;
  if (toWidth < fromWidth)
    return arith::TruncIOp::create(b, stored, x);
  return fromUnsigned ? Value(arith::ExtUIOp::create(b, stored, x))
                      : arith::ExtSIOp::create(b, stored, x);
}

} // namespace burin::lower
