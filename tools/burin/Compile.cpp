// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/Artifact.h"
#include "compiler/pipeline/Certificate.h"
#include "compiler/pipeline/Report.h"
#include "tools/burin/Cost.h"
#include "tools/burin/Tune.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <unistd.h>

namespace burin::cli {
namespace {

struct State {
  CompileOptions options;
  CompileFlags flags;
  CostFlags cost;
  TuneFlags tune;
  std::string report; // file
  bool json = false;
};

void printJson(const CompileOptions &options, const CompileResult &result) {
  llvm::json::Array messages, phases;
  for (const Message &message : result.messages)
    messages.push_back(llvm::json::Object{
        {"severity", message.isError ? "error" : "warning"},
        {"text", llvm::json::fixUTF8(message.text)}});
  for (const auto &[name, seconds] : result.phaseSeconds)
    phases.push_back(llvm::json::Object{{"name", name}, {"seconds", seconds}});
  llvm::json::Object object{{"exit_code", int64_t(result.code)},
                            {"output", options.output},
                            {"target", result.target},
                            {"messages", std::move(messages)},
                            {"phases", std::move(phases)}};
  if (result.code == ExitCode::Ok)
    object["memory"] = memoryReport(result.summary);
  llvm::outs() << llvm::json::Value(std::move(object)) << "\n";
}

std::string counted(uint64_t count, llvm::StringRef one, llvm::StringRef more) {
  return std::to_string(count) + " " + (count == 1 ? one : more).str();
}

void printSummary(const CompileOptions &options, const CompileResult &result) {
  const ProgramSummary &s = result.summary;
  uint64_t size = 0;
  (void)llvm::sys::fs::file_size(options.output, size);
  double ratio = s.liveBytes ? double(s.activationBytes) / double(s.liveBytes) : 1.0;
  llvm::outs() << options.output << ": " << humanBytes(size) << " for " << result.target << ", "
               << counted(s.launches, "launch", "launches") << " of "
               << counted(s.kernels, "kernel", "kernels") << "\n"
               << "  weights  " << humanBytes(s.weightsBytes)
               << (s.shards.empty() ? ""
                   : s.shards.size() == 1 ? " in " + s.shards.front().file
                                          : " in " + s.shards.front().file + " to " + s.shards.back().file)
               << "\n"
               << "  arena    " << humanBytes(s.arenaBytes()) << " (" << s.arenaBytes()
               << " bytes with one worker; each further one " << s.scratchBytes << ")\n"
               << "  of which bookkeeping " << s.bookkeepingBytes
               << (s.stateBytes ? ", states " + std::to_string(s.stateBytes) : "") << ", activations "
               << s.activationBytes << " (largest live set " << s.liveBytes << ", ratio "
               << llvm::formatv("{0:F2}", ratio) << "), scratch " << s.scratchBytes << "\n";
  if (!s.recomputed.empty())
    llvm::outs() << "  " << counted(s.recomputed.size(), "result", "results")
                 << " of cheap kernels computed again in place of being kept; kept, the arena would be "
                 << s.keptArenaBytes << "\n";
  for (const StateSummary &state : s.states)
    llvm::outs() << "  state    " << printable(state.input) << " " << state.type << ", "
                 << (state.axis < 0 ? "replaced by " : "appended to along dimension " +
                                                           std::to_string(state.axis) + ": ")
                 << printable(state.output) << "\n";
  for (const VariantSummary &variant : s.variants) {
    if (s.variants.size() > 1)
      llvm::outs() << "  variant  " << variant.name << ": "
                   << counted(variant.launches, "launch", "launches") << ", activations "
                   << variant.activationBytes << "\n";
    if (!variant.liveFormula.empty())
      llvm::outs() << "  live set " << printable(variant.liveFormula) << "\n";
    if (variant.aloneUpTo == "any")
      llvm::outs() << "  threads  one: a run is too short for more\n";
    else if (!variant.aloneUpTo.empty())
      llvm::outs() << "  threads  one up to " << printable(variant.aloneUpTo)
                   << ": such runs are too short for more\n";
  }
  if (!s.batchDim.empty())
    llvm::outs() << "  batch    requests run as one along '" << s.batchDim << "'; gathering takes "
                 << s.stagingBytes << " of the arena\n";
  else if (!s.serialReason.empty())
    llvm::outs() << "  batch    requests run one by one: " << s.serialReason << "\n";
}

ExitCode run(State &state) {
  CompileOptions &options = state.options;
  if (options.output.empty() && options.compileTo.empty()) {
    llvm::errs() << "error: say where to write: -o model.so (or .a, .o)\n";
    return ExitCode::BadInput;
  }
  llvm::StringRef extension = llvm::sys::path::extension(options.output);
  if (options.compileTo.empty() && extension != ".so" && extension != ".a" && extension != ".o") {
    llvm::errs() << "error: cannot tell what to write: '" << options.output
                 << "' ends in none of .so, .a, .o\n";
    return ExitCode::BadInput;
  }
  llvm::StringRef weights(options.weights);
  if (!weights.empty() && weights != "embed" && !weights.ends_with(".safetensors")) {
    llvm::errs() << "error: --weights: '" << weights
                 << "' is neither embed nor a file .safetensors\n";
    return ExitCode::BadInput;
  }
  if (state.tune.seconds > 0 && !options.compileTo.empty()) {
    llvm::errs() << "error: --tune times whole artifacts, and --compile-to makes none\n";
    return ExitCode::BadInput;
  }
  if (!state.report.empty() && !options.compileTo.empty()) {
    llvm::errs() << "error: --report tells of an artifact, and --compile-to makes none\n";
    return ExitCode::BadInput;
  }
  options.progress = !state.json && isatty(STDERR_FILENO);
  options.cost = !state.report.empty();
  Machine machine;
  if (options.cost) { // a bad file ends the work before it begins
    llvm::Expected<Machine> chosen = chooseMachine(state.cost, options);
    if (!chosen) {
      llvm::errs() << "error: " << llvm::toString(chosen.takeError()) << "\n";
      return ExitCode::BadInput;
    }
    machine = std::move(*chosen);
  }
  if (ExitCode code = state.tune.read(options); code != ExitCode::Ok)
    return code;
  if (state.tune.seconds > 0)
    if (ExitCode code = state.tune.tune(options, state.json); code != ExitCode::Ok)
      return code;
  CompileResult result = compile(options);
  bool stopsEarly = !options.compileTo.empty();
  if (result.code == ExitCode::Ok && options.cost)
    if (llvm::Error error = writeWhole(state.report, [&](llvm::raw_ostream &out) {
          out << reportPage(reportData(options, result, machine));
          return llvm::Error::success();
        })) {
      result.code = ExitCode::Failed;
      result.messages.push_back({llvm::toString(std::move(error)), true});
    }
  if (result.code == ExitCode::Ok && stopsEarly && !options.output.empty())
    if (llvm::Error error = writeWhole(options.output, [&](llvm::raw_ostream &out) {
          out << result.module;
          return llvm::Error::success();
        })) {
      result.code = ExitCode::Failed;
      result.messages.push_back({llvm::toString(std::move(error)), true});
    }
  if (state.json) {
    printJson(options, result);
    return result.code;
  }
  printMessages(result.messages);
  if (result.code != ExitCode::Ok)
    return result.code;
  if (!stopsEarly)
    printSummary(options, result);
  else if (options.output.empty())
    llvm::outs() << result.module;
  return ExitCode::Ok;
}

} // namespace

void addCompile(CLI::App &app, Action &action) {
  auto state = std::make_shared<State>();
  CLI::App *verb = app.add_subcommand("compile", "Compile a model to .so, .a (with .h) or .o");
  CompileOptions &options = state->options;
  verb->add_option("model", options.model, "ONNX file (.onnx, or .onnxtxt as text)")->required();
  verb->add_option("-o,--output", options.output,
                   "Artifact: NAME.so, NAME.a (writes NAME.h and libburin_rt.a too) or NAME.o");
  state->flags.add(*verb, options);
  CompileFlags::addStates(*verb, options);
  verb->add_option("--compile-to", options.compileTo,
                   "Stop after a phase and print the module (to -o): " +
                       llvm::join(phaseNames("cpu"), ", "))
      ->type_name("PHASE");
  verb->add_option("--header", options.header,
                   "Write the typed header there (default: beside NAME.a, and none for others)")
      ->type_name("FILE");
  verb->add_option("--depfile", options.depfile,
                   "Write which files the artifact was made from, as a rule of Make")
      ->type_name("FILE");
  // For a test: which CPU computes constants does not show in the artifact.
  verb->add_option("--constants-cpu", options.constantsCpu)->group("");
  verb->add_option("--dump-ir", options.dumpDir,
                   "Write the module after each phase to DIR, and how many ops each pass found and "
                   "left to DIR/counts.txt")
      ->type_name("DIR");
  verb->add_option("--report", state->report,
                   "Write a page (HTML, self-contained) of what the artifact is: kernels under the roofline and as a "
                   "graph, memory over time, sizes, compile time")
      ->type_name("FILE");
  state->cost.addMachine(*verb);
  state->tune.add(*verb);
  verb->add_option("--max-memory", state->flags.maxMemory,
                   "Let the arena of one worker have SIZE at most, e.g. 64M: cheap results are computed again where "
                   "they would be kept too long, and a compile that cannot do it fails")
      ->type_name("SIZE");
  verb->add_flag("--json", state->json, "Report as JSON on standard output");
  verb->callback([state, verb, &action] {
    state->flags.finish(state->options);
    if (verb->count("--machine") && state->report.empty())
      throw CLI::ValidationError("--machine", "goes with --report");
    state->options.flags = CompileFlags::wordsOf(*verb);
    action = [state] { return run(*state); };
  });
}

} // namespace burin::cli
