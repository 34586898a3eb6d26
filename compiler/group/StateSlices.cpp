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

/// expand_shape(extract_slice(x)) as extract_slice(expand_shape(x)): the dims that are split are taken
/// whole, or get dims of size 1 beside them. Null where that is not so.
tensor::ExtractSliceOp expandBefore(OpBuilder &builder, tensor::ExpandShapeOp op,
                                    tensor::ExtractSliceOp slice) {
  RankedTensorType type = slice.getSourceType();
  if (!type.hasStaticShape() || slice.getType().getRank() == 0)
    return nullptr;
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  SmallVector<OpFoldResult> oldOffsets = slice.getMixedOffsets(), oldSizes = slice.getMixedSizes();
  SmallVector<int64_t> shape;
  SmallVector<OpFoldResult> offsets, sizes;
  SmallVector<ReassociationIndices> groups;
  OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
  auto add = [&](int64_t of, OpFoldResult offset, OpFoldResult size) {
    groups.back().push_back(int64_t(shape.size()));
    shape.push_back(of);
    offsets.push_back(offset);
    sizes.push_back(size);
  };
  unsigned at = 0; // of the slice's own dims
  for (int64_t d = 0; d < type.getRank(); ++d) {
    groups.emplace_back();
    if (dropped.test(d)) {
      add(type.getDimSize(d), oldOffsets[d], oldSizes[d]);
      continue;
    }
    ReassociationIndices group = op.getReassociationIndices()[at++];
    auto isUnit = [&](int64_t r) { return op.getResultType().getDimSize(r) == 1; };
    int64_t units = llvm::count_if(group, isUnit), rank = int64_t(group.size());
    // Of units alone, the first is the old one.
    int64_t old = units == rank ? group.front() : *llvm::find_if_not(group, isUnit);
    bool splits = units < rank - 1;
    if (splits && !isConstantIntValue(oldSizes[d], type.getDimSize(d)))
      return nullptr;
    for (int64_t r : group) {
      int64_t size = op.getResultType().getDimSize(r);
      if (splits)
        add(size, zero, builder.getIndexAttr(size));
      else if (r == old)
        add(type.getDimSize(d), oldOffsets[d], oldSizes[d]);
      else
        add(1, zero, one);
    }
  }
  if (llvm::any_of(shape, ShapedType::isDynamic))
    return nullptr;
  Value whole = tensor::ExpandShapeOp::create(
      builder, op.getLoc(), RankedTensorType::get(shape, type.getElementType()), slice.getSource(),
      groups);
  SmallVector<OpFoldResult> steps(shape.size(), one);
  return tensor::ExtractSliceOp::create(builder, op.getLoc(), op.getResultType(), whole, offsets,
                                        sizes, steps);
}

/// The slice of a state that `value` is, perhaps behind a reshape; null for any other.
tensor::ExtractSliceOp stateSliceOf(OpBuilder &builder, Value value) {
  if (auto expand = value.getDefiningOp<tensor::ExpandShapeOp>()) {
    auto slice = expand.getSrc().getDefiningOp<tensor::ExtractSliceOp>();
    return slice && group::isStateSlice(slice) ? expandBefore(builder, expand, slice) : nullptr;
  }
  auto slice = value.getDefiningOp<tensor::ExtractSliceOp>();
  return slice && group::isStateSlice(slice) ? slice : nullptr;
}

} // namespace

void group::reshapeStateSlices(FunctionOpInterface func) {
  SmallVector<tensor::CollapseShapeOp> reshapes;
  func.walk([&](tensor::CollapseShapeOp op) { reshapes.push_back(op); });
  for (tensor::CollapseShapeOp op : reshapes) {
    OpBuilder builder(op);
    Operation *data = dataOf(op.getSrc()).getDefiningOp();
    if (!data || !isStateSlice(data))
      continue;
    tensor::ExtractSliceOp slice = stateSliceOf(builder, op.getSrc());
    if (!slice) {
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
