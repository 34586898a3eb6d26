/* SPDX-License-Identifier: Apache-2.0
 *
 * The workers. Each has a mailbox of its own, so that a launch wakes only those it has
 * a part for. Threads are made in pool_create alone; waiting is a short spin, because
 * the next launch of a request comes soon, then a futex, because the next request may
 * not come at all. Runs too short for that wake nobody (bound-threads).
 */
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime.h"

enum { max_workers = 1024, spins = 4000 /* pauses: 80 to 160 us, what a kernel of one task takes in between */ };

/* The states of a mailbox. The owner of the pool posts, the worker does the rest. */
enum { idle, asleep, posted, stopping };

typedef struct worker {
  _Alignas(64) _Atomic uint32_t mailbox;
  uint32_t index;
  burin_pool *pool;
  pthread_t thread;
  _Atomic uint64_t parts_run;
} worker;

struct burin_pool {
  uint32_t layout; /* BURIN_ABI_VERSION: contexts of other artifacts may use the pool */
  uint32_t workers;
  atomic_bool taken;
  /* The job, valid for a worker from its post until it has counted itself done. */
  void (*fn)(void *state, uint32_t worker, uint32_t part);
  void *state;
  /* Workers that are not done; the top bit says that the owner sleeps on it. */
  _Alignas(64) _Atomic uint32_t pending;
  worker team[]; /* [0] is the calling thread */
};

#define OWNER_ASLEEP 0x80000000u

static void futex_wait(_Atomic uint32_t *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static inline void pause_cpu(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  __asm__ volatile("yield");
#endif
}

/* Waits for something in the mailbox: posted or stopping. */
static uint32_t receive(worker *self) {
  for (unsigned i = 0; i < spins; ++i) {
    uint32_t state = atomic_load_explicit(&self->mailbox, memory_order_acquire);
    if (state != idle)
      return state;
    pause_cpu();
  }
  uint32_t state = idle;
  atomic_compare_exchange_strong_explicit(&self->mailbox, &state, asleep, memory_order_relaxed,
                                          memory_order_relaxed);
  do {
    futex_wait(&self->mailbox, asleep); /* returns at once where the state is another */
    state = atomic_load_explicit(&self->mailbox, memory_order_acquire);
  } while (state == asleep);
  return state;
}

static void post(worker *to, uint32_t what) {
  if (atomic_exchange_explicit(&to->mailbox, what, memory_order_acq_rel) == asleep)
    futex_wake(&to->mailbox);
}

static void count_part(worker *self) {
  uint64_t before = atomic_load_explicit(&self->parts_run, memory_order_relaxed);
  atomic_store_explicit(&self->parts_run, before + 1, memory_order_relaxed);
}

static void *work(void *argument) {
  worker *self = argument;
  burin_pool *pool = self->pool;
  while (receive(self) == posted) {
    /* Empty before done: the owner may post again as soon as all are done. */
    atomic_store_explicit(&self->mailbox, idle, memory_order_relaxed);
    pool->fn(pool->state, self->index, self->index);
    count_part(self);
    uint32_t before = atomic_fetch_sub_explicit(&pool->pending, 1, memory_order_acq_rel);
    if (before == (OWNER_ASLEEP | 1))
      futex_wake(&pool->pending);
  }
  return NULL;
}

static void wait_for_all(burin_pool *pool) {
  for (unsigned i = 0; i < spins; ++i) {
    if (atomic_load_explicit(&pool->pending, memory_order_acquire) == 0)
      return;
    pause_cpu();
  }
  uint32_t left = atomic_fetch_or_explicit(&pool->pending, OWNER_ASLEEP, memory_order_acquire);
  for (left |= OWNER_ASLEEP; left != OWNER_ASLEEP;) {
    futex_wait(&pool->pending, left);
    left = atomic_load_explicit(&pool->pending, memory_order_acquire);
  }
}

bool burin_pool_run(burin_pool *pool, uint32_t parts,
                    void (*fn)(void *state, uint32_t worker, uint32_t part), void *state) {
  if (!pool || parts > pool->workers ||
      atomic_exchange_explicit(&pool->taken, true, memory_order_acquire))
    return false;
  pool->fn = fn;
  pool->state = state;
  atomic_store_explicit(&pool->pending, parts - 1, memory_order_relaxed);
  for (uint32_t i = 1; i < parts; ++i)
    post(&pool->team[i], posted);
  fn(state, 0, 0);
  count_part(&pool->team[0]);
  wait_for_all(pool);
  atomic_store_explicit(&pool->taken, false, memory_order_release);
  return true;
}

bool burin_pool_valid(const burin_pool *pool) { return pool->layout == BURIN_ABI_VERSION; }

uint32_t burin_rt_pool_workers(const burin_pool *pool) { return pool ? pool->workers : 0; }

uint64_t burin_rt_pool_parts(const burin_pool *pool, uint32_t index) {
  return pool && index < pool->workers
             ? atomic_load_explicit(&pool->team[index].parts_run, memory_order_relaxed)
             : 0;
}

void burin_rt_pool_destroy(burin_pool *pool) {
  if (!pool)
    return;
  for (uint32_t i = 1; i < pool->workers; ++i)
    post(&pool->team[i], stopping);
  for (uint32_t i = 1; i < pool->workers; ++i)
    pthread_join(pool->team[i].thread, NULL);
  free(pool);
}

burin_status burin_rt_pool_create(uint32_t workers, burin_pool **made) {
  if (!made)
    return BURIN_BAD_ARGUMENT;
  *made = NULL;
  if (!workers) {
    workers = burin_available_cores();
    if (workers > max_workers)
      workers = max_workers;
  }
  if (workers > max_workers)
    return BURIN_BAD_ARGUMENT;
  size_t bytes = sizeof(burin_pool) + workers * sizeof(worker);
  burin_pool *pool = aligned_alloc(64, bytes);
  if (!pool)
    return BURIN_NO_MEMORY;
  memset(pool, 0, bytes);
  pool->layout = BURIN_ABI_VERSION;

  /* Signals are the host's: its handlers must not run on a worker's stack. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = true;
  for (pool->workers = 1; started && pool->workers < workers;) {
    worker *next = &pool->team[pool->workers];
    next->index = pool->workers;
    next->pool = pool;
    started = pthread_create(&next->thread, NULL, work, next) == 0;
    if (started)
      ++pool->workers;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!started) {
    burin_rt_pool_destroy(pool);
    return BURIN_NO_MEMORY;
  }
  *made = pool;
  return BURIN_OK;
}
