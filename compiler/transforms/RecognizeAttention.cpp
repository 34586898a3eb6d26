// SPDX-License-Identifier: Apache-2.0
//
// Attention as exporters write it:
//
//   MatMul(Softmax(MatMul(q, k') * scale + mask), v)
//
// The scale is a factor or a divisor of the product, of q, of k, or of both. A mask is added, or
// chosen by Where; windows bring one for each behind a Reshape. Scores may be capped by tanh.
// Where(IsNaN(p), 0, p) makes rows 0 that are masked wholly. k and v may be repeated for groups of
// heads of q. What differs from ONNX's Attention where a row is masked wholly, the attributes
// `unguarded` and `excluded` say.

#include "compiler/transforms/Match.h"
#include "compiler/transforms/Passes.h"

#include "dialects/onnx/shapes/ShapeRule.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <cmath>

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_RECOGNIZEATTENTION
#include "compiler/transforms/Passes.h.inc"

namespace {

RankedTensorType tensorOf(Value value) { return dyn_cast<RankedTensorType>(value.getType()); }

/// An op whose result types its shape rule says.
template <typename Op, typename... Arguments>
Value make(PatternRewriter &rewriter, Location loc, Type element, Arguments... arguments) {
  auto op = Op::create(rewriter, loc, UnrankedTensorType::get(element), arguments...);
  SmallVector<Type> types(op->getResultTypes());
  // Operands that fit one another were looked at: the rule finds nothing wrong.
  if (succeeded(op.inferResultTypes(types)))
    op->getResult(0).setType(types[0]);
  return op->getResult(0);
}

Value transpose(PatternRewriter &rewriter, Location loc, Value x, ArrayRef<int64_t> perm) {
  if (llvm::equal(perm, llvm::seq<int64_t>(0, perm.size())))
    return x;
  return make<onnx::TransposeOp>(rewriter, loc, tensorOf(x).getElementType(), x,
                                 rewriter.getDenseI64ArrayAttr(perm));
}

Value reshape(PatternRewriter &rewriter, Location loc, Value x, ArrayRef<int64_t> shape) {
  if (tensorOf(x).getShape() == shape)
    return x;
  Value sizes = match::constant(rewriter, loc, shape);
  return onnx::ReshapeOp::create(rewriter, loc,
                                 RankedTensorType::get(shape, tensorOf(x).getElementType()), x,
                                 sizes, /*allowzero=*/1);
}

/// `x` with dims of size 1 in front, as many as make its rank 4.
Value withRank4(PatternRewriter &rewriter, Location loc, Value x) {
  int64_t missing = 4 - tensorOf(x).getRank();
  if (missing == 0)
    return x;
  Value axes = match::constant(rewriter, loc, llvm::to_vector(llvm::seq<int64_t>(0, missing)));
  return make<onnx::UnsqueezeOp>(rewriter, loc, tensorOf(x).getElementType(), x, axes);
}

//===- Pieces ---------------------------------------------------------------===//

/// x of x * n or x / n, n a number that `factor` is multiplied with; null for anything else.
Value unscaled(Value value, double &factor) {
  auto type = tensorOf(value);
  auto keepsType = [&](Value x) { return x.getType() == value.getType() && type; };
  if (auto product = match::producer<onnx::MulOp>(value))
    for (auto [x, n] :
         {std::pair(product.getA(), product.getB()), std::pair(product.getB(), product.getA())})
      if (std::optional<double> number = match::number(n); number && keepsType(x)) {
        factor *= *number;
        return x;
      }
  if (auto quotient = match::producer<onnx::DivOp>(value))
    if (std::optional<double> number = match::number(quotient.getB());
        number && *number != 0 && keepsType(quotient.getA())) {
      factor /= *number;
      return quotient.getA();
    }
  return nullptr;
}

/// As above for as many as there are.
Value withoutScales(Value value, double &factor) {
  while (Value inner = unscaled(value, factor))
    value = inner;
  return value;
}

/// Heads that Unsqueeze, Expand and Reshape repeat: [batch, n, length, size] of
/// [batch, n * times, length, size]. Null for anything else.
Value unrepeated(Value value) {
  RankedTensorType whole = tensorOf(value);
  auto merged = match::producer<onnx::ReshapeOp>(value);
  auto expanded = merged ? match::producer<onnx::ExpandOp>(merged.getData()) : onnx::ExpandOp();
  Operation *added = expanded ? expanded.getInput().getDefiningOp() : nullptr;
  if (!added || !isa<onnx::UnsqueezeOp, onnx::ReshapeOp>(added) || whole.getRank() != 4)
    return nullptr;
  Value heads = added->getOperand(0);
  onnx::Shape from = onnx::shapeOf(heads.getType()), to = onnx::shapeOf(whole),
              single = onnx::shapeOf(expanded.getInput().getType()),
              many = onnx::shapeOf(expanded.getType());
  if (!from || from->size() != 4 || !single || single->size() != 5 || !many || many->size() != 5 ||
      (*single)[2].size != 1)
    return nullptr;
  // Places of a head's dims before and behind the one that is repeated.
  const unsigned places[] = {0, 1, 3, 4};
  for (auto [i, at] : llvm::enumerate(places))
    if (!(*from)[i].equals((*single)[at]) || !(*from)[i].equals((*many)[at]) ||
        (i != 1 && !(*from)[i].equals((*to)[i])))
      return nullptr;
  std::optional<onnx::Dim> all = onnx::multiply((*from)[1], (*many)[2]);
  return all && all->isStatic() && all->equals((*to)[1]) ? heads : Value();
}

/// p of Where(IsNaN(p), 0, p).
Value unguarded(Value value) {
  auto where = match::producer<onnx::WhereOp>(value);
  auto isNan = where ? match::onlyUse<onnx::IsNaNOp>(where.getCondition()) : onnx::IsNaNOp();
  if (!isNan || !match::isNumber(where.getX(), 0) || isNan.getX() != where.getY() ||
      !match::isUsedOnlyBy(isNan.getX(), {isNan, where}))
    return nullptr;
  return isNan.getX();
}

//===- Scores ---------------------------------------------------------------===//

/// What is put into a softmax, taken apart.
struct Scores {
  Value q, keys; // keys [..., size, length]
  double scale = 1, cap = 0;
  /// Added to the scores, each times its factor; behind a Reshape to `windows` where that is not null.
  struct Term {
    Value value;
    double factor;
    Value windows;
  };
  SmallVector<Term> terms;
  Value condition; // where scores count, or do not
  bool excludesWhereTrue = false;
  double excluded = 0;
  SmallVector<Location> nodes; // the last one first
};

constexpr unsigned maxDepth = 12;

/// Whether `mask` has one matrix for each window of an image, or of each image, in `windows` [images, windows, ...],
/// which are [images * windows, ...] in `merged`.
bool isOfWindows(Value mask, Value windows, Value merged) {
  onnx::Shape masks = onnx::shapeOf(mask.getType()), split = onnx::shapeOf(windows.getType()),
              whole = onnx::shapeOf(merged.getType());
  if (!masks || !split || !whole || masks->size() != split->size() || split->size() != whole->size() + 1)
    return false;
  for (auto [inner, outer] : llvm::zip_equal(ArrayRef(*split).drop_front(2), ArrayRef(*whole).drop_front()))
    if (!inner.equals(outer))
      return false;
  std::optional<onnx::Dim> count = onnx::multiply((*split)[0], (*split)[1]);
  return count && count->equals((*whole)[0]) && (*masks)[1].equals((*split)[1]) &&
         ((*masks)[0].size == 1 || (*masks)[0].equals((*split)[0])) &&
         llvm::all_of(ArrayRef(*masks).drop_front(2), [](onnx::Dim dim) { return dim.isStatic() && dim.size != 0; });
}

/// Such a mask as one of [images * windows, ...].
Value mergeWindows(PatternRewriter &rewriter, Location loc, Value mask, Value windows) {
  onnx::Shape split = onnx::shapeOf(windows.getType());
  RankedTensorType type = tensorOf(mask);
  Type element = type.getElementType(), number = rewriter.getIntegerType(64, /*isSigned=*/true);
  onnx::Dim has = onnx::shapeOf(type)->front();
  if (!has.equals((*split)[0])) { // one image's for all
    Value sizes = onnx::ShapeOp::create(
        rewriter, loc, RankedTensorType::get({2}, number), windows, /*end=*/rewriter.getI64IntegerAttr(2), /*start=*/0);
    Value ones = match::constant(rewriter, loc, SmallVector<int64_t>(type.getRank() - 2, 1));
    Value all = make<onnx::ConcatOp>(rewriter, loc, number, ValueRange{sizes, ones}, /*axis=*/0);
    mask = make<onnx::ExpandOp>(rewriter, loc, element, mask, all);
  }
  SmallVector<int64_t> shape(type.getShape().drop_front(1));
  shape[0] = -1;
  return make<onnx::ReshapeOp>(rewriter, loc, element, mask, match::constant(rewriter, loc, shape), /*allowzero=*/1);
}

bool readScores(Value value, Scores &scores, unsigned depth = 0) {
  if (depth > maxDepth || !value.hasOneUse() || !tensorOf(value))
    return false;
  scores.nodes.push_back(value.getLoc());
  auto next = [&](Value inner, Scores &into) {
    return inner.getType() == value.getType() && readScores(inner, into, depth + 1);
  };
  if (auto product = match::producer<onnx::MatMulOp>(value)) {
    scores.q = withoutScales(product.getA(), scores.scale);
    scores.keys = withoutScales(product.getB(), scores.scale);
    return true;
  }
  if (auto sum = match::producer<onnx::AddOp>(value))
    return match::inEitherOrder(sum, [&](Value inner, Value mask) {
      Scores tried = scores;
      tried.terms.push_back({mask, scores.scale, nullptr});
      if (scores.cap != 0 || !next(inner, tried))
        return false;
      scores = tried;
      return true;
    });
  if (auto where = match::producer<onnx::WhereOp>(value)) {
    // Masks stay in their order: what is added before is added where it counts only.
    if (scores.condition || !scores.terms.empty() || scores.scale != 1 || scores.cap != 0)
      return false;
    for (bool excludesWhereTrue : {false, true}) {
      Value inner = excludesWhereTrue ? where.getY() : where.getX();
      std::optional<double> number = match::number(excludesWhereTrue ? where.getX() : where.getY());
      if (!number)
        continue;
      scores.condition = where.getCondition();
      scores.excludesWhereTrue = excludesWhereTrue;
      scores.excluded = *number;
      return next(inner, scores);
    }
    return false;
  }
  if (auto view = match::producer<onnx::ReshapeOp>(value)) {
    // Windows of images: [images * windows, ...] as [images, windows, ...] and back.
    auto sum = match::onlyUse<onnx::AddOp>(view.getData());
    if (!sum || scores.cap != 0)
      return false;
    return match::inEitherOrder(sum, [&](Value whole, Value mask) {
      auto split = match::onlyUse<onnx::ReshapeOp>(whole);
      if (!split || split.getType() != sum.getType() ||
          split.getData().getType() != value.getType() || !isOfWindows(mask, whole, value))
        return false;
      Scores tried = scores;
      tried.terms.push_back({mask, scores.scale, whole});
      if (!next(split.getData(), tried))
        return false;
      scores = tried;
      return true;
    });
  }
  double factor = 1;
  if (auto tanh = [&] {
        Value inner = unscaled(value, factor);
        return inner ? match::onlyUse<onnx::TanhOp>(inner) : onnx::TanhOp();
      }()) {
    double inverse = 1;
    Value inner = unscaled(tanh.getInput(), inverse);
    if (!inner || scores.cap != 0 || scores.scale != 1 || factor <= 0 ||
        std::abs(inverse * factor - 1) > 1e-6 || !tanh.getInput().hasOneUse())
      return false;
    scores.cap = factor;
    return next(inner, scores);
  }
  factor = 1;
  if (Value inner = unscaled(value, factor)) {
    scores.scale *= factor;
    return next(inner, scores);
  }
  return false;
}

//===- Keys -----------------------------------------------------------------===//

/// [..., length, size] of keys [..., size, length]; scales behind a transpose go into `scale`.
Value turned(PatternRewriter &rewriter, Location loc, Value keys, double &scale) {
  RankedTensorType type = tensorOf(keys);
  int64_t rank = type.getRank();
  auto swapped = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  std::swap(swapped[rank - 1], swapped[rank - 2]);
  if (auto given = match::producer<onnx::TransposeOp>(keys); given && given.getPerm()) {
    SmallVector<int64_t> perm(*given.getPerm());
    std::swap(perm[rank - 1], perm[rank - 2]);
    return transpose(rewriter, loc, withoutScales(given.getData(), scale), perm);
  }
  // Heads that became the batch of a product, transposed there.
  auto view = match::producer<onnx::ReshapeOp>(keys);
  auto inner = view ? match::producer<onnx::TransposeOp>(view.getData()) : onnx::TransposeOp();
  RankedTensorType within = inner ? tensorOf(inner.getData()) : RankedTensorType();
  if (inner && inner.getPerm() && within && within.hasStaticShape() && type.hasStaticShape() &&
      within.getRank() >= 2) {
    int64_t innerRank = within.getRank();
    auto expected = llvm::to_vector(llvm::seq<int64_t>(0, innerRank));
    std::swap(expected[innerRank - 1], expected[innerRank - 2]);
    SmallVector<int64_t> shape(type.getShape());
    std::swap(shape[rank - 1], shape[rank - 2]);
    if (*inner.getPerm() == ArrayRef<int64_t>(expected) &&
        within.getShape().take_back(2) == ArrayRef<int64_t>(shape).take_back(2))
      return reshape(rewriter, loc, withoutScales(inner.getData(), scale), shape);
  }
  return transpose(rewriter, loc, keys, swapped);
}

//===- Pattern --------------------------------------------------------------===//

struct Recognize : OpRewritePattern<onnx::MatMulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(onnx::MatMulOp op, PatternRewriter &rewriter) const override {
    RankedTensorType type = tensorOf(op.getY()), weights = tensorOf(op.getA()),
                     values = tensorOf(op.getB());
    if (!type || !weights || !values || !type.getElementType().isF32())
      return failure();
    int64_t rank = type.getRank();
    if (rank < 3 || rank > 4 || weights.getRank() != rank || values.getRank() != rank)
      return failure();
    Value probabilities = op.getA();
    bool isGuarded = false;
    if (!probabilities.hasOneUse())
      return failure();
    if (Value inner = unguarded(probabilities)) {
      probabilities = inner;
      isGuarded = true;
    }
    auto softmax = match::producer<onnx::SoftmaxOp>(probabilities);
    if (!softmax || (!isGuarded && !probabilities.hasOneUse()) ||
        (softmax.getAxis() != -1 && softmax.getAxis() != rank - 1))
      return failure();
    Scores scores;
    if (!readScores(softmax.getInput(), scores) || scores.scale <= 0 || !fits(scores, op))
      return failure();
    if (scores.condition && !scores.terms.empty())
      return failure();
    // Layers with a softmax between them read weights that are packed when the model is compiled.
    if (match::isMadeOfConstants(scores.keys) || match::isMadeOfConstants(op.getB()))
      return failure();
    scores.nodes.insert(scores.nodes.begin(), {op.getLoc(), softmax.getLoc()});
    replace(rewriter, op, scores, isGuarded);
    return success();
  }

  /// Whether the shapes are those of one attention: equal batches, whole groups of heads, a mask
  /// that enlarges nothing.
  static bool fits(const Scores &scores, onnx::MatMulOp op) {
    onnx::Shape q = onnx::shapeOf(scores.q.getType()), k = onnx::shapeOf(scores.keys.getType()),
                v = onnx::shapeOf(op.getB().getType()),
                weights = onnx::shapeOf(op.getA().getType());
    if (!q || !k || !v || q->size() != v->size() || k->size() != v->size())
      return false;
    size_t rank = q->size();
    if (!(*q)[rank - 1].isStatic() || !(*v)[rank - 1].isStatic() || (*q)[rank - 1].size == 0 ||
        !(*k)[rank - 1].equals((*v)[rank - 2]) || !(*k)[rank - 2].equals((*q)[rank - 1]))
      return false;
    if (rank == 4 && (!(*q)[0].equals((*k)[0]) || !(*q)[0].equals((*v)[0])))
      return false;
    onnx::Dim queries = (*q)[rank - 3], keys = (*k)[rank - 3];
    if (!queries.isStatic() || !keys.equals((*v)[rank - 3]) || !keys.isStatic() ||
        keys.size == 0 || queries.size % keys.size != 0 ||
        (keys.size != queries.size && keys.size != 1))
      return false;
    SmallVector<Value> masks;
    if (scores.condition)
      masks.push_back(scores.condition);
    for (const Scores::Term &term : scores.terms)
      if (!term.windows)
        masks.push_back(term.value);
    for (Value mask : masks) {
      onnx::Shape shape = onnx::shapeOf(mask.getType());
      if (!shape || shape->size() > rank)
        return false;
      size_t lead = rank - shape->size();
      for (auto [i, dim] : llvm::enumerate(*shape))
        if (dim.size != 1 && !dim.equals((*weights)[lead + i]))
          return false;
    }
    return true;
  }

  static void replace(PatternRewriter &rewriter, onnx::MatMulOp op, Scores &scores,
                      bool isGuarded) {
    // Named after all of its nodes, the last one's value.
    Location loc = rewriter.getFusedLoc(llvm::to_vector(llvm::reverse(scores.nodes)));
    Type element = rewriter.getF32Type();
    RankedTensorType type = tensorOf(op.getY());
    Value k = turned(rewriter, loc, scores.keys, scores.scale), v = op.getB();
    if (Value fewK = unrepeated(k))
      if (Value fewV = unrepeated(v);
          fewV && tensorOf(fewK).getDimSize(1) == tensorOf(fewV).getDimSize(1)) {
        k = fewK;
        v = fewV;
      }
    Value none = onnx::NoneOp::create(rewriter, loc), mask;
    for (const Scores::Term &term : llvm::reverse(scores.terms)) {
      Value value = term.value;
      if (term.windows)
        value = mergeWindows(rewriter, loc, value, term.windows);
      if (term.factor != 1)
        value = make<onnx::MulOp>(
            rewriter, loc, element, value,
            match::constant(rewriter, loc, RankedTensorType::get({}, element), term.factor));
      mask = mask ? make<onnx::AddOp>(rewriter, loc, element, mask, value) : value;
    }
    FloatAttr excluded;
    if (scores.condition) {
      mask = scores.condition;
      if (scores.excludesWhereTrue)
        mask = make<onnx::NotOp>(rewriter, loc, rewriter.getI1Type(), mask);
      if (scores.excluded != -std::numeric_limits<double>::infinity())
        excluded = rewriter.getF32FloatAttr(float(scores.excluded));
    }
    SmallVector<Type> types{UnrankedTensorType::get(element), rewriter.getNoneType(),
                            rewriter.getNoneType(), rewriter.getNoneType()};
    auto attention = onnx::AttentionOp::create(
        rewriter, loc, types, withRank4(rewriter, loc, scores.q), withRank4(rewriter, loc, k),
        withRank4(rewriter, loc, v), mask ? mask : none, none, none, none, excluded,
        /*is_causal=*/0, /*kv_num_heads=*/IntegerAttr(), /*left_window_size=*/-1,
        /*q_num_heads=*/IntegerAttr(), /*qk_matmul_output_mode=*/0, /*right_window_size=*/-1,
        rewriter.getF32FloatAttr(float(scores.scale)), APFloat(float(scores.cap)),
        /*softmax_precision=*/IntegerAttr(), /*unguarded=*/!isGuarded && mask);
    // What the model declares says more than the rule does where it is fixed.
    if (succeeded(attention.inferResultTypes(types))) {
      Type both = type.getRank() == 4 ? onnx::mergeTypes(type, types[0]) : Type();
      attention.getY().setType(both ? both : types[0]);
    }
    Value result = attention.getY();
    if (int64_t missing = 4 - type.getRank()) {
      Value axes = match::constant(rewriter, loc, llvm::to_vector(llvm::seq<int64_t>(0, missing)));
      result = onnx::SqueezeOp::create(rewriter, loc, type, result, axes);
    }
    rewriter.replaceOp(op, result);
  }
};

struct RecognizeAttention : impl::RecognizeAttentionBase<RecognizeAttention> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<Recognize>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace burin
