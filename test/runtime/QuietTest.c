/* SPDX-License-Identifier: Apache-2.0
 *
 * Run under strace by quiet.sh: what happens between create and destroy is enclosed by
 * two marks, writes to standard error that the trace shows.
 */
#include <unistd.h>

#include "Fixture.h"

static void mark(const char *text) { (void)!write(STDERR_FILENO, text, strlen(text)); }

int main(void) {
  const burin_model *m = &fixture_model;
  burin_pool *pool;
  burin_memory need;
  CHECK(m->pool_create(2, &pool) == BURIN_OK);
  CHECK(m->memory(m, 2, &need) == BURIN_OK);
  burin_options options = {.arena = aligned_alloc(need.alignment, need.bytes),
                           .arena_bytes = need.bytes,
                           .pool = pool};
  static request r;
  burin_context *context;
  usleep(2000); /* the worker has started and sleeps */
  mark("quiet-begin\n");
  CHECK(m->create(m, &options, &context) == BURIN_OK);
  for (int i = 0; i < 20; ++i) {
    fill_request(&r, 64, 8);
    r.index[3] = i == 7 ? 99 : 1; /* failing allocates nothing either */
    burin_status status = m->run(context, r.inputs, 3, r.outputs, 3);
    CHECK(status == (i == 7 ? BURIN_INDEX_RANGE : BURIN_OK));
    if (i % 5 == 0)
      usleep(1000);
  }
  m->destroy(context);
  mark("quiet-end\n");
  CHECK(request_is_right(&r));
  m->pool_destroy(pool);
  free(options.arena);
  return 0;
}
