// SPDX-License-Identifier: Apache-2.0
//
// Strides where they save most. What is read at every s-th position alone, by 1x1 convolutions of stride s
// or by a Slice of such steps, is computed there alone: the positions become a Slice in front of the readers,
// which goes up through elementwise ops and ends as the stride of a convolution. What other ops read as well
// is sliced beside them. The values at those positions are those of before.

#include "compiler/transforms/Match.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_PUSHSTRIDES
#include "compiler/transforms/Passes.h.inc"

namespace {

constexpr int64_t firstSpatial = 2;
/// Ops that a Slice passes at most.
constexpr unsigned maxDepth = 32;
/// Of a stride that is a product; no model has larger ones.
constexpr int64_t maxStride = 1 << 20;

using Steps = SmallVector<int64_t>; // of each spatial dim

RankedTensorType tensorOf(Value value) { return dyn_cast<RankedTensorType>(value.getType()); }

/// `type` with the dims of `axes` as `from` has them.
RankedTensorType withDims(RankedTensorType type, RankedTensorType from,
                          llvm::function_ref<int64_t(int64_t)> axisInFrom, ArrayRef<int64_t> axes) {
  SmallVector<int64_t> shape(type.getShape());
  SmallVector<StringAttr> names(shape.size(), StringAttr::get(type.getContext()));
  auto own = dyn_cast_if_present<onnx::DimsAttr>(type.getEncoding());
  auto other = dyn_cast_if_present<onnx::DimsAttr>(from.getEncoding());
  if (own)
    names.assign(own.getNames().begin(), own.getNames().end());
  for (int64_t axis : axes) {
    shape[axis] = from.getDimSize(axisInFrom(axis));
    names[axis] = other ? other.getNames()[axisInFrom(axis)] : StringAttr::get(type.getContext());
  }
  bool named = llvm::any_of(names, [](StringAttr name) { return !name.empty(); });
  return RankedTensorType::get(shape, type.getElementType(),
                               named ? onnx::DimsAttr::get(type.getContext(), names) : Attribute());
}

/// As above for all spatial dims of tensors of one rank.
RankedTensorType withSpatialDims(RankedTensorType type, RankedTensorType from) {
  return withDims(type, from, [](int64_t axis) { return axis; },
                  llvm::to_vector(llvm::seq<int64_t>(firstSpatial, type.getRank())));
}

Steps stridesOf(onnx::ConvOp conv, int64_t spatial) {
  auto strides = conv.getStrides();
  return strides && int64_t(strides->size()) == spatial ? Steps(*strides) : Steps(spatial, 1);
}

/// Whether pads are given and not found by the sizes, which a larger stride would change.
bool hasFixedPads(onnx::ConvOp conv) {
  return (conv.getAutoPad() == "NOTSET" || conv.getAutoPad() == "VALID") && !conv->hasAttr("channels_last");
}

/// The steps at which `reader`, a 1x1 convolution, reads `x`; empty where it is none or reads all of it.
Steps stepsOf(Operation *reader, Value x) {
  auto conv = dyn_cast<onnx::ConvOp>(reader);
  RankedTensorType type = tensorOf(x);
  if (!conv || conv.getX() != x || conv.getW() == x || conv.getB() == x || !hasFixedPads(conv) ||
      !type || type.getRank() <= firstSpatial)
    return {};
  RankedTensorType taps = tensorOf(conv.getW()), result = tensorOf(conv.getY());
  if (!taps || taps.getRank() != type.getRank() || !result || result.getRank() != type.getRank())
    return {};
  auto pads = conv.getPads();
  if (llvm::any_of(taps.getShape().drop_front(firstSpatial), [](int64_t size) { return size != 1; }) ||
      (pads && conv.getAutoPad() == "NOTSET" && llvm::any_of(*pads, [](int64_t pad) { return pad != 0; })))
    return {};
  Steps steps = stridesOf(conv, type.getRank() - firstSpatial);
  bool readsAll = llvm::all_of(steps, [](int64_t step) { return step == 1; });
  return readsAll || llvm::any_of(steps, [](int64_t step) { return step < 1; }) ? Steps{} : steps;
}

/// As above of a Slice from the first position of each spatial dim to the last.
Steps stepsOf(onnx::SliceOp slice) {
  RankedTensorType type = tensorOf(slice.getData());
  auto starts = match::integers(slice.getStarts()), ends = match::integers(slice.getEnds()),
       axes = match::integers(slice.getAxes()), given = match::integers(slice.getSteps());
  if (!type || type.getRank() <= firstSpatial || !tensorOf(slice.getOutput()) || !starts || !ends ||
      !axes || !given || axes->size() != starts->size() || axes->size() != ends->size() ||
      axes->size() != given->size())
    return {};
  Steps steps(type.getRank() - firstSpatial, 1);
  for (auto [start, end, axis, step] : llvm::zip_equal(*starts, *ends, *axes, *given)) {
    int64_t dim = axis + (axis < 0 ? type.getRank() : 0);
    bool toTheEnd = end == INT64_MAX || (!type.isDynamicDim(dim) && end >= type.getDimSize(dim));
    if (dim < firstSpatial || dim >= type.getRank() || start != 0 || step < 1 || !toTheEnd)
      return {};
    steps[dim - firstSpatial] *= step;
  }
  return steps;
}

/// The spatial dims of an elementwise op's operand that are not broadcast, counted in the operand; nothing
/// where they are not those of the result.
std::optional<SmallVector<int64_t>> spatialAxes(Value operand, RankedTensorType result) {
  RankedTensorType type = tensorOf(operand);
  if (!type || type.getRank() > result.getRank())
    return std::nullopt;
  auto own = dyn_cast_if_present<onnx::DimsAttr>(type.getEncoding());
  auto other = dyn_cast_if_present<onnx::DimsAttr>(result.getEncoding());
  SmallVector<int64_t> axes;
  int64_t ahead = result.getRank() - type.getRank();
  for (int64_t axis = std::max<int64_t>(firstSpatial - ahead, 0); axis < type.getRank(); ++axis) {
    if (type.getDimSize(axis) == 1)
      continue;
    bool open = type.isDynamicDim(axis);
    if (type.getDimSize(axis) != result.getDimSize(axis + ahead) ||
        (open && (!own || !other || own.getNames()[axis].empty() ||
                  own.getNames()[axis] != other.getNames()[axis + ahead])))
      return std::nullopt;
    axes.push_back(axis);
  }
  return axes;
}

bool isElementwise(Operation *op) {
  return isa<onnx::ElementwiseOpInterface>(op) && op->getNumResults() == 1 &&
         !isa<onnx::QuantizeLinearOp, onnx::DequantizeLinearOp>(op);
}

/// Whether what computes `value` can compute it at some positions alone, and a convolution among it does.
bool canSkip(Value value, unsigned depth = 0) {
  Operation *op = value.getDefiningOp();
  RankedTensorType type = tensorOf(value);
  if (!op || !type || type.getRank() <= firstSpatial || depth == maxDepth)
    return false;
  if (auto conv = dyn_cast<onnx::ConvOp>(op))
    return hasFixedPads(conv);
  if (!isElementwise(op))
    return false;
  bool any = false;
  for (Value operand : op->getOperands()) {
    if (isa<NoneType>(operand.getType()))
      continue;
    std::optional<SmallVector<int64_t>> axes = spatialAxes(operand, type);
    if (!axes)
      return false;
    any |= !axes->empty() && tensorOf(operand).getRank() == type.getRank() &&
           match::isUsedOnlyBy(operand, {op}) && canSkip(operand, depth + 1);
  }
  return any;
}

Value sliced(PatternRewriter &rewriter, Location loc, Value value, RankedTensorType type,
             ArrayRef<int64_t> axes, ArrayRef<int64_t> steps) {
  auto all = [&](int64_t number) {
    return match::constant(rewriter, loc, SmallVector<int64_t>(axes.size(), number));
  };
  return onnx::SliceOp::create(rewriter, loc, type, value, all(0), all(INT64_MAX),
                               match::constant(rewriter, loc, axes), match::constant(rewriter, loc, steps));
}

/// Convolutions that read the same positions read a Slice of them.
struct ReadSlice : OpRewritePattern<onnx::ConvOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(onnx::ConvOp op, PatternRewriter &rewriter) const override {
    Value x = op.getX();
    Steps steps = stepsOf(op, x);
    SmallVector<Operation *> readers(x.getUsers());
    if (steps.empty() || !canSkip(x) ||
        llvm::any_of(readers, [&](Operation *reader) {
          return reader->getBlock() != x.getParentBlock() || stepsOf(reader, x) != steps;
        }))
      return failure();
    rewriter.setInsertionPointAfter(x.getDefiningOp());
    RankedTensorType type = tensorOf(x);
    Value slice = sliced(rewriter, op.getLoc(), x, withSpatialDims(type, tensorOf(op.getY())),
                         llvm::to_vector(llvm::seq<int64_t>(firstSpatial, type.getRank())), steps);
    for (Operation *reader : readers)
      rewriter.modifyOpInPlace(reader, [&] {
        auto conv = cast<onnx::ConvOp>(reader);
        conv.getXMutable().assign(slice);
        conv.setStrides(Steps(steps.size(), 1));
      });
    return success();
  }
};

/// A Slice goes above what it alone reads, or becomes a stride of it.
struct Raise : OpRewritePattern<onnx::SliceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(onnx::SliceOp slice, PatternRewriter &rewriter) const override {
    Steps steps = stepsOf(slice);
    Value data = slice.getData();
    if (llvm::all_of(steps, [](int64_t step) { return step == 1; }) ||
        !match::isUsedOnlyBy(data, {slice}) || !canSkip(data) ||
        slice->getBlock() != data.getParentBlock())
      return failure();
    RankedTensorType type = withSpatialDims(tensorOf(data), tensorOf(slice.getOutput()));
    if (auto conv = data.getDefiningOp<onnx::ConvOp>()) {
      Steps strides = stridesOf(conv, steps.size());
      for (auto [stride, step] : llvm::zip_equal(strides, steps)) {
        if (stride < 1 || stride > maxStride || step > maxStride / stride)
          return failure();
        stride *= step;
      }
      rewriter.modifyOpInPlace(conv, [&] {
        conv.setStrides(strides);
        conv.getY().setType(type);
      });
      rewriter.replaceOp(slice, conv.getY());
      return success();
    }
    Operation *op = data.getDefiningOp();
    rewriter.setInsertionPoint(op);
    int64_t rank = type.getRank();
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      operands.push_back(operand);
      if (isa<NoneType>(operand.getType()))
        continue;
      SmallVector<int64_t> axes = *spatialAxes(operand, tensorOf(data));
      if (axes.empty())
        continue;
      int64_t ahead = rank - tensorOf(operand).getRank();
      RankedTensorType part = withDims(tensorOf(operand), type,
                                       [&](int64_t axis) { return axis + ahead; }, axes);
      SmallVector<int64_t> own = llvm::map_to_vector(
          axes, [&](int64_t axis) { return steps[axis + ahead - firstSpatial]; });
      operands.back() = sliced(rewriter, slice.getLoc(), operand, part, axes, own);
    }
    rewriter.modifyOpInPlace(op, [&] {
      op->setOperands(operands);
      op->getResult(0).setType(type);
    });
    rewriter.replaceOp(slice, op->getResult(0));
    return success();
  }
};

struct PushStrides : impl::PushStridesBase<PushStrides> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ReadSlice, Raise>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace burin
