// SPDX-License-Identifier: Apache-2.0
//
// If, Loop and Scan as scf operations on tensors. Each is one op at the top, so that it
// becomes one kernel: what decides about it (a condition, a trip count) is read inside of
// it. A loop writes its state in place, since a kernel's scratch is the same in every round.

#include "compiler/lower/Lowering.h"
#include "compiler/lower/Reduction.h"
#include "compiler/lower/Scalars.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace burin::lower {
namespace {

using Values = SmallVector<Value>;

constexpr StringRef unsupportedBody = "its body holds a node that cannot be lowered";
constexpr int64_t shapeMismatch = 7; // BURIN_SHAPE_MISMATCH

/// Weights belong to the program, not to a kernel.
void hoistConstants(Operation *outer) {
  SmallVector<plan::ConstantOp> constants;
  outer->walk([&](plan::ConstantOp constant) { constants.push_back(constant); });
  for (plan::ConstantOp constant : constants)
    constant->moveBefore(outer);
}

/// The value of a one-element tensor of integers, if it is constant.
std::optional<int64_t> constantValue(Value tensor) {
  DenseIntElementsAttr elements;
  if (!matchPattern(tensor, m_Constant(&elements)) || !elements.isSplat())
    return std::nullopt;
  return elements.getSplatValue<APInt>().getSExtValue();
}

/// The only element of a tensor of one element.
Value onlyElement(Lowering &b, Value tensor) {
  Values zeros(cast<RankedTensorType>(tensor.getType()).getRank(), b.index(0));
  return tensor::ExtractOp::create(b, tensor, zeros);
}

Value isTrue(Lowering &b, Value tensor) {
  Scalars s{b};
  Value element = onlyElement(b, tensor);
  return s.notEqual(element, s.like(element, 0));
}

bool isStaticTensor(Value value) {
  auto type = value ? dyn_cast<RankedTensorType>(value.getType()) : RankedTensorType();
  return type && type.hasStaticShape();
}

/// The sizes of an onnx value that `lowered` stores, numbers or computed from ranges; nothing where
/// it is no tensor, or they are not known.
std::optional<SizeList> knownSizes(Lowering &b, Value onnxValue, Type lowered) {
  auto type = dyn_cast_if_present<RankedTensorType>(lowered);
  if (type && type.hasStaticShape())
    return SizeList(type.getShape());
  auto model = dyn_cast<RankedTensorType>(onnxValue.getType());
  return type && model && b.hasRanges(model) ? std::optional(b.sizes(onnxValue)) : std::nullopt;
}
std::optional<SizeList> knownSizes(Lowering &b, OpResult result) {
  return knownSizes(b, result, b.resultType(result.getResultNumber()));
}

/// Whether `value`, which an onnx value became, has the type and the sizes of a place.
bool fits(Lowering &b, Value onnxValue, Value value, Type place, const std::optional<SizeList> &sizes) {
  return value && value.getType() == place && sizes && knownSizes(b, onnxValue, place) == sizes;
}

bool isOneElement(Value value) {
  return isStaticTensor(value) && cast<RankedTensorType>(value.getType()).getNumElements() == 1;
}

/// The loop's argument that `value` is the data of: itself or a view of it.
BlockArgument carriedData(Value value) {
  while (Operation *view = value.getDefiningOp()) {
    if (!isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::CastOp,
             tensor::ExtractSliceOp>(view))
      return {};
    value = view->getOperand(0);
  }
  return cast<BlockArgument>(value);
}

/// A copy of `value` in memory of its own. Unlike empty tensors, no two of these become one.
Value copied(Lowering &b, Value value) {
  Value place = bufferization::AllocTensorOp::create(b, typeOf(value), b.openSizesOf(value));
  return b.inPlace(value, place);
}

/// The states that a loop begins with: what an outer loop carries is copied, since it may be read
/// after this one has run.
Values ownStates(Lowering &b, ValueRange values) {
  return llvm::map_to_vector(values, [&](Value value) {
    BlockArgument data = carriedData(value);
    bool isCarried = data && isa<LoopLikeOpInterface>(data.getOwner()->getParentOp());
    return isCarried ? copied(b, value) : value;
  });
}

/// Writes `values`, a round's states, in the places that carry them on. All that reads the old
/// states must have been made before; a state that is a part of an old one is copied first, since
/// its place may be written before it is read.
void writeStates(Lowering &b, MutableArrayRef<Value> values, ValueRange places) {
  for (auto [value, place] : llvm::zip_equal(values, places)) {
    BlockArgument data = value == place ? BlockArgument() : carriedData(value);
    if (!data || !llvm::is_contained(places, Value(data)))
      continue;
    value = copied(b, value);
  }
  for (auto [value, place] : llvm::zip_equal(values, places))
    value = b.inPlace(value, place);
}

//===- If -------------------------------------------------------------------===//

/// The results of the branch that fits the sizes; a run whose condition is `never` fails.
FailureOr<Values> lowerOnlyBranch(Lowering &b, Region &region, Value condition, bool never) {
  FailureOr<Values> values = b.lowerBlock(region.front(), {});
  if (failed(values) || llvm::any_of(*values, [](Value value) { return !value; }))
    return b.unsupported(unsupportedBody);
  for (Value &value : *values)
    value = b.broadcasting(typeOf(value), {value}, [&](Lowering &inner, ValueRange elements) {
      Scalars s{inner};
      Value is = onlyElement(inner, condition);
      Value zero = s.like(is, 0), fits = never ? s.equal(is, zero) : s.notEqual(is, zero);
      plan::CheckOp::create(inner, fits, shapeMismatch, arith::ExtUIOp::create(inner, inner.getI64Type(), is));
      return elements[0];
    });
  return *values;
}

FailureOr<Values> lowerIf(Lowering &b, Operation *op, ValueRange operands) {
  auto branch = cast<onnx::IfOp>(op);
  if (std::optional<int64_t> known = constantValue(operands[0])) {
    FailureOr<Values> values =
        b.lowerBlock((*known ? branch.getThenBranch() : branch.getElseBranch()).front(), {});
    if (failed(values))
      return b.unsupported(unsupportedBody);
    return *values;
  }
  if (!isOneElement(operands[0]))
    return b.unsupported("a condition that is not one bool");
  if (auto never = op->getAttrOfType<BoolAttr>(onnx::neverAttrName))
    return lowerOnlyBranch(b, branch.getThenBranch(), operands[0], never.getValue());
  SmallVector<Type> types;
  SmallVector<Values> open; // the sizes of each result, from outside of the region
  for (OpResult result : op->getResults()) {
    std::optional<SizeList> sizes = knownSizes(b, result);
    if (!sizes)
      return b.unsupported("a result whose shape only the running model knows; make its condition "
                           "constant, or its branches' results of one shape");
    types.push_back(b.resultType(result.getResultNumber()));
    open.push_back(b.openSizes(*sizes));
  }
  auto outer = scf::ExecuteRegionOp::create(b, types, /*no_inline=*/true);
  auto fail = [&](StringRef reason) {
    outer.erase();
    return b.unsupported(reason);
  };
  OpBuilder::InsertionGuard guard(b);
  b.createBlock(&outer.getRegion());
  // Both branches end in the same memory. Unlike empty tensors, no two of these become one.
  Values places;
  for (auto [type, sizes] : llvm::zip_equal(types, open))
    places.push_back(bufferization::AllocTensorOp::create(b, cast<RankedTensorType>(type), sizes));
  auto choice = scf::IfOp::create(b, types, isTrue(b, operands[0]), /*withElseRegion=*/true);
  scf::YieldOp::create(b, choice.getResults());
  for (bool taken : {true, false}) {
    Block &body = taken ? *choice.thenBlock() : *choice.elseBlock();
    b.setInsertionPointToEnd(&body);
    Block &from = (taken ? branch.getThenBranch() : branch.getElseBranch()).front();
    FailureOr<Values> values = b.lowerBlock(from, {});
    if (failed(values))
      return fail(unsupportedBody);
    for (auto [i, value] : llvm::enumerate(*values))
      if (!fits(b, from.getTerminator()->getOperand(i), value, types[i],
                knownSizes(b, op->getResult(i))))
        return fail("branches with results of different types");
    for (auto [value, place] : llvm::zip_equal(*values, places))
      value = b.inPlace(value, place);
    scf::YieldOp::create(b, *values);
  }
  hoistConstants(outer);
  return Values(outer.getResults());
}

//===- Loop -----------------------------------------------------------------===//

/// Loop with a state of shapes that stay. The trip count may be known or not; outputs that
/// grow by one slice per trip have a size that shape inference knew, which is checked.
class LoopLowering {
public:
  LoopLowering(Lowering &b, Operation *op, ValueRange operands)
      : b(b), op(op), body(op->getRegion(0).front()), limit(operands[0]), condition(operands[1]),
        initial(operands.drop_front(2)) {}

  FailureOr<Values> lower() {
    for (auto [value, lowered] : llvm::zip_equal(op->getOperands().drop_front(2), initial))
      if (!lowered || !knownSizes(b, value, lowered.getType()))
        return b.unsupported("a state that is not a tensor of known sizes or ranges");
    if ((limit && !isOneElement(limit)) || (condition && !isOneElement(condition)))
      return b.unsupported("a trip count or condition that is not one element");
    if (body.getNumArguments() != initial.size() + 2 ||
        body.getTerminator()->getNumOperands() != op->getNumResults() + 1 ||
        op->getNumResults() < initial.size())
      return b.unsupported("a body whose arguments or results do not fit the loop's");
    // The condition, the state, then the outputs that grow.
    auto bit = RankedTensorType::get({}, b.getI8Type());
    Values carried{b.fill(bit, b.scalarInt(b.getI8Type(), 1))};
    llvm::append_range(carried, ownStates(b, initial));
    for (unsigned i = initial.size(); i < op->getNumResults(); ++i) {
      RankedTensorType type = b.resultType(i);
      std::optional<SizeList> sizes = knownSizes(b, op->getResult(i));
      if (!sizes || sizes->empty())
        return b.unsupported("outputs whose number of slices only the running model knows; make "
                             "the trip count constant, or a size, and the condition one that always holds");
      carried.push_back(b.empty(type, b.openSizes(*sizes)));
      if (trips && !(*trips == sizes->front()))
        return b.unsupported("outputs with different numbers of slices");
      trips = sizes->front();
    }
    if (trips)
      room = b.size(*trips);
    if (std::optional<int64_t> known = limit ? constantValue(limit) : std::nullopt;
        known && !condition && passesCondition())
      return counted(std::max<int64_t>(*known, 0), carried);
    return conditional(carried);
  }

private:
  /// Whether the body hands its condition on, or says that it always holds.
  bool passesCondition() {
    Value value = body.getTerminator()->getOperand(0);
    while (auto identity = value.getDefiningOp<onnx::IdentityOp>())
      value = identity.getInput();
    if (value == body.getArgument(1))
      return true;
    auto constant = value.getDefiningOp<onnx::ConstantOp>();
    auto elements = constant ? dyn_cast<DenseIntElementsAttr>(constant.getValue()) : nullptr;
    return elements && elements.isSplat() && !elements.getSplatValue<APInt>().isZero();
  }

  FailureOr<Values> counted(int64_t count, ValueRange carried) {
    if (trips && trips->constant() != count)
      return b.unsupported("outputs with another number of slices than its trips");
    Value from = b.index(0), to = b.index(count), by = b.index(1);
    auto loop = scf::ForOp::create(b, from, to, by, carried);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    single = count <= 1;
    FailureOr<Values> next = round(loop.getInductionVar(), loop.getRegionIterArgs());
    if (failed(next)) {
      loop.erase();
      return failure();
    }
    scf::YieldOp::create(b, *next);
    hoistConstants(loop);
    return Values(loop.getResults().drop_front());
  }

  FailureOr<Values> conditional(ValueRange carried) {
    Values inits{b.index(0)};
    llvm::append_range(inits, carried);
    SmallVector<Type> types = llvm::to_vector(ValueRange(inits).getTypes());
    SmallVector<Location> locations(types.size(), b.getLoc());
    auto loop = scf::WhileOp::create(b, types, inits);
    OpBuilder::InsertionGuard guard(b);
    Block *before = b.createBlock(&loop.getBefore(), {}, types, locations);
    scf::ConditionOp::create(b, goesOn(before->getArgument(0), before->getArgument(1)),
                             before->getArguments());
    Block *after = b.createBlock(&loop.getAfter(), {}, types, locations);
    FailureOr<Values> next = round(after->getArgument(0), after->getArguments().drop_front());
    if (failed(next)) {
      loop.erase();
      return failure();
    }
    Values yielded{arith::AddIOp::create(b, after->getArgument(0), b.index(1))};
    llvm::append_range(yielded, *next);
    scf::YieldOp::create(b, yielded);
    hoistConstants(loop);
    return Values(loop.getResults().drop_front(2));
  }

  /// Whether round `trip` runs, checking that the outputs hold as many slices as there are rounds.
  Value goesOn(Value trip, Value holds) {
    Scalars s{b};
    Value go = isTrue(b, holds);
    auto also = [&](Value other) { go = arith::AndIOp::create(b, go, other); };
    Value count = arith::IndexCastOp::create(b, b.getI64Type(), trip);
    if (condition) // read before the first round; later ones follow the body's
      also(arith::OrIOp::create(b, s.notEqual(trip, b.index(0)), isTrue(b, condition)));
    if (limit) {
      Value most = onlyElement(b, limit);
      also(s.less(count, s.cast(most, most.getType(), b.getI64Type())));
    }
    if (!trips)
      return go;
    Value most = trips->constant() ? s.like(count, double(*trips->constant()))
                                   : Value(arith::IndexCastOp::create(b, b.getI64Type(), room));
    Value hasRoom = s.less(count, most);
    Value fits = s.select(go, hasRoom, s.equal(count, most));
    plan::CheckOp::create(b, fits, shapeMismatch, count);
    also(hasRoom);
    return go;
  }

  /// One trip through the body: what is carried on, in place.
  FailureOr<Values> round(Value trip, ValueRange carried) {
    auto number = RankedTensorType::get({}, b.getI64Type());
    auto at = cast<RankedTensorType>(storageType(body.getArgument(0).getType()));
    Value tripTensor = b.fill(number, arith::IndexCastOp::create(b, b.getI64Type(), trip));
    Values arguments{b.reshape(tripTensor, at.hasStaticShape() ? at.getShape()
                                                               : ArrayRef<int64_t>())};
    auto bit = cast<RankedTensorType>(storageType(body.getArgument(1).getType()));
    arguments.push_back(b.reshape(carried[0], bit.hasStaticShape() ? bit.getShape()
                                                                   : ArrayRef<int64_t>()));
    llvm::append_range(arguments, carried.slice(1, initial.size()));
    FailureOr<Values> values = b.lowerBlock(body, arguments);
    if (failed(values))
      return b.unsupported(unsupportedBody);
    if (!isOneElement((*values)[0]))
      return b.unsupported("a condition that is not one bool");
    (*values)[0] = b.reshape((*values)[0], {});
    Values next;
    for (unsigned i = 0; i <= initial.size(); ++i) {
      Value yielded = body.getTerminator()->getOperand(i);
      bool stays = i == 0 ? (*values)[i].getType() == carried[i].getType()
                          : fits(b, yielded, (*values)[i], carried[i].getType(),
                                 knownSizes(b, op->getOperand(i + 1), carried[i].getType()));
      if (!stays)
        return b.unsupported("a state whose shape changes from trip to trip");
      next.push_back((*values)[i]);
    }
    for (unsigned i = initial.size() + 1; i < values->size(); ++i) {
      auto whole = cast<RankedTensorType>(carried[i].getType());
      SizeList slice = *knownSizes(b, op->getResult(i - 1));
      slice.erase(slice.begin());
      if (!fits(b, body.getTerminator()->getOperand(i), (*values)[i],
                Lowering::tensorOf(slice, whole.getElementType()), slice))
        return b.unsupported("an output whose slices differ in shape");
      SmallVector<OpFoldResult> offsets(whole.getRank(), b.getIndexAttr(0)),
          sizes{b.getIndexAttr(1)}, strides(whole.getRank(), b.getIndexAttr(1));
      offsets[0] = trip;
      llvm::append_range(sizes, b.mixedSizes(slice));
      next.push_back(tensor::InsertSliceOp::create(b, (*values)[i], carried[i], offsets, sizes,
                                                   strides));
    }
    if (!single) // the last to be made: outputs may be slices of the states that come in
      writeStates(b, MutableArrayRef(next).take_front(initial.size() + 1),
                  carried.take_front(initial.size() + 1));
    return next;
  }

  Lowering &b;
  Operation *op;
  Block &body;
  Value limit, condition;
  ValueRange initial;
  std::optional<onnx::SizeExpr> trips; // slices of the outputs that grow
  Value room;                          // the same as an index
  bool single = false; // known to run at most once: simplified away, with nothing to keep
};

FailureOr<Values> lowerLoop(Lowering &b, Operation *op, ValueRange operands) {
  return LoopLowering(b, op, operands).lower();
}

//===- Scan -----------------------------------------------------------------===//

FailureOr<Values> lowerScan(Lowering &b, Operation *op, ValueRange operands) {
  auto scan = cast<onnx::ScanOp>(op);
  Block &body = scan.getBody().front();
  int64_t scanned = scan.getNumScanInputs(), states = int64_t(operands.size()) - scanned;
  int64_t grown = int64_t(op->getNumResults()) - states;
  if (scanned < 1 || states < 0 || grown < 0 ||
      body.getNumArguments() != operands.size() ||
      body.getTerminator()->getNumOperands() != op->getNumResults())
    return b.unsupported("a body whose arguments or results do not fit the scan's");
  auto operandSizes = [&](int64_t i) {
    return knownSizes(b, op->getOperand(i), operands[i] ? operands[i].getType() : Type());
  };
  for (size_t i = 0; i < operands.size(); ++i)
    if (!operandSizes(i))
      return b.unsupported("an operand whose shape is known only when the model runs; fix it with "
                           "--dim NAME=VALUE");
  auto attribute = [](std::optional<ArrayRef<int64_t>> values, int64_t i) {
    return values && i < int64_t(values->size()) ? (*values)[i] : 0;
  };
  std::optional<onnx::SizeExpr> count;
  SmallVector<int64_t> inputAxes, outputAxes;
  for (int64_t i = 0; i < scanned; ++i) {
    RankedTensorType type = typeOf(operands[states + i]);
    std::optional<int64_t> axis =
        normalizedAxis(attribute(scan.getScanInputAxes(), i), type.getRank());
    onnx::SizeExpr length = axis ? (*operandSizes(states + i))[*axis] : onnx::SizeExpr();
    if (!axis || (count && !(*count == length)))
      return b.unsupported("scanned inputs of different lengths, or without the axis");
    count = length;
    inputAxes.push_back(*axis);
  }
  Values carried = ownStates(b, operands.take_front(states));
  for (int64_t i = 0; i < grown; ++i) {
    RankedTensorType type = b.resultType(states + i);
    std::optional<int64_t> axis =
        type ? normalizedAxis(attribute(scan.getScanOutputAxes(), i), type.getRank())
             : std::nullopt;
    std::optional<SizeList> sizes = knownSizes(b, op->getResult(states + i));
    if (!axis || !sizes || !((*sizes)[*axis] == *count))
      return b.unsupported("an output whose shape does not follow from the scanned length");
    outputAxes.push_back(*axis);
    carried.push_back(b.empty(type, b.openSizes(*sizes)));
  }

  Value from = b.index(0), to = b.size(*count), by = b.index(1);
  Value last = count->constant() ? b.index(*count->constant() - 1)
                                 : Value(arith::SubIOp::create(b, to, by));
  auto loop = scf::ForOp::create(b, from, to, by, carried);
  auto fail = [&](StringRef reason) {
    loop.erase();
    return b.unsupported(reason);
  };
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value backwards = arith::SubIOp::create(b, last, loop.getInductionVar());
  /// Offsets, sizes and strides of the slice that this step is about of what has `whole` sizes.
  auto sliceOf = [&](const SizeList &whole, int64_t axis, bool reversed) {
    SmallVector<OpFoldResult> sizes = b.mixedSizes(whole),
                              offsets(sizes.size(), b.getIndexAttr(0)),
                              strides(sizes.size(), b.getIndexAttr(1));
    offsets[axis] = reversed ? backwards : loop.getInductionVar();
    sizes[axis] = b.getIndexAttr(1);
    return std::tuple(offsets, sizes, strides);
  };
  Values arguments(loop.getRegionIterArgs().take_front(states));
  for (int64_t i = 0; i < scanned; ++i) {
    Value input = operands[states + i];
    RankedTensorType type = typeOf(input);
    SmallVector<int64_t> shape(type.getShape());
    shape.erase(shape.begin() + inputAxes[i]);
    auto [offsets, sizes, strides] =
        sliceOf(*operandSizes(states + i), inputAxes[i], attribute(scan.getScanInputDirections(), i) != 0);
    arguments.push_back(tensor::ExtractSliceOp::create(
        b, RankedTensorType::get(shape, type.getElementType()), input, offsets, sizes, strides));
  }
  FailureOr<Values> values = b.lowerBlock(body, arguments);
  if (failed(values))
    return fail(unsupportedBody);
  Values next;
  for (auto [i, place] : llvm::enumerate(loop.getRegionIterArgs())) {
    Value value = (*values)[i];
    RankedTensorType type = typeOf(place);
    Value yielded = body.getTerminator()->getOperand(i);
    if (int64_t(i) < states) {
      if (!fits(b, yielded, value, type, operandSizes(i)))
        return fail("a state whose shape changes from step to step");
      next.push_back(value);
      continue;
    }
    int64_t output = int64_t(i) - states, axis = outputAxes[output];
    SizeList whole = *knownSizes(b, op->getResult(i)), part = whole;
    part.erase(part.begin() + axis);
    if (!fits(b, yielded, value, Lowering::tensorOf(part, type.getElementType()), part))
      return fail("an output whose slices differ in shape");
    auto [offsets, sizes, strides] =
        sliceOf(whole, axis, attribute(scan.getScanOutputDirections(), output) != 0);
    next.push_back(tensor::InsertSliceOp::create(b, value, place, offsets, sizes, strides));
  }
  if (!count->constant() || *count->constant() > 1) // see Loop
    writeStates(b, MutableArrayRef(next).take_front(states),
                ValueRange(loop.getRegionIterArgs()).take_front(states));
  scf::YieldOp::create(b, next);
  hoistConstants(loop);
  return Values(loop.getResults());
}

} // namespace

void registerControl(RuleTable &table) {
  table.add<onnx::IfOp>(lowerIf, Sizes::Dynamic);
  table.add<onnx::LoopOp>(lowerLoop, Sizes::Dynamic);
  table.add<onnx::ScanOp>(lowerScan, Sizes::Dynamic);
}

} // namespace burin::lower
