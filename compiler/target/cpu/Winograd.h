// SPDX-License-Identifier: Apache-2.0
//
// Convolutions by Winograd's transforms (dialects/kern/Winograd.h).

#ifndef BURIN_COMPILER_TARGET_CPU_WINOGRAD_H
#define BURIN_COMPILER_TARGET_CPU_WINOGRAD_H

#include "dialects/kern/KernOps.h"

namespace burin::cpu {

/// Makes of `op`, a kern.contract with `winograd` on buffers, tasks that transform some of its tiles to
/// scratch, multiply them, and transform the products back. Returns the contract in the middle,
/// which has no `winograd`; `op` is gone. Transforms work on vectors of `lanes`, 8 or 16, as many as
/// leave registers for a pair of rows of a tile.
kern::ContractOp expandWinograd(kern::ContractOp op, int64_t lanes);

} // namespace burin::cpu

#endif
