// SPDX-License-Identifier: Apache-2.0
//
// Reductions: each is what it does to an element, the combiner with its neutral
// element, and what it does to the total. Floats narrower than f32 accumulate in f32.

#include "compiler/lower/Access.h"
#include "compiler/lower/Reduction.h"

#include "compiler/lower/Scalars.h"
#include "dialects/kern/KernOps.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace burin::lower {

std::optional<int64_t> normalizedAxis(int64_t axis, int64_t rank) {
  axis += axis < 0 ? rank : 0;
  if (axis < 0 || axis >= rank)
    return std::nullopt;
  return axis;
}

Value extremeOf(Lowering &b, Type storage, bool isUnsigned, bool largest) {
  if (isa<FloatType>(storage)) {
    double infinity = std::numeric_limits<double>::infinity();
    return b.scalar(storage, largest ? infinity : -infinity);
  }
  unsigned width = storage.getIntOrFloatBitWidth();
  APInt value = isUnsigned ? (largest ? APInt::getMaxValue(width) : APInt::getZero(width))
                : largest  ? APInt::getSignedMaxValue(width)
                           : APInt::getSignedMinValue(width);
  return arith::ConstantOp::create(b, IntegerAttr::get(storage, value));
}

namespace {

constexpr StringRef unknownShape =
    "the result's shape is known only when the model runs; fix the sizes it depends on with "
    "--dim NAME=VALUE";

//===- Which dimensions -----------------------------------------------------===//

/// The sets of dimensions of `from` whose folding leaves `to`, but for dimensions of size 1.
SmallVector<SmallVector<int64_t>> deduceDims(ArrayRef<int64_t> from, ArrayRef<int64_t> to,
                                             bool keepDims) {
  SmallVector<SmallVector<int64_t>> found;
  if (keepDims) {
    auto &dims = found.emplace_back();
    for (auto [d, size] : llvm::enumerate(from))
      if (size != to[d])
        dims.push_back(d);
    return found;
  }
  if (from.size() > 16)
    return found;
  for (unsigned chosen = 0; chosen < 1u << from.size(); ++chosen) {
    SmallVector<int64_t> left, folded;
    for (auto [d, size] : llvm::enumerate(from))
      if (!(chosen >> d & 1))
        left.push_back(size);
      else if (size != 1)
        folded.push_back(d);
    if (ArrayRef(left) == to && !llvm::is_contained(found, folded))
      found.push_back(folded);
  }
  return found;
}

/// Each choice is computed: beyond so many, run-time axes are refused.
constexpr size_t maxChoices = 8;

/// The sets of dimensions that the op may fold: one, unless the axes are computed when
/// the model runs and the shapes leave it open. Or failure with a reason.
FailureOr<SmallVector<SmallVector<int64_t>>> reducedDims(Lowering &b, RankedTensorType input,
                                                         RankedTensorType result, bool keepDims,
                                                         bool noop) {
  SmallVector<int64_t> dims;
  auto axesType = b.isAbsent(1) ? RankedTensorType()
                                : dyn_cast<RankedTensorType>(b.getOp()->getOperand(1).getType());
  bool none = b.isAbsent(1) || (axesType && axesType.hasStaticShape() &&
                                axesType.getNumElements() == 0);
  if (!none) {
    std::optional<SmallVector<int64_t>> axes = b.constantInts(1);
    if (!axes) {
      SmallVector<SmallVector<int64_t>> choices =
          deduceDims(input.getShape(), result.getShape(), keepDims);
      bool canSelect = axesType && axesType.hasStaticShape() && choices.size() <= maxChoices;
      if (choices.size() == 1 || (choices.size() > 1 && canSelect))
        return choices;
      return b.unsupported("its axes are computed when the model runs, and the shapes do not tell "
                           "them; make them constant");
    }
    for (int64_t axis : *axes) {
      std::optional<int64_t> d = normalizedAxis(axis, input.getRank());
      if (!d)
        return b.unsupported("axis " + Twine(axis) + " is outside of its input's dimensions");
      if (!llvm::is_contained(dims, *d))
        dims.push_back(*d);
    }
    llvm::sort(dims);
  }
  if (dims.empty() && !noop)
    dims = llvm::to_vector(llvm::seq<int64_t>(0, input.getRank()));
  return SmallVector<SmallVector<int64_t>>{dims};
}

//===- The rows -------------------------------------------------------------===//

enum class Combiner { Sum, Product, Max, Min };

/// One reduction. `map` is applied to each element first, `finish` to the total,
/// given the number of elements; null: nothing to do.
struct ReductionRow {
  Combiner combiner;
  Value (*map)(Scalars &, Value element, bool isUnsigned) = nullptr;
  Value (*finish)(Scalars &, Value total, const Count &count, bool isUnsigned) = nullptr;
};

/// Applies a function of a float to an integer too, through f64.
template <typename Function>
Value throughFloat(Scalars &s, Value x, bool isUnsigned, Function function) {
  if (isa<FloatType>(x.getType()))
    return function(x);
  Type f64 = s.b.getF64Type();
  Value wide = isUnsigned ? Value(arith::UIToFPOp::create(s.b, f64, x))
                          : arith::SIToFPOp::create(s.b, f64, x);
  return s.saturatingToInt(function(wide), x.getType(), isUnsigned);
}

Value absolute(Scalars &s, Value x, bool isUnsigned) { return s.abs(x, isUnsigned); }
Value square(Scalars &s, Value x, bool) { return s.mul(x, x); }
Value mean(Scalars &s, Value total, const Count &count, bool isUnsigned) {
  return s.div(total, count.as(s, total), isUnsigned);
}
Value root(Scalars &s, Value total, const Count &, bool isUnsigned) {
  return throughFloat(s, total, isUnsigned, [&](Value x) { return s.sqrt(x); });
}
Value logarithm(Scalars &s, Value total, const Count &, bool isUnsigned) {
  return throughFloat(s, total, isUnsigned, [&](Value x) { return s.log(x); });
}

Value neutralOf(Lowering &b, Combiner combiner, Type type, bool isUnsigned) {
  switch (combiner) {
  case Combiner::Sum:
    return b.scalar(type, 0);
  case Combiner::Product:
    return b.scalar(type, 1);
  case Combiner::Max:
    return extremeOf(b, type, isUnsigned, /*largest=*/false);
  case Combiner::Min:
    return extremeOf(b, type, isUnsigned, /*largest=*/true);
  }
  llvm_unreachable("all combiners are named");
}

Value combine(Scalars &s, Combiner combiner, Value element, Value total, bool isUnsigned) {
  switch (combiner) {
  case Combiner::Sum:
    return s.add(total, element);
  case Combiner::Product:
    return s.mul(total, element);
  case Combiner::Max:
    return s.max(total, element, isUnsigned);
  case Combiner::Min:
    return s.min(total, element, isUnsigned);
  }
  llvm_unreachable("all combiners are named");
}

struct Operands {
  RankedTensorType input, result;
  SmallVector<SmallVector<int64_t>> choices; // sets of dimensions to fold
  bool isUnsigned;
};

/// The result of `reduce`, or where the axes are open, the one that they name.
Value reduceChoices(Lowering &b, const Operands &checked, ValueRange operands,
                    function_ref<Value(ArrayRef<int64_t> dims)> reduce) {
  if (checked.choices.size() == 1)
    return reduce(checked.choices.front());
  SmallVector<Value> values;
  SmallVector<uint64_t> masks;
  for (ArrayRef<int64_t> dims : checked.choices) {
    uint64_t &mask = masks.emplace_back(0);
    for (int64_t d : dims)
      mask |= uint64_t(1) << d;
    values.push_back(reduce(dims));
  }
  uint64_t relevant = 0; // folding a dimension of size 1 changes nothing
  for (auto [d, size] : llvm::enumerate(checked.input.getShape()))
    if (size != 1)
      relevant |= uint64_t(1) << d;
  return selectByAxes(b, operands[1], checked.input.getRank(), relevant, masks, values);
}

template <typename Op> FailureOr<Operands> checkedOperands(Lowering &b, Op op, ValueRange operands) {
  Operands checked;
  checked.input = dyn_cast<RankedTensorType>(operands[0].getType());
  checked.result = b.resultType();
  if (!checked.input || !checked.result || failed(boundedResult(b)))
    return b.unsupported(unknownShape);
  Type element = elementType(op->getOperand(0));
  if (!element.isIntOrFloat())
    return b.unsupported("elements that are not numbers");
  checked.isUnsigned = isUnsigned(element) || isBool(element);
  FailureOr<SmallVector<SmallVector<int64_t>>> choices = reducedDims(
      b, checked.input, checked.result, op.getKeepdims(), op.getNoopWithEmptyAxes());
  if (failed(choices))
    return failure();
  if (choices->size() > 1 && !checked.input.hasStaticShape())
    return b.unsupported(needsFixedSize);
  checked.choices = *choices;
  return checked;
}

/// Applies `body` to each element of a reduced tensor and gives it the result's type.
Value finishTotals(Lowering &b, Value totals, RankedTensorType result,
                   function_ref<Value(Scalars &, Value)> body) {
  auto type = cast<RankedTensorType>(totals.getType());
  auto finished = RankedTensorType::get(type.getShape(), result.getElementType());
  if (body || finished != type)
    totals = b.broadcasting(finished, {totals}, [&](Lowering &inner, ValueRange elements) {
      Scalars s{inner};
      Value value = body ? body(s, elements[0]) : elements[0];
      return isa<FloatType>(value.getType()) ? s.narrow(value, result.getElementType()) : value;
    });
  return b.reshape(totals, result.getShape());
}

template <typename Op> void addRow(RuleTable &table, ReductionRow row) {
  table.add<Op>([row](Lowering &b, Operation *op,
                      ValueRange operands) -> FailureOr<SmallVector<Value>> {
    FailureOr<Operands> checked = checkedOperands(b, cast<Op>(op), operands);
    if (failed(checked))
      return failure();
    auto &[input, result, choices, isUnsigned] = *checked;
    Type accumulator = computeType(input.getElementType());
    return SmallVector<Value>{reduceChoices(b, *checked, operands, [&](ArrayRef<int64_t> dims) {
      Value neutral = neutralOf(b, row.combiner, accumulator, isUnsigned);
      Value totals = b.reduce(operands[0], dims, /*keepDims=*/false, neutral,
                              [&](Lowering &inner, ValueRange elements) {
                                Scalars s{inner};
                                Value element = s.widen(elements[0]);
                                if (row.map)
                                  element = row.map(s, element, isUnsigned);
                                return combine(s, row.combiner, element, elements[1], isUnsigned);
                              });
      Count count;
      std::optional<onnx::SizeExpr> open = onnx::SizeExpr(1);
      for (int64_t d : dims) {
        count.fixed *= double(input.getDimSize(d));
        open = open ? open->times(b.sizes(op->getOperand(0))[d]) : open;
      }
      if (!open || !open->constant())
        count.open = b.size(open.value_or(onnx::SizeExpr::name("")));
      auto finish = [&](Scalars &s, Value total) { return row.finish(s, total, count, isUnsigned); };
      if (row.finish)
        return finishTotals(b, totals, result, finish);
      return finishTotals(b, totals, result, nullptr);
    })};
  }, Sizes::Dynamic);
}

/// max + log(sum(exp(x - max))), where an infinite maximum is not subtracted.
Value logSumExp(Lowering &b, Value x, ArrayRef<int64_t> dims, RankedTensorType result) {
  auto input = cast<RankedTensorType>(x.getType());
  Type type = computeType(input.getElementType());
  int64_t rank = input.getRank();
  Value greatest = b.reduce(x, dims, false, extremeOf(b, type, false, false),
                            [](Lowering &inner, ValueRange elements) {
                              Scalars s{inner};
                              return s.max(elements[1], s.widen(elements[0]));
                            });
  auto shift = [](Scalars &s, Value max) {
    Value infinity = s.like(max, std::numeric_limits<double>::infinity());
    return s.select(s.less(s.abs(max), infinity), max, s.like(max, 0));
  };
  Value sum = b.reduce(input.getShape(), dims, {x, greatest},
                       {b.getMultiDimIdentityMap(rank), b.mapWithout(rank, dims)},
                       b.scalar(type, 0), [&](Lowering &inner, ValueRange elements) {
                         Scalars s{inner};
                         Value x = s.sub(s.widen(elements[0]), shift(s, elements[1]));
                         return s.add(elements[2], s.exp(x));
                       });
  auto rows = cast<RankedTensorType>(sum.getType());
  auto finished = RankedTensorType::get(rows.getShape(), result.getElementType());
  Value value = b.broadcasting(finished, {sum, greatest}, [&](Lowering &inner, ValueRange elements) {
    Scalars s{inner};
    return s.narrow(s.add(s.log(elements[0]), shift(s, elements[1])), result.getElementType());
  });
  return b.reshape(value, result.getShape());
}

FailureOr<SmallVector<Value>> lowerLogSumExp(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<Operands> checked = checkedOperands(b, cast<onnx::ReduceLogSumExpOp>(op), operands);
  if (failed(checked))
    return failure();
  RankedTensorType input = checked->input, result = checked->result;
  if (!isa<FloatType>(input.getElementType()))
    return b.unsupported("integers have no exponential; cast them to a float type first");
  return SmallVector<Value>{reduceChoices(b, *checked, operands, [&](ArrayRef<int64_t> dims) {
    return logSumExp(b, operands[0], dims, result);
  })};
}

//===- ArgMax, ArgMin -------------------------------------------------------===//

template <typename Op>
FailureOr<SmallVector<Value>> lowerArgReduction(Lowering &b, Operation *op, ValueRange operands) {
  auto arg = cast<Op>(op);
  auto input = dyn_cast<RankedTensorType>(operands[0].getType());
  RankedTensorType result = b.resultType();
  if (!input || !result || failed(boundedResult(b)))
    return b.unsupported(unknownShape);
  std::optional<int64_t> dim = normalizedAxis(arg.getAxis(), input.getRank());
  if (!dim)
    return b.unsupported("its axis is outside of its input's dimensions");
  bool isUnsigned = lower::isUnsigned(elementType(arg.getData()));
  Value indices = argReduce(b, operands[0], isUnsigned, *dim, std::is_same_v<Op, onnx::ArgMaxOp>,
                            arg.getSelectLastIndex());
  return SmallVector<Value>{b.reshape(indices, result.getShape())};
}

//===- Scans ----------------------------------------------------------------===//

template <typename Op, Combiner combiner>
FailureOr<SmallVector<Value>> lowerScan(Lowering &b, Operation *op, ValueRange operands) {
  auto cum = cast<Op>(op);
  auto input = dyn_cast<RankedTensorType>(operands[0].getType());
  if (!input || failed(boundedResult(b)))
    return b.unsupported(unknownShape);
  int64_t rank = input.getRank();
  Type element = input.getElementType(), accumulator = computeType(element);
  bool exclusive = cum.getExclusive();
  auto along = [&](int64_t dim) -> Value {
    auto scan = kern::ScanOp::create(
        b, ValueRange{operands[0]},
        ValueRange{neutralOf(b, combiner, accumulator, /*isUnsigned=*/false)},
        ValueRange{b.empty(input, b.openSizesOf(operands[0]))}, dim, cum.getReverse() != 0,
        [&](ImplicitLocOpBuilder &in, ValueRange values) -> SmallVector<Value> {
          Scalars s{in};
          Value before = values[1];
          Value after = combine(s, combiner, s.widen(values[0]), before, /*isUnsigned=*/false);
          Value shown = exclusive ? before : after;
          return {after, isa<FloatType>(element) ? s.narrow(shown, element) : shown};
        });
    return scan.getResult(0);
  };
  if (std::optional<SmallVector<int64_t>> axis = b.constantInts(1); axis && axis->size() == 1) {
    std::optional<int64_t> dim = normalizedAxis(axis->front(), rank);
    if (!dim)
      return b.unsupported("its axis is outside of its input's dimensions");
    return SmallVector<Value>{along(*dim)};
  }
  auto axisType = cast<RankedTensorType>(operands[1].getType());
  if (rank == 0 || rank > int64_t(maxChoices) || !axisType.hasStaticShape() ||
      axisType.getNumElements() != 1)
    return b.unsupported("its axis is computed when the model runs; make it constant");
  SmallVector<Value> choices;
  SmallVector<uint64_t> masks;
  for (int64_t d = 0; d < rank; ++d) {
    choices.push_back(along(d));
    masks.push_back(uint64_t(1) << d);
  }
  return SmallVector<Value>{selectByAxes(b, operands[1], rank, ~uint64_t(0), masks, choices)};
}

} // namespace

Value Count::as(Scalars &s, Value total) const {
  if (!open)
    return s.like(total, fixed);
  if (!isa<FloatType>(total.getType()))
    return fromIndex(s.b, open, total.getType());
  return arith::UIToFPOp::create(s.b, total.getType(), fromIndex(s.b, open, s.b.getI64Type()));
}

Value selectByAxes(Lowering &b, Value axes, int64_t rank, uint64_t relevant,
                   ArrayRef<uint64_t> masks, ValueRange choices) {
  auto type = cast<RankedTensorType>(choices[0].getType());
  auto axesType = cast<RankedTensorType>(axes.getType());
  SmallVector<AffineMap> maps(choices.size(), b.getMultiDimIdentityMap(type.getRank()));
  constexpr int64_t shapeMismatch = 7; // BURIN_SHAPE_MISMATCH
  return b.parallel(type, choices, maps, [&](Lowering &in, ValueRange values) {
    Scalars s{in};
    Type i64 = in.getI64Type();
    Value one = s.constantInt(i64, 1), zero = s.constantInt(i64, 0), mask = zero;
    for (int64_t i = 0; i < axesType.getNumElements(); ++i) {
      SmallVector<Value> at(axesType.getRank(), in.index(i));
      Value axis = tensor::ExtractOp::create(in, axes, at);
      axis = s.cast(axis, axis.getType(), i64);
      axis = s.select(s.less(axis, zero), s.add(axis, s.constantInt(i64, rank)), axis);
      // An axis outside is a bit that no choice has.
      Value inside = s.less(axis, s.constantInt(i64, rank), /*isUnsigned=*/true);
      axis = s.select(inside, axis, s.constantInt(i64, 63));
      mask = arith::OrIOp::create(in, mask, arith::ShLIOp::create(in, one, axis));
    }
    uint64_t compared = relevant | uint64_t(1) << 63;
    mask = arith::AndIOp::create(in, mask, s.constantInt(i64, int64_t(compared)));
    Value chosen = values[0], known = s.constantInt(in.getI1Type(), 0);
    for (size_t i = 0; i < masks.size(); ++i) {
      Value here = s.equal(mask, s.constantInt(i64, int64_t(masks[i] & relevant)));
      chosen = s.select(here, values[i], chosen);
      known = arith::OrIOp::create(in, known, here);
    }
    plan::CheckOp::create(in, known, shapeMismatch, mask);
    return chosen;
  });
}

Value argReduce(Lowering &b, Value input, bool isUnsigned, int64_t dim, bool greatest, bool last) {
  auto type = cast<RankedTensorType>(input.getType());
  Type compute = computeType(type.getElementType()), i64 = b.getI64Type();
  SmallVector<int64_t> rows(type.getShape());
  rows.erase(rows.begin() + dim);
  SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
  iterators[dim] = utils::IteratorType::reduction;
  AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
  AffineMap row = b.mapWithout(type.getRank(), {dim});
  auto best = RankedTensorType::get(rows, compute), place = RankedTensorType::get(rows, i64);
  SmallVector<Value> open;
  for (int64_t d = 0; d < type.getRank(); ++d)
    if (d != dim && type.isDynamicDim(d))
      open.push_back(tensor::DimOp::create(b, input, d));
  SmallVector<Value> inits{b.fill(best, extremeOf(b, compute, isUnsigned, !greatest), open),
                           b.fill(place, b.scalarInt(i64, 0), open)};
  auto generic = linalg::GenericOp::create(
      b, TypeRange{best, place}, ValueRange{input}, inits,
      ArrayRef<AffineMap>{identity, row, row}, iterators,
      [&](OpBuilder &builder, Location loc, ValueRange elements) {
        ImplicitLocOpBuilder at(loc, builder);
        Scalars s{at};
        Value x = s.widen(elements[0]), best = elements[1];
        Value low = greatest ? best : x, high = greatest ? x : best;
        Value better = last ? s.lessEqual(low, high, isUnsigned) : s.less(low, high, isUnsigned);
        if (isa<FloatType>(compute)) {
          Value bestIsNan = s.isNan(best);
          Value newNan = arith::AndIOp::create(
              at, s.isNan(x), last ? s.constantInt(at.getI1Type(), 1)
                                   : s.equal(bestIsNan, s.constantInt(at.getI1Type(), 0)));
          better = arith::OrIOp::create(at, better, newNan);
        }
        Value here = arith::IndexCastOp::create(at, i64, linalg::IndexOp::create(at, dim));
        linalg::YieldOp::create(at, ValueRange{s.select(better, x, best),
                                               s.select(better, here, elements[2])});
      });
  return generic.getResult(1);
}

void registerReduction(RuleTable &table) {
  using namespace burin::onnx;
  addRow<ReduceSumOp>(table, {Combiner::Sum});
  addRow<ReduceProdOp>(table, {Combiner::Product});
  addRow<ReduceMaxOp>(table, {Combiner::Max});
  addRow<ReduceMinOp>(table, {Combiner::Min});
  addRow<ReduceMeanOp>(table, {Combiner::Sum, nullptr, mean});
  addRow<ReduceL1Op>(table, {Combiner::Sum, absolute});
  addRow<ReduceL2Op>(table, {Combiner::Sum, square, root});
  addRow<ReduceSumSquareOp>(table, {Combiner::Sum, square});
  addRow<ReduceLogSumOp>(table, {Combiner::Sum, nullptr, logarithm});
  table.add<ReduceLogSumExpOp>(lowerLogSumExp, Sizes::Dynamic);
  table.add<ArgMaxOp>(lowerArgReduction<ArgMaxOp>, Sizes::Dynamic);
  table.add<ArgMinOp>(lowerArgReduction<ArgMinOp>, Sizes::Dynamic);
  table.add<CumSumOp>(lowerScan<CumSumOp, Combiner::Sum>, Sizes::Dynamic);
  table.add<CumProdOp>(lowerScan<CumProdOp, Combiner::Product>, Sizes::Dynamic);
}

} // namespace burin::lower
