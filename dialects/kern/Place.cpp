// SPDX-License-Identifier: Apache-2.0
#include "dialects/kern/Place.h"

using namespace mlir;

namespace burin::kern {

std::optional<Place> placeOf(AffineExpr expr) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return Place{dim.getPosition(), 0};
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return Place{std::nullopt, constant.getValue()};
  auto sum = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!sum || sum.getKind() != AffineExprKind::Add)
    return std::nullopt;
  auto dim = dyn_cast<AffineDimExpr>(sum.getLHS());
  auto constant = dyn_cast<AffineConstantExpr>(sum.getRHS());
  if (!dim || !constant)
    return std::nullopt;
  return Place{dim.getPosition(), constant.getValue()};
}

} // namespace burin::kern
