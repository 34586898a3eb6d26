// SPDX-License-Identifier: Apache-2.0
//
// What bind-states is told of a state that several variants share.

#ifndef BURIN_COMPILER_TRANSFORMS_BINDSTATES_H
#define BURIN_COMPILER_TRANSFORMS_BINDSTATES_H

#include "llvm/ADT/StringRef.h"

namespace burin {

/// On an argument of @main: the rows that its memory has in the variant that takes most (i64).
inline constexpr llvm::StringLiteral stateRoomAttrName = "plan.state_room";

} // namespace burin

#endif
