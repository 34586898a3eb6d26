// SPDX-License-Identifier: Apache-2.0
//
// What puts elements back where windows took them from: MaxUnpool and Col2Im.

#include "compiler/lower/Access.h"
#include "dialects/kern/KernOps.h"
#include "dialects/onnx/OnnxOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace burin;
using namespace burin::lower;

namespace {

/// No model pads or dilates by more; keeps sums of window sizes far from overflow.
constexpr int64_t maxExtent = int64_t(1) << 40;

/// Elements go to flat places of a tensor of zeros that has the shape MaxPool took; a
/// larger output_shape adds zeros at its end.
Results lowerMaxUnpool(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  RankedTensorType input = typeOf(operands[0]);
  int64_t rank = input.getRank() - 2;
  SmallVector<int64_t> kernel = intsOr(op, "kernel_shape", 0, 1),
                       stride = intsOr(op, "strides", rank, 1),
                       pads = intsOr(op, "pads", 2 * rank, 0);
  if (rank < 1 || int64_t(kernel.size()) != rank || int64_t(stride.size()) != rank ||
      int64_t(pads.size()) != 2 * rank || type->getRank() != rank + 2 ||
      typeOf(operands[1]).getShape() != input.getShape())
    return b.unsupported("kernel_shape, strides and pads need an entry per spatial dimension, and "
                         "indices the operand's shape");
  SmallVector<int64_t> shape(input.getShape()), kept, zeros(rank + 2, 0), ones(rank + 2, 1);
  int64_t total = 1;
  for (int64_t d = 0; d < rank; ++d) {
    int64_t span;
    if (stride[d] < 1 || kernel[d] < 1 || llvm::MulOverflow(shape[d + 2] - 1, stride[d], span))
      return b.unsupported("a kernel size or stride that is out of range");
    shape[d + 2] = span + kernel[d] - pads[d] - pads[rank + d];
  }
  for (auto [size, declared] : llvm::zip_equal(shape, type->getShape())) {
    if (size < 1 || llvm::MulOverflow(total, size, total) || total > maxExtent)
      return b.unsupported("pads that leave nothing, or a result that is too large");
    kept.push_back(std::min(size, declared));
  }
  int64_t count = input.getNumElements();
  Type element = type->getElementType();
  Value flat = b.fill(RankedTensorType::get({total}, element), b.scalarInt(element, 0));
  flat = kern::ScatterOp::create(
             b, b.reshape(operands[1], {count, 1}), b.reshape(operands[0], {count}), flat,
             b.getMultiDimIdentityMap(1), AffineMap::get(1, 1, b.getAffineSymbolExpr(0)),
             /*wrap=*/false, /*drop=*/false,
             [](ImplicitLocOpBuilder &, ValueRange values) { return SmallVector<Value>{values[0]}; })
             .getResult();
  Value part = stridedSlice(b, b.reshape(flat, shape), RankedTensorType::get(kept, element), zeros, ones);
  return SmallVector<Value>{padded(b, part, type->getShape(), zeros, b.scalarInt(element, 0))};
}

/// Each image element sums what the columns of all blocks that cover it hold. The
/// block's sizes may be data; their product is known from the operand.
Results lowerCol2Im(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  RankedTensorType columns = typeOf(operands[0]);
  int64_t rank = type->getRank() - 2;
  SmallVector<int64_t> stride = intsOr(op, "strides", rank, 1),
                       dilation = intsOr(op, "dilations", rank, 1),
                       pads = intsOr(op, "pads", 2 * rank, 0);
  if (rank < 1 || columns.getRank() != 3 || int64_t(stride.size()) != rank ||
      int64_t(dilation.size()) != rank || int64_t(pads.size()) != 2 * rank ||
      typeOf(operands[2]).getNumElements() != rank)
    return b.unsupported("block_shape, strides, dilations and pads need an entry per spatial "
                         "dimension");
  for (int64_t d = 0; d < rank; ++d)
    if (stride[d] < 1 || dilation[d] < 1 || std::max(stride[d], dilation[d]) > maxExtent ||
        std::abs(pads[d]) > maxExtent || std::abs(pads[rank + d]) > maxExtent)
      return b.unsupported("a stride, dilation or pad that is out of range");
  int64_t channels = type->getDimSize(1), places = columns.getDimSize(2);
  if (channels == 0 || columns.getDimSize(1) % channels != 0 || columns.getNumElements() == 0)
    return b.unsupported("columns that disagree with the image");
  int64_t taps = columns.getDimSize(1) / channels;
  Type element = type->getElementType(), compute = computeType(element);
  if (!element.isIntOrFloat())
    return b.unsupported("complex numbers");
  return SmallVector<Value>{b.indexed(*type, [&](Lowering &in, ValueRange at) -> Value {
    Scalars s{in};
    Value zero = in.index(0), one = in.index(1);
    // The block's sizes, and how many blocks there are.
    SmallVector<Value> sizes, counts;
    Value allTaps = one, allPlaces = one;
    for (int64_t d = 0; d < rank; ++d) {
      Value size = clampIndex(in, toIndex(in, extract(in, operands[2], in.index(d))), 1, taps);
      int64_t padded = type->getDimSize(d + 2) + pads[d] + pads[rank + d] - 1;
      Value room = s.sub(in.index(padded), s.mul(s.sub(size, one), in.index(dilation[d])));
      Value count = s.add(arith::FloorDivSIOp::create(in, room, in.index(stride[d])), one);
      sizes.push_back(size);
      counts.push_back(s.max(count, one));
      allTaps = s.mul(allTaps, size);
      allPlaces = s.mul(allPlaces, counts.back());
    }
    check(in, s.equal(allTaps, in.index(taps)), shapeMismatch, allTaps);
    check(in, s.equal(allPlaces, in.index(places)), shapeMismatch, allPlaces);
    auto loop = scf::ForOp::create(in, zero, in.index(taps), one,
                                   ValueRange{in.scalarInt(compute, 0)});
    {
      OpBuilder::InsertionGuard guard(in);
      in.setInsertionPointToStart(loop.getBody());
      Value tap = loop.getInductionVar(), rest = tap, column = zero, scale = one;
      Value covers = in.scalarInt(in.getI1Type(), 1);
      for (int64_t d = rank - 1; d >= 0; --d) {
        Value k = arith::RemUIOp::create(in, rest, sizes[d]);
        rest = arith::DivUIOp::create(in, rest, sizes[d]);
        // The block at o covers image + pad == o * stride + k * dilation.
        Value from = s.sub(s.add(at[d + 2], in.index(pads[d])), s.mul(k, in.index(dilation[d])));
        Value o = arith::FloorDivSIOp::create(in, from, in.index(stride[d]));
        Value exact = s.equal(s.mul(o, in.index(stride[d])), from);
        Value exists = arith::CmpIOp::create(in, arith::CmpIPredicate::ult, o, counts[d]);
        covers = arith::AndIOp::create(in, covers, arith::AndIOp::create(in, exact, exists));
        column = s.add(column, s.mul(o, scale));
        scale = s.mul(scale, counts[d]);
      }
      Value row = s.add(s.mul(at[1], in.index(taps)), tap);
      column = clampIndex(in, column, 0, places - 1);
      Value value = s.widen(extract(in, operands[0], {at[0], row, column}));
      Value sum = loop.getRegionIterArg(0);
      scf::YieldOp::create(in, s.select(covers, s.add(sum, value), sum));
    }
    Value sum = loop.getResult(0);
    return isa<FloatType>(element) ? s.narrow(sum, element) : sum;
  })};
}

} // namespace

void burin::lower::registerUnpooling(RuleTable &table) {
  table.add<onnx::Col2ImOp>(lowerCol2Im);
  table.add<onnx::MaxUnpoolOp>(lowerMaxUnpool);
}
