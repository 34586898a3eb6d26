/* SPDX-License-Identifier: Apache-2.0
 *
 * What a context accepts, what it refuses, and what it says then.
 */
#include "Fixture.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

static const burin_model *const m = &fixture_model;

static burin_status run(burin_context *context, request *r) {
  return m->run(context, r->inputs, 3, r->outputs, 3);
}

static void test_queries(void) {
  uint32_t inputs, outputs;
  burin_tensor_info info;
  burin_dim_info dim;
  CHECK(m->describe(m, &inputs, &outputs) == BURIN_OK && inputs == 3 && outputs == 3);
  CHECK(m->input(m, 2, &info) == BURIN_OK && info.dtype == BURIN_I64 && info.rank == 1);
  CHECK(!strcmp(info.name, "index") && info.shape[0] == -2 && info.max_bytes == 128);
  CHECK(m->output(m, 0, &info) == BURIN_OK && !strcmp(info.dim_names[0], "rows"));
  CHECK(m->input(m, 3, &info) == BURIN_BAD_ARGUMENT);
  CHECK(m->dim(m, 0, &dim) == BURIN_OK && dim.min == 1 && dim.max == 64);
  CHECK(m->dim(m, 3, &dim) == BURIN_BAD_ARGUMENT);
  burin_memory one, four, absurd;
  CHECK(m->memory(m, 0, &one) == BURIN_OK && m->memory(m, 4, &four) == BURIN_OK);
  CHECK(one.activations == 2048 && one.scratch == 64 && four.scratch == 256);
  CHECK(four.bytes == one.bytes + 192 && one.alignment == 64);
  CHECK(one.bytes == burin_bookkeeping_bytes(3, 3, 3) + 2048 + 64);
  burin_program huge = fixture_program;
  huge.scratch_bytes = (uint64_t)1 << 62;
  burin_model model = make_model(&huge);
  CHECK(model.memory(&model, 3, &absurd) == BURIN_BAD_ARGUMENT);
  CHECK(strstr(m->certificate(m), "kernels"));
}

static void test_right_answers(burin_context *context) {
  request r;
  for (int64_t rows = 1; rows <= 64; rows += 9) {
    int64_t shape[2];
    fill_request(&r, rows, rows % 17);
    CHECK(run(context, &r) == BURIN_OK && request_is_right(&r));
    CHECK(!strcmp(m->message(context), ""));
    CHECK(m->output_shape(context, 0, shape) == BURIN_OK && shape[0] == rows && shape[1] == 8);
    CHECK(m->output_shape(context, 1, shape) == BURIN_OK && shape[0] == rows % 17);
    int64_t positives = 0;
    for (int64_t i = 0; i < rows * 8; ++i)
      positives += r.x[i] > 0;
    CHECK(m->output_shape(context, 2, shape) == BURIN_OK && shape[0] == positives);
  }
  CHECK(m->output_shape(context, 3, r.x_shape) == BURIN_BAD_ARGUMENT);
}

#define REFUSED(change, said)                                                                      \
  do {                                                                                             \
    request r;                                                                                     \
    fill_request(&r, 3, 4);                                                                        \
    change;                                                                                        \
    CHECK(run(context, &r) == BURIN_BAD_ARGUMENT);                                                 \
    CHECK_TEXT(m->message(context), said);                                                         \
  } while (0)

static void test_bad_requests(burin_context *context) {
  REFUSED(r.inputs[0].shape = NULL, "input 'x' has dynamic sizes");
  REFUSED(r.inputs[0].rank = 1, "input 'x' has rank 2, not 1");
  REFUSED(r.x_shape[1] = 7, "input 'x': dimension 1 is 8, not 7");
  REFUSED(r.x_shape[0] = 65, "dimension 0 ('rows') is 65, outside 1..64");
  REFUSED(r.x_shape[0] = -1, "is -1, outside 1..64");
  REFUSED(r.inputs[0].dtype = BURIN_F64, "input 'x' has element type BURIN_F32, not BURIN_F64");
  REFUSED(r.inputs[0].dtype = 27, "input 'x' has element type BURIN_F32, not unknown");
  REFUSED(r.inputs[0].bytes = 95, "input 'x' takes 96 bytes, not 95");
  REFUSED(r.inputs[0].bytes = 97, "input 'x' takes 96 bytes, not 97");
  REFUSED(r.inputs[1].data = NULL, "input 'bias' has no data");
  REFUSED(r.outputs[0].bytes = 95, "output 'y' takes 96 bytes, not 95");
  REFUSED(r.outputs[2].bytes = 2047, "output 'positive' takes 2048 bytes, not 2047");
  REFUSED(r.outputs[1].data = NULL, "output 'picked' has no data");
  request r;
  fill_request(&r, 3, 4);
  CHECK(m->run(context, r.inputs, 2, r.outputs, 3) == BURIN_BAD_ARGUMENT);
  CHECK_TEXT(m->message(context), "3 inputs and 3 outputs, not 2 and 3");
  CHECK(m->run(context, NULL, 3, r.outputs, 3) == BURIN_BAD_ARGUMENT);
  CHECK(m->run(NULL, r.inputs, 3, r.outputs, 3) == BURIN_BAD_ARGUMENT);
  /* No elements, no data needed. */
  fill_request(&r, 3, 0);
  r.inputs[2].data = NULL;
  r.outputs[1].data = NULL;
  CHECK(run(context, &r) == BURIN_OK && request_is_right(&r));
}

/* Two inputs that share a dim must agree on it. */
static void test_shared_dim(void) {
  burin_tensor_info_abi inputs[3];
  memcpy(inputs, fixture_program.inputs, sizeof inputs);
  static const int64_t index_of_rows[] = {-1};
  inputs[2].shape = index_of_rows;
  burin_program program = fixture_program;
  program.inputs = inputs;
  burin_model model = make_model(&program);
  void *memory;
  burin_context *context = make_context(&model, (burin_options){0}, &memory);
  request r;
  fill_request(&r, 3, 4);
  CHECK(run(context, &r) == BURIN_BAD_ARGUMENT);
  CHECK_TEXT(m->message(context), "('rows') is 4, but 3 in an earlier input");
  m->destroy(context);
  free(memory);
}

static int logged;
static void count_log(void *user, burin_status status, const char *message) {
  CHECK(user == &logged && status == BURIN_INDEX_RANGE);
  CHECK_TEXT(message, "pick");
  ++logged;
}

static void test_fault_in_data(void) {
  void *memory;
  burin_options options = {.log = count_log, .user = &logged};
  burin_context *context = make_context(m, options, &memory);
  request r;
  fill_request(&r, 2, 4);
  r.index[2] = -77;
  CHECK(run(context, &r) == BURIN_INDEX_RANGE && logged == 1);
  CHECK(!strcmp(m->message(context), "node 'pick': index -77 is out of range"));
  fill_request(&r, 2, 4); /* and the next request is served again */
  CHECK(run(context, &r) == BURIN_OK && request_is_right(&r));
  m->destroy(context);
  free(memory);
}

/* A main program that reports through the error word, as generated code does, or by its result. */
static int32_t mismatched_main(const burin_frame *frame) {
  frame->error->code = BURIN_SHAPE_MISMATCH;
  frame->error->site = 1;
  frame->error->detail = 5;
  return BURIN_SHAPE_MISMATCH;
}

static int32_t failing_main(const burin_frame *frame) {
  (void)frame;
  return BURIN_INTERNAL;
}

static void test_other_failures(void) {
  burin_program program = fixture_program;
  burin_model model = make_model(&program);
  void *memory;
  burin_context *context = make_context(&model, (burin_options){0}, &memory);
  request r;
  fill_request(&r, 2, 4);
  burin_main_fn mains[1] = {mismatched_main};
  burin_variant_abi variant = *fixture_program.variants;
  variant.mains = mains;
  program.variants = &variant;
  CHECK(run(context, &r) == BURIN_SHAPE_MISMATCH);
  CHECK_TEXT(m->message(context), "node 'add': a size in the data is 5");
  burin_site_abi sites[2] = {fixture_program.sites[0], {"", "x", "past + 1"}};
  program.sites = sites;
  CHECK(run(context, &r) == BURIN_SHAPE_MISMATCH);
  CHECK_TEXT(m->message(context),
             "input 'x': its size 'past + 1' is 5, which is not what the other sizes say");
  program.sites = fixture_program.sites;
  mains[0] = failing_main;
  CHECK(run(context, &r) == BURIN_INTERNAL);
  CHECK_TEXT(m->message(context), "node '?': internal error");

  /* An element type that no request can hold. */
  burin_tensor_info_abi inputs[3];
  memcpy(inputs, fixture_program.inputs, sizeof inputs);
  inputs[1].dtype = BURIN_STRING;
  program = fixture_program;
  program.inputs = inputs;
  r.inputs[1].dtype = 0;
  CHECK(run(context, &r) == BURIN_INTERNAL);
  CHECK_TEXT(m->message(context), "has element type BURIN_STRING, which has no fixed size");
  m->destroy(context);
  free(memory);
}

/* Three variants: a request runs in the first that holds its sizes. */
static int variant_run;
static int32_t first_main(const burin_frame *frame) {
  CHECK(frame->dims[0] == 2 && frame->dims[2] == 16); /* what no input gives is at its max */
  variant_run = 1;
  return 0;
}
static int32_t second_main(const burin_frame *frame) {
  (void)frame;
  variant_run = 2;
  return 0;
}

static void second_sizes(int64_t *sizes) { sizes[2] = -2; }

static void test_variants(void) {
  static const burin_main_fn first[] = {first_main}, second[] = {second_main};
  static const burin_range_abi two[] = {{2, 2}, {0, 16}, {0, 16}}, four[] = {{4, 4}, {0, 16}, {0, 32}},
                               ten[] = {{1, 10}, {4, 4}, {0, 80}};
  static const burin_variant_abi variants[] = {{two, first, 64, second_sizes},
                                               {four, second, 4096, second_sizes},
                                               {ten, second, 128, second_sizes}};
  burin_program program = fixture_program;
  program.variants = variants;
  program.variant_count = 3;
  burin_model model = make_model(&program);
  burin_memory need;
  CHECK(m->memory(&model, 1, &need) == BURIN_OK && need.activations == 4096);
  void *memory;
  burin_context *context = make_context(&model, (burin_options){0}, &memory);
  request r;
  fill_request(&r, 2, 4);
  CHECK(run(context, &r) == BURIN_OK && variant_run == 1);
  fill_request(&r, 4, 4);
  CHECK(run(context, &r) == BURIN_OK && variant_run == 2);
  variant_run = 0;
  fill_request(&r, 9, 4);
  CHECK(run(context, &r) == BURIN_OK && variant_run == 2);
  fill_request(&r, 9, 5);
  CHECK(run(context, &r) == BURIN_BAD_ARGUMENT);
  CHECK_TEXT(m->message(context),
             "no variant of the model takes rows=9 picks=5; it was compiled for rows=2 picks=0..16; "
             "rows=4 picks=0..16; rows=1..10 picks=4");
  m->destroy(context);
  free(memory);
}

/* Every status has words of its own. */
static void test_status_text(void) {
  for (int a = BURIN_OK; a <= BURIN_INTERNAL; ++a) {
    CHECK(strcmp(burin_status_text((burin_status)a), "unknown status"));
    for (int b = BURIN_OK; b < a; ++b)
      CHECK(strcmp(burin_status_text((burin_status)a), burin_status_text((burin_status)b)));
  }
}

static void test_batch(burin_context *context) {
  static request r[3];
  burin_tensor inputs[9], outputs[9];
  for (int i = 0; i < 3; ++i) {
    fill_request(&r[i], 5 + i, i);
    memcpy(inputs + 3 * i, r[i].inputs, sizeof r[i].inputs);
    memcpy(outputs + 3 * i, r[i].outputs, sizeof r[i].outputs);
  }
  CHECK(m->run_batch(context, 3, inputs, 3, outputs, 3) == BURIN_OK);
  for (int i = 0; i < 3; ++i)
    CHECK(request_is_right(&r[i]));
  CHECK(m->run_batch(context, 0, NULL, 3, NULL, 3) == BURIN_OK);
  r[1].index[0] = 8;
  CHECK(m->run_batch(context, 3, inputs, 3, outputs, 3) == BURIN_INDEX_RANGE);
}

/* A kernel that runs a request on the context that runs it. */
static burin_context *reentered;
static request inner;
static burin_status inner_status;
static void profile(void *user, const burin_event *event) {
  (void)user;
  if (!strcmp(event->node, "add") && event->kind == BURIN_LAUNCH_BEGIN) {
    CHECK(event->begin == 0 && event->end == fixture_tasks);
    inner_status = run(reentered, &inner);
  }
}

static void test_busy(void) {
  void *memory;
  burin_options options = {.profile = profile};
  reentered = make_context(m, options, &memory);
  request r;
  fill_request(&r, 4, 4);
  fill_request(&inner, 4, 4);
  CHECK(run(reentered, &r) == BURIN_OK && request_is_right(&r));
  CHECK(inner_status == BURIN_BUSY);
  m->destroy(reentered);
  free(memory);
}

static char why[256];
static void keep_log(void *user, burin_status status, const char *message) {
  (void)user, (void)status;
  snprintf(why, sizeof why, "%s", message);
}

static void test_create(void) {
  _Alignas(64) static unsigned char memory[65536];
  burin_memory need;
  CHECK(m->memory(m, 1, &need) == BURIN_OK && need.bytes < sizeof memory - 64);
  burin_context *context;
  burin_options good = {.arena = memory, .arena_bytes = need.bytes, .log = keep_log};
  CHECK(m->create(m, &good, &context) == BURIN_OK);
  CHECK(m->create(m, NULL, &context) == BURIN_BAD_ARGUMENT);
  CHECK(m->create(m, &good, NULL) == BURIN_BAD_ARGUMENT);

  burin_options bad = good;
  bad.arena_bytes = need.bytes - 1;
  CHECK(m->create(m, &bad, &context) == BURIN_NO_MEMORY && !context);
  CHECK_TEXT(why, "the arena has");
  bad = good;
  bad.arena = memory + 32;
  CHECK(m->create(m, &bad, &context) == BURIN_NO_MEMORY);
  CHECK_TEXT(why, "multiple of 64");
  bad = good;
  bad.arena = NULL;
  CHECK(m->create(m, &bad, &context) == BURIN_NO_MEMORY);
  bad = good;
  bad.workers = 2; /* the arena is for one */
  CHECK(m->create(m, &bad, &context) == BURIN_NO_MEMORY);

  burin_model old = fixture_model;
  old.abi_version = BURIN_ABI_VERSION + 1;
  CHECK(m->create(&old, &good, &context) == BURIN_BAD_ABI);
  burin_program program = fixture_program;
  program.struct_size -= 8;
  burin_model model = make_model(&program);
  CHECK(m->create(&model, &good, &context) == BURIN_BAD_ABI);
  program = fixture_program;
  burin_level_abi levels[2] = {{"any CPU", 0}, {"a better CPU", (uint64_t)1 << 63}};
  program.levels = levels;
  program.level_count = 2;
  CHECK(m->create(&model, &good, &context) == BURIN_OK);
  levels[0].cpu_features = (uint64_t)1 << 63;
  CHECK(m->create(&model, &good, &context) == BURIN_UNSUPPORTED_CPU);
  CHECK_TEXT(why, "model 'fixture' was compiled for any CPU, but this CPU lacks");
}

/* The control word of floating point, and one that flushes subnormals and rounds to zero. */
#if defined(__x86_64__)
static uint64_t fp_control(void) { return _mm_getcsr(); }
static void set_fp_control(uint64_t word) { _mm_setcsr((unsigned)word); }
static const uint64_t odd_fp_control = 0x8040 | 0x6000;
#else
static uint64_t fp_control(void) {
  uint64_t word;
  __asm__ volatile("mrs %0, fpcr" : "=r"(word));
  return word;
}
static void set_fp_control(uint64_t word) {
  __asm__ volatile("msr fpcr, %0" : : "r"(word) : "memory");
}
static const uint64_t odd_fp_control = 1u << 24 | 3u << 22;
#endif

static void test_floating_point_environment(burin_context *context) {
  request r;
  fill_request(&r, 1, 0);
  r.x[1] = 1e-40f; /* subnormal: 2 x is one too, unless it is flushed */
  r.bias[1] = 0;
  uint64_t before = fp_control(), odd = before | odd_fp_control;
  set_fp_control(odd);
  burin_status status = run(context, &r);
  uint64_t after = fp_control();
  set_fp_control(before);
  CHECK(status == BURIN_OK && after == odd);
  CHECK(r.y[1] == 2 * r.x[1] && r.y[1] != 0);
}

int main(void) {
  void *memory;
  burin_context *context = make_context(m, (burin_options){0}, &memory);
  test_queries();
  test_right_answers(context);
  test_bad_requests(context);
  test_batch(context);
  test_floating_point_environment(context);
  m->destroy(context);
  free(memory);
  test_shared_dim();
  test_variants();
  test_fault_in_data();
  test_other_failures();
  test_status_text();
  test_busy();
  test_create();
  return 0;
}
