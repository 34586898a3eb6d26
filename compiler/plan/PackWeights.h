// SPDX-License-Identifier: Apache-2.0
//
// Constants in the layout that kernels read them in (#plan.layout). Large data is
// rearranged while the artifact is written, small data here.

#ifndef BURIN_COMPILER_PLAN_PACKWEIGHTS_H
#define BURIN_COMPILER_PLAN_PACKWEIGHTS_H

#include "dialects/plan/PlanOps.h"
#include "mlir/IR/BuiltinAttributes.h"

namespace burin {

/// Bytes that `layout` makes of elements of `elementBytes` bytes (where it rounds: of f32); nothing where
/// that passes 2^63.
std::optional<uint64_t> packedBytes(plan::LayoutAttr layout, unsigned elementBytes);

/// Writes the row-major `source` in `layout` to `out`, which has packedBytes bytes; `source` has
/// the bytes of the layout's source shape. Safe to call from several threads.
void packWeights(llvm::ArrayRef<char> source, plan::LayoutAttr layout, unsigned elementBytes,
                 llvm::MutableArrayRef<char> out);

/// The constant `value` in `layout`: a #plan.weight remembers it, dense elements are
/// rearranged. Null where `value` has other bytes than the layout's source, or a layout that cannot be followed by it.
mlir::TypedAttr withLayout(mlir::TypedAttr value, plan::LayoutAttr layout);

} // namespace burin

#endif
