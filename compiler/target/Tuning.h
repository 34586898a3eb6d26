// SPDX-License-Identifier: Apache-2.0
//
// Schedules that were chosen by timing them, and how they reach the passes of a target: as attributes.

#ifndef BURIN_COMPILER_TARGET_TUNING_H
#define BURIN_COMPILER_TARGET_TUNING_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace burin {

/// A schedule in numbers that its target knows the meaning of.
using ScheduleNumbers = std::vector<int64_t>;

/// Schedules by what is computed, in the target's words.
using TunedSchedules = std::map<std::string, ScheduleNumbers>;

/// Of @kernels: the schedules to take, a dictionary of arrays of i64. Where it is there, each kernel is told...
inline constexpr llvm::StringLiteral tuningAttrName = "plan.tuning";
/// ... what could be chosen for it: a list of dictionaries of `key`, `taken` and `others`.
inline constexpr llvm::StringLiteral tunableAttrName = "plan.tunable";

/// What may be chosen for a part of a kernel.
struct Tunable {
  std::string kernel, key;
  ScheduleNumbers taken;
  std::vector<ScheduleNumbers> others;
};

} // namespace burin

#endif
