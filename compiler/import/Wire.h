// SPDX-License-Identifier: Apache-2.0
//
// Protobuf's wire format, as far as it takes to lift big tensor payloads out of a
// serialized model before anything copies them.

#ifndef BURIN_COMPILER_IMPORT_WIRE_H
#define BURIN_COMPILER_IMPORT_WIRE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>

namespace burin::importer {

/// Payloads up to this many bytes stay in the IR; larger ones are weights.
constexpr uint64_t inlineBytes = 4096;

/// How deep protobuf messages may nest: protobuf's own limit.
constexpr unsigned maxMessageDepth = 100;

/// The external data location that stands for the model file itself. No path can
/// hold a NUL.
inline constexpr llvm::StringRef modelLocation("\0model", 6);

/// Copies a serialized ModelProto, with each TensorProto.raw_data larger than
/// `inlineBytes` replaced by external data at `modelLocation`, offset and length in `model`.
/// Fails where the bytes are no protobuf message or nest too deep.
llvm::Expected<std::string> detachPayloads(llvm::StringRef model);

/// Says what is wrong with a model that protobuf refuses, if it is the structure of
/// its graphs and nodes.
llvm::Error checkMessages(llvm::StringRef model);

} // namespace burin::importer

#endif
