// SPDX-License-Identifier: Apache-2.0
//
// The C library's part of the list is read off the stub that artifacts are linked
// against, which runtime/libc-symbols.txt makes: one list says it all.

#include "compiler/emit/Artifact.h"
#include "compiler/emit/Embedded.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Object/ObjectFile.h"

using namespace llvm;

namespace burin {
namespace {

Expected<std::unique_ptr<object::ObjectFile>> open(StringRef bytes, StringRef name) {
  return object::ObjectFile::createELFObjectFile(MemoryBufferRef(bytes, name));
}

/// Adds the names that others may refer to.
Error addDefined(const object::ObjectFile &object, StringSet<> &names) {
  for (const object::SymbolRef &symbol : object.symbols()) {
    Expected<uint32_t> flags = symbol.getFlags();
    Expected<StringRef> name = symbol.getName();
    if (!flags || !name)
      return joinErrors(flags.takeError(), name.takeError());
    if ((*flags & object::SymbolRef::SF_Global) && !(*flags & object::SymbolRef::SF_Undefined))
      names.insert(*name);
  }
  return Error::success();
}

/// The function that a byte of a section belongs to, or nothing.
std::string functionAt(const object::ObjectFile &object, const object::SectionRef &section,
                       uint64_t offset) {
  for (const object::SymbolRef &symbol : object.symbols()) {
    Expected<object::SymbolRef::Type> type = symbol.getType();
    Expected<object::section_iterator> in = symbol.getSection();
    Expected<uint64_t> begin = symbol.getAddress();
    Expected<StringRef> name = symbol.getName();
    if (type && in && begin && name && *type == object::SymbolRef::ST_Function &&
        *in == object::section_iterator(section) && *begin <= offset &&
        offset - *begin < object::ELFSymbolRef(symbol).getSize())
      return name->str();
    consumeError(type.takeError());
    consumeError(in.takeError());
    consumeError(begin.takeError());
    consumeError(name.takeError());
  }
  return "";
}

/// The first function that refers to `wanted`, or nothing.
std::string userOf(const object::ObjectFile &object, const object::SymbolRef &wanted) {
  for (const object::SectionRef &section : object.sections()) {
    Expected<object::section_iterator> relocated = section.getRelocatedSection();
    if (!relocated || *relocated == object.section_end()) {
      consumeError(relocated.takeError());
      continue;
    }
    for (const object::RelocationRef &relocation : section.relocations())
      if (relocation.getSymbol() == object::symbol_iterator(wanted))
        if (std::string name = functionAt(object, **relocated, relocation.getOffset());
            !name.empty())
          return name;
  }
  return "";
}

Error check(const object::ObjectFile &object, StringRef objectName, const StringSet<> &allowed) {
  for (const object::SymbolRef &symbol : object.symbols()) {
    Expected<uint32_t> flags = symbol.getFlags();
    Expected<StringRef> name = symbol.getName();
    if (!flags || !name)
      return joinErrors(flags.takeError(), name.takeError());
    if (!(*flags & object::SymbolRef::SF_Undefined) || name->empty() || allowed.contains(*name))
      continue;
    std::string user = userOf(object, symbol);
    return createStringError("object '" + objectName + "' refers to '" + *name + "'" +
                             (user.empty() ? "" : " in '" + user + "'") +
                             ", which neither the artifact nor the list of the C library's "
                             "symbols has");
  }
  return Error::success();
}

} // namespace

Error checkSymbols(ArrayRef<Object> objects, Architecture architecture) {
  // The linker makes the table of addresses; the weights are an object of their own.
  StringSet<> allowed{"_GLOBAL_OFFSET_TABLE_", "burin_weights"};
  auto stub = open(embedded::libcStub(architecture), "libc.so.6");
  if (!stub)
    return stub.takeError();
  for (const object::ELFSymbolRef &symbol :
       cast<object::ELFObjectFileBase>(**stub).getDynamicSymbolIterators()) {
    Expected<StringRef> name = symbol.getName();
    if (!name)
      return name.takeError();
    allowed.insert(*name);
  }
  auto runtime = open(embedded::runtimeObject(architecture), "runtime");
  if (!runtime)
    return runtime.takeError();
  if (Error error = check(**runtime, "runtime", allowed))
    return error;
  if (Error error = addDefined(**runtime, allowed))
    return error;

  std::vector<std::unique_ptr<object::ObjectFile>> opened;
  for (const Object &object : objects) {
    auto file = open({object.bytes.data(), object.bytes.size()}, object.name);
    if (!file)
      return file.takeError();
    opened.push_back(std::move(*file));
    if (Error error = addDefined(*opened.back(), allowed))
      return error;
  }
  for (auto [object, file] : zip_equal(objects, opened))
    if (Error error = check(*file, object.name, allowed))
      return error;
  return Error::success();
}

} // namespace burin
