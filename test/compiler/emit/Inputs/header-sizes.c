/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls header-sizes.onnxtxt: each step takes one row more, and a mask for all rows so far. */
#include "sizes.h"

#include <string.h>

_Alignas(SIZES_ARENA_ALIGNMENT) static unsigned char arena[SIZES_ARENA_BYTES];

int main(void) {
  burin_context *context;
  if (sizes_create(arena, &context) != BURIN_OK)
    return 1;
  const float x[] = {1, 2, 3};
  float mask[SIZES_MASK_ELEMENTS] = {0}, pair[SIZES_PAIR_ELEMENTS], y[SIZES_Y_ELEMENTS], sum[3];
  for (int i = 0; i < SIZES_PAIR_ELEMENTS; ++i)
    pair[i] = -1;
  for (int step = 0; step < SIZES_MASK_ELEMENTS; ++step) {
    mask[step] = 1;
    memset(y, 0, sizeof y);
    if (sizes_run(context, step + 1, x, mask, pair, sum, y) != BURIN_OK)
      return 2;
    if (sum[2] != 3.0f * (float)(step + 1))
      return 3;
    for (int i = 0; i < SIZES_Y_ELEMENTS; ++i)
      if (y[i] != (i < 4 * (step + 1) ? 1 : 0))
        return 4;
  }
  if (sizes_run(context, 1, x, mask, pair, sum, y) != BURIN_STATE_FULL)
    return 5;
  sizes_destroy(context);

  /* The same sizes without a header. */
  const burin_model *model = burin_model_sizes();
  int64_t sizes[8] = {0};
  burin_dim_info dim;
  for (uint32_t d = 0; model->dim(model, d, &dim) == BURIN_OK; ++d)
    sizes[d] = dim.kind == BURIN_DIM_LENGTH ? 3 : dim.kind == BURIN_DIM_FREE ? 4 : 0;
  burin_tensor_info info;
  if (model->sizes(model, sizes) != BURIN_OK ||
      model->input(model, SIZES_MASK_INDEX, &info) != BURIN_OK || sizes[-1 - info.shape[0]] != 4 ||
      model->input(model, SIZES_PAIR_INDEX, &info) != BURIN_OK || sizes[-1 - info.shape[0]] != 8 ||
      model->output(model, SIZES_Y_INDEX, &info) != BURIN_OK || sizes[-1 - info.shape[0]] != 8)
    return 6;
  return 0;
}
