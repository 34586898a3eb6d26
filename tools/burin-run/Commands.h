// SPDX-License-Identifier: Apache-2.0
//
// The verbs of burin-run.

#ifndef BURIN_RUN_COMMANDS_H
#define BURIN_RUN_COMMANDS_H

#include "Compare.h"
#include "Session.h"

namespace burin::run {

struct Flags {
  std::string model;
  std::vector<std::string> rest; // further arguments: data sets
  InputFlags inputs;
  std::string output; // folder
  std::string weights; // file or folder
  bool verify = false; // inspect: the weights
  uint32_t threads = 1, batch = 1;
  uint32_t steps = 1; // run: how often
  double seconds = 2;
  Tolerance tolerance;   // check, verify: what of it was given
  std::string reference; // verify: the artifact to compare with
  bool taps = false;     // verify: compare kernels' results, not outputs
  uint32_t timeout = 0; // seconds, 0 for none
  bool json = false;
  bool profile = false;
  std::string trace; // file
  uint32_t traceRuns = 3;
  bool marks = false; // bench: see test/runtime/quiet.sh
};

ExitCode runModel(const Flags &flags);
ExitCode bench(const Flags &flags);
ExitCode check(const Flags &flags);
ExitCode inspect(const Flags &flags);
ExitCode machine(const Flags &flags);
ExitCode verify(const Flags &flags);

} // namespace burin::run

#endif
