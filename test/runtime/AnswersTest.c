/* SPDX-License-Identifier: Apache-2.0
 *
 * What the functions of a model answer to arguments and programs that are odd: none is followed into
 * memory that is not there, and each says what it is about.
 */
#include "Fixture.h"
#include "runtime/src/runtime.h"

static char said[512];

static void log_text(void *user, burin_status status, const char *message) {
  (void)user, (void)status;
  snprintf(said, sizeof said, "%s", message);
}

static _Alignas(BURIN_ALIGNMENT) unsigned char arena[1 << 16];

static burin_options options_of(void) {
  burin_options options = BURIN_ZERO;
  options.arena = arena;
  options.arena_bytes = sizeof arena;
  options.log = log_text;
  return options;
}

/* Creating a context over `program` is answered so. */
static void refuses(const burin_program *program, burin_options options, burin_status status,
                    const char *part) {
  burin_model model = make_model(program);
  burin_context *context = (burin_context *)arena;
  said[0] = 0;
  CHECK(model.create(&model, &options, &context) == status && !context);
  CHECK_TEXT(said, part);
}

static void test_create(void) {
  burin_options options = options_of();
  burin_context *context;
  CHECK(fixture_model.create(NULL, &options, &context) == BURIN_BAD_ARGUMENT);
  CHECK(fixture_model.create(&fixture_model, NULL, &context) == BURIN_BAD_ARGUMENT);
  CHECK(fixture_model.create(&fixture_model, &options, NULL) == BURIN_BAD_ARGUMENT);
  CHECK_TEXT(said, "create: a null argument");
  burin_program odd = fixture_program;
  odd.abi_version = BURIN_ABI_VERSION + 1;
  refuses(&odd, options, BURIN_BAD_ABI, "made for interface version");
  odd = fixture_program;
  odd.struct_size = 8;
  refuses(&odd, options, BURIN_BAD_ABI, "made for interface version");
  refuses(NULL, options, BURIN_BAD_ABI, "made for interface version");
  odd = fixture_program;
  odd.scratch_bytes = UINT64_MAX / 2;
  options.workers = 3;
  refuses(&odd, options, BURIN_BAD_ARGUMENT, "scratch for 3 workers passes 2^63 bytes");
  options = options_of();
  options.flags = 1u << 30;
  refuses(&fixture_program, options, BURIN_BAD_ARGUMENT, "flags 1073741824 are not known");
  options = options_of();
  options.arena = NULL;
  refuses(&fixture_program, options, BURIN_NO_MEMORY, "the arena has 0 bytes; 1 worker needs ");
  options = options_of();
  options.arena = arena + 8;
  options.arena_bytes -= 64;
  refuses(&fixture_program, options, BURIN_NO_MEMORY, "is no multiple of");
}

static void test_requests(void) {
  burin_options options = options_of();
  burin_context *context;
  const burin_model *m = &fixture_model;
  CHECK(m->create(m, &options, &context) == BURIN_OK);
  static request r;
  fill_request(&r, 3, 2);
  CHECK(m->run(NULL, r.inputs, 3, r.outputs, 3) == BURIN_BAD_ARGUMENT);
  CHECK(m->run(context, r.inputs, 2, r.outputs, 3) == BURIN_BAD_ARGUMENT);
  CHECK_TEXT(m->message(context), "has 3 inputs and 3 outputs, not 2 and 3");
  CHECK(m->run(context, r.inputs, 3, r.outputs, 4) == BURIN_BAD_ARGUMENT);
  CHECK_TEXT(m->message(context), "not 3 and 4");
  CHECK(m->run(context, NULL, 3, r.outputs, 3) == BURIN_BAD_ARGUMENT);
  CHECK_TEXT(m->message(context), "no inputs were given");
  CHECK(m->run(context, r.inputs, 3, NULL, 3) == BURIN_BAD_ARGUMENT);
  CHECK_TEXT(m->message(context), "no outputs were given");
  CHECK(m->run_batch(context, 0, NULL, 3, NULL, 3) == BURIN_OK);
  CHECK(m->run(context, r.inputs, 3, r.outputs, 3) == BURIN_OK && request_is_right(&r));
  CHECK(!*m->message(context) && !*m->message(NULL));
  int64_t shape[2];
  CHECK(m->output_shape(NULL, 0, shape) == BURIN_BAD_ARGUMENT);
  CHECK(m->output_shape(context, 3, shape) == BURIN_BAD_ARGUMENT);
  CHECK(m->output_shape(context, 0, NULL) == BURIN_BAD_ARGUMENT);
  CHECK(m->output_shape(context, 0, shape) == BURIN_OK && shape[0] == 3 && shape[1] == 8);
  m->destroy(context);
  m->destroy(NULL);
}

static int32_t faults(const burin_frame *frame) {
  (void)frame;
  return 77;
}

static int32_t does_nothing(const burin_frame *frame) {
  (void)frame;
  return 0;
}

/* A main program that fails by its own code; one without inputs and outputs; sizes whose bytes wrap. */
static void test_programs(void) {
  static const burin_main_fn fails[] = {faults}, nothing[] = {does_nothing};
  burin_variant_abi variant = *fixture_program.variants;
  burin_program program = fixture_program;
  program.variants = &variant;
  burin_model model = make_model(&program);
  burin_options options = options_of();
  burin_context *context;
  static request r;

  variant.mains = fails;
  CHECK(model.create(&model, &options, &context) == BURIN_OK);
  fill_request(&r, 1, 1);
  CHECK(model.run(context, r.inputs, 3, r.outputs, 3) == (burin_status)77);
  CHECK_TEXT(model.message(context), "node '?': unknown status");

  variant.mains = nothing;
  program.input_count = program.output_count = 0;
  CHECK(model.create(&model, &options, &context) == BURIN_OK);
  CHECK(model.run(context, NULL, 0, NULL, 0) == BURIN_OK);
  CHECK(model.run_batch(context, 5, NULL, 0, NULL, 0) == BURIN_OK);

  burin_dim_abi wide[] = {{"rows", 1, INT64_MAX, BURIN_DIM_FREE, 0},
                          {"picks", 0, 16, BURIN_DIM_FREE, 0},
                          {"positives", 0, 512, BURIN_DIM_DATA, 0}};
  burin_range_abi ranges[] = {{1, INT64_MAX}, {0, 16}, {0, 512}};
  variant.ranges = ranges;
  program = fixture_program;
  program.variants = &variant;
  program.dims = wide;
  CHECK(model.create(&model, &options, &context) == BURIN_OK);
  r.x_shape[0] = INT64_MAX;
  CHECK(model.run(context, r.inputs, 3, r.outputs, 3) == BURIN_BAD_ARGUMENT);
  CHECK_TEXT(model.message(context), "input 'x' passes 2^64 bytes");
}

/* Each status has a text of its own. */
static void test_texts(void) {
  const char *texts[64];
  int count = 0;
  for (int status = 0; status < 64; ++status) {
    const char *text = burin_status_text((burin_status)status);
    CHECK(text && *text);
    if (!strcmp(text, burin_status_text((burin_status)9999)))
      continue;
    for (int i = 0; i < count; ++i)
      CHECK(strcmp(texts[i], text));
    texts[count++] = text;
  }
  CHECK(count >= 14);
}

int main(void) {
  test_create();
  test_requests();
  test_programs();
  test_texts();
  return 0;
}
