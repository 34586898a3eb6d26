/* SPDX-License-Identifier: Apache-2.0
 *
 * What a context keeps from run to run: StateFixture.c's program.
 */
#include "Fixture.h"

static float output[2 * 5 * 3];

/* Appends `rows` rows of which the first element is `first`, then one more each. */
static burin_status step(burin_context *context, int64_t rows, float first) {
  burin_model model = make_model(&state_program);
  float x[2 * 2 * 3];
  for (int i = 0; i < 12; ++i)
    x[i] = first + (float)i;
  int64_t shape[] = {2, rows, 3};
  burin_tensor input = {x, 0, shape, 3, BURIN_F32};
  return model.run(context, &input, 1, &(burin_tensor){.data = output}, 1);
}

static int64_t length(burin_context *context) {
  int64_t n = -1;
  CHECK(burin_rt_state_data(context, 0, NULL, &n) == BURIN_OK);
  return n;
}

static float sum(burin_context *context) {
  void *data;
  CHECK(burin_rt_state_data(context, 1, &data, NULL) == BURIN_OK);
  return *(float *)data;
}

static void test_model(void) {
  burin_model model = make_model(&state_program);
  burin_state_info info;
  CHECK(model.state(&model, 0, &info) == BURIN_OK);
  CHECK(!strcmp(info.tensor.name, "past") && !strcmp(info.output, "present") && info.axis == 1);
  CHECK(info.dim == 0 && info.tensor.shape[1] == 5 && info.tensor.max_bytes == 120);
  CHECK(model.state(&model, 1, &info) == BURIN_OK);
  CHECK(!strcmp(info.output, "next_sum") && info.axis == -1);
  CHECK(model.state(&model, 2, &info) == BURIN_BAD_ARGUMENT);
  CHECK(model.state(&model, 0, NULL) == BURIN_BAD_ARGUMENT);
  CHECK(model.state(NULL, 0, &info) == BURIN_BAD_ARGUMENT);
  burin_memory memory;
  CHECK(model.memory(&model, 1, &memory) == BURIN_OK && memory.states == 192);
  CHECK(memory.bytes == burin_bookkeeping_bytes(1, 1, 3) + 192 + 64);
  CHECK(fixture_model.state(&fixture_model, 0, &info) == BURIN_BAD_ARGUMENT);
}

static void test_steps(void) {
  burin_model model = make_model(&state_program);
  void *memory, *other_memory;
  burin_context *context = make_context(&model, (burin_options){0}, &memory);
  burin_context *other = make_context(&model, (burin_options){0}, &other_memory);
  CHECK(length(context) == 0 && sum(context) == 0);
  CHECK(step(context, 1, 10) == BURIN_OK && length(context) == 1);
  CHECK(sum(context) == 6 * 10 + 15);
  CHECK(step(context, 2, 20) == BURIN_OK && length(context) == 3);
  CHECK(output[0] == 10 && output[3] == 20 && output[8] == 25 && output[9] == 13 && output[17] == 31);
  int64_t shape[3];
  CHECK(model.output_shape(context, 0, shape) == BURIN_OK && shape[1] == 3);
  CHECK(length(other) == 0 && sum(other) == 0); /* contexts share nothing */
  CHECK(step(other, 1, 1) == BURIN_OK && length(other) == 1 && length(context) == 3);

  /* At 3, the largest length, a run still finds room; behind it none does. */
  CHECK(step(context, 2, 30) == BURIN_OK && length(context) == 5);
  float before = sum(context);
  CHECK(step(context, 1, 40) == BURIN_STATE_FULL && length(context) == 5 && sum(context) == before);
  CHECK_TEXT(model.message(context), "state 'past' is full: its length is 5, and a run takes 3");

  /* Back: what lies before stays. */
  CHECK(model.state_set_length(context, 0, 1) == BURIN_OK && length(context) == 1);
  CHECK(step(context, 1, 50) == BURIN_OK && output[0] == 10 && output[3] == 50);
  CHECK(model.reset(context) == BURIN_OK && length(context) == 0 && sum(context) == 0);
  CHECK(step(context, 1, 60) == BURIN_OK && output[0] == 60 && output[3] == 63);
  free(memory);
  free(other_memory);
}

static void test_faults(void) {
  burin_model model = make_model(&state_program);
  void *memory;
  burin_context *context = make_context(&model, (burin_options){0}, &memory);
  CHECK(step(context, 1, 1) == BURIN_OK);
  float before = sum(context);
  CHECK(step(context, 1, 1000) == BURIN_INDEX_RANGE);
  CHECK(length(context) == 1 && sum(context) == before);
  CHECK(step(context, 3, 1) == BURIN_BAD_ARGUMENT && length(context) == 1);
  CHECK(step(context, 1, 7) == BURIN_OK && length(context) == 2 && output[0] == 1 && output[3] == 7);

  CHECK(model.state_set_length(context, 0, 6) == BURIN_BAD_ARGUMENT);
  CHECK_TEXT(model.message(context), "state 'past' has a length from 0 to 5, not 6");
  CHECK(model.state_set_length(context, 0, -1) == BURIN_BAD_ARGUMENT);
  CHECK(model.state_set_length(context, 1, 0) == BURIN_BAD_ARGUMENT);
  CHECK_TEXT(model.message(context), "state 'sum' does not grow");
  CHECK(model.state_set_length(context, 2, 0) == BURIN_BAD_ARGUMENT);
  CHECK_TEXT(model.message(context), "has 2 states, none of index 2");
  CHECK(length(context) == 2);
  CHECK(model.state_set_length(NULL, 0, 0) == BURIN_BAD_ARGUMENT);
  CHECK(model.reset(NULL) == BURIN_BAD_ARGUMENT);
  void *data;
  CHECK(model.state_data(context, 2, &data, NULL) == BURIN_BAD_ARGUMENT);
  CHECK(model.state_data(NULL, 0, &data, NULL) == BURIN_BAD_ARGUMENT);
  free(memory);
}

/* What was saved begins another conversation. */
static void test_restore(void) {
  burin_model model = make_model(&state_program);
  void *memory, *saved, *data;
  burin_context *context = make_context(&model, (burin_options){0}, &memory);
  CHECK(step(context, 2, 1) == BURIN_OK);
  saved = malloc(120);
  CHECK(model.state_data(context, 0, &data, NULL) == BURIN_OK && (uintptr_t)data % 64 == 0);
  memcpy(saved, data, 120);
  CHECK(model.reset(context) == BURIN_OK && step(context, 1, 90) == BURIN_OK);
  memcpy(data, saved, 120);
  CHECK(model.state_set_length(context, 0, 2) == BURIN_OK);
  CHECK(step(context, 1, 30) == BURIN_OK && length(context) == 3);
  CHECK(output[0] == 1 && output[3] == 4 && output[6] == 30);
  free(saved);
  free(memory);
}

/* A range that does not begin at 0 asks for a state that was filled. */
static void test_least_length(void) {
  burin_dim_abi dims[] = {{"length", 2, 3, BURIN_DIM_LENGTH, 0},
                          {"new", 1, 2, BURIN_DIM_FREE, 0},
                          {"total", 3, 5, BURIN_DIM_COMPUTED, 0}};
  burin_program program = state_program;
  program.dims = dims;
  burin_model model = make_model(&program);
  void *memory;
  burin_context *context = make_context(&model, (burin_options){0}, &memory);
  CHECK(step(context, 1, 1) == BURIN_BAD_ARGUMENT);
  CHECK_TEXT(model.message(context), "state 'past' has length 0, and the model takes 'length' from 2");
  CHECK(model.state_set_length(context, 0, 2) == BURIN_OK);
  CHECK(step(context, 1, 1) == BURIN_OK && length(context) == 3);
  free(memory);
}

/* An input that has the state's length has to say that one. */
static void test_input_of_length(void) {
  static const int64_t mask_shape[] = {-1};
  static const char *const mask_names[] = {"length"};
  burin_program program = state_program;
  burin_tensor_info_abi inputs[] = {state_program.inputs[0],
                                    {"mask", mask_shape, mask_names, 3 * 4, BURIN_F32, 1}};
  program.inputs = inputs;
  program.input_count = 2;
  burin_model model = make_model(&program);
  void *memory;
  burin_context *context = make_context(&model, (burin_options){0}, &memory);
  float x[6] = {1, 2, 3, 4, 5, 6}, mask[3] = {0};
  int64_t shape[] = {2, 1, 3}, lengths[] = {0};
  burin_tensor in[] = {{x, 0, shape, 3, BURIN_F32}, {mask, 0, lengths, 1, BURIN_F32}};
  burin_tensor out = {.data = output};
  CHECK(model.run(context, in, 2, &out, 1) == BURIN_OK && length(context) == 1);
  CHECK(model.run(context, in, 2, &out, 1) == BURIN_BAD_ARGUMENT && length(context) == 1);
  CHECK_TEXT(model.message(context),
             "dimension 0 ('length') is 0, but 1 is the length of the model's state");
  lengths[0] = 1;
  CHECK(model.run(context, in, 2, &out, 1) == BURIN_OK && length(context) == 2);
  free(memory);
}

/* A batch runs one by one: each request sees what those before it left. */
static void test_batch(void) {
  burin_model model = make_model(&state_program);
  void *memory;
  burin_context *context = make_context(&model, (burin_options){0}, &memory);
  float x[6] = {1, 2, 3, 4, 5, 6};
  int64_t shape[] = {2, 1, 3};
  burin_tensor in[5], out[5];
  for (int i = 0; i < 5; ++i) {
    in[i] = (burin_tensor){x, 0, shape, 3, BURIN_F32};
    out[i] = (burin_tensor){.data = output};
  }
  CHECK(model.run_batch(context, 3, in, 1, out, 1) == BURIN_OK && length(context) == 3);
  CHECK(model.run_batch(context, 5, in, 1, out, 1) == BURIN_STATE_FULL && length(context) == 4);
  free(memory);
}

static burin_status nested[2];

static void call_back(void *user, const burin_event *event) {
  burin_context **context = user;
  if (event->kind != BURIN_LAUNCH_BEGIN)
    return;
  nested[0] = burin_rt_reset(*context);
  nested[1] = burin_rt_state_set_length(*context, 0, 0);
}

static void test_busy(void) {
  burin_model model = make_model(&state_program);
  void *memory;
  burin_context *context = NULL;
  context = make_context(&model, (burin_options){.profile = call_back, .user = &context}, &memory);
  CHECK(step(context, 1, 1) == BURIN_OK);
  CHECK(nested[0] == BURIN_BUSY && nested[1] == BURIN_BUSY && length(context) == 1);
  free(memory);
}

int main(void) {
  test_model();
  test_steps();
  test_faults();
  test_restore();
  test_least_length();
  test_input_of_length();
  test_batch();
  test_busy();
  return 0;
}
