// SPDX-License-Identifier: Apache-2.0
#include "dialects/onnx/shapes/ShapeRule.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace burin::onnx {

//===- Types ----------------------------------------------------------------===//

Shape shapeOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return std::nullopt;
  Dims dims(tensor.getShape());
  if (auto named = dyn_cast_if_present<DimsAttr>(tensor.getEncoding()))
    for (auto [dim, name] : llvm::zip(dims, named.getNames()))
      if (!dim.isStatic() && name && !name.empty())
        dim.name = name;
  return dims;
}

Type tensorType(Type element, const Shape &shape) {
  if (!shape)
    return UnrankedTensorType::get(element);
  SmallVector<int64_t> sizes;
  SmallVector<StringAttr> names;
  bool anyName = false;
  for (const Dim &dim : *shape) {
    bool named = !dim.isStatic() && dim.name;
    anyName |= named;
    sizes.push_back(dim.size);
    names.push_back(named ? dim.name : StringAttr::get(element.getContext()));
  }
  Attribute encoding;
  if (anyName)
    encoding = DimsAttr::get(element.getContext(), names);
  return RankedTensorType::get(sizes, element, encoding);
}

Type mergeTypes(Type declared, Type inferred) {
  if (declared == inferred)
    return declared;
  if (auto a = dyn_cast<SequenceType>(declared), b = dyn_cast<SequenceType>(inferred); a && b) {
    Type element = mergeTypes(a.getElement(), b.getElement());
    return element ? SequenceType::get(declared.getContext(), element) : Type();
  }
  if (auto a = dyn_cast<OptionalType>(declared), b = dyn_cast<OptionalType>(inferred); a && b) {
    Type element = mergeTypes(a.getElement(), b.getElement());
    return element ? OptionalType::get(declared.getContext(), element) : Type();
  }
  auto a = dyn_cast<TensorType>(declared), b = dyn_cast<TensorType>(inferred);
  if (!a || !b || a.getElementType() != b.getElementType())
    return {};
  Shape from = shapeOf(a), to = shapeOf(b);
  if (!from || !to)
    return from ? declared : inferred;
  if (from->size() != to->size())
    return {};
  for (auto [old, now] : llvm::zip_equal(*from, *to)) {
    if (old.isStatic() && now.isStatic() && old.size != now.size)
      return {};
    // A name that follows from the operands says more than one the model gives.
    if (!now.isStatic() && (old.isStatic() || !now.name))
      now = old;
  }
  return tensorType(b.getElementType(), to);
}

Type joinTypes(Type x, Type y) {
  if (x == y)
    return x;
  if (auto a = dyn_cast<SequenceType>(x), b = dyn_cast<SequenceType>(y); a && b) {
    Type element = joinTypes(a.getElement(), b.getElement());
    return element ? SequenceType::get(x.getContext(), element) : Type();
  }
  if (auto a = dyn_cast<OptionalType>(x), b = dyn_cast<OptionalType>(y); a || b) {
    // What may be absent on one side may be so in the end.
    Type element = joinTypes(a ? a.getElement() : x, b ? b.getElement() : y);
    return element ? OptionalType::get(x.getContext(), element) : Type();
  }
  auto a = dyn_cast<TensorType>(x), b = dyn_cast<TensorType>(y);
  if (!a || !b || a.getElementType() != b.getElementType())
    return {};
  Shape first = shapeOf(a), second = shapeOf(b);
  if (!first || !second || first->size() != second->size())
    return UnrankedTensorType::get(a.getElementType());
  for (auto [dim, other] : llvm::zip_equal(*first, *second))
    if (!dim.equals(other))
      dim = Dim();
  return tensorType(a.getElementType(), first);
}

//===- Sizes ----------------------------------------------------------------===//

Dim Dim::of(const std::optional<SizeExpr> &expr, MLIRContext *context) {
  if (!expr)
    return {};
  if (SizeExpr::Number number = expr->constant())
    return Dim(*number);
  return Dim(ShapedType::kDynamic, StringAttr::get(context, expr->text()));
}

std::optional<SizeExpr> Dim::expr() const {
  if (isStatic())
    return SizeExpr(size);
  return name ? std::optional(SizeExpr::parse(name)) : std::nullopt;
}

/// Whichever has a name knows the context.
static Dim combine(Dim a, Dim b,
                   std::optional<SizeExpr> (SizeExpr::*with)(const SizeExpr &) const) {
  std::optional<SizeExpr> x = a.expr(), y = b.expr();
  StringAttr name = a.name ? a.name : b.name;
  return x && y && name ? Dim::of(((*x).*with)(*y), name.getContext()) : Dim();
}

std::optional<Dim> multiply(Dim a, Dim b) {
  if (!a.isStatic() || !b.isStatic())
    return a.size == 0 || b.size == 0 ? Dim(0)
           : a.size == 1              ? b
           : b.size == 1              ? a
                                      : combine(a, b, &SizeExpr::times);
  int64_t size;
  if (llvm::MulOverflow(a.size, b.size, size))
    return std::nullopt;
  return Dim(size);
}

std::optional<Dim> add(Dim a, Dim b) {
  if (!a.isStatic() || !b.isStatic())
    return a.size == 0 ? b : b.size == 0 ? a : combine(a, b, &SizeExpr::plus);
  int64_t size;
  if (llvm::AddOverflow(a.size, b.size, size))
    return std::nullopt;
  return Dim(size);
}

Dim subtract(Dim a, Dim b) {
  if (!a.isStatic() || !b.isStatic())
    return combine(a, b, &SizeExpr::minus);
  int64_t size;
  return llvm::SubOverflow(a.size, b.size, size) ? Dim() : Dim(size);
}

Dim floorDivide(Dim a, int64_t by) {
  if (a.isStatic())
    return Dim(llvm::divideFloorSigned(a.size, by));
  return a.name ? Dim::of(a.expr()->floorDiv(by), a.name.getContext()) : Dim();
}

//===- ShapeRule ------------------------------------------------------------===//

bool ShapeRule::absent(unsigned index) const {
  return index >= op->getNumOperands() || isa<NoneType>(op->getOperand(index).getType());
}

Shape ShapeRule::shape(unsigned index) const {
  return absent(index) ? Shape() : shapeOf(op->getOperand(index).getType());
}

Type ShapeRule::element(unsigned index) const {
  auto type = absent(index) ? TensorType() : dyn_cast<TensorType>(op->getOperand(index).getType());
  return type ? type.getElementType() : Type();
}

std::optional<SmallVector<int64_t>> ShapeRule::ints(unsigned index) const {
  return absent(index) ? std::nullopt : constantInts(op->getOperand(index));
}

std::optional<int64_t> ShapeRule::scalar(unsigned index) const {
  auto list = ints(index);
  return list && list->size() == 1 ? std::optional(list->front()) : std::nullopt;
}

int64_t ShapeRule::attr(StringRef name, int64_t otherwise) const {
  auto value = op->getAttrOfType<IntegerAttr>(name);
  return value ? value.getInt() : otherwise;
}

StringRef ShapeRule::attr(StringRef name, StringRef otherwise) const {
  auto value = op->getAttrOfType<StringAttr>(name);
  return value ? value.getValue() : otherwise;
}

std::optional<SmallVector<int64_t>> ShapeRule::intsAttr(StringRef name) const {
  auto value = op->getAttrOfType<DenseI64ArrayAttr>(name);
  if (!value)
    return std::nullopt;
  return SmallVector<int64_t>(value.asArrayRef());
}

LogicalResult ShapeRule::set(unsigned index, Type element, const Shape &shape) {
  if (unused(index))
    return success();
  if (!element) {
    auto declared = dyn_cast<TensorType>(types[index]);
    if (!declared)
      return error() << "result " << index << " must be a tensor, not " << types[index];
    element = declared.getElementType();
  }
  if (shape) {
    int64_t elements = 1;
    for (const Dim &dim : *shape) {
      if (!dim.isStatic())
        continue;
      if (dim.size < 0)
        return error() << "result " << index << " would have the negative size " << dim.size
                       << "; check the sizes of its operands and its attributes";
      // A size of 0 must not hide an overflow of the strides.
      if (llvm::MulOverflow(elements, std::max<int64_t>(dim.size, 1), elements))
        return error() << "result " << index
                       << " would have more than 2^63 elements; check the sizes that it is given";
    }
  }
  return setType(index, tensorType(element, shape));
}

LogicalResult ShapeRule::setType(unsigned index, Type type) {
  if (unused(index))
    return success();
  Type merged = mergeTypes(types[index], type);
  if (!merged)
    return error() << "result " << index << " is declared as " << types[index]
                   << ", but its operands and attributes make it " << type
                   << "; correct the declared type or the node";
  types[index] = merged;
  return success();
}

FailureOr<int64_t> ShapeRule::axis(int64_t axis, int64_t rank) const {
  if (axis < -rank || axis >= rank)
    return error() << "axis " << axis << " is out of range for rank " << rank
                   << "; it must be in [" << -rank << ", " << rank << ")";
  return axis < 0 ? axis + rank : axis;
}

FailureOr<SmallVector<int64_t>> ShapeRule::axes(ArrayRef<int64_t> axes, int64_t rank) const {
  SmallVector<int64_t> result;
  llvm::SmallDenseSet<int64_t> seen;
  for (int64_t given : axes) {
    FailureOr<int64_t> positive = axis(given, rank);
    if (failed(positive))
      return failure();
    if (!seen.insert(*positive).second)
      return error() << "axis " << given << " is given twice";
    result.push_back(*positive);
  }
  return result;
}

LogicalResult ShapeRule::expectRank(unsigned index, int64_t rank) const {
  Shape dims = shape(index);
  if (dims && int64_t(dims->size()) != rank)
    return error() << "operand " << index << " must have rank " << rank << ", not "
                   << dims->size();
  return success();
}

LogicalResult ShapeRule::expectLength(StringRef what, size_t length, size_t expected) const {
  if (length != expected)
    return error() << "'" << what << "' must have " << expected << " elements, not " << length;
  return success();
}

FailureOr<Dim> ShapeRule::product(ArrayRef<Dim> dims) const {
  Dim result(1);
  for (const Dim &dim : dims) {
    std::optional<Dim> next = multiply(result, dim);
    if (!next)
      return error() << "the product of its sizes exceeds 2^63; check the sizes that it is given";
    result = *next;
  }
  return result;
}

std::optional<SizeExpr::Interval> ShapeRule::range(Dim dim) const {
  if (dim.isStatic())
    return SizeExpr::Interval{dim.size, dim.size};
  auto module = op->getParentOfType<ModuleOp>();
  auto ranges = module ? module->getAttrOfType<DictionaryAttr>(dimRangesAttrName) : nullptr;
  if (!dim.name || !ranges)
    return std::nullopt;
  return dim.expr()->range([&](StringRef name) -> std::optional<SizeExpr::Interval> {
    auto bounds = ranges.getAs<DenseI64ArrayAttr>(name);
    return bounds ? std::optional(SizeExpr::Interval{bounds[0], bounds[1]}) : std::nullopt;
  });
}

bool ShapeRule::atMost(Dim a, Dim b) const {
  if (a.equals(b))
    return true;
  // Bounds of the difference know what both have in common.
  std::optional<SizeExpr::Interval> between = range(subtract(b, a));
  return between && between->min >= 0;
}

Dim ShapeRule::smaller(Dim a, Dim b) const {
  return atMost(a, b) ? a : atMost(b, a) ? b : Dim();
}

Dim ShapeRule::larger(Dim a, Dim b) const {
  return atMost(a, b) ? b : atMost(b, a) ? a : Dim();
}

FailureOr<Dim> ShapeRule::same(Dim a, Dim b, StringRef what) const {
  if (a.isStatic() && b.isStatic() && a.size != b.size)
    return error() << what << " must be equal, but are " << a.size << " and " << b.size;
  return a.isStatic() || (!b.isStatic() && a.name) ? a : b;
}

FailureOr<Dim> ShapeRule::broadcast(Dim a, Dim b) const {
  if (a.size == 1 || b.size == 1)
    return a.size == 1 ? b : a;
  if (a.isStatic() && b.isStatic()) {
    if (a.size != b.size)
      return error() << "sizes " << a.size << " and " << b.size
                     << " do not broadcast; they must be equal, or one of them 1";
    return a;
  }
  // An unknown size beside one that is not 1 is that one, or 1.
  if (a.isStatic() || b.isStatic())
    return a.isStatic() ? a : b;
  if (a.equals(b))
    return a;
  // Two ranges: taken for one (plan.agreements), by the same name whatever the order.
  if (!range(a) || !range(b))
    return Dim();
  StringRef x = a.name.getValue(), y = b.name.getValue();
  return std::pair(x.size(), x) < std::pair(y.size(), y) ? a : b;
}

FailureOr<Shape> ShapeRule::broadcast(ArrayRef<Shape> shapes) const {
  Dims result;
  for (const Shape &shape : shapes) {
    if (!shape)
      return Shape();
    if (shape->size() > result.size())
      result.insert(result.begin(), shape->size() - result.size(), Dim(1));
    size_t offset = result.size() - shape->size();
    for (auto [i, dim] : llvm::enumerate(*shape)) {
      FailureOr<Dim> merged = broadcast(result[offset + i], dim);
      if (failed(merged))
        return failure();
      result[offset + i] = *merged;
    }
  }
  return Shape(result);
}

} // namespace burin::onnx
