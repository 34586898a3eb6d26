// SPDX-License-Identifier: Apache-2.0
//
// What rules share whose elements are pulled from computed places: movement,
// indexing, windows.

#ifndef BURIN_COMPILER_LOWER_ACCESS_H
#define BURIN_COMPILER_LOWER_ACCESS_H

#include "compiler/lower/Lowering.h"
#include "compiler/lower/Scalars.h"

namespace burin::lower {

/// A statement of a named status that the user's data caused (burin_status).
enum : int64_t { indexRange = 6, shapeMismatch = 7 };

/// The zero of a storage type.
mlir::Value zeroOf(Lowering &b, mlir::Type type);

/// All elements of a tensor of `sizes`; nothing where that has no expression.
std::optional<onnx::SizeExpr> productOf(llvm::ArrayRef<onnx::SizeExpr> sizes);

/// Positions that `count` windows of `span` reach over together, one each `stride`; nothing where
/// that has no expression.
std::optional<onnx::SizeExpr> windowReach(const onnx::SizeExpr &count, int64_t stride, int64_t span);

/// Pads of an auto_pad that keeps sizes, along one dimension.
struct SamePads {
  int64_t before, after;
  mlir::Value openBefore; // instead of `before` where not null: a size decides it
};
/// `total`: by how much the windows, of `span` each, reach over more than there is. `upper`: what is
/// left over of halves lies behind.
SamePads samePads(Lowering &b, const onnx::SizeExpr &total, int64_t span, bool upper);

/// Storage type of result `index`; unsupported unless its shape is static and all
/// operands and results are tensors of numbers, bools or complex numbers.
mlir::FailureOr<mlir::RankedTensorType> boundedResult(Lowering &b, unsigned index = 0);

/// `axis` of a tensor of `rank`, counted from the end where negative. Fails where it is outside.
mlir::FailureOr<int64_t> normalizeAxis(Lowering &b, int64_t axis, int64_t rank);

/// All axes 0..rank-1, or the given ones normalized; fails where one is outside or named twice.
mlir::FailureOr<llvm::SmallVector<int64_t>>
normalizeAxes(Lowering &b, std::optional<llvm::ArrayRef<int64_t>> axes, int64_t rank);

/// An integer array attribute, or `count` times `otherwise` where it is absent.
llvm::SmallVector<int64_t> intsOr(mlir::Operation *op, llvm::StringRef name, int64_t count,
                                  int64_t otherwise);

// For the bodies of generics and of kern ops.

mlir::Value extract(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor, mlir::ValueRange indices);
/// The only element of a tensor of one element.
mlir::Value extractOnly(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor);

/// An integer of a storage type as an index, sign- or zero-extended.
mlir::Value toIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value integer, bool isUnsigned = false);
mlir::Value fromIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value index, mlir::Type integer);
/// A whole float as an index; NaN as 0, anything far away as +-1e9.
mlir::Value floatToIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value value);
mlir::Value clampIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value index, int64_t low, int64_t high);
/// `index` as one of [0, size), `size` > 0.
mlir::Value clampIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value index, mlir::Value size);

/// `position` where it lies in [0, size), `size` > 0; a negative one counts from
/// the end. Any other is reported (indexRange) and clamped.
mlir::Value checkedIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value position, int64_t size);

/// As above of a size that may change from run to run.
mlir::Value checkedIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value position, mlir::Value size);

/// Status `status` with `detail` (an index) unless `ok`.
void check(mlir::ImplicitLocOpBuilder &b, mlir::Value ok, int64_t status, mlir::Value detail);

/// Whether 0 <= index < size.
mlir::Value isInside(mlir::ImplicitLocOpBuilder &b, mlir::Value index, int64_t size);
mlir::Value isInside(mlir::ImplicitLocOpBuilder &b, mlir::Value index, mlir::Value size);

/// result[i...] = input[i... * steps + starts]; steps > 0 and all reads inside.
mlir::Value stridedSlice(Lowering &b, mlir::Value input, mlir::RankedTensorType result,
                         llvm::ArrayRef<int64_t> starts, llvm::ArrayRef<int64_t> steps);

/// `parts` one after the other along `axis`, where they have `lengths`: the chain of insert_slice by
/// which a state that grows is known. `sizes` are the dynamic ones of `result`.
mlir::FailureOr<mlir::Value> joined(Lowering &b, mlir::RankedTensorType result,
                                    mlir::ValueRange sizes, mlir::ValueRange parts,
                                    llvm::ArrayRef<onnx::SizeExpr> lengths, int64_t axis);

/// `input` in the middle of a tensor of `sizes`, at `offsets`, the rest `padding` (a scalar constant).
mlir::Value padded(Lowering &b, mlir::Value input, llvm::ArrayRef<onnx::SizeExpr> sizes,
                   llvm::ArrayRef<mlir::OpFoldResult> offsets, mlir::Value padding);
/// As above; a dynamic size of `shape` is the input's.
mlir::Value padded(Lowering &b, mlir::Value input, llvm::ArrayRef<int64_t> shape,
                   llvm::ArrayRef<int64_t> offsets, mlir::Value padding);

} // namespace burin::lower

#endif
