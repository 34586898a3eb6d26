// SPDX-License-Identifier: Apache-2.0
#include "compiler/plan/Buffers.h"

#include "compiler/group/Group.h"
#include "compiler/plan/InPlace.h"

#include <numeric>

using namespace mlir;

namespace burin {

llvm::DenseSet<Value> writtenOutside(func::FuncOp main) {
  llvm::DenseSet<Value> outside;
  for (auto [i, value] : llvm::enumerate(main.getBody().front().getTerminator()->getOperands())) {
    std::optional<unsigned> state = plan::stateOfResult(main, unsigned(i));
    if (!state || plan::stateOf(main, *state).grows())
      outside.insert(group::dataOf(value));
  }
  return outside;
}

SmallVector<SmallVector<plan::LaunchOp, 1>> stepsOf(func::FuncOp main) {
  SmallVector<SmallVector<plan::LaunchOp, 1>> steps;
  Attribute group;
  for (auto launch : main.getBody().front().getOps<plan::LaunchOp>()) {
    Attribute own = launch->getAttr(plan::groupAttrName);
    if (!own || own != group)
      steps.emplace_back();
    steps.back().push_back(launch);
    group = own;
  }
  return steps;
}

DenseMap<Operation *, unsigned> timesOf(ArrayRef<SmallVector<plan::LaunchOp, 1>> steps) {
  DenseMap<Operation *, unsigned> times;
  for (auto [time, step] : llvm::enumerate(steps))
    for (plan::LaunchOp launch : step)
      times[launch] = unsigned(time);
  return times;
}

static DenseMap<Value, unsigned> lastReads(func::FuncOp main, const DenseMap<Operation *, unsigned> &times) {
  DenseMap<Value, unsigned> last;
  Block &body = main.getBody().front();
  unsigned next = 0;
  for (Operation &op : body) {
    if (auto launch = dyn_cast<plan::LaunchOp>(op)) {
      unsigned time = times.at(launch);
      next = time + 1;
      for (Value input : launch.getInputs()) {
        Value data = group::dataOf(input);
        last[data] = time;
        // Who reads a part reads what that lies in.
        while (auto part = data.getDefiningOp<plan::PartOp>())
          last[data = part.getWhole()] = time;
      }
    } else if (auto measure = dyn_cast<plan::MeasureOp>(op)) {
      last[group::dataOf(measure.getCount())] = next; // before the next launch writes
    }
  }
  for (auto [i, value] : llvm::enumerate(body.getTerminator()->getOperands()))
    if (plan::stateOfResult(main, unsigned(i)))
      last[group::dataOf(value)] = next; // read once all have run
  return last;
}

DenseMap<Value, unsigned> lastReads(func::FuncOp main) { return lastReads(main, timesOf(stepsOf(main))); }

FailureOr<std::vector<Buffer>> BufferFinder::find(func::FuncOp main, plan::ModelSizes &sizes) {
  llvm::DenseSet<Value> outside = writtenOutside(main);
  SmallVector<SmallVector<plan::LaunchOp, 1>> steps = stepsOf(main);
  DenseMap<Operation *, unsigned> times = timesOf(steps);
  DenseMap<Value, unsigned> lastUse = lastReads(main, times), index;
  std::vector<Buffer> buffers;
  DenseMap<Value, unsigned> joinedAt; // by plan.join
  for (Operation &op : main.getBody().front()) {
    if (isa<plan::JoinOp, plan::PartOp>(op)) { // what lies in another's memory is alive there
      Value data = op.getResult(0), owner = plan::withinOf(data).owner;
      auto at = joinedAt.find(owner);
      if (at == joinedAt.end())
        at = index.find(owner);
      Buffer &buffer = buffers[at->second];
      buffer.end = std::max(buffer.end, lastUse.lookup(data));
      continue;
    }
    auto launch = dyn_cast<plan::LaunchOp>(op);
    if (!launch)
      continue;
    unsigned time = times.at(launch);
    for (Value result : launch.getResults().take_back(launch.getStates().size()))
      if (!outside.count(result)) {
        launch.emitOpError("writes to a state that does not grow, which is replaced when all have run");
        return failure();
      }
    for (Value result : launch.getResults()) {
      if (outside.count(result))
        continue; // the caller's memory
      std::optional<uint64_t> bytes = sizes.maxBytes(result);
      if (!bytes) {
        plan::emitTooLarge(launch.getLoc())
            << "a result of type " << result.getType() << " has no bound this machine could hold";
        return failure();
      }
      unsigned end = std::max(time, lastUse.lookup(result));
      if (Value owner = plan::withinOf(result).owner; owner != result) {
        auto [at, isNew] = joinedAt.try_emplace(owner, buffers.size());
        if (isNew)
          buffers.push_back({{}, owner, *sizes.maxBytes(owner), time, end});
        buffers[at->second].values.push_back(result);
        buffers[at->second].end = std::max(buffers[at->second].end, end);
        continue;
      }
      if (Value input = replacedInput(launch, steps[time], time, lastUse, index)) {
        unsigned at = index.at(input);
        index[result] = at;
        buffers[at].values.push_back(result);
        buffers[at].end = end;
        continue;
      }
      index[result] = buffers.size();
      buffers.push_back({{result}, Value(), *bytes, time, end});
    }
  }
  return buffers;
}

/// The data in the arena that `launch`, alone of its step, is the last to read and may overwrite by its result.
Value BufferFinder::replacedInput(plan::LaunchOp launch, ArrayRef<plan::LaunchOp> step, unsigned time,
                                  const DenseMap<Value, unsigned> &lastUse,
                                  const DenseMap<Value, unsigned> &index) {
  auto [known, inserted] = inPlace.try_emplace(launch.getKernelAttr().getAttr());
  if (inserted)
    if (auto kernel = kernels.lookupSymbol<func::FuncOp>(launch.getKernel()))
      known->second = inPlaceInputs(kernel);
  for (unsigned i : known->second) {
    Value data = group::dataOf(launch.getInputs()[i]);
    if (!index.count(data) || lastUse.lookup(data) != time)
      continue;
    int64_t reads = 0;
    for (plan::LaunchOp other : step)
      reads += llvm::count_if(other.getInputs(),
                              [&](Value input) { return plan::withinOf(group::dataOf(input)).owner == data; });
    if (reads == 1)
      return data;
  }
  return nullptr;
}

std::vector<uint64_t> liveBytes(ArrayRef<Buffer> buffers) {
  unsigned end = 0;
  for (const Buffer &buffer : buffers)
    end = std::max(end, buffer.end);
  std::vector<uint64_t> live(end + 1);
  for (const Buffer &buffer : buffers)
    for (unsigned t = buffer.begin; t <= buffer.end; ++t)
      live[t] += buffer.aligned();
  return live;
}

//===- Places ---------------------------------------------------------------===//

namespace {

/// Gives the buffers places one after the other in `order`: of the gaps that what lies there already and is alive
/// at the same time leaves, the lowest, or the smallest. Returns the bytes that all take, or any larger number as soon
/// as they take `enough`.
uint64_t placeInOrder(MutableArrayRef<Buffer> buffers, ArrayRef<unsigned> order, bool smallestGap,
                      uint64_t enough) {
  std::vector<Buffer *> placed; // sorted by offset
  uint64_t bytes = 0;
  for (unsigned at : order) {
    Buffer *buffer = &buffers[at];
    uint64_t end = 0, offset = 0, smallest = UINT64_MAX; // of what is passed, of a gap
    for (Buffer *other : placed) {
      if (!buffer->meets(*other))
        continue;
      if (end + buffer->aligned() <= other->offset && other->offset - end < smallest) {
        smallest = other->offset - end;
        offset = end;
        if (!smallestGap)
          break;
      }
      end = std::max(end, other->offset + other->aligned());
    }
    buffer->offset = smallest == UINT64_MAX ? end : offset;
    bytes = std::max(bytes, buffer->offset + buffer->aligned());
    if (bytes >= enough)
      return bytes;
    placed.insert(llvm::upper_bound(placed, buffer,
                                    [](Buffer *a, Buffer *b) { return a->offset < b->offset; }),
                  buffer);
  }
  return bytes;
}

/// The best plan so far.
class Search {
public:
  explicit Search(MutableArrayRef<Buffer> buffers) : buffers(buffers) {
    std::vector<uint64_t> live = liveBytes(buffers);
    least = *llvm::max_element(live);
  }

  bool isDone() const { return bytes <= least; }

  /// Whether `order` makes a plan that is better than all before.
  bool attempt(ArrayRef<unsigned> order, bool smallestGap) {
    uint64_t takes = placeInOrder(buffers, order, smallestGap, bytes);
    if (takes >= bytes)
      return false;
    bytes = takes;
    best.assign(order.begin(), order.end());
    usesSmallestGap = smallestGap;
    return true;
  }

  /// The order in which buffers with more of `key` come first.
  void attemptBy(llvm::function_ref<double(const Buffer &)> key) {
    std::vector<unsigned> order(buffers.size());
    std::iota(order.begin(), order.end(), 0u);
    llvm::stable_sort(order, [&](unsigned a, unsigned b) {
      return key(buffers[a]) > key(buffers[b]);
    });
    for (bool smallestGap : {false, true})
      if (!isDone())
        attempt(order, smallestGap);
  }

  /// Lets what reaches to the top come earlier, or other two change places, as long as that helps now and then.
  void improve() {
    // A plan looks at each pair of buffers: some hundred million pairs at most, a fraction of a second.
    uint64_t pairs = uint64_t(buffers.size()) * buffers.size();
    uint64_t attempts = std::min<uint64_t>(2000, 100'000'000 / std::max<uint64_t>(pairs, 1));
    uint64_t random = 0x9e3779b97f4a7c15; // the same numbers each time
    auto below = [&](uint64_t count) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      return random % count;
    };
    for (uint64_t i = 0; i < attempts && !isDone(); ++i) {
      std::vector<unsigned> order = best;
      size_t from = below(order.size());
      if (i % 2 == 0) {
        place();
        for (size_t k = 0; k < order.size(); ++k)
          if (buffers[order[k]].offset + buffers[order[k]].aligned() == bytes)
            from = k;
      }
      size_t to = below(from + 1);
      std::rotate(order.begin() + to, order.begin() + from, order.begin() + from + 1);
      attempt(order, usesSmallestGap);
    }
  }

  uint64_t place() { return placeInOrder(buffers, best, usesSmallestGap, UINT64_MAX); }

private:
  MutableArrayRef<Buffer> buffers;
  uint64_t least, bytes = UINT64_MAX;
  std::vector<unsigned> best; // order
  bool usesSmallestGap = false;
};

} // namespace

uint64_t placeBuffers(MutableArrayRef<Buffer> buffers) {
  if (buffers.empty())
    return 0;
  Search search(buffers);
  auto life = [](const Buffer &buffer) { return double(buffer.end - buffer.begin + 1); };
  search.attemptBy([](const Buffer &buffer) { return double(buffer.bytes); });
  search.attemptBy([&](const Buffer &buffer) { return double(buffer.bytes) * life(buffer); });
  search.attemptBy(life);
  search.attemptBy([](const Buffer &buffer) { return -double(buffer.begin); });
  search.attemptBy([](const Buffer &buffer) { return double(buffer.end); });
  if (!search.isDone())
    search.improve();
  return search.place();
}

} // namespace burin
