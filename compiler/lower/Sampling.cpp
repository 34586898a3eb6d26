// SPDX-License-Identifier: Apache-2.0
//
// Values between elements, at places that are data: AffineGrid, GridSample, RoiAlign, MaxRoiPool.

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

Value toFloat(Lowering &b, Value index, Type type) {
  return arith::SIToFPOp::create(b, type, fromIndex(b, index, b.getI64Type()));
}

//===- AffineGrid -----------------------------------------------------------===//

/// Places -1 to 1 along each dimension, the last one first, transformed. Sizes that the model
/// computes must be the result's.
Results lowerAffineGrid(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  Value theta = operands[0], size = operands[1];
  int64_t rank = type->getRank() - 2;
  if (!type->hasStaticShape() ||
      typeOf(theta).getShape() != ArrayRef({type->getDimSize(0), rank, rank + 1}) ||
      typeOf(size).getShape() != ArrayRef({rank + 2}))
    return b.unsupported("operands whose shapes do not fit the result's");
  bool aligns = cast<onnx::AffineGridOp>(op).getAlignCorners() != 0, known = !!b.constantInts(1);
  Type compute = computeType(type->getElementType());
  return SmallVector<Value>{b.indexed(*type, [&](Lowering &in, ValueRange at) {
    Scalars s{in};
    if (!known)
      for (int64_t d = 0; d <= rank; ++d) {
        Value given = toIndex(in, extract(in, size, {in.index(d == 0 ? 0 : d + 1)}));
        check(in, s.equal(given, in.index(type->getDimSize(d))), shapeMismatch, given);
      }
    auto entry = [&](int64_t column) {
      return s.widen(extract(in, theta, {at[0], at.back(), in.index(column)}));
    };
    Value sum = entry(rank);
    for (int64_t column = 0; column < rank; ++column) {
      int64_t d = rank - column, extent = type->getDimSize(d);
      Value place = toFloat(in, at[d], compute);
      // Between the outermost elements, or their outer edges; a single one is in the middle.
      double span = aligns ? double(std::max<int64_t>(extent - 1, 1)) : double(extent);
      place = s.div(s.sub(s.mul(place, s.constant(compute, 2)), s.constant(compute, double(extent - 1))),
                    s.constant(compute, span));
      sum = s.fma(entry(column), place, sum);
    }
    return s.narrow(sum, type->getElementType());
  })};
}

//===- GridSample -----------------------------------------------------------===//

class GridSample {
public:
  GridSample(onnx::GridSampleOp op, ValueRange operands)
      : x(operands[0]), grid(operands[1]), mode(op.getMode()), padding(op.getPaddingMode()),
        aligns(op.getAlignCorners() != 0),
        compute(computeType(typeOf(operands[1]).getElementType())),
        value(isa<FloatType>(typeOf(operands[0]).getElementType())
                  ? computeType(typeOf(operands[0]).getElementType())
                  : typeOf(operands[0]).getElementType()) {}

  FailureOr<Value> lower(Lowering &b, RankedTensorType result) {
    RankedTensorType xType = typeOf(x), gridType = typeOf(grid);
    rank = xType.getRank() - 2;
    if (rank < 1 || gridType.getRank() != rank + 2 || gridType.getDimSize(rank + 1) != rank)
      return b.unsupported("needs a grid with a coordinate per spatial dimension");
    if (!llvm::is_contained({"nearest", "linear", "cubic"}, mode) ||
        !llvm::is_contained({"zeros", "border", "reflection"}, padding))
      return b.unsupported("mode '" + mode + "' with padding_mode '" + padding + "'");
    if (mode != "nearest" && !isa<FloatType>(value))
      return b.unsupported("elements that are not floats, other than with mode=nearest; cast them");
    if (mode == "cubic" && rank > 3)
      return b.unsupported("cubic over more than three spatial dimensions");
    if (xType.getNumElements() == 0 && result.getNumElements() != 0)
      return b.unsupported("an empty operand");
    return b.indexed(result, [&](Lowering &in, ValueRange at) { return element(in, at, result); });
  }

private:
  int64_t size(int64_t d) { return typeOf(x).getDimSize(d + 2); }
  double low() { return aligns ? 0.0 : -0.5; }
  double high(int64_t d) { return aligns ? double(size(d)) - 1 : double(size(d)) - 0.5; }

  /// Mirrored at the borders until inside.
  Value reflect(Lowering &b, Value place, int64_t d) {
    Scalars s{b};
    double range = high(d) - low();
    if (range == 0)
      return s.like(place, 0);
    Value from = s.like(place, low()), to = s.like(place, high(d)), width = s.like(place, range);
    auto fold = [&](Value beyond, Value nearEnd, Value farEnd, bool rising) -> Value {
      Value times = math::FloorOp::create(b, s.div(beyond, width));
      Value rest = s.sub(beyond, s.mul(times, width));
      Value half = s.mul(times, s.like(times, 0.5));
      Value isEven = s.equal(math::FloorOp::create(b, half), half);
      Value bounced = rising ? s.add(nearEnd, rest) : s.sub(nearEnd, rest);
      Value back = rising ? s.sub(farEnd, rest) : s.add(farEnd, rest);
      return s.select(isEven, bounced, back);
    };
    Value under = fold(s.sub(from, place), from, to, true);
    Value over = fold(s.sub(place, to), to, from, false);
    return s.select(s.less(place, from), under, s.select(s.less(to, place), over, place));
  }

  /// The place along spatial dimension `d` that result element `at` shows.
  Value source(Lowering &b, ValueRange at, int64_t d) {
    Scalars s{b};
    SmallVector<Value> where{at[0]};
    llvm::append_range(where, at.drop_front(2));
    where.push_back(b.index(rank - 1 - d)); // the innermost coordinate comes first
    Value n = s.widen(extract(b, grid, where)), one = s.like(n, 1), half = s.like(n, 0.5);
    double length = size(d);
    Value place = aligns ? s.mul(s.mul(s.add(n, one), half), s.like(n, length - 1))
                         : s.mul(s.sub(s.mul(s.add(n, one), s.like(n, length)), one), half);
    if (mode == "nearest")
      place = math::RoundEvenOp::create(b, place);
    if (padding == "zeros")
      return place;
    Value beyond = arith::OrIOp::create(b, s.less(place, s.like(n, low())),
                                        s.less(s.like(n, high(d)), place));
    Value inner = padding == "border"
                      ? s.min(s.max(place, s.like(n, 0)), s.like(n, length - 1))
                      : reflect(b, place, d);
    return s.select(beyond, inner, place);
  }

  /// Index of a neighbour inside the operand, and whether it counts.
  std::pair<Value, Value> neighbour(Lowering &b, Value index, int64_t d) {
    Value counts;
    if (padding == "zeros")
      counts = isInside(b, index, size(d));
    if (padding == "reflection")
      index = floatToIndex(b, reflect(b, toFloat(b, index, compute), d));
    return {clampIndex(b, index, 0, size(d) - 1), counts};
  }

  SmallVector<Value> coefficients(Lowering &b, Value t) {
    Scalars s{b};
    Value one = s.like(t, 1);
    if (mode == "linear")
      return {s.sub(one, t), t};
    constexpr double a = -0.75;
    auto near = [&](Value u) { return s.polynomial(u, {1, 0, -(a + 3), a + 2}); };
    auto far = [&](Value u) { return s.polynomial(u, {-4 * a, 8 * a, -5 * a, a}); };
    return {far(s.add(t, one)), near(t), near(s.sub(one, t)), far(s.sub(s.like(t, 2), t))};
  }

  /// The weighted sum over spatial dimensions d and on, the earlier indices fixed.
  Value interpolate(Lowering &b, ArrayRef<Value> places, SmallVector<Value> &at, Value counts) {
    Scalars s{b};
    int64_t d = at.size() - 2;
    if (d == rank) {
      Value element = s.widen(extract(b, x, at));
      return counts ? s.select(counts, element, b.scalarInt(element.getType(), 0)) : element;
    }
    bool isNearest = mode == "nearest";
    Value base = isNearest ? places[d] : Value(math::FloorOp::create(b, places[d]));
    SmallVector<Value> factors;
    if (!isNearest)
      factors = coefficients(b, s.sub(places[d], base));
    Value first = floatToIndex(b, base), sum;
    for (int64_t tap = 0, taps = isNearest ? 1 : factors.size(); tap < taps; ++tap) {
      Value index = s.add(first, b.index(mode == "cubic" ? tap - 1 : tap));
      auto [place, inside] = neighbour(b, index, d);
      Value both = !counts ? inside
                   : !inside ? counts
                             : Value(arith::AndIOp::create(b, counts, inside));
      at.push_back(place);
      Value part = interpolate(b, places, at, both);
      at.pop_back();
      if (isNearest)
        return part;
      Value factor = factors[tap];
      if (factor.getType() != part.getType())
        factor = part.getType().isF64() ? Value(arith::ExtFOp::create(b, part.getType(), factor))
                                        : s.narrow(factor, part.getType());
      sum = sum ? s.fma(part, factor, sum) : s.mul(part, factor);
    }
    return sum;
  }

  Value element(Lowering &b, ValueRange at, RankedTensorType result) {
    SmallVector<Value> places, where{at[0], at[1]};
    for (int64_t d = 0; d < rank; ++d)
      places.push_back(source(b, at, d));
    Value sum = interpolate(b, places, where, nullptr);
    return isa<FloatType>(sum.getType()) ? Scalars{b}.narrow(sum, result.getElementType()) : sum;
  }

  Value x, grid;
  StringRef mode, padding;
  bool aligns;
  Type compute, value;
  int64_t rank = 0;
};

Results lowerGridSample(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  FailureOr<Value> result = GridSample(cast<onnx::GridSampleOp>(op), operands).lower(b, *type);
  if (failed(result))
    return failure();
  return SmallVector<Value>{*result};
}

//===- RoiAlign -------------------------------------------------------------===//

/// A loop nest over [0, rows) x [0, columns) that carries one scalar.
Value loopOver(Lowering &b, Value fromRow, Value toRow, Value fromColumn, Value toColumn, Value init,
               llvm::function_ref<Value(Value row, Value column, Value carried)> step) {
  Value one = b.index(1);
  auto rows = scf::ForOp::create(b, fromRow, toRow, one, ValueRange{init});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(rows.getBody());
  auto columns = scf::ForOp::create(b, fromColumn, toColumn, one, ValueRange{rows.getRegionIterArg(0)});
  scf::YieldOp::create(b, columns.getResults());
  b.setInsertionPointToStart(columns.getBody());
  scf::YieldOp::create(b, step(rows.getInductionVar(), columns.getInductionVar(),
                               columns.getRegionIterArg(0)));
  return rows.getResult(0);
}

/// Along one dimension: the two neighbours of a place and their weights; nothing
/// counts more than one element outside.
struct Between {
  Value low, high, lowWeight, highWeight, inside;
};

Between between(Lowering &b, Value place, int64_t size) {
  Scalars s{b};
  Value zero = s.like(place, 0), last = s.like(place, double(size - 1));
  Value inside = arith::AndIOp::create(b, s.lessEqual(s.like(place, -1), place),
                                       s.lessEqual(place, s.like(place, double(size))));
  Value clamped = s.min(s.max(place, zero), last);
  Value base = math::FloorOp::create(b, clamped), t = s.sub(clamped, base);
  Value low = clampIndex(b, floatToIndex(b, base), 0, size - 1);
  Value high = clampIndex(b, s.add(low, b.index(1)), 0, size - 1);
  return {low, high, s.sub(s.like(place, 1), t), t, inside};
}

/// More samples per bin than this are no image's: the region is refused as out of range.
constexpr int64_t maxSamples = 1 << 16;

Results lowerRoiAlign(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  auto node = cast<onnx::RoiAlignOp>(op);
  Value x = operands[0], rois = operands[1], batches = operands[2];
  if (typeOf(x).getRank() != 4 || typeOf(rois).getRank() != 2 || typeOf(batches).getRank() != 1 ||
      typeOf(x).getNumElements() == 0)
    return b.unsupported("needs X [N, C, H, W] that is not empty, rois [R, 4] and batch_indices [R]");
  StringRef mode = node.getMode();
  if (mode != "avg" && mode != "max")
    return b.unsupported("mode '" + mode + "'");
  bool halfPixel = node.getCoordinateTransformationMode() == "half_pixel";
  double scale = node.getSpatialScale().convertToDouble();
  int64_t ratio = node.getSamplingRatio();
  if (ratio > maxSamples)
    return b.unsupported("a sampling_ratio above 65536");
  Type compute = computeType(type->getElementType());
  return SmallVector<Value>{b.indexed(*type, [&](Lowering &in, ValueRange at) -> Value {
    Scalars s{in};
    Value region = at[0], zero = in.index(0);
    Value batch = checkedIndex(in, toIndex(in, extract(in, batches, region)), typeOf(x).getDimSize(0));
    // Per dimension (H, W): where this bin starts, how large it is, how often it is sampled.
    Value start[2], bin[2], samples[2];
    for (int64_t d = 0; d < 2; ++d) {
      auto corner = [&](int64_t field) {
        Value value = s.widen(extract(in, rois, {region, in.index(field)}));
        return s.sub(s.mul(value, s.like(value, scale)), s.like(value, halfPixel ? 0.5 : 0.0));
      };
      Value from = corner(1 - d), extent = s.sub(corner(3 - d), from);
      if (!halfPixel)
        extent = s.max(extent, s.like(extent, 1));
      bin[d] = s.div(extent, s.like(extent, double(type->getDimSize(d + 2))));
      start[d] = s.add(from, s.mul(toFloat(in, at[d + 2], compute), bin[d]));
      if (ratio > 0) {
        samples[d] = in.index(ratio);
      } else {
        samples[d] = floatToIndex(in, math::CeilOp::create(in, bin[d]));
        check(in, s.lessEqual(samples[d], in.index(maxSamples)), indexRange, samples[d]);
        samples[d] = clampIndex(in, samples[d], 0, maxSamples);
      }
    }
    Value count = s.max(s.mul(samples[0], samples[1]), in.index(1));
    bool averages = mode == "avg";
    Value init = in.scalar(compute, averages ? 0.0 : -std::numeric_limits<double>::infinity());
    Value sum = loopOver(in, zero, samples[0], zero, samples[1], init, [&](Value iy, Value ix, Value carried) {
      Value step[2] = {iy, ix};
      Between side[2];
      for (int64_t d = 0; d < 2; ++d) {
        Value part = s.add(toFloat(in, step[d], compute), in.scalar(compute, 0.5));
        Value place = s.add(start[d], s.div(s.mul(part, bin[d]), toFloat(in, samples[d], compute)));
        side[d] = between(in, place, typeOf(x).getDimSize(d + 2));
      }
      auto corner = [&](Value y, Value wy, Value xx, Value wx) {
        return s.mul(s.mul(wy, wx), s.widen(extract(in, x, {batch, at[1], y, xx})));
      };
      Value parts[4] = {corner(side[0].low, side[0].lowWeight, side[1].low, side[1].lowWeight),
                        corner(side[0].low, side[0].lowWeight, side[1].high, side[1].highWeight),
                        corner(side[0].high, side[0].highWeight, side[1].low, side[1].lowWeight),
                        corner(side[0].high, side[0].highWeight, side[1].high, side[1].highWeight)};
      Value total = parts[0];
      for (Value part : ArrayRef<Value>(parts).drop_front())
        total = averages ? s.add(total, part) : s.max(total, part);
      Value inside = arith::AndIOp::create(in, side[0].inside, side[1].inside);
      total = s.select(inside, total, s.like(total, 0));
      return averages ? s.add(carried, total) : s.max(carried, total);
    });
    if (averages) {
      sum = s.div(sum, toFloat(in, count, compute));
    } else {
      Value none = s.equal(s.mul(samples[0], samples[1]), zero);
      sum = s.select(none, s.like(sum, 0), sum);
    }
    return s.narrow(sum, type->getElementType());
  })};
}

//===- MaxRoiPool -----------------------------------------------------------===//

Results lowerMaxRoiPool(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  auto node = cast<onnx::MaxRoiPoolOp>(op);
  Value x = operands[0], rois = operands[1];
  if (typeOf(x).getRank() != 4 || type->getRank() != 4 || typeOf(rois).getRank() != 2 ||
      typeOf(rois).getDimSize(1) != 5 || typeOf(x).getNumElements() == 0)
    return b.unsupported("needs X [N, C, H, W] that is not empty, and rois [R, 5]");
  double scale = node.getSpatialScale().convertToDouble();
  Type compute = computeType(type->getElementType());
  return SmallVector<Value>{b.indexed(*type, [&](Lowering &in, ValueRange at) -> Value {
    Scalars s{in};
    auto field = [&](int64_t f) { return s.widen(extract(in, rois, {at[0], in.index(f)})); };
    Value batch = checkedIndex(in, floatToIndex(in, field(0)), typeOf(x).getDimSize(0));
    Value from[2], to[2];
    for (int64_t d = 0; d < 2; ++d) {
      auto corner = [&](int64_t f) {
        Value scaled = s.mul(field(f), in.scalar(compute, scale));
        return math::FloorOp::create(in, s.add(scaled, s.like(scaled, 0.5)));
      };
      Value start = corner(2 - d), one = s.like(start, 1);
      Value extent = s.max(s.add(s.sub(corner(4 - d), start), one), one);
      Value bin = s.div(extent, s.like(extent, double(type->getDimSize(d + 2))));
      Value position = toFloat(in, at[d + 2], compute);
      Value low = math::FloorOp::create(in, s.mul(position, bin));
      Value high = math::CeilOp::create(in, s.mul(s.add(position, one), bin));
      int64_t size = typeOf(x).getDimSize(d + 2);
      from[d] = clampIndex(in, floatToIndex(in, s.add(start, low)), 0, size);
      to[d] = clampIndex(in, floatToIndex(in, s.add(start, high)), 0, size);
    }
    Value init = in.scalar(compute, -std::numeric_limits<double>::infinity());
    Value most = loopOver(in, from[0], to[0], from[1], to[1], init, [&](Value row, Value column, Value carried) {
      return s.max(carried, s.widen(extract(in, x, {batch, at[1], row, column})));
    });
    Value some = arith::AndIOp::create(in, s.less(from[0], to[0]), s.less(from[1], to[1]));
    return s.narrow(s.select(some, most, s.like(most, 0)), type->getElementType());
  })};
}

} // namespace

void burin::lower::registerSampling(RuleTable &table) {
  table.add<onnx::AffineGridOp>(lowerAffineGrid);
  table.add<onnx::GridSampleOp>(lowerGridSample);
  table.add<onnx::MaxRoiPoolOp>(lowerMaxRoiPool);
  table.add<onnx::RoiAlignOp>(lowerRoiAlign);
}
