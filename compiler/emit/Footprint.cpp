// SPDX-License-Identifier: Apache-2.0
//
// Code and stack are read off the objects: LLVM notes the frame of each function in a section
// .stack_sizes, which is linked to the section of the code.

#include "compiler/emit/Artifact.h"
#include "compiler/emit/Embedded.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Object/ELF.h"
#include "llvm/Support/DataExtractor.h"

using namespace llvm;

namespace burin {
namespace {

using Elf = object::ELFFile<object::ELF64LE>;

/// What a frame takes beyond the size that LLVM notes: the return address, and what is lost to
/// the alignment of a frame that holds vectors.
constexpr uint64_t frameOverhead = 8 + 64;

/// What lies under the last frame: the red zone, and the C library's block moves and system calls,
/// which keep next to nothing on the stack.
constexpr uint64_t leafBytes = 128 + 512;

class Code {
public:
  static Expected<Code> read(StringRef name, StringRef bytes) {
    Expected<Elf> file = Elf::create(bytes);
    if (!file)
      return file.takeError();
    Code code(*file);
    if (Error error = code.scan(name))
      return std::move(error);
    return code;
  }

  uint64_t bytes = 0; // of machine code

  /// The largest frame of any function.
  uint64_t largestFrame() const {
    uint64_t largest = 0;
    for (auto [section, frame] : frames)
      largest = std::max(largest, frame);
    return largest;
  }

  /// All frames of `root` and of what it refers to, directly or not: none of these functions
  /// calls itself, so that no call chain takes more. Each has a section of its own.
  Expected<uint64_t> reachableFrames(StringRef root) const {
    auto sections = file.sections();
    if (!sections)
      return sections.takeError();
    SetVector<uint32_t> reached;
    for (const Elf::Elf_Shdr &section : *sections)
      if (section.sh_type == ELF::SHT_SYMTAB)
        if (Error error = addNamed(section, root, reached))
          return std::move(error);
    for (size_t i = 0; i < reached.size(); ++i) // grows on the way
      for (const Elf::Elf_Shdr &section : *sections)
        if (section.sh_type == ELF::SHT_RELA && section.sh_info == reached[i])
          if (Error error = addTargets(section, reached))
            return std::move(error);
    uint64_t sum = 0;
    for (uint32_t section : reached)
      sum += frames.lookup(section);
    return sum;
  }

private:
  explicit Code(const Elf &file) : file(file) {}

  Error scan(StringRef object) {
    auto sections = file.sections();
    if (!sections)
      return sections.takeError();
    for (const Elf::Elf_Shdr &section : *sections) {
      if (section.sh_flags & ELF::SHF_EXECINSTR)
        bytes += section.sh_size;
      Expected<StringRef> name = file.getSectionName(section);
      if (!name)
        return name.takeError();
      if (*name != ".stack_sizes")
        continue;
      Expected<ArrayRef<uint8_t>> data = file.getSectionContents(section);
      if (!data)
        return data.takeError();
      DataExtractor extractor(*data, /*IsLittleEndian=*/true, /*AddressSize=*/8);
      DataExtractor::Cursor at(0);
      while (at && !extractor.eof(at)) {
        extractor.skip(at, 8); // the function's address
        uint64_t frame = extractor.getULEB128(at) + frameOverhead;
        uint64_t &largest = frames[section.sh_link];
        largest = std::max(largest, frame);
        ++noted;
      }
      if (Error error = at.takeError())
        return error;
    }
    return checkAllNoted(object, *sections);
  }

  /// A frame of no fixed size is not noted.
  Error checkAllNoted(StringRef object, Elf::Elf_Shdr_Range sections) const {
    size_t functions = 0;
    for (const Elf::Elf_Shdr &section : sections) {
      if (section.sh_type != ELF::SHT_SYMTAB)
        continue;
      auto symbols = file.symbols(&section);
      if (!symbols)
        return symbols.takeError();
      functions += size_t(llvm::count_if(*symbols, [](const Elf::Elf_Sym &symbol) {
        return symbol.getType() == ELF::STT_FUNC && symbol.st_shndx != ELF::SHN_UNDEF;
      }));
    }
    if (functions == noted)
      return Error::success();
    return createStringError("object '" + object + "' has " + Twine(functions) +
                             " functions, but the frames of " + Twine(noted) + " are known");
  }

  void add(const Elf::Elf_Sym &symbol, SetVector<uint32_t> &to) const {
    if (frames.count(symbol.st_shndx))
      to.insert(symbol.st_shndx);
  }

  Error addNamed(const Elf::Elf_Shdr &table, StringRef wanted, SetVector<uint32_t> &to) const {
    auto symbols = file.symbols(&table);
    auto names = file.getStringTableForSymtab(table);
    if (!symbols || !names)
      return joinErrors(symbols.takeError(), names.takeError());
    for (const Elf::Elf_Sym &symbol : *symbols) {
      Expected<StringRef> name = symbol.getName(*names);
      if (!name)
        return name.takeError();
      if (*name == wanted)
        add(symbol, to);
    }
    return Error::success();
  }

  Error addTargets(const Elf::Elf_Shdr &relocations, SetVector<uint32_t> &to) const {
    auto list = file.relas(relocations);
    auto table = file.getSection(relocations.sh_link);
    if (!list || !table)
      return joinErrors(list.takeError(), table.takeError());
    for (const Elf::Elf_Rela &relocation : *list) {
      auto symbol = file.getRelocationSymbol(relocation, *table);
      if (!symbol)
        return symbol.takeError();
      if (*symbol)
        add(**symbol, to);
    }
    return Error::success();
  }

  Elf file;
  DenseMap<uint32_t, uint64_t> frames; // by section: its largest
  size_t noted = 0;
};

} // namespace

Expected<Footprint> footprintOf(ArrayRef<Object> kernels, const Object &program,
                                Architecture architecture) {
  auto read = [](const Object &object) {
    return Code::read(object.name, {object.bytes.data(), object.bytes.size()});
  };
  Expected<Code> runtime = Code::read("runtime", embedded::runtimeObject(architecture));
  if (!runtime)
    return runtime.takeError();
  Expected<uint64_t> runtimeFrames = runtime->reachableFrames("burin_rt_run_batch");
  if (!runtimeFrames)
    return runtimeFrames.takeError();
  Expected<Code> mains = read(program);
  if (!mains)
    return mains.takeError();
  Footprint result{runtime->bytes + mains->bytes, 0};
  uint64_t kernelFrame = 0; // kernels call nothing but the C library
  for (const Object &object : kernels) {
    Expected<Code> code = read(object);
    if (!code)
      return code.takeError();
    result.codeBytes += code->bytes;
    kernelFrame = std::max(kernelFrame, code->largestFrame());
  }
  result.stackBytes =
      alignTo(*runtimeFrames + mains->largestFrame() + kernelFrame + leafBytes, 16);
  return result;
}

} // namespace burin
