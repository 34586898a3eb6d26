// SPDX-License-Identifier: Apache-2.0
//
// Constants, ops that only rename a tensor's shape, and tensors computed from
// shapes and positions.
#include "compiler/lower/Access.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace burin;
using namespace burin::lower;

namespace {

/// Dense elements in storage types: signless, bool as i8.
DenseElementsAttr storageElements(DenseElementsAttr elements) {
  auto type = cast<RankedTensorType>(storageType(elements.getType()));
  if (!elements.getElementType().isInteger(1))
    return elements.bitcast(type.getElementType());
  return elements.mapValues(type.getElementType(),
                            [](const APInt &bit) { return bit.zext(8); });
}

FailureOr<SmallVector<Value>> lowerConstant(Lowering &b, Operation *op, ValueRange) {
  auto constant = cast<onnx::ConstantOp>(op);
  RankedTensorType type = b.resultType();
  if (!type)
    return b.unsupported("a constant that is not a tensor");
  if (auto elements = dyn_cast<DenseElementsAttr>(constant.getValue())) {
    elements = storageElements(elements);
    if (elements.isSplat())
      return SmallVector<Value>{arith::ConstantOp::create(b, elements)};
    return SmallVector<Value>{plan::ConstantOp::create(b, elements)};
  }
  if (auto weight = dyn_cast<plan::WeightAttr>(constant.getValue()))
    return SmallVector<Value>{plan::ConstantOp::create(
        b, plan::WeightAttr::get(b.getContext(), type, weight.getSegment(), weight.getOffset(),
                                 weight.getLength()))};
  return b.unsupported("a constant of a kind that has no storage");
}

/// Reshape, Flatten, Squeeze, Unsqueeze: the result type says it all.
FailureOr<SmallVector<Value>> lowerReshape(Lowering &b, Operation *op, ValueRange operands) {
  RankedTensorType type = b.resultType();
  if (!type)
    return b.unsupported("the result's rank is known only when the model runs");
  return SmallVector<Value>{
      b.reshape(operands[0], b.sizes(op->getOperand(0)), b.sizes(op->getResult(0)))};
}

//===- Shapes as values -----------------------------------------------------===//

/// An i64 constant of the result's type.
Value integers(Lowering &b, ArrayRef<int64_t> values) {
  auto elements = DenseElementsAttr::get(b.resultType(), values);
  if (elements.isSplat())
    return arith::ConstantOp::create(b, elements);
  return plan::ConstantOp::create(b, elements);
}

/// As above of sizes that may change from run to run.
Results sizesAsData(Lowering &b, ArrayRef<onnx::SizeExpr> sizes) {
  SmallVector<int64_t> numbers;
  for (const onnx::SizeExpr &size : sizes)
    if (std::optional<int64_t> number = size.constant())
      numbers.push_back(*number);
  if (numbers.size() == sizes.size())
    return SmallVector<Value>{integers(b, numbers)};
  auto values = llvm::map_to_vector(sizes, [&](const onnx::SizeExpr &size) { return b.size(size); });
  return SmallVector<Value>{b.indexed(b.resultType(), [&](Lowering &in, ValueRange at) {
    Scalars s{in};
    Value chosen = values.front();
    for (size_t i = 1; i < values.size(); ++i)
      chosen = s.select(s.equal(at[0], in.index(i)), values[i], chosen);
    return fromIndex(in, chosen, in.getI64Type());
  })};
}

constexpr StringRef unknownSizes =
    "the operand's shape is known only when the model runs; fix its sizes with --dim NAME=VALUE";

FailureOr<SmallVector<Value>> lowerShape(Lowering &b, Operation *op, ValueRange) {
  auto node = cast<onnx::ShapeOp>(op);
  auto data = dyn_cast<RankedTensorType>(node.getData().getType());
  if (!data || !b.hasRanges(data))
    return b.unsupported(unknownSizes);
  int64_t rank = data.getRank();
  auto bound = [&](int64_t value) {
    return std::clamp<int64_t>(value < 0 ? value + rank : value, 0, rank);
  };
  int64_t start = bound(node.getStart()), end = bound(node.getEnd().value_or(rank));
  SmallVector<onnx::SizeExpr> sizes = b.sizes(node.getData());
  ArrayRef<onnx::SizeExpr> part = ArrayRef(sizes).slice(start, std::max<int64_t>(end - start, 0));
  if (!b.resultType() || b.resultType().getShape() != ArrayRef<int64_t>{int64_t(part.size())})
    return b.unsupported("the result's declared shape disagrees with start and end");
  return sizesAsData(b, part);
}

FailureOr<SmallVector<Value>> lowerSize(Lowering &b, Operation *op, ValueRange) {
  Value input = cast<onnx::SizeOp>(op).getData();
  auto data = dyn_cast<RankedTensorType>(input.getType());
  if (!data || !b.hasRanges(data))
    return b.unsupported(unknownSizes);
  std::optional<onnx::SizeExpr> total = productOf(b.sizes(input));
  if (!total)
    return b.unsupported("a product of sizes that is too long; fix some of them with --dim "
                         "NAME=VALUE");
  return sizesAsData(b, {*total});
}

//===- Values from shapes and positions -------------------------------------===//

FailureOr<SmallVector<Value>> lowerConstantOfShape(Lowering &b, Operation *op, ValueRange) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  Type element = type->getElementType();
  Attribute value = cast<onnx::ConstantOfShapeOp>(op).getValueAttr();
  SmallVector<Value> sizes = b.sizesOf(*type);
  if (!value)
    return SmallVector<Value>{b.fill(*type, b.scalarInt(element, 0), sizes)};
  auto elements = dyn_cast<DenseElementsAttr>(value);
  if (!elements || elements.getNumElements() != 1)
    return b.unsupported("a value that is not one element");
  elements = storageElements(elements);
  if (elements.getElementType() != element || !element.isIntOrFloat())
    return b.unsupported("a value of another type than the result's");
  return SmallVector<Value>{
      b.fill(*type, arith::ConstantOp::create(b, elements.getSplatValue<TypedAttr>()), sizes)};
}

FailureOr<SmallVector<Value>> lowerEyeLike(Lowering &b, Operation *op, ValueRange) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  if (type->getRank() != 2 || !type->getElementType().isIntOrFloat())
    return b.unsupported("needs a matrix of numbers or bools");
  int64_t diagonal = cast<onnx::EyeLikeOp>(op).getK();
  return SmallVector<Value>{b.indexed(*type, [&](Lowering &in, ValueRange at) {
    Scalars s{in};
    Value isOn = s.equal(s.sub(at[1], at[0]), in.index(diagonal));
    return s.select(isOn, in.scalarInt(type->getElementType(), 1),
                    in.scalarInt(type->getElementType(), 0));
  })};
}

/// start + i * delta in the operands' type, computed wide where that is narrow. The
/// number of elements is the declared one, which the data must agree with.
FailureOr<SmallVector<Value>> lowerRange(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  std::optional<int64_t> fixed = b.sizes(op->getResult(0))[0].constant();
  Value counted = fixed ? Value() : b.resultSize(0, 0);
  auto count = [&](Lowering &in) { return counted ? counted : in.index(*fixed); };
  Type element = type->getElementType();
  bool isFloat = isa<FloatType>(element);
  bool isWide = element.isF64() ||
                (!element.isF32() && cast<onnx::RangeOp>(op).getStashType() == 11 /* double */);
  return SmallVector<Value>{b.indexed(*type, [&](Lowering &in, ValueRange at) -> Value {
    Scalars s{in};
    Value start = extractOnly(in, operands[0]), limit = extractOnly(in, operands[1]),
          delta = extractOnly(in, operands[2]);
    if (!isFloat) {
      Value i = fromIndex(in, at[0], element);
      auto wide = [&](Value x) {
        return element.isInteger(64) ? x : Value(arith::ExtSIOp::create(in, in.getI64Type(), x));
      };
      Value span = s.sub(wide(limit), wide(start)), step = wide(delta);
      Value safe = s.select(s.equal(step, s.like(step, 0)), s.like(step, 1), step);
      safe = s.select(s.equal(safe, s.like(safe, -1)), s.like(safe, 1), safe);
      Value upward = s.select(s.equal(step, s.like(step, -1)), s.neg(span), span);
      Value elements = s.max(arith::CeilDivSIOp::create(in, upward, safe), s.like(span, 0));
      check(in, s.equal(toIndex(in, elements), count(in)), shapeMismatch, toIndex(in, elements));
      return s.add(start, s.mul(i, delta));
    }
    Type compute = isWide ? Type(in.getF64Type()) : Type(in.getF32Type());
    auto widen = [&](Value x, Type to) {
      x = s.widen(x);
      return x.getType() == to ? x : Value(arith::ExtFOp::create(in, to, x));
    };
    Type f64 = in.getF64Type();
    Value span = s.sub(widen(limit, f64), widen(start, f64));
    Value elements = math::CeilOp::create(in, s.div(span, widen(delta, f64)));
    Value expected = arith::UIToFPOp::create(in, f64, fromIndex(in, count(in), in.getI64Type()));
    check(in, s.equal(s.max(elements, s.like(elements, 0)), expected), shapeMismatch, count(in));
    Value i = arith::UIToFPOp::create(in, compute, fromIndex(in, at[0], in.getI64Type()));
    Value value = s.add(widen(start, compute), s.mul(i, widen(delta, compute)));
    return s.narrow(value, element);
  })};
}

} // namespace

void burin::lower::registerShape(RuleTable &table) {
  table.add<onnx::ConstantOp>(lowerConstant, Sizes::Dynamic);
  table.add<onnx::ConstantOfShapeOp>(lowerConstantOfShape, Sizes::Dynamic);
  table.add<onnx::EyeLikeOp>(lowerEyeLike, Sizes::Dynamic);
  table.add<onnx::RangeOp>(lowerRange, Sizes::Dynamic);
  table.add<onnx::ShapeOp>(lowerShape, Sizes::Dynamic);
  table.add<onnx::SizeOp>(lowerSize, Sizes::Dynamic);
  table.add<onnx::ReshapeOp>(lowerReshape, Sizes::Dynamic);
  table.add<onnx::FlattenOp>(lowerReshape, Sizes::Dynamic);
  table.add<onnx::SqueezeOp>(lowerReshape, Sizes::Dynamic);
  table.add<onnx::UnsqueezeOp>(lowerReshape, Sizes::Dynamic);
}
