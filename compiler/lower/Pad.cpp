// SPDX-License-Identifier: Apache-2.0
//
// Pad and CenterCropPad: what lies beyond a tensor's borders.

#include "compiler/lower/Access.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/onnx/SizeList.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace burin;
using namespace burin::lower;

namespace {

/// Where a padded place outside [0, size) reads, by Pad's mode.
Value borderIndex(Lowering &b, Value index, Value size, StringRef mode) {
  Scalars s{b};
  auto floorMod = [&](Value value, Value period) -> Value {
    Value rest = arith::RemSIOp::create(b, value, period);
    return s.select(s.less(rest, b.index(0)), s.add(rest, period), rest);
  };
  if (mode == "wrap")
    return floorMod(index, size);
  if (mode != "reflect")
    return clampIndex(b, index, size);
  // There and back, ends not repeated; of a single element, that one.
  Value last = s.sub(size, b.index(1)), turn = s.add(last, last);
  Value phase = floorMod(index, s.max(turn, b.index(1)));
  return s.select(s.less(phase, size), phase, s.sub(turn, phase));
}

/// result[i...] = input[i - before...], and beyond it `padding` or, where that is
/// null, what `mode` mirrors there. `before` gives an index per axis, null for 0.
Value padByPulling(Lowering &b, Value input, RankedTensorType result, StringRef mode,
                   llvm::function_ref<Value(Lowering &, int64_t)> before,
                   llvm::function_ref<Value(Lowering &)> padding) {
  SizeList from = b.sizes(b.getOp()->getOperand(0)), to = b.sizes(b.getOp()->getResult(0));
  SmallVector<Value> open;
  for (const onnx::SizeExpr &size : from)
    open.push_back(size.constant() ? Value() : b.size(size));
  return b.indexed(result, b.openSizes(to), [&](Lowering &in, ValueRange indices) -> Value {
    Scalars s{in};
    Value inside;
    SmallVector<Value> at;
    for (auto [d, index] : llvm::enumerate(indices)) {
      Value shift = before(in, d);
      if (!shift && from[d] == to[d]) { // not padded
        at.push_back(index);
        continue;
      }
      Value size = open[d] ? open[d] : in.index(*from[d].constant());
      Value place = shift ? s.sub(index, shift) : index;
      if (padding) {
        Value fits = isInside(in, place, size);
        inside = inside ? Value(arith::AndIOp::create(in, inside, fits)) : fits;
        at.push_back(clampIndex(in, place, size));
      } else {
        at.push_back(borderIndex(in, place, size, mode));
      }
    }
    Value element = extract(in, input, at);
    return inside ? s.select(inside, element, padding(in)) : element;
  });
}

Results lowerPad(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  auto node = cast<onnx::PadOp>(op);
  StringRef mode = node.getMode();
  bool isConstant = mode == "constant";
  if (!isConstant && mode != "reflect" && mode != "edge" && mode != "wrap")
    return b.unsupported("pad mode '" + mode + "'");
  Value input = operands[0], value = operands.size() > 2 ? operands[2] : Value();
  RankedTensorType inputType = typeOf(input);
  int64_t rank = type->getRank();
  auto paddingOf = [&](Lowering &in) {
    return value ? extractOnly(in, value) : zeroOf(in, type->getElementType());
  };
  if (llvm::is_contained(inputType.getShape(), 0)) {
    if (!isConstant && !llvm::is_contained(type->getShape(), 0))
      return b.unsupported("an empty operand has no borders to repeat");
    return SmallVector<Value>{
        b.indexed(*type, [&](Lowering &in, ValueRange) { return paddingOf(in); })};
  }

  std::optional<SizeList> pads = onnx::sizeList(op->getOperand(1));
  auto axes = b.constantInts(3);
  bool knowsAxes = axes || b.isAbsent(3);
  if (pads && knowsAxes) {
    FailureOr<SmallVector<int64_t>> dims =
        axes ? normalizeAxes(b, ArrayRef<int64_t>(*axes), rank) : normalizeAxes(b, std::nullopt, rank);
    if (failed(dims))
      return failure();
    if (pads->size() != 2 * dims->size())
      return b.unsupported("pads does not hold two numbers per axis");
    SizeList before(rank, 0);
    bool grows = true;
    auto cannotCut = [&](const onnx::SizeExpr &pad) {
      auto range = b.range(pad);
      return range && range->min >= 0;
    };
    for (auto [j, axis] : llvm::enumerate(*dims)) {
      before[axis] = (*pads)[j];
      grows &= cannotCut((*pads)[j]) && cannotCut((*pads)[dims->size() + j]);
    }
    auto constant = b.constantFloats(2);
    auto constantInts = b.constantInts(2);
    bool knowsValue = !value || (constant && constant->size() == 1) ||
                      (constantInts && constantInts->size() == 1);
    if (isConstant && grows && knowsValue) {
      Value padding = constant       ? b.scalar(type->getElementType(), (*constant)[0])
                      : constantInts ? b.scalarInt(type->getElementType(), (*constantInts)[0])
                                     : zeroOf(b, type->getElementType());
      if (type->hasStaticShape() && inputType.hasStaticShape())
        return SmallVector<Value>{
            padded(b, input, type->getShape(), Lowering::shapeOf(before), padding)};
      return SmallVector<Value>{
          padded(b, input, b.sizes(op->getResult(0)), b.mixedSizes(before), padding)};
    }
    SmallVector<Value> open; // null where a number
    for (const onnx::SizeExpr &pad : before)
      open.push_back(pad.constant() ? Value() : b.size(pad));
    auto knownBefore = [&](Lowering &in, int64_t d) -> Value {
      std::optional<int64_t> number = before[d].constant();
      // Of what is fixed a shift by 0 stays; it folds.
      bool isOpen = inputType.isDynamicDim(d) || type->isDynamicDim(d);
      return !number ? open[d] : *number == 0 && isOpen ? Value() : in.index(*number);
    };
    if (isConstant)
      return SmallVector<Value>{padByPulling(b, input, *type, mode, knownBefore, paddingOf)};
    return SmallVector<Value>{padByPulling(b, input, *type, mode, knownBefore, nullptr)};
  }

  if (!typeOf(operands[1]).hasStaticShape())
    return b.unsupported("how many pads there are changes from run to run; fix the sizes that "
                         "they depend on with --dim NAME=VALUE");
  // Pads as data: entry j of the first half belongs to axes[j].
  Value padList = operands[1], axisList = operands.size() > 3 ? operands[3] : Value();
  int64_t count = typeOf(padList).getNumElements() / 2;
  if (!axisList && count != rank)
    return b.unsupported("pads does not hold two numbers per axis");
  SizeList from = b.sizes(op->getOperand(0)), to = b.sizes(op->getResult(0));
  SmallVector<Value> openFrom, openTo; // null where a number
  for (auto [size, open] : {std::pair(&from, &openFrom), std::pair(&to, &openTo)})
    for (const onnx::SizeExpr &expr : *size)
      open->push_back(expr.constant() ? Value() : b.size(expr));
  auto dataBefore = [&](Lowering &in, int64_t d) -> Value {
    Scalars s{in};
    auto entry = [&](Value list, int64_t j) { return toIndex(in, extract(in, list, in.index(j))); };
    Value before = in.index(0), after = in.index(0);
    if (!axisList) {
      before = entry(padList, d);
      after = entry(padList, count + d);
    } else {
      for (int64_t j = 0; j < count; ++j) {
        Value axis = entry(axisList, j);
        Value applies = arith::OrIOp::create(in, s.equal(axis, in.index(d)),
                                             s.equal(axis, in.index(d - rank)));
        before = s.select(applies, entry(padList, j), before);
        after = s.select(applies, entry(padList, count + j), after);
      }
    }
    auto sizeIn = [&](const onnx::SizeExpr &size, Value open) {
      return open ? open : in.index(*size.constant());
    };
    Value size = s.add(sizeIn(from[d], openFrom[d]), s.add(before, after));
    check(in, s.equal(size, sizeIn(to[d], openTo[d])), shapeMismatch, size);
    return before;
  };
  if (isConstant)
    return SmallVector<Value>{padByPulling(b, input, *type, mode, dataBefore, paddingOf)};
  return SmallVector<Value>{padByPulling(b, input, *type, mode, dataBefore, nullptr)};
}

Results lowerCenterCropPad(Lowering &b, Operation *op, ValueRange operands) {
  FailureOr<RankedTensorType> type = boundedResult(b);
  if (failed(type))
    return failure();
  if (!type->hasStaticShape() || !typeOf(operands[0]).hasStaticShape()) {
    // Which axes are cropped may change from run to run; half of what is missing rounds towards 0.
    SizeList from = b.sizes(op->getOperand(0)), to = b.sizes(op->getResult(0));
    SmallVector<Value> before;
    for (auto [size, wanted] : llvm::zip_equal(from, to))
      before.push_back(
          size == wanted
              ? Value()
              : arith::DivSIOp::create(b, arith::SubIOp::create(b, b.size(wanted), b.size(size)),
                                       b.index(2)));
    return SmallVector<Value>{padByPulling(
        b, operands[0], *type, "constant", [&](Lowering &, int64_t d) { return before[d]; },
        [&](Lowering &in) { return zeroOf(in, type->getElementType()); })};
  }
  // What is kept is cropped in the middle, then placed in the middle; both round down.
  SmallVector<int64_t> kept, starts, offsets;
  for (auto [from, to] : llvm::zip_equal(typeOf(operands[0]).getShape(), type->getShape())) {
    kept.push_back(std::min(from, to));
    starts.push_back(from > to ? (from - to) / 2 : 0);
    offsets.push_back(to > from ? (to - from) / 2 : 0);
  }
  auto cropped = RankedTensorType::get(kept, type->getElementType());
  SmallVector<int64_t> steps(kept.size(), 1);
  Value part = stridedSlice(b, operands[0], cropped, starts, steps);
  return SmallVector<Value>{
      padded(b, part, type->getShape(), offsets, zeroOf(b, type->getElementType()))};
}

} // namespace

void burin::lower::registerPad(RuleTable &table) {
  table.add<onnx::CenterCropPadOp>(lowerCenterCropPad, Sizes::Dynamic);
  table.add<onnx::PadOp>(lowerPad, Sizes::Dynamic);
}
