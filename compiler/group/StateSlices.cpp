// SPDX-License-Identifier: Apache-2.0
//
// Rows of a state lie apart in memory where the axis that grows is not the outermost: dims can be
// merged only where that crosses no such gap.

#include "compiler/group/Group.h"
#include "dialects/plan/PlanOps.h"

using namespace mlir;

namespace burin {
namespace {

/// Whether each group of dims that become one has at most one of another size than 1.
bool dropsUnits(tensor::CollapseShapeOp op) {
  return llvm::all_of(op.getReassociationIndices(), [&](const ReassociationIndices &group) {
    return llvm::count_if(group, [&](int64_t d) { return op.getSrcType().getDimSize(d) != 1; }) <= 1;
  });
}

/// collapse_shape(extract_slice(x)) as extract_slice(collapse_shape(x)): the dims that become one are
/// taken whole, or are of size 1 but for one. Null where that is not so.
Value collapseBefore(OpBuilder &builder, tensor::CollapseShapeOp op, tensor::ExtractSliceOp slice) {
  RankedTensorType type = slice.getSourceType();
  if (slice.getType().getRank() != type.getRank() || !type.hasStaticShape())
    return nullptr;
  SmallVector<int64_t> shape;
  SmallVector<OpFoldResult> offsets, sizes;
  SmallVector<OpFoldResult> oldOffsets = slice.getMixedOffsets(), oldSizes = slice.getMixedSizes();
  for (const ReassociationIndices &group : op.getReassociationIndices()) {
    auto isWhole = [&](int64_t d) { return isConstantIntValue(oldSizes[d], type.getDimSize(d)); };
    int64_t product = 1;
    for (int64_t d : group)
      product *= type.getDimSize(d);
    shape.push_back(product);
    if (llvm::all_of(group, isWhole)) {
      offsets.push_back(builder.getIndexAttr(0));
      sizes.push_back(builder.getIndexAttr(product));
      continue;
    }
    int64_t only = *llvm::find_if_not(group, isWhole);
    if (type.getDimSize(only) != product)
      return nullptr;
    offsets.push_back(oldOffsets[only]);
    sizes.push_back(oldSizes[only]);
  }
  Value whole = tensor::CollapseShapeOp::create(
      builder, op.getLoc(), RankedTensorType::get(shape, type.getElementType()), slice.getSource(),
      op.getReassociationIndices());
  SmallVector<OpFoldResult> steps(shape.size(), builder.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(builder, op.getLoc(), op.getResultType(), whole, offsets,
                                        sizes, steps);
}

} // namespace

void group::reshapeStateSlices(FunctionOpInterface func) {
  SmallVector<tensor::CollapseShapeOp> reshapes;
  func.walk([&](tensor::CollapseShapeOp op) { reshapes.push_back(op); });
  for (tensor::CollapseShapeOp op : reshapes) {
    auto slice = op.getSrc().getDefiningOp<tensor::ExtractSliceOp>();
    OpBuilder builder(op);
    if (!slice || !isStateSlice(slice)) {
      // Behind another view of a slice.
      Operation *data = dataOf(op.getSrc()).getDefiningOp();
      if (data && isStateSlice(data) && !dropsUnits(op))
        op.getSrcMutable().set(makeCopy(builder, op.getSrc()));
      continue;
    }
    Value reshaped;
    if (dropsUnits(op))
      reshaped = tensor::ExtractSliceOp::create(builder, op.getLoc(), op.getResultType(),
                                                slice.getSource(), slice.getMixedOffsets(),
                                                slice.getMixedSizes(), slice.getMixedStrides());
    else if (!(reshaped = collapseBefore(builder, op, slice)))
      reshaped = tensor::CollapseShapeOp::create(builder, op.getLoc(), op.getResultType(),
                                                 makeCopy(builder, slice),
                                                 op.getReassociationIndices());
    op.replaceAllUsesWith(reshaped);
    op.erase();
  }
}

} // namespace burin
