// SPDX-License-Identifier: Apache-2.0
//
// What ONNX's own definitions say of an operator in the newest opset.

#ifndef BURIN_COMPILER_IMPORT_SCHEMA_H
#define BURIN_COMPILER_IMPORT_SCHEMA_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringRef.h"

namespace burin {

/// Whether an operand of the operator `op` ("Resize") may be a tensor of f64. True of an operator
/// that ONNX does not know.
bool mayBeDouble(llvm::StringRef op, unsigned operand);

/// Whether the operands of all onnx ops have element types that their operators take, and equal ones
/// where they must; a diagnostic for each that does not. Holds of what a file says once its types are
/// inferred, not of what passes make of it.
mlir::LogicalResult checkOperandTypes(mlir::ModuleOp module);

} // namespace burin

#endif
