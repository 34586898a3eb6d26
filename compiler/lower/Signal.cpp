// SPDX-License-Identifier: Apache-2.0
//
// Fourier transforms as sums of products with a table of the unit circle, and the mel
// filter bank. The sums cost length^2; their order is fixed. They are made in f64, since
// what cancels in them is often all of it.

#include "compiler/lower/Access.h"
#include "compiler/lower/Lowering.h"
#include "compiler/lower/Reduction.h"
#include "compiler/lower/Scalars.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <numbers>

using namespace mlir;

namespace burin::lower {
namespace {

constexpr StringRef unknownShape =
    "a shape is known only when the model runs; fix the sizes it depends on with --dim NAME=VALUE";

constexpr StringRef openParts = "whether its signal is real or complex changes from run to run; "
                                "fix its last size with --dim NAME=1 or 2";

RankedTensorType staticType(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() ? type : RankedTensorType();
}

/// The least that a size can be; 0 where nothing bounds it.
int64_t leastOf(Lowering &b, const onnx::SizeExpr &size) {
  auto range = b.range(size);
  return range ? range->min : 0;
}

/// A size as an index: in a body a number, or what was computed before it.
struct Extent {
  Extent(Lowering &b, const onnx::SizeExpr &size)
      : number(size.constant()), open(number ? Value() : b.size(size)) {}

  Value index(Lowering &in) const { return open ? open : in.index(*number); }
  Value as(Scalars &s, Type type) const {
    if (!open)
      return s.constant(type, double(*number));
    return arith::UIToFPOp::create(s.b, type, fromIndex(s.b, open, s.b.getI64Type()));
  }

  std::optional<int64_t> number;
  Value open;
};

/// cos and sin of 2 pi i / length, [length, 2], in f64.
Value unitCircle(Lowering &b, Type type, const onnx::SizeExpr &length) {
  SizeList sizes{length, 2};
  Extent whole(b, length);
  return b.indexed(
      Lowering::tensorOf(sizes, type), b.openSizes(sizes), [&](Lowering &in, ValueRange at) {
        Scalars s{in};
        Value place = arith::IndexCastOp::create(in, in.getI64Type(), at[0]);
        Value turn = s.constant(type, 2 * std::numbers::pi);
        Value angle =
            s.mul(arith::SIToFPOp::create(in, type, place),
                  whole.open ? s.div(turn, whole.as(s, type))
                             : s.constant(type, 2 * std::numbers::pi / double(*whole.number)));
        return s.select(s.equal(at[1], in.index(0)), math::CosOp::create(in, angle),
                        math::SinOp::create(in, angle));
      });
}

/// A transform along one dimension of a tensor whose last holds real and imaginary parts.
struct Transform {
  SizeList result; // ends in 2, or in 1 where only the real part is wanted
  Type element;
  int64_t axis;          // of the frequencies (or, inverse, times) in the result
  onnx::SizeExpr length; // of the transform
  onnx::SizeExpr terms;  // elements summed: the others are 0
  bool inverse;
  bool halved; // the input is the first half of a conjugate symmetric spectrum
  /// The input's element for a result place and a term: its real and imaginary part (null: 0).
  function_ref<std::pair<Value, Value>(Lowering &, ValueRange place, Value term)> read;
};

Value build(Lowering &b, const Transform &t) {
  Type compute = b.getF64Type();
  Value circle = unitCircle(b, compute, t.length);
  Extent whole(b, t.length);
  SizeList summed{t.terms};
  int64_t rank = t.result.size();
  // The sum's extent is that of an operand that is not read.
  RankedTensorType extentType = Lowering::tensorOf(summed, compute);
  Value extent = t.terms.constant() ? b.empty(extentType)
                                    : b.fill(extentType, b.scalar(compute, 0), b.openSizes(summed));
  SmallVector<int64_t> loops = Lowering::shapeOf(t.result);
  loops.push_back(extentType.getDimSize(0));
  AffineMap map = AffineMap::get(rank + 1, 0, {b.getAffineDimExpr(rank)}, b.getContext());
  Value sums = b.reduce(
      loops, {rank}, {extent}, {map}, b.scalar(compute, 0),
      [&](Lowering &in, ValueRange elements) -> Value {
        Scalars s{in};
        SmallVector<Value> place;
        for (int64_t d = 0; d < rank; ++d)
          place.push_back(linalg::IndexOp::create(in, d));
        Value term = linalg::IndexOp::create(in, rank), length = whole.index(in);
        Value turn = arith::RemUIOp::create(
            in, arith::MulIOp::create(in, place[t.axis], term), length);
        Value cosine = tensor::ExtractOp::create(in, circle, ValueRange{turn, in.index(0)});
        Value sine = tensor::ExtractOp::create(in, circle, ValueRange{turn, in.index(1)});
        if (!t.inverse)
          sine = s.neg(sine);
        auto [real, imaginary] = t.read(in, place, term);
        real = s.narrow(s.widen(real), compute);
        imaginary = imaginary ? s.narrow(s.widen(imaginary), compute) : Value();
        // (real + i imaginary) * (cosine + i sine)
        Value re = s.mul(real, cosine), im = s.mul(real, sine);
        if (imaginary) {
          re = s.sub(re, s.mul(imaginary, sine));
          im = s.add(im, s.mul(imaginary, cosine));
        }
        Value product = s.select(s.equal(place.back(), in.index(0)), re, im);
        if (t.halved) {
          // All but the first and the middle stand for their conjugates too.
          Value twin = s.notEqual(term, in.index(0));
          if (whole.open) // 2 * term is not the length
            twin = arith::AndIOp::create(in, twin, s.notEqual(s.add(term, term), length));
          else if (*whole.number % 2 == 0)
            twin = arith::AndIOp::create(in, twin, s.notEqual(term, in.index(*whole.number / 2)));
          product = s.mul(product, s.select(twin, s.like(product, 2), s.like(product, 1)));
        }
        return s.add(elements.back(), product);
      },
      b.openSizes(t.result));
  RankedTensorType type = Lowering::tensorOf(t.result, t.element);
  return b.broadcasting(type, {sums}, [&](Lowering &in, ValueRange elements) {
    Scalars s{in};
    Value value = elements[0];
    if (t.inverse)
      value = s.div(value, whole.as(s, value.getType()));
    return s.narrow(value, t.element);
  });
}

/// Real and imaginary part at `place` of a tensor that ends in 1 or 2.
std::pair<Value, Value> partsAt(Lowering &in, Value tensor, SmallVector<Value> place) {
  bool isComplex = cast<RankedTensorType>(tensor.getType()).getShape().back() == 2;
  place.back() = in.index(0);
  Value real = tensor::ExtractOp::create(in, tensor, place);
  place.back() = in.index(1);
  return {real, isComplex ? Value(tensor::ExtractOp::create(in, tensor, place)) : Value()};
}

FailureOr<SmallVector<Value>> lowerDFT(Lowering &b, Operation *op, ValueRange operands) {
  auto dft = cast<onnx::DFTOp>(op);
  if (failed(boundedResult(b)))
    return failure();
  RankedTensorType input = typeOf(operands[0]), result = b.resultType();
  if (input.getRank() != result.getRank() || input.getRank() < 2)
    return b.unsupported(unknownShape);
  int64_t rank = input.getRank();
  SizeList from = b.sizes(op->getOperand(0)), to = b.sizes(op->getResult(0));
  if (!from.back().constant())
    return b.unsupported(openParts);
  bool inverse = dft.getInverse() != 0, onesided = dft.getOnesided() != 0;
  // Where the axis is computed, every one that explains the result's shape is tried.
  SmallVector<int64_t> axes{rank - 2};
  if (std::optional<SmallVector<int64_t>> given = b.constantInts(2)) {
    std::optional<int64_t> normal = normalizedAxis(given->front(), rank);
    if (!normal || *normal == rank - 1)
      return b.unsupported("its axis is outside of its input's signal dimensions");
    axes = {*normal};
  } else if (!b.isAbsent(2)) {
    axes.clear();
    if (!input.hasStaticShape() || !result.hasStaticShape())
      return b.unsupported("its axis is computed when the model runs; make it constant");
    for (int64_t axis = 0; axis + 1 < rank; ++axis) {
      SmallVector<int64_t> from(input.getShape().drop_back()), to(result.getShape().drop_back());
      from[axis] = to[axis] = 0;
      bool halves = onesided && !inverse && b.isAbsent(1);
      if (from == to && (!halves || result.getDimSize(axis) == input.getDimSize(axis) / 2 + 1))
        axes.push_back(axis);
    }
    auto type = staticType(operands[2]);
    if (axes.empty() || !type || type.getNumElements() != 1)
      return b.unsupported("its axis is computed when the model runs; make it constant");
  }

  Value x = operands[0];
  SmallVector<Value> choices;
  SmallVector<uint64_t> masks;
  for (int64_t axis : axes) {
    onnx::SizeExpr length = to[axis];
    if (onesided && !inverse) {
      length = from[axis];
      if (std::optional<SmallVector<int64_t>> given = b.constantInts(1))
        length = given->front();
      else if (!b.isAbsent(1))
        return b.unsupported("its length is computed when the model runs; make it constant");
    }
    bool halved = onesided && inverse;
    // What is transformed is cut or filled up with zeros.
    std::optional<onnx::SizeExpr> needed = length, more;
    if (halved) {
      needed = length.floorDiv(2);
      needed = needed ? needed->plus(1) : needed;
    }
    more = needed ? from[axis].minus(*needed) : needed;
    auto difference = more ? b.range(*more) : std::nullopt;
    if (!difference || (difference->min < 0 && difference->max > 0))
      return b.unsupported(
          "its signal is longer than the transform for some sizes that --dim allows and "
          "shorter for others; give a smaller range, with --dim NAME=MIN..MAX");
    const onnx::SizeExpr &terms = difference->min >= 0 ? *needed : from[axis];
    if (leastOf(b, length) < 1 || leastOf(b, terms) < 1)
      return b.unsupported("a transform of length 0");
    choices.push_back(build(b, {to, result.getElementType(), axis, length, terms, inverse, halved,
                                [&](Lowering &in, ValueRange place, Value term) {
                                  SmallVector<Value> at(place);
                                  at[axis] = term;
                                  return partsAt(in, x, at);
                                }}));
    masks.push_back(uint64_t(1) << axis);
  }
  if (choices.size() == 1)
    return choices;
  return SmallVector<Value>{selectByAxes(b, operands[2], rank, ~uint64_t(0), masks, choices)};
}

/// That of `choices` whose length is the one given at run time.
Value selectByLength(Lowering &b, Value given, ArrayRef<int64_t> lengths, ArrayRef<Value> choices) {
  SmallVector<Value> only(cast<RankedTensorType>(given.getType()).getRank());
  return b.broadcasting(typeOf(choices[0]), choices, [&](Lowering &in, ValueRange values) {
    Scalars s{in};
    for (Value &zero : only)
      zero = in.index(0);
    Value length = tensor::ExtractOp::create(in, given, only), fits, result = values[0];
    if (length.getType() != in.getI64Type())
      length = arith::ExtSIOp::create(in, in.getI64Type(), length);
    for (auto [candidate, value] : llvm::zip_equal(lengths, values)) {
      Value is = s.equal(length, s.like(length, double(candidate)));
      fits = fits ? Value(arith::OrIOp::create(in, fits, is)) : is;
      result = s.select(is, value, result);
    }
    plan::CheckOp::create(in, fits, shapeMismatch, length);
    return result;
  });
}

/// Frames of the signal, windowed, each transformed.
FailureOr<SmallVector<Value>> lowerSTFT(Lowering &b, Operation *op, ValueRange operands) {
  if (failed(boundedResult(b)))
    return failure();
  RankedTensorType signal = typeOf(operands[0]), result = b.resultType();
  if (signal.getRank() < 2 || signal.getRank() > 3 || result.getRank() != 4)
    return b.unsupported(unknownShape);
  if (signal.getRank() == 3 && signal.isDynamicDim(2))
    return b.unsupported(openParts);
  bool onesided = cast<onnx::STFTOp>(op).getOnesided() != 0;
  SizeList from = b.sizes(op->getOperand(0)), to = b.sizes(op->getResult(0));
  const onnx::SizeExpr &samples = from[1];
  Value window = operands[2];
  // Where the length is computed, every one that explains the result's shape is tried.
  SizeList lengths{samples};
  bool known = true;
  if (std::optional<SmallVector<int64_t>> given = b.constantInts(3)) {
    lengths = {given->front()};
  } else if (window) {
    lengths = {b.sizes(op->getOperand(2))[0]};
  } else if (!b.isAbsent(3)) {
    auto type = staticType(operands[3]);
    if (!type || type.getNumElements() != 1)
      return b.unsupported("a frame length that is not one element");
    known = false;
    if (!result.hasStaticShape() || !samples.constant())
      return b.unsupported(
          "its frames' length is computed beside sizes that change from run to run; make it "
          "constant, or fix those with --dim NAME=VALUE");
    int64_t bins = result.getDimSize(2);
    lengths = onesided ? SizeList{2 * (bins - 1), 2 * (bins - 1) + 1} : SizeList{bins};
    llvm::erase_if(lengths, [&](const onnx::SizeExpr &length) {
      return *length.constant() < 1 || *length.constant() > *samples.constant();
    });
    if (lengths.empty())
      return b.unsupported("a result of " + Twine(bins) + " bins, which no frame of a signal of " +
                           Twine(samples.text()) + " samples has");
  }
  std::optional<onnx::SizeExpr> spare = samples.minus(lengths[0]);
  if (leastOf(b, lengths[0]) < 1 || !spare || leastOf(b, *spare) < 0)
    return b.unsupported("frames of " + Twine(lengths[0].text()) + " in a signal of " +
                         Twine(samples.text()) + " samples" +
                         (samples.constant() ? ""
                                             : ", which can be fewer; give a range that starts "
                                               "higher, with --dim NAME=MIN..MAX"));
  if (window && (typeOf(window).getRank() != 1 || !(b.sizes(op->getOperand(2))[0] == lengths[0])))
    return b.unsupported("a window whose length is not the frames'");
  Value x = operands[0], hop = operands[1];
  if (signal.getRank() == 2)
    x = b.reshape(x, from, SizeList{from[0], samples, 1});
  SmallVector<Value> only(cast<RankedTensorType>(hop.getType()).getRank());
  Extent all(b, samples);
  auto framesOf = [&](const onnx::SizeExpr &length) {
    return build(b, {to, result.getElementType(), /*axis=*/2, length, length, /*inverse=*/false,
                     /*halved=*/false,
                     [&](Lowering &in, ValueRange place, Value term) -> std::pair<Value, Value> {
                       Scalars s{in};
                       for (Value &zero : only)
                         zero = in.index(0);
                       Value distance = arith::IndexCastOp::create(
                           in, in.getIndexType(), tensor::ExtractOp::create(in, hop, only));
                       Value from = arith::MulIOp::create(in, place[1], distance);
                       // Whatever the step is, stay inside.
                       Value last = all.open ? s.sub(all.open, in.index(1))
                                             : in.index(*all.number - 1);
                       Value sample = arith::MinUIOp::create(
                           in, arith::AddIOp::create(in, from, term), last);
                       auto [real, imaginary] = partsAt(in, x, {place[0], sample, nullptr});
                       if (!window)
                         return {real, imaginary};
                       real = s.widen(real);
                       Value weight =
                           s.widen(tensor::ExtractOp::create(in, window, ValueRange{term}));
                       return {s.mul(real, weight),
                               imaginary ? s.mul(s.widen(imaginary), weight) : Value()};
                     }});
  };
  SmallVector<Value> choices = llvm::map_to_vector(lengths, framesOf);
  if (known)
    return choices;
  SmallVector<int64_t> numbers = Lowering::shapeOf(lengths);
  return SmallVector<Value>{selectByLength(b, operands[3], numbers, choices)};
}

/// Triangles of unit height between neighbouring points that are evenly spaced in mels.
FailureOr<SmallVector<Value>> lowerMelWeightMatrix(Lowering &b, Operation *op,
                                                   ValueRange operands) {
  RankedTensorType result = b.resultType();
  if (!result || !result.hasStaticShape() || result.getRank() != 2)
    return b.unsupported(unknownShape);
  if (!result.getElementType().isIntOrFloat())
    return b.unsupported("a matrix that is not of numbers");
  for (Value operand : operands)
    if (!staticType(operand) || staticType(operand).getNumElements() != 1)
      return b.unsupported("operands that are not scalars");
  Type f32 = b.getF32Type(), i64 = b.getI64Type();
  Type target = elementType(op->getResult(0));
  double perMel = std::numbers::ln10 / 2595;
  Value matrix = b.indexed(result, [&](Lowering &in, ValueRange at) -> Value {
    Scalars s{in};
    auto scalar = [&](unsigned operand) {
      SmallVector<Value> zeros(staticType(operands[operand]).getRank(), in.index(0));
      Value value = tensor::ExtractOp::create(in, operands[operand], zeros);
      return s.cast(value, elementType(op->getOperand(operand)), in.getF32Type());
    };
    auto mels = [&](Value hertz) {
      return s.div(s.log1p(s.div(hertz, s.constant(f32, 700))), s.constant(f32, perMel));
    };
    Value low = mels(scalar(3)), high = mels(scalar(4));
    Value step = s.div(s.sub(high, low), s.constant(f32, double(result.getDimSize(1)) + 2));
    // The spectrogram bin of point number `point`.
    auto binOf = [&](int64_t offset) -> Value {
      Value point = arith::IndexCastOp::create(in, i64, at[1]);
      point = s.add(point, s.constantInt(i64, offset));
      Value mel = s.fma(arith::SIToFPOp::create(in, f32, point), step, low);
      Value hertz = s.mul(s.constant(f32, 700), s.expm1(s.mul(mel, s.constant(f32, perMel))));
      Value scaled = s.mul(s.add(scalar(1), s.constant(f32, 1)), hertz);
      Value bin = math::FloorOp::create(in, s.div(scaled, scalar(2)));
      return s.saturatingToInt(bin, i64, /*isUnsigned=*/false);
    };
    Value left = binOf(0), centre = binOf(1), right = binOf(2);
    Value bin = arith::IndexCastOp::create(in, i64, at[0]);
    auto toFloat = [&](Value value) -> Value { return arith::SIToFPOp::create(in, f32, value); };
    auto both = [&](Value x, Value y) -> Value { return arith::AndIOp::create(in, x, y); };
    Value zero = s.constant(f32, 0), one = s.constant(f32, 1);
    Value rises = both(s.lessEqual(left, bin), s.lessEqual(bin, centre));
    Value rising = s.div(toFloat(s.sub(bin, left)), toFloat(s.sub(centre, left)));
    Value narrow = s.equal(left, centre); // no rising side: the point itself is 1
    Value value = s.select(narrow, s.select(s.equal(bin, centre), one, zero),
                           s.select(rises, rising, zero));
    Value falls = both(s.lessEqual(centre, bin), s.less(bin, right));
    value = s.select(falls, s.div(toFloat(s.sub(right, bin)), toFloat(s.sub(right, centre))), value);
    return s.cast(value, in.getF32Type(), target);
  });
  return SmallVector<Value>{matrix};
}

} // namespace

void registerSignal(RuleTable &table) {
  table.add<onnx::DFTOp>(lowerDFT, Sizes::Dynamic);
  table.add<onnx::STFTOp>(lowerSTFT, Sizes::Dynamic);
  table.add<onnx::MelWeightMatrixOp>(lowerMelWeightMatrix);
}

} // namespace burin::lower
