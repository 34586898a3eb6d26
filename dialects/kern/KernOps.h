// SPDX-License-Identifier: Apache-2.0
//
// The kern dialect: its types, attributes and ops. See KernOps.td.

#ifndef BURIN_DIALECTS_KERN_KERNOPS_H
#define BURIN_DIALECTS_KERN_KERNOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/kern/KernOpsDialect.h.inc"

namespace burin::kern {
/// Builds a scalar region: gets its arguments, returns what it yields.
using BodyBuilder = llvm::function_ref<llvm::SmallVector<mlir::Value>(
    mlir::ImplicitLocOpBuilder &, mlir::ValueRange)>;
} // namespace burin::kern

#define GET_OP_CLASSES
#include "dialects/kern/KernOps.h.inc"

#endif
