// SPDX-License-Identifier: Apache-2.0
#include "Compare.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace burin::run {
namespace {

/// How a float of at most 16 bits is made up.
struct SmallFloat {
  uint32_t dtype;
  int exponentBits, fractionBits, bias;
  enum { Ieee, NanAllOnes, NanMinusZero, Finite } special;
};

constexpr SmallFloat smallFloats[] = {
    {BURIN_F16, 5, 10, 15, SmallFloat::Ieee},
    {BURIN_BF16, 8, 7, 127, SmallFloat::Ieee},
    {BURIN_F8E4M3FN, 4, 3, 7, SmallFloat::NanAllOnes},
    {BURIN_F8E4M3FNUZ, 4, 3, 8, SmallFloat::NanMinusZero},
    {BURIN_F8E5M2, 5, 2, 15, SmallFloat::Ieee},
    {BURIN_F8E5M2FNUZ, 5, 2, 16, SmallFloat::NanMinusZero},
    {BURIN_F4E2M1, 2, 1, 1, SmallFloat::Finite},
};

double decode(const SmallFloat &format, unsigned bits) {
  int exponentMax = (1 << format.exponentBits) - 1;
  unsigned signBit = 1u << (format.exponentBits + format.fractionBits);
  unsigned magnitude = bits & (signBit - 1);
  int exponent = int(magnitude >> format.fractionBits);
  unsigned fraction = magnitude & ((1u << format.fractionBits) - 1);
  double sign = bits & signBit ? -1 : 1;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  if (format.special == SmallFloat::Ieee && exponent == exponentMax)
    return fraction ? nan : sign * std::numeric_limits<double>::infinity();
  if (format.special == SmallFloat::NanAllOnes && magnitude == signBit - 1)
    return nan;
  if (format.special == SmallFloat::NanMinusZero && bits == signBit)
    return nan;
  if (exponent == 0)
    return sign * std::ldexp(fraction, 1 - format.bias - format.fractionBits);
  return sign * std::ldexp(fraction + (1u << format.fractionBits),
                           exponent - format.bias - format.fractionBits);
}

template <typename T> T load(const unsigned char *at) {
  T value;
  memcpy(&value, at, sizeof value);
  return value;
}

double floatAt(const TypeInfo &type, const unsigned char *at) {
  if (type.dtype == BURIN_F32 || type.dtype == BURIN_C64)
    return load<float>(at);
  if (type.dtype == BURIN_F64 || type.dtype == BURIN_C128)
    return load<double>(at);
  if (type.dtype == BURIN_F8E8M0)
    return *at == 0xff ? std::numeric_limits<double>::quiet_NaN() : std::ldexp(1.0, *at - 127);
  for (const SmallFloat &format : smallFloats)
    if (format.dtype == type.dtype)
      return decode(format, type.bytes == 2 ? load<uint16_t>(at) : *at);
  return std::numeric_limits<double>::quiet_NaN();
}

/// The value of an integer or bool as 64 bits; of small ones the low bits count alone.
int64_t integerAt(const TypeInfo &type, const unsigned char *at) {
  uint64_t value = 0;
  memcpy(&value, at, type.bytes);
  unsigned unused = 64 - type.bits;
  return type.kind == Kind::Signed ? int64_t(value << unused) >> unused
                                   : int64_t(value << unused >> unused);
}

std::string text(const TypeInfo &type, const unsigned char *at) {
  switch (type.kind) {
  case Kind::Float: return format("%.9g", floatAt(type, at));
  case Kind::Complex:
    return format("%.9g%+.9gi", floatAt(type, at), floatAt(type, at + type.bytes / 2));
  case Kind::Bool: return *at ? (*at == 1 ? "true" : format("%u (a bool is 0 or 1)", *at)) : "false";
  case Kind::Signed: return format("%lld", (long long)integerAt(type, at));
  case Kind::Unsigned: return format("%llu", (unsigned long long)integerAt(type, at));
  }
  return "?";
}

/// The precision of a float type.
struct Precision {
  int fractionBits, minExponent, maxExponent; // of normal numbers
};

Precision precisionOf(const TypeInfo &type) {
  if (type.dtype == BURIN_F64 || type.dtype == BURIN_C128)
    return {52, -1022, 1023};
  for (const SmallFloat &format : smallFloats)
    if (format.dtype == type.dtype)
      return {format.fractionBits, 1 - format.bias,
              (1 << format.exponentBits) - 1 - format.bias -
                  (format.special == SmallFloat::Ieee ? 1 : 0)};
  return {23, -126, 127};
}

/// Components of a type: a complex element has two.
unsigned partsOf(const TypeInfo &type) { return type.kind == Kind::Complex ? 2 : 1; }

double partAt(const TypeInfo &type, const unsigned char *data, uint64_t part) {
  return floatAt(type, data + part * (type.bytes / partsOf(type)));
}

bool isFloat(const TypeInfo &type) { return type.kind == Kind::Float || type.kind == Kind::Complex; }

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Takes in the element at `index`, whose error is `share` of what its tolerance allows.
class Worst {
public:
  Worst(Difference &result, const TypeInfo &type, const unsigned char *actual,
        const TypeInfo &referenceType, const unsigned char *expected)
      : result(result), type(type), referenceType(referenceType), actual(actual),
        expected(expected) {}

  void take(uint64_t index, double share) {
    result.mismatches += share > 1;
    if (share <= worst)
      return;
    worst = share;
    result.worstIndex = index;
    result.actual = text(type, actual + index * type.bytes);
    result.expected = text(referenceType, expected + index * referenceType.bytes);
  }

private:
  Difference &result;
  const TypeInfo &type, &referenceType;
  const unsigned char *actual, *expected;
  double worst = -1;
};

} // namespace

Difference difference(const TypeInfo &type, const unsigned char *actual,
                      const TypeInfo &referenceType, const unsigned char *expected, uint64_t count,
                      const Tolerance &tolerance) {
  Difference result;
  Worst worst(result, type, actual, referenceType, expected);
  if (!isFloat(type)) {
    for (uint64_t i = 0; i < count; ++i) {
      int64_t x = integerAt(type, actual + i * type.bytes),
              y = integerAt(referenceType, expected + i * referenceType.bytes);
      bool isEqual = !(uint64_t(x ^ y) << (64 - type.bits));
      double error = type.kind == Kind::Unsigned ? double(uint64_t(x)) - double(uint64_t(y))
                                                 : double(x) - double(y);
      result.maxAbs = std::fmax(result.maxAbs, isEqual ? 0 : std::fabs(error));
      worst.take(i, isEqual ? 0 : infinity);
    }
    return result;
  }
  unsigned parts = partsOf(type);
  Precision precision = precisionOf(type);
  double limit = std::ldexp(2.0, precision.maxExponent), scale = 0;
  for (uint64_t i = 0; i < count * parts; ++i)
    if (double e = std::fabs(partAt(referenceType, expected, i)); e < limit)
      scale = std::fmax(scale, e);
  double rtol = tolerance.rtol.value_or(std::fmax(1e-3, std::ldexp(4, -precision.fractionBits)));
  double atol = tolerance.atol.value_or(1e-4 * scale);
  /// The error of a part in terms of what is allowed.
  auto shareOf = [&](double a, double e) {
    if (std::fabs(e) >= limit)
      e = std::copysign(infinity, e);
    double error = std::fabs(a - e);
    if (a == e || (std::isnan(a) && std::isnan(e)))
      return 0.0;
    if (!std::isfinite(error))
      return infinity;
    int exponent = std::max(e == 0 ? precision.minExponent : std::ilogb(e), precision.minExponent);
    result.maxAbs = std::fmax(result.maxAbs, error);
    result.maxRel = std::fmax(result.maxRel, error / std::fabs(e));
    result.maxUlp = std::fmax(result.maxUlp, std::ldexp(error, precision.fractionBits - exponent));
    double allowed = atol + rtol * std::fabs(e);
    return allowed > 0 ? error / allowed : infinity;
  };
  for (uint64_t i = 0; i < count; ++i) {
    double share = 0;
    for (uint64_t part = i * parts; part < (i + 1) * parts; ++part)
      share = std::fmax(share, shareOf(partAt(type, actual, part),
                                       partAt(referenceType, expected, part)));
    worst.take(i, share);
  }
  return result;
}

Memory widened(const TypeInfo &type, const unsigned char *from, uint64_t count) {
  Memory memory(count * sizeof(double));
  for (uint64_t i = 0; i < count; ++i) {
    double value = floatAt(type, from + i * type.bytes);
    memcpy(memory.data() + i * sizeof value, &value, sizeof value);
  }
  return memory;
}

} // namespace burin::run
