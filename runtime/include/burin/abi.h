/* SPDX-License-Identifier: Apache-2.0
 *
 * The contract between generated code and the runtime: what an artifact's
 * object code holds, and what its kernels and main program are called with.
 * Users never include this file; burin.h is theirs.
 *
 * Every struct is laid out for LP64, pinned by the static assertions below, and built
 * by compiler/emit/Program.cpp field by field. A change of any of them raises
 * BURIN_ABI_VERSION.
 */
#ifndef BURIN_ABI_H
#define BURIN_ABI_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "burin/burin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where a kernel reports a run-time fault of its data. Workers race to set
 * `code` from 0 by an atomic exchange; the winner alone writes the rest. */
typedef struct burin_error_word {
  int32_t code;   /* a burin_status, 0 while all is well */
  uint32_t site;  /* index into burin_program.sites, or UINT32_MAX: the launch's */
  int64_t detail; /* the offending value, e.g. an index out of range */
} burin_error_word;

/* What one launch passes to its kernel; the same for all of its tasks. */
typedef struct burin_kargs {
  void *const *buffers;     /* the kernel's tensors, in the kernel's own order */
  const int64_t *dims;      /* its dynamic sizes, in elements */
  burin_error_word *error;  /* never null */
} burin_kargs;

/* Runs the tasks [begin, end) of one launch. `scratch` is this worker's own,
 * burin_program.scratch_bytes long, 64-byte aligned, of undefined content. */
typedef void (*burin_kernel_fn)(const burin_kargs *args, uint32_t begin,
                                uint32_t end, void *scratch);

/* One launch, as the main program hands it to the runtime. */
typedef struct burin_launch {
  burin_kernel_fn kernel;
  const burin_kargs *args;
  uint32_t tasks; /* number of independent tasks, at least 1 */
  uint32_t site;  /* index into burin_program.sites: where it is in the program */
  uint32_t weight; /* of each task beside those of the other launches of a group, in nanoseconds about;
                    * 0: all of them are not worth a second worker */
  uint32_t reserved; /* 0 */
} burin_launch;

/* So many launches at most are a group. */
#define BURIN_GROUP_LAUNCHES 8u

struct burin_context;

/* What the main program runs against; lives as long as one run. */
typedef struct burin_frame {
  unsigned char *arena;          /* burin_program.arena_bytes, 64-byte aligned */
  const unsigned char *weights;  /* burin_program.weights, or its shards mapped */
  void *const *inputs;           /* one per burin_program.inputs */
  void *const *outputs;          /* one per burin_program.outputs */
  int64_t *dims;                 /* one per burin_program.dims, actual sizes. The main
                                    program sets those that no input's shape decides,
                                    before it returns; until then they hold their max
                                    in this variant */
  burin_error_word *error;
  /* Runs all tasks of `count` launches and returns when they are done. Several are a group: none depends on
   * another, none writes what another reads or writes, and they run side by side. Non-zero (the error
   * word says why) must end the program at once. Never called from inside a kernel. */
  int32_t (*launch)(struct burin_context *, const burin_launch *, uint32_t count);
  struct burin_context *context;
  unsigned char *states;         /* burin_program.state_bytes, 64-byte aligned */
} burin_frame;

/* The main program of one variant for one level. Returns 0, what `launch` returned, or the code of
 * the error word that it filled itself. */
typedef int32_t (*burin_main_fn)(const burin_frame *frame);

/* One input or output. Strings are UTF-8, owned by the artifact. */
typedef struct burin_tensor_info_abi {
  const char *name;
  const int64_t *shape;       /* rank sizes; a dynamic one is -1 - index of its dim */
  const char *const *dim_names; /* rank names, "" where ONNX gave none; may be null */
  uint64_t max_bytes;         /* size of the dense row-major tensor at its bound */
  uint32_t dtype;             /* burin_dtype */
  uint32_t rank;
} burin_tensor_info_abi;

/* A dynamic size. Outputs need room for its max. */
typedef struct burin_dim_abi {
  const char *name;
  int64_t min, max;  /* inclusive, not negative */
  uint32_t kind;     /* burin_dim_kind; those that are free or lengths come first */
  uint32_t reserved; /* 0 */
} burin_dim_abi;

/* Computes from dims that are free or lengths the others, in place; `dims` is one per
 * burin_program.dims, in the ranges of the variant. What the data decide becomes its max. */
typedef void (*burin_sizes_fn)(int64_t *dims);

/* What a dim can be in one variant; both ends are included. */
typedef struct burin_range_abi {
  int64_t min, max;
} burin_range_abi;

/* A set of sizes that the artifact has a plan and a main program for. */
typedef struct burin_variant_abi {
  const burin_range_abi *ranges; /* one per burin_program.dims */
  const burin_main_fn *mains;    /* one per burin_program.levels */
  uint64_t arena_bytes;          /* activations; the runtime adds its own bookkeeping */
  burin_sizes_fn sizes;
} burin_variant_abi;

/* A level of instructions that the artifact has code for. */
typedef struct burin_level_abi {
  const char *target;    /* resolved CPU name, e.g. "x86-64-v3" */
  uint64_t cpu_features; /* bits of burin_cpu_feature that the code needs */
} burin_level_abi;

/* A place in the main programs that launches a kernel. Where `kernel` is empty, one that compares a size of
 * an input with the others: `node` is the input, `nodes` the size. Where it is "=", one that compares two sizes
 * which `node` takes for one, `nodes`. */
typedef struct burin_site_abi {
  const char *kernel; /* its symbol, without what tells levels apart */
  const char *node;   /* the one that messages name */
  const char *nodes;  /* all that it computes, a comma between them; of many the first */
} burin_site_abi;

/* How the requests of a batch run as one. */
typedef struct burin_batch_abi {
  const int32_t *axes; /* of each input, then each output: the one along which requests lie one
                        * after the other; -1: an input that all share, an output that is the same
                        * for all */
  uint32_t dim;        /* of the program: the sum of the requests' */
  uint32_t reserved;   /* 0 */
} burin_batch_abi;

/* What a context keeps from run to run. */
typedef struct burin_state_abi {
  burin_tensor_info_abi info; /* named as the input; no size is dynamic: the axis that grows has the
                               * capacity */
  const char *output;         /* the output's name */
  uint64_t offset;            /* into burin_frame.states, a multiple of 64 */
  int32_t axis;               /* that grows, or -1: the main program puts in the new value at its end */
  uint32_t length, next;      /* dims of the program, where it grows: its length before a run, and after.
                               * The range of the first says up to which length there is room */
  uint32_t reserved;          /* 0 */
} burin_state_abi;

/* A file of weights beside the artifact, in the form of safetensors: it holds bytes
 * [offset, offset + bytes) of the weights. */
typedef struct burin_shard_abi {
  const char *file;         /* its name, without folder */
  uint64_t offset, bytes;   /* offset is a multiple of BURIN_SHARD_ALIGNMENT */
  uint64_t header_bytes;    /* before the data, in the file; likewise, so that data are mapped in place */
  const uint32_t *crcs;     /* CRC32C of the header, then of each BURIN_CHUNK_BYTES of the data */
  unsigned char sha256[32]; /* of the file */
} burin_shard_abi;

#define BURIN_SHARD_ALIGNMENT 65536u /* the largest page of any system we know */
#define BURIN_CHUNK_BYTES 1048576u

/* The constant that describes a compiled model; `burin_model_<name>` leads to
 * it through burin_model.program. */
typedef struct burin_program {
  uint32_t abi_version; /* BURIN_ABI_VERSION */
  uint32_t struct_size; /* sizeof(burin_program) of its compiler */
  const char *name;
  const char *compiler;     /* "burin 0.1.0" */
  const char *certificate;  /* JSON: memory plan, kernels, provenance; printed by inspect */
  const burin_tensor_info_abi *inputs;
  const burin_tensor_info_abi *outputs;
  const burin_dim_abi *dims;
  const burin_site_abi *sites;
  const unsigned char *weights; /* 64-byte aligned; null where they are in shards */
  uint64_t weights_bytes;
  uint64_t scratch_bytes;   /* per worker, a multiple of 64: enough for every level */
  /* A request runs in the first variant whose ranges hold its sizes, so that the cheapest
   * come first; the last level that the machine can run is taken, so that the best does. */
  const burin_variant_abi *variants;
  const burin_level_abi *levels;
  uint32_t input_count, output_count, dim_count, site_count;
  uint32_t variant_count, level_count; /* at least 1 */
  const burin_batch_abi *batch; /* null: the requests of a batch run one after the other */
  const burin_shard_abi *shards; /* they fill the weights, in order */
  const char *weights_id;        /* 64 hexadecimal digits that shards of one compile have in common */
  uint32_t shard_count, state_count;
  const burin_state_abi *states;
  uint64_t state_bytes; /* a multiple of 64 */
} burin_program;

/* What a context itself takes at the start of its arena (reports and the generated header
 * of a model count it in the arena that they print); states follow, then activations, rounded up
 * to 64 bytes, then burin_program.scratch_bytes for each worker. */
#define BURIN_CONTEXT_BYTES 768u
static inline uint64_t burin_bookkeeping_bytes(uint32_t inputs, uint32_t outputs, uint32_t dims) {
  uint64_t rounded = 63;
  return BURIN_CONTEXT_BYTES + ((inputs * (uint64_t)8 + rounded) & ~rounded) +
         ((outputs * (uint64_t)8 + rounded) & ~rounded) +
         3 * ((dims * (uint64_t)8 + rounded) & ~rounded) + ((dims + rounded) & ~rounded);
}

/* CPU features that a program may need, checked before its code runs. */
enum burin_cpu_feature {
  BURIN_CPU_AVX2 = 1u << 0,     /* x86-64-v3: AVX2, FMA, F16C, BMI1/2, LZCNT, MOVBE */
  BURIN_CPU_AVX512 = 1u << 1,   /* x86-64-v4: F, BW, CD, DQ, VL */
  BURIN_CPU_AVX512VNNI = 1u << 2,
  BURIN_CPU_AVX512BF16 = 1u << 3,
  BURIN_CPU_AVX512VBMI = 1u << 4, /* VBMI, VBMI2, IFMA, BITALG, VPOPCNTDQ */
  BURIN_CPU_GFNI = 1u << 5,
  BURIN_CPU_AVXVNNI = 1u << 6,
  BURIN_CPU_AVX512FP16 = 1u << 7,
  BURIN_CPU_NEON = 1u << 16, /* aarch64: ARMv8.0-A with Advanced SIMD, which all have that run Linux */
  BURIN_CPU_FP16 = 1u << 17,
  BURIN_CPU_DOTPROD = 1u << 18,
  BURIN_CPU_I8MM = 1u << 19,
  BURIN_CPU_BF16 = 1u << 20,
  BURIN_CPU_SVE = 1u << 21
};

/* The runtime's functions, in the order of burin_model's slots; the compiler fills the
 * table of a model with them. */
#define BURIN_MODEL_SLOTS(SLOT)                                                                    \
  SLOT(describe) SLOT(input) SLOT(output) SLOT(dim) SLOT(memory) SLOT(create) SLOT(run)            \
  SLOT(run_batch) SLOT(output_shape) SLOT(message) SLOT(destroy) SLOT(pool_create)                \
  SLOT(pool_workers) SLOT(pool_destroy) SLOT(certificate) SLOT(pool_parts)              \
  SLOT(weights_open) SLOT(weights_close) SLOT(state) SLOT(state_data) SLOT(state_set_length)       \
  SLOT(reset) SLOT(sizes)

#pragma GCC visibility push(hidden)
burin_status burin_rt_describe(const burin_model *, uint32_t *inputs, uint32_t *outputs);
burin_status burin_rt_input(const burin_model *, uint32_t index, burin_tensor_info *);
burin_status burin_rt_output(const burin_model *, uint32_t index, burin_tensor_info *);
burin_status burin_rt_dim(const burin_model *, uint32_t index, burin_dim_info *);
burin_status burin_rt_memory(const burin_model *, uint32_t workers, burin_memory *);
burin_status burin_rt_create(const burin_model *, const burin_options *, burin_context **);
burin_status burin_rt_run(burin_context *, const burin_tensor *inputs, uint32_t input_count,
                          const burin_tensor *outputs, uint32_t output_count);
burin_status burin_rt_run_batch(burin_context *, uint32_t requests, const burin_tensor *inputs,
                                uint32_t input_count, const burin_tensor *outputs,
                                uint32_t output_count);
burin_status burin_rt_output_shape(const burin_context *, uint32_t index, int64_t *shape);
const char *burin_rt_message(const burin_context *);
void burin_rt_destroy(burin_context *);
burin_status burin_rt_pool_create(uint32_t workers, burin_pool **);
uint32_t burin_rt_pool_workers(const burin_pool *);
void burin_rt_pool_destroy(burin_pool *);
const char *burin_rt_certificate(const burin_model *);
uint64_t burin_rt_pool_parts(const burin_pool *, uint32_t worker);
burin_status burin_rt_weights_open(const burin_model *, const burin_options *, burin_weights **);
void burin_rt_weights_close(burin_weights *);
burin_status burin_rt_state(const burin_model *, uint32_t index, burin_state_info *);
burin_status burin_rt_state_data(burin_context *, uint32_t index, void **data, int64_t *length);
burin_status burin_rt_state_set_length(burin_context *, uint32_t index, int64_t length);
burin_status burin_rt_reset(burin_context *);
burin_status burin_rt_sizes(const burin_model *, int64_t *dims);

/* The CRC32C of data that follow those whose CRC32C is `crc` (0: none); the compiler asks, too. */
uint32_t burin_crc32c(uint32_t crc, const unsigned char *data, size_t bytes);

/* SHA-256 of what is added between begin and end, of any size. */
typedef struct burin_sha256_state {
  uint32_t words[8];
  uint64_t bytes; /* so far */
  unsigned char block[64];
} burin_sha256_state;
void burin_sha256_begin(burin_sha256_state *state);
void burin_sha256_add(burin_sha256_state *state, const unsigned char *data, uint64_t bytes);
void burin_sha256_end(burin_sha256_state *state, unsigned char hash[32]);
#pragma GCC visibility pop

/* The layout, pinned. */
#define BURIN_PIN(type, field, offset)                                                             \
  static_assert(offsetof(type, field) == (offset), #type "." #field " has moved")
static_assert(sizeof(void *) == 8 && sizeof(size_t) == 8, "LP64 only");
static_assert(sizeof(burin_error_word) == 16, "burin_error_word has another size");
BURIN_PIN(burin_error_word, site, 4);
BURIN_PIN(burin_error_word, detail, 8);
static_assert(sizeof(burin_kargs) == 24, "burin_kargs has another size");
BURIN_PIN(burin_kargs, dims, 8);
BURIN_PIN(burin_kargs, error, 16);
static_assert(sizeof(burin_launch) == 32, "burin_launch has another size");
BURIN_PIN(burin_launch, args, 8);
BURIN_PIN(burin_launch, tasks, 16);
BURIN_PIN(burin_launch, site, 20);
BURIN_PIN(burin_launch, weight, 24);
static_assert(sizeof(burin_frame) == 72, "burin_frame has another size");
BURIN_PIN(burin_frame, weights, 8);
BURIN_PIN(burin_frame, inputs, 16);
BURIN_PIN(burin_frame, outputs, 24);
BURIN_PIN(burin_frame, dims, 32);
BURIN_PIN(burin_frame, error, 40);
BURIN_PIN(burin_frame, launch, 48);
BURIN_PIN(burin_frame, context, 56);
BURIN_PIN(burin_frame, states, 64);
static_assert(sizeof(burin_tensor_info_abi) == 40, "burin_tensor_info_abi has another size");
BURIN_PIN(burin_tensor_info_abi, shape, 8);
BURIN_PIN(burin_tensor_info_abi, dim_names, 16);
BURIN_PIN(burin_tensor_info_abi, max_bytes, 24);
BURIN_PIN(burin_tensor_info_abi, dtype, 32);
BURIN_PIN(burin_tensor_info_abi, rank, 36);
static_assert(sizeof(burin_dim_abi) == 32, "burin_dim_abi has another size");
BURIN_PIN(burin_dim_abi, min, 8);
BURIN_PIN(burin_dim_abi, max, 16);
BURIN_PIN(burin_dim_abi, kind, 24);
static_assert(sizeof(burin_range_abi) == 16, "burin_range_abi has another size");
BURIN_PIN(burin_range_abi, max, 8);
static_assert(sizeof(burin_variant_abi) == 32, "burin_variant_abi has another size");
BURIN_PIN(burin_variant_abi, mains, 8);
BURIN_PIN(burin_variant_abi, arena_bytes, 16);
BURIN_PIN(burin_variant_abi, sizes, 24);
static_assert(sizeof(burin_level_abi) == 16, "burin_level_abi has another size");
BURIN_PIN(burin_level_abi, cpu_features, 8);
static_assert(sizeof(burin_site_abi) == 24, "burin_site_abi has another size");
BURIN_PIN(burin_site_abi, node, 8);
BURIN_PIN(burin_site_abi, nodes, 16);
static_assert(sizeof(burin_batch_abi) == 16, "burin_batch_abi has another size");
BURIN_PIN(burin_batch_abi, dim, 8);
static_assert(sizeof(burin_state_abi) == 72, "burin_state_abi has another size");
BURIN_PIN(burin_state_abi, output, 40);
BURIN_PIN(burin_state_abi, offset, 48);
BURIN_PIN(burin_state_abi, axis, 56);
BURIN_PIN(burin_state_abi, length, 60);
BURIN_PIN(burin_state_abi, next, 64);
static_assert(sizeof(burin_shard_abi) == 72, "burin_shard_abi has another size");
BURIN_PIN(burin_shard_abi, offset, 8);
BURIN_PIN(burin_shard_abi, bytes, 16);
BURIN_PIN(burin_shard_abi, header_bytes, 24);
BURIN_PIN(burin_shard_abi, crcs, 32);
BURIN_PIN(burin_shard_abi, sha256, 40);
static_assert(sizeof(burin_program) == 176, "burin_program has another size");
BURIN_PIN(burin_program, name, 8);
BURIN_PIN(burin_program, compiler, 16);
BURIN_PIN(burin_program, certificate, 24);
BURIN_PIN(burin_program, inputs, 32);
BURIN_PIN(burin_program, outputs, 40);
BURIN_PIN(burin_program, dims, 48);
BURIN_PIN(burin_program, sites, 56);
BURIN_PIN(burin_program, weights, 64);
BURIN_PIN(burin_program, weights_bytes, 72);
BURIN_PIN(burin_program, scratch_bytes, 80);
BURIN_PIN(burin_program, variants, 88);
BURIN_PIN(burin_program, levels, 96);
BURIN_PIN(burin_program, input_count, 104);
BURIN_PIN(burin_program, output_count, 108);
BURIN_PIN(burin_program, dim_count, 112);
BURIN_PIN(burin_program, site_count, 116);
BURIN_PIN(burin_program, variant_count, 120);
BURIN_PIN(burin_program, level_count, 124);
BURIN_PIN(burin_program, batch, 128);
BURIN_PIN(burin_program, shards, 136);
BURIN_PIN(burin_program, weights_id, 144);
BURIN_PIN(burin_program, shard_count, 152);
BURIN_PIN(burin_program, state_count, 156);
BURIN_PIN(burin_program, states, 160);
BURIN_PIN(burin_program, state_bytes, 168);
static_assert(sizeof(struct burin_model) == 208, "burin_model has another size");
BURIN_PIN(burin_model, program, 8);
BURIN_PIN(burin_model, name, 16);
BURIN_PIN(burin_model, describe, 24);
BURIN_PIN(burin_model, memory, 56);
BURIN_PIN(burin_model, pool_parts, 144);
BURIN_PIN(burin_model, weights_close, 160);
BURIN_PIN(burin_model, reset, 192);
BURIN_PIN(burin_model, sizes, 200);
#undef BURIN_PIN

#ifdef __cplusplus
}
#endif
#endif
