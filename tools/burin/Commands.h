// SPDX-License-Identifier: Apache-2.0
//
// The verbs of the command line; each in a file of its own.

#ifndef BURIN_TOOLS_BURIN_COMMANDS_H
#define BURIN_TOOLS_BURIN_COMMANDS_H

#include "compiler/pipeline/Pipeline.h"

#include <CLI/CLI.hpp>

#include <functional>
#include <string>
#include <vector>

namespace burin::cli {

/// Adds a verb to `app`; the verb's callback sets `action`, whose result is the
/// exit code.
using Action = std::function<ExitCode()>;
void addCompile(CLI::App &app, Action &action);
void addRun(CLI::App &app, Action &action);
void addBench(CLI::App &app, Action &action);
void addTest(CLI::App &app, Action &action);
void addVerify(CLI::App &app, Action &action);
void addInspect(CLI::App &app, Action &action);
void addExplain(CLI::App &app, Action &action);

/// Options that every verb that compiles has; `finish` reads them into `options`
/// after parsing and throws CLI::ValidationError.
struct CompileFlags {
  std::vector<std::string> dims, inputs;
  std::string maxMemory, shardSize, precision = "f32";
  void add(CLI::App &verb, CompileOptions &options);
  void finish(CompileOptions &options) const;
  /// --state, of the verbs that make contexts.
  static void addStates(CLI::App &verb, CompileOptions &options);
  /// Words of the command line, of what was given to `verb`, for CompileOptions::flags.
  static std::vector<std::string> wordsOf(const CLI::App &verb);
};

/// Prints messages to stderr, "error: " or "warning: " before each.
void printMessages(llvm::ArrayRef<Message> messages);

/// Text from a model for a terminal: valid UTF-8, without control characters but newlines.
std::string printable(llvm::StringRef text);

/// "12.3 MiB"
std::string humanBytes(uint64_t bytes);

/// The path of burin-run: beside this program.
std::string runnerPath();

} // namespace burin::cli

#endif
