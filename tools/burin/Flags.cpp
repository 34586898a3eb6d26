// SPDX-License-Identifier: Apache-2.0
#include "tools/burin/Commands.h"

#include "burin/abi.h"
#include "dialects/onnx/SizeExpr.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdio>
#include <set>

namespace burin::cli {
namespace {

int64_t parseSize(llvm::StringRef text, const std::string &option) {
  int64_t value = 0;
  if (text.getAsInteger(10, value) || value < 0)
    throw CLI::ValidationError(option, "'" + text.str() + "' is not a size");
  return value;
}

/// "8" or "1..32"
DimSpec parseRange(llvm::StringRef text, llvm::StringRef whole) {
  auto [from, to] = text.split("..");
  DimSpec spec;
  spec.min = parseSize(from, "--dim");
  spec.max = text.contains("..") ? parseSize(to, "--dim") : spec.min;
  if (spec.max < spec.min)
    throw CLI::ValidationError("--dim", "'" + whole.str() + "' is an empty range");
  return spec;
}

/// "NAME=8", "NAME=1,8,32", "NAME=1..32" or "NAME=1..512:128,512", where what follows the colon
/// lies in the range
void parseDim(llvm::StringRef text, DimChoices &dims) {
  auto [name, value] = text.rsplit('=');
  if (name.empty() || value.empty())
    throw CLI::ValidationError("--dim", "expected NAME=VALUE, got '" + text.str() + "'");
  auto [range, fixed] = value.split(':');
  llvm::SmallVector<llvm::StringRef> parts;
  (value.contains(':') ? fixed : value).split(parts, ',');
  std::vector<DimSpec> specs;
  for (llvm::StringRef part : parts) {
    DimSpec spec = parseRange(part, text);
    if (llvm::any_of(specs, [&](const DimSpec &other) {
          return other.min == spec.min && other.max == spec.max;
        }))
      throw CLI::ValidationError("--dim", "'" + text.str() + "' says " + part.str() + " twice");
    specs.push_back(spec);
  }
  if (value.contains(':')) {
    DimSpec whole = parseRange(range, text);
    for (const DimSpec &spec : specs)
      if (spec.min < whole.min || spec.max > whole.max)
        throw CLI::ValidationError("--dim", "'" + text.str() + "' lists a size outside of its range");
    specs.push_back(whole);
  }
  if (!dims.try_emplace(name.str(), specs).second)
    throw CLI::ValidationError("--dim", "'" + name.str() + "' is given twice");
}

/// "NAME=1x3x224x224"; sizes may be names and expressions of them, "NAME=1x3x32*hxwidth", which hold
/// no x where they are not set apart by commas.
void parseInput(llvm::StringRef text, ImportOptions &options) {
  auto [name, value] = text.rsplit('=');
  if (name.empty())
    throw CLI::ValidationError("--input", "expected NAME=1x3x224x224, got '" + text.str() + "'");
  llvm::SmallVector<GivenSize> shape;
  llvm::SmallVector<llvm::StringRef> sizes;
  if (!value.empty())
    value.split(sizes, value.contains(',') ? ',' : 'x');
  for (llvm::StringRef size : sizes) {
    if (size == "?") {
      shape.push_back({});
      continue;
    }
    if (size.find_first_not_of("0123456789") == llvm::StringRef::npos) {
      shape.push_back({parseSize(size, "--input"), ""});
      continue;
    }
    std::vector<std::string> names = onnx::SizeExpr::parse(size).names();
    bool isPlain = llvm::all_of(names, [](llvm::StringRef part) {
      return llvm::all_of(part, [](char c) { return llvm::isAlnum(c) || c == '_' || c == '.'; });
    });
    if (names.empty() || !isPlain)
      throw CLI::ValidationError("--input", "'" + size.str() + "' is not a size, nor the name of one");
    shape.push_back({-1, size.str()});
  }
  options.inputShapes[name.str()] = shape;
}

/// "512", "64K", "1.5G"
uint64_t parseBytes(llvm::StringRef text, const std::string &option) {
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
    throw CLI::ValidationError(option, "'" + text.str() + "' is not a size like 64M");
  return uint64_t(value * unit);
}

} // namespace

void CompileFlags::add(CLI::App &verb, CompileOptions &options) {
  verb.add_option("--target", options.target, "What to compile for: cpu")->capture_default_str();
  verb.add_option("--cpu", options.cpu,
                  "CPU level or name: native, x86-64-v3, x86-64-v4, znver4, aarch64, neoverse-n1, "
                  "...; several "
                  "(x86-64-v3,x86-64-v4) share weights in one artifact, which takes the best that "
                  "the machine can run")
      ->capture_default_str();
  verb.add_option("--dim", dims, "Fix a symbolic size: NAME=8; compile variants for several: NAME=1,8,32; let it change "
                  "from run to run within bounds: NAME=1..32; or both: NAME=1..512:128,512 (repeatable)")
      ->type_name("NAME=VALUE");
  verb.add_option("--input", inputs, "Fix the shape of an input: NAME=1x3x224x224; ? leaves a size to --dim, as does a name "
                  "or a multiple of one that is given in its place, NAME=1x3x32*hx32*w (repeatable)")
      ->type_name("NAME=SHAPE");
  verb.add_option("--weights", options.weights,
                  "Where weights go: embed (in the artifact), or FILE.safetensors: a name alone is beside the "
                  "artifact, which looks there; what lies in another folder has to be named when a context is "
                  "made (default: embed below 64M, else a file beside the artifact, named after it)")
      ->type_name("embed|FILE");
  verb.add_option("--shard-size", shardSize,
                  "Weights of one file, in steps of 64K: more go to several, a larger tensor has one for itself "
                  "(default: 2G)")
      ->type_name("SIZE");
  verb.add_flag("!--no-winograd", options.winograd,
                "Sum 3x3 convolutions product by product: slower, less to store, and errors a few times smaller");
  verb.add_option("--one-thread-below", options.oneThreadBelow,
                  "Runs that take about fewer microseconds stay on the thread that asks for them, and so do launches of a "
                  "hundredth of that; 0: none")
      ->type_name("US")
      ->check(CLI::Range(0u, 1000000000u))
      ->capture_default_str();
  verb.add_option("--precision", precision,
                  "What the constant weights of products and convolutions are stored as: f32, or bf16: half the "
                  "bytes, 8 bits of mantissa; sums are f32 all the same, as are weights that Winograd transforms")
      ->check(CLI::IsMember({"f32", "bf16"}))
      ->capture_default_str();
  verb.add_option("--external-data-root", options.import.externalDataRoot,
                  "Folder that external weights may lie in (default: the model's)");
}

void CompileFlags::addStates(CLI::App &verb, CompileOptions &options) {
  verb.add_option("--state", options.states,
                  "Keep an output in the context, where the next run finds it as an input: "
                  "PAST=PRESENT, with * for any text in both ('past_*=present_*'), or auto: by the names "
                  "that exporters give them (repeatable)")
      ->type_name("PAST=PRESENT|auto");
}

void CompileFlags::finish(CompileOptions &options) const {
  for (const std::string &dim : dims)
    parseDim(dim, options.dims);
  for (const std::string &input : inputs)
    parseInput(input, options.import);
  if (!maxMemory.empty())
    options.maxMemory = parseBytes(maxMemory, "--max-memory");
  options.bf16Weights = precision == "bf16";
  if (!shardSize.empty())
    options.shardBytes = parseBytes(shardSize, "--shard-size");
  // Files begin at a page's boundary among the weights.
  options.shardBytes -= options.shardBytes % BURIN_SHARD_ALIGNMENT;
  if (options.shardBytes == 0)
    throw CLI::ValidationError("--shard-size", "a file holds weights in steps of 64K; give at least that");
}

std::vector<std::string> CompileFlags::wordsOf(const CLI::App &verb) {
  // What names files or folders of this machine or changes reports alone; the CPU is resolved first.
  const std::set<std::string> left{"model",      "--output", "--target", "--cpu",
                                   "--compile-to", "--header", "--depfile", "--dump-ir",
                                   "--max-memory", "--json", "--external-data-root", "--report", "--machine",
                                   "--tune"};
  std::vector<std::string> words;
  for (const CLI::Option *option : verb.get_options()) {
    std::string name = option->get_name();
    // Options without a group are not shown, and change nothing in the artifact.
    if (option->count() == 0 || left.count(name) || option->get_group().empty())
      continue;
    for (std::string value : option->results()) {
      words.push_back(name);
      if (name == "--weights" || name == "--tuning-db") // their names alone
        value = llvm::sys::path::filename(value).str();
      if (option->get_items_expected_max() > 0)
        words.push_back(value);
    }
  }
  return words;
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
