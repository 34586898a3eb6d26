// SPDX-License-Identifier: Apache-2.0
//
// Weights pass through neither LLVM nor the linker, which would hold them in memory: it sees a section
// of their size without bytes. They are streamed into what it leaves.

#include "compiler/emit/Artifact.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELF.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"

#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;

namespace burin {

/// Gives a file without a name one, in the place of what has it.
static std::error_code nameFile(int file, const std::string &path) {
  std::string open = "/proc/self/fd/" + std::to_string(file);
  auto link = [&](const std::string &to) {
    return linkat(AT_FDCWD, open.c_str(), AT_FDCWD, to.c_str(), AT_SYMLINK_FOLLOW) == 0;
  };
  if (link(path))
    return {};
  struct stat status;
  if (errno != EEXIST || fstat(file, &status) != 0)
    return std::error_code(errno, std::generic_category());
  // The number is that of no other file.
  std::string beside = path + ".tmp-" + std::to_string(status.st_ino);
  if (!link(beside))
    return std::error_code(errno, std::generic_category());
  std::error_code code = sys::fs::rename(beside, path);
  if (code)
    sys::fs::remove(beside);
  return code;
}

/// Writes a file that has no name until it is whole, so that whatever ends this process leaves
/// nothing. Nothing where the file system does not know such files.
static std::optional<Error> writeUnnamed(StringRef path, function_ref<Error(raw_ostream &)> write) {
  std::string folder = sys::path::parent_path(path).str();
  int file = ::open(folder.empty() ? "." : folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
  if (file < 0)
    return std::nullopt;
  raw_fd_ostream out(file, /*shouldClose=*/true);
  if (!sys::fs::exists("/proc/self/fd/" + std::to_string(file)))
    return std::nullopt;
  Error error = write(out);
  out.flush();
  std::error_code code = out.error();
  out.clear_error();
  if (error)
    return error;
  if (!code)
    code = nameFile(file, path.str());
  if (code)
    return createStringError("cannot write '" + path + "': " + code.message());
  return error;
}

Error writeWhole(StringRef path, function_ref<Error(raw_ostream &)> write) {
  sys::fs::file_status status;
  if (!sys::fs::status(path, status) && !sys::fs::is_regular_file(status))
    return createStringError("cannot write '" + path + "': " +
                             (sys::fs::is_directory(status) ? "Is a directory" : "It is no regular file"));
  if (std::optional<Error> done = writeUnnamed(path, write))
    return std::move(*done);
  Expected<sys::fs::TempFile> file = sys::fs::TempFile::create(path + ".tmp-%%%%%%%%");
  if (!file)
    return createStringError("cannot write next to '" + path +
                             "': " + toString(file.takeError()));
  raw_fd_ostream out(file->FD, /*shouldClose=*/false);
  Error error = write(out);
  out.flush();
  if (!error && out.has_error())
    error = createStringError("cannot write '" + path + "': " + out.error().message());
  out.clear_error();
  if (error) {
    consumeError(file->discard());
    return error;
  }
  if (Error failed = file->keep(path))
    return createStringError("cannot write '" + path + "': " + toString(std::move(failed)));
  return Error::success();
}

constexpr StringLiteral weightsSection = ".rodata.burin", weightsSymbol = "burin_weights";
constexpr uint64_t weightsAlignment = 64;

Error writeWeightsPlaceholder(StringRef path, Architecture architecture, uint64_t total) {
  enum { Null, Data, Symbols, Strings, SectionNames, Stack, Count };
  const StringRef strings("\0burin_weights\0", 15);
  const StringRef names("\0.rodata.burin\0.symtab\0.strtab\0.shstrtab\0.note.GNU-stack\0", 58);
  auto nameAt = [&](StringRef name) { return uint32_t(names.find(name)); };

  uint64_t symbolsAt = alignTo(sizeof(ELF::Elf64_Ehdr), 8);
  uint64_t stringsAt = symbolsAt + 2 * sizeof(ELF::Elf64_Sym);
  uint64_t namesAt = stringsAt + strings.size();
  uint64_t headersAt = alignTo(namesAt + names.size(), 8);

  ELF::Elf64_Ehdr header = {};
  memcpy(header.e_ident, ELF::ElfMagic, 4);
  header.e_ident[ELF::EI_CLASS] = ELF::ELFCLASS64;
  header.e_ident[ELF::EI_DATA] = ELF::ELFDATA2LSB;
  header.e_ident[ELF::EI_VERSION] = ELF::EV_CURRENT;
  header.e_type = ELF::ET_REL;
  header.e_machine =
      architecture == Architecture::X86_64 ? ELF::EM_X86_64 : ELF::EM_AARCH64;
  header.e_version = ELF::EV_CURRENT;
  header.e_shoff = headersAt;
  header.e_ehsize = sizeof(header);
  header.e_shentsize = sizeof(ELF::Elf64_Shdr);
  header.e_shnum = Count;
  header.e_shstrndx = SectionNames;

  ELF::Elf64_Shdr sections[Count] = {};
  auto section = [&](unsigned i, StringRef name, uint32_t type, uint64_t flags, uint64_t at,
                     uint64_t size, uint64_t align) {
    sections[i].sh_name = nameAt(name);
    sections[i].sh_type = type;
    sections[i].sh_flags = flags;
    sections[i].sh_offset = at;
    sections[i].sh_size = size;
    sections[i].sh_addralign = align;
  };
  section(Data, weightsSection, ELF::SHT_NOBITS, ELF::SHF_ALLOC, symbolsAt, total, weightsAlignment);
  section(Symbols, ".symtab", ELF::SHT_SYMTAB, 0, symbolsAt, 2 * sizeof(ELF::Elf64_Sym), 8);
  sections[Symbols].sh_link = Strings;
  sections[Symbols].sh_info = 1; // first global symbol
  sections[Symbols].sh_entsize = sizeof(ELF::Elf64_Sym);
  section(Strings, ".strtab", ELF::SHT_STRTAB, 0, stringsAt, strings.size(), 1);
  section(SectionNames, ".shstrtab", ELF::SHT_STRTAB, 0, namesAt, names.size(), 1);
  section(Stack, ".note.GNU-stack", ELF::SHT_PROGBITS, 0, namesAt, 0, 1);

  ELF::Elf64_Sym symbols[2] = {};
  symbols[1].st_name = 1;
  symbols[1].setBindingAndType(ELF::STB_GLOBAL, ELF::STT_OBJECT);
  symbols[1].st_other = ELF::STV_HIDDEN;
  symbols[1].st_shndx = Data;
  symbols[1].st_size = total;

  return writeWhole(path, [&](raw_ostream &out) -> Error {
    auto bytes = [&](const void *data, size_t size) {
      out.write(static_cast<const char *>(data), size);
    };
    bytes(&header, sizeof(header));
    out.write_zeros(unsigned(symbolsAt - sizeof(header)));
    bytes(symbols, sizeof(symbols));
    out << strings << names;
    out.write_zeros(unsigned(headersAt - namesAt - names.size()));
    bytes(sections, sizeof(sections));
    return Error::success();
  });
}

Expected<uint64_t> weightsOffset(StringRef shared, uint64_t total) {
  auto file = object::ELF64LEFile::create(shared);
  if (!file)
    return file.takeError();
  auto sections = file->sections();
  if (!sections)
    return sections.takeError();
  for (const object::ELF64LE::Shdr &table : *sections) {
    if (table.sh_type != ELF::SHT_SYMTAB)
      continue;
    auto symbols = file->symbols(&table);
    auto strings = file->getStringTableForSymtab(table, *sections);
    if (!symbols)
      return symbols.takeError();
    if (!strings)
      return strings.takeError();
    for (const object::ELF64LE::Sym &symbol : *symbols) {
      Expected<StringRef> name = symbol.getName(*strings);
      if (!name)
        return name.takeError();
      if (*name != weightsSymbol)
        continue;
      auto section = file->getSection(symbol.st_shndx);
      if (!section)
        return section.takeError();
      uint64_t inside = symbol.st_value - (*section)->sh_addr, at = (*section)->sh_offset + inside;
      if ((*section)->sh_type != ELF::SHT_PROGBITS || inside > (*section)->sh_size ||
          total > (*section)->sh_size - inside || at > shared.size() || total > shared.size() - at)
        return createStringError("the linker left no place for the weights");
      return at;
    }
  }
  return createStringError("the linker left out the weights");
}

Error appendWeightsSection(SmallVectorImpl<char> &object) {
  StringRef bytes(object.data(), object.size());
  auto file = object::ELF64LEFile::create(bytes);
  if (!file)
    return file.takeError();
  auto sections = file->sections();
  if (!sections)
    return sections.takeError();
  for (const object::ELF64LE::Shdr &section : *sections) {
    Expected<StringRef> name = file->getSectionName(section);
    if (!name)
      return name.takeError();
    if (*name != weightsSection)
      continue;
    object::ELF64LE::Shdr filled = section;
    filled.sh_type = ELF::SHT_PROGBITS;
    filled.sh_offset = alignTo(object.size(), weightsAlignment);
    size_t at = reinterpret_cast<const char *>(&section) - object.data();
    memcpy(object.data() + at, &filled, sizeof(filled));
    object.resize(filled.sh_offset);
    return Error::success();
  }
  return createStringError("the linker left out the weights");
}

} // namespace burin
