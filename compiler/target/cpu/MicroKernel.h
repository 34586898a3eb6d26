// SPDX-License-Identifier: Apache-2.0
//
// Loops around one micro-kernel: what a kern.contract becomes that is neither depthwise nor Winograd's.

#ifndef BURIN_COMPILER_TARGET_CPU_MICROKERNEL_H
#define BURIN_COMPILER_TARGET_CPU_MICROKERNEL_H

#include "compiler/target/cpu/ContractSchedule.h"

namespace burin::cpu {

/// Replaces `op`, which is on buffers, by an scf.forall over its tasks. Fails, with a diagnostic, where its
/// `a_map` is of no form that convolutions and products have.
mlir::LogicalResult expandProducts(kern::ContractOp op, const VectorLevel &level);

} // namespace burin::cpu

#endif
