// SPDX-License-Identifier: Apache-2.0
//
// ONNX's TensorProto (onnx.proto), read and written without protobuf's library. The
// wire format is a sequence of (field << 3 | wire type, value):
// https://protobuf.dev/programming-guides/encoding/

#include "Tensor.h"

#include <cstring>

namespace burin::run {
namespace {

enum WireType { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

/// TensorProto's fields.
enum Field {
  Dims = 1, DataType = 2, Segment = 3, FloatData = 4, Int32Data = 5, StringData = 6,
  Int64Data = 7, Name = 8, RawData = 9, DoubleData = 10, Uint64Data = 11, DataLocation = 14
};

[[noreturn]] void cutShort() {
  throw Error{BadInput, "not a TensorProto, or one cut short"};
}

/// Reads values between two addresses, never past the end.
struct WireReader {
  const unsigned char *at, *end;

  bool done() const { return at == end; }

  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at == end)
        cutShort();
      unsigned char byte = *at++;
      value |= uint64_t(byte & 0x7f) << shift;
      if (!(byte & 0x80))
        return value;
    }
    cutShort();
  }

  WireReader bytes(uint64_t count) {
    if (count > uint64_t(end - at))
      cutShort();
    WireReader part{at, at + count};
    at += count;
    return part;
  }

  uint64_t fixed(unsigned count) {
    WireReader part = bytes(count);
    uint64_t value = 0;
    memcpy(&value, part.at, count); // little-endian, as this machine is
    return value;
  }
};

/// Calls `take` with each number of a repeated field, packed or not.
template <typename Take> void eachNumber(WireReader &reader, unsigned wireType, Take take) {
  switch (wireType) {
  case Varint: return take(reader.varint());
  case Fixed32: return take(reader.fixed(4));
  case Fixed64: return take(reader.fixed(8));
  default: cutShort();
  }
}

/// What one pass over the message finds; the data stay where they are.
struct Message {
  std::vector<int64_t> dims;
  uint64_t dataType = 0;
  bool hasRaw = false, hasStrings = false, isExternal = false;
  WireReader raw{nullptr, nullptr};
  /// Occurrences of the field of typed data, and its wire type once unpacked.
  struct Typed {
    unsigned field, wireType;
    WireReader values;
  };
  std::vector<Typed> typed;
};

unsigned numberWireType(unsigned field) {
  return field == FloatData ? Fixed32 : field == DoubleData ? Fixed64 : Varint;
}

Message scan(WireReader reader) {
  Message message;
  while (!reader.done()) {
    uint64_t tag = reader.varint();
    uint64_t field = tag >> 3;
    unsigned wireType = tag & 7;
    const unsigned char *begin = reader.at;
    WireReader value{nullptr, nullptr};
    switch (wireType) {
    case Varint: reader.varint(); break;
    case Fixed64: reader.bytes(8); break;
    case Fixed32: reader.bytes(4); break;
    case Bytes: {
      uint64_t length = reader.varint();
      value = reader.bytes(length);
      break;
    }
    default: cutShort();
    }
    if (wireType != Bytes)
      value = {begin, reader.at};
    switch (field) {
    case Dims:
      while (!value.done()) {
        if (message.dims.size() >= 64)
          throw Error{BadInput, "a tensor of rank over 64"};
        message.dims.push_back(int64_t(value.varint()));
      }
      break;
    case DataType:
      message.dataType = value.varint();
      break;
    case Segment: // a SequenceProto's or OptionalProto's value
      throw Error{Unsupported, "unsupported type: a sequence or optional"};
    case FloatData: case Int32Data: case Int64Data: case DoubleData: case Uint64Data:
      if (wireType != Bytes && wireType != numberWireType(unsigned(field)))
        cutShort();
      message.typed.push_back({unsigned(field), numberWireType(unsigned(field)), value});
      break;
    case StringData:
      message.hasStrings = true;
      break;
    case RawData:
      message.hasRaw = true;
      message.raw = value;
      break;
    case DataLocation:
      message.isExternal = value.varint() == 1;
      break;
    default:
      break;
    }
  }
  return message;
}

/// The field that holds a type's elements where they are not raw.
unsigned typedField(const TypeInfo &type) {
  switch (type.dtype) {
  case BURIN_F32: case BURIN_C64: return FloatData;
  case BURIN_F64: case BURIN_C128: return DoubleData;
  case BURIN_I64: return Int64Data;
  case BURIN_U32: case BURIN_U64: return Uint64Data;
  default: return Int32Data; // f16, bf16 and f8 as their bits
  }
}

/// Spreads one byte of packed elements, the first in the lowest bits.
void unpack(const TypeInfo &type, unsigned byte, unsigned char *to, uint64_t count) {
  for (unsigned k = 0; k < 8 / type.bits && k < count; ++k) {
    unsigned value = (byte >> (k * type.bits)) & ((1u << type.bits) - 1);
    if (type.kind == Kind::Signed && value >> (type.bits - 1))
      value |= ~0u << type.bits;
    to[k] = static_cast<unsigned char>(value);
  }
}

void copyRaw(const TypeInfo &type, uint64_t count, WireReader raw, unsigned char *to) {
  uint64_t expected = (count * type.bits + 7) / 8, have = uint64_t(raw.end - raw.at);
  if (have != expected)
    throw Error{BadInput, format("its shape takes %llu bytes of raw data, it has %llu",
                                 (unsigned long long)expected, (unsigned long long)have)};
  if (type.bits >= 8)
    return copyOut(to, raw.at, expected);
  unsigned perByte = 8 / type.bits;
  for (uint64_t i = 0; i < count; i += perByte)
    unpack(type, raw.at[i / perByte], to + i, count - i);
}

void copyTyped(const TypeInfo &type, uint64_t count, const Message &message, unsigned char *to) {
  unsigned field = typedField(type);
  // A stored number is one element, half a complex one, or several of under 8 bits.
  unsigned perNumber = type.bits < 8 ? 8 / type.bits : 1;
  unsigned bytes = type.kind == Kind::Complex ? type.bytes / 2 : type.bytes;
  uint64_t elements = type.kind == Kind::Complex ? count * 2 : count, done = 0;
  for (const Message::Typed &part : message.typed) {
    if (part.field != field)
      throw Error{BadInput, "its data are not in the field of its type"};
    for (WireReader values = part.values; !values.done();) {
      eachNumber(values, part.wireType, [&](uint64_t number) {
        if (done >= elements)
          throw Error{BadInput, "has more elements than its shape"};
        if (type.bits < 8)
          unpack(type, unsigned(number), to + done, elements - done);
        else
          memcpy(to + done * bytes, &number, bytes);
        done += perNumber;
      });
    }
  }
  if (done < elements)
    throw Error{BadInput, format("has %llu of the %llu elements of its shape",
                                 (unsigned long long)done, (unsigned long long)elements)};
}

void putVarint(std::string &to, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    to += char(value | 0x80);
  to += char(value);
}

void putTag(std::string &to, unsigned field, unsigned wireType) {
  putVarint(to, field << 3 | wireType);
}

} // namespace

Tensor readTensorProto(const MappedFile &file) {
  Message message = scan({file.begin(), file.end()});
  const TypeInfo *type = message.dataType < 256 ? typeInfo(uint32_t(message.dataType)) : nullptr;
  if (message.dataType == BURIN_STRING || message.hasStrings)
    throw Error{Unsupported, "unsupported type: string"};
  if (!type)
    throw Error{BadInput, format("not a TensorProto: its element type is %llu",
                                 (unsigned long long)message.dataType)};
  if (message.isExternal)
    throw Error{Unsupported, "its data are in another file: save the tensor with its data"};
  Tensor tensor;
  tensor.dtype = type->dtype;
  tensor.shape = message.dims;
  uint64_t count = elementCount(tensor.shape);
  // What the file must hold at the very least, before anything is allocated for it.
  if (count / 8 * type->bits > uint64_t(file.end() - file.begin()) * 8)
    throw Error{BadInput, "its shape takes more bytes than the file has"};
  tensor.memory = Memory(count * type->bytes);
  if (message.hasRaw)
    copyRaw(*type, count, message.raw, tensor.memory.data());
  else
    copyTyped(*type, count, message, tensor.memory.data());
  return tensor;
}

std::string tensorProtoHeader(const std::string &name, uint32_t dtype,
                              const std::vector<int64_t> &shape, uint64_t rawBytes) {
  std::string header;
  for (int64_t size : shape) {
    putTag(header, Dims, Varint);
    putVarint(header, uint64_t(size));
  }
  putTag(header, DataType, Varint);
  putVarint(header, dtype);
  putTag(header, Name, Bytes);
  putVarint(header, name.size());
  header += name;
  putTag(header, RawData, Bytes);
  putVarint(header, rawBytes);
  return header;
}

} // namespace burin::run
