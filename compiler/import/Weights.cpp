// SPDX-License-Identifier: Apache-2.0
#include "compiler/import/Weights.h"

#include "llvm/ADT/STLExtras.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"

#include <algorithm>

using namespace llvm;

namespace burin {

Error WeightStore::mapFile(StringRef segment, StringRef path) {
  if (files.contains(segment))
    return Error::success();
  sys::fs::file_status status;
  if (std::error_code error = sys::fs::status(path, status))
    return createStringError(error, "%s", error.message().c_str());
  // A pipe or a device has no size that could be checked.
  if (status.type() != sys::fs::file_type::regular_file)
    return createStringError(std::errc::invalid_argument, "not a regular file");
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError(buffer.getError(), "%s", buffer.getError().message().c_str());
  files[segment] = std::move(*buffer);
  return Error::success();
}

std::vector<std::string> WeightStore::paths() const {
  std::vector<std::string> result;
  for (const auto &file : files)
    result.push_back(file.second->getBufferIdentifier().str());
  llvm::sort(result);
  return result;
}

std::vector<std::pair<std::string, StringRef>> WeightStore::contents() const {
  std::vector<std::pair<std::string, StringRef>> result;
  for (const auto &file : files)
    result.push_back({file.first().str(), file.second->getBuffer()});
  llvm::sort(result);
  return result;
}

WeightStore::Location WeightStore::addOwned(std::string bytes) {
  uint64_t hash = xxh3_64bits(bytes);
  for (auto [at, end] = byHash.equal_range(hash); at != end; ++at)
    if (*derived[at->second].bytes == bytes)
      return {derivedSegment.str(), derived[at->second].offset, bytes.size()};
  byHash.insert({hash, derived.size()});
  Location location{derivedSegment.str(), derivedSize, bytes.size()};
  derivedSize += alignTo(std::max<uint64_t>(bytes.size(), 1), 64);
  derived.push_back({location.offset, std::make_unique<std::string>(std::move(bytes))});
  return location;
}

std::optional<ArrayRef<char>> WeightStore::bytes(StringRef segment, uint64_t offset,
                                                 uint64_t length) const {
  StringRef data;
  if (segment == derivedSegment) {
    auto after = std::upper_bound(derived.begin(), derived.end(), offset,
                                  [](uint64_t at, const Owned &owned) { return at < owned.offset; });
    if (after == derived.begin())
      return std::nullopt;
    const Owned &owned = *std::prev(after);
    data = *owned.bytes;
    offset -= owned.offset;
  } else {
    auto file = files.find(segment);
    if (file == files.end())
      return std::nullopt;
    data = file->second->getBuffer();
  }
  if (offset > data.size() || length > data.size() - offset)
    return std::nullopt;
  return ArrayRef<char>(data.data() + offset, length);
}

std::optional<uint64_t> WeightStore::size(StringRef segment) const {
  auto file = files.find(segment);
  if (file == files.end())
    return std::nullopt;
  return file->second->getBufferSize();
}

} // namespace burin
