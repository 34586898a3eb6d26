// SPDX-License-Identifier: Apache-2.0
//
// What bound-threads says of main programs and their launches.

#ifndef BURIN_COMPILER_PLAN_BOUNDTHREADS_H
#define BURIN_COMPILER_PLAN_BOUNDTHREADS_H

#include "llvm/ADT/StringRef.h"

namespace burin::plan {

/// On a launch (unit): all its tasks are one part.
inline constexpr llvm::StringLiteral aloneAttrName = "plan.alone";
/// On a main program: a dense i64 array, a size for each of plan.dims. Where a run has no larger ones, that holds of all
/// launches.
inline constexpr llvm::StringLiteral aloneUpToAttrName = "plan.alone_up_to";

} // namespace burin::plan

#endif
