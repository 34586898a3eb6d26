// SPDX-License-Identifier: Apache-2.0
//
// Transposed convolution. With strides 1 it is a convolution that walks its kernel
// backwards; else a matrix product of every position and tap, then each result
// gathers the products that fall on it.

#include "compiler/lower/Convolution.h"
#include "dialects/onnx/OnnxOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace burin;
using namespace burin::lower;

static RankedTensorType tensorType(Value value) { return cast<RankedTensorType>(value.getType()); }

namespace {

/// Pads at the start, from `pads`, `output_shape` or `auto_pad`.
void readTransposedPads(Window &window, onnx::ConvTransposeOp op) {
  StringRef autoPad = op.getAutoPad();
  if (autoPad == "VALID")
    window.pads.assign(window.rank(), 0);
  if (autoPad == "VALID" || (autoPad == "NOTSET" && !op.getOutputShape()))
    return;
  SmallVector<int64_t> outputPadding = intsOr(op.getOutputPadding(), window.rank(), 0);
  for (unsigned i = 0; i < window.rank(); ++i) {
    int64_t total = window.strides[i] * (window.input[i] - 1) + outputPadding[i] +
                    (window.kernel[i] - 1) * window.dilations[i] + 1 - window.output[i];
    total = std::max<int64_t>(total, 0); // a larger result has zeros at the end
    window.pads[i] = autoPad == "SAME_UPPER" ? total / 2 : total - total / 2;
  }
}

/// Adds the products of each input position and tap where they belong. `products` is
/// [n, input..., columns, kernel...]; the result [n, output..., columns].
Value gatherTaps(Lowering &b, Value products, Value bias, const Window &window, int64_t columns) {
  unsigned rank = window.rank();
  Type element = tensorType(products).getElementType();
  SmallVector<int64_t> shape{tensorType(products).getDimSize(0)};
  llvm::append_range(shape, window.output);
  shape.push_back(columns);
  auto type = RankedTensorType::get(shape, element);
  unsigned parallel = shape.size();
  // Loops: n, output..., column; kernel... An empty tensor gives the kernel's sizes.
  Value taps = b.empty(RankedTensorType::get(window.kernel, element));
  SmallVector<AffineExpr> tapExprs;
  for (unsigned i = 0; i < rank; ++i)
    tapExprs.push_back(b.getAffineDimExpr(parallel + i));
  SmallVector<AffineMap> maps{
      AffineMap::get(parallel + rank, 0, tapExprs, b.getContext()),
      AffineMap::getMultiDimIdentityMap(parallel + rank, b.getContext()).getMajorSubMap(parallel)};
  SmallVector<utils::IteratorType> iterators(parallel, utils::IteratorType::parallel);
  iterators.append(rank, utils::IteratorType::reduction);
  auto generic = linalg::GenericOp::create(
      b, TypeRange{type}, ValueRange{taps}, ValueRange{b.fill(type, b.scalar(element, 0))}, maps,
      iterators, [&](OpBuilder &builder, Location loc, ValueRange elements) {
        std::string reason;
        Lowering inner(builder, b.getOp(), reason);
        inner.setLoc(loc);
        auto loop = [&](unsigned i) -> Value { return linalg::IndexOp::create(inner, i); };
        SmallVector<Value> from{loop(0)};
        Value valid;
        for (unsigned i = 0; i < rank; ++i) {
          // position * stride = o + pad - k * dilation, if that divides.
          Value reach = arith::AddIOp::create(inner, loop(1 + i), inner.index(window.pads[i]));
          Value back = arith::MulIOp::create(inner, loop(parallel + i), inner.index(window.dilations[i]));
          Value scaled = arith::SubIOp::create(inner, reach, back);
          Value stride = inner.index(window.strides[i]);
          Value position = arith::DivSIOp::create(inner, scaled, stride);
          Value exact = arith::CmpIOp::create(inner, arith::CmpIPredicate::eq,
                                              arith::MulIOp::create(inner, position, stride), scaled);
          Value inside = arith::CmpIOp::create(inner, arith::CmpIPredicate::ult, position,
                                               inner.index(window.input[i]));
          Value ok = arith::AndIOp::create(inner, exact, inside);
          from.push_back(arith::SelectOp::create(inner, ok, position, inner.index(0)));
          valid = valid ? Value(arith::AndIOp::create(inner, valid, ok)) : ok;
        }
        from.push_back(loop(parallel - 1));
        for (unsigned i = 0; i < rank; ++i)
          from.push_back(loop(parallel + i));
        Value product = tensor::ExtractOp::create(inner, products, from);
        product = arith::SelectOp::create(inner, valid, product, inner.scalar(element, 0));
        linalg::YieldOp::create(builder, loc,
                                arith::AddFOp::create(inner, elements.back(), product).getResult());
      });
  Value sums = generic.getResult(0);
  if (!bias)
    return sums;
  return b.broadcasting(type, {sums, bias}, [](Lowering &inner, ValueRange elements) {
    return arith::AddFOp::create(inner, elements[0], elements[1]).getResult();
  });
}

} // namespace

FailureOr<SmallVector<Value>> lower::lowerConvTranspose(Lowering &b, Operation *op, ValueRange operands) {
  auto conv = cast<onnx::ConvTransposeOp>(op);
  RankedTensorType result = b.resultType(), xType = tensorType(operands[0]), wType = tensorType(operands[1]);
  if (!result || !result.hasStaticShape() || !xType.hasStaticShape() || !wType.hasStaticShape())
    return needStaticSizes(b);
  Type element = result.getElementType();
  if (!isa<FloatType>(element) || element.isF64())
    return b.unsupported("transposed convolution of this element type; cast it to float32");
  int64_t rank = result.getRank(), groups = conv.getGroup();
  ArrayRef<int64_t> xShape = xType.getShape(), wShape = wType.getShape();
  int64_t channels = xShape[1], columns = result.getDimSize(1);
  if (groups <= 0 || channels % groups != 0 || columns % groups != 0)
    return b.unsupported("its channels do not divide into its groups");
  Window window = readWindow(conv, xShape, wShape, result.getShape());
  readTransposedPads(window, conv);

  Type f32 = b.getF32Type();
  Value x = b.transpose(convertFloat(b, operands[0], f32), toChannelsLast(rank));
  Value w = convertFloat(b, operands[1], f32);
  Value bias = b.isAbsent(2) ? Value() : convertFloat(b, operands[2], f32);
  // w is [channels, columns / groups, kernel...].
  SmallVector<int64_t> shape{groups, channels / groups, columns / groups};
  Value y;
  if (llvm::all_of(window.strides, [](int64_t stride) { return stride == 1; })) {
    // Position o and tap k read o + pad - k * dilation.
    llvm::append_range(shape, window.kernel);
    SmallVector<int64_t> order{2};
    for (unsigned i = 0; i < window.rank(); ++i)
      order.push_back(3 + i);
    order.push_back(1);
    if (groups != 1) {
      order.insert(order.begin(), 0);
    } else {
      shape.erase(shape.begin());
      for (int64_t &dim : order)
        --dim;
    }
    y = convolve(b, x, packPanels(b, w, shape, order, groups != 1), bias, window, groups, columns,
                 /*sign=*/-1);
  } else {
    int64_t taps = 1;
    for (int64_t size : window.kernel)
      taps *= size;
    shape.back() *= taps;
    SmallVector<int64_t> order{0, 2, 1};
    if (groups == 1) {
      shape.erase(shape.begin());
      order = {1, 0};
    }
    Window point = window;
    point.output = window.input;
    point.kernel.assign(window.rank(), 1);
    point.strides = point.dilations = point.kernel;
    point.pads.assign(window.rank(), 0);
    Value products = convolve(b, x, packPanels(b, w, shape, order, groups != 1), nullptr, point,
                              groups, columns * taps);
    SmallVector<int64_t> split{xShape[0]};
    llvm::append_range(split, window.input);
    split.push_back(columns);
    llvm::append_range(split, window.kernel);
    y = gatherTaps(b, b.reshape(products, split), bias, window, columns);
  }
  return SmallVector<Value>{convertFloat(b, b.transpose(y, toChannelsFirst(rank)), element)};
}
