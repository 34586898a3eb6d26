/* SPDX-License-Identifier: Apache-2.0
 *
 * Weights in files: what opens, what each fault of a file is called, whoever checks it; and the
 * checksums against their definitions' own examples.
 */
#include <limits.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "Fixture.h"
#include "runtime/src/runtime.h"

/* Pieces that are checked side by side, two more, and a half. */
enum { first_bytes = 13 * BURIN_CHUNK_BYTES / 2, second_bytes = 2 * 65536, header_bytes = 65536 };

static char folder[64], said[512];
static unsigned char weights[first_bytes + second_bytes];
static unsigned char files[2][header_bytes + first_bytes]; /* as they are written */
static uint32_t crcs[2][8];
static burin_shard_abi shards[2];
static burin_program program = {.shard_count = 2}; /* data of the file, not zeros: it is looked for */
static burin_model model;

static const char id[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static size_t file_bytes(int shard) { return header_bytes + (size_t)shards[shard].bytes; }

static const char *path_of(const char *name) {
  static char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void write_file(const char *name, const unsigned char *bytes, size_t size) {
  FILE *file = fopen(path_of(name), "wb");
  CHECK(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

static void write_both(void) {
  write_file("first", files[0], file_bytes(0));
  write_file("second", files[1], file_bytes(1));
}

/* What the compiler writes: a header that fills its pages, the data, checksums of both. */
static void make_shard(int shard, const char *file, uint64_t offset, uint64_t bytes) {
  unsigned char *header = files[shard];
  memset(header, ' ', header_bytes);
  int length = snprintf((char *)header + 8, header_bytes - 8,
                        "{\"__metadata__\":{\"burin.model\":\"fixture\",\"burin.shard\":\"%d of 2\","
                        "\"burin.weights\":\"%s\"}}", shard + 1, id);
  header[8 + length] = ' ';
  memset(header, 0, 8);
  header[1] = 0xff; /* 65536 - 8, little-endian */
  header[0] = 0xf8;
  memcpy(header + header_bytes, weights + offset, bytes);
  crcs[shard][0] = burin_crc32c(0, header, header_bytes);
  for (uint64_t at = 0, i = 1; at < bytes; at += BURIN_CHUNK_BYTES, ++i)
    crcs[shard][i] = burin_crc32c(0, weights + offset + at,
                                  bytes - at < BURIN_CHUNK_BYTES ? bytes - at : BURIN_CHUNK_BYTES);
  shards[shard] = (burin_shard_abi){file, offset, bytes, header_bytes, crcs[shard], {0}};
  burin_sha256((const unsigned char *const[]){header}, (const uint64_t[]){header_bytes + bytes}, 1,
               shards[shard].sha256);
}

static void log_text(void *user, burin_status status, const char *message) {
  (void)user, (void)status;
  snprintf(said, sizeof said, "%s", message);
}

static burin_options options_of(void) {
  burin_options options = BURIN_ZERO;
  options.weights_path = folder;
  options.log = log_text;
  return options;
}

static void opens(const burin_options *options) {
  burin_weights *open = NULL;
  CHECK(model.weights_open(&model, options, &open) == BURIN_OK && open);
  CHECK(!memcmp(burin_weights_data(open, &program), weights, sizeof weights));
  CHECK(!burin_weights_data(open, &fixture_program) && !burin_weights_data(NULL, &program));
  model.weights_close(open);
}

static void refuses(const burin_options *options, burin_status status, const char *part) {
  burin_weights *open = (burin_weights *)weights;
  said[0] = 0;
  CHECK(model.weights_open(&model, options, &open) == status && !open);
  CHECK_TEXT(said, part);
}

static void one_by_one(void *executor, uint32_t parts,
                       void (*run)(void *state, uint32_t worker, uint32_t task), void *state) {
  (void)executor;
  for (uint32_t part = parts; part > 0; --part) /* backwards: the first fault is still the one told */
    run(state, 0, part - 1);
}

static void test_faults(void) {
  burin_options options = options_of(), verify = options_of();
  verify.flags = BURIN_VERIFY_WEIGHTS;
  write_both();
  opens(&options);
  opens(&verify);

  static const struct {
    size_t at;
    burin_status status;
    const char *said;
  } damages[] = {
      {header_bytes - 1, BURIN_WEIGHTS_CORRUPT, "first' of model 'fixture': the file has a damaged header"},
      {header_bytes, BURIN_WEIGHTS_CORRUPT, "damaged within 1048576 bytes from 65536"},
      {header_bytes + BURIN_CHUNK_BYTES, BURIN_WEIGHTS_CORRUPT, "damaged within 1048576 bytes from 1114112"},
      {header_bytes + 4 * BURIN_CHUNK_BYTES - 1, BURIN_WEIGHTS_CORRUPT, "from 3211264"},
      {header_bytes + 4 * BURIN_CHUNK_BYTES, BURIN_WEIGHTS_CORRUPT, "from 4259840"},
      {header_bytes + first_bytes - 1, BURIN_WEIGHTS_CORRUPT, "from 6356992"},
  };
  for (size_t i = 0; i < sizeof damages / sizeof *damages; ++i) {
    files[0][damages[i].at] ^= 1;
    write_both();
    refuses(&options, damages[i].status, damages[i].said);
    files[0][damages[i].at] ^= 1;
  }
  files[1][header_bytes] ^= 1;
  write_both();
  refuses(&options, BURIN_WEIGHTS_CORRUPT, "weights 'second' of model 'fixture'");
  files[1][header_bytes] ^= 1;
  shards[1].sha256[0] ^= 1; /* as if all checksums of the pieces had been forged */
  write_both();
  opens(&options);
  refuses(&verify, BURIN_WEIGHTS_CORRUPT, "its SHA-256 is not the one");
  shards[1].sha256[0] ^= 1;

  static const size_t cuts[] = {1, header_bytes - 1, header_bytes, header_bytes + first_bytes - 1};
  for (size_t i = 0; i < sizeof cuts / sizeof *cuts; ++i) {
    write_file("first", files[0], cuts[i]);
    refuses(&options, BURIN_WEIGHTS_TRUNCATED, "the file is cut short");
  }
  write_file("first", files[0], 0);
  refuses(&options, BURIN_WEIGHTS_TRUNCATED, "is empty, or no file");
  unsigned char *longer = malloc(file_bytes(1) + 1);
  CHECK(longer);
  memcpy(longer, files[1], file_bytes(1));
  longer[file_bytes(1)] = 0;
  write_both();
  write_file("second", longer, file_bytes(1) + 1);
  refuses(&options, BURIN_WEIGHTS_CORRUPT, "is longer than it was written");
  free(longer);

  write_file("first", files[1], file_bytes(1));
  refuses(&options, BURIN_WEIGHTS_OTHER, "another shard of this model");
  write_both();
  program.weights_id = "ffffffff89abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  refuses(&options, BURIN_WEIGHTS_STALE, "is of another compile of this model");
  program.weights_id = id;
  program.name = "other";
  refuses(&options, BURIN_WEIGHTS_OTHER, "holds the weights of another model");
  program.name = "fixture";

  unlink(path_of("second"));
  refuses(&options, BURIN_WEIGHTS_MISSING, "second' of model 'fixture': the file is missing");
  CHECK(mkdir(path_of("second"), 0700) == 0);
  refuses(&options, BURIN_WEIGHTS_TRUNCATED, "second");
  rmdir(path_of("second"));
  write_file("second.01234567", files[1], file_bytes(1)); /* not renamed yet */
  opens(&options);
  unlink(path_of("second.01234567"));
  write_both();
}

/* One worker, a pool or the caller's threads check; the first fault is told. */
static void test_workers(void) {
  burin_options serial = options_of(), pooled = options_of(), own = options_of(), both = options_of();
  serial.workers = 4; /* nobody to run them */
  CHECK(model.pool_create(3, &pooled.pool) == BURIN_OK);
  own.parallel_for = one_by_one;
  own.workers = 8; /* more than there are chunks */
  both.pool = pooled.pool;
  both.workers = 99; /* more than the pool has */
  const burin_options *all[] = {&serial, &pooled, &own, &both};
  for (int i = 0; i < 4; ++i)
    opens(all[i]);
  files[0][header_bytes + BURIN_CHUNK_BYTES] ^= 1;
  files[1][header_bytes] ^= 1;
  write_both();
  for (int i = 0; i < 4; ++i)
    refuses(all[i], BURIN_WEIGHTS_CORRUPT, "weights 'first' of model 'fixture': the file is damaged");
  files[0][header_bytes + BURIN_CHUNK_BYTES] ^= 1;
  files[1][header_bytes] ^= 1;
  write_both();
  model.pool_destroy(pooled.pool);
}

static void test_arguments(void) {
  burin_options options = options_of();
  burin_weights *open;
  CHECK(model.weights_open(NULL, &options, &open) == BURIN_BAD_ARGUMENT);
  CHECK(model.weights_open(&model, NULL, &open) == BURIN_BAD_ARGUMENT);
  CHECK(model.weights_open(&model, &options, NULL) == BURIN_BAD_ARGUMENT);
  CHECK_TEXT(said, "a null argument");
  burin_model other = model;
  other.abi_version = BURIN_ABI_VERSION + 1;
  CHECK(model.weights_open(&other, &options, &open) == BURIN_BAD_ABI && !open);
  CHECK(model.weights_open(&fixture_model, &options, &open) == BURIN_OK && !open); /* has none */
  model.weights_close(NULL);

  char longest[5000];
  memset(longest, 'x', sizeof longest);
  longest[sizeof longest - 1] = 0;
  options.weights_path = longest;
  refuses(&options, BURIN_BAD_ARGUMENT, "weights_path is longer than 4096 bytes");
  options.weights_path = NULL; /* beside the program, where they are not */
  refuses(&options, BURIN_WEIGHTS_MISSING, "first' of model 'fixture': the file is missing");
  CHECK(said[strlen("weights '")] == '/');
  struct rlimit files_left, none;
  CHECK(getrlimit(RLIMIT_NOFILE, &files_left) == 0);
  none = files_left;
  none.rlim_cur = 0;
  CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
  refuses(&options, BURIN_WEIGHTS_MISSING, "cannot tell which folder the model lies in");
  CHECK(setrlimit(RLIMIT_NOFILE, &files_left) == 0);
  options.weights_path = ""; /* this folder */
  CHECK(chdir(folder) == 0);
  opens(&options);
  program.weights_bytes = UINT64_MAX / 2;
  refuses(&options, BURIN_NO_MEMORY, "no address space");
  program.weights_bytes = sizeof weights;
}

/* A context opens its own, or takes those that others share. */
static void test_contexts(void) {
  burin_options options = options_of();
  burin_memory need;
  CHECK(model.memory(&model, 1, &need) == BURIN_OK && need.weights == sizeof weights);
  void *arena = aligned_alloc(need.alignment, (need.bytes + need.alignment - 1) & ~(need.alignment - 1));
  CHECK(arena);
  options.arena = arena;
  options.arena_bytes = need.bytes;
  burin_context *context;
  CHECK(model.create(&model, &options, &context) == BURIN_OK);
  model.destroy(context);
  burin_weights *shared;
  CHECK(model.weights_open(&model, &options, &shared) == BURIN_OK);
  options.weights = shared;
  options.weights_path = "no such folder";
  CHECK(model.create(&model, &options, &context) == BURIN_OK);
  model.destroy(context);
  CHECK(fixture_model.create(&fixture_model, &options, &context) == BURIN_BAD_ARGUMENT);
  CHECK_TEXT(said, "the weights are those of another model");
  model.weights_close(shared);
  options.weights = NULL;
  CHECK(model.create(&model, &options, &context) == BURIN_WEIGHTS_MISSING && !context);
  free(arena);

  /* The only shard of a model may be given by its own path. */
  program.shard_count = 1;
  program.weights_bytes = first_bytes;
  snprintf((char *)files[0] + 8, header_bytes - 8,
           "{\"__metadata__\":{\"burin.model\":\"fixture\",\"burin.shard\":\"1 of 1\","
           "\"burin.weights\":\"%s\"}}", id);
  crcs[0][0] = burin_crc32c(0, files[0], header_bytes);
  write_file("elsewhere", files[0], file_bytes(0));
  options = options_of();
  options.weights_path = path_of("elsewhere");
  CHECK(model.weights_open(&model, &options, &shared) == BURIN_OK);
  model.weights_close(shared);
  unlink(path_of("elsewhere"));
  options.weights_path = folder; /* or by the folder that it lies in */
  refuses(&options, BURIN_WEIGHTS_OTHER, "another shard of this model");
  write_file("first", files[0], file_bytes(0));
  CHECK(model.weights_open(&model, &options, &shared) == BURIN_OK);
  model.weights_close(shared);
  /* A single piece is checked by whoever opens, however many workers there are. */
  shards[0].bytes = program.weights_bytes = 65536;
  options.workers = 4;
  options.parallel_for = one_by_one;
  write_file("first", files[0], file_bytes(0));
  refuses(&options, BURIN_WEIGHTS_CORRUPT, "damaged within");
  memset(files[0] + 8, ' ', header_bytes - 8); /* nothing says whose it is */
  write_file("first", files[0], file_bytes(0));
  refuses(&options, BURIN_WEIGHTS_CORRUPT, "has a damaged header");
}

static void test_checksums(void) {
  const unsigned char *nine = (const unsigned char *)"123456789";
  CHECK(burin_crc32c(0, nine, 9) == 0xe3069283u && burin_crc32c_portable(0, nine, 9) == 0xe3069283u);
  for (size_t size = 0; size < 100; ++size) {
    uint32_t whole = burin_crc32c_portable(0, weights + 1, size);
    CHECK(burin_crc32c(0, weights + 1, size) == whole);
    CHECK(burin_crc32c(burin_crc32c(0, weights + 1, size / 3), weights + 1 + size / 3,
                       size - size / 3) == whole);
    uint32_t each[BURIN_CRC_STREAMS];
    burin_crc32c_streams(weights + 1, size, each);
    for (size_t i = 0; i < BURIN_CRC_STREAMS; ++i)
      CHECK(each[i] == burin_crc32c_portable(0, weights + 1 + i * size, size));
  }
  static const struct {
    const char *text, *hash;
  } known[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; ++i)
    for (size_t piece = 1; piece < 60; piece += 7) {
      const unsigned char *text = (const unsigned char *)known[i].text;
      size_t size = strlen(known[i].text);
      burin_sha256_state state;
      burin_sha256_begin(&state);
      for (size_t at = 0; at < size; at += piece)
        burin_sha256_add(&state, text + at, size - at < piece ? size - at : piece);
      unsigned char hash[32];
      char hex[65];
      burin_sha256_end(&state, hash);
      for (int b = 0; b < 32; ++b)
        snprintf(hex + 2 * b, 3, "%02x", hash[b]);
      CHECK(!strcmp(hex, known[i].hash));
    }
  /* Large pieces, some by the CPU's instructions: a million times the letter a. */
  enum { million = 1000000 };
  static const unsigned char of_a[4] = {0xcd, 0xc7, 0x6e, 0x5c};
  unsigned char *text = malloc(million), hash[32], same[32];
  memset(text, 'a', million);
  for (size_t piece = 997; piece < 2 * million; piece = piece * 3 + 1) {
    burin_sha256_state state;
    burin_sha256_begin(&state);
    for (size_t at = 0; at < million; at += piece)
      burin_sha256_add(&state, text + at, million - at < piece ? million - at : piece);
    burin_sha256_end(&state, hash);
    memcpy(same, piece == 997 ? hash : same, sizeof same);
    CHECK(!memcmp(hash, of_a, sizeof of_a) && !memcmp(hash, same, sizeof hash));
  }
  free(text);
}

/* Each feature is there or has a name. */
static void test_features(void) {
  for (int bit = 0; bit < 64; ++bit) {
    const char *missing = burin_missing_cpu_feature((uint64_t)1 << bit);
    CHECK(!missing || *missing);
  }
}

int main(void) {
  const char *place = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/weights-XXXXXX", place && strlen(place) < 40 ? place : "/tmp");
  CHECK(mkdtemp(folder));
  for (size_t i = 0; i < sizeof weights; ++i)
    weights[i] = (unsigned char)(i * 2654435761u >> 13);
  make_shard(0, "first", 0, first_bytes);
  make_shard(1, "second", first_bytes, second_bytes);
  program = fixture_program;
  program.weights_bytes = sizeof weights;
  program.shards = shards;
  program.shard_count = 2;
  program.weights_id = id;
  model = make_model(&program);
  test_checksums();
  test_features();
  test_faults();
  test_workers();
  test_arguments();
  test_contexts();
  unlink(path_of("first"));
  unlink(path_of("second"));
  CHECK(rmdir(folder) == 0);
  return 0;
}
