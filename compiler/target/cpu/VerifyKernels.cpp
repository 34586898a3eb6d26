// SPDX-License-Identifier: Apache-2.0
//
// Bufferization copies rather than fails, and fusion recomputes rather than fails:
// both would be right, slow and silent. Here they are errors of the compiler.

#include "compiler/target/cpu/KernelWork.h"
#include "compiler/transforms/Passes.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_VERIFYKERNELS
#include "compiler/transforms/Passes.h.inc"

namespace {

LogicalResult verifyAllocations(func::FuncOp kernel) {
  uint64_t total = 0;
  WalkResult walk = kernel.walk([&](Operation *op) -> WalkResult {
    auto effects = dyn_cast<MemoryEffectOpInterface>(op);
    if (!effects || !effects.hasEffect<MemoryEffects::Allocate>())
      return WalkResult::advance();
    auto type = isa<memref::AllocOp, memref::AllocaOp>(op)
                    ? cast<MemRefType>(op->getResult(0).getType())
                    : MemRefType();
    std::optional<uint64_t> bytes = type ? cpu::scratchBytes(type) : std::nullopt;
    if (!bytes)
      return op->emitError() << "kernel '" << kernel.getName()
                             << "' allocates memory without a static bound";
    if (*bytes > cpu::maxScratchBytes || (total += *bytes) > cpu::maxScratchBytes)
      return plan::emitTooLarge(op->getLoc())
             << "kernel '" << kernel.getName() << "' needs more than 2 GiB of scratch per worker";
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

/// `asked` are the copies of the dispatch; the first that goes beyond is named.
LogicalResult verifyCopies(func::FuncOp kernel, int64_t asked) {
  int64_t copies = 0;
  WalkResult walk = kernel.walk([&](Operation *op) -> WalkResult {
    if (!isa<linalg::CopyOp, memref::CopyOp>(op) || ++copies <= asked)
      return WalkResult::advance();
    return op->emitError() << "kernel '" << kernel.getName() << "' copies "
                           << op->getOperand(0).getType()
                           << ", which its dispatch did not ask for";
  });
  return failure(walk.wasInterrupted());
}

LogicalResult verifyKernel(func::FuncOp kernel) {
  std::optional<cpu::KernelWork> asked = cpu::KernelWork::loadFrom(kernel);
  if (!asked)
    return kernel.emitError() << "kernel '" << kernel.getName()
                              << "' does not say what its dispatch asked for (plan.asked)";
  if (failed(verifyAllocations(kernel)) || failed(verifyCopies(kernel, asked->copies)))
    return failure();
  cpu::KernelWork work = cpu::KernelWork::of(kernel);
  if (work.contractions > asked->contractions)
    return kernel.emitError() << "kernel '" << kernel.getName() << "' holds " << work.contractions
                              << " contractions and reductions, its dispatch "
                              << asked->contractions;
  if (work.steps && asked->steps && *work.steps > *asked->steps)
    return kernel.emitError() << "kernel '" << kernel.getName() << "' reduces in " << *work.steps
                              << " steps, its dispatch in " << *asked->steps;
  return success();
}

struct VerifyKernels : impl::VerifyKernelsBase<VerifyKernels> {
  void runOnOperation() override {
    bool sound = true;
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (func->hasAttr("plan.kernel"))
        sound &= succeeded(verifyKernel(func));
    if (!sound)
      return signalPassFailure();
    markAllAnalysesPreserved();
  }
};

} // namespace
} // namespace burin
