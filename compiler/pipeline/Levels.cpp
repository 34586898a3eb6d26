// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/Levels.h"

#include "compiler/emit/Embedded.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace burin {

llvm::Expected<std::vector<Level>> makeLevels(llvm::StringRef target, llvm::StringRef cpus) {
  std::vector<Level> levels;
  llvm::SmallVector<llvm::StringRef> names;
  cpus.split(names, ',');
  for (llvm::StringRef name : names) {
    llvm::Expected<std::unique_ptr<Target>> made = makeTarget(target, name);
    if (!made)
      return made.takeError();
    levels.push_back({std::move(*made), nullptr, ""});
  }
  Architecture architecture = levels.front().target->architecture();
  for (const Level &level : levels)
    if (level.target->architecture() != architecture)
      return llvm::createStringError("--cpu names CPUs of two kinds of machine: '" +
                                     levels.front().target->name() + "' and '" +
                                     level.target->name() +
                                     "'; an artifact is for one: compile the model for each");
  if (embedded::runtimeObject(architecture).empty())
    return llvm::createStringError("this burin has no runtime for '" +
                                   levels.front().target->name() +
                                   "': it was built without that machine's C headers (tools/setup.sh "
                                   "installs them)");
  llvm::stable_sort(levels, [](const Level &a, const Level &b) {
    return llvm::popcount(a.target->features()) < llvm::popcount(b.target->features());
  });
  // The runtime takes the last that the machine can run: two of the same needs are one too many.
  for (size_t i = 1; i < levels.size(); ++i)
    if (levels[i].target->features() == levels[i - 1].target->features())
      return llvm::createStringError("--cpu names two CPUs that need the same features: '" +
                                     levels[i - 1].target->name() + "' and '" +
                                     levels[i].target->name() + "'");
  return levels;
}

void separateLevels(llvm::MutableArrayRef<Level> levels, ModuleOp kernels) {
  levels.front().kernels = kernels;
  OpBuilder builder(kernels->getContext());
  builder.setInsertionPointAfter(kernels);
  for (Level &level : llvm::drop_begin(levels)) {
    level.suffix = "_" + level.target->name();
    for (char &c : level.suffix)
      c = llvm::isAlnum(c) ? c : '_';
    level.kernels = cast<ModuleOp>(builder.clone(*kernels));
    level.kernels.setName((plan::kernelModuleName + level.suffix).str());
    for (auto kernel : level.kernels.getOps<func::FuncOp>())
      kernel.setName((kernel.getName() + level.suffix).str());
  }
}

} // namespace burin
