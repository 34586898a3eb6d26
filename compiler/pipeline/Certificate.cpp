// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/Certificate.h"

#include "dialects/plan/PlanOps.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace burin {

llvm::json::Object memoryReport(const ProgramSummary &summary) {
  return llvm::json::Object{{"arena_bytes", int64_t(summary.arenaBytes())},
                            {"arena_lower_bound_bytes", int64_t(summary.arenaLowerBound())},
                            {"bookkeeping_bytes", int64_t(summary.bookkeepingBytes)},
                            {"activation_bytes", int64_t(summary.activationBytes)},
                            {"live_bytes", int64_t(summary.liveBytes)},
                            {"scratch_bytes_per_worker", int64_t(summary.scratchBytes)},
                            {"weights_bytes", int64_t(summary.weightsBytes)}};
}

/// A number, or the text of a product over the sizes d0, d1, ... that the kernel is given.
static llvm::json::Value tasksOf(AffineMap counts) {
  uint64_t fixed = 1;
  std::string text;
  llvm::raw_string_ostream stream(text);
  for (AffineExpr count : counts.getResults()) {
    if (auto constant = dyn_cast<AffineConstantExpr>(count))
      fixed *= uint64_t(constant.getValue());
    else
      stream << " * (" << count << ")";
  }
  fixed = std::max<uint64_t>(fixed, 1);
  if (text.empty())
    return int64_t(fixed);
  return std::to_string(fixed) + text;
}

std::string targetsOf(ArrayRef<Level> levels) {
  std::string text;
  for (const Level &level : levels)
    text += (text.empty() ? "" : ",") + level.target->name();
  return text;
}

std::string certificate(ModuleOp planned, ArrayRef<Level> levels, const ProgramSummary &summary) {
  llvm::MapVector<StringRef, int64_t> launches;
  planned.walk([&](plan::LaunchOp launch) { ++launches[launch.getKernel()]; });
  llvm::json::Array list;
  for (const Level &level : levels)
    for (Operation &op : ModuleOp(level.kernels).getBody()->getOperations()) {
      auto name = op.getAttrOfType<StringAttr>(SymbolTable::getSymbolAttrName());
      if (!op.hasAttr("plan.kernel") || !name)
        continue;
      llvm::json::Object kernel{
          {"name", name.getValue()},
          {"launches", launches.lookup(name.getValue().drop_back(level.suffix.size()))},
          {"tasks", tasksOf(op.getAttrOfType<AffineMapAttr>("plan.tasks").getAffineMap())},
          {"scratch_bytes", op.getAttrOfType<IntegerAttr>("plan.scratch_bytes").getInt()}};
      if (levels.size() > 1)
        kernel["target"] = level.target->name();
      list.push_back(std::move(kernel));
    }
  llvm::json::Array variants;
  for (const VariantSummary &variant : summary.variants)
    variants.push_back(llvm::json::Object{{"sizes", variant.name},
                                          {"launches", int64_t(variant.launches)},
                                          {"activation_bytes", int64_t(variant.activationBytes)}});
  llvm::json::Object object{
      {"compiler", "burin " BURIN_VERSION},
      {"target", targetsOf(levels)},
      {"memory", memoryReport(summary)},
      {"launches", int64_t(summary.launches)},
      {"variants", std::move(variants)},
      {"kernels", std::move(list)}};
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << llvm::json::Value(std::move(object));
  return text;
}

std::string symbolOf(llvm::StringRef output) {
  std::string symbol;
  for (char c : llvm::sys::path::stem(output))
    symbol += llvm::isAlnum(c) ? c : '_';
  if (symbol.empty() || !llvm::isAlpha(symbol.front()))
    symbol.insert(0, "m");
  return symbol;
}

} // namespace burin
