// SPDX-License-Identifier: Apache-2.0
//
// Contractions read and write through maps, so that a copy which only reorders dims or cuts out a
// part need not be made: of what is multiplied it becomes part of `a_map`, of the result the order of its dims. The
// innermost reduction dim and the columns must stay side by side in memory, since the micro-kernel
// walks them. No result changes a bit: each is the same chain of the same products.
//
// What packs the other factor into panels splits its columns first, or pulls each element; both
// look through such copies too, so that packing is one copy and not two.

#include "compiler/group/Copies.h"
#include "compiler/transforms/Passes.h"
#include "dialects/kern/KernOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_FOLDTRANSPOSES
#include "compiler/transforms/Passes.h.inc"

using group::Copy;
using group::Place;
using group::copyOf;
using group::makeCopy;
using group::placeOf;

namespace {

/// contract(copy(a)) reads a.
struct ReadThrough : OpRewritePattern<kern::ContractOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(kern::ContractOp op, PatternRewriter &rewriter) const override {
    Copy copy = copyOf(op.getA().getDefiningOp<linalg::GenericOp>());
    if (!copy || op.isPicture())
      return failure();
    // What reads outside of a part, as padding, would find the rest of the whole.
    if (!copy.isPermutation() &&
        (!op.getAMap().isProjectedPermutation(/*allowZeroInResults=*/true) ||
         !cast<RankedTensorType>(op.getInit().getType()).hasStaticShape()))
      return failure();
    AffineMap map = copy.reads.compose(op.getAMap());
    unsigned innermost = map.getNumDims() - 1;
    if (map.getNumResults() == 0 ||
        !map.getResult(map.getNumResults() - 1).isFunctionOfDim(innermost))
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      op.getAMutable().set(copy.source);
      op.setAMap(map);
    });
    return success();
  }
};

/// contract(a, copy(b)) reads b where it lies.
struct ReadFactorThrough : OpRewritePattern<kern::ContractOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(kern::ContractOp op, PatternRewriter &rewriter) const override {
    Copy copy = op.isPacked() ? Copy() : copyOf(op.getB().getDefiningOp<linalg::GenericOp>());
    if (!copy || (!copy.isPermutation() &&
                  !cast<RankedTensorType>(op.getInit().getType()).hasStaticShape()))
      return failure();
    AffineMap map = copy.reads.compose(op.getBMap());
    unsigned depth = op.getNumParallel();
    // A dim of size 1 may have gone with the copy.
    if (!map.isFunctionOfDim(depth) || !map.isFunctionOfDim(depth - 1))
      return failure();
    AffineExpr innermost = map.getResults().back();
    if (!innermost.isFunctionOfDim(depth) && !innermost.isFunctionOfDim(depth - 1))
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      op.getBMutable().set(copy.source);
      op.setBMap(map);
    });
    return success();
  }
};

/// A copy of a copy.
struct CopyThrough : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    Copy second = copyOf(op);
    Copy first = second ? copyOf(second.source.getDefiningOp<linalg::GenericOp>()) : Copy();
    // A part of what will be turned is a part first: the turn sinks.
    if (!first || group::canSink(op) ||
        (!first.isPermutation() && group::turnsContraction(second)))
      return failure();
    auto type = cast<RankedTensorType>(op.getResultTypes()[0]);
    if (!type.hasStaticShape() && !(first.isPermutation() && second.isPermutation()))
      return failure();
    rewriter.replaceOp(op, makeCopy(rewriter, op.getLoc(), type, first.source,
                                    first.reads.compose(second.reads)));
    return success();
  }
};

/// transpose(contract) is the contraction with its dims in another order.
struct WriteThrough : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp copy, PatternRewriter &rewriter) const override {
    Copy turned = copyOf(copy);
    auto op = turned ? turned.source.getDefiningOp<kern::ContractOp>() : kern::ContractOp();
    if (!op || op.isPicture() || !turned.isPermutation() || !op->hasOneUse())
      return failure();
    AffineMap order = turned.reads;
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
    AffineMap bMap = op.isPacked() ? op.getBMap().compose(order)
                                   : op.getBMap().replaceDimsAndSymbols(dims, {}, dims.size(), 0);
    auto moved = kern::ContractOp::create(
        rewriter, rewriter.getFusedLoc({op.getLoc(), copy.getLoc()}), copy->getResultTypes(),
        op.getA(), op.getB(), op.getExtras(), copy.getDpsInits()[0], aMap,
        bMap, rewriter.getAffineMapArrayAttr(extraMaps), op.getReduction(),
        op.getWinogradAttr());
    rewriter.inlineRegionBefore(op.getEpilogue(), moved.getEpilogue(), moved.getEpilogue().end());
    rewriter.replaceOp(copy, moved.getResult());
    rewriter.eraseOp(op);
    return success();
  }
};

/// Whether all that reads `value` is contractions, as the factor that lies in panels.
bool isPanels(Value value) {
  return llvm::all_of(value.getUses(), [](OpOperand &use) {
    if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(use.getOwner()))
      return isPanels(use.getOwner()->getResult(0));
    auto contract = dyn_cast<kern::ContractOp>(use.getOwner());
    return contract && use == contract.getBMutable() && contract.isPacked();
  });
}

/// Whether what reads `value` will look through a copy that it becomes: other copies, contractions and
/// what packs their panels, behind reshapes.
bool isReadByCopies(Value value, unsigned depth = 0) {
  return depth < 8 && llvm::all_of(value.getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(user))
      return isReadByCopies(user->getResult(0), depth + 1);
    if (auto contract = dyn_cast<kern::ContractOp>(user))
      return !contract.isPicture() && (use == contract.getAMutable() || !contract.isPacked());
    auto generic = dyn_cast<linalg::GenericOp>(user);
    if (isa<tensor::ExtractOp>(user)) {
      generic = user->getParentOfType<linalg::GenericOp>();
      if (generic && generic->getNumResults() == 1 && isPanels(generic.getResult(0)))
        return true;
    }
    return bool(copyOf(generic));
  });
}

/// expand_shape(copy(x)) is copy(expand_shape(x)): two copies come to lie next to each other, and
/// are one.
struct SplitBefore : OpRewritePattern<tensor::ExpandShapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::ExpandShapeOp op, PatternRewriter &rewriter) const override {
    auto generic = op.getSrc().getDefiningOp<linalg::GenericOp>();
    Copy copy = copyOf(generic);
    RankedTensorType type = op.getResultType();
    if (!copy || !type.hasStaticShape() || !copy.type().hasStaticShape() ||
        !(op.getSrc().hasOneUse() || isReadByCopies(op.getSrc())))
      return failure();
    // Parts of the source's dims in their order; each part is a dim of the new copy.
    SmallVector<ReassociationIndices> groups, parts = op.getReassociationIndices();
    SmallVector<int64_t> shape;
    SmallVector<AffineExpr> reads;
    auto read = [&](AffineExpr expr, int64_t size) {
      groups.back().push_back(shape.size());
      shape.push_back(size);
      reads.push_back(expr);
    };
    for (auto [dim, expr] : llvm::enumerate(copy.reads.getResults())) {
      groups.emplace_back();
      Place place = *placeOf(expr);
      int64_t size = copy.type().getDimSize(dim);
      if (!place.loop) {
        read(expr, size);
      } else if (ArrayRef<int64_t> inner = parts[*place.loop]; inner.size() == 1) {
        read(rewriter.getAffineDimExpr(inner[0]) + place.offset, size);
      } else {
        // Of a part of the dim, what it begins with and leaves out must be whole runs of the inner parts.
        int64_t run = 1;
        for (int64_t part : inner.drop_front())
          run *= type.getDimSize(part);
        if (run == 0 || size % run != 0 || place.offset % run != 0)
          return failure();
        read(rewriter.getAffineDimExpr(inner[0]) + place.offset / run, size / run);
        for (int64_t part : inner.drop_front())
          read(rewriter.getAffineDimExpr(part), type.getDimSize(part));
      }
    }
    auto map = AffineMap::get(type.getRank(), 0, reads, rewriter.getContext());
    Value split = copy.source;
    if (shape.size() != groups.size())
      split = tensor::ExpandShapeOp::create(rewriter, op.getLoc(),
                                            RankedTensorType::get(shape, type.getElementType()),
                                            copy.source, groups);
    rewriter.replaceOp(op, makeCopy(rewriter, generic.getLoc(), type, split, map));
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

/// copy(x) without dims of size 1 is a copy of x without them.
struct DropUnitsBefore : OpRewritePattern<tensor::CollapseShapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::CollapseShapeOp op, PatternRewriter &rewriter) const override {
    auto generic = op.getSrc().getDefiningOp<linalg::GenericOp>();
    Copy copy = copyOf(generic);
    RankedTensorType type = op.getResultType();
    std::optional<SmallVector<int64_t>> kept = keptDims(op);
    if (!copy || !kept || kept->empty() || !type.hasStaticShape() ||
        !copy.type().hasStaticShape() ||
        !(op.getSrc().hasOneUse() || isReadByCopies(op.getSrc())))
      return failure();
    // The source's dims that stay, in its order; the others go with the one before them.
    SmallVector<ReassociationIndices> groups;
    SmallVector<int64_t> shape;
    SmallVector<AffineExpr> reads;
    int64_t waiting = 0; // dims before the first that stays
    for (auto [dim, expr] : llvm::enumerate(copy.reads.getResults())) {
      Place place = *placeOf(expr);
      int64_t size = copy.type().getDimSize(dim);
      auto stays = place.loop ? llvm::find(*kept, *place.loop) : kept->end();
      if (stays == kept->end() && size == 1) {
        if (groups.empty())
          ++waiting;
        else
          groups.back().push_back(dim);
        continue;
      }
      groups.emplace_back();
      for (; waiting > 0; --waiting)
        groups.back().push_back(dim - waiting);
      groups.back().push_back(dim);
      shape.push_back(size);
      reads.push_back((stays == kept->end() ? rewriter.getAffineConstantExpr(0)
                                            : rewriter.getAffineDimExpr(stays - kept->begin())) +
                      place.offset);
    }
    Value source = copy.source;
    if (groups.empty())
      return failure();
    if (shape.size() != size_t(copy.type().getRank()))
      source = tensor::CollapseShapeOp::create(
          rewriter, op.getLoc(), RankedTensorType::get(shape, type.getElementType()), source, groups);
    rewriter.replaceOp(op, makeCopy(rewriter, generic.getLoc(), type, source,
                                    AffineMap::get(type.getRank(), 0, reads, rewriter.getContext())));
    return success();
  }
};

/// Where panels are pulled element by element out of a copy, out of what that was made of.
struct PullThrough : OpRewritePattern<tensor::ExtractOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::ExtractOp op, PatternRewriter &rewriter) const override {
    auto packing = op->getParentOfType<linalg::GenericOp>();
    if (!packing || !op.getTensor().hasOneUse() || packing->getNumResults() != 1 ||
        !isPanels(packing.getResult(0)))
      return failure();
    Copy copy = copyOf(op.getTensor().getDefiningOp<linalg::GenericOp>());
    if (!copy)
      return failure();
    SmallVector<Value> at;
    for (AffineExpr expr : copy.reads.getResults()) {
      Place place = *placeOf(expr);
      Value offset = arith::ConstantIndexOp::create(rewriter, op.getLoc(), place.offset);
      at.push_back(place.loop ? arith::AddIOp::create(rewriter, op.getLoc(),
                                                      op.getIndices()[*place.loop], offset)
                                    .getResult()
                              : offset);
    }
    rewriter.replaceOpWithNewOp<tensor::ExtractOp>(op, copy.source, at);
    return success();
  }
};

struct FoldTransposes : impl::FoldTransposesBase<FoldTransposes> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ReadThrough, ReadFactorThrough, WriteThrough, CopyThrough, SplitBefore,
                 DropUnitsBefore, PullThrough>(&getContext());
    group::populateSinkTransposes(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace burin
