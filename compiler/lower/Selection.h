// SPDX-License-Identifier: Apache-2.0
//
// What rules share whose results hold as much as the data select.

#ifndef BURIN_COMPILER_LOWER_SELECTION_H
#define BURIN_COMPILER_LOWER_SELECTION_H

#include "compiler/lower/Lowering.h"

namespace burin::lower {

mlir::RankedTensorType i64Tensor(Lowering &b, llvm::ArrayRef<int64_t> shape);

/// Positions, in order, of the first `count` elements of each row of `input`, which has `sizes`.
mlir::Value sorted(Lowering &b, mlir::Value input, llvm::ArrayRef<onnx::SizeExpr> sizes,
                   int64_t axis, const onnx::SizeExpr &count, bool noSign, bool descending);
/// As above of a tensor of static shape.
mlir::Value sorted(Lowering &b, mlir::Value input, int64_t axis, int64_t count, bool noSign,
                   bool descending);

/// Whether the data decide a size of the result.
bool isMeasured(Lowering &b, const onnx::SizeExpr &size);

/// Room for a size of the result: itself, or `most` where the data decide it.
int64_t roomFor(int64_t size, int64_t most);

/// The most that a size can be; fails where nothing bounds it.
mlir::FailureOr<int64_t> mostOf(Lowering &b, const std::optional<onnx::SizeExpr> &size);

/// How many entries of `list` are used, as a tensor: of its rows, of which a used one starts with
/// a number that is not negative.
mlir::Value countUsed(Lowering &b, mlir::Value list);

/// NonMaxSuppression.
void registerNonMaxSuppression(RuleTable &table);

} // namespace burin::lower

#endif
