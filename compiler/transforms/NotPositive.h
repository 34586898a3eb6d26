// SPDX-License-Identifier: Apache-2.0

#ifndef BURIN_COMPILER_TRANSFORMS_NOTPOSITIVE_H
#define BURIN_COMPILER_TRANSFORMS_NOTPOSITIVE_H

#include "llvm/ADT/StringRef.h"

namespace burin {

/// A `math.exp` whose operand is 0, below or NaN, as a softmax's: expand-math saves the cases above. Where a
/// rewrite drops it, only time is lost.
inline constexpr llvm::StringLiteral notPositiveAttrName = "plan.not_positive";

} // namespace burin

#endif
