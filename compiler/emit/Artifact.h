// SPDX-License-Identifier: Apache-2.0
//
// From objects to files: what the user gets.

#ifndef BURIN_COMPILER_EMIT_ARTIFACT_H
#define BURIN_COMPILER_EMIT_ARTIFACT_H

#include "compiler/emit/Program.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "dialects/plan/PlanOps.h"
#include "llvm/Support/raw_ostream.h"

namespace burin {

class WeightStore;

/// Every plan.constant of a planned module that has bytes of its own, by their offset.
std::vector<plan::ConstantOp> placedConstants(mlir::ModuleOp planned);

/// How many bytes a constant has among the weights.
llvm::Expected<uint64_t> bytesOf(plan::ConstantOp constant);

/// Bytes [begin, end) of the weights, in which `constants` lie: each at its `offset`, zeros between.
/// Fails where a segment lacks the bytes.
llvm::Error writeWeights(llvm::ArrayRef<plan::ConstantOp> constants, const WeightStore &store,
                         uint64_t begin, uint64_t end, llvm::raw_ostream &out);

/// The weights in files of their own, complete but under other names until the artifact that
/// reads them is in its place: each has the first digits of the compile's id behind its name, and the
/// runtime looks there first. An interruption leaves old and new files, and the artifact that
/// is there finds its own.
class ShardFiles {
public:
  /// Where they go: `asked` (of --weights) as it is, where it names a folder; a name alone, or none, is
  /// beside `artifact`.
  static std::string pathFor(llvm::StringRef asked, llvm::StringRef artifact);

  /// What the user has to do where `artifact` is a shared library that does not find `path` by itself; else empty.
  static std::string adviceFor(llvm::StringRef path, llvm::StringRef artifact);

  /// Writes the weights in safetensors' form to `path`, or to path-00001-of-00003 and so on. `origin` and
  /// the constants decide the id.
  static llvm::Expected<ShardFiles> write(mlir::ModuleOp planned, const WeightStore &store,
                                          uint64_t weightsBytes, llvm::StringRef path,
                                          llvm::StringRef modelName, llvm::StringRef origin);
  ShardFiles() = default;
  ShardFiles(ShardFiles &&) = default;
  ShardFiles &operator=(ShardFiles &&) = default;
  /// Removes the files that have not been committed.
  ~ShardFiles();

  /// Gives the files their names, at once each.
  llvm::Error commit();

  const std::string &weightsId() const { return id; }
  llvm::ArrayRef<Shard> shards() const { return list; }

private:
  std::string id;
  std::vector<Shard> list;
  struct Pending {
    std::string now, final; // paths
    bool isNew;             // no such file was there before
  };
  std::vector<Pending> pending;
};

/// Writes an ELF object with a read-only section without bytes (SHT_NOBITS) in the place of `total` bytes of
/// weights, under the hidden symbol `burin_weights`, aligned to 64.
llvm::Error writeWeightsPlaceholder(llvm::StringRef path, Architecture, uint64_t total);

/// Where the bytes of `burin_weights` are in a shared library, whose linker has put the placeholder into
/// a section with bytes and written none there.
llvm::Expected<uint64_t> weightsOffset(llvm::StringRef shared, uint64_t total);

/// Says of the placeholder in a relocatable object that its bytes follow the end of `object`, which is
/// filled up to where they begin.
llvm::Error appendWeightsSection(llvm::SmallVectorImpl<char> &object);

/// Fails where an object refers to a symbol that none of them, nor the runtime, nor
/// runtime/libc-symbols.txt has: a libm or compiler-rt function, most likely. Names the
/// symbol, and the kernel that uses it.
llvm::Error checkSymbols(llvm::ArrayRef<Object> objects, Architecture);

/// What an artifact's machine code takes, in bytes.
struct Footprint {
  uint64_t codeBytes = 0;  // the runtime's included
  uint64_t stackBytes = 0; // at most, of each thread that takes part in a run
};

/// Reads the footprint off the objects; fails where a function has no frame of fixed size.
llvm::Expected<Footprint> footprintOf(llvm::ArrayRef<Object> kernels, const Object &program,
                                      Architecture);

/// What to link.
struct LinkInput {
  llvm::ArrayRef<Object> objects;
  uint64_t weightsBytes = 0; // to embed; 0 where there are none
  llvm::function_ref<llvm::Error(llvm::raw_ostream &)> writeWeights; // as many
  Architecture architecture = Architecture::X86_64; // of them all
  std::string modelName;     // the one symbol that stays visible: burin_model_<modelName>
};

/// Writes `output`, by its extension:
///   .so  everything, with the runtime inside; needs libc
///   .o   the same as one relocatable object
///   .a   the model alone; libburin_rt.a, which all models share, is written beside it
/// A file that was there before is replaced at once or not at all. `temporary` is
/// a folder for intermediate files.
llvm::Error linkArtifact(llvm::StringRef output, const LinkInput &input,
                         llvm::StringRef temporary);

/// The typed header of a model: sizes, shapes, entry points.
llvm::Error writeHeader(llvm::StringRef path, mlir::ModuleOp planned, llvm::StringRef modelName,
                        const ProgramSummary &summary);

/// Writes "output: inputs" as a rule of Make, which CMake and ninja read too.
llvm::Error writeDepfile(llvm::StringRef path, llvm::StringRef output,
                         llvm::ArrayRef<std::string> inputs);

/// Writes through a temporary file in the same folder, renamed when complete.
llvm::Error writeWhole(llvm::StringRef path,
                       llvm::function_ref<llvm::Error(llvm::raw_ostream &)> write);

} // namespace burin

#endif
