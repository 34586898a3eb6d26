// SPDX-License-Identifier: Apache-2.0
//
// Attention: a product of queries and keys, a softmax over its rows, a product with values. Scale,
// cap and masks are the first product's epilogue. A group of queries reads its head of keys and
// values through the maps of the products: nothing is repeated. Of f32 the products are
// kern.contract; other types round where ONNX's definition by other operators does.

#include "compiler/lower/Access.h"
#include "compiler/lower/Contract.h"
#include "compiler/lower/Reduction.h"
#include "dialects/onnx/ElementTypes.h"
#include "dialects/onnx/OnnxOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace burin;
using namespace burin::lower;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

class Attention {
public:
  Attention(Lowering &b, onnx::AttentionOp node, ValueRange operands)
      : b(b), node(node), operands(operands) {}

  Results lower() {
    if (failed(checkTypes()) || failed(takeHeads()))
      return failure();
    FailureOr<Value> presentKey = present(k, pastKey), presentValue = present(v, pastValue);
    if (failed(presentKey) || failed(presentValue))
      return failure();
    k = *presentKey;
    v = *presentValue;
    total = typeOf(k).getDimSize(2);
    if (failed(takeMasks()))
      return failure();
    Value shown; // the optional fourth result
    Value scores = convert(this->scores(shown), precision);
    SmallVector<Value> results{asResult(values(scores, shown)), k, v, nullptr};
    if (isUsed(3))
      results[3] = b.reshape(shown, b.resultType(3).getShape());
    return results;
  }

private:
  //===- Operands -----------------------------------------------------------===//

  bool isUsed(unsigned result) { return !isa<NoneType>(node->getResult(result).getType()); }

  LogicalResult checkTypes() {
    for (Value value : node->getOperands())
      if (auto type = dyn_cast<RankedTensorType>(value.getType());
          !isa<NoneType>(value.getType()) && (!type || !b.hasRanges(type)))
        return b.unsupported("a shape is known only when the model runs; fix the sizes it depends "
                             "on with --dim NAME=VALUE");
    element = typeOf(operands[0]).getElementType();
    if (!isa<FloatType>(element))
      return b.unsupported("elements that are not floats");
    for (unsigned i : {1, 2, 4, 5})
      if (!b.isAbsent(i) && typeOf(operands[i]).getElementType() != element)
        return b.unsupported("queries, keys and values of several element types; cast them to one");
    isSingle = element.isF32();
    precision = element;
    if (auto number = node.getSoftmaxPrecision()) {
      precision = onnx::elementTypeOf(b.getContext(), int64_t(*number));
      if (!precision || !isa<FloatType>(precision))
        return b.unsupported("softmax_precision must name a float type");
    }
    left = int64_t(node.getLeftWindowSize());
    right = int64_t(node.getRightWindowSize());
    if (left < -1 || right < -1)
      return b.unsupported("a window must be -1 (unbounded), 0 or more");
    if (!b.isAbsent(6) && !b.isAbsent(4))
      return b.unsupported(
          "nonpad_kv_seqlen and a past come from two kinds of caches; leave one out");
    int64_t mode = node.getQkMatmulOutputMode();
    return mode < 0 || mode > 3 ? b.unsupported("qk_matmul_output_mode must be 0 to 3") : success();
  }

  /// q, k and v as [batch, heads, length, size].
  LogicalResult takeHeads() {
    auto heads = [&](unsigned operand, std::optional<uint64_t> count) -> Value {
      Value x = operands[operand];
      ArrayRef<int64_t> shape = typeOf(x).getShape();
      if (shape.size() == 4)
        return x;
      if (shape.size() != 3 || !count || *count == 0 || ShapedType::isDynamic(shape[2]) ||
          shape[2] % int64_t(*count) != 0)
        return nullptr;
      int64_t heads = int64_t(*count);
      return b.transpose(b.reshape(x, {shape[0], shape[1], heads, shape[2] / heads}), {0, 2, 1, 3});
    };
    if (!b.isAbsent(4) && !b.isAbsent(5)) {
      pastKey = operands[4];
      pastValue = operands[5];
    }
    q = heads(0, node.getQNumHeads());
    k = heads(1, node.getKvNumHeads());
    v = heads(2, node.getKvNumHeads());
    if (!q || !k || !v)
      return b.unsupported(
          "needs operands [batch, heads, length, size], or of rank 3 with numbers of "
          "heads that divide their last size");
    ArrayRef<int64_t> queries = typeOf(q).getShape(), keys = typeOf(k).getShape();
    batch = queries[0];
    keyHeads = keys[1];
    length = queries[2];
    fresh = keys[2];
    size = queries[3];
    for (int64_t fixed :
         {queries[1], keyHeads, size, typeOf(v).getDimSize(1), typeOf(v).getDimSize(3)})
      if (ShapedType::isDynamic(fixed))
        return b.unsupported(
            "heads and their sizes must be fixed; give them with --dim NAME=VALUE");
    if (keyHeads == 0 || queries[1] % keyHeads != 0 || typeOf(v).getDimSize(1) != keyHeads ||
        keys[3] != size || size == 0)
      return b.unsupported("queries, keys and values whose sizes do not go together");
    // Sizes of one value that may change are compared as what they are.
    SmallVector<onnx::SizeExpr> ofQ = b.sizes(node.getQ()), ofK = b.sizes(node.getK()),
                                ofV = b.sizes(node.getV());
    size_t lengthAt = ofQ.size() - 2;
    freshLength = ofK[lengthAt];
    queryLength = ofQ[lengthAt];
    batchSize = ofQ[0];
    SmallVector<std::tuple<Value *, onnx::SizeExpr, int64_t>> batches{
        {&q, ofQ[0], 0}, {&k, ofK[0], 0}, {&v, ofV[0], 0}};
    SmallVector<std::tuple<Value *, onnx::SizeExpr, int64_t>> lengths{
        {&k, ofK[lengthAt], 2}, {&v, ofV[ofV.size() - 2], 2}};
    if (!b.isAbsent(4)) {
      SmallVector<onnx::SizeExpr> ofKey = b.sizes(node.getPastKey()),
                                  ofValue = b.sizes(node.getPastValue());
      if (ofKey.size() != 4 || ofValue.size() != 4)
        return b.unsupported("a past that is not [batch, heads, length, size]");
      batches.append({{&pastKey, ofKey[0], 0}, {&pastValue, ofValue[0], 0}});
      pastLength = ofKey[2];
      if (failed(unify(pastLength, {{&pastKey, ofKey[2], 2}, {&pastValue, ofValue[2], 2}})))
        return failure();
    }
    if (failed(unify(batchSize, batches)) || failed(unify(freshLength, lengths)))
      return failure();
    batch = typeOf(q).getDimSize(0);
    fresh = typeOf(k).getDimSize(2);
    totalLength = pastLength.plus(freshLength);
    if (!totalLength)
      return b.unsupported("a sum of sizes that is too long; fix some of them with --dim NAME=VALUE");
    group = queries[1] / keyHeads;
    // One query per head: those of a group are the rows that share keys.
    isMerged = group > 1 && length == 1 && typeOf(q).hasStaticShape();
    return success();
  }

  /// Sizes of several tensors that are one in each run: `size` is a number where one of them is,
  /// and what is open elsewhere has it, too.
  LogicalResult unify(onnx::SizeExpr &size,
                      ArrayRef<std::tuple<Value *, onnx::SizeExpr, int64_t>> places) {
    for (const auto &[value, has, dim] : places)
      if (has.constant())
        size = has;
    for (const auto &[value, has, dim] : places) {
      if (has.constant() && size.constant() && !(has == size))
        return b.unsupported("queries, keys and values whose sizes do not go together");
      if (std::string why = b.agree(has, size); !why.empty())
        return b.unsupported(why);
      RankedTensorType type = typeOf(*value);
      if (!size.constant() || !type.isDynamicDim(dim))
        continue;
      SmallVector<int64_t> shape(type.getShape());
      shape[dim] = *size.constant();
      *value = tensor::CastOp::create(b, RankedTensorType::get(shape, element), *value);
    }
    return success();
  }

  /// The keys or values so far with the new ones behind them.
  FailureOr<Value> present(Value x, Value past) {
    if (!past)
      return x;
    if (typeOf(past).getDimSize(1) != keyHeads ||
        typeOf(past).getDimSize(3) != typeOf(x).getDimSize(3))
      return b.unsupported("a past whose heads are not those of the keys and values");
    SmallVector<onnx::SizeExpr> sizes{batchSize, keyHeads, *totalLength, typeOf(x).getDimSize(3)};
    return joined(b, Lowering::tensorOf(sizes, element), b.openSizes(sizes), {past, x},
                  {pastLength, freshLength}, 2);
  }

  //===- Masks --------------------------------------------------------------===//

  /// What is added to the scores (floats), or says where they count (i8).
  struct Mask {
    Value value;
    double excluded = -infinity; // in place of a score that does not count
  };

  LogicalResult takeMasks() {
    if (!b.isAbsent(3)) {
      Value mask = operands[3];
      Type type = elementType(node.getAttnMask());
      bool isBool = lower::isBool(type);
      if (!isBool && type != element)
        return b.unsupported("a mask that is neither of booleans nor of the queries' element type; "
                             "cast it");
      SmallVector<int64_t> shape(typeOf(mask).getShape());
      if (shape.size() > 4)
        return b.unsupported("a mask of rank 5 or more");
      SmallVector<onnx::SizeExpr> sizes = b.sizes(node.getAttnMask());
      const onnx::SizeExpr wanted[] = {batchSize, keyHeads * group, queryLength, *totalLength};
      for (auto [given, full] : llvm::zip_equal(
               sizes, ArrayRef(wanted).drop_front(4 - sizes.size())))
        if (std::string why = given.constant() && (full.constant() || given.constant() == 1)
                                  ? ""
                                  : b.agree(given, full);
            !why.empty())
          return b.unsupported(why);
      if (!shape.empty() && shape.back() != total && shape.back() != 1) {
        if (ShapedType::isDynamic(total) || !typeOf(mask).hasStaticShape())
          return b.unsupported(needsFixedSize);
        if (shape.back() > total)
          return b.unsupported("a mask longer than there are keys");
        shape.back() = total;
        Value padding = isBool ? b.scalarInt(b.getI8Type(), 0) : b.scalar(element, -infinity);
        SmallVector<int64_t> offsets(shape.size(), 0);
        mask = padded(b, mask, shape, offsets, padding);
      }
      Mask taken{mask};
      if (auto given = node.getExcluded())
        taken.excluded = given->convertToDouble();
      masks.push_back(taken);
    }
    if (needsPositions())
      masks.push_back({positions()});
    for (Mask &mask : masks) {
      FailureOr<Value> aligned = alignToRows(mask.value);
      if (failed(aligned))
        return b.unsupported("a mask that does not broadcast to [batch, heads, queries, keys]");
      mask.value = *aligned;
    }
    return success();
  }

  /// Whether every key of some row may be excluded by -infinity, and ONNX has 0 for it.
  bool isGuarded() {
    return !node.getUnguarded() && (!b.isAbsent(3) || !b.isAbsent(6) || left >= 0 || right >= 0);
  }

  bool needsPositions() {
    // The first query, where it is the last key too, looks at all.
    bool isCausal = node.getIsCausal() != 0 && (fresh != 1 || !b.isAbsent(6));
    return isCausal || !b.isAbsent(6) || left >= 0 || right >= 0;
  }

  /// Where a key's position counts for a query's: i8 [batch or 1, 1, queries, keys].
  Value positions() {
    bool perBatch = !b.isAbsent(6);
    auto type = RankedTensorType::get({perBatch ? batch : 1, 1, length, total}, b.getI8Type());
    SmallVector<Value> sizes;
    const onnx::SizeExpr all[] = {batchSize, 1, queryLength, *totalLength};
    for (auto [d, size] : llvm::enumerate(all))
      if (type.isDynamicDim(d))
        sizes.push_back(b.size(size));
    Value past = b.isAbsent(4) ? Value() : b.size(pastLength), queries = b.size(queryLength);
    return b.indexed(type, sizes, [&](Lowering &in, ValueRange at) {
      return isVisible(in, at, past, queries);
    });
  }

  /// `past` is null where there is none.
  Value isVisible(Lowering &in, ValueRange at, Value past, Value queries) {
    Scalars s{in};
    Value row = at[2], key = at[3];
    Value ok = s.constantInt(in.getI1Type(), 1), place = row;
    auto require = [&](Value condition) { ok = arith::AndIOp::create(in, ok, condition); };
    if (!b.isAbsent(6)) {
      Value valid = toIndex(in, extract(in, operands[6], at[0]));
      require(s.less(key, valid));
      place = s.add(row, s.sub(valid, queries));
    } else if (past) {
      place = s.add(row, past);
    }
    if (node.getIsCausal())
      require(s.lessEqual(key, place));
    if (left >= 0)
      require(s.lessEqual(s.sub(place, key), in.index(left)));
    if (right >= 0)
      require(s.lessEqual(s.sub(key, place), in.index(right)));
    return arith::ExtUIOp::create(in, in.getI8Type(), ok);
  }

  /// A mask that broadcasts to [batch, heads, queries, keys] as one that does to the rows.
  FailureOr<Value> alignToRows(Value mask) {
    SmallVector<int64_t> shape(typeOf(mask).getShape());
    shape.insert(shape.begin(), 4 - shape.size(), 1);
    const int64_t wanted[] = {batch, keyHeads * group, length, total};
    for (auto [given, full] : llvm::zip_equal(shape, wanted))
      if (given != full && given != 1 && !ShapedType::isDynamic(given) &&
          !ShapedType::isDynamic(full))
        return failure();
    if (group == 1)
      return mask;
    bool perHead = shape[1] != 1;
    SmallVector<int64_t> aligned{shape[0], perHead ? keyHeads : 1, perHead ? group : 1};
    if (!isMerged)
      aligned.push_back(shape[2]);
    aligned.push_back(shape[3]);
    return b.reshape(mask, aligned);
  }

  //===- Products -----------------------------------------------------------===//

  /// The rows of both products: [batch, heads of keys, queries of a group, length], less what is 1.
  SmallVector<int64_t> rows(int64_t last) {
    SmallVector<int64_t> shape{batch, keyHeads};
    if (group > 1)
      shape.push_back(group);
    if (!isMerged)
      shape.push_back(length);
    shape.push_back(last);
    return shape;
  }

  /// rows x [batch, heads of keys, size or total, columns]: `left` is [rows..., k]; of `right`, its
  /// dim `column` stands for the columns and the other for k.
  Value product(Value left, Value right, unsigned column, Lowering::Body body = nullptr,
                ValueRange extras = {}, ArrayRef<AffineMap> extraMaps = {}) {
    ArrayRef<int64_t> shape = typeOf(right).getShape();
    int64_t depth = shape[column == 2 ? 3 : 2];
    SmallVector<int64_t> result = rows(shape[column]);
    unsigned loops = result.size();
    SmallVector<Value> dynamic;
    for (auto [d, size] : llvm::enumerate(result))
      if (ShapedType::isDynamic(size))
        dynamic.push_back(d + 1 < result.size()
                              ? tensor::DimOp::create(b, left, int64_t(d))
                              : tensor::DimOp::create(b, right, int64_t(column)));
    auto reads = [&](ArrayRef<unsigned> dims) {
      SmallVector<AffineExpr> exprs;
      for (unsigned d : dims)
        exprs.push_back(b.getAffineDimExpr(d));
      return AffineMap::get(loops + 1, 0, exprs, b.getContext());
    };
    SmallVector<unsigned> leftDims = llvm::to_vector(llvm::seq<unsigned>(0, loops));
    leftDims.back() = loops; // k
    if (!isSingle) {
      AffineMap rightMap =
          column == 2 ? reads({0, 1, loops - 1, loops}) : reads({0, 1, loops, loops - 1});
      Value sum = multiplyAccumulate(b, result, accumulatorType(element),
                                     {{left, reads(leftDims)}, {right, rightMap}}, 1, {}, dynamic);
      return convert(sum, element);
    }
    auto type = RankedTensorType::get(result, element);
    if (isReadInPlace(right, ArrayRef(result).drop_front(2).drop_back())) {
      SmallVector<AffineExpr> place;
      for (unsigned d : {0, 1})
        place.push_back(shape[d] == 1 ? b.getAffineConstantExpr(0) : b.getAffineDimExpr(d));
      place.append({b.getAffineDimExpr(loops), b.getAffineDimExpr(loops - 1)});
      if (column == 2)
        std::swap(place[2], place[3]);
      return contract(b, type, left, right, reads(leftDims),
                      AffineMap::get(loops + 1, 0, place, b.getContext()), {depth}, extras, body,
                      dynamic, {}, extraMaps);
    }
    SmallVector<int64_t> panelShape, permutation;
    SmallVector<AffineExpr> leading;
    for (unsigned d : {0, 1})
      if (shape[d] != 1) {
        permutation.push_back(panelShape.size());
        leading.push_back(b.getAffineDimExpr(d));
        panelShape.push_back(shape[d]);
      }
    int64_t outer = panelShape.size(), columnAt = outer + column - 2;
    panelShape.append({shape[2], shape[3]});
    permutation.append({columnAt, 2 * outer + 1 - columnAt});
    Value panels;
    if (typeOf(right).hasStaticShape()) {
      panels = packPanels(b, right, panelShape, permutation, outer);
    } else {
      Value matrices = column == 2 ? b.transpose(right, {0, 1, 3, 2}) : right;
      SmallVector<int64_t> whole(typeOf(matrices).getShape().take_back(2));
      whole.insert(whole.begin(), panelShape.begin(), panelShape.begin() + outer);
      panels = packColumns(b, b.reshape(matrices, whole));
    }
    return contract(b, type, left, panels, reads(leftDims),
                    AffineMap::get(loops, 0, leading, b.getContext()), {depth}, extras, body,
                    dynamic, {}, extraMaps);
  }

  double scale() {
    if (auto given = node.getScale())
      return given->convertToDouble();
    return 1 / std::sqrt(double(size));
  }

  /// What is done to a score before the softmax; each step rounds to the element type.
  Value scaled(Scalars &s, Value x) { return s.mul(x, s.like(x, scale())); }
  Value capped(Scalars &s, Value x) {
    double cap = node.getSoftcap().convertToDouble();
    if (cap == 0)
      return x;
    Value bound = s.like(x, cap);
    return round(s, s.mul(round(s, s.tanh(round(s, s.div(x, bound)))), bound));
  }
  Value masked(Scalars &s, Value x, ValueRange given) {
    for (auto [mask, value] : llvm::zip_equal(masks, given)) {
      Value excluded = s.like(x, mask.excluded);
      if (isa<IntegerType>(value.getType())) {
        x = s.select(s.notEqual(value, s.constantInt(value.getType(), 0)), x, excluded);
        continue;
      }
      Value wide = s.widen(value), sum = round(s, s.add(x, wide));
      // A row that is excluded wholly is 0, whatever its scores are.
      x = isGuarded() ? s.select(s.equal(wide, excluded), excluded, sum) : sum;
    }
    return x;
  }
  Value round(Scalars &s, Value x) {
    return x.getType() == element ? x : s.widen(s.narrow(x, element));
  }

  Value scores(Value &shown) {
    SmallVector<Value> added =
        llvm::map_to_vector(masks, [](const Mask &mask) { return mask.value; });
    int64_t mode = isUsed(3) ? int64_t(node.getQkMatmulOutputMode()) : 3;
    Value left = b.reshape(q, rows(size)), right = k;
    bool capsFirst = mode != 0, masksFirst = mode >= 2;
    auto first = [&](Scalars &s, Value x, ValueRange given) {
      if (capsFirst)
        x = capped(s, x);
      return masksFirst ? masked(s, x, given) : x;
    };
    Value raw;
    if (isSingle) {
      auto epilogue = [&](Lowering &in, ValueRange values) {
        Scalars s{in};
        return first(s, scaled(s, values[0]), values.drop_front());
      };
      raw = product(left, right, 2, epilogue, masksFirst ? ValueRange(added) : ValueRange());
    } else {
      raw = product(byRoot(left), byRoot(right), 2);
      SmallVector<Value> inputs{raw};
      if (masksFirst)
        llvm::append_range(inputs, added);
      if (capsFirst)
        raw = elementwise(inputs, first);
    }
    shown = raw;
    if (masksFirst)
      return raw;
    SmallVector<Value> inputs{raw};
    llvm::append_range(inputs, added);
    return elementwise(inputs, [&](Scalars &s, Value x, ValueRange given) {
      return masked(s, capsFirst ? x : capped(s, x), given);
    });
  }

  /// A function of each element of the first input, in its shape and type, and of the others.
  Value elementwise(ValueRange inputs, function_ref<Value(Scalars &, Value, ValueRange)> function) {
    return b.broadcasting(typeOf(inputs[0]), inputs, [&](Lowering &in, ValueRange elements) {
      Scalars s{in};
      Value x = function(s, s.widen(elements[0]), elements.drop_front());
      return x.getType() == element ? x : s.narrow(x, element);
    });
  }

  /// Queries and keys are each scaled by half of the scale's exponent.
  Value byRoot(Value x) {
    return elementwise({x}, [&](Scalars &s, Value value, ValueRange) {
      Value root = s.narrow(s.like(value, std::sqrt(scale())), element);
      return s.mul(value, s.widen(root));
    });
  }

  /// The second product. Where nobody asks for the softmax and nothing rounds in between, its division comes
  /// last: once for each column of the values, not for each key.
  Value values(Value scores, Value &shown) {
    int64_t keys = typeOf(scores).getRank() - 1;
    bool isShown = isUsed(3) && node.getQkMatmulOutputMode() == 3;
    if (isSingle && precision == element && !isShown) {
      auto [terms, totals] = exponentials(b, scores, keys, isGuarded());
      auto divided = [](Lowering &in, ValueRange elements) {
        return Scalars{in}.div(elements[0], elements[1]);
      };
      return product(terms, v, 3, divided, totals, b.mapWithout(keys + 1, {keys}));
    }
    Value weights = convert(softmax(b, scores, keys, precision, isGuarded()), element);
    if (isShown)
      shown = weights;
    return product(weights, v, 3);
  }

  /// The second product in the form that the model asks for.
  Value asResult(Value value) {
    RankedTensorType result = b.resultType();
    int64_t width = typeOf(v).getDimSize(3);
    if (result.getRank() == 4)
      return b.reshape(value, result.getShape());
    SmallVector<int64_t> split{batch, keyHeads, group, length, width};
    if (group == 1)
      return b.reshape(b.transpose(value, {0, 2, 1, 3}), result.getShape());
    return b.reshape(b.transpose(b.reshape(value, split), {0, 3, 1, 2, 4}), result.getShape());
  }

  Value convert(Value value, Type type) {
    RankedTensorType from = typeOf(value);
    if (from.getElementType() == type)
      return value;
    return b.broadcasting(RankedTensorType::get(from.getShape(), type), {value},
                          [&](Lowering &in, ValueRange elements) -> Value {
                            Scalars s{in};
                            if (type.getIntOrFloatBitWidth() > 32)
                              return arith::ExtFOp::create(in, type, elements[0]);
                            Value wide = s.widen(elements[0]);
                            return wide.getType() == type ? wide : s.narrow(wide, type);
                          });
  }

  Lowering &b;
  onnx::AttentionOp node;
  ValueRange operands;
  Type element, precision;
  bool isSingle = false, isMerged = false;
  Value q, k, v, pastKey, pastValue; // the last two null where there is no past
  // Sizes; `fresh` new keys, `total` with those of the past.
  int64_t batch = 0, keyHeads = 0, group = 1, length = 0, fresh = 0, total = 0, size = 0;
  onnx::SizeExpr batchSize, queryLength, freshLength, pastLength;
  std::optional<onnx::SizeExpr> totalLength;
  int64_t left = -1, right = -1; // the window; -1 is unbounded
  SmallVector<Mask> masks;
};

} // namespace

void burin::lower::registerAttention(RuleTable &table) {
  table.add<onnx::AttentionOp>(
      [](Lowering &b, Operation *op, ValueRange operands) {
        return Attention(b, cast<onnx::AttentionOp>(op), operands).lower();
      },
      Sizes::Dynamic);
}
