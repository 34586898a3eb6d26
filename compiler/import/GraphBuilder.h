// SPDX-License-Identifier: Apache-2.0
//
// ModelProto -> func.func @main of onnx ops. The model has passed all steps of Model.h.

#ifndef BURIN_COMPILER_IMPORT_GRAPHBUILDER_H
#define BURIN_COMPILER_IMPORT_GRAPHBUILDER_H

#include "compiler/import/Importer.h"
#include "compiler/import/Problems.h"
#include "compiler/import/Tensors.h"

namespace burin::importer {

/// Builds the module; null where problems were reported.
mlir::OwningOpRef<mlir::ModuleOp> buildModule(mlir::MLIRContext *context,
                                              const ::onnx::ModelProto &model,
                                              const ImportOptions &options, TensorReader &tensors,
                                              Problems &problems);

/// `type` with what `declared` knows besides; null where they contradict one another.
mlir::Type refineType(mlir::Type type, mlir::Type declared);

} // namespace burin::importer

#endif
