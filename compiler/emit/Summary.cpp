// SPDX-License-Identifier: Apache-2.0
//
// What planning and the target left on the module, in numbers.

#include "compiler/emit/Program.h"

#include "burin/abi.h"
#include "compiler/emit/Signature.h"
#include "compiler/plan/BoundThreads.h"
#include "compiler/plan/Rematerialize.h"
#include "compiler/plan/Sizes.h"
#include "dialects/plan/PlanOps.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace burin {

static std::string liveFormula(func::FuncOp main) {
  auto sums = main->getAttrOfType<ArrayAttr>(plan::liveFormulaAttrName);
  if (!sums)
    return "";
  std::string text = llvm::join(llvm::map_range(sums.getAsValueRange<StringAttr>(),
                                                [](StringRef sum) { return sum.str(); }),
                                ", ");
  return sums.size() == 1 ? text : "max(" + text + ")";
}

/// "N=8 seq=16" of plan.alone_up_to, without sizes that are always at most that.
static std::string aloneUpTo(func::FuncOp main) {
  auto sizes = main->getAttrOfType<DenseI64ArrayAttr>(plan::aloneUpToAttrName);
  if (!sizes)
    return "";
  SmallVector<std::string> texts;
  if (auto dims = main->getAttrOfType<ArrayAttr>(plan::dimsAttrName))
    for (auto [range, size] : llvm::zip_equal(dims.getAsRange<plan::RangeAttr>(), sizes.asArrayRef()))
      if (size < range.getMax())
        texts.push_back(plan::textOf(range.getName(), {size, size}));
  return texts.empty() ? "any" : llvm::join(texts, " ");
}

ProgramSummary summarize(ModuleOp planned, ArrayRef<Level> levels) {
  ProgramSummary summary;
  auto number = [](Operation *op, StringRef name) -> uint64_t {
    auto attr = op->getAttrOfType<IntegerAttr>(name);
    return attr ? uint64_t(attr.getInt()) : 0;
  };
  Signature signature(planned);
  for (Signature::Variant &variant : signature.variants) {
    // The runtime rounds each part up to its alignment.
    VariantSummary one{variant.name, llvm::alignTo(number(variant.main, "plan.arena_bytes"), 64), 0,
                       liveFormula(variant.main), aloneUpTo(variant.main)};
    variant.main.walk([&](plan::LaunchOp launch) {
      ++one.launches;
      if (uint64_t saved = number(launch, plan::againAttrName))
        summary.recomputed.push_back({plan::nodeName(launch.getLoc()),
                                      plan::textOf(launch.getResult(0).getType()), saved});
    });
    summary.launches += one.launches;
    if (one.activationBytes >= summary.activationBytes) {
      summary.activationBytes = one.activationBytes;
      summary.liveBytes = number(variant.main, "plan.live_bytes");
      summary.liveSet.clear();
      if (auto live = variant.main->getAttrOfType<ArrayAttr>(plan::liveSetAttrName))
        for (auto tensor : live.getAsRange<plan::LiveAttr>())
          summary.liveSet.push_back({tensor.getNode().str(), plan::textOf(tensor.getType()),
                                     tensor.getBytes()});
    }
    summary.variants.push_back(std::move(one));
    if (auto agreements = variant.main->getAttrOfType<ArrayAttr>(plan::agreementsAttrName))
      for (auto pair : agreements.getAsRange<ArrayAttr>())
        summary.agreements.push_back({plan::textOf(pair[0]), plan::textOf(pair[1])});
  }
  summary.weightsBytes = number(planned, "plan.weights_bytes");
  summary.stateBytes = number(planned, "plan.state_bytes");
  for (const StateSignature &state : signature.states)
    summary.states.push_back(
        {state.name, state.output,
         plan::textOf(RankedTensorType::get(state.shape, state.element)), state.axis,
         state.maxBytes});
  for (const TensorSignature &tensor : signature.inputs)
    summary.inputBytes += tensor.maxBytes;
  for (const TensorSignature &tensor : signature.outputs)
    summary.outputBytes += tensor.maxBytes;
  for (const Level &level : levels)
    for (Operation &op : ModuleOp(level.kernels).getBody()->getOperations())
      if (op.hasAttr("plan.kernel")) {
        summary.kernels += &level == levels.begin();
        uint64_t scratch = number(&op, "plan.scratch_bytes");
        if (scratch > summary.scratchBytes) {
          summary.scratchBytes = scratch;
          summary.scratchKernel = SymbolTable::getSymbolName(&op).str();
        }
      }
  summary.scratchBytes = llvm::alignTo(summary.scratchBytes, 64);
  if (signature.batch) {
    summary.batchDim = signature.dims[signature.batch->dim].name;
    for (auto [axis, tensor] : llvm::zip_equal(
             signature.batch->axes, llvm::concat<TensorSignature>(signature.inputs, signature.outputs)))
      summary.stagingBytes += axis < 0 ? 0 : llvm::alignTo(tensor.maxBytes, 64);
  }
  summary.bookkeepingBytes =
      burin_bookkeeping_bytes(uint32_t(signature.inputs.size()), uint32_t(signature.outputs.size()),
                              uint32_t(signature.dims.size()));
  return summary;
}

} // namespace burin
