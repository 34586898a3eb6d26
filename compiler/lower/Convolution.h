// SPDX-License-Identifier: Apache-2.0
//
// What the convolution rules share: where windows lie, and the channels-last
// convolution on kern.contract.

#ifndef BURIN_COMPILER_LOWER_CONVOLUTION_H
#define BURIN_COMPILER_LOWER_CONVOLUTION_H

#include "compiler/lower/Contract.h"

namespace burin::lower {

/// Where a window lies: output position o and tap k read input position
/// o * stride + k * dilation - pad, in each spatial dim.
struct Window {
  onnx::SizeExpr batch;
  SizeList input, output;
  llvm::SmallVector<int64_t> kernel, strides, dilations;
  llvm::SmallVector<int64_t> pads, ends;  // at the start, at the end
  llvm::SmallVector<mlir::Value> openPads; // instead of `pads` where not null: a size decides them

  unsigned rank() const { return kernel.size(); }
  /// Input positions that a window spans.
  int64_t span(unsigned i) const { return (kernel[i] - 1) * dilations[i] + 1; }
  /// Input positions that all windows span together; the rule has failed where that is too long
  /// for an expression.
  onnx::SizeExpr reach(Lowering &b, unsigned i) const;
  /// Whether it reads outside the input.
  bool leavesInput() const;
  /// Whether kern.contract walks the kernel in dim i: also where it has one tap, but input and output
  /// do not lie on each other, since a dim read by a parallel dim alone is as large as that, at least.
  bool needsTap(unsigned i) const;
  /// Replaces the pads by those of SAME_UPPER, SAME_LOWER or VALID.
  void applyAutoPad(Lowering &b, llvm::StringRef autoPad);
  /// Of an input that has been padded already.
  Window insidePadded(Lowering &b) const;
};

/// `values`, or `count` times `other` where they are absent or of another length.
llvm::SmallVector<int64_t> intsOr(std::optional<llvm::ArrayRef<int64_t>> values, unsigned count,
                                  int64_t other);

/// Of a convolution with channels-first sizes [n, c, spatial...].
template <typename Op>
Window readWindow(Op op, llvm::ArrayRef<onnx::SizeExpr> x, llvm::ArrayRef<int64_t> w,
                  llvm::ArrayRef<onnx::SizeExpr> y) {
  Window window;
  unsigned rank = w.size() - 2;
  window.batch = x.front();
  window.input.assign(x.begin() + 2, x.end());
  window.output.assign(y.begin() + 2, y.end());
  window.kernel.assign(w.begin() + 2, w.end());
  window.strides = intsOr(op.getStrides(), rank, 1);
  window.dilations = intsOr(op.getDilations(), rank, 1);
  window.pads = intsOr(op.getPads(), 2 * rank, 0);
  window.ends.assign(window.pads.begin() + rank, window.pads.end());
  window.pads.resize(rank);
  window.openPads.resize(rank);
  return window;
}

/// [0, 2, ..., rank - 1, 1]: channels to the end; and back.
llvm::SmallVector<int64_t> toChannelsLast(int64_t rank);
llvm::SmallVector<int64_t> toChannelsFirst(int64_t rank);

/// Channels-last convolution of f32 `x` [n, spatial..., channels] to [n, spatial..., columns] with
/// packed weights (leading dim: group, if there are several; reduction dims: kernel..., channel)
/// and an optional `bias` [columns]. `sign` is -1 where the kernel is walked
/// backwards: tap k then reads o * stride - k * dilation + pad.
/// `winogradTile` is not 0 where the weights are transformed for tiles of that size.
mlir::Value convolve(Lowering &b, mlir::Value x, mlir::Value panels, mlir::Value bias,
                     const Window &window, int64_t groups, int64_t columns, int64_t sign = 1,
                     int64_t winogradTile = 0);

/// The kern.contract of a convolution into a new tensor of `sizes`, and `bias` [columns] or [group, columns] in its
/// epilogue where it is not null.
mlir::Value contractWithBias(Lowering &b, llvm::ArrayRef<onnx::SizeExpr> sizes, mlir::Value x,
                             mlir::Value panels, mlir::AffineMap xMap, mlir::AffineMap panelMap,
                             llvm::ArrayRef<int64_t> reduction, mlir::Value bias,
                             mlir::IntegerAttr winograd = {});

/// Says that sizes must be fixed at compile time.
mlir::LogicalResult needStaticSizes(Lowering &b);

// Rules in files of their own.
mlir::FailureOr<llvm::SmallVector<mlir::Value>>
lowerConvTranspose(Lowering &b, mlir::Operation *op, mlir::ValueRange operands);
mlir::FailureOr<llvm::SmallVector<mlir::Value>>
lowerDeformConv(Lowering &b, mlir::Operation *op, mlir::ValueRange operands);

} // namespace burin::lower

#endif
