/* SPDX-License-Identifier: Apache-2.0 */
#include "Fixture.h"

#ifndef FIXTURE_ABI_VERSION /* an artifact of another version defines it */
#define FIXTURE_ABI_VERSION BURIN_ABI_VERSION
#endif

/*===- Kernels --------------------------------------------------------------===*/

static void task_range(int64_t rows, uint32_t task, int64_t *from, int64_t *to) {
  *from = rows * task / fixture_tasks;
  *to = rows * (task + 1) / fixture_tasks;
}

/* doubled = 2 x, each row by way of the scratch */
static void k_double(const burin_kargs *args, uint32_t begin, uint32_t end, void *scratch) {
  const float *x = args->buffers[0];
  float *doubled = args->buffers[1], *row = scratch;
  for (uint32_t task = begin; task < end; ++task) {
    int64_t from, to;
    task_range(args->dims[0], task, &from, &to);
    for (int64_t r = from; r < to; ++r) {
      for (int c = 0; c < fixture_columns; ++c)
        row[c] = 2 * x[r * fixture_columns + c];
      memcpy(doubled + r * fixture_columns, row, fixture_columns * sizeof(float));
    }
  }
}

/* y = doubled + bias */
static void k_add(const burin_kargs *args, uint32_t begin, uint32_t end, void *scratch) {
  (void)scratch;
  const float *doubled = args->buffers[0], *bias = args->buffers[1];
  float *y = args->buffers[2];
  for (uint32_t task = begin; task < end; ++task) {
    int64_t from, to;
    task_range(args->dims[0], task, &from, &to);
    for (int64_t i = from * fixture_columns; i < to * fixture_columns; ++i)
      y[i] = doubled[i] + bias[i % fixture_columns];
  }
}

static void k_pick(const burin_kargs *args, uint32_t begin, uint32_t end, void *scratch) {
  (void)begin, (void)end, (void)scratch;
  const float *bias = args->buffers[0];
  const int64_t *index = args->buffers[1];
  float *picked = args->buffers[2];
  for (int64_t i = 0; i < args->dims[1]; ++i) {
    int64_t at = index[i];
    if (at < 0 || at >= fixture_columns) {
      int32_t none = 0;
      if (__atomic_compare_exchange_n(&args->error->code, &none, BURIN_INDEX_RANGE, 0,
                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        args->error->detail = at;
      at = 0;
    }
    picked[i] = bias[at];
  }
}

static void k_positive(const burin_kargs *args, uint32_t begin, uint32_t end, void *scratch) {
  (void)begin, (void)end, (void)scratch;
  const float *x = args->buffers[0];
  float *positive = args->buffers[1];
  int64_t *count = args->buffers[2];
  *count = 0;
  for (int64_t i = 0; i < args->dims[0] * fixture_columns; ++i)
    if (x[i] > 0)
      positive[(*count)++] = x[i];
}

/*===- Program --------------------------------------------------------------===*/

static int32_t launch(const burin_frame *frame, burin_kernel_fn kernel, void *const *buffers,
                      uint32_t tasks, uint32_t site) {
  burin_kargs args = {buffers, frame->dims, frame->error};
  burin_launch launch = {kernel, &args, tasks, site, 1, 0};
  return frame->launch(frame->context, &launch, 1);
}

static int32_t fixture_main(const burin_frame *frame) {
  void *const *in = frame->inputs, *const *out = frame->outputs;
  int32_t code;
  void *doubled = frame->arena;
  if ((code = launch(frame, k_double, (void *[]){in[0], doubled}, fixture_tasks, 0)))
    return code;
  if ((code = launch(frame, k_add, (void *[]){doubled, in[1], out[0]}, fixture_tasks, 1)))
    return code;
  if ((code = launch(frame, k_pick, (void *[]){in[1], in[2], out[1]}, 1, 2)))
    return code;
  void *count = frame->arena; /* `doubled` is dead */
  if ((code = launch(frame, k_positive, (void *[]){in[0], out[2], count}, 1, 3)))
    return code;
  memcpy(&frame->dims[2], count, sizeof(int64_t));
  return 0;
}

static const int64_t x_shape[] = {-1, 8}, bias_shape[] = {8}, index_shape[] = {-2},
                     positive_shape[] = {-3};
static const char *const x_names[] = {"rows", ""}, *const bias_names[] = {""},
                  *const index_names[] = {"picks"}, *const positive_names[] = {"positives"};

static const burin_tensor_info_abi inputs[] = {
    {"x", x_shape, x_names, 64 * 8 * 4, BURIN_F32, 2},
    {"bias", bias_shape, bias_names, 8 * 4, BURIN_F32, 1},
    {"index", index_shape, index_names, 16 * 8, BURIN_I64, 1}};
static const burin_tensor_info_abi outputs[] = {
    {"y", x_shape, x_names, 64 * 8 * 4, BURIN_F32, 2},
    {"picked", index_shape, index_names, 16 * 4, BURIN_F32, 1},
    {"positive", positive_shape, positive_names, 64 * 8 * 4, BURIN_F32, 1}};
static const burin_dim_abi dims[] = {{"rows", 1, 64, BURIN_DIM_FREE, 0},
                                     {"picks", 0, 16, BURIN_DIM_FREE, 0},
                                     {"positives", 0, 512, BURIN_DIM_DATA, 0}};
static const burin_site_abi sites[] = {{"k_double", "double", "double"},
                                       {"k_add", "add", "add, relu"},
                                       {"k_pick", "pick", "pick"},
                                       {"k_positive", "positive", "positive"}};

static const burin_range_abi ranges[] = {{1, 64}, {0, 16}, {0, 512}};
static const burin_main_fn mains[] = {fixture_main};
static void fixture_sizes(int64_t *sizes) { sizes[2] = sizes[0] * fixture_columns; }

static const burin_variant_abi variant = {ranges, mains, 64 * 8 * 4, fixture_sizes};
static const burin_level_abi level = {"any CPU", 0};

const burin_program fixture_program = {.abi_version = FIXTURE_ABI_VERSION,
                                       .struct_size = sizeof(burin_program),
                                       .name = "fixture",
                                       .compiler = "by hand",
                                       .certificate = "{\"kernels\": 4}",
                                       .inputs = inputs,
                                       .outputs = outputs,
                                       .dims = dims,
                                       .sites = sites,
                                       .scratch_bytes = 64,
                                       .variants = &variant,
                                       .levels = &level,
                                       .input_count = 3,
                                       .output_count = 3,
                                       .dim_count = 3,
                                       .site_count = 4,
                                       .variant_count = 1,
                                       .level_count = 1};

#define SLOT(name) .name = burin_rt_##name,
const burin_model fixture_model = {.abi_version = FIXTURE_ABI_VERSION,
                                   .struct_size = sizeof(burin_model),
                                   .program = &fixture_program,
                                   .name = "fixture",
                                   BURIN_MODEL_SLOTS(SLOT)};

__attribute__((visibility("default"))) const burin_model *burin_model_fixture(void) {
  return &fixture_model;
}

burin_model make_model(const burin_program *program) {
  burin_model model = fixture_model;
  model.program = program;
  return model;
}
