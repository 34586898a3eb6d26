/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the runtime: what its files share. One context serves one request at a
 * time; a model, its program and its weights are constants. No file of the runtime
 * has a variable outside a function.
 *
 *   model.c     what a model is: inputs, outputs, memory
 *   context.c   create, check a request, run, destroy
 *   batch.c     several requests as one
 *   state.c     what a context keeps from run to run
 *   launch.c    a launch, or several at once: their tasks parted among workers
 *   pool.c      the workers
 *   weights.c   weights in files: found, mapped, checked
 *   crc32c.c, sha256.c  their checksums
 *   cores.c     how many cores this process may use
 *   cpu.c       which instructions this CPU has
 *   message.c   text without stdio
 */
#ifndef BURIN_RUNTIME_H
#define BURIN_RUNTIME_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "burin/abi.h"

#define BURIN_ALIGNMENT 64u /* of the arena and everything in it: a cache line, a zmm */

/* At the start of the caller's arena; the arrays and the memory that its pointers
 * name follow it there (burin_arena_layout). */
struct burin_context {
  const burin_model *model;
  const burin_program *program;
  burin_options options;
  const burin_variant_abi *variant; /* of the last request */
  uint32_t level;   /* index into the program's */
  uint32_t workers; /* that a launch may use, each with its scratch */
  atomic_bool busy;
  bool probing; /* whether the next request could join a batch: no failure is told yet */
  burin_error_word error;
  int64_t *dims;   /* actual sizes of the last request */
  int64_t *shared; /* those that the requests of a batch have in common */
  bool *dim_known; /* which of them an input of this request, or a state's length, has given */
  int64_t *lengths; /* of states, by the dim that counts them */
  void **inputs, **outputs;
  unsigned char *states, *activations, *staging, *scratch;
  const unsigned char *weights;
  burin_weights *own_weights; /* that it has opened itself */
  char message[512];
};

static_assert(sizeof(struct burin_context) <= BURIN_CONTEXT_BYTES,
              "the context has outgrown its place");

/* Byte offsets into the arena of a context, each a multiple of BURIN_ALIGNMENT. */
typedef struct burin_arena_layout {
  uint64_t dims, shared, dim_known, lengths, inputs, outputs, states, activations, staging, scratch,
      bytes;
} burin_arena_layout;

#pragma GCC visibility push(hidden)

/* Where everything goes in the arena of a context with so many workers; false where
 * the sum passes 2^63. */
bool burin_layout(const burin_program *, uint32_t workers, burin_arena_layout *);

/* Bytes of one element in a request, 0 for a type that has no fixed size. */
uint32_t burin_dtype_bytes(uint32_t dtype);
/* "BURIN_F32"; "unknown" of a number that is none. */
const char *burin_dtype_name(uint32_t dtype);

/* Remembers why a request failed, and tells the log. */
burin_status burin_fail(burin_context *, burin_status, const char *format, ...);

/* Tells the log, where there is one, why something could not be made. */
burin_status burin_refuse(const burin_options *, burin_status, const char *format, ...);

/* The program behind a table of this version, or null. */
const burin_program *burin_program_of(const burin_model *);

/* The first byte of the program's weights; null where `weights` are another's. */
const unsigned char *burin_weights_data(const burin_weights *weights, const burin_program *);

/* burin_crc32c of as many pieces of `bytes` each, one behind the other: side by side, since each step of one alone waits
 * for the one before. */
enum { BURIN_CRC_STREAMS = 4 };
void burin_crc32c_streams(const unsigned char *data, size_t bytes, uint32_t crcs[BURIN_CRC_STREAMS]);
/* burin_crc32c without the CPU's instruction. */
uint32_t burin_crc32c_portable(uint32_t crc, const unsigned char *data, size_t bytes);

/* The SHA-256 of `count` parts, one after the other. */
void burin_sha256(const unsigned char *const parts[], const uint64_t bytes[], uint32_t count,
                  unsigned char hash[32]);

/* A tensor of the program: its inputs, then its outputs. */
static inline const burin_tensor_info_abi *burin_tensor_of(const burin_program *program,
                                                           uint32_t tensor) {
  return tensor < program->input_count ? &program->inputs[tensor]
                                       : &program->outputs[tensor - program->input_count];
}

/* The size of dimension `i` of a tensor in the last request. */
int64_t burin_size_of(const burin_context *, const burin_tensor_info_abi *, uint32_t i);

/* Checks a request and takes its sizes, tensors and variant into the context. */
burin_status burin_take_request(burin_context *, const burin_tensor *inputs,
                                const burin_tensor *outputs);

/* What inputs and outputs look like, for callers. */
void burin_fill_info(const burin_tensor_info_abi *, burin_tensor_info *);

/* The lengths of states as sizes of the request; fails where another run finds no room. */
burin_status burin_take_lengths(burin_context *);

/* A run has succeeded: lengths are what it made of them. */
void burin_keep_lengths(burin_context *);

/* Whether `dim` is the length of a state. */

/* Runs the context's variant on its tensors. */
burin_status burin_run_taken(burin_context *);

/* Runs as many of the first requests as one as can be, or the first alone; `*ran` says how many. */
burin_status burin_run_some(burin_context *, uint32_t requests, const burin_tensor *inputs,
                            const burin_tensor *outputs, uint32_t *ran);

/* burin_frame.launch. */
int32_t burin_launch_run(burin_context *, const burin_launch *, uint32_t count);

/* Runs fn(state, part, part) for each part in [0, parts), part i on worker i, and
 * returns when all are done. False, with nothing run, where the pool is taken or has
 * fewer workers. */
bool burin_pool_run(burin_pool *, uint32_t parts,
                    void (*fn)(void *state, uint32_t worker, uint32_t part), void *state);

/* Whether a pool has this runtime's layout. */
bool burin_pool_valid(const burin_pool *);

/* Cores by affinity and cgroup quota, at least 1. */
uint32_t burin_available_cores(void);

/* The least quota of this process's control groups in cores, rounded up; UINT32_MAX
 * where there is none. `root` stands before /proc and /sys: "" but in tests. */
uint32_t burin_quota_cores(const char *root);

/* The name of the first of `features` (bits of burin_cpu_feature) that this CPU or
 * its kernel lacks, or null. */
const char *burin_missing_cpu_feature(uint64_t features);

/* Writes at most `size` bytes with their final 0. %s takes a string (null prints as
 * "?"), %d an int64_t, %% a percent sign. */
void burin_format(char *to, size_t size, const char *format, ...);
void burin_vformat(char *to, size_t size, const char *format, va_list);

#pragma GCC visibility pop

/* Kernels compute under the default floating-point environment, whatever the caller's:
 * round to nearest, subnormals kept, no trap. Returns what to restore. */
static inline uint64_t burin_enter_fp(void) {
#if defined(__x86_64__)
  uint32_t saved, standard = 0x1f80;
  __asm__ volatile("stmxcsr %0" : "=m"(saved));
  __asm__ volatile("ldmxcsr %0" : : "m"(standard) : "memory");
  return saved;
#elif defined(__aarch64__)
  uint64_t saved, standard = 0;
  __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
  __asm__ volatile("msr fpcr, %0" : : "r"(standard) : "memory");
  return saved;
#else
#error "no way known to set this CPU's floating-point environment"
#endif
}

static inline void burin_leave_fp(uint64_t saved) {
#if defined(__x86_64__)
  uint32_t word = (uint32_t)saved;
  __asm__ volatile("ldmxcsr %0" : : "m"(word) : "memory");
#else
  __asm__ volatile("msr fpcr, %0" : : "r"(saved) : "memory");
#endif
}

#endif
