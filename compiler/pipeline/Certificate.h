// SPDX-License-Identifier: Apache-2.0
//
// What an artifact says of itself.

#ifndef BURIN_COMPILER_PIPELINE_CERTIFICATE_H
#define BURIN_COMPILER_PIPELINE_CERTIFICATE_H

#include "compiler/emit/Program.h"
#include "llvm/Support/JSON.h"

#include <future>

namespace burin {

struct CompileOptions;
class WeightStore;

/// What an artifact was made from. Files go by names without folders, as the bytes of an artifact
/// must not depend on where it was made.
struct Provenance {
  struct File {
    std::string name;
    uint64_t bytes;
    std::string sha256; // hexadecimal
  };
  std::vector<File> files; // the model, then its external data
  std::string command;     // that makes the same bytes again, for a shell
};

/// Hashes the model and its external data on a thread of its own while the compile goes on.
/// `store` must hold them all, and outlive the result.
std::future<std::vector<Provenance::File>> hashFiles(llvm::StringRef model,
                                                     const WeightStore &store);

/// The command line for `options`; the CPU is the one that "native" was resolved to.
std::string rebuildCommand(const CompileOptions &options, llvm::ArrayRef<Level> levels);

/// JSON: memory plan, kernels of each level, targets and provenance. The same
/// model and options give the same text.
std::string certificate(mlir::ModuleOp planned, llvm::ArrayRef<Level> levels,
                        const ProgramSummary &summary, const Provenance &provenance);

/// "x86-64-v3,x86-64-v4": the targets of an artifact.
std::string targetsOf(llvm::ArrayRef<Level> levels);

/// JSON: what an artifact needs of the machine's memory, in bytes.
llvm::json::Object memoryReport(const ProgramSummary &summary);

/// Why an arena is larger than `allowed` bytes: its parts, the tensors of the largest live set, and
/// the way out.
std::string overMemory(const ProgramSummary &summary, uint64_t allowed);

/// The C identifier of an artifact: its file name without folder and extension,
/// other characters as '_', led by a letter.
std::string symbolOf(llvm::StringRef output);

} // namespace burin

#endif
