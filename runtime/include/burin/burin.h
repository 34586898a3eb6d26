/* SPDX-License-Identifier: Apache-2.0
 *
 * The C API of a compiled model. C11, libc only, no globals, no exceptions.
 *
 *   const burin_model *m = burin_model_mnist();        // linked in, or
 *   burin_library *lib; burin_load("mnist.so", NULL, &lib, &m);
 *
 *   burin_memory need; m->memory(m, 1, &need);
 *   void *arena = aligned_alloc(need.alignment, need.bytes);
 *   burin_context *ctx;
 *   m->create(m, &(burin_options){.arena = arena, .arena_bytes = need.bytes}, &ctx);
 *   m->run(ctx, (burin_tensor[]){{.data = image}}, (burin_tensor[]){{.data = scores}});
 *   m->destroy(ctx);
 *
 * A model is read-only and shared by any number of contexts. A context runs one
 * request at a time. Between create and destroy nothing is allocated, mapped or
 * started. Every function returns a status; the text of the last failure of a
 * context is at burin_model.message.
 */
#ifndef BURIN_H
#define BURIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BURIN_ABI_VERSION 1u

typedef enum burin_status {
  BURIN_OK = 0,
  BURIN_BAD_ARGUMENT = 1,   /* null, wrong count, dtype, rank, shape or size */
  BURIN_BAD_FILE = 2,       /* not an artifact, truncated, or its symbol is missing */
  BURIN_BAD_ABI = 3,        /* made for another version of this interface */
  BURIN_UNSUPPORTED_CPU = 4,/* this machine lacks what the code needs */
  BURIN_NO_MEMORY = 5,      /* the arena is too small or misaligned */
  BURIN_INDEX_RANGE = 6,    /* an index in the data is out of range */
  BURIN_SHAPE_MISMATCH = 7, /* a shape given as data disagrees with the compiled one */
  BURIN_BUSY = 8,           /* the context is already running a request */
  BURIN_INTERNAL = 9
} burin_status;

/* Element types, with ONNX's numbers (TensorProto.DataType). */
typedef enum burin_dtype {
  BURIN_F32 = 1, BURIN_U8 = 2, BURIN_I8 = 3, BURIN_U16 = 4, BURIN_I16 = 5,
  BURIN_I32 = 6, BURIN_I64 = 7, BURIN_STRING = 8, BURIN_BOOL = 9 /* one byte */,
  BURIN_F16 = 10, BURIN_F64 = 11, BURIN_U32 = 12, BURIN_U64 = 13,
  BURIN_C64 = 14, BURIN_C128 = 15, BURIN_BF16 = 16,
  BURIN_F8E4M3FN = 17, BURIN_F8E4M3FNUZ = 18, BURIN_F8E5M2 = 19,
  BURIN_F8E5M2FNUZ = 20, BURIN_U4 = 21, BURIN_I4 = 22, BURIN_F4E2M1 = 23,
  BURIN_F8E8M0 = 24, BURIN_U2 = 25, BURIN_I2 = 26
} burin_dtype;

typedef struct burin_context burin_context;
typedef struct burin_pool burin_pool;
typedef struct burin_model burin_model;
typedef struct burin_library burin_library;

/* What an input or output looks like. */
typedef struct burin_tensor_info {
  const char *name;
  burin_dtype dtype;
  uint32_t rank;
  const int64_t *shape;         /* rank sizes; negative where the caller decides */
  const char *const *dim_names; /* rank names, "" where the model has none */
  uint64_t max_bytes;
} burin_tensor_info;

/* One input or output of one request: dense, row-major, caller's memory. `data`
 * need not be aligned beyond its element. `shape` may be null when the model's
 * is static. For outputs `shape` is ignored; see burin_model.output_shape. */
typedef struct burin_tensor {
  void *data;
  uint64_t bytes;       /* 0: as large as the model says */
  const int64_t *shape;
  uint32_t rank;
} burin_tensor;

/* How much memory a context needs for a number of workers. */
typedef struct burin_memory {
  uint64_t bytes;         /* of the arena that create takes */
  uint64_t alignment;     /* of its address: a power of two */
  uint64_t activations;   /* of which: intermediate tensors */
  uint64_t scratch;       /* of which: scratch, all workers together */
  uint64_t weights;       /* read-only, inside the artifact */
} burin_memory;

/* Runs fn(state, worker, task) for every task in [0, tasks), in any order, on at
 * most `workers` workers numbered from 0, and returns when all are done. */
typedef void (*burin_parallel_for)(void *executor, uint32_t tasks,
                                   void (*fn)(void *state, uint32_t worker, uint32_t task),
                                   void *state);

typedef void (*burin_log_fn)(void *user, burin_status status, const char *message);
/* Called before (end = 0) and after (end = 1) each launch, on the calling thread. */
typedef void (*burin_profile_fn)(void *user, const char *node, uint32_t tasks, int end);

typedef struct burin_options {
  void *arena;           /* caller's memory, as burin_model.memory asks; must outlive the context */
  uint64_t arena_bytes;
  uint32_t workers;      /* 0: 1, or the pool's */
  burin_pool *pool;      /* made by pool_create, or null: the calling thread */
  burin_parallel_for parallel_for; /* instead of pool; with its executor */
  void *executor;
  burin_log_fn log;      /* may be null */
  burin_profile_fn profile; /* may be null */
  void *user;            /* passed to log and profile */
} burin_options;

/* The versioned function table of a compiled model. */
struct burin_model {
  uint32_t abi_version;  /* BURIN_ABI_VERSION: check it before anything else */
  uint32_t struct_size;
  const void *program;   /* the artifact's own */
  const char *name;
  burin_status (*describe)(const burin_model *, uint32_t *inputs, uint32_t *outputs);
  burin_status (*input)(const burin_model *, uint32_t index, burin_tensor_info *);
  burin_status (*output)(const burin_model *, uint32_t index, burin_tensor_info *);
  burin_status (*memory)(const burin_model *, uint32_t workers, burin_memory *);
  /* Fails with BURIN_UNSUPPORTED_CPU, BURIN_NO_MEMORY or BURIN_BAD_ARGUMENT. */
  burin_status (*create)(const burin_model *, const burin_options *, burin_context **);
  burin_status (*run)(burin_context *, const burin_tensor *inputs, const burin_tensor *outputs);
  /* `count` requests, inputs[r * input_count + i]; each gets the bits it would get alone. */
  burin_status (*run_batch)(burin_context *, uint32_t count, const burin_tensor *inputs,
                            const burin_tensor *outputs);
  /* The shape output `index` had in the last run; `shape` holds its rank. */
  burin_status (*output_shape)(const burin_context *, uint32_t index, int64_t *shape);
  const char *(*message)(const burin_context *);
  void (*destroy)(burin_context *);
  /* A pool of `workers` threads (the caller counts as one); 0 asks for one per
   * available core. It may be shared by contexts that do not run at once. */
  burin_status (*pool_create)(uint32_t workers, burin_pool **);
  uint32_t (*pool_workers)(const burin_pool *);
  void (*pool_destroy)(burin_pool *);
  /* JSON: memory, kernels, target, provenance; owned by the artifact. */
  const char *(*certificate)(const burin_model *);
};

#ifdef __cplusplus
}
#endif
#endif
