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

/// Whether the consumer folds rows of a size that changes from run to run which a collapse_shape made:
/// their whole length decides the order, so that they stay in one piece.
bool foldsOpenRows(linalg::GenericOp consumer, OpOperand *operand) {
  auto collapse = operand->get().getDefiningOp<tensor::CollapseShapeOp>();
  if (!collapse || !consumer)
    return false;
  AffineMap map = consumer.getMatchingIndexingMap(operand);
  for (auto [dim, group] : llvm::enumerate(collapse.getReassociationIndices())) {
    auto loop = dyn_cast<AffineDimExpr>(map.getResult(dim));
    if (loop && group.size() > 1 && collapse.getResultType().isDynamicDim(dim) &&
        consumer.getIteratorTypesArray()[loop.getPosition()] == utils::IteratorType::reduction)
      return true;
  }
  return false;
}

bool mayFuse(OpOperand *operand) {
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  if (foldsOpenRows(consumer, operand))
    return false;
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
      signalPassFailure();
  }
};

} // namespace
} // namespace burin
