/* SPDX-License-Identifier: Apache-2.0
 *
 * Workers: the same bits with any number of them, all of them at work, one pool for
 * several contexts at once, the caller's own executor.
 */
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "Fixture.h"

static const burin_model *const m = &fixture_model;

static void pause_ms(long ms) {
  struct timespec time = {0, ms * 1000000};
  nanosleep(&time, NULL);
}

/* The outputs of one request with so many workers. */
static void outputs_with(uint32_t workers, request *r) {
  burin_pool *pool;
  void *memory;
  CHECK(m->pool_create(workers, &pool) == BURIN_OK && m->pool_workers(pool) == workers);
  burin_context *context = make_context(m, (burin_options){.pool = pool}, &memory);
  fill_request(r, 61, 7);
  CHECK(m->run(context, r->inputs, 3, r->outputs, 3) == BURIN_OK && request_is_right(r));
  for (uint32_t i = 0; i < workers; ++i) /* two launches of 32 tasks have a part for each */
    CHECK(workers == 1 || m->pool_parts(pool, i) == 2);
  CHECK(m->pool_parts(pool, workers) == 0);
  m->destroy(context);
  m->pool_destroy(pool);
  free(memory);
}

static void test_same_bits(void) {
  static request one, many;
  outputs_with(1, &one);
  for (uint32_t workers = 2; workers <= 8; ++workers) {
    outputs_with(workers, &many);
    CHECK(!memcmp(one.y, many.y, sizeof one.y));
    CHECK(!memcmp(one.picked, many.picked, sizeof one.picked));
    CHECK(!memcmp(one.positive, many.positive, sizeof one.positive));
  }
}

/* The tasks of each site that parts have begun and ended, and launches as a whole. */
typedef struct observed {
  _Atomic uint32_t begun[4], ended[4], workers;
  uint32_t launches[4], open;
} observed;

static void observe(void *user, const burin_event *event) {
  observed *o = user;
  CHECK(event->site < 4);
  switch (event->kind) {
  case BURIN_LAUNCH_BEGIN:
    CHECK(!o->open++ && event->begin == 0);
    ++o->launches[event->site];
    break;
  case BURIN_LAUNCH_END:
    CHECK(o->open-- == 1 && o->ended[event->site] == event->end * o->launches[event->site]);
    break;
  case BURIN_PART_BEGIN:
    o->begun[event->site] += event->end - event->begin;
    o->workers |= 1u << event->worker;
    break;
  case BURIN_PART_END:
    o->ended[event->site] += event->end - event->begin;
    break;
  }
  CHECK(event->site != 1 ||
        (!strcmp(event->kernel, "k_add") && !strcmp(event->nodes, "add, relu")));
}

/* The profiler is told of each launch once, and of all of its tasks, by those who run them. */
static void test_profile(void) {
  burin_pool *pool;
  void *memory;
  static observed o;
  CHECK(m->pool_create(3, &pool) == BURIN_OK);
  burin_options options = {.pool = pool, .profile = observe, .user = &o};
  burin_context *context = make_context(m, options, &memory);
  request r;
  fill_request(&r, 5, 2);
  for (int i = 0; i < 2; ++i)
    CHECK(m->run(context, r.inputs, 3, r.outputs, 3) == BURIN_OK);
  for (int site = 0; site < 4; ++site) {
    uint32_t tasks = site < 2 ? fixture_tasks : 1;
    CHECK(o.launches[site] == 2 && o.begun[site] == 2 * tasks && o.ended[site] == 2 * tasks);
  }
  CHECK(o.workers == 7);
  m->destroy(context);
  m->pool_destroy(pool);
  free(memory);
}

/* Requests at once, and requests that find the workers asleep. */
static void test_spin_and_sleep(void) {
  burin_pool *pool;
  void *memory;
  CHECK(m->pool_create(3, &pool) == BURIN_OK);
  burin_context *context = make_context(m, (burin_options){.pool = pool}, &memory);
  request r;
  for (int i = 0; i < 300; ++i) {
    fill_request(&r, 1 + i % 64, 3);
    CHECK(m->run(context, r.inputs, 3, r.outputs, 3) == BURIN_OK && request_is_right(&r));
    if (i % 50 == 0)
      pause_ms(3);
  }
  m->destroy(context);
  m->pool_destroy(pool);
  free(memory);
}

typedef struct client {
  burin_pool *pool;
  pthread_t thread;
} client;

static void *serve(void *argument) {
  client *self = argument;
  void *memory;
  burin_context *context = make_context(m, (burin_options){.pool = self->pool}, &memory);
  request r;
  for (int i = 0; i < 200; ++i) {
    fill_request(&r, 1 + i % 64, 5);
    CHECK(m->run(context, r.inputs, 3, r.outputs, 3) == BURIN_OK && request_is_right(&r));
  }
  m->destroy(context);
  free(memory);
  return NULL;
}

static void test_shared_pool(void) {
  burin_pool *pool;
  client clients[3];
  CHECK(m->pool_create(2, &pool) == BURIN_OK);
  for (int i = 0; i < 3; ++i) {
    clients[i].pool = pool;
    CHECK(pthread_create(&clients[i].thread, NULL, serve, &clients[i]) == 0);
  }
  for (int i = 0; i < 3; ++i)
    pthread_join(clients[i].thread, NULL);
  m->pool_destroy(pool);
}

/* An executor that runs tasks backwards, all as its last worker. */
typedef struct executor {
  uint32_t workers, calls, tasks;
  int wrong_worker;
} executor;

static void backwards(void *state, uint32_t tasks,
                      void (*fn)(void *, uint32_t worker, uint32_t task), void *argument) {
  executor *self = state;
  ++self->calls;
  self->tasks += tasks;
  while (tasks-- > 0)
    fn(argument, self->wrong_worker ? self->workers : self->workers - 1, tasks);
}

static void test_callers_executor(void) {
  executor e = {.workers = 4};
  void *memory;
  burin_options options = {.workers = 4, .parallel_for = backwards, .executor = &e};
  burin_context *context = make_context(m, options, &memory);
  request r;
  fill_request(&r, 33, 2);
  CHECK(m->run(context, r.inputs, 3, r.outputs, 3) == BURIN_OK && request_is_right(&r));
  CHECK(e.calls == 2 && e.tasks == 8); /* a launch of one task stays with the caller */
  e.wrong_worker = 1;
  CHECK(m->run(context, r.inputs, 3, r.outputs, 3) == BURIN_BAD_ARGUMENT);
  m->destroy(context);
  free(memory);
}

static void test_options(void) {
  burin_pool *pool, *none;
  CHECK(m->pool_create(0, &pool) == BURIN_OK && m->pool_workers(pool) >= 1);
  CHECK(m->pool_create(1000000, &none) == BURIN_BAD_ARGUMENT && !none);
  CHECK(m->pool_create(1, NULL) == BURIN_BAD_ARGUMENT);
  burin_context *context;
  burin_options both = {.pool = pool, .parallel_for = backwards};
  CHECK(m->create(m, &both, &context) == BURIN_BAD_ARGUMENT);
  m->pool_destroy(pool);
  m->pool_destroy(NULL);
}

/* A pool that asks for one worker per core takes those of the affinity mask, and its threads
 * stay on them. */
static void test_affinity(void) {
  cpu_set_t all, one;
  CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
  int cpu = 0;
  while (!CPU_ISSET(cpu, &all))
    ++cpu;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
  burin_pool *own, *two;
  CHECK(m->pool_create(0, &own) == BURIN_OK && m->pool_workers(own) == 1);
  /* More workers than cores are the caller's wish; they share what it may use. */
  CHECK(m->pool_create(2, &two) == BURIN_OK && m->pool_workers(two) == 2);
  void *memory;
  burin_context *context = make_context(m, (burin_options){.pool = two}, &memory);
  request r;
  fill_request(&r, 40, 3);
  CHECK(m->run(context, r.inputs, 3, r.outputs, 3) == BURIN_OK && request_is_right(&r));
  CHECK(sched_getaffinity(0, sizeof all, &one) == 0 && CPU_COUNT(&one) == 1);
  m->destroy(context);
  free(memory);
  m->pool_destroy(two);
  m->pool_destroy(own);
  CHECK(sched_setaffinity(0, sizeof all, &all) == 0);
}

/* The host's signals stay with the host's threads. */
static pthread_t main_thread;
static volatile sig_atomic_t elsewhere, handled;
static void on_signal(int number) {
  (void)number;
  handled = 1;
  if (!pthread_equal(pthread_self(), main_thread))
    elsewhere = 1;
}

static void test_signals(void) {
  burin_pool *pool;
  main_thread = pthread_self();
  CHECK(m->pool_create(2, &pool) == BURIN_OK);
  signal(SIGUSR1, on_signal);
  kill(getpid(), SIGUSR1);
  CHECK(handled && !elsewhere);
  m->pool_destroy(pool);
}

int main(void) {
  test_same_bits();
  test_profile();
  test_spin_and_sleep();
  test_shared_pool();
  test_callers_executor();
  test_options();
  test_signals();
  test_affinity();
  return 0;
}
