// SPDX-License-Identifier: Apache-2.0
//
// Tensors in this program: element types, memory, files.

#ifndef BURIN_RUN_TENSOR_H
#define BURIN_RUN_TENSOR_H

#include "burin/burin.h"

#include <string>
#include <vector>

namespace burin::run {

/// Exit codes of the command line (the same as burin's).
enum ExitCode { Ok = 0, Failed = 1, BadInput = 2, Unsupported = 3, Internal = 4 };

/// What ends the work: a message for the user and the exit code.
struct Error {
  ExitCode code;
  std::string message;
};

/// printf into a string.
[[gnu::format(printf, 1, 2)]] std::string format(const char *format, ...);

/// How bits of an element are to be read.
enum class Kind { Float, Signed, Unsigned, Bool, Complex };

struct TypeInfo {
  uint32_t dtype;       // burin_dtype
  const char *name;     // ONNX's name in lower case
  const char *npy;      // numpy's descr, null where numpy has no such type
  Kind kind;
  unsigned bits;        // of an element in a file
  unsigned bytes;       // of an element in memory
};

/// Null for strings and what is no tensor element.
const TypeInfo *typeInfo(uint32_t dtype);

/// "float32[1,3,224,224]".
std::string describe(uint32_t dtype, const std::vector<int64_t> &shape);

/// Elements of a shape; throws where a size is negative or the product overflows.
uint64_t elementCount(const std::vector<int64_t> &shape);

/// Zeroed pages, given back on destruction; touched pages alone count as memory.
class Memory {
public:
  Memory() = default;
  explicit Memory(uint64_t bytes);
  ~Memory();
  Memory(Memory &&other) noexcept : address(other.address), size(other.size) {
    other.address = nullptr;
    other.size = 0;
  }
  Memory &operator=(Memory &&other) noexcept {
    std::swap(address, other.address);
    std::swap(size, other.size);
    return *this;
  }
  unsigned char *data() const { return address; }
  uint64_t bytes() const { return size; }

private:
  unsigned char *address = nullptr;
  uint64_t size = 0;
};

/// Dense, row-major; an element of under 8 bits takes a byte.
struct Tensor {
  uint32_t dtype = 0;
  std::vector<int64_t> shape;
  Memory memory;
};

/// Reads a .npy or .pb (TensorProto) file, told apart by their content.
Tensor readTensor(const std::string &path);

/// Writes `tensor` as `folder`/`stem`.npy, or .pb where numpy lacks the type, whole or
/// not at all; `name` goes into the .pb. Returns the path. `taken` are the file names
/// used so far, to which this one is added.
std::string writeTensor(const std::string &folder, const std::string &name, uint32_t dtype,
                        const std::vector<int64_t> &shape, const unsigned char *data,
                        std::vector<std::string> &taken);

/// Writes a file of text, whole or not at all.
void writeFile(const std::string &path, const std::string &text);

/// Makes an interruption remove the file being written and exit with `Failed`.
void cleanUpOnSignals();

//===- The two formats --------------------------------------------------------===//

/// A whole file, mapped for reading.
class MappedFile {
public:
  explicit MappedFile(const std::string &path);
  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  const unsigned char *begin() const { return address; }
  const unsigned char *end() const { return address + size; }

private:
  unsigned char *address = nullptr;
  uint64_t size = 0;
};

/// Copies out of a mapped file, letting go of its pages on the way, so that a large
/// tensor is in memory once.
void copyOut(unsigned char *to, const unsigned char *from, uint64_t bytes);

bool isNpy(const MappedFile &file);
Tensor readNpy(const MappedFile &file);
/// The bytes before the data of a .npy file.
std::string npyHeader(const TypeInfo &type, const std::vector<int64_t> &shape);

Tensor readTensorProto(const MappedFile &file);
/// The bytes before the data of a TensorProto file with raw data of so many bytes.
std::string tensorProtoHeader(const std::string &name, uint32_t dtype,
                              const std::vector<int64_t> &shape, uint64_t rawBytes);

} // namespace burin::run

#endif
