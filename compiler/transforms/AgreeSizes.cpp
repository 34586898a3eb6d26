// SPDX-License-Identifier: Apache-2.0
//
// Shape rules take two sizes for one where an operator is defined for equal ones only: "N" and "M"
// of a product, "(H + 15) floordiv 16" and "2 * ((H + 31) floordiv 32)" where a detector joins
// what it has scaled up. What walks both with one loop must not be run where they differ.

#include "compiler/plan/Sizes.h"
#include "compiler/transforms/Passes.h"
#include "dialects/kern/KernOps.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_AGREESIZES
#include "compiler/transforms/Passes.h.inc"

namespace {

class Agreement {
public:
  explicit Agreement(func::FuncOp main) : main(main), sizes(main) {}

  LogicalResult visit(Operation *op) {
    loops.clear();
    if (auto structured = dyn_cast<linalg::LinalgOp>(op)) {
      for (OpOperand &operand : op->getOpOperands())
        if (failed(walk(op, operand.get(), structured.getMatchingIndexingMap(&operand))))
          return failure();
    } else if (auto contract = dyn_cast<kern::ContractOp>(op)) {
      return visitContract(contract);
    } else if (auto cast = dyn_cast<tensor::CastOp>(op)) {
      return visitCast(cast);
    }
    return success();
  }

private:
  /// What is fixed there was a range.
  LogicalResult visitCast(tensor::CastOp op) {
    auto from = dyn_cast<RankedTensorType>(op.getSource().getType());
    auto to = dyn_cast<RankedTensorType>(op.getType());
    for (unsigned d = 0; from && to && d < unsigned(from.getRank()); ++d)
      if (from.isDynamicDim(d) && !to.isDynamicDim(d))
        if (failed(same(op, size(op.getSource(), d), onnx::SizeExpr(to.getDimSize(d)))))
          return failure();
    return success();
  }

  /// Loops are the dims of the destination, then those of the sum.
  LogicalResult visitContract(kern::ContractOp op) {
    AffineMap rows = op.getAMap(), panels = op.getBMap();
    unsigned parallel = op.getNumParallel();
    auto inLoops = [&](AffineMap map) {
      return AffineMap::get(rows.getNumDims(), 0, map.getResults(), op.getContext());
    };
    AffineMap own = AffineMap::getMultiDimIdentityMap(parallel, op.getContext());
    if (failed(walk(op, op.getInit(), inLoops(own))) || failed(walk(op, op.getA(), rows)) ||
        failed(walk(op, op.getB(), inLoops(panels))))
      return failure();
    for (auto [i, extra] : llvm::enumerate(op.getExtras()))
      if (failed(walk(op, extra, inLoops(op.getExtraMap(i)))))
        return failure();
    if (!op.isPacked())
      return success();
    // B is [leading..., ceil(N / 16), K, 16].
    std::optional<onnx::SizeExpr> columns = loops.lookup(parallel - 1);
    std::optional<onnx::SizeExpr> ofB = columns ? columns->ceilDiv(kern::ContractOp::panelWidth) : std::nullopt;
    if (failed(same(op, ofB, size(op.getB(), op.getPanelDim()))))
      return failure();
    if (op.getReduction().size() == 1)
      return same(op, loops.lookup(parallel), size(op.getB(), op.getDepthDim()));
    return success();
  }

  std::optional<onnx::SizeExpr> size(Value tensor, unsigned dim) { return sizes.size(tensor, dim); }

  /// An operand's sizes are those of the loops that walk it alone.
  LogicalResult walk(Operation *op, Value operand, AffineMap map) {
    if (!isa<RankedTensorType>(operand.getType()))
      return success();
    for (auto [dim, expr] : llvm::enumerate(map.getResults()))
      if (auto loop = dyn_cast<AffineDimExpr>(expr)) {
        std::optional<onnx::SizeExpr> &known = loops[loop.getPosition()], here = size(operand, dim);
        if (failed(same(op, known, here)))
          return failure();
        if (!known)
          known = here;
      }
    return success();
  }

  LogicalResult same(Operation *op, const std::optional<onnx::SizeExpr> &a,
                     const std::optional<onnx::SizeExpr> &b) {
    std::string reason = a && b ? plan::addAgreement(main, *a, *b, op->getLoc()) : "";
    if (!reason.empty())
      return emitError(op->getLoc()) << "is not supported here: " << reason;
    return success();
  }

  func::FuncOp main;
  plan::ModelSizes sizes;
  DenseMap<unsigned, std::optional<onnx::SizeExpr>> loops;
};

struct AgreeSizes : impl::AgreeSizesBase<AgreeSizes> {
  void runOnOperation() override {
    for (auto main : getOperation().getOps<func::FuncOp>()) {
      if (!main->hasAttr(plan::dimsAttrName))
        continue; // all sizes are fixed
      Agreement agreement(main);
      WalkResult walk = main.walk([&](Operation *op) {
        return failed(agreement.visit(op)) ? WalkResult::interrupt() : WalkResult::advance();
      });
      if (walk.wasInterrupted())
        return signalPassFailure();
    }
  }
};

} // namespace
} // namespace burin
