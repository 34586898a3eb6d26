// SPDX-License-Identifier: Apache-2.0
//
// numpy's .npy, versions 1 to 3: a magic, a Python dict of descr, fortran_order and
// shape, then the elements. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

#include "Tensor.h"

#include <cstring>

namespace burin::run {

static constexpr char magic[] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

bool isNpy(const MappedFile &file) {
  return size_t(file.end() - file.begin()) >= sizeof magic &&
         memcmp(file.begin(), magic, sizeof magic) == 0;
}

namespace {

/// Reads the header's dict: string keys, and values that are a string, True or False,
/// or a tuple of numbers.
class HeaderReader {
public:
  explicit HeaderReader(std::string text) : text(std::move(text)) {}

  void read(std::string &descr, bool &fortran, std::vector<int64_t> &shape) {
    bool haveDescr = false, haveOrder = false, haveShape = false;
    expect('{');
    while (!accept('}')) {
      std::string key = quoted();
      expect(':');
      if (key == "descr" && !haveDescr) {
        descr = quoted();
        haveDescr = true;
      } else if (key == "fortran_order" && !haveOrder) {
        fortran = truth();
        haveOrder = true;
      } else if (key == "shape" && !haveShape) {
        shape = tuple();
        haveShape = true;
      } else {
        bad();
      }
      accept(',');
    }
    if (!haveDescr || !haveOrder || !haveShape)
      bad();
  }

private:
  [[noreturn]] static void bad() {
    throw Error{BadInput, "its .npy header is not what numpy writes for a plain array"};
  }
  void skip() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t'))
      ++at;
  }
  bool accept(char c) {
    skip();
    if (at >= text.size() || text[at] != c)
      return false;
    ++at;
    return true;
  }
  void expect(char c) {
    if (!accept(c))
      bad();
  }
  std::string quoted() {
    skip();
    if (at >= text.size() || (text[at] != '\'' && text[at] != '"'))
      bad();
    size_t end = text.find(text[at], at + 1);
    if (end == std::string::npos)
      bad();
    std::string value = text.substr(at + 1, end - at - 1);
    at = end + 1;
    return value;
  }
  bool truth() {
    skip();
    for (bool value : {true, false}) {
      const char *word = value ? "True" : "False";
      if (text.compare(at, strlen(word), word) == 0) {
        at += strlen(word);
        return value;
      }
    }
    bad();
  }
  std::vector<int64_t> tuple() {
    std::vector<int64_t> sizes;
    expect('(');
    while (!accept(')')) {
      skip();
      int64_t value = 0;
      size_t begin = at;
      for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
        if (__builtin_mul_overflow(value, int64_t(10), &value) ||
            __builtin_add_overflow(value, int64_t(text[at] - '0'), &value))
          bad();
      if (at == begin || sizes.size() >= 64)
        bad();
      accept('L'); // numpy under Python 2
      sizes.push_back(value);
      accept(',');
    }
    return sizes;
  }

  std::string text;
  size_t at = 0;
};

const TypeInfo *typeOf(const std::string &descr) {
  for (uint32_t dtype = 1; dtype < 32; ++dtype) {
    const TypeInfo *type = typeInfo(dtype);
    if (!type || !type->npy)
      continue;
    // For a single byte numpy writes '|'; other writers may not.
    bool sameOrder = descr[0] == type->npy[0] || type->bytes == 1 || descr[0] == '=';
    if (sameOrder && descr.compare(1, std::string::npos, type->npy + 1) == 0)
      return type;
  }
  return nullptr;
}

/// Column-major to row-major.
void reorder(unsigned char *to, const unsigned char *from, const std::vector<int64_t> &shape,
             uint64_t count, unsigned bytes) {
  std::vector<uint64_t> strides(shape.size()), index(shape.size());
  uint64_t stride = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    strides[i] = stride;
    stride *= uint64_t(shape[i]);
  }
  for (uint64_t n = 0; n < count; ++n) {
    uint64_t source = 0;
    for (size_t i = 0; i < shape.size(); ++i)
      source += index[i] * strides[i];
    memcpy(to + n * bytes, from + source * bytes, bytes);
    for (size_t i = shape.size(); i-- > 0;) {
      if (++index[i] < uint64_t(shape[i]))
        break;
      index[i] = 0;
    }
  }
}

} // namespace

Tensor readNpy(const MappedFile &file) {
  const unsigned char *at = file.begin();
  size_t size = size_t(file.end() - at);
  unsigned lengthBytes = size > 6 && at[6] == 1 ? 2 : 4;
  size_t headerAt = 8 + lengthBytes;
  if (size < headerAt || at[6] < 1 || at[6] > 3)
    throw Error{BadInput, "a .npy file cut short, or of an unknown version"};
  size_t length = 0;
  for (unsigned i = lengthBytes; i-- > 0;)
    length = length << 8 | at[8 + i];
  if (length > size - headerAt || length > 1 << 20)
    throw Error{BadInput, "a .npy file cut short"};

  std::string descr;
  bool fortran = false;
  Tensor tensor;
  HeaderReader(std::string(reinterpret_cast<const char *>(at) + headerAt, length))
      .read(descr, fortran, tensor.shape);
  const TypeInfo *type = descr.size() < 2 ? nullptr : typeOf(descr);
  if (!type)
    throw Error{BadInput, "holds elements of type '" + descr +
                              "', which is none of ONNX's (or big-endian): convert it with "
                              "numpy's astype, or give a .pb file"};
  tensor.dtype = type->dtype;
  uint64_t count = elementCount(tensor.shape), bytes = count * type->bytes;
  if (bytes > size - headerAt - length)
    throw Error{BadInput, format("cut short: %s takes %llu bytes, the file has %llu",
                                 describe(type->dtype, tensor.shape).c_str(),
                                 (unsigned long long)bytes,
                                 (unsigned long long)(size - headerAt - length))};
  tensor.memory = Memory(bytes);
  const unsigned char *data = at + headerAt + length;
  if (fortran && tensor.shape.size() > 1)
    reorder(tensor.memory.data(), data, tensor.shape, count, type->bytes);
  else
    copyOut(tensor.memory.data(), data, bytes);
  return tensor;
}

std::string npyHeader(const TypeInfo &type, const std::vector<int64_t> &shape) {
  std::string dict = std::string("{'descr': '") + type.npy + "', 'fortran_order': False, 'shape': (";
  for (size_t i = 0; i < shape.size(); ++i)
    dict += (i ? ", " : "") + std::to_string(shape[i]);
  dict += shape.size() == 1 ? ",), }" : "), }";
  // Spaces up to a multiple of 64, so that the data are aligned in a mapping.
  size_t total = (sizeof magic + 2 + 2 + dict.size() + 1 + 63) / 64 * 64;
  size_t length = total - sizeof magic - 4;
  dict.resize(length - 1, ' ');
  dict += '\n';
  std::string header(magic, sizeof magic);
  header += '\1';
  header += '\0';
  header += char(length & 0xff);
  header += char(length >> 8);
  return header + dict;
}

} // namespace burin::run
