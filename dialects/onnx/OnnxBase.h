// SPDX-License-Identifier: Apache-2.0
//
// The onnx dialect without its ops: types, attributes, interfaces. See OnnxBase.td.

#ifndef BURIN_DIALECTS_ONNX_ONNXBASE_H
#define BURIN_DIALECTS_ONNX_ONNXBASE_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/onnx/OnnxBaseDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/onnx/OnnxBaseTypes.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/onnx/OnnxBaseAttributes.h.inc"

namespace burin::onnx::detail {
/// Fails, with a diagnostic, where the declared result types or the attributes of an
/// operator contradict its shape rule.
llvm::LogicalResult verifyTypes(mlir::Operation *op);
} // namespace burin::onnx::detail

#include "dialects/onnx/OnnxInterfaces.h.inc"

#endif
