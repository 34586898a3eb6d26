// SPDX-License-Identifier: Apache-2.0

#ifndef BURIN_COMPILER_TARGET_CPU_CPUTARGET_H
#define BURIN_COMPILER_TARGET_CPU_CPUTARGET_H

#include "compiler/target/Target.h"

namespace burin {

/// `cpu` is a level (x86-64-v3, x86-64-v4, aarch64), a CPU that LLVM knows (znver4), or "native".
llvm::Expected<std::unique_ptr<Target>> makeCpuTarget(llvm::StringRef cpu);

} // namespace burin

#endif
