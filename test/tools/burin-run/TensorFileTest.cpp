// SPDX-License-Identifier: Apache-2.0
//
// The two tensor formats: written and read back, read as others write them, and every
// truncation and every damaged byte refused or survived.

#include "tools/burin-run/Compare.h"
#include "tools/burin-run/Tensor.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

using namespace burin::run;

#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                      \
      exit(1);                                                                                     \
    }                                                                                              \
  } while (0)

static std::string folder;

static std::string writeFile(const std::string &bytes) {
  std::string path = folder + "/file";
  unlink(path.c_str()); // some file systems wait for the disk where a file is overwritten
  FILE *file = fopen(path.c_str(), "wb");
  CHECK(file && fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size());
  fclose(file);
  return path;
}

static std::string readFile(const std::string &path) {
  MappedFile file(path);
  return {file.begin(), file.end()};
}

static bool refused(const std::string &bytes, const char *says) {
  try {
    readTensor(writeFile(bytes));
  } catch (const Error &error) {
    if (error.message.find(says) == std::string::npos)
      fprintf(stderr, "'%s' does not say '%s'\n", error.message.c_str(), says);
    return error.message.find(says) != std::string::npos;
  }
  return false;
}

template <typename T> static bool holds(const Tensor &tensor, std::vector<T> values) {
  return tensor.memory.bytes() == values.size() * sizeof(T) && (values.empty() ||
         memcmp(tensor.memory.data(), values.data(), values.size() * sizeof(T)) == 0);
}

static void testRoundTrips() {
  std::vector<std::string> taken;
  for (uint32_t dtype = 1; dtype <= 26; ++dtype) {
    const TypeInfo *type = typeInfo(dtype);
    if (!type)
      continue;
    for (const std::vector<int64_t> &shape :
         {std::vector<int64_t>{}, {0, 4}, {7}, {2, 3, 5}}) {
      uint64_t count = elementCount(shape);
      std::vector<unsigned char> data(count * type->bytes);
      for (size_t i = 0; i < data.size(); ++i) {
        data[i] = static_cast<unsigned char>(i * 37 + dtype);
        if (type->bits < 8) {
          data[i] &= (1 << type->bits) - 1;
          if (type->kind == Kind::Signed && data[i] >> (type->bits - 1))
            data[i] |= static_cast<unsigned char>(0xff << type->bits);
        }
      }
      std::string path = writeTensor(folder, "a/b:c", dtype, shape, data.data(), taken);
      Tensor tensor = readTensor(path);
      CHECK(tensor.dtype == dtype && tensor.shape == shape && holds(tensor, data));
    }
  }
  CHECK(taken[0] == "a_b_c.npy" && taken[1] == "a_b_c-2.npy" && taken[2] == "a_b_c-3.npy");
}

static void testNpyAsNumpyWritesIt() {
  // np.save(np.arange(6, dtype="<i2").reshape(2, 3).T): column-major, shape (3, 2)
  std::string dict = "{'descr': '<i2', 'fortran_order': True, 'shape': (3, 2), }";
  dict.resize(117, ' ');
  dict += '\n';
  std::string header = std::string("\x93NUMPY\1\0\x76\0", 10) + dict;
  std::string data("\0\0\1\0\2\0\3\0\4\0\5\0", 12);
  Tensor tensor = readTensor(writeFile(header + data));
  CHECK(tensor.dtype == BURIN_I16 && (tensor.shape == std::vector<int64_t>{3, 2}));
  CHECK(holds<int16_t>(tensor, {0, 3, 1, 4, 2, 5}));
  CHECK(refused(header + data.substr(1), "cut short"));
  std::string big = header + data;
  big[big.find('<')] = '>';
  CHECK(refused(big, "'>i2'"));
  CHECK(npyHeader(*typeInfo(BURIN_F32), {1, 3}).size() % 64 == 0);
}

static void testTypedFields() {
  // dims = 2 (unpacked), data_type = 1, float_data packed {1, -2}
  Tensor tensor = readTensor(writeFile(std::string("\x08\2\x10\1\x22\x08\0\0\x80\x3f\0\0\0\xc0", 14)));
  CHECK(tensor.dtype == BURIN_F32 && holds<float>(tensor, {1, -2}));
  // float_data unpacked
  tensor = readTensor(writeFile(std::string("\x08\1\x10\1\x25\0\0\x80\x3f", 9)));
  CHECK(holds<float>(tensor, {1}));
  // dims packed, int32_data of f16: 0x3c00
  tensor = readTensor(writeFile(std::string("\x0a\1\1\x10\x0a\x2a\2\x80\x78", 9)));
  CHECK(tensor.dtype == BURIN_F16 && holds<uint16_t>(tensor, {0x3c00}));
  // int8 -1 as a ten-byte varint
  tensor = readTensor(writeFile(
      std::string("\x08\1\x10\3\x2a\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 16)));
  CHECK(holds<int8_t>(tensor, {-1}));
  // three int4 {1, -2, 3} in two numbers of int32_data: 0xe1, 0x03
  tensor = readTensor(writeFile(std::string("\x08\3\x10\x16\x2a\3\xe1\1\3", 9)));
  CHECK(tensor.dtype == BURIN_I4 && holds<int8_t>(tensor, {1, -2, 3}));
  // a scalar bool; no dims at all
  tensor = readTensor(writeFile(std::string("\x10\x09\x2a\1\1", 5)));
  CHECK(tensor.shape.empty() && holds<uint8_t>(tensor, {1}));

  CHECK(refused(std::string("\x08\2\x10\1\x22\4\0\0\x80\x3f", 10), "1 of the 2 elements"));
  CHECK(refused(std::string("\x10\1\x22\x08\0\0\x80\x3f\0\0\0\xc0", 12), "more elements"));
  CHECK(refused(std::string("\x08\1\x10\1\x2a\1\1", 7), "not in the field of its type"));
  CHECK(refused(std::string("\x08\1\x10\1\x4a\3\0\0\0", 9), "4 bytes of raw data, it has 3"));
  CHECK(refused(std::string("\x10\x08\x32\1x", 5), "unsupported type: string"));
  CHECK(refused(std::string("\x0a\1x\x10\1\x1a\0", 7), "sequence or optional"));
  CHECK(refused(std::string("\x08\1\x10\1\x70\1", 6), "in another file"));
  CHECK(refused("", "is empty"));
  // a shape of 2^40 elements and no data
  CHECK(refused(std::string("\x08\x80\x80\x80\x80\x80\x20\x10\1", 9), "more bytes than the file"));
  // sizes whose product overflows, and a negative one
  CHECK(refused(std::string("\x08\x80\x80\x80\x80\x80\x20\x08\x80\x80\x80\x80\x80\x20\x10\1", 16),
                "2^56"));
  CHECK(refused(std::string("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\x10\1", 13), "negative"));
}

static void testDamage() {
  std::vector<std::string> taken, files;
  std::vector<float> data{1, 2, 3, 4, 5, 6};
  const auto *bytes = reinterpret_cast<const unsigned char *>(data.data());
  files.push_back(readFile(writeTensor(folder, "x", BURIN_F32, {2, 3}, bytes, taken)));
  files.push_back(readFile(writeTensor(folder, "x", BURIN_BF16, {2, 3}, bytes, taken)));
  files.push_back(std::string("\x08\2\x10\1\x22\x08\0\0\x80\x3f\0\0\0\xc0", 14));
  unsigned errors = 0;
  auto attempt = [&](const std::string &content) {
    try {
      readTensor(writeFile(content));
    } catch (const Error &) {
      ++errors;
    }
  };
  for (const std::string &file : files) {
    for (size_t length = 0; length < file.size(); ++length)
      attempt(file.substr(0, length));
    for (size_t i = 0; i < file.size(); ++i)
      for (unsigned char value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
        std::string damaged = file;
        damaged[i] = char(value);
        attempt(damaged);
      }
  }
  CHECK(errors > 100);
}

static void testCompare() {
  auto one = [](uint32_t dtype, uint64_t a, uint64_t b, double rtol, double atol) {
    return difference(*typeInfo(dtype), reinterpret_cast<unsigned char *>(&a), *typeInfo(dtype),
                      reinterpret_cast<unsigned char *>(&b), 1, {rtol, atol})
               .mismatches == 0;
  };
  auto bits = [](float value) {
    uint32_t word;
    memcpy(&word, &value, 4);
    return uint64_t(word);
  };
  CHECK(one(BURIN_F32, bits(1.0f), bits(1.0009f), 1e-3, 0));
  CHECK(!one(BURIN_F32, bits(1.0f), bits(1.0011f), 1e-3, 0));
  CHECK(one(BURIN_F32, bits(0.0f), bits(-0.0f), 0, 0));
  CHECK(one(BURIN_F32, bits(NAN), bits(-NAN), 0, 0) && !one(BURIN_F32, bits(NAN), 0, 1, 1));
  CHECK(one(BURIN_F32, bits(INFINITY), bits(INFINITY), 0, 0));
  CHECK(!one(BURIN_F32, bits(INFINITY), bits(-INFINITY), 1, 1));
  CHECK(!one(BURIN_F32, bits(1), bits(INFINITY), 1, 1));
  CHECK(one(BURIN_F16, 0x3c00, 0x3c01, 1e-3, 0) && !one(BURIN_F16, 0x3c00, 0x3c02, 1e-3, 0));
  CHECK(one(BURIN_F16, 0x0001, 0x0000, 0, 6e-8) && one(BURIN_F16, 0x7e00, 0x7c01, 0, 0));
  CHECK(one(BURIN_BF16, 0x3f80, 0x3f81, 1e-2, 0) && !one(BURIN_BF16, 0x3f80, 0x4000, 1e-2, 0));
  CHECK(one(BURIN_F8E4M3FN, 0x7f, 0xff, 0, 0) && !one(BURIN_F8E4M3FN, 0x7e, 0x7f, 0, 0));
  CHECK(one(BURIN_F8E5M2FNUZ, 0x80, 0x80, 0, 0) && !one(BURIN_F8E5M2FNUZ, 0x80, 0, 0, 0));
  CHECK(!one(BURIN_I64, 1000000, 1000001, 1, 1) && one(BURIN_I64, 7, 7, 0, 0));
  CHECK(one(BURIN_I4, 0x0f, 0xff, 0, 0)); // only the low bits count
  CHECK(!one(BURIN_BOOL, 1, 2, 0, 0) && one(BURIN_BOOL, 1, 1, 0, 0));

  // Against a wider reference, with what it defaults to.
  float actual[] = {1, -3, INFINITY, 0};
  double expected[] = {1, -3.0000004, 1e39, 1e-5};
  auto bytes = [](auto *values) { return reinterpret_cast<unsigned char *>(values); };
  Difference found = difference(*typeInfo(BURIN_F32), bytes(actual), *typeInfo(BURIN_F64),
                                bytes(expected), 4, {});
  CHECK(found.mismatches == 0 && found.worstIndex == 3 && found.maxAbs == 1e-5);
  CHECK(found.maxRel == 1 && found.maxUlp > 1e7 && found.expected == "1e-05");
  found = difference(*typeInfo(BURIN_F32), bytes(actual), *typeInfo(BURIN_F64), bytes(expected), 4,
                     {0, 1e-6});
  CHECK(found.mismatches == 1 && found.worstIndex == 3 && found.actual == "0");
  uint64_t complex = bits(2.0f) << 32 | bits(1.0f), other = bits(2.5f) << 32 | bits(1.5f);
  CHECK(difference(*typeInfo(BURIN_C64), bytes(&complex), *typeInfo(BURIN_C64), bytes(&other), 1,
                   {}).mismatches == 1);
}

int main() {
  char name[] = "/tmp/burin-run-test-XXXXXX";
  CHECK(mkdtemp(name));
  folder = name;
  testRoundTrips();
  testNpyAsNumpyWritesIt();
  testTypedFields();
  testDamage();
  testCompare();
  std::string remove = "rm -rf " + folder;
  return system(remove.c_str());
}
