// SPDX-License-Identifier: Apache-2.0
#include "Tensor.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace burin::run {

std::string format(const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(nullptr, 0, format, arguments);
  va_end(arguments);
  std::string text(size_t(std::max(length, 0)) + 1, '\0');
  vsnprintf(text.data(), text.size(), format, again);
  va_end(again);
  text.pop_back();
  return text;
}

//===- Types ------------------------------------------------------------------===//

static constexpr TypeInfo types[] = {
    {BURIN_F32, "float32", "<f4", Kind::Float, 32, 4},
    {BURIN_U8, "uint8", "|u1", Kind::Unsigned, 8, 1},
    {BURIN_I8, "int8", "|i1", Kind::Signed, 8, 1},
    {BURIN_U16, "uint16", "<u2", Kind::Unsigned, 16, 2},
    {BURIN_I16, "int16", "<i2", Kind::Signed, 16, 2},
    {BURIN_I32, "int32", "<i4", Kind::Signed, 32, 4},
    {BURIN_I64, "int64", "<i8", Kind::Signed, 64, 8},
    {BURIN_BOOL, "bool", "|b1", Kind::Bool, 8, 1},
    {BURIN_F16, "float16", "<f2", Kind::Float, 16, 2},
    {BURIN_F64, "float64", "<f8", Kind::Float, 64, 8},
    {BURIN_U32, "uint32", "<u4", Kind::Unsigned, 32, 4},
    {BURIN_U64, "uint64", "<u8", Kind::Unsigned, 64, 8},
    {BURIN_C64, "complex64", "<c8", Kind::Complex, 64, 8},
    {BURIN_C128, "complex128", "<c16", Kind::Complex, 128, 16},
    {BURIN_BF16, "bfloat16", nullptr, Kind::Float, 16, 2},
    {BURIN_F8E4M3FN, "float8e4m3fn", nullptr, Kind::Float, 8, 1},
    {BURIN_F8E4M3FNUZ, "float8e4m3fnuz", nullptr, Kind::Float, 8, 1},
    {BURIN_F8E5M2, "float8e5m2", nullptr, Kind::Float, 8, 1},
    {BURIN_F8E5M2FNUZ, "float8e5m2fnuz", nullptr, Kind::Float, 8, 1},
    {BURIN_U4, "uint4", nullptr, Kind::Unsigned, 4, 1},
    {BURIN_I4, "int4", nullptr, Kind::Signed, 4, 1},
    {BURIN_F4E2M1, "float4e2m1", nullptr, Kind::Float, 4, 1},
    {BURIN_F8E8M0, "float8e8m0", nullptr, Kind::Float, 8, 1},
    {BURIN_U2, "uint2", nullptr, Kind::Unsigned, 2, 1},
    {BURIN_I2, "int2", nullptr, Kind::Signed, 2, 1},
};

const TypeInfo *typeInfo(uint32_t dtype) {
  for (const TypeInfo &type : types)
    if (type.dtype == dtype)
      return &type;
  return nullptr;
}

std::string describe(uint32_t dtype, const std::vector<int64_t> &shape) {
  const TypeInfo *type = typeInfo(dtype);
  std::string text = type ? type->name : dtype == BURIN_STRING ? "string" : "unknown";
  text += '[';
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? "," : "") + (shape[i] < 0 ? std::string("?") : std::to_string(shape[i]));
  return text + ']';
}

uint64_t elementCount(const std::vector<int64_t> &shape) {
  uint64_t count = 1;
  bool empty = false;
  for (int64_t size : shape) {
    empty |= size == 0;
    // 2^56: times the largest element that is still an int64_t.
    if (size < 0 || (size > 0 && count > (uint64_t(1) << 56) / uint64_t(size)))
      throw Error{BadInput, "a tensor's sizes are negative or pass 2^56 elements"};
    if (size > 0)
      count *= uint64_t(size);
  }
  return empty ? 0 : count;
}

//===- Memory and files -------------------------------------------------------===//

Memory::Memory(uint64_t bytes) : size(bytes) {
  if (!bytes)
    return;
  void *mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED)
    throw Error{Failed, format("no memory for %llu bytes", (unsigned long long)bytes)};
  address = static_cast<unsigned char *>(mapped);
}

Memory::~Memory() {
  if (address)
    munmap(address, size);
}

MappedFile::MappedFile(const std::string &path) {
  int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (file < 0 || fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    std::string why = file < 0 ? strerror(errno) : "not a regular file";
    if (file >= 0)
      close(file);
    throw Error{BadInput, why};
  }
  size = uint64_t(status.st_size);
  if (size) {
    void *mapped = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (mapped == MAP_FAILED) {
      close(file);
      throw Error{Failed, "cannot be mapped"};
    }
    address = static_cast<unsigned char *>(mapped);
  }
  close(file);
}

MappedFile::~MappedFile() {
  if (address)
    munmap(address, size);
}

void copyOut(unsigned char *to, const unsigned char *from, uint64_t bytes) {
  constexpr uint64_t step = 1 << 20;
  const uint64_t page = uint64_t(sysconf(_SC_PAGESIZE));
  for (uint64_t done = 0; done < bytes; done += step) {
    uint64_t now = std::min(step, bytes - done);
    memcpy(to + done, from + done, now);
    // Whole pages inside the part just read; what is touched again is read again.
    auto begin = (reinterpret_cast<uintptr_t>(from + done) + page - 1) / page * page;
    auto end = reinterpret_cast<uintptr_t>(from + done + now) / page * page;
    if (end > begin)
      madvise(reinterpret_cast<void *>(begin), end - begin, MADV_DONTNEED);
  }
}

Tensor readTensor(const std::string &path) {
  try {
    MappedFile file(path);
    if (file.begin() == file.end())
      throw Error{BadInput, "is empty"};
    return isNpy(file) ? readNpy(file) : readTensorProto(file);
  } catch (Error &error) {
    error.message = "'" + path + "': " + error.message;
    throw;
  }
}

namespace {

/// The file being written, for the signal handler: an interruption leaves none behind.
char unfinished[4096];

void removeUnfinished(int) {
  if (unfinished[0])
    unlink(unfinished);
  _exit(Failed);
}

/// A file that appears under its name when it is complete.
class OutputFile {
public:
  explicit OutputFile(const std::string &path)
      : path(path), temporary(path + ".part" + std::to_string(getpid())) {
    if (temporary.size() >= sizeof unfinished)
      throw Error{BadInput, "'" + path + "': the path is too long"};
    memcpy(unfinished, temporary.c_str(), temporary.size() + 1);
    file = fopen(temporary.c_str(), "wb");
    if (!file)
      fail(BadInput);
  }

  void write(const void *data, uint64_t bytes) {
    if (bytes && fwrite(data, 1, bytes, file) != bytes)
      fail(Failed);
  }

  void finish() {
    int closed = fclose(file);
    file = nullptr;
    if (closed != 0 || rename(temporary.c_str(), path.c_str()) != 0)
      fail(Failed);
    unfinished[0] = 0;
  }

private:
  [[noreturn]] void fail(ExitCode code) {
    std::string why = strerror(errno);
    if (file)
      fclose(file);
    unlink(temporary.c_str());
    unfinished[0] = 0;
    throw Error{code, "cannot write '" + path + "': " + why};
  }

  std::string path, temporary;
  FILE *file = nullptr;
};

/// Elements of under 8 bits, packed as ONNX has them: the first in the lowest bits.
void writePacked(OutputFile &file, const TypeInfo &type, const unsigned char *data,
                 uint64_t count) {
  unsigned perByte = 8 / type.bits, mask = (1u << type.bits) - 1;
  std::vector<unsigned char> block;
  for (uint64_t i = 0; i < count;) {
    block.clear();
    while (i < count && block.size() < 65536) {
      unsigned packed = 0;
      for (unsigned k = 0; k < perByte && i < count; ++k, ++i)
        packed |= (data[i] & mask) << (k * type.bits);
      block.push_back(static_cast<unsigned char>(packed));
    }
    file.write(block.data(), block.size());
  }
}

} // namespace

void cleanUpOnSignals() {
  signal(SIGINT, removeUnfinished);
  signal(SIGTERM, removeUnfinished);
}

std::string writeTensor(const std::string &folder, const std::string &name, uint32_t dtype,
                        const std::vector<int64_t> &shape, const unsigned char *data,
                        std::vector<std::string> &taken) {
  const TypeInfo *type = typeInfo(dtype);
  if (!type)
    throw Error{Unsupported, "output '" + name + "' has a type that no file can hold"};
  constexpr size_t longest = 200; // file systems have 255 bytes for a name
  std::string stem = name.empty() ? "output" : name.substr(0, longest);
  for (char &c : stem)
    if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
          c == '.' || c == '_' || c == '-'))
      c = '_';
  const char *extension = type->npy ? ".npy" : ".pb";
  std::string file = stem + extension;
  for (int i = 2; std::find(taken.begin(), taken.end(), file) != taken.end(); ++i)
    file = stem + "-" + std::to_string(i) + extension;
  taken.push_back(file);

  std::string path = folder + "/" + file;
  uint64_t count = elementCount(shape);
  uint64_t bytes = (count * type->bits + 7) / 8;
  OutputFile output(path);
  std::string header =
      type->npy ? npyHeader(*type, shape) : tensorProtoHeader(name, dtype, shape, bytes);
  output.write(header.data(), header.size());
  if (type->bits < 8)
    writePacked(output, *type, data, count);
  else
    output.write(data, bytes);
  output.finish();
  return path;
}

void writeFile(const std::string &path, const std::string &text) {
  OutputFile output(path);
  output.write(text.data(), text.size());
  output.finish();
}

} // namespace burin::run
