// SPDX-License-Identifier: Apache-2.0
//
// Which inputs and outputs are one: what a context keeps from run to run (`--state`).

#ifndef BURIN_COMPILER_PIPELINE_STATES_H
#define BURIN_COMPILER_PIPELINE_STATES_H

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace burin {

/// Marks each input of the imported `module` that `wanted` pairs with an output, and the output
/// (plan.state). An entry is PAST=PRESENT, where each `*` of PAST stands for any text and the `*` of
/// PRESENT for the same, or `auto`: all pairs whose names say so. Diagnoses what names nothing.
mlir::LogicalResult pairStates(mlir::ModuleOp module, llvm::ArrayRef<std::string> wanted);

/// Whether the pairs of `module`, whose shapes are inferred, can be one: of one element type, and of one shape
/// but for one size, which grows from what an option bounds. Diagnoses those that cannot. Variants share their
/// states: those of `module` get the room that they have in `largest`, the one that takes most, from which kernels
/// have been formed (null: `module` is it).
mlir::LogicalResult settleStates(mlir::ModuleOp module, mlir::ModuleOp largest);

/// Whether the states of two variants, from which kernels have been formed, are the same memory. Diagnoses
/// the first that is not.
mlir::LogicalResult checkSharedStates(mlir::ModuleOp first, mlir::ModuleOp other);

} // namespace burin

#endif
