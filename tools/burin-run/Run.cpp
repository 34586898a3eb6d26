// SPDX-License-Identifier: Apache-2.0
//
// run: one request, or the same again and again; the last outputs to files.

#include "Commands.h"

#include <cerrno>
#include <cstring>
#include <sys/stat.h>

namespace burin::run {

/// As `mkdir -p`.
static void makeFolder(const std::string &path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1))
    mkdir(path.substr(0, slash).c_str(), 0777);
  struct stat status;
  if (mkdir(path.c_str(), 0777) != 0 &&
      (stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)))
    throw Error{BadInput, "cannot make the folder '" + path + "': " + strerror(errno)};
}

ExitCode runModel(const Flags &flags) {
  if (flags.output.empty())
    throw Error{BadInput, "-o OUTDIR is missing: the folder for the outputs"};
  Session session(flags.model, flags.threads, flags.weights);
  std::vector<Tensor> inputs = session.makeInputs(flags.inputs);
  std::vector<Memory> outputs = session.makeOutputs();
  Batch batch = session.makeBatch(inputs, outputs);
  session.create();
  double begin = wallMs();
  session.run(batch);
  double taken = wallMs() - begin;
  for (uint32_t step = 1; step < flags.steps; ++step)
    session.run(batch);

  makeFolder(flags.output);
  std::vector<std::string> names, lines;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const burin_tensor_info &info = session.outputs()[i];
    std::vector<int64_t> shape = session.outputShape(i);
    std::string path = writeTensor(flags.output, info.name, info.dtype, shape, outputs[i].data(),
                                   names);
    if (flags.json)
      lines.push_back("{\"name\": " + json(info.name) + ", \"dtype\": " +
                      json(typeInfo(info.dtype)->name) + ", \"shape\": " + jsonSizes(shape) +
                      ", \"file\": " + json(path) + "}");
    else
      printf("%s  %s  %s\n", info.name, describe(info.dtype, shape).c_str(), path.c_str());
  }
  if (flags.json)
    printf("{\"outputs\": %s, \"first_ms\": %.6f, \"threads\": %u, \"worker_parts\": %s, "
           "\"arena_bytes\": %llu, \"weights_bytes\": %llu, \"peak_rss_bytes\": %llu}\n",
           jsonList(lines, [](const std::string &line) { return line; }).c_str(), taken,
           session.threads(),
           jsonList(session.parts(), [](uint64_t n) { return std::to_string(n); }).c_str(),
           (unsigned long long)session.memory().bytes,
           (unsigned long long)session.memory().weights, (unsigned long long)peakRss());
  return Ok;
}

} // namespace burin::run
