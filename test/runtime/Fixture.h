/* SPDX-License-Identifier: Apache-2.0
 *
 * A program written by hand, as the compiler would emit one:
 *
 *   inputs   x f32[rows, 8], bias f32[8], index i64[picks]
 *   outputs  y = 2 x + bias          f32[rows, 8]   32 tasks, through the arena
 *            picked = bias[index]    f32[picks]     1 task, may fault
 *            positive = x[x > 0]     f32[positives] 1 task, a size of the data
 *   dims     rows 1..64, picks 0..16, positives 0..512
 */
#ifndef BURIN_TEST_RUNTIME_FIXTURE_H
#define BURIN_TEST_RUNTIME_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "burin/abi.h"

enum { fixture_columns = 8, fixture_max_rows = 64, fixture_max_picks = 16, fixture_tasks = 32 };

extern const burin_program fixture_program;
extern const burin_model fixture_model;
const burin_model *burin_model_fixture(void);

/* StateFixture.c's. */
extern const burin_program state_program;

/* A model of the runtime's functions over any program. */
burin_model make_model(const burin_program *program);

/* Fails the test with the place of the check. */
#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                      \
      exit(1);                                                                                     \
    }                                                                                              \
  } while (0)

#define CHECK_TEXT(text, part)                                                                     \
  do {                                                                                             \
    if (!strstr((text), (part))) {                                                                 \
      fprintf(stderr, "%s:%d: '%s' does not say '%s'\n", __FILE__, __LINE__, (text), (part));      \
      exit(1);                                                                                     \
    }                                                                                              \
  } while (0)

/* One request with room for every output at its largest. */
typedef struct request {
  float x[fixture_max_rows * fixture_columns], bias[fixture_columns];
  int64_t index[fixture_max_picks];
  float y[fixture_max_rows * fixture_columns], picked[fixture_max_picks];
  float positive[fixture_max_rows * fixture_columns];
  int64_t x_shape[2], index_shape[1];
  burin_tensor inputs[3], outputs[3];
} request;

/* Fills a request with values that differ everywhere. */
void fill_request(request *, int64_t rows, int64_t picks);
/* Whether the outputs are right. */
int request_is_right(const request *);

/* A context over `model` in memory of its own. */
burin_context *make_context(const burin_model *model, burin_options options, void **memory);

#endif
