// SPDX-License-Identifier: Apache-2.0
#include "compiler/group/Parts.h"

#include "compiler/group/Group.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
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

void unshareParts(Block &block) {
  auto before = [](tensor::InsertSliceOp insert) { return insert.getDest().getDefiningOp<tensor::InsertSliceOp>(); };
  for (auto last : llvm::to_vector(block.getOps<tensor::InsertSliceOp>())) {
    tensor::InsertSliceOp first = last;
    while (tensor::InsertSliceOp earlier = before(first))
      first = earlier;
    // What lies in a state, or in another op's result, is no tensor's own.
    if (!first.getDest().getDefiningOp<tensor::EmptyOp>() && !first.getDest().getDefiningOp<linalg::FillOp>())
      continue;
    for (tensor::InsertSliceOp insert = last; tensor::InsertSliceOp earlier = before(insert); insert = before(insert))
      if (!earlier->hasOneUse())
        insert.getDestMutable().assign(OpBuilder(insert).clone(*earlier)->getResult(0));
  }
}

} // namespace burin::group
