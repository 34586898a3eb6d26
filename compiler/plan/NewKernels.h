// SPDX-License-Identifier: Apache-2.0
//
// Kernels that passes over the plan add to those of the dispatches, and their launches.

#ifndef BURIN_COMPILER_PLAN_NEWKERNELS_H
#define BURIN_COMPILER_PLAN_NEWKERNELS_H

#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace burin {

/// `stem` and the first number with which no kernel has that name.
std::string newKernelName(mlir::ModuleOp kernels, const llvm::Twine &stem);

/// A kernel behind the others, named after `launch`'s and at its place in the model: of tensors `arguments`, the last of
/// them the destination of its only result, which is like that. `builder` goes to the start of its body.
mlir::func::FuncOp beginKernel(mlir::OpBuilder &builder, mlir::ModuleOp kernels, plan::LaunchOp launch,
                               llvm::StringRef suffix, mlir::TypeRange arguments);

/// Launches such a kernel for `inputs`, where `builder` is.
plan::LaunchOp launchOf(mlir::OpBuilder &builder, mlir::Location loc, mlir::func::FuncOp kernel, mlir::ValueRange inputs);

} // namespace burin

#endif
