// SPDX-License-Identifier: Apache-2.0
#include "compiler/group/Parts.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace burin::group {

SmallVector<Part> partsOf(Value whole, Value destination) {
  auto type = dyn_cast<RankedTensorType>(whole.getType());
  if (!type || !type.hasStaticShape())
    return {};
  SmallVector<Part> parts;
  while (auto insert = whole.getDefiningOp<tensor::InsertSliceOp>()) {
    RankedTensorType from = insert.getSourceType();
    bool isWhole = from.getRank() == type.getRank() && from.hasStaticShape() && insert.hasUnitStride() &&
                   insert->hasOneUse() && llvm::none_of(insert.getStaticOffsets(), ShapedType::isDynamic);
    if (!isWhole || from.getShape() != insert.getStaticSizes())
      return {};
    parts.push_back({insert.getSource(), SmallVector<int64_t>(insert.getStaticOffsets())});
    whole = insert.getDest();
  }
  if (whole != destination)
    return {};
  std::reverse(parts.begin(), parts.end());
  return parts;
}

} // namespace burin::group
