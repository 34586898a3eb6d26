// SPDX-License-Identifier: Apache-2.0
//
// Whether the requests of a batch can run as one, and along which size.

#ifndef BURIN_COMPILER_PIPELINE_BATCH_H
#define BURIN_COMPILER_PIPELINE_BATCH_H

#include "compiler/pipeline/Pipeline.h"
#include "dialects/plan/PlanOps.h"

namespace burin {

/// What find-batch says of a model.
struct BatchReport {
  plan::BatchAttr batch; // null: requests run one after the other
  std::string reason;    // then, why; "" where no size of the model is open
};

/// Asks of each size that `options` leave open, those that lead inputs of `module`'s first main
/// program first. Costs two walks of the model to its maths for each; emits no diagnostics.
BatchReport findBatch(mlir::ModuleOp module, const CompileOptions &options, ImportOptions import);

} // namespace burin

#endif
