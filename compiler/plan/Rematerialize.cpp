// SPDX-License-Identifier: Apache-2.0
//
// Memory for time: at the launch where most is alive, what a cheap kernel computed and later launches alone read is
// dropped, and made again in front of the first of them. One choice at a time, measured on the program with it, kept
// where the fullest moment holds less, or there are fewer such moments.

#include "compiler/plan/Rematerialize.h"

#include "compiler/group/Group.h"
#include "compiler/plan/Buffers.h"
#include "compiler/plan/Work.h"
#include "compiler/transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_REMATERIALIZE
#include "compiler/transforms/Passes.h.inc"

namespace {

/// Elementwise ops, copies and reads by indices; nothing that sums up, sorts or loops.
bool computesElements(func::FuncOp kernel) {
  if (!kernel || kernel.isDeclaration())
    return false;
  return llvm::all_of(kernel.getBody().front().without_terminator(), [](Operation &op) {
    if (auto loops = dyn_cast<linalg::LinalgOp>(op))
      return loops.getNumReductionLoops() == 0;
    return group::isCheap(&op) || group::isView(&op) || isa<tensor::TensorDialect>(op.getDialect());
  });
}

/// A main program as it is at the moment.
class Program {
public:
  Program(func::FuncOp main, ModuleOp kernels)
      : main(main), kernels(kernels), sizes(main), finder(kernels), work(main, kernels) {}

  /// Looks at the program again after a change.
  LogicalResult look() {
    FailureOr<std::vector<Buffer>> found = finder.find(main, sizes);
    if (failed(found))
      return failure();
    buffers = std::move(*found);
    live = liveBytes(buffers);
    fullest = unsigned(llvm::max_element(live) - live.begin());
    lastRead = lastReads(main);
    launches.assign(main.getBody().front().getOps<plan::LaunchOp>().begin(),
                    main.getBody().front().getOps<plan::LaunchOp>().end());
    times = timesOf(stepsOf(main));
    inArena.clear();
    for (const Buffer &buffer : buffers)
      inArena.insert_range(buffer.values);
    return success();
  }

  uint64_t most() const { return live[fullest]; }
  /// The most that is alive, and how often.
  std::pair<uint64_t, size_t> fullness() const { return {most(), llvm::count(live, most())}; }

  /// What is not kept over the fullest moment, and how it is made again.
  struct Choice {
    Value data;
    SmallVector<plan::LaunchOp> again; // in order; the last makes `data`
    uint64_t saved = 0;
    double seconds = 0;
  };

  /// All there are, the one that saves most for its time first.
  SmallVector<Choice> choices() {
    SmallVector<Choice> found;
    for (const Buffer &buffer : buffers) {
      if (buffer.begin > fullest || buffer.end < fullest)
        continue;
      for (bool withOperands : {false, true})
        if (std::optional<Choice> choice = choose(buffer, withOperands))
          if (found.empty() || found.back().again != choice->again)
            found.push_back(std::move(*choice));
    }
    llvm::stable_sort(found, [](const Choice &a, const Choice &b) {
      return double(a.saved) * b.seconds > double(b.saved) * a.seconds;
    });
    return found;
  }

  /// Makes the program of a choice. `undo` makes the one before again.
  void apply(const Choice &choice) {
    OpBuilder builder(main.getContext());
    SmallVector<OpOperand *> readers;
    plan::LaunchOp first;
    for (plan::LaunchOp launch : ArrayRef(launches).drop_front(fullest + 1))
      for (OpOperand &operand : launch->getOpOperands().take_front(launch.getInputs().size()))
        if (group::dataOf(operand.get()) == choice.data) {
          first = first ? first : launch;
          readers.push_back(&operand);
        }
    builder.setInsertionPoint(first);
    DenseMap<Value, Value> made;
    for (plan::LaunchOp launch : choice.again) {
      auto clone = cast<plan::LaunchOp>(builder.clone(*launch));
      added.push_back(clone);
      for (OpOperand &operand : clone->getOpOperands().take_front(clone.getInputs().size())) {
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPoint(clone);
        operand.set(madeFrom(builder, operand.get(), made));
      }
      bool isLast = launch == choice.again.back();
      clone->setAttr(plan::againAttrName, builder.getI64IntegerAttr(isLast ? int64_t(choice.saved) : 0));
      made[launch->getResult(0)] = clone->getResult(0);
    }
    for (OpOperand *reader : readers) {
      builder.setInsertionPoint(reader->getOwner());
      changed.push_back({reader, reader->get()});
      reader->set(madeFrom(builder, reader->get(), made));
    }
  }

  void undo() {
    for (auto [operand, before] : llvm::reverse(changed))
      operand->set(before);
    for (Operation *op : llvm::reverse(added))
      op->erase();
    keep();
  }

  void keep() {
    changed.clear();
    added.clear();
  }

  /// Whether a plan of the buffers takes at most `bytes`.
  bool fits(uint64_t bytes) { return most() <= bytes && placeBuffers(buffers) <= bytes; }

  size_t launchCount() const { return launches.size(); }

private:
  std::optional<Choice> choose(const Buffer &buffer, bool withOperands) {
    Choice choice;
    for (Value value : buffer.values) // the last one that is there by then
      if (times.at(value.getDefiningOp()) <= fullest)
        choice.data = value;
    std::optional<unsigned> at = firstReader(choice.data);
    uint64_t kept = 0;
    llvm::SetVector<Operation *> again;
    if (!at || !makeAgain(choice.data, *at, withOperands, again, kept) || kept >= buffer.aligned())
      return std::nullopt;
    choice.saved = buffer.aligned() - kept;
    for (Operation *op : again) {
      choice.again.push_back(cast<plan::LaunchOp>(op));
      choice.seconds += estimatedSeconds(work.of(choice.again.back()), 0, most());
    }
    return choice;
  }

  /// The time of the first launch behind the fullest moment that reads `data`; nothing where it is made or read
  /// at that moment, or read by what is no launch.
  std::optional<unsigned> firstReader(Value data) {
    if (times.at(data.getDefiningOp()) == fullest)
      return std::nullopt;
    std::optional<unsigned> first;
    SmallVector<Value> views{data};
    while (!views.empty()) {
      for (Operation *user : views.pop_back_val().getUsers()) {
        if (group::isView(user)) {
          views.push_back(user->getResult(0));
        } else if (auto known = times.find(user); known == times.end() || known->second == fullest) {
          return std::nullopt;
        } else if (known->second > fullest) {
          first = std::min(first.value_or(known->second), known->second);
        }
      }
    }
    return first;
  }

  /// Whether `data` can be made again at a time, by launches that go to `again`. Of their operands those that are
  /// dead by then are made again, too, if `withOperands`; else, or where they cannot be, they are kept, and `kept` grows by
  /// what this adds to the fullest moment.
  bool makeAgain(Value data, unsigned at, bool withOperands, llvm::SetVector<Operation *> &again,
                 uint64_t &kept) {
    constexpr size_t mostLaunches = 8;
    auto launch = data.getDefiningOp<plan::LaunchOp>();
    if (!launch || launch.getNumResults() != 1 || !launch.getStates().empty() ||
        launch->hasAttr(plan::withinAttrName) || again.size() >= mostLaunches)
      return false;
    auto [known, isNew] = isCheap.try_emplace(launch.getKernelAttr().getAttr());
    if (isNew)
      known->second = computesElements(kernels.lookupSymbol<func::FuncOp>(launch.getKernel()));
    if (!known->second)
      return false;
    for (Value input : launch.getInputs()) {
      Value operand = group::dataOf(input);
      if (!inArena.count(operand) || lastRead.lookup(operand) >= at)
        continue;
      llvm::SetVector<Operation *> with(again);
      uint64_t keptWith = kept;
      if (withOperands && makeAgain(operand, at, withOperands, with, keptWith)) {
        again = std::move(with);
        kept = keptWith;
      } else if (lastRead.lookup(operand) < fullest) {
        kept += llvm::alignTo(sizes.maxBytes(operand).value_or(0), Buffer::alignment);
      }
    }
    again.insert(launch);
    return true;
  }

  /// `value` with what is `made` anew in place of the old: views of that are made again.
  Value madeFrom(OpBuilder &builder, Value value, const DenseMap<Value, Value> &made) {
    if (auto known = made.find(value); known != made.end())
      return known->second;
    Operation *def = value.getDefiningOp();
    if (!def || !group::isView(def))
      return value;
    Value source = madeFrom(builder, def->getOperand(0), made);
    if (source == def->getOperand(0))
      return value;
    Operation *view = builder.clone(*def);
    view->setOperand(0, source);
    added.push_back(view);
    return view->getResult(0);
  }

  func::FuncOp main;
  ModuleOp kernels;
  plan::ModelSizes sizes;
  BufferFinder finder;
  LaunchWork work;
  std::vector<Buffer> buffers;
  std::vector<uint64_t> live;
  unsigned fullest = 0; // the first launch at which most is alive
  SmallVector<plan::LaunchOp> launches;
  DenseMap<Operation *, unsigned> times;
  DenseMap<Value, unsigned> lastRead;
  llvm::DenseSet<Value> inArena;
  DenseMap<StringAttr, bool> isCheap; // by kernel
  SmallVector<std::pair<OpOperand *, Value>> changed;
  SmallVector<Operation *> added;
};

struct Rematerialize : impl::RematerializeBase<Rematerialize> {
  using RematerializeBase::RematerializeBase;

  void runOnOperation() override {
    auto kernels = getOperation().lookupSymbol<ModuleOp>(plan::kernelModuleName);
    for (auto main : getOperation().getOps<func::FuncOp>())
      if (kernels && !main.isDeclaration() && failed(shrink(main, kernels)))
        return signalPassFailure();
  }

  LogicalResult shrink(func::FuncOp main, ModuleOp kernels) {
    Program program(main, kernels);
    if (failed(program.look()))
      return failure();
    // Each attempt looks at all launches: seconds at most.
    uint64_t attempts = 20'000'000 / std::max<uint64_t>(program.launchCount(), 1);
    while (!program.fits(maxBytes)) {
      FailureOr<bool> took = step(program, attempts);
      if (failed(took) || !*took)
        return took;
    }
    return success();
  }

  /// Takes the best choice that helps; false where none does.
  FailureOr<bool> step(Program &program, uint64_t &attempts) {
    std::pair<uint64_t, size_t> before = program.fullness();
    for (const Program::Choice &choice : program.choices()) {
      if (attempts-- == 0)
        return false;
      program.apply(choice);
      if (failed(program.look()))
        return failure();
      if (program.fullness() < before) {
        choice.data.getDefiningOp()->emitRemark()
            << "is computed again where it is read late: " << choice.saved << " bytes less of " << before.first;
        program.keep();
        return true;
      }
      program.undo();
      if (failed(program.look()))
        return failure();
    }
    return false;
  }
};

} // namespace
} // namespace burin
