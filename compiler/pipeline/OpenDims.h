// SPDX-License-Identifier: Apache-2.0
#ifndef BURIN_COMPILER_PIPELINE_OPENDIMS_H
#define BURIN_COMPILER_PIPELINE_OPENDIMS_H

#include "mlir/IR/BuiltinOps.h"

namespace burin {

/// Diagnoses every size of an input of the imported `module` that no option fixes, all at once,
/// and says which options to add. Fails where there is one.
mlir::LogicalResult checkOpenDims(mlir::ModuleOp module);

} // namespace burin

#endif
