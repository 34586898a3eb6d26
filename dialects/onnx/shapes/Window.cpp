// SPDX-License-Identifier: Apache-2.0
//
// Shape rules of the window family: convolution and pooling.

#include "dialects/onnx/shapes/ShapeRule.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace burin::onnx {
namespace {

// 128-bit so that products of two attributes cannot wrap.
using Wide = __int128;

Wide floorDiv(Wide a, Wide b) { return a / b - (a % b != 0 && (a % b < 0)); }
Wide ceilDiv(Wide a, Wide b) { return -floorDiv(-a, b); }

/// The window of a node: per spatial dimension kernel, stride, dilation and pads.
struct Window {
  SmallVector<Dim> kernel;
  SmallVector<int64_t> strides, dilations, pads;
  StringRef autoPad;
  bool ceilMode = false;

  size_t rank() const { return kernel.size(); }
  bool sameSize() const { return autoPad.starts_with("SAME_"); }
  Wide padding(size_t i) const { return Wide(pads[i]) + pads[i + rank()]; }
  /// Input elements that one window spans.
  Wide span(size_t i) const { return (Wide(kernel[i].size) - 1) * dilations[i] + 1; }
};

FailureOr<Window> readWindow(ShapeRule &rule, ArrayRef<Dim> kernel) {
  Window window;
  window.kernel.assign(kernel.begin(), kernel.end());
  size_t rank = kernel.size();
  window.strides = rule.intsAttr("strides").value_or(SmallVector<int64_t>(rank, 1));
  window.dilations = rule.intsAttr("dilations").value_or(SmallVector<int64_t>(rank, 1));
  window.pads = rule.intsAttr("pads").value_or(SmallVector<int64_t>(2 * rank, 0));
  window.autoPad = rule.attr("auto_pad", "NOTSET");
  window.ceilMode = rule.attr("ceil_mode", 0) != 0;
  if (failed(rule.expectLength("strides", window.strides.size(), rank)) ||
      failed(rule.expectLength("dilations", window.dilations.size(), rank)) ||
      failed(rule.expectLength("pads", window.pads.size(), 2 * rank)))
    return failure();
  if (!llvm::is_contained({"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"}, window.autoPad))
    return rule.error() << "'auto_pad' is '" << window.autoPad
                        << "'; it must be NOTSET, VALID, SAME_UPPER or SAME_LOWER";
  for (auto [stride, dilation] : llvm::zip_equal(window.strides, window.dilations))
    if (stride < 1 || dilation < 1)
      return rule.error() << "'strides' and 'dilations' must be 1 or more";
  if (llvm::any_of(window.pads, [](int64_t pad) { return pad < 0; }))
    return rule.error() << "'pads' must not be negative";
  for (const Dim &size : window.kernel)
    if (size.isStatic() && size.size < 1)
      return rule.error() << "the kernel must have sizes of 1 or more, not " << size.size;
  if (window.autoPad != "NOTSET")
    window.pads.assign(2 * rank, 0);
  return window;
}

FailureOr<Dim> asDim(ShapeRule &rule, Wide size) {
  if (size < 0 || size > std::numeric_limits<int64_t>::max())
    return rule.error() << "a spatial size would be "
                        << (size < 0 ? "negative" : "more than 2^63")
                        << "; check its kernel, strides and pads";
  return Dim(int64_t(size));
}

/// size + more, floored by `divisor`: a number, an expression, or unknown.
Dim quotient(Dim size, Wide more, int64_t divisor) {
  if (more != Wide(int64_t(more)))
    return Dim();
  return floorDivide(add(size, Dim(int64_t(more))).value_or(Dim()), divisor);
}

/// What a diagnostic prints: of a number that no int64_t holds, the largest.
int64_t shown(Wide number) { return int64_t(std::min<Wide>(number, INT64_MAX)); }

/// Of a size that changes from run to run: windows must fit for all that --dim allows.
FailureOr<Dim> openWindowCount(ShapeRule &rule, const Window &window, size_t i, Dim in) {
  int64_t stride = window.strides[i];
  if (window.sameSize())
    return quotient(in, Wide(stride) - 1, stride);
  // The last window starts where it still fits, or with ceil_mode where it starts in the
  // input or the padding before it.
  bool ceil = window.ceilMode && window.autoPad == "NOTSET";
  Wide rest = window.padding(i) - window.span(i);
  if (ceil)
    rest = window.pads[i] + std::min<Wide>(rest - window.pads[i] + stride - 1, -1);
  Dim last = quotient(in, rest, stride);
  std::optional<SizeExpr::Interval> starts = rule.range(last);
  if (starts && starts->min < 0) {
    std::string name = last.expr() ? last.expr()->names().front() : "NAME";
    return rule.error() << "the window spans " << shown(window.span(i))
                        << " elements of a dimension of '" << (in.name ? in.name.getValue() : "?")
                        << "', which --dim lets be too small for it; give a range that starts "
                        << "higher, --dim " << name << "=MIN..MAX";
  }
  return add(last, Dim(1)).value_or(Dim());
}

/// How many windows fit along dimension `i` of an input of size `in`.
FailureOr<Dim> windowCount(ShapeRule &rule, const Window &window, size_t i, Dim in) {
  if (window.sameSize() && window.strides[i] == 1)
    return in;
  if (!in.isStatic() && (window.sameSize() || window.kernel[i].isStatic()))
    return openWindowCount(rule, window, i, in);
  if (window.sameSize())
    return asDim(rule, ceilDiv(in.size, window.strides[i]));
  if (!window.kernel[i].isStatic())
    return Dim();
  Wide span = window.span(i), stride = window.strides[i], padding = window.padding(i);
  Wide free = in.size + padding - span;
  // ceil_mode does not change what VALID gives.
  bool ceil = window.ceilMode && window.autoPad == "NOTSET";
  Wide count = (ceil ? ceilDiv(free, stride) : floorDiv(free, stride)) + 1;
  // A last window that would start in the padding behind the input is left out.
  if (ceil && (count - 1) * stride >= Wide(in.size) + window.pads[i])
    --count;
  if (count < 1)
    return rule.error() << "the window spans " << shown(span) << " elements of a dimension of "
                        << in.size << " with padding " << shown(padding)
                        << "; no window fits";
  return asDim(rule, count);
}

/// The activation's shape with channels at 1, whatever its layout.
Shape channelsFirst(ShapeRule &rule, unsigned operand) {
  Shape shape = rule.shape(operand);
  if (shape && shape->size() > 2 && rule.op->hasAttr("channels_last"))
    std::rotate(shape->begin() + 1, shape->end() - 1, shape->end());
  return shape;
}

LogicalResult setChannelsFirst(ShapeRule &rule, unsigned result, Type element, Shape shape) {
  if (shape && shape->size() > 2 && rule.op->hasAttr("channels_last"))
    std::rotate(shape->begin() + 1, shape->begin() + 2, shape->end());
  return rule.set(result, element, shape);
}

/// Spatial sizes of the kernel: of the weight, and of `kernel_shape` if given.
FailureOr<Shape> kernelSizes(ShapeRule &rule, const Shape &weight) {
  Shape kernel;
  if (weight) {
    if (weight->size() < 3)
      return rule.error() << "the weight must have rank 3 or more, not " << weight->size();
    kernel = Dims(ArrayRef<Dim>(*weight).drop_front(2));
  }
  if (auto given = rule.intsAttr("kernel_shape")) {
    if (!kernel)
      return Shape(Dims(ArrayRef<int64_t>(*given)));
    if (failed(rule.expectLength("kernel_shape", given->size(), kernel->size())))
      return failure();
    for (auto [dim, size] : llvm::zip_equal(*kernel, *given)) {
      FailureOr<Dim> merged = rule.same(dim, Dim(size), "'kernel_shape' and the weight's sizes");
      if (failed(merged))
        return failure();
      dim = *merged;
    }
  }
  return kernel;
}

} // namespace

static LogicalResult checkGroups(ShapeRule &rule, int64_t group) {
  if (group < 1)
    return rule.error() << "'group' must be 1 or more, not " << group;
  return success();
}

/// X has a batch, channels and as many dimensions as the kernel.
static LogicalResult checkKernelRank(ShapeRule &rule, const Shape &x, const Shape &kernel) {
  if (x && x->size() < 3)
    return rule.error() << "X must have rank 3 or more, not " << x->size();
  if (x && kernel && x->size() != kernel->size() + 2)
    return rule.error() << "X has " << x->size() - 2 << " spatial dimensions, the kernel "
                        << kernel->size();
  return success();
}

static LogicalResult inferConvolution(ShapeRule &rule, unsigned weightOperand, int biasOperand,
                                      Type element) {
  Shape x = channelsFirst(rule, 0), weight = rule.shape(weightOperand);
  int64_t group = rule.attr("group", 1);
  FailureOr<Shape> kernel = kernelSizes(rule, weight);
  if (failed(kernel) || failed(checkGroups(rule, group)) || failed(checkKernelRank(rule, x, *kernel)))
    return failure();
  if (!*kernel)
    return rule.set(0, element, std::nullopt);
  FailureOr<Window> window = readWindow(rule, **kernel);
  if (failed(window))
    return failure();
  if (weight) {
    std::optional<Dim> channels = multiply((*weight)[1], Dim(group));
    if (x && channels &&
        failed(rule.same((*x)[1], *channels, "the channels of X and 'group' times those of W")))
      return failure();
    if ((*weight)[0].isStatic() && (*weight)[0].size % group != 0)
      return rule.error() << "the weight's " << (*weight)[0].size
                          << " output channels are not divisible by 'group' " << group;
  }
  if (biasOperand >= 0 && weight) {
    if (failed(rule.expectRank(biasOperand, 1)))
      return failure();
    Shape bias = rule.shape(biasOperand);
    if (bias && failed(rule.same(bias->front(), (*weight)[0], "the sizes of B and of W's outputs")))
      return failure();
  }
  Dims result = {x ? x->front() : Dim(), weight ? weight->front() : Dim()};
  for (size_t i = 0; i < window->rank(); ++i) {
    FailureOr<Dim> count = windowCount(rule, *window, i, x ? (*x)[i + 2] : Dim());
    if (failed(count))
      return failure();
    result.push_back(*count);
  }
  return setChannelsFirst(rule, 0, element, Shape(result));
}

LogicalResult inferConv(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  if (isa<QLinearConvOp>(op))
    return inferConvolution(rule, /*w*/ 3, /*B*/ 8, rule.element(/*y_zero_point*/ 7));
  if (isa<ConvIntegerOp>(op))
    return inferConvolution(rule, /*w*/ 1, /*B*/ -1,
                            IntegerType::get(op->getContext(), 32, IntegerType::Signed));
  return inferConvolution(rule, /*W*/ 1, /*B*/ 2, rule.element(0));
}

LogicalResult inferDeformConv(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  return inferConvolution(rule, /*W*/ 1, /*B*/ 3, rule.element(0));
}

LogicalResult inferConvTranspose(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape x = channelsFirst(rule, 0), weight = rule.shape(1);
  int64_t group = rule.attr("group", 1);
  FailureOr<Shape> kernel = kernelSizes(rule, weight);
  if (failed(kernel) || failed(checkGroups(rule, group)) || failed(checkKernelRank(rule, x, *kernel)))
    return failure();
  if (!*kernel)
    return rule.set(0, rule.element(0), std::nullopt);
  size_t rank = (*kernel)->size();
  FailureOr<Window> window = readWindow(rule, **kernel);
  if (failed(window))
    return failure();
  auto extra = rule.intsAttr("output_padding").value_or(SmallVector<int64_t>(rank, 0));
  if (failed(rule.expectLength("output_padding", extra.size(), rank)))
    return failure();
  if (llvm::any_of(extra, [](int64_t size) { return size < 0; }))
    return rule.error() << "'output_padding' must not be negative";
  auto given = rule.intsAttr("output_shape");
  if (given) {
    // Older models give batch and channels too.
    if (given->size() == rank + 2)
      given->erase(given->begin(), given->begin() + 2);
    if (failed(rule.expectLength("output_shape", given->size(), rank)))
      return failure();
  }
  Dims result = {x ? x->front() : Dim(), Dim()};
  if (weight) {
    if (x && failed(rule.same((*x)[1], (*weight)[0], "the channels of X and of W")))
      return failure();
    std::optional<Dim> channels = multiply((*weight)[1], Dim(group));
    if (!channels)
      return rule.error() << "'group' is too large";
    result[1] = *channels;
    if (failed(rule.expectRank(2, 1)))
      return failure();
    Shape bias = rule.shape(2);
    if (bias && failed(rule.same(bias->front(), *channels, "the sizes of B and of W's outputs")))
      return failure();
  }
  for (size_t i = 0; i < rank; ++i) {
    Dim in = x ? (*x)[i + 2] : Dim();
    FailureOr<Dim> size = Dim();
    if (given)
      size = asDim(rule, (*given)[i]);
    else if (in.isStatic() && window->sameSize())
      size = asDim(rule, Wide(in.size) * window->strides[i]);
    else if (in.isStatic() && (**kernel)[i].isStatic())
      size = asDim(rule, Wide(window->strides[i]) * (in.size - 1) + extra[i] + window->span(i) -
                             window->padding(i));
    else if (in.name && (window->sameSize() || (**kernel)[i].isStatic())) {
      Wide more = Wide(extra[i]) + window->span(i) - window->padding(i) - window->strides[i];
      Dim scaled = multiply(in, Dim(window->strides[i])).value_or(Dim());
      size = quotient(scaled, window->sameSize() ? 0 : more, 1);
    }
    if (failed(size))
      return failure();
    result.push_back(*size);
  }
  return setChannelsFirst(rule, 0, rule.element(0), Shape(result));
}

LogicalResult inferPool(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Dims kernel(ArrayRef<int64_t>(rule.intsAttr("kernel_shape").value_or(SmallVector<int64_t>())));
  FailureOr<Window> window = readWindow(rule, kernel);
  if (failed(window) || failed(rule.expectRank(0, kernel.size() + 2)))
    return failure();
  Shape result = channelsFirst(rule, 0);
  if (!result)
    result = Dims(kernel.size() + 2);
  for (size_t i = 0; i < window->rank(); ++i) {
    FailureOr<Dim> count = windowCount(rule, *window, i, (*result)[i + 2]);
    if (failed(count))
      return failure();
    (*result)[i + 2] = *count;
  }
  if (failed(setChannelsFirst(rule, 0, rule.element(0), result)))
    return failure();
  if (op->getNumResults() == 1)
    return success();
  return setChannelsFirst(rule, 1, IntegerType::get(op->getContext(), 64, IntegerType::Signed),
                          result);
}

LogicalResult inferGlobalPool(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape shape = channelsFirst(rule, 0);
  if (!shape)
    return rule.set(0, rule.element(0), std::nullopt);
  if (shape->size() < 2)
    return rule.error() << "X must have rank 2 or more, not " << shape->size();
  std::fill(shape->begin() + 2, shape->end(), Dim(1));
  return setChannelsFirst(rule, 0, rule.element(0), shape);
}

LogicalResult inferMaxUnpool(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Dims kernel(ArrayRef<int64_t>(rule.intsAttr("kernel_shape").value_or(SmallVector<int64_t>())));
  FailureOr<Window> window = readWindow(rule, kernel);
  if (failed(window) || failed(rule.expectRank(0, kernel.size() + 2)))
    return failure();
  if (!rule.absent(2)) {
    Shape given = shapeValue(rule.operand(2));
    if (given && failed(rule.expectLength("output_shape", given->size(), kernel.size() + 2)))
      return failure();
    return rule.set(0, rule.element(0), given ? given : Shape(Dims(kernel.size() + 2)));
  }
  Shape result = rule.shape(0);
  if (!result)
    return rule.set(0, rule.element(0), Shape(Dims(kernel.size() + 2)));
  for (size_t i = 0; i < window->rank(); ++i) {
    Dim &size = (*result)[i + 2];
    FailureOr<Dim> grown = Dim();
    if (size.isStatic())
      grown = asDim(rule, (Wide(size.size) - 1) * window->strides[i] + kernel[i].size -
                              window->padding(i));
    if (failed(grown))
      return failure();
    size = *grown;
  }
  return rule.set(0, rule.element(0), result);
}

LogicalResult inferMaxRoiPool(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  if (failed(rule.expectRank(0, 4)) || failed(rule.expectRank(1, 2)))
    return failure();
  auto pooled = rule.intsAttr("pooled_shape").value_or(SmallVector<int64_t>());
  if (failed(rule.expectLength("pooled_shape", pooled.size(), 2)))
    return failure();
  Shape x = rule.shape(0), rois = rule.shape(1);
  return rule.set(0, rule.element(0),
                  Shape(Dims{rois ? (*rois)[0] : Dim(), x ? (*x)[1] : Dim(), Dim(pooled[0]),
                             Dim(pooled[1])}));
}

LogicalResult inferCol2Im(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  if (failed(rule.expectRank(0, 3)))
    return failure();
  Shape image = shapeValue(rule.operand(1)), block = shapeValue(rule.operand(2));
  Shape input = rule.shape(0);
  if (image && block && failed(rule.expectLength("block_shape", block->size(), image->size())))
    return failure();
  if (!image)
    return rule.set(0, rule.element(0), std::nullopt);
  Dims result = {input ? input->front() : Dim(), Dim()};
  if (input && block) {
    FailureOr<Dim> blockSize = rule.product(*block);
    if (failed(blockSize))
      return failure();
    Dim rows = (*input)[1];
    if (rows.isStatic() && blockSize->isStatic()) {
      if (blockSize->size < 1 || rows.size % blockSize->size != 0)
        return rule.error() << "the input's " << rows.size
                            << " rows are not divisible by the block's " << blockSize->size
                            << " elements";
      result[1] = Dim(rows.size / blockSize->size);
    }
  }
  result.append(*image);
  return rule.set(0, rule.element(0), Shape(result));
}

} // namespace burin::onnx
