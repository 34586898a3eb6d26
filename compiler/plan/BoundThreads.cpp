// SPDX-License-Identifier: Apache-2.0
//
// Waking a worker that sleeps costs its caller microseconds, and the worker starts tens of them later: what is done
// by then is better done alone.

#include "compiler/plan/BoundThreads.h"

#include "compiler/plan/Buffers.h"
#include "compiler/plan/Work.h"
#include "compiler/transforms/Passes.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_BOUNDTHREADS
#include "compiler/transforms/Passes.h.inc"

namespace {

uint64_t numberOn(Operation *op, StringRef name) {
  auto attr = op->getAttrOfType<IntegerAttr>(name);
  return attr ? uint64_t(attr.getInt()) : 0;
}

struct BoundThreads : impl::BoundThreadsBase<BoundThreads> {
  using BoundThreadsBase::BoundThreadsBase;

  void runOnOperation() override {
    auto kernels = getOperation().lookupSymbol<ModuleOp>(plan::kernelModuleName);
    if (!kernels)
      return;
    uint64_t weights = numberOn(getOperation(), "plan.weights_bytes");
    for (auto main : getOperation().getOps<func::FuncOp>())
      if (!main.isDeclaration())
        bound(main, kernels, weights, numberOn(main, "plan.arena_bytes"));
  }

  void bound(func::FuncOp main, ModuleOp kernels, uint64_t weights, uint64_t activations) {
    LaunchWork work(main, kernels);
    auto seconds = [&](const Work &work) { return estimatedSeconds(work, weights, activations); };
    Builder builder(&getContext());
    auto launches = main.getBody().front().getOps<plan::LaunchOp>();
    for (ArrayRef<plan::LaunchOp> step : stepsOf(main)) {
      double sum = 0;
      bool isAtLeast = false;
      for (plan::LaunchOp launch : step) {
        Work all = work.of(launch);
        isAtLeast |= all.isAtLeast;
        sum += seconds(all);
        if (step.size() > 1)
          launch->setAttr(plan::nanosecondsAttrName, builder.getI64IntegerAttr(int64_t(seconds(all) * 1e9) + 1));
      }
      if (!isAtLeast && sum < launchUs * 1e-6)
        for (plan::LaunchOp launch : step)
          launch->setAttr(plan::aloneAttrName, builder.getUnitAttr());
    }

    SmallVector<plan::Interval> ranges; // what the data decide is at its most
    DenseSet<Attribute> measured;
    main.walk([&](plan::MeasureOp measure) { measured.insert(measure.getNameAttr()); });
    if (auto dims = main->getAttrOfType<ArrayAttr>(plan::dimsAttrName))
      for (auto range : dims.getAsRange<plan::RangeAttr>()) {
        bool given = !measured.count(range.getName());
        ranges.push_back({given ? range.getMin() : range.getMax(), range.getMax()});
      }
    constexpr int64_t steps = 4096; // from the least sizes to the most
    auto sizesAt = [&](int64_t step) {
      return llvm::map_to_vector(ranges, [&](plan::Interval range) {
        return range.min + int64_t(__int128(range.max - range.min) * step / steps);
      });
    };
    auto isShort = [&](int64_t step) {
      double sum = 0;
      SmallVector<int64_t> sizes = sizesAt(step);
      for (plan::LaunchOp launch : launches) {
        Work all = work.of(launch, sizes);
        sum += seconds(all);
        if (all.isAtLeast || sum >= runUs * 1e-6)
          return false;
      }
      return true;
    };
    // More work at larger sizes: the last step that is short.
    int64_t from = 0, to = steps;
    if (!isShort(from))
      return;
    if (isShort(to))
      from = to;
    while (to - from > 1) {
      int64_t middle = from + (to - from) / 2;
      (isShort(middle) ? from : to) = middle;
    }
    main->setAttr(plan::aloneUpToAttrName, builder.getDenseI64ArrayAttr(sizesAt(from)));
  }
};

} // namespace
} // namespace burin
