// SPDX-License-Identifier: Apache-2.0
//
// Elementwise consumers of a contraction become part of its epilogue.

#ifndef BURIN_COMPILER_GROUP_FOLDEPILOGUE_H
#define BURIN_COMPILER_GROUP_FOLDEPILOGUE_H

#include "dialects/kern/KernOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace burin::group {

/// Folds `consumer`, an elementwise generic on tensors over the result of `contract`
/// and possibly further inputs (bias, residual, scale), into the epilogue. The new op stands
/// where `consumer` stood, writes to its destination and replaces both ops.
///
/// Fails without a change where that would compute the contraction twice, read
/// an element at other than its own place, or read an input across its rows.
mlir::FailureOr<kern::ContractOp> foldConsumerIntoEpilogue(mlir::RewriterBase &rewriter,
                                                           kern::ContractOp contract,
                                                           mlir::linalg::GenericOp consumer);

/// Extras whose elements are all one number (a bias of zeros) become constants of the epilogue: a tensor of them would be
/// filled by each run of the kernel, as one task. Returns `contract`, changed in place.
kern::ContractOp takeNumbers(mlir::RewriterBase &rewriter, kern::ContractOp contract);

} // namespace burin::group

#endif
