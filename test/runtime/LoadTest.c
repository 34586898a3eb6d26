/* SPDX-License-Identifier: Apache-2.0
 *
 * LoadTest FIXTURE.so SCRATCH: what burin/load.h opens, and what it refuses. SCRATCH is a file
 * that may be written.
 */
#include <elf.h>
#include <unistd.h>

#include "Fixture.h"

#include "burin/load.h"

static char why[256];
static burin_library *library;
static const burin_model *model;

static burin_status load(const char *path, const char *name) {
  why[0] = 0;
  return burin_load(path, name, &library, &model, why, sizeof why);
}

/* Writes `size` bytes to `path`. */
static void write_file(const char *path, const unsigned char *bytes, size_t size) {
  FILE *file = fopen(path, "wb");
  CHECK(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

static void refused(const char *path, const char *said) {
  CHECK(load(path, NULL) == BURIN_BAD_FILE && !library && !model);
  CHECK_TEXT(why, said);
}

/* A library of nothing but symbols: of two models, of one without an end, of one that is nowhere. */
static void test_symbols(void) {
  enum { symbols = 4 };
  struct {
    Elf64_Ehdr header;
    Elf64_Shdr sections[2];
    Elf64_Sym symbols[symbols];
    char names[64];
  } file;
  memset(&file, 0, sizeof file);
  memcpy(file.header.e_ident, ELFMAG, SELFMAG);
  file.header.e_ident[EI_CLASS] = ELFCLASS64;
  file.header.e_ident[EI_DATA] = ELFDATA2LSB;
  file.header.e_type = ET_DYN;
  file.header.e_machine = BURIN_ELF_MACHINE;
  file.header.e_phentsize = sizeof(Elf64_Phdr);
  file.header.e_shentsize = sizeof(Elf64_Shdr);
  file.header.e_shnum = 2;
  file.header.e_shoff = (Elf64_Off)((char *)file.sections - (char *)&file);
  file.sections[0] = (Elf64_Shdr){.sh_type = SHT_DYNSYM,
                                  .sh_link = 1,
                                  .sh_offset = (Elf64_Off)((char *)file.symbols - (char *)&file),
                                  .sh_size = sizeof file.symbols};
  file.sections[1].sh_offset = (Elf64_Off)((char *)file.names - (char *)&file);
  static const char names[] = "burin_model_a\0burin_model_b\0burin_model_endless";
  memcpy(file.names, names, sizeof names);
  file.sections[1].sh_size = sizeof names - 1;
  static const Elf64_Word at[symbols] = {0, 14, 28, UINT32_MAX};
  for (int i = 0; i < symbols; ++i)
    file.symbols[i] = (Elf64_Sym){.st_name = at[i], .st_shndx = 1};

  char symbol[64];
  const unsigned char *bytes = (const unsigned char *)&file;
  const char *said = burin_find_symbol(bytes, sizeof file, NULL, symbol, sizeof symbol);
  CHECK(said);
  CHECK_TEXT(said, "holds several models: name one");
  CHECK(!burin_find_symbol(bytes, sizeof file, "b", symbol, sizeof symbol));
  CHECK(!strcmp(symbol, "burin_model_b"));
  CHECK(burin_find_symbol(bytes, sizeof file, "endless", symbol, sizeof symbol));
  file.symbols[1].st_shndx = SHN_UNDEF;
  CHECK(!burin_find_symbol(bytes, sizeof file, NULL, symbol, sizeof symbol));
  CHECK(!strcmp(symbol, "burin_model_a"));

  file.sections[1].sh_offset = sizeof file;
  said = burin_find_symbol(bytes, sizeof file, NULL, symbol, sizeof symbol);
  CHECK(said);
  CHECK_TEXT(said, "its symbols lie behind its end");
  file.header.e_shnum = 0;
  said = burin_find_symbol(bytes, sizeof file, NULL, symbol, sizeof symbol);
  CHECK(said);
  CHECK_TEXT(said, "has no section headers");
  file.header.e_machine = BURIN_ELF_MACHINE == EM_X86_64 ? EM_AARCH64 : EM_X86_64;
  said = burin_find_symbol(bytes, sizeof file, NULL, symbol, sizeof symbol);
  CHECK(said);
  CHECK_TEXT(said, BURIN_ELF_MACHINE == EM_X86_64 ? "made for aarch64" : "made for x86-64");
}

int main(int count, char **arguments) {
  CHECK(count == 3);
  const char *fixture = arguments[1], *scratch = arguments[2];
  test_symbols();
  CHECK(load(fixture, NULL) == BURIN_OK && !strcmp(model->name, "fixture"));
  burin_unload(library);
  CHECK(load(fixture, "fixture") == BURIN_OK);
  burin_unload(library);
  CHECK(load(fixture, "another") == BURIN_BAD_FILE);
  CHECK_TEXT(why, "holds no model of that name");
  CHECK(burin_load("no such file", NULL, &library, &model, NULL, 0) == BURIN_BAD_FILE);
  refused("no such file", "cannot be opened");
  refused(".", "not a file, or empty");
  burin_unload(NULL);

  /* A name without a folder is a file of this one, not a library that the system knows. */
  char name[8192];
  const char *base = strrchr(fixture, '/');
  if (base) {
    snprintf(name, sizeof name, "%.*s", (int)(base - fixture), fixture);
    CHECK(chdir(name) == 0 && load(base + 1, NULL) == BURIN_OK);
    burin_unload(library);
  }

  /* Cut at every place; and with each byte of its header changed, it opens or says why not. */
  FILE *file = fopen(fixture, "rb");
  CHECK(file && fseek(file, 0, SEEK_END) == 0);
  size_t size = (size_t)ftell(file);
  unsigned char *bytes = malloc(size), *copy = malloc(size);
  CHECK(bytes && copy && fseek(file, 0, SEEK_SET) == 0 && fread(bytes, 1, size, file) == size);
  fclose(file);
  write_file(scratch, bytes, 0);
  refused(scratch, "not a file, or empty");
  write_file(scratch, bytes, size / 2);
  refused(scratch, "cut short");
  char symbol[64];
  for (size_t length = 0; length < size; length += 7) {
    /* An allocation of its own, so that a read behind the end is seen. */
    unsigned char *part = malloc(length ? length : 1);
    CHECK(part);
    memcpy(part, bytes, length);
    CHECK(burin_find_symbol(part, length, NULL, symbol, sizeof symbol));
    free(part);
  }
  for (size_t at = 0; at < size; at += at < 1024 ? 1 : 61) {
    memcpy(copy, bytes, size);
    copy[at] ^= 0xff;
    (void)burin_find_symbol(copy, size, NULL, symbol, sizeof symbol);
  }
  CHECK(!burin_find_symbol(bytes, size, NULL, symbol, sizeof symbol));
  CHECK(!strcmp(symbol, "burin_model_fixture"));

  /* Headers that are ELF's, but no library for this machine. */
  CHECK(burin_find_symbol(bytes, size, "another", symbol, sizeof symbol));
  CHECK(burin_find_symbol(bytes, size, "fixture", symbol, 4)); /* no room for the name */
  Elf64_Ehdr header;
  memcpy(&header, bytes, sizeof header);
  for (int change = 0; change < 7; ++change) {
    Elf64_Ehdr odd = header;
    odd.e_type = change == 0 ? ET_EXEC : odd.e_type;
    odd.e_machine = change == 1 ? EM_NONE : odd.e_machine;
    odd.e_phentsize = change == 2 ? 1 : odd.e_phentsize;
    odd.e_shentsize = change == 3 ? 1 : odd.e_shentsize;
    odd.e_phoff = change == 4 ? UINT64_MAX : odd.e_phoff;
    odd.e_shoff = change == 5 ? UINT64_MAX - 8 : odd.e_shoff;
    odd.e_shnum = change == 6 ? 1 : odd.e_shnum;
    memcpy(copy, bytes, size);
    memcpy(copy, &odd, sizeof odd);
    CHECK(burin_find_symbol(copy, size, NULL, symbol, sizeof symbol));
  }
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section;
    memcpy(&section, bytes + header.e_shoff + i * sizeof section, sizeof section);
    if (section.sh_type != SHT_DYNSYM)
      continue;
    for (int change = 0; change < 3; ++change) {
      Elf64_Shdr odd = section;
      odd.sh_link = change == 0 ? UINT32_MAX : odd.sh_link;
      odd.sh_offset = change == 1 ? UINT64_MAX : odd.sh_offset;
      odd.sh_size = change == 2 ? UINT64_MAX : odd.sh_size;
      memcpy(copy, bytes, size);
      memcpy(copy + header.e_shoff + i * sizeof odd, &odd, sizeof odd);
      CHECK(burin_find_symbol(copy, size, NULL, symbol, sizeof symbol));
    }
  }

  /* Whole, but the system's loader takes it not: what that says. */
  memcpy(copy, bytes, size);
  copy[EI_OSABI] = 0xff;
  write_file(scratch, copy, size);
  refused(scratch, scratch);

  /* A table of another version is refused before anything of it is called; so is a shorter one. */
  for (size_t at = 0; at + sizeof(burin_model) <= size; at += 8) {
    uint32_t words[2];
    memcpy(words, bytes + at, sizeof words);
    if (words[0] != BURIN_ABI_VERSION || words[1] != sizeof(burin_model))
      continue;
    memcpy(copy, bytes, size);
    copy[at] = BURIN_ABI_VERSION + 1;
    write_file(scratch, copy, size);
    CHECK(load(scratch, NULL) == BURIN_BAD_ABI && !library && !model);
    CHECK_TEXT(why, "another version");
    memcpy(copy, bytes, size);
    copy[at + 4] -= 8;
    write_file(scratch, copy, size);
    CHECK(burin_load(scratch, NULL, &library, &model, NULL, 0) == BURIN_BAD_ABI && !library);
    free(bytes);
    free(copy);
    remove(scratch);
    return 0;
  }
  CHECK(!"the fixture has no table");
}
