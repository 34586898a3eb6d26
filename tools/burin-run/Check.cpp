// SPDX-License-Identifier: Apache-2.0
//
// check: data sets in the layout of ONNX's backend tests, one line each:
//
//   PASS FOLDER max_error=E
//   FAIL FOLDER reason

#include "Commands.h"
#include "Compare.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <dirent.h>
#include <memory>
#include <unistd.h>

namespace burin::run {
namespace {

char timeoutLine[64];

void timedOut(int) {
  // What is buffered is lost; each line is flushed when it is written.
  (void)!write(STDOUT_FILENO, timeoutLine, strlen(timeoutLine));
  _exit(Failed);
}

/// How many files PREFIX_0.pb, PREFIX_1.pb, ... the folder has.
size_t countFiles(const std::string &folder, const char *prefix) {
  size_t count = 0;
  while (access(format("%s/%s_%zu.pb", folder.c_str(), prefix, count).c_str(), F_OK) == 0)
    ++count;
  return count;
}

void requireFolder(const std::string &folder) {
  DIR *directory = opendir(folder.c_str());
  if (!directory)
    throw Error{BadInput, "no such folder"};
  closedir(directory);
}

/// "[1,0,7]" of a row-major index.
std::string position(uint64_t index, const std::vector<int64_t> &shape) {
  std::vector<int64_t> at(shape.size());
  for (size_t i = shape.size(); i-- > 0;) {
    at[i] = int64_t(index % uint64_t(shape[i]));
    index /= uint64_t(shape[i]);
  }
  return jsonSizes(at);
}

/// Runs one data set; returns the largest error. Throws what does not agree.
double checkOne(Session &session, const std::string &folder, const Flags &flags) {
  requireFolder(folder);
  size_t have = countFiles(folder, "input"), want = session.inputs().size();
  if (have != want)
    throw Error{Failed, format("the data set has %zu inputs, the model %zu", have, want)};
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < want; ++i)
    inputs.push_back(readTensor(format("%s/input_%zu.pb", folder.c_str(), i)));
  std::vector<Memory> outputs = session.makeOutputs();
  Batch batch = session.makeBatch(inputs, outputs);
  session.run(batch);

  double maxError = 0;
  size_t expectedCount = countFiles(folder, "output");
  if (expectedCount != outputs.size())
    throw Error{Failed, format("the data set has %zu outputs, the model %zu", expectedCount,
                               outputs.size())};
  for (size_t i = 0; i < expectedCount; ++i) {
    Tensor expected = readTensor(format("%s/output_%zu.pb", folder.c_str(), i));
    const burin_tensor_info &info = session.outputs()[i];
    std::vector<int64_t> shape = session.outputShape(i);
    if (expected.dtype != info.dtype || expected.shape != shape)
      throw Error{Failed, format("output %zu '%s' is %s, expected %s", i, info.name,
                                 describe(info.dtype, shape).c_str(),
                                 describe(expected.dtype, expected.shape).c_str())};
    uint64_t count = elementCount(shape);
    const TypeInfo &type = *typeInfo(info.dtype);
    Difference result = difference(type, outputs[i].data(), type, expected.memory.data(), count,
                                   {flags.tolerance.rtol.value_or(1e-3),
                                    flags.tolerance.atol.value_or(1e-7)});
    if (result.mismatches)
      throw Error{Failed, format("output %zu '%s' %s: %llu of %llu elements differ, at %s by most: "
                                 "%s, expected %s; max_error=%g",
                                 i, info.name, describe(info.dtype, shape).c_str(),
                                 (unsigned long long)result.mismatches, (unsigned long long)count,
                                 position(result.worstIndex, shape).c_str(),
                                 result.actual.c_str(), result.expected.c_str(), result.maxAbs)};
    maxError = std::max(maxError, result.maxAbs);
  }
  return maxError;
}

/// One line, whatever the text.
std::string flat(std::string text) {
  for (char &c : text)
    if (c == '\n' || c == '\r')
      c = ' ';
  return text;
}

} // namespace

ExitCode check(const Flags &flags) {
  if (flags.rest.empty())
    throw Error{BadInput, "no data set is given: name folders with input_0.pb, output_0.pb, ..."};
  if (flags.timeout) {
    snprintf(timeoutLine, sizeof timeoutLine, "FAIL timeout: no answer in %u s\n", flags.timeout);
    signal(SIGALRM, timedOut);
    alarm(flags.timeout);
  }
  std::unique_ptr<Session> session;
  ExitCode code = Ok;
  for (const std::string &folder : flags.rest) {
    try {
      if (!session) {
        auto made = std::make_unique<Session>(flags.model, flags.threads);
        made->create();
        session = std::move(made);
      }
      double maxError = checkOne(*session, folder, flags);
      printf("PASS %s max_error=%g\n", flat(folder).c_str(), maxError);
    } catch (const Error &error) {
      printf("FAIL %s %s\n", flat(folder).c_str(), flat(error.message).c_str());
      if (code == Ok || code == Failed)
        code = error.code == Ok ? Failed : error.code;
    }
    fflush(stdout);
  }
  return code;
}

} // namespace burin::run
