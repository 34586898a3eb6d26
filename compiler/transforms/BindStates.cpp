// SPDX-License-Identifier: Apache-2.0
//
// An input and an output that `--state` makes one. Where the output is the input with rows behind
// it, the argument gets memory for as many rows as there can ever be:
//
//   %present = insert_slice %new into (insert_slice %past into empty)[P]
//
// becomes an insert_slice of %new into the argument itself; who reads %past or %present reads that many
// rows of it. Nothing else of the old value is touched, so that both can be read at any time.

#include "compiler/transforms/BindStates.h"

#include "compiler/plan/Sizes.h"
#include "compiler/transforms/Passes.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_BINDSTATES
#include "compiler/transforms/Passes.h.inc"

namespace {

/// What a value was before its type was made more or less precise.
Value withoutCasts(Value value) {
  while (auto cast = value.getDefiningOp<tensor::CastOp>())
    value = cast.getSource();
  return value;
}

/// The parts that a tensor is put together from, the last one first, and what they are put into.
struct Parts {
  SmallVector<tensor::InsertSliceOp> inserts;
  tensor::EmptyOp into;

  explicit Parts(Value whole) {
    while (auto insert = whole.getDefiningOp<tensor::InsertSliceOp>()) {
      inserts.push_back(insert);
      whole = insert.getDest();
    }
    into = whole.getDefiningOp<tensor::EmptyOp>();
  }

  /// The one that is all of `source`.
  tensor::InsertSliceOp of(Value source) const {
    for (tensor::InsertSliceOp insert : inserts)
      if (withoutCasts(insert.getSource()) == source)
        return insert;
    return nullptr;
  }
};

class Binder {
public:
  explicit Binder(func::FuncOp main)
      : main(main), end(main.getBody().front().getTerminator()), sizes(main), builder(main) {}

  LogicalResult run() {
    for (unsigned result = 0; result < main.getNumResults(); ++result)
      if (std::optional<unsigned> argument = plan::stateOfResult(main, result))
        if (failed(bind(main.getArgument(*argument), result)))
          return failure();
    main.setFunctionType(builder.getFunctionType(main.getBody().getArgumentTypes(),
                                                 end->getOperandTypes()));
    return success();
  }

private:
  std::string name(BlockArgument state) {
    auto named = main.getArgAttrOfType<StringAttr>(state.getArgNumber(), "onnx.name");
    return named ? named.str() : std::to_string(state.getArgNumber());
  }

  InFlightDiagnostic refuse(Location where, BlockArgument state) {
    return emitError(where) << "the state '" << name(state) << "' cannot be kept in place: ";
  }

  LogicalResult bind(BlockArgument state, unsigned result) {
    Value value = withoutCasts(end->getOperand(result));
    auto type = cast<RankedTensorType>(state.getType());
    if (!type.hasStaticShape())
      return bindGrowing(state, result, value);
    if (value.getType() != type)
      return refuse(value.getLoc(), state) << "it is " << plan::textOf(type) << ", and its next value "
                                           << plan::textOf(value.getType());
    end->setOperand(result, value);
    return success();
  }

  LogicalResult bindGrowing(BlockArgument state, unsigned result, Value value) {
    auto type = cast<RankedTensorType>(state.getType());
    if (type.getNumDynamicDims() != 1)
      return refuse(state.getLoc(), state)
             << "several of its sizes change from run to run; fix all but one with --dim";
    unsigned axis = unsigned(llvm::find_if(type.getShape(), ShapedType::isDynamic) -
                             type.getShape().begin());
    AffineExpr before = sizes.of(state)[axis];
    auto symbol = dyn_cast_or_null<AffineSymbolExpr>(before);
    if (!symbol)
      return refuse(state.getLoc(), state) << "its length is none of the sizes that --dim names";

    Parts parts(value);
    tensor::InsertSliceOp past = parts.of(state);
    if (!past || !parts.into)
      return refuse(value.getLoc(), state)
             << "this node makes its next value, and only a Concat of it with what is new appends";
    if (!llvm::all_of(parts.inserts, [&](tensor::InsertSliceOp insert) {
          return insert.hasUnitStride() && (insert == past ? isAtBegin(insert) : isBehind(insert, axis, before));
        }))
      return refuse(value.getLoc(), state) << "this node puts something before it, and not behind it";
    for (tensor::InsertSliceOp insert : ArrayRef(parts.inserts).drop_front())
      if (!insert->hasOneUse())
        return refuse(value.getLoc(), state) << "a part of what this node makes is used elsewhere";

    AffineExpr next = sizes.of(value)[axis];
    std::optional<plan::Interval> lengths = sizes.range(next), most = sizes.range(before);
    if (!lengths || !most || lengths->max < most->max)
      return refuse(value.getLoc(), state) << "its length has no bound";
    AffineExpr &known = nextLengths.try_emplace(symbol.getPosition(), next).first->second;
    if (known != next)
      return refuse(value.getLoc(), state)
             << "another state of its length '" << lengthName(symbol).getValue() << "' grows by another size";

    SmallVector<int64_t> shape(type.getShape());
    shape[axis] = lengths->max;
    if (auto room = main.getArgAttrOfType<IntegerAttr>(state.getArgNumber(), stateRoomAttrName))
      shape[axis] = std::max(shape[axis], room.getInt()); // that another variant needs
    main.removeArgAttr(state.getArgNumber(), stateRoomAttrName);
    auto whole = RankedTensorType::get(shape, type.getElementType());
    main.setArgAttr(state.getArgNumber(), plan::stateAttrName,
                    plan::StateAttr::get(main.getContext(),
                                         plan::stateOf(main, state.getArgNumber()).getOutput(), axis,
                                         lengthName(symbol),
                                         AffineMapAttr::get(AffineMap::get(0, sizes.count(), next))));
    rewrite(state, whole, axis, parts, past, value, result);
    return success();
  }

  StringAttr lengthName(AffineSymbolExpr symbol) {
    auto dims = main->getAttrOfType<ArrayAttr>(plan::dimsAttrName);
    return cast<plan::RangeAttr>(dims[symbol.getPosition()]).getName();
  }

  static bool isAtBegin(tensor::InsertSliceOp insert) {
    return llvm::all_of(insert.getMixedOffsets(),
                        [](OpFoldResult offset) { return isConstantIntValue(offset, 0); });
  }

  /// Whether a part lies behind the first `length` rows, whatever their number is.
  bool isBehind(tensor::InsertSliceOp insert, unsigned axis, AffineExpr length) {
    OpFoldResult offset = insert.getMixedOffsets()[axis];
    AffineExpr expr = isa<Attribute>(offset) ? getAffineConstantExpr(*getConstantIntValue(offset),
                                                                     main.getContext())
                                             : sizes.ofIndex(cast<Value>(offset));
    if (!expr)
      return false;
    std::optional<plan::Interval> distance = sizes.range(simplifyAffineExpr(
        expr - length, 0, sizes.count()));
    return distance && distance->min >= 0;
  }

  void rewrite(BlockArgument state, RankedTensorType whole, unsigned axis, Parts &parts,
               tensor::InsertSliceOp past, Value value, unsigned result) {
    auto type = cast<RankedTensorType>(state.getType());
    Value after = parts.into.getDynamicSizes()[cast<RankedTensorType>(value.getType())
                                                   .getDynamicDimIndex(axis)];
    SmallVector<OpFoldResult> zeros(type.getRank(), builder.getIndexAttr(0)),
        ones(type.getRank(), builder.getIndexAttr(1));
    auto rows = [&](Location loc, Value from, Type as, Value count) -> Value {
      SmallVector<OpFoldResult> shape = getAsIndexOpFoldResult(main.getContext(), whole.getShape());
      shape[axis] = count;
      return tensor::ExtractSliceOp::create(builder, loc, cast<RankedTensorType>(as), from, zeros,
                                            shape, ones);
    };

    state.setType(whole);
    builder.setInsertionPointToStart(&main.getBody().front());
    Value length = plan::DimOp::create(builder, state.getLoc(), builder.getIndexType(),
                                       plan::stateOf(main, state.getArgNumber()).getLength().getValue());
    Value before = rows(state.getLoc(), state, type, length);
    state.replaceAllUsesExcept(before, before.getDefiningOp());

    builder.setInsertionPointAfter(parts.inserts.front());
    Value grown = state;
    for (tensor::InsertSliceOp insert : llvm::reverse(parts.inserts))
      if (insert != past)
        grown = tensor::InsertSliceOp::create(builder, insert.getLoc(), insert.getSource(), grown,
                                              insert.getMixedOffsets(), insert.getMixedSizes(),
                                              insert.getMixedStrides());
    Value present = rows(value.getLoc(), grown, value.getType(), after);
    value.replaceAllUsesWith(present);
    end->setOperand(result, grown);
    for (tensor::InsertSliceOp insert : parts.inserts)
      insert.erase();
  }

  func::FuncOp main;
  Operation *end;
  plan::ModelSizes sizes;
  OpBuilder builder;
  DenseMap<unsigned, AffineExpr> nextLengths; // by the dim that is the length
};

struct BindStates : impl::BindStatesBase<BindStates> {
  void runOnOperation() override {
    for (auto main : getOperation().getOps<func::FuncOp>())
      if (!main.isDeclaration() && failed(Binder(main).run()))
        return signalPassFailure();
  }
};

} // namespace
} // namespace burin
