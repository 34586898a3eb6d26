// SPDX-License-Identifier: Apache-2.0
//
// The pass expand-math: which op is rewritten by which recipe; see Passes.td.

#include "compiler/target/cpu/ExpandMath.h"
#include "compiler/transforms/NotPositive.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_EXPANDMATH
#include "compiler/transforms/Passes.h.inc"

Expr powerByConstant(const Expr &x, unsigned n) {
  if (n == 0)
    return x.constant(1.0);
  std::optional<Expr> result;
  for (Expr square = x;; square = square * square) {
    if (n & 1)
      result.emplace(result ? *result * square : square);
    if (!(n >>= 1))
      return *result;
  }
}

Expr powSpecialCases(const Expr &x, const Expr &y, const Expr &magnitude) {
  constexpr double inf = __builtin_huge_val();
  Expr ax = abs(x);
  Expr zero = x.constant(0.0), infinity = x.constant(inf), one = x.constant(1.0);
  Expr positive = y > 0.0;
  Expr m = select(equal(ax, 0.0), select(positive, zero, infinity), magnitude);
  m = select(equal(ax, inf), select(positive, infinity, zero), m);
  m = select(equal(ax, 1.0), one, m);

  Expr half = y * 0.5;
  Expr integer = equal(trunc(y), y);
  // A float with a half that is no integer is itself odd, or no integer.
  Expr odd = compare(arith::CmpFPredicate::UNE, trunc(half), half);
  Expr oddInteger{x.builder(), arith::AndIOp::create(x.builder(), odd.value(), integer.value())};
  m = copysign(m, select(oddInteger, x, one));

  Expr negative{x.builder(),
                arith::AndIOp::create(x.builder(), (x < 0.0).value(), (x > -inf).value())};
  m = select(negative, select(integer, m, __builtin_nan("")), m);
  m = select(isNaN(x), x, select(isNaN(y), y, m));
  m = select(equal(y, 0.0), one, m);
  return select(equal(x, 1.0), one, m);
}

Expr remainder(const Expr &x, const Expr &y) {
  ImplicitLocOpBuilder &b = x.builder();
  if (!x.isF64())
    return remainder(x.toF64(), y.toF64()).toF32();

  constexpr double inf = __builtin_huge_val();
  Expr ax = abs(x), ay = abs(y);
  auto both = [&](const Expr &p, const Expr &q) {
    return Expr{b, arith::AndIOp::create(b, p.value(), q.value())};
  };
  Expr valid = both(both(ax < inf, ay < inf), ay > 0.0);
  Expr divisor = select(valid, ay, 1.0);
  Expr start = select(valid, ax, 0.0);

  auto exponent = [](const Expr &v) {
    Expr subnormal = v < 0x1p-1022;
    Expr e = shiftRight(select(subnormal, v * 0x1p+54, v).bits(), 52);
    return select(subnormal, addInt(e, -54), e);
  };
  Expr divisorExponent = exponent(divisor);

  // While a lane is too large: subtract q * (divisor * 2^d), q below 2^52. The difference is
  // a multiple of the divisor's last place and no longer than it, so that nothing is rounded.
  auto loop = scf::WhileOp::create(
      b, TypeRange{x.type()}, ValueRange{start.value()},
      [&](OpBuilder &, Location loc, ValueRange args) {
        ImplicitLocOpBuilder inner(loc, b);
        inner.setInsertionPointToEnd(args[0].getParentBlock());
        Expr r(inner, args[0]);
        Value again = compare(arith::CmpFPredicate::OGE, r, Expr(inner, divisor.value()));
        if (auto type = dyn_cast<VectorType>(again.getType())) {
          auto flat = VectorType::get({type.getNumElements()}, type.getElementType());
          if (flat != type)
            again = vector::ShapeCastOp::create(inner, flat, again);
          again = vector::ReductionOp::create(inner, vector::CombiningKind::OR, again);
        }
        scf::ConditionOp::create(inner, again, args);
      },
      [&](OpBuilder &, Location loc, ValueRange args) {
        ImplicitLocOpBuilder inner(loc, b);
        inner.setInsertionPointToEnd(args[0].getParentBlock());
        Expr r(inner, args[0]), y(inner, divisor.value());
        Expr d = addInt(exponent(r) - Expr(inner, divisorExponent.value()), -51);
        d = Expr(inner, arith::MaxSIOp::create(inner, d.value(), d.integer(0).value()));
        Expr firstHalf = shiftRight(d, 1);
        auto power = [](const Expr &n) { return shiftLeft(addInt(n, 1023), 52).asFloat(); };
        Expr scaled = y * power(firstHalf) * power(d - firstHalf);
        Expr next = fma(-trunc(r / scaled), scaled, r);
        // The quotient may have been rounded up to the next integer.
        next = select(next < 0.0, next + scaled, next);
        next = select(compare(arith::CmpFPredicate::OGE, r, y), next, r);
        scf::YieldOp::create(inner, ValueRange{next.value()});
      });
  b.setInsertionPointAfter(loop);
  Expr r = copysign(Expr(b, loop.getResult(0)), x);
  r = select(both(equal(ay, inf), ax < inf), x, r);
  Expr invalid = (x * y) / (x * y); // NaN where it is needed
  Expr fine{b, arith::OrIOp::create(b, valid.value(), both(equal(ay, inf), ax < inf).value())};
  Expr nan = select(isNaN(invalid), invalid, __builtin_nan(""));
  return select(fine, r, nan);
}

namespace {

using Unary = Expr (*)(const Expr &);

/// Computes in f32 or f64: `fast` takes f32 where there is one, else f32 goes through `wide`.
Expr apply(const Expr &x, Unary fast, Unary wide) {
  if (x.isF64())
    return wide(x);
  if (x.elementType().isF32())
    return fast ? fast(x) : wide(x.toF64()).toF32();
  Expr narrow(x.builder(),
              arith::ExtFOp::create(x.builder(), x.typeWith(x.builder().getF32Type()), x.value()));
  Expr y = apply(narrow, fast, wide);
  return {x.builder(), arith::TruncFOp::create(x.builder(), x.type(), y.value())};
}

Expr reciprocalSqrt(const Expr &x) { return 1.0 / sqrt(x); }

Expr power(const Expr &x, const Expr &y) {
  // Exponents whose result needs no logarithm, with pow's special cases.
  FloatAttr scalar;
  DenseFPElementsAttr dense;
  std::optional<double> constant;
  if (matchPattern(y.value(), m_Constant(&scalar)))
    constant = scalar.getValue().convertToDouble();
  else if (matchPattern(y.value(), m_Constant(&dense)) && dense.isSplat())
    constant = dense.getSplatValue<APFloat>().convertToDouble();
  else if (auto splat = y.value().getDefiningOp<vector::BroadcastOp>())
    if (matchPattern(splat.getSource(), m_Constant(&scalar)))
      constant = scalar.getValue().convertToDouble();
  if (constant) {
    if (*constant == 2.0)
      return x * x;
    if (*constant == 1.0)
      return x;
    if (*constant == -1.0)
      return 1.0 / x;
    if (*constant == 3.0) {
      if (x.isF64())
        return powerByConstant(x, 3);
      return powerByConstant(x.toF64(), 3).toF32();
    }
    if (*constant == 0.5) // pow(-inf, 1/2) = inf, pow(-0, 1/2) = 0
      return abs(sqrt(select(equal(x, -__builtin_huge_val()), -x, x)));
  }
  return x.isF64() ? f64::pow(x, y) : f32::pow(x, y);
}

Expr binary(const Expr &x, const Expr &y, Expr (*f)(const Expr &, const Expr &)) {
  if (x.isF64() || x.elementType().isF32())
    return f(x, y);
  Type wide = x.typeWith(x.builder().getF32Type());
  Expr a(x.builder(), arith::ExtFOp::create(x.builder(), wide, x.value()));
  Expr b(x.builder(), arith::ExtFOp::create(x.builder(), wide, y.value()));
  return {x.builder(), arith::TruncFOp::create(x.builder(), x.type(), f(a, b).value())};
}

Expr arcTangent2(const Expr &y, const Expr &x) {
  return y.isF64() ? f64::atan2(y, x) : f64::atan2(y.toF64(), x.toF64()).toF32();
}

bool isSplatOf(Value value, double wanted) {
  if (auto splat = value.getDefiningOp<vector::BroadcastOp>())
    value = splat.getSource();
  APFloat number(0.0);
  return matchPattern(value, m_ConstantFloat(&number)) && number.isExactlyValue(wanted);
}

/// x where `value` is exp(x) + 1 of f32, the divisor of a logistic function, and nothing else reads that exponential.
Value argumentOfExpPlusOne(Value value) {
  auto sum = value.getDefiningOp<arith::AddFOp>();
  if (!sum || !getElementTypeOrSelf(sum.getType()).isF32())
    return {};
  for (auto [term, other] : {std::pair(sum.getLhs(), sum.getRhs()), {sum.getRhs(), sum.getLhs()}})
    if (auto exp = term.getDefiningOp<math::ExpOp>(); exp && exp->hasOneUse() && isSplatOf(other, 1.0))
      return exp.getOperand();
  return {};
}

/// A factor times a logistic function is one division: nothing overflows, since the divisor is at least 1.
Value expandProductWithLogistic(Operation *op) {
  if (!isa<arith::MulFOp>(op))
    return {};
  for (auto [i, factor] : llvm::enumerate(op->getOperands())) {
    auto inverse = op->getOperand(1 - i).getDefiningOp<arith::DivFOp>();
    if (inverse && inverse->hasOneUse() && isSplatOf(inverse.getLhs(), 1.0) &&
        argumentOfExpPlusOne(inverse.getRhs())) {
      ImplicitLocOpBuilder b(op->getLoc(), op);
      return arith::DivFOp::create(b, factor, inverse.getRhs());
    }
  }
  return {};
}

/// exp(x) + 1 needs no scaling of its own.
Value expandExpPlusOne(Operation *op) {
  Value x = op->getNumResults() == 1 ? argumentOfExpPlusOne(op->getResult(0)) : Value();
  if (!x)
    return {};
  ImplicitLocOpBuilder b(op->getLoc(), op);
  return f32::expPlusOne(Expr(b, x));
}

/// The value that replaces `op`, or null where the op stays.
Value expand(Operation *op) {
  ImplicitLocOpBuilder b(op->getLoc(), op);
  auto unary = [&](Unary fast, Unary wide) -> Value {
    return apply(Expr(b, op->getOperand(0)), fast, wide);
  };
  auto operand = [&](unsigned i) { return Expr(b, op->getOperand(i)); };
  return TypeSwitch<Operation *, Value>(op)
      .Case([&](math::ExpOp) {
        return unary(op->hasAttr(notPositiveAttrName) ? f32::expOfNegative : f32::exp, f64::exp);
      })
      .Case([&](math::Exp2Op) { return unary(f32::exp2, f64::exp2); })
      .Case([&](math::ExpM1Op) { return unary(f32::expm1, f64::expm1); })
      .Case([&](math::LogOp) { return unary(f32::log, f64::log); })
      .Case([&](math::Log1pOp) { return unary(f32::log1p, f64::log1p); })
      .Case([&](math::Log2Op) { return unary(nullptr, f64::log2); })
      .Case([&](math::Log10Op) { return unary(nullptr, f64::log10); })
      .Case([&](math::SinOp) { return unary(f32::sin, f64::sin); })
      .Case([&](math::CosOp) { return unary(f32::cos, f64::cos); })
      .Case([&](math::TanOp) { return unary(nullptr, f64::tan); })
      .Case([&](math::AsinOp) { return unary(nullptr, f64::asin); })
      .Case([&](math::AcosOp) { return unary(nullptr, f64::acos); })
      .Case([&](math::AtanOp) { return unary(nullptr, f64::atan); })
      .Case([&](math::SinhOp) { return unary(nullptr, f64::sinh); })
      .Case([&](math::CoshOp) { return unary(nullptr, f64::cosh); })
      .Case([&](math::TanhOp) { return unary(f32::tanh, f64::tanh); })
      .Case([&](math::AsinhOp) { return unary(nullptr, f64::asinh); })
      .Case([&](math::AcoshOp) { return unary(nullptr, f64::acosh); })
      .Case([&](math::AtanhOp) { return unary(nullptr, f64::atanh); })
      .Case([&](math::ErfOp) { return unary(f32::erf, f64::erf); })
      .Case([&](math::ErfcOp) { return unary(nullptr, f64::erfc); })
      .Case([&](math::CbrtOp) { return unary(nullptr, f64::cbrt); })
      .Case([&](math::RsqrtOp) { return unary(reciprocalSqrt, reciprocalSqrt); })
      .Case([&](math::PowFOp) -> Value { return binary(operand(0), operand(1), power); })
      .Case([&](math::FPowIOp pow) -> Value {
        Expr x = operand(0);
        Type wide = x.typeWith(b.getF64Type());
        Expr y(b, arith::SIToFPOp::create(b, wide, pow.getRhs()));
        if (x.isF64())
          return f64::pow(x, y);
        Expr z = f64::pow({b, arith::ExtFOp::create(b, wide, x.value())}, y);
        return arith::TruncFOp::create(b, x.type(), z.value());
      })
      .Case([&](math::Atan2Op) -> Value { return binary(operand(0), operand(1), arcTangent2); })
      .Case([&](arith::RemFOp) -> Value { return binary(operand(0), operand(1), remainder); })
      .Default(Value());
}

/// The conversions of floats that a CPU lacks an instruction for; null where it has one.
Value expandConversion(Operation *op) {
  // LLVM rounds a copysign's sign with its magnitude, which for f64 on the way to f16 is such a conversion.
  if (auto sign = dyn_cast<math::CopySignOp>(op); sign && getElementTypeOrSelf(op->getResult(0).getType()).isF64()) {
    ImplicitLocOpBuilder b(op->getLoc(), op);
    Expr magnitude = abs(Expr(b, sign.getLhs())), bits = Expr(b, sign.getRhs()).bits();
    Expr negative = compareInt(arith::CmpIPredicate::slt, bits, bits.integer(0));
    return select(negative, -magnitude, magnitude);
  }
  if (op->getNumOperands() != 1 || op->getNumResults() != 1)
    return {};
  Type from = getElementTypeOrSelf(op->getOperand(0).getType());
  Type to = getElementTypeOrSelf(op->getResult(0).getType());
  auto isNarrow = [](Type t) {
    auto type = dyn_cast<FloatType>(t);
    return type && type.getWidth() <= 16 && !type.isF16();
  };
  auto isBelowF32 = [](Type t) { return isa<FloatType>(t) && t.getIntOrFloatBitWidth() <= 16; };
  ImplicitLocOpBuilder b(op->getLoc(), op);
  Expr x(b, op->getOperand(0));
  auto extend = [&](const Expr &v) {
    if (isNarrow(v.elementType()))
      return extendNarrowFloat(v);
    return Expr(b, arith::ExtFOp::create(b, v.typeWith(b.getF32Type()), v.value()));
  };
  auto truncate = [&](const Expr &v) -> Value {
    if (isNarrow(to))
      return truncateToNarrowFloat(v, cast<FloatType>(to));
    return arith::TruncFOp::create(b, op->getResult(0).getType(), v.value());
  };

  if (isa<arith::ExtFOp>(op)) {
    if (!isNarrow(from) && !(from.isF16() && to.isF64()))
      return {};
    Expr wide = extend(x);
    return to.isF32() ? wide : to.isF64() ? wide.toF64() : Expr(b, truncate(wide));
  }
  if (isa<arith::TruncFOp>(op)) {
    if (from.isF64() && isBelowF32(to))
      return truncate(truncateToOdd(x));
    if (!isNarrow(from) && !isNarrow(to))
      return {};
    return truncate(from.isF32() ? x : extend(x));
  }
  if (isa<arith::SIToFPOp, arith::UIToFPOp>(op)) {
    if (!isBelowF32(to))
      return {};
    // In binary64 integers of 53 bits are exact, so that the one rounding is the last.
    Type wide = x.typeWith(b.getF64Type());
    Expr value(b, isa<arith::SIToFPOp>(op) ? arith::SIToFPOp::create(b, wide, x.value()).getResult()
                                           : arith::UIToFPOp::create(b, wide, x.value()).getResult());
    return truncate(truncateToOdd(value));
  }
  if (isa<arith::FPToSIOp, arith::FPToUIOp>(op)) {
    if (!isBelowF32(from))
      return {};
    Expr wide = extend(x);
    Type type = op->getResult(0).getType();
    if (isa<arith::FPToSIOp>(op))
      return arith::FPToSIOp::create(b, type, wide.value());
    return arith::FPToUIOp::create(b, type, wide.value());
  }
  return {};
}

struct ExpandMath : impl::ExpandMathBase<ExpandMath> {
  void runOnOperation() override {
    // What two ops are goes before each alone. Recipes make conversions too, so conversions come last.
    for (auto recipe : {expandProductWithLogistic, expandExpPlusOne, expand, expandConversion}) {
      SmallVector<Operation *> ops;
      getOperation()->walk([&](Operation *op) {
        if (isa_and_nonnull<math::MathDialect, arith::ArithDialect>(op->getDialect()))
          ops.push_back(op);
      });
      for (Operation *op : ops)
        if (isa<math::MathDialect>(op->getDialect()) && isOpTriviallyDead(op)) {
          op->erase(); // another recipe took it along
        } else if (Value result = recipe(op)) {
          op->getResult(0).replaceAllUsesWith(result);
          op->erase();
        }
    }
  }
};

} // namespace
} // namespace burin
