// SPDX-License-Identifier: Apache-2.0
//
// What does not change with the batch: values that are the same for all of its rows, programs
// that are the same for all of its sizes.

#ifndef BURIN_COMPILER_TRANSFORMS_SAMEFORALL_H
#define BURIN_COMPILER_TRANSFORMS_SAMEFORALL_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace burin {

/// Whether a tensor is known to be equal at all indices of dim `axis`.
bool isSameForAll(mlir::Value tensor, unsigned axis);

/// Whether `main` and `other`, the maths of one model for two sizes of `batch`, compute the same
/// but for the shapes of tensors. Else a remark names the first op that does not.
llvm::LogicalResult compareSizes(mlir::func::FuncOp main, mlir::func::FuncOp other,
                                 llvm::StringRef batch);

} // namespace burin

#endif
