// SPDX-License-Identifier: Apache-2.0
//
// Schedules that were timed, in a file that can be kept with a model, and what else there is to time.

#ifndef BURIN_COMPILER_PIPELINE_TUNING_H
#define BURIN_COMPILER_PIPELINE_TUNING_H

#include "compiler/emit/Program.h"

namespace burin {

/// Schedules by target ("znver3") and by what is computed. As JSON:
///
///   {"format": "burin-tuning-1", "znver3": {"128x48x768": [6, 1, 66, 8, 1, 0]}}
struct Tuning {
  std::map<std::string, TunedSchedules> targets;

  /// The error says what is wrong with the file; it does not name it.
  static llvm::Expected<Tuning> read(llvm::StringRef path);
  llvm::Error write(llvm::StringRef path) const;

  /// Names an entry that is no schedule of its target.
  llvm::Error check(llvm::ArrayRef<Level> levels) const;
  /// Tells the passes that lower the kernels of each level.
  void applyTo(llvm::MutableArrayRef<Level> levels) const;
};

/// What could be chosen for the kernels of a level, which have been lowered under a tuning.
std::vector<Tunable> tunablesOf(const Level &level);

} // namespace burin

#endif
