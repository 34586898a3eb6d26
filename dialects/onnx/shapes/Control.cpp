// SPDX-License-Identifier: Apache-2.0
//
// Rules of If, Loop and Scan: results follow from what the bodies yield, and
// the bodies' arguments from the operands.

#include "dialects/onnx/shapes/ShapeRule.h"

using namespace mlir;

namespace burin::onnx {

/// What the region yields; a diagnostic where it is not one block that ends so.
static FailureOr<OperandRange> yields(ShapeRule &rule, Region &region) {
  auto yield = region.hasOneBlock() && !region.front().empty()
                   ? dyn_cast<YieldOp>(region.front().back())
                   : YieldOp();
  if (!yield)
    return rule.error() << "each body must be one block that ends in onnx.Yield";
  return yield.getValues();
}

LogicalResult inferIf(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  auto branch = cast<IfOp>(op);
  FailureOr<OperandRange> then = yields(rule, branch.getThenBranch());
  FailureOr<OperandRange> otherwise = yields(rule, branch.getElseBranch());
  if (failed(then) || failed(otherwise))
    return failure();
  if (then->size() != types.size() || otherwise->size() != types.size())
    return rule.error() << "has " << types.size() << " results, but its branches yield "
                        << then->size() << " and " << otherwise->size() << " values";
  for (unsigned i = 0; i < types.size(); ++i) {
    Type a = (*then)[i].getType(), b = (*otherwise)[i].getType();
    // A branch that yields an optional's element is one that has it.
    Type joined = joinTypes(a, b);
    if (!joined)
      return rule.error() << "the branches yield " << a << " and " << b << " for result " << i;
    if (failed(rule.setType(i, joined)))
      return failure();
  }
  return success();
}

//===- Loop -----------------------------------------------------------------===//

/// The number of iterations, where the trip count alone decides it.
static Dim tripCount(LoopOp loop, Value yieldedCondition) {
  auto count = constantInts(loop.getM());
  if (!count || count->size() != 1)
    return Dim();
  auto alwaysTrue = [](Value value) {
    auto constant = constantInts(value);
    return constant && constant->size() == 1 && constant->front() != 0;
  };
  if (!isa<NoneType>(loop.getCond().getType()) && !alwaysTrue(loop.getCond()))
    return Dim();
  while (auto identity = yieldedCondition.getDefiningOp<IdentityOp>())
    yieldedCondition = identity.getInput();
  bool passedOn = yieldedCondition == loop.getBody().getArgument(1);
  if (!passedOn && !alwaysTrue(yieldedCondition))
    return Dim();
  return Dim(std::max<int64_t>(count->front(), 0));
}

/// What is carried from trip to trip is as `joined` says, or its types do not go together.
static LogicalResult setCarried(ShapeRule &rule, unsigned result, Type initial, Type yielded,
                                Type joined) {
  if (!joined)
    return rule.error() << "carries " << initial << " in, but its body yields " << yielded;
  return rule.setType(result, joined);
}

/// What each trip yields is stacked along an axis of the result, which its rank may decide.
static LogicalResult setStacked(ShapeRule &rule, unsigned result, Type yielded, Dim trips,
                                llvm::function_ref<FailureOr<int64_t>(int64_t rank)> axisOf) {
  auto tensor = dyn_cast<TensorType>(yielded);
  if (!tensor)
    return rule.error() << "a scan output must be a tensor, not " << yielded;
  Shape shape = shapeOf(tensor);
  if (shape) {
    FailureOr<int64_t> axis = axisOf(shape->size() + 1);
    if (failed(axis))
      return failure();
    shape->insert(shape->begin() + *axis, trips);
  }
  return rule.set(result, tensor.getElementType(), shape);
}

LogicalResult inferLoop(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  auto loop = cast<LoopOp>(op);
  FailureOr<OperandRange> values = yields(rule, loop.getBody());
  if (failed(values))
    return failure();
  size_t carried = loop.getVInitial().size();
  if (loop.getBody().getNumArguments() != carried + 2 || values->size() != types.size() + 1 ||
      types.size() < carried)
    return rule.error() << "carries " << carried << " values and has " << types.size()
                        << " results, but its body takes " << loop.getBody().getNumArguments()
                        << " and yields " << values->size();
  Dim trips = tripCount(loop, values->front());
  for (unsigned i = 0; i < types.size(); ++i) {
    Type yielded = (*values)[i + 1].getType();
    if (i < carried) {
      // An optional that goes in empty comes out as what the body yields.
      Type initial = loop.getVInitial()[i].getType();
      if (auto optional = dyn_cast<OptionalType>(initial); optional && !isa<OptionalType>(yielded))
        initial = optional.getElement();
      Type joined =
          trips.isStatic() && trips.size > 0 ? yielded : joinTypes(initial, yielded);
      if (failed(setCarried(rule, i, loop.getVInitial()[i].getType(), yielded, joined)))
        return failure();
    } else if (failed(setStacked(rule, i, yielded, trips, [](int64_t) { return 0; }))) {
      return failure();
    }
  }
  return success();
}

//===- Scan -----------------------------------------------------------------===//

namespace {
/// How many of a Scan's operands and results are states, and along which axes the
/// others are cut and stacked.
struct ScanLayout {
  int64_t states, scanInputs, scanOutputs;
  SmallVector<int64_t> inputAxes, outputAxes;
};
} // namespace

static FailureOr<ScanLayout> scanLayout(ShapeRule &rule, ScanOp scan) {
  ScanLayout layout;
  int64_t operands = scan.getNumOperands(), results = scan.getNumResults();
  layout.scanInputs = scan.getNumScanInputs();
  if (layout.scanInputs < 1 || layout.scanInputs > operands)
    return rule.error() << "'num_scan_inputs' is " << layout.scanInputs << ", but it has "
                        << operands << " operands";
  layout.states = operands - layout.scanInputs;
  layout.scanOutputs = results - layout.states;
  if (layout.scanOutputs < 0 || !scan.getBody().hasOneBlock() ||
      int64_t(scan.getBody().getNumArguments()) != operands)
    return rule.error() << "has " << operands << " operands, " << layout.states
                        << " of them states, and " << results
                        << " results, which its body does not match";
  layout.inputAxes = rule.intsAttr("scan_input_axes")
                         .value_or(SmallVector<int64_t>(layout.scanInputs, 0));
  layout.outputAxes = rule.intsAttr("scan_output_axes")
                          .value_or(SmallVector<int64_t>(layout.scanOutputs, 0));
  if (failed(rule.expectLength("scan_input_axes", layout.inputAxes.size(), layout.scanInputs)) ||
      failed(rule.expectLength("scan_output_axes", layout.outputAxes.size(), layout.scanOutputs)))
    return failure();
  return layout;
}

/// The type of one slice of scan input `i`; `length` is narrowed to its axis' size.
static FailureOr<Type> sliceType(ShapeRule &rule, const ScanLayout &layout, int64_t i,
                                 Dim &length) {
  unsigned operand = layout.states + i;
  if (!rule.element(operand))
    return rule.error() << "a scan input must be a tensor, not " << rule.operand(operand).getType();
  Shape shape = rule.shape(operand);
  if (!shape)
    return tensorType(rule.element(operand), std::nullopt);
  FailureOr<int64_t> axis = rule.axis(layout.inputAxes[i], shape->size());
  if (failed(axis))
    return failure();
  FailureOr<Dim> merged = rule.same(length, (*shape)[*axis], "the lengths of the scan inputs");
  if (failed(merged))
    return failure();
  length = *merged;
  shape->erase(shape->begin() + *axis);
  return tensorType(rule.element(operand), shape);
}

LogicalResult inferScan(Operation *op, Types &types) {
  ShapeRule rule(op, types);
  auto scan = cast<ScanOp>(op);
  FailureOr<ScanLayout> layout = scanLayout(rule, scan);
  FailureOr<OperandRange> values = yields(rule, scan.getBody());
  if (failed(layout) || failed(values))
    return failure();
  if (values->size() != types.size())
    return rule.error() << "has " << types.size() << " results, but its body yields "
                        << values->size();
  Dim length;
  for (int64_t i = 0; i < layout->scanInputs; ++i)
    if (failed(sliceType(rule, *layout, i, length)))
      return failure();
  for (int64_t i = 0, e = types.size(); i < e; ++i) {
    Type yielded = (*values)[i].getType();
    if (i < layout->states) {
      Type initial = rule.operand(i).getType();
      if (failed(setCarried(rule, i, initial, yielded, joinTypes(initial, yielded))))
        return failure();
    } else if (failed(setStacked(rule, i, yielded, length, [&](int64_t rank) {
                 return rule.axis(layout->outputAxes[i - layout->states], rank);
               }))) {
      return failure();
    }
  }
  return success();
}

//===- Body arguments -------------------------------------------------------===//

LogicalResult bodyArguments(Operation *op, BodyArguments &arguments) {
  SmallVector<Type> unusedTypes;
  ShapeRule rule(op, unusedTypes);
  if (auto loop = dyn_cast<LoopOp>(op)) {
    if (!loop.getBody().hasOneBlock() ||
        loop.getBody().getNumArguments() != loop.getVInitial().size() + 2)
      return rule.error() << "carries " << loop.getVInitial().size()
                          << " values; its body must be one block of two more arguments";
    arguments.types.push_back(
        tensorType(IntegerType::get(op->getContext(), 64, IntegerType::Signed), Dims()));
    arguments.types.push_back(tensorType(IntegerType::get(op->getContext(), 1), Dims()));
    llvm::append_range(arguments.types, loop.getVInitial().getTypes());
    arguments.firstCarried = 2;
    arguments.numCarried = loop.getVInitial().size();
    arguments.firstYield = 1;
    return success();
  }
  if (auto scan = dyn_cast<ScanOp>(op)) {
    FailureOr<ScanLayout> layout = scanLayout(rule, scan);
    if (failed(layout))
      return failure();
    for (int64_t i = 0; i < layout->states; ++i)
      arguments.types.push_back(rule.operand(i).getType());
    arguments.numCarried = layout->states;
    Dim length;
    for (int64_t i = 0; i < layout->scanInputs; ++i) {
      FailureOr<Type> slice = sliceType(rule, *layout, i, length);
      if (failed(slice))
        return failure();
      arguments.types.push_back(*slice);
    }
  }
  return success();
}

} // namespace burin::onnx
