// SPDX-License-Identifier: Apache-2.0
//
// Attention: a contraction whose factor is computed row by row, as a softmax, from another
// contraction's result. Both and what is between them are one kernel: its tasks take some rows
// each, whose scores stay in a worker's scratch.

#ifndef BURIN_COMPILER_GROUP_SCORES_H
#define BURIN_COMPILER_GROUP_SCORES_H

#include "dialects/kern/KernOps.h"

namespace burin::group {

/// What computes the factor of `root`, from a contraction on, in the order of the block; empty where there is
/// no such chain, or its rows cannot be tiled.
llvm::SmallVector<mlir::Operation *> scoresOf(kern::ContractOp root);

/// Of each parallel dim of `root`, the size of a task's tile (0: all of it); empty where its rows
/// are too long.
llvm::SmallVector<int64_t> scoreTiles(kern::ContractOp root);

} // namespace burin::group

#endif
