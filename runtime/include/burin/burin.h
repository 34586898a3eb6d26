/* SPDX-License-Identifier: Apache-2.0
 *
 * The C API of a compiled model. C11, libc only, no globals, no exceptions.
 *
 *   const burin_model *m = burin_model_mnist();        // linked in, or
 *   burin_library *lib; burin_load("mnist.so", NULL, &lib, &m, NULL, 0);
 *
 *   burin_memory need; m->memory(m, 1, &need);
 *   void *arena = aligned_alloc(need.alignment, need.bytes);
 *   burin_context *ctx;
 *   m->create(m, &(burin_options){.arena = arena, .arena_bytes = need.bytes}, &ctx);
 *   m->run(ctx, &(burin_tensor){.data = image}, 1, &(burin_tensor){.data = scores}, 1);
 *   m->destroy(ctx);
 *
 * A model is read-only and shared by any number of contexts. A context runs one
 * request at a time. Between create and destroy nothing is allocated, mapped or
 * started. Every function returns a status; the text of the last failure of a
 * context is at burin_model.message. burin/load.h opens a model.so.
 */
#ifndef BURIN_H
#define BURIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BURIN_ABI_VERSION 6u

/* Zeroes all fields of a struct, in C and C++: burin_options options = BURIN_ZERO; */
#ifdef __cplusplus
#define BURIN_ZERO {}
#else
#define BURIN_ZERO {0}
#endif

typedef enum burin_status {
  BURIN_OK = 0,
  BURIN_BAD_ARGUMENT = 1,   /* null, wrong count, dtype, rank, shape or size */
  BURIN_BAD_FILE = 2,       /* not an artifact, truncated, or its symbol is missing */
  BURIN_BAD_ABI = 3,        /* made for another version of this interface */
  BURIN_UNSUPPORTED_CPU = 4,/* this machine lacks what the code needs */
  BURIN_NO_MEMORY = 5,      /* the arena is too small or misaligned; no thread for a pool */
  BURIN_INDEX_RANGE = 6,    /* an index in the data is out of range */
  BURIN_SHAPE_MISMATCH = 7, /* a shape given as data disagrees with the compiled one */
  BURIN_BUSY = 8,           /* the context is already running a request */
  BURIN_INTERNAL = 9,
  BURIN_WEIGHTS_MISSING = 10,   /* a file of weights cannot be found or opened */
  BURIN_WEIGHTS_TRUNCATED = 11, /* it is shorter than it was written */
  BURIN_WEIGHTS_OTHER = 12,     /* another model's, or another file of this model */
  BURIN_WEIGHTS_STALE = 13,     /* of an earlier or later compile of this model */
  BURIN_WEIGHTS_CORRUPT = 14,   /* damaged: a checksum or its length is wrong */
  BURIN_STATE_FULL = 15         /* a state has no room for what another run appends */
} burin_status;

/* Element types, with ONNX's numbers (TensorProto.DataType). In a tensor of a
 * request an element of 2 or 4 bits takes a byte of its own: inputs are extended by
 * sign where the type is signed and by zeros elsewhere, of outputs only those low
 * bits count. A bool takes a byte that is 0 or 1. */
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
typedef struct burin_weights burin_weights;

/* What an input or output looks like. */
typedef struct burin_tensor_info {
  const char *name;
  burin_dtype dtype;
  uint32_t rank;
  const int64_t *shape;         /* rank sizes; -1 - d where it is the model's dim d */
  const char *const *dim_names; /* rank names, "" where the model has none */
  uint64_t max_bytes;
} burin_tensor_info;

/* What decides a size that is not fixed. */
typedef enum burin_dim_kind {
  BURIN_DIM_FREE = 0,     /* each request, by the shapes of its inputs */
  BURIN_DIM_LENGTH = 1,   /* how far a state is filled */
  BURIN_DIM_COMPUTED = 2, /* the free ones and the lengths, as burin_model.sizes says */
  BURIN_DIM_DATA = 3      /* the data, in a run */
} burin_dim_kind;

/* A size that is not fixed. */
typedef struct burin_dim_info {
  const char *name; /* "seq"; "past + 1" of one that is computed */
  int64_t min, max; /* inclusive */
  burin_dim_kind kind;
} burin_dim_info;

/* What a context keeps from run to run: an input and an output of the model in one. It starts with
 * length 0, or as zeros where it does not grow. A run that fails leaves it as it was. */
typedef struct burin_state_info {
  burin_tensor_info tensor; /* of the input's name; the axis that grows has the capacity as its size */
  const char *output;       /* the output's name */
  int32_t axis; /* along which runs append, or -1: each run replaces the whole */
  uint32_t dim; /* where it grows: the model's dim that is its length. States of one dim share it */
} burin_state_info;

/* One input or output of one request: dense, row-major, caller's memory, of which
 * no output overlaps another tensor. `data` need not be aligned beyond its element,
 * and may be null where the tensor has no elements. */
typedef struct burin_tensor {
  void *data;
  uint64_t bytes;       /* of data; 0: as large as the model says. An output may have more */
  const int64_t *shape; /* rank sizes; may be null where the model's is static. Ignored for
                           outputs: see burin_model.output_shape */
  uint32_t rank;        /* of shape; ignored where that is null */
  uint32_t dtype;       /* burin_dtype to check against the model's; 0: not checked */
} burin_tensor;

/* How much memory a context needs for a number of workers. */
typedef struct burin_memory {
  uint64_t bytes;         /* of the arena that create takes */
  uint64_t alignment;     /* of its address: a power of two */
  uint64_t activations;   /* of which: intermediate tensors */
  uint64_t scratch;       /* of which: scratch, all workers together */
  uint64_t weights;       /* read-only, inside the artifact or in files beside it */
  uint64_t states;        /* of the arena: what is kept from run to run */
} burin_memory;

/* Runs fn(state, worker, task) for every task in [0, tasks), in any order, and returns
 * when all are done. `worker` is below burin_options.workers and never used by two
 * threads at once. A run asks for at most `workers` tasks, of about equal length. */
typedef void (*burin_parallel_for)(void *executor, uint32_t tasks,
                                   void (*fn)(void *state, uint32_t worker, uint32_t task),
                                   void *state);

typedef void (*burin_log_fn)(void *user, burin_status status, const char *message);

typedef enum burin_event_kind {
  BURIN_LAUNCH_BEGIN = 0, BURIN_LAUNCH_END = 1, /* on the thread that calls run */
  BURIN_PART_BEGIN = 2, BURIN_PART_END = 3      /* on the worker that runs this part of it */
} burin_event_kind;

/* What a run is at. Strings are the artifact's own. */
typedef struct burin_event {
  burin_event_kind kind;
  uint32_t site;       /* which launch of the artifact's programs, from 0 */
  uint32_t worker;     /* 0 for a launch as a whole */
  uint32_t begin, end; /* its tasks */
  const char *kernel;  /* a symbol's name */
  const char *node;    /* the first of `nodes` */
  const char *nodes;   /* that it computes, with commas; of many the first */
} burin_event;

/* Called before and after each launch, and each part of it: of several workers at once. With a profiler
 * launches that would run side by side run one after the other, so that each has a time of its own. */
typedef void (*burin_profile_fn)(void *user, const burin_event *event);

/* burin_options.flags: compare files of weights with their SHA-256, too. */
#define BURIN_VERIFY_WEIGHTS 1u

typedef struct burin_options {
  void *arena;           /* caller's memory, as burin_model.memory asks; must outlive the context */
  uint64_t arena_bytes;
  uint32_t workers;      /* 0: the pool's, or 1. The arena has scratch for as many */
  uint32_t flags;        /* BURIN_VERIFY_WEIGHTS, or 0 */
  burin_pool *pool;      /* made by pool_create, or null: the calling thread */
  burin_parallel_for parallel_for; /* instead of pool; called with executor */
  void *executor;
  burin_log_fn log;      /* may be null; told of every failure */
  burin_profile_fn profile; /* may be null */
  /* Where the files of weights are, for an artifact that has any: a folder or, of a single file, its
   * path. Null: beside the artifact, or beside the program that it is linked into. */
  const char *weights_path;
  const burin_weights *weights; /* of weights_open, or null: the context opens its own */
  void *user;            /* passed to log and profile */
} burin_options;

/* The versioned function table of a compiled model. */
struct burin_model {
  uint32_t abi_version;  /* BURIN_ABI_VERSION: check it before anything else */
  uint32_t struct_size;
  const void *program;   /* the artifact's own */
  const char *name;
  /* How many inputs and outputs there are. */
  burin_status (*describe)(const burin_model *, uint32_t *inputs, uint32_t *outputs);
  /* The input, output or dim of an index. BURIN_BAD_ARGUMENT behind the last. */
  burin_status (*input)(const burin_model *, uint32_t index, burin_tensor_info *);
  /* As `input`. */
  burin_status (*output)(const burin_model *, uint32_t index, burin_tensor_info *);
  /* As `input`: the sizes that an artifact leaves open, in the order that shapes name them. */
  burin_status (*dim)(const burin_model *, uint32_t index, burin_dim_info *);
  /* What create will ask for; `workers` as there, 0 counts as 1. */
  burin_status (*memory)(const burin_model *, uint32_t workers, burin_memory *);
  /* Fails with BURIN_BAD_ABI, BURIN_UNSUPPORTED_CPU, BURIN_NO_MEMORY, BURIN_BAD_ARGUMENT or as
   * weights_open; options.log is told why. The context lives in the arena. */
  burin_status (*create)(const burin_model *, const burin_options *, burin_context **);
  /* One request. The counts are those of `describe`. Fails with BURIN_BAD_ARGUMENT,
   * BURIN_BUSY, or what the data did wrong; outputs are then undefined. */
  burin_status (*run)(burin_context *, const burin_tensor *inputs, uint32_t input_count,
                      const burin_tensor *outputs, uint32_t output_count);
  /* `requests` requests, inputs[r * input_count + i]; each gets the bits it would get
   * alone. Those that fit one variant together, of a model whose rows do not depend on one another,
   * run as one. The first that fails ends the batch. */
  burin_status (*run_batch)(burin_context *, uint32_t requests, const burin_tensor *inputs,
                            uint32_t input_count, const burin_tensor *outputs,
                            uint32_t output_count);
  /* The shape output `index` had in the last run; `shape` has room for its rank. */
  burin_status (*output_shape)(const burin_context *, uint32_t index, int64_t *shape);
  /* Why the last run failed, "" if it did not; valid until the next run. */
  const char *(*message)(const burin_context *);
  /* Ends a context that runs no request; the arena is the caller's again. */
  void (*destroy)(burin_context *);
  /* A pool of `workers` workers, of which the caller is one; 0 asks for one per core
   * that this process may use. Contexts may share it: one that finds it taken runs
   * on its own thread. Its threads take no signals. */
  burin_status (*pool_create)(uint32_t workers, burin_pool **);
  /* How many workers a pool has, the caller among them. */
  uint32_t (*pool_workers)(const burin_pool *);
  /* After the contexts that use it. */
  void (*pool_destroy)(burin_pool *);
  /* JSON: memory, kernels, target, provenance; owned by the artifact. */
  const char *(*certificate)(const burin_model *);
  /* How many parts of launches worker `worker` of a pool has run so far. */
  uint64_t (*pool_parts)(const burin_pool *, uint32_t worker);
  /* Maps the files of weights read-only and checks them: identity, length, and a CRC32C of each MiB,
   * on the pool or parallel_for of the options. For several contexts, which then share the check as
   * well as the memory; the arena of the options is not looked at. Fails with BURIN_WEIGHTS_... or
   * BURIN_NO_MEMORY; options.log is told which file. Null where all weights are in the artifact. */
  burin_status (*weights_open)(const burin_model *, const burin_options *, burin_weights **);
  /* After the contexts that use them; null is fine. */
  void (*weights_close)(burin_weights *);
  /* As `input`: what a context keeps from run to run. Those are no inputs and outputs of a run. */
  burin_status (*state)(const burin_model *, uint32_t index, burin_state_info *);
  /* Where a state lies in the context's arena, and its length (0 where it does not grow); either
   * pointer may be null. It is dense and row-major, of the shape that `state` tells, whatever its
   * length is: read or write it between runs, to save it, to restore it or to begin with it. */
  burin_status (*state_data)(burin_context *, uint32_t index, void **data, int64_t *length);
  /* Sets the length of a state that grows and of all that share its dim, from 0 to the capacity: back
   * to an earlier one, or on over what was written to state_data. BURIN_BAD_ARGUMENT, BURIN_BUSY. */
  burin_status (*state_set_length)(burin_context *, uint32_t index, int64_t length);
  /* All states as they were after `create`. BURIN_BUSY while a request runs. */
  burin_status (*reset)(burin_context *);
  /* The shapes of a request before there is one: `dims`, one size for each of the model's, has those
   * that are free and the lengths of states; the others are computed from them (what the data decide: the
   * most that it can be). BURIN_BAD_ARGUMENT where the model does not take them together. */
  burin_status (*sizes)(const burin_model *, int64_t *dims);
};

/* A status in words, for messages where there is no context to ask. */
static inline const char *burin_status_text(burin_status status) {
  switch (status) {
  case BURIN_OK: return "ok";
  case BURIN_BAD_ARGUMENT: return "bad argument";
  case BURIN_BAD_FILE: return "not a Burin artifact, or a damaged one";
  case BURIN_BAD_ABI: return "made for another version of Burin's interface";
  case BURIN_UNSUPPORTED_CPU: return "this machine's CPU lacks what the code needs";
  case BURIN_NO_MEMORY: return "not enough memory, or misaligned memory";
  case BURIN_INDEX_RANGE: return "an index in the data is out of range";
  case BURIN_SHAPE_MISMATCH: return "a shape in the data disagrees with the model's";
  case BURIN_BUSY: return "the context is running another request";
  case BURIN_INTERNAL: return "internal error";
  case BURIN_WEIGHTS_MISSING: return "a file of weights is missing";
  case BURIN_WEIGHTS_TRUNCATED: return "a file of weights is cut short";
  case BURIN_WEIGHTS_OTHER: return "a file of weights is another model's, or in another's place";
  case BURIN_WEIGHTS_STALE: return "a file of weights is of another compile";
  case BURIN_WEIGHTS_CORRUPT: return "a file of weights is damaged";
  case BURIN_STATE_FULL: return "a state is full";
  }
  return "unknown status";
}

#ifdef __cplusplus
}
#endif
#endif
