// SPDX-License-Identifier: Apache-2.0
//
// Depthwise convolutions between the product that makes what they read and that which reads what they make.

#ifndef BURIN_COMPILER_GROUP_FEEDERS_H
#define BURIN_COMPILER_GROUP_FEEDERS_H

#include "dialects/kern/KernOps.h"

namespace burin::group {

/// The contract, on tensors, that alone makes what `op` reads, where one of them is a depthwise convolution, the other a
/// product that makes each place from that place alone, and both are one kernel: each task makes what it reads of some
/// rows in scratch. Null where what is between them is small enough to stay in the caches, or has other readers.
kern::ContractOp feederOf(kern::ContractOp op);

} // namespace burin::group

#endif
