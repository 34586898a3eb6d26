// SPDX-License-Identifier: Apache-2.0
//
// Shape rules of the signal and the recurrent families.

#include "dialects/onnx/ElementTypes.h"
#include "dialects/onnx/shapes/ShapeRule.h"

using namespace mlir;

namespace burin::onnx {

// Bins of a one-sided transform of real data.
static Dim uniqueBins(Dim length) { return add(floorDivide(length, 2), Dim(1)).value_or(Dim()); }

LogicalResult inferDFT(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape input = rule.shape(0);
  if (!input)
    return rule.set(0, rule.element(0), std::nullopt);
  int64_t rank = input->size();
  if (rank < 2)
    return rule.error() << "input must have rank 2 or more, not " << rank;
  bool oneSided = rule.attr("onesided", 0) != 0, inverse = rule.attr("inverse", 0) != 0;
  Dim result(oneSided && inverse ? 1 : 2);
  std::optional<int64_t> given = rule.absent(2) ? std::optional<int64_t>(-2) : rule.scalar(2);
  if (!given) {
    Dims unknown(rank);
    unknown.back() = result;
    return rule.set(0, rule.element(0), Shape(unknown));
  }
  FailureOr<int64_t> axis = rule.axis(*given, rank);
  if (failed(axis))
    return failure();
  if (*axis == rank - 1)
    return rule.error() << "axis " << *given << " is the one of real and imaginary parts";
  Dim &size = (*input)[*axis];
  Dim length;
  if (rule.absent(1)) {
    length = size;
    if (oneSided && inverse) {
      FailureOr<Dim> whole = rule.product({size, Dim(2)});
      if (failed(whole))
        return failure();
      length = subtract(*whole, Dim(2));
    }
  } else if (auto value = rule.scalar(1)) {
    length = Dim(*value);
  }
  if (length.isStatic() && length.size < 1)
    return rule.error() << "'dft_length' must be 1 or more, not " << length.size;
  size = oneSided && !inverse ? uniqueBins(length) : length;
  input->back() = result;
  return rule.set(0, rule.element(0), input);
}

LogicalResult inferSTFT(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  Shape signal = rule.shape(0);
  // The standard asks for [batch, samples, 1] of real signals; its reference and exporters take
  // [batch, samples], too.
  if (signal && signal->size() != 2 && failed(rule.expectRank(0, 3)))
    return failure();
  if (failed(rule.expectRank(2, 1)))
    return failure();
  Dims result = {signal ? (*signal)[0] : Dim(), Dim(), Dim(), Dim(2)};
  Dim whole = signal ? (*signal)[1] : Dim(), length;
  if (rule.absent(2) && rule.absent(3))
    length = whole;
  if (Shape window = rule.shape(2))
    length = window->front();
  if (auto value = rule.scalar(3)) {
    FailureOr<Dim> merged = rule.same(length, Dim(*value), "the window's size and 'frame_length'");
    if (failed(merged))
      return failure();
    length = *merged;
  }
  auto step = rule.scalar(1);
  if (step && *step < 1)
    return rule.error() << "'frame_step' must be 1 or more, not " << *step;
  if (whole.isStatic() && length.isStatic()) {
    if (length.size < 1 || length.size > whole.size)
      return rule.error() << "a frame of " << length.size << " does not fit a signal of "
                          << whole.size;
  }
  if (step)
    result[1] = add(floorDivide(subtract(whole, length), *step), Dim(1)).value_or(Dim());
  result[2] = rule.attr("onesided", 1) != 0 ? uniqueBins(length) : length;
  return rule.set(0, rule.element(0), Shape(result));
}

LogicalResult inferMelWeightMatrix(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  int64_t dataType = rule.attr("output_datatype", 1);
  Type element = elementTypeOf(op->getContext(), dataType);
  if (!element)
    return rule.error() << "'output_datatype' is " << dataType
                        << ", which is no ONNX element type";
  auto bins = rule.scalar(0), length = rule.scalar(1);
  return rule.set(0, element,
                  Shape(Dims{length ? uniqueBins(Dim(*length)) : Dim(), bins ? Dim(*bins) : Dim()}));
}

LogicalResult inferRecurrent(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  for (unsigned i = 0; i < 3; ++i)
    if (failed(rule.expectRank(i, 3)))
      return failure();
  StringRef direction = rule.attr("direction", "forward");
  if (!llvm::is_contained({"forward", "reverse", "bidirectional"}, direction))
    return rule.error() << "'direction' is '" << direction
                        << "'; it must be forward, reverse or bidirectional";
  int64_t layout = rule.attr("layout", 0);
  if (layout != 0 && layout != 1)
    return rule.error() << "'layout' must be 0 or 1, not " << layout;

  Dim directions(direction == "bidirectional" ? 2 : 1), hidden, steps, batch;
  Shape x = rule.shape(0), w = rule.shape(1), r = rule.shape(2);
  if (x) {
    steps = (*x)[layout == 0 ? 0 : 1];
    batch = (*x)[layout == 0 ? 1 : 0];
  }
  if (auto size = op->getAttrOfType<IntegerAttr>("hidden_size"))
    hidden = Dim(size.getInt());
  if (r) {
    FailureOr<Dim> merged = rule.same(hidden, (*r)[2], "'hidden_size' and the last size of R");
    if (failed(merged) ||
        failed(rule.same((*r)[0], directions, "the first size of R and the number of directions")))
      return failure();
    hidden = *merged;
  }
  int64_t gates = isa<LSTMOp>(op) ? 4 : isa<GRUOp>(op) ? 3 : 1;
  FailureOr<Dim> rows = rule.product({hidden, Dim(gates)});
  if (failed(rows))
    return failure();
  if (w && (failed(rule.same((*w)[0], directions,
                             "the first size of W and the number of directions")) ||
            failed(rule.same((*w)[1], *rows, "the rows of W and the gates' hidden sizes")) ||
            (x && failed(rule.same((*w)[2], (*x)[2], "the last sizes of W and X")))))
    return failure();
  if (r && failed(rule.same((*r)[1], *rows, "the rows of R and the gates' hidden sizes")))
    return failure();

  Dims all = layout == 0 ? Dims{steps, directions, batch, hidden}
                         : Dims{batch, steps, directions, hidden};
  Dims last = layout == 0 ? Dims{directions, batch, hidden} : Dims{batch, directions, hidden};
  if (failed(rule.set(0, rule.element(0), Shape(all))))
    return failure();
  for (unsigned i = 1; i < op->getNumResults(); ++i)
    if (failed(rule.set(i, rule.element(0), Shape(last))))
      return failure();
  return success();
}

} // namespace burin::onnx
