// SPDX-License-Identifier: Apache-2.0
//
// Generics that compute nothing: what they copy, and how one is made.

#ifndef BURIN_COMPILER_GROUP_COPIES_H
#define BURIN_COMPILER_GROUP_COPIES_H

#include "dialects/kern/Place.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"

namespace burin::group {

using kern::Place;
using kern::placeOf;

/// A tensor whose elements are those of `source`, read at `reads`: of each dim of the source, a
/// loop, a loop and a constant, or a constant. Each loop is read once; one of size 1 may not be.
struct Copy {
  mlir::Value source;
  mlir::AffineMap reads;
  bool isWhole = true; // all of the source is read; false where that is not known

  explicit operator bool() const { return source != nullptr; }
  mlir::RankedTensorType type() const {
    return mlir::cast<mlir::RankedTensorType>(source.getType());
  }
  bool isPermutation() const { return source && isWhole && reads.isPermutation(); }
};

/// What a generic that computes nothing copies: by the map of its one input, or by the places
/// that its body pulls from.
Copy copyOf(mlir::linalg::GenericOp op);

/// A tensor of `type` that reads `source` at `reads`; sizes that are dynamic are those of the source's
/// dims, which `reads` then permutes.
mlir::Value makeCopy(mlir::PatternRewriter &rewriter, mlir::Location loc,
                     mlir::RankedTensorType type, mlir::Value source, mlir::AffineMap reads);

/// Whether a copy permutes dims, the innermost among them, of what a contraction has laid out.
bool turnsContraction(const Copy &copy);
/// Whether all that `op` reads are such copies, of one order, and it works on any order of dims.
bool canSink(mlir::linalg::GenericOp op);
/// Patterns that move such copies below what reads them, so that layouts change at the edges of a
/// model alone.
void populateSinkTransposes(mlir::RewritePatternSet &patterns);

} // namespace burin::group

#endif
