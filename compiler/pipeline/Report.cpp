// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/Report.h"

#include "compiler/pipeline/Certificate.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

namespace burin {
namespace {

namespace json = llvm::json;

int64_t number(uint64_t value) { return int64_t(std::min<uint64_t>(value, INT64_MAX)); }

json::Object launchData(const LaunchCost &launch, const ProgramCost &program,
                        const CompileResult &result, const Machine &machine) {
  Roofline roofline =
      rooflineOf(launch.work, machine, result.summary.weightsBytes, program.activationBytes);
  json::Array nodes;
  for (const std::string &node : launch.nodes)
    nodes.push_back(json::fixUTF8(node));
  return json::Object{{"kernel", launch.kernel},
                      {"nodes", std::move(nodes)},
                      {"reads_from", json::Array(launch.readsFrom)},
                      {"flops", number(launch.work.flops)},
                      {"weight_bytes", number(launch.work.weightBytes)},
                      {"read_bytes", number(launch.work.readBytes)},
                      {"written_bytes", number(launch.work.writtenBytes)},
                      {"at_least", launch.work.isAtLeast},
                      {"roofline_us", roofline.seconds() * 1e6},
                      {"bound", roofline.isComputeBound() ? "compute" : "memory"}};
}

json::Object programData(const ProgramCost &program, const CompileResult &result,
                         const Machine &machine) {
  json::Array launches, tensors;
  for (const LaunchCost &launch : program.launches)
    launches.push_back(launchData(launch, program, result, machine));
  for (const PlannedTensor &tensor : program.tensors)
    tensors.push_back(json::Object{{"node", json::fixUTF8(tensor.node)},
                                   {"type", tensor.type},
                                   {"offset", number(tensor.offset)},
                                   {"bytes", number(tensor.bytes)},
                                   {"begin", tensor.begin},
                                   {"end", tensor.end}});
  return json::Object{{"sizes", json::fixUTF8(program.sizes)},
                      {"activation_bytes", number(program.activationBytes)},
                      {"launches", std::move(launches)},
                      {"tensors", std::move(tensors)}};
}

} // namespace

json::Object reportData(const CompileOptions &options, const CompileResult &result,
                        const Machine &machine) {
  json::Array phases, programs;
  for (const auto &[name, seconds] : result.phaseSeconds)
    phases.push_back(json::Object{{"name", name}, {"seconds", seconds}});
  for (const ProgramCost &program : result.programs)
    programs.push_back(programData(program, result, machine));
  json::Object kernels;
  for (const auto &[name, mix] : result.kernels) {
    std::optional<double> share = mix.vectorShare();
    kernels[name] = json::Object{{"code_bytes", number(mix.bytes)},
                                 {"vector_share", share ? json::Value(*share) : nullptr}};
  }
  uint64_t artifactBytes = 0;
  (void)llvm::sys::fs::file_size(options.output, artifactBytes);
  return json::Object{
      {"model", json::fixUTF8(llvm::sys::path::filename(options.model))},
      {"command", json::fixUTF8(result.command)},
      {"compiler", "burin " BURIN_VERSION},
      {"target", result.target},
      {"machine", machine.json()},
      {"artifact_bytes", number(artifactBytes)},
      {"memory", memoryReport(result.summary)},
      {"phases", std::move(phases)},
      {"kernels", std::move(kernels)},
      {"programs", std::move(programs)}};
}

} // namespace burin
