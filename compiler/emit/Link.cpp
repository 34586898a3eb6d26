// SPDX-License-Identifier: Apache-2.0
//
// Linking in this process, with lld and LLVM's objcopy and archive libraries, so
// that a machine needs no toolchain to compile a model.

#include "compiler/emit/Artifact.h"
#include "compiler/emit/Embedded.h"
#include "lld/Common/Driver.h"
#include "llvm/ObjCopy/CommonConfig.h"
#include "llvm/ObjCopy/ConfigManager.h"
#include "llvm/ObjCopy/ObjCopy.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

LLD_HAS_DRIVER(elf)

using namespace llvm;

namespace burin {
namespace {

class Linker {
public:
  Linker(const LinkInput &input, StringRef temporary) : input(input), temporary(temporary) {}

  Error shared(StringRef output) {
    std::vector<std::string> files;
    if (Error error = gather(files, /*withRuntime=*/true))
      return error;
    Expected<std::string> libc = spill("libc.so.6", embedded::libcStub(input.architecture));
    if (!libc)
      return libc.takeError();
    std::string exports = inTemporary("exports");
    if (Error error = writeWhole(exports, [&](raw_ostream &out) {
          out << "{ global: " << entry() << "; local: *; };\n";
          return Error::success();
        }))
      return error;
    std::string result = inTemporary("model.so");
    std::vector<std::string> args{
        "ld.lld", "-shared", "-o", result,
        "-soname", sys::path::filename(output).str(),
        "--version-script", exports, "--no-undefined", "--gc-sections", "--build-id=none",
        "--hash-style=gnu", "-z", "now", "-z", "relro", "-z", "noexecstack",
        "--threads=1"};
    args.insert(args.end(), files.begin(), files.end());
    args.push_back(*libc);
    if (Error error = run(args))
      return error;
    return install(result, output);
  }

  Error relocatable(StringRef output, bool withRuntime) {
    std::vector<std::string> files;
    if (Error error = gather(files, withRuntime))
      return error;
    std::string joined = inTemporary("joined.o");
    std::vector<std::string> args{"ld.lld", "-r", "-o", joined, "--threads=1"};
    args.insert(args.end(), files.begin(), files.end());
    if (Error error = run(args))
      return error;
    return localize(joined, output);
  }

  Error archive(StringRef output) {
    std::string member = inTemporary(input.modelName + ".o");
    if (Error error = relocatable(member, /*withRuntime=*/false))
      return error;
    if (Error error = writeArchiveOf(member, output))
      return error;
    Expected<std::string> runtime = spillRuntime();
    if (!runtime)
      return runtime.takeError();
    SmallString<128> beside(sys::path::parent_path(output));
    sys::path::append(beside, "libburin_rt.a");
    return writeArchiveOf(*runtime, beside);
  }

private:
  std::string entry() const { return "burin_model_" + input.modelName; }

  std::string inTemporary(const Twine &name) const {
    SmallString<128> path(temporary);
    sys::path::append(path, name);
    return path.str().str();
  }

  Expected<std::string> spill(const Twine &name, StringRef bytes) {
    std::string path = inTemporary(name);
    if (Error error = writeWhole(path, [&](raw_ostream &out) {
          out << bytes;
          return Error::success();
        }))
      return error;
    return path;
  }

  Expected<std::string> spillRuntime() {
    return spill("burin_rt.o", embedded::runtimeObject(input.architecture));
  }

  /// All objects as files, in a fixed order.
  Error gather(std::vector<std::string> &files, bool withRuntime) {
    for (const Object &object : input.objects) {
      Expected<std::string> path =
          spill(object.name + ".o", StringRef(object.bytes.data(), object.bytes.size()));
      if (!path)
        return path.takeError();
      files.push_back(*path);
    }
    if (withRuntime) {
      Expected<std::string> path = spillRuntime();
      if (!path)
        return path.takeError();
      files.push_back(*path);
    }
    if (!input.weightsObject.empty())
      files.push_back(input.weightsObject);
    return Error::success();
  }

  static Error run(const std::vector<std::string> &args) {
    std::vector<const char *> pointers;
    for (const std::string &arg : args)
      pointers.push_back(arg.c_str());
    std::string messages;
    raw_string_ostream stream(messages);
    lld::Result result =
        lld::lldMain(pointers, stream, stream, {{lld::Gnu, &lld::elf::link}});
    if (result.retCode != 0)
      return createStringError("linking failed: " + messages);
    return Error::success();
  }

  /// Only the entry symbol stays global; two models then never collide.
  Error localize(StringRef from, StringRef to) {
    auto buffer = MemoryBuffer::getFile(from);
    if (!buffer)
      return createStringError("cannot read '" + from + "': " + buffer.getError().message());
    auto object = object::ObjectFile::createObjectFile((*buffer)->getMemBufferRef());
    if (!object)
      return object.takeError();
    objcopy::ConfigManager config;
    auto ignore = [](Error error) -> Error {
      consumeError(std::move(error));
      return Error::success();
    };
    std::string kept = entry(); // the matcher refers to it
    if (Error error = config.Common.SymbolsToKeepGlobal.addMatcher(objcopy::NameOrPattern::create(
            kept, objcopy::MatchStyle::Literal, ignore)))
      return error;
    return writeWhole(to, [&](raw_ostream &out) {
      return objcopy::executeObjcopyOnBinary(config, **object, out);
    });
  }

  static Error writeArchiveOf(StringRef member, StringRef output) {
    Expected<NewArchiveMember> loaded =
        NewArchiveMember::getFile(member, /*Deterministic=*/true);
    if (!loaded)
      return loaded.takeError();
    std::vector<NewArchiveMember> members;
    loaded->MemberName = sys::path::filename(member);
    members.push_back(std::move(*loaded));
    return writeWhole(output, [&](raw_ostream &out) {
      return writeArchiveToStream(out, members, SymtabWritingMode::NormalSymtab,
                                  object::Archive::K_GNU, /*Deterministic=*/true, /*Thin=*/false);
    });
  }

  /// Moves the finished file to its place: at once, or not at all.
  static Error install(StringRef from, StringRef to) {
    auto buffer = MemoryBuffer::getFile(from, false, /*RequiresNullTerminator=*/false);
    if (!buffer)
      return createStringError("cannot read '" + from + "': " + buffer.getError().message());
    if (Error error = writeWhole(to, [&](raw_ostream &out) {
          out << (*buffer)->getBuffer();
          return Error::success();
        }))
      return error;
    if (std::error_code code = sys::fs::setPermissions(
            to, sys::fs::owner_all | sys::fs::group_read | sys::fs::group_exe |
                    sys::fs::others_read | sys::fs::others_exe))
      return createStringError("cannot set permissions of '" + to + "': " + code.message());
    return Error::success();
  }

  const LinkInput &input;
  StringRef temporary;
};

} // namespace

Error linkArtifact(StringRef output, const LinkInput &input, StringRef temporary) {
  Linker linker(input, temporary);
  StringRef extension = sys::path::extension(output);
  if (extension == ".so")
    return linker.shared(output);
  if (extension == ".o")
    return linker.relocatable(output, /*withRuntime=*/true);
  if (extension == ".a")
    return linker.archive(output);
  return createStringError("cannot tell what to write: '" + output +
                           "' ends in none of .so, .a, .o");
}

Error writeDepfile(StringRef path, StringRef output, ArrayRef<std::string> inputs) {
  return writeWhole(path, [&](raw_ostream &out) {
    auto name = [&](StringRef file) {
      for (char c : file) {
        if (c == ' ' || c == '#')
          out << '\\';
        out << c << (c == '$' ? "$" : "");
      }
    };
    name(output);
    out << ":";
    for (StringRef input : inputs) {
      out << " \\\n  ";
      name(input);
    }
    out << "\n";
    return Error::success();
  });
}

} // namespace burin
