// SPDX-License-Identifier: Apache-2.0
//
// Shape rules of the normalization family.

#include "dialects/onnx/ElementTypes.h"
#include "dialects/onnx/shapes/ShapeRule.h"

using namespace mlir;

namespace burin::onnx {

LogicalResult inferBatchNormalization(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape x = rule.shape(0);
  if (x && x->empty())
    return rule.error() << "X must have rank 1 or more";
  Dim channels;
  if (x)
    channels = op->hasAttr("channels_last") ? x->back() : x->size() > 1 ? (*x)[1] : Dim(1);
  for (unsigned i = 1; i < 5; ++i) {
    if (failed(rule.expectRank(i, 1)))
      return failure();
    if (Shape statistics = rule.shape(i)) {
      FailureOr<Dim> merged =
          rule.same(channels, statistics->front(), "the channels of X and the parameters' sizes");
      if (failed(merged))
        return failure();
      channels = *merged;
    }
  }
  if (failed(rule.set(0, rule.element(0), x)))
    return failure();
  for (unsigned i = 1; i < op->getNumResults(); ++i)
    if (failed(rule.set(i, rule.element(3), Shape(Dims{channels}))))
      return failure();
  return success();
}

LogicalResult inferLayerNormalization(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape x = rule.shape(0);
  if (failed(rule.set(0, rule.element(0), x)))
    return failure();
  Shape statistics;
  if (x) {
    FailureOr<int64_t> axis = rule.axis(rule.attr("axis", -1), x->size());
    if (failed(axis))
      return failure();
    statistics = x;
    std::fill(statistics->begin() + *axis, statistics->end(), Dim(1));
  }
  Type element = elementTypeOf(op->getContext(), rule.attr("stash_type", 1));
  if (!element)
    return rule.error() << "'stash_type' is " << rule.attr("stash_type", 1)
                        << ", which is no ONNX element type";
  for (unsigned i = 1; i < op->getNumResults(); ++i)
    if (failed(rule.set(i, element, statistics)))
      return failure();
  return success();
}

} // namespace burin::onnx
