// SPDX-License-Identifier: Apache-2.0
//
// The parts of the indexing family, one file each.

#ifndef BURIN_COMPILER_LOWER_INDEXING_H
#define BURIN_COMPILER_LOWER_INDEXING_H

#include "compiler/lower/Lowering.h"

namespace burin::lower {

/// Resize.
void registerNGrams(RuleTable &table);
void registerResize(RuleTable &table);
/// GridSample, RoiAlign, MaxRoiPool: values between elements, at places that are data.
void registerSampling(RuleTable &table);
/// TopK, Compress, NonZero, Unique, NonMaxSuppression: what is kept is data.
void registerSelection(RuleTable &table);

/// A tensor of its own with the elements of `data`, for an op that updates it in
/// place.
mlir::Value ownCopy(Lowering &b, mlir::Value data);

} // namespace burin::lower

#endif
