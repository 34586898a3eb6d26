// SPDX-License-Identifier: Apache-2.0
//
// What is kept is data: TopK, Compress, NonZero, Unique. Where the
// model declares the size of a result, data that selects another number of elements is reported
// (shapeMismatch). Else there is room for all that could be kept, and how much is measured.

#include "compiler/lower/Access.h"
#include "compiler/lower/Indexing.h"
#include "compiler/lower/Selection.h"
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

} // namespace

//===- What selections share ---------------------------------------------------===//

RankedTensorType burin::lower::i64Tensor(Lowering &b, ArrayRef<int64_t> shape) {
  return RankedTensorType::get(shape, b.getI64Type());
}

Value burin::lower::sorted(Lowering &b, Value input, ArrayRef<onnx::SizeExpr> sizes, int64_t axis,
             const onnx::SizeExpr &count, bool noSign, bool descending) {
  SmallVector<onnx::SizeExpr> shape(sizes);
  shape[axis] = count;
  Value init = b.empty(b.tensorOf(shape, b.getI64Type()), b.openSizes(shape));
  return kern::SortOp::create(b, input, init, axis,
                              [&](ImplicitLocOpBuilder &in, ValueRange pair) {
                                return SmallVector<Value>{
                                    comesBefore(in, pair[0], pair[1], noSign, descending)};
                              })
      .getResult();
}

Value burin::lower::sorted(Lowering &b, Value input, int64_t axis, int64_t count, bool noSign, bool descending) {
  SmallVector<onnx::SizeExpr> sizes(typeOf(input).getShape());
  return sorted(b, input, sizes, axis, count, noSign, descending);
}

bool burin::lower::isMeasured(Lowering &b, const onnx::SizeExpr &size) {
  auto own = b.getOp()->getAttrOfType<StringAttr>(onnx::sizeAttrName);
  return own && size == onnx::SizeExpr::parse(own.getValue());
}

int64_t burin::lower::roomFor(int64_t size, int64_t most) { return ShapedType::isDynamic(size) ? most : size; }

FailureOr<int64_t> burin::lower::mostOf(Lowering &b, const std::optional<onnx::SizeExpr> &size) {
  auto range = size ? b.range(*size) : std::nullopt;
  if (!range || range->max < 0)
    return b.unsupported("it counts among more elements than fit 64 bits; give smaller ranges");
  return range->max;
}

Value burin::lower::countUsed(Lowering &b, Value list) {
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

namespace {

SmallVector<Value> sizesOfResult(Lowering &b, unsigned number) {
  return b.openSizes(b.sizes(b.getOp()->getResult(number)));
}

/// As much of `all` as the op's result `number` has, whose size may be measured.
Value beginningOf(Lowering &b, Value all, unsigned number) {
  RankedTensorType type = b.resultType(number);
  if (all.getType() == type && type.hasStaticShape())
    return all;
  // Said by the result: another one of the op can have its type and another size.
  return b.indexed(type, sizesOfResult(b, number),
                   [&](Lowering &in, ValueRange at) { return extract(in, all, at); });
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
  auto sizes = b.sizes(op->getOperand(0));
  const onnx::SizeExpr &size = sizes[*axis];
  onnx::SizeExpr k = b.sizes(op->getResult(0))[*axis];
  bool measures = isMeasured(b, k), knowsK = b.constantInts(1).has_value();
  if (measures)
    k = size;
  auto spare = size.minus(k);
  auto least = spare ? b.range(*spare) : std::nullopt;
  if (!least || least->min < 0)
    return b.unsupported("K is, or may be, more than the size of the axis; give that a range from K "
                         "on, for example with --dim NAME=K..MAX");
  Value places = sorted(b, input, sizes, *axis, k, hasNoSign(elementType(op->getOperand(0))),
                        node.getLargest() != 0);
  Value wanted = measures ? Value() : b.size(k);
  if (measures) {
    FailureOr<int64_t> most = mostOf(b, size);
    if (failed(most))
      return failure();
    Value count = operands[1];
    if (!size.constant()) { // of a larger one more would be read than there is
      Value limit = b.size(size);
      count = b.parallel(i64Tensor(b, typeOf(count).getShape()), {count},
                         {b.getMultiDimIdentityMap(typeOf(count).getRank())},
                         [&](Lowering &in, ValueRange elements) {
                           Scalars s{in};
                           Value given = toIndex(in, elements[0]);
                           check(in, s.lessEqual(given, limit), shapeMismatch, given);
                           return elements[0];
                         });
    }
    b.measure(count, *most);
    places = beginningOf(b, places, 1);
  }
  Value values = b.parallel(
      *type, {places}, {b.getMultiDimIdentityMap(type->getRank())},
      [&](Lowering &in, ValueRange elements) {
        Scalars s{in};
        if (!knowsK && !measures) {
          Value given = toIndex(in, extractOnly(in, operands[1]));
          check(in, s.equal(given, wanted), shapeMismatch, given);
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
Value placed(Lowering &b, Value values, Value places, const onnx::SizeExpr &count, int64_t empty,
             kern::BodyBuilder body) {
  Value indices = b.reshape(places, {typeOf(places).getDimSize(0), 1});
  Value init = b.fill(b.tensorOf({count}, b.getI64Type()), b.scalarInt(b.getI64Type(), empty),
                      b.openSizes({count}));
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
Value iota(Lowering &b, const onnx::SizeExpr &count) {
  RankedTensorType type = b.tensorOf({count}, b.getI64Type());
  return b.indexed(type, b.openSizes({count}), [](Lowering &in, ValueRange at) {
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
                              ValueRange{b.empty(i64Tensor(b, typeOf(vector).getShape()),
                                                 b.openSizesOf(vector))},
                              /*axis=*/0, /*reverse=*/false, body)
      .getResult(0);
}

Value isNonZero(ImplicitLocOpBuilder &in, Value x) {
  Scalars s{in};
  x = s.widen(x);
  return s.notEqual(x, s.like(x, 0));
}

/// Positions of the non-zero elements of a vector of `size`, of which there are `count`.
Value nonZeros(Lowering &b, Value vector, const onnx::SizeExpr &size, int64_t count) {
  return placed(b, iota(b, size), slots(b, vector, count, isNonZero), count, /*empty=*/-1, keepUpdate);
}

/// A slot of a list of positions as an index below `size`; an empty one is reported.
Value usedPosition(ImplicitLocOpBuilder &in, Value entry, Value size) {
  Scalars s{in};
  plan::CheckOp::create(in, s.lessEqual(s.like(entry, 0), entry), shapeMismatch, entry);
  return clampIndex(in, toIndex(in, entry), size);
}

/// The slices of `data` along `axis` at the first entries of `positions`.
Value slicesAt(Lowering &b, RankedTensorType type, Value data, int64_t axis, Value positions,
               const onnx::SizeExpr &length) {
  Value size = b.size(length);
  return b.indexed(type, sizesOfResult(b, 0), [&](Lowering &in, ValueRange indices) {
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
  auto sizes = b.sizes(op->getOperand(0));
  int64_t axis = 0;
  if (auto given = cast<onnx::CompressOp>(op).getAxis()) {
    FailureOr<int64_t> normal = normalizeAxis(b, *given, typeOf(data).getRank());
    if (failed(normal))
      return failure();
    axis = *normal;
  } else {
    std::optional<onnx::SizeExpr> total = productOf(sizes);
    if (failed(mostOf(b, total)))
      return failure();
    data = b.reshape(data, sizes, {*total});
    sizes.assign({*total});
  }
  onnx::SizeExpr size = sizes[axis], conditions = b.sizes(op->getOperand(1))[0],
                 result = b.sizes(op->getResult(0))[axis];
  FailureOr<int64_t> most = mostOf(b, conditions);
  if (failed(most))
    return failure();
  bool measures = isMeasured(b, result);
  FailureOr<int64_t> count = measures ? most : mostOf(b, result);
  auto spare = size.minus(conditions);
  auto least = spare ? b.range(*spare) : std::nullopt;
  if (failed(count) || !least || least->min < 0 || (!measures && !result.constant()))
    return b.unsupported("more conditions than elements along the axis, for some sizes that --dim "
                         "allows; fix them with --dim NAME=VALUE");
  Value positions = nonZeros(b, operands[1], conditions, *count);
  if (measures)
    b.measure(countUsed(b, positions), *count);
  return SmallVector<Value>{slicesAt(b, *type, data, axis, positions, size)};
}

Results lowerNonZero(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  RankedTensorType input = typeOf(operands[0]);
  if (isa<ComplexType>(input.getElementType()))
    return b.unsupported("complex numbers");
  auto sizes = b.sizes(op->getOperand(0));
  std::optional<onnx::SizeExpr> total = productOf(sizes);
  FailureOr<int64_t> most = mostOf(b, total);
  if (failed(most))
    return failure();
  int64_t count = roomFor(type->getDimSize(1), *most);
  if (type->getDimSize(0) == 0 || count == 0)
    return SmallVector<Value>{b.fill(*type, b.scalarInt(b.getI64Type(), 0))};
  Value positions = nonZeros(b, b.reshape(operands[0], sizes, {*total}), *total, count);
  if (type->isDynamicDim(1))
    b.measure(countUsed(b, positions), count);
  Value all = b.size(*total), one = b.index(1);
  SmallVector<Value> extents = llvm::map_to_vector(sizes, [&](const onnx::SizeExpr &size) { return b.size(size); });
  return SmallVector<Value>{b.indexed(*type, [&](Lowering &in, ValueRange indices) {
    Scalars s{in};
    Value position = usedPosition(in, extract(in, positions, indices[1]), all), row = indices[0];
    // Row d holds the coordinates along dimension d.
    Value coordinate = in.index(0);
    Value stride = one;
    for (int64_t d = input.getRank() - 1; d >= 0; --d) {
      Value rest = arith::DivUIOp::create(in, position, stride);
      Value here = arith::RemUIOp::create(in, rest, extents[d]);
      coordinate = s.select(s.equal(row, in.index(d)), here, coordinate);
      stride = in.createOrFold<arith::MulIOp>(stride, extents[d]);
    }
    return fromIndex(in, coordinate, in.getI64Type());
  })};
}

//===- Unique ---------------------------------------------------------------===//

/// Slices along the first dim of a matrix: their order and equality.
class Slices {
public:
  /// A matrix of `n` rows of `width`.
  Slices(Lowering &b, Value matrix, const onnx::SizeExpr &n, const onnx::SizeExpr &width, bool noSign)
      : matrix(matrix), n(n), rows(b.size(n)), columns(b.size(width)), noSign(noSign) {}

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
    if (typeOf(matrix).getDimSize(1) == 1)
      return sorted(b, b.reshape(matrix, {typeOf(matrix).getDimSize(0)}), {n}, 0, n, noSign,
                    /*descending=*/false);
    // Whole slices are ranked by counting those that come before.
    auto place = [&](Lowering &in, ValueRange at) -> Value {
      Value rank = loop(in, rows, in.index(0), [&](Lowering &inner, Value j, Value so) -> Value {
        Value less = before(inner, j, at[0]), equal = same(inner, j, at[0]);
        Value earlier = arith::AndIOp::create(inner, equal, Scalars{inner}.less(j, at[0]));
        Value comes = arith::OrIOp::create(inner, less, earlier);
        return arith::AddIOp::create(
            inner, so, arith::IndexCastUIOp::create(inner, inner.getIndexType(), comes));
      });
      return fromIndex(in, rank, in.getI64Type());
    };
    Value ranks = b.indexed(b.tensorOf({n}, b.getI64Type()), b.openSizes({n}), place);
    return placed(b, iota(b, n), ranks, n, /*empty=*/0, keepUpdate);
  }

private:
  using Step = llvm::function_ref<Value(Lowering &, Value index, Value carried)>;

  static Value loop(Lowering &b, Value count, Value init, Step step) {
    auto loop = scf::ForOp::create(b, b.index(0), count, b.index(1), ValueRange{init});
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    scf::YieldOp::create(b, step(b, loop.getInductionVar(), loop.getRegionIterArg(0)));
    return loop.getResult(0);
  }
  Value forEach(Lowering &b, Value init, Step step) {
    return loop(b, columns, init, step);
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
  onnx::SizeExpr n;
  Value rows, columns; // how many
  bool noSign;
};

/// list[places[...]], both vectors of i64.
Value taken(Lowering &b, Value list, Value places) {
  Value size = b.createOrFold<tensor::DimOp>(list, b.index(0));
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
  int64_t axis = 0;
  auto sizes = b.sizes(op->getOperand(0));
  std::optional<onnx::SizeExpr> total = productOf(sizes);
  if (failed(mostOf(b, total)))
    return failure();
  onnx::SizeExpr n = *total, width = 1;
  Value matrix;
  if (auto given = node.getAxis()) {
    int64_t rank = typeOf(data).getRank();
    FailureOr<int64_t> normal = normalizeAxis(b, *given, rank);
    if (failed(normal))
      return failure();
    axis = *normal;
    SmallVector<int64_t> perm{axis};
    SmallVector<onnx::SizeExpr> turned{sizes[axis]};
    for (int64_t d = 0; d < rank; ++d)
      if (d != axis) {
        perm.push_back(d);
        turned.push_back(sizes[d]);
      }
    n = sizes[axis];
    width = productOf(ArrayRef(turned).drop_front()).value_or(*total); // no more than all
    matrix = b.reshape(b.transpose(data, perm), turned, {n, width});
  } else {
    data = b.reshape(data, sizes, {n});
    sizes.assign({n});
    matrix = b.reshape(data, {n}, {n, width});
  }
  auto most = mostOf(b, n);
  if (failed(most) || b.range(*total)->max == 0 || llvm::is_contained(type->getShape(), 0))
    return b.unsupported("an empty operand");
  Slices slices(b, matrix, n, width, hasNoSign(elementType(op->getOperand(0))));
  int64_t count = roomFor(type->getDimSize(axis), *most);
  if (type->isDynamicDim(axis) && !isMeasured(b, b.sizes(op->getResult(0))[axis]))
    return b.unsupported("a result of a declared size that is a range");
  RankedTensorType vector = b.tensorOf({n}, b.getI64Type());
  SmallVector<Value> open = b.openSizes({n});
  Value last = b.createOrFold<arith::SubIOp>(b.size(n), b.index(1));
  Type i64 = b.getI64Type();

  // Along the sorted slices: 1 where a new value starts, then the value's number.
  Value order = slices.order(b);
  Value starts = b.indexed(vector, open, [&](Lowering &in, ValueRange at) -> Value {
    Scalars s{in};
    Value isFirst = s.equal(at[0], in.index(0));
    Value previous = s.select(isFirst, in.index(0), s.sub(at[0], in.index(1)));
    auto slice = [&](Value t) {
      return s.min(s.max(toIndex(in, extract(in, order, t)), in.index(0)), last);
    };
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
                                       ValueRange{b.empty(vector, open)}, 0, false, numbering)
                      .getResult(0);
  Value firstSlots = slots(b, starts, count, isNonZero);
  Value firsts = placed(b, order, firstSlots, count, /*empty=*/-1, keepUpdate);
  Value inverse = placed(b, numbers, order, n, /*empty=*/0, keepUpdate);
  Value ones = b.fill(vector, b.scalarInt(i64, 1), open);
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
  SmallVector<Value> results{slicesAt(b, *type, data, axis, firsts, sizes[axis]),
                             firsts, inverse, counts};
  for (unsigned i = 1; i < results.size(); ++i) {
    if (isa<NoneType>(op->getResult(i).getType()))
      results[i] = nullptr;
    else
      results[i] = beginningOf(b, results[i], i);
  }
  return results;
}

} // namespace

void burin::lower::registerSelection(RuleTable &table) {
  table.add<onnx::CompressOp>(lowerCompress, Sizes::Dynamic);
  registerNonMaxSuppression(table);
  table.add<onnx::NonZeroOp>(lowerNonZero, Sizes::Dynamic);
  table.add<onnx::TopKOp>(lowerTopK, Sizes::Dynamic);
  table.add<onnx::UniqueOp>(lowerUnique, Sizes::Dynamic);
}
