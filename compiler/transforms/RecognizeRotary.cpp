// SPDX-License-Identifier: Apache-2.0
//
// Rotary embeddings as exporters write them on heads [batch, heads, sequence, size]:
//
//   x * cos + concat(-high, low) * sin              tables of the head's size, both halves equal
//   concat(low * cos - high * sin, high * cos + low * sin)      tables of half of it
//
// where low and high are the halves of x by Slice or Split, or of the second form its even and odd elements,
// by Slice or by Gather of pairs, and the result's are laid side by side. Of a whole table the first half is
// rebuilt from what it is computed from, so that each angle's cosine is computed once; a table whose
// halves cannot be seen to be equal is left alone.

#include "compiler/transforms/Match.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_RECOGNIZEROTARY
#include "compiler/transforms/Passes.h.inc"

namespace {

//===- Halves of x ----------------------------------------------------------===//

/// A piece of the last dimension of `whole`.
struct Piece {
  Value whole;
  int64_t start = 0, size = 0;
};

std::optional<Piece> pieceOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() == 0 || type.isDynamicDim(type.getRank() - 1))
    return std::nullopt;
  int64_t last = type.getRank() - 1, size = type.getDimSize(last);
  auto isLast = [&](int64_t axis) { return axis == last || axis == -1; };
  if (auto split = match::producer<onnx::SplitOp>(value)) {
    if (!isLast(split.getAxis()))
      return std::nullopt;
    int64_t start = 0;
    for (Value part : split.getOutputs()) {
      if (part == value)
        return Piece{split.getInput(), start, size};
      auto before = dyn_cast<RankedTensorType>(part.getType());
      if (!before || before.isDynamicDim(last))
        return std::nullopt;
      start += before.getDimSize(last);
    }
    return std::nullopt;
  }
  auto slice = match::producer<onnx::SliceOp>(value);
  auto whole = slice ? dyn_cast<RankedTensorType>(slice.getData().getType()) : RankedTensorType();
  if (!whole || whole.isDynamicDim(last))
    return std::nullopt;
  auto starts = match::integers(slice.getStarts()), axes = match::integers(slice.getAxes()),
       steps = match::integers(slice.getSteps());
  bool forward = isa<NoneType>(slice.getSteps().getType()) ||
                 (steps && *steps == ArrayRef<int64_t>{1});
  if (!starts || starts->size() != 1 || !axes || axes->size() != 1 || !isLast(axes->front()) ||
      !forward)
    return std::nullopt;
  int64_t length = whole.getDimSize(last), start = starts->front();
  start = std::clamp<int64_t>(start < 0 ? start + length : start, 0, length);
  return Piece{slice.getData(), start, size};
}

/// x, if `low` and `high` are its two halves.
Value halved(Value low, Value high) {
  std::optional<Piece> first = pieceOf(low), second = pieceOf(high);
  if (!first || !second || first->whole != second->whole || first->start != 0 ||
      first->size != second->size || second->start != first->size ||
      cast<RankedTensorType>(first->whole.getType()).getShape().back() != 2 * first->size)
    return nullptr;
  return first->whole;
}

/// `value` without the last dimension, of size 1, that a view gave it; null for another.
Value withoutUnit(Value value) {
  Operation *view = value.hasOneUse() ? value.getDefiningOp() : nullptr;
  if (!view || !isa<onnx::UnsqueezeOp, onnx::ReshapeOp>(view))
    return nullptr;
  auto from = dyn_cast<RankedTensorType>(view->getOperand(0).getType()),
       to = dyn_cast<RankedTensorType>(value.getType());
  return from && to && to.getRank() == from.getRank() + 1 && to.getShape().back() == 1 &&
                 to.getShape().drop_back() == from.getShape() && from.getNumDynamicDims() <= 1
             ? view->getOperand(0)
             : Value();
}

/// x, if `value` is every second of the last dimension's elements of it, from `first` on.
Value everySecond(Value value, int64_t first) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() == 0)
    return nullptr;
  int64_t last = type.getRank() - 1;
  if (auto slice = match::producer<onnx::SliceOp>(value)) {
    auto whole = dyn_cast<RankedTensorType>(slice.getData().getType());
    auto starts = match::integers(slice.getStarts()), axes = match::integers(slice.getAxes()),
         steps = match::integers(slice.getSteps());
    bool isPart = whole && starts && axes && steps && *starts == ArrayRef<int64_t>{first} &&
                  *steps == ArrayRef<int64_t>{2} && axes->size() == 1 &&
                  (axes->front() == -1 || axes->front() == last) &&
                  whole.getShape().back() == 2 * type.getShape().back();
    return isPart ? slice.getData() : Value();
  }
  auto gather = match::producer<onnx::GatherOp>(value);
  auto index = gather ? match::integers(gather.getIndices()) : std::nullopt;
  if (!index || *index != ArrayRef<int64_t>{first} ||
      (gather.getAxis() != -1 && gather.getAxis() != last + 1))
    return nullptr;
  auto pairs = match::producer<onnx::ReshapeOp>(gather.getData());
  auto whole = pairs ? dyn_cast<RankedTensorType>(pairs.getData().getType()) : RankedTensorType();
  auto split = pairs ? dyn_cast<RankedTensorType>(pairs.getType()) : RankedTensorType();
  bool isPart = whole && split && whole.getRank() == type.getRank() &&
                split.getRank() == whole.getRank() + 1 && split.getShape().back() == 2 &&
                split.getShape().drop_back() == type.getShape() &&
                whole.getShape().drop_back() == type.getShape().drop_back() &&
                whole.getNumDynamicDims() <= 1 && whole.getShape().back() == 2 * type.getShape().back();
  return isPart ? pairs.getData() : Value();
}

//===- Tables ---------------------------------------------------------------===//

/// Ops between a table and what shows that its halves are equal.
constexpr unsigned maxTableDepth = 8;

/// Whether `value` is concat(a, a) along its last dimension.
bool isDoubled(Value value) {
  auto concat = match::producer<onnx::ConcatOp>(value);
  int64_t last = cast<RankedTensorType>(value.getType()).getRank() - 1;
  return concat && concat.getNumOperands() == 2 && concat.getOperand(0) == concat.getOperand(1) &&
         (int64_t(concat.getAxis()) == last || int64_t(concat.getAxis()) == -1);
}

/// The operands of `op` that have the last dimension of its result, place by place. Nothing for
/// an op that is not known to keep it.
std::optional<SmallVector<unsigned>> carriers(Operation *op) {
  auto rankedOperand = [&](unsigned i) {
    return dyn_cast<RankedTensorType>(op->getOperand(i).getType());
  };
  if (isa<onnx::CosOp, onnx::SinOp, onnx::CastOp, onnx::NegOp>(op))
    return SmallVector<unsigned>{0};
  if (isa<onnx::MulOp, onnx::AddOp, onnx::DivOp>(op)) {
    SmallVector<unsigned> found;
    for (unsigned i : {0, 1}) {
      RankedTensorType operand = rankedOperand(i);
      if (!operand)
        return std::nullopt;
      if (operand.getRank() != 0 && operand.getShape().back() != 1)
        found.push_back(i);
    }
    return found;
  }
  if (isa<onnx::UnsqueezeOp, onnx::SqueezeOp>(op)) {
    RankedTensorType from = rankedOperand(0);
    auto axes = match::integers(op->getOperand(1));
    if (!from || !axes)
      return std::nullopt;
    int64_t rank =
        std::max(from.getRank(), cast<RankedTensorType>(op->getResult(0).getType()).getRank());
    if (llvm::is_contained(*axes, -1) || llvm::is_contained(*axes, rank - 1))
      return std::nullopt;
    return SmallVector<unsigned>{0};
  }
  auto gather = dyn_cast<onnx::GatherOp>(op);
  if (gather && rankedOperand(0) && rankedOperand(0).getRank() >= 2 && gather.getAxis() == 0)
    return SmallVector<unsigned>{0};
  return std::nullopt;
}

/// Whether the second half of the last dimension of `value` equals the first.
bool hasEqualHalves(Value value, unsigned depth = 0) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  Operation *op = value.getDefiningOp();
  if (!type || !op || type.getRank() == 0 || depth > maxTableDepth || op->getNumResults() != 1 ||
      ShapedType::isDynamic(type.getShape().back()) || type.getShape().back() % 2 != 0)
    return false;
  if (isDoubled(value))
    return true;
  auto inner = carriers(op);
  return inner && llvm::all_of(*inner, [&](unsigned i) {
    auto operand = cast<RankedTensorType>(op->getOperand(i).getType());
    return operand.getRank() != 0 && operand.getShape().back() == type.getShape().back() &&
           hasEqualHalves(op->getOperand(i), depth + 1);
  });
}

RankedTensorType halfOf(RankedTensorType type) {
  SmallVector<int64_t> shape(type.getShape());
  shape.back() /= 2;
  return RankedTensorType::get(shape, type.getElementType(), type.getEncoding());
}

/// The first half of a value that hasEqualHalves, made beside it.
Value firstHalf(PatternRewriter &rewriter, Value value) {
  Operation *op = value.getDefiningOp();
  if (isDoubled(value))
    return op->getOperand(0);
  SmallVector<Value> operands(op->getOperands());
  SmallVector<unsigned> halved = *carriers(op);
  for (unsigned i : halved)
    operands[i] = firstHalf(rewriter, operands[i]);
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  Operation *half = rewriter.clone(*op);
  half->setOperands(operands);
  half->getResult(0).setType(halfOf(cast<RankedTensorType>(value.getType())));
  return half->getResult(0);
}

/// A table that `fits` as [batch, sequence, half].
Value asCache(PatternRewriter &rewriter, Location loc, Value table) {
  auto type = cast<RankedTensorType>(table.getType());
  int64_t rank = type.getRank();
  if (rank == 3)
    return table; // [1 head, sequence, half]
  int64_t axis = rank == 4 ? 1 : 0;
  auto axes = DenseElementsAttr::get(
      RankedTensorType::get({1}, IntegerType::get(rewriter.getContext(), 64, IntegerType::Signed)),
      ArrayRef<Attribute>(rewriter.getIntegerAttr(
          IntegerType::get(rewriter.getContext(), 64, IntegerType::Signed), axis)));
  Value where = onnx::ConstantOp::create(rewriter, loc, axes.getType(), cast<TypedAttr>(axes));
  SmallVector<int64_t> shape(type.getShape());
  SmallVector<StringAttr> names;
  if (auto dims = dyn_cast_if_present<onnx::DimsAttr>(type.getEncoding()))
    names.assign(dims.getNames().begin(), dims.getNames().end());
  auto encoded = [&] {
    return RankedTensorType::get(
        shape, type.getElementType(),
        names.empty() ? Attribute() : onnx::DimsAttr::get(rewriter.getContext(), names));
  };
  if (rank == 4) {
    shape.erase(shape.begin() + 1);
    if (!names.empty())
      names.erase(names.begin() + 1);
    return onnx::SqueezeOp::create(rewriter, loc, encoded(), table, where);
  }
  shape.insert(shape.begin(), 1);
  if (!names.empty())
    names.insert(names.begin(), rewriter.getStringAttr(""));
  return onnx::UnsqueezeOp::create(rewriter, loc, encoded(), table, where);
}

/// Whether a table of `type`, half of a head per position, multiplies all heads of `heads` alike.
bool fits(Type table, RankedTensorType heads) {
  auto type = dyn_cast<RankedTensorType>(table);
  if (!type || type.getElementType() != heads.getElementType() || type.getRank() > 4 ||
      type.getRank() < 2 || 2 * type.getShape().back() != heads.getShape().back())
    return false;
  for (int64_t d = 0; d + 1 < type.getRank(); ++d) {
    int64_t at = 4 - type.getRank() + d, size = type.getDimSize(d);
    if (at == 1 ? size != 1 : size != 1 && size != heads.getDimSize(at))
      return false;
  }
  return true;
}

/// Replaces `root` by the rotation of `x`; the tables fit.
void rotate(PatternRewriter &rewriter, Operation *root, Value x, Value cos, Value sin,
            bool interleaved = false) {
  Location loc = root->getLoc();
  Value cosines = asCache(rewriter, loc, cos), sines = asCache(rewriter, loc, sin);
  Value none = onnx::NoneOp::create(rewriter, loc);
  rewriter.replaceOpWithNewOp<onnx::RotaryEmbeddingOp>(root, x.getType(), x, cosines, sines, none,
                                                       /*interleaved=*/interleaved);
}

RankedTensorType headsType(Value x, Type result) {
  auto type = dyn_cast<RankedTensorType>(x.getType());
  return type && type == result && type.getRank() == 4 && isa<FloatType>(type.getElementType()) &&
                 !type.isDynamicDim(3)
             ? type
             : RankedTensorType();
}

//===- Patterns -------------------------------------------------------------===//

/// x * cos + concat(-high, low) * sin.
struct RotateWhole : OpRewritePattern<onnx::AddOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(onnx::AddOp op, PatternRewriter &rewriter) const override {
    LogicalResult done = failure();
    match::inEitherOrder(op, [&](Value straight, Value crossed) {
      auto cosine = match::onlyUse<onnx::MulOp>(straight);
      auto sine = match::onlyUse<onnx::MulOp>(crossed);
      if (!cosine || !sine)
        return false;
      return match::inEitherOrder(sine, [&](Value turned, Value sin) {
        Value x = turnedFrom(turned);
        return x && match::inEitherOrder(cosine, [&](Value same, Value cos) {
          if (same != x)
            return false;
          done = replace(rewriter, op, x, cos, sin);
          return succeeded(done);
        });
      });
    });
    return done;
  }

  /// x of concat(-high, low).
  static Value turnedFrom(Value turned) {
    auto concat = match::onlyUse<onnx::ConcatOp>(turned);
    auto type = dyn_cast<RankedTensorType>(turned.getType());
    if (!concat || !type || concat.getNumOperands() != 2 ||
        (int64_t(concat.getAxis()) != -1 && int64_t(concat.getAxis()) != type.getRank() - 1))
      return nullptr;
    auto negated = match::onlyUse<onnx::NegOp>(concat.getOperand(0));
    return negated ? halved(concat.getOperand(1), negated.getX()) : Value();
  }

  static LogicalResult replace(PatternRewriter &rewriter, onnx::AddOp op, Value x, Value cos,
                               Value sin) {
    RankedTensorType type = headsType(x, op.getType());
    if (!type)
      return failure();
    for (Value table : {cos, sin})
      if (!hasEqualHalves(table) || !fits(halfOf(cast<RankedTensorType>(table.getType())), type))
        return failure();
    rotate(rewriter, op, x, firstHalf(rewriter, cos), firstHalf(rewriter, sin));
    return success();
  }
};

/// Replaces `root` where `first` is low * cos - high * sin and `second` is high * cos + low * sin; `joined`
/// gives x of its parts.
template <typename Joined>
LogicalResult rotateParts(PatternRewriter &rewriter, Operation *root, Value first, Value second,
                          bool interleaved, Joined joined) {
  auto difference = match::onlyUse<onnx::SubOp>(first);
  auto sum = match::onlyUse<onnx::AddOp>(second);
  if (!difference || !sum)
    return failure();
  auto lowCos = match::onlyUse<onnx::MulOp>(difference.getA());
  auto highSin = match::onlyUse<onnx::MulOp>(difference.getB());
  if (!lowCos || !highSin)
    return failure();
  auto isProduct = [](Value value, Value x, Value y) {
    auto product = match::onlyUse<onnx::MulOp>(value);
    return product && ((product.getA() == x && product.getB() == y) ||
                       (product.getA() == y && product.getB() == x));
  };
  LogicalResult done = failure();
  match::inEitherOrder(lowCos, [&](Value low, Value cos) {
    return match::inEitherOrder(highSin, [&](Value high, Value sin) {
      Value x = joined(low, high);
      RankedTensorType type = x ? headsType(x, root->getResult(0).getType()) : RankedTensorType();
      if (!type || !fits(cos.getType(), type) || !fits(sin.getType(), type) ||
          !match::inEitherOrder(sum, [&](Value a, Value b) {
            return isProduct(a, high, cos) && isProduct(b, low, sin);
          }))
        return false;
      rotate(rewriter, root, x, cos, sin, interleaved);
      done = success();
      return true;
    });
  });
  return done;
}

bool joinsLast(onnx::ConcatOp op) {
  auto type = dyn_cast<RankedTensorType>(op.getType());
  return type && op.getNumOperands() == 2 &&
         (int64_t(op.getAxis()) == -1 || int64_t(op.getAxis()) == type.getRank() - 1);
}

/// concat(low * cos - high * sin, high * cos + low * sin).
struct RotateHalves : OpRewritePattern<onnx::ConcatOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(onnx::ConcatOp op, PatternRewriter &rewriter) const override {
    if (!joinsLast(op))
      return failure();
    return rotateParts(rewriter, op, op.getOperand(0), op.getOperand(1), /*interleaved=*/false, halved);
  }
};

/// The same of even and odd elements, side by side: Reshape(concat(first[..., None], second[..., None])).
struct RotatePairs : OpRewritePattern<onnx::ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(onnx::ReshapeOp op, PatternRewriter &rewriter) const override {
    auto concat = match::onlyUse<onnx::ConcatOp>(op.getData());
    if (!concat || !joinsLast(concat))
      return failure();
    Value first = withoutUnit(concat.getOperand(0)), second = withoutUnit(concat.getOperand(1));
    auto type = first ? dyn_cast<RankedTensorType>(first.getType()) : RankedTensorType();
    auto result = dyn_cast<RankedTensorType>(op.getType());
    if (!second || !type || !result || result.getRank() != type.getRank() ||
        result.getShape().drop_back() != type.getShape().drop_back())
      return failure();
    return rotateParts(rewriter, op, first, second, /*interleaved=*/true, [](Value even, Value odd) {
      Value x = everySecond(even, 0);
      return x && x == everySecond(odd, 1) ? x : Value();
    });
  }
};

struct RecognizeRotary : impl::RecognizeRotaryBase<RecognizeRotary> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RotateWhole, RotateHalves, RotatePairs>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace burin
