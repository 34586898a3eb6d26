// SPDX-License-Identifier: Apache-2.0
//
// The C++ wrapper of burin.h: header only, C++17, RAII, no exception unless asked for.
//
//   burin::Result<burin::Library> library = burin::Library::open("mnist.so");
//   if (!library)
//     return report(library.status().message());
//   burin::Pool pool = burin::Pool::create(library->model()).value();
//   burin::Options options;
//   options.pool = &pool;
//   burin::Context context = burin::Context::create(library->model(), options).value();
//   burin::Status status = context.run({burin::Tensor(image)}, {burin::Tensor(scores)});
//
// What can fail returns a Status or a Result, which the compiler lets nobody ignore. `value` and
// `orThrow` turn a failure into an Error for who prefers that; where exceptions are off
// they print it and abort. A run that succeeds allocates nothing.
//
// Library, Pool, Arena and Context own what they hold and are moved, not copied. Destroy a context
// before its pool, arena and library: members in the order library, pool, context do so.
#ifndef BURIN_BURIN_HPP
#define BURIN_BURIN_HPP

#include "burin/burin.h"
#include "burin/load.h"

#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#ifdef __cpp_exceptions
#include <stdexcept>
#endif

namespace burin {

//===- Failures -----------------------------------------------------------===//

#ifdef __cpp_exceptions
/// What `value` and `orThrow` throw.
class Error : public std::runtime_error {
public:
  Error(burin_status code, const std::string &message)
      : std::runtime_error(message), status(code) {}
  burin_status code() const noexcept { return status; }

private:
  burin_status status;
};
#endif

/// Success, or a code and why.
class [[nodiscard]] Status {
public:
  Status() noexcept = default;
  /// `text` may be null or empty: the code in words stands for it.
  explicit Status(burin_status code, const char *text = nullptr) : status(code) {
    if (code != BURIN_OK)
      why = text && *text ? text : burin_status_text(code);
  }

  bool ok() const noexcept { return status == BURIN_OK; }
  explicit operator bool() const noexcept { return ok(); }
  burin_status code() const noexcept { return status; }
  const char *message() const noexcept { return ok() ? "" : why.c_str(); }

  void orThrow() const {
    if (ok())
      return;
#ifdef __cpp_exceptions
    throw Error(status, why);
#else
    std::fprintf(stderr, "%s\n", why.c_str());
    std::abort();
#endif
  }

private:
  burin_status status = BURIN_OK;
  std::string why;
};

/// A T, or why there is none. Reading the value of a failure is undefined but by `value`.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T made) : held(std::move(made)) {}
  Result(Status failure) : failed(std::move(failure)) {}

  bool ok() const noexcept { return held.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  const Status &status() const noexcept { return failed; }
  T &operator*() & { return *held; }
  const T &operator*() const & { return *held; }
  T *operator->() { return &*held; }
  const T *operator->() const { return &*held; }

  T value() && {
    failed.orThrow();
    return std::move(*held);
  }
  T &value() & {
    failed.orThrow();
    return *held;
  }

private:
  std::optional<T> held;
  Status failed;
};

//===- Views --------------------------------------------------------------===//

/// `size` elements of somebody else's memory, as C++20's std::span.
template <typename T> class Span {
public:
  constexpr Span() noexcept = default;
  constexpr Span(T *data, size_t size) noexcept : first(data), count(size) {}
  template <size_t N> constexpr Span(T (&array)[N]) noexcept : first(array), count(N) {}
  /// std::vector, std::array, std::string, std::span and their like.
  template <typename C,
            typename = std::enable_if_t<
                std::is_convertible_v<decltype(std::declval<C &>().data()), T *> &&
                std::is_convertible_v<decltype(std::declval<C &>().size()), size_t>>>
  constexpr Span(C &container) noexcept : first(container.data()), count(container.size()) {}
  template <typename C, typename = std::enable_if_t<
                            std::is_const_v<T> &&
                            std::is_convertible_v<decltype(std::declval<const C &>().data()), T *>>>
  constexpr Span(const C &container, int = 0) noexcept
      : first(container.data()), count(container.size()) {}
  /// {a, b}: until the end of the full expression.
  template <typename U = T, typename = std::enable_if_t<std::is_const_v<U>>>
  constexpr Span(std::initializer_list<std::remove_const_t<U>> list) noexcept : count(list.size()) {
    first = list.begin(); // GCC warns of one among the initialisers
  }

  constexpr T *data() const noexcept { return first; }
  constexpr size_t size() const noexcept { return count; }
  constexpr bool empty() const noexcept { return count == 0; }
  constexpr T &operator[](size_t index) const { return first[index]; }
  constexpr T *begin() const noexcept { return first; }
  constexpr T *end() const noexcept { return first + count; }

private:
  T *first = nullptr;
  size_t count = 0;
};

/// The element type of a C++ type. 0, which is not checked, for integers of 16 and 8 bits
/// without sign: they may be the bits of a small float.
template <typename T> constexpr uint32_t dtypeOf() {
  if constexpr (std::is_same_v<T, float>)
    return BURIN_F32;
  else if constexpr (std::is_same_v<T, double>)
    return BURIN_F64;
  else if constexpr (std::is_same_v<T, bool>)
    return BURIN_BOOL;
  else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>)
    return sizeof(T) == 8 ? BURIN_I64 : sizeof(T) == 4 ? BURIN_I32 : sizeof(T) == 2 ? BURIN_I16 : 0;
  else if constexpr (std::is_integral_v<T>)
    return sizeof(T) == 8 ? BURIN_U64 : sizeof(T) == 4 ? BURIN_U32 : 0;
  else
    return 0;
}

/// One input or output of a request: a view of the caller's dense, row-major memory. `shape`
/// may be left out where the model's is static, and for outputs; it must outlive the run.
struct Tensor : burin_tensor {
  Tensor() noexcept : burin_tensor{} {}
  template <typename T>
  explicit Tensor(Span<T> elements, Span<const int64_t> sizes = {}) noexcept : burin_tensor{} {
    static_assert(std::is_trivially_copyable_v<T>, "elements are plain numbers");
    data = const_cast<std::remove_const_t<T> *>(elements.data()); // inputs are only read
    bytes = elements.size() * sizeof(T);
    shape = sizes.data();
    rank = static_cast<uint32_t>(sizes.size());
    dtype = dtypeOf<std::remove_const_t<T>>();
  }
  template <typename C, typename T = std::remove_pointer_t<decltype(std::declval<C &>().data())>>
  explicit Tensor(C &elements, Span<const int64_t> sizes = {}) noexcept
      : Tensor(Span<T>(elements.data(), elements.size()), sizes) {}
  template <typename T, size_t N>
  explicit Tensor(T (&elements)[N], Span<const int64_t> sizes = {}) noexcept
      : Tensor(Span<T>(elements, N), sizes) {}
};
static_assert(sizeof(Tensor) == sizeof(burin_tensor), "arrays of both are the same");

//===- Models -------------------------------------------------------------===//

/// A compiled model: linked in (burin_model_<name>()) or a library's. A view: copy it.
class Model {
public:
  /// `model` is not null. One of another interface version: see `check`.
  explicit Model(const burin_model *model) noexcept : table(model) {}

  /// BURIN_BAD_ABI where the model was made for another version; nothing else may be called then.
  Status check() const {
    return Status(table->abi_version == BURIN_ABI_VERSION &&
                          table->struct_size >= sizeof(burin_model)
                      ? BURIN_OK
                      : BURIN_BAD_ABI);
  }
  const char *name() const noexcept { return table->name; }
  uint32_t inputCount() const noexcept { return counts().first; }
  uint32_t outputCount() const noexcept { return counts().second; }
  /// `index` is below the count; zeros where not.
  burin_tensor_info input(uint32_t index) const noexcept { return info(table->input, index); }
  burin_tensor_info output(uint32_t index) const noexcept { return info(table->output, index); }
  /// Where the input or output of that name is.
  std::optional<uint32_t> findInput(const std::string &wanted) const {
    return find(table->input, inputCount(), wanted);
  }
  std::optional<uint32_t> findOutput(const std::string &wanted) const {
    return find(table->output, outputCount(), wanted);
  }
  /// Nothing behind the last.
  std::optional<burin_dim_info> dim(uint32_t index) const noexcept {
    burin_dim_info result;
    if (table->dim(table, index, &result) != BURIN_OK)
      return std::nullopt;
    return result;
  }
  /// Computes the sizes that follow from the others, in place: one for each dim.
  Status sizes(Span<int64_t> dims) const {
    uint32_t count = 0;
    while (dim(count))
      ++count;
    if (dims.size() != count)
      return Status(BURIN_BAD_ARGUMENT, "not one size for each dim of the model");
    return Status(table->sizes(table, dims.data()));
  }
  /// What a context keeps from run to run; nothing behind the last.
  std::optional<burin_state_info> state(uint32_t index) const noexcept {
    burin_state_info result;
    if (table->state(table, index, &result) != BURIN_OK)
      return std::nullopt;
    return result;
  }
  /// Where the state of that name (the input's) is.
  std::optional<uint32_t> findState(const std::string &wanted) const {
    for (uint32_t i = 0; std::optional<burin_state_info> found = state(i); ++i)
      if (wanted == found->tensor.name)
        return i;
    return std::nullopt;
  }
  Result<burin_memory> memory(uint32_t workers = 1) const {
    burin_memory result;
    if (burin_status status = table->memory(table, workers, &result))
      return Status(status);
    return result;
  }
  /// JSON; the artifact's own.
  const char *certificate() const noexcept { return table->certificate(table); }
  const burin_model *get() const noexcept { return table; }

private:
  using Info = burin_status (*)(const burin_model *, uint32_t, burin_tensor_info *);

  std::pair<uint32_t, uint32_t> counts() const noexcept {
    std::pair<uint32_t, uint32_t> result{0, 0};
    (void)table->describe(table, &result.first, &result.second);
    return result;
  }
  burin_tensor_info info(Info function, uint32_t index) const noexcept {
    burin_tensor_info result = {};
    (void)function(table, index, &result);
    return result;
  }
  std::optional<uint32_t> find(Info function, uint32_t count, const std::string &wanted) const {
    for (uint32_t i = 0; i < count; ++i)
      if (wanted == info(function, i).name)
        return i;
    return std::nullopt;
  }

  const burin_model *table;
};

/// An opened model.so. Its model lives as long as it does.
class Library {
public:
  /// `name` may be null where the file holds one model. Code is run: open only what you trust.
  static Result<Library> open(const char *path, const char *name = nullptr) {
    burin_library *library;
    const burin_model *model;
    char why[512] = "";
    if (burin_status status = burin_load(path, name, &library, &model, why, sizeof why))
      return Status(status, why);
    return Library(library, model);
  }
  Model model() const noexcept { return opened; }

private:
  Library(burin_library *handle, const burin_model *model) : library(handle), opened(model) {}

  struct Unload {
    void operator()(burin_library *handle) const noexcept { burin_unload(handle); }
  };

  std::unique_ptr<burin_library, Unload> library;
  Model opened;
};

//===- Memory and workers -------------------------------------------------===//

/// Memory for a context, from the C library. A program may bring its own instead.
class Arena {
public:
  static Result<Arena> allocate(const burin_memory &need) {
    // aligned_alloc takes multiples of the alignment.
    uint64_t bytes = (need.bytes + need.alignment - 1) / need.alignment * need.alignment;
    void *memory = std::aligned_alloc(need.alignment, bytes ? bytes : need.alignment);
    if (!memory)
      return Status(BURIN_NO_MEMORY);
    return Arena(memory, need.bytes);
  }
  Arena() noexcept = default;

  /// Empty once it was moved from.
  Span<unsigned char> span() const noexcept {
    return {static_cast<unsigned char *>(memory.get()), memory ? static_cast<size_t>(bytes) : 0};
  }

private:
  struct Free {
    void operator()(void *made) const noexcept { std::free(made); }
  };

  Arena(void *made, uint64_t size) : memory(made), bytes(size) {}

  std::unique_ptr<void, Free> memory;
  uint64_t bytes = 0;
};

/// Threads that contexts share; outlives them, and is outlived by the model's library.
class Pool {
public:
  /// 0 workers: one for each core that this process may use.
  static Result<Pool> create(Model model, uint32_t workers = 0) {
    burin_pool *pool = nullptr;
    if (burin_status status = model.get()->pool_create(workers, &pool))
      return Status(status);
    return Pool(model, pool);
  }

  uint32_t workers() const noexcept { return pool.get_deleter().table->pool_workers(pool.get()); }
  burin_pool *get() const noexcept { return pool.get(); }

private:
  struct Destroy {
    const burin_model *table;
    void operator()(burin_pool *made) const noexcept { table->pool_destroy(made); }
  };

  Pool(Model from, burin_pool *made) : pool(made, Destroy{from.get()}) {}

  std::unique_ptr<burin_pool, Destroy> pool;
};

//===- Contexts -----------------------------------------------------------===//

class Weights;

/// How a context runs; burin_options says what each field means.
struct Options {
  const Pool *pool = nullptr;
  uint32_t workers = 0;
  burin_parallel_for parallelFor = nullptr;
  void *executor = nullptr;
  burin_log_fn log = nullptr;
  burin_profile_fn profile = nullptr;
  void *user = nullptr;
  const char *weightsPath = nullptr;
  const Weights *weights = nullptr;
  bool verifyWeights = false;

  burin_options plain() const; // without an arena
};

/// An artifact's files of weights, mapped and checked once, for any number of contexts.
class Weights {
public:
  /// `options` says where they are, and which threads check them; none of both has to outlive this.
  static Result<Weights> open(Model model, const Options &options = {}) {
    burin_options plain = options.plain();
    std::string why;
    plain.user = &why;
    plain.log = [](void *user, burin_status, const char *message) {
      *static_cast<std::string *>(user) = message;
    };
    burin_weights *weights = nullptr;
    burin_status status = model.get()->weights_open(model.get(), &plain, &weights);
    if (status != BURIN_OK)
      return Status(status, why.c_str());
    return Weights(model, weights);
  }
  const burin_weights *get() const noexcept { return weights.get(); }

private:
  struct Close {
    const burin_model *table;
    void operator()(burin_weights *made) const noexcept { table->weights_close(made); }
  };

  Weights(Model from, burin_weights *made) : weights(made, Close{from.get()}) {}

  std::unique_ptr<burin_weights, Close> weights;
};

inline burin_options Options::plain() const {
  burin_options plain = {};
  plain.workers = workers;
  plain.flags = verifyWeights ? BURIN_VERIFY_WEIGHTS : 0;
  plain.pool = pool ? pool->get() : nullptr;
  plain.parallel_for = parallelFor;
  plain.executor = executor;
  plain.log = log;
  plain.profile = profile;
  plain.user = user;
  plain.weights_path = weightsPath;
  plain.weights = weights ? weights->get() : nullptr;
  return plain;
}

/// Runs one request at a time.
class Context {
public:
  /// With an arena of its own.
  static Result<Context> create(Model model, const Options &options = {}) {
    Result<burin_memory> need = model.memory(workersOf(options));
    if (!need)
      return need.status();
    Result<Arena> arena = Arena::allocate(*need);
    if (!arena)
      return arena.status();
    Result<Context> context = create(model, arena->span(), options);
    if (context)
      context->owned = std::move(*arena);
    return context;
  }
  /// In the caller's memory, of Model::memory's size and alignment, that outlives it.
  static Result<Context> create(Model model, Span<unsigned char> arena,
                                const Options &options = {}) {
    burin_options plain = options.plain();
    plain.arena = arena.data();
    plain.arena_bytes = arena.size();
    burin_context *context = nullptr;
    burin_status status = model.get()->create(model.get(), &plain, &context);
    if (status == BURIN_OK)
      return Context(model, context);
    // Only the log is told why. The caller's has been; this one keeps it, and fails likewise.
    std::string why;
    plain.user = &why;
    plain.log = [](void *user, burin_status, const char *message) {
      *static_cast<std::string *>(user) = message;
    };
    (void)model.get()->create(model.get(), &plain, &context);
    return Status(status, why.c_str());
  }
  Context(Context &&) noexcept = default;
  Context &operator=(Context &&other) noexcept {
    model = other.model;
    context = std::move(other.context); // before the memory that the old one lives in
    owned = std::move(other.owned);
    return *this;
  }

  /// One request: all inputs and all outputs, in the model's order.
  Status run(Span<const Tensor> inputs, Span<const Tensor> outputs) {
    return told(model.get()->run(context.get(), inputs.data(), static_cast<uint32_t>(inputs.size()),
                                 outputs.data(), static_cast<uint32_t>(outputs.size())));
  }
  /// `requests` requests, one's tensors after the other's; each gets the bits it would get alone.
  Status runBatch(uint32_t requests, Span<const Tensor> inputs, Span<const Tensor> outputs) {
    uint64_t in = model.inputCount(), out = model.outputCount();
    if (inputs.size() != in * requests || outputs.size() != out * requests)
      return Status(BURIN_BAD_ARGUMENT, "the tensors are not those of so many requests");
    return told(model.get()->run_batch(context.get(), requests, inputs.data(),
                                       static_cast<uint32_t>(in), outputs.data(),
                                       static_cast<uint32_t>(out)));
  }
  /// The shape that an output had in the last run; `shape` has its rank.
  Status outputShape(uint32_t index, Span<int64_t> shape) const {
    if (index >= model.outputCount() || shape.size() != model.output(index).rank)
      return Status(BURIN_BAD_ARGUMENT, "no output of that index and rank");
    return Status(model.get()->output_shape(context.get(), index, shape.data()));
  }
  /// The memory of a state, dense, of the shape that Model::state tells; T is its element.
  /// Empty where there is none of that index or T has another size than a whole part of it.
  template <typename T = unsigned char> Span<T> state(uint32_t index) const noexcept {
    void *data = nullptr;
    std::optional<burin_state_info> info = model.state(index);
    if (!info || info->tensor.max_bytes % sizeof(T) != 0 ||
        model.get()->state_data(context.get(), index, &data, nullptr) != BURIN_OK)
      return {};
    return {static_cast<T *>(data), static_cast<size_t>(info->tensor.max_bytes / sizeof(T))};
  }
  /// How far a state that grows is filled; 0 for others.
  int64_t stateLength(uint32_t index) const noexcept {
    int64_t length = 0;
    (void)model.get()->state_data(context.get(), index, nullptr, &length);
    return length;
  }
  /// Also of all states that share its dim.
  Status setStateLength(uint32_t index, int64_t length) {
    return told(model.get()->state_set_length(context.get(), index, length));
  }
  /// All states as they were at first.
  Status reset() { return told(model.get()->reset(context.get())); }
  burin_context *get() const noexcept { return context.get(); }

private:
  struct Destroy {
    const burin_model *table;
    void operator()(burin_context *made) const noexcept { table->destroy(made); }
  };

  Context(Model from, burin_context *made) : model(from), context(made, Destroy{from.get()}) {}

  static uint32_t workersOf(const Options &options) {
    return options.workers ? options.workers : options.pool ? options.pool->workers() : 1;
  }
  Status told(burin_status status) const {
    if (status == BURIN_OK)
      return Status();
    // The message belongs to the request that runs.
    return Status(status, status == BURIN_BUSY ? nullptr : model.get()->message(context.get()));
  }

  Model model;
  Arena owned; // outlives the context in it
  std::unique_ptr<burin_context, Destroy> context;
};

} // namespace burin

#endif
