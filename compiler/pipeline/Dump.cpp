// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/Dump.h"

#include "compiler/emit/Artifact.h"
#include "mlir/IR/OperationSupport.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace burin {

void printModule(ModuleOp module, llvm::raw_ostream &out) {
  OpPrintingFlags flags;
  flags.elideLargeElementsAttrs(64);
  module->print(out, flags);
  out << "\n";
}

llvm::Error dumpModule(ModuleOp module, StringRef folder, const std::string &stem,
                       const OpCounts &counts) {
  if (std::error_code code = llvm::sys::fs::create_directories(folder))
    return llvm::createStringError("cannot make folder '" + folder + "': " + code.message());
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, stem + ".mlir");
  if (llvm::Error error = writeWhole(path, [&](llvm::raw_ostream &out) {
        printModule(module, out);
        return llvm::Error::success();
      }))
    return error;
  llvm::sys::path::remove_filename(path);
  llvm::sys::path::append(path, "counts.txt");
  return writeWhole(path, [&](llvm::raw_ostream &out) {
    counts.print(out);
    return llvm::Error::success();
  });
}

} // namespace burin
