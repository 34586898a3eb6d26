// SPDX-License-Identifier: Apache-2.0
//
// The movement family: elements change place, never value. What can be said by
// affine maps is; the rest pulls each element from a computed place. Shapes given
// as data are known from the result's type; offsets given as data are read.

#include "compiler/lower/Access.h"
#include "compiler/lower/Contract.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/onnx/SliceBounds.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace burin;
using namespace burin::lower;

namespace {

//===- Permutations ---------------------------------------------------------===//

Results lowerTranspose(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  int64_t rank = type->getRank();
  SmallVector<int64_t> perm = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, rank)));
  if (auto given = cast<onnx::TransposeOp>(op).getPerm()) {
    FailureOr<SmallVector<int64_t>> axes = normalizeAxes(b, *given, rank);
    if (failed(axes))
      return failure();
    perm = *axes;
  }
  if (int64_t(perm.size()) != rank)
    return b.unsupported("perm does not name every axis once");
  // Of a weight, the artifact's writer does it.
  auto shape = cast<RankedTensorType>(operands[0].getType()).getShape();
  return SmallVector<Value>{transposeWeights(b, operands[0], shape, perm)};
}

/// Splits [n, a, h, w] into factors, permutes those, and merges them to the result.
Results refactor(Lowering &b, Value input, const SizeList &factors, ArrayRef<int64_t> perm) {
  SizeList permuted = llvm::map_to_vector(perm, [&](int64_t d) { return factors[d]; });
  Value split = b.reshape(input, b.sizes(b.getOp()->getOperand(0)), factors);
  return SmallVector<Value>{
      b.reshape(b.transpose(split, perm), permuted, b.sizes(b.getOp()->getResult(0)))};
}

Results lowerDepthToSpace(Lowering &b, Operation *op, ValueRange operands) {
  if (failed(boundedResult(b)))
    return failure();
  auto node = cast<onnx::DepthToSpaceOp>(op);
  SizeList in = b.sizes(op->getOperand(0));
  int64_t block = node.getBlocksize();
  int64_t channels = in.size() == 4 ? in[1].constant().value_or(-1) : -1;
  if (channels < 0 || block <= 0 || channels % (block * block) != 0)
    return b.unsupported("needs [N, C, H, W] with C a multiple of blocksize^2");
  int64_t depth = channels / (block * block);
  if (node.getMode() == "CRD")
    return refactor(b, operands[0], {in[0], depth, block, block, in[2], in[3]},
                    {0, 1, 4, 2, 5, 3});
  return refactor(b, operands[0], {in[0], block, block, depth, in[2], in[3]}, {0, 3, 4, 1, 5, 2});
}

Results lowerSpaceToDepth(Lowering &b, Operation *op, ValueRange operands) {
  if (failed(boundedResult(b)))
    return failure();
  auto node = cast<onnx::SpaceToDepthOp>(op);
  SizeList in = b.sizes(op->getOperand(0));
  int64_t block = node.getBlocksize();
  auto rows = in.size() == 4 && block > 0 ? in[2].dividedBy(block) : std::nullopt;
  auto columns = rows ? in[3].dividedBy(block) : std::nullopt;
  if (!columns)
    return b.unsupported("needs [N, C, H, W] with H and W multiples of blocksize");
  SizeList factors{in[0], in[1], *rows, block, *columns, block};
  if (node.getMode() == "CRD")
    return refactor(b, operands[0], factors, {0, 1, 3, 5, 2, 4});
  return refactor(b, operands[0], factors, {0, 3, 5, 1, 2, 4});
}

//===- Repetition -----------------------------------------------------------===//

Results lowerExpand(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  // A leading 1 of `shape` may have been shorter than the input's rank: result ranks agree.
  if (typeOf(operands[0]) == *type)
    return SmallVector<Value>{operands[0]};
  return SmallVector<Value>{b.broadcasting(
      *type, {operands[0]}, [](Lowering &, ValueRange elements) { return elements[0]; })};
}

/// Where the numbers of repeats are known only when the model runs.
SmallVector<Value> tileByPlace(Lowering &b, RankedTensorType type, Value input, const SizeList &from,
                               const SizeList &to) {
  SmallVector<Value> sizes = llvm::map_to_vector(from, [&](const onnx::SizeExpr &size) { return b.size(size); });
  return {b.indexed(type, [&](Lowering &in, ValueRange indices) {
    SmallVector<Value> at(indices);
    for (auto [d, size] : llvm::enumerate(sizes))
      if (!(from[d] == to[d])) // never an axis of no elements, where the result has some
        at[d] = arith::RemUIOp::create(in, at[d], size);
    return extract(in, input, at);
  })};
}

Results lowerTile(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  // Each axis as [repeats, size], the first of which does not move the place read.
  SizeList split, from = b.sizes(op->getOperand(0)), to = b.sizes(op->getResult(0));
  SmallVector<AffineExpr> exprs;
  for (auto [size, all] : llvm::zip_equal(from, to)) {
    auto repeats = size.constant() == 0 ? std::optional(onnx::SizeExpr(1)) : all.dividedBy(size);
    if (!repeats && !type->hasStaticShape())
      return tileByPlace(b, *type, operands[0], from, to);
    if (!repeats || (size.constant() == 0 && all.constant() != 0))
      return b.unsupported("the result's sizes are not multiples of the operand's");
    if (repeats->constant() != 1)
      split.push_back(*repeats);
    exprs.push_back(b.getAffineDimExpr(split.size()));
    split.push_back(size);
  }
  auto shape = RankedTensorType::get(Lowering::shapeOf(split), type->getElementType());
  Value tiled = b.parallel(shape, b.openSizes(split), {operands[0]},
                           {AffineMap::get(split.size(), 0, exprs, b.getContext())},
                           [](Lowering &, ValueRange elements) { return elements[0]; });
  return SmallVector<Value>{b.reshape(tiled, split, to)};
}

//===- Parts ----------------------------------------------------------------===//

Results lowerConcat(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  FailureOr<int64_t> axis = normalizeAxis(b, cast<onnx::ConcatOp>(op).getAxis(), type->getRank());
  if (failed(axis))
    return failure();
  if (operands.size() == 1)
    return SmallVector<Value>{operands[0]};
  SmallVector<onnx::SizeExpr> lengths;
  for (auto [operand, onnxValue] : llvm::zip_equal(operands, op->getOperands())) {
    if (typeOf(operand).getRank() != type->getRank())
      return b.unsupported("operands of different ranks");
    SizeList sizes = b.sizes(onnxValue), whole = b.sizes(op->getResult(0));
    lengths.push_back(sizes[*axis]);
    for (auto [d, size, joined] : llvm::enumerate(sizes, whole))
      if (std::string why = int64_t(d) != *axis ? b.agree(size, joined) : ""; !why.empty())
        return b.unsupported(why);
  }
  FailureOr<Value> whole = joined(b, *type, b.sizesOf(*type), operands, lengths, *axis);
  if (failed(whole))
    return failure();
  return SmallVector<Value>{*whole};
}

/// Along an axis whose size changes from run to run.
Results splitOpen(Lowering &b, Operation *op, Value input, int64_t axis) {
  SmallVector<Value> results;
  std::optional<onnx::SizeExpr> first = onnx::SizeExpr(0);
  for (Value part : op->getResults()) {
    if (!first)
      return b.unsupported("a sum of sizes that is too long; fix some of them with --dim NAME=VALUE");
    SizeList sizes = b.sizes(part);
    Value start = b.size(*first);
    auto type = RankedTensorType::get(Lowering::shapeOf(sizes), typeOf(input).getElementType());
    results.push_back(b.indexed(type, b.openSizes(sizes), [&](Lowering &in, ValueRange indices) {
      SmallVector<Value> at(indices);
      at[axis] = arith::AddIOp::create(in, at[axis], start);
      return extract(in, input, at);
    }));
    first = first->plus(sizes[axis]);
  }
  if (!first || !(*first == b.sizes(op->getOperand(0))[axis]))
    return b.unsupported("its parts are as long as its operand for some sizes that --dim allows and "
                         "not for others; fix them with --dim NAME=VALUE");
  return results;
}

Results lowerSplit(Lowering &b, Operation *op, ValueRange operands) {
  if (failed(boundedResult(b)))
    return failure();
  RankedTensorType input = typeOf(operands[0]);
  FailureOr<int64_t> axis = normalizeAxis(b, cast<onnx::SplitOp>(op).getAxis(), input.getRank());
  if (failed(axis))
    return failure();
  if (input.isDynamicDim(*axis))
    return splitOpen(b, op, operands[0], *axis);
  SmallVector<int64_t> starts(input.getRank(), 0), steps(input.getRank(), 1);
  SmallVector<Value> results;
  for (unsigned i = 0; i < op->getNumResults(); ++i) {
    RankedTensorType part = b.resultType(i);
    if (starts[*axis] + part.getDimSize(*axis) > input.getDimSize(*axis))
      return b.unsupported("the parts are longer than the operand");
    results.push_back(stridedSlice(b, operands[0], part, starts, steps));
    starts[*axis] += part.getDimSize(*axis);
  }
  return results;
}

/// A slice along one axis, in numbers.
struct Range {
  int64_t start = 0, step = 1;
};

/// ONNX's clamping of starts; ends are told by the result's shape.
int64_t clampStart(int64_t start, int64_t step, int64_t size) {
  if (start < 0)
    start += size;
  return step > 0 ? std::clamp<int64_t>(start, 0, size)
                  : std::clamp<int64_t>(start, 0, std::max<int64_t>(size - 1, 0));
}

Results lowerConstantSlice(Lowering &b, Value input, RankedTensorType result,
                           ArrayRef<Range> ranges) {
  SmallVector<int64_t> starts, steps;
  bool forward = true;
  for (auto [d, range] : llvm::enumerate(ranges)) {
    if (result.isDynamicDim(d)) {
      starts.push_back(0);
      steps.push_back(1);
      continue;
    }
    int64_t last = range.start, span;
    if (llvm::MulOverflow(std::max<int64_t>(result.getDimSize(d) - 1, 0), range.step, span) ||
        llvm::AddOverflow(last, span, last))
      return b.unsupported("a step that is out of range");
    if (result.getDimSize(d) > 0 && (last < 0 || last >= typeOf(input).getDimSize(d)))
      return b.unsupported("the slice reaches outside its operand");
    forward &= range.step > 0;
    starts.push_back(range.start);
    steps.push_back(result.getDimSize(d) > 1 ? range.step : 1);
  }
  if (llvm::is_contained(result.getShape(), 0))
    return SmallVector<Value>{
        b.fill(result, zeroOf(b, result.getElementType()), b.sizesOf(result))};
  if (forward)
    return SmallVector<Value>{stridedSlice(b, input, result, starts, steps)};
  return SmallVector<Value>{b.indexed(result, [&](Lowering &in, ValueRange indices) {
    Scalars s{in};
    SmallVector<Value> at;
    for (auto [index, start, step] : llvm::zip_equal(indices, starts, steps))
      at.push_back(s.add(s.mul(index, in.index(step)), in.index(start)));
    return extract(in, input, at);
  })};
}

/// Slice with bounds, axes or steps that are data. Axis d of the result belongs to
/// entry j of the lists where axes[j] is d.
Results lowerDataSlice(Lowering &b, ValueRange operands, RankedTensorType result) {
  Value input = operands[0];
  RankedTensorType inputType = typeOf(input);
  auto given = [&](unsigned i) { return i < operands.size() ? operands[i] : Value(); };
  Value axes = given(3), steps = given(4);
  for (Value list : operands.drop_front())
    if (list && !typeOf(list).hasStaticShape())
      return b.unsupported(
          "how many axes are cut changes from run to run; fix the sizes of starts, ends, axes "
          "and steps with --dim NAME=VALUE");
  int64_t count = typeOf(operands[1]).getNumElements(), rank = result.getRank();
  if (inputType.getNumElements() == 0 || result.getNumElements() == 0)
    return SmallVector<Value>{b.fill(result, zeroOf(b, result.getElementType()))};
  return SmallVector<Value>{b.indexed(result, [&](Lowering &in, ValueRange indices) -> Value {
    Scalars s{in};
    Value zero = in.index(0), one = in.index(1);
    SmallVector<Value> at;
    for (int64_t d = 0; d < rank; ++d) {
      int64_t size = inputType.getDimSize(d);
      Value length = in.index(size), start = zero, end = length, step = one;
      for (int64_t j = 0; j < count; ++j) {
        auto entry = [&](Value list) { return toIndex(in, extract(in, list, in.index(j))); };
        Value applies;
        if (axes) {
          Value axis = entry(axes);
          applies = arith::OrIOp::create(in, s.equal(axis, in.index(d)),
                                         s.equal(axis, in.index(d - rank)));
        } else if (j != d) {
          continue;
        }
        auto choose = [&](Value value, Value otherwise) {
          return applies ? s.select(applies, value, otherwise) : value;
        };
        start = choose(entry(operands[1]), start);
        end = choose(entry(operands[2]), end);
        if (steps)
          step = choose(entry(steps), step);
      }
      // numpy's clamping, then the number of elements it leaves.
      Value forward = s.less(zero, step);
      auto clamped = [&](Value bound, Value low, Value high) {
        bound = s.select(s.less(bound, zero), s.add(bound, length), bound);
        return s.min(s.max(bound, low), high);
      };
      Value high = s.select(forward, length, in.index(size - 1));
      start = clamped(start, zero, high);
      Value backEnd = s.min(end, in.index(size - 1));
      backEnd = s.select(s.less(backEnd, zero), s.max(s.add(backEnd, length), in.index(-1)), backEnd);
      Value isBack = s.less(step, zero);
      end = s.select(isBack, backEnd, clamped(end, zero, length));
      Value span = s.select(isBack, s.sub(start, end), s.sub(end, start));
      Value stride = s.max(s.select(isBack, s.sub(zero, step), step), one);
      Value elements = arith::CeilDivSIOp::create(in, s.max(span, zero), stride);
      check(in, s.equal(elements, in.index(result.getDimSize(d))), shapeMismatch, elements);
      at.push_back(clampIndex(in, s.add(start, s.mul(indices[d], step)), 0, size - 1));
    }
    return extract(in, input, at);
  })};
}

/// Slices of sizes that change from run to run, bounds among them.
Results lowerOpenSlice(Lowering &b, Operation *op, Value input, RankedTensorType result) {
  auto axes = onnx::sliceAxes(op);
  if (!axes)
    return b.unsupported(
        "its bounds lie inside of its operand for some sizes that --dim allows and "
        "outside for others; give a range that starts higher, or fix them with --dim "
        "NAME=VALUE");
  SmallVector<Value> starts;
  for (const onnx::SliceAxis &axis : *axes)
    starts.push_back(axis.first.constant() == 0 ? Value() : b.size(axis.first));
  return SmallVector<Value>{b.indexed(result, [&](Lowering &in, ValueRange indices) {
    Scalars s{in};
    SmallVector<Value> at(indices);
    for (auto [index, axis, start] : llvm::zip_equal(at, *axes, starts)) {
      if (axis.step != 1)
        index = s.mul(index, in.index(axis.step));
      if (start)
        index = s.add(index, start);
    }
    return extract(in, input, at);
  })};
}

Results lowerSlice(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  RankedTensorType input = typeOf(operands[0]);
  auto from = b.sizes(op->getOperand(0)), to = b.sizes(op->getResult(0));
  auto isCut = [&](int64_t d) {
    return (!from[d].constant() || !to[d].constant()) && !(from[d] == to[d]);
  };
  if (llvm::any_of(llvm::seq<int64_t>(0, from.size()), isCut))
    return lowerOpenSlice(b, op, operands[0], *type);
  auto starts = b.constantInts(1), axes = b.constantInts(3), steps = b.constantInts(4);
  if (!starts || (!axes && !b.isAbsent(3)) || (!steps && !b.isAbsent(4))) {
    if (!type->hasStaticShape())
      return lowerOpenSlice(b, op, operands[0], *type);
    return lowerDataSlice(b, operands, *type);
  }
  FailureOr<SmallVector<int64_t>> dims =
      axes ? normalizeAxes(b, ArrayRef<int64_t>(*axes), input.getRank())
           : normalizeAxes(b, std::nullopt, input.getRank());
  if (failed(dims))
    return failure();
  if (starts->size() > dims->size() || (steps && steps->size() < starts->size()))
    return b.unsupported("starts, axes and steps of different lengths");
  SmallVector<Range> ranges(input.getRank());
  for (auto [j, start] : llvm::enumerate(*starts)) {
    int64_t axis = (*dims)[j], step = steps ? (*steps)[j] : 1;
    if (step == 0)
      return b.unsupported("a step of 0");
    if (input.isDynamicDim(axis) && (start != 0 || step != 1))
      return lowerOpenSlice(b, op, operands[0], *type);
    if (!input.isDynamicDim(axis)) // else all of it is taken
      ranges[axis] = {clampStart(start, step, input.getDimSize(axis)), step};
  }
  return lowerConstantSlice(b, operands[0], *type, ranges);
}

//===- Order and triangles --------------------------------------------------===//

Results lowerReverseSequence(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  auto node = cast<onnx::ReverseSequenceOp>(op);
  FailureOr<int64_t> batch = normalizeAxis(b, node.getBatchAxis(), type->getRank()),
                     time = normalizeAxis(b, node.getTimeAxis(), type->getRank());
  if (failed(batch) || failed(time))
    return failure();
  auto sizes = b.sizes(op->getOperand(0)), lengths = b.sizes(op->getOperand(1));
  if (lengths.size() != 1 || !(lengths[0] == sizes[*batch]))
    return b.unsupported("sequence_lens needs one length per batch");
  Value steps = b.size(sizes[*time]);
  return SmallVector<Value>{b.indexed(*type, [&](Lowering &in, ValueRange indices) {
    Scalars s{in};
    Value length = toIndex(in, extract(in, operands[1], indices[*batch]));
    check(in, s.lessEqual(length, steps), indexRange, length);
    length = s.min(s.max(length, in.index(0)), steps);
    Value t = indices[*time], mirrored = s.sub(s.sub(length, in.index(1)), t);
    SmallVector<Value> at(indices);
    at[*time] = s.select(s.less(t, length), mirrored, t);
    return extract(in, operands[0], at);
  })};
}

Results lowerTrilu(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  int64_t rank = type->getRank();
  if (rank < 2)
    return b.unsupported("needs a matrix or a batch of them");
  bool upper = cast<onnx::TriluOp>(op).getUpper() != 0;
  Value k = operands.size() > 1 ? operands[1] : Value();
  std::optional<SmallVector<int64_t>> constant = b.constantInts(1);
  SmallVector<Value> inputs{operands[0]};
  SmallVector<AffineMap> maps{b.getMultiDimIdentityMap(rank)};
  if (k && !constant) {
    inputs.push_back(k);
    SmallVector<AffineExpr> zeros(typeOf(k).getRank(), b.getAffineConstantExpr(0));
    maps.push_back(AffineMap::get(rank, 0, zeros, b.getContext()));
  }
  return SmallVector<Value>{b.parallel(*type, inputs, maps, [&](Lowering &in, ValueRange elements) {
    Scalars s{in};
    Value row = linalg::IndexOp::create(in, rank - 2), column = linalg::IndexOp::create(in, rank - 1);
    Value diagonal = elements.size() > 1 ? toIndex(in, elements[1])
                     : constant && !constant->empty() ? in.index((*constant)[0])
                                                       : in.index(0);
    Value distance = s.sub(column, row);
    Value keep = upper ? s.lessEqual(diagonal, distance) : s.lessEqual(distance, diagonal);
    return s.select(keep, elements[0], zeroOf(in, type->getElementType()));
  })};
}

} // namespace

void burin::lower::registerMovement(RuleTable &table) {
  table.add<onnx::ConcatOp>(lowerConcat, Sizes::Dynamic);
  table.add<onnx::DepthToSpaceOp>(lowerDepthToSpace, Sizes::Dynamic);
  table.add<onnx::ExpandOp>(lowerExpand, Sizes::Dynamic);
  table.add<onnx::ReverseSequenceOp>(lowerReverseSequence, Sizes::Dynamic);
  table.add<onnx::SliceOp>(lowerSlice, Sizes::Dynamic);
  table.add<onnx::SpaceToDepthOp>(lowerSpaceToDepth, Sizes::Dynamic);
  table.add<onnx::SplitOp>(lowerSplit, Sizes::Dynamic);
  table.add<onnx::TileOp>(lowerTile, Sizes::Dynamic);
  table.add<onnx::TransposeOp>(lowerTranspose, Sizes::Dynamic);
  table.add<onnx::TriluOp>(lowerTrilu, Sizes::Dynamic);
}
