// SPDX-License-Identifier: Apache-2.0
//
// An artifact that is loaded and ready to run.

#ifndef BURIN_RUN_SESSION_H
#define BURIN_RUN_SESSION_H

#include "Tensor.h"

#include <optional>

namespace burin::run {

/// The tensors of one or several requests, as the C API takes them.
struct Batch {
  uint32_t requests = 0;
  std::vector<burin_tensor> inputs, outputs;
  std::vector<std::vector<int64_t>> shapes; // of the inputs of each request
  std::vector<int64_t> sizes;               // of the model's dims
};

/// What the command line says about inputs.
struct InputFlags {
  std::vector<std::string> files; // NAME=FILE, or FILE by position
  std::optional<uint64_t> random; // seed
  std::vector<std::string> dims;  // NAME=SIZE, for random inputs; of a state's length: before each run
};

class Profile;

class Session {
public:
  /// Loads the artifact, starts its threads (0 is one per core) and takes the memory of
  /// a context.
  /// `weights` says where its files of weights are: "" is beside it.
  Session(const std::string &path, uint32_t threads, const std::string &weights = "");
  ~Session();
  Session(const Session &) = delete;

  const burin_model *model() const { return table; }
  const std::vector<burin_tensor_info> &inputs() const { return inputInfos; }
  const std::vector<burin_tensor_info> &outputs() const { return outputInfos; }
  const std::vector<burin_dim_info> &dims() const { return dimInfos; }
  const std::vector<burin_state_info> &states() const { return stateInfos; }
  const burin_memory &memory() const { return need; }
  uint32_t threads() const { return workers; }
  /// Parts of launches that each worker has run.
  std::vector<uint64_t> parts() const;

  /// Inputs from files or at random; throws where some are missing.
  std::vector<Tensor> makeInputs(const InputFlags &flags);
  /// Room for the outputs of one request.
  std::vector<Memory> makeOutputs() const;

  /// `requests` requests with the same inputs; `outputs` are those of all of them, one
  /// request after the other.
  Batch makeBatch(const std::vector<Tensor> &inputs, const std::vector<Memory> &outputs,
                  uint32_t requests = 1) const;

  /// Makes the context; `profile`, where there is one, is told of its launches. From here to
  /// `destroy` this program allocates nothing either.
  void create(Profile *profile = nullptr);
  /// Runs the requests; throws what went wrong.
  void run(Batch &batch);
  /// As `run`, but begins anew, with empty states, where these are full.
  void runForever(Batch &batch);
  void destroy();
  /// Compares all files of weights with their checksums and SHA-256; throws what is wrong.
  void verifyWeights();
  /// Of output `index` in the last run.
  std::vector<int64_t> outputShape(size_t index) const;
  /// States at random, as long as the inputs that makeInputs made take them.
  std::vector<Tensor> randomStates(uint64_t seed) const;
  /// Fills state `index` of the context, as far as `rows` goes along the axis that grows.
  void putState(uint32_t index, const Tensor &rows);
  /// What state `index` of the context holds.
  Tensor takeState(uint32_t index) const;

private:
  void close();
  burin_options options();
  burin_status tryRun(Batch &batch);
  /// Sets the lengths that are fixed, and gives random inputs the sizes that follow from all.
  void followStates(Batch &batch);
  bool growsWithState(uint32_t input) const;
  void takeDims(const std::vector<std::string> &flags);
  std::vector<std::string> filesOf(const std::vector<std::string> &flags) const;
  Tensor fileInput(size_t index, const std::string &path) const;
  std::string sizesText(const std::vector<int64_t> &sizes) const;

  burin_library *library = nullptr;
  const burin_model *table = nullptr;
  burin_pool *pool = nullptr;
  burin_context *context = nullptr;
  uint32_t workers = 1;
  std::string weights;
  burin_memory need{};
  Memory arena;
  Profile *profile = nullptr;
  std::string message; // of the last failure
  std::vector<burin_tensor_info> inputInfos, outputInfos;
  std::vector<burin_dim_info> dimInfos;
  std::vector<burin_state_info> stateInfos;
  std::vector<int64_t> sizes; // of the dims, as options and files say
  std::vector<int64_t> most;  // the same where states are as long as they get
  std::vector<bool> isFixed;  // dims, by --dim
  std::vector<bool> isRandom; // inputs
};

/// The shape of an input or output, -1 where it is dynamic.
std::vector<int64_t> shapeOf(const burin_tensor_info &info);
/// Its shape where the model's dims have these sizes.
std::vector<int64_t> shapeOf(const burin_tensor_info &info, const std::vector<int64_t> &sizes);

/// A tensor of the type of `info`: floats uniform in [-1, 1), bytes of any value, wider integers
/// (often indices or masks) 0 or 1. `index` and `seed` decide which.
Tensor randomTensor(const burin_tensor_info &info, std::vector<int64_t> shape, size_t index,
                    uint64_t seed);

/// The most memory this process had so far, in bytes.
uint64_t peakRss();

/// Monotonic wall-clock time and this process's CPU time, in milliseconds.
double wallMs();
double cpuMs();

/// `text` as a JSON string with its quotes.
std::string json(const std::string &text);
/// A list of JSON values.
template <typename List, typename Make> std::string jsonList(const List &list, Make make) {
  std::string text = "[";
  for (const auto &item : list)
    text += (text.size() > 1 ? ", " : "") + make(item);
  return text + "]";
}
std::string jsonSizes(const std::vector<int64_t> &sizes);

} // namespace burin::run

#endif
