// SPDX-License-Identifier: Apache-2.0
//
// Convolutions of each channel by itself.

#ifndef BURIN_COMPILER_TARGET_CPU_DEPTHWISE_H
#define BURIN_COMPILER_TARGET_CPU_DEPTHWISE_H

#include "dialects/kern/KernOps.h"

namespace burin::cpu {

/// Makes loops over vectors of `op`, a depthwise kern.contract on buffers, which is then gone. `lanes`
/// of a vector, 8 or 16, keep the sums of some results in registers.
void expandDepthwise(kern::ContractOp op, int64_t lanes);

} // namespace burin::cpu

#endif
