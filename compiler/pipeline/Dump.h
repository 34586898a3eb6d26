// SPDX-License-Identifier: Apache-2.0
//
// What --dump-ir and --compile-to write.

#ifndef BURIN_COMPILER_PIPELINE_DUMP_H
#define BURIN_COMPILER_PIPELINE_DUMP_H

#include "compiler/pipeline/OpCounts.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace burin {

/// As burin-opt reads it; large elements are left out.
void printModule(mlir::ModuleOp module, llvm::raw_ostream &out);

/// Writes a module to `folder`/`stem`.mlir, and the counts so far to counts.txt beside it. Makes the folder where there
/// is none.
llvm::Error dumpModule(mlir::ModuleOp module, llvm::StringRef folder, const std::string &stem,
                       const OpCounts &counts);

} // namespace burin

#endif
