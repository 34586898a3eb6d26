// SPDX-License-Identifier: Apache-2.0
//
// TfIdfVectorizer over integers: how often each n-gram of a fixed pool occurs in each row.

#include "compiler/lower/Access.h"
#include "compiler/lower/Indexing.h"
#include "dialects/onnx/OnnxOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

#include <map>

using namespace mlir;
using namespace burin;
using namespace burin::lower;

namespace {

/// The pool by the column that counts it: `grams` of at most `length` elements in each, the
/// unused ones of length 0.
struct Pool {
  int64_t columns = 0, grams = 1, length = 1;
  SmallVector<int64_t> lengths;  // [columns, grams]
  SmallVector<int64_t> elements; // [columns, grams, length]
  SmallVector<float> weights;    // [columns], or none
};

/// More entries than this are no sensible table.
constexpr int64_t maxEntries = int64_t(1) << 26;

FailureOr<Pool> readPool(Lowering &b, onnx::TfIdfVectorizerOp op, int64_t columns) {
  constexpr StringRef malformed =
      "its pool is not what 'ngram_counts' and 'ngram_indexes' say; correct the node";
  if (!op.getPoolInt64s())
    return b.unsupported("a pool of strings; encode its words as integers before the model");
  ArrayRef<int64_t> pool = *op.getPoolInt64s(), starts = op.getNgramCounts(),
                    indexes = op.getNgramIndexes();
  const int64_t shortest = op.getMinGramLength(), longest = op.getMaxGramLength();
  ArrayRef<float> weights = op.getWeights().value_or(ArrayRef<float>());
  if (!weights.empty() && weights.size() != indexes.size())
    return b.unsupported("another number of weights than of n-grams");
  // Of equal n-grams the last counts.
  std::map<std::vector<int64_t>, size_t> numberOf;
  size_t number = 0;
  for (size_t i = 0; i < starts.size(); ++i) {
    int64_t size = int64_t(i) + 1, begin = starts[i];
    int64_t end = i + 1 < starts.size() ? starts[i + 1] : int64_t(pool.size());
    if (begin < 0 || end < begin || end > int64_t(pool.size()) || (end - begin) % size != 0)
      return b.unsupported(malformed);
    for (; begin < end; begin += size, ++number) {
      if (number >= indexes.size() || indexes[number] < 0 || indexes[number] >= columns)
        return b.unsupported(malformed);
      if (size >= shortest && size <= longest)
        numberOf[std::vector<int64_t>(pool.begin() + begin, pool.begin() + begin + size)] = number;
    }
  }
  Pool result;
  result.columns = columns;
  std::map<int64_t, int64_t> used;
  for (const auto &[gram, number] : numberOf) {
    result.length = std::max<int64_t>(result.length, gram.size());
    result.grams = std::max(result.grams, ++used[indexes[number]]);
  }
  int64_t entries;
  if (llvm::MulOverflow(columns, result.grams, entries) ||
      llvm::MulOverflow(entries, result.length, entries) || entries > maxEntries)
    return b.unsupported("a table of more than 2^26 entries");
  result.lengths.resize(columns * result.grams);
  result.elements.resize(entries);
  std::vector<bool> isWeighed(columns);
  if (!weights.empty())
    result.weights.resize(columns);
  for (const auto &[gram, number] : numberOf) {
    int64_t column = indexes[number], row = column * result.grams + --used[column];
    if (!weights.empty()) {
      float &weight = result.weights[column];
      if (isWeighed[column] && weight != weights[number])
        return b.unsupported("n-grams of one column with different weights");
      weight = weights[number];
      isWeighed[column] = true;
    }
    result.lengths[row] = gram.size();
    llvm::copy(gram, result.elements.begin() + row * result.length);
  }
  return result;
}

Value table(Lowering &b, ArrayRef<int64_t> shape, ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get(shape, b.getI64Type());
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, values));
}

/// [rows, columns]: for every place of a row, every skip and every n-gram of a column, 1 where
/// the n-gram begins there.
Value count(Lowering &b, Value rows, const Pool &pool, int64_t skips) {
  Value lengths = table(b, {pool.columns, pool.grams}, pool.lengths);
  Value elements = table(b, {pool.columns, pool.grams, pool.length}, pool.elements);
  int64_t size = typeOf(rows).getDimSize(1);
  Type i64 = b.getI64Type();
  // The extents of a sum are those of an operand that is not read.
  Value extents = b.empty(RankedTensorType::get({pool.grams, skips, size}, i64));
  AffineMap map = AffineMap::get(
      5, 0, {b.getAffineDimExpr(2), b.getAffineDimExpr(3), b.getAffineDimExpr(4)}, b.getContext());
  return b.reduce(
      {typeOf(rows).getDimSize(0), pool.columns, pool.grams, skips, size}, {2, 3, 4}, {extents},
      {map}, b.scalarInt(i64, 0), [&](Lowering &in, ValueRange values) -> Value {
        Scalars s{in};
        auto loop = [&](int64_t d) -> Value { return linalg::IndexOp::create(in, d); };
        auto both = [&](Value x, Value y) -> Value { return arith::AndIOp::create(in, x, y); };
        auto either = [&](Value x, Value y) -> Value { return arith::OrIOp::create(in, x, y); };
        Value column = loop(1), gram = loop(2), skip = loop(3), place = loop(4);
        Value length = extract(in, lengths, {column, gram});
        // One element alone skips nothing: it counts once.
        Value found = either(s.less(s.like(length, 1), length),
                             both(s.equal(length, s.like(length, 1)), s.equal(skip, in.index(0))));
        Value step = arith::AddIOp::create(in, skip, in.index(1));
        for (int64_t k = 0; k < pool.length; ++k) {
          Value inside = s.less(place, in.index(size));
          Value at = arith::MinSIOp::create(in, place, in.index(size - 1));
          Value element = extract(in, rows, {loop(0), at});
          if (element.getType() != i64)
            element = arith::ExtSIOp::create(in, i64, element);
          Value wanted = extract(in, elements, {column, gram, in.index(k)});
          Value ended = s.lessEqual(length, s.like(length, double(k)));
          found = both(found, either(ended, both(inside, s.equal(element, wanted))));
          place = arith::AddIOp::create(in, place, step);
        }
        return arith::AddIOp::create(in, values[1], arith::ExtUIOp::create(in, i64, found));
      });
}

Results lowerTfIdfVectorizer(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  auto node = cast<onnx::TfIdfVectorizerOp>(op);
  RankedTensorType input = typeOf(operands[0]);
  StringRef mode = node.getMode();
  int64_t columns = type->getShape().back();
  if (!llvm::is_contained({"TF", "IDF", "TFIDF"}, mode))
    return b.unsupported("mode '" + mode + "'");
  if (!isa<IntegerType>(input.getElementType()) || !input.hasStaticShape())
    return b.unsupported("an input that is not of integers and of known shape");
  FailureOr<Pool> pool = readPool(b, node, columns);
  if (failed(pool))
    return failure();
  int64_t size = input.getShape().back(), rows = input.getRank() == 2 ? input.getDimSize(0) : 1;
  if (size == 0)
    return SmallVector<Value>{b.fill(*type, b.scalar(type->getElementType(), 0))};
  // A longer skip leads out of the row.
  int64_t most = pool->length > 1 ? std::max<int64_t>(size - 1, 1) : 1, skips = 1;
  if (llvm::AddOverflow(int64_t(node.getMaxSkipCount()), int64_t(1), skips) || skips > most)
    skips = most;
  if (skips < 1)
    return b.unsupported("a negative 'max_skip_count'");
  Value counts = b.reshape(count(b, b.reshape(operands[0], {rows, size}), *pool, skips),
                           type->getShape());
  SmallVector<Value> inputs{counts};
  if (mode != "TF" && !pool->weights.empty()) {
    auto row = RankedTensorType::get({columns}, b.getF32Type());
    inputs.push_back(arith::ConstantOp::create(
        b, DenseElementsAttr::get(row, ArrayRef<float>(pool->weights))));
  }
  return SmallVector<Value>{b.broadcasting(*type, inputs, [&](Lowering &in, ValueRange values) {
    Scalars s{in};
    Value number = values[0];
    if (mode == "IDF")
      number = s.min(number, s.like(number, 1));
    Value result = arith::SIToFPOp::create(in, in.getF32Type(), number);
    return inputs.size() > 1 ? s.mul(result, values[1]) : result;
  })};
}

} // namespace

void burin::lower::registerNGrams(RuleTable &table) {
  table.add<onnx::TfIdfVectorizerOp>(lowerTfIdfVectorizer);
}
