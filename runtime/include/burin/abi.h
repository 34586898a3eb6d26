/* SPDX-License-Identifier: Apache-2.0
 *
 * The contract between generated code and the runtime: what an artifact's
 * object code holds, and what its kernels and main program are called with.
 * Users never include this file; burin.h is theirs.
 *
 * Every struct is laid out for LP64, pinned by static assertions, and built by
 * compiler/emit/Program.cpp field by field. A change of any of them raises
 * BURIN_ABI_VERSION.
 */
#ifndef BURIN_ABI_H
#define BURIN_ABI_H

#include <stddef.h>
#include <stdint.h>

#include "burin/burin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where a kernel reports a run-time fault of its data. Workers race to set
 * `code` from 0; the first one wins. */
typedef struct burin_error_word {
  int32_t code;   /* a burin_status, 0 while all is well */
  uint32_t node;  /* index into burin_program.node_names, or UINT32_MAX */
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
  uint32_t node;  /* index into burin_program.node_names: who asked for it */
} burin_launch;

struct burin_context;

/* What the main program runs against; lives as long as one run. */
typedef struct burin_frame {
  unsigned char *arena;          /* burin_program.arena_bytes, 64-byte aligned */
  const unsigned char *weights;  /* burin_program.weights */
  void *const *inputs;           /* one per burin_program.inputs */
  void *const *outputs;          /* one per burin_program.outputs */
  const int64_t *dims;           /* one per burin_program.dims, actual sizes */
  burin_error_word *error;
  /* Runs all tasks of a launch and returns when they are done; non-zero stops
   * the program (the error word says why). */
  int32_t (*launch)(struct burin_context *, const burin_launch *);
  struct burin_context *context;
} burin_frame;

/* The main program of one variant. Returns 0 or what `launch` returned. */
typedef int32_t (*burin_main_fn)(const burin_frame *frame);

/* One input or output. Strings are UTF-8, owned by the artifact. */
typedef struct burin_tensor_info_abi {
  const char *name;
  const int64_t *shape;       /* rank sizes; a dynamic one is -1 - index of its dim */
  const char *const *dim_names; /* rank names, "" where ONNX gave none */
  uint64_t max_bytes;         /* size of the dense row-major tensor at its bound */
  uint32_t dtype;             /* burin_dtype */
  uint32_t rank;
} burin_tensor_info_abi;

/* A dynamic size that the caller decides, by the shapes of the inputs. */
typedef struct burin_dim_abi {
  const char *name;
  int64_t min, max; /* inclusive */
} burin_dim_abi;

/* The constant that describes a compiled model; `burin_model_<name>` leads to
 * it through burin_model.program. */
typedef struct burin_program {
  uint32_t abi_version; /* BURIN_ABI_VERSION */
  uint32_t struct_size; /* sizeof(burin_program) of its compiler */
  const char *name;
  const char *compiler;     /* "burin 0.1.0" */
  const char *target;       /* resolved CPU name, e.g. "x86-64-v3" */
  const char *certificate;  /* JSON: memory plan, kernels, provenance; printed by inspect */
  const burin_tensor_info_abi *inputs;
  const burin_tensor_info_abi *outputs;
  const burin_dim_abi *dims;
  const char *const *node_names;
  const unsigned char *weights; /* 64-byte aligned */
  uint64_t weights_bytes;
  uint64_t arena_bytes;     /* activations; the runtime adds its own bookkeeping */
  uint64_t scratch_bytes;   /* per worker, a multiple of 64 */
  uint32_t input_count, output_count, dim_count, node_count;
  uint64_t cpu_features;    /* bits of burin_cpu_feature that the code needs */
  burin_main_fn main;
} burin_program;

/* CPU features that a program may need, checked before its code runs. */
enum burin_cpu_feature {
  BURIN_CPU_AVX2 = 1u << 0,     /* x86-64-v3: AVX2, FMA, F16C, BMI1/2, LZCNT, MOVBE */
  BURIN_CPU_AVX512 = 1u << 1,   /* x86-64-v4: F, BW, CD, DQ, VL */
  BURIN_CPU_AVX512VNNI = 1u << 2,
  BURIN_CPU_AVX512BF16 = 1u << 3
};

#ifdef __cplusplus
}
#endif
#endif
