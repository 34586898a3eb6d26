// SPDX-License-Identifier: Apache-2.0
//
// Indices that read one loop as it is: what can be cut where a loop is.

#ifndef BURIN_DIALECTS_KERN_PLACE_H
#define BURIN_DIALECTS_KERN_PLACE_H

#include "mlir/IR/AffineExpr.h"

#include <optional>

namespace burin::kern {

/// A loop that an index reads, if any, and what is added to it.
struct Place {
  std::optional<unsigned> loop;
  int64_t offset = 0;
};

/// Of a loop, a loop and a constant, or a constant; nothing for any other expression.
std::optional<Place> placeOf(mlir::AffineExpr expr);

} // namespace burin::kern

#endif
