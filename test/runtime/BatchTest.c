/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests of a batch that run as one: what is gathered and scattered, which
 * requests go together, and what a fault in one of them does to the others.
 *
 *   inputs   x f32[2, rows, 3], scale f32[1] (shared)
 *   outputs  y[2 * row + j, c] = x[j, row, c] * scale   f32[twice rows, 3]
 *            echo = scale                               f32[1] (shared)
 *   variants rows 1, rows 4, rows 8; x = 999 is a fault
 *
 * and one of sizes that requests share:
 *
 *   inputs   x f32[rows, wide]
 *   outputs  y = 2 x                                    f32[rows, wide]
 *   variants rows 0..2 of wide 2..3, rows 0..8 of wide 1..4
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

static int32_t wide_main(const burin_frame *frame) {
  const float *x = frame->inputs[0];
  float *y = frame->outputs[0];
  ++runs;
  rows_run = frame->dims[0];
  for (int64_t i = 0; i < frame->dims[0] * frame->dims[1]; ++i)
    y[i] = 2 * x[i];
  return 0;
}

static void no_sizes(int64_t *sizes) { (void)sizes; /* all are given */ }

/* Requests that differ in a size which is not the batch's are no batch. */
static void test_shared_sizes(void) {
  static const int64_t sizes[] = {-1, -2};
  static const burin_tensor_info_abi x = {"x", sizes, no_names, sizeof(float) * 4 * most_rows,
                                          BURIN_F32, 2},
                                     y = {"y", sizes, no_names, sizeof(float) * 4 * most_rows,
                                          BURIN_F32, 2};
  static const burin_dim_abi open[] = {{"rows", 0, most_rows, BURIN_DIM_FREE, 0},
                                       {"wide", 1, 4, BURIN_DIM_FREE, 0}};
  static const burin_range_abi narrow[] = {{0, 2}, {2, 3}}, whole[] = {{0, most_rows}, {1, 4}};
  static const burin_main_fn one_main[] = {wide_main};
  static const burin_variant_abi two[] = {{narrow, one_main, 0, no_sizes},
                                          {whole, one_main, 0, no_sizes}};
  static const int32_t first_axes[] = {0, 0};
  static const burin_batch_abi rows = {first_axes, 0, 0};
  burin_program program = fixture_program;
  program.inputs = &x;
  program.outputs = &y;
  program.dims = open;
  program.variants = two;
  program.batch = &rows;
  program.input_count = program.output_count = 1;
  program.dim_count = program.variant_count = 2;
  burin_model made = make_model(&program), *m = &made;
  void *memory;
  burin_context *context = make_context(m, (burin_options){0}, &memory);

  static const struct {
    int64_t rows[3], wide[3];
    int runs;
    int64_t last; /* rows of the last run */
  } cases[] = {{{1, 1, 1}, {3, 3, 3}, 1, 3}, /* more than the first variant has room for */
               {{1, 1, 1}, {3, 3, 2}, 2, 1}, {{1, 1, 1}, {3, 2, 2}, 2, 2},
               {{1, 1, 1}, {1, 1, 1}, 1, 3}, /* less than it takes */
               {{1, 1, 2}, {4, 4, 4}, 1, 4}, /* more */
               {{1, 0, 1}, {2, 2, 2}, 3, 1}, {{0, 1, 1}, {2, 2, 2}, 2, 2}, {{0, 0, 0}, {2, 2, 2}, 3, 0},
               {{5, 3, 1}, {2, 2, 2}, 2, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    float from[3][4 * most_rows], to[3][4 * most_rows];
    int64_t shapes[3][2], shape[2];
    burin_tensor in[3], out[3];
    for (int r = 0; r < 3; ++r) {
      for (int j = 0; j < 4 * most_rows; ++j)
        from[r][j] = (float)(100 * r + j + 1);
      memset(to[r], 0, sizeof to[r]);
      shapes[r][0] = cases[i].rows[r];
      shapes[r][1] = cases[i].wide[r];
      in[r] = (burin_tensor){.data = from[r], .shape = shapes[r], .rank = 2};
      out[r] = (burin_tensor){.data = to[r]};
    }
    runs = 0;
    CHECK(m->run_batch(context, 3, in, 1, out, 1) == BURIN_OK);
    CHECK(runs == cases[i].runs && rows_run == cases[i].last);
    for (int r = 0; r < 3; ++r)
      for (int64_t j = 0; j < 4 * most_rows; ++j)
        CHECK(to[r][j] == (j < shapes[r][0] * shapes[r][1] ? 2 * from[r][j] : 0));
    CHECK(m->output_shape(context, 0, shape) == BURIN_OK);
    CHECK(shape[0] == cases[i].rows[2] && shape[1] == cases[i].wide[2]);
  }
  m->destroy(context);
  free(memory);
}

static int logged;
static void count_log(void *user, burin_status status, const char *message) {
  (void)user, (void)status, (void)message;
  ++logged;
}

int main(void) {
  test_shared_sizes();
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

  /* An input that all share may be one place. */
  fill(&requests[0], 1, 1);
  fill(&requests[1], 2, 1);
  burin_tensor in[] = {{.data = requests[0].x, .shape = requests[0].shape, .rank = 3},
                       {.data = &requests[0].scale},
                       {.data = requests[1].x, .shape = requests[1].shape, .rank = 3},
                       {.data = &requests[0].scale}};
  burin_tensor out[] = {{.data = requests[0].y}, {.data = &requests[0].echo},
                        {.data = requests[1].y}, {.data = &requests[1].echo}};
  runs = 0;
  CHECK(m->run_batch(context, 2, in, 2, out, 2) == BURIN_OK && runs == 1);
  CHECK(is_right(&requests[0]) && is_right(&requests[1]));

  /* It has to be the same; the others wait for a run of their own. */
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
