// SPDX-License-Identifier: Apache-2.0
//
// What an artifact says of itself.

#ifndef BURIN_COMPILER_PIPELINE_CERTIFICATE_H
#define BURIN_COMPILER_PIPELINE_CERTIFICATE_H

#include "compiler/emit/Program.h"
#include "llvm/Support/JSON.h"

namespace burin {

/// JSON: memory plan, kernels with their nodes, target and compiler. The same
/// model and options give the same text.
std::string certificate(mlir::ModuleOp planned, mlir::ModuleOp kernels, const Target &target);

/// JSON: what an artifact needs of the machine's memory, in bytes.
llvm::json::Object memoryReport(const ProgramSummary &summary);

/// The C identifier of an artifact: its file name without folder and extension,
/// other characters as '_', led by a letter.
std::string symbolOf(llvm::StringRef output);

} // namespace burin

#endif
