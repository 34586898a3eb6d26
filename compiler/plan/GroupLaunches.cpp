// SPDX-License-Identifier: Apache-2.0
//
// Between two launches all workers wait for the slowest. What does not depend on one another needs no such moment: its
// launches are a group, whose tasks are shared as if they were one launch's. That pays where launches are short, or of few
// tasks that are no even parts; one of a millisecond has tasks enough, and its results stay in caches for what comes next.
//
// A launch takes up later ones that could run now. Each is tried on the program with it, and stays where it was if more
// would be alive.

#include "compiler/group/Group.h"
#include "compiler/plan/Buffers.h"
#include "compiler/plan/Work.h"
#include "compiler/transforms/Passes.h"
#include "burin/abi.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_GROUPLAUNCHES
#include "compiler/transforms/Passes.h.inc"

namespace {

/// What moves up passes so many launches at most, and so many seconds of them: its results wait for their readers meanwhile.
constexpr unsigned mostPassed = 24;
constexpr double mostPassedSeconds = 2e-3;

/// What grouping asks about a kernel.
struct KernelTraits {
  bool checks = false; // its data
  bool loops = false;  // and so is one task
};

class Program {
public:
  Program(func::FuncOp main, ModuleOp kernels, double longest)
      : main(main), kernels(kernels), longest(longest), sizes(main), finder(kernels), work(main, kernels) {
    // Each attempt looks at all launches: a fraction of a second together.
    size_t count = llvm::range_size(launches());
    attempts = 400'000 / (count + 1);
  }

  /// About the time of a run; more than any where it is not known.
  double look() {
    double sum = 0;
    uint64_t activations = most().value_or(0), weights = 0;
    for (plan::LaunchOp launch : launches())
      weights += work.of(launch).weightBytes;
    for (plan::LaunchOp launch : launches()) {
      Work all = work.of(launch);
      seconds[launch] = estimatedSeconds(all, weights, activations);
      sum += all.isAtLeast ? 1e9 : seconds[launch];
    }
    return sum;
  }

  /// What is alive at most; nothing where the program cannot be planned.
  std::optional<uint64_t> most() {
    FailureOr<std::vector<Buffer>> found = finder.find(main, sizes);
    if (failed(found))
      return std::nullopt;
    buffers = std::move(*found);
    std::vector<uint64_t> live = liveBytes(buffers);
    return live.empty() ? 0 : *llvm::max_element(live);
  }

  /// What a plan takes.
  uint64_t arenaBytes() { return most() ? placeBuffers(buffers) : 0; }

  /// Makes groups of launches that take `alone` seconds together at least.
  void group(double alone) {
    std::optional<uint64_t> before = most();
    if (!before)
      return;
    for (plan::LaunchOp first : llvm::to_vector(launches())) {
      if (first->hasAttr(plan::groupAttrName) || !canShare(first))
        continue;
      SmallVector<plan::LaunchOp> members{first};
      double sum = seconds[first], passed = 0;
      unsigned passes = 0;
      Operation *next = first->getNextNode();
      while (next && passes < mostPassed && passed < mostPassedSeconds &&
             members.size() < BURIN_GROUP_LAUNCHES && attempts > 0) {
        auto launch = dyn_cast<plan::LaunchOp>(next);
        next = next->getNextNode();
        if (!launch)
          continue;
        if (take(launch, members, *before)) {
          sum += seconds[launch];
        } else {
          ++passes;
          passed += seconds[launch];
        }
      }
      if (members.size() > 1 && sum >= alone)
        ++groups;
      else
        undo(first);
      moved.clear();
    }
  }

  bool hasGroups() const { return groups > 0; }

  /// All ops in their order, each with its group.
  using Order = SmallVector<std::pair<Operation *, Attribute>>;
  Order order() {
    Order all;
    for (Operation &op : main.getBody().front().without_terminator())
      all.push_back({&op, op.getAttr(plan::groupAttrName)});
    return all;
  }
  void restore(const Order &order) {
    for (auto [op, group] : order) {
      op->moveBefore(main.getBody().front().getTerminator());
      if (group)
        op->setAttr(plan::groupAttrName, group);
      else
        op->removeAttr(plan::groupAttrName);
    }
  }

private:
  llvm::iterator_range<Block::op_iterator<plan::LaunchOp>> launches() {
    return main.getBody().front().getOps<plan::LaunchOp>();
  }

  /// Whether it gains by a group, and its errors have no place to be told from others'.
  bool canShare(plan::LaunchOp launch) {
    auto [known, isNew] = traits.try_emplace(launch.getKernelAttr().getAttr());
    if (isNew) {
      auto kernel = kernels.lookupSymbol<func::FuncOp>(launch.getKernel());
      known->second.checks = !kernel || kernel.isDeclaration();
      if (kernel)
        kernel.walk([&, traits = &known->second](Operation *op) {
          traits->checks |= isa<plan::CheckOp>(op);
          traits->loops |= isa<scf::ForOp, scf::WhileOp>(op);
        });
    }
    return !known->second.checks && !launch->hasAttr(plan::faultsAttrName) &&
           (known->second.loops || seconds[launch] < longest);
  }

  /// Moves `launch` behind the last of `members`, with the views and sizes that it takes, if these can be there and no
  /// more is alive then.
  bool take(plan::LaunchOp launch, SmallVector<plan::LaunchOp> &members, uint64_t before) {
    if (launch->hasAttr(plan::groupAttrName) || !canShare(launch))
      return false;
    llvm::SetVector<Operation *> with;
    if (!collect(launch, members.front(), with))
      return false;
    --attempts;
    size_t movedBefore = moved.size();
    Operation *place = members.back();
    for (Operation *op : with) {
      if (op->isBeforeInBlock(members.back()) && op != launch)
        continue; // is there already
      moved.push_back({op, op->getNextNode()});
      op->moveAfter(place);
      place = op;
    }
    Builder builder(main.getContext());
    for (plan::LaunchOp member : {members.front(), launch})
      member->setAttr(plan::groupAttrName, builder.getI64IntegerAttr(groups));
    if (std::optional<uint64_t> now = most(); now && *now <= before) {
      members.push_back(launch);
      return true;
    }
    undo(members.size() == 1 ? members.front() : launch, movedBefore);
    return false;
  }

  /// `op` and what it needs of what is made behind `first`, in the order of need; false where that is a launch's.
  bool collect(Operation *op, Operation *first, llvm::SetVector<Operation *> &with) {
    for (Value operand : op->getOperands()) {
      Operation *def = operand.getDefiningOp();
      if (!def || with.contains(def) || def->isBeforeInBlock(first))
        continue;
      if (isa<plan::LaunchOp, plan::MeasureOp>(def) || !collect(def, first, with))
        return false;
    }
    with.insert(op);
    return true;
  }

  /// Puts back what has moved since, and takes it out of its group, as well as `first`.
  void undo(Operation *first, size_t from = 0) {
    first->removeAttr(plan::groupAttrName);
    while (moved.size() > from) {
      auto [op, next] = moved.pop_back_val();
      op->moveBefore(next);
      op->removeAttr(plan::groupAttrName);
    }
  }

  func::FuncOp main;
  ModuleOp kernels;
  double longest;
  plan::ModelSizes sizes;
  BufferFinder finder;
  LaunchWork work;
  std::vector<Buffer> buffers;
  DenseMap<Operation *, double> seconds;
  DenseMap<StringAttr, KernelTraits> traits;
  SmallVector<std::pair<Operation *, Operation *>> moved; // of the group at work, and what each stood before
  size_t attempts;
  int64_t groups = 0;
};

struct GroupLaunches : impl::GroupLaunchesBase<GroupLaunches> {
  using GroupLaunchesBase::GroupLaunchesBase;

  void runOnOperation() override {
    auto kernels = getOperation().lookupSymbol<ModuleOp>(plan::kernelModuleName);
    if (!kernels)
      return;
    for (auto main : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (!main.isDeclaration())
        group(main, kernels);
  }

  void group(func::FuncOp main, ModuleOp kernels) {
    Program program(main, kernels, launchUs * 1e-6);
    if (program.look() < runUs * 1e-6)
      return;
    Program::Order before = program.order();
    program.group(aloneUs * 1e-6);
    // What is alive may find places that take more.
    uint64_t bytes = program.hasGroups() ? program.arenaBytes() : 0;
    if (bytes <= program.most())
      return;
    Program::Order after = program.order();
    program.restore(before);
    if (bytes <= program.arenaBytes())
      program.restore(after);
  }
};

} // namespace
} // namespace burin
