// SPDX-License-Identifier: Apache-2.0
//
// Where slices begin whose sizes change from run to run.

#ifndef BURIN_DIALECTS_ONNX_SLICEBOUNDS_H
#define BURIN_DIALECTS_ONNX_SLICEBOUNDS_H

#include "dialects/onnx/SizeExpr.h"
#include "mlir/IR/Operation.h"

namespace burin::onnx {

/// Of one axis of a Slice: the first index that it takes, and the steps between them (positive).
struct SliceAxis {
  SizeExpr first;
  int64_t step = 1;
};

/// For each axis of the data of an onnx.Slice; nothing where a step goes backward, or the bounds
/// are not clamped in one way for all sizes that --dim allows.
std::optional<llvm::SmallVector<SliceAxis>> sliceAxes(mlir::Operation *slice);

} // namespace burin::onnx

#endif
