// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/Certificate.h"

#include "compiler/emit/Sha256.h"
#include "compiler/import/Weights.h"
#include "compiler/pipeline/Pipeline.h"
#include "compiler/plan/Sizes.h"
#include "dialects/plan/PlanOps.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

#include <deque>

using namespace mlir;

namespace burin {

static llvm::json::Array asJson(ArrayRef<LiveTensor> tensors) {
  llvm::json::Array list;
  for (const LiveTensor &tensor : tensors)
    list.push_back(llvm::json::Object{{"node", llvm::json::fixUTF8(tensor.node)},
                                      {"type", tensor.type},
                                      {"bytes", int64_t(tensor.bytes)}});
  return list;
}

llvm::json::Object memoryReport(const ProgramSummary &summary) {
  llvm::json::Object report{{"arena_bytes", int64_t(summary.arenaBytes())},
                            {"arena_lower_bound_bytes", int64_t(summary.arenaLowerBound())},
                            {"bookkeeping_bytes", int64_t(summary.bookkeepingBytes)},
                            {"state_bytes", int64_t(summary.stateBytes)},
                            {"activation_bytes", int64_t(summary.activationBytes)},
                            {"staging_bytes", int64_t(summary.stagingBytes)},
                            {"live_bytes", int64_t(summary.liveBytes)},
                            {"live_set", asJson(summary.liveSet)},
                            {"scratch_bytes_per_worker", int64_t(summary.scratchBytes)},
                            {"weights_bytes", int64_t(summary.weightsBytes)},
                            {"code_bytes", int64_t(summary.codeBytes)},
                            {"stack_bytes", int64_t(summary.stackBytes)},
                            {"input_bytes", int64_t(summary.inputBytes)},
                            {"output_bytes", int64_t(summary.outputBytes)}};
  if (!summary.recomputed.empty()) {
    report["arena_bytes_if_kept"] = int64_t(summary.keptArenaBytes);
    report["recomputed"] = asJson(summary.recomputed);
  }
  return report;
}

std::string overMemory(const ProgramSummary &summary, uint64_t allowed) {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << "needs an arena of " << summary.arenaBytes() << " bytes with one worker, and --max-memory "
      << "allows " << allowed << ": bookkeeping " << summary.bookkeepingBytes;
  if (summary.stateBytes)
    out << ", states " << summary.stateBytes;
  out << ", activations " << summary.activationBytes;
  if (summary.stagingBytes)
    out << ", requests of a batch " << summary.stagingBytes;
  out << ", scratch " << summary.scratchBytes;
  if (!summary.scratchKernel.empty())
    out << " (kernel '" << summary.scratchKernel << "')";
  if (!summary.liveSet.empty())
    out << "\n  the largest live set, " << summary.liveBytes << " bytes:";
  constexpr size_t shown = 10;
  for (const LiveTensor &tensor : ArrayRef(summary.liveSet).take_front(shown))
    out << llvm::formatv("\n{0,14}  {1} of node '{2}'", tensor.bytes, tensor.type, tensor.node);
  if (summary.liveSet.size() > shown)
    out << "\n  and " << summary.liveSet.size() - shown << " smaller ones";
  out << "\n  that is the least that is reachable: ";
  if (summary.recomputed.empty())
    out << "no result of a cheap kernel is kept over that, which could be computed again";
  else
    out << summary.recomputed.size() << (summary.recomputed.size() == 1 ? " result" : " results")
        << " of cheap kernels computed again in place of being kept, which would take "
        << summary.keptArenaBytes;
  out << "\n  raise --max-memory, or compile for smaller sizes (--dim, --input)";
  return text;
}

/// Of a launch whose kernel has a task for each of `counts`, over the sizes that it is told: a number, or the
/// text of a product over the model's dims.
static std::string tasksOf(plan::LaunchOp launch, AffineMap counts, const plan::ModelSizes &sizes) {
  SmallVector<AffineExpr> told;
  if (std::optional<AffineMap> extents = launch.getExtents())
    llvm::append_range(told, extents->getResults());
  uint64_t fixed = 1;
  std::vector<std::string> factors;
  for (AffineExpr count : counts.getResults()) {
    AffineExpr expr = simplifyAffineExpr(count.replaceDims(told), 0, sizes.count());
    if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
      fixed *= uint64_t(constant.getValue());
      continue;
    }
    std::string text = sizes.textOf(expr);
    factors.push_back(StringRef(text).contains(' ') ? "(" + text + ")" : text);
  }
  if (fixed > 1 || factors.empty())
    factors.insert(factors.begin(), std::to_string(std::max<uint64_t>(fixed, 1)));
  return llvm::join(factors, " * ");
}

/// What the launches of a kernel have, each once: a number, or texts.
static llvm::json::Value asJson(ArrayRef<std::string> tasks) {
  int64_t number;
  if (tasks.size() == 1 && llvm::to_integer(tasks.front(), number))
    return number;
  return llvm::json::fixUTF8(llvm::join(tasks, ", "));
}

/// "P=0..20": the ranges of the only variant.
static std::string rangesOf(func::FuncOp main) {
  std::vector<std::string> texts;
  plan::ModelSizes sizes(main);
  auto ranges = main->getAttrOfType<ArrayAttr>(plan::dimsAttrName);
  for (auto [i, attr] : llvm::enumerate(ranges ? ranges.getValue() : ArrayRef<Attribute>()))
    if (auto range = cast<plan::RangeAttr>(attr);
        !sizes.isMeasured(getAffineSymbolExpr(unsigned(i), main.getContext())))
      texts.push_back(plan::textOf(range.getName(), {range.getMin(), range.getMax()}));
  return llvm::join(texts, " ");
}

std::string targetsOf(ArrayRef<Level> levels) {
  std::string text;
  for (const Level &level : levels)
    text += (text.empty() ? "" : ",") + level.target->name();
  return text;
}

std::future<std::vector<Provenance::File>> hashFiles(llvm::StringRef model,
                                                     const WeightStore &store) {
  std::vector<std::pair<std::string, StringRef>> segments = store.contents();
  auto isModel = [](const auto &segment) { return segment.first == WeightStore::modelSegment; };
  if (auto found = llvm::find_if(segments, isModel); found != segments.end())
    std::rotate(segments.begin(), found, found + 1);
  return std::async(std::launch::async, [name = llvm::sys::path::filename(model).str(),
                                         segments = std::move(segments)] {
    std::vector<Provenance::File> files;
    for (const auto &[segment, bytes] : segments) {
      Sha256 hash;
      hash.update(bytes);
      files.push_back({segment == WeightStore::modelSegment ? name : segment, bytes.size(),
                       llvm::toHex(hash.final(), /*LowerCase=*/true)});
    }
    return files;
  });
}

static std::string quotedForShell(StringRef word) {
  bool isPlain = llvm::all_of(word, [](char c) {
    return llvm::isAlnum(c) || StringRef("_-+=./,:@%").contains(c);
  });
  if (isPlain && !word.empty())
    return word.str();
  std::string quoted = "'";
  for (char c : word)
    quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

std::string rebuildCommand(const CompileOptions &options, ArrayRef<Level> levels) {
  std::vector<std::string> words{"burin", "compile", llvm::sys::path::filename(options.model).str(),
                                 "-o", llvm::sys::path::filename(options.output).str(),
                                 "--target", options.target, "--cpu", targetsOf(levels)};
  llvm::append_range(words, options.flags);
  return llvm::join(llvm::map_range(words, quotedForShell), " ");
}

static llvm::json::Object provenanceJson(const Provenance &provenance) {
  llvm::json::Array files;
  for (const Provenance::File &file : provenance.files)
    files.push_back(llvm::json::Object{{"name", llvm::json::fixUTF8(file.name)},
                                       {"bytes", int64_t(file.bytes)},
                                       {"sha256", file.sha256}});
  return llvm::json::Object{{"command", llvm::json::fixUTF8(provenance.command)},
                            {"files", std::move(files)}};
}

std::string certificate(ModuleOp planned, ArrayRef<Level> levels, const ProgramSummary &summary,
                        const Provenance &provenance) {
  llvm::StringMap<SmallVector<std::pair<plan::LaunchOp, const plan::ModelSizes *>>> launches;
  std::deque<plan::ModelSizes> sizes; // by main program
  for (auto main : planned.getOps<func::FuncOp>()) {
    sizes.emplace_back(main);
    main.walk([&](plan::LaunchOp launch) {
      launches[launch.getKernel()].push_back({launch, &sizes.back()});
    });
  }
  llvm::json::Array list;
  for (const Level &level : levels)
    for (Operation &op : ModuleOp(level.kernels).getBody()->getOperations()) {
      auto name = op.getAttrOfType<StringAttr>(SymbolTable::getSymbolAttrName());
      if (!op.hasAttr("plan.kernel") || !name)
        continue;
      const auto &own = launches[name.getValue().drop_back(level.suffix.size())];
      SmallVector<std::string> tasks;
      for (auto [launch, of] : own)
        if (std::string text = tasksOf(launch, op.getAttrOfType<AffineMapAttr>("plan.tasks").getAffineMap(), *of);
            !llvm::is_contained(tasks, text))
          tasks.push_back(text);
      llvm::json::Object kernel{
          {"name", name.getValue()},
          {"launches", int64_t(own.size())},
          {"tasks", asJson(tasks)},
          {"scratch_bytes", op.getAttrOfType<IntegerAttr>("plan.scratch_bytes").getInt()}};
      if (levels.size() > 1)
        kernel["target"] = level.target->name();
      list.push_back(std::move(kernel));
    }
  llvm::json::Array variants;
  for (const VariantSummary &variant : summary.variants) {
    llvm::json::Object one{{"launches", int64_t(variant.launches)},
                           {"activation_bytes", int64_t(variant.activationBytes)}};
    std::string given = summary.variants.size() == 1 ? rangesOf(*planned.getOps<func::FuncOp>().begin())
                                                     : variant.name;
    if (!given.empty())
      one["sizes"] = llvm::json::fixUTF8(given);
    if (!variant.liveFormula.empty())
      one["live_bytes"] = llvm::json::fixUTF8(variant.liveFormula);
    if (!variant.aloneUpTo.empty())
      one["one_thread_up_to"] = llvm::json::fixUTF8(variant.aloneUpTo);
    variants.push_back(std::move(one));
  }
  llvm::json::Object object{
      {"compiler", "burin " BURIN_VERSION},
      {"target", targetsOf(levels)},
      {"provenance", provenanceJson(provenance)},
      {"memory", memoryReport(summary)},
      {"launches", int64_t(summary.launches)},
      {"variants", std::move(variants)},
      {"kernels", std::move(list)}};
  llvm::json::Array shards;
  for (const Shard &shard : summary.shards)
    shards.push_back(llvm::json::Object{{"file", llvm::json::fixUTF8(shard.file)},
                                        {"bytes", int64_t(shard.headerBytes + shard.bytes)},
                                        {"sha256", llvm::toHex(shard.sha256, /*LowerCase=*/true)}});
  if (!shards.empty())
    object["weights"] = std::move(shards);
  llvm::json::Array states;
  for (const StateSummary &state : summary.states)
    states.push_back(llvm::json::Object{{"input", llvm::json::fixUTF8(state.input)},
                                        {"output", llvm::json::fixUTF8(state.output)},
                                        {"type", state.type},
                                        {"axis", state.axis},
                                        {"bytes", int64_t(state.bytes)}});
  if (!states.empty())
    object["states"] = std::move(states);
  if (!summary.batchDim.empty())
    object["batch"] = llvm::json::Object{{"dim", summary.batchDim}};
  else if (!summary.serialReason.empty())
    object["batch"] = llvm::json::Object{{"serial", summary.serialReason}};
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << llvm::json::Value(std::move(object));
  return text;
}

std::string symbolOf(llvm::StringRef output) {
  std::string symbol;
  for (char c : llvm::sys::path::stem(output))
    symbol += llvm::isAlnum(c) ? c : '_';
  // What begins with "burin" is the runtime's.
  if (symbol.empty() || !llvm::isAlpha(symbol.front()) ||
      llvm::StringRef(symbol).starts_with_insensitive("burin"))
    symbol.insert(0, "m");
  return symbol;
}

} // namespace burin
