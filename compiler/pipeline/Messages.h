// SPDX-License-Identifier: Apache-2.0
//
// What commands say of a model, and what they end with.

#ifndef BURIN_COMPILER_PIPELINE_MESSAGES_H
#define BURIN_COMPILER_PIPELINE_MESSAGES_H

#include "compiler/import/Importer.h"
#include "mlir/IR/Diagnostics.h"

#include <string>

namespace burin {

/// What a command ends with; see the README.
enum class ExitCode : int {
  Ok = 0,
  Failed = 1,      // the work failed: wrong result, no space, interrupted
  BadInput = 2,    // the command line or a file is bad
  Unsupported = 3, // the model asks for what is not supported
  Internal = 4     // a bug
};

/// A message about the model or the compile, ready to print.
struct Message {
  std::string text;
  bool isError = false;
};

/// The text of a diagnostic after the name of its node, if it has one.
std::string textOf(mlir::Diagnostic &diagnostic);

/// The same after the name of the model's file.
Message messageOf(mlir::Diagnostic &diagnostic, llvm::StringRef model);

/// What a command ends with whose import failed like that.
ExitCode exitCodeOf(ImportStatus failed);

/// What a command ends with that failed in a phase; `tooLarge`: a diagnostic was of
/// plan::emitTooLarge.
ExitCode exitCodeOf(llvm::StringRef failedPhase, bool tooLarge);

} // namespace burin

#endif
