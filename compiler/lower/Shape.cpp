// SPDX-License-Identifier: Apache-2.0
//
// Constants, and ops that only rename a tensor's shape.
#include "compiler/lower/Lowering.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace burin;
using namespace burin::lower;

namespace {

/// Dense elements in storage types: signless, bool as i8.
DenseElementsAttr storageElements(DenseElementsAttr elements) {
  auto type = cast<RankedTensorType>(storageType(elements.getType()));
  if (!elements.getElementType().isInteger(1))
    return elements.bitcast(type.getElementType());
  return elements.mapValues(type.getElementType(),
                            [](const APInt &bit) { return bit.zext(8); });
}

FailureOr<SmallVector<Value>> lowerConstant(Lowering &b, Operation *op, ValueRange) {
  auto constant = cast<onnx::ConstantOp>(op);
  RankedTensorType type = b.resultType();
  if (!type)
    return b.unsupported("a constant that is not a tensor");
  if (auto elements = dyn_cast<DenseElementsAttr>(constant.getValue())) {
    elements = storageElements(elements);
    if (elements.isSplat())
      return SmallVector<Value>{arith::ConstantOp::create(b, elements)};
    return SmallVector<Value>{plan::ConstantOp::create(b, elements)};
  }
  if (auto weight = dyn_cast<plan::WeightAttr>(constant.getValue()))
    return SmallVector<Value>{plan::ConstantOp::create(
        b, plan::WeightAttr::get(b.getContext(), type, weight.getSegment(), weight.getOffset(),
                                 weight.getLength()))};
  return b.unsupported("a constant of a kind that has no storage");
}

/// Reshape, Flatten, Squeeze, Unsqueeze: the result type says it all.
FailureOr<SmallVector<Value>> lowerReshape(Lowering &b, Operation *op, ValueRange operands) {
  RankedTensorType type = b.resultType();
  if (!type || !type.hasStaticShape())
    return b.unsupported("the result's shape is known only when the model runs; fix the sizes it "
                         "depends on with --dim NAME=VALUE");
  return SmallVector<Value>{b.reshape(operands[0], type.getShape())};
}

} // namespace

void burin::lower::registerShape(RuleTable &table) {
  table.add<onnx::ConstantOp>(lowerConstant);
  table.add<onnx::ReshapeOp>(lowerReshape);
  table.add<onnx::FlattenOp>(lowerReshape);
  table.add<onnx::SqueezeOp>(lowerReshape);
  table.add<onnx::UnsqueezeOp>(lowerReshape);
}
