// SPDX-License-Identifier: Apache-2.0
//
// Rules of the control family's sequences and optionals.

#include "dialects/onnx/ElementTypes.h"
#include "dialects/onnx/shapes/ShapeRule.h"

using namespace mlir;

namespace burin::onnx {

/// The element type of a sequence operand; a diagnostic where it is none.
static FailureOr<Type> sequenceElement(ShapeRule &rule, unsigned operand) {
  auto type = dyn_cast<SequenceType>(rule.operand(operand).getType());
  if (!type)
    return rule.error() << "operand " << operand << " must be a sequence, not "
                        << rule.operand(operand).getType();
  return type.getElement();
}

static LogicalResult setSequence(ShapeRule &rule, Type element) {
  return rule.setType(0, SequenceType::get(rule.op->getContext(), element));
}

LogicalResult inferSequenceEmpty(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  int64_t dataType = rule.attr("dtype", 1);
  Type element = elementTypeOf(op->getContext(), dataType);
  if (!element)
    return rule.error() << "'dtype' is " << dataType << ", which is no ONNX element type";
  return setSequence(rule, UnrankedTensorType::get(element));
}

LogicalResult inferSequenceConstruct(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  if (rule.numOperands() == 0)
    return rule.error() << "needs at least one operand";
  Type element = rule.operand(0).getType();
  for (unsigned i = 1; i < rule.numOperands(); ++i) {
    Type joined = joinTypes(element, rule.operand(i).getType());
    if (!joined)
      return rule.error() << "operands 0 and " << i << " differ in element type";
    element = joined;
  }
  return setSequence(rule, element);
}

LogicalResult inferSequenceInsert(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  FailureOr<Type> element = sequenceElement(rule, 0);
  if (failed(element))
    return failure();
  // What an empty sequence may hold is not yet narrowed down.
  bool empty = rule.operand(0).getDefiningOp<SequenceEmptyOp>();
  Type tensor = rule.operand(1).getType(), joined = joinTypes(*element, tensor);
  if (!joined)
    return rule.error() << "cannot insert " << tensor << " into a sequence of " << *element;
  return setSequence(rule, empty ? tensor : joined);
}

LogicalResult inferSequenceErase(Operation *op, Types &types) {
  return ShapeRule(op, types).setType(0, op->getOperand(0).getType());
}

LogicalResult inferSequenceAt(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  FailureOr<Type> element = sequenceElement(rule, 0);
  if (failed(element))
    return failure();
  return rule.setType(0, *element);
}

LogicalResult inferSequenceLength(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  if (failed(sequenceElement(rule, 0)))
    return failure();
  return rule.set(0, IntegerType::get(op->getContext(), 64, IntegerType::Signed), Shape(Dims()));
}

LogicalResult inferConcatFromSequence(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  FailureOr<Type> element = sequenceElement(rule, 0);
  if (failed(element))
    return failure();
  auto tensor = dyn_cast<TensorType>(*element);
  if (!tensor)
    return rule.error() << "needs a sequence of tensors, not of " << *element;
  Shape shape = shapeOf(tensor);
  if (shape) {
    bool stack = rule.attr("new_axis", 0) != 0;
    FailureOr<int64_t> axis = rule.axis(rule.attr("axis", 0), shape->size() + stack);
    if (failed(axis))
      return failure();
    if (stack)
      shape->insert(shape->begin() + *axis, Dim());
    else
      (*shape)[*axis] = Dim();
  }
  return rule.set(0, tensor.getElementType(), shape);
}

LogicalResult inferSplitToSequence(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape input = rule.shape(0);
  if (!rule.element(0))
    return rule.error() << "operand 0 must be a tensor, not " << rule.operand(0).getType();
  if (!input)
    return setSequence(rule, rule.operand(0).getType());
  FailureOr<int64_t> axis = rule.axis(rule.attr("axis", 0), input->size());
  if (failed(axis))
    return failure();
  Dim &part = (*input)[*axis];
  Shape split = rule.shape(1);
  auto sizes = rule.ints(1);
  if (rule.absent(1)) {
    if (rule.attr("keepdims", 1) != 0)
      part = Dim(1);
    else
      input->erase(input->begin() + *axis);
  } else if (split && split->empty() && sizes) {
    int64_t size = sizes->front();
    if (size < 1)
      return rule.error() << "'split' must be 1 or more, not " << size;
    part = part.isStatic() && part.size % size == 0 ? Dim(size) : Dim();
  } else {
    bool equal = sizes && !sizes->empty() && llvm::all_equal(*sizes);
    part = equal ? Dim(sizes->front()) : Dim();
  }
  return setSequence(rule, tensorType(rule.element(0), input));
}

LogicalResult inferOptional(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Type element;
  if (!rule.absent(0))
    element = rule.operand(0).getType();
  else if (auto type = op->getAttrOfType<TypeAttr>("type"))
    element = type.getValue();
  else
    return rule.error() << "needs an operand or the attribute 'type'";
  return rule.setType(0, OptionalType::get(op->getContext(), element));
}

LogicalResult inferOptionalGetElement(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Type type = rule.operand(0).getType();
  if (auto optional = dyn_cast<OptionalType>(type))
    type = optional.getElement();
  return rule.setType(0, type);
}

LogicalResult inferOptionalHasElement(Operation *op, Types &types) {
  return ShapeRule(op, types).set(0, IntegerType::get(op->getContext(), 1), Shape(Dims()));
}

} // namespace burin::onnx
