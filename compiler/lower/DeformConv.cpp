// SPDX-License-Identifier: Apache-2.0
//
// Deformable convolution: sampled taps side by side, then a contraction.

#include "compiler/lower/Convolution.h"
#include "dialects/onnx/OnnxOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace burin;
using namespace burin::lower;

static RankedTensorType tensorType(Value value) { return cast<RankedTensorType>(value.getType()); }

namespace {

/// The input at a fractional position: bilinear, zero outside.
Value sampleBilinear(Lowering &b, Value x, Value n, Value channel, Value y, Value z) {
  Type element = y.getType(), index = b.getIndexType(), i64 = b.getI64Type();
  ArrayRef<int64_t> shape = tensorType(x).getShape();
  Value sum = b.scalar(element, 0);
  auto clampedFloor = [&](Value value, int64_t size) -> Value {
    // Far outside is outside: keep the conversion to integer defined.
    value = math::FloorOp::create(b, value);
    value = arith::MaxNumFOp::create(b, value, b.scalar(element, -2));
    return arith::MinNumFOp::create(b, value, b.scalar(element, double(size) + 1));
  };
  Value lowY = clampedFloor(y, shape[2]), lowZ = clampedFloor(z, shape[3]);
  for (int dy : {0, 1})
    for (int dz : {0, 1}) {
      Value atY = arith::AddFOp::create(b, lowY, b.scalar(element, dy));
      Value atZ = arith::AddFOp::create(b, lowZ, b.scalar(element, dz));
      auto weight = [&](Value position, Value at) -> Value {
        Value distance = math::AbsFOp::create(b, arith::SubFOp::create(b, position, at));
        return arith::MaxNumFOp::create(
            b, arith::SubFOp::create(b, b.scalar(element, 1), distance), b.scalar(element, 0));
      };
      auto toIndex = [&](Value at, int64_t size, Value &ok) -> Value {
        Value whole = arith::IndexCastOp::create(b, index, arith::FPToSIOp::create(b, i64, at));
        ok = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, whole, b.index(size));
        return arith::SelectOp::create(b, ok, whole, b.index(0));
      };
      Value okY, okZ;
      Value indexY = toIndex(atY, shape[2], okY), indexZ = toIndex(atZ, shape[3], okZ);
      Value value = tensor::ExtractOp::create(b, x, ValueRange{n, channel, indexY, indexZ});
      value = arith::MulFOp::create(
          b, value, arith::MulFOp::create(b, weight(y, atY), weight(z, atZ)));
      value = arith::SelectOp::create(b, arith::AndIOp::create(b, okY, okZ), value,
                                      b.scalar(element, 0));
      sum = arith::AddFOp::create(b, sum, value);
    }
  return sum;
}

} // namespace

FailureOr<SmallVector<Value>> lower::lowerDeformConv(Lowering &b, Operation *op, ValueRange operands) {
  auto conv = cast<onnx::DeformConvOp>(op);
  RankedTensorType result = b.resultType(), xType = tensorType(operands[0]), wType = tensorType(operands[1]);
  if (!result || !result.hasStaticShape() || !xType.hasStaticShape() || !wType.hasStaticShape())
    return needStaticSizes(b);
  Type element = result.getElementType(), f32 = b.getF32Type();
  if (result.getRank() != 4 || !isa<FloatType>(element) || element.isF64())
    return b.unsupported("deformable convolution of images in float32 or narrower is; convert it");
  int64_t groups = conv.getGroup(), offsetGroups = conv.getOffsetGroup();
  int64_t channels = xType.getDimSize(1), columns = result.getDimSize(1);
  if (groups <= 0 || offsetGroups <= 0 || channels % groups != 0 || columns % groups != 0 ||
      channels % offsetGroups != 0)
    return b.unsupported("its channels do not divide into its groups");
  Window window = readWindow(conv, b.sizes(op->getOperand(0)), wType.getShape(),
                             b.sizes(op->getResult(0)));
  int64_t height = result.getDimSize(2), width = result.getDimSize(3);
  Value x = convertFloat(b, operands[0], f32), w = convertFloat(b, operands[1], f32),
        offset = convertFloat(b, operands[2], f32),
        bias = b.isAbsent(3) ? Value() : convertFloat(b, operands[3], f32),
        mask = b.isAbsent(4) ? Value() : convertFloat(b, operands[4], f32);

  // The taps' samples side by side: [n, y, x, group, ky, kx, channel of the group].
  int64_t taps = window.kernel[0] * window.kernel[1], perGroup = channels / groups;
  auto sampled = RankedTensorType::get({xType.getDimSize(0), height, width, groups,
                                        window.kernel[0], window.kernel[1], perGroup}, f32);
  Value samples = b.indexed(sampled, [&](Lowering &inner, ValueRange at) -> Value {
    auto add = [&](Value p, Value q) -> Value { return arith::AddIOp::create(inner, p, q); };
    auto times = [&](Value p, int64_t q) -> Value { return arith::MulIOp::create(inner, p, inner.index(q)); };
    Value channel = add(times(at[3], perGroup), at[6]);
    Value offsetGroup = arith::DivUIOp::create(inner, channel, inner.index(channels / offsetGroups));
    Value tap = add(times(at[4], window.kernel[1]), at[5]);
    Value slot = add(times(offsetGroup, taps), tap);
    auto position = [&](unsigned i) -> Value {
      Value base = add(times(at[1 + i], window.strides[i]), times(at[4 + i], window.dilations[i]));
      base = arith::SubIOp::create(inner, base, inner.index(window.pads[i]));
      base = arith::IndexCastOp::create(inner, inner.getI64Type(), base);
      Value moved = tensor::ExtractOp::create(
          inner, offset, ValueRange{at[0], add(times(slot, 2), inner.index(i)), at[1], at[2]});
      return arith::AddFOp::create(inner, arith::SIToFPOp::create(inner, f32, base), moved);
    };
    Value value = sampleBilinear(inner, x, at[0], channel, position(0), position(1));
    if (mask)
      value = arith::MulFOp::create(
          inner, value, tensor::ExtractOp::create(inner, mask, ValueRange{at[0], slot, at[1], at[2]}));
    return value;
  });

  SmallVector<AffineExpr> aExprs;
  for (unsigned d : {0, 1, 2, 3, 5, 6, 7}) // all loops but the column
    aExprs.push_back(b.getAffineDimExpr(d));
  Value panels = packPanels(b, w, {groups, columns / groups, perGroup, window.kernel[0], window.kernel[1]},
                            {0, 1, 3, 4, 2}, 1);
  SmallVector<int64_t> shape{xType.getDimSize(0), height, width, groups,
                             columns / groups};
  SmallVector<Value> extras;
  Lowering::Body addBias = nullptr;
  auto add = [](Lowering &inner, ValueRange elements) -> Value {
    return arith::AddFOp::create(inner, elements[0], elements[1]);
  };
  if (bias) {
    extras.push_back(b.reshape(bias, {groups, columns / groups}));
    addBias = add;
  }
  Value y = contract(b, RankedTensorType::get(shape, f32), samples, panels,
                     AffineMap::get(8, 0, aExprs, b.getContext()),
                     AffineMap::get(5, 0, b.getAffineDimExpr(3)),
                     {window.kernel[0], window.kernel[1], perGroup}, extras, addBias);
  y = b.reshape(y, {shape[0], shape[1], shape[2], columns});
  return SmallVector<Value>{convertFloat(b, b.transpose(y, toChannelsFirst(4)), element)};
}
