/* SPDX-License-Identifier: Apache-2.0
 *
 * What a context keeps from run to run. A state that grows has memory for its capacity and a
 * length, which is a dim of the model: a run reads that many rows and writes behind them, so that
 * a run that fails has changed nothing. The length moves when a run has succeeded.
 */
#include <string.h>

#include "runtime.h"

burin_status burin_rt_state(const burin_model *model, uint32_t index, burin_state_info *info) {
  const burin_program *program = burin_program_of(model);
  if (!program || !info || index >= program->state_count)
    return BURIN_BAD_ARGUMENT;
  const burin_state_abi *state = &program->states[index];
  burin_fill_info(&state->info, &info->tensor);
  info->output = state->output;
  info->axis = state->axis;
  info->dim = state->length;
  return BURIN_OK;
}

burin_status burin_rt_state_data(burin_context *context, uint32_t index, void **data,
                                 int64_t *length) {
  if (!context || index >= context->program->state_count)
    return BURIN_BAD_ARGUMENT;
  const burin_state_abi *state = &context->program->states[index];
  if (data)
    *data = context->states + state->offset;
  if (length)
    *length = state->axis < 0 ? 0 : context->lengths[state->length];
  return BURIN_OK;
}

/* The least capacity of the states that share the length of `state`. */
static int64_t capacity_of(const burin_program *program, const burin_state_abi *state) {
  int64_t least = INT64_MAX;
  for (uint32_t i = 0; i < program->state_count; ++i) {
    const burin_state_abi *other = &program->states[i];
    if (other->axis >= 0 && other->length == state->length && other->info.shape[other->axis] < least)
      least = other->info.shape[other->axis];
  }
  return least;
}

static burin_status set_length(burin_context *context, uint32_t index, int64_t length) {
  context->message[0] = 0;
  const burin_program *program = context->program;
  if (index >= program->state_count)
    return burin_fail(context, BURIN_BAD_ARGUMENT, "model '%s' has %d states, none of index %d",
                      program->name, (int64_t)program->state_count, (int64_t)index);
  const burin_state_abi *state = &program->states[index];
  if (state->axis < 0)
    return burin_fail(context, BURIN_BAD_ARGUMENT, "state '%s' does not grow: it has no length",
                      state->info.name);
  int64_t capacity = capacity_of(program, state);
  if (length < 0 || length > capacity)
    return burin_fail(context, BURIN_BAD_ARGUMENT, "state '%s' has a length from 0 to %d, not %d",
                      state->info.name, capacity, length);
  context->lengths[state->length] = length;
  return BURIN_OK;
}

burin_status burin_rt_state_set_length(burin_context *context, uint32_t index, int64_t length) {
  if (!context)
    return BURIN_BAD_ARGUMENT;
  if (atomic_exchange_explicit(&context->busy, true, memory_order_acquire))
    return BURIN_BUSY;
  burin_status status = set_length(context, index, length);
  atomic_store_explicit(&context->busy, false, memory_order_release);
  return status;
}

burin_status burin_rt_reset(burin_context *context) {
  if (!context)
    return BURIN_BAD_ARGUMENT;
  if (atomic_exchange_explicit(&context->busy, true, memory_order_acquire))
    return BURIN_BUSY;
  const burin_program *program = context->program;
  for (uint32_t i = 0; i < program->dim_count; ++i)
    context->lengths[i] = 0;
  for (uint32_t i = 0; i < program->state_count; ++i)
    if (program->states[i].axis < 0) /* what lies behind a length is never read */
      memset(context->states + program->states[i].offset, 0, program->states[i].info.max_bytes);
  atomic_store_explicit(&context->busy, false, memory_order_release);
  return BURIN_OK;
}

burin_status burin_take_lengths(burin_context *context) {
  const burin_program *program = context->program;
  for (uint32_t i = 0; i < program->state_count; ++i) {
    const burin_state_abi *state = &program->states[i];
    if (state->axis < 0)
      continue;
    const burin_dim_abi *range = &program->dims[state->length];
    int64_t length = context->lengths[state->length];
    if (length > range->max)
      return burin_fail(context, BURIN_STATE_FULL,
                        "state '%s' is full: its length is %d, and a run takes %d ('%s') at most; set "
                        "it back, or compile the model for more",
                        state->info.name, length, range->max, range->name);
    if (length < range->min)
      return burin_fail(context, BURIN_BAD_ARGUMENT,
                        "state '%s' has length %d, and the model takes '%s' from %d: fill it first, or "
                        "compile the model for a range from 0",
                        state->info.name, length, range->name, range->min);
    context->dims[state->length] = length;
    context->dim_known[state->length] = true;
  }
  return BURIN_OK;
}

void burin_keep_lengths(burin_context *context) {
  const burin_program *program = context->program;
  for (uint32_t i = 0; i < program->state_count; ++i)
    if (program->states[i].axis >= 0)
      context->lengths[program->states[i].length] = context->dims[program->states[i].next];
}
