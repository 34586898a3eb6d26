// SPDX-License-Identifier: Apache-2.0
//
// The static memory plan: every tensor of the main programs has a place. Those of the arena are Buffers.h's.

#include "burin/abi.h"
#include "compiler/group/Group.h"
#include "compiler/plan/Buffers.h"
#include "compiler/transforms/Passes.h"
#include "dialects/plan/PlanOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_PLANMEMORY
#include "compiler/transforms/Passes.h.inc"

namespace {

constexpr uint64_t alignment = Buffer::alignment;

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
  Planner(func::FuncOp func, BufferFinder &finder, WeightOffsets &weights)
      : func(func), finder(finder), weights(weights), sizes(func), builder(func.getContext()) {}

  LogicalResult run() {
    Block &body = func.getBody().front();
    if (failed(placeArguments(body)) || failed(placeResults(body)) || failed(placeWeights(body)) ||
        failed(collect(body)))
      return failure();
    arenaBytes = placeBuffers(buffers);
    for (Buffer &buffer : buffers) {
      for (Value value : buffer.values)
        if (!buffer.joined && failed(place(value, plan::Storage::Arena, buffer.offset)))
          return failure();
      if (buffer.joined && failed(place(buffer.joined, plan::Storage::Arena, buffer.offset)))
        return failure();
    }
    body.walk([&](Operation *op) {
      if (isa<plan::LaunchOp, plan::JoinOp, plan::PartOp>(op))
        for (Value data : op->getResults())
          placeWithin(data);
    });
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
        plan::PlaceAttr own = places.at(func.getArgument(*state)); // a new entry moves the others
        places[data] = own;
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
    SmallVector<AffineExpr> extents = sizes.told(launch);
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

  /// What lies in another's memory, which has its place.
  void placeWithin(Value data) {
    plan::Within within = plan::withinOf(data);
    if (within.owner == data)
      return;
    auto bytes = int64_t(*sizes.maxBytes(data)) / cast<RankedTensorType>(data.getType()).getNumElements();
    plan::PlaceAttr owner = places.at(within.owner);
    places[data] = plan::PlaceAttr::get(func.getContext(), owner.getStorage(),
                                        owner.getAt() + uint64_t(within.offset * bytes),
                                        uint64_t(within.span * bytes));
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
    FailureOr<std::vector<Buffer>> found = finder.find(func, sizes);
    if (failed(found))
      return failure();
    buffers = std::move(*found);
    std::vector<uint64_t> live = burin::liveBytes(buffers);
    auto fullest = llvm::max_element(live);
    liveBytes = *fullest;
    noteLiveSet(unsigned(fullest - live.begin()));
    if (sizes.count() > 0)
      noteLiveFormula(unsigned(llvm::range_size(body.getOps<plan::LaunchOp>())));
    return success();
  }

  /// What is alive at each launch over the model's dims, dense, without what is never the most.
  void noteLiveFormula(unsigned launches) {
    std::vector<onnx::SizeExpr> live(launches + 1);
    for (const Buffer &buffer : buffers) {
      std::optional<onnx::SizeExpr> most; // of the values in it
      for (Value value : buffer.joined ? ArrayRef(buffer.joined) : ArrayRef(buffer.values)) {
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
    DenseMap<Operation *, unsigned> times = timesOf(stepsOf(func));
    SmallVector<plan::LiveAttr> tensors;
    for (const Buffer &buffer : buffers) {
      if (buffer.begin > time || buffer.end < time)
        continue;
      auto later = llvm::find_if(llvm::drop_begin(buffer.values), [&](Value value) {
        return times.at(value.getDefiningOp()) > time;
      });
      Value value = buffer.joined ? buffer.joined : *std::prev(later);
      tensors.push_back(plan::LiveAttr::get(
          func.getContext(), builder.getStringAttr(plan::nodeName(value.getLoc())), largestType(value),
          buffer.bytes));
    }
    llvm::stable_sort(tensors, [](plan::LiveAttr a, plan::LiveAttr b) {
      return a.getBytes() > b.getBytes();
    });
    llvm::append_range(liveSet, tensors);
  }

  func::FuncOp func;
  BufferFinder &finder;
  WeightOffsets &weights;
  plan::ModelSizes sizes;
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
    BufferFinder finder(kernels);
    WeightOffsets weights;
    weights.shardBytes = shardBytes;
    uint64_t stateBytes = 0; // of each main program
    for (auto main : mains) {
      Planner planner(main, finder, weights);
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
