/* SPDX-License-Identifier: Apache-2.0
 *
 * Several requests as one: their rows are gathered in the arena, one run of the
 * main program computes them, what it computes is scattered. No row depends on
 * another (the compiler has shown that), so that each request gets the bits it
 * would get alone.
 */
#include <string.h>

#include "runtime.h"

/* A tensor as rows of a batch: `blocks` times so many rows of `row` bytes each.
 */
typedef struct rows {
  uint64_t blocks, row;
} rows;

/* How a tensor is laid out where the batch has `count` rows, by the context's
 * sizes. */
static rows rows_of(const burin_context *context, uint32_t tensor, int64_t count) {
  const burin_tensor_info_abi *info = burin_tensor_of(context->program, tensor);
  uint32_t axis = (uint32_t)context->program->batch->axes[tensor];
  rows r = {1, burin_dtype_bytes(info->dtype)};
  for (uint32_t i = 0; i < axis; ++i)
    r.blocks *= (uint64_t)burin_size_of(context, info, i);
  for (uint32_t i = axis; i < info->rank; ++i)
    r.row *= (uint64_t)burin_size_of(context, info, i);
  r.row /= (uint64_t)count;
  return r;
}

/* Copies `count` rows of each block, from row `from_at` of `from_count` to row
 * `to_at` of `to_count`. */
static void copy_rows(rows r, int64_t count, void *to, int64_t to_at, int64_t to_count,
                      const void *from, int64_t from_at, int64_t from_count) {
  uint64_t bytes = (uint64_t)count * r.row;
  for (uint64_t b = 0; b < r.blocks && bytes; ++b)
    memcpy((unsigned char *)to + (b * (uint64_t)to_count + (uint64_t)to_at) * r.row,
           (const unsigned char *)from + (b * (uint64_t)from_count + (uint64_t)from_at) * r.row,
           bytes);
}

/* Whether a variant takes the sizes that the requests share. */
static bool takes_shared(const burin_context *context, const burin_variant_abi *variant) {
  const burin_program *program = context->program;
  for (uint32_t d = 0; d < program->dim_count; ++d)
    if (d != program->batch->dim && context->dim_known[d] &&
        (context->shared[d] < variant->ranges[d].min ||
         context->shared[d] > variant->ranges[d].max))
      return false;
  return true;
}

/* Takes the cheapest variant for so many rows together; returns for how many it
 * runs, 0 where there is none. */
static int64_t choose(burin_context *context, int64_t total) {
  const burin_program *program = context->program;
  uint32_t batch = program->batch->dim;
  for (uint32_t v = 0; v < program->variant_count; ++v) {
    const burin_variant_abi *variant = &program->variants[v];
    if (!takes_shared(context, variant) || variant->ranges[batch].max < total)
      continue;
    context->variant = variant;
    return total > variant->ranges[batch].min ? total : variant->ranges[batch].min;
  }
  return 0;
}

/* Whether a request, just taken, can join those before it. */
static bool can_join(const burin_context *context, const burin_tensor *first,
                     const burin_tensor *inputs) {
  const burin_program *program = context->program;
  for (uint32_t d = 0; d < program->dim_count; ++d)
    if (d != program->batch->dim && context->dim_known[d] && context->dims[d] != context->shared[d])
      return false;
  for (uint32_t i = 0; i < program->input_count; ++i) {
    if (program->batch->axes[i] >= 0 || inputs[i].data == first[i].data)
      continue;
    const burin_tensor_info_abi *info = &program->inputs[i];
    uint64_t bytes = burin_dtype_bytes(info->dtype);
    for (uint32_t j = 0; j < info->rank; ++j)
      bytes *= (uint64_t)burin_size_of(context, info, j);
    if (bytes && memcmp(inputs[i].data, first[i].data, bytes))
      return false;
  }
  return true;
}

static int64_t rows_in(const burin_program *program, const burin_tensor *inputs) {
  uint32_t i = 0;
  while (program->batch->axes[i] < 0)
    ++i; /* an input has them: its shape has told the dim */
  return inputs[i].shape[program->batch->axes[i]];
}

/* Takes the first requests that can run as one; of a request that is wrong,
 * only where it is the first. `*total` is the number of their rows. */
static burin_status take_some(burin_context *context, uint32_t requests, const burin_tensor *inputs,
                              const burin_tensor *outputs, uint32_t *taken, int64_t *total) {
  const burin_program *program = context->program;
  burin_status status = burin_take_request(context, inputs, outputs);
  *taken = 1;
  if (status || requests < 2 || !program->batch)
    return status;
  *total = rows_in(program, inputs);
  memcpy(context->shared, context->dims, program->dim_count * sizeof *context->dims);
  context->probing = true;
  for (uint32_t r = 1; r<requests && * total> 0; ++r) {
    const burin_tensor *next = inputs + (size_t)r * program->input_count;
    int64_t more;
    if (burin_take_request(context, next, outputs + (size_t)r * program->output_count) ||
        !can_join(context, inputs, next) || rows_in(program, next) < 1 ||
        __builtin_add_overflow(*total, rows_in(program, next), &more) || !choose(context, more))
      break;
    *total = more;
    ++*taken;
  }
  context->probing = false;
  context->message[0] = 0;
  return *taken > 1 ? BURIN_OK : burin_take_request(context, inputs, outputs);
}

/* Copies between the requests' own tensors and the gathered one, which has
 * `run` rows. */
static void move(const burin_context *context, uint32_t requests, const burin_tensor *inputs,
                 const burin_tensor *outputs, uint32_t tensor, unsigned char *gathered,
                 int64_t run) {
  const burin_program *program = context->program;
  rows r = rows_of(context, tensor, run);
  int64_t at = 0;
  for (uint32_t q = 0; q < requests; ++q) {
    int64_t mine = rows_in(program, inputs + (size_t)q * program->input_count);
    if (tensor >= program->input_count) {
      void *to = outputs[(size_t)q * program->output_count + tensor - program->input_count].data;
      copy_rows(r, mine, to, 0, mine, gathered, at, run);
      at += mine;
      continue;
    }
    const void *from = inputs[(size_t)q * program->input_count + tensor].data;
    copy_rows(r, mine, gathered, at, run, from, 0, mine);
    at += mine;
    /* The variant may run more rows than there are: those repeat the last one,
     * which is sound. */
    for (; q + 1 == requests && at < run; ++at)
      copy_rows(r, 1, gathered, at, run, from, mine - 1, mine);
  }
}

/* An output that the batch has once goes to each request. */
static void repeat(const burin_context *context, uint32_t requests, const burin_tensor *outputs,
                   uint32_t output) {
  const burin_tensor_info_abi *info = &context->program->outputs[output];
  uint64_t bytes = burin_dtype_bytes(info->dtype);
  for (uint32_t i = 0; i < info->rank; ++i)
    bytes *= (uint64_t)burin_size_of(context, info, i);
  for (uint32_t q = 1; q < requests && bytes; ++q)
    memcpy(outputs[(size_t)q * context->program->output_count + output].data, outputs[output].data,
           bytes);
}

static burin_status run_together(burin_context *context, uint32_t requests, int64_t total,
                                 const burin_tensor *inputs, const burin_tensor *outputs) {
  const burin_program *program = context->program;
  const burin_batch_abi *batch = program->batch;
  int64_t run = choose(context, total);
  for (uint32_t d = 0; d < program->dim_count; ++d)
    context->dims[d] = d == batch->dim         ? run
                       : context->dim_known[d] ? context->shared[d]
                                               : context->variant->ranges[d].max;
  uint32_t tensors = program->input_count + program->output_count;
  unsigned char *next = context->staging;
  for (uint32_t t = 0; t < tensors; ++t) {
    bool is_input = t < program->input_count;
    uint32_t i = is_input ? t : t - program->input_count;
    void **place = is_input ? &context->inputs[i] : &context->outputs[i];
    *place = batch->axes[t] >= 0 ? next : is_input ? inputs[i].data : outputs[i].data;
    if (batch->axes[t] < 0)
      continue;
    if (is_input)
      move(context, requests, inputs, outputs, t, next, run);
    next +=
        (burin_tensor_of(program, t)->max_bytes + BURIN_ALIGNMENT - 1) & ~(uint64_t)(BURIN_ALIGNMENT - 1);
  }
  burin_status status = burin_run_taken(context);
  if (status)
    return status;
  for (uint32_t i = 0; i < program->output_count; ++i)
    if (batch->axes[program->input_count + i] < 0)
      repeat(context, requests, outputs, i);
    else
      move(context, requests, inputs, outputs, program->input_count + i, context->outputs[i], run);
  /* What output_shape tells is the last request's. */
  int64_t last = rows_in(program, inputs + (size_t)(requests - 1) * program->input_count);
  for (uint32_t d = 0; d < program->dim_count; ++d)
    for (uint32_t i = 0; i < program->output_count; ++i) {
      int32_t axis = batch->axes[program->input_count + i];
      if (axis >= 0 && d != batch->dim && program->outputs[i].shape[axis] == -1 - (int64_t)d) {
        context->dims[d] = context->dims[d] / run * last;
        break;
      }
    }
  context->dims[batch->dim] = last;
  return BURIN_OK;
}

burin_status burin_run_some(burin_context *context, uint32_t requests, const burin_tensor *inputs,
                            const burin_tensor *outputs, uint32_t *ran) {
  const burin_program *program = context->program;
  int64_t total = 0;
  burin_status status = take_some(context, requests, inputs, outputs, ran, &total);
  if (status)
    return status;
  if (*ran == 1)
    return burin_run_taken(context);
  context->probing = true;
  status = run_together(context, *ran, total, inputs, outputs);
  context->probing = false;
  if (!status)
    return BURIN_OK;
  /* Some request's data are at fault: which one, they tell one by one. */
  context->message[0] = 0;
  status = BURIN_OK;
  for (uint32_t r = 0; r < *ran && !status; ++r) {
    status = burin_take_request(context, inputs + (size_t)r * program->input_count,
                                outputs + (size_t)r * program->output_count);
    if (!status)
      status = burin_run_taken(context);
  }
  return status;
}
