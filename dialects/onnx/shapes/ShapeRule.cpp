// SPDX-License-Identifier: Apache-2.0
#include "dialects/onnx/shapes/ShapeRule.h"

#include "mlir/IR/Matchers.h"
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

std::optional<Dim> multiply(Dim a, Dim b) {
  if (!a.isStatic() || !b.isStatic()) {
    if (a.size == 1 || b.size == 1)
      return a.size == 1 ? b : a;
    return a.size == 0 || b.size == 0 ? Dim(0) : Dim();
  }
  int64_t size;
  if (llvm::MulOverflow(a.size, b.size, size))
    return std::nullopt;
  return Dim(size);
}

std::optional<Dim> add(Dim a, Dim b) {
  if (!a.isStatic() || !b.isStatic()) {
    if (a.size == 0 || b.size == 0)
      return a.size == 0 ? b : a;
    return Dim();
  }
  int64_t size;
  if (llvm::AddOverflow(a.size, b.size, size))
    return std::nullopt;
  return Dim(size);
}

//===- Constant operands ----------------------------------------------------===//

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

// What is known of a list from its type alone: how many elements it has.
static Shape listOfUnknowns(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() > 1 || !type.hasStaticShape() ||
      (type.getRank() == 1 && type.getDimSize(0) > maxListLength))
    return std::nullopt;
  return Dims(type.getRank() == 0 ? 1 : type.getDimSize(0));
}

// Graphs chain shape arithmetic; the depth bounds what a hostile one may cost.
static Shape listValue(Value value, unsigned depth) {
  if (!value || isa<NoneType>(value.getType()))
    return std::nullopt;
  if (auto ints = constantInts(value))
    return Dims(ArrayRef<int64_t>(*ints));
  Operation *op = value.getDefiningOp();
  auto type = dyn_cast<TensorType>(value.getType());
  if (!op || !type || !type.getElementType().isInteger() || depth == 0)
    return listOfUnknowns(value);

  Shape list;
  if (auto shape = dyn_cast<ShapeOp>(op)) {
    if (Shape dims = shapeOf(shape.getData().getType())) {
      int64_t rank = dims->size();
      auto clamp = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
      int64_t start = clamp(shape.getStart()), end = clamp(shape.getEnd().value_or(rank));
      list = Dims(ArrayRef<Dim>(*dims).slice(start, std::max<int64_t>(end - start, 0)));
    }
  } else if (isa<IdentityOp, CastOp, SqueezeOp, UnsqueezeOp, ReshapeOp>(op)) {
    auto source = dyn_cast<TensorType>(op->getOperand(0).getType());
    // A narrowing cast changes sizes that do not fit.
    if (source && source.getElementType().isInteger() &&
        source.getElementTypeBitWidth() <= type.getElementTypeBitWidth())
      list = listValue(op->getOperand(0), depth - 1);
  } else if (auto concat = dyn_cast<ConcatOp>(op)) {
    list = Dims();
    for (Value input : concat.getInputs()) {
      auto inputType = dyn_cast<RankedTensorType>(input.getType());
      Shape part = inputType && inputType.getRank() == 1 ? listValue(input, depth - 1) : Shape();
      if (!part || list->size() + part->size() > size_t(maxListLength)) {
        list.reset();
        break;
      }
      list->append(*part);
    }
  } else if (auto gather = dyn_cast<GatherOp>(op)) {
    auto data = dyn_cast<RankedTensorType>(gather.getData().getType());
    auto indices = constantInts(gather.getIndices());
    Shape source = data && data.getRank() == 1 ? listValue(gather.getData(), depth - 1) : Shape();
    if (source && indices) {
      list = Dims();
      int64_t length = source->size();
      for (int64_t at : *indices) {
        if (at < -length || at >= length)
          return listOfUnknowns(value);
        list->push_back((*source)[at < 0 ? at + length : at]);
      }
    }
  } else if (auto slice = dyn_cast<SliceOp>(op)) {
    auto data = dyn_cast<RankedTensorType>(slice.getData().getType());
    auto starts = constantInts(slice.getStarts()), ends = constantInts(slice.getEnds());
    auto steps = constantInts(slice.getSteps());
    bool unitStep = isa<NoneType>(slice.getSteps().getType()) || (steps && *steps == ArrayRef<int64_t>{1});
    Shape source = data && data.getRank() == 1 ? listValue(slice.getData(), depth - 1) : Shape();
    if (source && starts && ends && starts->size() == 1 && ends->size() == 1 && unitStep) {
      int64_t length = source->size();
      auto clamp = [&](int64_t at) {
        return std::clamp<int64_t>(at < 0 ? at + length : at, 0, length);
      };
      int64_t start = clamp(starts->front()), end = clamp(ends->front());
      list = Dims(ArrayRef<Dim>(*source).slice(start, std::max<int64_t>(end - start, 0)));
    }
  }
  return list ? list : listOfUnknowns(value);
}

Shape shapeValue(Value value) { return listValue(value, /*depth=*/16); }

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
  return a.equals(b) ? a : Dim();
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
