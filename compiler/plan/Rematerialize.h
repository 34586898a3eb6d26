// SPDX-License-Identifier: Apache-2.0
//
// What rematerialize says of launches.

#ifndef BURIN_COMPILER_PLAN_REMATERIALIZE_H
#define BURIN_COMPILER_PLAN_REMATERIALIZE_H

#include "llvm/ADT/StringRef.h"

namespace burin::plan {

/// On a launch that computes again what one before it did: the bytes that this saved where most was alive.
inline constexpr llvm::StringLiteral againAttrName = "plan.again";

} // namespace burin::plan

#endif
