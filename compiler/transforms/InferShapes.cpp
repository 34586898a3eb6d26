// SPDX-License-Identifier: Apache-2.0
//
// Shape inference over a module: a forward walk per function, since operands
// are defined before their uses. Each op is folded as soon as its types are
// known, because shape arithmetic that becomes constant refines what follows.
// What the declared results say then goes backwards, from results to operands, and
// forward again for as long as sizes become known.
//
// A body of Loop or Scan is inferred under the types that its arguments have on
// the first iteration. Where what it yields is less precise than that, the
// arguments are widened and the body is inferred again; all but the last attempt
// run on a copy, so that nothing is folded on an assumption that does not hold.
//
// A branch of If may be written for other sizes than the model is compiled for (one per sampling
// rate, say). It is left out with a warning; that it is not taken is checked when the model runs.

#include "compiler/transforms/Passes.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/onnx/OnnxShapes.h"
#include "dialects/plan/PlanOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Iterators.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_INFERSHAPES
#include "compiler/transforms/Passes.h.inc"

namespace {

// Attempts on copies multiply with the nesting of loops; deeper loops keep what
// the model declares.
constexpr unsigned maxSpeculativeDepth = 3;
// Walks back and forth; chains of declared sizes are short.
constexpr unsigned maxRounds = 4;
// Each attempt makes at least one size of one argument unknown.
constexpr unsigned maxAttempts = 8;

class Inference {
public:
  LogicalResult run(func::FuncOp function);

private:
  LogicalResult inferFunction(func::FuncOp function);
  LogicalResult inferBlock(Block &block);
  LogicalResult inferRegions(Operation *op);
  LogicalResult inferBody(Operation *op, ArrayRef<Type> arguments);
  LogicalResult inferRegion(Region &region);
  LogicalResult inferBranches(onnx::IfOp op);
  LogicalResult inferOp(onnx::OnnxOpInterface op);
  LogicalResult nameSize(onnx::OnnxOpInterface op, SmallVectorImpl<Type> &types);
  FailureOr<SmallVector<Type>> widenArguments(Operation *op, const onnx::BodyArguments &first);
  StringAttr newSizeName(Operation *op);
  Operation *inlineBranch(onnx::IfOp op);
  void fold(Operation *op);

  unsigned depth = 0;
  llvm::StringSet<> sizeNames; // that are taken
};

LogicalResult Inference::run(func::FuncOp function) {
  if (function.isExternal())
    return success();
  auto take = [&](Type type) {
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      if (auto dims = dyn_cast_if_present<onnx::DimsAttr>(tensor.getEncoding()))
        for (StringAttr name : dims.getNames())
          sizeNames.insert(name.getValue());
  };
  llvm::for_each(function.getArgumentTypes(), take);
  function.walk([&](Operation *op) { llvm::for_each(op->getResultTypes(), take); });
  for (unsigned round = 0; round < maxRounds; ++round) {
    if (failed(inferFunction(function)))
      return failure();
    bool changed = false;
    function.walk<WalkOrder::PostOrder, mlir::ReverseIterator>(
        [&](Operation *op) { changed |= onnx::refineOperands(op); });
    if (!changed)
      break;
  }
  return success();
}

/// One forward walk.
LogicalResult Inference::inferFunction(func::FuncOp function) {
  for (Block &block : function.getBody())
    if (failed(inferBlock(block)))
      return failure();

  // The declared results and what is returned refine each other.
  SmallVector<Type> results(function.getResultTypes());
  WalkResult walk = function.walk([&](func::ReturnOp op) {
    for (auto [i, value] : llvm::enumerate(op.getOperands())) {
      Type merged = onnx::mergeTypes(results[i], value.getType());
      if (!merged) {
        op.emitError() << "result " << i << " of '" << function.getName() << "' is declared as "
                       << results[i] << ", but is " << value.getType()
                       << "; correct the model's declared output";
        return WalkResult::interrupt();
      }
      value.setType(merged);
      results[i] = merged;
    }
    return WalkResult::advance();
  });
  if (walk.wasInterrupted())
    return failure();
  SmallVector<Type> arguments(function.getBody().front().getArgumentTypes());
  function.setFunctionType(FunctionType::get(function.getContext(), arguments, results));
  return success();
}

LogicalResult Inference::inferBlock(Block &block) {
  for (auto it = block.begin(); it != block.end();) {
    Operation *op = &*it;
    if (auto branch = dyn_cast<onnx::IfOp>(op))
      if (Operation *next = inlineBranch(branch)) {
        it = next->getIterator();
        continue;
      }
    if (failed(inferRegions(op)))
      return failure();
    if (auto inferable = dyn_cast<onnx::OnnxOpInterface>(op))
      if (failed(inferOp(inferable)))
        return failure();
    ++it;
    fold(op);
  }
  return success();
}

LogicalResult Inference::inferOp(onnx::OnnxOpInterface op) {
  SmallVector<Type> types(op->getResultTypes());
  if (failed(op.inferResultTypes(types)))
    return failure();
  // A body's sizes would be others in each round.
  if (op->hasTrait<onnx::SizedByData>() && depth == 0 && failed(nameSize(op, types)))
    return failure();
  for (auto [value, type] : llvm::zip_equal(op->getResults(), types))
    value.setType(type);
  return success();
}

static bool hasKnownSizes(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || tensor.hasStaticShape())
    return bool(tensor) || isa<NoneType>(type);
  auto dims = dyn_cast_if_present<onnx::DimsAttr>(tensor.getEncoding());
  return dims && llvm::all_of(llvm::zip_equal(tensor.getShape(), dims.getNames()), [](auto pair) {
           auto [size, name] = pair;
           return !ShapedType::isDynamic(size) || !name.empty();
         });
}

/// Names what the operands' shapes, of known sizes, leave open in `types`. What the model calls
/// it is no more than a remark: nothing ties it to another size of that name.
LogicalResult Inference::nameSize(onnx::OnnxOpInterface op, SmallVectorImpl<Type> &types) {
  if (!llvm::all_of(op->getOperandTypes(), hasKnownSizes))
    return success();
  SmallVector<Type> told; // by the operands
  for (Type type : types)
    told.push_back(isa<NoneType>(type) ? type : UnrankedTensorType::get(getElementTypeOrSelf(type)));
  if (failed(op.inferResultTypes(told)))
    return failure();
  auto name = op->getAttrOfType<StringAttr>(onnx::sizeAttrName);
  for (auto [type, known] : llvm::zip_equal(types, told)) {
    auto tensor = dyn_cast<RankedTensorType>(type), bare = dyn_cast<RankedTensorType>(known);
    if (!tensor || !bare || tensor.hasStaticShape())
      continue;
    auto has = dyn_cast_if_present<onnx::DimsAttr>(bare.getEncoding());
    SmallVector<StringAttr> names;
    for (auto [d, size] : llvm::enumerate(tensor.getShape())) {
      StringAttr given = has ? has.getNames()[d] : StringAttr::get(op->getContext());
      if (ShapedType::isDynamic(size) && given.empty()) {
        if (!name)
          name = newSizeName(op);
        given = name;
      }
      names.push_back(given);
    }
    type = RankedTensorType::get(tensor.getShape(), tensor.getElementType(),
                                 onnx::DimsAttr::get(op->getContext(), names));
  }
  if (name)
    op->setAttr(onnx::sizeAttrName, name);
  return success();
}

/// "nms_count": after the node, in letters, digits and underscores.
StringAttr Inference::newSizeName(Operation *op) {
  std::string stem;
  for (char c : plan::nodeName(op->getLoc()))
    stem += llvm::isAlnum(c) ? c : '_';
  if (stem.empty() || llvm::isDigit(stem.front()))
    stem = "node" + stem;
  stem += "_count";
  std::string name = stem;
  for (unsigned i = 2; !sizeNames.insert(name).second; ++i)
    name = stem + std::to_string(i);
  return StringAttr::get(op->getContext(), name);
}

/// Replaces an If whose condition is constant by the branch that it takes.
/// Returns the first op to go on with.
Operation *Inference::inlineBranch(onnx::IfOp op) {
  DenseElementsAttr condition;
  if (!matchPattern(op.getCond(), m_Constant(&condition)) || condition.getNumElements() != 1 ||
      !condition.getElementType().isInteger(1))
    return nullptr;
  Region &region =
      *condition.getValues<bool>().begin() ? op.getThenBranch() : op.getElseBranch();
  if (!region.hasOneBlock() || region.front().empty())
    return nullptr;
  auto yield = dyn_cast<onnx::YieldOp>(region.front().back());
  if (!yield || yield.getNumOperands() != op->getNumResults() ||
      region.getNumArguments() != 0)
    return nullptr;
  for (auto [value, by] : llvm::zip_equal(op->getResults(), yield.getValues())) {
    // What the model declares of the result holds for the branch taken.
    Type merged = onnx::mergeTypes(value.getType(), by.getType());
    if (!merged)
      return nullptr;
  }
  for (auto [value, by] : llvm::zip_equal(op->getResults(), yield.getValues())) {
    by.setType(onnx::mergeTypes(value.getType(), by.getType()));
    value.replaceAllUsesWith(by);
  }
  yield->erase();
  Block &block = region.front();
  Operation *next = block.empty() ? op->getNextNode() : &block.front();
  op->getBlock()->getOperations().splice(op->getIterator(), block.getOperations());
  op->erase();
  return next;
}

LogicalResult Inference::inferRegions(Operation *op) {
  if (op->getNumRegions() == 0)
    return success();
  if (auto branch = dyn_cast<onnx::IfOp>(op))
    return inferBranches(branch);
  onnx::BodyArguments first;
  if (failed(onnx::bodyArguments(op, first)))
    return failure();
  if (first.numCarried == 0 || depth >= maxSpeculativeDepth) {
    // Too deep to try: only what does not change between iterations is known.
    for (unsigned i = 0; i < first.numCarried; ++i)
      first.types[first.firstCarried + i] =
          op->getRegion(0).getArgument(first.firstCarried + i).getType();
    return inferBody(op, first.types);
  }
  FailureOr<SmallVector<Type>> arguments = widenArguments(op, first);
  if (failed(arguments))
    return failure();
  return inferBody(op, *arguments);
}

LogicalResult Inference::inferBody(Operation *op, ArrayRef<Type> arguments) {
  if (!arguments.empty())
    for (auto [argument, type] : llvm::zip_equal(op->getRegion(0).getArguments(), arguments))
      argument.setType(type);
  for (Region &region : op->getRegions())
    if (failed(inferRegion(region)))
      return failure();
  return success();
}

LogicalResult Inference::inferRegion(Region &region) {
  ++depth;
  LogicalResult result = success();
  for (Block &block : region)
    if (succeeded(result))
      result = inferBlock(block);
  --depth;
  return result;
}

LogicalResult Inference::inferBranches(onnx::IfOp op) {
  std::optional<std::pair<Location, std::string>> problem;
  Region *impossible = nullptr;
  for (Region *region : {&op.getThenBranch(), &op.getElseBranch()}) {
    ScopedDiagnosticHandler handler(op.getContext(), [&](Diagnostic &diagnostic) {
      bool isFirstError = diagnostic.getSeverity() == DiagnosticSeverity::Error && !problem;
      if (isFirstError)
        problem.emplace(diagnostic.getLocation(), diagnostic.str());
      return success(isFirstError);
    });
    if (succeeded(inferRegion(*region)))
      continue;
    if (impossible || !problem) {
      if (problem)
        emitError(problem->first) << problem->second;
      return failure();
    }
    impossible = region;
  }
  if (!impossible)
    return success();
  bool never = impossible == &op.getThenBranch();
  Region &other = never ? op.getElseBranch() : op.getThenBranch();
  emitWarning(problem->first) << problem->second << "; the branch of " << op->getName() << " '"
                              << plan::nodeName(op->getLoc())
                              << "' that it is in is left out, and a run that takes it fails";
  impossible->dropAllReferences();
  impossible->getBlocks().clear();
  IRMapping mapping;
  other.cloneInto(impossible, mapping);
  op->setAttr(onnx::neverAttrName, BoolAttr::get(op.getContext(), never));
  return success();
}

FailureOr<SmallVector<Type>> Inference::widenArguments(Operation *op,
                                                       const onnx::BodyArguments &first) {
  SmallVector<Type> arguments = first.types;
  auto declared = [&](unsigned i) { return op->getRegion(0).getArgument(i).getType(); };
  for (unsigned attempt = 0; attempt < maxAttempts; ++attempt) {
    Operation *trial = op->clone();
    op->getBlock()->getOperations().insert(op->getIterator(), trial);
    bool failedTrial, stable = true;
    {
      // An attempt that fails says only that its assumption does not hold.
      ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
      failedTrial = failed(inferBody(trial, arguments));
    }
    Region &body = trial->getRegion(0);
    if (!failedTrial && body.hasOneBlock() && isa<onnx::YieldOp>(body.front().back())) {
      Operation *yield = &body.front().back();
      for (unsigned i = 0; i < first.numCarried; ++i) {
        if (first.firstYield + i >= yield->getNumOperands())
          break;
        Type &argument = arguments[first.firstCarried + i];
        Type yielded = yield->getOperand(first.firstYield + i).getType();
        Type joined = onnx::joinTypes(argument, yielded);
        if (!joined) {
          trial->erase();
          return op->emitOpError() << "carries " << argument << " in, but its body yields "
                                   << yielded;
        }
        stable &= joined == argument;
        argument = joined;
      }
    }
    trial->erase();
    if (failedTrial)
      break;
    if (stable)
      return arguments;
  }
  for (unsigned i = 0; i < first.numCarried; ++i)
    arguments[first.firstCarried + i] = declared(first.firstCarried + i);
  return arguments;
}

/// Folds `op` and erases it once nothing uses it.
void Inference::fold(Operation *op) {
  if (op->getNumResults() == 0 || op->hasTrait<OpTrait::ConstantLike>() || !isMemoryEffectFree(op))
    return;
  SmallVector<Attribute> operands;
  for (Value operand : op->getOperands()) {
    Attribute value;
    matchPattern(operand, m_Constant(&value));
    operands.push_back(value);
  }
  SmallVector<OpFoldResult> folded;
  if (failed(op->fold(operands, folded)) || folded.size() != op->getNumResults())
    return;
  OpBuilder builder(op);
  SmallVector<Value> values;
  for (auto [result, by] : llvm::zip_equal(op->getResults(), folded)) {
    Value value = dyn_cast<Value>(by);
    if (auto attribute = dyn_cast<Attribute>(by)) {
      Operation *constant = op->getDialect()->materializeConstant(builder, attribute,
                                                                  result.getType(), op->getLoc());
      if (!constant)
        return;
      value = constant->getResult(0);
    }
    if (!value || value.getType() != result.getType())
      return;
    values.push_back(value);
  }
  op->replaceAllUsesWith(values);
  op->erase();
}

struct InferShapes : impl::InferShapesBase<InferShapes> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (failed(Inference().run(function)))
        return signalPassFailure();
  }
};

} // namespace
} // namespace burin
