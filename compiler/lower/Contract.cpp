// SPDX-License-Identifier: Apache-2.0
#include "compiler/lower/Contract.h"

#include "compiler/plan/PackWeights.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace burin::lower {

//===- Weights --------------------------------------------------------------===//

/// A constant with `layout`, or null where `value` is none.
static Value constantWithLayout(Lowering &b, Value value, plan::LayoutAttr layout) {
  TypedAttr attribute;
  if (auto constant = value.getDefiningOp<plan::ConstantOp>())
    attribute = constant.getValue();
  else if (auto constant = value.getDefiningOp<arith::ConstantOp>())
    attribute = constant.getValue();
  if (attribute)
    attribute = withLayout(attribute, layout);
  if (!attribute)
    return nullptr;
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute); dense && dense.isSplat())
    return arith::ConstantOp::create(b, attribute);
  return plan::ConstantOp::create(b, attribute);
}

Value transposeWeights(Lowering &b, Value value, ArrayRef<int64_t> shape,
                       ArrayRef<int64_t> permutation) {
  if (!ShapedType::isDynamicShape(shape)) {
    auto layout = plan::LayoutAttr::get(b.getContext(), shape, permutation, 0, 0, 0, false);
    if (Value constant = constantWithLayout(b, value, layout))
      return constant;
  }
  return b.transpose(b.reshape(value, shape), permutation);
}

Value packPanels(Lowering &b, Value weights, ArrayRef<int64_t> shape,
                 ArrayRef<int64_t> permutation, int64_t leading) {
  constexpr int64_t panel = kern::ContractOp::panelWidth;
  bool bf16 = b.arithmetic.bf16Weights && typeOf(weights).getElementType().isF32();
  auto layout = plan::LayoutAttr::get(b.getContext(), shape, permutation, leading, panel, 0, bf16);
  if (Value constant = constantWithLayout(b, weights, layout))
    return constant;

  // [leading..., panels, reduction dims..., 16], then the reduction dims as one.
  SmallVector<int64_t> packedShape = layout.getShape();
  int64_t columnDim = permutation[leading], columns = shape[columnDim];
  int64_t panels = packedShape[leading];
  SmallVector<int64_t> loopShape;
  for (int64_t dim : permutation.take_front(leading))
    loopShape.push_back(shape[dim]);
  loopShape.push_back(panels);
  for (int64_t dim : permutation.drop_front(leading + 1))
    loopShape.push_back(shape[dim]);
  loopShape.push_back(panel);
  auto element = cast<RankedTensorType>(weights.getType()).getElementType();
  auto loops = RankedTensorType::get(loopShape, element);
  Value packed;
  if (columns % panel == 0) {
    // A transposition of [..., panels, 16, ...].
    SmallVector<int64_t> split;
    SmallVector<AffineExpr> exprs;
    SmallVector<int64_t> loopOf(shape.size());
    for (auto [loop, dim] : llvm::enumerate(permutation))
      loopOf[dim] = loop;
    for (auto [dim, size] : llvm::enumerate(shape)) {
      exprs.push_back(b.getAffineDimExpr(loopOf[dim]));
      if (int64_t(dim) == columnDim) {
        split.append({panels, panel});
        exprs.push_back(b.getAffineDimExpr(loops.getRank() - 1));
      } else {
        split.push_back(size);
      }
    }
    packed = b.parallel(loops, {b.reshape(weights, split)},
                        {AffineMap::get(loops.getRank(), 0, exprs, b.getContext())},
                        [](Lowering &, ValueRange elements) { return elements[0]; });
  } else {
    Value source = b.reshape(weights, shape);
    packed = b.indexed(loops, [&](Lowering &inner, ValueRange at) {
      SmallVector<Value> from(shape.size());
      for (auto [loop, dim] : llvm::enumerate(permutation))
        from[dim] = at[loop];
      Value column = arith::AddIOp::create(
          inner, arith::MulIOp::create(inner, at[leading], inner.index(panel)), at.back());
      from[columnDim] = arith::MinUIOp::create(inner, column, inner.index(columns - 1));
      return tensor::ExtractOp::create(inner, source, from).getResult();
    });
  }
  return b.reshape(packed, packedShape);
}

Value packTaps(Lowering &b, Value weights, int64_t tile) {
  auto layout = plan::LayoutAttr::get(b.getContext(), typeOf(weights).getShape(), {2, 3, 0, 1}, 2,
                                      kern::ContractOp::panelWidth, tile, false);
  return constantWithLayout(b, weights, layout);
}

Value packColumns(Lowering &b, Value matrices) {
  constexpr int64_t panel = kern::ContractOp::panelWidth;
  RankedTensorType type = typeOf(matrices);
  int64_t rank = type.getRank(), column = rank - 1;
  auto size = [&](int64_t d) -> Value {
    return type.isDynamicDim(d) ? Value(tensor::DimOp::create(b, matrices, d))
                                : b.index(type.getDimSize(d));
  };
  SmallVector<int64_t> shape(type.getShape().drop_back(2));
  SmallVector<Value> dynamic;
  for (int64_t d = 0; d + 2 < rank; ++d)
    if (type.isDynamicDim(d))
      dynamic.push_back(size(d));
  Value columns = size(column);
  if (type.isDynamicDim(column)) {
    shape.push_back(ShapedType::kDynamic);
    dynamic.push_back(arith::CeilDivUIOp::create(b, columns, b.index(panel)));
  } else {
    shape.push_back(llvm::divideCeil(type.getDimSize(column), panel));
  }
  shape.append({type.getDimSize(rank - 2), panel});
  if (type.isDynamicDim(rank - 2))
    dynamic.push_back(size(rank - 2));
  Value last = arith::SubIOp::create(b, columns, b.index(1));
  auto packed = RankedTensorType::get(shape, type.getElementType());
  return b.indexed(packed, dynamic, [&](Lowering &inner, ValueRange at) {
    SmallVector<Value> from(at.take_front(rank - 2));
    from.push_back(at[rank - 1]);
    Value place = arith::AddIOp::create(
        inner, arith::MulIOp::create(inner, at[rank - 2], inner.index(panel)), at.back());
    // The last panel repeats what it ends with.
    from.push_back(arith::MinUIOp::create(inner, place, last));
    return tensor::ExtractOp::create(inner, matrices, from).getResult();
  });
}

bool isReadInPlace(Value matrices, ArrayRef<int64_t> rowSizes) {
  // One task's rows: each panel is then copied once, by who reads it.
  constexpr int64_t fewRows = 96;
  int64_t rows = 1;
  for (int64_t size : rowSizes)
    if (ShapedType::isDynamic(size) || llvm::MulOverflow(rows, size, rows))
      return false;
  return rows <= fewRows &&
         !isa_and_present<plan::ConstantOp, arith::ConstantOp>(matrices.getDefiningOp());
}

//===- Sums of products -----------------------------------------------------===//

Value contract(Lowering &b, RankedTensorType result, Value a, Value panels, AffineMap aMap,
               AffineMap bMap, ArrayRef<int64_t> reduction, ValueRange extras, Lowering::Body body,
               ValueRange dynamic, IntegerAttr winograd, ArrayRef<AffineMap> extraMaps) {
  SmallVector<AffineMap> maps(extraMaps);
  if (maps.empty())
    for (Value extra : extras)
      maps.push_back(b.broadcastMap(cast<RankedTensorType>(extra.getType()), result));
  auto op = kern::ContractOp::create(b, TypeRange{result}, a, panels, extras,
                                     b.empty(result, dynamic), aMap, bMap,
                                     b.getAffineMapArrayAttr(maps), reduction, winograd);
  OpBuilder::InsertionGuard guard(b);
  Block *block = b.createBlock(&op.getEpilogue());
  block->addArgument(b.getF32Type(), b.getLoc());
  for (Value extra : extras)
    block->addArgument(getElementTypeOrSelf(extra.getType()), b.getLoc());
  Value value = block->getArgument(0);
  if (body)
    value = body(b, block->getArguments());
  kern::YieldOp::create(b, value);
  return op.getResult();
}

Type accumulatorType(Type element) {
  if (isa<FloatType>(element) && element.getIntOrFloatBitWidth() < 32)
    return Float32Type::get(element.getContext());
  return element;
}

/// `value` in the accumulator's type.
static Value extend(Lowering &b, Value value, Type type, bool isUnsigned) {
  if (value.getType() == type)
    return value;
  if (isa<FloatType>(type))
    return arith::ExtFOp::create(b, type, value);
  if (isUnsigned)
    return arith::ExtUIOp::create(b, type, value);
  return arith::ExtSIOp::create(b, type, value);
}

Value multiplyAccumulate(Lowering &b, ArrayRef<int64_t> result, Type accumulator,
                         ArrayRef<Factor> factors, unsigned reductions, ArrayRef<unsigned> order,
                         ValueRange dynamic) {
  unsigned loops = result.size() + reductions;
  SmallVector<unsigned> nest(order);
  if (nest.empty())
    nest = llvm::to_vector(llvm::seq<unsigned>(0, loops));
  // Old loop nest[i] is new loop i.
  SmallVector<AffineExpr> renamed(loops);
  SmallVector<utils::IteratorType> iterators;
  for (auto [position, loop] : llvm::enumerate(nest)) {
    renamed[loop] = b.getAffineDimExpr(position);
    iterators.push_back(loop < result.size() ? utils::IteratorType::parallel
                                             : utils::IteratorType::reduction);
  }
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps, given;
  auto take = [&](Value value, AffineMap map) {
    inputs.push_back(value);
    given.push_back(map);
    maps.push_back(map.replaceDimsAndSymbols(renamed, {}, loops, 0));
  };
  for (const Factor &factor : factors) {
    take(factor.value, factor.map);
    if (factor.zeroPoint)
      take(factor.zeroPoint, factor.zeroPointMap);
  }
  maps.push_back(AffineMap::get(loops, 0, ArrayRef(renamed).take_front(result.size()), b.getContext()));
  auto type = RankedTensorType::get(result, accumulator);
  SmallVector<Value> sizes(dynamic);
  if (sizes.empty())
    sizes = b.sizesOf(type, inputs, given);
  Value sums = b.fill(type, b.scalar(accumulator, 0), sizes);
  auto generic = linalg::GenericOp::create(
      b, TypeRange{type}, inputs, sums, maps,
      iterators, [&](OpBuilder &builder, Location loc, ValueRange elements) {
        std::string reason;
        Lowering inner(builder, b.getOp(), reason);
        inner.setLoc(loc);
        Value product;
        unsigned next = 0;
        bool isFloat = isa<FloatType>(accumulator);
        SmallVector<Value> values;
        for (const Factor &factor : factors) {
          Value value = extend(inner, elements[next++], accumulator, factor.isUnsigned);
          if (factor.zeroPoint) {
            Value zero = extend(inner, elements[next++], accumulator, factor.isUnsigned);
            value = arith::SubIOp::create(inner, value, zero);
          }
          values.push_back(value);
        }
        Value sum = elements.back();
        for (Value value : ArrayRef(values).drop_back())
          product = !product  ? value
                    : isFloat ? Value(arith::MulFOp::create(inner, product, value))
                              : Value(arith::MulIOp::create(inner, product, value));
        Value last = values.back();
        if (!product)
          sum = isFloat ? Value(arith::AddFOp::create(inner, sum, last))
                        : Value(arith::AddIOp::create(inner, sum, last));
        else if (isFloat)
          sum = math::FmaOp::create(inner, product, last, sum);
        else
          sum = arith::AddIOp::create(inner, sum, arith::MulIOp::create(inner, product, last));
        linalg::YieldOp::create(builder, loc, sum);
      });
  return generic.getResult(0);
}

Value convertFloat(Lowering &b, Value value, Type type) {
  auto from = cast<RankedTensorType>(value.getType());
  if (from.getElementType() == type)
    return value;
  bool wider = type.getIntOrFloatBitWidth() > from.getElementTypeBitWidth();
  return b.parallel(RankedTensorType::get(from.getShape(), type), {value},
                    {b.getMultiDimIdentityMap(from.getRank())},
                    [&](Lowering &inner, ValueRange elements) -> Value {
                      if (wider)
                        return arith::ExtFOp::create(inner, type, elements[0]);
                      return arith::TruncFOp::create(inner, type, elements[0]);
                    });
}

Value requantize(Lowering &b, RankedTensorType result, Value sums, ValueRange scales, Value yScale,
                 Value yZeroPoint, bool isUnsigned) {
  SmallVector<Value> inputs{sums};
  llvm::append_range(inputs, scales);
  inputs.push_back(yScale);
  if (yZeroPoint)
    inputs.push_back(yZeroPoint);
  Type f32 = b.getF32Type(), type = result.getElementType();
  unsigned bits = type.getIntOrFloatBitWidth();
  double least = isUnsigned ? 0 : -double(int64_t(1) << (bits - 1));
  double most = double(int64_t(1) << (bits - (isUnsigned ? 0 : 1))) - 1;
  return b.broadcasting(result, inputs, [&](Lowering &inner, ValueRange elements) -> Value {
    auto toFloat = [&](Value value) -> Value {
      return value.getType().getIntOrFloatBitWidth() < 32
                 ? Value(arith::ExtFOp::create(inner, f32, value))
                 : value;
    };
    Value scale;
    for (Value element : elements.slice(1, scales.size()))
      scale = scale ? Value(arith::MulFOp::create(inner, scale, toFloat(element))) : toFloat(element);
    scale = arith::DivFOp::create(inner, scale, toFloat(elements[1 + scales.size()]));
    Value value = arith::SIToFPOp::create(inner, f32, elements[0]);
    value = arith::MulFOp::create(inner, value, scale);
    // Before the zero point is added: an odd one would turn ties, a large one round once more.
    value = math::RoundEvenOp::create(inner, value);
    if (yZeroPoint) {
      Value zero = isUnsigned ? Value(arith::UIToFPOp::create(inner, f32, elements.back()))
                              : Value(arith::SIToFPOp::create(inner, f32, elements.back()));
      value = arith::AddFOp::create(inner, value, zero);
    }
    // A sum that is not a number counts as the least value.
    value = arith::MaxNumFOp::create(inner, value, inner.scalar(f32, least));
    value = arith::MinNumFOp::create(inner, value, inner.scalar(f32, most));
    return isUnsigned ? Value(arith::FPToUIOp::create(inner, type, value))
                      : Value(arith::FPToSIOp::create(inner, type, value));
  });
}

} // namespace burin::lower
