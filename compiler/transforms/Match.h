// SPDX-License-Identifier: Apache-2.0
//
// Words for recognising what exporters write: constants by value, chains of ops that nothing
// else uses, operands in either order.

#ifndef BURIN_COMPILER_TRANSFORMS_MATCH_H
#define BURIN_COMPILER_TRANSFORMS_MATCH_H

#include "dialects/onnx/OnnxOps.h"

#include "mlir/IR/PatternMatch.h"

#include <optional>

namespace burin::match {

/// The number that every element of a float constant is, or of roots, products and quotients of f32
/// constants.
std::optional<double> number(mlir::Value value);
/// Whether every element of `value` is the constant `wanted`, as exporters round it: within two
/// units in the last place of its element type.
bool isNumber(mlir::Value value, double wanted);

/// The constant integers of an operand; nothing where it is absent or computed.
std::optional<llvm::SmallVector<int64_t>> integers(mlir::Value value);

/// A float tensor constant of one value.
mlir::Value constant(mlir::OpBuilder &builder, mlir::Location loc, mlir::RankedTensorType type,
                     double value);

/// A tensor of one dim with these integers, as ONNX takes shapes and axes.
mlir::Value constant(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<int64_t> values);

/// Whether a value is a constant or arithmetic on constants, which will be one.
bool isMadeOfConstants(mlir::Value value);

/// The op that computes `value`, if it is one of `Ops`.
template <typename Op> Op producer(mlir::Value value) { return value.getDefiningOp<Op>(); }

/// As producer, where only one operand of one op reads `value`: it goes when its reader does.
template <typename Op> Op onlyUse(mlir::Value value) {
  return value.hasOneUse() ? producer<Op>(value) : Op();
}

/// Whether no op but `users` reads `value`.
bool isUsedOnlyBy(mlir::Value value, llvm::ArrayRef<mlir::Operation *> users);

/// The operands of a commutative op in the order that `accepts` takes; false where it takes none.
template <typename Op, typename Accepts> bool inEitherOrder(Op op, Accepts accepts) {
  mlir::Value a = op->getOperand(0), b = op->getOperand(1);
  return accepts(a, b) || accepts(b, a);
}

/// The base of a square: Pow(x, 2) or Mul(x, x). Null for anything else.
mlir::Value squared(mlir::Value value);

/// A reduction that keeps its dimensions, over one set of axes, all of fixed size: the axes from
/// the front, in ascending order. Nothing for any other.
template <typename Op> std::optional<llvm::SmallVector<int64_t>> keptAxes(Op op);

/// The axes of a reduction with the operands `data` and `axes` as keptAxes gives them.
std::optional<llvm::SmallVector<int64_t>> reducedAxes(mlir::Value data, mlir::Value axes,
                                                      bool keepsDims, bool noopWithoutAxes);

template <typename Op> std::optional<llvm::SmallVector<int64_t>> keptAxes(Op op) {
  return reducedAxes(op.getData(), op.getAxes(), op.getKeepdims() != 0,
                     op.getNoopWithEmptyAxes() != 0);
}

} // namespace burin::match

#endif
