// SPDX-License-Identifier: Apache-2.0
//
// What is worth fetching into the caches before it is read.

#ifndef BURIN_COMPILER_TARGET_CPU_FETCH_H
#define BURIN_COMPILER_TARGET_CPU_FETCH_H

#include "dialects/kern/KernOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace burin::cpu {

/// Whether `memref` has a fixed size, and one that the second cache does not keep beside others.
bool exceedsSecondCache(mlir::Value memref);

/// Whether the epilogue reads rows of such a size: a residual.
bool fetchesExtras(kern::ContractOp op);

/// Fetches what the epilogue will read there in such rows; `dims` are the parallel dims.
void fetchExtras(mlir::ImplicitLocOpBuilder &b, kern::ContractOp op, mlir::ValueRange dims);

/// Where each trip of a loop reads the same `b`, a recurrence's weights, which the second cache does not keep: whether
/// this trip goes through it backward. What the trip before read last is there still, and is read first. Null elsewhere.
mlir::Value goesBackward(mlir::ImplicitLocOpBuilder &b, kern::ContractOp op);

} // namespace burin::cpu

#endif
