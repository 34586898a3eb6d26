// SPDX-License-Identifier: Apache-2.0
//
// `burin verify`: compiles a model as asked, and as a reference that computes each node by itself in
// f64, and lets burin-run compare the two. Where an output differs, or where asked to, the model is
// compiled again with the results of all kernels as outputs, to say which of them differs first.

#include "compiler/emit/TemporaryFolder.h"
#include "dialects/onnx/SizeExpr.h"
#include "tools/burin/Runner.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

namespace burin::cli {
namespace {

namespace json = llvm::json;

struct State {
  CompileOptions options;
  CompileFlags flags;
  std::vector<std::string> inputs;
  std::string random, rtol, atol;
  unsigned threads = 1;
  bool kernels = false, json = false;
};

class Verification {
public:
  Verification(const State &state, TemporaryFolder folder)
      : state(state), folder(std::move(folder)) {}

  ExitCode run() {
    ProgramSummary summary;
    if (ExitCode code = compileAs(Purpose::Use, "artifact.so", &summary); code != ExitCode::Ok)
      return code;
    if (!chooseSizes(summary)) {
      const auto &[first, second] = summary.agreements.front();
      llvm::errs() << "error: no sizes that --dim allows were found for which the sizes '" << first
                   << "' and '" << second
                   << "' of the model are equal, as a run needs; fix them with --dim NAME=VALUE\n";
      return ExitCode::BadInput;
    }
    if (ExitCode code = compileAs(Purpose::Reference, "reference.so"); code != ExitCode::Ok)
      return code;
    json::Object outputs, kernels;
    if (ExitCode code = compare("artifact.so", {}, outputs); code != ExitCode::Ok)
      return code;
    bool agrees = true;
    for (const json::Value &output : *outputs.getArray("outputs"))
      agrees &= output.getAsObject()->getBoolean("agrees").value_or(false);
    if (!agrees || state.kernels) {
      if (ExitCode code = compileAs(Purpose::KernelResults, "kernels.so"); code != ExitCode::Ok)
        return code;
      if (ExitCode code = compare("kernels.so", {"--taps"}, kernels); code != ExitCode::Ok)
        return code;
      outputs["launches"] = std::move(*kernels.getArray("launches"));
    }
    outputs["agrees"] = agrees;
    if (state.json)
      llvm::outs() << json::Value(std::move(outputs)) << "\n";
    else
      print(outputs);
    return agrees ? ExitCode::Ok : ExitCode::Failed;
  }

private:
  /// Of each dim the largest size, dim by dim, with which sizes that must be equal are: false where
  /// none is found.
  bool chooseSizes(const ProgramSummary &summary) {
    std::vector<onnx::SizeExpr> differences;
    for (const auto &[first, second] : summary.agreements) {
      auto size = [](llvm::StringRef text) {
        int64_t number;
        return text.getAsInteger(10, number) ? onnx::SizeExpr::parse(text) : onnx::SizeExpr(number);
      };
      if (std::optional<onnx::SizeExpr> difference = size(first).minus(size(second)))
        differences.push_back(*difference);
    }
    std::vector<std::pair<std::string, DimSpec>> dims;
    for (const auto &[name, specs] : state.options.dims)
      dims.push_back({name, specs.front()});
    int64_t tries = int64_t(1) << 18;
    // Those before `next` are chosen: nothing that they decide alone differs.
    auto choose = [&](auto &again, size_t next) -> bool {
      for (const onnx::SizeExpr &difference : differences) {
        auto value = difference.evaluated([&](llvm::StringRef name) -> onnx::SizeExpr::Number {
          auto it = sizes.find(name.str());
          return it == sizes.end() ? std::nullopt : onnx::SizeExpr::Number(it->second);
        });
        if (!value || (value->constant() && *value->constant() != 0))
          return false;
      }
      if (next == dims.size())
        return true;
      const auto &[name, spec] = dims[next];
      for (int64_t size = spec.max; size >= spec.min && tries > 0; --size, --tries) {
        sizes[name] = size;
        if (again(again, next + 1))
          return true;
      }
      sizes.erase(name);
      return false;
    };
    return choose(choose, 0);
  }

  ExitCode compileAs(Purpose purpose, llvm::StringRef name, ProgramSummary *summary = nullptr) {
    CompileOptions options = state.options;
    options.purpose = purpose;
    if (purpose == Purpose::Reference) { // of the sizes that random inputs have, states among them
      options.states.clear();
      for (auto &[name, specs] : options.dims)
        specs.front().min = specs.front().max = sizes.at(name);
    }
    options.output = folder.file(name);
    CompileResult result = compile(options);
    printMessages(result.messages);
    if (summary)
      *summary = result.summary;
    if (result.code != ExitCode::Ok && purpose == Purpose::Reference)
      llvm::errs() << "error: there is no reference in f64 for this model; `burin test` compares "
                      "with outputs that you have\n";
    return result.code;
  }

  ExitCode compare(llvm::StringRef artifact, std::vector<std::string> more, json::Object &report) {
    std::vector<std::string> words{"verify",      folder.file(artifact),
                                   "--reference", folder.file("reference.so"),
                                   "--threads",   std::to_string(state.threads)};
    for (const std::string &input : state.inputs)
      words.insert(words.end(), {"-i", input});
    for (const auto &[name, specs] : state.options.dims)
      if (sizes.at(name) != specs.front().max) // which is burin-run's choice
        words.insert(words.end(), {"--dim", name + "=" + std::to_string(sizes.at(name))});
    for (auto [option, value] : {std::pair("--random", &state.random), std::pair("--rtol", &state.rtol),
                                 std::pair("--atol", &state.atol)})
      if (!value->empty())
        words.insert(words.end(), {option, *value});
    llvm::append_range(words, more);
    return askRunner(std::move(words), folder.file("report.json"), report);
  }

  //===- The report ---------------------------------------------------------===//

  static std::string text(const json::Object &object, llvm::StringRef key) {
    return printable(object.getString(key).value_or(""));
  }

  static std::string list(const json::Array &array) {
    return llvm::join(llvm::map_range(array, [](const json::Value &value) {
                        return value.getAsString() ? printable(*value.getAsString())
                                                   : llvm::formatv("{0}", value).str();
                      }), ", ");
  }

  /// "largest difference 1.2e-07, relative 3e-06, 14 ulp; at [0, 3] 0.1200001, reference 0.12"
  static std::string differenceText(const json::Object &found) {
    if (const json::Array *shape = found.getArray("expected_shape"))
      return "the reference's shape is [" + list(*shape) + "]";
    const json::Array *at = found.getArray("at");
    return "largest difference " + shortNumber(found, "max_abs") + ", relative " +
           shortNumber(found, "max_rel") + ", " + shortNumber(found, "max_ulp") + " ulp; at [" +
           (at ? list(*at) : "") + "] " + text(found, "actual") + ", reference " +
           text(found, "expected");
  }

  static std::string shortNumber(const json::Object &found, llvm::StringRef key) {
    std::optional<double> number = found.getNumber(key);
    char buffer[32] = "infinite";
    if (number)
      std::snprintf(buffer, sizeof buffer, "%.3g", *number);
    return buffer;
  }

  static std::string kernelText(const json::Object &launch) {
    const json::Array *nodes = launch.getArray("nodes");
    return "kernel '" + text(launch, "kernel") + "' (nodes " + (nodes ? list(*nodes) : "") + ")";
  }

  void print(const json::Object &report) const {
    for (const json::Value &value : *report.getArray("outputs")) {
      const json::Object &output = *value.getAsObject();
      bool agrees = output.getBoolean("agrees").value_or(false);
      llvm::outs() << (agrees ? "agrees   " : "DIFFERS  ") << text(output, "name") << " "
                   << text(output, "type") << ": ";
      if (!agrees && output.getInteger("mismatches"))
        llvm::outs() << *output.getInteger("mismatches") << " of "
                     << output.getInteger("elements").value_or(0) << " elements, ";
      llvm::outs() << differenceText(output) << "\n";
    }
    const json::Array *launches = report.getArray("launches");
    if (launches && state.kernels)
      printAll(*launches);
    if (launches && !report.getBoolean("agrees").value_or(false))
      printFirst(*launches);
  }

  static void printAll(const json::Array &launches) {
    for (const json::Value &value : launches) {
      const json::Object &launch = *value.getAsObject();
      llvm::outs() << llvm::left_justify(text(launch, "state"), 9) << kernelText(launch);
      if (text(launch, "state") != "unknown")
        llvm::outs() << " as '" << text(launch, "node") << "': " << shortNumber(launch, "max_abs")
                     << ", " << shortNumber(launch, "max_ulp") << " ulp";
      llvm::outs() << "\n";
    }
  }

  static void printFirst(const json::Array &launches) {
    size_t agreeing = 0;
    std::vector<std::string> unknown; // kernels since the last that agrees
    for (const json::Value &value : launches) {
      const json::Object &launch = *value.getAsObject();
      std::string verdict = text(launch, "state");
      if (verdict == "unknown") {
        unknown.push_back("'" + text(launch, "kernel") + "'");
        continue;
      }
      if (verdict == "agrees") {
        ++agreeing;
        unknown.clear();
        continue;
      }
      llvm::outs() << "first to differ: " << kernelText(launch) << ": its " << text(launch, "type")
                   << " as node '" << text(launch, "node") << "': " << differenceText(launch) << "\n"
                   << "  " << agreeing << " results before it agree\n";
      if (!unknown.empty())
        llvm::outs() << "  after the last of these, with results that are no node's: "
                     << llvm::join(unknown, ", ") << "\n";
      return;
    }
    llvm::outs() << "no kernel differs by itself: " << agreeing << " of " << launches.size()
                 << " results agree when all are kept apart, and the others are no node's. The memory "
                    "plan may be at fault: please report it with the model and the command line\n";
  }

  const State &state;
  TemporaryFolder folder;
  std::map<std::string, int64_t> sizes; // of the dims, as random inputs have them
};

} // namespace

void addVerify(CLI::App &app, Action &action) {
  auto state = std::make_shared<State>();
  CLI::App *verb = app.add_subcommand(
      "verify", "Compare what is compiled with an evaluation in f64, node by node; exit code 1 where "
                "they differ, with the kernel that differs first. Of variants each is "
                "verified by itself: one size or range of each --dim");
  verb->add_option("model", state->options.model, "ONNX file")->required();
  verb->add_option("-i", state->inputs, "An input: NAME=FILE (.npy or .pb); others are random")
      ->type_name("NAME=FILE");
  verb->add_option("--random", state->random, "Seed of random inputs (default: 0)")->type_name("SEED");
  verb->add_option("--rtol", state->rtol,
                   "Differences up to ATOL + RTOL * |reference| agree (default: 1e-3, or 4 units of "
                   "the type's precision)");
  verb->add_option("--atol", state->atol,
                   "... (default: 1e-4 of the tensor's largest value). Integers must be equal");
  verb->add_option("--threads", state->threads, "Worker threads; 0 is one per core")
      ->capture_default_str();
  verb->add_flag("--kernels", state->kernels, "Compare the results of all kernels, too");
  state->flags.add(*verb, state->options);
  CompileFlags::addStates(*verb, state->options);
  verb->add_flag("--json", state->json, "Report as JSON on standard output");
  verb->callback([state, &action] {
    state->flags.finish(state->options);
    for (const auto &[name, sizes] : state->options.dims)
      if (sizes.size() > 1)
        throw CLI::ValidationError("--dim", "verify takes one size or range of '" + name +
                                                "'; verify one variant after the other");
    action = [state] {
      llvm::Expected<TemporaryFolder> folder = TemporaryFolder::make();
      if (folder)
        return Verification(*state, std::move(*folder)).run();
      llvm::errs() << "error: " << llvm::toString(folder.takeError()) << "\n";
      return ExitCode::Failed;
    };
  });
}

} // namespace burin::cli
