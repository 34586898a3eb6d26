// SPDX-License-Identifier: Apache-2.0
//
// Upstream's folding of unit dims, but for one case that it gets wrong: a window's loop of one
// position goes away, and the operand that it walks is then as large as the window for all that
// linalg knows, even where the window does not read all of it.

#include "compiler/transforms/Passes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_FOLDUNITDIMS
#include "compiler/transforms/Passes.h.inc"

namespace {

/// Whether an operand's size is that of the loop which is left to walk it once the unit loop `dim`
/// is gone.
bool keepsSizes(linalg::GenericOp op, unsigned dim, ArrayRef<int64_t> loopSizes) {
  AffineExpr zero = getAffineConstantExpr(0, op.getContext());
  for (OpOperand &operand : op->getOpOperands())
    for (auto [expr, size] : llvm::zip_equal(op.getMatchingIndexingMap(&operand).getResults(),
                                             op.getShape(&operand))) {
      auto left = dyn_cast<AffineDimExpr>(expr.replace(getAffineDimExpr(dim, op.getContext()), zero));
      if (left && !isa<AffineDimExpr>(expr) && loopSizes[left.getPosition()] != size)
        return false;
    }
  return true;
}

struct FoldUnitDims : impl::FoldUnitDimsBase<FoldUnitDims> {
  void runOnOperation() override {
    linalg::ControlDropUnitDims control;
    control.controlFn = [pads = control.controlFn](Operation *op) {
      auto generic = dyn_cast<linalg::GenericOp>(op);
      if (!generic)
        return pads(op);
      SmallVector<int64_t> sizes = generic.getStaticLoopRanges();
      return llvm::filter_to_vector(llvm::seq<unsigned>(0, generic.getNumLoops()), [&](unsigned dim) {
        return keepsSizes(generic, dim, sizes);
      });
    };
    RewritePatternSet patterns(&getContext());
    linalg::populateFoldUnitExtentDimsPatterns(patterns, control);
    linalg::populateMoveInitOperandsToInputPattern(patterns);
    (void)applyPatternsGreedily(getOperation(), std::move(patterns));
  }
};

} // namespace
} // namespace burin
