/* SPDX-License-Identifier: Apache-2.0
 *
 * A launch: its tasks are parted evenly, in order, one part per worker, each part
 * one call of the kernel. Of launches that do not depend on one another a worker gets a part
 * of each, one behind the other, so that all have about the same to do; nobody waits in between. Which
 * worker runs a task never changes what the task computes, so results do not depend on the
 * number of workers.
 */
#include "runtime.h"

enum { most_sharers = 64 }; /* workers of a group; more run its launches one after the other */

typedef struct job {
  burin_context *context;
  const burin_launch *launches;
  uint32_t count, parts;
  /* Of a group: part p has the tasks from bounds[l][p] to bounds[l][p + 1] of launch l. */
  uint32_t (*bounds)[most_sharers + 1];
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

/* What a part that has `load` to do lacks of its share of `sum`. */
static double lacks(double load, double sum, uint32_t parts) {
  return load * parts < sum ? sum / parts - load : 0;
}

/* The tasks of each launch go to the parts that have less to do than they should by then, in order; the last part has the
 * rest. */
static void share(job *j) {
  double loads[most_sharers] = {0}, sum = 0;
  for (uint32_t l = 0; l < j->count; ++l) {
    const burin_launch *launch = &j->launches[l];
    double weight = launch->weight, all = 0, missing = 0;
    sum += weight * launch->tasks;
    for (uint32_t p = 0; p < j->parts; ++p)
      all += lacks(loads[p], sum, j->parts);
    j->bounds[l][0] = 0;
    for (uint32_t p = 0; p < j->parts; ++p) {
      missing += lacks(loads[p], sum, j->parts);
      uint32_t end = p + 1 == j->parts || !(all > 0) ? launch->tasks
                                                      : (uint32_t)(launch->tasks * (missing / all) + 0.5);
      if (end > launch->tasks)
        end = launch->tasks;
      j->bounds[l][p + 1] = end;
      loads[p] += weight * (end - j->bounds[l][p]);
    }
  }
}

static void run_part(void *state, uint32_t worker, uint32_t part) {
  const job *j = state;
  burin_context *context = j->context;
  if (worker >= context->workers || part >= j->parts) { /* the caller's parallel_for may err */
    report(&context->error, BURIN_BAD_ARGUMENT, worker);
    return;
  }
  uint64_t fp = burin_enter_fp();
  for (uint32_t l = 0; l < j->count; ++l) {
    const burin_launch *launch = &j->launches[l];
    uint32_t begin, end;
    if (j->bounds) {
      begin = j->bounds[l][part];
      end = j->bounds[l][part + 1];
    } else {
      begin = (uint32_t)((uint64_t)launch->tasks * part / j->parts);
      end = (uint32_t)((uint64_t)launch->tasks * (part + 1) / j->parts);
    }
    if (begin == end)
      continue;
    tell(context, launch, BURIN_PART_BEGIN, worker, begin, end);
    launch->kernel(launch->args, begin, end,
                   context->scratch + worker * context->program->scratch_bytes);
    tell(context, launch, BURIN_PART_END, worker, begin, end);
  }
  burin_leave_fp(fp);
}

/* All parts of a job, which the caller runs alone where there is one, or nobody to share them. */
static void run_parts(job *j) {
  const burin_options *options = &j->context->options;
  if (j->parts > 1 && options->parallel_for) {
    options->parallel_for(options->executor, j->parts, run_part, j);
  } else if (j->parts <= 1 || !burin_pool_run(options->pool, j->parts, run_part, j)) {
    j->parts = 1;
    j->bounds = NULL;
    run_part(j, 0, 0);
  }
}

int32_t burin_launch_run(burin_context *context, const burin_launch *launches, uint32_t count) {
  /* A profiler wants a time for each. */
  if (count > 1 && (context->options.profile || context->workers > most_sharers)) {
    int32_t code = 0;
    for (uint32_t l = 0; l < count && !code; ++l)
      code = burin_launch_run(context, &launches[l], 1);
    return code;
  }
  tell(context, launches, BURIN_LAUNCH_BEGIN, 0, 0, launches->tasks);
  uint64_t tasks = 0; /* that are worth handing out */
  for (uint32_t l = 0; l < count; ++l)
    tasks += launches[l].weight ? launches[l].tasks : 0;
  job j = {context, launches, count, tasks < context->workers ? (uint32_t)tasks : context->workers, NULL};
  uint32_t bounds[BURIN_GROUP_LAUNCHES][most_sharers + 1];
  if (count > 1 && j.parts > 1) {
    j.bounds = bounds;
    share(&j);
  }
  if (!j.parts)
    j.parts = 1;
  run_parts(&j);
  tell(context, launches, BURIN_LAUNCH_END, 0, 0, launches->tasks);
  if (context->error.code && context->error.site == UINT32_MAX)
    context->error.site = launches->site;
  return context->error.code;
}
