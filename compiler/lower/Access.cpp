// SPDX-License-Identifier: Apache-2.0
#include "compiler/lower/Access.h"

#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"

using namespace mlir;

namespace burin::lower {

//===- Questions ------------------------------------------------------------===//

Value zeroOf(Lowering &b, Type type) {
  if (auto complex = dyn_cast<ComplexType>(type)) {
    Attribute zero = b.getZeroAttr(complex.getElementType());
    return complex::ConstantOp::create(b, type, b.getArrayAttr({zero, zero}));
  }
  return b.scalarInt(type, 0);
}

std::optional<onnx::SizeExpr> productOf(ArrayRef<onnx::SizeExpr> sizes) {
  std::optional<onnx::SizeExpr> total = onnx::SizeExpr(1);
  for (const onnx::SizeExpr &size : sizes)
    total = total ? total->times(size) : total;
  return total;
}

std::optional<onnx::SizeExpr> windowReach(const onnx::SizeExpr &count, int64_t stride, int64_t span) {
  std::optional<onnx::SizeExpr> steps = count.minus(1);
  steps = steps ? steps->times(stride) : steps;
  return steps ? steps->plus(span) : steps;
}

SamePads samePads(Lowering &b, const onnx::SizeExpr &total, int64_t span, bool upper) {
  Value open;
  int64_t all = std::max<int64_t>(total.constant().value_or(span - 1), 0);
  if (!total.constant() && span > 1) {
    Value pad = arith::MaxSIOp::create(b, b.size(total), b.index(0)), two = b.index(2);
    open = upper ? Value(arith::DivUIOp::create(b, pad, two))
                 : Value(arith::CeilDivUIOp::create(b, pad, two));
  }
  int64_t before = upper ? all / 2 : all - all / 2;
  return {before, all - before, open};
}

FailureOr<RankedTensorType> boundedResult(Lowering &b, unsigned index) {
  auto isPlain = [](Type type) {
    if (isa<NoneType>(type))
      return true;
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && (tensor.getElementType().isIntOrFloat() ||
                      isa<ComplexType>(tensor.getElementType()));
  };
  auto isBounded = [&](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return !tensor || tensor.hasStaticShape() || b.hasRanges(tensor);
  };
  if (!llvm::all_of(b.getOp()->getOperandTypes(), isPlain) ||
      !llvm::all_of(b.getOp()->getResultTypes(), isPlain))
    return b.unsupported("strings, sequences and optionals are not moved at run time; compute them "
                         "before the model is called");
  if (!llvm::all_of(b.getOp()->getResultTypes(), isBounded))
    return b.unsupported("the result's shape is known only when the model runs; fix the sizes it "
                         "depends on with --dim NAME=VALUE, or make them constants of the model");
  if (!llvm::all_of(b.getOp()->getOperandTypes(), isBounded))
    return b.unsupported("an operand's shape is known only when the model runs; fix its sizes "
                         "with --dim NAME=VALUE");
  return b.resultType(index);
}

FailureOr<int64_t> normalizeAxis(Lowering &b, int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return b.unsupported("axis " + Twine(axis) + " of a tensor of rank " + Twine(rank));
  return axis < 0 ? axis + rank : axis;
}

FailureOr<SmallVector<int64_t>> normalizeAxes(Lowering &b, std::optional<ArrayRef<int64_t>> axes,
                                              int64_t rank) {
  if (!axes)
    return llvm::to_vector(llvm::seq<int64_t>(0, rank));
  SmallVector<int64_t> result;
  for (int64_t axis : *axes) {
    FailureOr<int64_t> normal = normalizeAxis(b, axis, rank);
    if (failed(normal))
      return failure();
    if (llvm::is_contained(result, *normal))
      return b.unsupported("axis " + Twine(axis) + " is named twice");
    result.push_back(*normal);
  }
  return result;
}

SmallVector<int64_t> intsOr(Operation *op, StringRef name, int64_t count, int64_t otherwise) {
  if (auto given = op->getAttrOfType<DenseI64ArrayAttr>(name))
    return SmallVector<int64_t>(given.asArrayRef());
  return SmallVector<int64_t>(count, otherwise);
}

//===- Inside bodies --------------------------------------------------------===//

static Value indexConstant(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

Value extract(ImplicitLocOpBuilder &b, Value tensor, ValueRange indices) {
  return tensor::ExtractOp::create(b, tensor, indices);
}

Value extractOnly(ImplicitLocOpBuilder &b, Value tensor) {
  SmallVector<Value> zeros(cast<RankedTensorType>(tensor.getType()).getRank(), indexConstant(b, 0));
  return extract(b, tensor, zeros);
}

Value toIndex(ImplicitLocOpBuilder &b, Value integer, bool isUnsigned) {
  if (isUnsigned)
    return arith::IndexCastUIOp::create(b, b.getIndexType(), integer);
  return arith::IndexCastOp::create(b, b.getIndexType(), integer);
}

Value fromIndex(ImplicitLocOpBuilder &b, Value index, Type integer) {
  return arith::IndexCastOp::create(b, integer, index);
}

Value floatToIndex(ImplicitLocOpBuilder &b, Value value) {
  Scalars s{b};
  Value near = s.min(s.max(value, s.like(value, -1e9)), s.like(value, 1e9));
  return toIndex(b, s.saturatingToInt(near, b.getI64Type(), /*isUnsigned=*/false));
}

Value clampIndex(ImplicitLocOpBuilder &b, Value index, int64_t low, int64_t high) {
  Value atLeast = arith::MaxSIOp::create(b, index, indexConstant(b, low));
  return arith::MinSIOp::create(b, atLeast, indexConstant(b, high));
}

Value clampIndex(ImplicitLocOpBuilder &b, Value index, Value size) {
  Value atLeast = arith::MaxSIOp::create(b, index, indexConstant(b, 0));
  return arith::MinSIOp::create(b, atLeast,
                                arith::SubIOp::create(b, size, indexConstant(b, 1)));
}

void check(ImplicitLocOpBuilder &b, Value ok, int64_t status, Value detail) {
  plan::CheckOp::create(b, ok, status, fromIndex(b, detail, b.getI64Type()));
}

Value isInside(ImplicitLocOpBuilder &b, Value index, int64_t size) {
  return isInside(b, index, indexConstant(b, size));
}

Value isInside(ImplicitLocOpBuilder &b, Value index, Value size) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, index, size);
}

Value checkedIndex(ImplicitLocOpBuilder &b, Value position, int64_t size) {
  return checkedIndex(b, position, indexConstant(b, size));
}

Value checkedIndex(ImplicitLocOpBuilder &b, Value position, Value size) {
  Scalars s{b};
  Value zero = indexConstant(b, 0), last = s.sub(size, indexConstant(b, 1));
  Value wrapped = s.select(s.less(position, zero), s.add(position, size), position);
  check(b, arith::CmpIOp::create(b, arith::CmpIPredicate::ult, wrapped, size), indexRange, position);
  return s.min(s.max(wrapped, zero), last);
}

//===- Whole tensors --------------------------------------------------------===//

Value stridedSlice(Lowering &b, Value input, RankedTensorType result, ArrayRef<int64_t> starts,
                   ArrayRef<int64_t> steps) {
  if (input.getType() == result)
    return input;
  SmallVector<AffineExpr> exprs;
  bool isAffine = true;
  for (auto [d, start, step] : llvm::enumerate(starts, steps)) {
    exprs.push_back(b.getAffineDimExpr(d) * step + start);
    // linalg takes a bare dim for the whole of the operand's.
    isAffine &= start != 0 || step != 1 ||
                result.getDimSize(d) == cast<RankedTensorType>(input.getType()).getDimSize(d);
  }
  if (isAffine)
    return b.parallel(result, {input},
                      {AffineMap::get(result.getRank(), 0, exprs, b.getContext())},
                      [](Lowering &, ValueRange elements) { return elements[0]; });
  SmallVector<Value> open;
  for (int64_t d = 0; d < result.getRank(); ++d)
    if (result.isDynamicDim(d))
      open.push_back(tensor::DimOp::create(b, input, d));
  return b.indexed(result, open, [&](Lowering &in, ValueRange indices) {
    Scalars s{in};
    SmallVector<Value> at;
    for (auto [index, start, step] : llvm::zip_equal(indices, starts, steps)) {
      Value scaled = step == 1 ? index : s.mul(index, in.index(step));
      at.push_back(start == 0 ? scaled : s.add(scaled, in.index(start)));
    }
    return extract(in, input, at);
  });
}

FailureOr<Value> joined(Lowering &b, RankedTensorType result, ValueRange sizes, ValueRange parts,
                        ArrayRef<onnx::SizeExpr> lengths, int64_t axis) {
  SmallVector<OpFoldResult> offsets(result.getRank(), b.getIndexAttr(0)),
      steps(result.getRank(), b.getIndexAttr(1));
  Value whole = b.empty(result, sizes);
  std::optional<onnx::SizeExpr> at = onnx::SizeExpr(0);
  for (auto [part, length] : llvm::zip_equal(parts, lengths)) {
    if (llvm::is_contained(typeOf(part).getShape(), 0))
      continue;
    if (!at)
      return b.unsupported("a sum of sizes that is too long; fix some of them with --dim "
                           "NAME=VALUE");
    std::optional<int64_t> number = at->constant();
    offsets[axis] = number ? OpFoldResult(b.getIndexAttr(*number)) : OpFoldResult(b.size(*at));
    at = at->plus(length);
    whole = tensor::InsertSliceOp::create(b, part, whole, offsets,
                                          tensor::getMixedSizes(b, b.getLoc(), part), steps);
  }
  return whole;
}

static Value placed(Lowering &b, Value input, ArrayRef<int64_t> shape, ValueRange open,
                    ArrayRef<OpFoldResult> offsets, Value padding) {
  RankedTensorType type = typeOf(input);
  Value filled = b.fill(RankedTensorType::get(shape, type.getElementType()), padding, open);
  if (llvm::is_contained(type.getShape(), 0))
    return filled;
  SmallVector<OpFoldResult> ones(shape.size(), b.getIndexAttr(1));
  return tensor::InsertSliceOp::create(b, input, filled, offsets,
                                       tensor::getMixedSizes(b, b.getLoc(), input), ones);
}

Value padded(Lowering &b, Value input, ArrayRef<onnx::SizeExpr> sizes,
             ArrayRef<OpFoldResult> offsets, Value padding) {
  return placed(b, input, Lowering::shapeOf(sizes), b.openSizes(sizes), offsets, padding);
}

Value padded(Lowering &b, Value input, ArrayRef<int64_t> shape, ArrayRef<int64_t> offsets,
             Value padding) {
  if (typeOf(input).getShape() == shape)
    return input;
  SmallVector<Value> open;
  for (auto [d, size] : llvm::enumerate(shape))
    if (ShapedType::isDynamic(size))
      open.push_back(tensor::DimOp::create(b, input, int64_t(d)));
  return placed(b, input, shape, open, getAsIndexOpFoldResult(b.getContext(), offsets), padding);
}

} // namespace burin::lower
