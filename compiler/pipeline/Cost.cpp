// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/Cost.h"

#include "compiler/emit/Signature.h"
#include "compiler/group/Group.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace burin {
namespace {

/// Counts the launches of one main program.
class ProgramCount {
public:
  ProgramCount(func::FuncOp main, ModuleOp kernels) : main(main), work(main, kernels) {}

  ProgramCost count() {
    if (auto bytes = main->getAttrOfType<IntegerAttr>("plan.arena_bytes"))
      result.activationBytes = uint64_t(bytes.getInt());
    DenseMap<Value, size_t> tensorOf; // results in the arena
    DenseMap<Value, unsigned> makerOf;
    auto readAt = [&](Value value, unsigned time) {
      for (Value data : madeApart(value))
        if (auto it = tensorOf.find(data); it != tensorOf.end())
          result.tensors[it->second].end = time;
    };
    for (Operation &op : main.getBody().front()) {
      unsigned time = unsigned(result.launches.size());
      if (auto measure = dyn_cast<plan::MeasureOp>(op); measure && time > 0)
        readAt(group::dataOf(measure.getCount()), time - 1);
      auto launch = dyn_cast<plan::LaunchOp>(op);
      if (!launch)
        continue;
      LaunchCost cost{launch.getKernel().str(), {}, {}, work.of(launch)};
      for (StringRef name : plan::nodeNames(launch.getLoc()))
        cost.nodes.push_back(name.str());
      llvm::SetVector<unsigned> from;
      for (Value input : llvm::concat<Value>(launch.getInputs(), launch.getStates())) {
        Value data = group::dataOf(input);
        readAt(data, time);
        for (Value part : madeApart(data))
          if (auto it = makerOf.find(part); it != makerOf.end())
            from.insert(it->second);
      }
      cost.readsFrom.assign(from.begin(), from.end());
      llvm::sort(cost.readsFrom);
      result.launches.push_back(std::move(cost));
      for (auto [i, value] : llvm::enumerate(launch.getResults())) {
        makerOf[value] = time;
        auto place = cast<plan::PlaceAttr>((*launch.getPlaces())[launch.getInputs().size() + i]);
        if (place.getStorage() != plan::Storage::Arena)
          continue;
        tensorOf[value] = result.tensors.size();
        result.tensors.push_back({plan::nodeName(value.getLoc()), plan::textOf(value.getType()),
                                  place.getAt(), place.getBytes(), time, time});
      }
    }
    return std::move(result);
  }

private:
  /// What launches have made of `data`: itself, or what it is a part of or consists of.
  static SmallVector<Value> madeApart(Value data) {
    SmallVector<Value> made, waiting{data};
    while (!waiting.empty()) {
      Value value = waiting.pop_back_val();
      if (auto part = value.getDefiningOp<plan::PartOp>())
        waiting.push_back(part.getWhole());
      else if (auto join = value.getDefiningOp<plan::JoinOp>())
        llvm::append_range(waiting, join.getParts());
      else
        made.push_back(value);
    }
    return made;
  }

  func::FuncOp main;
  LaunchWork work;
  ProgramCost result;
};

} // namespace

std::vector<ProgramCost> costOf(ModuleOp planned) {
  std::vector<ProgramCost> programs;
  auto kernels = planned.lookupSymbol<ModuleOp>(plan::kernelModuleName);
  Signature signature(planned);
  for (const Signature::Variant &variant : signature.variants) {
    programs.push_back(ProgramCount(variant.main, kernels).count());
    programs.back().sizes = variant.name;
  }
  return programs;
}

} // namespace burin
