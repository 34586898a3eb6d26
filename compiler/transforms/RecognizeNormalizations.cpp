// SPDX-License-Identifier: Apache-2.0
//
// Exporters write normalisations as the arithmetic that they are. Three kinds of patterns find
// them, each small:
//
//   v * 1/sqrt(mean(v^2) + e)      RMSNormalization of v, with a scale of ones; where v is
//                                  x - mean(x) with no other use, LayerNormalization of x
//   Norm(x, ones) * w, ... + b     its scale and its bias
//   Cast(Norm(Cast(x)))            the norm of a narrow x, whose statistics are f32 as well
//
// InstanceNormalization of groups that Reshape makes channels, which are reshaped back, is
// GroupNormalization; a product and a sum per channel are its scale and bias.
//
// and exp(x - max) / sum is Softmax. Statistics of another axis, an epsilon that the attribute
// cannot hold, and parts that something else reads are left alone. Narrow floats are matched only
// between casts: written out in f16, squares overflow that the single op would not.

#include "compiler/transforms/Match.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_RECOGNIZENORMALIZATIONS
#include "compiler/transforms/Passes.h.inc"

namespace {

bool isWide(Type element) { return element.isF32() || element.isF64(); }

/// What a value is multiplied with, 1/sqrt(mean(v^2) + epsilon).
struct InverseRoot {
  Value base; // v
  SmallVector<int64_t> axes;
  double epsilon;
  Operation *square; // reads v
};

/// `value` as sqrt(u), or as 1/sqrt(u) where `inverse`; u, or null.
Value rootOf(Value value, bool inverse) {
  if (auto power = match::onlyUse<onnx::PowOp>(value))
    return match::isNumber(power.getY(), inverse ? -0.5 : 0.5) ? power.getX() : Value();
  if (inverse) {
    Value root;
    if (auto reciprocal = match::onlyUse<onnx::ReciprocalOp>(value))
      root = reciprocal.getX();
    else if (auto quotient = match::onlyUse<onnx::DivOp>(value);
             quotient && match::isNumber(quotient.getA(), 1))
      root = quotient.getB();
    return root && root.getType() == value.getType() ? rootOf(root, /*inverse=*/false) : Value();
  }
  auto root = match::onlyUse<onnx::SqrtOp>(value);
  return root ? root.getX() : Value();
}

std::optional<InverseRoot> inverseRoot(Value value, bool inverse) {
  Value shifted = rootOf(value, inverse);
  auto sum = shifted ? match::onlyUse<onnx::AddOp>(shifted) : onnx::AddOp();
  std::optional<InverseRoot> found;
  if (sum)
    match::inEitherOrder(sum, [&](Value variance, Value epsilon) {
      std::optional<double> number = match::number(epsilon);
      auto mean = match::onlyUse<onnx::ReduceMeanOp>(variance);
      // The attribute is an f32.
      if (!number || !mean || *number < 0 || !std::isfinite(*number) ||
          double(float(*number)) != *number || variance.getType() != sum.getC().getType())
        return false;
      auto axes = match::keptAxes(mean);
      Value base = match::squared(mean.getData());
      if (!axes || !base || !mean.getData().hasOneUse())
        return false;
      found = InverseRoot{base, *axes, *number, mean.getData().getDefiningOp()};
      return true;
    });
  return found;
}

/// Whether `axes` are the last of `rank`; then the first of them counted from the back.
std::optional<int64_t> trailing(ArrayRef<int64_t> axes, int64_t rank) {
  for (auto [i, axis] : llvm::enumerate(axes))
    if (axis != rank - int64_t(axes.size()) + int64_t(i))
      return std::nullopt;
  if (axes.empty())
    return std::nullopt;
  return -int64_t(axes.size());
}

/// Replaces `root`, which is v times `factor`.
LogicalResult normalize(PatternRewriter &rewriter, Operation *root, Value base,
                        const InverseRoot &factor) {
  auto type = dyn_cast<RankedTensorType>(base.getType());
  if (factor.base != base || !type || !isWide(type.getElementType()) ||
      root->getResult(0).getType() != type)
    return failure();
  std::optional<int64_t> axis = trailing(factor.axes, type.getRank());
  if (!axis)
    return failure();
  auto normal = RankedTensorType::get(type.getShape().take_back(-*axis), type.getElementType());
  Location loc = root->getLoc();
  Value ones = match::constant(rewriter, loc, normal, 1);
  APFloat epsilon(float(factor.epsilon));
  int64_t stash = type.getElementType().isF64() ? 11 : 1; // ONNX's DOUBLE and FLOAT

  auto centred = match::producer<onnx::SubOp>(base);
  auto mean = centred ? match::onlyUse<onnx::ReduceMeanOp>(centred.getB()) : onnx::ReduceMeanOp();
  if (mean && mean.getData() == centred.getA() && centred.getA().getType() == type &&
      match::keptAxes(mean) == factor.axes &&
      match::isUsedOnlyBy(base, {root, factor.square})) {
    Value none = onnx::NoneOp::create(rewriter, loc);
    auto norm = onnx::LayerNormalizationOp::create(
        rewriter, loc, TypeRange{type, none.getType(), none.getType()}, centred.getA(), ones, none,
        *axis, epsilon, stash);
    rewriter.replaceOp(root, norm.getY());
    return success();
  }
  rewriter.replaceOpWithNewOp<onnx::RMSNormalizationOp>(root, type, base, ones, *axis, epsilon,
                                                        stash);
  return success();
}

struct NormalizeByProduct : OpRewritePattern<onnx::MulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::MulOp op, PatternRewriter &rewriter) const override {
    LogicalResult done = failure();
    match::inEitherOrder(op, [&](Value base, Value factor) {
      if (std::optional<InverseRoot> root = inverseRoot(factor, /*inverse=*/true))
        done = normalize(rewriter, op, base, *root);
      return succeeded(done);
    });
    return done;
  }
};

struct NormalizeByQuotient : OpRewritePattern<onnx::DivOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::DivOp op, PatternRewriter &rewriter) const override {
    std::optional<InverseRoot> root = inverseRoot(op.getB(), /*inverse=*/false);
    return root ? normalize(rewriter, op, op.getA(), *root) : failure();
  }
};

//===- Scale and bias -------------------------------------------------------===//

/// Whether `value` is one number per place of the dimensions that `norm` normalises.
bool isParameter(Value value, RankedTensorType norm, int64_t axis) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getElementType() != norm.getElementType() || type.getRank() > norm.getRank())
    return false;
  int64_t first = axis < 0 ? axis + norm.getRank() : axis;
  for (int64_t d = 0; d < type.getRank(); ++d) {
    int64_t at = norm.getRank() - type.getRank() + d, size = type.getDimSize(d);
    if (size != 1 && (at < first || size != norm.getDimSize(at)))
      return false;
  }
  return true;
}

/// Norm(x, ones) * w.
template <typename Norm> struct TakeScale : OpRewritePattern<onnx::MulOp> {
  using OpRewritePattern<onnx::MulOp>::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::MulOp op, PatternRewriter &rewriter) const override {
    bool taken = match::inEitherOrder(op, [&](Value normal, Value scale) {
      auto norm = match::onlyUse<Norm>(normal);
      if (!norm || norm->getResult(0) != normal || op.getType() != normal.getType() ||
          match::number(norm.getScale()) != 1.0)
        return false;
      if constexpr (std::is_same_v<Norm, onnx::LayerNormalizationOp>)
        if (!isa<NoneType>(norm.getB().getType()))
          return false;
      if (!isParameter(scale, cast<RankedTensorType>(normal.getType()), norm.getAxis()))
        return false;
      Operation *scaled = rewriter.clone(*norm);
      scaled->setLoc(op.getLoc());
      scaled->setOperand(1, scale);
      rewriter.replaceOp(op, scaled->getResult(0));
      return true;
    });
    return success(taken);
  }
};

/// LayerNormalization(x, w) + b.
struct TakeBias : OpRewritePattern<onnx::AddOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::AddOp op, PatternRewriter &rewriter) const override {
    bool taken = match::inEitherOrder(op, [&](Value normal, Value bias) {
      auto norm = match::onlyUse<onnx::LayerNormalizationOp>(normal);
      if (!norm || norm.getY() != normal || op.getType() != normal.getType() ||
          !isa<NoneType>(norm.getB().getType()) ||
          !isParameter(bias, cast<RankedTensorType>(normal.getType()), norm.getAxis()))
        return false;
      Operation *shifted = rewriter.clone(*norm);
      shifted->setLoc(op.getLoc());
      shifted->setOperand(2, bias);
      rewriter.replaceOp(op, shifted->getResult(0));
      return true;
    });
    return success(taken);
  }
};

/// Cast(Norm(Cast(x), ones)) to the narrow type of x and back. ONNX's own definition rounds to
/// that type before it scales.
template <typename Norm> struct DropCasts : OpRewritePattern<onnx::CastOp> {
  using OpRewritePattern<onnx::CastOp>::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::CastOp op, PatternRewriter &rewriter) const override {
    auto norm = match::onlyUse<Norm>(op.getInput());
    auto widened = norm ? match::producer<onnx::CastOp>(norm.getX()) : onnx::CastOp();
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (!widened || !type || widened.getInput().getType() != type ||
        op.getInput() != norm->getResult(0) || match::number(norm.getScale()) != 1.0)
      return failure();
    if (!type.getElementType().isF16() && !type.getElementType().isBF16())
      return failure();
    if constexpr (std::is_same_v<Norm, onnx::LayerNormalizationOp>)
      if (!isa<NoneType>(norm.getB().getType()))
        return failure();
    Value ones = match::constant(
        rewriter, op.getLoc(),
        cast<RankedTensorType>(norm.getScale().getType()).clone(type.getElementType()), 1);
    Operation *narrow = rewriter.clone(*norm);
    narrow->setLoc(op.getLoc());
    narrow->setOperand(0, widened.getInput());
    narrow->setOperand(1, ones);
    narrow->getResult(0).setType(type);
    rewriter.replaceOp(op, narrow->getResult(0));
    return success();
  }
};

//===- Groups of channels ---------------------------------------------------===//

/// Reshape(InstanceNormalization(Reshape(x, [N, groups, -1]), ones, zeros), shape of x).
struct NormalizeGroups : OpRewritePattern<onnx::ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::ReshapeOp op, PatternRewriter &rewriter) const override {
    auto norm = match::onlyUse<onnx::InstanceNormalizationOp>(op.getData());
    auto grouped = norm ? match::onlyUse<onnx::ReshapeOp>(norm.getInput()) : onnx::ReshapeOp();
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (!grouped || !type || !type.hasStaticShape() || type.getRank() < 3 ||
        grouped.getData().getType() != type || !isWide(type.getElementType()) ||
        match::number(norm.getScale()) != 1.0 || match::number(norm.getB()) != 0.0)
      return failure();
    auto groups = cast<RankedTensorType>(grouped.getType());
    int64_t channels = type.getDimSize(1);
    if (groups.getRank() < 3 || groups.getDimSize(0) != type.getDimSize(0) ||
        groups.getDimSize(1) == 0 || channels % groups.getDimSize(1) != 0)
      return failure();
    auto perChannel = RankedTensorType::get({channels}, type.getElementType());
    rewriter.replaceOpWithNewOp<onnx::GroupNormalizationOp>(
        op, type, grouped.getData(), match::constant(rewriter, op.getLoc(), perChannel, 1),
        match::constant(rewriter, op.getLoc(), perChannel, 0), norm.getEpsilon(),
        groups.getDimSize(1), /*stash_type=*/1);
    return success();
  }
};

/// GroupNormalization(x, ones, zeros) * w by a Mul, or GroupNormalization(x, w, zeros) + b by an Add: its
/// operand `at`.
template <typename Op, unsigned at> struct TakePerChannel : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    constexpr double neutral = at == 1 ? 1 : 0;
    bool taken = match::inEitherOrder(op, [&](Value normal, Value parameter) {
      auto norm = match::onlyUse<onnx::GroupNormalizationOp>(normal);
      if (!norm || op.getType() != normal.getType() || match::number(norm.getOperand(at)) != neutral ||
          match::number(norm.getBias()) != 0.0)
        return false;
      auto type = cast<RankedTensorType>(normal.getType());
      auto given = dyn_cast<RankedTensorType>(parameter.getType());
      auto perChannel = cast<RankedTensorType>(norm.getOperand(at).getType());
      // [channels, 1, ...], or more dims of size 1 before.
      if (!given || !given.hasStaticShape() || given.getRank() > type.getRank() ||
          given.getElementType() != perChannel.getElementType() ||
          given.getRank() + 1 < type.getRank() ||
          given.getNumElements() != perChannel.getNumElements() ||
          given.getDimSize(given.getRank() + 1 - type.getRank()) != perChannel.getDimSize(0))
        return false;
      Value shape = match::constant(rewriter, op.getLoc(), perChannel.getShape());
      Value vector = onnx::ReshapeOp::create(rewriter, op.getLoc(), perChannel, parameter, shape,
                                             /*allowzero=*/1);
      Operation *made = rewriter.clone(*norm);
      made->setLoc(op.getLoc());
      made->setOperand(at, vector);
      rewriter.replaceOp(op, made->getResult(0));
      return true;
    });
    return success(taken);
  }
};

//===- Softmax --------------------------------------------------------------===//

/// exp(x - max) over the sum of the same.
struct RecognizeSoftmax : OpRewritePattern<onnx::DivOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::DivOp op, PatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(op.getType());
    auto sum = match::onlyUse<onnx::ReduceSumOp>(op.getB());
    if (!type || !isWide(type.getElementType()) || !sum || sum.getData() != op.getA() ||
        !match::isUsedOnlyBy(op.getA(), {op, sum}))
      return failure();
    auto exponential = match::producer<onnx::ExpOp>(op.getA());
    auto lowered = exponential ? match::onlyUse<onnx::SubOp>(exponential.getInput()) : onnx::SubOp();
    auto max = lowered ? match::onlyUse<onnx::ReduceMaxOp>(lowered.getB()) : onnx::ReduceMaxOp();
    if (!max || max.getData() != lowered.getA() || lowered.getA().getType() != type)
      return failure();
    auto axes = match::keptAxes(sum);
    if (!axes || axes->size() != 1 || match::keptAxes(max) != axes)
      return failure();
    rewriter.replaceOpWithNewOp<onnx::SoftmaxOp>(op, type, lowered.getA(),
                                                 axes->front() - type.getRank());
    return success();
  }
};

struct RecognizeNormalizations : impl::RecognizeNormalizationsBase<RecognizeNormalizations> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<NormalizeByProduct, NormalizeByQuotient, RecognizeSoftmax,
                 TakeScale<onnx::RMSNormalizationOp>, TakeScale<onnx::LayerNormalizationOp>,
                 TakeBias, DropCasts<onnx::RMSNormalizationOp>,
                 DropCasts<onnx::LayerNormalizationOp>, NormalizeGroups,
                 TakePerChannel<onnx::MulOp, 1>, TakePerChannel<onnx::AddOp, 2>>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace burin
