// SPDX-License-Identifier: Apache-2.0
//
// WrapperTest FIXTURE.so OTHER.so: burin.hpp over the fixture, linked in and opened; OTHER is of
// another interface version. Built with and without exceptions.

#include "burin/abi.h"
#include "burin/burin.hpp"

#include <array>
#include <cstring>
#include <vector>

extern "C" const burin_model *burin_model_fixture(void);
extern "C" const burin_program state_program;
extern "C" burin_model make_model(const burin_program *program);

namespace {

#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      std::fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                 \
      std::exit(1);                                                                                \
    }                                                                                              \
  } while (0)

bool says(const burin::Status &status, burin_status code, const char *part) {
  bool right = status.code() == code && std::strstr(status.message(), part);
  if (!right)
    std::fprintf(stderr, "%d: '%s'\n", status.code(), status.message());
  return right;
}

template <typename T>
constexpr bool movesOnly = std::is_nothrow_move_constructible_v<T> &&
                           std::is_nothrow_move_assignable_v<T> &&
                           !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
static_assert(movesOnly<burin::Library> && movesOnly<burin::Pool> && movesOnly<burin::Arena> &&
              movesOnly<burin::Context>);

/// y = 2 x + bias, picked = bias[index], positive = x[x > 0]; x has `rows` rows of 8.
struct Request {
  std::vector<float> x, y;
  std::array<float, 8> bias{0, 1, 2, 3, 4, 5, 6, 7};
  int64_t index[2] = {7, 3};
  float picked[2];
  std::vector<float> positive;
  std::array<int64_t, 2> shape;
  int64_t picks = 2;

  explicit Request(int64_t rows)
      : x(size_t(rows) * 8, 1.5f), y(x.size()), positive(512), shape{rows, 8} {}

  std::array<burin::Tensor, 3> inputs() {
    return {burin::Tensor(x, shape), burin::Tensor(bias),
            burin::Tensor(index, burin::Span<const int64_t>(&picks, 1))};
  }
  std::array<burin::Tensor, 3> outputs() {
    return {burin::Tensor(y), burin::Tensor(picked), burin::Tensor(positive)};
  }
  bool isRight() const {
    for (size_t i = 0; i < y.size(); ++i)
      if (y[i] != 3 + bias[i % 8])
        return false;
    return picked[0] == 7 && picked[1] == 3 && positive[x.size() - 1] == 1.5f;
  }
};

void testModel(burin::Model model) {
  CHECK(model.check() && !std::strcmp(model.name(), "fixture"));
  CHECK(model.inputCount() == 3 && model.outputCount() == 3);
  CHECK(!std::strcmp(model.input(0).name, "x") && model.input(0).rank == 2);
  CHECK(model.input(3).name == nullptr);
  CHECK(model.findInput("index") == 2u && !model.findInput("y") && model.findOutput("y") == 0u);
  CHECK(model.dim(0)->max == 64 && model.dim(2) && !model.dim(3));
  CHECK(model.memory(4)->bytes > model.memory()->bytes && model.certificate());

  burin_model other = *model.get();
  other.abi_version += 1;
  CHECK(says(burin::Model(&other).check(), BURIN_BAD_ABI, "another version"));
  CHECK(says(burin::Context::create(burin::Model(&other)).status(), BURIN_BAD_ARGUMENT, ""));
}

void testContext(burin::Model model) {
  burin::Result<burin::Context> made = burin::Context::create(model);
  CHECK(made && made.status().ok());
  burin::Context context = std::move(*made);
  Request request(5);
  CHECK(context.run(request.inputs(), request.outputs()) && request.isRight());
  std::array<int64_t, 2> shape;
  CHECK(context.outputShape(0, shape) && shape[0] == 5 && shape[1] == 8);
  CHECK(!*context.outputShape(0, shape).message());
  CHECK(says(context.outputShape(1, shape), BURIN_BAD_ARGUMENT, "no output"));
  CHECK(says(context.outputShape(3, shape), BURIN_BAD_ARGUMENT, "no output"));
  CHECK(says(context.runBatch(1, request.inputs(), {}), BURIN_BAD_ARGUMENT, "so many requests"));

  // Written where they are used.
  Request again(2);
  CHECK(context.run({burin::Tensor(again.x, again.shape), burin::Tensor(again.bias),
                     burin::Tensor(again.index, {2})},
                    {burin::Tensor(again.y), burin::Tensor(again.picked),
                     burin::Tensor(again.positive)}));
  CHECK(again.isRight());

  again.index[0] = 8;
  CHECK(says(context.run(again.inputs(), again.outputs()), BURIN_INDEX_RANGE, "index 8"));
  auto outputs = again.outputs();
  CHECK(says(context.run({}, outputs), BURIN_BAD_ARGUMENT, "3 inputs"));
  std::vector<double> wrong(16);
  CHECK(says(context.run({burin::Tensor(wrong, again.shape), burin::Tensor(again.bias),
                          burin::Tensor(again.index, {2})}, outputs),
             BURIN_BAD_ARGUMENT, "element type"));

  Request first(1), second(1);
  std::vector<burin::Tensor> in, out;
  for (Request *each : {&first, &second})
    for (size_t i = 0; i < 3; ++i) {
      in.push_back(each->inputs()[i]);
      out.push_back(each->outputs()[i]);
    }
  CHECK(context.runBatch(2, in, out) && first.isRight() && second.isRight());
  CHECK(says(context.runBatch(3, in, out), BURIN_BAD_ARGUMENT, "so many requests"));

  burin::Context moved = burin::Context::create(model).value();
  moved = std::move(context);
  CHECK(moved.run(request.inputs(), request.outputs()));
}

void testMemory(burin::Model model) {
  burin_memory need = *model.memory();
  burin::Arena arena = burin::Arena::allocate(need).value();
  burin::Arena moved = std::move(arena);
  CHECK(arena.span().empty() && moved.span().size() == need.bytes);
  burin::Context context = burin::Context::create(model, moved.span()).value();
  Request request(1);
  CHECK(context.run(request.inputs(), request.outputs()) && request.isRight());
  burin::Span<unsigned char> small(moved.span().data(), 64);
  CHECK(says(burin::Context::create(model, small).status(), BURIN_NO_MEMORY, "the arena has 64"));
  need.bytes = 0; // of a model that needs none
  CHECK(burin::Arena::allocate(need).value().span().empty());
  need.bytes = uint64_t(1) << 62;
  CHECK(says(burin::Arena::allocate(need).status(), BURIN_NO_MEMORY, "memory"));

  burin::Pool pool = burin::Pool::create(model, 3).value();
  burin::Options options;
  options.pool = &pool;
  burin::Context parallel = burin::Context::create(model, options).value();
  CHECK(pool.workers() == 3 && parallel.run(request.inputs(), request.outputs()));
  options.parallelFor = [](void *, uint32_t tasks, void (*fn)(void *, uint32_t, uint32_t),
                           void *state) {
    for (uint32_t task = 0; task < tasks; ++task)
      fn(state, 0, task);
  };
  CHECK(says(burin::Context::create(model, options).status(), BURIN_BAD_ARGUMENT, "both"));
  CHECK(says(burin::Pool::create(model, UINT32_MAX).status(), BURIN_BAD_ARGUMENT, "bad argument"));
  options.pool = nullptr;
  options.verifyWeights = true; // of a model that has none beside it
  options.workers = 2;
  burin::Weights none = burin::Weights::open(model, options).value();
  options.weights = &none;
  burin::Context borrowed = burin::Context::create(model, options).value();
  CHECK(borrowed.run(request.inputs(), request.outputs()) && request.isRight());
}

void testStates(burin::Model model) {
  CHECK(model.findState("sum") == 1u && !model.findState("present") && !model.state(2));
  CHECK(model.state(0)->axis == 1 && !std::strcmp(model.state(0)->output, "present"));
  burin::Context context = burin::Context::create(model).value();
  std::array<float, 6> x{1, 2, 3, 4, 5, 6};
  std::array<int64_t, 3> shape{2, 1, 3};
  std::array<float, 30> present;
  CHECK(context.run({burin::Tensor(x, shape)}, {burin::Tensor(present)}));
  CHECK(context.stateLength(0) == 1 && context.state<float>(1)[0] == 21);
  CHECK(context.state<float>(0).size() == 30 && context.state<float>(0)[15] == 4);
  CHECK(context.state(0).size() == 120 && context.state(2).empty() && context.stateLength(1) == 0);
  CHECK(context.state<float>(2).empty() && context.state<double>(1).empty());
  CHECK(context.setStateLength(0, 5));
  CHECK(says(context.run({burin::Tensor(x, shape)}, {burin::Tensor(present)}), BURIN_STATE_FULL,
             "state 'past' is full"));
  CHECK(says(context.setStateLength(0, 6), BURIN_BAD_ARGUMENT, "from 0 to 5"));
  CHECK(context.reset() && context.stateLength(0) == 0 && context.state<float>(1)[0] == 0);

  // While a request runs, its message is its own.
  burin::Context *running = nullptr;
  burin::Options options;
  options.user = &running;
  options.profile = [](void *user, const burin_event *) {
    CHECK(says((*static_cast<burin::Context **>(user))->reset(), BURIN_BUSY, "running"));
  };
  burin::Context busy = burin::Context::create(model, options).value();
  running = &busy;
  CHECK(busy.run({burin::Tensor(x, shape)}, {burin::Tensor(present)}));
}

void testFailures(const char *fixture, const char *other) {
  CHECK(says(burin::Library::open(other).status(), BURIN_BAD_ABI, "another version"));
  CHECK(says(burin::Library::open("no such file").status(), BURIN_BAD_FILE, "cannot be opened"));
  CHECK(says(burin::Library::open(fixture, "x").status(), BURIN_BAD_FILE, "no model of that name"));
#ifdef __cpp_exceptions
  try {
    (void)burin::Library::open("no such file").value();
    CHECK(false);
  } catch (const burin::Error &error) {
    CHECK(error.code() == BURIN_BAD_FILE && std::strstr(error.what(), "no such file"));
  }
#endif
}

} // namespace

int main(int count, char **arguments) {
  CHECK(count == 3);
  burin::Library library = burin::Library::open(arguments[1]).value();
  burin::Library moved = std::move(library);
  for (burin::Model model : {burin::Model(burin_model_fixture()), moved.model()}) {
    testModel(model);
    testContext(model);
    testMemory(model);
  }
  const burin_model states = make_model(&state_program);
  testStates(burin::Model(&states));
  testFailures(arguments[1], arguments[2]);
  return 0;
}
