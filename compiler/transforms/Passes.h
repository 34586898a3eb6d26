// SPDX-License-Identifier: Apache-2.0
//
// The project's passes; Passes.td documents them.

#ifndef BURIN_COMPILER_TRANSFORMS_PASSES_H
#define BURIN_COMPILER_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace burin {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/transforms/Passes.h.inc"

} // namespace burin

#endif
