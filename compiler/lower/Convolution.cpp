// SPDX-License-Identifier: Apache-2.0
//
// Convolutions. f32 is computed with channels last, as kern.contract over windows;
// an op that has the unit attribute `channels_last` has its activations so already,
// others are transposed before and after. Other types run as loops with channels first.

#include "compiler/lower/Convolution.h"
#include "compiler/lower/Access.h"
#include "dialects/onnx/OnnxOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace burin;
using namespace burin::lower;

static RankedTensorType tensorType(Value value) { return cast<RankedTensorType>(value.getType()); }

//===- Shared with the other convolution rules ------------------------------===//

LogicalResult lower::needStaticSizes(Lowering &b) {
  return b.unsupported("its sizes are known only when the model runs; fix them with --dim NAME=VALUE");
}


SmallVector<int64_t> lower::intsOr(std::optional<ArrayRef<int64_t>> values, unsigned count, int64_t other) {
  return values && values->size() == count ? SmallVector<int64_t>(*values)
                                           : SmallVector<int64_t>(count, other);
}

onnx::SizeExpr Window::reach(Lowering &b, unsigned i) const {
  std::optional<onnx::SizeExpr> reached = windowReach(output[i], strides[i], span(i));
  if (!reached)
    (void)b.unsupported("an expression of a size that is too long; fix some of the sizes it depends "
                        "on with --dim NAME=VALUE");
  return reached.value_or(input[i]);
}

bool Window::leavesInput() const {
  for (unsigned i = 0; i < rank(); ++i) {
    if (pads[i] != 0 || openPads[i])
      return true;
    // A window that fits stays inside but for the pads at the end.
    std::optional<int64_t> out = output[i].constant(), in = input[i].constant();
    if (out && in ? (*out - 1) * strides[i] + span(i) > *in : ends[i] != 0)
      return true;
  }
  return false;
}

bool Window::needsTap(unsigned i) const {
  return kernel[i] != 1 || (strides[i] == 1 && (pads[i] != 0 || !(input[i] == output[i])));
}

void Window::applyAutoPad(Lowering &b, StringRef autoPad) {
  if (autoPad == "NOTSET" || autoPad.empty())
    return;
  for (unsigned i = 0; i < rank(); ++i) {
    pads[i] = ends[i] = 0;
    if (autoPad == "VALID")
      continue;
    onnx::SizeExpr total = reach(b, i).minus(input[i]).value_or(0);
    SamePads same = samePads(b, total, span(i), autoPad == "SAME_UPPER");
    pads[i] = same.before;
    ends[i] = same.after;
    openPads[i] = same.openBefore;
  }
}

Window Window::insidePadded(Lowering &b) const {
  Window inside = *this;
  for (unsigned i = 0; i < rank(); ++i) {
    inside.input[i] = reach(b, i);
    inside.pads[i] = inside.ends[i] = 0;
    inside.openPads[i] = nullptr;
  }
  return inside;
}

SmallVector<int64_t> lower::toChannelsLast(int64_t rank) {
  SmallVector<int64_t> order{0};
  for (int64_t d = 2; d < rank; ++d)
    order.push_back(d);
  order.push_back(1);
  return order;
}

SmallVector<int64_t> lower::toChannelsFirst(int64_t rank) {
  SmallVector<int64_t> order{0, rank - 1};
  for (int64_t d = 1; d + 1 < rank; ++d)
    order.push_back(d);
  return order;
}

Value lower::contractWithBias(Lowering &b, ArrayRef<onnx::SizeExpr> sizes, Value x, Value panels,
                              AffineMap xMap, AffineMap panelMap, ArrayRef<int64_t> reduction, Value bias,
                              IntegerAttr winograd) {
  auto type = RankedTensorType::get(Lowering::shapeOf(sizes), b.getF32Type());
  SmallVector<Value> open = b.openSizes(sizes);
  if (!bias)
    return contract(b, type, x, panels, xMap, panelMap, reduction, {}, nullptr, open, winograd);
  return contract(b, type, x, panels, xMap, panelMap, reduction, bias,
                  [](Lowering &inner, ValueRange elements) -> Value {
                    return arith::AddFOp::create(inner, elements[0], elements[1]);
                  },
                  open, winograd);
}

Value lower::convolve(Lowering &b, Value x, Value panels, Value bias, const Window &window, int64_t groups,
               int64_t columns, int64_t sign, int64_t winogradTile) {
  RankedTensorType type = tensorType(x);
  int64_t channels = type.getShape().back(), rank = window.rank();
  bool grouped = groups != 1;
  if (grouped) {
    SizeList whole{window.batch}, split;
    llvm::append_range(whole, window.input);
    split = whole;
    whole.push_back(channels);
    split.append({groups, channels / groups});
    x = b.reshape(x, whole, split);
  }
  // Loops: n, output..., group, column; kernel dims that need one, channel.
  SizeList sizes{window.batch};
  llvm::append_range(sizes, window.output);
  if (grouped)
    sizes.push_back(groups);
  sizes.push_back(columns / groups);
  unsigned parallel = sizes.size();
  SmallVector<int64_t> reduction;
  SmallVector<AffineExpr> exprs{b.getAffineDimExpr(0)};
  for (int64_t i = 0; i < rank; ++i) {
    AffineExpr at = b.getAffineDimExpr(1 + i) * window.strides[i] - sign * window.pads[i];
    if (window.needsTap(i)) {
      at = at + b.getAffineDimExpr(parallel + reduction.size()) * (sign * window.dilations[i]);
      reduction.push_back(window.kernel[i]);
    }
    exprs.push_back(at);
  }
  if (grouped)
    exprs.push_back(b.getAffineDimExpr(1 + rank));
  exprs.push_back(b.getAffineDimExpr(parallel + reduction.size()));
  reduction.push_back(channels / groups);
  SmallVector<AffineExpr> leading;
  if (grouped)
    leading.push_back(b.getAffineDimExpr(1 + rank));

  if (bias && grouped)
    bias = b.reshape(bias, {groups, columns / groups});
  Value result = contractWithBias(
      b, sizes, x, panels, AffineMap::get(parallel + reduction.size(), 0, exprs, b.getContext()),
      AffineMap::get(parallel, 0, leading, b.getContext()), reduction, bias,
      winogradTile ? b.getI64IntegerAttr(winogradTile) : IntegerAttr());
  if (!grouped)
    return result;
  SizeList merged = sizes;
  merged.pop_back_n(2);
  merged.push_back(columns);
  return b.reshape(result, sizes, merged);
}

namespace {

//===- Shapes ---------------------------------------------------------------===//

SizeList permuted(ArrayRef<onnx::SizeExpr> sizes, ArrayRef<int64_t> order) {
  return llvm::map_to_vector(order, [&](int64_t dim) { return sizes[dim]; });
}

/// `x` with its spatial dims, which start at `firstSpatial`, as large as the window reads, `fill`
/// around it. Unchanged where the window stays inside.
Value padded(Lowering &b, Value x, const Window &window, unsigned firstSpatial,
             llvm::function_ref<Value(Lowering &)> fill) {
  if (!window.leavesInput())
    return x;
  RankedTensorType type = tensorType(x);
  SizeList sizes(type.getRank(), 1);
  for (int64_t d = 0; d < type.getRank(); ++d)
    sizes[d] = d == 0 ? window.batch : onnx::SizeExpr(type.getDimSize(d));
  SmallVector<Value> pads, inputs;
  for (unsigned i = 0; i < window.rank(); ++i) {
    sizes[firstSpatial + i] = window.reach(b, i);
    pads.push_back(window.openPads[i]);
    inputs.push_back(window.input[i].constant() ? Value() : b.size(window.input[i]));
  }
  auto larger = RankedTensorType::get(Lowering::shapeOf(sizes), type.getElementType());
  return b.indexed(larger, b.openSizes(sizes), [&](Lowering &inner, ValueRange at) {
    SmallVector<Value> from(at);
    Value inside;
    for (unsigned i = 0; i < window.rank(); ++i) {
      Value &position = from[firstSpatial + i];
      Value pad = pads[i] ? pads[i] : inner.index(window.pads[i]);
      Value size = inputs[i] ? inputs[i] : inner.index(*window.input[i].constant());
      position = arith::SubIOp::create(inner, position, pad);
      Value ok = arith::CmpIOp::create(inner, arith::CmpIPredicate::ult, position, size);
      position = arith::SelectOp::create(inner, ok, position, inner.index(0));
      inside = inside ? Value(arith::AndIOp::create(inner, inside, ok)) : ok;
    }
    Value element = tensor::ExtractOp::create(inner, x, from);
    return Value(arith::SelectOp::create(inner, inside, element, fill(inner)));
  });
}

/// kern.contract reads zeros around its operand, but not from a place that a size decides, nor in
/// the middle of a row (`all`): then `x` becomes a padded copy, and `window` one inside of it.
void takePads(Lowering &b, Value &x, Window &window, bool all) {
  if (!window.leavesInput() || (!all && llvm::none_of(window.openPads, [](Value pad) { return bool(pad); })))
    return;
  // Of known size the picture goes into one of zeros: whole rows are copied, or computed there.
  Window inside = window.insidePadded(b);
  auto isKnown = [&](unsigned i) {
    return window.input[i].constant() && window.pads[i] >= 0 && !window.openPads[i];
  };
  if (!llvm::all_of(llvm::seq(0u, window.rank()), isKnown)) {
    x = padded(b, x, window, 1, [&](Lowering &inner) { return inner.scalar(inner.getF32Type(), 0); });
    window = inside;
    return;
  }
  SizeList sizes{window.batch};
  SmallVector<OpFoldResult> offsets(window.rank() + 2, b.getIndexAttr(0));
  for (unsigned i = 0; i < window.rank(); ++i) {
    inside.input[i] = std::max(*inside.input[i].constant(), window.pads[i] + *window.input[i].constant());
    sizes.push_back(inside.input[i]);
    offsets[1 + i] = b.getIndexAttr(window.pads[i]);
  }
  sizes.push_back(tensorType(x).getShape().back());
  x = lower::padded(b, x, sizes, offsets, b.scalar(b.getF32Type(), 0));
  window = inside;
}

//===- Conv in f32 ----------------------------------------------------------===//

/// Each channel by itself, on kern.contract; pictures of one dim are such of one row.
Value convolveDepthwise(Lowering &b, Value x, Value w, Value bias, Window window) {
  int64_t channels = tensorType(x).getShape().back();
  SizeList sizes{window.batch};
  llvm::append_range(sizes, window.output);
  sizes.push_back(channels);
  SizeList flat = sizes;
  if (window.rank() == 1) {
    SizeList from{window.batch, window.input[0], channels}, to = from;
    to.insert(to.begin() + 1, 1);
    x = b.reshape(x, from, to);
    sizes.insert(sizes.begin() + 1, 1);
    auto prepend = [](auto &list, auto value) { list.insert(list.begin(), value); };
    for (SmallVector<int64_t> *list : {&window.kernel, &window.strides, &window.dilations})
      prepend(*list, 1);
    prepend(window.pads, 0);
  }
  // Loops: n, y, x, channel; taps.
  auto at = [&](unsigned i) {
    return b.getAffineDimExpr(1 + i) * window.strides[i] +
           b.getAffineDimExpr(4 + i) * window.dilations[i] - window.pads[i];
  };
  Value panels = packPanels(b, w, {channels, window.kernel[0], window.kernel[1]}, {0, 1, 2}, 0);
  Value result = contractWithBias(
      b, sizes, x, panels,
      AffineMap::get(6, 0, {b.getAffineDimExpr(0), at(0), at(1), b.getAffineDimExpr(3)}, b.getContext()),
      AffineMap::get(4, 0, {}, b.getContext()), window.kernel, bias);
  return b.reshape(result, sizes, flat);
}

/// As above with any number of spatial dims: a window reduction whose innermost loop walks channels.
Value convolveDepthwiseByLoops(Lowering &b, Value x, Value w, Value bias, const Window &window) {
  RankedTensorType type = tensorType(x);
  int64_t channels = type.getShape().back(), rank = window.rank();
  x = padded(b, x, window, 1, [&](Lowering &inner) { return inner.scalar(inner.getF32Type(), 0); });
  SmallVector<int64_t> weightShape{channels}, order;
  llvm::append_range(weightShape, window.kernel);
  for (int64_t i = 0; i < rank; ++i)
    order.push_back(1 + i);
  order.push_back(0);
  w = transposeWeights(b, w, weightShape, order);

  SizeList sizes{window.batch};
  llvm::append_range(sizes, window.output);
  sizes.push_back(channels);
  unsigned parallel = sizes.size();
  AffineExpr channel = b.getAffineDimExpr(parallel - 1);
  SmallVector<AffineExpr> xExprs{b.getAffineDimExpr(0)}, wExprs;
  for (int64_t i = 0; i < rank; ++i) {
    AffineExpr tap = b.getAffineDimExpr(parallel + i);
    xExprs.push_back(b.getAffineDimExpr(1 + i) * window.strides[i] + tap * window.dilations[i]);
    wExprs.push_back(tap);
  }
  xExprs.push_back(channel);
  wExprs.push_back(channel);
  SmallVector<unsigned> nest; // channels innermost
  for (unsigned d = 0; d < parallel + rank; ++d)
    if (d != parallel - 1)
      nest.push_back(d);
  nest.push_back(parallel - 1);
  auto map = [&](ArrayRef<AffineExpr> exprs) {
    return AffineMap::get(parallel + rank, 0, exprs, b.getContext());
  };
  Value sums = multiplyAccumulate(b, Lowering::shapeOf(sizes), b.getF32Type(),
                                  {{x, map(xExprs)}, {w, map(wExprs)}}, rank, nest,
                                  b.openSizes(sizes));
  if (!bias)
    return sums;
  return b.broadcasting(tensorType(sums), {sums, bias}, [](Lowering &inner, ValueRange elements) {
    return arith::AddFOp::create(inner, elements[0], elements[1]).getResult();
  });
}

/// The side of the tiles that a convolution is made in by Winograd's transforms; 0 where it is summed
/// product by product. Channels alone decide, and not sizes that differ between runs or variants: all
/// have the same bits.
int64_t winogradTile(const Window &window, int64_t groups, int64_t channels, int64_t columns) {
  // Few channels leave little to gain for what the transforms cost.
  constexpr int64_t fewest = 16;
  // Larger tiles need fewer products and more weights, which few tiles would wait for.
  constexpr int64_t mostWeightsOfLargeTiles = 128 * 256;
  auto isAll = [](ArrayRef<int64_t> values, int64_t value) {
    return llvm::all_of(values, [&](int64_t v) { return v == value; });
  };
  if (window.rank() != 2 || groups != 1 || !isAll(window.kernel, 3) || !isAll(window.strides, 1) ||
      !isAll(window.dilations, 1) || channels < fewest || columns < fewest)
    return 0;
  return channels * columns <= mostWeightsOfLargeTiles ? 4 : 2;
}

/// Whether the taps along the innermost spatial dim and the channels, which lie next to each other with
/// channels last, are walked as one: too few channels would leave the innermost loop short.
bool mergesRow(const Window &window, int64_t groups, int64_t channels) {
  constexpr int64_t few = 16;
  return groups == 1 && channels < few && window.rank() > 0 && window.kernel.back() > 1 &&
         window.dilations.back() == 1;
}

/// As convolve() for such a window, which stays inside of `x`.
Value convolveRows(Lowering &b, Value x, Value panels, Value bias, const Window &window,
                   int64_t columns) {
  int64_t channels = tensorType(x).getShape().back();
  unsigned last = window.rank() - 1;
  std::optional<onnx::SizeExpr> row = window.input[last].times(channels);
  if (!row) {
    (void)b.unsupported("an expression of a size that is too long; fix some of the sizes it depends "
                        "on with --dim NAME=VALUE");
    row = 0;
  }
  SizeList whole{window.batch}, merged{window.batch}, sizes{window.batch};
  llvm::append_range(whole, window.input);
  whole.push_back(channels);
  merged.append(window.input.begin(), window.input.end() - 1);
  merged.push_back(*row);
  llvm::append_range(sizes, window.output);
  sizes.push_back(columns);
  // Loops: n, output..., column; kernel dims that need one but the last, the last with its channels.
  unsigned loops = sizes.size();
  SmallVector<int64_t> reduction;
  SmallVector<AffineExpr> exprs{b.getAffineDimExpr(0)};
  for (unsigned i = 0; i < last; ++i) {
    AffineExpr at = b.getAffineDimExpr(1 + i) * window.strides[i];
    if (window.needsTap(i)) {
      at = at + b.getAffineDimExpr(loops++) * window.dilations[i];
      reduction.push_back(window.kernel[i]);
    }
    exprs.push_back(at);
  }
  exprs.push_back(b.getAffineDimExpr(1 + last) * (window.strides[last] * channels) +
                  b.getAffineDimExpr(loops++));
  reduction.push_back(window.kernel[last] * channels);
  return contractWithBias(b, sizes, b.reshape(x, whole, merged), panels,
                          AffineMap::get(loops, 0, exprs, b.getContext()),
                          AffineMap::get(sizes.size(), 0, {}, b.getContext()), reduction, bias);
}

//===- Conv in other types --------------------------------------------------===//

/// Channels-first convolution by loops: [n, c, spatial...] to [n, columns, spatial...] in
/// `accumulator`. Zero points may be null; that of `w` is a scalar or one per column.
Value convolveByLoops(Lowering &b, Value x, Value w, const Window &window, int64_t groups,
                      Type accumulator, bool xUnsigned = false, Value xZero = nullptr,
                      bool wUnsigned = false, Value wZero = nullptr) {
  auto toScalar = [&](Value value) {
    if (!tensorType(value).hasStaticShape())
      (void)b.unsupported(
          "how many zero points there are changes from run to run; fix their size with "
          "--dim NAME=VALUE");
    return b.reshape(value, {});
  };
  if (xZero)
    xZero = toScalar(xZero);
  Type element = tensorType(x).getElementType();
  // What lies outside counts as zero: the zero point.
  x = padded(b, x, window, 2, [&](Lowering &inner) -> Value {
    if (xZero)
      return tensor::ExtractOp::create(inner, xZero, ValueRange{});
    return inner.scalar(element, 0);
  });
  int64_t channels = tensorType(x).getDimSize(1), columns = tensorType(w).getDimSize(0);
  int64_t rank = window.rank();
  SizeList xWhole{window.batch, channels}, xSplit{window.batch, groups, channels / groups};
  for (unsigned i = 0; i < rank; ++i) {
    onnx::SizeExpr size = window.leavesInput() ? window.reach(b, i) : window.input[i];
    xWhole.push_back(size);
    xSplit.push_back(size);
  }
  SmallVector<int64_t> wSplit{groups, columns / groups, channels / groups};
  llvm::append_range(wSplit, window.kernel);
  SizeList sizes{window.batch, groups, columns / groups}, merged{window.batch, columns};
  llvm::append_range(sizes, window.output);
  llvm::append_range(merged, window.output);
  // Loops: n, group, column, output...; channel, kernel...
  unsigned parallel = sizes.size(), loops = parallel + 1 + rank;
  AffineExpr channel = b.getAffineDimExpr(parallel);
  SmallVector<AffineExpr> xExprs{b.getAffineDimExpr(0), b.getAffineDimExpr(1), channel},
      wExprs{b.getAffineDimExpr(1), b.getAffineDimExpr(2), channel};
  for (int64_t i = 0; i < rank; ++i) {
    AffineExpr tap = b.getAffineDimExpr(parallel + 1 + i);
    xExprs.push_back(b.getAffineDimExpr(3 + i) * window.strides[i] + tap * window.dilations[i]);
    wExprs.push_back(tap);
  }
  SmallVector<unsigned> nest{0, 1, 2};
  for (unsigned d = parallel; d < loops; ++d)
    nest.push_back(d);
  for (unsigned d = 3; d < parallel; ++d)
    nest.push_back(d);
  auto map = [&](ArrayRef<AffineExpr> exprs) {
    return AffineMap::get(loops, 0, exprs, b.getContext());
  };
  Factor left{b.reshape(x, xWhole, xSplit), map(xExprs), xUnsigned};
  Factor right{b.reshape(w, wSplit), map(wExprs), wUnsigned};
  if (xZero) {
    left.zeroPoint = xZero;
    left.zeroPointMap = map({});
  }
  if (wZero) {
    bool perColumn = tensorType(wZero).getNumElements() == columns && columns != 1;
    right.zeroPoint =
        perColumn ? b.reshape(wZero, {groups, columns / groups}) : toScalar(wZero);
    right.zeroPointMap = perColumn ? map({b.getAffineDimExpr(1), b.getAffineDimExpr(2)}) : map({});
  }
  Value sums = multiplyAccumulate(b, Lowering::shapeOf(sizes), accumulator, {left, right}, 1 + rank,
                                  nest, b.openSizes(sizes));
  return b.reshape(sums, sizes, merged);
}

/// A vector per column as it is broadcast to [n, columns, spatial...]; scalars stay.
Value perColumn(Lowering &b, Value value, unsigned spatial) {
  if (tensorType(value).getRank() != 1 || tensorType(value).getDimSize(0) == 1)
    return b.reshape(value, {});
  SmallVector<int64_t> shape{tensorType(value).getDimSize(0)};
  shape.append(spatial, 1);
  return b.reshape(value, shape);
}

//===- Rules ----------------------------------------------------------------===//

FailureOr<SmallVector<Value>> lowerConv(Lowering &b, Operation *op, ValueRange operands) {
  auto conv = cast<onnx::ConvOp>(op);
  RankedTensorType result = b.resultType(), wType = dyn_cast<RankedTensorType>(operands[1].getType());
  if (!result || !isa<RankedTensorType>(operands[0].getType()) || !wType || !wType.hasStaticShape())
    return needStaticSizes(b);
  int64_t rank = result.getRank(), groups = conv.getGroup();
  bool channelsLast = op->hasAttr("channels_last");
  SmallVector<int64_t> last = toChannelsLast(rank), first = toChannelsFirst(rank);
  SizeList xSizes = b.sizes(op->getOperand(0)), ySizes = b.sizes(op->getResult(0));
  if (channelsLast) {
    xSizes = permuted(xSizes, first);
    ySizes = permuted(ySizes, first);
  }
  if (!xSizes[1].constant() || !ySizes[1].constant())
    return b.unsupported("its channels change from run to run");
  int64_t columns = *ySizes[1].constant(), channels = *xSizes[1].constant();
  if (groups <= 0 || channels % groups != 0 || columns % groups != 0)
    return b.unsupported("its channels do not divide into its groups");
  Window window = readWindow(conv, xSizes, wType.getShape(), ySizes);
  window.applyAutoPad(b, conv.getAutoPad());
  Value bias = b.isAbsent(2) ? Value() : operands[2];
  Type element = result.getElementType();

  if (element.isF32()) {
    Value x = channelsLast ? operands[0] : b.transpose(operands[0], last), y;
    if (groups == channels && columns == channels && groups != 1) {
      takePads(b, x, window, /*all=*/false);
      y = window.rank() <= 2 ? convolveDepthwise(b, x, operands[1], bias, window)
                             : convolveDepthwiseByLoops(b, x, operands[1], bias, window);
    } else {
      SmallVector<int64_t> shape{columns / groups, channels / groups}, order;
      llvm::append_range(shape, window.kernel);
      order = toChannelsLast(shape.size());
      if (groups != 1) {
        shape.insert(shape.begin(), groups);
        for (int64_t &dim : order)
          ++dim;
        order.insert(order.begin(), 0);
      }
      int64_t tile = b.arithmetic.winograd ? winogradTile(window, groups, channels, columns) : 0;
      Value panels = tile ? packTaps(b, operands[1], tile) : Value();
      if (!panels) {
        tile = 0;
        panels = packPanels(b, operands[1], shape, order, groups != 1);
      }
      bool isRows = mergesRow(window, groups, channels);
      takePads(b, x, window, isRows);
      y = isRows ? convolveRows(b, x, panels, bias, window, columns)
                 : convolve(b, x, panels, bias, window, groups, columns, 1, tile);
    }
    return SmallVector<Value>{channelsLast ? y : b.transpose(y, first)};
  }

  Value x = channelsLast ? b.transpose(operands[0], first) : operands[0];
  Value y = convolveByLoops(b, x, operands[1], window, groups, accumulatorType(element));
  if (bias) {
    Value wide = isa<FloatType>(element) ? convertFloat(b, bias, accumulatorType(element)) : bias;
    y = b.broadcasting(tensorType(y), {y, perColumn(b, wide, window.rank())},
                       [&](Lowering &inner, ValueRange elements) -> Value {
                         if (isa<FloatType>(element))
                           return arith::AddFOp::create(inner, elements[0], elements[1]);
                         return arith::AddIOp::create(inner, elements[0], elements[1]);
                       });
  }
  if (isa<FloatType>(element))
    y = convertFloat(b, y, element);
  return SmallVector<Value>{channelsLast ? b.transpose(y, last) : y};
}

FailureOr<SmallVector<Value>> lowerConvInteger(Lowering &b, Operation *op, ValueRange operands) {
  auto conv = cast<onnx::ConvIntegerOp>(op);
  RankedTensorType result = b.resultType(), wType = tensorType(operands[1]);
  if (!result || tensorType(operands[0]).isDynamicDim(1) || !wType.hasStaticShape())
    return needStaticSizes(b);
  Window window = readWindow(conv, b.sizes(op->getOperand(0)), wType.getShape(),
                             b.sizes(op->getResult(0)));
  window.applyAutoPad(b, conv.getAutoPad());
  auto optional = [&](unsigned i) { return b.isAbsent(i) ? Value() : operands[i]; };
  return SmallVector<Value>{convolveByLoops(
      b, operands[0], operands[1], window, conv.getGroup(), b.getI32Type(),
      isUnsigned(elementType(op->getOperand(0))), optional(2),
      isUnsigned(elementType(op->getOperand(1))), optional(3))};
}

FailureOr<SmallVector<Value>> lowerQLinearConv(Lowering &b, Operation *op, ValueRange operands) {
  auto conv = cast<onnx::QLinearConvOp>(op);
  RankedTensorType result = b.resultType(), wType = tensorType(operands[3]);
  if (!result || tensorType(operands[0]).isDynamicDim(1) || !wType.hasStaticShape())
    return needStaticSizes(b);
  Window window = readWindow(conv, b.sizes(op->getOperand(0)), wType.getShape(),
                             b.sizes(op->getResult(0)));
  window.applyAutoPad(b, conv.getAutoPad());
  Value sums = convolveByLoops(b, operands[0], operands[3], window, conv.getGroup(), b.getI32Type(),
                               isUnsigned(elementType(op->getOperand(0))), operands[2],
                               isUnsigned(elementType(op->getOperand(3))), operands[5]);
  if (!b.isAbsent(8))
    sums = b.broadcasting(tensorType(sums), {sums, perColumn(b, operands[8], window.rank())},
                          [](Lowering &inner, ValueRange elements) {
                            return arith::AddIOp::create(inner, elements[0], elements[1]).getResult();
                          });
  auto aligned = [&](unsigned i) { return perColumn(b, operands[i], window.rank()); };
  return SmallVector<Value>{requantize(b, result, sums, {aligned(1), aligned(4)}, aligned(6),
                                       aligned(7), isUnsigned(elementType(op->getResult(0))))};
}

} // namespace

void burin::lower::registerConvolution(RuleTable &table) {
  table.add<onnx::ConvOp>(lowerConv, Sizes::Dynamic);
  table.add<onnx::ConvTransposeOp>(lowerConvTranspose, Sizes::Dynamic);
  table.add<onnx::ConvIntegerOp>(lowerConvInteger, Sizes::Dynamic);
  table.add<onnx::QLinearConvOp>(lowerQLinearConv, Sizes::Dynamic);
  table.add<onnx::DeformConvOp>(lowerDeformConv);
}
