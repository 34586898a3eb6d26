// SPDX-License-Identifier: Apache-2.0
//
// Tensors that are put side by side in another.

#ifndef BURIN_COMPILER_GROUP_PARTS_H
#define BURIN_COMPILER_GROUP_PARTS_H

#include "mlir/IR/Block.h"
#include "llvm/ADT/SmallVector.h"

namespace burin::group {

/// A tensor that becomes a part of another, of as many dims.
struct Part {
  mlir::Value source;
  llvm::SmallVector<int64_t> offsets; // in the other
};

/// What `whole` is made of, where that is tensor.insert_slices of fixed sizes into `destination`, in their order; empty where it
/// is not.
llvm::SmallVector<Part> partsOf(mlir::Value whole, mlir::Value destination);

/// Tensors whose first parts are the same tensor have that in common, which CSE has made: each gets its own, so that what
/// makes it writes nothing that another reads.
void unshareParts(mlir::Block &block);

} // namespace burin::group

#endif
