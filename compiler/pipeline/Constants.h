// SPDX-License-Identifier: Apache-2.0
//
// Constants are compiled, then run: what depends on constants alone is a program of its own, which
// this compiler compiles for one fixed CPU level and runs. So the artifact has the same bytes
// whatever machine built it.

#ifndef BURIN_COMPILER_PIPELINE_CONSTANTS_H
#define BURIN_COMPILER_PIPELINE_CONSTANTS_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

namespace burin {

class WeightStore;

/// The level that constants are computed on. Results have the same bits on all.
inline constexpr llvm::StringLiteral constantsLevel = "x86-64-v3";

/// Replaces values of @main (onnx ops) that depend on constants alone by those values: small ones
/// in the IR, others in `weights`. One program for all of them, compiled for `cpu`, which `show` sees
/// as onnx ops; where it cannot be compiled or finds a fault in its data, one for each half. Left as
/// it is: what would take more room than what it is made from (above 1 MiB) or seconds of work, weights
/// that are only moved (their layout says how) or dequantized, and what is at fault by itself. Returns
/// how many values were computed; an error where this machine is at fault (no temporary folder, no
/// space), as the artifact would depend on it.
llvm::Expected<unsigned> evaluateConstants(mlir::ModuleOp module, WeightStore &weights,
                                           llvm::StringRef cpu,
                                           llvm::function_ref<void(mlir::ModuleOp)> show);

} // namespace burin

#endif
