// SPDX-License-Identifier: Apache-2.0
//
// Shape rules of the shape family: shapes as values, and values from shapes.

#include "dialects/onnx/ElementTypes.h"
#include "dialects/onnx/shapes/ShapeRule.h"

#include <cmath>

using namespace mlir;

namespace burin::onnx {

static Type si64(Operation *op) {
  return IntegerType::get(op->getContext(), 64, IntegerType::Signed);
}

LogicalResult inferConstant(Operation *op, Types &types) {
  return ShapeRule(op, types).setType(0, cast<ConstantOp>(op).getValue().getType());
}

LogicalResult inferConstantOfShape(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Type element = Float32Type::get(op->getContext());
  if (Attribute value = op->getAttr("value")) {
    auto elements = dyn_cast<DenseElementsAttr>(value);
    if (!elements || elements.getNumElements() != 1)
      return rule.error() << "'value' must be a tensor of one element";
    element = elements.getElementType();
  }
  if (failed(rule.expectRank(0, 1)))
    return failure();
  return rule.set(0, element, shapeValue(rule.operand(0)));
}

LogicalResult inferShape(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  auto shape = cast<ShapeOp>(op);
  Shape data = rule.shape(0);
  if (!data)
    return rule.set(0, si64(op), Shape(Dims(1)));
  int64_t rank = data->size();
  auto clamp = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
  int64_t length = clamp(shape.getEnd().value_or(rank)) - clamp(shape.getStart());
  return rule.set(0, si64(op), Shape(Dims{Dim(std::max<int64_t>(length, 0))}));
}

LogicalResult inferSize(Operation *op, Types &types) {
  return ShapeRule(op, types).set(0, si64(op), Shape(Dims()));
}

LogicalResult inferEyeLike(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  if (failed(rule.expectRank(0, 2)))
    return failure();
  Type element = rule.element(0);
  if (auto dtype = op->getAttrOfType<IntegerAttr>("dtype")) {
    element = elementTypeOf(op->getContext(), dtype.getInt());
    if (!element)
      return rule.error() << "'dtype' is " << dtype.getInt() << ", which is no ONNX element type";
  }
  Shape shape = rule.shape(0);
  return rule.set(0, element, shape ? shape : Shape(Dims(2)));
}

LogicalResult inferFlatten(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape shape = rule.shape(0);
  if (!shape)
    return rule.set(0, rule.element(0), Shape(Dims(2)));
  int64_t rank = shape->size(), axis = rule.attr("axis", 1);
  if (axis < -rank || axis > rank)
    return rule.error() << "axis " << axis << " is out of range for rank " << rank
                        << "; it must be in [" << -rank << ", " << rank << "]";
  if (axis < 0)
    axis += rank;
  FailureOr<Dim> rows = rule.product(ArrayRef<Dim>(*shape).take_front(axis));
  FailureOr<Dim> columns = rule.product(ArrayRef<Dim>(*shape).drop_front(axis));
  if (failed(rows) || failed(columns))
    return failure();
  return rule.set(0, rule.element(0), Shape(Dims{*rows, *columns}));
}

/// A size that is counted from or up to, also as a float that has it exactly; else unknown.
static Dim counted(ShapeRule &rule, Value value) {
  if (auto floats = constantFloats(value)) {
    bool isWhole = floats->size() == 1 && std::abs(floats->front()) < 0x1p53 &&
                   std::trunc(floats->front()) == floats->front();
    return isWhole ? Dim(int64_t(floats->front())) : Dim();
  }
  auto type = dyn_cast<FloatType>(getElementTypeOrSelf(value));
  auto cast = value.getDefiningOp<CastOp>();
  if (type && !cast)
    return {};
  Shape list = shapeValue(type ? cast.getInput() : value);
  Dim size = list && list->size() == 1 ? list->front() : Dim();
  if (!type || !size.isKnown())
    return size;
  unsigned digits = std::min(llvm::APFloat::semanticsPrecision(type.getFloatSemantics()), 62u);
  std::optional<SizeExpr::Interval> range = rule.range(size);
  return range && range->min >= 0 && range->max <= int64_t(1) << digits ? size : Dim();
}

LogicalResult inferRange(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  for (unsigned i = 0; i < 3; ++i) {
    // Some exporters give a vector of one element where a scalar is meant.
    Shape shape = rule.shape(i);
    if (shape && !shape->empty() && (shape->size() != 1 || (shape->front().isStatic() && shape->front().size != 1)))
      return rule.error() << "operand " << i << " must be a scalar";
  }
  Dim length;
  auto start = rule.scalar(0), limit = rule.scalar(1), delta = rule.scalar(2);
  Dim first = counted(rule, rule.operand(0)), last = counted(rule, rule.operand(1)),
      step = counted(rule, rule.operand(2));
  if (first.isKnown() && last.isKnown() && step.isStatic() && step.size > 0)
    length = rule.larger(
        floorDivide(add(subtract(last, first), Dim(step.size - 1)).value_or(Dim()), step.size), Dim(0));
  auto fstart = constantFloats(rule.operand(0)), flimit = constantFloats(rule.operand(1)),
       fdelta = constantFloats(rule.operand(2));
  if (start && limit && delta) {
    if (*delta == 0)
      return rule.error() << "delta must not be 0";
    __int128 span = __int128(*limit) - *start;
    __int128 count = *delta > 0 ? (span + *delta - 1) / *delta : (-span - *delta - 1) / -__int128(*delta);
    if (count > std::numeric_limits<int64_t>::max())
      return rule.error() << "has more than 2^63 elements";
    length = Dim(std::max<int64_t>(int64_t(count), 0));
  } else if (fstart && flimit && fdelta && fstart->size() == 1 && flimit->size() == 1 &&
             fdelta->size() == 1) {
    // The difference is rounded as the element type does, as ONNX's definition has it.
    double span = flimit->front() - fstart->front();
    if (rule.element(0).isF32())
      span = float(span);
    double count = std::ceil(span / fdelta->front());
    if (!(count < 0x1p62))
      return rule.error() << "has no finite number of elements; delta must not be 0";
    length = Dim(count > 0 ? int64_t(count) : 0);
  }
  return rule.set(0, rule.element(0), Shape(Dims{length}));
}

//===- Reshape, Squeeze, Unsqueeze ------------------------------------------===//

// Sizes that occur on both sides cancel, so that [batch, 12, 64] to [0, -1] is
// [batch, 768] whatever batch is. Nothing where the quotient is not known.
static FailureOr<Dim> divide(ShapeRule &rule, ArrayRef<Dim> all, ArrayRef<Dim> by) {
  Dims rest(all), divisors;
  for (const Dim &dim : by) {
    auto found = llvm::find_if(rest, [&](const Dim &other) {
      return !dim.isStatic() && other.equals(dim);
    });
    if (found != rest.end())
      rest.erase(found);
    else
      divisors.push_back(dim);
  }
  FailureOr<Dim> total = rule.product(rest), divisor = rule.product(divisors);
  if (failed(total) || failed(divisor))
    return failure();
  if (divisor->size == 1)
    return *total;
  if (!total->isStatic() || !divisor->isStatic()) {
    std::optional<SizeExpr> whole = total->expr(), part = divisor->expr();
    return whole && part ? Dim::of(whole->dividedBy(*part), rule.op->getContext()) : Dim();
  }
  if (divisor->size == 0 || total->size % divisor->size != 0)
    return rule.error() << "cannot divide " << total->size << " elements by the shape's other sizes, "
                        << divisor->size << "; correct the operand 'shape'";
  return Dim(total->size / divisor->size);
}

LogicalResult inferReshape(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  if (failed(rule.expectRank(1, 1)))
    return failure();
  Shape data = rule.shape(0), wanted = shapeValue(rule.operand(1));
  if (!wanted)
    return rule.set(0, rule.element(0), std::nullopt);
  bool allowZero = rule.attr("allowzero", 0) != 0;
  bool constant = rule.ints(1).has_value();
  Dims result;
  std::optional<size_t> inferredAt;
  for (auto [i, dim] : llvm::enumerate(*wanted)) {
    // A size computed from shapes may be 0 for one that the data has not.
    if (!dim.isStatic() && !dim.name) {
      result.push_back(Dim());
    } else if (dim.size == 0 && !allowZero) {
      if (data && i >= data->size())
        return rule.error() << "the shape's element " << i << " is 0, but the data has rank "
                            << data->size();
      result.push_back(data ? (*data)[i] : Dim());
    } else if (dim.size == -1) {
      if (inferredAt)
        return rule.error() << "the shape has more than one -1";
      if (allowZero && llvm::any_of(*wanted, [](const Dim &other) { return other.size == 0; }))
        return rule.error() << "the shape has both 0 and -1, which 'allowzero' forbids";
      inferredAt = i;
      result.push_back(Dim());
    } else if (dim.isStatic() && dim.size < -1) {
      return rule.error() << "the shape has the negative size " << dim.size;
    } else {
      result.push_back(dim);
    }
  }
  // Where an unknown element could itself be -1 nothing follows for it.
  bool complete = llvm::none_of(*wanted, [](const Dim &dim) { return !dim.isStatic() && !dim.name; });
  if (data && inferredAt && complete) {
    Dims others = result;
    others.erase(others.begin() + *inferredAt);
    FailureOr<Dim> quotient = divide(rule, *data, others);
    if (failed(quotient))
      return failure();
    result[*inferredAt] = *quotient;
  } else if (data && constant) {
    FailureOr<Dim> before = rule.product(*data), after = rule.product(result);
    if (failed(before) || failed(after) ||
        failed(rule.same(*before, *after, "the numbers of elements before and after")))
      return failure();
  } else if (data && llvm::count_if(result, [](const Dim &dim) { return !dim.isStatic() && !dim.name; }) == 1 &&
             llvm::all_of(*data, [](const Dim &dim) { return dim.isStatic(); })) {
    // One computed size of a tensor whose number of elements is known.
    size_t at = llvm::find_if(result, [](const Dim &dim) { return !dim.isStatic() && !dim.name; }) - result.begin();
    Dims others = result;
    others.erase(others.begin() + at);
    FailureOr<Dim> total = rule.product(*data), divisor = rule.product(others);
    if (failed(total) || failed(divisor))
      return failure();
    if (divisor->isStatic() && divisor->size > 0 && total->size % divisor->size == 0)
      result[at] = Dim(total->size / divisor->size);
  }
  return rule.set(0, rule.element(0), Shape(result));
}

LogicalResult inferSqueeze(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape data = rule.shape(0);
  if (!data)
    return rule.set(0, rule.element(0), std::nullopt);
  SmallVector<int64_t> dropped;
  if (auto given = rule.ints(1)) {
    FailureOr<SmallVector<int64_t>> axes = rule.axes(*given, data->size());
    if (failed(axes))
      return failure();
    dropped = *axes;
    for (int64_t axis : dropped)
      if ((*data)[axis].isStatic() && (*data)[axis].size != 1)
        return rule.error() << "axis " << axis << " has size " << (*data)[axis].size
                            << "; only a size of 1 can be squeezed";
  } else if (rule.absent(1)) {
    for (auto [i, dim] : llvm::enumerate(*data)) {
      std::optional<SizeExpr::Interval> range = rule.range(dim);
      if (!range || (range->min <= 1 && range->max > 1)) // the rank follows from the size
        return rule.set(0, rule.element(0), std::nullopt);
      if (range->max == 1)
        dropped.push_back(i);
    }
  } else {
    return rule.set(0, rule.element(0), std::nullopt);
  }
  Dims result;
  for (auto [i, dim] : llvm::enumerate(*data))
    if (!llvm::is_contained(dropped, int64_t(i)))
      result.push_back(dim);
  return rule.set(0, rule.element(0), Shape(result));
}

LogicalResult inferUnsqueeze(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape data = rule.shape(0);
  auto given = rule.ints(1);
  if (!data || !given)
    return rule.set(0, rule.element(0), std::nullopt);
  FailureOr<SmallVector<int64_t>> axes = rule.axes(*given, data->size() + given->size());
  if (failed(axes))
    return failure();
  Dims result;
  auto next = data->begin();
  for (int64_t i = 0, rank = data->size() + axes->size(); i < rank; ++i)
    result.push_back(llvm::is_contained(*axes, i) ? Dim(1) : *next++);
  return rule.set(0, rule.element(0), Shape(result));
}

} // namespace burin::onnx
