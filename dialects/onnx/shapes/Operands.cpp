// SPDX-License-Identifier: Apache-2.0
//
// Shape rules read backwards: what a result's known sizes say of its operands. A size that
// only the model's declared outputs tell thus reaches the operator whose data decides it,
// which checks it when the model runs.

#include "dialects/onnx/shapes/ShapeRule.h"

using namespace mlir;

namespace burin::onnx {

/// Refines the type of `value`, a result of an operator; true where that says more.
static bool refine(Value value, const Dims &dims) {
  // What a model's inputs are is said by the model and by --dim; bodies' arguments are
  // what is carried into them.
  if (!value.getDefiningOp())
    return false;
  auto type = dyn_cast<TensorType>(value.getType());
  Type merged = type ? mergeTypes(type, tensorType(type.getElementType(), dims)) : Type();
  // A contradiction is for the rule of the operator to diagnose.
  if (!merged || merged == type)
    return false;
  // A mere name is nothing to start over for.
  auto known = [](Type t) {
    auto ranked = dyn_cast<RankedTensorType>(t);
    return ranked ? ranked.getRank() - ranked.getNumDynamicDims() : -1;
  };
  if (known(merged) == known(type))
    return false;
  value.setType(merged);
  return true;
}

/// numpy's rule backwards: where the others of a dimension have size 1 or none, the operand
/// has the result's size; where the result has size 1, all have.
static bool refineBroadcast(ArrayRef<Value> operands, const Dims &result) {
  bool changed = false;
  int64_t rank = result.size();
  for (Value operand : operands) {
    Shape shape = shapeOf(operand.getType());
    auto others = llvm::make_filter_range(operands, [&](Value other) { return other != operand; });
    if (!shape) {
      // Of unknown rank: somebody has the result's.
      if (!llvm::all_of(others, [&](Value other) {
            Shape known = shapeOf(other.getType());
            return known && int64_t(known->size()) < rank;
          }))
        continue;
      shape = Dims(rank);
    }
    int64_t lead = rank - int64_t(shape->size());
    if (lead < 0)
      continue;
    for (auto [i, dim] : llvm::enumerate(*shape)) {
      const Dim &size = result[lead + i];
      if (dim.isStatic() || !size.isStatic())
        continue;
      bool decides = size.size == 1 || llvm::all_of(others, [&](Value other) {
        Shape known = shapeOf(other.getType());
        if (!known)
          return false;
        int64_t at = int64_t(lead + i) - (rank - int64_t(known->size()));
        return at < 0 || (*known)[at].size == 1 || (*known)[at].equals(dim);
      });
      if (decides)
        dim = size;
    }
    changed |= refine(operand, *shape);
  }
  return changed;
}

bool refineOperands(Operation *op) {
  if (op->getNumResults() == 0)
    return false;
  Shape result = shapeOf(op->getResult(0).getType());
  if (!result || llvm::none_of(*result, [](const Dim &dim) { return dim.isStatic(); }))
    return false;
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    auto perm = transpose.getPerm();
    int64_t rank = result->size();
    if (perm && int64_t(perm->size()) != rank)
      return false;
    Dims dims(rank);
    for (int64_t i = 0; i < rank; ++i) {
      int64_t axis = perm ? (*perm)[i] + ((*perm)[i] < 0 ? rank : 0) : rank - 1 - i;
      if (axis < 0 || axis >= rank)
        return false;
      dims[axis] = (*result)[i];
    }
    return refine(transpose.getData(), dims);
  }
  // The parameters of blocks and axes are not broadcast.
  if (!isa<ElementwiseOpInterface>(op) || isa<QuantizeLinearOp, DequantizeLinearOp>(op))
    return false;
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    if (!isa<NoneType>(operand.getType()))
      operands.push_back(operand);
  if (isa<CastLikeOp>(op)) // the second names a type only
    operands.resize(1);
  return refineBroadcast(operands, *result);
}

} // namespace burin::onnx
