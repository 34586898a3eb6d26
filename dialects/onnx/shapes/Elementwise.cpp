// SPDX-License-Identifier: Apache-2.0
//
// Shape rules of the elementwise family, and of every operator whose result is
// shaped as its first operand.

#include "dialects/onnx/ElementTypes.h"
#include "dialects/onnx/shapes/ShapeRule.h"

using namespace mlir;

namespace burin::onnx {

/// Operands of most operators have one element type.
static LogicalResult expectOneType(ShapeRule &rule) {
  for (unsigned i = 1; i < rule.numOperands(); ++i)
    if (Type other = rule.element(i); other && rule.element(0) && other != rule.element(0))
      return rule.error() << "operands 0 and " << i << " differ in element type: "
                          << rule.element(0) << " and " << other << "; cast one of them";
  return success();
}

static LogicalResult setBroadcast(ShapeRule &rule, Type element) {
  SmallVector<Shape> shapes;
  for (unsigned i = 0; i < rule.numOperands(); ++i)
    if (!rule.absent(i)) {
      if (!rule.element(i))
        return rule.error() << "operand " << i << " must be a tensor, not "
                            << rule.operand(i).getType();
      shapes.push_back(rule.shape(i));
    }
  FailureOr<Shape> shape = rule.broadcast(shapes);
  if (failed(shape))
    return failure();
  return rule.set(0, element, *shape);
}

LogicalResult inferElementwise(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  if (rule.numOperands() == 0)
    return rule.error() << "needs at least one operand";
  if (!isa<PowOp>(op) && failed(expectOneType(rule))) // an exponent has a type of its own
    return failure();
  return setBroadcast(rule, rule.element(0));
}

LogicalResult inferPredicate(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  if (failed(expectOneType(rule)))
    return failure();
  return setBroadcast(rule, IntegerType::get(op->getContext(), 1));
}

LogicalResult inferWhere(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  return setBroadcast(rule, rule.element(1));
}

LogicalResult inferSameAsFirst(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  if (Shape shape = rule.shape(0))
    for (StringRef name : {"axis", "batch_axis", "time_axis"})
      if (auto axis = op->getAttrOfType<IntegerAttr>(name);
          axis && failed(rule.axis(axis.getInt(), shape->size())))
        return failure();
  return rule.setType(0, op->getOperand(0).getType());
}

LogicalResult inferCumulative(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  std::optional<int64_t> axis = rule.scalar(1);
  if (Shape shape = rule.shape(0); shape && axis && failed(rule.axis(*axis, shape->size())))
    return failure();
  return rule.setType(0, op->getOperand(0).getType());
}

LogicalResult inferDropout(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  if (failed(rule.set(0, rule.element(0), rule.shape(0))))
    return failure();
  return rule.set(1, IntegerType::get(op->getContext(), 1), rule.shape(0));
}

LogicalResult inferCast(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  int64_t to = rule.attr("to", 0);
  Type element = elementTypeOf(op->getContext(), to);
  if (!element)
    return rule.error() << "'to' is " << to << ", which is no ONNX element type";
  return rule.set(0, element, rule.shape(0));
}

LogicalResult inferCastLike(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  return rule.set(0, rule.element(1), rule.shape(0));
}

LogicalResult inferBitCast(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  int64_t to = rule.attr("to", 0);
  Type element = elementTypeOf(op->getContext(), to), from = rule.element(0);
  if (!element || !element.isIntOrFloat())
    return rule.error() << "'to' is " << to << ", which is no element type of fixed width";
  // A bool is a byte.
  auto width = [](Type type) { return type.isInteger(1) ? 8 : type.getIntOrFloatBitWidth(); };
  if (from && (!from.isIntOrFloat() || width(from) != width(element)))
    return rule.error() << "cannot reinterpret " << from << " as " << element
                        << "; their widths must be equal";
  return rule.set(0, element, rule.shape(0));
}

/// The quantization parameters of `x` are one scale, one per index of `axis`, or
/// one per block of `block_size` indices of it.
static LogicalResult checkQuantization(ShapeRule &rule) {
  Shape x = rule.shape(0), scale = rule.shape(1);
  int64_t block = rule.attr("block_size", 0);
  if (block < 0)
    return rule.error() << "'block_size' must not be negative, but is " << block;
  if (!rule.absent(2)) {
    Shape zero = rule.shape(2);
    if (scale && zero && scale->size() == zero->size()) {
      for (auto [a, b] : llvm::zip_equal(*scale, *zero))
        if (failed(rule.same(a, b, "sizes of scale and zero point")))
          return failure();
    } else if (scale && zero && scale->size() + zero->size() > 1) {
      return rule.error() << "scale and zero point must have one shape";
    }
  }
  if (!x || !scale || scale->empty() || (scale->size() == 1 && scale->front().size == 1))
    return success();
  FailureOr<int64_t> axis = rule.axis(rule.attr("axis", 1), x->size());
  if (failed(axis))
    return failure();
  if (block == 0) {
    if (scale->size() != 1)
      return rule.error() << "scale must have rank 0 or 1 without 'block_size', not "
                          << scale->size();
    return rule.same((*x)[*axis], scale->front(), "the size of 'axis' and the number of scales");
  }
  if (scale->size() != x->size())
    return rule.error() << "scale must have rank " << x->size() << " with 'block_size', not "
                        << scale->size();
  for (int64_t i = 0, rank = x->size(); i < rank; ++i) {
    Dim size = (*x)[i];
    if (i == *axis && size.isStatic())
      size = Dim(llvm::divideCeilSigned(size.size, block));
    if (failed(rule.same(size, (*scale)[i], "sizes of the blocks and of scale")))
      return failure();
  }
  return success();
}

LogicalResult inferQuantize(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  if (failed(checkQuantization(rule)))
    return failure();
  Type element;
  if (int64_t to = rule.attr("output_dtype", 0)) {
    element = elementTypeOf(op->getContext(), to);
    if (!element)
      return rule.error() << "'output_dtype' is " << to << ", which is no ONNX element type";
  }
  if (Type zero = rule.element(2)) {
    if (element && element != zero)
      return rule.error() << "'output_dtype' is " << element << ", but the zero point is " << zero;
    element = zero;
  }
  if (!element)
    element = IntegerType::get(op->getContext(), 8, IntegerType::Unsigned);
  return rule.set(0, element, rule.shape(0));
}

LogicalResult inferDequantize(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  if (failed(checkQuantization(rule)))
    return failure();
  Type element = rule.element(1);
  if (int64_t to = rule.attr("output_dtype", 0)) {
    element = elementTypeOf(op->getContext(), to);
    if (!element)
      return rule.error() << "'output_dtype' is " << to << ", which is no ONNX element type";
  }
  return rule.set(0, element, rule.shape(0));
}

} // namespace burin::onnx
