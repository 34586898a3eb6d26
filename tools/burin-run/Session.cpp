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
  for (uint32_t r = 0; r < requests; ++r)
    for (const Tensor &tensor : inputs)
      batch.inputs.push_back({tensor.memory.data(), tensor.memory.bytes(), tensor.shape.data(),
                              uint32_t(tensor.shape.size()), tensor.dtype});
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

burin_status Session::tryRun(const Batch &batch) {
  return table->run_batch(context, batch.requests, batch.inputs.data(), uint32_t(inputInfos.size()),
                          batch.outputs.data(), uint32_t(outputInfos.size()));
}

void Session::run(const Batch &batch) {
  if (burin_status status = tryRun(batch))
    throw Error{exitCodeOf(status), message};
}

void Session::runForever(const Batch &batch) {
  burin_status status = tryRun(batch);
  if (status == BURIN_STATE_FULL && !table->reset(context))
    status = tryRun(batch);
  if (status)
    throw Error{exitCodeOf(status), message};
}

std::vector<int64_t> Session::outputShape(size_t index) const {
  std::vector<int64_t> shape(outputInfos[index].rank);
  table->output_shape(context, uint32_t(index), shape.data());
  return shape;
}

//===- Inputs -----------------------------------------------------------------===//

namespace {

std::string signature(const std::vector<burin_tensor_info> &infos) {
  std::string text;
  for (const burin_tensor_info &info : infos)
    text += "\n  " + std::string(info.name) + "  " + describe(info.dtype, shapeOf(info));
  return text;
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
uint64_t splitMix(uint64_t &state) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// Stores a float64, bfloat16 (cut off) or float32, or half of a complex number.
void putFloat(const TypeInfo &type, float value, unsigned char *to) {
  if (type.dtype == BURIN_F64 || type.dtype == BURIN_C128) {
    double wide = value;
    memcpy(to, &wide, 8);
  } else if (type.dtype == BURIN_BF16) {
    memcpy(to, reinterpret_cast<unsigned char *>(&value) + 2, 2);
  } else {
    memcpy(to, &value, 4);
  }
}

} // namespace

/// Floats are uniform in [-1, 1), bytes take any value, wider integers (often indices or
/// masks) 0 or 1.
Tensor Session::randomInput(size_t index, uint64_t seed, const std::vector<int64_t> &sizes) const {
  const burin_tensor_info &info = inputInfos[index];
  const TypeInfo *type = typeInfo(info.dtype);
  if (!type)
    throw Error{Unsupported, std::string("input '") + info.name + "' cannot be made at random"};
  Tensor tensor;
  tensor.dtype = info.dtype;
  for (uint32_t i = 0; i < info.rank; ++i)
    tensor.shape.push_back(info.shape[i] < 0 ? sizes[size_t(-1 - info.shape[i])] : info.shape[i]);
  uint64_t count = elementCount(tensor.shape);
  tensor.memory = Memory(count * type->bytes);
  unsigned char *at = tensor.memory.data();
  uint64_t state = seed * 0x9e3779b97f4a7c15u + index;
  for (uint64_t i = 0; i < count; ++i, at += type->bytes) {
    uint64_t number = splitMix(state);
    float uniform = float(int64_t(number) >> 40) / float(1 << 23);
    switch (type->kind) {
    case Kind::Complex:
      putFloat(*type, uniform, at);
      putFloat(*type, float(int32_t(number) >> 8) / float(1 << 23), at + type->bytes / 2);
      break;
    case Kind::Float:
      if (type->dtype == BURIN_F16) {
        // Sign and fraction at random, exponents -4 to -1.
        uint16_t half = uint16_t((number & 0x83ff) | (11 + (number >> 16) % 4) << 10);
        memcpy(at, &half, 2);
      } else if (type->bits <= 8) {
        // The sign and the low half of the bits: small, never NaN or infinite.
        *at = static_cast<unsigned char>(number & (type->bits < 8 ? 0x7 : 0xb7));
      } else {
        putFloat(*type, uniform, at);
      }
      break;
    case Kind::Bool:
      *at = number & 1;
      break;
    case Kind::Signed: case Kind::Unsigned:
      if (type->bits == 8) {
        *at = static_cast<unsigned char>(number);
      } else {
        number &= 1;
        memcpy(at, &number, type->bytes);
      }
      break;
    }
  }
  return tensor;
}

static std::vector<int64_t> dimSizes(const std::vector<burin_dim_info> &dims,
                                     const std::vector<std::string> &flags) {
  std::vector<int64_t> sizes;
  for (const burin_dim_info &dim : dims)
    sizes.push_back(dim.max);
  for (const std::string &flag : flags) {
    size_t equals = flag.rfind('=');
    std::string name = flag.substr(0, equals);
    char *end = nullptr;
    const char *text = equals == std::string::npos ? "" : flag.c_str() + equals + 1;
    int64_t size = strtoll(text, &end, 10);
    if (!*text || *end)
      throw Error{BadInput, "--dim takes NAME=SIZE, not '" + flag + "'"};
    size_t found = dims.size();
    for (size_t i = 0; i < dims.size(); ++i)
      if (name == dims[i].name)
        found = i;
    if (found == dims.size())
      throw Error{BadInput, "the model has no dim '" + name + "'"};
    if (size < dims[found].min || size > dims[found].max)
      throw Error{BadInput, format("dim '%s' takes %lld to %lld, not %lld", name.c_str(),
                                   (long long)dims[found].min, (long long)dims[found].max,
                                   (long long)size)};
    sizes[found] = size;
  }
  return sizes;
}

std::vector<Tensor> Session::makeInputs(const InputFlags &flags) const {
  std::vector<std::string> paths(inputInfos.size());
  for (const std::string &flag : flags.files) {
    size_t found = inputInfos.size();
    std::string path;
    // Names may hold '=', so that the model's own are tried; the longest wins.
    size_t longest = 0;
    for (size_t i = 0; i < inputInfos.size(); ++i) {
      size_t length = strlen(inputInfos[i].name);
      if (flag.size() > length && flag.compare(0, length, inputInfos[i].name) == 0 &&
          flag[length] == '=' && (found == inputInfos.size() || length > longest)) {
        found = i;
        longest = length;
        path = flag.substr(length + 1);
      }
    }
    if (found == inputInfos.size()) {
      if (inputInfos.size() != 1 || flag.find('=') != std::string::npos)
        throw Error{BadInput, "-i takes NAME=FILE; '" + flag + "' names none of the inputs:" +
                                  signature(inputInfos)};
      found = 0;
      path = flag;
    }
    if (!paths[found].empty())
      throw Error{BadInput, std::string("input '") + inputInfos[found].name + "' is given twice"};
    paths[found] = path;
  }

  std::string missing;
  std::vector<int64_t> sizes = dimSizes(dimInfos, flags.dims);
  std::vector<Tensor> tensors;
  for (size_t i = 0; i < inputInfos.size(); ++i) {
    const burin_tensor_info &info = inputInfos[i];
    if (paths[i].empty()) {
      if (flags.random)
        tensors.push_back(randomInput(i, *flags.random, sizes));
      else
        missing += "\n  -i " + std::string(info.name) + "=FILE  " +
                   describe(info.dtype, shapeOf(info));
      continue;
    }
    Tensor tensor = readTensor(paths[i]);
    std::vector<int64_t> expected = shapeOf(info);
    bool fits = tensor.dtype == info.dtype && tensor.shape.size() == expected.size();
    for (size_t k = 0; fits && k < expected.size(); ++k)
      fits = expected[k] < 0 || expected[k] == tensor.shape[k];
    if (!fits)
      throw Error{BadInput, std::string("input '") + info.name + "' is " +
                                describe(info.dtype, expected) + ", but '" + paths[i] +
                                "' holds " + describe(tensor.dtype, tensor.shape)};
    tensors.push_back(std::move(tensor));
  }
  if (!missing.empty())
    throw Error{BadInput, "these inputs have no value (give them, or --random SEED):" + missing};
  return tensors;
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
