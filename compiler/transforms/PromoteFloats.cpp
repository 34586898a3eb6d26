// SPDX-License-Identifier: Apache-2.0
//
// One forward walk: constants, attributes and results are widened. What ONNX does not define in f64 is
// computed in f32, between casts.

#include "compiler/transforms/PromoteFloats.h"

#include "compiler/import/Schema.h"
#include "compiler/import/Weights.h"
#include "compiler/transforms/Passes.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Endian.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_PROMOTEFLOATS
#include "compiler/transforms/Passes.h.inc"

namespace {

bool isNarrow(Type element) { return element.isF32() || element.isF16() || element.isBF16(); }

/// A tensor type with another element type.
Type withElement(Type tensor, Type element) {
  if (auto ranked = dyn_cast<RankedTensorType>(tensor))
    return RankedTensorType::get(ranked.getShape(), element, ranked.getEncoding());
  return UnrankedTensorType::get(element);
}

/// The type with f64 for floats of 16 and 32 bits.
Type promoted(Type type) {
  MLIRContext *context = type.getContext();
  if (auto tensor = dyn_cast<TensorType>(type); tensor && isNarrow(tensor.getElementType()))
    return withElement(type, Float64Type::get(context));
  if (auto sequence = dyn_cast<onnx::SequenceType>(type))
    return onnx::SequenceType::get(context, promoted(sequence.getElement()));
  if (auto optional = dyn_cast<onnx::OptionalType>(type))
    return onnx::OptionalType::get(context, promoted(optional.getElement()));
  return type;
}

APFloat widened(APFloat value) {
  bool lossy;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lossy);
  return value;
}

/// The bytes of floats of `element`, as f64.
std::string widened(ArrayRef<char> bytes, FloatType element) {
  size_t width = element.getWidth() / 8, count = bytes.size() / width;
  std::string wide(count * sizeof(double), '\0');
  for (size_t i = 0; i < count; ++i) {
    const char *at = bytes.data() + i * width;
    double value;
    if (element.isF32())
      value = llvm::bit_cast<float>(llvm::support::endian::read32le(at));
    else
      value = widened(APFloat(element.getFloatSemantics(),
                              APInt(16, llvm::support::endian::read16le(at))))
                  .convertToDouble();
    memcpy(wide.data() + i * sizeof value, &value, sizeof value);
  }
  return wide;
}

/// Not where ONNX, or the lowering, has no f64; nor where the bits count.
bool canBeDouble(OpOperand &operand) {
  Operation *op = operand.getOwner();
  if (isa<onnx::BitCastOp>(op))
    return getElementTypeOrSelf(op->getResult(0).getType()).isInteger(64);
  return !isa<onnx::DeformConvOp>(op) &&
         mayBeDouble(op->getName().stripDialect(), operand.getOperandNumber());
}

class Promotion {
public:
  explicit Promotion(WeightStore *store) : store(store) {}

  LogicalResult run(func::FuncOp function) {
    for (BlockArgument argument : function.getArguments())
      argument.setType(promoted(argument.getType()));
    // Operands before the operators that read them, and these before what is in them.
    WalkResult done = function.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
      return failed(promote(op)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (done.wasInterrupted())
      return failure();
    Block &body = function.getBody().front();
    function.setFunctionType(FunctionType::get(function.getContext(), body.getArgumentTypes(),
                                               body.getTerminator()->getOperandTypes()));
    return success();
  }

private:
  LogicalResult promote(Operation *op) {
    for (NamedAttribute attribute : llvm::to_vector(op->getAttrs())) {
      FailureOr<Attribute> value = promote(op, attribute.getValue());
      if (failed(value))
        return failure();
      op->setAttr(attribute.getName(), *value);
    }
    if (isa<onnx::OnnxOpInterface>(op)) {
      castOperands(op);
      if (!isa<onnx::BitCastOp>(op))
        promoteElementTypes(op);
    }
    for (Region &region : op->getRegions())
      for (BlockArgument argument : region.getArguments())
        argument.setType(promoted(argument.getType()));
    setResultTypes(op);
    return success();
  }

  FailureOr<Attribute> promote(Operation *op, Attribute value) {
    if (auto dense = dyn_cast<DenseFPElementsAttr>(value);
        dense && isNarrow(dense.getElementType()))
      return Attribute(dense.mapValues(Float64Type::get(op->getContext()), [](const APFloat &x) {
        return widened(x).bitcastToAPInt();
      }));
    auto weight = dyn_cast<plan::WeightAttr>(value);
    if (!weight || promoted(weight.getType()) == weight.getType())
      return value;
    auto bytes = store ? store->bytes(weight.getSegment().getValue(), weight.getOffset(),
                                      weight.getLength())
                       : std::nullopt;
    if (!bytes)
      return op->emitOpError("has a weight whose bytes are not at hand");
    auto element = cast<FloatType>(getElementTypeOrSelf(weight.getType()));
    WeightStore::Location place = store->addOwned(widened(*bytes, element));
    return Attribute(plan::WeightAttr::get(
        op->getContext(), promoted(weight.getType()),
        StringAttr::get(op->getContext(), place.segment), place.offset, place.length));
  }

  /// Attributes that name an element type, by ONNX's numbers.
  void promoteElementTypes(Operation *op) {
    constexpr int64_t f32 = 1, f16 = 10, f64 = 11, bf16 = 16;
    for (StringRef name : {"to", "dtype", "output_dtype", "stash_type", "softmax_precision",
                           "output_datatype"})
      if (auto number = op->getAttrOfType<IntegerAttr>(name);
          number && llvm::is_contained({f32, f16, bf16}, number.getInt()))
        op->setAttr(name, IntegerAttr::get(number.getType(), f64));
    if (auto type = op->getAttrOfType<TypeAttr>("type"))
      op->setAttr("type", TypeAttr::get(promoted(type.getValue())));
  }

  /// Operands that may not be f64 are cast to f32 in front of `op`.
  void castOperands(Operation *op) {
    OpBuilder builder(op);
    for (OpOperand &operand : op->getOpOperands())
      if (auto tensor = dyn_cast<TensorType>(operand.get().getType());
          tensor && tensor.getElementType().isF64() &&
          !canBeDouble(operand))
        operand.set(cast(builder, op->getLoc(), operand.get(), builder.getF32Type()));
  }

  /// Results are f64, or f32 with a cast behind them where the operator's shape rule has them so.
  void setResultTypes(Operation *op) {
    OpBuilder builder(op->getContext());
    builder.setInsertionPointAfter(op);
    SmallVector<OpResult> floats;
    for (OpResult result : op->getResults())
      if (Type wide = promoted(result.getType()); wide != result.getType()) {
        result.setType(wide);
        if (isa<TensorType>(wide))
          floats.push_back(result);
      }
    SmallVector<OpResult> narrow = narrowResults(op, floats);
    for (OpResult result : narrow) {
      result.setType(withElement(result.getType(), builder.getF32Type()));
      Value after = cast(builder, op->getLoc(), result, builder.getF64Type());
      result.replaceAllUsesExcept(after, after.getDefiningOp());
    }
  }

  /// The fewest of `floats` that have to be f32 for the shape rule to hold.
  static SmallVector<OpResult> narrowResults(Operation *op, ArrayRef<OpResult> floats) {
    auto rule = dyn_cast<onnx::OnnxOpInterface>(op);
    // What is in a region is still to come, and decides what comes out.
    if (!rule || op->getNumRegions() != 0 || floats.size() > 4)
      return {};
    ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
    for (unsigned chosen = 0; chosen < 1u << floats.size(); ++chosen) {
      SmallVector<Type> types(op->getResultTypes());
      SmallVector<OpResult> narrow;
      for (auto [i, result] : llvm::enumerate(floats))
        if (chosen & 1u << i) {
          narrow.push_back(result);
          types[result.getResultNumber()] =
              withElement(result.getType(), Float32Type::get(op->getContext()));
        }
      if (succeeded(rule.inferResultTypes(types)))
        return narrow;
    }
    return {};
  }

  static Value cast(OpBuilder &builder, Location loc, Value value, Type element) {
    constexpr int64_t f32 = 1, f64 = 11;
    return onnx::CastOp::create(builder, loc, withElement(value.getType(), element), value,
                                builder.getStringAttr("up"), builder.getI64IntegerAttr(1),
                                builder.getI64IntegerAttr(element.isF32() ? f32 : f64));
  }

  WeightStore *store;
};

struct PromoteFloats : impl::PromoteFloatsBase<PromoteFloats> {
  PromoteFloats() = default;
  explicit PromoteFloats(WeightStore *store) : store(store) {}

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (failed(Promotion(store).run(function)))
        return signalPassFailure();
  }

  WeightStore *store = nullptr;
};

} // namespace

std::unique_ptr<Pass> createPromoteFloats(WeightStore &store) {
  return std::make_unique<PromoteFloats>(&store);
}

} // namespace burin
