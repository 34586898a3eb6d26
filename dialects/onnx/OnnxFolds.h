// SPDX-License-Identifier: Apache-2.0
//
// Folding of the dialect's ops; see OnnxFolds.cpp.

#ifndef BURIN_DIALECTS_ONNX_ONNXFOLDS_H
#define BURIN_DIALECTS_ONNX_ONNXFOLDS_H

#include "dialects/onnx/OnnxBase.h"

namespace burin::onnx {

/// More elements than this are data to compute with, not a parameter to know.
inline constexpr int64_t maxFoldedElements = 1024;

/// Gives the dialect its fold hook.
void addFolds(OnnxDialect &dialect);

/// The constant that an elementwise `op` of constant operands is, or null. `type`
/// is the static type of its one result.
mlir::Attribute foldElementwise(mlir::Operation *op, mlir::RankedTensorType type,
                                llvm::ArrayRef<mlir::Attribute> operands);

} // namespace burin::onnx

#endif
