/* SPDX-License-Identifier: Apache-2.0
 *
 * What a model is: the questions that need no context.
 */
#include "runtime.h"

uint32_t burin_dtype_bytes(uint32_t dtype) {
  switch ((burin_dtype)dtype) {
  case BURIN_U2: case BURIN_I2: case BURIN_U4: case BURIN_I4: case BURIN_F4E2M1:
  case BURIN_U8: case BURIN_I8: case BURIN_BOOL:
  case BURIN_F8E4M3FN: case BURIN_F8E4M3FNUZ: case BURIN_F8E5M2: case BURIN_F8E5M2FNUZ:
  case BURIN_F8E8M0:
    return 1;
  case BURIN_U16: case BURIN_I16: case BURIN_F16: case BURIN_BF16:
    return 2;
  case BURIN_F32: case BURIN_I32: case BURIN_U32:
    return 4;
  case BURIN_I64: case BURIN_F64: case BURIN_U64: case BURIN_C64:
    return 8;
  case BURIN_C128:
    return 16;
  case BURIN_STRING:
    return 0;
  }
  return 0;
}

const char *burin_dtype_name(uint32_t dtype) {
  /* Text in place: pointers would be relocated. */
  static const char names[][20] = {
      "0",           "BURIN_F32",    "BURIN_U8",       "BURIN_I8",       "BURIN_U16",
      "BURIN_I16",   "BURIN_I32",    "BURIN_I64",      "BURIN_STRING",   "BURIN_BOOL",
      "BURIN_F16",   "BURIN_F64",    "BURIN_U32",      "BURIN_U64",      "BURIN_C64",
      "BURIN_C128",  "BURIN_BF16",   "BURIN_F8E4M3FN", "BURIN_F8E4M3FNUZ", "BURIN_F8E5M2",
      "BURIN_F8E5M2FNUZ", "BURIN_U4", "BURIN_I4",      "BURIN_F4E2M1",   "BURIN_F8E8M0",
      "BURIN_U2",    "BURIN_I2"};
  return dtype < sizeof names / sizeof *names ? names[dtype] : "unknown";
}

const burin_program *burin_program_of(const burin_model *model) {
  return model && model->abi_version == BURIN_ABI_VERSION ? model->program : NULL;
}

burin_status burin_rt_describe(const burin_model *model, uint32_t *inputs, uint32_t *outputs) {
  const burin_program *program = burin_program_of(model);
  if (!program || !inputs || !outputs)
    return BURIN_BAD_ARGUMENT;
  *inputs = program->input_count;
  *outputs = program->output_count;
  return BURIN_OK;
}

void burin_fill_info(const burin_tensor_info_abi *from, burin_tensor_info *to) {
  to->name = from->name;
  to->dtype = (burin_dtype)from->dtype;
  to->rank = from->rank;
  to->shape = from->shape;
  to->dim_names = from->dim_names;
  to->max_bytes = from->max_bytes;
}

burin_status burin_rt_input(const burin_model *model, uint32_t index, burin_tensor_info *info) {
  const burin_program *program = burin_program_of(model);
  if (!program || !info || index >= program->input_count)
    return BURIN_BAD_ARGUMENT;
  burin_fill_info(&program->inputs[index], info);
  return BURIN_OK;
}

burin_status burin_rt_output(const burin_model *model, uint32_t index, burin_tensor_info *info) {
  const burin_program *program = burin_program_of(model);
  if (!program || !info || index >= program->output_count)
    return BURIN_BAD_ARGUMENT;
  burin_fill_info(&program->outputs[index], info);
  return BURIN_OK;
}

burin_status burin_rt_dim(const burin_model *model, uint32_t index, burin_dim_info *info) {
  const burin_program *program = burin_program_of(model);
  if (!program || !info || index >= program->dim_count)
    return BURIN_BAD_ARGUMENT;
  const burin_dim_abi *dim = &program->dims[index];
  *info = (burin_dim_info){dim->name, dim->min, dim->max, (burin_dim_kind)dim->kind};
  return BURIN_OK;
}

/* Whether a variant takes the dims that are not computed. */
static bool takes(const burin_program *program, const burin_variant_abi *variant,
                  const int64_t *dims) {
  for (uint32_t d = 0; d < program->dim_count; ++d)
    if (program->dims[d].kind <= BURIN_DIM_LENGTH &&
        (dims[d] < variant->ranges[d].min || dims[d] > variant->ranges[d].max))
      return false;
  return true;
}

burin_status burin_rt_sizes(const burin_model *model, int64_t *dims) {
  const burin_program *program = burin_program_of(model);
  if (!program || (!dims && program->dim_count))
    return BURIN_BAD_ARGUMENT;
  for (uint32_t v = 0; v < program->variant_count; ++v)
    if (takes(program, &program->variants[v], dims)) {
      program->variants[v].sizes(dims);
      return BURIN_OK;
    }
  return BURIN_BAD_ARGUMENT;
}

/* Appends `count` elements of `size` bytes to `*end`; returns where they begin. */
static uint64_t append(uint64_t *end, uint64_t count, uint64_t size, bool *fits) {
  uint64_t begin = *end, bytes, rounded;
  if (__builtin_mul_overflow(count, size, &bytes) ||
      __builtin_add_overflow(bytes, BURIN_ALIGNMENT - 1, &rounded) ||
      __builtin_add_overflow(begin, rounded & ~(uint64_t)(BURIN_ALIGNMENT - 1), end) ||
      *end > INT64_MAX)
    *fits = false;
  return begin;
}

/* The activations of the variant that takes most. */
static uint64_t activation_bytes(const burin_program *program) {
  uint64_t most = 0;
  for (uint32_t v = 0; v < program->variant_count; ++v)
    if (program->variants[v].arena_bytes > most)
      most = program->variants[v].arena_bytes;
  return most;
}

/* What the tensors of a batch take, gathered. */
static uint64_t staging_bytes(const burin_program *program, bool *fits) {
  uint64_t bytes = 0;
  uint32_t tensors = program->input_count + program->output_count;
  for (uint32_t i = 0; program->batch && i < tensors; ++i)
    if (program->batch->axes[i] >= 0)
      append(&bytes, burin_tensor_of(program, i)->max_bytes, 1, fits);
  return bytes;
}

bool burin_layout(const burin_program *program, uint32_t workers, burin_arena_layout *layout) {
  bool fits = true;
  uint64_t end = 0;
  append(&end, 1, BURIN_CONTEXT_BYTES, &fits);
  layout->dims = append(&end, program->dim_count, sizeof(int64_t), &fits);
  layout->shared = append(&end, program->dim_count, sizeof(int64_t), &fits);
  layout->dim_known = append(&end, program->dim_count, sizeof(bool), &fits);
  layout->lengths = append(&end, program->dim_count, sizeof(int64_t), &fits);
  layout->inputs = append(&end, program->input_count, sizeof(void *), &fits);
  layout->outputs = append(&end, program->output_count, sizeof(void *), &fits);
  layout->states = append(&end, program->state_bytes, 1, &fits);
  layout->activations = append(&end, activation_bytes(program), 1, &fits);
  layout->staging = append(&end, staging_bytes(program, &fits), 1, &fits);
  layout->scratch = append(&end, workers, program->scratch_bytes, &fits);
  layout->bytes = end;
  return fits;
}

burin_status burin_rt_memory(const burin_model *model, uint32_t workers, burin_memory *memory) {
  const burin_program *program = burin_program_of(model);
  burin_arena_layout layout;
  if (!workers)
    workers = 1;
  if (!program || !memory || !burin_layout(program, workers, &layout))
    return BURIN_BAD_ARGUMENT;
  memory->bytes = layout.bytes;
  memory->alignment = BURIN_ALIGNMENT;
  memory->activations = activation_bytes(program);
  memory->scratch = workers * program->scratch_bytes;
  memory->weights = program->weights_bytes;
  memory->states = program->state_bytes;
  return BURIN_OK;
}

const char *burin_rt_certificate(const burin_model *model) {
  const burin_program *program = burin_program_of(model);
  return program ? program->certificate : NULL;
}
