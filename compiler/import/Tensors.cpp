// SPDX-License-Identifier: Apache-2.0
#include "compiler/import/Tensors.h"

#include "compiler/import/Wire.h"
#include "dialects/onnx/ElementTypes.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/plan/PlanOps.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace mlir;

namespace burin::importer {

bool namesDim(StringRef parameter) {
  return !parameter.empty() && parameter != "?" && parameter != "-1";
}

//===- Types ----------------------------------------------------------------===//

static mlir::Type importTensorType(MLIRContext *context, const ::onnx::TypeProto::Tensor &proto) {
  mlir::Type element = burin::onnx::elementTypeOf(context, proto.elem_type());
  if (!element)
    return {};
  if (!proto.has_shape())
    return UnrankedTensorType::get(element);
  SmallVector<int64_t> sizes;
  SmallVector<StringAttr> names;
  bool anyNamed = false;
  for (const auto &dim : proto.shape().dim()) {
    // Some exporters write -1 for a size they do not know.
    bool known = dim.has_dim_value() && dim.dim_value() >= 0;
    sizes.push_back(known ? dim.dim_value() : ShapedType::kDynamic);
    bool named = !known && namesDim(dim.dim_param());
    names.push_back(StringAttr::get(context, named ? dim.dim_param() : ""));
    anyNamed |= named;
  }
  Attribute encoding;
  if (anyNamed)
    encoding = burin::onnx::DimsAttr::get(context, names);
  return RankedTensorType::get(sizes, element, encoding);
}

mlir::Type importType(MLIRContext *context, const ::onnx::TypeProto &proto) {
  switch (proto.value_case()) {
  case ::onnx::TypeProto::kTensorType:
    return importTensorType(context, proto.tensor_type());
  case ::onnx::TypeProto::kSequenceType: {
    mlir::Type element = importType(context, proto.sequence_type().elem_type());
    return element ? burin::onnx::SequenceType::get(context, element) : mlir::Type();
  }
  case ::onnx::TypeProto::kOptionalType: {
    mlir::Type element = importType(context, proto.optional_type().elem_type());
    return element ? burin::onnx::OptionalType::get(context, element) : mlir::Type();
  }
  default:
    return {};
  }
}

//===- Sizes ----------------------------------------------------------------===//

/// Bits of one element in raw_data; 0 for strings and unknown types.
static unsigned storedBits(int32_t dataType) {
  switch (dataType) {
  case ::onnx::TensorProto::INT2:
  case ::onnx::TensorProto::UINT2:
    return 2;
  case ::onnx::TensorProto::INT4:
  case ::onnx::TensorProto::UINT4:
  case ::onnx::TensorProto::FLOAT4E2M1:
    return 4;
  case ::onnx::TensorProto::FLOAT6E2M3:
  case ::onnx::TensorProto::FLOAT6E3M2:
    return 6;
  case ::onnx::TensorProto::BOOL:
  case ::onnx::TensorProto::INT8:
  case ::onnx::TensorProto::UINT8:
  case ::onnx::TensorProto::FLOAT8E4M3FN:
  case ::onnx::TensorProto::FLOAT8E4M3FNUZ:
  case ::onnx::TensorProto::FLOAT8E5M2:
  case ::onnx::TensorProto::FLOAT8E5M2FNUZ:
  case ::onnx::TensorProto::FLOAT8E8M0:
    return 8;
  case ::onnx::TensorProto::INT16:
  case ::onnx::TensorProto::UINT16:
  case ::onnx::TensorProto::FLOAT16:
  case ::onnx::TensorProto::BFLOAT16:
    return 16;
  case ::onnx::TensorProto::INT32:
  case ::onnx::TensorProto::UINT32:
  case ::onnx::TensorProto::FLOAT:
    return 32;
  case ::onnx::TensorProto::INT64:
  case ::onnx::TensorProto::UINT64:
  case ::onnx::TensorProto::DOUBLE:
  case ::onnx::TensorProto::COMPLEX64:
    return 64;
  case ::onnx::TensorProto::COMPLEX128:
    return 128;
  default:
    return 0;
  }
}

template <typename... Args> static Error invalid(const char *format, const Args &...args) {
  return createStringError(std::errc::invalid_argument, format, args...);
}

/// Number of elements, and of bits they take; fails on negative or too many.
template <typename Dims>
static Expected<uint64_t> countElements(const Dims &dims, unsigned bits) {
  int64_t count = 1, total;
  bool empty = false;
  for (int64_t dim : dims) {
    if (dim < 0)
      return invalid("has the negative size %lld", (long long)dim);
    empty |= dim == 0;
    // A size of 0 must not hide an overflow of the strides.
    if (MulOverflow(count, std::max<int64_t>(dim, 1), count))
      return invalid("has more than 2^63 elements");
  }
  if (MulOverflow(count, int64_t(bits), total) || total > INT64_MAX - 7)
    return invalid("has more than 2^63 bits");
  return empty ? 0 : uint64_t(count);
}

//===- Data -----------------------------------------------------------------===//

template <typename T, typename Field> static void appendAs(std::string &out, const Field &field) {
  out.reserve(out.size() + field.size() * sizeof(T));
  for (auto value : field) {
    char bytes[sizeof(T)];
    support::endian::write(bytes, T(value), endianness::little);
    out.append(bytes, sizeof(T));
  }
}

/// Packs 6-bit elements one after the other, lowest bits first.
template <typename Field> static void appendSixBit(std::string &out, const Field &field) {
  unsigned pending = 0, bits = 0;
  for (auto value : field) {
    pending |= (unsigned(value) & 0x3f) << bits;
    for (bits += 6; bits >= 8; bits -= 8, pending >>= 8)
      out.push_back(char(pending));
  }
  if (bits)
    out.push_back(char(pending));
}

/// The typed field of `proto` in the form of raw_data.
static Expected<std::string> typedData(const ::onnx::TensorProto &proto) {
  std::string out;
  switch (proto.data_type()) {
  case ::onnx::TensorProto::FLOAT:
  case ::onnx::TensorProto::COMPLEX64:
    appendAs<float>(out, proto.float_data());
    break;
  case ::onnx::TensorProto::DOUBLE:
  case ::onnx::TensorProto::COMPLEX128:
    appendAs<double>(out, proto.double_data());
    break;
  case ::onnx::TensorProto::INT64:
    appendAs<int64_t>(out, proto.int64_data());
    break;
  case ::onnx::TensorProto::UINT64:
    appendAs<uint64_t>(out, proto.uint64_data());
    break;
  case ::onnx::TensorProto::UINT32:
    appendAs<uint32_t>(out, proto.uint64_data());
    break;
  case ::onnx::TensorProto::FLOAT6E2M3:
  case ::onnx::TensorProto::FLOAT6E3M2:
    appendSixBit(out, proto.int32_data());
    break;
  default:
    switch (storedBits(proto.data_type())) {
    case 32:
      appendAs<int32_t>(out, proto.int32_data());
      break;
    case 16:
      appendAs<int16_t>(out, proto.int32_data());
      break;
    default: // 8 bits, and 4 or 2 packed into one entry
      appendAs<int8_t>(out, proto.int32_data());
      break;
    }
  }
  return out;
}

Expected<std::string> TensorReader::segmentOf(StringRef location) {
  if (location == modelLocation)
    return WeightStore::modelSegment.str();
  std::string shown = toStringRef(arrayRefFromStringRef(location)).str();
  if (location.empty() || location.contains('\0'))
    return invalid("has external data without a location");
  SmallString<128> relative(location);
  sys::path::remove_dots(relative, /*remove_dot_dot=*/false);
  if (sys::path::is_absolute(relative) ||
      llvm::is_contained(llvm::make_range(sys::path::begin(relative), sys::path::end(relative)),
                         ".."))
    return invalid("has external data at '%s', which is outside the model's folder; use a relative "
                   "path without '..'",
                   shown.c_str());
  // A file that is called as one of our own segments keeps a leading "./".
  std::string segment(relative.str());
  if (segment == WeightStore::modelSegment || segment == WeightStore::derivedSegment)
    segment.insert(0, "./");
  if (store.size(segment))
    return segment;

  StringRef rootName = externalRoot.empty() ? StringRef(".") : StringRef(externalRoot);
  SmallString<256> root, joined(rootName), real;
  sys::path::append(joined, relative);
  if (std::error_code error = sys::fs::real_path(rootName, root))
    return invalid("has external data in the folder '%s': %s", rootName.str().c_str(),
                   error.message().c_str());
  if (std::error_code error = sys::fs::real_path(joined, real))
    return invalid("has external data at '%s': %s; put the file beside the model or give "
                   "--external-data-root",
                   shown.c_str(), error.message().c_str());
  if (!root.ends_with("/"))
    root += '/';
  if (!real.str().starts_with(root))
    return invalid("has external data at '%s', which is a link out of the model's folder; give "
                   "--external-data-root",
                   shown.c_str());
  if (Error error = store.mapFile(segment, real))
    return invalid("has external data at '%s': %s", shown.c_str(),
                   toString(std::move(error)).c_str());
  return segment;
}

Expected<WeightStore::Location> TensorReader::externalPlace(const ::onnx::TensorProto &proto,
                                                            uint64_t expected) {
  if (proto.has_raw_data() || proto.float_data_size() || proto.int32_data_size() ||
      proto.int64_data_size() || proto.uint64_data_size() || proto.double_data_size() ||
      proto.string_data_size())
    return invalid("has external data and data in the model as well");
  std::string location;
  uint64_t offset = 0, length = expected;
  for (const auto &entry : proto.external_data()) {
    if (entry.key() == "location")
      location = entry.value();
    else if (entry.key() == "offset" || entry.key() == "length") {
      uint64_t &value = entry.key() == "offset" ? offset : length;
      if (StringRef(entry.value()).getAsInteger(10, value))
        return invalid("has external data with the %s '%s', which is no number of bytes",
                       entry.key().c_str(), entry.value().c_str());
    }
  }
  if (length != expected)
    return invalid("has %llu bytes of data, but its shape and type need %llu",
                   (unsigned long long)length, (unsigned long long)expected);
  Expected<std::string> segment = segmentOf(location);
  if (!segment)
    return segment.takeError();
  if (!store.bytes(*segment, offset, length))
    return invalid("needs %llu bytes at offset %llu of '%s', which has %llu bytes",
                   (unsigned long long)length, (unsigned long long)offset, segment->c_str(),
                   (unsigned long long)store.size(*segment).value_or(0));
  return WeightStore::Location{*segment, offset, length};
}

Expected<TensorReader::Data> TensorReader::load(const ::onnx::TensorProto &proto) {
  Data data;
  data.bits = storedBits(proto.data_type());
  mlir::Type element = burin::onnx::elementTypeOf(context, proto.data_type());
  if (!element || !data.bits)
    return invalid("has the element type %d, which ONNX does not define", proto.data_type());
  if (proto.has_segment())
    return invalid("is stored in segments, which is not supported; save the model again");
  Expected<uint64_t> count = countElements(proto.dims(), data.bits);
  if (!count)
    return count.takeError();
  data.type = RankedTensorType::get(SmallVector<int64_t>(proto.dims().begin(), proto.dims().end()),
                                    element);
  uint64_t expected = divideCeil(*count * data.bits, 8);
  if (proto.data_location() == ::onnx::TensorProto::EXTERNAL) {
    Expected<WeightStore::Location> place = externalPlace(proto, expected);
    if (!place)
      return place.takeError();
    data.place = *place;
    return data;
  }
  if (proto.has_raw_data()) {
    data.owned = proto.raw_data();
  } else {
    Expected<std::string> typed = typedData(proto);
    if (!typed)
      return typed.takeError();
    data.owned = std::move(*typed);
  }
  if (data.owned.size() != expected)
    return invalid("has %llu bytes of data, but its shape and type need %llu",
                   (unsigned long long)data.owned.size(), (unsigned long long)expected);
  return data;
}

Error TensorReader::inlineSmall(::onnx::TensorProto &proto) {
  if (proto.data_location() != ::onnx::TensorProto::EXTERNAL)
    return Error::success();
  Expected<Data> data = load(proto);
  if (!data)
    return data.takeError();
  if (data->place->length > inlineBytes)
    return Error::success();
  ArrayRef<char> bytes = *store.bytes(*data->place);
  proto.clear_external_data();
  proto.clear_data_location();
  proto.set_raw_data(bytes.data(), bytes.size());
  return Error::success();
}

/// One byte per element of a type of less than 8 bits.
static std::string unpack(StringRef packed, unsigned bits, uint64_t count) {
  std::string out(count, '\0');
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t bit = i * bits;
    unsigned pair = uint8_t(packed[bit / 8]);
    if (bit / 8 + 1 < packed.size())
      pair |= unsigned(uint8_t(packed[bit / 8 + 1])) << 8;
    out[i] = char(pair >> bit % 8 & ((1u << bits) - 1));
  }
  return out;
}

static TypedAttr denseElements(RankedTensorType type, StringRef bytes, unsigned bits) {
  uint64_t count = type.getNumElements();
  if (type.getElementType().isInteger(1)) {
    SmallVector<bool> values;
    for (char byte : bytes)
      values.push_back(byte != 0);
    return DenseElementsAttr::get(type, ArrayRef<bool>(values));
  }
  std::string unpacked;
  if (bits < 8) {
    unpacked = unpack(bytes, bits, count);
    bytes = unpacked;
  }
  // A splat is stored as one element.
  size_t width = count ? bytes.size() / count : 0;
  bool splat = count > 1;
  for (size_t at = width; splat && at < bytes.size(); at += width)
    splat = bytes.substr(at, width) == bytes.substr(0, width);
  return DenseElementsAttr::getFromRawBuffer(
      type, ArrayRef<char>(bytes.data(), splat ? width : bytes.size()));
}

Expected<TypedAttr> TensorReader::finish(Data data) {
  uint64_t size = data.place ? data.place->length : data.owned.size();
  if (size <= inlineBytes) {
    StringRef bytes = data.owned;
    if (data.place) {
      ArrayRef<char> mapped = *store.bytes(*data.place);
      bytes = StringRef(mapped.data(), mapped.size());
    }
    return denseElements(data.type, bytes, data.bits);
  }
  if (data.bits < 8) {
    StringRef packed = data.owned;
    if (data.place) {
      ArrayRef<char> mapped = *store.bytes(*data.place);
      packed = StringRef(mapped.data(), mapped.size());
    }
    // What reads a weight finds each element in a byte of its own.
    data.place = store.addOwned(unpack(packed, data.bits, data.type.getNumElements()));
  } else if (!data.place) {
    data.place = store.addOwned(std::move(data.owned));
  }
  weights += size;
  return TypedAttr(plan::WeightAttr::get(context, data.type,
                                         StringAttr::get(context, data.place->segment),
                                         data.place->offset, data.place->length));
}

Expected<TypedAttr> TensorReader::readStrings(const ::onnx::TensorProto &proto) {
  Expected<uint64_t> count = countElements(proto.dims(), 8);
  if (!count)
    return count.takeError();
  if (uint64_t(proto.string_data_size()) != *count)
    return invalid("has %d strings, but its shape needs %llu", proto.string_data_size(),
                   (unsigned long long)*count);
  auto type =
      RankedTensorType::get(SmallVector<int64_t>(proto.dims().begin(), proto.dims().end()),
                            burin::onnx::StringType::get(context));
  SmallVector<StringRef> values(proto.string_data().begin(), proto.string_data().end());
  return TypedAttr(DenseStringElementsAttr::get(type, values));
}

Expected<TypedAttr> TensorReader::read(const ::onnx::TensorProto &proto) {
  if (proto.data_type() == ::onnx::TensorProto::STRING &&
      proto.data_location() != ::onnx::TensorProto::EXTERNAL)
    return readStrings(proto);
  Expected<Data> data = load(proto);
  if (!data)
    return data.takeError();
  return finish(std::move(*data));
}

//===- Sparse tensors -------------------------------------------------------===//

Expected<TypedAttr> TensorReader::read(const ::onnx::SparseTensorProto &proto) {
  Expected<Data> values = load(proto.values());
  if (!values)
    return values.takeError();
  Expected<Data> indices = load(proto.indices());
  if (!indices)
    return indices.takeError();
  if (!indices->type.getElementType().isSignedInteger(64))
    return invalid("has indices that are not int64");
  if (values->bits < 8)
    return invalid("is sparse with elements of less than a byte, which is not supported; store it "
                   "dense");
  Expected<uint64_t> count = countElements(proto.dims(), values->bits);
  if (!count)
    return count.takeError();
  // The file's own size does not bound what a sparse tensor unfolds to.
  constexpr uint64_t limit = uint64_t(1) << 30;
  size_t width = values->bits / 8;
  if (*count > limit / width)
    return invalid("is a sparse tensor of more than 1 GiB; store it dense");

  auto bytesOf = [&](const Data &data) {
    return data.place ? *store.bytes(*data.place) : ArrayRef<char>(data.owned.data(), data.owned.size());
  };
  ArrayRef<char> valueBytes = bytesOf(*values), indexBytes = bytesOf(*indices);
  uint64_t nonzero = valueBytes.size() / width, rank = proto.dims_size();
  ArrayRef<int64_t> indexShape = indices->type.getShape();
  bool linear = indexShape.size() == 1;
  if (indexShape.empty() || indexShape.size() > 2 || uint64_t(indexShape[0]) != nonzero ||
      (!linear && uint64_t(indexShape[1]) != rank))
    return invalid("has indices of another shape than its values");

  Data dense;
  dense.type = RankedTensorType::get(
      SmallVector<int64_t>(proto.dims().begin(), proto.dims().end()),
      values->type.getElementType());
  dense.bits = values->bits;
  dense.owned.assign(*count * width, '\0');
  for (uint64_t i = 0; i < nonzero; ++i) {
    uint64_t at = 0;
    for (uint64_t d = 0; d < (linear ? 1 : rank); ++d) {
      int64_t index = support::endian::read<int64_t>(
          indexBytes.data() + (linear ? i : i * rank + d) * 8, endianness::little);
      uint64_t size = linear ? *count : proto.dims(d);
      if (index < 0 || uint64_t(index) >= size)
        return invalid("has the index %lld, which is out of range", (long long)index);
      at = linear ? index : at * size + index;
    }
    std::copy_n(valueBytes.data() + i * width, width, dense.owned.data() + at * width);
  }
  return finish(std::move(dense));
}

} // namespace burin::importer
