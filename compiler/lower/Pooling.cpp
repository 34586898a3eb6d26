// SPDX-License-Identifier: Apache-2.0
//
// Pooling: a window slides over the spatial dimensions of [N, C, spatial...] (or,
// with the attribute `channels_last`, of [N, spatial..., C]) and is reduced. A
// padded copy makes every read affine: x[n, c, o * stride + k * dilation].

#include "compiler/lower/Access.h"
#include "compiler/lower/Indexing.h"
#include "compiler/lower/Reduction.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace burin;
using namespace burin::lower;

namespace {

/// No model pads or dilates by more; keeps sums of window sizes far from overflow.
constexpr int64_t maxExtent = int64_t(1) << 40;

//===- Windows --------------------------------------------------------------===//

/// A pooling op's window, one entry per spatial dimension.
struct Window {
  SizeList sizes;   // of the operand
  SizeList in, out; // along the spatial dimensions
  SmallVector<int64_t> kernel, stride, dilation, before, after;
  SmallVector<Value> openBefore; // instead of `before` where not null: a size decides it
  int64_t first = 2; // the dim of the first spatial dimension

  int64_t rank() const { return kernel.size(); }
  int64_t taps() const {
    int64_t product = 1;
    for (int64_t k : kernel)
      product *= k;
    return product;
  }
  int64_t span(int64_t d) const { return (kernel[d] - 1) * dilation[d] + 1; }
  /// Whether the sizes of dimension `d` change from run to run.
  bool isOpen(int64_t d) const { return !in[d].constant() || !out[d].constant(); }
  /// Elements of dimension `d`, of fixed size, that the windows reach over, from -before on.
  int64_t reach(int64_t d) const { return (*out[d].constant() - 1) * stride[d] + span(d); }
  /// Inside a body.
  Value padBefore(Lowering &in, int64_t d) const {
    return openBefore[d] ? openBefore[d] : in.index(before[d]);
  }
};

/// Pads of an auto_pad that keeps sizes, along one dimension.
void padToSame(Lowering &b, Window &window, bool upper) {
  int64_t d = window.before.size(), stride = window.stride[d], span = window.span(d);
  std::optional<onnx::SizeExpr> total = windowReach(window.out[d], stride, span);
  total = total ? total->minus(window.in[d]) : total;
  if (!total)
    (void)b.unsupported("pads that follow from a size of a long expression; fix it with --dim "
                        "NAME=VALUE");
  SamePads same = samePads(b, total.value_or(0), span, upper);
  window.before.push_back(same.before);
  window.after.push_back(same.after);
  window.openBefore.push_back(same.openBefore);
}

FailureOr<Window> windowOf(Lowering &b, Operation *op) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  auto input = cast<RankedTensorType>(op->getOperand(0).getType());
  int64_t rank = input.getRank() - 2;
  Window window;
  window.kernel = intsOr(op, "kernel_shape", 0, 1);
  window.stride = intsOr(op, "strides", rank, 1);
  window.dilation = intsOr(op, "dilations", rank, 1);
  SmallVector<int64_t> pads = intsOr(op, "pads", 2 * rank, 0);
  if (rank < 1 || type->getRank() != input.getRank() || int64_t(window.kernel.size()) != rank ||
      int64_t(window.stride.size()) != rank || int64_t(window.dilation.size()) != rank ||
      int64_t(pads.size()) != 2 * rank)
    return b.unsupported("kernel_shape, strides, dilations and pads need an entry per spatial "
                         "dimension");
  window.first = op->hasAttr("channels_last") ? 1 : 2;
  window.sizes = b.sizes(op->getOperand(0));
  SizeList results = b.sizes(op->getResult(0));
  auto autoPad = op->getAttrOfType<StringAttr>("auto_pad");
  StringRef mode = autoPad ? autoPad.getValue() : "NOTSET";
  for (int64_t d = 0; d < rank; ++d) {
    window.in.push_back(window.sizes[window.first + d]);
    window.out.push_back(results[window.first + d]);
    int64_t kernel = window.kernel[d], stride = window.stride[d], dilation = window.dilation[d];
    int64_t out = window.out[d].constant().value_or(1);
    for (int64_t positive : {kernel, stride, dilation})
      if (positive < 1 || positive > maxExtent / std::max<int64_t>(kernel, out + 1))
        return b.unsupported("a kernel size, stride or dilation that is out of range");
    if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
      padToSame(b, window, mode == "SAME_UPPER");
      continue;
    }
    int64_t before = pads[d], after = pads[rank + d];
    if (mode == "VALID")
      before = after = 0;
    if (before < 0 || after < 0 || before > maxExtent || after > maxExtent)
      return b.unsupported("negative or too large pads");
    window.before.push_back(before);
    window.after.push_back(after);
    window.openBefore.push_back(nullptr);
  }
  return window;
}

/// Whether a window may end behind the pads.
bool mayEndOutside(Operation *op) {
  auto ceil = op->getAttrOfType<IntegerAttr>("ceil_mode");
  return ceil && ceil.getInt() != 0;
}

/// The operand with `padding` around it wherever a window reaches beyond it.
Value paddedInput(Lowering &b, const Window &window, Value input, Value padding) {
  SizeList sizes = window.sizes;
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0));
  for (int64_t d = 0; d < window.rank(); ++d) {
    int64_t dim = window.first + d, before = window.before[d];
    if (!window.isOpen(d)) {
      int64_t in = *window.in[d].constant();
      if (before == 0 && window.reach(d) <= in)
        continue;
      sizes[dim] = std::max(window.reach(d), before + in);
      offsets[dim] = b.getIndexAttr(before);
      continue;
    }
    // All that fits has its last start in the input; with ceil_mode it may end anywhere.
    int64_t more = before + window.after[d] + (mayEndOutside(b.getOp()) ? window.stride[d] - 1 : 0);
    std::optional<onnx::SizeExpr> larger = sizes[dim].plus(more);
    if (!larger)
      (void)b.unsupported("an expression of a size that is too long; fix some of the sizes it "
                          "depends on with --dim NAME=VALUE");
    sizes[dim] = larger.value_or(sizes[dim]);
    offsets[dim] = window.openBefore[d] ? OpFoldResult(window.openBefore[d]) : b.getIndexAttr(before);
  }
  return sizes == window.sizes ? input : padded(b, input, sizes, offsets, padding);
}

using Combiner = llvm::function_ref<Value(Lowering &, Value element, Value accumulator)>;

/// Reduces each window of `input` (padded as needed) from `init`, whose type is the result's.
Value reduceWindows(Lowering &b, const Window &window, Value input, Value init, Combiner combine) {
  SizeList result = window.sizes;
  int64_t rank = result.size(), spatial = window.rank();
  for (int64_t d = 0; d < spatial; ++d)
    result[window.first + d] = window.out[d];
  // Dims: the result's, then the window's. An operand that is never read gives the
  // latter their sizes.
  int64_t dims = rank + spatial;
  SmallVector<AffineExpr> read, taps;
  for (int64_t d = 0; d < rank; ++d)
    read.push_back(b.getAffineDimExpr(d));
  for (int64_t d = 0; d < spatial; ++d) {
    AffineExpr &place = read[window.first + d];
    place = place * window.stride[d] + b.getAffineDimExpr(rank + d) * window.dilation[d];
    taps.push_back(b.getAffineDimExpr(rank + d));
  }
  SmallVector<AffineMap> maps{
      AffineMap::get(dims, 0, read, b.getContext()), AffineMap::get(dims, 0, taps, b.getContext()),
      AffineMap::getMultiDimIdentityMap(dims, b.getContext()).getMajorSubMap(rank)};
  SmallVector<utils::IteratorType> iterators(dims, utils::IteratorType::parallel);
  std::fill(iterators.begin() + rank, iterators.end(), utils::IteratorType::reduction);
  auto type = RankedTensorType::get(Lowering::shapeOf(result), init.getType());
  Value sizes = b.empty(RankedTensorType::get(window.kernel, init.getType()));
  Value start = b.fill(type, init, b.openSizes(result));
  std::string reason;
  return linalg::GenericOp::create(
             b, TypeRange{type}, ValueRange{input, sizes}, start, maps,
             iterators,
             [&](OpBuilder &builder, Location loc, ValueRange arguments) {
               Lowering inner(builder, b.getOp(), reason);
               inner.setLoc(loc);
               linalg::YieldOp::create(builder, loc, combine(inner, arguments[0], arguments[2]));
             })
      .getResult(0);
}

/// An elementwise function of one tensor, to elements of `to`.
Value mapped(Lowering &b, Value input, Type to,
             llvm::function_ref<Value(Lowering &, Value)> function) {
  auto type = RankedTensorType::get(typeOf(input).getShape(), to);
  return b.parallel(type, {input}, {b.getMultiDimIdentityMap(type.getRank())},
                    [&](Lowering &in, ValueRange elements) { return function(in, elements[0]); });
}

//===- MaxPool --------------------------------------------------------------===//

bool hasNoSign(Type onnxElement) { return isUnsigned(onnxElement) || isBool(onnxElement); }

/// Where in its window the greatest element lies, as a flat index of the operand;
/// the first of equals.
Value maxPlaces(Lowering &b, const Window &window, Value input, bool columnMajor, bool noSign) {
  RankedTensorType inputType = typeOf(input);
  int64_t rank = inputType.getRank();
  SmallVector<Value> open; // of the operand, null: fixed
  for (const onnx::SizeExpr &size : window.sizes)
    open.push_back(size.constant() ? Value() : b.size(size));
  return b.indexed(b.resultType(1), [&](Lowering &in, ValueRange at) -> Value {
    Scalars s{in};
    auto sizeOf = [&](int64_t dim) {
      return open[dim] ? open[dim] : in.index(inputType.getDimSize(dim));
    };
    Value best = extremeOf(in, inputType.getElementType(), noSign, /*largest=*/false);
    Value zero = in.index(0), none = in.index(-1);
    auto loop = scf::ForOp::create(in, zero, in.index(window.taps()), in.index(1),
                                   ValueRange{best, none});
    {
      OpBuilder::InsertionGuard guard(in);
      in.setInsertionPointToStart(loop.getBody());
      SmallVector<Value> place(at);
      Value rest = loop.getInductionVar(), inside = in.scalarInt(in.getI1Type(), 1);
      for (int64_t d = window.rank() - 1; d >= 0; --d) {
        Value tap = arith::RemUIOp::create(in, rest, in.index(window.kernel[d]));
        rest = arith::DivUIOp::create(in, rest, in.index(window.kernel[d]));
        Value &coordinate = place[window.first + d];
        coordinate = s.add(s.mul(coordinate, in.index(window.stride[d])),
                           s.mul(tap, in.index(window.dilation[d])));
        coordinate = s.sub(coordinate, window.padBefore(in, d));
        Value size = sizeOf(window.first + d);
        inside = arith::AndIOp::create(in, inside, isInside(in, coordinate, size));
        coordinate = clampIndex(in, coordinate, size);
      }
      // Row-major over the operand, or, within a channel, column-major.
      Value flat = zero;
      SmallVector<int64_t> order;
      for (int64_t d = 0; d < rank - window.rank(); ++d)
        order.push_back(window.first == 1 && d == 1 ? rank - 1 : d);
      for (int64_t d = 0; d < window.rank(); ++d)
        order.push_back(window.first + (columnMajor ? window.rank() - 1 - d : d));
      for (int64_t dim : order)
        flat = s.add(s.mul(flat, sizeOf(dim)), place[dim]);
      Value element = extract(in, input, place), most = loop.getRegionIterArg(0),
            where = loop.getRegionIterArg(1);
      Value isFirst = s.less(where, zero);
      Value greater = s.less(s.widen(most), s.widen(element), noSign);
      Value wins = arith::AndIOp::create(in, inside, arith::OrIOp::create(in, isFirst, greater));
      scf::YieldOp::create(in, ValueRange{s.select(wins, element, most), s.select(wins, flat, where)});
    }
    return fromIndex(in, loop.getResult(1), in.getI64Type());
  });
}

Results lowerMaxPool(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<Window> window = windowOf(b, op);
  if (failed(window))
    return failure();
  auto node = cast<onnx::MaxPoolOp>(op);
  bool noSign = hasNoSign(elementType(op->getOperand(0)));
  Value least = extremeOf(b, b.resultType().getElementType(), noSign, /*largest=*/false);
  Value values = reduceWindows(b, *window, paddedInput(b, *window, operands[0], least), least,
                               [&](Lowering &in, Value element, Value most) {
                                 Scalars s{in};
                                 Value more = s.max(s.widen(most), s.widen(element), noSign);
                                 return isa<FloatType>(most.getType()) ? s.narrow(more, most.getType())
                                                                       : more;
                               });
  if (isa<NoneType>(op->getResult(1).getType()))
    return SmallVector<Value>{values, nullptr};
  return SmallVector<Value>{
      values, maxPlaces(b, *window, operands[0], node.getStorageOrder() != 0, noSign)};
}

//===- AveragePool, LpPool --------------------------------------------------===//

/// Sums of f(element) over each window, in the type that is computed with.
Value windowSums(Lowering &b, const Window &window, Value input,
                 llvm::function_ref<Value(Scalars &, Value)> function) {
  Type element = typeOf(input).getElementType(), compute = computeType(element);
  Value zero = b.scalarInt(element, 0);
  return reduceWindows(b, window, paddedInput(b, window, input, zero), b.scalarInt(compute, 0),
                       [&](Lowering &in, Value value, Value sum) {
                         Scalars s{in};
                         return s.add(sum, function(s, s.widen(value)));
                       });
}

/// In a body: how many of a window's elements along `d` count, of an operand of `size`.
Value countInside(Lowering &in, const Window &window, int64_t d, Value size, bool countsPads,
                  Type type) {
  Scalars s{in};
  Value o = linalg::IndexOp::create(in, window.first + d), one = in.index(1);
  // Tap k is at first + k * dilation, from the start of the pads.
  Value first = s.mul(o, in.index(window.stride[d])), before = window.padBefore(in, d);
  Value low = countsPads ? in.index(0) : before;
  Value high = s.add(before, size);
  if (countsPads) // all that is asked for beyond, which auto_pad's is
    high = s.add(size, in.index(window.before[d] + window.after[d]));
  Value dilation = in.index(window.dilation[d]);
  auto upTo = [&](Value place) { // taps that lie before it
    Value taps = arith::CeilDivSIOp::create(in, s.sub(place, first), dilation);
    return s.min(s.max(taps, in.index(0)), in.index(window.kernel[d]));
  };
  Value count = s.max(s.sub(upTo(high), upTo(low)), one);
  return arith::SIToFPOp::create(in, type, fromIndex(in, count, in.getI64Type()));
}

Results lowerAveragePool(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<Window> window = windowOf(b, op);
  if (failed(window))
    return failure();
  RankedTensorType type = b.resultType();
  bool countsPads = cast<onnx::AveragePoolOp>(op).getCountIncludePad() != 0;
  Value sums = windowSums(b, *window, operands[0], [](Scalars &, Value x) { return x; });
  Type compute = typeOf(sums).getElementType();
  // How many elements a window has is a product over dimensions: a factor each,
  // where it varies a vector, of a size that changes from run to run counted where it is used.
  double factor = 1;
  SmallVector<Value> inputs{sums}, open(window->rank());
  SmallVector<AffineMap> maps{b.getMultiDimIdentityMap(type.getRank())};
  for (int64_t d = 0; d < window->rank(); ++d) {
    if (window->isOpen(d)) {
      if (window->before[d] == 0 && window->after[d] == 0 && !mayEndOutside(op))
        factor *= double(window->kernel[d]);
      else
        open[d] = b.size(window->in[d]);
      continue;
    }
    int64_t in = *window->in[d].constant(), out = *window->out[d].constant();
    int64_t low = countsPads ? 0 : window->before[d];
    int64_t high = window->before[d] + in + (countsPads ? window->after[d] : 0);
    auto isWhole = [&](int64_t o) {
      int64_t first = o * window->stride[d];
      return first >= low && first + (window->kernel[d] - 1) * window->dilation[d] < high;
    };
    if (out && isWhole(0) && isWhole(out - 1)) {
      factor *= double(window->kernel[d]);
      continue;
    }
    constexpr int64_t mostCounted = int64_t(1) << 28; // elements of all windows: a second or so
    if (out > mostCounted / window->kernel[d])
      return b.unsupported("windows of " + Twine(window->kernel[d]) + " elements at " +
                           Twine(out) + " places, some of them in the padding; pad the "
                           "operand before");
    SmallVector<APFloat> counts;
    for (int64_t o = 0; o < out; ++o) {
      int64_t count = 0;
      for (int64_t k = 0; k < window->kernel[d]; ++k) {
        int64_t place = o * window->stride[d] + k * window->dilation[d];
        count += place >= low && place < high;
      }
      APFloat value(double(std::max<int64_t>(count, 1)));
      bool lost = false;
      value.convert(cast<FloatType>(compute).getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
      counts.push_back(value);
    }
    if (llvm::all_equal(counts)) {
      if (!counts.empty())
        factor *= counts[0].convertToDouble();
      continue;
    }
    auto vector = RankedTensorType::get({out}, compute);
    inputs.push_back(plan::ConstantOp::create(b, DenseElementsAttr::get(vector, counts)));
    maps.push_back(AffineMap::get(type.getRank(), 0, b.getAffineDimExpr(window->first + d)));
  }
  return SmallVector<Value>{b.parallel(type, inputs, maps, [&](Lowering &in, ValueRange elements) {
    Scalars s{in};
    Value count = in.scalar(compute, factor);
    for (Value part : elements.drop_front())
      count = s.mul(count, part);
    for (int64_t d = 0; d < window->rank(); ++d)
      if (open[d])
        count = s.mul(count, countInside(in, *window, d, open[d], countsPads, compute));
    return s.narrow(s.div(elements[0], count), type.getElementType());
  })};
}

Value powerOf(Scalars &s, Value x, int64_t p) {
  x = s.abs(x);
  if (p == 1)
    return x;
  return p == 2 ? s.mul(x, x) : s.pow(x, s.like(x, double(p)));
}

/// The p-th root of a sum of p-th powers, in the type `to`.
Value rootOf(Scalars &s, Value sum, int64_t p, Type to) {
  Value root = p == 1 ? sum : p == 2 ? s.sqrt(sum) : s.pow(sum, s.like(sum, 1.0 / double(p)));
  return s.narrow(root, to);
}

Results lowerLpPool(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<Window> window = windowOf(b, op);
  if (failed(window))
    return failure();
  int64_t p = cast<onnx::LpPoolOp>(op).getP();
  if (p < 1)
    return b.unsupported("p is less than 1");
  Type element = b.resultType().getElementType();
  Value sums = windowSums(b, *window, operands[0],
                          [&](Scalars &s, Value x) { return powerOf(s, x, p); });
  return SmallVector<Value>{mapped(b, sums, element, [&](Lowering &in, Value sum) {
    Scalars s{in};
    return rootOf(s, sum, p, element);
  })};
}

//===- Global pooling -------------------------------------------------------===//

/// The spatial dims of the operand and how many elements they have, or nothing after an error.
struct Folded {
  SmallVector<int64_t> dims;
  onnx::SizeExpr count = 1;
};

FailureOr<Folded> spatialDims(Lowering &b, Operation *op) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  SizeList sizes = b.sizes(op->getOperand(0));
  int64_t rank = sizes.size();
  if (rank < 3 || type->getRank() != rank)
    return b.unsupported("needs at least one spatial dimension");
  int64_t first = op->hasAttr("channels_last") ? 1 : 2;
  Folded folded{llvm::to_vector(llvm::seq<int64_t>(first, first + rank - 2))};
  for (int64_t d : folded.dims) {
    std::optional<onnx::SizeExpr> product = folded.count.times(sizes[d]);
    if (!product)
      return b.unsupported("a product of sizes that is too long; fix some with --dim NAME=VALUE");
    folded.count = *product;
  }
  return folded;
}

/// What was folded, with its spatial dims of size 1.
Value unfolded(Lowering &b, Operation *op, Value value) {
  SizeList to = b.sizes(op->getResult(0)), from = to;
  int64_t first = op->hasAttr("channels_last") ? 1 : 2;
  from.erase(from.begin() + first, from.begin() + first + to.size() - 2);
  return b.reshape(value, from, to);
}

/// Sums of f(element) over the spatial dims, then g of each sum and of how many there are.
Results globalSum(Lowering &b, Operation *op, Value input,
                  llvm::function_ref<Value(Scalars &, Value)> f,
                  llvm::function_ref<Value(Scalars &, Value, Value)> g) {
  FailureOr<Folded> folded = spatialDims(b, op);
  if (failed(folded))
    return failure();
  Type element = b.resultType().getElementType(), compute = computeType(element);
  Value sums = b.reduce(input, folded->dims, /*keepDims=*/false, b.scalarInt(compute, 0),
                        [&](Lowering &in, ValueRange values) {
                          Scalars s{in};
                          return s.add(values[1], f(s, s.widen(values[0])));
                        });
  std::optional<int64_t> fixed = folded->count.constant();
  Value open = fixed ? Value() : b.size(folded->count);
  return SmallVector<Value>{mapped(b, unfolded(b, op, sums), element, [&](Lowering &in, Value sum) {
    Scalars s{in};
    Value count = fixed ? s.like(sum, double(*fixed))
                        : Value(arith::SIToFPOp::create(
                              in, compute, fromIndex(in, open, in.getI64Type())));
    return s.narrow(g(s, sum, count), element);
  })};
}

Results lowerGlobalAveragePool(Lowering &b, Operation *op, ValueRange operands) {
  return globalSum(
      b, op, operands[0], [](Scalars &, Value x) { return x; },
      [](Scalars &s, Value sum, Value count) { return s.div(sum, count); });
}

Results lowerGlobalLpPool(Lowering &b, Operation *op, ValueRange operands) {
  int64_t p = cast<onnx::GlobalLpPoolOp>(op).getP();
  if (p < 1)
    return b.unsupported("p is less than 1");
  return globalSum(
      b, op, operands[0], [&](Scalars &s, Value x) { return powerOf(s, x, p); },
      [&](Scalars &s, Value sum, Value) { return rootOf(s, sum, p, sum.getType()); });
}

Results lowerGlobalMaxPool(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<Folded> folded = spatialDims(b, op);
  if (failed(folded))
    return failure();
  Type element = b.resultType().getElementType();
  Value least = extremeOf(b, element, /*isUnsigned=*/false, /*largest=*/false);
  Value most = b.reduce(operands[0], folded->dims, /*keepDims=*/false, least,
                        [&](Lowering &in, ValueRange values) {
                          Scalars s{in};
                          return s.narrow(s.max(s.widen(values[1]), s.widen(values[0])), element);
                        });
  return SmallVector<Value>{unfolded(b, op, most)};
}

} // namespace

void burin::lower::registerPooling(RuleTable &table) {
  table.add<onnx::AveragePoolOp>(lowerAveragePool, Sizes::Dynamic);
  table.add<onnx::GlobalAveragePoolOp>(lowerGlobalAveragePool, Sizes::Dynamic);
  table.add<onnx::GlobalLpPoolOp>(lowerGlobalLpPool, Sizes::Dynamic);
  table.add<onnx::GlobalMaxPoolOp>(lowerGlobalMaxPool, Sizes::Dynamic);
  table.add<onnx::LpPoolOp>(lowerLpPool, Sizes::Dynamic);
  table.add<onnx::MaxPoolOp>(lowerMaxPool, Sizes::Dynamic);
  registerUnpooling(table);
}
