// SPDX-License-Identifier: Apache-2.0
#include "tools/burin/Commands.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdio>

namespace burin::cli {
namespace {

int64_t parseSize(llvm::StringRef text, const std::string &option) {
  int64_t value = 0;
  if (text.getAsInteger(10, value) || value < 0)
    throw CLI::ValidationError(option, "'" + text.str() + "' is not a size");
  return value;
}

/// "NAME=8" or "NAME=1..32"
void parseDim(llvm::StringRef text, ImportOptions &options) {
  auto [name, value] = text.split('=');
  if (name.empty() || value.empty())
    throw CLI::ValidationError("--dim", "expected NAME=VALUE, got '" + text.str() + "'");
  DimSpec spec;
  auto [from, to] = value.split("..");
  spec.min = parseSize(from, "--dim");
  spec.max = to.empty() ? spec.min : parseSize(to, "--dim");
  if (spec.max < spec.min)
    throw CLI::ValidationError("--dim", "'" + text.str() + "' is an empty range");
  if (!options.dims.try_emplace(name.str(), spec).second)
    throw CLI::ValidationError("--dim", "'" + name.str() + "' is given twice");
}

/// "NAME=1x3x224x224"
void parseInput(llvm::StringRef text, ImportOptions &options) {
  auto [name, value] = text.rsplit('=');
  if (name.empty())
    throw CLI::ValidationError("--input", "expected NAME=1x3x224x224, got '" + text.str() + "'");
  llvm::SmallVector<int64_t> shape;
  llvm::SmallVector<llvm::StringRef> sizes;
  if (!value.empty())
    value.split(sizes, 'x');
  for (llvm::StringRef size : sizes)
    shape.push_back(parseSize(size, "--input"));
  options.inputShapes[name.str()] = shape;
}

/// "512", "64K", "1.5G"
uint64_t parseBytes(llvm::StringRef text) {
  llvm::StringRef number = text;
  double unit = 1;
  if (number.consume_back_insensitive("k"))
    unit = 1024.0;
  else if (number.consume_back_insensitive("m"))
    unit = 1024.0 * 1024;
  else if (number.consume_back_insensitive("g"))
    unit = 1024.0 * 1024 * 1024;
  double value = 0;
  if (number.getAsDouble(value) || value < 0 || value * unit > 9e18)
    throw CLI::ValidationError("--max-memory", "'" + text.str() + "' is not a size like 64M");
  return uint64_t(value * unit);
}

} // namespace

void CompileFlags::add(CLI::App &verb, CompileOptions &options) {
  verb.add_option("--target", options.target, "What to compile for: cpu")->capture_default_str();
  verb.add_option("--cpu", options.cpu,
                  "CPU level or name: native, x86-64-v3, x86-64-v4, znver4, ...")
      ->capture_default_str();
  verb.add_option("--dim", dims, "Fix a symbolic size: NAME=8, or let it change from run to run within bounds: NAME=1..32 "
                  "(repeatable)")
      ->type_name("NAME=VALUE");
  verb.add_option("--input", inputs, "Fix the shape of an input: NAME=1x3x224x224 (repeatable)")
      ->type_name("NAME=SHAPE");
  verb.add_option("--external-data-root", options.import.externalDataRoot,
                  "Folder that external weights may lie in (default: the model's)");
}

void CompileFlags::finish(CompileOptions &options) const {
  for (const std::string &dim : dims)
    parseDim(dim, options.import);
  for (const std::string &input : inputs)
    parseInput(input, options.import);
  if (!maxMemory.empty())
    options.maxMemory = parseBytes(maxMemory);
}

std::string printable(llvm::StringRef text) {
  std::string valid = llvm::json::fixUTF8(text);
  for (char &c : valid)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f)
      c = '?';
  return valid;
}

void printMessages(llvm::ArrayRef<Message> messages) {
  llvm::outs().flush(); // what a report says comes before what went wrong
  for (const Message &message : messages)
    std::fprintf(stderr, "%s: %s\n", message.isError ? "error" : "warning",
                 printable(message.text).c_str());
}

std::string humanBytes(uint64_t bytes) {
  const char *units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = double(bytes);
  int unit = 0;
  for (; value >= 1024 && unit < 4; ++unit)
    value /= 1024;
  char text[32];
  std::snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.2f %s", value, units[unit]);
  return text;
}

std::string runnerPath() {
  std::string self = llvm::sys::fs::getMainExecutable(nullptr, reinterpret_cast<void *>(&runnerPath));
  llvm::SmallString<128> path(llvm::sys::path::parent_path(self));
  llvm::sys::path::append(path, "burin-run");
  return path.str().str();
}

} // namespace burin::cli
