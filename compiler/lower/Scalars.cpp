// SPDX-License-Identifier: Apache-2.0
#include "compiler/lower/Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

namespace burin::lower {

static bool isFloat(Value value) { return isa<FloatType>(value.getType()); }

Value Scalars::constant(Type type, double value) {
  auto floatType = dyn_cast<FloatType>(type);
  if (!floatType)
    return constantInt(type, int64_t(value));
  APFloat rounded(value);
  bool lost = false;
  rounded.convert(floatType.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
  return arith::ConstantOp::create(b, FloatAttr::get(floatType, rounded));
}

Value Scalars::constantInt(Type type, int64_t value) {
  if (isa<FloatType>(type))
    return constant(type, double(value));
  APInt wide(64, uint64_t(value), /*isSigned=*/true);
  return arith::ConstantOp::create(
      b, IntegerAttr::get(type, type.isIndex() ? wide
                                               : wide.sextOrTrunc(type.getIntOrFloatBitWidth())));
}

//===- Arithmetic -----------------------------------------------------------===//

Value Scalars::add(Value x, Value y) {
  return isFloat(x) ? Value(arith::AddFOp::create(b, x, y)) : arith::AddIOp::create(b, x, y);
}
Value Scalars::sub(Value x, Value y) {
  return isFloat(x) ? Value(arith::SubFOp::create(b, x, y)) : arith::SubIOp::create(b, x, y);
}
Value Scalars::mul(Value x, Value y) {
  return isFloat(x) ? Value(arith::MulFOp::create(b, x, y)) : arith::MulIOp::create(b, x, y);
}
Value Scalars::fma(Value x, Value y, Value z) {
  return isFloat(x) ? Value(math::FmaOp::create(b, x, y, z)) : add(mul(x, y), z);
}
Value Scalars::neg(Value x) {
  return isFloat(x) ? Value(arith::NegFOp::create(b, x)) : sub(like(x, 0), x);
}
Value Scalars::abs(Value x, bool isUnsigned) {
  if (isFloat(x))
    return math::AbsFOp::create(b, x);
  return isUnsigned ? x : Value(math::AbsIOp::create(b, x));
}

/// A divisor for which the machine's division is defined: 0 and, where signed,
/// -1 become 1; the callers put those cases right.
static Value safeDivisor(Scalars &s, Value y, Value isZero, Value isMinusOne) {
  Value unsafe = isMinusOne ? Value(arith::OrIOp::create(s.b, isZero, isMinusOne)) : isZero;
  return s.select(unsafe, s.like(y, 1), y);
}

Value Scalars::div(Value x, Value y, bool isUnsigned) {
  if (isFloat(x))
    return arith::DivFOp::create(b, x, y);
  Value zero = like(x, 0);
  Value isZero = equal(y, zero);
  if (isUnsigned)
    return select(isZero, zero,
                  arith::DivUIOp::create(b, x, safeDivisor(*this, y, isZero, nullptr)));
  Value isMinusOne = equal(y, like(x, -1));
  Value quotient = arith::DivSIOp::create(b, x, safeDivisor(*this, y, isZero, isMinusOne));
  return select(isZero, zero, select(isMinusOne, neg(x), quotient));
}

/// C's fmod. Each step subtracts the multiple of y that the rounded quotient names,
/// which IEEE 754 makes exact, and takes at least 52 bits off the quotient; f32 is
/// computed in f64, so 6 steps see its whole range and 41 that of f64.
static Value floatRem(Scalars &s, Value x, Value y) {
  Type type = x.getType();
  ImplicitLocOpBuilder &b = s.b;
  bool isSingle = type.isF32();
  if (isSingle) {
    x = arith::ExtFOp::create(b, b.getF64Type(), x);
    y = arith::ExtFOp::create(b, b.getF64Type(), y);
  }
  Value divisor = s.abs(y);
  auto step = [&](ImplicitLocOpBuilder &at, Value rest) -> Value {
    Scalars in{at};
    Value quotient = math::TruncOp::create(at, in.div(rest, divisor));
    return in.fma(in.neg(quotient), divisor, rest);
  };
  auto steps = scf::ForOp::create(
      b, arith::ConstantIndexOp::create(b, 0), arith::ConstantIndexOp::create(b, isSingle ? 6 : 41),
      arith::ConstantIndexOp::create(b, 1), ValueRange{s.abs(x)},
      [&](OpBuilder &inner, Location loc, Value, ValueRange carried) {
        ImplicitLocOpBuilder at(loc, inner);
        scf::YieldOp::create(at, step(at, carried[0]));
      });
  Value rest = steps.getResult(0);
  rest = s.select(s.less(rest, s.like(rest, 0)), s.add(rest, divisor), rest);
  // fmod(x, inf) is x, which 0 * inf has spoilt.
  Value infinity = s.like(x, std::numeric_limits<double>::infinity());
  Value keeps = arith::AndIOp::create(b, s.equal(divisor, infinity), s.less(s.abs(x), infinity));
  rest = math::CopySignOp::create(b, s.select(keeps, s.abs(x), rest), x);
  return isSingle ? Value(arith::TruncFOp::create(b, type, rest)) : rest;
}

Value Scalars::rem(Value x, Value y, bool isUnsigned, bool floored) {
  Value zero = like(x, 0), rest;
  if (isFloat(x)) {
    rest = floatRem(*this, x, y);
  } else {
    Value isZero = equal(y, zero);
    if (isUnsigned)
      return select(isZero, zero,
                    arith::RemUIOp::create(b, x, safeDivisor(*this, y, isZero, nullptr)));
    Value divisor = safeDivisor(*this, y, isZero, equal(y, like(x, -1)));
    rest = select(isZero, zero, arith::RemSIOp::create(b, x, divisor));
  }
  if (!floored)
    return rest;
  Value differ = notEqual(less(rest, zero), less(y, zero));
  Value adjust = arith::AndIOp::create(b, differ, notEqual(rest, zero));
  Value sameSign = isFloat(x) ? Value(select(equal(rest, zero), math::CopySignOp::create(b, zero, y),
                                             rest))
                              : rest;
  return select(adjust, add(rest, y), sameSign);
}

Value Scalars::min(Value x, Value y, bool isUnsigned) {
  if (isFloat(x))
    return arith::MinimumFOp::create(b, x, y);
  return isUnsigned ? Value(arith::MinUIOp::create(b, x, y)) : arith::MinSIOp::create(b, x, y);
}
Value Scalars::max(Value x, Value y, bool isUnsigned) {
  if (isFloat(x))
    return arith::MaximumFOp::create(b, x, y);
  return isUnsigned ? Value(arith::MaxUIOp::create(b, x, y)) : arith::MaxSIOp::create(b, x, y);
}

//===- Comparison -----------------------------------------------------------===//

static Value compare(Scalars &s, Value x, Value y, CmpFPredicate floats, CmpIPredicate ints) {
  return isFloat(x) ? Value(arith::CmpFOp::create(s.b, floats, x, y))
                    : arith::CmpIOp::create(s.b, ints, x, y);
}
Value Scalars::less(Value x, Value y, bool isUnsigned) {
  return compare(*this, x, y, CmpFPredicate::OLT,
                 isUnsigned ? CmpIPredicate::ult : CmpIPredicate::slt);
}
Value Scalars::lessEqual(Value x, Value y, bool isUnsigned) {
  return compare(*this, x, y, CmpFPredicate::OLE,
                 isUnsigned ? CmpIPredicate::ule : CmpIPredicate::sle);
}
Value Scalars::equal(Value x, Value y) {
  return compare(*this, x, y, CmpFPredicate::OEQ, CmpIPredicate::eq);
}
Value Scalars::notEqual(Value x, Value y) {
  return compare(*this, x, y, CmpFPredicate::UNE, CmpIPredicate::ne);
}
Value Scalars::isNan(Value x) { return arith::CmpFOp::create(b, CmpFPredicate::UNO, x, x); }
Value Scalars::select(Value condition, Value x, Value y) {
  return arith::SelectOp::create(b, condition, x, y);
}

//===- Functions of a float -------------------------------------------------===//

Value Scalars::exp(Value x) { return math::ExpOp::create(b, x); }
Value Scalars::log(Value x) { return math::LogOp::create(b, x); }
Value Scalars::sqrt(Value x) { return math::SqrtOp::create(b, x); }
Value Scalars::tanh(Value x) { return math::TanhOp::create(b, x); }
Value Scalars::expm1(Value x) { return math::ExpM1Op::create(b, x); }
Value Scalars::log1p(Value x) { return math::Log1pOp::create(b, x); }
Value Scalars::pow(Value x, Value y) { return math::PowFOp::create(b, x, y); }

Value Scalars::polynomial(Value x, ArrayRef<double> coefficients) {
  Value sum = like(x, coefficients.back());
  for (double coefficient : llvm::reverse(coefficients.drop_back()))
    sum = fma(sum, x, like(x, coefficient));
  return sum;
}

Value Scalars::sigmoid(Value x) {
  Value one = like(x, 1);
  return div(one, add(one, exp(neg(x)))); // exp overflows to infinity, and 1/inf is 0
}

Value Scalars::softplus(Value x) {
  return add(max(x, like(x, 0)), log1p(exp(neg(abs(x)))));
}

} // namespace burin::lower
