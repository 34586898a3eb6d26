// SPDX-License-Identifier: Apache-2.0
//
// What rules build sums of products with: kern.contract for f32, a
// multiply-accumulate linalg.generic for every other type.

#ifndef BURIN_COMPILER_LOWER_CONTRACT_H
#define BURIN_COMPILER_LOWER_CONTRACT_H

#include "compiler/lower/Lowering.h"
#include "dialects/kern/KernOps.h"

namespace burin::lower {

/// `weights`, seen as row-major `shape` with its dims in the order of `permutation` as
/// leading dims, a column dim and reduction dims, in the panels that kern.contract reads. Constants are
/// rearranged when they are written, and rounded where Arithmetic says so; anything else by an op of its own.
mlir::Value packPanels(Lowering &b, mlir::Value weights, llvm::ArrayRef<int64_t> shape,
                       llvm::ArrayRef<int64_t> permutation, int64_t leading);
/// The taps of 3 x 3 convolutions, constant weights of f32 [columns, channels, 3, 3], transformed for
/// Winograd tiles of `tile` in the panels that kern.contract reads; null where they are not constant.
mlir::Value packTaps(Lowering &b, mlir::Value weights, int64_t tile);
/// Panels of matrices [leading..., K, columns] whose sizes may change from run to run.
mlir::Value packColumns(Lowering &b, mlir::Value matrices);
/// Whether rows of these sizes, which may be kDynamic, gain less from panels of one of `matrices` than a kernel takes
/// to pack it: a kern.contract then reads it where it lies. No result changes a bit.
bool isReadInPlace(mlir::Value matrices, llvm::ArrayRef<int64_t> rowSizes);

/// `value` with its dims in the order of `permutation`; free where it is constant.
mlir::Value transposeWeights(Lowering &b, mlir::Value value, llvm::ArrayRef<int64_t> shape,
                             llvm::ArrayRef<int64_t> permutation);

/// A kern.contract into a new tensor; sizes of dynamic result dims in `dynamic`. `extras`
/// are read by `extraMaps`, or else as numpy broadcasts them to the result. `body` gets the sum and the
/// extras' elements. `winograd` is the tile that `panels` are transformed for, if they are.
mlir::Value contract(Lowering &b, mlir::RankedTensorType result, mlir::Value a, mlir::Value panels,
                     mlir::AffineMap aMap, mlir::AffineMap bMap,
                     llvm::ArrayRef<int64_t> reduction, mlir::ValueRange extras = {},
                     Lowering::Body body = nullptr, mlir::ValueRange dynamic = {},
                     mlir::IntegerAttr winograd = {},
                     llvm::ArrayRef<mlir::AffineMap> extraMaps = {});

/// One factor of a product: how it is read over the loops, and what it is before it is
/// multiplied (null: the element itself, extended).
struct Factor {
  mlir::Value value;
  mlir::AffineMap map;
  bool isUnsigned = false;
  mlir::Value zeroPoint = nullptr; // subtracted, of the same element type
  mlir::AffineMap zeroPointMap = {};
};

/// Sums of products of `factors` in `accumulator`, a type at least as wide as the factors'. The loops
/// are those of the maps: the dims of `result` first, then `reductions` of the given
/// sizes. `order` says how loops nest, outermost first; empty for that order. `dynamic` are the open
/// sizes of the result where no factor tells them.
mlir::Value multiplyAccumulate(Lowering &b, llvm::ArrayRef<int64_t> result, mlir::Type accumulator,
                               llvm::ArrayRef<Factor> factors, unsigned reductions,
                               llvm::ArrayRef<unsigned> order = {}, mlir::ValueRange dynamic = {});

/// The type in which sums of `element` are made: f32 for narrower floats, else itself.
mlir::Type accumulatorType(mlir::Type element);
/// `value` with elements of `type`; floats round once.
mlir::Value convertFloat(Lowering &b, mlir::Value value, mlir::Type type);

/// saturate(round_to_even(sum * scale / y_scale) + y_zero_point) element by element, for
/// i32 sums. Scales are of any float type; all three are broadcast to the result.
mlir::Value requantize(Lowering &b, mlir::RankedTensorType result, mlir::Value sums,
                       mlir::ValueRange scales, mlir::Value yScale, mlir::Value yZeroPoint,
                       bool isUnsigned);

} // namespace burin::lower

#endif
