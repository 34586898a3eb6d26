// SPDX-License-Identifier: Apache-2.0
//
// Shape rules of the indexing family: the place of an element is data.

#include "dialects/onnx/shapes/ShapeRule.h"

#include <cmath>

using namespace mlir;

namespace burin::onnx {

static Type si64(Operation *op) {
  return IntegerType::get(op->getContext(), 64, IntegerType::Signed);
}

LogicalResult inferGather(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape data = rule.shape(0), indices = rule.shape(1);
  if (!data)
    return rule.set(0, rule.element(0), std::nullopt);
  FailureOr<int64_t> axis = rule.axis(rule.attr("axis", 0), data->size());
  if (failed(axis))
    return failure();
  if (!indices)
    return rule.set(0, rule.element(0), std::nullopt);
  Dims result(ArrayRef<Dim>(*data).take_front(*axis));
  result.append(*indices);
  result.append(data->begin() + *axis + 1, data->end());
  return rule.set(0, rule.element(0), Shape(result));
}

LogicalResult inferGatherElements(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape data = rule.shape(0), indices = rule.shape(1);
  if (data && (failed(rule.axis(rule.attr("axis", 0), data->size())) ||
               failed(rule.expectRank(1, data->size()))))
    return failure();
  if (data && !indices)
    indices = Dims(data->size());
  return rule.set(0, rule.element(0), indices);
}

LogicalResult inferGatherND(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape data = rule.shape(0), indices = rule.shape(1);
  if ((data && data->empty()) || (indices && indices->empty()))
    return rule.error() << "data and indices must have rank 1 or more";
  if (!data || !indices || !indices->back().isStatic())
    return rule.set(0, rule.element(0), std::nullopt);
  int64_t batch = rule.attr("batch_dims", 0), depth = indices->back().size;
  int64_t rank = data->size(), indexRank = indices->size();
  if (batch < 0 || batch >= std::min(rank, indexRank))
    return rule.error() << "'batch_dims' is " << batch << "; it must be in [0, "
                        << std::min(rank, indexRank) << ")";
  if (depth < 1 || depth > rank - batch)
    return rule.error() << "the last size of indices is " << depth << "; it must be in [1, "
                        << rank - batch << "]";
  Dims result(ArrayRef<Dim>(*indices).drop_back());
  for (int64_t i = 0; i < batch; ++i) {
    FailureOr<Dim> merged = rule.same((*data)[i], (*indices)[i], "batch sizes of data and indices");
    if (failed(merged))
      return failure();
    result[i] = *merged;
  }
  result.append(data->begin() + batch + depth, data->end());
  return rule.set(0, rule.element(0), Shape(result));
}

LogicalResult inferCompress(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape input = rule.shape(0);
  auto condition = rule.ints(1);
  if (failed(rule.expectRank(1, 1)))
    return failure();
  auto given = op->getAttrOfType<IntegerAttr>("axis");
  Dim whole;
  FailureOr<int64_t> axis = 0;
  if (input && given) {
    axis = rule.axis(given.getInt(), input->size());
    if (failed(axis))
      return failure();
    whole = (*input)[*axis];
  } else if (input) {
    FailureOr<Dim> elements = rule.product(*input);
    if (failed(elements))
      return failure();
    whole = *elements;
  }
  Dim kept;
  if (condition) {
    if (whole.isStatic() && int64_t(condition->size()) > whole.size)
      return rule.error() << "condition has " << condition->size() << " elements for "
                          << whole.size;
    kept = Dim(llvm::count_if(*condition, [](int64_t keep) { return keep != 0; }));
  } else if (Shape given = rule.shape(1); given && (*given)[0].size == 0) {
    kept = Dim(0);
  }
  if (!given)
    return rule.set(0, rule.element(0), Shape(Dims{kept}));
  if (input)
    (*input)[*axis] = kept;
  return rule.set(0, rule.element(0), input);
}

LogicalResult inferNonZero(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape x = rule.shape(0);
  bool isEmpty = x && llvm::any_of(*x, [](const Dim &dim) { return dim.size == 0; });
  return rule.set(0, si64(op), Shape(Dims{x ? Dim(x->size()) : Dim(), isEmpty ? Dim(0) : Dim()}));
}

LogicalResult inferOneHot(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape indices = rule.shape(0);
  if (!indices)
    return rule.set(0, rule.element(2), std::nullopt);
  FailureOr<int64_t> axis = rule.axis(rule.attr("axis", -1), indices->size() + 1);
  if (failed(axis))
    return failure();
  Dim depth;
  auto floats = constantFloats(rule.operand(1));
  if (auto size = rule.scalar(1))
    depth = Dim(*size);
  else if (floats && floats->size() == 1 && std::fabs(floats->front()) < 0x1p62)
    depth = Dim(int64_t(floats->front()));
  indices->insert(indices->begin() + *axis, depth);
  return rule.set(0, rule.element(2), indices);
}

LogicalResult inferTopK(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape x = rule.shape(0);
  if (x) {
    FailureOr<int64_t> axis = rule.axis(rule.attr("axis", -1), x->size());
    if (failed(axis))
      return failure();
    Dim &size = (*x)[*axis];
    Shape k = shapeValue(rule.operand(1)), length = rule.shape(1);
    if (length && (length->size() > 1 || (length->size() == 1 && length->front().isStatic() &&
                                          length->front().size != 1)))
      return rule.error() << "K must be a number";
    Dim wanted = k && k->size() == 1 ? k->front() : Dim();
    // Of a constant: no Dim tells the least integer from a size that is not known.
    std::optional<int64_t> number = rule.scalar(1);
    if (!number && wanted.isStatic())
      number = wanted.size;
    int64_t most = size.isStatic() ? size.size : INT64_MAX;
    if (number && (*number < 0 || *number > most))
      return rule.error() << "K is " << *number << "; it must be in [0, " << most << "]";
    size = wanted;
  }
  if (failed(rule.set(0, rule.element(0), x)))
    return failure();
  return rule.set(1, si64(op), x);
}

/// One column for each index that n-grams have.
LogicalResult inferTfIdfVectorizer(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  SmallVector<int64_t> indexes = rule.intsAttr("ngram_indexes").value_or(SmallVector<int64_t>());
  if (indexes.empty())
    return rule.error() << "'ngram_indexes' is empty";
  int64_t last = *llvm::max_element(indexes);
  if (*llvm::min_element(indexes) < 0 || last == INT64_MAX)
    return rule.error() << "'ngram_indexes' must be 0 or more, and less than 2^63 - 1";
  Shape x = rule.shape(0);
  if (x && x->size() != 1 && x->size() != 2)
    return rule.error() << "input must have rank 1 or 2, not " << x->size();
  if (x)
    x->back() = Dim(last + 1);
  return rule.set(0, Float32Type::get(op->getContext()), x);
}

LogicalResult inferUnique(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape x = rule.shape(0);
  Shape values = Dims(1);
  Dim whole, count; // of what there is at most one, all is unique
  if (auto given = op->getAttrOfType<IntegerAttr>("axis")) {
    values = x;
    if (x) {
      FailureOr<int64_t> axis = rule.axis(given.getInt(), x->size());
      if (failed(axis))
        return failure();
      whole = (*x)[*axis];
      if (whole.isStatic() && whole.size <= 1)
        count = whole;
      (*values)[*axis] = count;
    }
  } else if (x) {
    FailureOr<Dim> size = rule.product(*x);
    if (failed(size))
      return failure();
    whole = *size;
    if (whole.isStatic() && whole.size <= 1)
      count = whole;
    values = Dims{count};
  }
  if (failed(rule.set(0, rule.element(0), values)))
    return failure();
  constexpr unsigned inverse = 2; // of all elements, or slices
  for (unsigned i = 1; i < op->getNumResults(); ++i)
    if (failed(rule.set(i, si64(op), Shape(Dims{i == inverse ? whole : count}))))
      return failure();
  return success();
}

LogicalResult inferNonMaxSuppression(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  if (failed(rule.expectRank(0, 3)) || failed(rule.expectRank(1, 3)))
    return failure();
  // Absent or 0, the limit of each class says that nothing is wanted.
  auto limit = rule.ints(2);
  bool isEmpty = rule.absent(2) || (limit && limit->size() == 1 && limit->front() <= 0);
  Shape scores = rule.shape(1);
  isEmpty |= scores && llvm::any_of(*scores, [](const Dim &dim) { return dim.size == 0; });
  return rule.set(0, si64(op), Shape(Dims{isEmpty ? Dim(0) : Dim(), Dim(3)}));
}

LogicalResult inferRoiAlign(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  if (failed(rule.expectRank(0, 4)) || failed(rule.expectRank(1, 2)) ||
      failed(rule.expectRank(2, 1)))
    return failure();
  Shape x = rule.shape(0), rois = rule.shape(1), batch = rule.shape(2);
  FailureOr<Dim> count = rule.same(rois ? (*rois)[0] : Dim(), batch ? (*batch)[0] : Dim(),
                                   "the numbers of rois and of batch indices");
  if (failed(count))
    return failure();
  return rule.set(0, rule.element(0),
                  Shape(Dims{*count, x ? (*x)[1] : Dim(), Dim(rule.attr("output_height", 1)),
                             Dim(rule.attr("output_width", 1))}));
}

LogicalResult inferAffineGrid(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  if (failed(rule.expectRank(0, 3)) || failed(rule.expectRank(1, 1)))
    return failure();
  Shape theta = rule.shape(0), size = shapeValue(rule.operand(1));
  std::optional<int64_t> rank; // of the space
  if (theta && (*theta)[1].isStatic())
    rank = (*theta)[1].size;
  else if (size)
    rank = int64_t(size->size()) - 2;
  if (!rank)
    return rule.set(0, rule.element(0), std::nullopt);
  if (*rank != 2 && *rank != 3)
    return rule.error() << "'theta' must transform 2 or 3 dimensions, not " << *rank;
  if (size && failed(rule.expectLength("size", size->size(), *rank + 2)))
    return failure();
  if (theta && failed(rule.same((*theta)[2], Dim(*rank + 1), "the columns of 'theta'")))
    return failure();
  Dims grid(*rank + 2);
  FailureOr<Dim> batch = rule.same(theta ? (*theta)[0] : Dim(), size ? (*size)[0] : Dim(),
                                   "the batches of 'theta' and 'size'");
  if (failed(batch))
    return failure();
  grid.front() = *batch;
  for (int64_t d = 0; size && d < *rank; ++d)
    grid[d + 1] = (*size)[d + 2];
  grid.back() = Dim(*rank);
  return rule.set(0, rule.element(0), Shape(grid));
}

LogicalResult inferGridSample(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape x = rule.shape(0), grid = rule.shape(1);
  if (x && failed(rule.expectRank(1, x->size())))
    return failure();
  if (!x && !grid)
    return rule.set(0, rule.element(0), std::nullopt);
  size_t rank = x ? x->size() : grid->size();
  if (rank < 3)
    return rule.error() << "X must have rank 3 or more, not " << rank;
  Dims result(rank);
  if (x) {
    result[0] = (*x)[0];
    result[1] = (*x)[1];
  }
  if (grid) {
    if (failed(rule.same(grid->back(), Dim(rank - 2), "the last size of grid and the rank of X less 2")))
      return failure();
    FailureOr<Dim> batch = rule.same(result[0], (*grid)[0], "batch sizes of X and grid");
    if (failed(batch))
      return failure();
    result[0] = *batch;
    std::copy(grid->begin() + 1, grid->end() - 1, result.begin() + 2);
  }
  return rule.set(0, rule.element(0), Shape(result));
}

//===- Resize ---------------------------------------------------------------===//

/// floor(size * scale), in single precision as ONNX defines it, as a quotient by a whole number: one
/// that agrees for all sizes that --dim allows. Unknown where there is none.
static Dim scaledOpenSize(const ShapeRule &rule, Dim size, double scale) {
  constexpr int64_t mostSizes = int64_t(1) << 20, mostDivisor = 64;
  std::optional<SizeExpr::Interval> range = rule.range(size);
  if (!range || range->min < 0 || range->max - range->min > mostSizes || !(scale > 0) ||
      !(scale * double(range->max) < 0x1p40))
    return {};
  for (int64_t divisor = 1; divisor <= mostDivisor; ++divisor) {
    double factor = std::round(scale * double(divisor));
    if (std::fabs(factor - scale * double(divisor)) > 1e-4 * double(divisor))
      continue;
    bool agrees = true;
    for (int64_t x = range->min; agrees && x <= range->max; ++x)
      agrees = int64_t(std::floor(float(x) * float(scale))) == x * int64_t(factor) / divisor;
    if (agrees)
      return floorDivide(multiply(size, Dim(int64_t(factor))).value_or(Dim()), divisor);
  }
  return {};
}

LogicalResult inferResize(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape x = rule.shape(0);
  if (!x)
    return rule.set(0, rule.element(0), std::nullopt);
  int64_t rank = x->size();
  auto given = rule.intsAttr("axes");
  FailureOr<SmallVector<int64_t>> axes =
      rule.axes(given ? *given : llvm::to_vector(llvm::seq<int64_t>(0, rank)), rank);
  if (failed(axes))
    return failure();

  // An empty tensor stands for an absent operand.
  auto isGiven = [&](unsigned index) {
    Shape shape = rule.shape(index);
    return !rule.absent(index) && !(shape && shape->size() == 1 && shape->front().size == 0);
  };
  bool hasScales = isGiven(2), hasSizes = isGiven(3);
  if (hasScales == hasSizes)
    return rule.error() << "needs either scales or sizes";

  if (hasSizes) {
    Shape sizes = shapeValue(rule.operand(3));
    if (sizes && failed(rule.expectLength("sizes", sizes->size(), axes->size())))
      return failure();
    StringRef policy = rule.attr("keep_aspect_ratio_policy", "stretch");
    if (!llvm::is_contained({"stretch", "not_larger", "not_smaller"}, policy))
      return rule.error() << "'keep_aspect_ratio_policy' is '" << policy
                          << "'; it must be stretch, not_larger or not_smaller";
    if (policy == "stretch") {
      for (auto [i, axis] : llvm::enumerate(*axes))
        (*x)[axis] = sizes ? (*sizes)[i] : Dim();
      return rule.set(0, rule.element(0), x);
    }
    // One scale for all axes: the least or the greatest that `sizes` asks for.
    bool known = sizes.has_value();
    double scale = policy == "not_larger" ? HUGE_VAL : -HUGE_VAL;
    for (auto [i, axis] : llvm::enumerate(*axes)) {
      if (!known || !(*sizes)[i].isStatic() || !(*x)[axis].isStatic() || (*x)[axis].size == 0) {
        known = false;
        break;
      }
      double wanted = double((*sizes)[i].size) / double((*x)[axis].size);
      scale = policy == "not_larger" ? std::min(scale, wanted) : std::max(scale, wanted);
    }
    for (int64_t axis : *axes) {
      double size = known ? std::floor(scale * double((*x)[axis].size) + 0.5) : 0;
      if (!(std::fabs(size) < 0x1p62))
        return rule.error() << "'sizes' are out of range";
      (*x)[axis] = known ? Dim(int64_t(size)) : Dim();
    }
    return rule.set(0, rule.element(0), x);
  }

  auto scales = constantFloats(rule.operand(2));
  if (scales && failed(rule.expectLength("scales", scales->size(), axes->size())))
    return failure();
  for (auto [i, axis] : llvm::enumerate(*axes)) {
    Dim &size = (*x)[axis];
    if (scales && (*scales)[i] == 1.0)
      continue;
    if (!scales || !size.isStatic()) {
      size = scales ? scaledOpenSize(rule, size, (*scales)[i]) : Dim();
      continue;
    }
    // ONNX's definition multiplies in single precision.
    double scaled = std::floor(float(size.size) * float((*scales)[i]));
    if (!(scaled >= 0 && scaled < 0x1p62))
      return rule.error() << "'scales' has an element out of range";
    size = Dim(int64_t(scaled));
  }
  return rule.set(0, rule.element(0), x);
}

} // namespace burin::onnx
