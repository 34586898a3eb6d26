// SPDX-License-Identifier: Apache-2.0
//
// Convolutions of each channel by itself.

#ifndef BURIN_COMPILER_TARGET_CPU_DEPTHWISE_H
#define BURIN_COMPILER_TARGET_CPU_DEPTHWISE_H

#include "dialects/kern/KernOps.h"

namespace burin::cpu {

/// The product, on buffers, that alone makes what `op`, a depthwise kern.contract, reads from memory of
/// its kernel's own (compiler/group/Feeders.h); null where there is none.
kern::ContractOp feederOf(kern::ContractOp op);

/// Makes loops over vectors of `op`, a depthwise kern.contract on buffers, which is then gone. `lanes`
/// of a vector, 8 or 16, keep the sums of some results in registers. A `feeder` that is not null is gone,
/// too, and what is between them: its part for a task is returned, inside of that.
kern::ContractOp expandDepthwise(kern::ContractOp op, int64_t lanes, kern::ContractOp feeder);

} // namespace burin::cpu

#endif
