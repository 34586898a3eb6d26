// SPDX-License-Identifier: Apache-2.0
//
// What an artifact says of itself.

#ifndef BURIN_COMPILER_PIPELINE_CERTIFICATE_H
#define BURIN_COMPILER_PIPELINE_CERTIFICATE_H

#include "compiler/emit/Program.h"
#include "llvm/Support/JSON.h"

namespace burin {

/// JSON: memory plan, kernels of each level, targets and compiler. The same
/// model and options give the same text.
std::string certificate(mlir::ModuleOp planned, llvm::ArrayRef<Level> levels,
                        const ProgramSummary &summary);

/// "x86-64-v3,x86-64-v4": the targets of an artifact.
std::string targetsOf(llvm::ArrayRef<Level> levels);

/// JSON: what an artifact needs of the machine's memory, in bytes.
llvm::json::Object memoryReport(const ProgramSummary &summary);

/// The C identifier of an artifact: its file name without folder and extension,
/// other characters as '_', led by a letter.
std::string symbolOf(llvm::StringRef output);

} // namespace burin

#endif
