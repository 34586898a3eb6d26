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

namespace burin::onnx {
/// The data decide how large results are: all sizes that the shapes of the operands leave open are one,
/// which inference names (`onnx.size`).
template <typename Op> class SizedByData : public mlir::OpTrait::TraitBase<Op, SizedByData> {};
/// The name of that size, a string on the op.
inline constexpr llvm::StringLiteral sizeAttrName = "onnx.size";
/// The condition, a bool, under which no sizes fit an If, which inference finds: both of its branches
/// are then the other one, and a run that has the condition fails.
inline constexpr llvm::StringLiteral neverAttrName = "onnx.never";
} // namespace burin::onnx

namespace burin::onnx::detail {
/// Fails, with a diagnostic, where the declared result types or the attributes of an
/// operator contradict its shape rule.
llvm::LogicalResult verifyTypes(mlir::Operation *op);
} // namespace burin::onnx::detail

#include "dialects/onnx/OnnxInterfaces.h.inc"

#endif
