// SPDX-License-Identifier: Apache-2.0
//
// burin-import-fuzz DIR ITERATIONS SEED WORKFILE
//
// Imports mutated copies of the .onnx files of DIR, each written to WORKFILE first, so
// that after a crash WORKFILE is the model that caused it. The same seed gives the same
// mutations. A run that returns 4 has met an internal error.

#include "compiler/import/Importer.h"
#include "compiler/import/Weights.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <chrono>
#include <random>

using namespace llvm;

namespace {

class Mutator {
public:
  explicit Mutator(uint64_t seed) : random(seed) {}

  size_t below(size_t limit) { return limit ? random() % limit : 0; }

  std::string mutate(StringRef model, StringRef other) {
    std::string out = model.str();
    for (size_t edits = 1 + below(3); edits && !out.empty(); --edits) {
      size_t at = below(out.size()), length = 1 + below(std::min<size_t>(out.size() - at, 32));
      switch (below(14)) {
      default: // one bit; most structure survives
        out[at] ^= char(1 << below(8));
        break;
      case 1: // one byte, often one that means something to a varint
        out[at] = "\x00\x01\x7f\x80\xff\x08\x12"[below(7)];
        break;
      case 2:
        out.erase(at, length);
        break;
      case 3:
        out.insert(at, out.substr(at, length));
        break;
      case 4: { // a piece of another model
        size_t from = below(other.size());
        out.insert(at, other.substr(from, 1 + below(64)));
        break;
      }
      case 5: // names become equal, or cross
        for (size_t i = at; i + 1 < std::min(out.size(), at + length); ++i)
          std::swap(out[i], out[below(out.size())]);
        break;
      case 6:
        out.resize(at);
        break;
      }
    }
    return out;
  }

private:
  std::mt19937_64 random;
};

} // namespace

int main(int argc, char **argv) {
  uint64_t iterations, seed;
  if (argc != 5 || StringRef(argv[2]).getAsInteger(10, iterations) ||
      StringRef(argv[3]).getAsInteger(10, seed)) {
    errs() << "usage: burin-import-fuzz DIR ITERATIONS SEED WORKFILE\n";
    return 2;
  }
  std::vector<std::unique_ptr<MemoryBuffer>> corpus;
  std::vector<std::string> paths;
  std::error_code error;
  for (sys::fs::directory_iterator at(argv[1], error), end; !error && at != end;
       at.increment(error))
    if (StringRef(at->path()).ends_with(".onnx"))
      paths.push_back(at->path());
  llvm::sort(paths);
  for (const std::string &path : paths)
    if (auto buffer = MemoryBuffer::getFile(path))
      corpus.push_back(std::move(*buffer));
  if (corpus.empty()) {
    errs() << "no .onnx files in " << argv[1] << "\n";
    return 2;
  }

  Mutator mutator(seed);
  uint64_t counts[4] = {};
  for (uint64_t i = 0; i < iterations; ++i) {
    StringRef model = corpus[mutator.below(corpus.size())]->getBuffer();
    StringRef other = corpus[mutator.below(corpus.size())]->getBuffer();
    {
      raw_fd_ostream file(argv[4], error);
      file << mutator.mutate(model, other);
    }
    auto start = std::chrono::steady_clock::now();
    mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
    context.getDiagEngine().registerHandler([](mlir::Diagnostic &) { return mlir::success(); });
    burin::WeightStore store;
    burin::ImportReport report;
    (void)burin::importOnnx(context, argv[4], {}, store, report);
    ++counts[unsigned(report.status)];
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (report.status == burin::ImportStatus::internalError || seconds > 5) {
      errs() << "iteration " << i << ": "
             << (seconds > 5 ? "more than 5 seconds" : "internal error") << "\n";
      return 4;
    }
  }
  outs() << counts[0] << " imported, " << counts[1] << " bad files, " << counts[2]
         << " unsupported\n";
  return 0;
}
