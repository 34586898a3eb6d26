// SPDX-License-Identifier: Apache-2.0
//
// What every shape rule is written with: sizes that may be known, named or
// unknown, operands as shapes or constant integers, and results that refine what
// the model declares. All arithmetic on sizes is checked.

#ifndef BURIN_DIALECTS_ONNX_SHAPES_SHAPERULE_H
#define BURIN_DIALECTS_ONNX_SHAPES_SHAPERULE_H

#include "dialects/onnx/OnnxOps.h"
#include "dialects/onnx/OnnxShapes.h"
#include "dialects/onnx/SizeExpr.h"

#include <optional>

namespace burin::onnx {

/// One size of a tensor: a number, or unknown and then perhaps named by an expression over
/// named dims (SizeExpr). Two sizes of one name are equal.
struct Dim {
  int64_t size = mlir::ShapedType::kDynamic;
  mlir::StringAttr name;

  Dim() = default;
  Dim(int64_t size, mlir::StringAttr name = {}) : size(size), name(name) {}

  /// A number, a name, or unknown where the expression is too long for either.
  static Dim of(const std::optional<SizeExpr> &expr, mlir::MLIRContext *context);

  bool isStatic() const { return size != mlir::ShapedType::kDynamic; }
  /// A number or a name.
  bool isKnown() const { return isStatic() || name; }
  /// Nothing of an unknown size.
  std::optional<SizeExpr> expr() const;
  /// Equal for certain; unnamed unknown sizes never are.
  bool equals(const Dim &other) const {
    return isStatic() ? size == other.size : !other.isStatic() && name && name == other.name;
  }
};

using Dims = llvm::SmallVector<Dim>;
/// Nothing where the rank is unknown.
using Shape = std::optional<Dims>;

/// Sizes of a ranked tensor type; nothing for any other type.
Shape shapeOf(mlir::Type type);
/// The tensor type of `element` and `shape`, named sizes as #onnx.dims.
mlir::Type tensorType(mlir::Type element, const Shape &shape);

/// Sizes multiplied, added; unknown where one is unknown, nothing on overflow.
std::optional<Dim> multiply(Dim a, Dim b);
std::optional<Dim> add(Dim a, Dim b);
/// Subtracted, rounded down from a quotient by a positive number; unknown where not computable.
Dim subtract(Dim a, Dim b);
Dim floorDivide(Dim a, int64_t by);

/// The elements of a constant integer (or bool) tensor, if `value` is one.
std::optional<llvm::SmallVector<int64_t>> constantInts(mlir::Value value);
/// The elements of a constant float tensor, as double, if `value` is one.
std::optional<llvm::SmallVector<double>> constantFloats(mlir::Value value);
/// A 0-d or 1-d integer tensor read as a list of sizes: constants, and what is
/// computed by moving the elements of onnx.Shape. Nothing where even the length
/// is unknown.
Shape shapeValue(mlir::Value value);

/// One application of a shape rule to `op`. The set* functions refine the entry
/// of `types` and fail, with a diagnostic, where the new fact contradicts it.
class ShapeRule {
public:
  ShapeRule(mlir::Operation *op, Types &types) : op(op), types(types) {}

  mlir::Operation *op;
  Types &types;

  unsigned numOperands() const { return op->getNumOperands(); }
  mlir::Value operand(unsigned index) const { return op->getOperand(index); }
  /// True for an operand that was left out.
  bool absent(unsigned index) const;
  Shape shape(unsigned index) const;
  /// Element type of a tensor operand; null for any other.
  mlir::Type element(unsigned index) const;
  /// Constant integers of an operand; nothing where absent or computed.
  std::optional<llvm::SmallVector<int64_t>> ints(unsigned index) const;
  /// As above for exactly one element.
  std::optional<int64_t> scalar(unsigned index) const;

  int64_t attr(llvm::StringRef name, int64_t otherwise) const;
  llvm::StringRef attr(llvm::StringRef name, llvm::StringRef otherwise) const;
  std::optional<llvm::SmallVector<int64_t>> intsAttr(llvm::StringRef name) const;

  /// The values that a size can take, by what --dim says; nothing where it does not bound it.
  std::optional<SizeExpr::Interval> range(Dim dim) const;
  /// Whether a is at most b for certain.
  bool atMost(Dim a, Dim b) const;
  /// The smaller, the larger of two sizes where it is known which that is, else unknown.
  Dim smaller(Dim a, Dim b) const;
  Dim larger(Dim a, Dim b) const;

  /// Starts the diagnostic of this node.
  mlir::InFlightDiagnostic error() const { return op->emitOpError(); }

  /// Result `index` is a tensor of `element` (null: as declared) and `shape`.
  llvm::LogicalResult set(unsigned index, mlir::Type element, const Shape &shape);
  /// Result `index` has `type`, refined by what was declared.
  llvm::LogicalResult setType(unsigned index, mlir::Type type);
  /// True where the model does not use the optional result.
  bool unused(unsigned index) const {
    return index >= types.size() || llvm::isa<mlir::NoneType>(types[index]);
  }

  /// `axis` counted from the front; a diagnostic where it is not in [-rank, rank).
  mlir::FailureOr<int64_t> axis(int64_t axis, int64_t rank) const;
  /// Each of `axes` counted from the front, none twice.
  mlir::FailureOr<llvm::SmallVector<int64_t>> axes(llvm::ArrayRef<int64_t> axes,
                                                   int64_t rank) const;
  /// Fails where the operand's rank is known and not `rank`.
  llvm::LogicalResult expectRank(unsigned index, int64_t rank) const;
  /// Fails where the list has another length.
  llvm::LogicalResult expectLength(llvm::StringRef what, size_t length, size_t expected) const;

  mlir::FailureOr<Dim> product(llvm::ArrayRef<Dim> dims) const;
  /// Two sizes that the operator requires to be equal, as one.
  mlir::FailureOr<Dim> same(Dim a, Dim b, llvm::StringRef what) const;
  /// Two sizes under numpy's rule.
  mlir::FailureOr<Dim> broadcast(Dim a, Dim b) const;
  /// Shapes under numpy's rule; unknown where one is.
  mlir::FailureOr<Shape> broadcast(llvm::ArrayRef<Shape> shapes) const;
};

} // namespace burin::onnx

#endif
