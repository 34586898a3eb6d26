/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests of a batch that run as one: what is gathered and scattered, which
 * requests go together, and what a fault in one of them does to the others.
 *
 *   inputs   x f32[2, rows, 3], scale f32[1] (shared)
 *   outputs  y[2 * row + j, c] = x[j, row, c] * scale   f32[twice rows, 3]
 *            echo = scale                               f32[1] (shared)
 *   variants rows 1, rows 4, rows 8; x = 999 is a fault
 */
#include "Fixture.h"

enum { most_rows = 8 };

static int runs;
static int64_t rows_run;

static int32_t batch_main(const burin_frame *frame) {
  const float *x = frame->inputs[0], *scale = frame->inputs[1];
  float *y = frame->outputs[0], *echo = frame->outputs[1];
  int64_t rows = frame->dims[0];
  ++runs;
  rows_run = rows;
  for (int64_t j = 0; j < 2; ++j)
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t c = 0; c < 3; ++c) {
        float value = x[(j * rows + row) * 3 + c];
        if (value == 999.0f) {
          frame->error->code = BURIN_INDEX_RANGE;
          frame->error->site = 0;
          frame->error->detail = 999;
          return BURIN_INDEX_RANGE;
        }
        y[(row * 2 + j) * 3 + c] = value * *scale;
      }
  *echo = *scale;
  frame->dims[1] = 2 * rows;
  return 0;
}

static const int64_t x_sizes[] = {2, -1, 3}, one_size[] = {1}, y_sizes[] = {-2, 3};
static const char *const no_names[] = {"", "", ""};
static const burin_tensor_info_abi inputs[] = {
    {"x", x_sizes, no_names, sizeof(float) * 6 * most_rows, BURIN_F32, 3},
    {"scale", one_size, no_names, sizeof(float), BURIN_F32, 1}};
static const burin_tensor_info_abi outputs[] = {
    {"y", y_sizes, no_names, sizeof(float) * 6 * most_rows, BURIN_F32, 2},
    {"echo", one_size, no_names, sizeof(float), BURIN_F32, 1}};
static const burin_dim_abi dims[] = {{"rows", 1, most_rows, BURIN_DIM_FREE, 0},
                                     {"twice", 2, 2 * most_rows, BURIN_DIM_COMPUTED, 0}};
static const burin_range_abi of_one[] = {{1, 1}, {2, 2}}, of_four[] = {{4, 4}, {8, 8}},
                             of_eight[] = {{8, 8}, {16, 16}};
static const burin_main_fn mains[] = {batch_main};
static void batch_sizes(int64_t *sizes) { sizes[1] = 2 * sizes[0]; }
static const burin_variant_abi variants[] = {{of_one, mains, 0, batch_sizes},
                                             {of_four, mains, 0, batch_sizes},
                                             {of_eight, mains, 0, batch_sizes}};
static const int32_t axes[] = {1, -1, 0, -1};
static const burin_batch_abi batch = {axes, 0, 0};

/* A request of one or four rows. */
typedef struct small {
  float x[6 * 4], scale, y[6 * 4], echo;
  int64_t shape[3];
} small;

static void fill(small *request, float seed, int64_t rows) {
  *request = (small){.scale = 2.0f, .shape = {2, rows, 3}};
  for (int64_t i = 0; i < 6 * rows; ++i)
    request->x[i] = seed * 100.0f + (float)i;
}

static int is_right(const small *request) {
  int64_t rows = request->shape[1];
  for (int64_t j = 0; j < 2; ++j)
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t c = 0; c < 3; ++c)
        if (request->y[(row * 2 + j) * 3 + c] !=
            request->x[(j * rows + row) * 3 + c] * request->scale)
          return 0;
  return request->echo == request->scale;
}

static burin_status run_all(const burin_model *m, burin_context *context, small *requests,
                            uint32_t count) {
  burin_tensor in[2 * 16], out[2 * 16];
  CHECK(count <= 16);
  for (uint32_t r = 0; r < count; ++r) {
    in[2 * r] = (burin_tensor){.data = requests[r].x, .shape = requests[r].shape, .rank = 3};
    in[2 * r + 1] = (burin_tensor){.data = &requests[r].scale};
    out[2 * r] = (burin_tensor){.data = requests[r].y};
    out[2 * r + 1] = (burin_tensor){.data = &requests[r].echo};
  }
  runs = 0;
  return m->run_batch(context, count, in, 2, out, 2);
}

static int logged;
static void count_log(void *user, burin_status status, const char *message) {
  (void)user, (void)status, (void)message;
  ++logged;
}

int main(void) {
  burin_program program = fixture_program;
  program.inputs = inputs;
  program.outputs = outputs;
  program.dims = dims;
  program.variants = variants;
  program.batch = &batch;
  program.input_count = program.output_count = program.dim_count = 2;
  program.variant_count = 3;
  burin_model made = make_model(&program), *m = &made;
  void *memory;
  burin_context *context = make_context(m, (burin_options){.log = count_log}, &memory);
  small requests[16];
  int64_t shape[2];

  /* What is gathered has a place in the arena; models that are not run so pay
   * nothing. */
  burin_memory with, without;
  CHECK(m->memory(m, 1, &with) == BURIN_OK);
  program.batch = NULL;
  CHECK(m->memory(m, 1, &without) == BURIN_OK && with.bytes - without.bytes == 2 * 192);
  program.batch = &batch;

  /* So many requests of one row each; the least variant that holds them runs
   * once. */
  static const struct {
    uint32_t requests;
    int runs;
    int64_t rows;
  } cases[] = {{1, 1, 1}, {2, 1, 4}, {4, 1, 4},  {5, 1, 8},
               {8, 1, 8}, {9, 2, 1}, {12, 2, 4}, {16, 2, 8}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    for (uint32_t r = 0; r < cases[i].requests; ++r)
      fill(&requests[r], (float)(r + 1), 1);
    CHECK(run_all(m, context, requests, cases[i].requests) == BURIN_OK);
    CHECK(runs == cases[i].runs && rows_run == cases[i].rows);
    for (uint32_t r = 0; r < cases[i].requests; ++r)
      CHECK(is_right(&requests[r]));
    CHECK(m->output_shape(context, 0, shape) == BURIN_OK && shape[0] == 2 && shape[1] == 3);
  }

  /* Requests of several rows; output_shape tells the last one's. */
  fill(&requests[0], 1, 1);
  fill(&requests[1], 2, 4);
  CHECK(run_all(m, context, requests, 2) == BURIN_OK && runs == 1 && rows_run == 8);
  CHECK(is_right(&requests[0]) && is_right(&requests[1]));
  CHECK(m->output_shape(context, 0, shape) == BURIN_OK && shape[0] == 8);

  /* An input that all share has to be the same; the others wait for a run of
   * their own. */
  for (uint32_t r = 0; r < 4; ++r)
    fill(&requests[r], (float)r, 1);
  requests[2].scale = requests[3].scale = 3.0f;
  CHECK(run_all(m, context, requests, 4) == BURIN_OK && runs == 2);
  for (uint32_t r = 0; r < 4; ++r)
    CHECK(is_right(&requests[r]));

  /* A fault in one: those before it are served, and the log is told once. */
  for (uint32_t r = 0; r < 4; ++r)
    fill(&requests[r], (float)r, 1);
  requests[2].x[4] = 999.0f;
  CHECK(run_all(m, context, requests, 4) == BURIN_INDEX_RANGE && logged == 1);
  CHECK_TEXT(m->message(context), "index 999 is out of range");
  CHECK(is_right(&requests[0]) && is_right(&requests[1]));

  /* A request that is wrong ends the batch behind those before it. */
  for (uint32_t r = 0; r < 4; ++r)
    fill(&requests[r], (float)r, 1);
  requests[3].shape[1] = 2;
  CHECK(run_all(m, context, requests, 4) == BURIN_BAD_ARGUMENT && logged == 2 && runs == 1);
  CHECK_TEXT(m->message(context), "no variant of the model takes rows=2");
  for (uint32_t r = 0; r < 3; ++r)
    CHECK(is_right(&requests[r]));

  /* Where rows depend on one another, each request runs by itself. */
  program.batch = NULL;
  for (uint32_t r = 0; r < 4; ++r)
    fill(&requests[r], (float)r, 1);
  CHECK(run_all(m, context, requests, 4) == BURIN_OK && runs == 4);
  for (uint32_t r = 0; r < 4; ++r)
    CHECK(is_right(&requests[r]));
  m->destroy(context);
  free(memory);
  return 0;
}
