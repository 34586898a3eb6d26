/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches of a group: each task runs once, workers have about the same to do, nobody is woken for little, and
 * a profiler sees one launch after the other.
 */
#include "Fixture.h"
#include "runtime/src/runtime.h"

enum { most_tasks = 64, most_workers = 9 };

/* How often each task has run, and by which worker: scratch tells them apart. */
typedef struct seen {
  _Atomic uint32_t runs[BURIN_GROUP_LAUNCHES][most_tasks];
  uint32_t by[BURIN_GROUP_LAUNCHES][most_tasks];
  const unsigned char *scratch;
  int fails;
} seen;

/* Buffers: what is seen, and the runs and workers of this launch. */
static void k_count(const burin_kargs *args, uint32_t begin, uint32_t end, void *scratch) {
  seen *s = args->buffers[0];
  _Atomic uint32_t *runs = args->buffers[1];
  uint32_t *by = args->buffers[2];
  for (uint32_t task = begin; task < end; ++task) {
    ++runs[task];
    by[task] = (uint32_t)(((const unsigned char *)scratch - s->scratch) / 64);
  }
  if (s->fails)
    args->error->code = BURIN_INDEX_RANGE;
}

static const burin_site_abi sites[BURIN_GROUP_LAUNCHES] = {
    {"k0", "a", "a"}, {"k1", "b", "b"}, {"k2", "c", "c"}, {"k3", "d", "d"},
    {"k4", "e", "e"}, {"k5", "f", "f"}, {"k6", "g", "g"}, {"k7", "h", "h"}};
static int32_t no_main(const burin_frame *frame) { return frame->error->code; }
static void no_sizes(int64_t *dims) { (void)dims; }
static const burin_main_fn mains[] = {no_main};
static const burin_variant_abi variant = {NULL, mains, 64, no_sizes};
static const burin_level_abi level = {"any CPU", 0};
static const burin_program program = {.abi_version = BURIN_ABI_VERSION,
                                      .struct_size = sizeof(burin_program),
                                      .name = "group",
                                      .compiler = "by hand",
                                      .certificate = "{}",
                                      .sites = sites,
                                      .scratch_bytes = 64,
                                      .variants = &variant,
                                      .levels = &level,
                                      .site_count = BURIN_GROUP_LAUNCHES,
                                      .variant_count = 1,
                                      .level_count = 1};

typedef struct shape {
  uint32_t tasks, weight;
} shape;

/* Runs launches of these shapes in a context. */
static int32_t launch_all(burin_context *context, const shape *shapes, uint32_t count, seen *s) {
  burin_launch launches[BURIN_GROUP_LAUNCHES];
  burin_kargs args[BURIN_GROUP_LAUNCHES];
  void *buffers[BURIN_GROUP_LAUNCHES][3];
  s->scratch = context->scratch;
  for (uint32_t l = 0; l < count; ++l) {
    buffers[l][0] = s;
    buffers[l][1] = s->runs[l];
    buffers[l][2] = s->by[l];
    args[l] = (burin_kargs){buffers[l], NULL, &context->error};
    launches[l] = (burin_launch){k_count, &args[l], shapes[l].tasks, l, shapes[l].weight, 0};
  }
  context->error = (burin_error_word){0, UINT32_MAX, 0};
  return burin_launch_run(context, launches, count);
}

/* The most weight that a worker has had. */
static uint64_t slowest(const shape *shapes, uint32_t count, const seen *s) {
  uint64_t loads[most_workers] = {0}, most = 0;
  for (uint32_t l = 0; l < count; ++l)
    for (uint32_t task = 0; task < shapes[l].tasks; ++task) {
      CHECK(s->runs[l][task] == 1 && s->by[l][task] < most_workers);
      loads[s->by[l][task]] += shapes[l].weight;
    }
  for (uint32_t w = 0; w < most_workers; ++w)
    most = loads[w] > most ? loads[w] : most;
  return most;
}

static void with_pool(uint32_t workers, const shape *shapes, uint32_t count, uint64_t expected) {
  burin_model model = make_model(&program);
  burin_pool *pool;
  void *memory;
  seen s;
  memset(&s, 0, sizeof s);
  CHECK(model.pool_create(workers, &pool) == BURIN_OK);
  burin_context *context = make_context(&model, (burin_options){.pool = pool}, &memory);
  CHECK(launch_all(context, shapes, count, &s) == 0);
  CHECK(slowest(shapes, count, &s) == expected);
  model.destroy(context);
  model.pool_destroy(pool);
  free(memory);
}

static void test_shares(void) {
  const shape singles[] = {{1, 100}, {1, 100}};
  with_pool(1, singles, 2, 200);
  with_pool(2, singles, 2, 100);
  with_pool(3, singles, 2, 100);
  /* What one task leaves, others even out. */
  const shape uneven[] = {{1, 150}, {2, 50}};
  with_pool(2, uneven, 2, 150);
  const shape halves[] = {{5, 40}, {5, 40}};
  with_pool(2, halves, 2, 200);
  const shape many[] = {{1, 300}, {3, 100}, {24, 10}, {60, 1}};
  with_pool(2, many, 4, 450);
  with_pool(4, many, 4, 300);
  /* Tasks that weigh nothing are run all the same. */
  const shape light[] = {{3, 7}, {5, 0}};
  with_pool(2, light, 2, 14);
  const shape largest[] = {{1, UINT32_MAX}, {1, UINT32_MAX}, {64, UINT32_MAX}};
  with_pool(3, largest, 3, 22 * (uint64_t)UINT32_MAX);
  shape all[BURIN_GROUP_LAUNCHES];
  for (uint32_t l = 0; l < BURIN_GROUP_LAUNCHES; ++l)
    all[l] = (shape){1 + l, 8};
  with_pool(9, all, BURIN_GROUP_LAUNCHES, 32);
}

typedef struct executor {
  uint32_t calls, parts;
} executor;

static void in_order(void *state, uint32_t parts, void (*fn)(void *, uint32_t worker, uint32_t part),
                     void *argument) {
  executor *self = state;
  ++self->calls;
  self->parts += parts;
  for (uint32_t part = 0; part < parts; ++part)
    fn(argument, part, part);
}

/* The caller's executor gets one job for a group, none where nothing is worth a second worker, and a job for each launch
 * where there are more workers than share one. */
static void test_callers_executor(void) {
  burin_model model = make_model(&program);
  const shape group[] = {{4, 10}, {4, 20}}, little[] = {{4, 0}, {4, 0}};
  executor e = {0, 0};
  void *memory;
  burin_options options = {.workers = 4, .parallel_for = in_order, .executor = &e};
  burin_context *context = make_context(&model, options, &memory);
  seen s;
  memset(&s, 0, sizeof s);
  CHECK(launch_all(context, group, 2, &s) == 0 && e.calls == 1 && e.parts == 4);
  CHECK(slowest(group, 2, &s) == 30);
  memset(&s, 0, sizeof s);
  CHECK(launch_all(context, little, 2, &s) == 0 && e.calls == 1 && s.by[1][3] == 0);
  model.destroy(context);
  free(memory);
  options.workers = 65;
  context = make_context(&model, options, &memory);
  memset(&s, 0, sizeof s);
  CHECK(launch_all(context, group, 2, &s) == 0 && e.calls == 3 && e.parts == 12);
  memset(&s, 0, sizeof s);
  s.fails = 1; /* the second does not run */
  CHECK(launch_all(context, group, 2, &s) == BURIN_INDEX_RANGE && s.runs[0][0] == 1 && s.runs[1][0] == 0);
  CHECK(context->error.site == 0);
  model.destroy(context);
  free(memory);
}

static void observe(void *user, const burin_event *event) {
  uint32_t *at = user; /* the site that is open, the number of launches */
  if (event->kind == BURIN_LAUNCH_BEGIN)
    at[0] = event->site, ++at[1];
  CHECK(event->site == at[0]);
}

static void test_profile(void) {
  burin_model model = make_model(&program);
  const shape group[] = {{4, 10}, {2, 20}, {1, 5}};
  uint32_t at[2] = {99, 0};
  void *memory;
  executor e = {0, 0};
  burin_options options = {
      .workers = 2, .parallel_for = in_order, .executor = &e, .profile = observe, .user = at};
  burin_context *context = make_context(&model, options, &memory);
  seen s;
  memset(&s, 0, sizeof s);
  CHECK(launch_all(context, group, 3, &s) == 0 && at[1] == 3 && e.calls == 2);
  CHECK(slowest(group, 3, &s) == 45);
  model.destroy(context);
  free(memory);
}

int main(void) {
  test_shares();
  test_callers_executor();
  test_profile();
  return 0;
}
