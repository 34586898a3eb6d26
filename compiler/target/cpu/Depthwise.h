// SPDX-License-Identifier: Apache-2.0
//
// Convolutions of each channel by itself.

#ifndef BURIN_COMPILER_TARGET_CPU_DEPTHWISE_H
#define BURIN_COMPILER_TARGET_CPU_DEPTHWISE_H

#include "compiler/target/cpu/ContractSchedule.h"

namespace burin::cpu {

/// The contract, on buffers, that alone makes what `op` reads from memory of its kernel's own, where one of
/// them is depthwise (compiler/group/Feeders.h); null where there is none.
kern::ContractOp feederOf(kern::ContractOp op);

/// Makes loops over vectors of `op`, a kern.contract on buffers that is depthwise or whose feeder is. Vectors of
/// the level's `depthwiseLanes` keep the sums of some results in registers. The op, its feeder and that one's are gone, and
/// what is between them: the parts of products, for a task, are returned, inside of that.
llvm::SmallVector<kern::ContractOp> expandDepthwise(kern::ContractOp op, const VectorLevel &level);

} // namespace burin::cpu

#endif
