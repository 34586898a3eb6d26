// SPDX-License-Identifier: Apache-2.0
#ifndef BURIN_COMPILER_PLAN_INPLACE_H
#define BURIN_COMPILER_PLAN_INPLACE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace burin {

/// The one op that computes, which writes the kernel's only result; null where there are more.
mlir::Operation *onlyOp(mlir::func::FuncOp kernel);

/// Numbers of the inputs in whose memory an unscheduled `kernel` may write its single result:
/// each element is read once, for the result's element at the same position.
llvm::SmallVector<unsigned> inPlaceInputs(mlir::func::FuncOp kernel);

} // namespace burin

#endif
