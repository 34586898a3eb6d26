// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/Explain.h"
#include "tools/burin/Cost.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

namespace burin::cli {
namespace {

struct State {
  CompileOptions options;
  CompileFlags flags;
  CostFlags costFlags;
  bool json = false, cost = false;
};

/// `hasKernels`: whether the model came as far as kernels.
std::string kernelsOf(const NodeReport &node, bool hasKernels) {
  if (!node.supported)
    return "NOT SUPPORTED";
  if (!hasKernels)
    return "-";
  return node.kernels.empty() ? "(folded or a view)" : llvm::join(node.kernels, ",");
}

void printJson(const ModelReport &report) {
  llvm::json::Array nodes;
  for (const NodeReport &node : report.nodes)
    nodes.push_back(llvm::json::Object{{"name", llvm::json::fixUTF8(node.name)},
                                       {"op", node.op},
                                       {"family", node.family},
                                       {"result", node.result},
                                       {"supported", node.supported},
                                       {"reason", llvm::json::fixUTF8(node.reason)},
                                       {"kernels", llvm::json::Array(node.kernels)},
                                       {"flops", int64_t(node.flops)},
                                       {"bytes", int64_t(node.bytes)}});
  llvm::json::Array messages;
  for (const Message &message : report.messages)
    messages.push_back(llvm::json::fixUTF8(message.text));
  llvm::outs() << llvm::json::Value(llvm::json::Object{{"exit_code", int64_t(report.code)},
                                                       {"nodes", std::move(nodes)},
                                                       {"messages", std::move(messages)}})
               << "\n";
}

ExitCode run(State &state) {
  ModelReport report = explain(state.options);
  if (state.json) {
    printJson(report);
    return report.code;
  }
  size_t nameWidth = 4, opWidth = 4, resultWidth = 6;
  for (const NodeReport &node : report.nodes) {
    nameWidth = std::max(nameWidth, std::min<size_t>(node.name.size(), 40));
    opWidth = std::max(opWidth, node.op.size());
    resultWidth = std::max(resultWidth, node.result.size());
  }
  uint64_t flops = 0, unsupported = 0;
  for (const NodeReport &node : report.nodes) {
    std::string name = node.name.size() > 40 ? node.name.substr(node.name.size() - 40) : node.name;
    llvm::outs() << llvm::left_justify(printable(name), nameWidth) << "  "
                 << llvm::left_justify(node.op, opWidth) << "  "
                 << llvm::left_justify(node.result, resultWidth) << "  "
                 << llvm::formatv("{0,14:N0} FLOP {1,12}  ", node.flops, humanBytes(node.bytes))
                 << kernelsOf(node, report.code == ExitCode::Ok) << "\n";
    flops += node.flops;
    unsupported += !node.supported;
  }
  if (!report.nodes.empty())
    llvm::outs() << report.nodes.size() << " nodes, " << unsupported << " not supported, "
                 << llvm::formatv("{0:F3} GFLOP\n", double(flops) / 1e9);
  printMessages(report.messages);
  return report.code;
}

/// One program is measured, and its costs listed.
void checkOne(const CompileOptions &options) {
  for (const auto &[name, sizes] : options.dims)
    if (sizes.size() > 1)
      throw CLI::ValidationError("--dim", "--cost takes one size or range of '" + name + "'; ask for one variant after the other");
  if (llvm::StringRef(options.cpu).contains(','))
    throw CLI::ValidationError("--cpu", "--cost takes one CPU");
}

} // namespace

void addExplain(CLI::App &app, Action &action) {
  auto state = std::make_shared<State>();
  CLI::App *verb = app.add_subcommand(
      "explain", "Say of each node what computes it, its FLOPs and bytes, or why it is not supported");
  verb->add_option("model", state->options.model, "ONNX file")->required();
  state->flags.add(*verb, state->options);
  CompileFlags::addStates(*verb, state->options);
  verb->add_flag("--cost", state->cost,
                 "Say of each kernel what it does, how long that takes on this machine, how long it takes at least, "
                 "and how much of it is vector code; of one size or range of each --dim, and one CPU");
  verb->add_option("--seconds", state->costFlags.seconds, "With --cost: how long to measure; 0: estimates alone")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  state->costFlags.addMachine(*verb);
  verb->add_flag("--json", state->json, "Report as JSON on standard output");
  verb->callback([state, verb, &action] {
    state->flags.finish(state->options);
    if (state->cost)
      checkOne(state->options);
    else
      for (const char *option : {"--seconds", "--machine", "--state"})
        if (verb->count(option))
          throw CLI::ValidationError(option, "goes with --cost");
    action = [state] {
      return state->cost ? explainCost(state->options, state->costFlags, state->json) : run(*state);
    };
  });
}

} // namespace burin::cli
