// SPDX-License-Identifier: Apache-2.0
//
// run and bench hand over to burin-run, which has no LLVM inside: what it
// measures is the artifact.

#include "tools/burin/Commands.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace burin::cli {
namespace {

void addHandOver(CLI::App &app, Action &action, const char *verb, const char *help) {
  CLI::App *sub = app.add_subcommand(verb, help);
  sub->prefix_command(); // everything after it, --help too, is burin-run's
  sub->set_help_flag();
  sub->callback([sub, verb, &action] {
    std::vector<std::string> rest = sub->remaining();
    action = [rest, verb]() -> ExitCode {
      std::string runner = runnerPath();
      std::vector<std::string> args{runner, verb};
      args.insert(args.end(), rest.begin(), rest.end());
      std::vector<char *> pointers;
      for (std::string &arg : args)
        pointers.push_back(arg.data());
      pointers.push_back(nullptr);
      execv(runner.c_str(), pointers.data());
      std::fprintf(stderr, "error: cannot start '%s': %s; it belongs beside burin\n",
                   runner.c_str(), std::strerror(errno));
      return ExitCode::Failed;
    };
  });
}

} // namespace

void addRun(CLI::App &app, Action &action) {
  addHandOver(app, action, "run", "Run an artifact on files: run MODEL.so -i NAME=x.npy -o DIR");
}

void addBench(CLI::App &app, Action &action) {
  addHandOver(app, action, "bench", "Time an artifact: bench MODEL.so --threads N --seconds S");
}

} // namespace burin::cli
