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

  Error relocatable(StringRef output) {
    SmallString<0> object;
    if (Error error = join(object, /*withRuntime=*/true))
      return error;
    return writeWhole(output, [&](raw_ostream &out) {
      out << object;
      return fill(out);
    });
  }

  Error archive(StringRef output) {
    SmallString<0> object;
    if (Error error = join(object, /*withRuntime=*/false))
      return error;
    // The runtime first: a disk that is full leaves no model without it.
    SmallString<128> beside(sys::path::parent_path(output));
    sys::path::append(beside, "libburin_rt.a");
    if (Error error = writeArchive(beside, "burin_rt.o", embedded::runtimeObject(input.architecture), 0))
      return error;
    return writeArchive(output, input.modelName + ".o", object, input.weightsBytes);
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

  /// All objects as one, but for the bytes of weights, which belong behind it.
  Error join(SmallVectorImpl<char> &object, bool withRuntime) {
    std::vector<std::string> files;
    if (Error error = gather(files, withRuntime))
      return error;
    std::string joined = inTemporary("joined.o");
    std::vector<std::string> args{"ld.lld", "-r", "-o", joined, "--threads=1"};
    args.insert(args.end(), files.begin(), files.end());
    if (Error error = run(args))
      return error;
    raw_svector_ostream out(object);
    if (Error error = localize(joined, out))
      return error;
    return input.weightsBytes ? appendWeightsSection(object) : Error::success();
  }

  Error fill(raw_ostream &out) const {
    if (!input.weightsBytes)
      return Error::success();
    uint64_t before = out.tell();
    if (Error error = input.writeWeights(out))
      return error;
    if (out.tell() - before != input.weightsBytes)
      return createStringError("the weights are of another length than the plan says");
    return Error::success();
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
      Expected<std::string> path =
          spill("burin_rt.o", embedded::runtimeObject(input.architecture));
      if (!path)
        return path.takeError();
      files.push_back(*path);
    }
    if (!input.weightsBytes)
      return Error::success();
    files.push_back(inTemporary("weights.o"));
    return writeWeightsPlaceholder(files.back(), input.architecture, input.weightsBytes);
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
  Error localize(StringRef from, raw_ostream &out) {
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
    return objcopy::executeObjcopyOnBinary(config, **object, out);
  }

  /// An archive of one member: `object`, and `more` bytes of weights behind it.
  Error writeArchive(StringRef output, StringRef name, StringRef object, uint64_t more) {
    std::vector<NewArchiveMember> members;
    members.emplace_back(MemoryBufferRef(object, name));
    SmallString<0> text;
    raw_svector_ostream stream(text);
    if (Error error = writeArchiveToStream(stream, members, SymtabWritingMode::NormalSymtab,
                                           object::Archive::K_GNU, /*Deterministic=*/true,
                                           /*Thin=*/false))
      return error;
    if (more) {
      // The member is the last; its header, of 60 bytes, says its size in ten decimals behind 48.
      text.truncate(text.size() - object.size() % 2);
      std::string size = std::to_string(object.size() + more);
      if (size.size() > 10)
        return createStringError("cannot write '" + output + "': an archive takes no member of " +
                                 size + " bytes; write the weights to a file of their own with --weights");
      size.resize(10, ' ');
      memcpy(text.end() - object.size() - 60 + 48, size.data(), size.size());
    }
    return writeWhole(output, [&](raw_ostream &out) -> Error {
      out << text;
      if (Error error = more ? fill(out) : Error::success())
        return error;
      if (more && (object.size() + more) % 2)
        out << '\n';
      return Error::success();
    });
  }

  /// Moves the finished file to its place, the weights in theirs: at once, or not at all.
  Error install(StringRef from, StringRef to) {
    auto buffer = MemoryBuffer::getFile(from, false, /*RequiresNullTerminator=*/false);
    if (!buffer)
      return createStringError("cannot read '" + from + "': " + buffer.getError().message());
    StringRef linked = (*buffer)->getBuffer();
    uint64_t at = 0;
    if (input.weightsBytes) {
      Expected<uint64_t> offset = weightsOffset(linked, input.weightsBytes);
      if (!offset)
        return offset.takeError();
      at = *offset;
    }
    if (Error error = writeWhole(to, [&](raw_ostream &out) -> Error {
          out << linked.take_front(at);
          if (Error failed = fill(out))
            return failed;
          out << linked.drop_front(at + input.weightsBytes);
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
    return linker.relocatable(output);
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
