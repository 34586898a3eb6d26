// SPDX-License-Identifier: Apache-2.0
//
// The elementwise family: its one rule, and the rows for arithmetic, comparison
// and logic. Functions of a float are in Functions.cpp, conversions in Casts.cpp.

#include "compiler/lower/Elementwise.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace burin::lower {

//===- The family's rule ----------------------------------------------------===//

Value buildRow(ScalarRow row, bool raw, Operation *op, ImplicitLocOpBuilder &b, ValueRange args,
               Type result) {
  ScalarBody body{{b}, op, llvm::to_vector(args), result};
  if (!raw) {
    for (Value &arg : body.args)
      if (arg)
        arg = body.widen(arg);
    body.result = computeType(result);
  }
  Value value = row(body);
  if (value.getType().isInteger(1))
    return arith::ExtUIOp::create(b, result, value);
  return isa<FloatType>(result) ? body.narrow(value, result) : value;
}

/// The scalar that fills `tensor`, if it is a splat constant.
static TypedAttr splatOf(Value tensor) {
  DenseElementsAttr elements;
  if (matchPattern(tensor, m_Constant(&elements)) && elements.isSplat() &&
      elements.getElementType().isIntOrFloat())
    return elements.getSplatValue<TypedAttr>();
  return nullptr;
}

static bool isNumber(Type onnxElement) { return onnxElement.isIntOrFloat(); }

FailureOr<SmallVector<Value>> lowerElementwise(Lowering &b, Operation *op, ValueRange operands,
                                               ArrayRef<AffineMap> maps) {
  auto scalar = dyn_cast<onnx::ElementwiseOpInterface>(op);
  RankedTensorType result = b.resultType();
  if (!scalar || !result)
    return b.unsupported("no scalar definition for these operands");
  for (Value value : op->getOperands())
    if (!isa<NoneType>(value.getType()) && !isNumber(elementType(value)))
      return b.unsupported("elements of type " + (isa<ComplexType>(elementType(value))
                                                      ? StringRef("complex")
                                                      : StringRef("string")) +
                           "; only numbers and bools are computed with");
  if (!result.getElementType().isIntOrFloat())
    return b.unsupported("a result that is not of numbers or bools");

  SmallVector<Value> inputs;
  SmallVector<AffineMap> inputMaps;
  for (auto [i, operand] : llvm::enumerate(operands)) {
    if (!operand || splatOf(operand))
      continue;
    inputs.push_back(operand);
    inputMaps.push_back(maps.empty()
                            ? b.broadcastMap(cast<RankedTensorType>(operand.getType()), result)
                            : maps[i]);
  }
  Value value = b.parallel(result, inputs, inputMaps, [&](Lowering &inner, ValueRange elements) {
    SmallVector<Value> args;
    for (Value operand : operands) {
      if (!operand) {
        args.push_back(nullptr);
      } else if (TypedAttr splat = splatOf(operand)) {
        args.push_back(arith::ConstantOp::create(inner, splat));
      } else {
        args.push_back(elements.front());
        elements = elements.drop_front();
      }
    }
    return scalar.buildScalar(inner, args, result.getElementType());
  });
  return SmallVector<Value>{value};
}

//===- Rows: arithmetic -----------------------------------------------------===//

/// Folds any number of operands from the left.
template <typename Combine> static Value fold(ScalarBody &s, Combine combine) {
  Value folded = s.x();
  for (Value arg : llvm::drop_begin(s.args))
    folded = combine(folded, arg);
  return folded;
}

/// An integer to a non-negative integer power, by squaring; wraps.
static Value integerPower(ScalarBody &s, Value base, Value exponent) {
  ImplicitLocOpBuilder &b = s.b;
  Type type = base.getType();
  auto steps = scf::ForOp::create(
      b, arith::ConstantIndexOp::create(b, 0),
      arith::ConstantIndexOp::create(b, exponent.getType().getIntOrFloatBitWidth()),
      arith::ConstantIndexOp::create(b, 1), ValueRange{s.constantInt(type, 1), base, exponent},
      [](OpBuilder &inner, Location loc, Value, ValueRange carried) {
        ImplicitLocOpBuilder at(loc, inner);
        Scalars in{at};
        Value rest = carried[2], one = in.constantInt(rest.getType(), 1);
        Value isOdd = in.equal(arith::AndIOp::create(at, rest, one), one);
        Value product = in.select(isOdd, in.mul(carried[0], carried[1]), carried[0]);
        Value square = in.mul(carried[1], carried[1]);
        Value half = arith::ShRUIOp::create(at, rest, one);
        scf::YieldOp::create(at, ValueRange{product, square, half});
      });
  return steps.getResult(0);
}

static Value power(ScalarBody &s) {
  Value base = s.x(), exponent = s.y();
  bool floatExponent = isa<FloatType>(exponent.getType());
  Type from = elementType(s.op->getOperand(1));
  if (s.isFloat()) {
    FloatAttr constant;
    if (matchPattern(exponent, m_Constant(&constant))) {
      if (constant.getValueAsDouble() == 2)
        return s.mul(base, base);
      if (constant.getValueAsDouble() == 1)
        return base;
    }
    if (exponent.getType() != base.getType())
      exponent = floatExponent ? s.narrow(exponent, base.getType())
                               : s.cast(exponent, from, base.getType());
    return s.pow(base, exponent);
  }
  // An integer base: exact where the exponent is a whole number.
  Type base64 = s.b.getI64Type();
  if (!floatExponent) {
    Value one = s.value(1), zero = s.value(0);
    Value whole = integerPower(s, base, exponent);
    if (s.isUnsigned(1))
      return whole;
    // 1/base^n truncates to 0 but for bases of 1 and -1.
    Value odd = s.equal(arith::AndIOp::create(s.b, exponent, s.like(exponent, 1)),
                        s.like(exponent, 1));
    Value minus = s.value(-1);
    Value inverse = s.select(s.equal(base, one), one, zero);
    if (!s.isUnsigned())
      inverse = s.select(s.equal(base, minus), s.select(odd, minus, one), inverse);
    return s.select(s.less(exponent, s.like(exponent, 0)), inverse, whole);
  }
  Value wide = exponent.getType().isF64() ? exponent : s.narrow(exponent, s.b.getF64Type());
  Value truncated = math::TruncOp::create(s.b, wide);
  Value isWhole = arith::AndIOp::create(s.b, s.equal(truncated, wide),
                                        s.lessEqual(s.like(wide, 0), wide));
  Value whole = integerPower(s, base, s.saturatingToInt(wide, base64, false));
  Value single = s.b.getF32Type() == exponent.getType() ? exponent
                                                        : s.narrow(exponent, s.b.getF32Type());
  Value power = s.pow(s.cast(base, elementType(s.op->getOperand(0)), s.b.getF32Type()), single);
  return s.select(isWhole, whole, s.saturatingToInt(power, base.getType(), s.isUnsigned()));
}

void attachArithmetic(MLIRContext *context) {
  using namespace onnx;
  row<AddOp, [](ScalarBody &s) { return s.add(s.x(), s.y()); }>(context);
  row<SubOp, [](ScalarBody &s) { return s.sub(s.x(), s.y()); }>(context);
  row<MulOp, [](ScalarBody &s) { return s.mul(s.x(), s.y()); }>(context);
  row<DivOp, [](ScalarBody &s) { return s.div(s.x(), s.y(), s.isUnsigned()); }>(context);
  row<ModOp, [](ScalarBody &s) {
    bool floored = cast<ModOp>(s.op).getFmod() == 0;
    return s.rem(s.x(), s.y(), s.isUnsigned(), floored);
  }>(context);
  row<PowOp, power>(context);
  row<NegOp, [](ScalarBody &s) { return s.neg(s.x()); }>(context);
  row<AbsOp, [](ScalarBody &s) { return s.abs(s.x(), s.isUnsigned()); }>(context);
  row<SignOp, [](ScalarBody &s) {
    Value zero = s.value(0), one = s.value(1);
    Value positive = s.select(s.less(zero, s.x(), s.isUnsigned()), one, s.x()); // NaN stays
    return s.isUnsigned() ? positive : s.select(s.less(s.x(), zero), s.value(-1), positive);
  }>(context);

  row<SumOp, [](ScalarBody &s) {
    return fold(s, [&](Value a, Value b) { return s.add(a, b); });
  }>(context);
  row<MeanOp, [](ScalarBody &s) {
    Value sum = fold(s, [&](Value a, Value b) { return s.add(a, b); });
    return s.div(sum, s.value(s.args.size()));
  }>(context);
  row<MaxOp, [](ScalarBody &s) {
    return fold(s, [&](Value a, Value b) { return s.max(a, b, s.isUnsigned()); });
  }>(context);
  row<MinOp, [](ScalarBody &s) {
    return fold(s, [&](Value a, Value b) { return s.min(a, b, s.isUnsigned()); });
  }>(context);
  row<ClipOp, [](ScalarBody &s) {
    Value value = s.x(), low = s.args[1], high = s.args[2];
    if (low)
      value = s.select(s.less(value, low, s.isUnsigned()), low, value); // NaN stays
    if (high)
      value = s.select(s.less(high, value, s.isUnsigned()), high, value);
    return value;
  }>(context);

  //===- Rows: comparison and logic -----------------------------------------===//

  row<EqualOp, [](ScalarBody &s) { return s.equal(s.x(), s.y()); }>(context);
  row<LessOp, [](ScalarBody &s) { return s.less(s.x(), s.y(), s.isUnsigned()); }>(context);
  row<LessOrEqualOp, [](ScalarBody &s) { return s.lessEqual(s.x(), s.y(), s.isUnsigned()); }>(context);
  row<GreaterOp, [](ScalarBody &s) { return s.less(s.y(), s.x(), s.isUnsigned()); }>(context);
  row<GreaterOrEqualOp, [](ScalarBody &s) {
    return s.lessEqual(s.y(), s.x(), s.isUnsigned());
  }>(context);
  rawRow<WhereOp, [](ScalarBody &s) {
    return s.select(s.notEqual(s.x(), s.value(0)), s.args[1], s.args[2]);
  }>(context);

  constexpr ScalarRow bitAnd = [](ScalarBody &s) -> Value {
    return arith::AndIOp::create(s.b, s.x(), s.y());
  };
  constexpr ScalarRow bitOr = [](ScalarBody &s) -> Value {
    return arith::OrIOp::create(s.b, s.x(), s.y());
  };
  constexpr ScalarRow bitXor = [](ScalarBody &s) -> Value {
    return arith::XOrIOp::create(s.b, s.x(), s.y());
  };
  row<AndOp, bitAnd>(context); // bools are 0 or 1
  row<OrOp, bitOr>(context);
  row<XorOp, bitXor>(context);
  row<BitwiseAndOp, bitAnd>(context);
  row<BitwiseOrOp, bitOr>(context);
  row<BitwiseXorOp, bitXor>(context);
  row<NotOp, [](ScalarBody &s) -> Value {
    return arith::XOrIOp::create(s.b, s.x(), s.value(1));
  }>(context);
  row<BitwiseNotOp, [](ScalarBody &s) -> Value {
    return arith::XOrIOp::create(s.b, s.x(), s.value(-1));
  }>(context);
  row<BitShiftOp, [](ScalarBody &s) -> Value {
    Value width = s.value(s.x().getType().getIntOrFloatBitWidth()), zero = s.value(0);
    Value inside = s.less(s.y(), width, /*isUnsigned=*/true); // nor is a negative shift
    Value amount = s.select(inside, s.y(), zero);
    if (cast<BitShiftOp>(s.op).getDirection() == "LEFT")
      return s.select(inside, arith::ShLIOp::create(s.b, s.x(), amount), zero);
    if (s.isUnsigned())
      return s.select(inside, arith::ShRUIOp::create(s.b, s.x(), amount), zero);
    // The sign is shifted in, however far.
    Value sign = s.select(s.less(s.x(), zero), s.value(-1), zero);
    return s.select(inside, arith::ShRSIOp::create(s.b, s.x(), amount), sign);
  }>(context);
}

//===- Registration ---------------------------------------------------------===//

static FailureOr<SmallVector<Value>> lowerIdentity(Lowering &, Operation *, ValueRange operands) {
  return SmallVector<Value>{operands[0]};
}

/// In inference the data passes; in training a ratio of 0 drops nothing.
static FailureOr<SmallVector<Value>> lowerDropout(Lowering &b, Operation *op, ValueRange operands) {
  bool training = !b.isAbsent(2);
  if (std::optional<SmallVector<int64_t>> mode = b.constantInts(2))
    training = (*mode)[0] != 0;
  std::optional<SmallVector<double>> ratio = b.constantFloats(1);
  if (training && !(ratio && (*ratio)[0] == 0))
    return b.unsupported("it drops elements at random, which is training; set training_mode to "
                         "false");
  Value mask;
  if (!isa<NoneType>(op->getResult(1).getType())) {
    RankedTensorType type = b.resultType(1);
    if (!type)
      return b.unsupported("the mask's shape is known only when the model runs; fix the sizes it "
                           "depends on with --dim NAME=VALUE");
    mask = b.fill(type, b.scalarInt(type.getElementType(), 1), b.sizesOf(type));
  }
  return SmallVector<Value>{operands[0], mask};
}

template <typename... Ops> static void addFamily(RuleTable &table) {
  (table.add<Ops>([](Lowering &b, Operation *op, ValueRange operands) {
    return lowerElementwise(b, op, operands);
  }, Sizes::Dynamic), ...);
}

void registerElementwise(RuleTable &table) {
  using namespace burin::onnx;
  addFamily<
#define GET_OP_LIST
#include "dialects/onnx/families/Elementwise.cpp.inc"
      >(table);
  table.add<IdentityOp>(lowerIdentity, Sizes::Dynamic);
  table.add<DropoutOp>(lowerDropout, Sizes::Dynamic);
  registerCasts(table);
}

void attachElementwise(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, onnx::OnnxDialect *) {
    attachArithmetic(context);
    attachFunctions(context);
    attachCasts(context);
  });
}

} // namespace burin::lower
