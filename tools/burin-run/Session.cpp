// SPDX-License-Identifier: Apache-2.0
#include "Session.h"

#include "Profile.h"

#include "burin/load.h"

#include <cstdlib>
#include <cstring>
#include <ctime>

namespace burin::run {

static ExitCode exitCodeOf(burin_status status) {
  switch (status) {
  case BURIN_OK: return Ok;
  case BURIN_BAD_ARGUMENT: case BURIN_BAD_FILE: case BURIN_BAD_ABI:
  case BURIN_WEIGHTS_MISSING: case BURIN_WEIGHTS_TRUNCATED: case BURIN_WEIGHTS_OTHER:
  case BURIN_WEIGHTS_STALE: case BURIN_WEIGHTS_CORRUPT: return BadInput;
  case BURIN_UNSUPPORTED_CPU: return Unsupported;
  case BURIN_INTERNAL: return Internal;
  default: return Failed;
  }
}

std::vector<int64_t> shapeOf(const burin_tensor_info &info) {
  std::vector<int64_t> shape;
  for (uint32_t i = 0; i < info.rank; ++i)
    shape.push_back(info.shape[i] < 0 ? -1 : info.shape[i]);
  return shape;
}

std::vector<int64_t> shapeOf(const burin_tensor_info &info, const std::vector<int64_t> &sizes) {
  std::vector<int64_t> shape;
  for (uint32_t i = 0; i < info.rank; ++i)
    shape.push_back(info.shape[i] < 0 ? sizes[size_t(-1 - info.shape[i])] : info.shape[i]);
  return shape;
}

Session::Session(const std::string &path, uint32_t threads, const std::string &weights)
    : weights(weights) {
  std::string why(512, '\0');
  burin_status status = burin_load(path.c_str(), nullptr, &library, &table, why.data(), why.size());
  if (status)
    throw Error{exitCodeOf(status), why.c_str()};
  try {
    uint32_t inputCount = 0, outputCount = 0;
    table->describe(table, &inputCount, &outputCount);
    inputInfos.resize(inputCount);
    outputInfos.resize(outputCount);
    for (uint32_t i = 0; i < inputCount; ++i)
      table->input(table, i, &inputInfos[i]);
    for (uint32_t i = 0; i < outputCount; ++i)
      table->output(table, i, &outputInfos[i]);
    for (burin_dim_info dim; !table->dim(table, uint32_t(dimInfos.size()), &dim);)
      dimInfos.push_back(dim);
    for (burin_state_info state; !table->state(table, uint32_t(stateInfos.size()), &state);)
      stateInfos.push_back(state);
    takeDims({});
    isRandom.assign(inputCount, false);

    if (threads != 1) {
      status = table->pool_create(threads, &pool);
      if (status)
        throw Error{exitCodeOf(status), format("cannot start %u threads: %s", threads,
                                               burin_status_text(status))};
      workers = table->pool_workers(pool);
    }
    status = table->memory(table, workers, &need);
    if (status)
      throw Error{exitCodeOf(status), format("the memory of %u threads passes any limit", workers)};
    arena = Memory(need.bytes);
  } catch (...) {
    close();
    throw;
  }
}

void Session::close() {
  if (context)
    table->destroy(context);
  if (pool)
    table->pool_destroy(pool);
  burin_unload(library);
}

Session::~Session() { close(); }

std::vector<uint64_t> Session::parts() const {
  std::vector<uint64_t> parts;
  for (uint32_t i = 0; pool && i < workers; ++i)
    parts.push_back(table->pool_parts(pool, i));
  return parts;
}

std::vector<Memory> Session::makeOutputs() const {
  std::vector<Memory> memories;
  for (const burin_tensor_info &info : outputInfos)
    memories.emplace_back(info.max_bytes);
  return memories;
}

Batch Session::makeBatch(const std::vector<Tensor> &inputs, const std::vector<Memory> &outputs,
                         uint32_t requests) const {
  Batch batch;
  batch.requests = requests;
  batch.sizes = sizes;
  for (const Tensor &tensor : inputs)
    batch.shapes.push_back(tensor.shape);
  for (uint32_t r = 0; r < requests; ++r)
    for (size_t i = 0; i < inputs.size(); ++i)
      batch.inputs.push_back({inputs[i].memory.data(), inputs[i].memory.bytes(),
                              batch.shapes[i].data(), uint32_t(batch.shapes[i].size()),
                              inputs[i].dtype});
  for (const Memory &memory : outputs)
    batch.outputs.push_back({memory.data(), memory.bytes(), nullptr, 0, 0});
  return batch;
}

burin_options Session::options() {
  burin_options options{};
  options.arena = arena.data();
  options.arena_bytes = arena.bytes();
  options.workers = workers;
  options.pool = pool;
  options.weights_path = weights.empty() ? nullptr : weights.c_str();
  options.log = [](void *user, burin_status, const char *text) {
    static_cast<Session *>(user)->message = text;
  };
  options.user = this;
  return options;
}

void Session::verifyWeights() {
  burin_options all = options();
  all.flags = BURIN_VERIFY_WEIGHTS;
  burin_weights *opened = nullptr;
  burin_status status = table->weights_open(table, &all, &opened);
  if (status)
    throw Error{exitCodeOf(status), message};
  table->weights_close(opened);
}

void Session::create(Profile *listener) {
  profile = listener;
  burin_options options = this->options();
  if (profile)
    options.profile = [](void *user, const burin_event *event) {
      static_cast<Session *>(user)->profile->take(*event);
    };
  burin_status status = table->create(table, &options, &context);
  if (status)
    throw Error{exitCodeOf(status), message};
}

void Session::destroy() {
  table->destroy(context);
  context = nullptr;
}

bool Session::growsWithState(uint32_t input) const {
  const burin_tensor_info &info = inputInfos[input];
  for (uint32_t k = 0; isRandom[input] && k < info.rank; ++k)
    if (info.shape[k] < 0 && dimInfos[size_t(-1 - info.shape[k])].kind != BURIN_DIM_FREE)
      return true;
  return false;
}

void Session::followStates(Batch &batch) {
  for (uint32_t i = 0; i < stateInfos.size(); ++i) {
    if (stateInfos[i].axis < 0)
      continue;
    uint32_t dim = stateInfos[i].dim;
    if (isFixed[dim])
      table->state_set_length(context, i, sizes[dim]);
    table->state_data(context, i, nullptr, &batch.sizes[dim]);
  }
  // A length that the model does not take is what the run will say.
  if (table->sizes(table, batch.sizes.data()) != BURIN_OK)
    return;
  for (uint32_t i = 0; i < inputInfos.size(); ++i) {
    if (!growsWithState(i))
      continue;
    const burin_tensor_info &info = inputInfos[i];
    for (uint32_t k = 0; k < info.rank; ++k)
      if (info.shape[k] < 0)
        batch.shapes[i][k] = batch.sizes[size_t(-1 - info.shape[k])];
    uint64_t bytes = elementCount(batch.shapes[i]) * typeInfo(info.dtype)->bytes;
    for (uint32_t r = 0; r < batch.requests; ++r)
      batch.inputs[r * inputInfos.size() + i].bytes = bytes;
  }
}

burin_status Session::tryRun(Batch &batch) {
  if (!stateInfos.empty())
    followStates(batch);
  return table->run_batch(context, batch.requests, batch.inputs.data(), uint32_t(inputInfos.size()),
                          batch.outputs.data(), uint32_t(outputInfos.size()));
}

void Session::run(Batch &batch) {
  if (burin_status status = tryRun(batch))
    throw Error{exitCodeOf(status), message};
}

void Session::runForever(Batch &batch) {
  burin_status status = tryRun(batch);
  if (status == BURIN_STATE_FULL && !table->reset(context))
    status = tryRun(batch);
  if (status)
    throw Error{exitCodeOf(status), message};
}

/// Copies rows between a dense tensor and a state, which has room for more of them along `axis`.
static void copyRows(const burin_state_info &state, const std::vector<int64_t> &shape,
                     unsigned char *inState, unsigned char *dense, bool intoState) {
  uint64_t inner = typeInfo(state.tensor.dtype)->bytes, outer = 1;
  uint32_t axis = state.axis < 0 ? 0 : uint32_t(state.axis);
  for (uint32_t i = 0; i < state.tensor.rank; ++i)
    (i < axis ? outer : inner) *= uint64_t(i == axis && state.axis >= 0 ? 1 : shape[i]);
  uint64_t bytes = state.axis < 0 ? inner : inner * uint64_t(shape[axis]);
  uint64_t stride = state.axis < 0 ? inner : inner * uint64_t(state.tensor.shape[axis]);
  for (uint64_t i = 0; bytes && i < outer; ++i)
    memcpy(intoState ? inState + i * stride : dense + i * bytes,
           intoState ? dense + i * bytes : inState + i * stride, bytes);
}

void Session::putState(uint32_t index, const Tensor &rows) {
  const burin_state_info &state = stateInfos[index];
  void *data = nullptr;
  table->state_data(context, index, &data, nullptr);
  copyRows(state, rows.shape, static_cast<unsigned char *>(data), rows.memory.data(), true);
  if (state.axis >= 0 &&
      table->state_set_length(context, index, rows.shape[size_t(state.axis)]) != BURIN_OK)
    throw Error{Internal, table->message(context)};
}

Tensor Session::takeState(uint32_t index) const {
  const burin_state_info &state = stateInfos[index];
  void *data = nullptr;
  int64_t length = 0;
  table->state_data(context, index, &data, &length);
  Tensor tensor;
  tensor.dtype = state.tensor.dtype;
  tensor.shape = shapeOf(state.tensor);
  if (state.axis >= 0)
    tensor.shape[size_t(state.axis)] = length;
  tensor.memory = Memory(elementCount(tensor.shape) * typeInfo(tensor.dtype)->bytes);
  copyRows(state, tensor.shape, static_cast<unsigned char *>(data), tensor.memory.data(), false);
  return tensor;
}

std::vector<int64_t> Session::outputShape(size_t index) const {
  std::vector<int64_t> shape(outputInfos[index].rank);
  table->output_shape(context, uint32_t(index), shape.data());
  return shape;
}

//===- Measures and reports ---------------------------------------------------===//

uint64_t peakRss() {
  // Not getrusage: its figure survives exec, and so would be the compiler's.
  uint64_t kilobytes = 0;
  if (FILE *file = fopen("/proc/self/status", "r")) {
    char line[256];
    while (fgets(line, sizeof line, file))
      if (strncmp(line, "VmHWM:", 6) == 0)
        kilobytes = strtoull(line + 6, nullptr, 10);
    fclose(file);
  }
  return kilobytes * 1024;
}

static double milliseconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return double(now.tv_sec) * 1e3 + double(now.tv_nsec) * 1e-6;
}

double wallMs() { return milliseconds(CLOCK_MONOTONIC); }
double cpuMs() { return milliseconds(CLOCK_PROCESS_CPUTIME_ID); }

std::string json(const std::string &text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      result += format("\\u%04x", unsigned(c));
    else
      result += c;
  }
  return result + '"';
}

std::string jsonSizes(const std::vector<int64_t> &sizes) {
  return jsonList(sizes, [](int64_t size) { return std::to_string(size); });
}

} // namespace burin::run
