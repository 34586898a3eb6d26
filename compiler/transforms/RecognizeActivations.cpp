// SPDX-License-Identifier: Apache-2.0
//
// Activations written as arithmetic: Gelu by erf or tanh, Swish, HardSigmoid and HardSwish. A
// product is looked at as its factors, whatever order and grouping the exporter chose; inner
// products count only where nothing else reads them.

#include "compiler/transforms/Match.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <numbers>

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_RECOGNIZEACTIVATIONS
#include "compiler/transforms/Passes.h.inc"

namespace {

/// Products of more ops are no activation's.
constexpr unsigned maxOps = 8;

/// A product as its factors: those that are one number multiplied, the others as they are.
struct Product {
  double scale = 1;
  SmallVector<Value> factors;

  /// Takes out one factor that `accepts`; null where there is none.
  Value take(function_ref<bool(Value)> accepts) {
    auto at = llvm::find_if(factors, accepts);
    if (at == factors.end())
      return nullptr;
    Value found = *at;
    factors.erase(at);
    return found;
  }
  bool take(Value value) { return take([&](Value factor) { return factor == value; }) != nullptr; }
};

/// What `op` multiplies or divides by a number, and the products in it that nothing else reads; no
/// factors where there are too many.
Product factorsOf(Operation *op) {
  Product product;
  SmallVector<Operation *> open{op};
  auto add = [&](Value value) {
    Operation *inner = value.hasOneUse() ? value.getDefiningOp() : nullptr;
    if (inner && isa<onnx::MulOp>(inner))
      open.push_back(inner);
    else if (auto quotient = dyn_cast_if_present<onnx::DivOp>(inner);
             quotient && match::number(quotient.getB()))
      open.push_back(inner);
    else if (std::optional<double> number = match::number(value))
      product.scale *= *number;
    else
      product.factors.push_back(value);
  };
  for (unsigned visited = 0; !open.empty(); ++visited) {
    if (visited == maxOps)
      return {};
    Operation *next = open.pop_back_val();
    add(next->getOperand(0));
    if (isa<onnx::MulOp>(next))
      add(next->getOperand(1));
    else
      product.scale /= *match::number(next->getOperand(1));
  }
  return product;
}

/// As factorsOf, for a value that may be no product.
Product factorsOf(Value value) {
  if (Operation *op = value.getDefiningOp(); op && value.hasOneUse()) {
    if (isa<onnx::MulOp>(op))
      return factorsOf(op);
    if (auto quotient = dyn_cast<onnx::DivOp>(op); quotient && match::number(quotient.getB()))
      return factorsOf(op);
  }
  Product product;
  product.factors.push_back(value);
  return product;
}

/// Two constants equal as far as the rounding of `type` and of a few products goes.
bool isAbout(double value, double wanted, Type type) {
  unsigned precision = APFloat::semanticsPrecision(cast<FloatType>(type).getFloatSemantics());
  return std::abs(value - wanted) <= std::ldexp(std::abs(wanted), 3 - int(precision));
}

Type elementOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && isa<FloatType>(type.getElementType()) ? type.getElementType() : Type();
}

/// The other operand of an Add of which one is the number `number` and that nothing else reads.
Value plus(Value value, double number) {
  auto sum = match::onlyUse<onnx::AddOp>(value);
  Value other;
  if (sum)
    match::inEitherOrder(sum, [&](Value a, Value b) {
      if (!match::isNumber(b, number) || a.getType() != sum.getC().getType())
        return false;
      other = a;
      return true;
    });
  return other;
}

//===- Gelu -----------------------------------------------------------------===//

/// x of erf(x / sqrt(2)).
Value erfArgument(Value value) {
  auto erf = match::onlyUse<onnx::ErfOp>(value);
  if (!erf)
    return nullptr;
  Product inner = factorsOf(erf.getInput());
  return inner.factors.size() == 1 &&
                 isAbout(inner.scale, std::numbers::sqrt2 / 2, elementOf(value))
             ? inner.factors.front()
             : Value();
}

/// x of x^3 times a number: Pow(x, 3) or a product of three. Multiplies the number into `scale`.
Value cubed(Product product, double &scale) {
  scale *= product.scale;
  if (product.factors.size() == 1) {
    auto power = match::onlyUse<onnx::PowOp>(product.factors.front());
    if (!power || power.getZ().getType() != power.getX().getType())
      return nullptr;
    auto whole = match::integers(power.getY());
    bool three = match::isNumber(power.getY(), 3) || (whole && *whole == ArrayRef<int64_t>{3});
    return three ? power.getX() : Value();
  }
  if (product.factors.size() == 2) // a square that is a Pow
    for (unsigned i : {0, 1})
      if (match::onlyUse<onnx::PowOp>(product.factors[i]) &&
          match::squared(product.factors[i]) == product.factors[1 - i])
        return product.factors[1 - i];
  return product.factors.size() == 3 && llvm::all_equal(product.factors)
             ? product.factors.front()
             : Value();
}

/// x of tanh(sqrt(2/pi) * (x + 0.044715 x^3)), also as sqrt(2/pi) * x * (1 + 0.044715 x^2).
Value tanhArgument(Value value) {
  auto tanh = match::onlyUse<onnx::TanhOp>(value);
  Type element = elementOf(value);
  if (!tanh || !element)
    return nullptr;
  Product inner = factorsOf(tanh.getInput());
  if (!isAbout(inner.scale, std::sqrt(2 / std::numbers::pi), element))
    return nullptr;
  constexpr double cubic = 0.044715;
  if (inner.factors.size() == 1) {
    auto sum = match::onlyUse<onnx::AddOp>(inner.factors.front());
    Value found;
    if (sum)
      match::inEitherOrder(sum, [&](Value linear, Value cube) {
        double scale = 1;
        if (cubed(factorsOf(cube), scale) != linear || !isAbout(scale, cubic, element))
          return false;
        found = linear;
        return true;
      });
    return found;
  }
  for (unsigned i : {0, 1}) {
    if (inner.factors.size() != 2)
      break;
    Value x = inner.factors[1 - i], square = plus(inner.factors[i], 1);
    if (!square)
      continue;
    Product product = factorsOf(square);
    bool isSquare =
        (product.factors.size() == 2 && product.factors[0] == x && product.factors[1] == x) ||
        (product.factors.size() == 1 && match::squared(product.factors[0]) == x);
    if (isSquare && isAbout(product.scale, cubic, element))
      return x;
  }
  return nullptr;
}

/// x/2 * (1 + f(x)), for f that is erf or tanh of x: the half may be a factor, or in the sum.
template <typename Op> struct RecognizeGelu : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (!type || !isa<FloatType>(type.getElementType()))
      return failure();
    Product product = factorsOf(op.getOperation());
    if (product.factors.size() != 2)
      return failure();
    for (unsigned i : {0, 1}) {
      Value x = product.factors[1 - i], sum = product.factors[i];
      for (auto [argument, form] : forms) {
        if (x.getType() != type || !isHalfOfOnePlus(sum, product.scale, x, argument))
          continue;
        rewriter.replaceOpWithNewOp<onnx::GeluOp>(op, type, x, form);
        return success();
      }
    }
    return failure();
  }

  using Argument = Value (*)(Value);
  static constexpr std::pair<Argument, const char *> forms[] = {{erfArgument, "none"},
                                                                {tanhArgument, "tanh"}};

  static bool isHalfOfOnePlus(Value sum, double scale, Value x, Argument argument) {
    Type element = elementOf(sum);
    if (!element)
      return false;
    if (Value function = plus(sum, 1))
      return isAbout(scale, 0.5, element) && argument(function) == x;
    Value half = plus(sum, 0.5);
    if (!half || !isAbout(scale, 1, element))
      return false;
    Product inner = factorsOf(half);
    return inner.factors.size() == 1 && isAbout(inner.scale, 0.5, element) &&
           argument(inner.factors.front()) == x;
  }
};

//===- Swish ----------------------------------------------------------------===//

/// x * sigmoid(alpha * x).
struct RecognizeSwish : OpRewritePattern<onnx::MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(onnx::MulOp op, PatternRewriter &rewriter) const override {
    bool done = match::inEitherOrder(op, [&](Value x, Value value) {
      auto gate = match::onlyUse<onnx::SigmoidOp>(value);
      if (!gate || x.getType() != op.getType())
        return false;
      Product inner = factorsOf(gate.getX());
      if (gate.getX() == x)
        inner = Product{1, {x}};
      // The attribute is an f32.
      if (inner.factors.size() != 1 || inner.factors.front() != x ||
          double(float(inner.scale)) != inner.scale)
        return false;
      rewriter.replaceOpWithNewOp<onnx::SwishOp>(op, op.getType(), x,
                                                 APFloat(float(inner.scale)));
      return true;
    });
    return success(done);
  }
};

//===- HardSigmoid, HardSwish -----------------------------------------------===//

/// What `value` limits to [0, high].
Value limited(Value value, double high) {
  if (auto clip = match::onlyUse<onnx::ClipOp>(value))
    return match::number(clip.getMin()) == 0.0 && match::isNumber(clip.getMax(), high)
               ? clip.getInput()
               : Value();
  // Relu on one side, Min on the other.
  auto isMin = [&](onnx::MinOp op, Value &other) {
    if (!op || op.getNumOperands() != 2)
      return false;
    return match::inEitherOrder(op, [&](Value a, Value b) {
      other = a;
      return match::isNumber(b, high) && a.getType() == op.getType();
    });
  };
  Value inner;
  if (isMin(match::onlyUse<onnx::MinOp>(value), inner)) {
    auto relu = match::onlyUse<onnx::ReluOp>(inner);
    return relu ? relu.getX() : Value();
  }
  auto relu = match::onlyUse<onnx::ReluOp>(value);
  return relu && isMin(match::onlyUse<onnx::MinOp>(relu.getX()), inner) ? inner : Value();
}

/// relu6(x + 3) / 6, which is HardSigmoid(1/6, 1/2) of x.
template <typename Op> struct RecognizeHardSigmoid : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (!type || !isa<FloatType>(type.getElementType()))
      return failure();
    Product product = factorsOf(op.getOperation());
    if (!isAbout(product.scale, 1.0 / 6, type.getElementType()) || product.factors.empty() ||
        product.factors.size() > 2)
      return failure();
    Value x;
    Value bounded = product.take([&](Value factor) {
      Value line = limited(factor, 6);
      x = line ? plus(line, 3) : Value();
      return x && x.getType() == type;
    });
    // With x as the other factor it is HardSwish; with anything else, leave it to the inner op.
    if (!bounded || (!product.factors.empty() && product.factors.front() != x))
      return failure();
    if (product.factors.empty())
      rewriter.replaceOpWithNewOp<onnx::HardSigmoidOp>(op, type, x, APFloat(1.0f / 6),
                                                       APFloat(0.5f));
    else
      rewriter.replaceOpWithNewOp<onnx::HardSwishOp>(op, type, x);
    return success();
  }
};

/// x * HardSigmoid(x) with alpha = 1/6 and beta = 1/2.
struct RecognizeHardSwish : OpRewritePattern<onnx::MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(onnx::MulOp op, PatternRewriter &rewriter) const override {
    bool done = match::inEitherOrder(op, [&](Value x, Value value) {
      auto gate = match::onlyUse<onnx::HardSigmoidOp>(value);
      if (!gate || gate.getX() != x || x.getType() != op.getType() ||
          !isAbout(gate.getAlpha().convertToDouble(), 1.0 / 6, rewriter.getF32Type()) ||
          gate.getBeta().convertToDouble() != 0.5)
        return false;
      rewriter.replaceOpWithNewOp<onnx::HardSwishOp>(op, op.getType(), x);
      return true;
    });
    return success(done);
  }
};

struct RecognizeActivations : impl::RecognizeActivationsBase<RecognizeActivations> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RecognizeGelu<onnx::MulOp>, RecognizeGelu<onnx::DivOp>, RecognizeSwish,
                 RecognizeHardSigmoid<onnx::MulOp>, RecognizeHardSigmoid<onnx::DivOp>,
                 RecognizeHardSwish>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace burin
