// SPDX-License-Identifier: Apache-2.0
//
// burin-compile-server MODEL SECONDS
//
// `burin compile` without its start-up: compiles MODEL once, so that everything is loaded, then reads
// requests, a line each: a file for what is said on stderr and the words behind `burin compile`,
// between tabs. Each is compiled by a process forked from here; the answer is a line, too: its exit
// code, "signal N", or "hang" where it took more than SECONDS.

#include "tools/burin/Commands.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Parallel.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdio>
#include <fcntl.h>
#include <iostream>
#include <sys/wait.h>
#include <unistd.h>

namespace {

int compile(std::vector<std::string> words) {
  CLI::App app;
  burin::cli::Action action;
  burin::cli::addCompile(app, action);
  words.insert(words.begin(), "compile");
  std::reverse(words.begin(), words.end()); // as CLI11 takes them
  try {
    app.parse(words);
  } catch (const CLI::ParseError &error) {
    llvm::errs() << "error: " << error.what() << "\n";
    return int(burin::ExitCode::BadInput);
  }
  return int(action());
}

/// The child: speaks to `said` alone, and is ended by SIGALRM where it takes too long.
[[noreturn]] void serve(const std::string &said, std::vector<std::string> words, unsigned seconds) {
  int file = open(said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  int none = open("/dev/null", O_RDWR);
  if (file < 0 || none < 0)
    std::_Exit(4);
  dup2(none, STDIN_FILENO);
  dup2(none, STDOUT_FILENO);
  dup2(file, STDERR_FILENO);
  alarm(seconds);
  std::exit(compile(std::move(words)));
}

std::string answerOf(int status) {
  if (WIFEXITED(status))
    return std::to_string(WEXITSTATUS(status));
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    return "hang";
  return "signal " + std::to_string(WTERMSIG(status));
}

} // namespace

int main(int argc, char **argv) {
  unsigned seconds;
  if (argc != 3 || llvm::StringRef(argv[2]).getAsInteger(10, seconds)) {
    llvm::errs() << "usage: burin-compile-server MODEL SECONDS\n";
    return 2;
  }
  // LLVM's own pool, which linking would make, is lost to a child.
  llvm::parallel::strategy = llvm::hardware_concurrency(1);
  int speaks = dup(STDOUT_FILENO), none = open("/dev/null", O_WRONLY);
  dup2(none, STDOUT_FILENO);
  std::string warm = std::string(argv[1]) + ".so";
  int code = compile({argv[1], "-o", warm});
  llvm::sys::fs::remove(warm);
  if (code)
    return code;
  std::string line;
  while (std::getline(std::cin, line)) {
    llvm::SmallVector<llvm::StringRef> fields;
    llvm::StringRef(line).split(fields, '\t');
    std::vector<std::string> words;
    for (llvm::StringRef field : llvm::drop_begin(fields))
      words.push_back(field.str());
    pid_t child = fork();
    if (child == 0)
      serve(fields.front().str(), std::move(words), seconds);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0) {
      llvm::errs() << "burin-compile-server: no process: " << strerror(errno) << "\n";
      return 1;
    }
    std::string answer = answerOf(status) + "\n";
    if (write(speaks, answer.data(), answer.size()) != ssize_t(answer.size()))
      return 1;
  }
  return 0;
}
