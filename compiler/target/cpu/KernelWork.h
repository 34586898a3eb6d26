// SPDX-License-Identifier: Apache-2.0
//
// What a kernel does, counted alike on tensors before its schedule and on buffers
// after it, so that verify-kernels can compare.

#ifndef BURIN_COMPILER_TARGET_CPU_KERNELWORK_H
#define BURIN_COMPILER_TARGET_CPU_KERNELWORK_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <optional>

namespace burin::cpu {

struct KernelWork {
  int64_t contractions = 0; // ops that sum or otherwise reduce: kern.contract and linalg
  int64_t copies = 0;       // of tensors or parts of them, with nothing computed
  /// Iterations of all contractions, loops around them included; nothing where a
  /// size is dynamic or the number passes 2^63.
  std::optional<int64_t> steps = 0;

  static KernelWork of(mlir::func::FuncOp kernel);

  /// As the attribute `plan.asked` of a kernel: what its dispatch asked for.
  void storeOn(mlir::func::FuncOp kernel) const;
  /// Nothing where `kernel` has no such attribute, or one of another form.
  static std::optional<KernelWork> loadFrom(mlir::func::FuncOp kernel);
};

/// Dense bytes of a buffer, or nothing where its size is not static, its layout not
/// dense, or the number passes 2^64.
std::optional<uint64_t> scratchBytes(mlir::MemRefType type);

/// What a worker may need at most: the offsets into scratch are 32 bits wide.
inline constexpr uint64_t maxScratchBytes = INT32_MAX;

} // namespace burin::cpu

#endif
