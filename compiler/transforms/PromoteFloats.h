// SPDX-License-Identifier: Apache-2.0
#ifndef BURIN_COMPILER_TRANSFORMS_PROMOTEFLOATS_H
#define BURIN_COMPILER_TRANSFORMS_PROMOTEFLOATS_H

#include "mlir/Pass/Pass.h"

namespace burin {

class WeightStore;

/// promote-floats for a module whose weights are in `store`, which takes the wider ones.
std::unique_ptr<mlir::Pass> createPromoteFloats(WeightStore &store);

} // namespace burin

#endif
