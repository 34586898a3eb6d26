// SPDX-License-Identifier: Apache-2.0
//
// What a kern.contract does with its sums.

#ifndef BURIN_COMPILER_TARGET_CPU_EPILOGUE_H
#define BURIN_COMPILER_TARGET_CPU_EPILOGUE_H

#include "dialects/kern/KernOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace burin::cpu {

/// Whether an epilogue is repeated for each vector of sums in registers; a longer one is a loop over
/// sums that are put aside in scratch.
bool isShortEpilogue(kern::ContractOp op);

/// Epilogue and store of some columns of one row, as many as `sum`, a vector of their sums, has lanes.
/// `dims` are the parallel dims of the first of them; `columnsLeft` says how many of them exist (none
/// or less: nothing is stored), all where it is null.
void writeVector(mlir::ImplicitLocOpBuilder &b, kern::ContractOp op, mlir::ValueRange dims,
                 mlir::Value sum, mlir::Value columnsLeft);

/// What the epilogue makes of such sums. Lanes of columns that do not exist hold anything.
mlir::Value finishVector(mlir::ImplicitLocOpBuilder &b, kern::ContractOp op, mlir::ValueRange dims,
                         mlir::Value sum, mlir::Value columnsLeft);

/// Stores a vector at `place` of `destination`: `columnsLeft` of its lanes, all where that is null.
void storeVector(mlir::ImplicitLocOpBuilder &b, mlir::Value vector, mlir::Value destination,
                 mlir::ValueRange place, mlir::Value columnsLeft);

} // namespace burin::cpu

#endif
