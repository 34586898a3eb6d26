// SPDX-License-Identifier: Apache-2.0
//
// The inputs of a session: from files, or at random.

#include "Session.h"

#include <cstdlib>
#include <cstring>

namespace burin::run {
namespace {

std::string signature(const std::vector<burin_tensor_info> &infos) {
  std::string text;
  for (const burin_tensor_info &info : infos)
    text += "\n  " + std::string(info.name) + "  " + describe(info.dtype, shapeOf(info));
  return text;
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
uint64_t splitMix(uint64_t &state) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// Stores a float64, bfloat16 (cut off) or float32, or half of a complex number.
void putFloat(const TypeInfo &type, float value, unsigned char *to) {
  if (type.dtype == BURIN_F64 || type.dtype == BURIN_C128) {
    double wide = value;
    memcpy(to, &wide, 8);
  } else if (type.dtype == BURIN_BF16) {
    memcpy(to, reinterpret_cast<unsigned char *>(&value) + 2, 2);
  } else {
    memcpy(to, &value, 4);
  }
}

} // namespace

Tensor randomTensor(const burin_tensor_info &info, std::vector<int64_t> shape, size_t index,
                    uint64_t seed) {
  const TypeInfo *type = typeInfo(info.dtype);
  if (!type)
    throw Error{Unsupported, std::string("input '") + info.name + "' cannot be made at random"};
  Tensor tensor;
  tensor.dtype = info.dtype;
  tensor.shape = std::move(shape);
  uint64_t count = elementCount(tensor.shape);
  tensor.memory = Memory(count * type->bytes);
  unsigned char *at = tensor.memory.data();
  uint64_t state = seed * 0x9e3779b97f4a7c15u + index;
  for (uint64_t i = 0; i < count; ++i, at += type->bytes) {
    uint64_t number = splitMix(state);
    float uniform = float(int64_t(number) >> 40) / float(1 << 23);
    switch (type->kind) {
    case Kind::Complex:
      putFloat(*type, uniform, at);
      putFloat(*type, float(int32_t(number) >> 8) / float(1 << 23), at + type->bytes / 2);
      break;
    case Kind::Float:
      if (type->dtype == BURIN_F16) {
        // Sign and fraction at random, exponents -4 to -1.
        uint16_t half = uint16_t((number & 0x83ff) | (11 + (number >> 16) % 4) << 10);
        memcpy(at, &half, 2);
      } else if (type->bits <= 8) {
        // The sign and the low half of the bits: small, never NaN or infinite.
        *at = static_cast<unsigned char>(number & (type->bits < 8 ? 0x7 : 0xb7));
      } else {
        putFloat(*type, uniform, at);
      }
      break;
    case Kind::Bool:
      *at = number & 1;
      break;
    case Kind::Signed: case Kind::Unsigned:
      if (type->bits == 8) {
        *at = static_cast<unsigned char>(number);
      } else {
        number &= 1;
        memcpy(at, &number, type->bytes);
      }
      break;
    }
  }
  return tensor;
}

void Session::takeDims(const std::vector<std::string> &flags) {
  isFixed.assign(dimInfos.size(), false);
  sizes.clear();
  for (const burin_dim_info &dim : dimInfos)
    sizes.push_back(dim.kind == BURIN_DIM_LENGTH ? 0 : dim.max);
  for (const std::string &flag : flags) {
    size_t equals = flag.rfind('=');
    std::string name = flag.substr(0, equals);
    char *end = nullptr;
    const char *text = equals == std::string::npos ? "" : flag.c_str() + equals + 1;
    int64_t size = strtoll(text, &end, 10);
    if (!*text || *end)
      throw Error{BadInput, "--dim takes NAME=SIZE, not '" + flag + "'"};
    size_t found = dimInfos.size();
    for (size_t i = 0; i < dimInfos.size(); ++i)
      if (name == dimInfos[i].name)
        found = i;
    if (found == dimInfos.size())
      throw Error{BadInput, "the model has no dim '" + name + "'"};
    const burin_dim_info &dim = dimInfos[found];
    if (dim.kind > BURIN_DIM_LENGTH)
      throw Error{BadInput, "dim '" + name + "' is not free: " +
                                (dim.kind == BURIN_DIM_DATA ? "the data decide it"
                                                            : "it is computed from others")};
    if (size < dim.min || size > dim.max)
      throw Error{BadInput, format("dim '%s' takes %lld to %lld, not %lld", name.c_str(),
                                   (long long)dim.min, (long long)dim.max, (long long)size)};
    sizes[found] = size;
    isFixed[found] = true;
  }
}

/// Which file each input has, "" for none.
std::vector<std::string> Session::filesOf(const std::vector<std::string> &flags) const {
  std::vector<std::string> paths(inputInfos.size());
  for (const std::string &flag : flags) {
    size_t found = inputInfos.size();
    std::string path;
    // Names may hold '=', so that the model's own are tried; the longest wins.
    size_t longest = 0;
    for (size_t i = 0; i < inputInfos.size(); ++i) {
      size_t length = strlen(inputInfos[i].name);
      if (flag.size() > length && flag.compare(0, length, inputInfos[i].name) == 0 &&
          flag[length] == '=' && (found == inputInfos.size() || length > longest)) {
        found = i;
        longest = length;
        path = flag.substr(length + 1);
      }
    }
    if (found == inputInfos.size()) {
      if (inputInfos.size() != 1 || flag.find('=') != std::string::npos)
        throw Error{BadInput, "-i takes NAME=FILE; '" + flag + "' names none of the inputs:" +
                                  signature(inputInfos)};
      found = 0;
      path = flag;
    }
    if (!paths[found].empty())
      throw Error{BadInput, std::string("input '") + inputInfos[found].name + "' is given twice"};
    paths[found] = path;
  }
  return paths;
}

/// The tensor of a file; throws where it is none that the input takes.
Tensor Session::fileInput(size_t index, const std::string &path) const {
  const burin_tensor_info &info = inputInfos[index];
  Tensor tensor = readTensor(path);
  std::vector<int64_t> expected = shapeOf(info);
  bool fits = tensor.dtype == info.dtype && tensor.shape.size() == expected.size();
  for (size_t k = 0; fits && k < expected.size(); ++k)
    fits = expected[k] < 0 || expected[k] == tensor.shape[k];
  if (!fits)
    throw Error{BadInput, std::string("input '") + info.name + "' is " +
                              describe(info.dtype, expected) + ", but '" + path + "' holds " +
                              describe(tensor.dtype, tensor.shape)};
  return tensor;
}

std::vector<Tensor> Session::makeInputs(const InputFlags &flags) {
  std::vector<std::string> paths = filesOf(flags.files);
  takeDims(flags.dims);
  std::vector<Tensor> tensors(inputInfos.size());
  std::string missing;
  isRandom.assign(inputInfos.size(), false);
  for (size_t i = 0; i < inputInfos.size(); ++i) {
    const burin_tensor_info &info = inputInfos[i];
    if (!paths[i].empty()) {
      tensors[i] = fileInput(i, paths[i]);
      // What a file says, random inputs follow.
      for (uint32_t k = 0; k < info.rank; ++k)
        if (size_t dim = size_t(-1 - info.shape[k]); info.shape[k] < 0 && !isFixed[dim])
          sizes[dim] = tensors[i].shape[k];
    } else if (flags.random) {
      isRandom[i] = true;
    } else {
      missing += "\n  -i " + std::string(info.name) + "=FILE  " +
                 describe(info.dtype, shapeOf(info));
    }
  }
  if (!missing.empty())
    throw Error{BadInput, "these inputs have no value (give them, or --random SEED):" + missing};
  // States grow from run to run: room for the longest.
  most = sizes;
  for (size_t d = 0; d < most.size(); ++d)
    if (dimInfos[d].kind == BURIN_DIM_LENGTH && !isFixed[d])
      most[d] = dimInfos[d].max;
  if (flags.random && table->sizes(table, most.data()) != BURIN_OK)
    throw Error{BadInput, "no variant of the model takes these sizes together:" + sizesText(most)};
  for (size_t i = 0; i < inputInfos.size(); ++i)
    if (isRandom[i])
      tensors[i] = randomTensor(inputInfos[i], shapeOf(inputInfos[i], most), i, *flags.random);
  return tensors;
}

std::vector<Tensor> Session::randomStates(uint64_t seed) const {
  std::vector<Tensor> states;
  for (const burin_state_info &state : stateInfos) {
    std::vector<int64_t> shape = shapeOf(state.tensor);
    if (state.axis >= 0)
      shape[size_t(state.axis)] = most[state.dim];
    states.push_back(
        randomTensor(state.tensor, std::move(shape), inputInfos.size() + states.size(), seed));
  }
  return states;
}

/// " batch=8 seq=128" of the sizes that are given.
std::string Session::sizesText(const std::vector<int64_t> &sizes) const {
  std::string text;
  for (size_t d = 0; d < sizes.size(); ++d)
    if (dimInfos[d].kind <= BURIN_DIM_LENGTH)
      text += std::string(" ") + dimInfos[d].name + "=" + std::to_string(sizes[d]);
  return text;
}

} // namespace burin::run
