// SPDX-License-Identifier: Apache-2.0
//
// The indexing family: the place of an element is data. Gathers pull through
// tensor.extract, scatters are kern.scatter. A negative index counts from the
// end; one that is out of range is reported and clamped (gathers) or left out.

#include "compiler/lower/Indexing.h"

#include "compiler/lower/Access.h"
#include "dialects/kern/KernOps.h"
#include "dialects/onnx/OnnxOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

using namespace mlir;
using namespace burin;
using namespace burin::lower;

namespace {

//===- Gathers --------------------------------------------------------------===//

/// Whether elements can be read at all: an empty operand has no place to clamp to.
LogicalResult needsElements(Lowering &b, RankedTensorType result, Value data) {
  if (llvm::is_contained(typeOf(data).getShape(), 0) && !llvm::is_contained(result.getShape(), 0))
    return b.unsupported("indices into an empty tensor are always out of range");
  auto to = b.sizes(b.getOp()->getResult(0));
  for (const onnx::SizeExpr &size : b.sizes(b.getOp()->getOperand(0))) {
    auto range = size.constant() || !b.range ? std::nullopt : b.range(size);
    if (range && range->min <= 0 && !llvm::is_contained(to, size)) // else the result is as empty
      return b.unsupported("it reads from a tensor that may be empty, for its size '" + size.text() +
                           "' may be 0; give a range that starts at 1, for example with --dim NAME=1..MAX");
  }
  return success();
}

Results lowerGather(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type) || failed(needsElements(b, *type, operands[0])))
    return failure();
  Value data = operands[0], indices = operands[1];
  int64_t rank = typeOf(data).getRank(), indexRank = typeOf(indices).getRank();
  FailureOr<int64_t> axis = normalizeAxis(b, cast<onnx::GatherOp>(op).getAxis(), rank);
  if (failed(axis))
    return failure();
  // Neighbours that are known are a slice.
  if (std::optional<SmallVector<int64_t>> known = b.constantInts(1);
      known && !known->empty() && type->hasStaticShape() && typeOf(data).hasStaticShape()) {
    int64_t size = typeOf(data).getDimSize(*axis), first = known->front();
    first += first < 0 ? size : 0;
    bool isRun = first >= 0 && first <= size - int64_t(known->size());
    for (auto [i, index] : llvm::enumerate(*known))
      isRun = isRun && (index < 0 ? index + size : index) == first + int64_t(i);
    if (isRun) {
      SmallVector<int64_t> shape(typeOf(data).getShape()), starts(rank, 0), steps(rank, 1);
      shape[*axis] = known->size();
      starts[*axis] = first;
      Value part = stridedSlice(b, data, RankedTensorType::get(shape, type->getElementType()),
                                starts, steps);
      return SmallVector<Value>{b.reshape(part, type->getShape())};
    }
  }
  // Result dims: data's before the axis, the indices', data's after it.
  AffineMap map = AffineMap::getMultiDimIdentityMap(type->getRank(), b.getContext())
                      .getSliceMap(*axis, indexRank);
  Value size = b.size(b.sizes(op->getOperand(0))[*axis]);
  return SmallVector<Value>{b.parallel(*type, {indices}, {map}, [&](Lowering &in, ValueRange elements) {
    SmallVector<Value> at;
    for (int64_t d = 0; d < rank; ++d) {
      if (d == *axis)
        at.push_back(checkedIndex(in, toIndex(in, elements[0]), size));
      else
        at.push_back(linalg::IndexOp::create(in, d < *axis ? d : d + indexRank - 1));
    }
    return extract(in, data, at);
  })};
}

Results lowerGatherElements(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type) || failed(needsElements(b, *type, operands[0])))
    return failure();
  Value data = operands[0];
  int64_t rank = typeOf(data).getRank();
  FailureOr<int64_t> axis = normalizeAxis(b, cast<onnx::GatherElementsOp>(op).getAxis(), rank);
  if (failed(axis))
    return failure();
  auto from = b.sizes(op->getOperand(0)), by = b.sizes(op->getOperand(1));
  if (by != b.sizes(op->getResult(0)) || type->getRank() != rank)
    return b.unsupported("indices of another shape than the result");
  for (int64_t d = 0; d < rank; ++d) {
    auto most = from[d].constant(), asked = by[d].constant();
    if (d != *axis && !(most && asked ? *asked <= *most : from[d] == by[d]))
      return b.unsupported("indices that are, or may be, longer than the data");
  }
  Value size = b.size(from[*axis]);
  return SmallVector<Value>{b.parallel(
      *type, {operands[1]}, {b.getMultiDimIdentityMap(rank)}, [&](Lowering &in, ValueRange elements) {
        SmallVector<Value> at;
        for (int64_t d = 0; d < rank; ++d)
          at.push_back(d == *axis ? checkedIndex(in, toIndex(in, elements[0]), size)
                                  : Value(linalg::IndexOp::create(in, d)));
        return extract(in, data, at);
      })};
}

Results lowerGatherND(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type) || failed(needsElements(b, *type, operands[0])))
    return failure();
  Value data = operands[0], indices = operands[1];
  int64_t rank = typeOf(data).getRank(), indexRank = typeOf(indices).getRank();
  int64_t batch = cast<onnx::GatherNDOp>(op).getBatchDims();
  if (indexRank < 1 || batch < 0 || batch >= std::min(rank, indexRank))
    return b.unsupported("batch_dims is not less than the operands' ranks");
  int64_t coordinates = typeOf(indices).getDimSize(indexRank - 1);
  if (ShapedType::isDynamic(coordinates))
    return b.unsupported("how many coordinates an index has must be known; fix the last size of the indices");
  if (batch + coordinates > rank || type->getRank() != indexRank - 1 + rank - batch - coordinates)
    return b.unsupported("more coordinates than the data has dimensions");
  auto all = b.sizes(op->getOperand(0));
  SmallVector<Value> sizes;
  for (int64_t c = 0; c < coordinates; ++c)
    sizes.push_back(b.size(all[batch + c]));
  return SmallVector<Value>{b.indexed(*type, [&](Lowering &in, ValueRange result) {
    SmallVector<Value> at(result.take_front(batch)), place(result.take_front(indexRank - 1));
    place.push_back(nullptr);
    for (int64_t c = 0; c < coordinates; ++c) {
      place.back() = in.index(c);
      at.push_back(checkedIndex(in, toIndex(in, extract(in, indices, place)), sizes[c]));
    }
    llvm::append_range(at, result.drop_front(indexRank - 1));
    return extract(in, data, at);
  })};
}

Results lowerOneHot(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  Value indices = operands[0], depth = operands[1], values = operands[2];
  FailureOr<int64_t> axis = normalizeAxis(b, cast<onnx::OneHotOp>(op).getAxis(), type->getRank());
  if (failed(axis))
    return failure();
  if (typeOf(indices).getRank() + 1 != type->getRank())
    return b.unsupported("the result's declared rank is not one more than the indices'");
  Value size = b.size(b.sizes(op->getResult(0))[*axis]);
  auto map = AffineMap::getMultiDimIdentityMap(type->getRank(), b.getContext());
  map = map.dropResult(*axis);
  bool depthIsKnown = b.constantInts(1).has_value();
  Type i64 = IntegerType::get(b.getContext(), 64, IntegerType::Signed);
  return SmallVector<Value>{b.parallel(*type, {indices}, {map}, [&](Lowering &in, ValueRange elements) {
    Scalars s{in};
    if (!depthIsKnown) {
      Value given = toIndex(in, s.cast(extractOnly(in, depth), elementType(op->getOperand(1)), i64));
      check(in, s.equal(given, size), shapeMismatch, given);
    }
    Value hot = toIndex(in, s.cast(elements[0], elementType(op->getOperand(0)), i64));
    hot = s.select(s.less(hot, in.index(0)), s.add(hot, size), hot);
    Value isOn = s.equal(hot, linalg::IndexOp::create(in, *axis));
    return s.select(isOn, extract(in, values, in.index(1)), extract(in, values, in.index(0)));
  })};
}

//===- Scatters -------------------------------------------------------------===//

/// The body that a `reduction` attribute asks for; null where there is no such reduction.
std::function<SmallVector<Value>(ImplicitLocOpBuilder &, ValueRange)>
combiner(StringRef reduction, Type onnxElement) {
  bool noSign = isUnsigned(onnxElement) || isBool(onnxElement);
  auto with = [noSign](auto combine) {
    return [noSign, combine](ImplicitLocOpBuilder &b, ValueRange values) {
      Scalars s{b};
      Value update = s.widen(values[0]), old = s.widen(values[1]);
      Value result = combine(s, old, update, noSign);
      Type type = values[1].getType();
      return SmallVector<Value>{isa<FloatType>(type) ? s.narrow(result, type) : result};
    };
  };
  if (reduction == "none")
    return [](ImplicitLocOpBuilder &, ValueRange values) { return SmallVector<Value>{values[0]}; };
  if (reduction == "add" && isBool(onnxElement))
    return with([](Scalars &s, Value x, Value y, bool) -> Value {
      return arith::OrIOp::create(s.b, x, y);
    });
  if (reduction == "add")
    return with([](Scalars &s, Value x, Value y, bool) { return s.add(x, y); });
  if (reduction == "mul")
    return with([](Scalars &s, Value x, Value y, bool) { return s.mul(x, y); });
  if (reduction == "max")
    return with([](Scalars &s, Value x, Value y, bool noSign) { return s.max(x, y, noSign); });
  if (reduction == "min")
    return with([](Scalars &s, Value x, Value y, bool noSign) { return s.min(x, y, noSign); });
  return nullptr;
}

/// `data` with `updates` combined into it; see kern.scatter for the maps.
Results scatter(Lowering &b, Value data, Value indices, Value updates, StringRef reduction,
                AffineMap indexMap, AffineMap placeMap, bool wrap = true) {
  Type element = elementType(b.getOp()->getOperand(0));
  if (reduction != "none" && !element.isIntOrFloat())
    return b.unsupported("a reduction of complex numbers");
  auto body = combiner(reduction, element);
  if (!body)
    return b.unsupported("reduction '" + reduction + "'");
  if (llvm::is_contained(typeOf(updates).getShape(), 0) ||
      llvm::is_contained(typeOf(data).getShape(), 0))
    return SmallVector<Value>{data};
  auto scattered = kern::ScatterOp::create(b, indices, updates, ownCopy(b, data), indexMap,
                                           placeMap, wrap, /*drop=*/false, body);
  return SmallVector<Value>{scattered.getResult()};
}

Results lowerScatterElements(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  auto node = cast<onnx::ScatterElementsOp>(op);
  RankedTensorType updates = typeOf(operands[2]);
  int64_t rank = type->getRank();
  FailureOr<int64_t> axis = normalizeAxis(b, node.getAxis(), rank);
  if (failed(axis))
    return failure();
  auto sizes = b.sizes(op->getOperand(1));
  if (updates.getRank() != rank || sizes != b.sizes(op->getOperand(2)))
    return b.unsupported("indices and updates of different shapes");
  auto shape = sizes;
  shape.push_back(1);
  Value indices = b.reshape(operands[1], sizes, shape);
  SmallVector<AffineExpr> place;
  for (int64_t d = 0; d < rank; ++d)
    place.push_back(d == *axis ? b.getAffineSymbolExpr(0) : b.getAffineDimExpr(d));
  return scatter(b, operands[0], indices, operands[2], node.getReduction(),
                 b.getMultiDimIdentityMap(rank), AffineMap::get(rank, 1, place, b.getContext()));
}

Results lowerScatterND(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  RankedTensorType indices = typeOf(operands[1]), updates = typeOf(operands[2]);
  int64_t rank = type->getRank(), leading = indices.getRank() - 1;
  if (leading < 0)
    return b.unsupported("indices without a dimension of coordinates");
  int64_t coordinates = indices.getDimSize(leading);
  if (ShapedType::isDynamic(coordinates))
    return b.unsupported("how many coordinates an index has must be known; fix the last size of the indices");
  auto of = [&](Value value) { return b.sizes(value); };
  auto given = of(op->getOperand(2)), places = of(op->getOperand(1)), all = of(op->getOperand(0));
  if (coordinates > rank || updates.getRank() != leading + rank - coordinates ||
      ArrayRef(given).take_front(leading) != ArrayRef(places).drop_back() ||
      ArrayRef(given).drop_front(leading) != ArrayRef(all).drop_front(coordinates))
    return b.unsupported("updates whose shape does not follow from data and indices");
  SmallVector<AffineExpr> place;
  for (int64_t c = 0; c < coordinates; ++c)
    place.push_back(b.getAffineSymbolExpr(c));
  for (int64_t d = leading; d < updates.getRank(); ++d)
    place.push_back(b.getAffineDimExpr(d));
  return scatter(
      b, operands[0], operands[1], operands[2], cast<onnx::ScatterNDOp>(op).getReduction(),
      AffineMap::getMultiDimIdentityMap(updates.getRank(), b.getContext()).getMajorSubMap(leading),
      AffineMap::get(updates.getRank(), coordinates, place, b.getContext()));
}

/// Rows of a cache from write_indices[batch] on; circular ones go round.
Results lowerTensorScatter(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  auto node = cast<onnx::TensorScatterOp>(op);
  int64_t rank = type->getRank();
  FailureOr<int64_t> axis = normalizeAxis(b, node.getAxis(), rank);
  if (failed(axis))
    return failure();
  RankedTensorType updates = typeOf(operands[1]);
  if (*axis == 0 || updates.getRank() != rank)
    return b.unsupported("needs a batch axis before the axis that is written");
  onnx::SizeExpr batch = b.sizes(op->getOperand(0))[0];
  Value starts;
  if (operands.size() > 2 && operands[2])
    starts = b.reshape(operands[2], {batch}, {batch, 1});
  else
    starts = b.fill(b.tensorOf({batch, 1}, b.getI64Type()), b.scalarInt(b.getI64Type(), 0),
                    b.openSizes({batch}));
  SmallVector<AffineExpr> place;
  for (int64_t d = 0; d < rank; ++d)
    place.push_back(b.getAffineDimExpr(d));
  place[*axis] = place[*axis] + b.getAffineSymbolExpr(0);
  if (node.getMode() == "circular" && type->isDynamicDim(*axis))
    return b.unsupported(needsFixedSize);
  if (node.getMode() == "circular")
    place[*axis] = place[*axis] % type->getDimSize(*axis);
  else if (node.getMode() != "linear")
    return b.unsupported("mode '" + node.getMode() + "'");
  return scatter(b, operands[0], starts, operands[1], "none",
                 AffineMap::get(rank, 0, b.getAffineDimExpr(0)),
                 AffineMap::get(rank, 1, place, b.getContext()), /*wrap=*/false);
}

} // namespace

Value burin::lower::ownCopy(Lowering &b, Value data) {
  return bufferization::MaterializeInDestinationOp::create(b, data.getType(), data,
                                                           b.empty(typeOf(data), b.openSizesOf(data)))
      .getResult();
}

void burin::lower::registerIndexing(RuleTable &table) {
  table.add<onnx::GatherOp>(lowerGather, Sizes::Dynamic);
  table.add<onnx::GatherElementsOp>(lowerGatherElements, Sizes::Dynamic);
  table.add<onnx::GatherNDOp>(lowerGatherND, Sizes::Dynamic);
  table.add<onnx::OneHotOp>(lowerOneHot, Sizes::Dynamic);
  table.add<onnx::ScatterElementsOp>(lowerScatterElements, Sizes::Dynamic);
  table.add<onnx::ScatterNDOp>(lowerScatterND, Sizes::Dynamic);
  table.add<onnx::TensorScatterOp>(lowerTensorScatter, Sizes::Dynamic);
  registerNGrams(table);
  registerResize(table);
  registerSampling(table);
  registerSelection(table);
}
