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

/// A row that is one op of the math dialect.
template <typename MathOp> static Value mathOp(ScalarBody &s) {
  return MathOp::create(s.b, s.x());
}

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
  Value half = s.mul(x, s.value(0.5));
  return s.fma(half, erf, half);
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
  row<CeilOp, mathOp<math::CeilOp>>(context);
  row<FloorOp, mathOp<math::FloorOp>>(context);
  row<RoundOp, mathOp<math::RoundEvenOp>>(context);
  row<ReciprocalOp, [](ScalarBody &s) { return s.div(s.value(1), s.x()); }>(context);
  row<SqrtOp, mathOp<math::SqrtOp>>(context);
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

  row<ExpOp, mathOp<math::ExpOp>>(context);
  row<LogOp, mathOp<math::LogOp>>(context);
  row<TanhOp, mathOp<math::TanhOp>>(context);
  row<ErfOp, mathOp<math::ErfOp>>(context);
  row<SinOp, mathOp<math::SinOp>>(context);
  row<CosOp, mathOp<math::CosOp>>(context);
  row<TanOp, mathOp<math::TanOp>>(context);
  row<AsinOp, mathOp<math::AsinOp>>(context);
  row<AcosOp, mathOp<math::AcosOp>>(context);
  row<AtanOp, mathOp<math::AtanOp>>(context);
  row<SinhOp, mathOp<math::SinhOp>>(context);
  row<CoshOp, mathOp<math::CoshOp>>(context);
  row<AsinhOp, mathOp<math::AsinhOp>>(context);
  row<AcoshOp, mathOp<math::AcoshOp>>(context);
  row<AtanhOp, mathOp<math::AtanhOp>>(context);

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
