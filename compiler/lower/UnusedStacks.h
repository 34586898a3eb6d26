// SPDX-License-Identifier: Apache-2.0
#ifndef BURIN_COMPILER_LOWER_UNUSEDSTACKS_H
#define BURIN_COMPILER_LOWER_UNUSEDSTACKS_H

#include "mlir/IR/Operation.h"

namespace burin::lower {

/// Takes from each Loop and Scan in `root` the outputs that grow by a slice per trip and that nobody
/// reads, and from their bodies what was computed for those alone.
void dropUnusedStacks(mlir::Operation *root);

} // namespace burin::lower

#endif
