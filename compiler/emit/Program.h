// SPDX-License-Identifier: Apache-2.0
//
// The program object of an artifact: the main program, the tables of inputs,
// outputs and node names, and the exported entry symbol.

#ifndef BURIN_COMPILER_EMIT_PROGRAM_H
#define BURIN_COMPILER_EMIT_PROGRAM_H

#include "compiler/target/Target.h"

#include <array>
#include <string>
#include <vector>

namespace burin {
namespace plan {
class LaunchOp;
} // namespace plan

/// A level of instructions that the artifact has code for.
struct Level {
  std::unique_ptr<Target> target;
  mlir::ModuleOp kernels;
  std::string suffix; // of its kernels' names, after those that @main launches

  mlir::Operation *kernel(llvm::StringRef launched) const;
  /// Maps whose product is how many tasks a launch has, over what its kernel is told.
  mlir::AffineMap tasks(plan::LaunchOp launch) const;
};

/// The hidden symbol of an artifact's certificate (text; emitText), which is an object of its own:
/// it tells of the others.
inline constexpr llvm::StringLiteral certificateSymbol = "burin_certificate";

struct ProgramOptions {
  std::string modelName; // a C identifier; the entry symbol is burin_model_<modelName>
  std::string compiler;  // "burin 0.1.0"
};

/// One main program of several.
struct VariantSummary {
  std::string name; // "batch=8 seq=1..512"
  uint64_t activationBytes = 0;
  uint32_t launches = 0;
  /// With ranges: "max(64 * seq, 4096)", the bytes of the tensors that are alive at once, each
  /// without what it is rounded up by. Empty: none of the sizes has a range.
  std::string liveFormula;
  /// Sizes up to which a run stays on one thread, "batch=8 seq=16", or "any"; empty: there are none.
  std::string aloneUpTo;
};

/// What a context keeps from run to run.
struct StateSummary {
  std::string input, output, type; // names in the model; "1x12x1024x64xf32"
  int64_t axis = -1;               // that grows, or -1
  uint64_t bytes = 0;
};

/// A tensor of the arena.
struct LiveTensor {
  std::string node, type; // that makes it; "1x64x56x56xf32"
  uint64_t bytes = 0;
};

/// A file of weights; burin_shard_abi says what the fields are.
struct Shard {
  std::string file;
  uint64_t offset = 0, bytes = 0, headerBytes = 0;
  std::vector<uint32_t> crcs;
  std::array<uint8_t, 32> sha256;
};

/// What reports print and the header's constants say.
struct ProgramSummary {
  uint64_t bookkeepingBytes = 0; // what the runtime itself takes of an arena
  uint64_t activationBytes = 0;  // what planned tensors take of it, in the variant that needs most
  uint64_t liveBytes = 0;        // their largest live set there, a lower bound of activationBytes
  std::vector<LiveTensor> liveSet; // that set, the largest first
  std::vector<LiveTensor> recomputed; // what launches compute again, to stay below --max-memory: bytes are what that saves
  uint64_t keptArenaBytes = 0;   // with --max-memory: the arena if nothing were
  uint64_t stateBytes = 0;       // what is kept from run to run takes of it
  uint64_t stagingBytes = 0;     // what gathered requests and their results take of it
  uint64_t scratchBytes = 0;     // what each worker takes of it, at the level that needs most
  std::string scratchKernel;     // that needs it
  uint64_t weightsBytes = 0;     // read-only, inside the artifact or in shards
  std::vector<Shard> shards;     // none: the weights are embedded
  std::string weightsId;         // of the shards
  uint64_t inputBytes = 0, outputBytes = 0; // the caller's, at their largest
  uint64_t codeBytes = 0;        // of kernels, main programs and the runtime
  uint64_t stackBytes = 0;       // at most, of each thread that takes part in a run
  uint32_t launches = 0, kernels = 0; // launches of all variants, kernels of one level
  std::vector<VariantSummary> variants;
  std::vector<StateSummary> states;
  /// Sizes, as expressions over the dims, that a run must have equal.
  std::vector<std::pair<std::string, std::string>> agreements;
  std::string batchDim;     // along which run_batch gathers requests, or ""
  std::string serialReason; // then, why it runs them one by one; "" where no size is open

  /// What burin_model.memory asks the caller for, with one worker; each further one
  /// adds scratchBytes.
  uint64_t arenaBytes() const { return fixedBytes() + activationBytes; }
  /// The same if every tensor had the place of another as soon as that one is dead.
  uint64_t arenaLowerBound() const { return fixedBytes() + liveBytes; }

private:
  uint64_t fixedBytes() const {
    return bookkeepingBytes + stateBytes + stagingBytes + scratchBytes;
  }
};

/// Reads the numbers that planning and the target left on the module.
ProgramSummary summarize(mlir::ModuleOp planned, llvm::ArrayRef<Level> levels);

/// The runtime counts the tasks of a launch in 32 bits: an error names the first node that could
/// pass that within the ranges of the model's dims.
llvm::Error checkTasks(mlir::ModuleOp planned, llvm::ArrayRef<Level> levels);

/// Builds the program of all planned main functions, once for each level; the kernels are as the
/// targets' phases left them. The first level is the least, which everything else is made for. References
/// burin_weights, the certificate and the runtime's functions.
llvm::Expected<Object> emitProgram(mlir::ModuleOp planned, llvm::ArrayRef<Level> levels,
                                   const ProgramSummary &summary, const ProgramOptions &options);

/// An object that holds `text`, with a final 0, under the hidden symbol `symbol`.
llvm::Expected<Object> emitText(const Target &target, llvm::StringRef symbol, llvm::StringRef text);

/// The number that ONNX and burin.h give an element type (as the model has it).
uint32_t dtypeOf(mlir::Type onnxElement);

} // namespace burin

#endif
