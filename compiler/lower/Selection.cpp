// SPDX-License-Identifier: Apache-2.0
//
// What is kept is data: TopK, Compress, NonZero, Unique, NonMaxSuppression. Where the
// model declares the size of a result, data that selects another number of elements is reported
// (shapeMismatch). Else there is room for all that could be kept, and how much is measured.

#include "compiler/lower/Access.h"
#include "compiler/lower/Indexing.h"
#include "dialects/kern/KernOps.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace burin;
using namespace burin::lower;

namespace {

bool hasNoSign(Type onnxElement) { return isUnsigned(onnxElement) || isBool(onnxElement); }

/// Strict order of elements, NaN above everything.
Value comesBefore(ImplicitLocOpBuilder &b, Value x, Value y, bool noSign, bool descending) {
  Scalars s{b};
  if (descending)
    std::swap(x, y);
  x = s.widen(x), y = s.widen(y);
  Value less = s.less(x, y, noSign);
  if (!isa<FloatType>(x.getType()))
    return less;
  Value onlyYIsNan = arith::AndIOp::create(b, s.isNan(y), s.equal(x, x));
  return arith::OrIOp::create(b, less, onlyYIsNan);
}

/// Whether two elements are the same value; all NaN are.
Value isSame(ImplicitLocOpBuilder &b, Value x, Value y) {
  Scalars s{b};
  x = s.widen(x), y = s.widen(y);
  Value equal = s.equal(x, y);
  if (!isa<FloatType>(x.getType()))
    return equal;
  return arith::OrIOp::create(b, equal, arith::AndIOp::create(b, s.isNan(x), s.isNan(y)));
}

RankedTensorType i64Tensor(Lowering &b, ArrayRef<int64_t> shape) {
  return RankedTensorType::get(shape, b.getI64Type());
}

/// Positions, in order, of the first `count` elements of each row of `input`.
Value sorted(Lowering &b, Value input, int64_t axis, int64_t count, bool noSign, bool descending) {
  SmallVector<int64_t> shape(typeOf(input).getShape());
  shape[axis] = count;
  return kern::SortOp::create(b, input, b.empty(i64Tensor(b, shape)), axis,
                              [&](ImplicitLocOpBuilder &in, ValueRange pair) {
                                return SmallVector<Value>{
                                    comesBefore(in, pair[0], pair[1], noSign, descending)};
                              })
      .getResult();
}

/// Room for a size of the result: itself, or `most` where the data decide it.
int64_t roomFor(int64_t size, int64_t most) { return ShapedType::isDynamic(size) ? most : size; }

/// How many entries of `list` are used, as a tensor: of its rows, of which a used one starts with
/// a number that is not negative.
Value countUsed(Lowering &b, Value list) {
  RankedTensorType type = typeOf(list);
  SmallVector<AffineExpr> first(type.getRank(), b.getAffineConstantExpr(0));
  first[0] = b.getAffineDimExpr(0);
  AffineMap map = AffineMap::get(1, 0, first, b.getContext());
  return b.reduce({type.getDimSize(0)}, {0}, {list}, {map}, b.scalarInt(b.getI64Type(), 0),
                  [](Lowering &in, ValueRange values) -> Value {
                    Scalars s{in};
                    Value isUsed = s.lessEqual(s.like(values[0], 0), values[0]);
                    return s.add(values[1], arith::ExtUIOp::create(in, in.getI64Type(), isUsed));
                  });
}

/// As much of `all` as a result has, whose size was measured.
Value beginningOf(Lowering &b, Value all, RankedTensorType type) {
  if (all.getType() == type)
    return all;
  return b.indexed(type, [&](Lowering &in, ValueRange at) { return extract(in, all, at); });
}

//===- TopK -----------------------------------------------------------------===//

Results lowerTopK(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  auto node = cast<onnx::TopKOp>(op);
  Value input = operands[0];
  FailureOr<int64_t> axis = normalizeAxis(b, node.getAxis(), type->getRank());
  if (failed(axis))
    return failure();
  int64_t size = typeOf(input).getDimSize(*axis), k = roomFor(type->getDimSize(*axis), size);
  if (k > size)
    return b.unsupported("K is more than the size of the axis");
  Value places = sorted(b, input, *axis, k, hasNoSign(elementType(op->getOperand(0))),
                        node.getLargest() != 0);
  bool isMeasured = type->isDynamicDim(*axis), knowsK = b.constantInts(1).has_value();
  if (isMeasured) {
    b.measure(operands[1], size);
    places = beginningOf(b, places, b.resultType(1));
  }
  Value values = b.parallel(
      *type, {places}, {b.getMultiDimIdentityMap(type->getRank())},
      [&](Lowering &in, ValueRange elements) {
        Scalars s{in};
        if (!knowsK && !isMeasured) {
          Value given = toIndex(in, extractOnly(in, operands[1]));
          check(in, s.equal(given, in.index(k)), shapeMismatch, given);
        }
        SmallVector<Value> at;
        for (int64_t d = 0; d < type->getRank(); ++d)
          at.push_back(d == *axis ? toIndex(in, elements[0]) : linalg::IndexOp::create(in, d));
        return extract(in, input, at);
      });
  return SmallVector<Value>{values, places};
}

//===- Compress, NonZero ----------------------------------------------------===//

/// `values` written to `places` of a tensor<count>; those of place -1 are left out.
/// Slots that get nothing hold `empty`.
Value placed(Lowering &b, Value values, Value places, int64_t count, int64_t empty,
             kern::BodyBuilder body) {
  Value indices = b.reshape(places, {typeOf(places).getNumElements(), 1});
  Value init = b.fill(i64Tensor(b, {count}), b.scalarInt(b.getI64Type(), empty));
  return kern::ScatterOp::create(b, indices, values, init, b.getMultiDimIdentityMap(1),
                                 AffineMap::get(1, 1, b.getAffineSymbolExpr(0)), /*wrap=*/false,
                                 /*drop=*/true, body)
      .getResult();
}

SmallVector<Value> keepUpdate(ImplicitLocOpBuilder &, ValueRange values) {
  return SmallVector<Value>{values[0]};
}
SmallVector<Value> addUpdate(ImplicitLocOpBuilder &b, ValueRange values) {
  return SmallVector<Value>{arith::AddIOp::create(b, values[0], values[1])};
}

/// [0, 1, ... count)
Value iota(Lowering &b, int64_t count) {
  return b.indexed(i64Tensor(b, {count}), [](Lowering &in, ValueRange at) {
    return fromIndex(in, at[0], in.getI64Type());
  });
}

/// For each element of a vector, how many kept ones come before it, or -1 where it
/// is not kept itself. More than `count` kept ones are reported.
Value slots(Lowering &b, Value vector, int64_t count,
            llvm::function_ref<Value(ImplicitLocOpBuilder &, Value)> isKept) {
  Type i64 = b.getI64Type();
  Value zero = b.scalarInt(i64, 0);
  auto body = [&](ImplicitLocOpBuilder &in, ValueRange values) {
    Scalars s{in};
    Value kept = isKept(in, values[0]), before = values[1];
    Value slot = s.select(kept, before, s.like(before, -1));
    Value after = s.add(before, arith::ExtUIOp::create(in, i64, kept));
    plan::CheckOp::create(in, s.lessEqual(after, s.like(after, double(count))), shapeMismatch, after);
    return SmallVector<Value>{after, slot};
  };
  return kern::ScanOp::create(b, ValueRange{vector}, ValueRange{zero},
                              ValueRange{b.empty(i64Tensor(b, typeOf(vector).getShape()))},
                              /*axis=*/0, /*reverse=*/false, body)
      .getResult(0);
}

Value isNonZero(ImplicitLocOpBuilder &in, Value x) {
  Scalars s{in};
  x = s.widen(x);
  return s.notEqual(x, s.like(x, 0));
}

/// Positions of the non-zero elements of a vector, of which there are `count`.
Value nonZeros(Lowering &b, Value vector, int64_t count) {
  return placed(b, iota(b, typeOf(vector).getNumElements()),
                slots(b, vector, count, isNonZero), count, /*empty=*/-1, keepUpdate);
}

/// A slot of a list of positions as an index below `size`; an empty one is reported.
Value usedPosition(ImplicitLocOpBuilder &in, Value entry, int64_t size) {
  Scalars s{in};
  plan::CheckOp::create(in, s.lessEqual(s.like(entry, 0), entry), shapeMismatch, entry);
  return clampIndex(in, toIndex(in, entry), 0, size - 1);
}

/// The slices of `data` along `axis` at the first entries of `positions`.
Value slicesAt(Lowering &b, RankedTensorType type, Value data, int64_t axis, Value positions) {
  int64_t size = typeOf(data).getDimSize(axis);
  return b.indexed(type, [&](Lowering &in, ValueRange indices) {
    SmallVector<Value> at(indices);
    at[axis] = usedPosition(in, extract(in, positions, at[axis]), size);
    return extract(in, data, at);
  });
}

Results lowerCompress(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  Value data = operands[0];
  int64_t axis = 0;
  if (auto given = cast<onnx::CompressOp>(op).getAxis()) {
    FailureOr<int64_t> normal = normalizeAxis(b, *given, typeOf(data).getRank());
    if (failed(normal))
      return failure();
    axis = *normal;
  } else {
    data = b.reshape(data, {typeOf(data).getNumElements()});
  }
  int64_t size = typeOf(data).getDimSize(axis), conditions = typeOf(operands[1]).getNumElements(),
          count = roomFor(type->getDimSize(axis), conditions);
  if (conditions > size || count > size)
    return b.unsupported("more conditions than elements along the axis");
  Value positions = nonZeros(b, operands[1], count);
  if (type->isDynamicDim(axis))
    b.measure(countUsed(b, positions), count);
  return SmallVector<Value>{slicesAt(b, *type, data, axis, positions)};
}

Results lowerNonZero(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  RankedTensorType input = typeOf(operands[0]);
  if (isa<ComplexType>(input.getElementType()))
    return b.unsupported("complex numbers");
  int64_t total = input.getNumElements(), count = roomFor(type->getDimSize(1), total);
  if (type->getDimSize(0) == 0 || count == 0)
    return SmallVector<Value>{b.fill(*type, b.scalarInt(b.getI64Type(), 0))};
  Value positions = nonZeros(b, b.reshape(operands[0], {total}), count);
  if (type->isDynamicDim(1))
    b.measure(countUsed(b, positions), count);
  return SmallVector<Value>{b.indexed(*type, [&](Lowering &in, ValueRange indices) {
    Scalars s{in};
    Value position = usedPosition(in, extract(in, positions, indices[1]), total), row = indices[0];
    // Row d holds the coordinates along dimension d.
    Value coordinate = in.index(0);
    int64_t stride = 1;
    for (int64_t d = input.getRank() - 1; d >= 0; --d) {
      Value rest = arith::DivUIOp::create(in, position, in.index(stride));
      Value here = arith::RemUIOp::create(in, rest, in.index(input.getDimSize(d)));
      coordinate = s.select(s.equal(row, in.index(d)), here, coordinate);
      stride *= input.getDimSize(d);
    }
    return fromIndex(in, coordinate, in.getI64Type());
  })};
}

//===- Unique ---------------------------------------------------------------===//

/// Slices along the first dim of a matrix: their order and equality.
class Slices {
public:
  Slices(Value matrix, bool noSign) : matrix(matrix), noSign(noSign) {}

  int64_t count() const { return typeOf(matrix).getDimSize(0); }

  Value same(Lowering &b, Value i, Value j) {
    auto loop = forEach(b, arith::ConstantOp::create(b, b.getBoolAttr(true)),
                        [&](Lowering &in, Value d, Value so) -> Value {
                          Value x = extract(in, matrix, {i, d}), y = extract(in, matrix, {j, d});
                          return arith::AndIOp::create(in, so, isSame(in, x, y));
                        });
    return loop;
  }

  /// Positions in ascending order, equal ones in the order they have.
  Value order(Lowering &b) {
    int64_t n = count();
    if (typeOf(matrix).getDimSize(1) == 1)
      return sorted(b, b.reshape(matrix, {n}), 0, n, noSign, /*descending=*/false);
    // Whole slices are ranked by counting those that come before.
    Value ranks = b.indexed(i64Tensor(b, {n}), [&](Lowering &in, ValueRange at) -> Value {
      Value rank = loop(in, n, in.index(0), [&](Lowering &inner, Value j, Value so) -> Value {
        Value less = before(inner, j, at[0]), equal = same(inner, j, at[0]);
        Value earlier = arith::AndIOp::create(inner, equal, Scalars{inner}.less(j, at[0]));
        Value comes = arith::OrIOp::create(inner, less, earlier);
        return arith::AddIOp::create(
            inner, so, arith::IndexCastUIOp::create(inner, inner.getIndexType(), comes));
      });
      return fromIndex(in, rank, in.getI64Type());
    });
    return placed(b, iota(b, n), ranks, n, /*empty=*/0, keepUpdate);
  }

private:
  using Step = llvm::function_ref<Value(Lowering &, Value index, Value carried)>;

  static Value loop(Lowering &b, int64_t count, Value init, Step step) {
    auto loop = scf::ForOp::create(b, b.index(0), b.index(count), b.index(1), ValueRange{init});
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    scf::YieldOp::create(b, step(b, loop.getInductionVar(), loop.getRegionIterArg(0)));
    return loop.getResult(0);
  }
  Value forEach(Lowering &b, Value init, Step step) {
    return loop(b, typeOf(matrix).getDimSize(1), init, step);
  }

  /// Lexicographic: the first element that differs decides.
  Value before(Lowering &b, Value i, Value j) {
    Type i32 = b.getI32Type();
    Value verdict = forEach(b, b.scalarInt(i32, 0), [&](Lowering &in, Value d, Value so) -> Value {
      Scalars s{in};
      Value x = extract(in, matrix, {i, d}), y = extract(in, matrix, {j, d});
      Value less = comesBefore(in, x, y, noSign, false), more = comesBefore(in, y, x, noSign, false);
      Value here = s.select(less, s.like(so, -1), s.select(more, s.like(so, 1), s.like(so, 0)));
      return s.select(s.equal(so, s.like(so, 0)), here, so);
    });
    return Scalars{b}.less(verdict, b.scalarInt(i32, 0));
  }

  Value matrix;
  bool noSign;
};

/// list[places[...]], both vectors of i64.
Value taken(Lowering &b, Value list, Value places) {
  int64_t size = typeOf(list).getDimSize(0);
  return b.parallel(i64Tensor(b, typeOf(places).getShape()), {places},
                    {b.getMultiDimIdentityMap(1)}, [&](Lowering &in, ValueRange elements) {
                      return extract(in, list, usedPosition(in, elements[0], size));
                    });
}

Results lowerUnique(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  auto node = cast<onnx::UniqueOp>(op);
  Value data = operands[0];
  if (isa<ComplexType>(type->getElementType()))
    return b.unsupported("complex numbers");
  int64_t axis = 0, total = typeOf(data).getNumElements();
  Value matrix;
  if (auto given = node.getAxis()) {
    int64_t rank = typeOf(data).getRank();
    FailureOr<int64_t> normal = normalizeAxis(b, *given, rank);
    if (failed(normal))
      return failure();
    axis = *normal;
    SmallVector<int64_t> perm{axis};
    for (int64_t d = 0; d < rank; ++d)
      if (d != axis)
        perm.push_back(d);
    int64_t count = typeOf(data).getDimSize(axis);
    matrix = b.reshape(b.transpose(data, perm), {count, count == 0 ? 0 : total / count});
  } else {
    data = b.reshape(data, {total});
    matrix = b.reshape(data, {total, 1});
  }
  if (total == 0 || llvm::is_contained(type->getShape(), 0))
    return b.unsupported("an empty operand");
  Slices slices(matrix, hasNoSign(elementType(op->getOperand(0))));
  int64_t n = slices.count(), count = roomFor(type->getDimSize(axis), n);
  Type i64 = b.getI64Type();

  // Along the sorted slices: 1 where a new value starts, then the value's number.
  Value order = slices.order(b);
  Value starts = b.indexed(i64Tensor(b, {n}), [&](Lowering &in, ValueRange at) -> Value {
    Scalars s{in};
    Value isFirst = s.equal(at[0], in.index(0));
    Value previous = s.select(isFirst, in.index(0), s.sub(at[0], in.index(1)));
    auto slice = [&](Value t) { return clampIndex(in, toIndex(in, extract(in, order, t)), 0, n - 1); };
    Value same = slices.same(in, slice(previous), slice(at[0]));
    Value isNew = arith::OrIOp::create(
        in, isFirst, arith::XOrIOp::create(in, same, arith::ConstantOp::create(in, in.getBoolAttr(true))));
    return arith::ExtUIOp::create(in, i64, isNew);
  });
  auto numbering = [&](ImplicitLocOpBuilder &in, ValueRange values) {
    Scalars s{in};
    Value next = s.add(values[1], values[0]);
    plan::CheckOp::create(in, s.less(next, s.like(next, double(count))), shapeMismatch, next);
    return SmallVector<Value>{next, next};
  };
  Value numbers = kern::ScanOp::create(b, ValueRange{starts}, ValueRange{b.scalarInt(i64, -1)},
                                       ValueRange{b.empty(i64Tensor(b, {n}))}, 0, false, numbering)
                      .getResult(0);
  Value firstSlots = slots(b, starts, count, isNonZero);
  Value firsts = placed(b, order, firstSlots, count, /*empty=*/-1, keepUpdate);
  Value inverse = placed(b, numbers, order, n, /*empty=*/0, keepUpdate);
  Value ones = b.fill(i64Tensor(b, {n}), b.scalarInt(i64, 1));
  Value counts = placed(b, ones, numbers, count, /*empty=*/0, addUpdate);

  if (type->isDynamicDim(axis))
    b.measure(countUsed(b, firsts), count);
  if (!node.getSorted()) { // in the order of first occurrence; -1, which is unused, comes last
    Value appearance = sorted(b, firsts, 0, count, /*noSign=*/true, false);
    Value renumbered = placed(b, iota(b, count), appearance, count, 0, keepUpdate);
    firsts = taken(b, firsts, appearance);
    counts = taken(b, counts, appearance);
    inverse = taken(b, renumbered, inverse);
  }
  SmallVector<Value> results{slicesAt(b, *type, data, axis, firsts), firsts, inverse, counts};
  for (unsigned i = 1; i < results.size(); ++i) {
    if (isa<NoneType>(op->getResult(i).getType()))
      results[i] = nullptr;
    else
      results[i] = beginningOf(b, results[i], b.resultType(i));
  }
  return results;
}

//===- NonMaxSuppression ----------------------------------------------------===//

/// Boxes of one batch, as corners.
class Boxes {
public:
  Boxes(Value boxes, bool centers) : boxes(boxes), centers(centers) {}

  /// Whether the intersection over union of boxes i and j is above `threshold`.
  Value overlap(Lowering &b, Value batch, Value i, Value j, Value threshold) {
    Scalars s{b};
    Corners x = corners(b, batch, i), y = corners(b, batch, j);
    Value zero = s.like(threshold, 0);
    auto extent = [&](unsigned d) {
      return s.sub(s.min(x.high[d], y.high[d]), s.max(x.low[d], y.low[d]));
    };
    Value height = extent(0), width = extent(1);
    Value intersection = s.mul(height, width), areaX = area(s, x), areaY = area(s, y);
    Value both = s.sub(s.add(areaX, areaY), intersection);
    Value above = s.less(threshold, s.div(intersection, both));
    for (Value positive : {height, width, intersection, areaX, areaY, both})
      above = arith::AndIOp::create(b, above, s.less(zero, positive));
    return above;
  }

private:
  struct Corners {
    Value low[2], high[2];
  };

  Corners corners(Lowering &b, Value batch, Value i) {
    Scalars s{b};
    auto field = [&](int64_t f) { return extract(b, boxes, {batch, i, b.index(f)}); };
    Corners made;
    for (int64_t d = 0; d < 2; ++d) {
      Value first = field(d), second = field(d + 2);
      if (centers) {
        Value half = s.mul(second, s.like(second, 0.5));
        made.low[d] = s.sub(first, half);
        made.high[d] = s.add(first, half);
      } else {
        made.low[d] = s.min(first, second);
        made.high[d] = s.max(first, second);
      }
    }
    return made;
  }

  static Value area(Scalars &s, Corners &c) {
    return s.mul(s.sub(c.high[0], c.low[0]), s.sub(c.high[1], c.low[1]));
  }

  Value boxes;
  bool centers;
};

Value extractOr(Lowering &b, ValueRange operands, unsigned i, Value otherwise) {
  bool given = i < operands.size() && operands[i] && typeOf(operands[i]).getNumElements() == 1;
  return given ? extractOnly(b, operands[i]) : otherwise;
}

/// Greedy, by descending score within each batch and class. One sequential loop over
/// (batch, class, candidate) that appends to the result.
Results lowerNonMaxSuppression(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  auto node = cast<onnx::NonMaxSuppressionOp>(op);
  RankedTensorType scoreType = typeOf(operands[1]);
  if (typeOf(operands[0]).getRank() != 3 || scoreType.getRank() != 3 || type->getRank() != 2)
    return b.unsupported("needs boxes [batches, count, 4] and scores [batches, classes, count]");
  int64_t batches = scoreType.getDimSize(0), classes = scoreType.getDimSize(1),
          count = scoreType.getDimSize(2), most = batches * classes * count;
  if (typeOf(operands[0]).getShape() != ArrayRef<int64_t>{batches, count, 4})
    return b.unsupported("boxes and scores disagree");
  Type i64 = b.getI64Type();
  if (auto limit = b.constantInts(2); limit && limit->size() == 1)
    most = batches * classes * std::clamp<int64_t>(limit->front(), 0, count);
  int64_t selected = roomFor(type->getDimSize(0), most);
  if (selected == 0 || batches * classes * count == 0)
    return SmallVector<Value>{b.fill(*type, b.scalarInt(i64, 0))};
  RankedTensorType listType = i64Tensor(b, {selected, 3});
  Value order = sorted(b, operands[1], 2, count, /*noSign=*/false, /*descending=*/true);
  Boxes boxes(operands[0], node.getCenterPointBox() != 0);

  Value result = b.fill(listType, b.scalarInt(i64, -1));
  Value zero = b.index(0), one = b.index(1);
  // A loop of one round would be dissolved, and its scalars left outside of any kernel: a
  // second round then selects nothing.
  bool hasIdleRound = batches * classes == 1;
  auto groups = scf::ForOp::create(b, zero, b.index(hasIdleRound ? 2 : batches * classes), one,
                                   ValueRange{result, zero});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(groups.getBody());
    Value round = groups.getInductionVar();
    Value batch = hasIdleRound ? zero : Value(arith::DivUIOp::create(b, round, b.index(classes)));
    Value kind = hasIdleRound ? zero : Value(arith::RemUIOp::create(b, round, b.index(classes)));
    // Boxes kept of this batch and class.
    Value kept = b.empty(i64Tensor(b, {count}));
    auto candidates = scf::ForOp::create(
        b, zero, b.index(count), one,
        ValueRange{groups.getRegionIterArg(0), groups.getRegionIterArg(1), kept, zero});
    {
      OpBuilder::InsertionGuard inner(b);
      b.setInsertionPointToStart(candidates.getBody());
      Scalars s{b};
      Value list = candidates.getRegionIterArg(0), total = candidates.getRegionIterArg(1);
      kept = candidates.getRegionIterArg(2);
      Value here = candidates.getRegionIterArg(3);
      Value box = toIndex(b, extract(b, order, {batch, kind, candidates.getInductionVar()}));
      Value limit = toIndex(b, extractOr(b, operands, 2, b.scalarInt(i64, 0)));
      Value wanted = s.less(here, limit);
      if (hasIdleRound)
        wanted = arith::AndIOp::create(b, wanted, s.equal(round, zero));
      if (operands.size() > 4 && operands[4]) {
        Value score = extract(b, operands[1], {batch, kind, box});
        Value above = s.less(extractOr(b, operands, 4, score), score);
        wanted = arith::AndIOp::create(b, wanted, above);
      }
      Value threshold = extractOr(b, operands, 3, b.scalar(b.getF32Type(), 0));
      auto against = scf::ForOp::create(b, zero, here, one, ValueRange{wanted});
      {
        OpBuilder::InsertionGuard innermost(b);
        b.setInsertionPointToStart(against.getBody());
        Value other = toIndex(b, extract(b, kept, against.getInductionVar()));
        Value over = boxes.overlap(b, batch, box, other, threshold);
        scf::YieldOp::create(b, s.select(over, b.scalarInt(b.getI1Type(), 0),
                                         against.getRegionIterArg(0)));
      }
      Value take = against.getResult(0);
      Value room = s.less(total, b.index(selected));
      Value fits = arith::OrIOp::create(
          b, room, s.equal(take, b.scalarInt(b.getI1Type(), 0)));
      check(b, fits, shapeMismatch, total);
      // Written in any case; what is not taken is overwritten by the next, or put back.
      Value slot = s.min(total, b.index(selected - 1)),
            writes = arith::AndIOp::create(b, take, room);
      Value row[] = {batch, kind, box};
      for (auto [field, value] : llvm::enumerate(row)) {
        Value old = extract(b, list, {slot, b.index(field)});
        Value next = s.select(writes, fromIndex(b, value, i64), old);
        list = tensor::InsertOp::create(b, next, list, ValueRange{slot, b.index(field)});
      }
      kept = tensor::InsertOp::create(b, fromIndex(b, box, i64), kept, ValueRange{here});
      Value step = arith::IndexCastUIOp::create(b, b.getIndexType(), take);
      scf::YieldOp::create(b, ValueRange{list, s.add(total, step), kept, s.add(here, step)});
    }
    scf::YieldOp::create(b, ValueRange{candidates.getResult(0), candidates.getResult(1)});
  }
  Value rows = groups.getResult(0);
  if (type->isDynamicDim(0))
    b.measure(countUsed(b, rows), selected);
  return SmallVector<Value>{b.indexed(*type, [&](Lowering &in, ValueRange at) {
    Scalars s{in};
    Value entry = extract(in, rows, at);
    // Rows that nothing was written to.
    plan::CheckOp::create(in, s.lessEqual(s.like(entry, 0), entry), shapeMismatch, entry);
    return entry;
  })};
}

} // namespace

void burin::lower::registerSelection(RuleTable &table) {
  table.add<onnx::CompressOp>(lowerCompress);
  table.add<onnx::NonMaxSuppressionOp>(lowerNonMaxSuppression);
  table.add<onnx::NonZeroOp>(lowerNonZero);
  table.add<onnx::TopKOp>(lowerTopK);
  table.add<onnx::UniqueOp>(lowerUnique);
}
