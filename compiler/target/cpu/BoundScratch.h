// SPDX-License-Identifier: Apache-2.0
#ifndef BURIN_COMPILER_TARGET_CPU_BOUNDSCRATCH_H
#define BURIN_COMPILER_TARGET_CPU_BOUNDSCRATCH_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace burin::cpu {

/// Gives each memref.alloc whose sizes change from run to run memory of static size, for the
/// largest that plan.bounds of the kernel allows, or a tile has, of which it is a dense part. What has no bound
/// stays as it is.
void boundScratch(mlir::func::FuncOp kernel);

} // namespace burin::cpu

#endif
