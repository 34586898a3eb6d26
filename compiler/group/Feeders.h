// SPDX-License-Identifier: Apache-2.0
//
// Depthwise convolutions behind the product that makes what they read.

#ifndef BURIN_COMPILER_GROUP_FEEDERS_H
#define BURIN_COMPILER_GROUP_FEEDERS_H

#include "dialects/kern/KernOps.h"

namespace burin::group {

/// The product, on tensors, that makes each place of what `op`, a depthwise convolution, reads, where
/// both are one kernel: each task makes the channels of some rows in scratch and reads them there. Null
/// where what is between them is small enough to stay in the caches, or has other readers.
kern::ContractOp feederOf(kern::ContractOp op);

} // namespace burin::group

#endif
