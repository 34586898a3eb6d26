// SPDX-License-Identifier: Apache-2.0
//
// The whole compile: from a model file to an artifact.

#ifndef BURIN_COMPILER_PIPELINE_PIPELINE_H
#define BURIN_COMPILER_PIPELINE_PIPELINE_H

#include "compiler/emit/CodeMix.h"
#include "compiler/emit/Program.h"
#include "compiler/pipeline/Constants.h"
#include "compiler/pipeline/Cost.h"
#include "compiler/pipeline/Messages.h"
#include "compiler/pipeline/Tuning.h"
#include "compiler/pipeline/Variants.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mlir {
class PassManager;
} // namespace mlir

namespace burin {

/// What an artifact is compiled for. The last two are what `burin verify` runs; sizes must be one set.
enum class Purpose {
  Use,
  KernelResults, // the same kernels, whose results are outputs behind the model's
  Reference      // f64, node by node; the nodes' results are outputs behind the model's
};

struct CompileOptions {
  std::string model;          // .onnx or .onnxtxt
  std::string output;         // .so, .a or .o
  std::string target = "cpu";
  std::string cpu = "native";
  ImportOptions import;       // its dims are those of the variant at work
  DimChoices dims;            // of all variants
  std::vector<std::string> states; // what --state says: see States.h
  std::vector<std::string> flags; // what else decides the artifact's bytes, as on the command line
  std::string compileTo;      // a phase's name: stop after it and print the module
  std::string weights;        // "embed", a path, or empty: by their size, beside the output
  uint64_t shardBytes = uint64_t(1) << 31; // weights of one file, at most, but for larger constants
  std::string header;         // of typed entry points; empty: beside a .a, else none
  std::string depfile;        // what the artifact depends on, as a rule of Make
  std::string dumpDir;        // one numbered file per phase, and counts.txt: ops by pass
  std::optional<uint64_t> maxMemory; // bytes of the arena for one worker
  bool winograd = true;       // whether convolutions may be made by its transforms
  unsigned oneThreadBelow = 1000; // microseconds of a run, about; launches of a hundredth of them stay, too
  bool bf16Weights = false;   // whether the weights of products are rounded to bf16
  std::optional<Tuning> tuning; // schedules that were timed
  Purpose purpose = Purpose::Use;
  std::string constantsCpu = constantsLevel.str(); // what computes constants at compile time
  bool progress = false;      // a line per phase on stderr
  bool cost = false;          // counts what the programs do, for reports
};

struct CompileResult {
  ExitCode code = ExitCode::Internal;
  std::vector<Message> messages;
  ProgramSummary summary;
  std::string target;     // resolved, e.g. "znver3"
  std::vector<ProgramCost> programs;       // where options.cost asks: by variant
  std::string command;    // that makes the artifact again
  std::map<std::string, CodeMix> kernels;  // then, too: the code of the best level, by kernel
  std::vector<Tunable> tunables; // with a tuning: what there is to choose, for the best level
  std::string module;     // with compileTo: the printed module
  std::vector<std::pair<std::string, double>> phaseSeconds; // wall time
};

/// Compiles options.model into options.output. Writes nothing to the terminal but
/// progress; leaves no partial output.
CompileResult compile(const CompileOptions &options);

/// What the import is told, besides the sizes of the variant at work.
ImportOptions importOptions(const CompileOptions &options);

/// Infers the types of a module as imported, and checks that its operators take them. `watch` is called
/// with the manager of passes that does.
mlir::LogicalResult inferAndCheckTypes(mlir::ModuleOp module,
                                       llvm::function_ref<void(mlir::PassManager &)> watch = nullptr);

/// The phases after `import` that each variant goes through by itself.
std::vector<Phase> modelPhases(const CompileOptions &options);

/// The phases that follow on all variants together, before the target takes the kernels. Where tensors of the
/// arena may take `activationBytes` at most, cheap kernels run again in place of what they computed.
std::vector<Phase> programPhases(const CompileOptions &options,
                                 std::optional<uint64_t> activationBytes = std::nullopt);

/// Names of all phases in order, for --compile-to.
std::vector<std::string> phaseNames(llvm::StringRef target);

} // namespace burin

#endif
