/* SPDX-License-Identifier: Apache-2.0
 *
 * Opens a model.so: header only, for programs that do not link the model in. Needs
 * POSIX and dlopen (-ldl where the C library keeps it apart).
 *
 *   burin_library *library;
 *   const burin_model *model;
 *   char why[256];
 *   if (burin_load("mnist.so", NULL, &library, &model, why, sizeof why))
 *     fprintf(stderr, "%s\n", why);
 *   ...
 *   burin_unload(library); // after the model's contexts and pools
 *
 * A library is code: load only what you trust. What is checked here is that the file
 * is whole, made for this machine, and of this version of the interface.
 */
#ifndef BURIN_LOAD_H
#define BURIN_LOAD_H

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "burin/burin.h"

#if defined(__x86_64__)
#define BURIN_ELF_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define BURIN_ELF_MACHINE EM_AARCH64
#endif

static inline int burin_elf_in_range(uint64_t offset, uint64_t bytes, uint64_t size) {
  return offset <= size && bytes <= size - offset;
}

/* Checks that `size` bytes at `file` are a whole ELF library for this machine, and finds
 * the symbol burin_model_<name>; where `name` is null, the only one of that form. It is
 * written to `symbol`. Returns null, or what is wrong. */
static inline const char *burin_find_symbol(const unsigned char *file, uint64_t size,
                                            const char *name, char *symbol,
                                            size_t symbol_size) {
  static const char prefix[] = "burin_model_";
  Elf64_Ehdr header;
  if (size < sizeof header)
    return "not an ELF file, or cut short";
  memcpy(&header, file, sizeof header);
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_type != ET_DYN)
    return "not a 64-bit ELF library";
  if (header.e_machine != BURIN_ELF_MACHINE)
    return header.e_machine == EM_X86_64    ? "made for x86-64, which this machine is not"
           : header.e_machine == EM_AARCH64 ? "made for aarch64, which this machine is not"
                                            : "made for another kind of machine";
  if (header.e_shnum == 0)
    return "has no section headers: more was stripped than its symbols";
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_shentsize != sizeof(Elf64_Shdr) ||
      !burin_elf_in_range(header.e_phoff, (uint64_t)header.e_phnum * sizeof(Elf64_Phdr), size) ||
      !burin_elf_in_range(header.e_shoff, (uint64_t)header.e_shnum * sizeof(Elf64_Shdr), size))
    return "cut short: its headers lie behind its end";
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    memcpy(&segment, file + header.e_phoff + i * sizeof segment, sizeof segment);
    if (segment.p_type == PT_LOAD && !burin_elf_in_range(segment.p_offset, segment.p_filesz, size))
      return "cut short: a segment lies behind its end";
  }

  unsigned found = 0;
  for (unsigned s = 0; s < header.e_shnum; ++s) {
    Elf64_Shdr table, names;
    memcpy(&table, file + header.e_shoff + s * sizeof table, sizeof table);
    if (table.sh_type != SHT_DYNSYM)
      continue;
    if (table.sh_link >= header.e_shnum)
      return "damaged: its symbols have no names";
    memcpy(&names, file + header.e_shoff + table.sh_link * sizeof names, sizeof names);
    if (!burin_elf_in_range(table.sh_offset, table.sh_size, size) ||
        !burin_elf_in_range(names.sh_offset, names.sh_size, size))
      return "damaged: its symbols lie behind its end";
    for (uint64_t i = 0; i < table.sh_size / sizeof(Elf64_Sym); ++i) {
      Elf64_Sym entry;
      memcpy(&entry, file + table.sh_offset + i * sizeof entry, sizeof entry);
      if (entry.st_shndx == SHN_UNDEF || entry.st_name >= names.sh_size)
        continue;
      const char *text = (const char *)file + names.sh_offset + entry.st_name;
      size_t room = (size_t)(names.sh_size - entry.st_name), length = strnlen(text, room);
      if (length == room || length >= symbol_size ||
          strncmp(text, prefix, sizeof prefix - 1) != 0 ||
          (name && strcmp(text + sizeof prefix - 1, name) != 0))
        continue;
      memcpy(symbol, text, length + 1);
      ++found;
    }
  }
  if (!found)
    return name ? "holds no model of that name" : "holds no model";
  return found == 1 ? NULL : "holds several models: name one";
}

/* Opens the model `name`, or the only one where that is null, of the library at `path`.
 * BURIN_BAD_FILE or BURIN_BAD_ABI with the reason, up to `why_size` bytes, in `why`
 * (which may be null), and nothing opened. */
static inline burin_status burin_load(const char *path, const char *name,
                                      burin_library **library, const burin_model **model,
                                      char *why, size_t why_size) {
  char symbol[512];
  const char *wrong = NULL;
  *library = NULL;
  *model = NULL;
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (descriptor < 0 || fstat(descriptor, &status) != 0) {
    wrong = "cannot be opened";
  } else if (!S_ISREG(status.st_mode) || status.st_size == 0) {
    wrong = "not a file, or empty";
  } else {
    void *file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (file == MAP_FAILED) {
      wrong = "cannot be mapped";
    } else {
      wrong = burin_find_symbol((const unsigned char *)file, (uint64_t)status.st_size, name,
                                symbol, sizeof symbol);
      munmap(file, (size_t)status.st_size);
    }
  }
  if (descriptor >= 0)
    close(descriptor);

  /* dlopen takes a name without a slash for one to search for. */
  char local[4096];
  if (!wrong && !strchr(path, '/')) {
    int length = snprintf(local, sizeof local, "./%s", path);
    if (length < 0 || (size_t)length >= sizeof local)
      wrong = "has too long a name";
    path = local;
  }
  void *handle = wrong ? NULL : dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!wrong && !handle)
    wrong = dlerror();
  if (handle) {
    const burin_model *(*entry)(void);
    void *address = dlsym(handle, symbol);
    memcpy(&entry, &address, sizeof entry);
    const burin_model *found = entry ? entry() : NULL;
    if (found && found->abi_version == BURIN_ABI_VERSION &&
        found->struct_size >= sizeof(burin_model)) {
      *library = (burin_library *)handle;
      *model = found;
      return BURIN_OK;
    }
    if (why)
      snprintf(why, why_size, "%s: %s", path, burin_status_text(BURIN_BAD_ABI));
    dlclose(handle);
    return BURIN_BAD_ABI;
  }
  if (why)
    snprintf(why, why_size, "%s: %s", path, wrong ? wrong : "cannot be loaded");
  return BURIN_BAD_FILE;
}

/* Closes what burin_load opened, after the model's contexts and pools; null is fine. */
static inline void burin_unload(burin_library *library) {
  if (library)
    dlclose((void *)library);
}

#endif
