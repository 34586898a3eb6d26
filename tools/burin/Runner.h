// SPDX-License-Identifier: Apache-2.0
//
// Handing work to burin-run, which has no LLVM inside.

#ifndef BURIN_TOOLS_BURIN_RUNNER_H
#define BURIN_TOOLS_BURIN_RUNNER_H

#include "tools/burin/Commands.h"

#include "llvm/Support/JSON.h"

namespace burin::cli {

/// Runs burin-run with `words` and reads the JSON object that it prints, by way of the file `through`, which the
/// caller removes. What it says on standard error is the user's.
ExitCode askRunner(std::vector<std::string> words, const std::string &through,
                   llvm::json::Object &report);

} // namespace burin::cli

#endif
