// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/Target.h"
#include "compiler/target/cpu/CpuTarget.h"

namespace burin {

Target::~Target() = default;

llvm::Expected<std::unique_ptr<Target>> makeTarget(llvm::StringRef target, llvm::StringRef cpu) {
  if (target == "cpu")
    return makeCpuTarget(cpu);
  return llvm::createStringError("unknown target '" + target + "'; there is: cpu");
}

} // namespace burin
