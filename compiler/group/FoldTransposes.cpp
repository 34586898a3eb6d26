// SPDX-License-Identifier: Apache-2.0
//
// Contractions read and write through maps, so that a copy which only reorders dims need not be
// made: of what is multiplied it becomes part of `a_map`, of the result the order of its dims. The
// innermost reduction dim and the columns must stay side by side in memory, since the micro-kernel
// walks them. No result changes a bit: each is the same chain of the same products.
//
// What packs the other factor into panels splits its columns first, or pulls each element; both
// look through such copies too, so that packing is one copy and not two.

#include "compiler/transforms/Passes.h"
#include "dialects/kern/KernOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_FOLDTRANSPOSES
#include "compiler/transforms/Passes.h.inc"

namespace {

/// How a generic that only moves its one input's elements reads it, a permutation of its result's
/// dims; a null map for any other op.
AffineMap permutationOf(linalg::GenericOp op) {
  if (!op || op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1 ||
      op.getNumParallelLoops() != op.getNumLoops() ||
      !isa<RankedTensorType>(op.getDpsInputs()[0].getType()))
    return {};
  Block &body = *op.getBlock();
  if (&body.front() != body.getTerminator() ||
      body.getTerminator()->getOperand(0) != body.getArgument(0) ||
      !op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity())
    return {};
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInputOperand(0));
  return map.isPermutation() ? map : AffineMap();
}

/// A tensor of `type` that reads `input` at `reads`.
Value makeCopy(PatternRewriter &rewriter, Location loc, RankedTensorType type, Value input,
               ArrayRef<AffineExpr> reads) {
  if (AffineMap::get(type.getRank(), 0, reads, rewriter.getContext()).isIdentity())
    return input;
  Value empty = tensor::EmptyOp::create(rewriter, loc, type.getShape(), type.getElementType());
  SmallVector<AffineMap> maps{AffineMap::get(type.getRank(), 0, reads, rewriter.getContext()),
                              rewriter.getMultiDimIdentityMap(type.getRank())};
  SmallVector<utils::IteratorType> loops(type.getRank(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(rewriter, loc, TypeRange{type}, ValueRange{input},
                                   ValueRange{empty}, maps, loops,
                                   [](OpBuilder &b, Location at, ValueRange elements) {
                                     linalg::YieldOp::create(b, at, elements[0]);
                                   })
      .getResult(0);
}

/// contract(transpose(a)) reads a.
struct ReadThrough : OpRewritePattern<kern::ContractOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(kern::ContractOp op, PatternRewriter &rewriter) const override {
    auto copy = op.getA().getDefiningOp<linalg::GenericOp>();
    AffineMap order = permutationOf(copy);
    if (!order)
      return failure();
    AffineMap map = order.compose(op.getAMap());
    unsigned innermost = map.getNumDims() - 1;
    if (map.getNumResults() == 0 ||
        !map.getResult(map.getNumResults() - 1).isFunctionOfDim(innermost))
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      op.getAMutable().set(copy.getDpsInputs()[0]);
      op.setAMap(map);
    });
    return success();
  }
};

/// transpose(contract) is the contraction with its dims in another order.
struct WriteThrough : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp copy, PatternRewriter &rewriter) const override {
    AffineMap order = permutationOf(copy);
    auto op = order ? copy.getDpsInputs()[0].getDefiningOp<kern::ContractOp>() : kern::ContractOp();
    if (!op || !op->hasOneUse())
      return failure();
    unsigned parallel = op.getNumParallel();
    if (order.getDimPosition(parallel - 1) != parallel - 1)
      return failure();
    // Loops of the copy in place of the dims that they stand for.
    SmallVector<AffineExpr> dims(order.getResults());
    for (unsigned i = 0; i < op.getReduction().size(); ++i)
      dims.push_back(rewriter.getAffineDimExpr(parallel + i));
    SmallVector<AffineMap> extraMaps;
    for (AffineMap map : op.getExtraMaps().getAsValueRange<AffineMapAttr>())
      extraMaps.push_back(map.compose(order));
    AffineMap aMap = op.getAMap().replaceDimsAndSymbols(dims, {}, dims.size(), 0);
    auto moved = kern::ContractOp::create(
        rewriter, rewriter.getFusedLoc({op.getLoc(), copy.getLoc()}), copy->getResultTypes(),
        op.getA(), op.getB(), op.getExtras(), copy.getDpsInits()[0], aMap,
        op.getBMap().compose(order), rewriter.getAffineMapArrayAttr(extraMaps), op.getReduction());
    rewriter.inlineRegionBefore(op.getEpilogue(), moved.getEpilogue(), moved.getEpilogue().end());
    rewriter.replaceOp(copy, moved.getResult());
    rewriter.eraseOp(op);
    return success();
  }
};

/// expand_shape(transpose(x)) is transpose(expand_shape(x)): two copies come to lie next to each
/// other, and fuse.
struct SplitBefore : OpRewritePattern<tensor::ExpandShapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::ExpandShapeOp op, PatternRewriter &rewriter) const override {
    auto copy = op.getSrc().getDefiningOp<linalg::GenericOp>();
    AffineMap order = permutationOf(copy);
    RankedTensorType type = op.getResultType();
    if (!order || !copy->hasOneUse() || !type.hasStaticShape() ||
        !cast<RankedTensorType>(copy.getDpsInputs()[0].getType()).hasStaticShape())
      return failure();
    // Parts of the input's dims in their order; each part is a dim of the new copy.
    SmallVector<ReassociationIndices> groups;
    SmallVector<int64_t> shape;
    SmallVector<AffineExpr> reads;
    SmallVector<ReassociationIndices> parts = op.getReassociationIndices();
    for (AffineExpr expr : order.getResults()) {
      groups.emplace_back();
      for (int64_t part : parts[cast<AffineDimExpr>(expr).getPosition()]) {
        groups.back().push_back(shape.size());
        shape.push_back(type.getDimSize(part));
        reads.push_back(rewriter.getAffineDimExpr(part));
      }
    }
    Value split = tensor::ExpandShapeOp::create(
        rewriter, op.getLoc(), RankedTensorType::get(shape, type.getElementType()),
        copy.getDpsInputs()[0], groups);
    rewriter.replaceOp(op, makeCopy(rewriter, copy.getLoc(), type, split, reads));
    return success();
  }
};

/// Dims of a collapse_shape's operand that are not of size 1, one or none for each of its result;
/// nothing where it merges others.
std::optional<SmallVector<int64_t>> keptDims(tensor::CollapseShapeOp op) {
  SmallVector<int64_t> kept;
  for (const ReassociationIndices &group : op.getReassociationIndices()) {
    auto isUnit = [&](int64_t dim) { return op.getSrcType().getDimSize(dim) == 1; };
    if (llvm::count_if(group, isUnit) + 1 < int64_t(group.size()))
      return std::nullopt;
    auto other = llvm::find_if_not(group, isUnit);
    kept.push_back(other == group.end() ? group.front() : *other);
  }
  return kept;
}

/// transpose(x) without dims of size 1 is a transpose of x without them.
struct DropUnitsBefore : OpRewritePattern<tensor::CollapseShapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::CollapseShapeOp op, PatternRewriter &rewriter) const override {
    auto copy = op.getSrc().getDefiningOp<linalg::GenericOp>();
    AffineMap order = permutationOf(copy);
    RankedTensorType type = op.getResultType();
    std::optional<SmallVector<int64_t>> kept = keptDims(op);
    if (!order || !kept || kept->empty() || !copy->hasOneUse() || !type.hasStaticShape())
      return failure();
    // The input's dims that stay, in its order; the others go with the one before them.
    SmallVector<ReassociationIndices> groups;
    SmallVector<int64_t> shape;
    SmallVector<AffineExpr> reads;
    int64_t waiting = 0; // dims before the first that stays
    for (auto [dim, expr] : llvm::enumerate(order.getResults())) {
      auto stays = llvm::find(*kept, cast<AffineDimExpr>(expr).getPosition());
      if (stays != kept->end()) {
        groups.emplace_back();
        for (; waiting > 0; --waiting)
          groups.back().push_back(dim - waiting);
        reads.push_back(rewriter.getAffineDimExpr(stays - kept->begin()));
        shape.push_back(type.getDimSize(stays - kept->begin()));
      }
      if (groups.empty())
        ++waiting;
      else
        groups.back().push_back(dim);
    }
    Value input = tensor::CollapseShapeOp::create(
        rewriter, op.getLoc(), RankedTensorType::get(shape, type.getElementType()),
        copy.getDpsInputs()[0], groups);
    rewriter.replaceOp(op, makeCopy(rewriter, copy.getLoc(), type, input, reads));
    return success();
  }
};

/// Whether all that reads `value` is contractions, as the factor that lies in panels.
bool isPanels(Value value) {
  return llvm::all_of(value.getUses(), [](OpOperand &use) {
    if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(use.getOwner()))
      return isPanels(use.getOwner()->getResult(0));
    auto contract = dyn_cast<kern::ContractOp>(use.getOwner());
    return contract && use == contract.getBMutable();
  });
}

/// Where panels are pulled element by element out of a copy, out of what that was made of.
struct PullThrough : OpRewritePattern<tensor::ExtractOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::ExtractOp op, PatternRewriter &rewriter) const override {
    auto packing = op->getParentOfType<linalg::GenericOp>();
    if (!packing || !op.getTensor().hasOneUse() || packing->getNumResults() != 1 ||
        !isPanels(packing.getResult(0)))
      return failure();
    auto copy = op.getTensor().getDefiningOp<linalg::GenericOp>();
    AffineMap order = permutationOf(copy);
    if (!order)
      return failure();
    SmallVector<Value> at;
    for (AffineExpr expr : order.getResults())
      at.push_back(op.getIndices()[cast<AffineDimExpr>(expr).getPosition()]);
    rewriter.replaceOpWithNewOp<tensor::ExtractOp>(op, copy.getDpsInputs()[0], at);
    return success();
  }
};

struct FoldTransposes : impl::FoldTransposesBase<FoldTransposes> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ReadThrough, WriteThrough, SplitBefore, DropUnitsBefore, PullThrough>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace burin
