// SPDX-License-Identifier: Apache-2.0
#include "compiler/lower/Lowering.h"

#include "compiler/plan/Sizes.h"
#include "dialects/onnx/OnnxOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

using namespace mlir;

namespace burin::lower {

//===- Types ----------------------------------------------------------------===//

static Type storageElement(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type))
    return IntegerType::get(type.getContext(), integer.getWidth() == 1 ? 8 : integer.getWidth());
  return type;
}

Type storageType(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return RankedTensorType::get(tensor.getShape(), storageElement(tensor.getElementType()));
  if (auto tensor = dyn_cast<UnrankedTensorType>(type))
    return UnrankedTensorType::get(storageElement(tensor.getElementType()));
  if (auto sequence = dyn_cast<onnx::SequenceType>(type))
    return onnx::SequenceType::get(type.getContext(), storageType(sequence.getElement()));
  if (auto optional = dyn_cast<onnx::OptionalType>(type))
    return onnx::OptionalType::get(type.getContext(), storageType(optional.getElement()));
  return storageElement(type);
}

Type elementType(Value onnxValue) { return getElementTypeOrSelf(onnxValue.getType()); }
bool isUnsigned(Type onnxElement) { return onnxElement.isUnsignedInteger(); }
bool isBool(Type onnxElement) { return onnxElement.isInteger(1); }

//===- Questions about the op -----------------------------------------------===//

LogicalResult Lowering::unsupported(const Twine &why) {
  reason = why.str();
  return failure();
}

RankedTensorType Lowering::resultType(unsigned index) const {
  return dyn_cast<RankedTensorType>(storageType(op->getResult(index).getType()));
}

bool Lowering::isAbsent(unsigned operand) const {
  return operand >= op->getNumOperands() || isa<NoneType>(op->getOperand(operand).getType());
}

static DenseElementsAttr constantElements(Operation *op, unsigned operand) {
  if (operand >= op->getNumOperands())
    return nullptr;
  auto constant = op->getOperand(operand).getDefiningOp<onnx::ConstantOp>();
  return constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : nullptr;
}

std::optional<SmallVector<int64_t>> Lowering::constantInts(unsigned operand) const {
  DenseElementsAttr elements = constantElements(op, operand);
  if (!elements || !isa<IntegerType>(elements.getElementType()))
    return std::nullopt;
  bool isSigned = !elements.getElementType().isUnsignedInteger();
  SmallVector<int64_t> values;
  for (const APInt &value : elements.getValues<APInt>())
    values.push_back(isSigned ? value.getSExtValue() : int64_t(value.getZExtValue()));
  return values;
}

std::optional<SmallVector<double>> Lowering::constantFloats(unsigned operand) const {
  DenseElementsAttr elements = constantElements(op, operand);
  if (!elements || !isa<FloatType>(elements.getElementType()))
    return std::nullopt;
  SmallVector<double> values;
  for (APFloat value : elements.getValues<APFloat>()) {
    bool lost = false;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
    values.push_back(value.convertToDouble());
  }
  return values;
}

//===- Shorthand ------------------------------------------------------------===//

Value Lowering::index(int64_t value) { return arith::ConstantIndexOp::create(*this, value); }

Value Lowering::scalar(Type type, double value) {
  if (auto floatType = dyn_cast<FloatType>(type)) {
    APFloat constant(value);
    bool lost = false;
    constant.convert(floatType.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
    return arith::ConstantOp::create(*this, FloatAttr::get(floatType, constant));
  }
  return scalarInt(type, int64_t(value));
}

Value Lowering::scalarInt(Type type, int64_t value) {
  if (isa<FloatType>(type))
    return scalar(type, double(value));
  if (type.isIndex())
    return index(value);
  APInt constant(64, uint64_t(value), /*isSigned=*/true);
  return arith::ConstantOp::create(
      *this, IntegerAttr::get(type, constant.sextOrTrunc(type.getIntOrFloatBitWidth())));
}

Value Lowering::empty(RankedTensorType type, ValueRange dynamic) {
  return tensor::EmptyOp::create(*this, type.getShape(), type.getElementType(), dynamic);
}

Value Lowering::fill(RankedTensorType type, Value scalar, ValueRange dynamic) {
  return linalg::FillOp::create(*this, scalar, empty(type, dynamic)).getResult(0);
}

//===- Sizes that change from run to run ------------------------------------===//

bool Lowering::hasRanges(RankedTensorType onnxType) const {
  auto named = dyn_cast_if_present<onnx::DimsAttr>(onnxType.getEncoding());
  auto own = op->getAttrOfType<StringAttr>(onnx::sizeAttrName); // its rule measures it
  auto isRange = [&](StringAttr size) {
    return size == own || (!size.empty() && llvm::all_of(onnx::SizeExpr::parse(size).names(), [&](StringRef name) {
             return dims && dims->contains(name);
           }));
  };
  for (auto [i, size] : llvm::enumerate(onnxType.getShape()))
    if (ShapedType::isDynamic(size) && !(named && isRange(named.getNames()[i])))
      return false;
  return true;
}

Value Lowering::size(const onnx::SizeExpr &expr) {
  if (std::optional<int64_t> number = expr.constant())
    return this->index(*number);
  Value size = plan::buildSize(*this, getLoc(), expr,
                               [&](StringRef name) { return dims ? dims->lookup(name) : Value(); });
  if (size)
    return size;
  reason = "a size of its result is known only when the model runs; fix the sizes it depends on "
           "with --dim NAME=VALUE";
  return this->index(1);
}

SmallVector<onnx::SizeExpr> Lowering::sizes(Value onnxValue) const {
  return lower::sizesOf(cast<RankedTensorType>(onnxValue.getType()));
}

SmallVector<onnx::SizeExpr> sizesOf(RankedTensorType type) {
  auto named = dyn_cast_if_present<onnx::DimsAttr>(type.getEncoding());
  SmallVector<onnx::SizeExpr> sizes;
  for (auto [i, size] : llvm::enumerate(type.getShape()))
    sizes.push_back(!ShapedType::isDynamic(size) ? onnx::SizeExpr(size)
                    : onnx::SizeExpr::parse(named ? named.getNames()[i].getValue() : ""));
  return sizes;
}

SmallVector<int64_t> Lowering::shapeOf(ArrayRef<onnx::SizeExpr> sizes) {
  return llvm::map_to_vector(sizes, [](const onnx::SizeExpr &size) {
    return size.constant().value_or(ShapedType::kDynamic);
  });
}

SmallVector<Value> Lowering::openSizes(ArrayRef<onnx::SizeExpr> sizes) {
  SmallVector<Value> open;
  for (const onnx::SizeExpr &size : sizes)
    if (!size.constant())
      open.push_back(this->size(size));
  return open;
}

Value Lowering::resultSize(unsigned index, unsigned dim) {
  return size(sizes(op->getResult(index))[dim]);
}

RankedTensorType Lowering::tensorOf(ArrayRef<onnx::SizeExpr> sizes, Type element) {
  return RankedTensorType::get(shapeOf(sizes), element);
}

SmallVector<OpFoldResult> Lowering::mixedSizes(ArrayRef<onnx::SizeExpr> sizes) {
  return getMixedValues(tensorOf(sizes, getF32Type()).getShape(), openSizes(sizes), *this);
}

SmallVector<Value> Lowering::openSizesOf(Value tensor) {
  SmallVector<Value> open;
  for (int64_t d = 0; d < typeOf(tensor).getRank(); ++d)
    if (typeOf(tensor).isDynamicDim(d))
      open.push_back(tensor::DimOp::create(*this, tensor, d));
  return open;
}

SmallVector<Value> Lowering::sizesOf(RankedTensorType result, ValueRange inputs,
                                     ArrayRef<AffineMap> maps) {
  auto toldByInput = [&](AffineExpr loop) -> Value {
    for (auto [input, map] : llvm::zip_equal(inputs, maps))
      for (auto [position, expr] : llvm::enumerate(map.getResults()))
        if (expr == loop && typeOf(input).isDynamicDim(position))
          return tensor::DimOp::create(*this, input, int64_t(position));
    return nullptr;
  };
  SmallVector<Value> open;
  for (auto [d, extent] : llvm::enumerate(result.getShape())) {
    Value told = toldByInput(getAffineDimExpr(d));
    if (!ShapedType::isDynamic(extent)) {
      if (told)
        reason = "it joins a size that changes from run to run with one that is fixed; fix the "
                 "first too, with --dim NAME=VALUE";
      continue;
    }
    std::optional<onnx::SizeExpr> own;
    bool isOne = !told;
    for (unsigned i = 0; isOne && i < op->getNumResults(); ++i)
      if (RankedTensorType type = resultType(i); type && type.getShape() == result.getShape()) {
        onnx::SizeExpr size = sizes(op->getResult(i))[d];
        isOne = !own || *own == size;
        own = size;
      }
    if (own && isOne)
      told = size(*own);
    if (!told) {
      reason = "a size of what it computes is known only when the model runs; fix the sizes it "
               "depends on with --dim NAME=VALUE";
      told = index(1);
    }
    open.push_back(told);
  }
  return open;
}

/// Builds a generic's region with `body`, whose Lowering inserts inside it.
static auto bodyBuilder(Lowering &lowering, std::string &reason, Lowering::Body body) {
  return [&, body](OpBuilder &builder, Location loc, ValueRange arguments) {
    Lowering inner(builder, lowering.getOp(), reason);
    inner.setLoc(loc);
    linalg::YieldOp::create(builder, loc, body(inner, arguments));
  };
}

Value Lowering::parallel(RankedTensorType result, ValueRange inputs, ArrayRef<AffineMap> maps,
                         Body body) {
  return parallel(result, sizesOf(result, inputs, maps), inputs, maps, body);
}

Value Lowering::parallel(RankedTensorType result, ValueRange sizes, ValueRange inputs,
                         ArrayRef<AffineMap> maps, Body body) {
  // Nothing is computed, and a map may start where its input ends.
  if (llvm::is_contained(result.getShape(), 0))
    return empty(result, sizes);
  SmallVector<AffineMap> all(maps);
  all.push_back(getMultiDimIdentityMap(result.getRank()));
  SmallVector<utils::IteratorType> iterators(result.getRank(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             *this, TypeRange{result}, inputs, ValueRange{empty(result, sizes)}, all, iterators,
             bodyBuilder(*this, reason,
                         [&](Lowering &inner, ValueRange elements) {
                           return body(inner, elements.drop_back());
                         }))
      .getResult(0);
}

AffineMap Lowering::broadcastMap(RankedTensorType operand, RankedTensorType result) {
  int64_t lead = result.getRank() - operand.getRank();
  SmallVector<AffineExpr> exprs;
  for (auto [i, size] : llvm::enumerate(operand.getShape()))
    exprs.push_back(size == 1 && result.getDimSize(lead + i) != 1
                        ? getAffineConstantExpr(0)
                        : getAffineDimExpr(lead + i));
  return AffineMap::get(result.getRank(), 0, exprs, getContext());
}

Value Lowering::broadcasting(RankedTensorType result, ValueRange inputs, Body body) {
  SmallVector<AffineMap> maps;
  for (Value input : inputs)
    maps.push_back(broadcastMap(cast<RankedTensorType>(input.getType()), result));
  return parallel(result, inputs, maps, body);
}

Value Lowering::indexed(RankedTensorType result, IndexedBody body) {
  return indexed(result, sizesOf(result), body);
}

Value Lowering::indexed(RankedTensorType result, ValueRange sizes, IndexedBody body) {
  return parallel(result, sizes, {}, {}, [&](Lowering &inner, ValueRange) {
    SmallVector<Value> indices;
    for (int64_t d = 0; d < result.getRank(); ++d)
      indices.push_back(linalg::IndexOp::create(inner, d));
    return body(inner, indices);
  });
}

AffineMap Lowering::mapWithout(int64_t rank, ArrayRef<int64_t> dims) {
  SmallVector<AffineExpr> exprs;
  for (int64_t d = 0; d < rank; ++d)
    if (!llvm::is_contained(dims, d))
      exprs.push_back(getAffineDimExpr(d));
  return AffineMap::get(rank, 0, exprs, getContext());
}

Value Lowering::reduce(ArrayRef<int64_t> shape, ArrayRef<int64_t> dims, ValueRange inputs,
                       ArrayRef<AffineMap> maps, Value init, Body combiner, ValueRange openSizes) {
  SmallVector<utils::IteratorType> iterators;
  SmallVector<int64_t> kept;
  for (auto [d, size] : llvm::enumerate(shape)) {
    bool folds = llvm::is_contained(dims, int64_t(d));
    iterators.push_back(folds ? utils::IteratorType::reduction : utils::IteratorType::parallel);
    if (!folds)
      kept.push_back(size);
  }
  auto reduced = RankedTensorType::get(kept, init.getType());
  SmallVector<AffineMap> all(maps);
  all.push_back(mapWithout(shape.size(), dims));
  SmallVector<Value> keptSizes(openSizes);
  if (keptSizes.empty()) {
    // The sizes of all loops, of which the kept ones are the result's.
    auto loops = RankedTensorType::get(shape, init.getType());
    SmallVector<Value> sizes = sizesOf(loops, inputs, maps);
    for (int64_t d = 0, next = 0; d < loops.getRank(); ++d)
      if (loops.isDynamicDim(d)) {
        if (!llvm::is_contained(dims, d))
          keptSizes.push_back(sizes[next]);
        ++next;
      }
  }
  return linalg::GenericOp::create(*this, TypeRange{reduced}, inputs,
                                   ValueRange{fill(reduced, init, keptSizes)}, all, iterators,
                                   bodyBuilder(*this, reason, combiner))
      .getResult(0);
}

Value Lowering::reduce(Value input, ArrayRef<int64_t> dims, bool keepDims, Value init,
                       Body combiner) {
  auto type = cast<RankedTensorType>(input.getType());
  Value result = reduce(type.getShape(), dims, {input}, {getMultiDimIdentityMap(type.getRank())},
                        init, combiner);
  if (!keepDims)
    return result;
  SmallVector<int64_t> kept(type.getShape());
  for (int64_t d : dims)
    kept[d] = 1;
  return reshape(result, kept);
}

/// Both shapes cut into the most parts that hold equally many elements: each part collapsed, then
/// expanded. What stays apart can still be fused with what walks it.
static Value reshapeByParts(Lowering &b, Value input, RankedTensorType target) {
  ArrayRef<int64_t> from = cast<RankedTensorType>(input.getType()).getShape(), to = target.getShape();
  SmallVector<ReassociationIndices> collapsed, expanded;
  SmallVector<int64_t> middle;
  for (size_t i = 0, j = 0; i < from.size() && j < to.size();) {
    collapsed.push_back({int64_t(i)});
    expanded.push_back({int64_t(j)});
    int64_t left = from[i++], right = to[j++];
    while (left != right) {
      if (left < right) {
        collapsed.back().push_back(i);
        left *= from[i++];
      } else {
        expanded.back().push_back(j);
        right *= to[j++];
      }
    }
    middle.push_back(left);
    // What follows the last part is of size 1.
    if (j == to.size())
      for (; i < from.size(); ++i)
        collapsed.back().push_back(i);
    if (i == from.size())
      for (; j < to.size(); ++j)
        expanded.back().push_back(j);
  }
  auto parts = RankedTensorType::get(middle, target.getElementType());
  if (middle.size() != from.size())
    input = tensor::CollapseShapeOp::create(b, parts, input, collapsed);
  if (middle.size() != to.size())
    input = tensor::ExpandShapeOp::create(b, target, input, expanded);
  return input;
}

Value Lowering::reshape(Value input, ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(input.getType());
  if (type.getShape() == shape)
    return input;
  auto target = RankedTensorType::get(shape, type.getElementType());
  if (auto groups = getReassociationIndicesForReshape(type, target)) {
    if (target.getRank() < type.getRank())
      return tensor::CollapseShapeOp::create(*this, target, input, *groups);
    bool isKnown = llvm::all_of(*groups, [&](const ReassociationIndices &group) {
      return llvm::count_if(group, [&](int64_t d) { return target.isDynamicDim(d); }) <= 1;
    });
    if (target.getRank() > type.getRank() && isKnown)
      return tensor::ExpandShapeOp::create(*this, target, input, *groups);
  }
  if (target.getNumDynamicDims() > 1 || target.hasStaticShape() != type.hasStaticShape()) {
    reason = "it divides a size that changes from run to run; fix it with --dim NAME=VALUE";
    return empty(target, SmallVector<Value>(target.getNumDynamicDims(), index(1)));
  }
  if (type.hasStaticShape() && type.getNumElements() > 0 && type.getRank() > 0 && target.getRank() > 0)
    return reshapeByParts(*this, input, target);
  int64_t elements = type.hasStaticShape() ? type.getNumElements() : ShapedType::kDynamic;
  auto flat = RankedTensorType::get({elements}, type.getElementType());
  auto all = [](int64_t rank) {
    SmallVector<ReassociationIndices> groups;
    if (rank > 0)
      groups.emplace_back(llvm::to_vector(llvm::seq<int64_t>(0, rank)));
    return groups;
  };
  if (type.getRank() != 1)
    input = type.getRank() == 0
                ? Value(tensor::ExpandShapeOp::create(*this, flat, input, all(0)))
                : Value(tensor::CollapseShapeOp::create(*this, flat, input, all(type.getRank())));
  if (target.getRank() == 1)
    return input;
  if (target.getRank() == 0)
    return tensor::CollapseShapeOp::create(*this, target, input, all(0));
  return tensor::ExpandShapeOp::create(*this, target, input, all(target.getRank()));
}

/// How to say that what a reshape divides by a number is a multiple of it; "" where it divides nothing.
static std::string asMultiples(ArrayRef<onnx::SizeExpr> from, ArrayRef<onnx::SizeExpr> to) {
  for (const onnx::SizeExpr &size : llvm::concat<const onnx::SizeExpr>(to, from)) {
    std::string text = size.text();
    StringRef number = StringRef(text).split("floordiv ").second.take_while(llvm::isDigit);
    if (!number.empty())
      return (", or where they are multiples of " + number + " say so: --input NAME=1x3x" + number + "*hx" +
              number + "*w, with ranges of h and w, for an input that is [1, 3, height, width]")
          .str();
  }
  return "";
}

Value Lowering::reshape(Value input, ArrayRef<onnx::SizeExpr> from, ArrayRef<onnx::SizeExpr> to) {
  Type element = typeOf(input).getElementType();
  RankedTensorType target = tensorOf(to, element);
  if (llvm::equal(from, to))
    return input;
  if ((typeOf(input).hasStaticShape() && target.hasStaticShape()) || from.empty() || to.empty())
    return reshape(input, target.getShape());
  // Both are cut where the products of the sizes before agree, whatever the sizes are.
  auto products = [&](ArrayRef<onnx::SizeExpr> sizes) {
    std::vector<std::optional<onnx::SizeExpr>> before{onnx::SizeExpr(1)};
    for (const onnx::SizeExpr &size : sizes)
      before.push_back(before.back() ? before.back()->times(size) : std::nullopt);
    return before;
  };
  auto before = products(from), after = products(to);
  if (!before.back() || !after.back() || !(*before.back() == *after.back())) {
    reason = "the numbers of elements before and after it are not known to be equal; fix the sizes "
             "they depend on with --dim NAME=VALUE" + asMultiples(from, to);
    return empty(target, SmallVector<Value>(target.getNumDynamicDims(), index(1)));
  }
  SmallVector<Value> open = openSizes(to);
  if (before.back()->constant() == 0) // and each collapsed type would have to say so
    return empty(target, open);
  SmallVector<ReassociationIndices> collapsed, expanded;
  SmallVector<onnx::SizeExpr> middle;
  size_t i = 0, j = 0;
  while (i < from.size() && j < to.size()) {
    // The next cut; the ends are one.
    auto next = [&] {
      for (size_t a = i + 1; a <= from.size(); ++a)
        for (size_t b = j + 1; b <= to.size(); ++b)
          if (before[a] && after[b] && *before[a] == *after[b])
            return std::pair(a, b);
      return std::pair(from.size(), to.size());
    };
    auto [a, b] = next();
    // What follows the last cut of one side is of size 1.
    if (a == from.size() || b == to.size())
      a = from.size(), b = to.size();
    collapsed.emplace_back(llvm::to_vector(llvm::seq<int64_t>(i, a)));
    expanded.emplace_back(llvm::to_vector(llvm::seq<int64_t>(j, b)));
    onnx::SizeExpr whole(1);
    for (const onnx::SizeExpr &size : a - i == 1 ? from.slice(i, 1) : to.slice(j, b - j))
      whole = whole.times(size).value_or(whole);
    middle.push_back(whole);
    i = a, j = b;
  }
  RankedTensorType parts = tensorOf(middle, element);
  if (middle.size() != from.size())
    input = tensor::CollapseShapeOp::create(*this, parts, input, collapsed);
  if (middle.size() == to.size())
    return input;
  return tensor::ExpandShapeOp::create(*this, target, input, expanded,
                                       getMixedValues(target.getShape(), open, *this));
}

Value Lowering::transpose(Value input, ArrayRef<int64_t> perm) {
  auto type = cast<RankedTensorType>(input.getType());
  SmallVector<int64_t> shape;
  SmallVector<AffineExpr> exprs(type.getRank());
  for (auto [i, p] : llvm::enumerate(perm)) {
    shape.push_back(type.getDimSize(p));
    exprs[p] = getAffineDimExpr(i);
  }
  auto result = RankedTensorType::get(shape, type.getElementType());
  return parallel(result, {input}, {AffineMap::get(type.getRank(), 0, exprs, getContext())},
                  [](Lowering &, ValueRange elements) { return elements[0]; });
}

Value Lowering::inPlace(Value value, Value place) {
  if (value == place)
    return value;
  return bufferization::MaterializeInDestinationOp::create(*this, value, place).getResult();
}

//===- Table ----------------------------------------------------------------===//

const RuleTable &ruleTable() {
  static const RuleTable table = [] {
    RuleTable made;
    registerElementwise(made);
    registerReduction(made);
    registerNormalization(made);
    registerAttention(made);
    registerRotary(made);
    registerContraction(made);
    registerConvolution(made);
    registerPooling(made);
    registerMovement(made);
    registerPad(made);
    registerIndexing(made);
    registerShape(made);
    registerControl(made);
    registerSequence(made);
    registerRecurrent(made);
    registerSignal(made);
    return made;
  }();
  return table;
}

} // namespace burin::lower
