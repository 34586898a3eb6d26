// SPDX-License-Identifier: Apache-2.0
//
// Normalisations as short chains of generics that share their rows (the leading
// parallel loops), so that grouping makes one kernel of each. Statistics are f32 for
// narrower floats, and the result is rounded once.

#include "compiler/lower/Access.h"
#include "compiler/lower/Reduction.h"
#include "compiler/lower/Scalars.h"
#include "compiler/transforms/NotPositive.h"
#include "dialects/onnx/OnnxOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace burin::lower {
namespace {

/// A tensor seen as rows: the loops of its shape, `dims` of which a row folds.
struct Rows {
  Lowering &b;
  Value input;
  SmallVector<int64_t> dims;
  RankedTensorType type = cast<RankedTensorType>(input.getType());
  Type compute = computeType(type.getElementType());

  int64_t rank() const { return type.getRank(); }
  AffineMap identity() { return b.getMultiDimIdentityMap(rank()); }
  AffineMap perRow() { return b.mapWithout(rank(), dims); }
  /// How many elements a row has; made before a body that reads it.
  Count count() const {
    Count elements;
    bool isFixed = llvm::none_of(dims, [&](int64_t d) { return type.isDynamicDim(d); });
    for (int64_t d : dims) {
      elements.fixed *= type.getDimSize(d);
      if (isFixed)
        continue;
      Value size = b.createOrFold<tensor::DimOp>(input, b.index(d));
      elements.open = elements.open ? arith::MulIOp::create(b, elements.open, size) : size;
    }
    return elements;
  }

  using Function = function_ref<Value(Scalars &, ArrayRef<Value>)>;

  /// Sums `term` over each row; `statistics` are tensors of one value per row, which it
  /// is given after the element.
  Value sum(ValueRange statistics, Function term) {
    return fold(statistics, b.scalar(compute, 0), [&](Scalars &s, ArrayRef<Value> args) {
      return s.add(args.back(), term(s, args.drop_back()));
    });
  }

  /// The greatest element that is not NaN, -infinity where there is none: an exponential of what a NaN is above
  /// the greatest is NaN all the same.
  Value greatest() {
    return fold({}, extremeOf(b, compute, /*isUnsigned=*/false, /*largest=*/false),
                [](Scalars &s, ArrayRef<Value> args) {
                  return s.select(s.less(args[1], args[0]), args[0], args[1]);
                });
  }

  Value fold(ValueRange statistics, Value init, Function combiner) {
    SmallVector<Value> inputs{input};
    llvm::append_range(inputs, statistics);
    SmallVector<AffineMap> maps(inputs.size(), perRow());
    maps[0] = identity();
    return b.reduce(type.getShape(), dims, inputs, maps, init,
                    [&](Lowering &inner, ValueRange elements) {
                      Scalars s{inner};
                      SmallVector<Value> args(elements);
                      args[0] = s.widen(args[0]);
                      return combiner(s, args);
                    });
  }

  /// A function of statistics, one value per row.
  Value perRow(ValueRange statistics, Function function) {
    auto rows = cast<RankedTensorType>(statistics[0].getType());
    return b.broadcasting(rows, statistics, [&](Lowering &inner, ValueRange elements) {
      Scalars s{inner};
      return function(s, llvm::to_vector(elements));
    });
  }

  /// The mean of each row.
  Value mean() {
    Value total = sum({}, [](Scalars &, ArrayRef<Value> args) { return args[0]; });
    return perElement(total);
  }
  /// Mean square of what is left of each row without `mean`.
  Value variance(Value mean) {
    Value total = sum({mean}, [](Scalars &s, ArrayRef<Value> args) {
      Value difference = s.sub(args[0], args[1]);
      return s.mul(difference, difference);
    });
    return perElement(total);
  }
  /// A row's total divided by the number of its elements.
  Value perElement(Value total) {
    Count elements = count();
    return perRow({total}, [&](Scalars &s, ArrayRef<Value> args) {
      return s.div(args[0], elements.as(s, args[0]));
    });
  }
  /// 1 / sqrt(variance + epsilon).
  Value inverseDeviation(Value variance, double epsilon) {
    return perRow({variance}, [&](Scalars &s, ArrayRef<Value> args) {
      return s.div(s.like(args[0], 1), s.sqrt(s.add(args[0], s.like(args[0], epsilon))));
    });
  }

  /// A function of each element, its row's statistics and `others` (each read by its map;
  /// widened to the compute type), in the shape of the input, of `element` type.
  Value elements(Type element, ValueRange statistics, ValueRange others,
                 ArrayRef<AffineMap> otherMaps, Function function) {
    SmallVector<Value> inputs{input};
    llvm::append_range(inputs, statistics);
    SmallVector<AffineMap> maps(inputs.size(), perRow());
    maps[0] = identity();
    llvm::append_range(inputs, others);
    llvm::append_range(maps, otherMaps);
    auto result = RankedTensorType::get(type.getShape(), element);
    return b.parallel(result, inputs, maps, [&](Lowering &inner, ValueRange args) {
      Scalars s{inner};
      SmallVector<Value> widened;
      for (Value arg : args) {
        Value wide = s.widen(arg);
        widened.push_back(isa<FloatType>(compute) && wide.getType() != compute
                              ? s.narrow(wide, compute)
                              : wide);
      }
      return s.narrow(function(s, widened), element);
    });
  }
};

/// Checks that the first operand is a tensor of floats.
FailureOr<RankedTensorType> floatInput(Lowering &b, ValueRange operands) {
  for (Type type : b.getOp()->getOperandTypes())
    if (auto tensor = dyn_cast<RankedTensorType>(type); tensor && !b.hasRanges(tensor))
      return b.unsupported("a shape is known only when the model runs; fix the sizes it depends on "
                           "with --dim NAME=VALUE");
  auto type = cast<RankedTensorType>(operands[0].getType());
  if (!isa<FloatType>(type.getElementType()))
    return b.unsupported("elements that are not floats");
  return type;
}

constexpr StringRef badAxis = "its axis is outside of its input's dimensions";

bool isUsed(Operation *op, unsigned result) {
  return result < op->getNumResults() && !isa<NoneType>(op->getResult(result).getType());
}

Value difference(Scalars &s, ArrayRef<Value> args) { return s.sub(args[0], args[1]); }

/// exp(x - m) where m is the largest of x's row: the exponent is 0 at most (or NaN), which makes it cheaper.
Value exponential(Scalars &s, ArrayRef<Value> args) {
  Value value = s.exp(difference(s, args));
  value.getDefiningOp()->setAttr(notPositiveAttrName, s.b.getUnitAttr());
  return value;
}

/// A row statistic in the type and shape of the op's result `index`.
Value asResult(Lowering &b, Value statistic, unsigned index) {
  RankedTensorType result = b.resultType(index);
  auto type = cast<RankedTensorType>(statistic.getType());
  if (type.getElementType() != result.getElementType()) {
    auto narrowed = RankedTensorType::get(type.getShape(), result.getElementType());
    statistic = b.broadcasting(narrowed, {statistic}, [&](Lowering &inner, ValueRange elements) {
      return Scalars{inner}.narrow(elements[0], result.getElementType());
    });
  }
  return b.reshape(statistic, result.getShape());
}

//===- Softmax, LogSoftmax, Hardmax -----------------------------------------===//

/// The type of the input and the op's axis in it.
template <typename Op>
FailureOr<std::pair<RankedTensorType, int64_t>> inputAndAxis(Lowering &b, Op op, ValueRange operands) {
  FailureOr<RankedTensorType> type = floatInput(b, operands);
  if (failed(type))
    return failure();
  std::optional<int64_t> axis = normalizedAxis(op.getAxis(), type->getRank());
  if (!axis)
    return b.unsupported(badAxis);
  return std::pair(*type, *axis);
}

template <typename Op>
FailureOr<Rows> rowsAlongAxis(Lowering &b, Op op, ValueRange operands) {
  auto given = inputAndAxis(b, op, operands);
  if (failed(given))
    return failure();
  return Rows{b, operands[0], {given->second}};
}

} // namespace

Exponentials exponentials(Lowering &b, Value input, int64_t dim, bool guarded) {
  Rows rows{b, input, {dim}};
  Value max = rows.greatest();
  if (guarded)
    max = rows.perRow({max}, [](Scalars &s, ArrayRef<Value> args) {
      Value nothing = s.like(args[0], -std::numeric_limits<double>::infinity());
      return s.select(s.equal(args[0], nothing), s.like(args[0], 0), args[0]);
    });
  Value terms = rows.elements(rows.compute, {max}, {}, {}, [](Scalars &s, ArrayRef<Value> args) {
    return exponential(s, args);
  });
  Rows weights{b, terms, {dim}};
  Value totals = weights.sum({}, [](Scalars &, ArrayRef<Value> args) { return args[0]; });
  if (guarded)
    totals = weights.perRow({totals}, [](Scalars &s, ArrayRef<Value> args) {
      return s.select(s.equal(args[0], s.like(args[0], 0)), s.like(args[0], 1), args[0]);
    });
  return {terms, totals};
}

Value softmax(Lowering &b, Value input, int64_t dim, Type element, bool guarded) {
  auto [terms, totals] = exponentials(b, input, dim, guarded);
  // Totals are at least 1 (a greatest element's exponential), or NaN: a product with the inverse rounds once more
  // than a division, which takes three times as long.
  Rows rows{b, terms, {dim}};
  Value inverses = rows.perRow({totals}, [](Scalars &s, ArrayRef<Value> args) {
    return s.div(s.like(args[0], 1), args[0]);
  });
  return rows.elements(element, {inverses}, {}, {},
                       [](Scalars &s, ArrayRef<Value> args) { return s.mul(args[0], args[1]); });
}

namespace {

FailureOr<SmallVector<Value>> lowerSoftmax(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<Rows> rows = rowsAlongAxis(b, cast<onnx::SoftmaxOp>(op), operands);
  if (failed(rows))
    return failure();
  return SmallVector<Value>{softmax(b, operands[0], rows->dims[0], rows->type.getElementType())};
}

/// x - max - log(sum(exp(x - max))).
FailureOr<SmallVector<Value>> lowerLogSoftmax(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<Rows> rows = rowsAlongAxis(b, cast<onnx::LogSoftmaxOp>(op), operands);
  if (failed(rows))
    return failure();
  Value max = rows->greatest();
  Value total = rows->sum({max}, [](Scalars &s, ArrayRef<Value> args) {
    return exponential(s, args);
  });
  Value logarithm =
      rows->perRow({total}, [](Scalars &s, ArrayRef<Value> args) { return s.log(args[0]); });
  return SmallVector<Value>{rows->elements(
      rows->type.getElementType(), {max, logarithm}, {}, {},
      [](Scalars &s, ArrayRef<Value> args) { return s.sub(difference(s, args), args[2]); })};
}

FailureOr<SmallVector<Value>> lowerHardmax(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<Rows> rows = rowsAlongAxis(b, cast<onnx::HardmaxOp>(op), operands);
  if (failed(rows))
    return failure();
  int64_t axis = rows->dims[0];
  Value place = argReduce(b, operands[0], /*isUnsigned=*/false, axis, /*greatest=*/true,
                          /*last=*/false);
  Value hard = b.parallel(rows->type, {place}, {rows->perRow()},
                          [&](Lowering &inner, ValueRange elements) -> Value {
                            Scalars s{inner};
                            Value here = arith::IndexCastOp::create(
                                inner, inner.getI64Type(), linalg::IndexOp::create(inner, axis));
                            Type element = rows->type.getElementType();
                            return s.select(s.equal(here, elements[0]), inner.scalar(element, 1),
                                            inner.scalar(element, 0));
                          });
  return SmallVector<Value>{hard};
}

//===- Layer and RMS normalisation ------------------------------------------===//

/// Rows of all dimensions from the op's axis on.
template <typename Op>
FailureOr<Rows> rowsFromAxis(Lowering &b, Op op, ValueRange operands) {
  auto given = inputAndAxis(b, op, operands);
  if (failed(given))
    return failure();
  auto [type, axis] = *given;
  return Rows{b, operands[0], llvm::to_vector(llvm::seq<int64_t>(axis, type.getRank()))};
}

FailureOr<SmallVector<Value>> lowerLayerNormalization(Lowering &b, Operation *op,
                                                      ValueRange operands) {
  auto norm = cast<onnx::LayerNormalizationOp>(op);
  FailureOr<Rows> rows = rowsFromAxis(b, norm, operands);
  if (failed(rows))
    return failure();
  Value mean = rows->mean();
  Value inverse = rows->inverseDeviation(rows->variance(mean),
                                         norm.getEpsilon().convertToDouble());
  SmallVector<Value> others;
  SmallVector<AffineMap> maps;
  for (Value operand : operands.drop_front())
    if (operand) {
      others.push_back(operand);
      maps.push_back(b.broadcastMap(cast<RankedTensorType>(operand.getType()), rows->type));
    }
  Value y = rows->elements(rows->type.getElementType(), {mean, inverse}, others, maps,
                           [](Scalars &s, ArrayRef<Value> args) {
                             Value scaled = s.mul(s.mul(difference(s, args), args[2]), args[3]);
                             return args.size() > 4 ? s.add(scaled, args[4]) : scaled;
                           });
  return SmallVector<Value>{y, isUsed(op, 1) ? asResult(b, mean, 1) : Value(),
                            isUsed(op, 2) ? asResult(b, inverse, 2) : Value()};
}

FailureOr<SmallVector<Value>> lowerRMSNormalization(Lowering &b, Operation *op,
                                                    ValueRange operands) {
  auto norm = cast<onnx::RMSNormalizationOp>(op);
  FailureOr<Rows> rows = rowsFromAxis(b, norm, operands);
  if (failed(rows))
    return failure();
  Value squares =
      rows->sum({}, [](Scalars &s, ArrayRef<Value> args) { return s.mul(args[0], args[0]); });
  Value mean = rows->perElement(squares);
  Value inverse = rows->inverseDeviation(mean, norm.getEpsilon().convertToDouble());
  AffineMap scale = b.broadcastMap(cast<RankedTensorType>(operands[1].getType()), rows->type);
  return SmallVector<Value>{rows->elements(
      rows->type.getElementType(), {inverse}, {operands[1]}, {scale},
      [](Scalars &s, ArrayRef<Value> args) { return s.mul(s.mul(args[0], args[1]), args[2]); })};
}

//===- Group and instance normalisation -------------------------------------===//

/// (x - mean) / sqrt(variance + epsilon) over each of `groups` groups of channels,
/// scaled and shifted per channel.
FailureOr<SmallVector<Value>> normalizeGroups(Lowering &b, ValueRange operands, int64_t groups,
                                              double epsilon) {
  FailureOr<RankedTensorType> type = floatInput(b, operands);
  if (failed(type))
    return failure();
  if (type->getRank() < 2)
    return b.unsupported("an input without channels");
  int64_t channels = type->getDimSize(1);
  if (type->isDynamicDim(1))
    return b.unsupported("its channels change from run to run");
  if (groups <= 0 || channels % groups != 0)
    return b.unsupported("its channels do not divide into " + Twine(groups) + " groups");
  SmallVector<onnx::SizeExpr> sizes = b.sizes(b.getOp()->getOperand(0));
  std::optional<onnx::SizeExpr> spatial = productOf(ArrayRef(sizes).drop_front(2));
  if (!spatial)
    return b.unsupported("a product of sizes that is too long; fix some with --dim NAME=VALUE");
  int64_t perGroup = channels / groups;
  SmallVector<onnx::SizeExpr> split{sizes[0], groups, perGroup, *spatial};
  Value x = b.reshape(operands[0], sizes, split);
  Rows rows{b, x, {2, 3}};
  Value mean = rows.mean();
  Value inverse = rows.inverseDeviation(rows.variance(mean), epsilon);
  SmallVector<Value> others;
  for (Value operand : operands.drop_front())
    others.push_back(b.reshape(operand, {groups, perGroup}));
  AffineMap channel = AffineMap::get(4, 0, {b.getAffineDimExpr(1), b.getAffineDimExpr(2)},
                                     b.getContext());
  Value y = rows.elements(type->getElementType(), {mean, inverse}, others, {channel, channel},
                          [](Scalars &s, ArrayRef<Value> args) {
                            Value normal = s.mul(difference(s, args), args[2]);
                            return s.add(s.mul(normal, args[3]), args[4]);
                          });
  return SmallVector<Value>{b.reshape(y, split, sizes)};
}

FailureOr<SmallVector<Value>> lowerGroupNormalization(Lowering &b, Operation *op,
                                                      ValueRange operands) {
  auto norm = cast<onnx::GroupNormalizationOp>(op);
  return normalizeGroups(b, operands, norm.getNumGroups(), norm.getEpsilon().convertToDouble());
}

FailureOr<SmallVector<Value>> lowerInstanceNormalization(Lowering &b, Operation *op,
                                                         ValueRange operands) {
  auto type = cast<RankedTensorType>(operands[0].getType());
  if (type.getRank() < 2 || type.isDynamicDim(1))
    return b.unsupported("an input without a known number of channels");
  double epsilon = cast<onnx::InstanceNormalizationOp>(op).getEpsilon().convertToDouble();
  return normalizeGroups(b, operands, type.getDimSize(1), epsilon);
}

//===- Batch normalisation --------------------------------------------------===//

FailureOr<SmallVector<Value>> lowerBatchNormalization(Lowering &b, Operation *op,
                                                      ValueRange operands) {
  auto norm = cast<onnx::BatchNormalizationOp>(op);
  FailureOr<RankedTensorType> type = floatInput(b, operands);
  if (failed(type))
    return failure();
  int64_t rank = type->getRank();
  // A vector is one channel per element; layout passes may have put channels last.
  int64_t channel = rank < 2 ? -1 : op->hasAttr("channels_last") ? rank - 1 : 1;
  Rows rows{b, operands[0], {}};
  for (int64_t d = 0; d < rank; ++d)
    if (d != channel)
      rows.dims.push_back(d);
  double epsilon = norm.getEpsilon().convertToDouble();
  double momentum = norm.getMomentum().convertToDouble();
  if (channel < 0)
    return b.unsupported("an input without channels");
  if (type->isDynamicDim(channel) || (norm.getTrainingMode() && !type->hasStaticShape()))
    return b.unsupported("channels, or statistics of a training mode, of sizes that change from run to "
                         "run; fix them with --dim NAME=VALUE");

  // One value per channel, in the compute type.
  auto channelType = [&](Type element) {
    return RankedTensorType::get({type->getDimSize(channel)}, element);
  };
  auto perChannel = [&](ValueRange inputs, Type element, Rows::Function function) {
    return b.broadcasting(channelType(element), inputs, [&](Lowering &inner, ValueRange elements) {
      Scalars s{inner};
      SmallVector<Value> args;
      for (Value value : elements) {
        Value wide = s.widen(value);
        args.push_back(wide.getType() == rows.compute ? wide : s.narrow(wide, rows.compute));
      }
      return s.narrow(function(s, args), element);
    });
  };
  Value mean = operands[3], variance = operands[4];
  SmallVector<Value> results{Value(), Value(), Value()};
  if (norm.getTrainingMode()) {
    mean = rows.mean();
    variance = rows.variance(mean);
    for (unsigned i : {1, 2})
      if (isUsed(op, i))
        results[i] = perChannel({operands[2 + i], i == 1 ? mean : variance},
                                b.resultType(i).getElementType(),
                                [&](Scalars &s, ArrayRef<Value> args) {
                                  Value old = s.mul(args[0], s.like(args[0], momentum));
                                  return s.add(old, s.mul(args[1], s.like(args[0], 1 - momentum)));
                                });
  }
  // y = x * factor + shift.
  Value factor = perChannel({operands[1], variance}, rows.compute,
                            [&](Scalars &s, ArrayRef<Value> args) {
                              Value square = s.add(args[1], s.like(args[1], epsilon));
                              return s.div(args[0], s.sqrt(square));
                            });
  Value shift = perChannel({operands[2], mean, factor}, rows.compute,
                           [](Scalars &s, ArrayRef<Value> args) {
                             return s.sub(args[0], s.mul(args[1], args[2]));
                           });
  results[0] = rows.elements(type->getElementType(), {factor, shift}, {}, {},
                             [](Scalars &s, ArrayRef<Value> args) {
                               return s.fma(args[0], args[1], args[2]);
                             });
  return results;
}

//===- Lp, mean-variance and local response normalisation -------------------===//

FailureOr<SmallVector<Value>> lowerLpNormalization(Lowering &b, Operation *op,
                                                   ValueRange operands) {
  auto norm = cast<onnx::LpNormalizationOp>(op);
  FailureOr<Rows> rows = rowsAlongAxis(b, norm, operands);
  if (failed(rows))
    return failure();
  if (norm.getP() != 1 && norm.getP() != 2)
    return b.unsupported("a norm of order " + Twine(norm.getP()) + "; ONNX defines 1 and 2");
  bool isEuclidean = norm.getP() == 2;
  Value total = rows->sum({}, [&](Scalars &s, ArrayRef<Value> args) {
    return isEuclidean ? s.mul(args[0], args[0]) : s.abs(args[0]);
  });
  if (isEuclidean)
    total = rows->perRow({total}, [](Scalars &s, ArrayRef<Value> args) { return s.sqrt(args[0]); });
  return SmallVector<Value>{rows->elements(
      rows->type.getElementType(), {total}, {}, {}, [](Scalars &s, ArrayRef<Value> args) {
        Value zero = s.like(args[0], 0);
        return s.select(s.equal(args[1], zero), zero, s.div(args[0], args[1]));
      })};
}

/// (x - mean) / (deviation + 1e-9), as ONNX's function body says.
FailureOr<SmallVector<Value>> lowerMeanVarianceNormalization(Lowering &b, Operation *op,
                                                             ValueRange operands) {
  FailureOr<RankedTensorType> type = floatInput(b, operands);
  if (failed(type))
    return failure();
  Rows rows{b, operands[0], {}};
  for (int64_t axis : cast<onnx::MeanVarianceNormalizationOp>(op).getAxes()) {
    std::optional<int64_t> d = normalizedAxis(axis, type->getRank());
    if (!d)
      return b.unsupported(badAxis);
    if (!llvm::is_contained(rows.dims, *d))
      rows.dims.push_back(*d);
  }
  Value mean = rows.mean();
  Value deviation = rows.perRow({rows.variance(mean)}, [](Scalars &s, ArrayRef<Value> args) {
    return s.add(s.sqrt(args[0]), s.like(args[0], 1e-9));
  });
  return SmallVector<Value>{rows.elements(
      type->getElementType(), {mean, deviation}, {}, {}, [](Scalars &s, ArrayRef<Value> args) {
        return s.div(difference(s, args), args[2]);
      })};
}

/// x / (bias + alpha / size * sum of squares of `size` channels around) ^ beta.
FailureOr<SmallVector<Value>> lowerLRN(Lowering &b, Operation *op, ValueRange operands) {
  auto lrn = cast<onnx::LRNOp>(op);
  FailureOr<RankedTensorType> type = floatInput(b, operands);
  if (failed(type))
    return failure();
  int64_t rank = type->getRank(), size = lrn.getSize();
  if (rank < 2 || size < 1)
    return b.unsupported("it needs channels and a window of at least 1");
  int64_t before = (size - 1) / 2;
  onnx::SizeExpr channels = b.sizes(op->getOperand(0))[1];
  Value openChannels = channels.constant() ? Value() : b.size(channels);
  Type compute = computeType(type->getElementType());
  double alpha = lrn.getAlpha().convertToDouble(), beta = lrn.getBeta().convertToDouble();
  double bias = lrn.getBias().convertToDouble();
  // The loops are the input's, then the window, whose extent an empty operand gives.
  SmallVector<int64_t> loops(type->getShape());
  loops.push_back(size);
  Value window = b.empty(RankedTensorType::get({size}, compute));
  AffineMap windowMap = AffineMap::get(rank + 1, 0, {b.getAffineDimExpr(rank)}, b.getContext());
  Value squares = b.reduce(
      loops, {rank}, {window}, {windowMap}, b.scalar(compute, 0),
      [&](Lowering &inner, ValueRange elements) -> Value {
        Scalars s{inner};
        SmallVector<Value> at;
        for (int64_t d = 0; d < rank; ++d)
          at.push_back(linalg::IndexOp::create(inner, d));
        Value place = arith::AddIOp::create(inner, at[1], linalg::IndexOp::create(inner, rank));
        place = arith::SubIOp::create(inner, place, inner.index(before)); // wraps below 0
        Value end = openChannels ? openChannels : inner.index(*channels.constant());
        Value inside = s.less(place, end, /*isUnsigned=*/true);
        at[1] = s.select(inside, place, inner.index(0));
        Value x = s.widen(tensor::ExtractOp::create(inner, operands[0], at));
        return s.add(elements.back(), s.select(inside, s.mul(x, x), s.like(x, 0)));
      },
      b.openSizes(b.sizes(op->getOperand(0))));
  Rows rows{b, operands[0], {}};
  return SmallVector<Value>{rows.elements(
      type->getElementType(), {squares}, {}, {}, [&](Scalars &s, ArrayRef<Value> args) {
        Value base = s.fma(args[1], s.like(args[0], alpha / size), s.like(args[0], bias));
        if (beta != 0.75)
          return s.div(args[0], s.pow(base, s.like(base, beta)));
        Value root = s.sqrt(base);
        return s.div(args[0], s.mul(root, s.sqrt(root)));
      })};
}

} // namespace

void registerNormalization(RuleTable &table) {
  using namespace burin::onnx;
  table.add<SoftmaxOp>(lowerSoftmax, Sizes::Dynamic);
  table.add<LogSoftmaxOp>(lowerLogSoftmax, Sizes::Dynamic);
  table.add<HardmaxOp>(lowerHardmax, Sizes::Dynamic);
  table.add<LayerNormalizationOp>(lowerLayerNormalization, Sizes::Dynamic);
  table.add<RMSNormalizationOp>(lowerRMSNormalization, Sizes::Dynamic);
  table.add<GroupNormalizationOp>(lowerGroupNormalization, Sizes::Dynamic);
  table.add<InstanceNormalizationOp>(lowerInstanceNormalization, Sizes::Dynamic);
  table.add<BatchNormalizationOp>(lowerBatchNormalization, Sizes::Dynamic);
  table.add<LpNormalizationOp>(lowerLpNormalization, Sizes::Dynamic);
  table.add<MeanVarianceNormalizationOp>(lowerMeanVarianceNormalization,
                                             Sizes::Dynamic);
  table.add<LRNOp>(lowerLRN, Sizes::Dynamic);
}

} // namespace burin::lower
