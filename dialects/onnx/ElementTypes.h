// SPDX-License-Identifier: Apache-2.0
//
// ONNX's TensorProto.DataType numbers, as attributes such as Cast's `to` hold
// them, and the element types that stand for them.

#ifndef BURIN_DIALECTS_ONNX_ELEMENTTYPES_H
#define BURIN_DIALECTS_ONNX_ELEMENTTYPES_H

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Types.h"

namespace burin::onnx {

/// The element type of a TensorProto.DataType number; null where ONNX has none.
mlir::Type elementTypeOf(mlir::MLIRContext *context, int64_t dataType);

/// The inverse; 0 (UNDEFINED) where ONNX has none.
int64_t dataTypeOf(mlir::Type element);

} // namespace burin::onnx

#endif
