// SPDX-License-Identifier: Apache-2.0
//
// Pooling: a window slides over the spatial dimensions of [N, C, spatial...] (or,
// with the attribute `channels_last`, of [N, spatial..., C]) and is reduced. A
// padded copy makes every read affine: x[n, c, o * stride + k * dilation].

#include "compiler/lower/Access.h"
#include "compiler/lower/Indexing.h"
#include "compiler/lower/Reduction.h"
#include "dialects/kern/KernOps.h"
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
  SmallVector<int64_t> in, out, kernel, stride, dilation, before, after;
  int64_t first = 2; // the dim of the first spatial dimension

  int64_t rank() const { return kernel.size(); }
  int64_t taps() const {
    int64_t product = 1;
    for (int64_t k : kernel)
      product *= k;
    return product;
  }
  /// Elements of dimension `d` that the windows reach over, from -before on.
  int64_t reach(int64_t d) const {
    return (out[d] - 1) * stride[d] + (kernel[d] - 1) * dilation[d] + 1;
  }
};

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
  if (ShapedType::isDynamicShape(input.getShape().drop_front()) ||
      ShapedType::isDynamicShape(type->getShape().drop_front()))
    return b.unsupported(needsFixedSize);
  auto autoPad = op->getAttrOfType<StringAttr>("auto_pad");
  StringRef mode = autoPad ? autoPad.getValue() : "NOTSET";
  for (int64_t d = 0; d < rank; ++d) {
    int64_t in = input.getDimSize(window.first + d), out = type->getDimSize(window.first + d);
    int64_t kernel = window.kernel[d], stride = window.stride[d], dilation = window.dilation[d];
    for (int64_t positive : {kernel, stride, dilation})
      if (positive < 1 || positive > maxExtent / std::max<int64_t>(kernel, out + 1))
        return b.unsupported("a kernel size, stride or dilation that is out of range");
    int64_t before = pads[d], after = pads[rank + d];
    if (mode == "VALID")
      before = after = 0;
    if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
      int64_t total = std::max<int64_t>((out - 1) * stride + (kernel - 1) * dilation + 1 - in, 0);
      before = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
      after = total - before;
    }
    if (before < 0 || after < 0 || before > maxExtent || after > maxExtent)
      return b.unsupported("negative or too large pads");
    window.in.push_back(in);
    window.out.push_back(out);
    window.before.push_back(before);
    window.after.push_back(after);
  }
  return window;
}

/// The operand with `padding` around it wherever a window reaches beyond it.
Value paddedInput(Lowering &b, const Window &window, Value input, Value padding) {
  SmallVector<int64_t> shape(typeOf(input).getShape()), offsets(shape.size(), 0);
  for (int64_t d = 0; d < window.rank(); ++d) {
    int64_t dim = window.first + d;
    if (window.before[d] == 0 && window.reach(d) <= window.in[d])
      continue;
    shape[dim] = std::max(window.reach(d), window.before[d] + window.in[d]);
    offsets[dim] = window.before[d];
  }
  return padded(b, input, shape, offsets, padding);
}

using Combiner = llvm::function_ref<Value(Lowering &, Value element, Value accumulator)>;

/// Reduces each window of `input` (padded as needed) from `init`, whose type is the result's.
Value reduceWindows(Lowering &b, const Window &window, Value input, Value init, Combiner combine) {
  SmallVector<int64_t> shape(typeOf(input).getShape());
  int64_t rank = shape.size(), spatial = window.rank();
  for (int64_t d = 0; d < spatial; ++d)
    shape[window.first + d] = window.out[d];
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
  auto type = RankedTensorType::get(shape, init.getType());
  Value sizes = b.empty(RankedTensorType::get(window.kernel, init.getType()));
  SmallVector<Value> batch;
  if (type.isDynamicDim(0))
    batch.push_back(tensor::DimOp::create(b, input, 0));
  std::string reason;
  return linalg::GenericOp::create(
             b, TypeRange{type}, ValueRange{input, sizes}, ValueRange{b.fill(type, init, batch)}, maps,
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
  return b.indexed(b.resultType(1), [&](Lowering &in, ValueRange at) -> Value {
    Scalars s{in};
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
        coordinate = s.sub(coordinate, in.index(window.before[d]));
        inside = arith::AndIOp::create(in, inside, isInside(in, coordinate, window.in[d]));
        coordinate = clampIndex(in, coordinate, 0, window.in[d] - 1);
      }
      // Row-major over the operand, or, within a channel, column-major.
      Value flat = zero;
      SmallVector<int64_t> order;
      for (int64_t d = 0; d < rank - window.rank(); ++d)
        order.push_back(window.first == 1 && d == 1 ? rank - 1 : d);
      for (int64_t d = 0; d < window.rank(); ++d)
        order.push_back(window.first + (columnMajor ? window.rank() - 1 - d : d));
      for (int64_t dim : order)
        flat = s.add(s.mul(flat, in.index(inputType.getDimSize(dim))), place[dim]);
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

Results lowerAveragePool(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<Window> window = windowOf(b, op);
  if (failed(window))
    return failure();
  RankedTensorType type = b.resultType();
  bool countsPads = cast<onnx::AveragePoolOp>(op).getCountIncludePad() != 0;
  Value sums = windowSums(b, *window, operands[0], [](Scalars &, Value x) { return x; });
  Type compute = typeOf(sums).getElementType();
  // How many elements a window has is a product over dimensions: a factor each,
  // where it varies a vector.
  double factor = 1;
  SmallVector<Value> inputs{sums};
  SmallVector<AffineMap> maps{b.getMultiDimIdentityMap(type.getRank())};
  for (int64_t d = 0; d < window->rank(); ++d) {
    int64_t low = countsPads ? 0 : window->before[d];
    int64_t high = window->before[d] + window->in[d] + (countsPads ? window->after[d] : 0);
    auto isWhole = [&](int64_t o) {
      int64_t first = o * window->stride[d];
      return first >= low && first + (window->kernel[d] - 1) * window->dilation[d] < high;
    };
    if (window->out[d] && isWhole(0) && isWhole(window->out[d] - 1)) {
      factor *= double(window->kernel[d]);
      continue;
    }
    constexpr int64_t mostCounted = int64_t(1) << 28; // elements of all windows: a second or so
    if (window->out[d] > mostCounted / window->kernel[d])
      return b.unsupported("windows of " + Twine(window->kernel[d]) + " elements at " +
                           Twine(window->out[d]) + " places, some of them in the padding; pad the "
                           "operand before");
    SmallVector<APFloat> counts;
    for (int64_t o = 0; o < window->out[d]; ++o) {
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
    auto vector = RankedTensorType::get({window->out[d]}, compute);
    inputs.push_back(plan::ConstantOp::create(b, DenseElementsAttr::get(vector, counts)));
    maps.push_back(AffineMap::get(type.getRank(), 0, b.getAffineDimExpr(window->first + d)));
  }
  return SmallVector<Value>{b.parallel(type, inputs, maps, [&](Lowering &in, ValueRange elements) {
    Scalars s{in};
    Value count = in.scalar(compute, factor);
    for (Value part : elements.drop_front())
      count = s.mul(count, part);
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

/// The spatial dims of the operand, or nothing after an error.
FailureOr<SmallVector<int64_t>> spatialDims(Lowering &b, Operation *op) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  int64_t rank = cast<RankedTensorType>(op->getOperand(0).getType()).getRank();
  if (rank < 3 || type->getRank() != rank)
    return b.unsupported("needs at least one spatial dimension");
  if (ShapedType::isDynamicShape(
          cast<RankedTensorType>(op->getOperand(0).getType()).getShape().drop_front()))
    return b.unsupported(needsFixedSize);
  int64_t first = op->hasAttr("channels_last") ? 1 : 2;
  return llvm::to_vector(llvm::seq<int64_t>(first, first + rank - 2));
}

/// Sums of f(element) over the spatial dims, then g of each sum.
Results globalSum(Lowering &b, Operation *op, Value input,
                  llvm::function_ref<Value(Scalars &, Value)> f,
                  llvm::function_ref<Value(Scalars &, Value, int64_t)> g) {
  FailureOr<SmallVector<int64_t>> dims = spatialDims(b, op);
  if (failed(dims))
    return failure();
  Type element = b.resultType().getElementType(), compute = computeType(element);
  int64_t count = 1;
  for (int64_t d : *dims)
    count *= typeOf(input).getDimSize(d);
  Value sums = b.reduce(input, *dims, /*keepDims=*/true, b.scalarInt(compute, 0),
                        [&](Lowering &in, ValueRange values) {
                          Scalars s{in};
                          return s.add(values[1], f(s, s.widen(values[0])));
                        });
  return SmallVector<Value>{mapped(b, sums, element, [&](Lowering &in, Value sum) {
    Scalars s{in};
    return s.narrow(g(s, sum, count), element);
  })};
}

Results lowerGlobalAveragePool(Lowering &b, Operation *op, ValueRange operands) {
  return globalSum(
      b, op, operands[0], [](Scalars &, Value x) { return x; },
      [](Scalars &s, Value sum, int64_t count) { return s.div(sum, s.like(sum, double(count))); });
}

Results lowerGlobalLpPool(Lowering &b, Operation *op, ValueRange operands) {
  int64_t p = cast<onnx::GlobalLpPoolOp>(op).getP();
  if (p < 1)
    return b.unsupported("p is less than 1");
  return globalSum(
      b, op, operands[0], [&](Scalars &s, Value x) { return powerOf(s, x, p); },
      [&](Scalars &s, Value sum, int64_t) { return rootOf(s, sum, p, sum.getType()); });
}

Results lowerGlobalMaxPool(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<SmallVector<int64_t>> dims = spatialDims(b, op);
  if (failed(dims))
    return failure();
  Type element = b.resultType().getElementType();
  Value least = extremeOf(b, element, /*isUnsigned=*/false, /*largest=*/false);
  return SmallVector<Value>{b.reduce(operands[0], *dims, /*keepDims=*/true, least,
                                     [&](Lowering &in, ValueRange values) {
                                       Scalars s{in};
                                       return s.narrow(s.max(s.widen(values[1]), s.widen(values[0])),
                                                       element);
                                     })};
}

//===- Inverses -------------------------------------------------------------===//

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

void burin::lower::registerPooling(RuleTable &table) {
  table.add<onnx::AveragePoolOp>(lowerAveragePool, Sizes::Dynamic);
  table.add<onnx::Col2ImOp>(lowerCol2Im);
  table.add<onnx::GlobalAveragePoolOp>(lowerGlobalAveragePool, Sizes::Dynamic);
  table.add<onnx::GlobalLpPoolOp>(lowerGlobalLpPool, Sizes::Dynamic);
  table.add<onnx::GlobalMaxPoolOp>(lowerGlobalMaxPool, Sizes::Dynamic);
  table.add<onnx::LpPoolOp>(lowerLpPool, Sizes::Dynamic);
  table.add<onnx::MaxPoolOp>(lowerMaxPool, Sizes::Dynamic);
  table.add<onnx::MaxUnpoolOp>(lowerMaxUnpool);
}
