// SPDX-License-Identifier: Apache-2.0
//
// The static memory plan. A buffer is a launch's result with all its views, and the results
// that later launches write in its place; it lives from that launch to its last reader. Offsets are assigned to the largest
// buffer first, each at the lowest place that no buffer alive at the same time
// occupies.

#include "burin/abi.h"
#include "compiler/group/Group.h"
#include "compiler/plan/InPlace.h"
#include "compiler/plan/Sizes.h"
#include "compiler/transforms/Passes.h"
#include "dialects/plan/PlanOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_PLANMEMORY
#include "compiler/transforms/Passes.h.inc"

namespace {

constexpr uint64_t alignment = 64; // a cache line, and the widest vector

struct Buffer {
  SmallVector<Value> values; // one after the other in the same memory
  uint64_t bytes;       // dense size, at its bound
  unsigned begin, end;  // first and last launch that touch it, inclusive
  uint64_t offset = 0;

  uint64_t aligned() const { return llvm::alignTo(bytes, alignment); }
  bool meets(const Buffer &other) const { return begin <= other.end && other.begin <= end; }
};

/// Where constants lie among the weights, which all main programs share.
struct WeightOffsets {
  DenseMap<Attribute, uint64_t> offsets;
  uint64_t bytes = 0;
  uint64_t shardBytes;
  SmallVector<int64_t> shards{0}; // where each begins

  /// The place of a new constant of `size` bytes.
  uint64_t append(uint64_t size) {
    if (bytes > uint64_t(shards.back()) && bytes + size - uint64_t(shards.back()) > shardBytes) {
      bytes = llvm::alignTo(bytes, BURIN_SHARD_ALIGNMENT);
      shards.push_back(int64_t(bytes));
    }
    uint64_t at = bytes;
    bytes = llvm::alignTo(bytes + size, alignment);
    return at;
  }
};

class Planner {
public:
  Planner(func::FuncOp func, ModuleOp kernels, WeightOffsets &weights)
      : func(func), kernels(kernels), weights(weights), sizes(func), builder(func.getContext()) {}

  LogicalResult run() {
    Block &body = func.getBody().front();
    if (failed(placeArguments(body)) || failed(placeResults(body)) || failed(placeWeights(body)) ||
        failed(collect(body)))
      return failure();
    assign();
    for (Buffer &buffer : buffers)
      for (Value value : buffer.values)
        if (failed(place(value, plan::Storage::Arena, buffer.offset)))
          return failure();
    noteCommits(body);
    body.walk([&](plan::LaunchOp launch) {
      SmallVector<Attribute> attrs;
      for (Value value : launch.getInputs())
        attrs.push_back(places.at(group::dataOf(value)));
      for (Value value : launch.getResults())
        attrs.push_back(places.at(value));
      launch.setPlacesAttr(builder.getArrayAttr(attrs));
    });
    for (auto measure : body.getOps<plan::MeasureOp>())
      measure.setPlaceAttr(places.at(group::dataOf(measure.getCount())));
    for (auto launch : body.getOps<plan::LaunchOp>())
      if (failed(setExtents(launch)))
        return failure();
    return success();
  }

  uint64_t arenaBytes = 0, liveBytes = 0, stateBytes = 0;
  SmallVector<Attribute> liveSet; // plan::LiveAttr
  SmallVector<onnx::SizeExpr> liveFormula; // the largest is what is alive; empty: no dims

private:
  /// States lie one after the other, in the order of arguments, so that all main programs have them at
  /// the same places.
  LogicalResult placeArguments(Block &body) {
    uint64_t inputs = 0;
    for (BlockArgument argument : body.getArguments()) {
      if (!plan::stateOf(func, argument.getArgNumber())) {
        if (failed(place(argument, plan::Storage::Input, inputs++)))
          return failure();
        continue;
      }
      if (failed(place(argument, plan::Storage::State, stateBytes)))
        return failure();
      func.setArgAttr(argument.getArgNumber(), plan::placeAttrName, places.at(argument));
      uint64_t bytes = llvm::alignTo(places.at(argument).getBytes(), alignment);
      if (stateBytes + bytes > uint64_t(1) << 62)
        return plan::emitTooLarge(argument.getLoc()) << "its states are larger than this machine could hold";
      stateBytes += bytes;
    }
    return success();
  }

  LogicalResult placeResults(Block &body) {
    uint64_t outputs = 0;
    for (auto [i, value] : llvm::enumerate(body.getTerminator()->getOperands())) {
      Value data = group::dataOf(value);
      std::optional<unsigned> state = plan::stateOfResult(func, unsigned(i));
      if (!state) {
        if (failed(place(data, plan::Storage::Output, outputs++)))
          return failure();
      } else if (plan::stateOf(func, *state).grows()) {
        if (plan::stateUnder(data) != func.getArgument(*state))
          return func.emitError("has a state that grows outside of its memory");
        places[data] = places.at(func.getArgument(*state));
      }
    }
    return success();
  }

  /// The next values of states that do not grow, once no kernel can fail any more.
  void noteCommits(Block &body) {
    SmallVector<Attribute> commits;
    for (auto [i, value] : llvm::enumerate(body.getTerminator()->getOperands()))
      if (std::optional<unsigned> state = plan::stateOfResult(func, unsigned(i))) {
        plan::PlaceAttr from = places.at(group::dataOf(value)), to = places.at(func.getArgument(*state));
        if (from != to)
          commits.push_back(builder.getArrayAttr({from, to}));
      }
    if (!commits.empty())
      func->setAttr(plan::commitsAttrName, builder.getArrayAttr(commits));
  }

  LogicalResult setExtents(plan::LaunchOp launch) {
    SmallVector<AffineExpr> extents;
    auto take = [&](Value tensor) {
      for (auto [size, expr] :
           llvm::zip_equal(cast<RankedTensorType>(tensor.getType()).getShape(), sizes.of(tensor)))
        if (ShapedType::isDynamic(size))
          extents.push_back(expr);
    };
    llvm::for_each(launch.getInputs(), take);
    llvm::for_each(launch.getResults(), take);
    for (Value dim : launch.getDims())
      extents.push_back(sizes.ofIndex(dim));
    if (extents.empty())
      return success();
    if (!llvm::all_of(extents, [](AffineExpr expr) { return bool(expr); }))
      return launch.emitOpError("has a size that is not computed from the model's dims");
    launch.setExtentsAttr(
        AffineMapAttr::get(AffineMap::get(0, sizes.count(), extents, func.getContext())));
    return success();
  }

  LogicalResult place(Value value, plan::Storage storage, uint64_t at) {
    std::optional<uint64_t> bytes = sizes.maxBytes(value);
    if (!bytes)
      return plan::emitTooLarge(value.getLoc()) << "it needs a tensor of type " << value.getType()
                                                << ", whose size has no bound this machine could hold";
    places[value] = plan::PlaceAttr::get(func.getContext(), storage, at, *bytes);
    return success();
  }

  LogicalResult placeWeights(Block &body) {
    for (auto constant : body.getOps<plan::ConstantOp>()) {
      std::optional<uint64_t> bytes = sizes.maxBytes(constant.getResult());
      if (!bytes)
        return plan::emitTooLarge(constant.getLoc())
               << "a constant of type " << constant.getType()
               << " is larger than this machine could hold";
      auto [it, inserted] = weights.offsets.try_emplace(constant.getValue(), 0);
      if (inserted)
        it->second = weights.append(*bytes);
      constant.setOffsetAttr(builder.getI64IntegerAttr(int64_t(it->second)));
      if (failed(place(constant.getResult(), plan::Storage::Weights, it->second)))
        return failure();
    }
    return success();
  }

  LogicalResult collect(Block &body) {
    DenseMap<Value, unsigned> lastUse, index;
    unsigned time = 0;
    for (Operation &op : body) {
      if (auto launch = dyn_cast<plan::LaunchOp>(op)) {
        for (Value input : launch.getInputs())
          lastUse[group::dataOf(input)] = time;
        ++time;
      } else if (auto measure = dyn_cast<plan::MeasureOp>(op)) {
        lastUse[group::dataOf(measure.getCount())] = time; // before the next launch writes
      }
    }
    for (auto [i, value] : llvm::enumerate(body.getTerminator()->getOperands()))
      if (plan::stateOfResult(func, unsigned(i)))
        lastUse[group::dataOf(value)] = time; // read once all have run
    time = 0;
    for (auto launch : body.getOps<plan::LaunchOp>()) {
      for (Value result : launch.getResults().take_back(launch.getStates().size()))
        if (!places.count(result))
          return launch.emitOpError("writes to a state that does not grow, which is replaced when all have run");
      for (Value result : launch.getResults()) {
        if (places.count(result))
          continue; // an output: the caller's memory
        std::optional<uint64_t> bytes = sizes.maxBytes(result);
        if (!bytes)
          return plan::emitTooLarge(launch.getLoc())
                 << "a result of type " << result.getType() << " has no bound this machine could hold";
        unsigned end = std::max(time, lastUse.lookup(result));
        if (Value input = replacedInput(launch, time, lastUse, index)) {
          unsigned at = index.at(input);
          index[result] = at;
          buffers[at].values.push_back(result);
          buffers[at].end = end;
          continue;
        }
        index[result] = buffers.size();
        buffers.push_back({{result}, *bytes, time, end});
      }
      ++time;
    }
    std::vector<uint64_t> live(time + 1);
    for (const Buffer &buffer : buffers)
      for (unsigned t = buffer.begin; t <= buffer.end; ++t)
        live[t] += buffer.aligned();
    auto fullest = llvm::max_element(live);
    if (fullest != live.end()) {
      liveBytes = *fullest;
      noteLiveSet(unsigned(fullest - live.begin()));
    }
    if (sizes.count() > 0)
      noteLiveFormula(time);
    return success();
  }

  /// What is alive at each launch over the model's dims, dense, without what is never the most.
  void noteLiveFormula(unsigned launches) {
    std::vector<onnx::SizeExpr> live(launches + 1);
    for (const Buffer &buffer : buffers) {
      std::optional<onnx::SizeExpr> most; // of the values in it
      for (Value value : buffer.values) {
        std::optional<onnx::SizeExpr> bytes = sizes.bytes(value);
        if (!bytes)
          return;
        if (!most || sizes.atMost(*most, *bytes))
          most = bytes;
      }
      for (unsigned t = buffer.begin; t <= buffer.end; ++t) {
        std::optional<onnx::SizeExpr> sum = live[t].plus(*most);
        if (!sum)
          return;
        live[t] = *sum;
      }
    }
    for (const onnx::SizeExpr &now : live) {
      auto covers = [&](const onnx::SizeExpr &other) { return sizes.atMost(now, other); };
      if (now == onnx::SizeExpr(0) || llvm::any_of(liveFormula, covers))
        continue;
      llvm::erase_if(liveFormula, [&](const onnx::SizeExpr &other) { return sizes.atMost(other, now); });
      liveFormula.push_back(now);
    }
  }

  /// The type of a tensor at its largest, which its place has room for.
  Type largestType(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type || type.hasStaticShape())
      return value.getType();
    SmallVector<int64_t> shape(type.getShape());
    for (auto [size, expr] : llvm::zip_equal(shape, sizes.of(value)))
      if (ShapedType::isDynamic(size))
        if (std::optional<plan::Interval> range = expr ? sizes.range(expr) : std::nullopt)
          size = range->max;
    return type.clone(shape);
  }

  /// The buffers that are alive at a launch, each as the last value that is in it by then.
  void noteLiveSet(unsigned time) {
    DenseMap<Operation *, unsigned> times;
    for (auto launch : func.getBody().front().getOps<plan::LaunchOp>())
      times.insert({launch, times.size()});
    SmallVector<plan::LiveAttr> tensors;
    for (const Buffer &buffer : buffers) {
      if (buffer.begin > time || buffer.end < time)
        continue;
      auto later = llvm::find_if(llvm::drop_begin(buffer.values), [&](Value value) {
        return times.at(value.getDefiningOp()) > time;
      });
      Value value = *std::prev(later);
      tensors.push_back(plan::LiveAttr::get(
          func.getContext(), builder.getStringAttr(plan::nodeName(value.getLoc())), largestType(value),
          buffer.bytes));
    }
    llvm::stable_sort(tensors, [](plan::LiveAttr a, plan::LiveAttr b) {
      return a.getBytes() > b.getBytes();
    });
    llvm::append_range(liveSet, tensors);
  }

  /// The data in the arena that `launch` is the last to read and may overwrite by its result.
  Value replacedInput(plan::LaunchOp launch, unsigned time, const DenseMap<Value, unsigned> &lastUse,
                      const DenseMap<Value, unsigned> &index) {
    auto [known, inserted] = inPlace.try_emplace(launch.getKernelAttr().getAttr());
    if (inserted)
      if (auto kernel = kernels.lookupSymbol<func::FuncOp>(launch.getKernel()))
        known->second = inPlaceInputs(kernel);
    for (unsigned i : known->second) {
      Value data = group::dataOf(launch.getInputs()[i]);
      auto reads = llvm::count_if(launch.getInputs(),
                                  [&](Value input) { return group::dataOf(input) == data; });
      if (index.count(data) && lastUse.lookup(data) == time && reads == 1)
        return data;
    }
    return nullptr;
  }

  void assign() {
    std::vector<Buffer *> order, placed;
    for (Buffer &buffer : buffers)
      order.push_back(&buffer);
    llvm::stable_sort(order, [](Buffer *a, Buffer *b) { return a->bytes > b->bytes; });
    for (Buffer *buffer : order) { // `placed` stays sorted by offset
      uint64_t offset = 0;
      for (Buffer *other : placed) {
        if (!buffer->meets(*other))
          continue;
        if (offset + buffer->aligned() <= other->offset)
          break;
        offset = std::max(offset, other->offset + other->aligned());
      }
      buffer->offset = offset;
      arenaBytes = std::max(arenaBytes, offset + buffer->aligned());
      placed.insert(llvm::upper_bound(placed, buffer,
                                      [](Buffer *a, Buffer *b) { return a->offset < b->offset; }),
                    buffer);
    }
  }

  func::FuncOp func;
  ModuleOp kernels;
  WeightOffsets &weights;
  plan::ModelSizes sizes;
  DenseMap<StringAttr, SmallVector<unsigned>> inPlace; // by kernel
  Builder builder;
  std::vector<Buffer> buffers;
  DenseMap<Value, plan::PlaceAttr> places;
};

struct PlanMemory : impl::PlanMemoryBase<PlanMemory> {
  using PlanMemoryBase::PlanMemoryBase;

  void runOnOperation() override {
    auto mains = getOperation().getOps<func::FuncOp>();
    if (mains.empty()) {
      getOperation().emitError("holds no @main to plan");
      return signalPassFailure();
    }
    auto kernels = getOperation().lookupSymbol<ModuleOp>(plan::kernelModuleName);
    if (!kernels) {
      getOperation().emitError("holds no kernels that @main could launch");
      return signalPassFailure();
    }
    Builder builder(&getContext());
    WeightOffsets weights;
    weights.shardBytes = shardBytes;
    uint64_t stateBytes = 0; // of each main program
    for (auto main : mains) {
      Planner planner(main, kernels, weights);
      if (failed(planner.run()))
        return signalPassFailure();
      main->setAttr("plan.arena_bytes", builder.getI64IntegerAttr(int64_t(planner.arenaBytes)));
      stateBytes = planner.stateBytes;
      main->setAttr("plan.live_bytes", builder.getI64IntegerAttr(int64_t(planner.liveBytes)));
      main->setAttr(plan::liveSetAttrName, builder.getArrayAttr(planner.liveSet));
      if (!planner.liveFormula.empty())
        main->setAttr(plan::liveFormulaAttrName,
                      builder.getArrayAttr(llvm::map_to_vector(
                          planner.liveFormula, [&](const onnx::SizeExpr &sum) -> Attribute {
                            return builder.getStringAttr(sum.text());
                          })));
    }
    getOperation()->setAttr("plan.weights_bytes", builder.getI64IntegerAttr(int64_t(weights.bytes)));
    if (stateBytes)
      getOperation()->setAttr("plan.state_bytes", builder.getI64IntegerAttr(int64_t(stateBytes)));
    if (weights.shards.size() > 1)
      getOperation()->setAttr(plan::shardOffsetsAttrName,
                              builder.getDenseI64ArrayAttr(weights.shards));
  }
};

} // namespace
} // namespace burin
