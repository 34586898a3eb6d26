// SPDX-License-Identifier: Apache-2.0
//
// Pooling of what a convolution makes.

#ifndef BURIN_COMPILER_GROUP_POOLS_H
#define BURIN_COMPILER_GROUP_POOLS_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"

namespace burin::group {

/// The convolution whose results `op` reduces to the greatest of each 2 x 2, and the view between them, if there is one:
/// a convolution by Winograd's algorithm, whose tasks make whole windows, for nobody else. Empty for any other op.
llvm::SmallVector<mlir::Operation *> pooledBy(mlir::Operation *op);

} // namespace burin::group

#endif
