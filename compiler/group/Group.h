// SPDX-License-Identifier: Apache-2.0
//
// What grouping and scheduling both need to know of a tensor op.

#ifndef BURIN_COMPILER_GROUP_GROUP_H
#define BURIN_COMPILER_GROUP_GROUP_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace burin::group {

/// Recomputed wherever it is needed rather than passed between kernels: scalar
/// constants, empty tensors, fills, index arithmetic.
bool isCheap(mlir::Operation *op);

/// Renames a shape without moving data.
bool isView(mlir::Operation *op);

/// A part of a state, as it lies there; what reads it reads the state itself.
bool isStateSlice(mlir::Operation *op);

/// Bodies and kernels grow no further by fusion: what compiles them takes more than linear time.
constexpr unsigned maxBodyOps = 128, maxKernelOps = 2048;

/// How many ops the regions of `op` hold, with their regions; `op` itself counts as one.
unsigned countOps(mlir::Operation *op);

/// What holds the data of `value`: follows views back.
mlir::Value dataOf(mlir::Value value);

/// The number of leading loops of `op` that are parallel and index the leading
/// dimensions of its results directly: the rows that tiling can share with
/// neighbours. 0 for ops that are not linalg.
unsigned rowRank(mlir::Operation *op);

/// Whether a dim is read backward, as 1 - d.
bool readsBackward(mlir::AffineMap map);

/// The number of leading dimensions of the consumer's loops by which it reads
/// `operand` directly; 0 where it reads another dimension backward.
unsigned sharedRows(mlir::linalg::LinalgOp consumer, mlir::OpOperand &operand);

/// The loops of `maps`, in groups of neighbours that every operand walks as one, as far as `mayJoin`
/// lets a loop be one with that before it. The maps are projected permutations: h * 2 + kh is no loop.
llvm::SmallVector<mlir::ReassociationIndices> joinedLoops(llvm::ArrayRef<mlir::AffineMap> maps,
                                                          llvm::function_ref<bool(int64_t)> mayJoin);

/// The operand whose memory `result` takes over: a destination, the target of an
/// inserted slice, a loop's initial value. Null for any other op.
mlir::OpOperand *tiedDestination(mlir::OpResult result);

/// What has the sizes of `value` and is there before it: the destination of what computes it, what a
/// loop begins with (lower-onnx carries nothing that changes in size), what a branch fills. Null where
/// nothing is known to be.
mlir::Value sizedLike(mlir::Value value);

/// Lets the chain of destinations that ends in `value` start at `destination` instead of
/// an empty tensor, so that no copy is needed.
void writeTo(mlir::Value value, mlir::Value destination);

/// `value` in memory of its own.
mlir::Value makeCopy(mlir::OpBuilder &builder, mlir::Value value);

/// Reshapes of slices of states become slices of the state itself, where memory allows that, or read
/// a copy: what a kernel clones can then be renamed in place.
void reshapeStateSlices(mlir::FunctionOpInterface func);

/// A fill of an open size that is read, and not written over, becomes a kernel's result: it gets
/// memory of the plan.
void placeOpenFills(mlir::FunctionOpInterface func);

} // namespace burin::group

#endif
