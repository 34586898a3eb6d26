// SPDX-License-Identifier: Apache-2.0
//
// Elementwise operators on small constants. The scalar body that lowering uses is
// built once on block arguments and then interpreted for each element by its ops'
// own folders, so that an operator's semantics are written once.

#include "dialects/onnx/OnnxFolds.h"
#include "dialects/onnx/OnnxOps.h"

#include "mlir/IR/Block.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;

namespace burin::onnx {

/// Storage type of a number: signless integers, bool as i8. Null for others.
static Type storage(Type element) {
  if (element.isInteger(1))
    return IntegerType::get(element.getContext(), 8);
  if (auto integer = dyn_cast<IntegerType>(element))
    return IntegerType::get(element.getContext(), integer.getWidth());
  return isa<FloatType>(element) ? element : Type();
}

static Attribute toStorage(Attribute value, Type type) {
  if (auto integer = dyn_cast<IntegerAttr>(value))
    return IntegerAttr::get(type, integer.getValue().zextOrTrunc(type.getIntOrFloatBitWidth()));
  return value;
}

static Attribute fromStorage(Attribute value, Type type) {
  if (auto integer = dyn_cast_if_present<IntegerAttr>(value))
    return isa<IntegerType>(type) ? IntegerAttr::get(type, integer.getValue().zextOrTrunc(
                                                               type.getIntOrFloatBitWidth()))
                                  : Attribute();
  auto number = dyn_cast_if_present<FloatAttr>(value);
  return number && number.getType() == type ? number : Attribute();
}

/// The value of `result` for one set of arguments, or null where an op does not
/// fold. A function of the host's mathematics library is never evaluated: its last
/// bit would be the building machine's.
static Attribute interpret(Block &body, Value result, ArrayRef<Attribute> arguments) {
  llvm::SmallDenseMap<Value, Attribute> known;
  for (auto [argument, value] : llvm::zip_equal(body.getArguments(), arguments))
    known[argument] = value;
  for (Operation &op : body) {
    if (op.getNumRegions() != 0 || op.getNumResults() != 1 ||
        op.getName().getDialectNamespace() == "math")
      return {};
    SmallVector<Attribute> operands;
    for (Value operand : op.getOperands())
      operands.push_back(known.lookup(operand));
    SmallVector<OpFoldResult, 1> folded;
    // A fold in place (operands swapped) is followed by another.
    for (unsigned attempt = 0; attempt < 2 && folded.empty(); ++attempt) {
      operands = llvm::map_to_vector(op.getOperands(), [&](Value v) { return known.lookup(v); });
      if (failed(op.fold(operands, folded)))
        return {};
    }
    if (folded.size() != 1)
      return {};
    auto value = dyn_cast<Attribute>(folded.front());
    if (!value)
      value = known.lookup(cast<Value>(folded.front()));
    if (!value)
      return {};
    known[op.getResult(0)] = value;
  }
  return known.lookup(result);
}

Attribute foldElementwise(Operation *op, RankedTensorType type, ArrayRef<Attribute> operands) {
  auto scalar = dyn_cast<ElementwiseOpInterface>(op);
  // Block-wise quantization reads its parameters by another rule than broadcasting.
  if (!scalar || isa<QuantizeLinearOp, DequantizeLinearOp>(op))
    return {};
  Type result = storage(type.getElementType());
  if (!result)
    return {};

  struct Operand {
    SmallVector<Attribute> values;
    ArrayRef<int64_t> shape;
  };
  SmallVector<Operand> constants;
  Block body;
  SmallVector<Value> arguments;
  for (auto [i, operand, attribute] : llvm::enumerate(op->getOperands(), operands)) {
    // What CastLike names only for its type need not be constant.
    if (isa<NoneType>(operand.getType()) || (isa<CastLikeOp>(op) && i == 1)) {
      arguments.push_back(nullptr);
      continue;
    }
    auto dense = dyn_cast_if_present<DenseElementsAttr>(attribute);
    Type from = dense ? storage(dense.getElementType()) : Type();
    if (!from || dense.getNumElements() > maxFoldedElements ||
        dense.getType().getRank() > type.getRank())
      return {};
    Operand constant{{}, dense.getType().getShape()};
    for (Attribute value : dense.getValues<Attribute>())
      constant.values.push_back(toStorage(value, from));
    constants.push_back(std::move(constant));
    arguments.push_back(body.addArgument(from, op->getLoc()));
  }
  ImplicitLocOpBuilder builder(op->getLoc(), op->getContext());
  builder.setInsertionPointToStart(&body);
  Value value = scalar.buildScalar(builder, arguments, result);
  if (!value || value.getType() != result)
    return {};

  SmallVector<Attribute> values;
  for (int64_t i = 0, e = type.getNumElements(); i < e; ++i) {
    SmallVector<Attribute> elements;
    for (const Operand &constant : constants) {
      // The place in the operand, dimension by dimension from the innermost.
      int64_t rest = i, at = 0, stride = 1;
      for (int64_t d = type.getRank() - 1, o = int64_t(constant.shape.size()) - 1; o >= 0;
           --d, --o) {
        int64_t size = constant.shape[o], index = rest % type.getDimSize(d);
        rest /= type.getDimSize(d);
        if (size != 1 && size != type.getDimSize(d))
          return {};
        at += size == 1 ? 0 : index * stride;
        stride *= size;
      }
      elements.push_back(constant.values[at]);
    }
    Attribute element = fromStorage(interpret(body, value, elements), type.getElementType());
    if (!element)
      return {};
    values.push_back(element);
  }
  return DenseElementsAttr::get(type, values);
}

} // namespace burin::onnx
