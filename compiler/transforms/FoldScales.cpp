// SPDX-License-Identifier: Apache-2.0
//
// What multiplies each channel of a product by a constant goes into its weights, what adds one
// into its bias: batch normalisations, mostly. The new weights are ops on constants, which are
// computed once, when the model is compiled.

#include "compiler/transforms/Match.h"
#include "compiler/transforms/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_FOLDSCALES
#include "compiler/transforms/Passes.h.inc"

namespace {

/// A product with constant weights, and what may be added to it: Conv, ConvTranspose, Gemm, or
/// MatMul with an Add behind it.
struct Product {
  Operation *op = nullptr;  // what multiplies
  Operation *add = nullptr; // of a MatMul, the bias
  Value weight, bias;       // null where there is no bias
  unsigned axis = 0;        // of the channels in the result
  unsigned weightAxis = 0;  // and in the weight
};

/// A bias, or what makes one, by channel: absent, a constant of one dim, or of one row.
bool isChannels(Value value, unsigned axis, unsigned rank, int64_t channels) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape() || type.getRank() > rank || !match::isMadeOfConstants(value))
    return false;
  for (auto [i, size] : llvm::enumerate(type.getShape())) {
    unsigned at = unsigned(i) + rank - unsigned(type.getRank());
    if (size != 1 && (at != axis || size != channels))
      return false;
  }
  return true;
}

Value present(Value value) { return value && !isa<NoneType>(value.getType()) ? value : Value(); }

std::optional<Product> productOf(Value value) {
  Product product;
  product.op = value.hasOneUse() ? value.getDefiningOp() : nullptr;
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!product.op || !type || !(type.getElementType().isF32() || type.getElementType().isF64()))
    return std::nullopt;
  product.axis = 1;
  if (auto conv = dyn_cast<onnx::ConvOp>(product.op)) {
    product.weight = conv.getW();
    product.bias = present(conv.getB());
  } else if (auto conv = dyn_cast<onnx::ConvTransposeOp>(product.op);
             conv && conv.getGroup() == 1) {
    product.weight = conv.getW();
    product.bias = present(conv.getB());
    product.weightAxis = 1;
  } else if (auto gemm = dyn_cast<onnx::GemmOp>(product.op);
             gemm && gemm.getBeta().convertToDouble() == 1) {
    product.weight = gemm.getB();
    product.bias = present(gemm.getC());
    product.weightAxis = gemm.getTransB() ? 0 : 1;
  } else {
    if (auto add = dyn_cast<onnx::AddOp>(product.op)) {
      product.add = add;
      bool found = match::inEitherOrder(add, [&](Value inner, Value bias) {
        product.op = match::onlyUse<onnx::MatMulOp>(inner);
        product.bias = bias;
        return product.op && inner.getType() == type;
      });
      if (!found)
        return std::nullopt;
    }
    auto matmul = dyn_cast<onnx::MatMulOp>(product.op);
    if (!matmul || type.getRank() == 0)
      return std::nullopt;
    product.weight = matmul.getB();
    product.axis = unsigned(type.getRank()) - 1;
    product.weightAxis = 1;
  }
  auto weight = dyn_cast<RankedTensorType>(product.weight.getType());
  // A weight that others use, too, would be there twice.
  if (!weight || !weight.hasStaticShape() || weight.getRank() <= product.weightAxis ||
      (isa<onnx::MatMulOp>(product.op) && weight.getRank() != 2) ||
      !match::isMadeOfConstants(product.weight) || !product.weight.hasOneUse())
    return std::nullopt;
  int64_t channels = weight.getDimSize(product.weightAxis);
  unsigned biasRank =
      isa<onnx::ConvOp, onnx::ConvTransposeOp>(product.op) ? 1 : unsigned(type.getRank());
  unsigned biasAxis = biasRank == 1 ? 0 : product.axis;
  if (product.bias && !isChannels(product.bias, biasAxis, biasRank, channels))
    return std::nullopt;
  return product;
}

class Folding {
public:
  Folding(PatternRewriter &rewriter, Operation *at, const Product &product)
      : rewriter(rewriter), loc(at->getLoc()), product(product),
        weightType(cast<RankedTensorType>(product.weight.getType())) {
    rewriter.setInsertionPoint(at);
  }

  int64_t channels() const { return weightType.getDimSize(product.weightAxis); }

  /// A constant by channel, as one dim.
  Value flat(Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    return reshape(value, {type.getNumElements()});
  }

  Value reshape(Value value, ArrayRef<int64_t> shape) {
    auto type = cast<RankedTensorType>(value.getType());
    if (type.getShape() == shape)
      return value;
    Value to = match::constant(rewriter, loc, shape);
    return onnx::ReshapeOp::create(rewriter, loc,
                                   RankedTensorType::get(shape, type.getElementType()), value, to);
  }

  template <typename Op> Value combine(Value a, Value b) {
    auto x = cast<RankedTensorType>(a.getType()), y = cast<RankedTensorType>(b.getType());
    SmallVector<int64_t> shape(x.getRank() >= y.getRank() ? x.getShape() : y.getShape());
    for (unsigned i = 0; i < shape.size(); ++i)
      if (x.getRank() == y.getRank())
        shape[i] = std::max(x.getDimSize(i), y.getDimSize(i));
    return Op::create(rewriter, loc, RankedTensorType::get(shape, x.getElementType()), a, b);
  }

  /// Replaces `last`, which multiplies by `scale` and adds `shift` (constants of one dim; null for
  /// none), by the product alone.
  void replace(Operation *last, Value scale, Value shift) {
    Value weight = product.weight, bias = product.bias ? flat(product.bias) : Value();
    if (scale) {
      SmallVector<int64_t> shape(size_t(weightType.getRank()), 1);
      shape[product.weightAxis] = cast<RankedTensorType>(scale.getType()).getDimSize(0);
      weight = combine<onnx::MulOp>(weight, reshape(scale, shape));
      if (bias)
        bias = combine<onnx::MulOp>(bias, scale);
    }
    if (shift)
      bias = bias ? combine<onnx::AddOp>(bias, shift) : shift;
    if (bias)
      bias = everyChannel(bias);
    Type type = last->getResult(0).getType();
    IRMapping mapping;
    mapping.map(product.weight, weight);
    Operation *made = rewriter.clone(*product.op, mapping);
    // Its result is that of the last node, of all that it stands for.
    SmallVector<Location> nodes{product.op->getLoc()};
    if (product.add)
      nodes.push_back(product.add->getLoc());
    nodes.push_back(last->getLoc());
    made->setLoc(rewriter.getFusedLoc(nodes));
    made->getResult(0).setType(product.op->getResult(0).getType());
    Value result = made->getResult(0);
    if (isa<onnx::MatMulOp>(made)) {
      if (bias)
        result = onnx::AddOp::create(rewriter, made->getLoc(), type, result, bias);
    } else if (bias) {
      made->setOperand(2, bias);
    }
    rewriter.replaceOp(last, result);
  }

private:
  /// A bias has an element for each channel.
  Value everyChannel(Value bias) {
    auto type = cast<RankedTensorType>(bias.getType());
    if (type.getDimSize(0) == channels())
      return bias;
    auto all = RankedTensorType::get(channels(), type.getElementType());
    return combine<onnx::AddOp>(match::constant(rewriter, loc, all, 0), bias);
  }

  PatternRewriter &rewriter;
  Location loc;
  const Product &product;
  RankedTensorType weightType;
};

struct FoldBatchNorm : OpRewritePattern<onnx::BatchNormalizationOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(onnx::BatchNormalizationOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<Product> product = productOf(op.getX());
    if (!product || product->axis != 1 || op.getTrainingMode() != 0 ||
        op.getY().getType() != op.getX().getType() ||
        llvm::any_of(op->getResults().drop_front(), [](Value v) { return !v.use_empty(); }))
      return failure();
    Folding folding(rewriter, op, *product);
    Type element = cast<RankedTensorType>(op.getX().getType()).getElementType();
    for (Value constant : op->getOperands().drop_front()) {
      auto type = dyn_cast<RankedTensorType>(constant.getType());
      if (!type || type.getElementType() != element || type.getRank() != 1 ||
          type.getDimSize(0) != folding.channels() || !match::isMadeOfConstants(constant))
        return failure();
    }
    // (x - mean) * s + B, with s = scale / sqrt(var + epsilon)
    auto one = RankedTensorType::get({1}, element);
    Value epsilon = match::constant(rewriter, op.getLoc(), one, op.getEpsilon().convertToDouble());
    Value variance = folding.combine<onnx::AddOp>(op.getInputVar(), epsilon);
    Value deviation = onnx::SqrtOp::create(rewriter, op.getLoc(), variance.getType(), variance);
    Value scale = folding.combine<onnx::DivOp>(op.getScale(), deviation);
    Value shift = folding.combine<onnx::SubOp>(
        op.getB(), folding.combine<onnx::MulOp>(op.getInputMean(), scale));
    folding.replace(op, scale, shift);
    return success();
  }
};

/// Mul or Div by a constant of each channel.
template <typename Op> struct FoldFactor : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    auto fold = [&](Value x, Value factor) {
      std::optional<Product> product = productOf(x);
      if (!product || op.getType() != x.getType())
        return false;
      Folding folding(rewriter, op, *product);
      if (!isChannels(factor, product->axis,
                      unsigned(cast<RankedTensorType>(op.getType()).getRank()), folding.channels()))
        return false;
      Value scale = folding.flat(factor);
      if (isa<onnx::DivOp>(op.getOperation())) {
        Value one = match::constant(
            rewriter, op.getLoc(),
            RankedTensorType::get({1}, cast<RankedTensorType>(scale.getType()).getElementType()),
            1);
        scale = folding.combine<onnx::DivOp>(one, scale);
      }
      folding.replace(op, scale, nullptr);
      return true;
    };
    if constexpr (std::is_same_v<Op, onnx::MulOp>)
      return success(match::inEitherOrder(op, fold));
    else
      return success(fold(op->getOperand(0), op->getOperand(1)));
  }
};

/// Add or Sub of a constant of each channel, where the product takes a bias.
template <typename Op> struct FoldTerm : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    auto fold = [&](Value x, Value term) {
      std::optional<Product> product = productOf(x);
      if (!product || op.getType() != x.getType() ||
          (isa<onnx::MatMulOp>(product->op) && !product->add)) // its bias is this op
        return false;
      Folding folding(rewriter, op, *product);
      if (!isChannels(term, product->axis, unsigned(cast<RankedTensorType>(op.getType()).getRank()),
                      folding.channels()))
        return false;
      Value shift = folding.flat(term);
      if (isa<onnx::SubOp>(op.getOperation()))
        shift = onnx::NegOp::create(rewriter, op.getLoc(), shift.getType(), shift);
      folding.replace(op, nullptr, shift);
      return true;
    };
    if constexpr (std::is_same_v<Op, onnx::AddOp>)
      return success(match::inEitherOrder(op, fold));
    else
      return success(fold(op->getOperand(0), op->getOperand(1)));
  }
};

struct FoldScales : impl::FoldScalesBase<FoldScales> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FoldBatchNorm, FoldFactor<onnx::MulOp>, FoldFactor<onnx::DivOp>,
                 FoldTerm<onnx::AddOp>, FoldTerm<onnx::SubOp>>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace burin
