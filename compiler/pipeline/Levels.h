// SPDX-License-Identifier: Apache-2.0
//
// The levels of instructions that one artifact has code for.

#ifndef BURIN_COMPILER_PIPELINE_LEVELS_H
#define BURIN_COMPILER_PIPELINE_LEVELS_H

#include "compiler/emit/Program.h"

namespace burin {

/// The targets that --cpu names, separated by commas, the least first; all of one architecture, no
/// two with the same needs.
llvm::Expected<std::vector<Level>> makeLevels(llvm::StringRef target, llvm::StringRef cpus);

/// Gives the first level the planned `kernels`, and each further one a copy of them under names of
/// its own.
void separateLevels(llvm::MutableArrayRef<Level> levels, mlir::ModuleOp kernels);

} // namespace burin

#endif
