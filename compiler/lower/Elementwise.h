// SPDX-License-Identifier: Apache-2.0
//
// How a row of the elementwise family is written: one scalar body per operator,
// attached as its ElementwiseOpInterface. One generic rule lowers the family.

#ifndef BURIN_COMPILER_LOWER_ELEMENTWISE_H
#define BURIN_COMPILER_LOWER_ELEMENTWISE_H

#include "compiler/lower/Lowering.h"
#include "compiler/lower/Scalars.h"
#include "dialects/onnx/OnnxOps.h"

namespace burin::lower {

/// What a row builds with. Floats narrower than f32 arrive as f32 and the result
/// is rounded once; an i1 result becomes a bool. Raw rows see storage types as they are.
struct ScalarBody : Scalars {
  mlir::Operation *op;
  llvm::SmallVector<mlir::Value> args; // null where the operand is absent
  mlir::Type result;                   // the type to give back

  mlir::Value x() const { return args[0]; }
  mlir::Value y() const { return args[1]; }
  bool isFloat() const { return mlir::isa<mlir::FloatType>(x().getType()); }
  bool isUnsigned(unsigned operand = 0) const {
    mlir::Type type = elementType(op->getOperand(operand));
    return lower::isUnsigned(type) || isBool(type);
  }
  /// A float attribute of the op.
  double attribute(llvm::StringRef name) const {
    return op->getAttrOfType<mlir::FloatAttr>(name).getValueAsDouble();
  }
  /// A constant of x's type.
  mlir::Value value(double constant) { return like(x(), constant); }
};

using ScalarRow = mlir::Value (*)(ScalarBody &);

mlir::Value buildRow(ScalarRow row, bool raw, mlir::Operation *op, mlir::ImplicitLocOpBuilder &b,
                     mlir::ValueRange args, mlir::Type result);

template <typename Op, ScalarRow body, bool raw>
struct RowModel
    : onnx::ElementwiseOpInterface::ExternalModel<RowModel<Op, body, raw>, Op> {
  mlir::Value buildScalar(mlir::Operation *op, mlir::ImplicitLocOpBuilder &b,
                          mlir::ValueRange args, mlir::Type result) const {
    return buildRow(body, raw, op, b, args, result);
  }
};

/// Gives `Op` its scalar body, a lambda without captures.
template <typename Op, ScalarRow body> void row(mlir::MLIRContext *context) {
  Op::template attachInterface<RowModel<Op, body, false>>(*context);
}
template <typename Op, ScalarRow body> void rawRow(mlir::MLIRContext *context) {
  Op::template attachInterface<RowModel<Op, body, true>>(*context);
}

void attachArithmetic(mlir::MLIRContext *context);
void attachFunctions(mlir::MLIRContext *context);
void attachCasts(mlir::MLIRContext *context);

/// The family's rule. `maps` says how each operand is read for a result element;
/// empty: as numpy broadcasts.
mlir::FailureOr<llvm::SmallVector<mlir::Value>>
lowerElementwise(Lowering &b, mlir::Operation *op, mlir::ValueRange operands,
                 llvm::ArrayRef<mlir::AffineMap> maps = {});

/// CastLike, and Quantize- and DequantizeLinear, whose scale has an axis or blocks.
void registerCasts(RuleTable &table);

} // namespace burin::lower

#endif
