/* SPDX-License-Identifier: Apache-2.0
 *
 * One launch: its tasks are parted evenly, in order, one part per worker, each part
 * one call of the kernel. Which worker runs a task never changes what the task
 * computes, so results do not depend on the number of workers.
 */
#include "runtime.h"

typedef struct job {
  burin_context *context;
  const burin_launch *launch;
  uint32_t parts;
} job;

static void report(burin_error_word *error, burin_status code, int64_t detail) {
  int32_t none = 0;
  if (__atomic_compare_exchange_n(&error->code, &none, (int32_t)code, false, __ATOMIC_RELAXED,
                                  __ATOMIC_RELAXED))
    error->detail = detail;
}

/* Tells the profiler, where there is one, of the tasks [begin, end). */
static void tell(const burin_context *context, const burin_launch *launch, burin_event_kind kind,
                 uint32_t worker, uint32_t begin, uint32_t end) {
  const burin_program *program = context->program;
  if (!context->options.profile || launch->site >= program->site_count)
    return;
  const burin_site_abi *site = &program->sites[launch->site];
  burin_event event = {kind, launch->site, worker, begin, end, site->kernel, site->node, site->nodes};
  context->options.profile(context->options.user, &event);
}

static void run_part(void *state, uint32_t worker, uint32_t part) {
  const job *j = state;
  burin_context *context = j->context;
  const burin_launch *launch = j->launch;
  if (worker >= context->workers || part >= j->parts) { /* the caller's parallel_for may err */
    report(&context->error, BURIN_BAD_ARGUMENT, worker);
    return;
  }
  uint32_t begin = (uint32_t)((uint64_t)launch->tasks * part / j->parts);
  uint32_t end = (uint32_t)((uint64_t)launch->tasks * (part + 1) / j->parts);
  tell(context, launch, BURIN_PART_BEGIN, worker, begin, end);
  uint64_t fp = burin_enter_fp();
  launch->kernel(launch->args, begin, end,
                 context->scratch + worker * context->program->scratch_bytes);
  burin_leave_fp(fp);
  tell(context, launch, BURIN_PART_END, worker, begin, end);
}

int32_t burin_launch_run(burin_context *context, const burin_launch *launch) {
  const burin_options *options = &context->options;
  tell(context, launch, BURIN_LAUNCH_BEGIN, 0, 0, launch->tasks);
  job j = {context, launch, launch->tasks < context->workers ? launch->tasks : context->workers};
  if (j.parts > 1 && options->parallel_for) {
    options->parallel_for(options->executor, j.parts, run_part, &j);
  } else if (j.parts <= 1 || !burin_pool_run(options->pool, j.parts, run_part, &j)) {
    j.parts = 1;
    if (launch->tasks)
      run_part(&j, 0, 0);
  }

  tell(context, launch, BURIN_LAUNCH_END, 0, 0, launch->tasks);
  if (context->error.code && context->error.site == UINT32_MAX)
    context->error.site = launch->site;
  return context->error.code;
}
