// SPDX-License-Identifier: Apache-2.0
//
// Elementwise producers move into the generics that read them, before
// dispatches are formed. Upstream's fusion does the work; this file decides what may
// fuse: never a producer that would be computed more than once per element, nor one
// that makes a body of more than maxBodyOps.

#include "compiler/group/Group.h"
#include "compiler/transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "compiler/transforms/Passes.h.inc"

namespace {

/// Whether the consumer reads each element of the operand exactly once.
bool readsOnce(linalg::GenericOp consumer, OpOperand *operand) {
  AffineMap map = consumer.getMatchingIndexingMap(operand);
  return map.isPermutation();
}

bool mayFuse(OpOperand *operand) {
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  if (!consumer || !producer)
    return true; // splat constants and the like
  // Who asks for its sizes will be told by what they are made of.
  bool isOnlyReader = llvm::all_of(producer->getUses(), [&](OpOperand &use) {
    return &use == operand || isa<tensor::DimOp>(use.getOwner());
  });
  return isOnlyReader && readsOnce(consumer, operand) &&
         group::countOps(producer) + group::countOps(consumer) <= group::maxBodyOps;
}

/// Upstream leaves a fused producer to die of itself, which one that checks its data never does: it
/// would run a second time, holding up what it reads. Its checks have moved with its body.
struct EraseUnread : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!op->use_empty()) // on tensors: it writes nothing else
      return failure();
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

SmallVector<ReassociationIndices> group::joinedLoops(ArrayRef<AffineMap> maps,
                                                     function_ref<bool(int64_t)> mayJoin) {
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0, e = maps.front().getNumDims(); i < e; ++i) {
    if (i > 0 && mayJoin(i)) {
      ReassociationIndices grown = groups.back();
      grown.push_back(i);
      if (linalg::areDimSequencesPreserved(maps, grown)) {
        groups.back() = grown;
        continue;
      }
    }
    groups.push_back({i});
  }
  return groups;
}

namespace {

/// Adjacent loops that fold sizes which change from run to run become one, as those of fixed sizes do
/// when they are vectorised: the length of the whole row decides in which order it is folded.
void joinOpenRows(IRRewriter &rewriter, linalg::GenericOp op) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  if (!op.hasDynamicShape() || op.hasIndexSemantics() ||
      !llvm::all_of(maps, [](AffineMap map) { return map.isProjectedPermutation(); }))
    return;
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  SmallVector<ReassociationIndices> groups = group::joinedLoops(maps, [&](int64_t i) {
    return iterators[i] == utils::IteratorType::reduction && iterators[i - 1] == iterators[i];
  });
  bool joinsOpen = llvm::any_of(groups, [&](ReassociationIndices &group) {
    return group.size() > 1 &&
           llvm::any_of(group, [&](int64_t loop) { return ShapedType::isDynamic(sizes[loop]); });
  });
  if (!joinsOpen)
    return;
  rewriter.setInsertionPoint(op);
  FailureOr<linalg::CollapseResult> result = linalg::collapseOpIterationDims(
      cast<linalg::LinalgOp>(op.getOperation()), groups, rewriter);
  if (succeeded(result))
    rewriter.replaceOp(op, result->results);
}

struct FuseElementwise : impl::FuseElementwiseBase<FuseElementwise> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    linalg::populateElementwiseOpsFusionPatterns(patterns, mayFuse);
    linalg::populateFoldReshapeOpsByExpansionPatterns(patterns, mayFuse);
    linalg::populateConstantFoldLinalgOperations(patterns, [](OpOperand *) { return false; });
    linalg::FillOp::getCanonicalizationPatterns(patterns, context);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, context);
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
    // A destination behind a reshape would be taken for an operand that nobody writes.
    tensor::populateFoldTensorEmptyPatterns(patterns);
    patterns.add<EraseUnread>(context);
    memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
    tensor::DimOp::getCanonicalizationPatterns(patterns, context);
    GreedyRewriteConfig config;
    config.setUseTopDownTraversal(true);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      return signalPassFailure();
    SmallVector<linalg::GenericOp> generics;
    getOperation()->walk([&](linalg::GenericOp op) { generics.push_back(op); });
    IRRewriter rewriter(context);
    for (linalg::GenericOp op : generics)
      joinOpenRows(rewriter, op);
  }
};

} // namespace
} // namespace burin
