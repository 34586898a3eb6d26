// SPDX-License-Identifier: Apache-2.0
//
// Elementwise rows that change the element type, and the rule of Quantize- and
// DequantizeLinear, whose scales lie along an axis or in blocks.

#include "compiler/lower/Elementwise.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace burin::lower {

template <typename Op> static Value cast(ScalarBody &s) {
  auto op = llvm::cast<Op>(s.op);
  CastOptions options{op.getSaturate() != 0, op.getRoundMode()};
  return s.cast(s.x(), elementType(op.getInput()), elementType(op.getOutput()), options);
}

/// saturate(round(x / scale) + zero point); y is the scale, then comes the zero point.
static Value quantize(ScalarBody &s) {
  auto op = llvm::cast<onnx::QuantizeLinearOp>(s.op);
  Type from = elementType(op.getX()), to = elementType(op.getY());
  Type compute = from.isF64() || s.y().getType().isF64() ? Type(s.b.getF64Type())
                                                          : Type(s.b.getF32Type());
  auto widened = [&](Value value, Type type) {
    return isa<FloatType>(type) ? s.narrow(s.widen(value), compute) : s.cast(value, type, compute);
  };
  Value scale = widened(s.y(), elementType(op.getYScale()));
  Value quotient = s.div(widened(s.x(), from), scale);
  // The division is done in the scale's precision, or the one asked for.
  Type precision = op.getPrecision() == 0    ? s.y().getType()
                   : op.getPrecision() == 10 ? Type(s.b.getF16Type())
                   : op.getPrecision() == 16 ? Type(s.b.getBF16Type())
                                             : compute;
  if (auto narrow = dyn_cast<FloatType>(precision); narrow && narrow.getWidth() == 16)
    quotient = s.narrow(s.widen(s.narrow(quotient, precision)), compute);
  Value zeroPoint = s.args[2];
  if (isa<FloatType>(to)) {
    if (zeroPoint)
      quotient = s.add(quotient, widened(zeroPoint, to));
    return s.narrow(quotient, s.result, {op.getSaturate() != 0});
  }
  Value rounded = math::RoundEvenOp::create(s.b, quotient);
  if (zeroPoint)
    rounded = s.add(rounded, s.cast(zeroPoint, to, compute));
  return s.saturatingToInt(rounded, s.result, lower::isUnsigned(to));
}

/// (x - zero point) * scale, the difference exact.
static Value dequantize(ScalarBody &s) {
  auto op = llvm::cast<onnx::DequantizeLinearOp>(s.op);
  Type from = elementType(op.getX());
  Type compute = s.result.isF64() || s.y().getType().isF64() ? Type(s.b.getF64Type())
                                                             : Type(s.b.getF32Type());
  Value x = s.x(), zeroPoint = s.args[2];
  if (isa<FloatType>(from)) {
    x = s.narrow(s.widen(x), compute); // the zero point of an 8-bit float is 0
  } else if (zeroPoint) {
    Type wide = s.b.getIntegerType(std::max(32u, x.getType().getIntOrFloatBitWidth()), true);
    x = s.sub(s.cast(x, from, wide), s.cast(zeroPoint, from, wide));
    x = s.cast(x, wide, compute);
  } else {
    x = s.cast(x, from, compute);
  }
  Value scale = s.narrow(s.widen(s.y()), compute);
  return s.narrow(s.mul(x, scale), s.result);
}

void attachCasts(MLIRContext *context) {
  using namespace onnx;
  rawRow<CastOp, cast<CastOp>>(context);
  rawRow<CastLikeOp, cast<CastLikeOp>>(context);
  rawRow<BitCastOp, [](ScalarBody &s) -> Value {
    if (isBool(elementType(s.op->getResult(0))))
      return s.notEqual(s.x(), s.like(s.x(), 0)); // a bool is 0 or 1
    return s.x().getType() == s.result ? s.x()
                                       : Value(arith::BitcastOp::create(s.b, s.result, s.x()));
  }>(context);
  rawRow<QuantizeLinearOp, quantize>(context);
  rawRow<DequantizeLinearOp, dequantize>(context);
}

//===- Scales along an axis or in blocks ------------------------------------===//

/// Each scale of `operand` stands for `block` elements along `axis`: repeated, so
/// that it is read at the element's own place.
static Value repeatBlocks(Lowering &b, Value operand, ArrayRef<int64_t> shape, int64_t axis,
                          int64_t block) {
  auto type = llvm::cast<RankedTensorType>(operand.getType());
  auto repeated = RankedTensorType::get(shape, type.getElementType());
  return b.indexed(repeated, [&](Lowering &inner, ValueRange indices) -> Value {
    SmallVector<Value> at(indices);
    at[axis] = arith::DivUIOp::create(inner, at[axis], inner.index(block));
    return tensor::ExtractOp::create(inner, operand, at);
  });
}

template <typename Op>
static FailureOr<SmallVector<Value>> lowerQuantization(Lowering &b, Operation *op,
                                                       ValueRange operands) {
  RankedTensorType result = b.resultType();
  if (!result)
    return b.unsupported("the result's shape is known only when the model runs; fix the sizes it "
                         "depends on with --dim NAME=VALUE");
  int64_t rank = result.getRank();
  int64_t axis = llvm::cast<Op>(op).getAxis(), block = llvm::cast<Op>(op).getBlockSize();
  axis += axis < 0 ? rank : 0;
  SmallVector<Value> inputs(operands);
  SmallVector<AffineMap> maps{b.getMultiDimIdentityMap(rank)};
  for (Value &operand : MutableArrayRef(inputs).drop_front()) {
    if (!operand) {
      maps.push_back(AffineMap());
      continue;
    }
    auto type = llvm::cast<RankedTensorType>(operand.getType());
    if (type.hasStaticShape() && type.getNumElements() == 1) {
      operand = b.reshape(operand, {});
      maps.push_back(AffineMap::get(rank, 0, {}, b.getContext()));
    } else if (type.getRank() == 1 && block == 0) {
      if (axis < 0 || axis >= rank)
        return b.unsupported("its axis is outside of its input's dimensions");
      maps.push_back(AffineMap::get(rank, 0, {b.getAffineDimExpr(axis)}, b.getContext()));
    } else if (type.getRank() == rank && block > 0 && axis >= 0 && axis < rank) {
      operand = repeatBlocks(b, operand, result.getShape(), axis, block);
      maps.push_back(b.getMultiDimIdentityMap(rank));
    } else {
      return b.unsupported("its scale fits neither a tensor, nor an axis, nor blocks");
    }
  }
  return lowerElementwise(b, op, inputs, maps);
}

/// CastLike's second operand names a type: none of its elements is read, and its shape need not
/// fit the result's.
static FailureOr<SmallVector<Value>> lowerCastLike(Lowering &b, Operation *op,
                                                   ValueRange operands) {
  return lowerElementwise(b, op, {operands[0], Value()});
}

void registerCasts(RuleTable &table) {
  table.add<onnx::CastLikeOp>(lowerCastLike, Sizes::Dynamic);
  table.add<onnx::QuantizeLinearOp>(lowerQuantization<onnx::QuantizeLinearOp>, Sizes::Dynamic);
  table.add<onnx::DequantizeLinearOp>(lowerQuantization<onnx::DequantizeLinearOp>,
                                      Sizes::Dynamic);
}

} // namespace burin::lower
