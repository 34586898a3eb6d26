// SPDX-License-Identifier: Apache-2.0
//
// Squares of elements turned in registers: what lies side by side along one dim becomes vectors along another.

#ifndef BURIN_COMPILER_TARGET_CPU_TURNSQUARE_H
#define BURIN_COMPILER_TARGET_CPU_TURNSQUARE_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace burin::cpu {

/// Rows and columns of a square.
inline constexpr int64_t squareSide = 8;

/// The columns of a square whose rows are `rows`, each a vector of `squareSide` elements.
llvm::SmallVector<mlir::Value> turnSquare(mlir::ImplicitLocOpBuilder &b,
                                          llvm::ArrayRef<mlir::Value> rows);

} // namespace burin::cpu

#endif
