/* SPDX-License-Identifier: Apache-2.0 */
#include "Fixture.h"

void fill_request(request *r, int64_t rows, int64_t picks) {
  memset(r, 0, sizeof *r);
  for (int64_t i = 0; i < rows * fixture_columns; ++i)
    r->x[i] = (float)(i % 3 == 0 ? -i : i) * 0.37f;
  for (int i = 0; i < fixture_columns; ++i)
    r->bias[i] = (float)i + 0.1f;
  for (int64_t i = 0; i < picks; ++i)
    r->index[i] = (5 * i + 2) % fixture_columns;
  r->x_shape[0] = rows;
  r->x_shape[1] = fixture_columns;
  r->index_shape[0] = picks;
  r->inputs[0] = (burin_tensor){.data = r->x, .shape = r->x_shape, .rank = 2};
  r->inputs[1] = (burin_tensor){.data = r->bias, .dtype = BURIN_F32};
  r->inputs[2] = (burin_tensor){.data = r->index, .bytes = (uint64_t)picks * 8,
                                .shape = r->index_shape, .rank = 1, .dtype = BURIN_I64};
  r->outputs[0] = (burin_tensor){.data = r->y, .bytes = sizeof r->y};
  r->outputs[1] = (burin_tensor){.data = r->picked};
  r->outputs[2] = (burin_tensor){.data = r->positive};
}

int request_is_right(const request *r) {
  int64_t positives = 0;
  for (int64_t i = 0; i < r->x_shape[0] * fixture_columns; ++i) {
    if (r->y[i] != 2 * r->x[i] + r->bias[i % fixture_columns])
      return 0;
    if (r->x[i] > 0 && r->positive[positives++] != r->x[i])
      return 0;
  }
  for (int64_t i = 0; i < r->index_shape[0]; ++i)
    if (r->picked[i] != r->bias[r->index[i]])
      return 0;
  return 1;
}

burin_context *make_context(const burin_model *model, burin_options options, void **memory) {
  uint32_t workers = options.workers ? options.workers
                     : options.pool  ? model->pool_workers(options.pool)
                                     : 1;
  burin_memory need;
  CHECK(model->memory(model, workers, &need) == BURIN_OK);
  *memory = aligned_alloc(need.alignment, need.bytes);
  CHECK(*memory);
  options.arena = *memory;
  options.arena_bytes = need.bytes;
  burin_context *context;
  CHECK(model->create(model, &options, &context) == BURIN_OK);
  return context;
}
