// SPDX-License-Identifier: Apache-2.0
//
// Resize is separable: along each axis, a result element is a weighted sum of a
// few neighbours. Which ones, and their weights, are small tables per axis,
// computed in f64; where scales are constant the tables are too. Then each axis is
// a pass over the tensor. Nearest needs no weights: one pass takes all axes.

#include "compiler/lower/Access.h"
#include "compiler/lower/Indexing.h"
#include "dialects/onnx/OnnxOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace burin;
using namespace burin::lower;

namespace {

/// Up to this many neighbours are written out; more are a loop.
constexpr int64_t maxUnrolled = 4;

class Resize {
public:
  Resize(Lowering &b, onnx::ResizeOp op, ValueRange operands, RankedTensorType result)
      : b(b), op(op), x(operands[0]), roi(operands[1]), scales(operands[2]), sizes(operands[3]),
        result(result), mode(op.getMode()), transform(op.getCoordinateTransformationMode()),
        inSizes(b.sizes(op.getX())), outSizes(b.sizes(op.getResult())) {}

  FailureOr<SmallVector<Value>> lower();

private:
  /// Names what is not ONNX, and brings axes and constants into order.
  LogicalResult prepare();

  // All f64, inside a body, for one axis.
  Value scaleOf(Lowering &in, int64_t axis);
  Value roiOf(Lowering &in, int64_t axis, bool end);
  Value f64(Lowering &in, double value) { return in.scalar(in.getF64Type(), value); }
  /// Sizes of the operand and the result, less `minus`, as numbers or from where they are told.
  Value inSize(Lowering &in, int64_t axis, double minus = 0) {
    return sizeAsFloat(in, inSizes[axis], openIn[axis], minus);
  }
  Value outSize(Lowering &in, int64_t axis) {
    return sizeAsFloat(in, outSizes[axis], openOut[axis], 0);
  }
  Value sizeAsFloat(Lowering &in, const onnx::SizeExpr &size, Value open, double minus) {
    if (!open)
      return f64(in, double(*size.constant()) - minus);
    Value wide = arith::SIToFPOp::create(in, in.getF64Type(), fromIndex(in, open, in.getI64Type()));
    return minus == 0 ? wide : Scalars{in}.sub(wide, f64(in, minus));
  }
  /// `index` as one of the operand's along `axis`.
  Value clampInside(Lowering &in, Value index, int64_t axis) {
    return openIn[axis] ? clampIndex(in, index, openIn[axis])
                        : clampIndex(in, index, 0, *inSizes[axis].constant() - 1);
  }
  /// A table along `axis` of the result, with `more` dims.
  Value table(int64_t axis, Type element, ArrayRef<int64_t> more, Lowering::IndexedBody body) {
    SmallVector<int64_t> shape{result.getDimSize(axis)};
    llvm::append_range(shape, more);
    SmallVector<Value> open;
    if (openOut[axis])
      open.push_back(openOut[axis]);
    return b.indexed(RankedTensorType::get(shape, element), open, body);
  }
  /// The place in the operand that element `o` of the result shows.
  Value source(Lowering &in, int64_t axis, Value o);
  Value cubic(Lowering &in, Value distance);

  /// [size along axis]: the nearest neighbour; -1 is outside of the region of interest.
  Value nearest(int64_t axis);
  /// [size along axis]: the first neighbour's index, maybe negative.
  Value firstNeighbour(int64_t axis, int64_t taps);
  /// [size along axis, taps]
  Value weights(int64_t axis, int64_t taps, Type compute);
  /// [size along axis]: whether the place is outside of the operand.
  Value outside(int64_t axis);
  int64_t tapsOf(int64_t axis);

  /// `sizes` are those of the input, then of the result.
  Value pass(Value input, SmallVector<onnx::SizeExpr> &sizes, int64_t axis);
  Value nearestPass(ArrayRef<int64_t> moved);

  Lowering &b;
  onnx::ResizeOp op;
  Value x, roi, scales, sizes;
  RankedTensorType result;
  StringRef mode, transform;
  SmallVector<onnx::SizeExpr> inSizes, outSizes;
  SmallVector<Value> openIn, openOut; // where they change from run to run, else null
  SmallVector<int64_t> axes; // those that scales, sizes and roi speak of
  std::optional<SmallVector<double>> knownScales, knownRoi;
  std::optional<SmallVector<int64_t>> knownSizes;
};

LogicalResult Resize::prepare() {
  int64_t rank = result.getRank();
  if (typeOf(x).getRank() != rank)
    return b.unsupported("a result of another rank than its operand");
  FailureOr<SmallVector<int64_t>> named = normalizeAxes(b, op.getAxes(), rank);
  if (failed(named))
    return failure();
  axes = *named;
  for (auto [size, out] : llvm::zip_equal(inSizes, outSizes)) {
    openIn.push_back(size.constant() ? Value() : b.size(size));
    openOut.push_back(out.constant() ? Value() : b.size(out));
  }
  auto entries = [](Value list) { return list ? typeOf(list).getNumElements() : 0; };
  // Exporters give an empty tensor for an absent one.
  if (entries(scales) == 0)
    scales = nullptr;
  if (entries(sizes) == 0)
    sizes = nullptr;
  if (entries(roi) == 0)
    roi = nullptr;
  int64_t count = axes.size();
  if (!scales == !sizes || entries(scales ? scales : sizes) != count)
    return b.unsupported("needs scales or sizes, one per axis");
  if (!llvm::is_contained({"nearest", "linear", "cubic"}, mode))
    return b.unsupported("mode '" + mode + "'");
  if (!llvm::is_contained({"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
                           "align_corners", "asymmetric", "tf_crop_and_resize"}, transform))
    return b.unsupported("coordinate_transformation_mode '" + transform + "'");
  if (!llvm::is_contained({"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "simple"},
                          op.getNearestMode()))
    return b.unsupported("nearest_mode '" + op.getNearestMode() + "'");
  if (!llvm::is_contained({"stretch", "not_larger", "not_smaller"}, op.getKeepAspectRatioPolicy()))
    return b.unsupported("keep_aspect_ratio_policy '" + op.getKeepAspectRatioPolicy() + "'");
  if (transform == "tf_crop_and_resize" && (!roi || entries(roi) != 2 * count))
    return b.unsupported("tf_crop_and_resize needs a roi with a start and an end per axis");
  if (transform != "tf_crop_and_resize")
    roi = nullptr;
  if (!result.getElementType().isIntOrFloat())
    return b.unsupported("complex numbers");
  if (llvm::is_contained(typeOf(x).getShape(), 0) && !llvm::is_contained(result.getShape(), 0))
    return b.unsupported("an empty operand");
  knownRoi = b.constantFloats(1);
  knownScales = b.constantFloats(2);
  knownSizes = b.constantInts(3);
  if (knownScales && !llvm::all_of(*knownScales, [](double s) { return s > 0; }))
    return scales ? b.unsupported("a scale that is not positive") : success();
  return success();
}

//===- Coordinates ----------------------------------------------------------===//

Value Resize::scaleOf(Lowering &in, int64_t axis) {
  Scalars s{in};
  auto entry = llvm::find(axes, axis);
  if (entry == axes.end())
    return f64(in, 1);
  int64_t j = entry - axes.begin();
  if (scales && knownScales)
    return f64(in, (*knownScales)[j]);
  auto load = [&](Value list, int64_t i) { return extract(in, list, in.index(i)); };
  if (scales)
    return arith::ExtFOp::create(in, in.getF64Type(), s.widen(load(scales, j)));
  if (op.getKeepAspectRatioPolicy() == "stretch")
    return openIn[axis] || openOut[axis]
               ? s.div(outSize(in, axis), inSize(in, axis))
               : f64(in, double(result.getDimSize(axis)) / double(typeOf(x).getDimSize(axis)));
  // One scale for all axes: the least or greatest that sizes ask for.
  Value scale;
  for (auto [i, other] : llvm::enumerate(axes)) {
    Value size = knownSizes ? f64(in, double((*knownSizes)[i]))
                            : Value(arith::SIToFPOp::create(in, in.getF64Type(), load(sizes, i)));
    Value asked = s.div(size, inSize(in, other));
    scale = !scale ? asked
            : op.getKeepAspectRatioPolicy() == "not_larger" ? s.min(scale, asked)
                                                            : s.max(scale, asked);
  }
  return scale;
}

Value Resize::roiOf(Lowering &in, int64_t axis, bool end) {
  auto entry = llvm::find(axes, axis);
  if (entry == axes.end())
    return f64(in, end ? 1 : 0);
  int64_t j = entry - axes.begin() + (end ? axes.size() : 0);
  if (knownRoi)
    return f64(in, (*knownRoi)[j]);
  Scalars s{in};
  Value value = s.widen(extract(in, roi, in.index(j)));
  return value.getType().isF64() ? value : Value(arith::ExtFOp::create(in, in.getF64Type(), value));
}

Value Resize::source(Lowering &in, int64_t axis, Value o) {
  Scalars s{in};
  Value place = arith::UIToFPOp::create(in, in.getF64Type(), fromIndex(in, o, in.getI64Type()));
  Value scale = scaleOf(in, axis), one = f64(in, 1), half = f64(in, 0.5);
  Value width = s.mul(scale, inSize(in, axis)); // the result's size before rounding
  Value isOne = s.equal(width, one);
  // Where the result is one element wide there is no distance to spread.
  Value spread = s.select(isOne, one, s.sub(width, one));
  if (transform == "align_corners")
    return s.select(isOne, f64(in, 0), s.div(s.mul(place, inSize(in, axis, 1)), spread));
  if (transform == "asymmetric")
    return s.div(place, scale);
  if (transform == "tf_crop_and_resize") {
    Value start = roiOf(in, axis, false), extent = s.sub(roiOf(in, axis, true), start);
    Value last = inSize(in, axis, 1);
    Value middle = s.mul(s.mul(extent, last), half);
    Value spaced = s.div(s.mul(s.mul(place, extent), last), spread);
    return s.add(s.select(isOne, middle, spaced), s.mul(start, last));
  }
  Value centre = s.sub(s.div(s.add(place, half), scale), half);
  if (transform == "pytorch_half_pixel")
    return s.select(isOne, f64(in, -0.5), centre);
  if (transform == "half_pixel_symmetric") {
    Value adjustment = s.div(outSize(in, axis), width);
    Value middle = openIn[axis] ? s.mul(inSize(in, axis), half)
                                : f64(in, double(typeOf(x).getDimSize(axis)) / 2);
    return s.add(s.mul(middle, s.sub(one, adjustment)), centre);
  }
  return centre;
}

Value Resize::outside(int64_t axis) {
  return table(axis, b.getI8Type(), {}, [&](Lowering &in, ValueRange at) -> Value {
    Scalars s{in};
    Value place = source(in, axis, at[0]);
    Value out = arith::OrIOp::create(in, s.less(place, f64(in, 0)),
                                     s.less(inSize(in, axis, 1), place));
    return arith::ExtUIOp::create(in, in.getI8Type(), out);
  });
}

//===- Nearest --------------------------------------------------------------===//

Value Resize::nearest(int64_t axis) {
  StringRef rounding = op.getNearestMode();
  return table(axis, b.getI64Type(), {}, [&](Lowering &in, ValueRange at) -> Value {
    Scalars s{in};
    Value place = source(in, axis, at[0]), half = f64(in, 0.5);
    auto down = [&](Value value) -> Value { return math::FloorOp::create(in, value); };
    auto up = [&](Value value) -> Value { return math::CeilOp::create(in, value); };
    Value rounded = rounding == "floor"               ? down(place)
                    : rounding == "ceil"              ? up(place)
                    : rounding == "round_prefer_ceil" ? down(s.add(place, half))
                    : rounding == "simple" // opset 10's: up where it shrinks
                        ? s.select(s.less(scaleOf(in, axis), f64(in, 1)), up(place), down(place))
                        : up(s.sub(place, half));
    Value index = fromIndex(in, clampInside(in, floatToIndex(in, rounded), axis), in.getI64Type());
    if (transform != "tf_crop_and_resize")
      return index;
    Value out = arith::OrIOp::create(in, s.less(place, f64(in, 0)), s.less(inSize(in, axis, 1), place));
    return s.select(out, s.like(index, -1), index);
  });
}

Value Resize::nearestPass(ArrayRef<int64_t> moved) {
  SmallVector<Value> tables;
  SmallVector<AffineMap> maps;
  for (int64_t axis : moved) {
    tables.push_back(nearest(axis));
    maps.push_back(AffineMap::get(result.getRank(), 0, b.getAffineDimExpr(axis)));
  }
  return b.parallel(result, b.openSizes(outSizes), tables, maps, [&](Lowering &in, ValueRange elements) {
    Scalars s{in};
    SmallVector<Value> at;
    for (int64_t d = 0; d < result.getRank(); ++d)
      at.push_back(linalg::IndexOp::create(in, d));
    Value out;
    for (auto [axis, place] : llvm::zip_equal(moved, elements)) {
      at[axis] = clampInside(in, toIndex(in, place), axis);
      if (transform != "tf_crop_and_resize")
        continue;
      Value here = s.less(place, s.like(place, 0));
      out = out ? Value(arith::OrIOp::create(in, out, here)) : here;
    }
    Value element = extract(in, x, at);
    if (!out)
      return element;
    double value = op.getExtrapolationValue().convertToDouble();
    return s.select(out, in.scalar(result.getElementType(), value), element);
  });
}

//===- Linear and cubic -----------------------------------------------------===//

/// Neighbours along an axis; antialiasing when shrinking widens their range. The
/// scale may be data: its least value follows from the sizes.
int64_t Resize::tapsOf(int64_t axis) {
  int64_t support = mode == "linear" ? 1 : 2;
  if (!op.getAntialias())
    return 2 * support;
  double out = result.getDimSize(axis), in = typeOf(x).getDimSize(axis);
  double scale = std::max(out - 0.5, 0.5) / in;
  auto entry = llvm::find(axes, axis);
  if (scales && knownScales && entry != axes.end())
    scale = std::min(scale, (*knownScales)[entry - axes.begin()]);
  double reach = std::ceil(double(support) / std::min(scale, 1.0));
  return 2 * int64_t(std::min(reach, in + 1));
}

Value Resize::firstNeighbour(int64_t axis, int64_t taps) {
  return table(axis, b.getI64Type(), {}, [&](Lowering &in, ValueRange at) {
    Scalars s{in};
    // The neighbour to the left: strictly, so that the distance is in (0, 1].
    Value left = s.sub(math::CeilOp::create(in, source(in, axis, at[0])), f64(in, 1));
    Value first = s.add(floatToIndex(in, left), in.index(1 - taps / 2));
    return fromIndex(in, first, in.getI64Type());
  });
}

/// Keys' kernel at a distance from -2 to 2; 0 beyond.
Value Resize::cubic(Lowering &in, Value distance) {
  Scalars s{in};
  double a = op.getCubicCoeffA().convertToDouble();
  distance = s.abs(distance);
  Value near = s.polynomial(distance, {1, 0, -(a + 3), a + 2});
  Value far = s.polynomial(distance, {-4 * a, 8 * a, -5 * a, a});
  Value zero = f64(in, 0);
  return s.select(s.lessEqual(distance, f64(in, 1)), near,
                  s.select(s.less(distance, f64(in, 2)), far, zero));
}

Value Resize::weights(int64_t axis, int64_t taps, Type compute) {
  bool excludes = op.getExcludeOutside() != 0, normalizes = excludes || op.getAntialias();
  Value raw = table(axis, b.getF64Type(), {taps}, [&](Lowering &in, ValueRange at) {
    Scalars s{in};
    Value place = source(in, axis, at[0]);
    Value left = s.sub(math::CeilOp::create(in, place), f64(in, 1));
    Value offset = s.add(at[1], in.index(1 - taps / 2));
    Value neighbour = s.add(left, arith::SIToFPOp::create(in, in.getF64Type(),
                                                          fromIndex(in, offset, in.getI64Type())));
    Value distance = s.sub(neighbour, place);
    if (op.getAntialias())
      distance = s.mul(distance, s.min(scaleOf(in, axis), f64(in, 1)));
    Value weight = mode == "linear"
                       ? s.max(s.sub(f64(in, 1), s.abs(distance)), f64(in, 0))
                       : cubic(in, distance);
    if (!excludes)
      return weight;
    Value out = arith::OrIOp::create(in, s.less(neighbour, f64(in, 0)),
                                     s.less(inSize(in, axis, 1), neighbour));
    return s.select(out, f64(in, 0), weight);
  });
  auto type = RankedTensorType::get({result.getDimSize(axis), taps}, compute);
  SmallVector<Value> inputs{raw};
  SmallVector<AffineMap> maps{b.getMultiDimIdentityMap(2)};
  if (normalizes) {
    inputs.push_back(b.reduce(raw, {1}, /*keepDims=*/false, b.scalar(b.getF64Type(), 0),
                              [](Lowering &in, ValueRange values) {
                                return Scalars{in}.add(values[0], values[1]);
                              }));
    maps.push_back(AffineMap::get(2, 0, b.getAffineDimExpr(0)));
  }
  return b.parallel(type, inputs, maps, [&](Lowering &in, ValueRange elements) {
    Scalars s{in};
    Value weight = elements[0];
    if (normalizes) {
      Value sum = s.select(s.equal(elements[1], f64(in, 0)), f64(in, 1), elements[1]);
      weight = s.div(weight, sum);
    }
    return s.narrow(weight, compute);
  });
}

/// The sum over neighbours along one axis, in the type that is computed with.
Value Resize::pass(Value input, SmallVector<onnx::SizeExpr> &sizes, int64_t axis) {
  Type element = typeOf(x).getElementType();
  Type compute = element.isF64() || element.isInteger(64) || element.isInteger(32)
                     ? Type(b.getF64Type())
                     : Type(b.getF32Type());
  bool noSign = isUnsigned(elementType(op.getX())) || isBool(elementType(op.getX()));
  sizes[axis] = outSizes[axis];
  int64_t rank = sizes.size(), taps = tapsOf(axis);
  bool crops = transform == "tf_crop_and_resize";

  SmallVector<Value> inputs{firstNeighbour(axis, taps)};
  SmallVector<AffineMap> maps{AffineMap::get(rank, 0, b.getAffineDimExpr(axis))};
  if (crops) {
    inputs.push_back(outside(axis));
    maps.push_back(maps[0]);
  }
  Value table = weights(axis, taps, compute);
  if (taps <= maxUnrolled)
    for (int64_t t = 0; t < taps; ++t) {
      inputs.push_back(table);
      maps.push_back(AffineMap::get(rank, 0, {b.getAffineDimExpr(axis), b.getAffineConstantExpr(t)},
                                    b.getContext()));
    }
  auto type = RankedTensorType::get(Lowering::shapeOf(sizes), compute);
  return b.parallel(type, b.openSizes(sizes), inputs, maps, [&](Lowering &in, ValueRange elements) {
    Scalars s{in};
    SmallVector<Value> at;
    for (int64_t d = 0; d < rank; ++d)
      at.push_back(linalg::IndexOp::create(in, d));
    Value o = at[axis], first = toIndex(in, elements[0]);
    auto weighted = [&](Value t, Value weight, Value sum) -> Value {
      at[axis] = clampInside(in, s.add(first, t), axis);
      Value value = s.widen(extract(in, input, at));
      if (isa<IntegerType>(value.getType()))
        value = noSign ? Value(arith::UIToFPOp::create(in, compute, value))
                       : Value(arith::SIToFPOp::create(in, compute, value));
      return sum ? s.fma(value, weight, sum) : s.mul(value, weight);
    };
    Value sum;
    if (taps <= maxUnrolled) {
      for (auto [t, weight] : llvm::enumerate(elements.take_back(taps)))
        sum = weighted(in.index(t), weight, sum);
    } else {
      auto loop = scf::ForOp::create(in, in.index(0), in.index(taps), in.index(1),
                                     ValueRange{in.scalar(compute, 0)});
      OpBuilder::InsertionGuard guard(in);
      in.setInsertionPointToStart(loop.getBody());
      Value t = loop.getInductionVar();
      scf::YieldOp::create(in, weighted(t, extract(in, table, {o, t}), loop.getRegionIterArg(0)));
      sum = loop.getResult(0);
    }
    if (!crops)
      return sum;
    Value isOut = s.notEqual(elements[1], s.like(elements[1], 0));
    return s.select(isOut, in.scalar(compute, op.getExtrapolationValue().convertToDouble()), sum);
  });
}

FailureOr<SmallVector<Value>> Resize::lower() {
  if (failed(prepare()))
    return failure();
  // Axes that keep every element as it is.
  SmallVector<int64_t> moved;
  for (auto [j, axis] : llvm::enumerate(axes)) {
    bool sameSize = inSizes[axis] == outSizes[axis];
    bool unscaled = scales ? knownScales && (*knownScales)[j] == 1.0
                           : op.getKeepAspectRatioPolicy() == "stretch";
    bool uncropped = !roi || (knownRoi && (*knownRoi)[j] == 0.0 && (*knownRoi)[j + axes.size()] == 1.0);
    if (!(sameSize && unscaled && uncropped))
      moved.push_back(axis);
  }
  for (int64_t d = 0; d < result.getRank(); ++d)
    if (!llvm::is_contained(axes, d) && !(inSizes[d] == outSizes[d]))
      return b.unsupported("the result's declared shape changes an axis that is not resized");
  if (moved.empty())
    return SmallVector<Value>{x};
  if (mode == "nearest")
    return SmallVector<Value>{nearestPass(moved)};

  for (int64_t axis : moved)
    if (op.getAntialias() && (openIn[axis] || openOut[axis]))
      return b.unsupported("antialiasing along a size that changes from run to run; fix it with "
                           "--dim NAME=VALUE");
  // The axis that shrinks most (or grows least) first: less is left for the others. The order
  // decides bits, so that actual sizes must not decide it.
  if (knownScales && scales)
    llvm::stable_sort(moved, [&](int64_t i, int64_t j) {
      auto scale = [&](int64_t axis) { return (*knownScales)[llvm::find(axes, axis) - axes.begin()]; };
      return scale(i) < scale(j);
    });
  Value value = x;
  SmallVector<onnx::SizeExpr> now = inSizes;
  for (int64_t axis : moved)
    value = pass(value, now, axis);
  Type from = typeOf(value).getElementType(), to = result.getElementType();
  if (from == to)
    return SmallVector<Value>{value};
  bool noSign = isUnsigned(elementType(op.getX())) || isBool(elementType(op.getX()));
  return SmallVector<Value>{
      b.parallel(result, {value}, {b.getMultiDimIdentityMap(result.getRank())},
                 [&](Lowering &in, ValueRange elements) {
                   Scalars s{in};
                   if (isa<FloatType>(to))
                     return s.narrow(elements[0], to);
                   return s.saturatingToInt(math::RoundEvenOp::create(in, elements[0]), to, noSign);
                 })};
}

} // namespace

void burin::lower::registerResize(RuleTable &table) {
  table.add<onnx::ResizeOp>([](Lowering &b, Operation *op, ValueRange operands)
                                -> FailureOr<SmallVector<Value>> {
    FailureOr<RankedTensorType> type = boundedResult(b);
    if (failed(type))
      return failure();
    return Resize(b, cast<onnx::ResizeOp>(op), operands, *type).lower();
  }, Sizes::Dynamic);
}
