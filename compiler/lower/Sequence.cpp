// SPDX-License-Identifier: Apache-2.0
//
// Sequences and optionals, resolved while the model is lowered: a list is the tensors
// that it holds, tied together by a cast that nothing reads in the end. A position that only
// the running model knows has no such form and is refused.

#include "compiler/lower/Lowering.h"
#include "compiler/lower/Reduction.h"
#include "dialects/onnx/OnnxOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace burin::lower {

void eraseLists(Operation *function) {
  SmallVector<UnrealizedConversionCastOp> lists;
  function->walk([&](UnrealizedConversionCastOp list) { lists.push_back(list); });
  for (UnrealizedConversionCastOp list : llvm::reverse(lists))
    if (list->use_empty())
      list->erase();
}

namespace {

using Values = SmallVector<Value>;

constexpr StringRef unknownList =
    "a sequence whose elements are known only when the model runs; unroll it before export";
constexpr StringRef unknownPosition =
    "a position in a sequence that is known only when the model runs; make it constant";

Value makeList(Lowering &b, ValueRange elements) {
  Type type = storageType(b.getOp()->getResult(0).getType());
  return UnrealizedConversionCastOp::create(b, type, elements).getResult(0);
}

std::optional<Values> elementsOf(Value list) {
  if (auto cast = list.getDefiningOp<UnrealizedConversionCastOp>())
    return Values(cast.getInputs());
  return std::nullopt;
}

/// The constant position at `operand`, counted from the front; `absent` where there is none.
/// Elements may be inserted at the end.
FailureOr<int64_t> positionOf(Lowering &b, unsigned operand, int64_t size, int64_t absent,
                              bool mayBeEnd) {
  if (b.isAbsent(operand))
    return absent;
  std::optional<SmallVector<int64_t>> position = b.constantInts(operand);
  if (!position || position->size() != 1)
    return b.unsupported(unknownPosition);
  int64_t at = position->front() + (position->front() < 0 ? size : 0);
  if (at < 0 || at > size - (mayBeEnd ? 0 : 1))
    return b.unsupported("position " + Twine(position->front()) + " in a sequence of " +
                         Twine(size) + " elements");
  return at;
}

FailureOr<Values> lowerConstruct(Lowering &b, Operation *, ValueRange operands) {
  return Values{makeList(b, operands)};
}

FailureOr<Values> lowerInsert(Lowering &b, Operation *, ValueRange operands) {
  std::optional<Values> elements = elementsOf(operands[0]);
  if (!elements)
    return b.unsupported(unknownList);
  int64_t size = elements->size();
  FailureOr<int64_t> at = positionOf(b, 2, size, size, /*mayBeEnd=*/true);
  if (failed(at))
    return failure();
  elements->insert(elements->begin() + *at, operands[1]);
  return Values{makeList(b, *elements)};
}

FailureOr<Values> lowerErase(Lowering &b, Operation *, ValueRange operands) {
  std::optional<Values> elements = elementsOf(operands[0]);
  if (!elements)
    return b.unsupported(unknownList);
  int64_t size = elements->size();
  FailureOr<int64_t> at = positionOf(b, 1, size, size - 1, /*mayBeEnd=*/false);
  if (failed(at) || *at < 0)
    return b.unsupported("nothing to erase");
  elements->erase(elements->begin() + *at);
  return Values{makeList(b, *elements)};
}

FailureOr<Values> lowerAt(Lowering &b, Operation *, ValueRange operands) {
  std::optional<Values> elements = elementsOf(operands[0]);
  if (!elements)
    return b.unsupported(unknownList);
  FailureOr<int64_t> at = positionOf(b, 1, elements->size(), 0, /*mayBeEnd=*/false);
  if (failed(at))
    return failure();
  return Values{(*elements)[*at]};
}

Value constantScalar(Lowering &b, Type element, int64_t value) {
  auto type = RankedTensorType::get({}, element);
  return arith::ConstantOp::create(
      b, DenseElementsAttr::get(type, b.getIntegerAttr(element, value)));
}

FailureOr<Values> lowerLength(Lowering &b, Operation *, ValueRange operands) {
  std::optional<Values> elements = elementsOf(operands[0]);
  if (!elements)
    return b.unsupported(unknownList);
  return Values{constantScalar(b, b.getI64Type(), elements->size())};
}

/// Puts `parts` one after the other along `axis`.
Value concatenate(Lowering &b, ArrayRef<Value> parts, int64_t axis) {
  auto first = cast<RankedTensorType>(parts[0].getType());
  SmallVector<int64_t> shape(first.getShape());
  shape[axis] = 0;
  for (Value part : parts)
    shape[axis] += cast<RankedTensorType>(part.getType()).getDimSize(axis);
  Value result = b.empty(RankedTensorType::get(shape, first.getElementType()));
  int64_t offset = 0;
  for (Value part : parts) {
    ArrayRef<int64_t> extents = cast<RankedTensorType>(part.getType()).getShape();
    SmallVector<OpFoldResult> offsets(shape.size(), b.getIndexAttr(0)), sizes,
        strides(shape.size(), b.getIndexAttr(1));
    offsets[axis] = b.getIndexAttr(offset);
    for (int64_t size : extents)
      sizes.push_back(b.getIndexAttr(size));
    result = tensor::InsertSliceOp::create(b, part, result, offsets, sizes, strides);
    offset += extents[axis];
  }
  return result;
}

FailureOr<Values> lowerConcat(Lowering &b, Operation *op, ValueRange operands) {
  auto concat = cast<onnx::ConcatFromSequenceOp>(op);
  std::optional<Values> elements = elementsOf(operands[0]);
  if (!elements || elements->empty())
    return b.unsupported(unknownList);
  for (Value element : *elements)
    if (!cast<RankedTensorType>(element.getType()).hasStaticShape())
      return b.unsupported("an element whose shape is known only when the model runs");
  auto type = cast<RankedTensorType>(elements->front().getType());
  bool stacks = concat.getNewAxis() != 0;
  std::optional<int64_t> axis = normalizedAxis(concat.getAxis(), type.getRank() + stacks);
  if (!axis)
    return b.unsupported("its axis is outside of its elements' dimensions");
  for (Value &element : *elements) {
    auto own = cast<RankedTensorType>(element.getType());
    SmallVector<int64_t> shape(own.getShape()), like(type.getShape());
    if (shape.size() == like.size() && !stacks)
      shape[*axis] = like[*axis];
    if (shape != like)
      return b.unsupported("elements of shapes that do not fit together");
    if (stacks) {
      shape.insert(shape.begin() + *axis, 1);
      element = b.reshape(element, shape);
    }
  }
  return Values{concatenate(b, *elements, *axis)};
}

FailureOr<Values> lowerSplit(Lowering &b, Operation *op, ValueRange operands) {
  auto split = cast<onnx::SplitToSequenceOp>(op);
  auto type = cast<RankedTensorType>(operands[0].getType());
  if (!type.hasStaticShape())
    return b.unsupported("its shape is known only when the model runs; fix it with --dim "
                         "NAME=VALUE");
  std::optional<int64_t> axis = normalizedAxis(split.getAxis(), type.getRank());
  if (!axis)
    return b.unsupported("its axis is outside of its input's dimensions");
  int64_t size = type.getDimSize(*axis);
  SmallVector<int64_t> parts;
  bool drops = false;
  if (b.isAbsent(1)) {
    parts.assign(size, 1);
    drops = split.getKeepdims() == 0;
  } else if (std::optional<SmallVector<int64_t>> given = b.constantInts(1)) {
    bool isScalar = cast<RankedTensorType>(operands[1].getType()).getRank() == 0;
    if (isScalar && given->front() > 0)
      for (int64_t left = size; left > 0; left -= given->front())
        parts.push_back(std::min(left, given->front()));
    else
      parts = *given;
  } else {
    return b.unsupported("the sizes of its parts are known only when the model runs; make them "
                         "constant");
  }
  Values elements;
  int64_t offset = 0;
  for (int64_t part : parts) {
    if (part < 0 || part > size - offset)
      return b.unsupported("parts that exceed its input");
    SmallVector<int64_t> shape(type.getShape());
    shape[*axis] = part;
    SmallVector<OpFoldResult> offsets(shape.size(), b.getIndexAttr(0)), sizes,
        strides(shape.size(), b.getIndexAttr(1));
    offsets[*axis] = b.getIndexAttr(offset);
    for (int64_t extent : shape)
      sizes.push_back(b.getIndexAttr(extent));
    Value element = tensor::ExtractSliceOp::create(b, operands[0], offsets, sizes, strides);
    if (drops) {
      shape.erase(shape.begin() + *axis);
      element = b.reshape(element, shape);
    }
    elements.push_back(element);
    offset += part;
  }
  if (offset != size)
    return b.unsupported("parts that do not cover its input");
  return Values{makeList(b, elements)};
}

//===- Optionals: lists of at most one --------------------------------------===//

FailureOr<Values> lowerOptional(Lowering &b, Operation *, ValueRange operands) {
  return Values{makeList(b, operands[0] ? operands : ValueRange())};
}

bool isOptional(Value onnxValue) { return isa<onnx::OptionalType>(onnxValue.getType()); }

FailureOr<Values> lowerGetElement(Lowering &b, Operation *op, ValueRange operands) {
  if (!isOptional(op->getOperand(0)))
    return Values{operands[0]};
  std::optional<Values> elements = elementsOf(operands[0]);
  if (!elements)
    return b.unsupported("an optional that only the running model knows to hold something");
  if (elements->empty())
    return b.unsupported("the element of an optional that holds none");
  return Values{elements->front()};
}

FailureOr<Values> lowerHasElement(Lowering &b, Operation *op, ValueRange operands) {
  bool has = operands[0] != nullptr;
  if (has && isOptional(op->getOperand(0))) {
    std::optional<Values> elements = elementsOf(operands[0]);
    if (!elements)
      return b.unsupported("an optional that only the running model knows to hold something");
    has = !elements->empty();
  }
  return Values{constantScalar(b, b.getI8Type(), has)};
}

} // namespace

void registerSequence(RuleTable &table) {
  using namespace burin::onnx;
  table.add<SequenceConstructOp>(lowerConstruct);
  table.add<SequenceEmptyOp>(lowerConstruct);
  table.add<SequenceInsertOp>(lowerInsert);
  table.add<SequenceEraseOp>(lowerErase);
  table.add<SequenceAtOp>(lowerAt);
  table.add<SequenceLengthOp>(lowerLength);
  table.add<ConcatFromSequenceOp>(lowerConcat);
  table.add<SplitToSequenceOp>(lowerSplit);
  table.add<OptionalOp>(lowerOptional);
  table.add<OptionalGetElementOp>(lowerGetElement);
  table.add<OptionalHasElementOp>(lowerHasElement);
}

} // namespace burin::lower
