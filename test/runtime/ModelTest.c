/* SPDX-License-Identifier: Apache-2.0
 *
 * What a model answers without a context: wrong arguments, every element type, sizes that wrap,
 * and messages of any length.
 */
#include "Fixture.h"
#include "runtime/src/runtime.h"

static const burin_model *const m = &fixture_model;

static void test_wrong_arguments(void) {
  uint32_t inputs, outputs;
  burin_tensor_info info;
  burin_dim_info dim;
  burin_memory memory;
  burin_model other = *m;
  other.abi_version = BURIN_ABI_VERSION + 1;
  const burin_model *wrong[] = {NULL, &other};
  for (int i = 0; i < 2; ++i) {
    CHECK(m->describe(wrong[i], &inputs, &outputs) == BURIN_BAD_ARGUMENT);
    CHECK(m->input(wrong[i], 0, &info) == BURIN_BAD_ARGUMENT);
    CHECK(m->output(wrong[i], 0, &info) == BURIN_BAD_ARGUMENT);
    CHECK(m->dim(wrong[i], 0, &dim) == BURIN_BAD_ARGUMENT);
    CHECK(m->memory(wrong[i], 1, &memory) == BURIN_BAD_ARGUMENT);
    CHECK(!m->certificate(wrong[i]));
  }
  CHECK(m->describe(m, NULL, &outputs) == BURIN_BAD_ARGUMENT);
  CHECK(m->describe(m, &inputs, NULL) == BURIN_BAD_ARGUMENT);
  CHECK(m->input(m, 0, NULL) == BURIN_BAD_ARGUMENT);
  CHECK(m->output(m, 0, NULL) == BURIN_BAD_ARGUMENT);
  CHECK(m->output(m, 3, &info) == BURIN_BAD_ARGUMENT);
  CHECK(m->dim(m, 0, NULL) == BURIN_BAD_ARGUMENT);
  CHECK(m->memory(m, 1, NULL) == BURIN_BAD_ARGUMENT);
}

/* Sizes before a run: those that requests choose are checked, those that follow are computed. */
static void test_sizes(void) {
  int64_t dims[] = {5, 16, -1};
  CHECK(m->sizes(m, dims) == BURIN_OK);
  CHECK(dims[0] == 5 && dims[1] == 16 && dims[2] == 5 * fixture_columns);
  int64_t too_many[] = {65, 0, 0}, too_few[] = {0, 0, 0};
  CHECK(m->sizes(m, too_many) == BURIN_BAD_ARGUMENT && m->sizes(m, too_few) == BURIN_BAD_ARGUMENT);
  CHECK(m->sizes(m, NULL) == BURIN_BAD_ARGUMENT && m->sizes(NULL, dims) == BURIN_BAD_ARGUMENT);
  burin_model state = make_model(&state_program);
  int64_t lengths[] = {3, 2, 0}, full[] = {4, 2, 0};
  CHECK(state.sizes(&state, lengths) == BURIN_OK && lengths[2] == 5);
  CHECK(state.sizes(&state, full) == BURIN_BAD_ARGUMENT);
  burin_dim_info length, total;
  CHECK(state.dim(&state, 0, &length) == BURIN_OK && length.kind == BURIN_DIM_LENGTH);
  CHECK(state.dim(&state, 2, &total) == BURIN_OK && total.kind == BURIN_DIM_COMPUTED);
}

static void test_element_types(void) {
  static const struct {
    uint32_t bytes, types[14], count;
  } sizes[] = {
      {0, {0, BURIN_STRING, 999}, 3},
      {1,
       {BURIN_U2, BURIN_I2, BURIN_U4, BURIN_I4, BURIN_F4E2M1, BURIN_U8, BURIN_I8, BURIN_BOOL,
        BURIN_F8E4M3FN, BURIN_F8E4M3FNUZ, BURIN_F8E5M2, BURIN_F8E5M2FNUZ, BURIN_F8E8M0},
       13},
      {2, {BURIN_U16, BURIN_I16, BURIN_F16, BURIN_BF16}, 4},
      {4, {BURIN_F32, BURIN_I32, BURIN_U32}, 3},
      {8, {BURIN_I64, BURIN_F64, BURIN_U64, BURIN_C64}, 4},
      {16, {BURIN_C128}, 1},
  };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i)
    for (uint32_t t = 0; t < sizes[i].count; ++t)
      CHECK(burin_dtype_bytes(sizes[i].types[t]) == sizes[i].bytes);
}

/* No size of a hostile or absurd program wraps around to a small arena. */
static void test_sizes_that_wrap(void) {
  burin_arena_layout layout;
  burin_program program = fixture_program;
  program.scratch_bytes = UINT64_MAX / 2;
  CHECK(burin_layout(&program, 1, &layout) == false); /* more than INT64_MAX in all */
  CHECK(burin_layout(&program, 4, &layout) == false); /* the product */
  program.scratch_bytes = UINT64_MAX - 8;
  CHECK(burin_layout(&program, 1, &layout) == false); /* rounded up to the alignment */
  program.scratch_bytes = UINT64_MAX - 127;
  CHECK(burin_layout(&program, 1, &layout) == false); /* the sum with what comes before */
}

static void test_messages(void) {
  static const char whole[] = "node 'a': -12 of 100% ?";
  char text[64];
  for (size_t size = 0; size <= sizeof whole; ++size) {
    memset(text, '#', sizeof text);
    burin_format(text, size, "node '%s': %d of %d%% %s", "a", (int64_t)-12, (int64_t)100,
                 (const char *)NULL);
    CHECK(text[size] == '#');
    if (size)
      CHECK(strlen(text) == size - 1 && !strncmp(text, whole, size - 1));
  }
  burin_format(text, sizeof text, "%d", INT64_MIN);
  CHECK(!strcmp(text, "-9223372036854775808"));
  burin_format(text, sizeof text, "ends %q here");
  CHECK(!strcmp(text, "ends "));
}

static void test_cpu(void) {
  CHECK(!burin_missing_cpu_feature(0));
  CHECK_TEXT(burin_missing_cpu_feature((uint64_t)1 << 63), "does not know");
}

int main(void) {
  test_wrong_arguments();
  test_sizes();
  test_element_types();
  test_sizes_that_wrap();
  test_messages();
  test_cpu();
  return 0;
}
