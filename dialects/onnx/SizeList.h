// SPDX-License-Identifier: Apache-2.0
//
// Operands that are lists of sizes: constants, and what the model computes from shapes.

#ifndef BURIN_DIALECTS_ONNX_SIZELIST_H
#define BURIN_DIALECTS_ONNX_SIZELIST_H

#include "dialects/onnx/SizeExpr.h"
#include "mlir/IR/Value.h"

namespace burin::onnx {

/// The elements of an integer tensor of the model, row by row; nothing where one is not known as an
/// expression over the model's dims. They may be negative, as pads are.
std::optional<llvm::SmallVector<SizeExpr>> sizeList(mlir::Value value);

} // namespace burin::onnx

#endif
