// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/Output.h"

#include "compiler/import/Weights.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace burin {

llvm::Expected<ShardFiles> writeShards(ModuleOp module, const WeightStore &weights,
                                       const CompileOptions &options, const ProgramOptions &program,
                                       const Provenance &provenance, ProgramSummary &summary) {
  constexpr uint64_t embedBelow = uint64_t(64) << 20;
  if (!summary.weightsBytes || options.weights == "embed" ||
      (options.weights.empty() && summary.weightsBytes < embedBelow))
    return ShardFiles();
  std::string path = ShardFiles::pathFor(options.weights, options.output);
  std::string origin = program.compiler;
  for (const Provenance::File &file : provenance.files)
    origin += " " + file.sha256;
  llvm::Expected<ShardFiles> files = ShardFiles::write(module, weights, summary.weightsBytes,
                                                       path, program.modelName, origin);
  if (files) {
    summary.shards = files->shards();
    summary.weightsId = files->weightsId();
  }
  return files;
}

llvm::Error writeArtifact(llvm::ArrayRef<Object> objects, ModuleOp module, const WeightStore &weights,
                          const CompileOptions &options, const std::string &name,
                          const ProgramSummary &summary, const Target &target,
                          const TemporaryFolder &temporary) {
  LinkInput input;
  input.objects = objects;
  input.architecture = target.architecture();
  input.modelName = name;
  auto fill = [&](llvm::raw_ostream &out) {
    return writeWeights(placedConstants(module), weights, 0, summary.weightsBytes, out);
  };
  input.weightsBytes = summary.shards.empty() ? summary.weightsBytes : 0;
  input.writeWeights = fill;
  if (llvm::Error error = linkArtifact(options.output, input, temporary.path()))
    return error;
  // The header comes last: a disk that is full leaves the old pair.
  llvm::SmallString<128> header(options.header);
  if (header.empty() && llvm::sys::path::extension(options.output) == ".a") {
    header = options.output;
    llvm::sys::path::replace_extension(header, ".h");
  }
  if (!header.empty())
    if (llvm::Error error = writeHeader(header, module, name, summary))
      return error;
  return options.depfile.empty() ? llvm::Error::success()
                                 : writeDepfile(options.depfile, options.output, weights.paths());
}

} // namespace burin
