// SPDX-License-Identifier: Apache-2.0
//
// What a compile leaves on disk: the artifact and the files beside it.

#ifndef BURIN_COMPILER_PIPELINE_OUTPUT_H
#define BURIN_COMPILER_PIPELINE_OUTPUT_H

#include "compiler/emit/Artifact.h"
#include "compiler/emit/TemporaryFolder.h"
#include "compiler/pipeline/Certificate.h"
#include "compiler/pipeline/Pipeline.h"

namespace burin {

/// Writes the weights to files of their own, where they do not go into the artifact; `summary` is told which.
llvm::Expected<ShardFiles> writeShards(mlir::ModuleOp module, const WeightStore &weights,
                                       const CompileOptions &options, const ProgramOptions &program,
                                       const Provenance &provenance, ProgramSummary &summary);

/// Links `objects`, with the weights that are in no file of their own, into options.output, and writes its
/// header and what it depends on.
llvm::Error writeArtifact(llvm::ArrayRef<Object> objects, mlir::ModuleOp module,
                          const WeightStore &weights, const CompileOptions &options,
                          const std::string &name, const ProgramSummary &summary,
                          const Target &target, const TemporaryFolder &temporary);

} // namespace burin

#endif
