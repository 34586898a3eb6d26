// SPDX-License-Identifier: Apache-2.0
//
// Padding without a copy: what is padded is a part of a join.

#ifndef BURIN_COMPILER_PLAN_SPLITPADS_H
#define BURIN_COMPILER_PLAN_SPLITPADS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace burin {

/// Replaces launches that fill a tensor and put what another launch makes into it: by launches that fill what lies
/// around that, side by side, and one that joins them with it.
void splitPads(mlir::func::FuncOp main, mlir::ModuleOp kernels);

} // namespace burin

#endif
