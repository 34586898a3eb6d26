// SPDX-License-Identifier: Apache-2.0
//
// Folding, one mechanism for all operators: what changes nothing is its operand,
// lists of sizes are evaluated as the shape rules read them, elements that only
// move are moved, and elementwise operators are interpreted by the scalar body
// that lowering uses too. Only small constants are folded; weights stay where they are.

#include "dialects/onnx/OnnxFolds.h"
#include "dialects/onnx/shapes/ShapeRule.h"
#include "dialects/plan/PlanOps.h"

#include "mlir/Interfaces/FoldInterfaces.h"

using namespace mlir;

namespace burin::onnx {

OpFoldResult NoneOp::fold(FoldAdaptor) { return UnitAttr::get(getContext()); }

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

//===- What changes nothing -------------------------------------------------===//

static bool isIdentityPermutation(ArrayRef<int64_t> perm) {
  return llvm::all_of(llvm::enumerate(perm),
                      [](auto entry) { return int64_t(entry.index()) == entry.value(); });
}

/// A Transpose's permutation counted from the front; empty where not known.
static SmallVector<int64_t> permutation(TransposeOp op) {
  auto type = dyn_cast<RankedTensorType>(op.getData().getType());
  if (!type)
    return {};
  int64_t rank = type.getRank();
  SmallVector<int64_t> perm = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, rank)));
  if (auto given = op.getPerm())
    perm.assign(given->begin(), given->end());
  for (int64_t &axis : perm)
    axis += axis < 0 ? rank : 0;
  // A wrong permutation is for the shape rule to diagnose.
  if (int64_t(perm.size()) != rank || llvm::any_of(perm, [&](int64_t axis) {
        return axis < 0 || axis >= rank;
      }))
    return {};
  return perm;
}

/// Whether two tensors of this type that have as many elements have the same sizes.
static bool decidesSizes(RankedTensorType type) {
  return type.hasStaticShape() ||
         (type.getNumDynamicDims() == 1 && !llvm::is_contained(type.getShape(), 0));
}

/// The operand that equals the single used result of `op`, or null.
static Value unchanged(Operation *op) {
  if (isa<IdentityOp>(op))
    return op->getOperand(0);
  if (auto dropout = dyn_cast<DropoutOp>(op)) {
    auto training = constantInts(dropout.getTrainingMode());
    bool inference = isa<NoneType>(dropout.getTrainingMode().getType()) ||
                     (training && training->size() == 1 && training->front() == 0);
    return inference && dropout.getMask().use_empty() ? dropout.getData() : Value();
  }
  if (isa<ConcatOp, SumOp, MeanOp, MaxOp, MinOp>(op))
    return op->getNumOperands() == 1 ? op->getOperand(0) : Value();
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    auto perm = permutation(transpose);
    return !perm.empty() && isIdentityPermutation(perm) ? transpose.getData() : Value();
  }
  // With equal types these move nothing; sizes must be known for that to be true.
  if (isa<CastOp, CastLikeOp>(op))
    return op->getOperand(0);
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (isa<ReshapeOp, FlattenOp, SqueezeOp, UnsqueezeOp>(op) && type && decidesSizes(type))
    return op->getOperand(0);
  if (!type || !type.hasStaticShape())
    return nullptr;
  if (isa<ExpandOp, TileOp>(op))
    return op->getOperand(0);
  if (auto slice = dyn_cast<SliceOp>(op)) {
    auto steps = constantInts(slice.getSteps());
    bool forward = isa<NoneType>(slice.getSteps().getType()) ||
                   (steps && llvm::all_of(*steps, [](int64_t step) { return step > 0; }));
    return forward ? slice.getData() : Value();
  }
  return nullptr;
}

/// Skips what `op` undoes or overrides, in place.
static bool skipProducer(Operation *op) {
  if (auto outer = dyn_cast<TransposeOp>(op)) {
    auto inner = outer.getData().getDefiningOp<TransposeOp>();
    if (!inner)
      return false;
    auto first = permutation(inner), second = permutation(outer);
    if (first.empty() || first.size() != second.size())
      return false;
    SmallVector<int64_t> perm;
    for (int64_t axis : second)
      perm.push_back(first[axis]);
    outer.getDataMutable().assign(inner.getData());
    outer.setPerm(perm);
    return true;
  }
  if (auto outer = dyn_cast<ReshapeOp>(op)) {
    Operation *inner = outer.getData().getDefiningOp();
    if (!inner || !isa<ReshapeOp, FlattenOp, SqueezeOp, UnsqueezeOp>(inner))
      return false;
    auto type = dyn_cast<RankedTensorType>(outer.getType());
    // A 0 in the shape stands for a size of the operand.
    auto shape = constantInts(outer.getShape());
    bool isBack = type && type == inner->getOperand(0).getType() && decidesSizes(type);
    if (!isBack && (!type || !type.hasStaticShape() || !shape || llvm::is_contained(*shape, 0)))
      return false;
    outer.getDataMutable().assign(inner->getOperand(0));
    return true;
  }
  return false;
}

//===- Moving constant elements ---------------------------------------------===//

namespace {
/// A constant small enough to fold, element by element.
struct Elements {
  SmallVector<Attribute> values;
  SmallVector<int64_t> shape;

  int64_t rank() const { return shape.size(); }
};
} // namespace

static std::optional<Elements> readElements(Attribute attribute) {
  auto dense = dyn_cast_if_present<DenseElementsAttr>(attribute);
  if (!dense || !dense.getElementType().isIntOrFloat() ||
      dense.getNumElements() > maxFoldedElements)
    return std::nullopt;
  return Elements{llvm::to_vector(dense.getValues<Attribute>()),
                  llvm::to_vector(dense.getType().getShape())};
}

/// Calls `visit` with each index of `shape`, row-major.
static void forEachIndex(ArrayRef<int64_t> shape, function_ref<void(ArrayRef<int64_t>)> visit) {
  if (llvm::is_contained(shape, 0))
    return;
  SmallVector<int64_t> index(shape.size(), 0);
  while (true) {
    visit(index);
    int64_t dim = int64_t(shape.size()) - 1;
    while (dim >= 0 && ++index[dim] == shape[dim])
      index[dim--] = 0;
    if (dim < 0)
      return;
  }
}

static int64_t linearize(ArrayRef<int64_t> index, ArrayRef<int64_t> shape) {
  int64_t at = 0;
  for (auto [i, size] : llvm::zip_equal(index, shape))
    at = at * size + i;
  return at;
}

/// The elements of `result` pulled from `source` by index; fails where `pull`
/// leaves the source.
static Attribute pull(RankedTensorType result, const Elements &source,
                      function_ref<bool(ArrayRef<int64_t> at, SmallVectorImpl<int64_t> &from)> map) {
  SmallVector<Attribute> values;
  bool inside = true;
  forEachIndex(result.getShape(), [&](ArrayRef<int64_t> at) {
    SmallVector<int64_t> from;
    inside = inside && map(at, from) && from.size() == source.shape.size();
    for (size_t d = 0; inside && d < from.size(); ++d)
      inside = from[d] >= 0 && from[d] < source.shape[d];
    if (inside)
      values.push_back(source.values[linearize(from, source.shape)]);
  });
  return inside ? DenseElementsAttr::get(result, values) : Attribute();
}

static Attribute moveElements(Operation *op, RankedTensorType type, ArrayRef<Attribute> operands) {
  auto source = operands.empty() ? std::nullopt : readElements(operands[0]);
  if (auto concat = dyn_cast<ConcatOp>(op)) {
    SmallVector<Elements> parts;
    for (Attribute operand : operands) {
      auto part = readElements(operand);
      if (!part || part->rank() != type.getRank())
        return {};
      parts.push_back(*part);
    }
    int64_t axis = concat.getAxis() + (concat.getAxis() < 0 ? type.getRank() : 0);
    if (axis < 0 || axis >= type.getRank())
      return {};
    SmallVector<Attribute> values;
    forEachIndex(type.getShape(), [&](ArrayRef<int64_t> at) {
      SmallVector<int64_t> from(at);
      for (const Elements &part : parts) {
        if (from[axis] < part.shape[axis]) {
          int64_t linear = linearize(from, part.shape);
          if (linear >= 0 && linear < int64_t(part.values.size()))
            values.push_back(part.values[linear]);
          return;
        }
        from[axis] -= part.shape[axis];
      }
    });
    return int64_t(values.size()) == type.getNumElements() ? DenseElementsAttr::get(type, values)
                                                            : Attribute();
  }
  if (!source)
    return {};
  int64_t rank = source->rank();
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    auto perm = permutation(transpose);
    if (int64_t(perm.size()) != rank)
      return {};
    return pull(type, *source, [&](ArrayRef<int64_t> at, SmallVectorImpl<int64_t> &from) {
      from.resize(rank);
      for (auto [i, axis] : llvm::enumerate(perm))
        from[axis] = at[i];
      return true;
    });
  }
  if (isa<ExpandOp, TileOp>(op)) {
    bool expand = isa<ExpandOp>(op);
    int64_t offset = type.getRank() - rank;
    if (offset < 0)
      return {};
    return pull(type, *source, [&](ArrayRef<int64_t> at, SmallVectorImpl<int64_t> &from) {
      for (int64_t d = 0; d < rank; ++d) {
        int64_t size = source->shape[d];
        from.push_back(size == 0 ? -1 : expand && size != 1 ? at[d + offset] : at[d + offset] % size);
      }
      return true;
    });
  }
  if (auto gather = dyn_cast<GatherOp>(op)) {
    auto indices = constantInts(gather.getIndices());
    auto indexType = dyn_cast<RankedTensorType>(gather.getIndices().getType());
    int64_t axis = gather.getAxis() + (gather.getAxis() < 0 ? rank : 0);
    if (!indices || !indexType || axis < 0 || axis >= rank)
      return {};
    int64_t indexRank = indexType.getRank();
    return pull(type, *source, [&](ArrayRef<int64_t> at, SmallVectorImpl<int64_t> &from) {
      from.append(at.begin(), at.begin() + axis);
      int64_t index = (*indices)[linearize(at.slice(axis, indexRank), indexType.getShape())];
      from.push_back(index < 0 ? index + source->shape[axis] : index);
      from.append(at.begin() + axis + indexRank, at.end());
      return true;
    });
  }
  if (auto slice = dyn_cast<SliceOp>(op)) {
    auto starts = constantInts(slice.getStarts()), axes = constantInts(slice.getAxes()),
         steps = constantInts(slice.getSteps());
    if (!starts || (!axes && !isa<NoneType>(slice.getAxes().getType())) ||
        (!steps && !isa<NoneType>(slice.getSteps().getType())) ||
        (axes && axes->size() != starts->size()) || (steps && steps->size() != starts->size()))
      return {};
    return pull(type, *source, [&](ArrayRef<int64_t> at, SmallVectorImpl<int64_t> &from) {
      from.assign(at.begin(), at.end());
      for (auto [i, start] : llvm::enumerate(*starts)) {
        int64_t axis = axes ? (*axes)[i] : int64_t(i), step = steps ? (*steps)[i] : 1;
        axis += axis < 0 ? rank : 0;
        if (axis < 0 || axis >= rank)
          return false;
        int64_t size = source->shape[axis], first = start < 0 ? start + size : start;
        first = std::clamp<int64_t>(first, 0, step > 0 ? size : std::max<int64_t>(size - 1, 0));
        int64_t offset;
        if (llvm::MulOverflow(at[axis], step, offset) ||
            llvm::AddOverflow(first, offset, from[axis]))
          return false;
      }
      return true;
    });
  }
  return {};
}

//===- Producing constants --------------------------------------------------===//

static Attribute splat(RankedTensorType type, Attribute value) {
  return DenseElementsAttr::get(type, ArrayRef<Attribute>(value));
}

static Attribute foldRange(RangeOp op, RankedTensorType type) {
  auto start = constantInts(op.getStart()), delta = constantInts(op.getDelta());
  if (!start || !delta || start->size() != 1 || delta->size() != 1)
    return {};
  unsigned width = type.getElementTypeBitWidth();
  SmallVector<APInt> values;
  APInt next(64, start->front(), /*isSigned=*/true), step(64, delta->front(), /*isSigned=*/true);
  for (int64_t i = 0; i < type.getNumElements(); ++i, next += step)
    values.push_back(next.sextOrTrunc(width));
  return DenseElementsAttr::get(type, values);
}

/// Products, sums and extremes of integer constants.
static Attribute foldReduction(Operation *op, RankedTensorType type, Attribute operand) {
  auto source = readElements(operand);
  auto element = dyn_cast<IntegerType>(type.getElementType());
  if (!source || !element || source->values.empty())
    return {};
  // Only reductions of everything: what shape arithmetic asks for.
  if (type.getNumElements() != 1)
    return {};
  APInt folded = cast<IntegerAttr>(source->values.front()).getValue();
  bool isUnsigned = element.isUnsigned();
  for (Attribute value : llvm::drop_begin(source->values)) {
    const APInt &next = cast<IntegerAttr>(value).getValue();
    if (isa<ReduceProdOp>(op))
      folded *= next;
    else if (isa<ReduceSumOp>(op))
      folded += next;
    else if (isa<ReduceMaxOp>(op))
      folded = isUnsigned ? llvm::APIntOps::umax(folded, next) : llvm::APIntOps::smax(folded, next);
    else
      folded = isUnsigned ? llvm::APIntOps::umin(folded, next) : llvm::APIntOps::smin(folded, next);
  }
  return DenseElementsAttr::get(type, ArrayRef<APInt>(folded));
}

/// The constant that the single result of `op` is, or null.
static Attribute constantResult(Operation *op, ArrayRef<Attribute> operands) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !type.hasStaticShape())
    return {};
  Type element = type.getElementType();

  // Bytes in row-major order do not depend on the shape.
  if (isa<ReshapeOp, FlattenOp, SqueezeOp, UnsqueezeOp, IdentityOp>(op)) {
    if (auto dense = dyn_cast_if_present<DenseIntOrFPElementsAttr>(operands[0]);
        dense && dense.getElementType() == element &&
        dense.getNumElements() == type.getNumElements())
      return dense.reshape(type);
    if (auto weight = dyn_cast_if_present<plan::WeightAttr>(operands[0]); weight && !weight.getLayout())
      if (auto from = dyn_cast<RankedTensorType>(weight.getType());
          from && from.getElementType() == element && from.hasStaticShape() &&
          from.getNumElements() == type.getNumElements())
        return plan::WeightAttr::get(op->getContext(), type, weight.getSegment(),
                                     weight.getOffset(), weight.getLength());
  }
  if (auto filled = dyn_cast<ConstantOfShapeOp>(op)) {
    if (auto value = dyn_cast_if_present<DenseElementsAttr>(filled.getValueAttr()))
      return value.getNumElements() == 1 && element.isIntOrFloat()
                 ? splat(type, *value.getValues<Attribute>().begin())
                 : Attribute();
    return element.isF32() ? splat(type, FloatAttr::get(element, 0.0)) : Attribute();
  }
  if (auto size = dyn_cast<SizeOp>(op)) {
    auto data = dyn_cast<RankedTensorType>(size.getData().getType());
    return data && data.hasStaticShape()
               ? splat(type, IntegerAttr::get(element, APInt(64, data.getNumElements())))
               : Attribute();
  }
  if (type.getNumElements() > maxFoldedElements)
    return {};
  if (auto range = dyn_cast<RangeOp>(op); range && isa<IntegerType>(element))
    return foldRange(range, type);
  if (isa<ReduceProdOp, ReduceSumOp, ReduceMaxOp, ReduceMinOp>(op))
    return foldReduction(op, type, operands[0]);
  if (isa<ShapeOp, GatherOp, ConcatOp, SliceOp, SqueezeOp, UnsqueezeOp, ReshapeOp>(op) &&
      isa<IntegerType>(element) && type.getRank() <= 1) {
    // Sizes that are known although others of their shape are not.
    Shape list = shapeValue(op->getResult(0));
    if (list && int64_t(list->size()) == type.getNumElements() &&
        llvm::all_of(*list, [](const Dim &dim) { return dim.isStatic(); })) {
      SmallVector<APInt> values;
      for (const Dim &dim : *list)
        values.push_back(APInt(64, dim.size).sextOrTrunc(type.getElementTypeBitWidth()));
      return DenseElementsAttr::get(type, values);
    }
  }
  if (Attribute moved = moveElements(op, type, operands))
    return moved;
  return foldElementwise(op, type, operands);
}

namespace {
struct OnnxFold : DialectFoldInterface {
  using DialectFoldInterface::DialectFoldInterface;

  LogicalResult fold(Operation *op, ArrayRef<Attribute> operands,
                     SmallVectorImpl<OpFoldResult> &results) const final {
    if (op->getNumResults() == 0 || op->getNumRegions() != 0)
      return failure();
    if (Value same = unchanged(op); same && same.getType() == op->getResult(0).getType()) {
      results.push_back(same);
      // Unused optional results keep their place.
      for (Value rest : llvm::drop_begin(op->getResults())) {
        if (!isa<NoneType>(rest.getType()))
          return failure();
        results.push_back(UnitAttr::get(op->getContext()));
      }
      return success();
    }
    if (op->getNumResults() != 1)
      return failure();
    if (skipProducer(op))
      return success();
    if (Attribute constant = constantResult(op, operands)) {
      results.push_back(constant);
      return success();
    }
    return failure();
  }
};
} // namespace

void addFolds(OnnxDialect &dialect) { dialect.addInterfaces<OnnxFold>(); }

} // namespace burin::onnx
