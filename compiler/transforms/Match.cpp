// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/Match.h"

#include "dialects/onnx/shapes/ShapeRule.h"
#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;

namespace burin::match {

/// As number, of what is `depth` ops in front of the value that was asked for.
static std::optional<double> numberAt(Value value, unsigned depth) {
  DenseElementsAttr elements;
  if (matchPattern(value, m_Constant(&elements))) {
    if (!isa<FloatType>(elements.getElementType()) || !elements.isSplat())
      return std::nullopt;
    APFloat splat = elements.getSplatValue<APFloat>();
    bool loses;
    splat.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &loses);
    return splat.convertToDouble();
  }
  // Scales that are computed: roots and quotients of constants.
  Operation *op = value.getDefiningOp();
  if (depth == 4 || !op || !isa<onnx::SqrtOp, onnx::DivOp, onnx::MulOp>(op) ||
      !getElementTypeOrSelf(value.getType()).isF32())
    return std::nullopt;
  std::optional<double> x = numberAt(op->getOperand(0), depth + 1);
  std::optional<double> y = isa<onnx::SqrtOp>(op) ? x : numberAt(op->getOperand(1), depth + 1);
  if (!x || !y)
    return std::nullopt;
  return isa<onnx::SqrtOp>(op)  ? std::sqrt(float(*x))
         : isa<onnx::DivOp>(op) ? float(*x) / float(*y)
                                : float(*x) * float(*y);
}

std::optional<double> number(Value value) { return numberAt(value, 0); }

bool isNumber(Value value, double wanted) {
  std::optional<double> given = number(value);
  if (!given)
    return false;
  auto type = cast<FloatType>(cast<ShapedType>(value.getType()).getElementType());
  double unit = std::ldexp(1.0, 1 - int(APFloat::semanticsPrecision(type.getFloatSemantics())));
  return std::abs(*given - wanted) <= 2 * unit * std::abs(wanted);
}

std::optional<SmallVector<int64_t>> integers(Value value) { return onnx::constantInts(value); }

Value constant(OpBuilder &builder, Location loc, RankedTensorType type, double value) {
  auto elements = DenseElementsAttr::get(
      type, ArrayRef<Attribute>(FloatAttr::get(type.getElementType(), value)));
  return onnx::ConstantOp::create(builder, loc, type, cast<TypedAttr>(elements));
}

Value constant(OpBuilder &builder, Location loc, ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get(int64_t(values.size()),
                                    builder.getIntegerType(64, /*isSigned=*/true));
  auto elements = DenseElementsAttr::get(
      type, ArrayRef<APInt>(llvm::map_to_vector(
                values, [](int64_t value) { return APInt(64, uint64_t(value), true); })));
  return onnx::ConstantOp::create(builder, loc, type, cast<TypedAttr>(elements));
}

bool isMadeOfConstants(Value value) {
  SmallVector<std::pair<Value, unsigned>> open{{value, 0}};
  while (!open.empty()) {
    auto [next, depth] = open.pop_back_val();
    Operation *op = next.getDefiningOp();
    if (op && isa<onnx::ConstantOp>(op))
      continue;
    if (depth == 16 || !op ||
        !isa<onnx::AddOp, onnx::SubOp, onnx::MulOp, onnx::DivOp, onnx::SqrtOp, onnx::NegOp,
             onnx::ReshapeOp, onnx::TransposeOp, onnx::ConcatOp>(op))
      return false;
    for (Value operand : op->getOperands())
      open.push_back({operand, depth + 1});
  }
  return true;
}

bool isUsedOnlyBy(Value value, ArrayRef<Operation *> users) {
  return llvm::all_of(value.getUsers(),
                      [&](Operation *user) { return llvm::is_contained(users, user); });
}

Value squared(Value value) {
  if (auto power = producer<onnx::PowOp>(value)) {
    if (std::optional<double> exponent = number(power.getY()))
      return *exponent == 2 && value.getType() == power.getX().getType() ? power.getX() : Value();
    auto whole = integers(power.getY());
    return whole && whole->size() == 1 && whole->front() == 2 &&
                   value.getType() == power.getX().getType()
               ? power.getX()
               : Value();
  }
  auto product = producer<onnx::MulOp>(value);
  return product && product.getA() == product.getB() ? product.getA() : Value();
}

std::optional<SmallVector<int64_t>> reducedAxes(Value data, Value axes, bool keepsDims,
                                                bool noopWithoutAxes) {
  auto type = dyn_cast<RankedTensorType>(data.getType());
  if (!type || !keepsDims)
    return std::nullopt;
  int64_t rank = type.getRank();
  SmallVector<int64_t> reduced;
  bool absent = isa<NoneType>(axes.getType());
  std::optional<SmallVector<int64_t>> given = integers(axes);
  if (!absent && !given)
    return std::nullopt;
  if (absent || given->empty()) {
    if (noopWithoutAxes)
      return std::nullopt;
    reduced = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  } else {
    for (int64_t axis : *given)
      reduced.push_back(axis + (axis < 0 ? rank : 0));
    llvm::sort(reduced);
  }
  for (int64_t axis : reduced)
    if (axis < 0 || axis >= rank || type.isDynamicDim(axis))
      return std::nullopt;
  if (std::adjacent_find(reduced.begin(), reduced.end()) != reduced.end())
    return std::nullopt;
  return reduced;
}

} // namespace burin::match
