/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs dynamic-rows.onnxtxt at every row count of its range and compares with f64. */
#include "rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { maxRows = 64, depth = 5, columns = 20 };

static double weight(int k, int n) { return ((k * columns + n) % 7 - 3) * 0.25; }

static double expected(const float *row, int n) {
  double sum = (n % 5 - 2) * 0.5;
  for (int k = 0; k < depth; ++k)
    sum += row[k] * weight(k, n);
  return 0.5 * sum * (1 + erf(sum / sqrt(2)));
}

int main(void) {
  const burin_model *model = burin_model_rows();
  burin_memory need;
  burin_context *context;
  if (model->memory(model, 1, &need) != BURIN_OK)
    return 1;
  burin_options options = {.arena = aligned_alloc(need.alignment, need.bytes),
                           .arena_bytes = need.bytes};
  if (!options.arena || model->create(model, &options, &context) != BURIN_OK)
    return 1;
  static float x[ROWS_X_ELEMENTS], y[ROWS_Y_ELEMENTS + columns];
  for (int i = 0; i < ROWS_X_ELEMENTS; ++i)
    x[i] = (float)sin(i * 0.7);

  for (int64_t rows = 1; rows <= maxRows; ++rows) {
    for (int i = 0; i < (maxRows + 1) * columns; ++i)
      y[i] = -77;
    burin_tensor input = {.data = x, .shape = (int64_t[]){rows, depth}, .rank = 2};
    burin_tensor output = {.data = y, .bytes = (uint64_t)rows * columns * sizeof(float)};
    if (model->run(context, &input, 1, &output, 1) != BURIN_OK) {
      fputs(model->message(context), stderr);
      return 1;
    }
    int64_t shape[2];
    if (model->output_shape(context, 0, shape) != BURIN_OK || shape[0] != rows ||
        shape[1] != columns)
      return 2;
    for (int i = 0; i < (maxRows + 1) * columns; ++i) {
      int row = i / columns, column = i % columns;
      double want = row < rows ? expected(x + row * depth, column) : -77;
      if (fabs(y[i] - want) > 1e-6) {
        printf("%d rows: y[%d][%d] is %g, not %g\n", (int)rows, row, column, y[i], want);
        return 3;
      }
    }
  }

  burin_tensor tooMany = {.data = x, .shape = (int64_t[]){maxRows + 1, depth}, .rank = 2};
  burin_tensor output = {.data = y};
  if (model->run(context, &tooMany, 1, &output, 1) != BURIN_BAD_ARGUMENT)
    return 4;
  model->destroy(context);
  free(options.arena);
  return 0;
}
