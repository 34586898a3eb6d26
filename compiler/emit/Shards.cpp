// SPDX-License-Identifier: Apache-2.0
//
// Weights in files of safetensors' form: eight bytes with the length of a JSON header, the header,
// then the tensors, which leave no byte between them. Ours have a header that fills whole pages, so
// that the data are mapped where they lie.

#include "burin/abi.h"
#include "compiler/emit/Artifact.h"
#include "compiler/emit/Sha256.h"
#include "compiler/import/Weights.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace burin {
namespace {

/// How safetensors calls a type whose elements the file holds as they are; "" for others.
llvm::StringRef typeName(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type)) {
    switch (integer.getWidth()) {
    case 8: return "I8";
    case 16: return "I16";
    case 32: return "I32";
    case 64: return "I64";
    default: return "";
    }
  }
  return llvm::TypeSwitch<Type, llvm::StringRef>(type)
      .Case<Float32Type>([](auto) { return "F32"; })
      .Case<Float64Type>([](auto) { return "F64"; })
      .Case<Float16Type>([](auto) { return "F16"; })
      .Case<BFloat16Type>([](auto) { return "BF16"; })
      .Default([](Type) { return ""; });
}

/// The part of a header that lists tensors, as "name":{...},... without braces around.
class TensorList {
public:
  explicit TensorList(uint64_t begin) : begin(begin), at(begin) {}

  void add(plan::ConstantOp constant, uint64_t bytes) {
    padTo(uint64_t(*constant.getOffset()));
    auto type = cast<RankedTensorType>(constant.getType());
    auto weight = dyn_cast<plan::WeightAttr>(constant.getValue());
    std::string name = plan::nodeName(constant.getLoc());
    if (name.empty())
      name = "constant";
    name = unused(llvm::json::fixUTF8(name));
    llvm::StringRef element = typeName(type.getElementType());
    unsigned width = type.getElementType().isIntOrFloat() ? type.getElementTypeBitWidth() : 0;
    bool isPlain = !(weight && weight.getLayout()) && !element.empty() &&
                   uint64_t(type.getNumElements()) * (width / 8) == bytes;
    if (!isPlain) {
      std::string text;
      llvm::raw_string_ostream stream(text);
      stream << type;
      if (weight && weight.getLayout())
        stream << " " << weight.getLayout();
      layouts["burin.layout." + name] = text;
    }
    put(name, isPlain ? element : "U8", isPlain ? type.getShape() : ArrayRef(int64_t(bytes)), bytes);
  }

  /// An explicit tensor up to where the next one begins: the form allows no gap.
  void padTo(uint64_t offset) {
    if (offset > at)
      put(unused("burin.pad"), "U8", ArrayRef(int64_t(offset - at)), offset - at);
  }

  llvm::json::Object layouts; // of tensors that are rearranged or packed
  std::string text;

private:
  std::string unused(std::string name) {
    std::string tried = name;
    for (unsigned n = 2; !names.insert(tried).second; ++n)
      tried = name + "#" + std::to_string(n);
    return tried;
  }

  void put(const std::string &name, llvm::StringRef element, ArrayRef<int64_t> shape, uint64_t bytes) {
    llvm::raw_string_ostream stream(text);
    stream << "," << llvm::json::Value(name) << ":{\"dtype\":\"" << element << "\",\"shape\":["
           << llvm::join(llvm::map_range(shape, [](int64_t size) { return std::to_string(size); }), ",")
           << "],\"data_offsets\":[" << at - begin << "," << at - begin + bytes << "]}";
    at += bytes;
  }

  uint64_t begin, at; // among the weights
  llvm::StringSet<> names;
};

/// A shard before it is written.
struct Plan {
  uint64_t begin, end; // among the weights
  std::vector<plan::ConstantOp> constants;
  TensorList tensors;
};

llvm::Expected<std::vector<Plan>> planShards(ModuleOp planned, uint64_t weightsBytes) {
  SmallVector<int64_t> begins{0};
  if (auto attr = planned->getAttrOfType<DenseI64ArrayAttr>(plan::shardOffsetsAttrName))
    begins.assign(attr.asArrayRef().begin(), attr.asArrayRef().end());
  std::vector<Plan> plans;
  for (size_t i = 0; i < begins.size(); ++i)
    plans.push_back({uint64_t(begins[i]),
                     i + 1 < begins.size() ? uint64_t(begins[i + 1]) : weightsBytes,
                     {},
                     TensorList(uint64_t(begins[i]))});
  size_t shard = 0;
  for (plan::ConstantOp constant : placedConstants(planned)) {
    while (uint64_t(*constant.getOffset()) >= plans[shard].end && shard + 1 < plans.size())
      ++shard;
    llvm::Expected<uint64_t> bytes = bytesOf(constant);
    if (!bytes)
      return bytes.takeError();
    plans[shard].constants.push_back(constant);
    plans[shard].tensors.add(constant, *bytes);
  }
  for (Plan &plan : plans)
    plan.tensors.padTo(plan.end);
  return plans;
}

/// Passes bytes on and notes their checksums.
class Checked : public llvm::raw_ostream {
public:
  Checked(llvm::raw_ostream &out, std::vector<uint32_t> &crcs) : out(out), crcs(crcs) {}
  ~Checked() override { flush(); }

  /// Ends a chunk, and at the end the last one.
  void endChunk() {
    flush();
    if (inChunk)
      crcs.push_back(crc);
    crc = 0;
    inChunk = 0;
  }
  void setChunkBytes(uint64_t bytes) { chunkBytes = bytes; }

  Sha256 hash;

private:
  void write_impl(const char *data, size_t size) override {
    out.write(data, size);
    position += size;
    hash.update(llvm::StringRef(data, size));
    while (size) {
      size_t some = std::min<uint64_t>(size, chunkBytes - inChunk);
      crc = burin_crc32c(crc, reinterpret_cast<const unsigned char *>(data), some);
      data += some;
      size -= some;
      if ((inChunk += some) == chunkBytes) {
        crcs.push_back(crc);
        crc = 0;
        inChunk = 0;
      }
    }
  }
  uint64_t current_pos() const override { return position; }

  llvm::raw_ostream &out;
  std::vector<uint32_t> &crcs;
  uint64_t position = 0, inChunk = 0, chunkBytes = UINT64_MAX;
  uint32_t crc = 0;
};

llvm::Error writeShard(const Plan &plan, const std::string &metadata, const WeightStore &store,
                       llvm::StringRef path, Shard &shard) {
  std::string header = "{\"__metadata__\":" + metadata + plan.tensors.text + "}";
  shard.headerBytes = llvm::alignTo(8 + header.size(), BURIN_SHARD_ALIGNMENT);
  header.resize(shard.headerBytes - 8, ' ');
  return writeWhole(path, [&](llvm::raw_ostream &file) -> llvm::Error {
    Checked out(file, shard.crcs);
    char length[8];
    llvm::support::endian::write64le(length, header.size());
    out.write(length, sizeof length);
    out << header;
    out.endChunk();
    out.setChunkBytes(BURIN_CHUNK_BYTES);
    if (llvm::Error error = writeWeights(plan.constants, store, plan.begin, plan.end, out))
      return error;
    out.endChunk();
    shard.sha256 = out.hash.final();
    return llvm::Error::success();
  });
}

} // namespace

std::string ShardFiles::pathFor(StringRef asked, StringRef artifact) {
  if (llvm::sys::path::has_parent_path(asked))
    return asked.str();
  llvm::SmallString<128> path(artifact);
  if (asked.empty()) {
    llvm::sys::path::replace_extension(path, ".safetensors");
  } else {
    llvm::sys::path::remove_filename(path);
    llvm::sys::path::append(path, asked);
  }
  return path.str().str();
}

std::string ShardFiles::adviceFor(StringRef path, StringRef artifact) {
  auto folderOf = [](StringRef file) {
    StringRef parent = llvm::sys::path::parent_path(file);
    return parent.empty() ? StringRef(".") : parent;
  };
  if (llvm::sys::path::extension(artifact) != ".so" ||
      llvm::sys::fs::equivalent(folderOf(path), folderOf(artifact)))
    return "";
  return ("'" + artifact + "' looks for its weights in its own folder, and they are in '" + folderOf(path) +
          "': move them there, or name that folder when it runs (--weights, burin_options.weights_path)")
      .str();
}

llvm::Expected<ShardFiles> ShardFiles::write(ModuleOp planned, const WeightStore &store,
                                             uint64_t weightsBytes, StringRef path,
                                             StringRef modelName, StringRef origin) {
  llvm::Expected<std::vector<Plan>> plans = planShards(planned, weightsBytes);
  if (!plans)
    return plans.takeError();
  Sha256 hash;
  hash.update(origin);
  for (const Plan &plan : *plans)
    for (StringRef part : {StringRef(plan.tensors.text), StringRef("\n")})
      hash.update(part);
  ShardFiles files;
  files.id = llvm::toHex(hash.final(), /*LowerCase=*/true);
  for (auto [i, plan] : llvm::enumerate(*plans)) {
    Shard shard;
    std::string final = path.str();
    if (plans->size() > 1)
      final = llvm::formatv("{0}-{1,0+5}-of-{2,0+5}.safetensors",
                            path.drop_back(llvm::sys::path::extension(path).size()), i + 1,
                            plans->size());
    shard.file = llvm::sys::path::filename(final).str();
    shard.offset = plan.begin;
    shard.bytes = plan.end - plan.begin;
    // The runtime looks for these three by their text.
    std::string metadata =
        llvm::formatv("{{\"burin.model\":\"{0}\",\"burin.shard\":\"{1} of {2}\",\"burin.weights\":\"{3}\"",
                      modelName, i + 1, plans->size(), files.id);
    llvm::raw_string_ostream stream(metadata);
    for (auto &[name, layout] : plan.tensors.layouts)
      stream << "," << llvm::json::Value(name) << ":" << layout;
    stream << "}";
    std::string staged = final + "." + files.id.substr(0, 8);
    bool isNew = !llvm::sys::fs::exists(staged); // else an artifact may be reading it
    if (llvm::Error error = writeShard(plan, metadata, store, staged, shard))
      return std::move(error);
    files.pending.push_back({staged, final, isNew});
    files.list.push_back(std::move(shard));
  }
  return files;
}

ShardFiles::~ShardFiles() {
  for (const Pending &file : pending)
    if (file.isNew)
      llvm::sys::fs::remove(file.now);
}

llvm::Error ShardFiles::commit() {
  std::vector<Pending> files = std::move(pending);
  pending.clear();
  for (const Pending &file : files)
    if (std::error_code code = llvm::sys::fs::rename(file.now, file.final))
      return llvm::createStringError("cannot rename '" + file.now + "' to '" + file.final +
                                     "': " + code.message() + "; the artifact reads it as it is");
  return llvm::Error::success();
}

} // namespace burin
