// SPDX-License-Identifier: Apache-2.0
//
// What operands say that are data: constants, and sizes that the model computes from shapes.

#include "dialects/onnx/SizeList.h"
#include "dialects/onnx/shapes/ShapeRule.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace burin::onnx {

// Longer lists are data, not parameters of an operator.
static constexpr int64_t maxListLength = 65536;

static DenseElementsAttr constantElements(Value value) {
  DenseElementsAttr elements;
  if (!value || !matchPattern(value, m_Constant(&elements)) ||
      elements.getNumElements() > maxListLength)
    return {};
  return elements;
}

std::optional<SmallVector<int64_t>> constantInts(Value value) {
  DenseElementsAttr elements = constantElements(value);
  auto type = elements ? dyn_cast<IntegerType>(elements.getElementType()) : IntegerType();
  if (!type || type.getWidth() > 64)
    return std::nullopt;
  bool isSigned = !type.isUnsigned() && type.getWidth() > 1;
  return llvm::map_to_vector(elements.getValues<APInt>(), [&](const APInt &element) {
    return isSigned ? element.getSExtValue() : int64_t(element.getZExtValue());
  });
}

std::optional<SmallVector<double>> constantFloats(Value value) {
  DenseElementsAttr elements = constantElements(value);
  if (!elements || !isa<FloatType>(elements.getElementType()))
    return std::nullopt;
  return llvm::map_to_vector(elements.getValues<APFloat>(), [](APFloat element) {
    bool lossy;
    element.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lossy);
    return element.convertToDouble();
  });
}

// Graphs chain shape arithmetic; what a hostile one may cost is bounded by depth and by values
// looked at once.
static constexpr unsigned maxListDepth = 32;

namespace {

/// Lists of sizes that a value can be read as, for one question.
class Lists {
public:
  explicit Lists(Operation *user, Types &types) : rule(user, types) {}

  Shape of(Value value, unsigned depth = maxListDepth);

private:
  Shape compute(Operation *op, unsigned depth);
  Shape slice(SliceOp op, unsigned depth);
  Shape transpose(TransposeOp op, unsigned depth);
  Shape gather(GatherOp op, unsigned depth);
  Shape concat(ConcatOp op, unsigned depth);
  Shape select(WhereOp op, unsigned depth);
  Shape fold(ArrayRef<Value> operands, unsigned depth,
             llvm::function_ref<Dim(ArrayRef<Dim>)> combine);
  std::optional<Dim> product(const Shape &dims);
  std::optional<bool> areEqual(Dim a, Dim b);

  ShapeRule rule; // knows the ranges of names
  llvm::DenseMap<Value, Shape> known;
};

bool isVector(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() == 1;
}

/// What is known of a list from its type alone: how many elements it has.
Shape listOfUnknowns(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() > 1 || !type.hasStaticShape() ||
      (type.getRank() == 1 && type.getDimSize(0) > maxListLength))
    return std::nullopt;
  return Dims(type.getRank() == 0 ? 1 : type.getDimSize(0));
}

Shape Lists::of(Value value, unsigned depth) {
  if (!value || isa<NoneType>(value.getType()))
    return std::nullopt;
  if (auto ints = constantInts(value))
    return Dims(ArrayRef<int64_t>(*ints));
  Operation *op = value.getDefiningOp();
  auto type = dyn_cast<TensorType>(value.getType());
  if (!op || !type || !type.getElementType().isInteger() || depth == 0)
    return listOfUnknowns(value);
  auto [at, isNew] = known.try_emplace(value);
  if (isNew) {
    Shape list = compute(op, depth - 1);
    if (!list || list->size() > size_t(maxListLength))
      list = listOfUnknowns(value);
    known[value] = list;
  }
  return known[value];
}

Shape Lists::compute(Operation *op, unsigned depth) {
  if (auto shape = dyn_cast<ShapeOp>(op)) {
    Shape dims = shapeOf(shape.getData().getType());
    if (!dims)
      return std::nullopt;
    int64_t rank = dims->size();
    auto clamp = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
    int64_t start = clamp(shape.getStart()), end = clamp(shape.getEnd().value_or(rank));
    return Dims(ArrayRef<Dim>(*dims).slice(start, std::max<int64_t>(end - start, 0)));
  }
  if (auto size = dyn_cast<SizeOp>(op)) {
    std::optional<Dim> total = product(shapeOf(size.getData().getType()));
    return total ? Shape(Dims{*total}) : Shape();
  }
  if (isa<IdentityOp, CastOp, SqueezeOp, UnsqueezeOp, ReshapeOp>(op)) {
    auto source = dyn_cast<TensorType>(op->getOperand(0).getType());
    auto type = cast<TensorType>(op->getResult(0).getType());
    if (!source || !source.getElementType().isInteger())
      return std::nullopt;
    Shape list = of(op->getOperand(0), depth);
    unsigned width = type.getElementTypeBitWidth();
    if (!list || source.getElementTypeBitWidth() <= width)
      return list;
    // A narrowing cast changes sizes that do not fit.
    int64_t least = type.getElementType().isUnsignedInteger() ? 0 : llvm::minIntN(width);
    for (Dim &dim : *list)
      if (auto range = rule.range(dim); !range || range->min < least || range->max > llvm::maxIntN(width))
        dim = Dim();
    return list;
  }
  if (auto node = dyn_cast<ConcatOp>(op))
    return concat(node, depth);
  if (auto node = dyn_cast<GatherOp>(op))
    return gather(node, depth);
  if (auto node = dyn_cast<SliceOp>(op))
    return slice(node, depth);
  if (auto node = dyn_cast<TransposeOp>(op))
    return transpose(node, depth);
  if (auto node = dyn_cast<WhereOp>(op))
    return select(node, depth);
  SmallVector<Value> operands(op->getOperands());
  if (isa<ReduceProdOp>(op)) {
    Shape list = isVector(operands[0]) ? of(operands[0], depth) : Shape();
    std::optional<Dim> total = product(list);
    return total ? Shape(Dims{*total}) : Shape();
  }
  auto isSize = [&](Dim dim) {
    auto range = rule.range(dim);
    return range && range->min >= 0;
  };
  if (isa<AddOp>(op))
    return fold(operands, depth, [](ArrayRef<Dim> x) { return add(x[0], x[1]).value_or(Dim()); });
  if (isa<SubOp>(op))
    return fold(operands, depth, [](ArrayRef<Dim> x) { return subtract(x[0], x[1]); });
  if (isa<NegOp>(op))
    return fold(operands, depth, [](ArrayRef<Dim> x) { return subtract(Dim(0), x[0]); });
  if (isa<MulOp>(op))
    return fold(operands, depth,
                [](ArrayRef<Dim> x) { return multiply(x[0], x[1]).value_or(Dim()); });
  if (isa<DivOp>(op)) // rounds towards 0, as floors do what is not negative
    return fold(operands, depth, [&](ArrayRef<Dim> x) {
      return x[1].isStatic() && x[1].size > 0 && isSize(x[0]) ? floorDivide(x[0], x[1].size) : Dim();
    });
  if (auto mod = dyn_cast<ModOp>(op)) // the divisor's sign, with fmod the dividend's
    return fold(operands, depth, [&](ArrayRef<Dim> x) {
      if (!x[1].isStatic() || x[1].size < 1 || (mod.getFmod() != 0 && !isSize(x[0])))
        return Dim();
      return subtract(x[0], multiply(floorDivide(x[0], x[1].size), x[1]).value_or(Dim()));
    });
  if (isa<MaxOp, MinOp>(op))
    return fold(operands, depth, [&](ArrayRef<Dim> list) {
      Dim result = list.front();
      for (Dim next : list.drop_front())
        result = isa<MaxOp>(op) ? rule.larger(result, next) : rule.smaller(result, next);
      return result;
    });
  return std::nullopt;
}

Shape Lists::fold(ArrayRef<Value> operands, unsigned depth,
                  llvm::function_ref<Dim(ArrayRef<Dim>)> combine) {
  SmallVector<Dims> lists;
  size_t length = 1;
  for (Value operand : operands) {
    auto type = dyn_cast<RankedTensorType>(operand.getType());
    Shape list = type && type.getRank() <= 1 ? of(operand, depth) : Shape();
    if (!list || (list->size() != 1 && length != 1 && list->size() != length))
      return std::nullopt;
    length = list->size() == 1 ? length : list->size();
    lists.push_back(*list);
  }
  Dims result;
  for (size_t i = 0; i < length; ++i) {
    SmallVector<Dim> elements;
    for (const Dims &list : lists)
      elements.push_back(list[list.size() == 1 ? 0 : i]);
    result.push_back(llvm::all_of(elements, [](const Dim &dim) { return dim.isKnown(); })
                         ? combine(elements) : Dim());
  }
  return result;
}

std::optional<Dim> Lists::product(const Shape &dims) {
  if (!dims)
    return std::nullopt;
  std::optional<Dim> total = Dim(1);
  for (const Dim &dim : *dims)
    total = total ? multiply(*total, dim) : total;
  return total;
}

std::optional<bool> Lists::areEqual(Dim a, Dim b) {
  if (a.equals(b))
    return true;
  auto between = rule.range(subtract(a, b));
  if (!between || (between->min <= 0 && between->max >= 0))
    return std::nullopt;
  return false;
}

/// Where(Equal(sizes, -1), ..., ...): exporters write Expand's -1 so.
Shape Lists::select(WhereOp op, unsigned depth) {
  auto equal = op.getCondition().getDefiningOp<EqualOp>();
  if (auto bits = constantInts(op.getCondition()))
    return fold({op.getCondition(), op.getX(), op.getY()}, depth,
                [](ArrayRef<Dim> x) { return x[0].size != 0 ? x[1] : x[2]; });
  if (!equal)
    return std::nullopt;
  return fold({equal.getA(), equal.getB(), op.getX(), op.getY()}, depth, [&](ArrayRef<Dim> x) {
    std::optional<bool> chosen = areEqual(x[0], x[1]);
    return chosen ? (*chosen ? x[2] : x[3]) : Dim();
  });
}

Shape Lists::concat(ConcatOp op, unsigned depth) {
  Dims list;
  for (Value input : op.getInputs()) {
    Shape part = isVector(input) ? of(input, depth) : Shape();
    if (!part || list.size() + part->size() > size_t(maxListLength))
      return std::nullopt;
    list.append(*part);
  }
  return list;
}

Shape Lists::gather(GatherOp op, unsigned depth) {
  auto indices = constantInts(op.getIndices());
  Shape source = isVector(op.getData()) ? of(op.getData(), depth) : Shape();
  if (!source || !indices)
    return std::nullopt;
  Dims list;
  int64_t length = source->size();
  for (int64_t at : *indices) {
    if (at < -length || at >= length)
      return std::nullopt;
    list.push_back((*source)[at < 0 ? at + length : at]);
  }
  return list;
}

/// The elements of `list`, of a tensor of `shape`, at `places` of each axis, row by row, where the
/// result's axis d is the tensor's `order[d]`.
Dims pick(const Dims &list, ArrayRef<int64_t> shape, ArrayRef<SmallVector<int64_t>> places,
          ArrayRef<int64_t> order) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;)
    strides[d - 1] = strides[d] * shape[d];
  SmallVector<int64_t> offsets{0};
  for (int64_t axis : order) {
    SmallVector<int64_t> next;
    for (int64_t offset : offsets)
      for (int64_t place : places[axis])
        next.push_back(offset + place * strides[axis]);
    offsets = std::move(next);
  }
  return llvm::map_to_vector(offsets, [&](int64_t offset) { return list[offset]; });
}

/// The shape of a list that is a tensor of `value`'s rank; nothing where it has another number of
/// elements.
std::optional<SmallVector<int64_t>> gridOf(Value value, const Shape &list) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !list || type.getRank() == 0)
    return std::nullopt;
  if (type.getRank() == 1)
    return SmallVector<int64_t>{int64_t(list->size())};
  if (!type.hasStaticShape() || type.getNumElements() != int64_t(list->size()))
    return std::nullopt;
  return llvm::to_vector(type.getShape());
}

SmallVector<SmallVector<int64_t>> allPlaces(ArrayRef<int64_t> shape) {
  return llvm::map_to_vector(
      shape, [](int64_t size) { return llvm::to_vector(llvm::seq<int64_t>(0, size)); });
}

Shape Lists::transpose(TransposeOp op, unsigned depth) {
  Shape source = of(op.getData(), depth);
  auto shape = gridOf(op.getData(), source);
  if (!shape)
    return std::nullopt;
  int64_t rank = shape->size();
  SmallVector<int64_t> perm = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, rank)));
  if (auto given = op.getPerm()) {
    if (int64_t(given->size()) != rank)
      return std::nullopt;
    llvm::BitVector seen(rank);
    for (int64_t axis : *given) {
      axis = axis < 0 ? axis + rank : axis;
      if (axis < 0 || axis >= rank || seen.test(axis))
        return std::nullopt;
      seen.set(axis);
    }
    perm = llvm::map_to_vector(*given, [&](int64_t axis) { return axis < 0 ? axis + rank : axis; });
  }
  return pick(*source, *shape, allPlaces(*shape), perm);
}

Shape Lists::slice(SliceOp op, unsigned depth) {
  auto starts = constantInts(op.getStarts()), ends = constantInts(op.getEnds());
  auto axes = constantInts(op.getAxes()), steps = constantInts(op.getSteps());
  Shape source = of(op.getData(), depth);
  auto shape = gridOf(op.getData(), source);
  auto isGiven = [](Value value) { return !isa<NoneType>(value.getType()); };
  if (!shape || !starts || !ends || starts->size() != ends->size() ||
      (isGiven(op.getAxes()) && !axes) || (isGiven(op.getSteps()) && !steps) ||
      (axes && axes->size() != starts->size()) || (steps && steps->size() != starts->size()))
    return std::nullopt;
  int64_t rank = shape->size();
  SmallVector<SmallVector<int64_t>> places = allPlaces(*shape);
  for (auto [i, start, end] : llvm::enumerate(*starts, *ends)) {
    int64_t axis = axes ? (*axes)[i] : int64_t(i), step = steps ? (*steps)[i] : 1;
    axis = axis < 0 ? axis + rank : axis;
    if (axis < 0 || axis >= rank || step == 0)
      return std::nullopt;
    int64_t length = (*shape)[axis], low = step > 0 ? 0 : -1, high = step > 0 ? length : length - 1;
    auto clamp = [&](int64_t at) { return std::clamp(at < 0 ? at + length : at, low, high); };
    int64_t at = length == 0 ? 0 : clamp(start), last = length == 0 ? 0 : clamp(end);
    // Lists are short, so that a step that is as long is as good as any longer one.
    step = std::clamp<int64_t>(step, -maxListLength - 1, maxListLength + 1);
    places[axis].clear();
    for (; step > 0 ? at < last : at > last; at += step)
      places[axis].push_back(at);
  }
  return pick(*source, *shape, places, llvm::to_vector(llvm::seq<int64_t>(0, rank)));
}

} // namespace

std::optional<SmallVector<SizeExpr>> sizeList(Value value) {
  Shape list = shapeValue(value);
  SmallVector<SizeExpr> sizes;
  for (const Dim &dim : list.value_or(Dims())) {
    std::optional<SizeExpr> size = dim.expr();
    if (!size)
      return std::nullopt;
    sizes.push_back(*size);
  }
  return list ? std::optional(sizes) : std::nullopt;
}

Shape shapeValue(Value value) {
  // A list is asked for from within a rule; its own op is as good to find the module from.
  Operation *op = value ? value.getDefiningOp() : nullptr;
  SmallVector<Type> none;
  return Lists(op, none).of(value);
}

} // namespace burin::onnx
