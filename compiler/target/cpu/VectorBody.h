// SPDX-License-Identifier: Apache-2.0

#ifndef BURIN_COMPILER_TARGET_CPU_VECTORBODY_H
#define BURIN_COMPILER_TARGET_CPU_VECTORBODY_H

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace burin::cpu {

/// The ops of `body`, which map to vectors element by element, on vectors of `width`: what its terminator
/// yields of what `mapping` gives for its arguments. Scalars are broadcast.
llvm::SmallVector<mlir::Value> vectorizeBody(mlir::ImplicitLocOpBuilder &b, mlir::Block &body,
                                             mlir::IRMapping &mapping, int64_t width);

} // namespace burin::cpu

#endif
