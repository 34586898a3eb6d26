/* SPDX-License-Identifier: Apache-2.0
 *
 * A context: made in the caller's memory, checks each request against the model,
 * runs the main program, says what went wrong.
 */
#include <string.h>

#include "runtime.h"

burin_status burin_refuse(const burin_options *options, burin_status status, const char *format,
                          ...) {
  if (options && options->log) {
    char text[4608]; /* has room for a path */
    va_list arguments;
    va_start(arguments, format);
    burin_vformat(text, sizeof text, format, arguments);
    va_end(arguments);
    options->log(options->user, status, text);
  }
  return status;
}

burin_status burin_rt_create(const burin_model *model, const burin_options *options,
                             burin_context **made) {
  if (!model || !options || !made)
    return burin_refuse(options, BURIN_BAD_ARGUMENT, "create: a null argument");
  *made = NULL;
  const burin_program *program = model->program;
  if (model->abi_version != BURIN_ABI_VERSION || !program ||
      program->abi_version != BURIN_ABI_VERSION || program->struct_size != sizeof(burin_program))
    return burin_refuse(options, BURIN_BAD_ABI, "the model was made for interface version %d, not %d",
                  (int64_t)model->abi_version, (int64_t)BURIN_ABI_VERSION);
  uint32_t level = program->level_count;
  const char *missing = NULL; /* of the least level, in the end */
  while (level > 0 && (missing = burin_missing_cpu_feature(program->levels[level - 1].cpu_features)))
    --level;
  if (!level)
    return burin_refuse(options, BURIN_UNSUPPORTED_CPU,
                  "model '%s' was compiled for %s, but this CPU lacks %s", program->name,
                  program->levels[0].target, missing);

  if (options->pool && options->parallel_for)
    return burin_refuse(options, BURIN_BAD_ARGUMENT, "both a pool and a parallel_for were given");
  if (options->pool && !burin_pool_valid(options->pool))
    return burin_refuse(options, BURIN_BAD_ABI, "the pool was made by another version of the runtime");
  uint32_t most = options->pool ? burin_rt_pool_workers(options->pool)
                                : options->parallel_for ? UINT32_MAX : 1;
  uint32_t workers = options->workers ? options->workers : options->pool ? most : 1;
  burin_arena_layout layout;
  if (!burin_layout(program, workers, &layout))
    return burin_refuse(options, BURIN_BAD_ARGUMENT, "scratch for %d workers passes 2^63 bytes",
                  (int64_t)workers);
  if (!options->arena || options->arena_bytes < layout.bytes)
    return burin_refuse(options, BURIN_NO_MEMORY, "the arena has %d bytes; %d worker%s %d",
                  options->arena ? (int64_t)options->arena_bytes : (int64_t)0, (int64_t)workers,
                  workers == 1 ? " needs" : "s need", (int64_t)layout.bytes);
  if ((uintptr_t)options->arena % BURIN_ALIGNMENT)
    return burin_refuse(options, BURIN_NO_MEMORY, "the arena's address is no multiple of %d",
                  (int64_t)BURIN_ALIGNMENT);
  if (options->flags & ~BURIN_VERIFY_WEIGHTS)
    return burin_refuse(options, BURIN_BAD_ARGUMENT, "flags %d are not known", (int64_t)options->flags);
  if (options->weights && !burin_weights_data(options->weights, program))
    return burin_refuse(options, BURIN_BAD_ARGUMENT, "the weights are those of another model");
  burin_weights *own_weights = NULL;
  burin_status status = BURIN_OK;
  if (!options->weights && (status = burin_rt_weights_open(model, options, &own_weights)))
    return status;

  unsigned char *base = options->arena;
  burin_context *context = options->arena;
  memset(context, 0, sizeof *context);
  context->model = model;
  context->program = program;
  context->options = *options;
  context->variant = &program->variants[0];
  context->level = level - 1;
  context->workers = workers < most ? workers : most;
  context->dims = (int64_t *)(base + layout.dims);
  context->shared = (int64_t *)(base + layout.shared);
  context->dim_known = (bool *)(base + layout.dim_known);
  context->lengths = (int64_t *)(base + layout.lengths);
  context->inputs = (void **)(base + layout.inputs);
  context->outputs = (void **)(base + layout.outputs);
  context->states = base + layout.states;
  context->activations = base + layout.activations;
  context->staging = base + layout.staging;
  context->scratch = base + layout.scratch;
  context->own_weights = own_weights;
  context->weights = program->weights;
  if (program->shard_count)
    context->weights = burin_weights_data(own_weights ? own_weights : options->weights, program);
  for (uint32_t i = 0; i < program->dim_count; ++i)
    context->dims[i] = program->dims[i].max;
  *made = context;
  return burin_rt_reset(context);
}

void burin_rt_destroy(burin_context *context) {
  if (context) /* all else is the caller's memory */
    burin_rt_weights_close(context->own_weights);
}

burin_status burin_fail(burin_context *context, burin_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  burin_vformat(context->message, sizeof context->message, format, arguments);
  va_end(arguments);
  if (context->options.log && !context->probing)
    context->options.log(context->options.user, status, context->message);
  return status;
}

/*===- Checking a request --------------------------------------------------===*/

int64_t burin_size_of(const burin_context *context, const burin_tensor_info_abi *info, uint32_t i) {
  int64_t size = info->shape[i];
  return size >= 0 ? size : context->dims[-1 - size];
}

static bool is_static(const burin_tensor_info_abi *info) {
  for (uint32_t i = 0; i < info->rank; ++i)
    if (info->shape[i] < 0)
      return false;
  return true;
}

/* Checks the shape of input `index` and takes its dynamic sizes. */
static burin_status take_shape(burin_context *context, uint32_t index,
                               const burin_tensor *tensor) {
  const burin_tensor_info_abi *info = &context->program->inputs[index];
  if (!tensor->shape) {
    if (is_static(info))
      return BURIN_OK;
    return burin_fail(context, BURIN_BAD_ARGUMENT, "input '%s' has dynamic sizes: give its shape",
                info->name);
  }
  if (tensor->rank != info->rank)
    return burin_fail(context, BURIN_BAD_ARGUMENT, "input '%s' has rank %d, not %d", info->name,
                (int64_t)info->rank, (int64_t)tensor->rank);
  for (uint32_t i = 0; i < info->rank; ++i) {
    int64_t size = tensor->shape[i], expected = info->shape[i];
    if (expected >= 0) {
      if (size != expected)
        return burin_fail(context, BURIN_BAD_ARGUMENT, "input '%s': dimension %d is %d, not %d",
                    info->name, (int64_t)i, expected, size);
      continue;
    }
    uint32_t dim = (uint32_t)(-1 - expected);
    const burin_dim_abi *range = &context->program->dims[dim];
    if (size < range->min || size > range->max)
      return burin_fail(context, BURIN_BAD_ARGUMENT,
                  "input '%s': dimension %d ('%s') is %d, outside %d..%d", info->name, (int64_t)i,
                  range->name, size, range->min, range->max);
    if (context->dim_known[dim] && context->dims[dim] != size)
      return burin_fail(context, BURIN_BAD_ARGUMENT,
                  "input '%s': dimension %d ('%s') is %d, but %d %s", info->name, (int64_t)i,
                  range->name, size, context->dims[dim],
                  range->kind == BURIN_DIM_LENGTH ? "is the length of the model's state"
                                                  : "in an earlier input");
    context->dims[dim] = size;
    context->dim_known[dim] = true;
  }
  return BURIN_OK;
}

/* Checks type, room and address of a tensor whose sizes are known. An input has to
 * have exactly the bytes of its shape, an output at least those. */
static burin_status check_data(burin_context *context, const char *kind,
                               const burin_tensor_info_abi *info, const burin_tensor *tensor) {
  if (tensor->dtype && tensor->dtype != info->dtype)
    return burin_fail(context, BURIN_BAD_ARGUMENT, "%s '%s' has element type %s, not %s", kind,
                info->name, burin_dtype_name(info->dtype), burin_dtype_name(tensor->dtype));
  uint64_t bytes = burin_dtype_bytes(info->dtype);
  if (!bytes)
    return burin_fail(context, BURIN_INTERNAL, "%s '%s' has element type %s, which has no fixed size",
                kind, info->name, burin_dtype_name(info->dtype));
  for (uint32_t i = 0; i < info->rank; ++i)
    if (__builtin_mul_overflow(bytes, (uint64_t)burin_size_of(context, info, i), &bytes))
      return burin_fail(context, BURIN_BAD_ARGUMENT, "%s '%s' passes 2^64 bytes", kind, info->name);
  bool wrong = *kind == 'i' ? tensor->bytes != bytes : tensor->bytes < bytes;
  if (tensor->bytes && wrong)
    return burin_fail(context, BURIN_BAD_ARGUMENT, "%s '%s' takes %d bytes, not %d", kind, info->name,
                (int64_t)bytes, (int64_t)tensor->bytes);
  if (bytes && !tensor->data)
    return burin_fail(context, BURIN_BAD_ARGUMENT, "%s '%s' has no data", kind, info->name);
  return BURIN_OK;
}

/* Says which sizes there are, those of the request first. */
static burin_status no_variant(burin_context *context) {
  const burin_program *program = context->program;
  char text[384];
  size_t end = 0;
#define SAY(...) (burin_format(text + end, sizeof text - end, __VA_ARGS__), end = strlen(text))
  text[0] = 0;
  for (uint32_t d = 0; d < program->dim_count; ++d)
    if (context->dim_known[d])
      SAY("%s%s=%d", end ? " " : "", program->dims[d].name, context->dims[d]);
  for (uint32_t v = 0; v < program->variant_count; ++v) {
    SAY(v ? ";" : "; it was compiled for");
    for (uint32_t d = 0; d < program->dim_count; ++d) {
      burin_range_abi range = program->variants[v].ranges[d];
      if (!context->dim_known[d])
        continue;
      SAY(range.min == range.max ? " %s=%d" : " %s=%d..%d", program->dims[d].name, range.min,
          range.max);
    }
  }
#undef SAY
  return burin_fail(context, BURIN_BAD_ARGUMENT, "no variant of the model takes %s", text);
}

/* Takes the first variant for the sizes of the inputs. */
static burin_status choose_variant(burin_context *context) {
  const burin_program *program = context->program;
  for (uint32_t v = 0; v < program->variant_count; ++v) {
    const burin_range_abi *ranges = program->variants[v].ranges;
    bool fits = true;
    for (uint32_t d = 0; d < program->dim_count && fits; ++d)
      fits = !context->dim_known[d] ||
             (context->dims[d] >= ranges[d].min && context->dims[d] <= ranges[d].max);
    if (!fits)
      continue;
    context->variant = &program->variants[v];
    for (uint32_t d = 0; d < program->dim_count; ++d)
      if (!context->dim_known[d])
        context->dims[d] = ranges[d].max;
    return BURIN_OK;
  }
  return no_variant(context);
}

burin_status burin_take_request(burin_context *context, const burin_tensor *inputs,
                                const burin_tensor *outputs) {
  const burin_program *program = context->program;
  burin_status status;
  for (uint32_t i = 0; i < program->dim_count; ++i) {
    context->dims[i] = program->dims[i].max;
    context->dim_known[i] = false;
  }
  if ((status = burin_take_lengths(context)))
    return status;
  for (uint32_t i = 0; i < program->input_count; ++i)
    if ((status = take_shape(context, i, &inputs[i])))
      return status;
  if ((status = choose_variant(context)))
    return status;
  for (uint32_t i = 0; i < program->input_count; ++i) {
    if ((status = check_data(context, "input", &program->inputs[i], &inputs[i])))
      return status;
    context->inputs[i] = inputs[i].data;
  }
  for (uint32_t i = 0; i < program->output_count; ++i) {
    if ((status = check_data(context, "output", &program->outputs[i], &outputs[i])))
      return status;
    context->outputs[i] = outputs[i].data;
  }
  return BURIN_OK;
}

/*===- Running one ---------------------------------------------------------===*/

static burin_status explain(burin_context *context) {
  const burin_error_word *error = &context->error;
  const burin_program *program = context->program;
  const burin_site_abi *site = error->site < program->site_count ? &program->sites[error->site] : NULL;
  const char *node = site ? site->node : "?";
  burin_status status = (burin_status)error->code;
  switch (status) {
  case BURIN_INDEX_RANGE:
    return burin_fail(context, status, "node '%s': index %d is out of range", node, error->detail);
  case BURIN_SHAPE_MISMATCH:
    if (site && !site->kernel[0])
      return burin_fail(context, status,
                "input '%s': its size '%s' is %d, which is not what the other sizes say", node,
                site->nodes, error->detail);
    if (site && site->kernel[0] == '=')
      return burin_fail(context, status,
                "node '%s': the sizes '%s' must be equal, but one is %d", node, site->nodes,
                error->detail);
    return burin_fail(context, status,
                "node '%s': a size in the data is %d, which is not what the model was compiled for",
                node, error->detail);
  default:
    return burin_fail(context, status, "node '%s': %s (%d)", node, burin_status_text(status),
                error->detail);
  }
}

burin_status burin_run_taken(burin_context *context) {
  context->error = (burin_error_word){0, UINT32_MAX, 0};
  burin_frame frame = {.arena = context->activations,
                       .weights = context->weights,
                       .inputs = context->inputs,
                       .outputs = context->outputs,
                       .dims = context->dims,
                       .error = &context->error,
                       .launch = burin_launch_run,
                       .context = context,
                       .states = context->states};
  uint64_t fp = burin_enter_fp();
  int32_t code = context->variant->mains[context->level](&frame);
  burin_leave_fp(fp);
  if (!code && !context->error.code) {
    burin_keep_lengths(context);
    return BURIN_OK;
  }
  if (!context->error.code)
    context->error.code = code;
  return explain(context);
}

burin_status burin_rt_run_batch(burin_context *context, uint32_t requests,
                                const burin_tensor *inputs, uint32_t input_count,
                                const burin_tensor *outputs, uint32_t output_count) {
  if (!context)
    return BURIN_BAD_ARGUMENT;
  if (atomic_exchange_explicit(&context->busy, true, memory_order_acquire))
    return BURIN_BUSY; /* the message belongs to the request that runs */
  context->message[0] = 0;
  const burin_program *program = context->program;
  burin_status status = BURIN_OK;
  if (input_count != program->input_count || output_count != program->output_count)
    status = burin_fail(context, BURIN_BAD_ARGUMENT,
                  "model '%s' has %d inputs and %d outputs, not %d and %d", program->name,
                  (int64_t)program->input_count, (int64_t)program->output_count,
                  (int64_t)input_count, (int64_t)output_count);
  else if (requests && ((input_count && !inputs) || (output_count && !outputs)))
    status = burin_fail(context, BURIN_BAD_ARGUMENT, "no %s were given",
                        outputs ? "inputs" : "outputs");
  for (uint32_t done = 0, ran; done < requests && !status; done += ran)
    status = burin_run_some(context, requests - done,
                            input_count ? inputs + (size_t)done * input_count : inputs,
                            output_count ? outputs + (size_t)done * output_count : outputs, &ran);
  atomic_store_explicit(&context->busy, false, memory_order_release);
  return status;
}

burin_status burin_rt_run(burin_context *context, const burin_tensor *inputs, uint32_t input_count,
                          const burin_tensor *outputs, uint32_t output_count) {
  return burin_rt_run_batch(context, 1, inputs, input_count, outputs, output_count);
}

burin_status burin_rt_output_shape(const burin_context *context, uint32_t index, int64_t *shape) {
  if (!context || index >= context->program->output_count)
    return BURIN_BAD_ARGUMENT;
  const burin_tensor_info_abi *info = &context->program->outputs[index];
  if (info->rank && !shape)
    return BURIN_BAD_ARGUMENT;
  for (uint32_t i = 0; i < info->rank; ++i)
    shape[i] = burin_size_of(context, info, i);
  return BURIN_OK;
}

const char *burin_rt_message(const burin_context *context) {
  return context ? context->message : "";
}
