// SPDX-License-Identifier: Apache-2.0
//
// What bound-threads says of main programs and their launches.

#ifndef BURIN_COMPILER_PLAN_BOUNDTHREADS_H
#define BURIN_COMPILER_PLAN_BOUNDTHREADS_H

#include "llvm/ADT/StringRef.h"

namespace burin::plan {

/// On a launch, or all of a group (unit): their tasks are one part.
inline constexpr llvm::StringLiteral aloneAttrName = "plan.alone";
/// On a launch of a group: about how long all its tasks take on a core, in nanoseconds (i64).
inline constexpr llvm::StringLiteral nanosecondsAttrName = "plan.ns";
/// On a main program: a dense i64 array, a size for each of plan.dims. Where a run has no larger ones, that holds of all
/// launches.
inline constexpr llvm::StringLiteral aloneUpToAttrName = "plan.alone_up_to";

} // namespace burin::plan

#endif
