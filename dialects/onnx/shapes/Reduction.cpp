// SPDX-License-Identifier: Apache-2.0
//
// Shape rules of the reduction family.

#include "dialects/onnx/shapes/ShapeRule.h"

using namespace mlir;

namespace burin::onnx {

/// `shape` with the dimensions of `reduced` of size 1, or dropped.
static Dims reduceDims(ArrayRef<Dim> shape, ArrayRef<int64_t> reduced, bool keepDims) {
  Dims result;
  for (auto [i, dim] : llvm::enumerate(shape)) {
    if (!llvm::is_contained(reduced, int64_t(i)))
      result.push_back(dim);
    else if (keepDims)
      result.push_back(Dim(1));
  }
  return result;
}

LogicalResult inferReduction(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape data = rule.shape(0);
  bool keepDims = rule.attr("keepdims", 1) != 0;
  if (!data)
    return rule.set(0, rule.element(0), std::nullopt);

  SmallVector<int64_t> axes;
  Shape axesShape = rule.shape(1);
  bool empty = rule.absent(1) || (axesShape && axesShape->size() == 1 && axesShape->front().size == 0);
  if (empty) {
    if (rule.attr("noop_with_empty_axes", 0) != 0)
      return rule.set(0, rule.element(0), data);
    llvm::append_range(axes, llvm::seq<int64_t>(0, data->size()));
  } else if (auto given = rule.ints(1)) {
    FailureOr<SmallVector<int64_t>> positive = rule.axes(*given, data->size());
    if (failed(positive))
      return failure();
    axes = *positive;
  } else {
    // Which dimensions are reduced is known when the model runs.
    if (keepDims)
      return rule.set(0, rule.element(0), Shape(Dims(data->size())));
    bool counted = axesShape && axesShape->size() == 1 && axesShape->front().isStatic() &&
                   axesShape->front().size <= int64_t(data->size());
    return rule.set(0, rule.element(0),
                    counted ? Shape(Dims(data->size() - axesShape->front().size)) : Shape());
  }
  return rule.set(0, rule.element(0), Shape(reduceDims(*data, axes, keepDims)));
}

LogicalResult inferArgReduction(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Type element = IntegerType::get(op->getContext(), 64, IntegerType::Signed);
  Shape data = rule.shape(0);
  if (!data)
    return rule.set(0, element, std::nullopt);
  FailureOr<int64_t> axis = rule.axis(rule.attr("axis", 0), data->size());
  if (failed(axis))
    return failure();
  if ((*data)[*axis].size == 0)
    return rule.error() << "axis " << *axis << " has size 0; there is no element to choose";
  return rule.set(0, element, Shape(reduceDims(*data, *axis, rule.attr("keepdims", 1) != 0)));
}

} // namespace burin::onnx
