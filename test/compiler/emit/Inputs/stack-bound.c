/* SPDX-License-Identifier: Apache-2.0
 *
 * stack-bound MODEL.so: runs it on a painted stack and compares the bytes that were touched with
 * those that its certificate allows.
 */
#include "burin/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum { stack_bytes = 1 << 20, paint = 0xa5 };

static burin_context *context;
static burin_tensor inputs[8], outputs[8];
static uint32_t input_count, output_count;
static burin_status status;
static unsigned char *entered; /* the frame that calls run */

static void run_it(const burin_model *model) {
  entered = __builtin_frame_address(0);
  status = model->run(context, inputs, input_count, outputs, output_count);
}

static const burin_model *model;
static void start(void) { run_it(model); }

static burin_tensor largest(const burin_tensor_info *info, const burin_dim_info *dims) {
  int64_t *shape = calloc(info->rank + 1, sizeof *shape);
  for (uint32_t i = 0; i < info->rank; ++i)
    shape[i] = info->shape[i] < 0 ? dims[-1 - info->shape[i]].max : info->shape[i];
  return (burin_tensor){calloc(info->max_bytes, 1), info->max_bytes, shape, info->rank, info->dtype};
}

int main(int argc, char **argv) {
  burin_library *library;
  char why[256];
  if (argc != 2 || burin_load(argv[1], NULL, &library, &model, why, sizeof why))
    return 2;
  burin_memory need;
  burin_tensor_info info;
  burin_dim_info dims[8];
  for (uint32_t d = 0; d < 8 && !model->dim(model, d, &dims[d]);)
    ++d;
  model->describe(model, &input_count, &output_count);
  for (uint32_t i = 0; i < input_count && !model->input(model, i, &info); ++i)
    inputs[i] = largest(&info, dims);
  for (uint32_t i = 0; i < output_count && !model->output(model, i, &info); ++i)
    outputs[i] = largest(&info, dims);
  model->memory(model, 1, &need);
  burin_options options = {.arena = aligned_alloc(64, need.bytes), .arena_bytes = need.bytes};
  if (model->create(model, &options, &context))
    return 2;
  const char *said = strstr(model->certificate(model), "\"stack_bytes\":");
  long bound = said ? atol(said + strlen("\"stack_bytes\":")) : 0;

  unsigned char *stack = malloc(stack_bytes);
  memset(stack, paint, stack_bytes);
  ucontext_t back, there;
  getcontext(&there);
  there.uc_stack.ss_sp = stack;
  there.uc_stack.ss_size = stack_bytes;
  there.uc_link = &back;
  makecontext(&there, start, 0);
  swapcontext(&back, &there);
  unsigned char *lowest = stack;
  while (*lowest == paint)
    ++lowest;
  long touched = (long)(entered - lowest);
  printf("status %d, touched %ld bytes of stack, bound %ld\n", (int)status, touched, bound);
  return status || touched <= 0 || touched > bound;
}
