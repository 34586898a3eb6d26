// SPDX-License-Identifier: Apache-2.0
//
// What a core can do at most: multiply-adds of f32 per second, and bytes read and copied per second from
// memory of several sizes. One JSON object on standard output.
//
//   usage: probe THREADS BYTES...
//
// bench.py compiles this with clang for the machine that it runs on. Threads measure together and are
// pinned to the CPUs that the process may use; a rate is the best of several trials' sums over
// the threads, by each thread's own CPU time: what else runs on a core does not count.

#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#if defined(__AVX512F__)
enum { LANES = 16, CHAINS = 24 };
#define ANY_REGISTER "v" /* "x" would be the first 16 of 32, and chains would be spilled */
#elif defined(__AVX__)
enum { LANES = 8, CHAINS = 12 };
#define ANY_REGISTER "x"
#else
enum { LANES = 4, CHAINS = 24 };
#define ANY_REGISTER "w"
#endif
typedef float Vector __attribute__((vector_size(LANES * 4)));
typedef Vector Unaligned __attribute__((aligned(4)));

enum { MOST_THREADS = 256, MOST_SIZES = 8, TRIALS = 8, STREAMS = 8 };

static unsigned threads = 1;
static int size_count;
static size_t sizes[MOST_SIZES]; // of each thread, multiples of 16 KiB
static pthread_barrier_t barrier;
static double rates[MOST_THREADS];
static double fma_best, read_best[MOST_SIZES], copy_best[MOST_SIZES];

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/// Chains enough to hide the latency of two units; multiplicand and addend stay in registers.
static double fma_rate(void) {
  Vector sums[CHAINS], factor, addend;
  for (int i = 0; i < LANES; ++i)
    factor[i] = 0.999f, addend[i] = 0.001f;
  for (int c = 0; c < CHAINS; ++c)
    sums[c] = addend * (float)c;
  const long steps = 1000000;
  double begin = seconds();
  for (long s = 0; s < steps; ++s) {
#pragma clang loop unroll(full)
    for (int c = 0; c < CHAINS; ++c)
      sums[c] = __builtin_elementwise_fma(sums[c], factor, addend);
    __asm__ volatile("");
  }
  double took = seconds() - begin;
  for (int c = 0; c < CHAINS; ++c)
    __asm__ volatile("" ::ANY_REGISTER(sums[c]));
  return 2.0 * LANES * CHAINS * (double)steps / took;
}

/// Bytes of `bytes` read, one part after the other, or `streams` of them side by side, which more prefetchers follow.
/// Eight sums, so that additions do not wait for one another.
static double read_rate(const float *data, size_t bytes, size_t streams) {
  size_t count = bytes / sizeof(float) / streams, repeats = bytes < (16 << 20) ? (32 << 20) / bytes : 1;
  size_t apart = streams == 1 ? LANES : count, step = streams == 1 ? 8 * LANES : LANES;
  Vector sums[8] = {0};
  double begin = seconds();
  for (size_t r = 0; r < repeats; ++r) {
    for (size_t i = 0; i < count; i += step)
#pragma clang loop unroll(full)
      for (size_t s = 0; s < 8; ++s)
        sums[s] += *(const Unaligned *)(data + i + s * apart);
    __asm__ volatile("" ::: "memory");
  }
  double took = seconds() - begin;
  for (int s = 0; s < 8; ++s)
    __asm__ volatile("" ::ANY_REGISTER(sums[s]));
  return (double)(bytes * repeats) / took;
}

/// Bytes read and bytes written, both counted; half of `bytes` each.
static double copy_rate(float *data, size_t bytes) {
  size_t half = bytes / sizeof(float) / 2, repeats = bytes < (16 << 20) ? (32 << 20) / bytes : 1;
  double begin = seconds();
  for (size_t r = 0; r < repeats; ++r) {
    for (size_t i = 0; i < half; i += 4 * LANES)
#pragma clang loop unroll(full)
      for (int s = 0; s < 4; ++s)
        *(Unaligned *)(data + half + i + (size_t)s * LANES) =
            *(const Unaligned *)(data + i + (size_t)s * LANES);
    __asm__ volatile("" ::: "memory");
  }
  return (double)(bytes * repeats) / (seconds() - begin);
}

/// All threads leave a rate, the first one adds them up.
static void note(unsigned self, double rate, double *best) {
  rates[self] = rate;
  pthread_barrier_wait(&barrier);
  if (self == 0) {
    double sum = 0;
    for (unsigned t = 0; t < threads; ++t)
      sum += rates[t];
    if (sum > *best)
      *best = sum;
  }
  pthread_barrier_wait(&barrier);
}

/// Pins the calling thread to the n-th CPU, round and round, that the process may use.
static void pin(unsigned n) {
  cpu_set_t allowed, one;
  if (sched_getaffinity(0, sizeof(allowed), &allowed))
    return;
  n %= (unsigned)CPU_COUNT(&allowed);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &allowed) && n-- == 0) {
      CPU_ZERO(&one);
      CPU_SET(cpu, &one);
      pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
      return;
    }
}

static void *measure(void *argument) {
  unsigned self = (unsigned)(uintptr_t)argument;
  pin(self);
  size_t most = 0;
  for (int i = 0; i < size_count; ++i)
    most = sizes[i] > most ? sizes[i] : most;
  float *data = mmap(NULL, most, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) {
    fputs("probe: no memory\n", stderr);
    exit(1);
  }
  madvise(data, most, MADV_HUGEPAGE); // what is measured is memory, not the translation of addresses
  memset(data, 0, most);              // pages of its own, not the shared zero page
  for (int trial = 0; trial < TRIALS; ++trial) {
    note(self, fma_rate(), &fma_best);
    for (int s = 0; s < size_count; ++s) {
      note(self, read_rate(data, sizes[s], 1), &read_best[s]);
      note(self, read_rate(data, sizes[s], STREAMS), &read_best[s]);
      note(self, copy_rate(data, sizes[s]), &copy_best[s]);
    }
  }
  munmap(data, most);
  return NULL;
}

int main(int argc, char **argv) {
  if (argc > 1)
    threads = (unsigned)strtoul(argv[1], NULL, 10);
  size_count = argc - 2;
  if (threads < 1 || threads > MOST_THREADS || size_count < 1 || size_count > MOST_SIZES) {
    fputs("usage: probe THREADS BYTES...\n", stderr);
    return 2;
  }
  for (int s = 0; s < size_count; ++s) {
    sizes[s] = strtoull(argv[s + 2], NULL, 10) & ~(size_t)0x3fff;
    if (!sizes[s])
      sizes[s] = 16 << 10;
  }
  pthread_barrier_init(&barrier, NULL, threads);
  pthread_t others[MOST_THREADS];
  for (unsigned t = 1; t < threads; ++t)
    if (pthread_create(&others[t], NULL, measure, (void *)(uintptr_t)t)) {
      fputs("probe: no thread\n", stderr);
      return 1;
    }
  measure(NULL);
  for (unsigned t = 1; t < threads; ++t)
    pthread_join(others[t], NULL);
  printf("{\"threads\": %u, \"lanes\": %d, \"fma_gflops\": %.2f, \"memory\": [", threads, LANES,
         fma_best * 1e-9);
  for (int s = 0; s < size_count; ++s)
    printf("%s{\"bytes\": %zu, \"read_gbs\": %.2f, \"copy_gbs\": %.2f}", s ? ", " : "", sizes[s],
           read_best[s] * 1e-9, copy_best[s] * 1e-9);
  puts("]}");
  return 0;
}
