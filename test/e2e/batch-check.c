/* SPDX-License-Identifier: Apache-2.0
 *
 * batch-check MODEL.so REQUESTS DIM=SIZE...: runs so many requests one by one,
 * then as one batch, on one and on two threads. Prints how many launches each
 * way took; ends with 1 where a request has other bits in the batch than alone.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "burin/load.h"

enum { most_tensors = 32 };

static void fail(const char *what) {
  fprintf(stderr, "batch-check: %s\n", what);
  exit(2);
}

static void count_launch(void *user, const burin_event *event) {
  if (event->kind == BURIN_LAUNCH_END) /* parts end on several workers at once */
    ++*(unsigned *)user;
}

/* The size of dimension `i`: as the arguments say, or the largest. */
static int64_t size_of(const burin_model *m, const burin_tensor_info *info, uint32_t i, int count,
                       char **dims) {
  if (info->shape[i] >= 0)
    return info->shape[i];
  burin_dim_info dim;
  m->dim(m, (uint32_t)(-1 - info->shape[i]), &dim);
  for (int d = 0; d < count; ++d)
    if (!strncmp(dims[d], dim.name, strlen(dim.name)) && dims[d][strlen(dim.name)] == '=')
      return atoll(strchr(dims[d], '=') + 1);
  return dim.max;
}

/* Values that differ between requests: small, and right as indices and as
 * lengths. */
static void fill(void *data, const burin_tensor_info *info, uint64_t elements, uint32_t seed) {
  uint32_t state = seed * 2654435761u + 1;
  for (uint64_t i = 0; i < elements; ++i) {
    state = state * 1664525u + 1013904223u;
    if (info->dtype == BURIN_F32)
      ((float *)data)[i] = (float)(int32_t)state * 0x1p-31f;
    else if (info->dtype == BURIN_I64)
      ((int64_t *)data)[i] = 1 + (state >> 30);
    else if (info->dtype == BURIN_I32)
      ((int32_t *)data)[i] = 1 + (int32_t)(state >> 30);
    else
      fail("an input is none of f32, i32, i64");
  }
}

int main(int argc, char **argv) {
  burin_library *library;
  const burin_model *m;
  char why[256];
  if (argc < 3)
    fail("usage: batch-check MODEL.so REQUESTS DIM=SIZE...");
  if (burin_load(argv[1], NULL, &library, &m, why, sizeof why))
    fail(why);
  uint32_t requests = (uint32_t)atoi(argv[2]), inputs, outputs;
  m->describe(m, &inputs, &outputs);
  if (inputs > most_tensors || outputs > most_tensors)
    fail("too many tensors");

  burin_tensor *in = calloc((size_t)requests * inputs, sizeof *in);
  burin_tensor *alone = calloc((size_t)requests * outputs, sizeof *alone);
  burin_tensor *together = calloc((size_t)requests * outputs, sizeof *together);
  burin_tensor_info info;
  for (uint32_t r = 0; r < requests; ++r) {
    for (uint32_t i = 0; i < inputs; ++i) {
      m->input(m, i, &info);
      int64_t *shape = calloc(info.rank + 1, sizeof *shape);
      uint64_t elements = 1;
      for (uint32_t d = 0; d < info.rank; ++d)
        elements *= (uint64_t)(shape[d] = size_of(m, &info, d, argc - 3, argv + 3));
      burin_tensor *tensor = &in[r * inputs + i];
      *tensor = (burin_tensor){.data = calloc(elements + 1, 8), .shape = shape, .rank = info.rank};
      fill(tensor->data, &info, elements, r * most_tensors + i);
    }
    for (uint32_t o = 0; o < outputs; ++o) {
      m->output(m, o, &info);
      alone[r * outputs + o].data = calloc(info.max_bytes + 1, 1);
      together[r * outputs + o].data = calloc(info.max_bytes + 1, 1);
    }
  }

  int differ = 0;
  for (uint32_t workers = 1; workers <= 2; ++workers) {
    unsigned launches = 0, one_by_one;
    burin_pool *pool = NULL;
    burin_memory need;
    burin_context *context;
    if (m->pool_create(workers, &pool) || m->memory(m, workers, &need))
      fail("no pool");
    void *arena = aligned_alloc(need.alignment, need.bytes);
    burin_options options = {.arena = arena,
                             .arena_bytes = need.bytes,
                             .pool = pool,
                             .profile = count_launch,
                             .user = &launches};
    if (m->create(m, &options, &context))
      fail("no context");
    for (uint32_t r = 0; r < requests; ++r)
      if (m->run(context, in + r * inputs, inputs, alone + r * outputs, outputs))
        fail(m->message(context));
    one_by_one = launches;
    launches = 0;
    if (m->run_batch(context, requests, in, inputs, together, outputs))
      fail(m->message(context));
    printf("%u %u\n", one_by_one, launches);
    for (uint32_t i = 0; i < requests * outputs; ++i) {
      m->output(m, i % outputs, &info);
      differ |= memcmp(alone[i].data, together[i].data, info.max_bytes);
    }
    m->destroy(context);
    m->pool_destroy(pool);
    free(arena);
  }
  return differ != 0;
}
