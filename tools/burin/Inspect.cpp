// SPDX-License-Identifier: Apache-2.0
//
// inspect says what an artifact or a model is, without running it.

#include "compiler/pipeline/Explain.h"
#include "tools/burin/Commands.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace burin::cli {
namespace {

struct State {
  CompileOptions options;
  CompileFlags flags;
  bool json = false, verify = false;
};

ExitCode inspectModel(State &state) {
  ModelReport report = explain(state.options);
  auto tensors = [](const std::vector<TensorReport> &list) {
    llvm::json::Array array;
    for (const TensorReport &tensor : list)
      array.push_back(llvm::json::Object{{"name", llvm::json::fixUTF8(tensor.name)},
                                         {"type", tensor.type}});
    return array;
  };
  if (state.json) {
    llvm::outs() << llvm::json::Value(llvm::json::Object{
                        {"exit_code", int64_t(report.code)},
                        {"ir_version", report.import.irVersion},
                        {"opset", report.import.opset},
                        {"producer", llvm::json::fixUTF8(report.import.producer)},
                        {"nodes", int64_t(report.import.nodes)},
                        {"initializers", int64_t(report.import.initializers)},
                        {"weight_bytes", int64_t(report.import.weightBytes)},
                        {"inputs", tensors(report.inputs)},
                        {"outputs", tensors(report.outputs)}})
                 << "\n";
    return report.code;
  }
  llvm::outs() << state.options.model << ": ONNX, IR version " << report.import.irVersion
               << ", opset " << report.import.opset << ", made by "
               << (report.import.producer.empty() ? "?" : printable(report.import.producer)) << "\n"
               << "  " << report.import.nodes << " nodes, " << report.import.initializers
               << " initialisers, " << humanBytes(report.import.weightBytes) << " of weights\n";
  for (const TensorReport &tensor : report.inputs)
    llvm::outs() << "  input   " << printable(tensor.name) << ": " << tensor.type << "\n";
  for (const TensorReport &tensor : report.outputs)
    llvm::outs() << "  output  " << printable(tensor.name) << ": " << tensor.type << "\n";
  printMessages(report.messages);
  return report.code;
}

/// An artifact is described by burin-run, which knows how to open one.
ExitCode inspectArtifact(const State &state) {
  std::string runner = runnerPath();
  std::vector<std::string> args{runner, "inspect", state.options.model};
  if (state.json)
    args.push_back("--json");
  if (state.verify)
    args.push_back("--verify");
  if (!state.options.weights.empty())
    args.insert(args.end(), {"--weights", state.options.weights});
  std::vector<char *> pointers;
  for (std::string &arg : args)
    pointers.push_back(arg.data());
  pointers.push_back(nullptr);
  execv(runner.c_str(), pointers.data());
  llvm::errs() << "error: cannot start '" << runner << "': " << std::strerror(errno) << "\n";
  return ExitCode::Failed;
}

} // namespace

void addInspect(CLI::App &app, Action &action) {
  auto state = std::make_shared<State>();
  CLI::App *verb = app.add_subcommand(
      "inspect", "Say what a model or an artifact is: inputs, outputs, memory, kernels");
  verb->add_option("file", state->options.model, "MODEL.so or MODEL.onnx")->required();
  state->flags.add(*verb, state->options);
  verb->add_flag("--verify", state->verify,
                 "Check an artifact's files of weights by their checksums and SHA-256");
  verb->add_flag("--json", state->json, "Report as JSON on standard output");
  verb->callback([state, &action] {
    state->flags.finish(state->options);
    action = [state] {
      llvm::StringRef file(state->options.model);
      return file.ends_with(".onnx") || file.ends_with(".onnxtxt") ? inspectModel(*state)
                                                                   : inspectArtifact(*state);
    };
  });
}

} // namespace burin::cli
