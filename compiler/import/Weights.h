// SPDX-License-Identifier: Apache-2.0
//
// The bytes behind #plan.weight: mapped files and data that the compiler made.
// Nothing here depends on MLIR.

#ifndef BURIN_COMPILER_IMPORT_WEIGHTS_H
#define BURIN_COMPILER_IMPORT_WEIGHTS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace burin {

/// Segments of constant bytes by name. A segment is a mapped file ("model" is the
/// ONNX file itself, an external data file goes by its location in the model) or
/// "derived", which holds what the compiler made. Bytes stay where they are for
/// the life of the store. Reading is safe from several threads, adding is not.
class WeightStore {
public:
  static constexpr llvm::StringLiteral modelSegment = "model";
  static constexpr llvm::StringLiteral derivedSegment = "derived";

  /// A place in a segment: bytes [offset, offset + length).
  struct Location {
    std::string segment;
    uint64_t offset = 0;
    uint64_t length = 0;
  };

  /// Maps the regular file `path` read-only as `segment`; a segment that is there
  /// already is kept. Fails with the system's reason.
  llvm::Error mapFile(llvm::StringRef segment, llvm::StringRef path);

  /// Takes `bytes` into "derived", at an offset that is a multiple of 64. The same bytes are kept
  /// once.
  Location addOwned(std::string bytes);

  /// The bytes at a place, or nothing where the segment is unknown or too short.
  std::optional<llvm::ArrayRef<char>> bytes(llvm::StringRef segment, uint64_t offset,
                                            uint64_t length) const;
  std::optional<llvm::ArrayRef<char>> bytes(const Location &location) const {
    return bytes(location.segment, location.offset, location.length);
  }

  /// Size of a mapped file, or nothing where the segment is unknown.
  std::optional<uint64_t> size(llvm::StringRef segment) const;

  /// The mapped files, in alphabetical order: what a compile has read.
  std::vector<std::string> paths() const;

  /// Segments that are files, with their content; in alphabetical order.
  std::vector<std::pair<std::string, llvm::StringRef>> contents() const;

private:
  struct Owned {
    uint64_t offset;
    std::unique_ptr<std::string> bytes;
  };

  llvm::StringMap<std::unique_ptr<llvm::MemoryBuffer>> files;
  std::vector<Owned> derived; // in ascending order of offset
  std::multimap<uint64_t, size_t> byHash; // indices into it
  uint64_t derivedSize = 0;
};

} // namespace burin

#endif
