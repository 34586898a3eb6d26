// SPDX-License-Identifier: Apache-2.0
//
// Each dispatch becomes a launch of a kernel function in the nested module
// @kernels, which the target then compiles by itself. Bodies are compared as
// printed, without locations: what prints equal is one kernel.

#include "compiler/group/Group.h"
#include "compiler/plan/Sizes.h"
#include "compiler/transforms/Passes.h"
#include "dialects/kern/KernOps.h"
#include "dialects/plan/PlanOps.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "compiler/transforms/Passes.h.inc"

namespace {

/// The first node name in a location, as a C identifier of at most 40 characters.
std::string symbolFor(Location loc) {
  std::string symbol;
  for (char c : plan::nodeName(loc)) {
    if (llvm::isAlnum(c))
      symbol += c;
    else if (!symbol.empty() && symbol.back() != '_')
      symbol += '_';
  }
  if (symbol.size() > 40)
    symbol = symbol.substr(symbol.size() - 40);
  while (!symbol.empty() && (symbol.front() == '_' || llvm::isDigit(symbol.front())))
    symbol.erase(symbol.begin());
  return symbol.empty() ? "node" : symbol;
}

/// `value`, from a dispatch of its own: views that lead to it are made again, too.
Value madeAgain(OpBuilder &builder, Value value) {
  Operation *def = value.getDefiningOp();
  if (!def || !(group::isView(def) || isa<plan::DispatchOp>(def)))
    return value;
  Value source = group::isView(def) ? madeAgain(builder, def->getOperand(0)) : Value();
  Operation *clone = builder.clone(*def);
  if (source)
    clone->setOperand(0, source);
  return clone->getResult(cast<OpResult>(value).getResultNumber());
}

/// Each result of @main is a place that a launch writes. Equal copies, which form-dispatches made
/// to that end, have become one since.
void unshareResults(func::FuncOp function) {
  if (function.isDeclaration())
    return;
  Operation *end = function.getBody().front().getTerminator();
  OpBuilder builder(end);
  DenseSet<Value> taken;
  for (OpOperand &operand : end->getOpOperands()) {
    if (plan::stateOfResult(function, operand.getOperandNumber()))
      continue; // in memory of its own
    if (!taken.insert(group::dataOf(operand.get())).second)
      operand.set(madeAgain(builder, operand.get()));
  }
}

/// Whether the kernel of a dispatch computes what neither is a result nor has a static size: where
/// bodies of loops and branches do, where rows are sorted or scattered, and where the largest is kept beside its place.
bool holdsMemory(plan::DispatchOp dispatch) {
  bool isDynamic = llvm::any_of(dispatch.getOperands(), [](Value value) {
    auto tensor = dyn_cast<RankedTensorType>(value.getType());
    return tensor ? !tensor.hasStaticShape() : true;
  });
  WalkResult walk = dispatch.walk([](Operation *op) {
    bool holds = isa<scf::SCFDialect>(op->getDialect()) || isa<kern::SortOp, kern::ScatterOp>(op) ||
                 (isa<linalg::LinalgOp>(op) && op->getNumResults() > 1);
    return holds ? WalkResult::interrupt() : WalkResult::advance();
  });
  return isDynamic && walk.wasInterrupted();
}

/// See plan::boundsAttrName, in the order of the kernel's arguments.
ArrayAttr boundsOf(plan::DispatchOp dispatch) {
  plan::ModelSizes sizes(dispatch->getParentOfType<func::FuncOp>());
  Builder builder(dispatch.getContext());
  constexpr int64_t none = int64_t(1) << 62;
  SmallVector<Attribute> all;
  auto take = [&](ArrayRef<AffineExpr> exprs) {
    SmallVector<int64_t> bounds;
    for (AffineExpr expr : exprs) {
      plan::Interval range = sizes.range(expr).value_or(plan::Interval{0, none});
      bounds.append({range.min, range.max});
    }
    all.push_back(builder.getDenseI64ArrayAttr(bounds));
  };
  for (Value tensor : llvm::concat<Value>(dispatch.getInputs(), dispatch.getInits()))
    take(sizes.of(tensor));
  for (Value index : dispatch.getDims())
    take(sizes.ofIndex(index));
  return builder.getArrayAttr(all);
}

struct OutlineKernels : impl::OutlineKernelsBase<OutlineKernels> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      unshareResults(function);
    llvm::StringMap<func::FuncOp> known;
    auto builder = OpBuilder::atBlockEnd(getOperation().getBody());
    kernels = ModuleOp::create(builder, getOperation().getLoc(), plan::kernelModuleName);
    SmallVector<plan::DispatchOp> dispatches;
    getOperation().walk([&](plan::DispatchOp dispatch) { dispatches.push_back(dispatch); });
    for (plan::DispatchOp dispatch : dispatches) {
      func::FuncOp kernel = outline(dispatch);
      std::string text;
      llvm::raw_string_ostream stream(text);
      kernel->print(stream, OpPrintingFlags().useLocalScope().enableDebugInfo(false));
      auto [it, inserted] = known.try_emplace(text, kernel);
      if (inserted)
        kernel.setName((symbolFor(dispatch.getLoc()) + "_k" + Twine(known.size() - 1)).str());
      ArrayAttr faults = faultsOf(it->second, kernel);
      if (inserted && faults)
        kernel->setAttr(plan::faultsAttrName, faults);
      else if (!inserted)
        kernel.erase();
      plan::LaunchOp launch = replace(dispatch, it->second);
      if (faults)
        launch->setAttr(plan::faultsAttrName, faults);
    }
  }

  /// @k(inputs, inits, dims) -> results.
  func::FuncOp outline(plan::DispatchOp dispatch) {
    OpBuilder builder = OpBuilder::atBlockEnd(kernels.getBody());
    SmallVector<Type> types(dispatch.getInputs().getTypes());
    llvm::append_range(types, dispatch.getInits().getTypes());
    llvm::append_range(types, dispatch.getDims().getTypes());
    auto kernel = func::FuncOp::create(builder, dispatch.getLoc(), "k",
                                       builder.getFunctionType(types, dispatch.getResultTypes()));
    kernel->setAttr("plan.kernel", builder.getUnitAttr());
    if (holdsMemory(dispatch))
      kernel->setAttr(plan::boundsAttrName, boundsOf(dispatch));
    Block *entry = kernel.addEntryBlock();
    builder.setInsertionPointToStart(entry);
    unsigned inputs = dispatch.getInputs().size(), dims = dispatch.getDims().size(),
             inits = dispatch.getInits().size();
    IRMapping mapping;
    for (auto [i, argument] : llvm::enumerate(dispatch.getBody().getArguments())) {
      unsigned position = i < inputs ? i : i < inputs + dims ? i + inits : i - dims;
      mapping.map(argument, entry->getArgument(position));
    }
    for (Operation &op : dispatch.getBody().front().without_terminator())
      builder.clone(op, mapping);
    Operation *end = dispatch.getBody().front().getTerminator();
    func::ReturnOp::create(builder, end->getLoc(),
                           llvm::map_to_vector(end->getOperands(), [&](Value value) {
                             return mapping.lookup(value);
                           }));
    return kernel;
  }

  /// The nodes of what may report a fault of the data, in order.
  static SmallVector<StringAttr> reporters(func::FuncOp kernel) {
    SmallVector<StringAttr> nodes;
    kernel.walk([&](Operation *op) {
      if (isa<plan::CheckOp, kern::ScatterOp>(op))
        nodes.push_back(StringAttr::get(op->getContext(), plan::nodeName(op->getLoc())));
    });
    return nodes;
  }

  /// The nodes of `other` where `kernel`, which is equal, tells its nodes' faults apart; null where
  /// all would be those that the launch is named after.
  static ArrayAttr faultsOf(func::FuncOp kernel, func::FuncOp other) {
    SmallVector<StringAttr> told = reporters(kernel), nodes = reporters(other);
    llvm::SmallSetVector<StringAttr, 4> seen;
    SmallVector<Attribute> faults;
    for (auto [name, node] : llvm::zip_equal(told, nodes))
      if (seen.insert(name))
        faults.push_back(node);
    bool isNamedSo = seen.size() == 1 && seen.front() == plan::nodeName(kernel.getLoc());
    return faults.empty() || isNamedSo ? ArrayAttr() : ArrayAttr::get(kernel.getContext(), faults);
  }

  plan::LaunchOp replace(plan::DispatchOp dispatch, func::FuncOp kernel) {
    OpBuilder builder(dispatch);
    SmallVector<Value> sizes, states;
    for (Value init : dispatch.getInits()) {
      if (!init.getDefiningOp<tensor::EmptyOp>())
        states.push_back(init);
      for (OpFoldResult size : tensor::getMixedSizes(builder, init.getLoc(), init))
        if (auto dynamic = dyn_cast<Value>(size))
          sizes.push_back(dynamic);
    }
    auto launch = plan::LaunchOp::create(builder, dispatch.getLoc(), dispatch.getResultTypes(),
                                         kernel.getSymNameAttr().getValue(), dispatch.getInputs(),
                                         states, dispatch.getDims(), sizes, ArrayAttr(), AffineMapAttr());
    dispatch.replaceAllUsesWith(launch.getResults());
    // Two results may name one destination.
    llvm::SmallSetVector<Operation *, 4> definitions;
    for (Value init : dispatch.getInits())
      if (auto definition = init.getDefiningOp<tensor::EmptyOp>())
        definitions.insert(definition);
    dispatch.erase();
    for (Operation *definition : definitions)
      if (definition->use_empty())
        definition->erase();
    return launch;
  }

  ModuleOp kernels;
};

} // namespace
} // namespace burin
