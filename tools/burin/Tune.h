// SPDX-License-Identifier: Apache-2.0
//
// `burin compile --tune`: schedules are timed on this machine.

#ifndef BURIN_TOOLS_BURIN_TUNE_H
#define BURIN_TOOLS_BURIN_TUNE_H

#include "tools/burin/Commands.h"

namespace burin::cli {

/// Options of tuning.
struct TuneFlags {
  double seconds = 0;   // 0: no tuning
  std::string database; // a file of schedules, read where it is there

  void add(CLI::App &verb);
  /// Reads the database into options.tuning, where one is named.
  ExitCode read(CompileOptions &options) const;
  /// Times other schedules of the model's kernels for about `seconds` and adds those that are faster to
  /// options.tuning and to the database (by default beside the artifact). `isQuiet`: nothing on standard output.
  ExitCode tune(CompileOptions &options, bool isQuiet);
};

} // namespace burin::cli

#endif
