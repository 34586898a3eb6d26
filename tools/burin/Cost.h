// SPDX-License-Identifier: Apache-2.0
//
// What kernels cost: what the compiler counts, beside what a machine can do and what it took.

#ifndef BURIN_TOOLS_BURIN_COST_H
#define BURIN_TOOLS_BURIN_COST_H

#include "compiler/pipeline/Machine.h"
#include "tools/burin/Commands.h"

namespace burin::cli {

/// Options of `explain --cost` and `compile --report`.
struct CostFlags {
  std::string machine; // a file, "nominal", or empty: measured where the code can run, else nominal
  double seconds = 1;  // of measuring; 0: none

  void addMachine(CLI::App &verb);
};

/// Whether this machine can run what is compiled for options.target and options.cpu.
bool runsHere(const CompileOptions &options);

/// The machine that estimates are for. The error says what is wrong with a file.
llvm::Expected<Machine> chooseMachine(const CostFlags &flags, const CompileOptions &options);

/// `burin explain --cost`.
ExitCode explainCost(CompileOptions options, const CostFlags &flags, bool asJson);

} // namespace burin::cli

#endif
