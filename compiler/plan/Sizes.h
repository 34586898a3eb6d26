// SPDX-License-Identifier: Apache-2.0
//
// Sizes that change from run to run, as functions of the model's dims. Symbol i of an
// expression is the i-th range of @main's `plan.dims`.

#ifndef BURIN_COMPILER_PLAN_SIZES_H
#define BURIN_COMPILER_PLAN_SIZES_H

#include "dialects/onnx/SizeExpr.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AffineExpr.h"

#include <optional>
#include <string>

namespace burin::plan {

class LaunchOp;

/// An index value as an expression over what `leaf` knows; null where it is not computed from
/// that by sums, products and quotients (of sizes, which are not negative).
mlir::AffineExpr indexExpr(mlir::Value index,
                           llvm::function_ref<mlir::AffineExpr(mlir::Value)> leaf);

/// The index value of a size of the model over those of its names; null where `leaf` does not know
/// one.
mlir::Value buildSize(mlir::OpBuilder &builder, mlir::Location loc, const onnx::SizeExpr &size,
                      llvm::function_ref<mlir::Value(llvm::StringRef name)> leaf);

/// On a kernel that holds memory of sizes that change from run to run: an array with one array for
/// each argument, the least and the most of each of its sizes, or of itself where it is an index.
inline constexpr llvm::StringLiteral boundsAttrName = "plan.bounds";

/// An interval of integers, both ends included.
using Interval = onnx::SizeExpr::Interval;

/// The values that an expression over symbols can take; nothing where they do not fit 64 bits.
std::optional<Interval> rangeOf(mlir::AffineExpr expr,
                                llvm::function_ref<Interval(unsigned symbol)> symbols);

/// "batch=8", "seq=1..512".
std::string textOf(llvm::StringRef name, Interval range);

/// "1x64x?xf32" of a tensor; other types as MLIR prints them.
std::string textOf(mlir::Type type);

/// On a main program: sizes over its dims that must be equal for it to be run, each an array of two
/// (a text, or a number) and the name of the node that takes them for one.
inline constexpr llvm::StringLiteral agreementsAttrName = "plan.agreements";

/// "h floordiv 2", or "8", of a size in plan.agreements.
std::string textOf(mlir::Attribute agreed);

/// Notes that a run needs `a` and `b` to be equal, if they are not in any case. Else says why that is
/// not supported: they never are, or the data decide one of them.
std::string addAgreement(mlir::func::FuncOp main, const onnx::SizeExpr &a,
                         const onnx::SizeExpr &b, mlir::Location node);

/// What @main's sizes are, and what bounds them.
class ModelSizes {
public:
  explicit ModelSizes(mlir::func::FuncOp main);

  /// All sizes of a tensor of @main, in elements; a null expression where it is none of the
  /// model's dims nor computed from them.
  llvm::SmallVector<mlir::AffineExpr> of(mlir::Value tensor);
  /// An index value of @main.
  mlir::AffineExpr ofIndex(mlir::Value index);

  /// What a launch tells its kernel: the dynamic sizes of its inputs and results, then its dims. Null
  /// expressions as above.
  llvm::SmallVector<mlir::AffineExpr> told(LaunchOp launch);

  /// The values that `expr` can take; nothing where they do not fit 64 bits.
  std::optional<Interval> range(mlir::AffineExpr expr) const;
  std::optional<Interval> range(const onnx::SizeExpr &expr) const;
  /// An upper bound of the bytes of a dense tensor; nothing where there is none below 2^62.
  std::optional<uint64_t> maxBytes(mlir::Value tensor);

  /// One size over the names of the dims; nothing where it is none of theirs, or does not fit.
  std::optional<onnx::SizeExpr> size(mlir::Value tensor, unsigned dim);
  /// The bytes of a dense tensor over the names of the dims; nothing where its sizes are none, or
  /// do not fit.
  std::optional<onnx::SizeExpr> bytes(mlir::Value tensor);
  /// Whether `a` is at most `b` whatever the dims are, as far as bounds of the difference tell.
  bool atMost(const onnx::SizeExpr &a, const onnx::SizeExpr &b) const;

  /// A size as plan.agreements has it.
  mlir::AffineExpr of(mlir::Attribute size) const;

  /// Whether the data decide the value of `expr`.
  bool isMeasured(mlir::AffineExpr expr) const;
  /// "past + 1".
  std::string textOf(mlir::AffineExpr expr) const;

  /// How many dims there are.
  unsigned count() const { return ranges.size(); }

private:
  mlir::AffineExpr named(llvm::StringRef size) const;
  mlir::AffineExpr ofDim(mlir::Value tensor, unsigned dim);
  std::optional<onnx::SizeExpr> inNames(mlir::AffineExpr expr) const;

  mlir::func::FuncOp main;
  mlir::MLIRContext *context;
  llvm::SmallVector<Interval> ranges;
  llvm::SmallVector<llvm::StringRef> names;
  llvm::DenseMap<mlir::Value, mlir::AffineExpr> known;
};

/// Bytes of a tensor of `elements` elements of a type, or nothing where that passes 2^62.
std::optional<uint64_t> denseBytes(mlir::Type element, llvm::ArrayRef<int64_t> shape);

} // namespace burin::plan

#endif
