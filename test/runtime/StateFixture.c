/* SPDX-License-Identifier: Apache-2.0
 *
 * A program with states, as the compiler would emit one:
 *
 *   inputs   x f32[2, new, 3]
 *   states   past f32[2, 5, 3], appended to along dimension 1 by x: `length` 0..3 before a run
 *            sum f32[1], replaced by sum + all of x
 *   outputs  present f32[2, total, 3]: a copy of past, with x behind it
 *   dims     length 0..3, new 1..2, total 1..5
 *
 * An x that begins with 1000 is a fault of the data, found when past is written and sum is not.
 */
#include "Fixture.h"

enum { heads = 2, width = 3, capacity = 5 };

static void k_append(const burin_kargs *args, uint32_t begin, uint32_t end, void *scratch) {
  (void)begin, (void)end, (void)scratch;
  const float *x = args->buffers[0];
  float *past = args->buffers[1], *present = args->buffers[2], *sum = args->buffers[3];
  int64_t length = args->dims[0], new = args->dims[1], total = length + new;
  for (int h = 0; h < heads; ++h)
    for (int64_t r = 0; r < new; ++r)
      memcpy(past + (h * capacity + length + r) * width, x + (h * new + r) * width,
             width * sizeof(float));
  for (int h = 0; h < heads; ++h)
    memcpy(present + h * total * width, past + h * capacity * width,
           (size_t)total * width * sizeof(float));
  for (int64_t i = 0; i < heads * new * width; ++i)
    sum[0] += x[i];
  if (x[0] == 1000)
    __atomic_store_n(&args->error->code, BURIN_INDEX_RANGE, __ATOMIC_RELAXED);
}

static int32_t state_main(const burin_frame *frame) {
  float *kept = (float *)(frame->states + 128), *sum = (float *)frame->arena;
  *sum = *kept;
  void *buffers[] = {frame->inputs[0], frame->states, frame->outputs[0], sum};
  burin_kargs args = {buffers, frame->dims, frame->error};
  burin_launch launch = {k_append, &args, 1, 0, 1, 0};
  int32_t code = frame->launch(frame->context, &launch, 1);
  if (code)
    return code;
  *kept = *sum;
  frame->dims[2] = frame->dims[0] + frame->dims[1];
  return 0;
}

static const int64_t x_shape[] = {2, -2, 3}, present_shape[] = {2, -3, 3},
                     past_shape[] = {heads, capacity, width}, sum_shape[] = {1};
static const char *const x_names[] = {"", "new", ""}, *const past_names[] = {"", "length", ""},
                  *const present_names[] = {"", "total", ""}, *const sum_names[] = {""};
static const burin_tensor_info_abi inputs[] = {{"x", x_shape, x_names, 2 * 2 * 3 * 4, BURIN_F32, 3}};
static const burin_tensor_info_abi outputs[] = {
    {"present_copy", present_shape, present_names, 2 * 5 * 3 * 4, BURIN_F32, 3}};
static const burin_state_abi states[] = {
    {{"past", past_shape, past_names, 2 * 5 * 3 * 4, BURIN_F32, 3}, "present", 0, 1, 0, 2, 0},
    {{"sum", sum_shape, sum_names, 4, BURIN_F32, 1}, "next_sum", 128, -1, 0, 0, 0}};
static const burin_dim_abi dims[] = {{"length", 0, 3, BURIN_DIM_LENGTH, 0},
                                     {"new", 1, 2, BURIN_DIM_FREE, 0},
                                     {"total", 1, 5, BURIN_DIM_COMPUTED, 0}};
static const burin_site_abi sites[] = {{"k_append", "append", "append"}};
static const burin_range_abi ranges[] = {{0, 3}, {1, 2}, {1, 5}};
static const burin_main_fn mains[] = {state_main};
static void state_sizes(int64_t *sizes) { sizes[2] = sizes[0] + sizes[1]; }

static const burin_variant_abi variant = {ranges, mains, 64, state_sizes};
static const burin_level_abi level = {"any CPU", 0};

const burin_program state_program = {.abi_version = BURIN_ABI_VERSION,
                                     .struct_size = sizeof(burin_program),
                                     .name = "state",
                                     .compiler = "by hand",
                                     .certificate = "{}",
                                     .inputs = inputs,
                                     .outputs = outputs,
                                     .dims = dims,
                                     .sites = sites,
                                     .variants = &variant,
                                     .levels = &level,
                                     .states = states,
                                     .state_bytes = 192,
                                     .input_count = 1,
                                     .output_count = 1,
                                     .dim_count = 3,
                                     .site_count = 1,
                                     .variant_count = 1,
                                     .level_count = 1,
                                     .state_count = 2};
