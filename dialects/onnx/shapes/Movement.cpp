// SPDX-License-Identifier: Apache-2.0
//
// Shape rules of the movement family: elements change place, never value.

#include "dialects/onnx/SliceBounds.h"
#include "dialects/onnx/shapes/ShapeRule.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace burin::onnx {

LogicalResult inferTranspose(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape data = rule.shape(0);
  auto perm = rule.intsAttr("perm");
  if (!data)
    return rule.set(0, rule.element(0), perm ? Shape(Dims(perm->size())) : Shape());
  if (!perm)
    return rule.set(0, rule.element(0), Shape(Dims(llvm::reverse(*data))));
  if (failed(rule.expectLength("perm", perm->size(), data->size())))
    return failure();
  FailureOr<SmallVector<int64_t>> axes = rule.axes(*perm, data->size());
  if (failed(axes))
    return failure();
  Dims result;
  for (int64_t axis : *axes)
    result.push_back((*data)[axis]);
  return rule.set(0, rule.element(0), Shape(result));
}

LogicalResult inferExpand(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  if (failed(rule.expectRank(1, 1)))
    return failure();
  Shape wanted = shapeValue(rule.operand(1));
  FailureOr<Shape> shape = rule.broadcast({rule.shape(0), wanted});
  if (failed(shape))
    return failure();
  return rule.set(0, rule.element(0), *shape);
}

LogicalResult inferTile(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape shape = rule.shape(0), repeats = shapeValue(rule.operand(1));
  if (failed(rule.expectRank(1, 1)))
    return failure();
  if (!shape)
    return rule.set(0, rule.element(0), repeats ? Shape(Dims(repeats->size())) : Shape());
  if (!repeats)
    return rule.set(0, rule.element(0), Shape(Dims(shape->size())));
  if (failed(rule.expectLength("repeats", repeats->size(), shape->size())))
    return failure();
  for (auto [size, times] : llvm::zip_equal(*shape, *repeats)) {
    FailureOr<Dim> product = rule.product({size, times});
    if (failed(product))
      return failure();
    size = *product;
  }
  return rule.set(0, rule.element(0), shape);
}

LogicalResult inferConcat(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  if (rule.numOperands() == 0)
    return rule.error() << "needs at least one operand";
  Shape result;
  for (unsigned i = 0; i < rule.numOperands() && !result; ++i)
    result = rule.shape(i);
  if (!result)
    return rule.set(0, rule.element(0), std::nullopt);
  FailureOr<int64_t> axis = rule.axis(rule.attr("axis", 0), result->size());
  if (failed(axis))
    return failure();
  Dim total(0);
  for (unsigned i = 0; i < rule.numOperands(); ++i) {
    if (rule.element(i) != rule.element(0))
      return rule.error() << "operands 0 and " << i << " differ in element type";
    Shape part = rule.shape(i);
    if (!part) {
      total = Dim();
      continue;
    }
    if (failed(rule.expectRank(i, result->size())))
      return failure();
    for (int64_t d = 0, rank = part->size(); d < rank; ++d) {
      if (d == *axis)
        continue;
      FailureOr<Dim> merged = rule.same((*result)[d], (*part)[d], "sizes beside the axis");
      if (failed(merged))
        return failure();
      (*result)[d] = *merged;
    }
    std::optional<Dim> sum = add(total, (*part)[*axis]);
    if (!sum)
      return rule.error() << "the size along the axis exceeds 2^63";
    total = *sum;
  }
  (*result)[*axis] = total;
  return rule.set(0, rule.element(0), result);
}

LogicalResult inferSplit(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape input = rule.shape(0);
  int64_t parts = op->getNumResults();
  if (parts == 0)
    return rule.error() << "needs at least one result";
  auto count = op->getAttrOfType<IntegerAttr>("num_outputs");
  if (count && count.getInt() != parts)
    return rule.error() << "'num_outputs' is " << count.getInt() << ", but it has " << parts
                        << " results";
  if (!input)
    return success();
  FailureOr<int64_t> axis = rule.axis(rule.attr("axis", 0), input->size());
  if (failed(axis))
    return failure();
  Dim whole = (*input)[*axis];
  Dims sizes(parts);
  if (Shape open = rule.absent(1) || rule.ints(1) ? Shape() : shapeValue(rule.operand(1))) {
    if (failed(rule.expectLength("split", open->size(), parts)))
      return failure();
    sizes = *open;
  } else if (auto given = rule.ints(1)) {
    if (failed(rule.expectLength("split", given->size(), parts)))
      return failure();
    Dim total(0);
    for (auto [size, into] : llvm::zip_equal(*given, sizes)) {
      std::optional<Dim> next = size < 0 ? std::nullopt : add(total, Dim(size));
      if (!next)
        return rule.error() << "'split' has the size " << size;
      total = *next;
      into = Dim(size);
    }
    if (failed(rule.same(total, whole, "the sum of 'split' and the size of the axis")))
      return failure();
  } else if (rule.absent(1) && whole.isStatic()) {
    // Equal parts; the last is smaller where they do not divide the whole.
    int64_t part = llvm::divideCeilSigned(whole.size, parts);
    for (auto [i, size] : llvm::enumerate(sizes)) {
      int64_t before;
      if (llvm::MulOverflow(part, int64_t(i), before))
        before = whole.size;
      size = Dim(std::clamp<int64_t>(whole.size - before, 0, part));
    }
  } else if (rule.absent(1) && whole.isKnown()) {
    Dim part = floorDivide(add(whole, Dim(parts - 1)).value_or(Dim()), parts);
    sizes.assign(parts, part);
    sizes.back() = subtract(whole, multiply(part, Dim(parts - 1)).value_or(Dim()));
    // Too few elements for all parts: the lengths are no expressions.
    if (!rule.atMost(Dim(0), sizes.back()))
      sizes.assign(parts, Dim());
  }
  for (auto [i, size] : llvm::enumerate(sizes)) {
    Dims result = *input;
    result[*axis] = size;
    if (failed(rule.set(i, rule.element(0), Shape(result))))
      return failure();
  }
  return success();
}

namespace {
struct Part {
  Dim first, count;
};

/// What a slice with a positive step takes of sizes that are not numbers; nothing where its bounds
/// lie inside for some of them and outside for others.
std::optional<Part> forwardPart(const ShapeRule &rule, Dim size, Dim start, Dim end, Dim step) {
  if (!step.isStatic() || step.size <= 0 || !size.isKnown())
    return std::nullopt;
  auto clamp = [&](Dim at) {
    if (!at.isKnown())
      return Dim();
    auto range = rule.range(at);
    if (!range || (range->min < 0 && range->max >= 0))
      return Dim();
    if (range->min >= 0)
      return rule.smaller(at, size);
    std::optional<Dim> fromEnd = add(size, at);
    return fromEnd ? rule.larger(*fromEnd, Dim(0)) : Dim();
  };
  Dim first = clamp(start), last = clamp(end);
  if (!first.isKnown() || !last.isKnown())
    return std::nullopt;
  Dim span = rule.larger(subtract(last, first), Dim(0));
  if (step.size != 1)
    span = add(floorDivide(subtract(span, Dim(1)), step.size), Dim(1)).value_or(Dim());
  return span.isKnown() ? std::optional(Part{first, span}) : std::nullopt;
}

/// The same with a negative step, between numbers. Nothing where they lie inside of the axis for
/// some sizes and outside for others.
std::optional<Part> backwardPart(ShapeRule &rule, Dim size, int64_t start, int64_t end, int64_t step) {
  std::optional<SizeExpr::Interval> range = rule.range(size);
  if (!range || step == std::numeric_limits<int64_t>::min())
    return std::nullopt;
  Dim first, last; // `last` is not taken
  if (start == -1 || start >= range->max - 1) // of nothing, nothing is taken
    first = subtract(size, Dim(1));
  else if (start < 0 && start >= -range->min)
    first = subtract(size, Dim(-start));
  else if (start >= 0 && start < range->min)
    first = Dim(start);
  if (end < -range->max)
    last = Dim(-1);
  else if (end < 0 && end >= -1 - range->min)
    last = subtract(size, Dim(-end));
  else if (end >= 0 && end < range->min)
    last = Dim(end);
  if (!first.isKnown() || !last.isKnown())
    return std::nullopt;
  std::optional<Dim> span = add(subtract(first, last), Dim(-step - 1));
  Dim count = span && span->isKnown() ? rule.larger(floorDivide(*span, -step), Dim(0)) : Dim();
  return count.isKnown() ? std::optional(Part{first, count}) : std::nullopt;
}

/// What `rule`'s slice takes of the axis that its bounds list as the `i`-th.
std::optional<Part> partOf(ShapeRule &rule, size_t i, Dim size, Dim start, Dim end, Dim step) {
  if (!step.isStatic() || step.size >= 0)
    return forwardPart(rule, size, start, end, step);
  std::optional<SmallVector<int64_t>> from = rule.ints(1), to = rule.ints(2);
  return from && to ? backwardPart(rule, size, (*from)[i], (*to)[i], step.size) : std::nullopt;
}
} // namespace

std::optional<SmallVector<SliceAxis>> sliceAxes(Operation *slice) {
  SmallVector<Type> types(slice->getResultTypes());
  ShapeRule rule(slice, types);
  Shape data = rule.shape(0), starts = shapeValue(rule.operand(1)), ends = shapeValue(rule.operand(2));
  std::optional<SmallVector<int64_t>> axes = rule.ints(3), steps = rule.ints(4);
  if (!data || !starts || !ends || (!axes && !rule.absent(3)) || (!steps && !rule.absent(4)))
    return std::nullopt;
  if (!axes)
    axes = llvm::to_vector(llvm::seq<int64_t>(0, starts->size()));
  FailureOr<SmallVector<int64_t>> positive = rule.axes(*axes, data->size());
  if (failed(positive) || starts->size() != axes->size() || ends->size() != axes->size() ||
      (steps && steps->size() != axes->size()))
    return std::nullopt;
  SmallVector<SliceAxis> result(data->size());
  for (auto [i, axis] : llvm::enumerate(*positive)) {
    Dim step(steps ? (*steps)[i] : 1);
    std::optional<Part> part = partOf(rule, i, (*data)[axis], (*starts)[i], (*ends)[i], step);
    if (!part)
      return std::nullopt;
    result[axis] = {*part->first.expr(), step.size};
  }
  return result;
}

LogicalResult inferSlice(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape data = rule.shape(0);
  if (!data)
    return rule.set(0, rule.element(0), std::nullopt);
  int64_t rank = data->size();
  Shape starts = shapeValue(rule.operand(1)), ends = shapeValue(rule.operand(2));
  // Which axes are cut: nothing is known of any size where that is not constant.
  std::optional<SmallVector<int64_t>> axes = rule.ints(3);
  if (rule.absent(3) && starts)
    axes = llvm::to_vector(llvm::seq<int64_t>(0, starts->size()));
  if (!axes)
    return rule.set(0, rule.element(0), Shape(Dims(rank)));
  FailureOr<SmallVector<int64_t>> positive = rule.axes(*axes, rank);
  if (failed(positive))
    return failure();
  Shape steps = rule.absent(4) ? Shape(Dims(axes->size(), Dim(1))) : shapeValue(rule.operand(4));
  if ((starts && failed(rule.expectLength("starts", starts->size(), axes->size()))) ||
      (ends && failed(rule.expectLength("ends", ends->size(), axes->size()))) ||
      (steps && failed(rule.expectLength("steps", steps->size(), axes->size()))))
    return failure();
  for (auto [i, axis] : llvm::enumerate(*positive)) {
    Dim &size = (*data)[axis];
    Dim start = starts ? (*starts)[i] : Dim(), end = ends ? (*ends)[i] : Dim(),
        step = steps ? (*steps)[i] : Dim();
    if (step.size == 0)
      return rule.error() << "'steps' must not be 0";
    // All of it, whatever its size.
    if (start.size == 0 && step.size == 1 &&
        (end.size == std::numeric_limits<int64_t>::max() || end.equals(size)))
      continue;
    if (!size.isStatic() && start.size == 0 && step.size == 1 && end.size == 0) {
      size = Dim(0);
      continue;
    }
    // INT64_MIN is how exporters say "from the first" with a negative step, and
    // also how an unknown size is marked: only a constant operand can mean it.
    bool known = step.isStatic() && (start.isStatic() || rule.ints(1)) &&
                 (end.isStatic() || rule.ints(2));
    if (!size.isStatic() || !known) {
      std::optional<Part> part = partOf(rule, i, size, start, end, step);
      size = part ? part->count : Dim();
      continue;
    }
    if (size.size == 0)
      continue;
    auto clamp = [&](int64_t at, int64_t low, int64_t high) {
      return std::clamp<int64_t>(at < 0 ? at + size.size : at, low, high);
    };
    // At most one element past either end, by the sign of the step.
    int64_t first, last, count;
    if (step.size > 0) {
      first = clamp(start.size, 0, size.size);
      last = clamp(end.size, 0, size.size);
      count = last > first ? (last - first - 1) / step.size + 1 : 0;
    } else {
      first = clamp(start.size, 0, size.size - 1);
      last = clamp(end.size, -1, size.size - 1);
      uint64_t stride = 0 - uint64_t(step.size);
      count = first > last ? int64_t(uint64_t(first - last - 1) / stride) + 1 : 0;
    }
    size = Dim(count);
  }
  return rule.set(0, rule.element(0), data);
}

LogicalResult inferPad(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape data = rule.shape(0);
  if (!data)
    return rule.set(0, rule.element(0), std::nullopt);
  int64_t rank = data->size();
  if (failed(rule.expectRank(1, 1)))
    return failure();
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (!rule.absent(3)) {
    auto given = rule.ints(3);
    if (!given)
      return rule.set(0, rule.element(0), Shape(Dims(rank)));
    FailureOr<SmallVector<int64_t>> positive = rule.axes(*given, rank);
    if (failed(positive))
      return failure();
    axes = *positive;
  }
  Shape pads = shapeValue(rule.operand(1));
  if (pads && failed(rule.expectLength("pads", pads->size(), 2 * axes.size())))
    return failure();
  StringRef mode = rule.attr("mode", "constant");
  if (!llvm::is_contained({"constant", "reflect", "edge", "wrap"}, mode))
    return rule.error() << "'mode' is '" << mode
                        << "'; it must be constant, reflect, edge or wrap";
  for (auto [i, axis] : llvm::enumerate(axes)) {
    Dim before = pads ? (*pads)[i] : Dim(), after = pads ? (*pads)[i + axes.size()] : Dim();
    std::optional<Dim> padded = add((*data)[axis], before);
    padded = padded ? add(*padded, after) : padded;
    if (!padded)
      return rule.error() << "the size of axis " << axis << " exceeds 2^63";
    (*data)[axis] = *padded;
  }
  return rule.set(0, rule.element(0), data);
}

LogicalResult inferCenterCropPad(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape data = rule.shape(0), wanted = shapeValue(rule.operand(1));
  if (!data)
    return rule.set(0, rule.element(0), std::nullopt);
  int64_t rank = data->size();
  auto given = rule.intsAttr("axes");
  FailureOr<SmallVector<int64_t>> axes =
      rule.axes(given ? *given : llvm::to_vector(llvm::seq<int64_t>(0, rank)), rank);
  if (failed(axes) ||
      (wanted && failed(rule.expectLength("shape", wanted->size(), axes->size()))))
    return failure();
  for (auto [i, axis] : llvm::enumerate(*axes))
    (*data)[axis] = wanted ? (*wanted)[i] : Dim();
  return rule.set(0, rule.element(0), data);
}

static FailureOr<int64_t> blockSize(ShapeRule &rule) {
  int64_t block = rule.attr("blocksize", 0);
  // Its square divides a number of channels.
  if (block < 1 || block > (int64_t(1) << 31))
    return rule.error() << "'blocksize' is " << block << "; it must be 1 or more";
  if (failed(rule.expectRank(0, 4)))
    return failure();
  return block;
}

static FailureOr<Dim> exactly(ShapeRule &rule, Dim size, int64_t by, StringRef what) {
  if (!size.isStatic()) {
    std::optional<SizeExpr> expr = size.expr(), part = expr ? expr->dividedBy(by) : std::nullopt;
    return by == 1 ? size : part ? Dim::of(part, size.name.getContext()) : Dim();
  }
  if (size.size % by != 0)
    return rule.error() << "the " << size.size << " " << what << " are not divisible by " << by;
  return Dim(size.size / by);
}

LogicalResult inferDepthToSpace(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  FailureOr<int64_t> block = blockSize(rule);
  if (failed(block))
    return failure();
  Shape x = rule.shape(0);
  if (!x)
    return rule.set(0, rule.element(0), Shape(Dims(4)));
  FailureOr<Dim> channels = exactly(rule, (*x)[1], *block * *block, "channels");
  FailureOr<Dim> rows = rule.product({(*x)[2], Dim(*block)});
  FailureOr<Dim> columns = rule.product({(*x)[3], Dim(*block)});
  if (failed(channels) || failed(rows) || failed(columns))
    return failure();
  return rule.set(0, rule.element(0), Shape(Dims{(*x)[0], *channels, *rows, *columns}));
}

LogicalResult inferSpaceToDepth(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  FailureOr<int64_t> block = blockSize(rule);
  if (failed(block))
    return failure();
  Shape x = rule.shape(0);
  if (!x)
    return rule.set(0, rule.element(0), Shape(Dims(4)));
  FailureOr<Dim> channels = rule.product({(*x)[1], Dim(*block), Dim(*block)});
  FailureOr<Dim> rows = exactly(rule, (*x)[2], *block, "rows");
  FailureOr<Dim> columns = exactly(rule, (*x)[3], *block, "columns");
  if (failed(channels) || failed(rows) || failed(columns))
    return failure();
  return rule.set(0, rule.element(0), Shape(Dims{(*x)[0], *channels, *rows, *columns}));
}

} // namespace burin::onnx
