/* SPDX-License-Identifier: Apache-2.0
 *
 * Weights in files beside the artifact. One piece of address space is reserved for all of
 * them, and the data of each file are mapped at their place in it: kernels see what
 * they see where weights are embedded.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime.h"

/* At the start of the reservation; the weights begin BURIN_SHARD_ALIGNMENT bytes later. */
struct burin_weights {
  const burin_program *program;
  uint64_t reserved; /* bytes */
};

static unsigned char *data_of(const burin_weights *weights) {
  return (unsigned char *)(uintptr_t)weights + BURIN_SHARD_ALIGNMENT;
}

/*===- Finding the files ---------------------------------------------------===*/

/* The folder of the file that `address` is mapped from: the artifact, or the program that it is
 * linked into. Not from dladdr, which knows a relative path and not what it was relative to. */
static bool folder_of(const void *address, char *folder, size_t size) {
  char text[512];
  int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  /* A line: begin-end access offset device inode path. */
  uint64_t numbers[2] = {0, 0};
  unsigned column = 0;
  size_t length = 0;
  bool found = false, skipping = false;
  for (ssize_t count; !found && maps >= 0 && (count = read(maps, text, sizeof text)) > 0;)
    for (const char *c = text; !found && c < text + count; ++c) {
      if (*c == '\n') {
        found = length && numbers[0] <= (uintptr_t)address && (uintptr_t)address < numbers[1];
        if (!found)
          numbers[0] = numbers[1] = column = 0, length = 0;
      } else if (length || (*c == '/' && column >= 6)) {
        if (length + 1 < size)
          folder[length++] = *c;
      } else if (*c == ' ' || (*c == '-' && column == 0)) {
        column += !skipping;
      } else if (column < 2) {
        numbers[column] = numbers[column] << 4 | (uint64_t)(*c <= '9' ? *c - '0' : *c - 'a' + 10);
      }
      skipping = *c == ' ';
    }
  if (maps >= 0)
    close(maps);
  while (found && length && folder[length - 1] != '/')
    --length;
  folder[length ? length - 1 : 0] = 0;
  return found && length + 1 < size;
}

/* Opens a shard: under the name that it has until the artifact of its compile is in place, or under
 * its own. In this order, as it is renamed from the one to the other. */
static int open_shard(const burin_program *program, const burin_shard_abi *shard,
                      const char *folder, char *path, size_t size) {
  char id[9];
  memcpy(id, program->weights_id, 8);
  id[8] = 0;
  const char *slash = *folder && shard->file ? "/" : "", *file = shard->file;
  if (*folder && program->shard_count == 1) { /* may be the file's own path */
    int descriptor = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (descriptor >= 0)
      close(descriptor);
    else
      slash = file = "";
  }
  burin_format(path, size, "%s%s%s.%s", folder, slash, file, id);
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    burin_format(path, size, "%s%s%s", folder, slash, file);
    descriptor = open(path, O_RDONLY | O_CLOEXEC);
  }
  return descriptor;
}

/*===- Checking one --------------------------------------------------------===*/

/* Whether the header holds `"key":"value"`; of any value where that is null. */
static bool says(const char *header, size_t bytes, const char *key, const char *value) {
  char text[256];
  burin_format(text, sizeof text, value ? "\"%s\":\"%s\"" : "\"%s\":\"", key, value);
  size_t length = strlen(text);
  for (size_t at = 0; at + length <= bytes; ++at)
    if (!memcmp(header + at, text, length))
      return true;
  return false;
}

/* What is wrong with a file of `size` bytes that begins with `header`, or null. */
static const char *wrong_file(const burin_program *program, uint32_t index, const char *header,
                              uint64_t size, burin_status *status) {
  const burin_shard_abi *shard = &program->shards[index];
  uint64_t whole = shard->header_bytes + shard->bytes;
  size_t bytes = (size_t)(size < shard->header_bytes ? size : shard->header_bytes);
  char place[32];
  burin_format(place, sizeof place, "%d of %d", (int64_t)index + 1, (int64_t)program->shard_count);
  *status = BURIN_WEIGHTS_TRUNCATED;
  if (size < shard->header_bytes)
    return "is cut short";
  if (says(header, bytes, "burin.weights", NULL)) {
    *status = BURIN_WEIGHTS_OTHER;
    if (!says(header, bytes, "burin.model", program->name))
      return "holds the weights of another model";
    *status = BURIN_WEIGHTS_STALE;
    if (!says(header, bytes, "burin.weights", program->weights_id))
      return "is of another compile of this model: the artifact and its weights belong together";
    *status = BURIN_WEIGHTS_OTHER;
    if (!says(header, bytes, "burin.shard", place))
      return "is another shard of this model: files have changed places";
  }
  *status = BURIN_WEIGHTS_TRUNCATED;
  if (size < whole)
    return "is cut short";
  *status = BURIN_WEIGHTS_CORRUPT;
  if (size > whole)
    return "is longer than it was written";
  if (burin_crc32c(0, (const unsigned char *)header, (size_t)shard->header_bytes) != shard->crcs[0])
    return "has a damaged header";
  *status = BURIN_OK;
  return NULL;
}

/* Maps the data of a shard at `to`. Returns what is wrong with the file, or null. */
static const char *map_shard(const burin_program *program, uint32_t index, int descriptor,
                             unsigned char *to, bool verify, burin_status *status) {
  const burin_shard_abi *shard = &program->shards[index];
  off_t size = lseek(descriptor, 0, SEEK_END);
  *status = BURIN_WEIGHTS_TRUNCATED;
  if (size <= 0)
    return "is empty, or no file";
  size_t bytes = (size_t)((uint64_t)size < shard->header_bytes ? (uint64_t)size
                                                               : shard->header_bytes);
  unsigned char *header = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (header == MAP_FAILED)
    return "is no file that can be mapped";
  const char *wrong = wrong_file(program, index, (const char *)header, (uint64_t)size, status);
  if (!wrong && mmap(to, (size_t)shard->bytes, PROT_READ, MAP_PRIVATE | MAP_FIXED, descriptor,
                     (off_t)shard->header_bytes) == MAP_FAILED) {
    *status = BURIN_NO_MEMORY;
    wrong = "cannot be mapped";
  }
  if (!wrong && verify) {
    unsigned char hash[32];
    burin_sha256((const unsigned char *const[]){header, to},
                 (const uint64_t[]){shard->header_bytes, shard->bytes}, 2, hash);
    if (memcmp(hash, shard->sha256, sizeof hash)) {
      *status = BURIN_WEIGHTS_CORRUPT;
      wrong = "is damaged: its SHA-256 is not the one that it was written with";
    }
  }
  munmap(header, bytes);
  return wrong;
}

/*===- Checking the chunks of all ------------------------------------------===*/

typedef struct check {
  const burin_program *program;
  unsigned char *data; /* private mappings of files, never written */
  uint64_t chunks; /* of all shards */
  uint32_t parts;
  _Atomic uint64_t bad; /* the first chunk that is damaged, or UINT64_MAX */
} check;

static uint64_t chunks_of(const burin_shard_abi *shard) {
  return (shard->bytes + BURIN_CHUNK_BYTES - 1) / BURIN_CHUNK_BYTES;
}

/* Turns a chunk of the model into one of the shard that is returned. */
static uint32_t shard_of(const burin_program *program, uint64_t *chunk) {
  uint32_t shard = 0;
  for (; *chunk >= chunks_of(&program->shards[shard]); ++shard)
    *chunk -= chunks_of(&program->shards[shard]);
  return shard;
}

static void check_part(void *state, uint32_t worker, uint32_t part) {
  check *c = state;
  (void)worker;
  uint64_t end = c->chunks * (part + 1) / c->parts, count;
  for (uint64_t chunk = c->chunks * part / c->parts; chunk < end; chunk += count) {
    uint64_t in_shard = chunk;
    const burin_shard_abi *shard = &c->program->shards[shard_of(c->program, &in_shard)];
    uint64_t from = in_shard * BURIN_CHUNK_BYTES, bytes = shard->bytes - from;
    unsigned char *data = c->data + shard->offset + from;
    uint32_t crcs[BURIN_CRC_STREAMS];
    count = 1;
    if (bytes >= BURIN_CRC_STREAMS * (uint64_t)BURIN_CHUNK_BYTES && end - chunk >= BURIN_CRC_STREAMS) {
      count = BURIN_CRC_STREAMS;
      bytes = BURIN_CRC_STREAMS * (uint64_t)BURIN_CHUNK_BYTES;
      burin_crc32c_streams(data, BURIN_CHUNK_BYTES, crcs);
    } else {
      if (bytes > BURIN_CHUNK_BYTES)
        bytes = BURIN_CHUNK_BYTES;
      crcs[0] = burin_crc32c(0, data, (size_t)bytes);
    }
    /* They stay in the page cache; what a run never reads (most rows of a table) shall not count as ours. */
    (void)madvise(data, (size_t)bytes, MADV_DONTNEED);
    for (uint64_t i = 0; i < count; ++i) {
      if (crcs[i] == shard->crcs[1 + in_shard + i])
        continue;
      uint64_t before = atomic_load(&c->bad), bad = chunk + i;
      while (bad < before && !atomic_compare_exchange_weak(&c->bad, &before, bad))
        ;
      return;
    }
  }
}

/* The first chunk that is damaged, or UINT64_MAX. */
static uint64_t check_chunks(const burin_program *program, unsigned char *data,
                             const burin_options *options) {
  check c = {.program = program, .data = data, .parts = 1, .bad = UINT64_MAX};
  for (uint32_t i = 0; i < program->shard_count; ++i)
    c.chunks += chunks_of(&program->shards[i]);
  uint32_t workers = options->workers ? options->workers : burin_rt_pool_workers(options->pool);
  if (options->pool && workers > burin_rt_pool_workers(options->pool))
    workers = burin_rt_pool_workers(options->pool);
  if (workers > 1 && c.chunks > 1) {
    c.parts = c.chunks < workers ? (uint32_t)c.chunks : workers;
    if (options->parallel_for) {
      options->parallel_for(options->executor, c.parts, check_part, &c);
      return c.bad;
    }
    if (burin_pool_run(options->pool, c.parts, check_part, &c))
      return c.bad;
    c.parts = 1;
  }
  check_part(&c, 0, 0);
  return c.bad;
}

/*===- Opening all ---------------------------------------------------------===*/

burin_status burin_rt_weights_open(const burin_model *model, const burin_options *options,
                                   burin_weights **made) {
  if (!model || !options || !made)
    return burin_refuse(options, BURIN_BAD_ARGUMENT, "weights_open: a null argument");
  *made = NULL;
  const burin_program *program = burin_program_of(model);
  if (!program)
    return burin_refuse(options, BURIN_BAD_ABI, "the model was made for another interface version");
  if (!program->shard_count)
    return BURIN_OK;
  char folder[4096], path[4096 + 256];
  if (options->weights_path && strlen(options->weights_path) >= sizeof folder)
    return burin_refuse(options, BURIN_BAD_ARGUMENT, "weights_path is longer than %d bytes",
                        (int64_t)sizeof folder);
  if (options->weights_path)
    burin_format(folder, sizeof folder, "%s", options->weights_path);
  else if (!folder_of(program, folder, sizeof folder))
    return burin_refuse(options, BURIN_WEIGHTS_MISSING,
                        "'%s': cannot tell which folder the model lies in; say where its weights "
                        "are (burin_options.weights_path)", program->shards[0].file);

  size_t reserved = BURIN_SHARD_ALIGNMENT + (size_t)program->weights_bytes;
  void *memory = mmap(NULL, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory != MAP_FAILED && mmap(memory, sizeof(burin_weights), PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
    munmap(memory, reserved);
    memory = MAP_FAILED;
  }
  if (memory == MAP_FAILED)
    return burin_refuse(options, BURIN_NO_MEMORY, "no address space for %d bytes of weights",
                        (int64_t)program->weights_bytes);
  burin_weights *weights = memory;
  *weights = (burin_weights){program, reserved};

  burin_status status = BURIN_OK;
  for (uint32_t i = 0; i < program->shard_count && !status; ++i) {
    const char *wrong = "is missing, or may not be read";
    int descriptor = open_shard(program, &program->shards[i], folder, path, sizeof path);
    if (descriptor < 0) {
      status = BURIN_WEIGHTS_MISSING;
    } else {
      wrong = map_shard(program, i, descriptor, data_of(weights) + program->shards[i].offset,
                        options->flags & BURIN_VERIFY_WEIGHTS, &status);
      close(descriptor);
    }
    if (status)
      burin_refuse(options, status, "weights '%s' of model '%s': the file %s", path, program->name,
                   wrong);
  }
  uint64_t bad = status ? UINT64_MAX : check_chunks(program, data_of(weights), options);
  if (bad != UINT64_MAX) {
    const burin_shard_abi *shard = &program->shards[shard_of(program, &bad)];
    status = burin_refuse(options, BURIN_WEIGHTS_CORRUPT,
                          "weights '%s' of model '%s': the file is damaged within %d bytes from %d",
                          shard->file, program->name, (int64_t)BURIN_CHUNK_BYTES,
                          (int64_t)(shard->header_bytes + bad * BURIN_CHUNK_BYTES));
  }
  if (status)
    burin_rt_weights_close(weights);
  else
    *made = weights;
  return status;
}

void burin_rt_weights_close(burin_weights *weights) {
  if (weights)
    munmap(weights, (size_t)weights->reserved);
}

const unsigned char *burin_weights_data(const burin_weights *weights,
                                        const burin_program *program) {
  return weights && weights->program == program ? data_of(weights) : NULL;
}
