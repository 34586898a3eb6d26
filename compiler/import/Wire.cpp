// SPDX-License-Identifier: Apache-2.0
//
// One pass over the wire format: every message that can hold a tensor is rewritten
// field by field, everything else is copied.

#include "compiler/import/Wire.h"

#include <optional>

using namespace llvm;

namespace burin::importer {
namespace {

/// The messages on the way to a tensor. Field numbers are those of onnx.proto.
enum class Message { model, graph, node, attribute, function, tensor, sparseTensor, other };

Message childOf(Message parent, uint64_t field) {
  switch (parent) {
  case Message::model:
    return field == 7 ? Message::graph : field == 25 ? Message::function : Message::other;
  case Message::graph:
    return field == 1    ? Message::node
           : field == 5  ? Message::tensor
           : field == 15 ? Message::sparseTensor
                         : Message::other;
  case Message::node:
    return field == 5 ? Message::attribute : Message::other;
  case Message::function:
    return field == 7    ? Message::node
           : field == 11 ? Message::attribute
                         : Message::other;
  case Message::attribute:
    switch (field) {
    case 5:
    case 10:
      return Message::tensor;
    case 6:
    case 11:
      return Message::graph;
    case 22:
    case 23:
      return Message::sparseTensor;
    }
    return Message::other;
  case Message::sparseTensor:
    return field == 1 || field == 2 ? Message::tensor : Message::other;
  case Message::tensor:
  case Message::other:
    return Message::other;
  }
  return Message::other;
}

enum WireType { varint = 0, fixed64 = 1, lengthDelimited = 2, fixed32 = 5 };

constexpr unsigned rawDataField = 9, externalDataField = 13, dataLocationField = 14;

void appendVarint(std::string &out, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out.push_back(char(value | 0x80));
  out.push_back(char(value));
}

void appendBytes(std::string &out, unsigned field, StringRef bytes) {
  appendVarint(out, field << 3 | lengthDelimited);
  appendVarint(out, bytes.size());
  out.append(bytes.data(), bytes.size());
}

/// A StringStringEntryProto of TensorProto.external_data.
void appendExternalEntry(std::string &out, StringRef key, StringRef value) {
  std::string entry;
  appendBytes(entry, 1, key);
  appendBytes(entry, 2, value);
  appendBytes(out, externalDataField, entry);
}

class Detacher {
public:
  /// Messages of at most `whole` bytes are copied without looking into them.
  Detacher(StringRef model, uint64_t whole) : model(model), whole(whole) {}

  Error rewrite(Message kind, size_t begin, size_t end, unsigned depth) {
    if (depth > maxMessageDepth)
      return createStringError("messages nest more than %u deep at byte %zu, which protobuf does not "
                               "allow; flatten the nested subgraphs",
                               maxMessageDepth, begin);
    std::optional<std::pair<size_t, size_t>> payload;
    for (size_t at = begin; at < end;) {
      size_t start = at;
      std::optional<uint64_t> tag = readVarint(at, end);
      if (!tag || *tag >> 3 == 0)
        return malformed(start);
      uint64_t field = *tag >> 3;
      switch (*tag & 7) {
      case varint:
        if (!readVarint(at, end))
          return malformed(start);
        break;
      case fixed64:
      case fixed32: {
        size_t size = (*tag & 7) == fixed64 ? 8 : 4;
        if (end - at < size)
          return malformed(start);
        at += size;
        break;
      }
      case lengthDelimited: {
        std::optional<uint64_t> length = readVarint(at, end);
        if (!length || *length > end - at)
          return malformed(start);
        size_t body = at;
        at += *length;
        if (*length <= whole)
          break;
        if (kind == Message::tensor && field == rawDataField && *length > inlineBytes) {
          payload = {body, *length}; // the last one counts, as in protobuf
          continue;
        }
        Message child = childOf(kind, field);
        if (child == Message::other)
          break;
        if (Error error = rewriteChild(child, *tag, body, at, depth))
          return error;
        continue;
      }
      default: // groups, which no ONNX message has
        return malformed(start);
      }
      out.append(model.data() + start, at - start);
    }
    if (payload) {
      appendExternalEntry(out, "location", modelLocation);
      appendExternalEntry(out, "offset", std::to_string(payload->first));
      appendExternalEntry(out, "length", std::to_string(payload->second));
      appendVarint(out, dataLocationField << 3 | varint);
      appendVarint(out, 1); // EXTERNAL
    }
    return Error::success();
  }

  std::string out;

private:
  /// The child's length is known only afterwards: its place is kept free for a
  /// varint of fixed width, which protobuf reads as well.
  Error rewriteChild(Message kind, uint64_t tag, size_t begin, size_t end, unsigned depth) {
    constexpr unsigned width = 5; // as many as protobuf reads of a length
    appendVarint(out, tag);
    size_t lengthAt = out.size();
    out.append(width, '\0');
    if (Error error = rewrite(kind, begin, end, depth + 1))
      return error;
    uint64_t length = out.size() - lengthAt - width;
    for (unsigned i = 0; i < width; ++i, length >>= 7)
      out[lengthAt + i] = char((length & 0x7f) | (i + 1 < width ? 0x80 : 0));
    return Error::success();
  }

  std::optional<uint64_t> readVarint(size_t &at, size_t end) const {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
      uint8_t byte = model[at++];
      value |= uint64_t(byte & 0x7f) << shift;
      if (!(byte & 0x80))
        return value;
    }
    return std::nullopt;
  }

  Error malformed(size_t at) const {
    return createStringError("not an ONNX model: malformed protobuf at byte %zu of %zu", at,
                             model.size());
  }

  StringRef model;
  uint64_t whole;
};

} // namespace

Error checkMessages(StringRef model) {
  return Detacher(model, 0).rewrite(Message::model, 0, model.size(), 1);
}

Expected<std::string> detachPayloads(StringRef model) {
  Detacher detacher(model, inlineBytes);
  if (Error error = detacher.rewrite(Message::model, 0, model.size(), 1))
    return std::move(error);
  return std::move(detacher.out);
}

} // namespace burin::importer
