// SPDX-License-Identifier: Apache-2.0
//
// Kernels that compute nothing: tensors that are put side by side, or cut out of one another.

#ifndef BURIN_COMPILER_TARGET_CPU_JOINS_H
#define BURIN_COMPILER_TARGET_CPU_JOINS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace burin::cpu {

/// Cuts a kernel that only copies (a Concat, a Slice) into tasks of about `volume` elements, along the first dim that
/// every part has in full: its tensors are still values, of static sizes. False, without a change, for any other
/// kernel, and where one task is enough.
bool tileJoin(mlir::func::FuncOp kernel, int64_t volume);

} // namespace burin::cpu

#endif
