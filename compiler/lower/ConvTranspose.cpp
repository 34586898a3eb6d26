// SPDX-License-Identifier: Apache-2.0
//
// Transposed convolution. With strides 1 it is a convolution that walks its kernel
// backwards; where strides divide the kernel, as many of those as there are steps in a stride; else a
// matrix product of every position and tap, then each result gathers the products that fall on it.

#include "compiler/lower/Convolution.h"
#include "dialects/onnx/OnnxOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace burin;
using namespace burin::lower;

static RankedTensorType tensorType(Value value) { return cast<RankedTensorType>(value.getType()); }

namespace {

/// Pads at the start, from `pads`, `output_shape` or `auto_pad`.
LogicalResult readTransposedPads(Lowering &b, Window &window, onnx::ConvTransposeOp op) {
  StringRef autoPad = op.getAutoPad();
  if (autoPad == "VALID")
    window.pads.assign(window.rank(), 0);
  if (autoPad == "VALID" || (autoPad == "NOTSET" && !op.getOutputShape()))
    return success();
  SmallVector<int64_t> outputPadding = intsOr(op.getOutputPadding(), window.rank(), 0);
  for (unsigned i = 0; i < window.rank(); ++i) {
    auto steps = window.input[i].minus(1);
    steps = steps ? steps->times(window.strides[i]) : steps;
    steps = steps ? steps->plus(outputPadding[i] + window.span(i)) : steps;
    std::optional<onnx::SizeExpr> rest = steps ? steps->minus(window.output[i]) : std::nullopt;
    if (!rest || !rest->constant())
      return b.unsupported("its pads follow from an output_shape beside a size that changes from "
                           "run to run; fix it with --dim NAME=VALUE, or give pads");
    int64_t total = std::max<int64_t>(*rest->constant(), 0); // a larger result has zeros at the end
    window.pads[i] = autoPad == "SAME_UPPER" ? total / 2 : total - total / 2;
  }
  return success();
}

/// One product: of request `n`, a position of the input, a column, a tap, and what else is summed.
struct Tap {
  Value n, column;
  SmallVector<Value> position, kernel, more;
};

/// The sums of the products that fall on each position of the result, [batch, output..., columns];
/// also over loops of the sizes `more`.
Value gatherTaps(Lowering &b, Type element, int64_t columns, Value bias, const Window &window, ArrayRef<int64_t> more,
                 llvm::function_ref<Value(Lowering &, const Tap &)> product) {
  unsigned rank = window.rank();
  SizeList sizes{window.batch};
  SmallVector<int64_t> summed(window.kernel);
  llvm::append_range(sizes, window.output);
  sizes.push_back(columns);
  llvm::append_range(summed, more);
  auto type = RankedTensorType::get(Lowering::shapeOf(sizes), element);
  SmallVector<Value> inputs; // null: fixed
  for (const onnx::SizeExpr &size : window.input)
    inputs.push_back(size.constant() ? Value() : b.size(size));
  unsigned parallel = sizes.size(), loops = parallel + summed.size();
  // Loops: n, output..., column; kernel..., more... An empty tensor gives the sizes of the latter.
  Value taps = b.empty(RankedTensorType::get(summed, element));
  SmallVector<AffineMap> maps{
      AffineMap::getMultiDimIdentityMap(loops, b.getContext()).getMinorSubMap(summed.size()),
      AffineMap::getMultiDimIdentityMap(loops, b.getContext()).getMajorSubMap(parallel)};
  SmallVector<utils::IteratorType> iterators(parallel, utils::IteratorType::parallel);
  iterators.append(summed.size(), utils::IteratorType::reduction);
  auto generic = linalg::GenericOp::create(
      b, TypeRange{type}, ValueRange{taps}, ValueRange{b.fill(type, b.scalar(element, 0), b.openSizes(sizes))}, maps,
      iterators, [&](OpBuilder &builder, Location loc, ValueRange elements) {
        std::string reason;
        Lowering inner(builder, b.getOp(), reason);
        inner.setLoc(loc);
        auto loop = [&](unsigned i) -> Value { return linalg::IndexOp::create(inner, i); };
        Tap tap{loop(0), loop(parallel - 1), {}, {}, {}};
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
          Value size = inputs[i] ? inputs[i] : inner.index(*window.input[i].constant());
          Value inside = arith::CmpIOp::create(inner, arith::CmpIPredicate::ult, position, size);
          Value ok = arith::AndIOp::create(inner, exact, inside);
          tap.position.push_back(arith::SelectOp::create(inner, ok, position, inner.index(0)));
          valid = valid ? Value(arith::AndIOp::create(inner, valid, ok)) : ok;
        }
        for (unsigned i = 0; i < rank; ++i)
          tap.kernel.push_back(loop(parallel + i));
        for (unsigned i = parallel + rank; i < loops; ++i)
          tap.more.push_back(loop(i));
        Value made = arith::SelectOp::create(inner, valid, product(inner, tap),
                                             inner.scalar(element, 0));
        linalg::YieldOp::create(builder, loc,
                                arith::AddFOp::create(inner, elements.back(), made).getResult());
      });
  Value sums = generic.getResult(0);
  if (!bias)
    return sums;
  return b.broadcasting(type, {sums, bias}, [](Lowering &inner, ValueRange elements) {
    return arith::AddFOp::create(inner, elements[0], elements[1]).getResult();
  });
}

/// By its definition, in the element type. `x` is [n, channels, input...], `w`
/// [channels, columns / groups, kernel...].
Value convolveByLoops(Lowering &b, Value x, Value w, Value bias, const Window &window,
                      int64_t groups, int64_t columns) {
  Type element = tensorType(x).getElementType();
  int64_t channels = tensorType(x).getDimSize(1) / groups, perGroup = columns / groups;
  return gatherTaps(b, element, columns, bias, window, {channels},
                    [&](Lowering &in, const Tap &tap) -> Value {
    Value group = arith::DivUIOp::create(in, tap.column, in.index(perGroup));
    Value first = arith::MulIOp::create(in, group, in.index(channels));
    Value channel = arith::AddIOp::create(in, first, tap.more[0]);
    SmallVector<Value> xAt{tap.n, channel};
    llvm::append_range(xAt, tap.position);
    SmallVector<Value> wAt{channel, arith::RemUIOp::create(in, tap.column, in.index(perGroup))};
    llvm::append_range(wAt, tap.kernel);
    return arith::MulFOp::create(in, tensor::ExtractOp::create(in, x, xAt),
                                 tensor::ExtractOp::create(in, w, wAt));
  });
}

/// Result position o, counted from the pads' start, is stride * y + r: its taps are r + stride * i, and read
/// position y - i. Where that is so, and `output` lies in what the windows reach: [batch, output..., columns],
/// else null. `w` is [channels, columns, kernel...].
Value convolveByPhases(Lowering &b, Value x, Value w, Value bias, const Window &window, int64_t columns) {
  unsigned rank = window.rank(), loops = 2 + 2 * rank;
  int64_t channels = tensorType(x).getShape().back();
  SizeList sizes{window.batch}, whole{window.batch}, cropped{window.batch};
  SmallVector<int64_t> shape{channels, columns}, order, reduction;
  SmallVector<AffineExpr> places{b.getAffineDimExpr(0)}, leading;
  SmallVector<OpFoldResult> offsets(rank + 2, b.getIndexAttr(0)), strides(rank + 2, b.getIndexAttr(1));
  bool isWhole = true;
  for (unsigned i = 0; i < rank; ++i) {
    int64_t stride = window.strides[i], taps = window.kernel[i] / stride;
    std::optional<onnx::SizeExpr> reached = window.input[i].plus(taps - 1);
    std::optional<onnx::SizeExpr> all = reached ? reached->times(stride) : std::nullopt;
    std::optional<onnx::SizeExpr> rest = all ? all->minus(window.output[i]) : std::nullopt;
    if (window.kernel[i] % stride != 0 || window.dilations[i] != 1 || !rest || !rest->constant() ||
        *rest->constant() < window.pads[i])
      return nullptr;
    isWhole &= *rest->constant() == 0;
    sizes.append({*reached, stride});
    whole.push_back(*all);
    cropped.push_back(window.output[i]);
    shape.append({taps, stride});
    order.push_back(3 + 2 * i);
    leading.push_back(b.getAffineDimExpr(2 + 2 * i));
    AffineExpr place = b.getAffineDimExpr(1 + 2 * i);
    if (taps != 1) {
      place = place - b.getAffineDimExpr(loops++);
      reduction.push_back(taps);
    }
    places.push_back(place);
    offsets[1 + i] = b.getIndexAttr(window.pads[i]);
  }
  sizes.push_back(columns);
  whole.push_back(columns);
  cropped.push_back(columns);
  places.push_back(b.getAffineDimExpr(loops++));
  reduction.push_back(channels);
  order.push_back(1);
  for (unsigned i = 0; i < rank; ++i)
    order.push_back(2 + 2 * i);
  order.push_back(0);
  Value result = contractWithBias(b, sizes, x, packPanels(b, w, shape, order, rank),
                                  AffineMap::get(loops, 0, places, b.getContext()),
                                  AffineMap::get(sizes.size(), 0, leading, b.getContext()), reduction, bias);
  result = b.reshape(result, sizes, whole);
  if (isWhole)
    return result;
  return tensor::ExtractSliceOp::create(b, Lowering::tensorOf(cropped, b.getF32Type()), result, offsets,
                                        b.mixedSizes(cropped), strides);
}

} // namespace

FailureOr<SmallVector<Value>> lower::lowerConvTranspose(Lowering &b, Operation *op, ValueRange operands) {
  auto conv = cast<onnx::ConvTransposeOp>(op);
  RankedTensorType result = b.resultType(), wType = tensorType(operands[1]);
  SizeList xSizes = b.sizes(op->getOperand(0));
  if (!result || !xSizes[1].constant() || result.isDynamicDim(1) || !wType.hasStaticShape())
    return needStaticSizes(b);
  Type element = result.getElementType();
  if (!isa<FloatType>(element))
    return b.unsupported("transposed convolution of this element type");
  int64_t rank = result.getRank(), groups = conv.getGroup();
  int64_t channels = *xSizes[1].constant(), columns = result.getDimSize(1);
  if (groups <= 0 || channels % groups != 0 || columns % groups != 0)
    return b.unsupported("its channels do not divide into its groups");
  Window window = readWindow(conv, xSizes, wType.getShape(), b.sizes(op->getResult(0)));
  if (failed(readTransposedPads(b, window, conv)))
    return failure();

  if (element.isF64()) {
    Value bias = b.isAbsent(2) ? Value() : operands[2];
    Value y = convolveByLoops(b, operands[0], operands[1], bias, window, groups, columns);
    return SmallVector<Value>{b.transpose(y, toChannelsFirst(rank))};
  }

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
  } else if (groups != 1 || !(y = convolveByPhases(b, x, w, bias, window, columns))) {
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
    point.ends = point.pads;
    Value products = convolve(b, x, packPanels(b, w, shape, order, groups != 1), nullptr, point,
                              groups, columns * taps);
    SizeList whole{window.batch}, split;
    llvm::append_range(whole, window.input);
    split = whole;
    whole.push_back(columns * taps);
    split.push_back(columns);
    for (int64_t size : window.kernel)
      split.push_back(size);
    products = b.reshape(products, whole, split);
    y = gatherTaps(b, f32, columns, bias, window, {}, [&](Lowering &in, const Tap &tap) {
      SmallVector<Value> from{tap.n};
      llvm::append_range(from, tap.position);
      from.push_back(tap.column);
      llvm::append_range(from, tap.kernel);
      return tensor::ExtractOp::create(in, products, from).getResult();
    });
  }
  return SmallVector<Value>{convertFloat(b, b.transpose(y, toChannelsFirst(rank)), element)};
}
