// SPDX-License-Identifier: Apache-2.0
#include "tools/burin/Runner.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

namespace burin::cli {

ExitCode askRunner(std::vector<std::string> words, const std::string &through,
                   llvm::json::Object &report) {
  std::string runner = runnerPath();
  words.insert(words.begin(), runner);
  std::vector<llvm::StringRef> arguments(words.begin(), words.end());
  std::optional<llvm::StringRef> redirects[] = {std::nullopt, llvm::StringRef(through), std::nullopt};
  (void)llvm::sys::fs::remove(through); // LLVM would write over the start of an earlier report
  std::string why;
  int code = llvm::sys::ExecuteAndWait(runner, arguments, std::nullopt, redirects, 0, 0, &why);
  if (code < 0) {
    llvm::errs() << "error: '" << runner << "' " << (why.empty() ? "was ended by a signal" : why)
                 << "\n";
    return ExitCode::Internal;
  }
  if (code > 0)
    return ExitCode(std::min(code, int(ExitCode::Internal)));
  auto buffer = llvm::MemoryBuffer::getFile(through);
  auto value = llvm::json::parse(buffer ? llvm::json::fixUTF8((*buffer)->getBuffer()) : std::string());
  if (!value || !value->getAsObject()) {
    llvm::consumeError(value.takeError());
    llvm::errs() << "error: '" << runner << "' gave no report\n";
    return ExitCode::Internal;
  }
  report = std::move(*value->getAsObject());
  return ExitCode::Ok;
}

} // namespace burin::cli
