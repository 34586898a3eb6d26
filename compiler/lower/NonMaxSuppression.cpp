// SPDX-License-Identifier: Apache-2.0
//
// NonMaxSuppression: boxes by descending score, without those that overlap one that is kept.

#include "compiler/lower/Access.h"
#include "compiler/lower/Selection.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace burin;
using namespace burin::lower;

namespace {

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
  auto sizes = b.sizes(op->getOperand(1));
  if (b.sizes(op->getOperand(0)) != SmallVector<onnx::SizeExpr>{sizes[0], sizes[2], 4})
    return b.unsupported("boxes and scores disagree");
  for (Value parameter : operands.drop_front(2))
    if (parameter && !typeOf(parameter).hasStaticShape())
      return b.unsupported(
          "its limit and thresholds are one number each; fix their sizes with --dim "
          "NAME=1");
  auto rounds = productOf(ArrayRef(sizes).drop_back());
  FailureOr<int64_t> all = mostOf(b, productOf(sizes)), groupsAtMost = mostOf(b, rounds),
                     perGroup = mostOf(b, sizes[2]);
  if (failed(all) || failed(groupsAtMost) || failed(perGroup))
    return failure();
  int64_t most = *all;
  Type i64 = b.getI64Type();
  if (auto limit = b.constantInts(2); limit && limit->size() == 1)
    most = *groupsAtMost * std::clamp<int64_t>(limit->front(), 0, *perGroup);
  int64_t selected = roomFor(type->getDimSize(0), most);
  if (selected == 0 || *all == 0)
    return SmallVector<Value>{b.fill(*type, b.scalarInt(i64, 0))};
  RankedTensorType listType = i64Tensor(b, {selected, 3});
  Value order = sorted(b, operands[1], sizes, 2, sizes[2], /*noSign=*/false, /*descending=*/true);
  Boxes boxes(operands[0], node.getCenterPointBox() != 0);

  Value result = b.fill(listType, b.scalarInt(i64, -1));
  Value zero = b.index(0), one = b.index(1);
  // A loop of one round would be dissolved, and its scalars left outside of any kernel: a
  // second round then selects nothing.
  bool hasIdleRound = rounds->constant() == 1;
  Value classes = b.size(sizes[1]), count = b.size(sizes[2]);
  auto groups = scf::ForOp::create(b, zero, hasIdleRound ? b.index(2) : b.size(*rounds), one,
                                   ValueRange{result, zero});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(groups.getBody());
    Value round = groups.getInductionVar();
    Value batch = hasIdleRound ? zero : Value(arith::DivUIOp::create(b, round, classes));
    Value kind = hasIdleRound ? zero : Value(arith::RemUIOp::create(b, round, classes));
    // Boxes kept of this batch and class.
    Value kept = b.empty(b.tensorOf({sizes[2]}, i64), b.openSizes({sizes[2]}));
    auto candidates = scf::ForOp::create(
        b, zero, count, one,
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

void burin::lower::registerNonMaxSuppression(RuleTable &table) {
  table.add<onnx::NonMaxSuppressionOp>(lowerNonMaxSuppression, Sizes::Dynamic);
}
