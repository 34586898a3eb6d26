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

/// How far past its tolerance an element is: at most 0 where it agrees.
double excess(double actual, double expected, double rtol, double atol, double &error) {
  if (std::isnan(actual) || std::isnan(expected)) {
    error = 0;
    return std::isnan(actual) && std::isnan(expected) ? 0
                                                      : std::numeric_limits<double>::infinity();
  }
  if (std::isinf(actual) || std::isinf(expected)) {
    error = 0;
    return actual == expected ? 0 : std::numeric_limits<double>::infinity();
  }
  error = std::fabs(actual - expected);
  return error - (atol + rtol * std::fabs(expected));
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

} // namespace

Comparison compare(const TypeInfo &type, uint64_t count, const unsigned char *actual,
                   const unsigned char *expected, double rtol, double atol) {
  Comparison result;
  double worst = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const unsigned char *a = actual + i * type.bytes, *e = expected + i * type.bytes;
    double over = 0, error = 0;
    if (type.kind == Kind::Float) {
      over = excess(floatAt(type, a), floatAt(type, e), rtol, atol, error);
    } else if (type.kind == Kind::Complex) {
      unsigned half = type.bytes / 2;
      double imaginaryError = 0;
      over = std::fmax(excess(floatAt(type, a), floatAt(type, e), rtol, atol, error),
                       excess(floatAt(type, a + half), floatAt(type, e + half), rtol, atol,
                              imaginaryError));
      error = std::fmax(error, imaginaryError);
    } else {
      int64_t x = integerAt(type, a), y = integerAt(type, e);
      error = type.kind == Kind::Unsigned ? std::fabs(double(uint64_t(x)) - double(uint64_t(y)))
                                          : std::fabs(double(x) - double(y));
      over = x == y ? 0 : std::fmax(error, 1);
    }
    result.maxError = std::fmax(result.maxError, error);
    if (!(over > 0))
      continue;
    if (result.mismatches++ == 0 || over > worst) {
      worst = over;
      result.worstIndex = i;
      result.actual = text(type, a);
      result.expected = text(type, e);
    }
  }
  return result;
}

} // namespace burin::run
