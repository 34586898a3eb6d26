// SPDX-License-Identifier: Apache-2.0
//
// Upstream's patterns walk tensor.dim up from results to operands; the model's own types
// say what it is at the top.

#include "compiler/group/Group.h"
#include "compiler/plan/Sizes.h"
#include "compiler/transforms/Passes.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_RESOLVESIZES
#include "compiler/transforms/Passes.h.inc"

namespace {

/// tensor.dim of an argument of @main.
struct NameSize : OpRewritePattern<tensor::DimOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::DimOp op, PatternRewriter &rewriter) const override {
    auto argument = dyn_cast<BlockArgument>(op.getSource());
    std::optional<int64_t> at = op.getConstantIndex();
    auto main = argument ? dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp()) : nullptr;
    if (!main || !at)
      return failure();
    auto typed = main.getArgAttrOfType<TypeAttr>(argument.getArgNumber(), "onnx.type");
    auto type = typed ? dyn_cast<RankedTensorType>(typed.getValue()) : RankedTensorType();
    auto dims = type ? dyn_cast_if_present<onnx::DimsAttr>(type.getEncoding()) : nullptr;
    if (!dims || dims.getNames()[*at].getValue().empty())
      return failure();
    // Bodies of loops become kernels, which are told their sizes.
    rewriter.setInsertionPointToStart(&main.getBody().front());
    auto dim = [&](StringRef name) -> Value {
      return plan::DimOp::create(rewriter, op.getLoc(), rewriter.getIndexType(), name);
    };
    rewriter.replaceOp(op, plan::buildSize(rewriter, op.getLoc(),
                                           onnx::SizeExpr::parse(dims.getNames()[*at]), dim));
    return success();
  }
};

/// tensor.dim of what loops and branches carry or give.
struct SizeBeforeControl : OpRewritePattern<tensor::DimOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::DimOp op, PatternRewriter &rewriter) const override {
    std::optional<int64_t> at = op.getConstantIndex();
    Operation *first = op.getSource().getDefiningOp();
    if (!first)
      first = cast<BlockArgument>(op.getSource()).getOwner()->getParentOp();
    if (!at || !isa<scf::SCFDialect, bufferization::BufferizationDialect>(*first->getDialect()))
      return failure();
    Value size;
    for (Value value = op.getSource(); value && !size; value = group::sizedLike(value)) {
      Operation *def = value.getDefiningOp();
      unsigned open = cast<RankedTensorType>(value.getType()).getDynamicDimIndex(*at);
      if (auto empty = dyn_cast_if_present<tensor::EmptyOp>(def))
        size = empty.getDynamicSizes()[open];
      else if (auto made = dyn_cast_if_present<bufferization::AllocTensorOp>(def))
        size = made.getDynamicSizes()[open];
      else if (value != op.getSource() && !group::sizedLike(value) && dominates(value, op))
        size = tensor::DimOp::create(rewriter, op.getLoc(), value, *at);
    }
    if (!size || !dominates(size, op))
      return failure();
    rewriter.replaceOp(op, size);
    return success();
  }

  /// Whether `value` is made before `op`, and around it.
  static bool dominates(Value value, Operation *op) {
    Block *block = value.getParentBlock();
    Operation *around = block->findAncestorOpInBlock(*op), *def = value.getDefiningOp();
    return around && (!def || (def != around && def->isBeforeInBlock(around)));
  }
};

struct ResolveSizes : impl::ResolveSizesBase<ResolveSizes> {
  void runOnOperation() override {
    auto mains = getOperation().getOps<func::FuncOp>();
    if (llvm::none_of(mains, [](func::FuncOp main) { return main->hasAttr(plan::dimsAttrName); }))
      return; // all sizes are fixed
    RewritePatternSet patterns(&getContext());
    memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
    tensor::DimOp::getCanonicalizationPatterns(patterns, &getContext());
    patterns.add<NameSize, SizeBeforeControl>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace burin
