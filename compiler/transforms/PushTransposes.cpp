// SPDX-License-Identifier: Apache-2.0
//
// Transposes where exporters leave them. One that moves only dims of size 1 is a Reshape. One that
// takes the channels of images last goes down through elementwise ops, Concat and reductions as
// long as what else they read is transposed alike or constant: it meets the one that undoes it, and
// both fold. Other orders stay: a contraction reads and writes heads wherever they lie
// (fold-transposes).

#include "compiler/transforms/Match.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_PUSHTRANSPOSES
#include "compiler/transforms/Passes.h.inc"

namespace {

RankedTensorType tensorOf(Value value) { return dyn_cast<RankedTensorType>(value.getType()); }

/// The order of dims, counted from the front; empty where it is not known.
SmallVector<int64_t> orderOf(onnx::TransposeOp op) {
  RankedTensorType type = tensorOf(op.getData());
  if (!type || !tensorOf(op.getTransposed()))
    return {};
  auto perm = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, type.getRank())));
  if (auto given = op.getPerm())
    perm.assign(given->begin(), given->end());
  for (int64_t &axis : perm)
    axis += axis < 0 ? type.getRank() : 0;
  return perm;
}

SmallVector<int64_t> inverse(ArrayRef<int64_t> perm) {
  SmallVector<int64_t> result(perm.size());
  for (auto [to, from] : llvm::enumerate(perm))
    result[from] = to;
  return result;
}

RankedTensorType permuted(RankedTensorType type, ArrayRef<int64_t> perm) {
  auto names = dyn_cast_if_present<onnx::DimsAttr>(type.getEncoding());
  SmallVector<int64_t> shape;
  SmallVector<StringAttr> moved;
  for (int64_t axis : perm) {
    shape.push_back(type.getDimSize(axis));
    if (names)
      moved.push_back(names.getNames()[axis]);
  }
  return RankedTensorType::get(shape, type.getElementType(),
                               names ? onnx::DimsAttr::get(type.getContext(), moved) : Attribute());
}

/// Dims that are not of size 1 keep their order.
struct UnitsToReshape : OpRewritePattern<onnx::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(onnx::TransposeOp op, PatternRewriter &rewriter) const override {
    SmallVector<int64_t> perm = orderOf(op);
    RankedTensorType from = tensorOf(op.getData()), to = tensorOf(op.getTransposed());
    if (perm.empty() || !from.hasStaticShape() || !to.hasStaticShape())
      return failure();
    llvm::erase_if(perm, [&](int64_t axis) { return from.getDimSize(axis) == 1; });
    if (!llvm::is_sorted(perm))
      return failure();
    Value shape = match::constant(rewriter, op.getLoc(), to.getShape());
    rewriter.replaceOpWithNewOp<onnx::ReshapeOp>(op, to, op.getData(), shape, /*allowzero=*/1);
    return success();
  }
};

/// Whether `perm` takes channels from the second place to the last. Sinking the way back as well
/// would let the two pass one another.
bool movesChannels(ArrayRef<int64_t> perm) {
  if (perm.size() < 4)
    return false;
  SmallVector<int64_t> last = llvm::to_vector(llvm::seq<int64_t>(0, perm.size()));
  std::rotate(last.begin() + 1, last.begin() + 2, last.end());
  return perm == ArrayRef<int64_t>(last);
}

/// Moves a transpose below its only reader.
struct Sink : OpRewritePattern<onnx::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(onnx::TransposeOp op, PatternRewriter &rewriter) const override {
    SmallVector<int64_t> perm = orderOf(op);
    if (!movesChannels(perm) || op->use_empty())
      return failure();
    Operation *reader = *op->user_begin();
    if (!match::isUsedOnlyBy(op.getTransposed(), {reader}))
      return failure();
    if (reader->getNumResults() != 1 || reader->getBlock() != op->getBlock() ||
        !tensorOf(reader->getResult(0)))
      return failure();
    if (isa<onnx::ElementwiseOpInterface>(reader) &&
        !isa<onnx::QuantizeLinearOp, onnx::DequantizeLinearOp>(reader))
      return sinkElementwise(rewriter, reader, perm);
    if (auto concat = dyn_cast<onnx::ConcatOp>(reader))
      return sinkConcat(rewriter, concat, perm);
    if (isa<onnx::ReduceSumOp, onnx::ReduceMeanOp, onnx::ReduceMaxOp, onnx::ReduceMinOp>(reader))
      return sinkReduction(rewriter, reader, perm);
    return failure();
  }

  /// What `value` is a transpose of by `perm`, where only `reader` reads that.
  static Value beforeTranspose(Value value, ArrayRef<int64_t> perm, Operation *reader) {
    auto transpose = match::producer<onnx::TransposeOp>(value);
    return transpose && match::isUsedOnlyBy(value, {reader}) &&
                   ArrayRef<int64_t>(orderOf(transpose)) == perm
               ? transpose.getData()
               : Value();
  }

  /// Of a constant that broadcasts to `rank` dims; null for other values.
  static Value ofConstant(PatternRewriter &rewriter, Value value, ArrayRef<int64_t> perm) {
    RankedTensorType type = tensorOf(value);
    int64_t rank = perm.size();
    if (!type || !type.hasStaticShape() || type.getRank() > rank ||
        !match::isMadeOfConstants(value))
      return nullptr;
    if (type.getRank() == 0)
      return value;
    SmallVector<int64_t> shape(rank - type.getRank(), 1);
    llvm::append_range(shape, type.getShape());
    Location loc = value.getLoc();
    auto whole = RankedTensorType::get(shape, type.getElementType());
    if (whole != type)
      value = onnx::ReshapeOp::create(rewriter, loc, whole, value,
                                      match::constant(rewriter, loc, shape), /*allowzero=*/1);
    SmallVector<int64_t> back = inverse(perm);
    return onnx::TransposeOp::create(rewriter, loc, permuted(whole, back), value,
                                     rewriter.getDenseI64ArrayAttr(back));
  }

  /// The operands of `reader` without their transposes; empty where one is neither transposed nor
  /// constant.
  static SmallVector<Value> operandsBefore(PatternRewriter &rewriter, Operation *reader,
                                           ArrayRef<int64_t> perm) {
    for (Value operand : reader->getOperands()) {
      RankedTensorType type = tensorOf(operand);
      if (!isa<NoneType>(operand.getType()) && !beforeTranspose(operand, perm, reader) &&
          !(type && type.hasStaticShape() && type.getRank() <= int64_t(perm.size()) &&
            match::isMadeOfConstants(operand)))
        return {};
    }
    SmallVector<Value> operands;
    for (Value operand : reader->getOperands()) {
      if (isa<NoneType>(operand.getType()))
        operands.push_back(operand);
      else if (Value before = beforeTranspose(operand, perm, reader))
        operands.push_back(before);
      else
        operands.push_back(ofConstant(rewriter, operand, perm));
    }
    return operands;
  }

  /// Replaces `reader` by a transpose of it on `operands`.
  static Operation *replace(PatternRewriter &rewriter, Operation *reader, ArrayRef<Value> operands,
                            ArrayRef<int64_t> perm) {
    RankedTensorType type = tensorOf(reader->getResult(0));
    Operation *before = rewriter.clone(*reader);
    before->setOperands(operands);
    before->getResult(0).setType(permuted(type, inverse(perm)));
    rewriter.replaceOpWithNewOp<onnx::TransposeOp>(reader, type, before->getResult(0),
                                                   rewriter.getDenseI64ArrayAttr(perm));
    return before;
  }

  static LogicalResult sinkElementwise(PatternRewriter &rewriter, Operation *reader,
                                       ArrayRef<int64_t> perm) {
    if (tensorOf(reader->getResult(0)).getRank() != int64_t(perm.size()))
      return failure();
    rewriter.setInsertionPoint(reader);
    SmallVector<Value> operands = operandsBefore(rewriter, reader, perm);
    if (operands.empty())
      return failure();
    replace(rewriter, reader, operands, perm);
    return success();
  }

  static LogicalResult sinkConcat(PatternRewriter &rewriter, onnx::ConcatOp concat,
                                  ArrayRef<int64_t> perm) {
    int64_t axis = int64_t(concat.getAxis());
    axis += axis < 0 ? int64_t(perm.size()) : 0;
    // Constants are parts here, they do not broadcast.
    if (llvm::any_of(concat.getOperands(), [&](Value part) {
          return !tensorOf(part) || tensorOf(part).getRank() != int64_t(perm.size());
        }))
      return failure();
    rewriter.setInsertionPoint(concat);
    SmallVector<Value> operands = operandsBefore(rewriter, concat, perm);
    if (operands.empty())
      return failure();
    cast<onnx::ConcatOp>(replace(rewriter, concat, operands, perm)).setAxis(perm[axis]);
    return success();
  }

  static LogicalResult sinkReduction(PatternRewriter &rewriter, Operation *reader,
                                     ArrayRef<int64_t> perm) {
    auto keepsDims = reader->getAttrOfType<IntegerAttr>("keepdims");
    std::optional<SmallVector<int64_t>> axes = match::integers(reader->getOperand(1));
    Value before = beforeTranspose(reader->getOperand(0), perm, reader);
    if (!axes || axes->empty() || !before)
      return failure();
    SmallVector<int64_t> moved;
    for (int64_t axis : *axes)
      moved.push_back(perm[axis + (axis < 0 ? int64_t(perm.size()) : 0)]);
    llvm::sort(moved);
    bool keeps = !keepsDims || keepsDims.getInt() != 0;
    SmallVector<int64_t> left(perm);
    llvm::erase_if(left, [&](int64_t axis) { return llvm::is_contained(moved, axis); });
    if (!keeps && !llvm::is_sorted(left))
      return failure();
    rewriter.setInsertionPoint(reader);
    Value where = match::constant(rewriter, reader->getLoc(), moved);
    if (keeps) {
      replace(rewriter, reader, {before, where}, perm);
      return success();
    }
    rewriter.modifyOpInPlace(reader, [&] { reader->setOperands({before, where}); });
    return success();
  }
};

struct PushTransposes : impl::PushTransposesBase<PushTransposes> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<UnitsToReshape, Sink>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace burin
