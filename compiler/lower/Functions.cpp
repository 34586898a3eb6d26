// SPDX-License-Identifier: Apache-2.0
//
// Elementwise rows that are functions of a float: rounding, transcendental functions and
// activations. Forms are chosen so that nothing overflows on the way to a finite result.

#include "compiler/lower/Elementwise.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <numbers>

using namespace mlir;

namespace burin::lower {

/// exp(|x|/2) and its square's half, which reaches as far as sinh and cosh do.
static std::pair<Value, Value> halfExp(ScalarBody &s) {
  Value root = s.exp(s.mul(s.abs(s.x()), s.value(0.5)));
  return {root, s.mul(root, s.mul(root, s.value(0.5)))};
}

static Value sinh(ScalarBody &s) {
  auto [root, large] = halfExp(s);
  Value difference = s.sub(large, s.div(s.value(0.25), large)); // e^-x/2 is 1/4 over e^x/2
  // The odd Taylor series where the difference would cancel.
  SmallVector<double> coefficients;
  double factorial = 1;
  for (int n = 1; n <= (s.x().getType().isF64() ? 17 : 9); n += 2) {
    coefficients.push_back(1 / factorial);
    factorial *= (n + 1) * (n + 2);
  }
  Value series = s.mul(s.x(), s.polynomial(s.mul(s.x(), s.x()), coefficients));
  Value signedLarge = math::CopySignOp::create(s.b, difference, s.x());
  return s.select(s.less(s.abs(s.x()), s.value(1)), series, signedLarge);
}

/// log(2t) for t so large that t^2 would overflow.
static Value logTwice(ScalarBody &s, Value t) {
  return s.add(s.log(t), s.value(std::numbers::ln2));
}

static Value asinh(ScalarBody &s) {
  Value magnitude = s.abs(s.x()), one = s.value(1);
  Value square = s.mul(magnitude, magnitude);
  Value root = s.sqrt(s.add(square, one));
  Value near = s.log1p(s.add(magnitude, s.div(square, s.add(root, one))));
  Value value = s.select(s.less(s.value(1e15), magnitude), logTwice(s, magnitude), near);
  return math::CopySignOp::create(s.b, value, s.x());
}

static Value acosh(ScalarBody &s) {
  Value t = s.sub(s.x(), s.value(1));
  Value near = s.log1p(s.add(t, s.sqrt(s.mul(t, s.add(t, s.value(2))))));
  Value value = s.select(s.less(s.value(1e15), s.x()), logTwice(s, s.x()), near);
  Value nan = s.value(std::numeric_limits<double>::quiet_NaN());
  return s.select(s.less(s.x(), s.value(1)), nan, value);
}

static Value atanh(ScalarBody &s) {
  Value magnitude = s.abs(s.x());
  Value ratio = s.div(s.add(magnitude, magnitude), s.sub(s.value(1), magnitude));
  return math::CopySignOp::create(s.b, s.mul(s.value(0.5), s.log1p(ratio)), s.x());
}

static Value atan(ScalarBody &s, Value x) { return math::AtanOp::create(s.b, x); }

/// x * tanh(softplus(x)), where tanh(log(1 + e)) is (e^2 + 2e) / (e^2 + 2e + 2).
static Value mish(ScalarBody &s) {
  Value two = s.value(2), limit = s.value(20); // beyond it the ratio is 1
  Value e = s.exp(s.select(s.less(limit, s.x()), limit, s.x()));
  Value n = s.mul(e, s.add(e, two));
  return s.mul(s.x(), s.div(n, s.add(n, two)));
}

static Value gelu(ScalarBody &s) {
  Value x = s.x();
  if (cast<onnx::GeluOp>(s.op).getApproximate() == "tanh") {
    // (1 + tanh(u)) / 2 is sigmoid(2u).
    double scale = 2 * std::sqrt(2 / std::numbers::pi);
    Value inner = s.mul(x, s.fma(s.mul(x, x), s.value(0.044715 * scale), s.value(scale)));
    return s.mul(x, s.sigmoid(inner));
  }
  Value erf = math::ErfOp::create(s.b, s.mul(x, s.value(std::numbers::sqrt2 / 2)));
  return s.mul(s.mul(x, s.value(0.5)), s.add(erf, s.value(1)));
}

/// x where positive, else `negative`; NaN comes through `negative`.
static Value whenPositive(ScalarBody &s, Value negative) {
  return s.select(s.less(s.value(0), s.x()), s.x(), negative);
}

static Value hardSigmoid(ScalarBody &s, double alpha, double beta) {
  Value line = s.add(s.mul(s.x(), s.value(alpha)), s.value(beta));
  return s.max(s.value(0), s.min(s.value(1), line));
}

void attachFunctions(MLIRContext *context) {
  using namespace onnx;
  row<CeilOp, [](ScalarBody &s) -> Value { return math::CeilOp::create(s.b, s.x()); }>(context);
  row<FloorOp, [](ScalarBody &s) -> Value { return math::FloorOp::create(s.b, s.x()); }>(context);
  row<RoundOp, [](ScalarBody &s) -> Value {
    return math::RoundEvenOp::create(s.b, s.x());
  }>(context);
  row<ReciprocalOp, [](ScalarBody &s) { return s.div(s.value(1), s.x()); }>(context);
  row<SqrtOp, [](ScalarBody &s) { return s.sqrt(s.x()); }>(context);
  row<IsNaNOp, [](ScalarBody &s) { return s.isNan(s.x()); }>(context);
  row<IsInfOp, [](ScalarBody &s) -> Value {
    auto op = cast<IsInfOp>(s.op);
    double infinity = std::numeric_limits<double>::infinity();
    Value positive = s.equal(s.x(), s.value(infinity));
    Value negative = s.equal(s.x(), s.value(-infinity));
    if (op.getDetectPositive() && op.getDetectNegative())
      return arith::OrIOp::create(s.b, positive, negative);
    if (op.getDetectPositive())
      return positive;
    return op.getDetectNegative() ? negative : s.constantInt(s.b.getI1Type(), 0);
  }>(context);

  //===- Transcendental -----------------------------------------------------===//

  row<ExpOp, [](ScalarBody &s) { return s.exp(s.x()); }>(context);
  row<LogOp, [](ScalarBody &s) { return s.log(s.x()); }>(context);
  row<TanhOp, [](ScalarBody &s) { return s.tanh(s.x()); }>(context);
  row<ErfOp, [](ScalarBody &s) -> Value { return math::ErfOp::create(s.b, s.x()); }>(context);
  row<SinOp, [](ScalarBody &s) -> Value { return math::SinOp::create(s.b, s.x()); }>(context);
  row<CosOp, [](ScalarBody &s) -> Value { return math::CosOp::create(s.b, s.x()); }>(context);
  row<TanOp, [](ScalarBody &s) -> Value {
    return s.div(math::SinOp::create(s.b, s.x()), math::CosOp::create(s.b, s.x()));
  }>(context);
  row<AtanOp, [](ScalarBody &s) { return atan(s, s.x()); }>(context);
  row<AsinOp, [](ScalarBody &s) {
    Value one = s.value(1);
    Value cosine = s.sqrt(s.mul(s.sub(one, s.x()), s.add(one, s.x())));
    return atan(s, s.div(s.x(), cosine));
  }>(context);
  row<AcosOp, [](ScalarBody &s) {
    Value one = s.value(1);
    Value tangent = s.sqrt(s.div(s.sub(one, s.x()), s.add(one, s.x())));
    return s.mul(s.value(2), atan(s, tangent));
  }>(context);
  row<SinhOp, sinh>(context);
  row<CoshOp, [](ScalarBody &s) {
    Value large = halfExp(s).second;
    return s.add(large, s.div(s.value(0.25), large));
  }>(context);
  row<AsinhOp, asinh>(context);
  row<AcoshOp, acosh>(context);
  row<AtanhOp, atanh>(context);

  //===- Activations --------------------------------------------------------===//

  row<ReluOp, [](ScalarBody &s) {
    return s.select(s.less(s.x(), s.value(0)), s.value(0), s.x()); // NaN stays
  }>(context);
  row<LeakyReluOp, [](ScalarBody &s) {
    return s.select(s.less(s.x(), s.value(0)), s.mul(s.x(), s.value(s.attribute("alpha"))), s.x());
  }>(context);
  row<PReluOp, [](ScalarBody &s) {
    if (s.isUnsigned())
      return s.x();
    return s.select(s.less(s.x(), s.value(0)), s.mul(s.x(), s.y()), s.x());
  }>(context);
  row<ThresholdedReluOp, [](ScalarBody &s) {
    return s.select(s.less(s.value(s.attribute("alpha")), s.x()), s.x(), s.value(0));
  }>(context);
  row<EluOp, [](ScalarBody &s) {
    return whenPositive(s, s.mul(s.value(s.attribute("alpha")), s.expm1(s.x())));
  }>(context);
  row<CeluOp, [](ScalarBody &s) {
    Value alpha = s.value(s.attribute("alpha"));
    return whenPositive(s, s.mul(alpha, s.expm1(s.div(s.x(), alpha))));
  }>(context);
  row<SeluOp, [](ScalarBody &s) {
    Value curve = s.mul(s.value(s.attribute("alpha")), s.expm1(s.x()));
    return s.mul(s.value(s.attribute("gamma")), whenPositive(s, curve));
  }>(context);
  row<SigmoidOp, [](ScalarBody &s) { return s.sigmoid(s.x()); }>(context);
  row<HardSigmoidOp, [](ScalarBody &s) {
    return hardSigmoid(s, s.attribute("alpha"), s.attribute("beta"));
  }>(context);
  row<HardSwishOp, [](ScalarBody &s) {
    return s.mul(s.x(), hardSigmoid(s, 1.0 / 6, 0.5));
  }>(context);
  row<SwishOp, [](ScalarBody &s) {
    double alpha = s.attribute("alpha");
    return s.mul(s.x(), s.sigmoid(alpha == 1 ? s.x() : s.mul(s.x(), s.value(alpha))));
  }>(context);
  row<SoftplusOp, [](ScalarBody &s) { return s.softplus(s.x()); }>(context);
  row<SoftsignOp, [](ScalarBody &s) {
    return s.div(s.x(), s.add(s.abs(s.x()), s.value(1)));
  }>(context);
  row<MishOp, mish>(context);
  row<GeluOp, gelu>(context);
  row<ShrinkOp, [](ScalarBody &s) {
    double bias = s.attribute("bias"), lambd = s.attribute("lambd");
    Value low = s.select(s.less(s.x(), s.value(-lambd)), s.add(s.x(), s.value(bias)), s.value(0));
    return s.select(s.less(s.value(lambd), s.x()), s.sub(s.x(), s.value(bias)), low);
  }>(context);
}

} // namespace burin::lower
