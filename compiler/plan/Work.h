// SPDX-License-Identifier: Apache-2.0
//
// What launches do, in operations and bytes, and about how long that takes.

#ifndef BURIN_COMPILER_PLAN_WORK_H
#define BURIN_COMPILER_PLAN_WORK_H

#include "compiler/plan/Sizes.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <memory>

namespace burin {

/// What a launch does, at the largest sizes of its dims. Numbers that pass 64 bits stay at the most.
struct Work {
  /// Arithmetic on numbers, of the model's words and not of the machine's: a multiply-add is two, a function
  /// such as exp or tanh Work::functionFlops, a comparison one; conversions, choices and
  /// indices none.
  uint64_t flops = 0;
  /// Those of them that Winograd's transforms save.
  uint64_t savedFlops = 0;
  /// Of the tensors at the kernel's edge, each element once: what stays inside of a kernel is in
  /// its scratch. Of what is read in part (a slice, a gather) that part.
  uint64_t weightBytes = 0, readBytes = 0, writtenBytes = 0;
  /// Whether the work is more: of a loop whose trip count the data decide one trip is counted.
  bool isAtLeast = false;

  static constexpr uint64_t functionFlops = 16; // about what the polynomials of expand-math take
  void add(const Work &other);
  uint64_t bytes() const { return weightBytes + readBytes + writtenBytes; }
};

/// A core in round numbers, for what is decided before any is known: its clock, its units for a
/// multiply-add of a vector, bytes a second from memory and from its last cache, and how large that is.
namespace nominal {
inline constexpr double clock = 3e9, units = 2, memoryBandwidth = 20e9, cacheBandwidth = 80e9;
inline constexpr uint64_t cacheBytes = uint64_t(16) << 20;
} // namespace nominal

/// About how long a nominal core with vectors of 256 bits takes, where weights and activations of so many bytes
/// share its last cache as far as they fit.
double estimatedSeconds(const Work &work, uint64_t weightsBytes, uint64_t activationBytes);

/// Counts the launches of one main program, planned or not, on its kernels as they are before their
/// schedule.
class LaunchWork {
public:
  LaunchWork(mlir::func::FuncOp main, mlir::ModuleOp kernels);
  ~LaunchWork();

  /// At the largest sizes of the model's dims.
  Work of(plan::LaunchOp launch);
  /// At `dims`, one for each range in plan.dims.
  Work of(plan::LaunchOp launch, llvm::ArrayRef<int64_t> dims);

private:
  class Counts;
  Work count(plan::LaunchOp launch, llvm::function_ref<plan::Interval(mlir::AffineExpr)> valueOf);

  mlir::ModuleOp kernels;
  plan::ModelSizes sizes;
  std::unique_ptr<Counts> counts;
};

} // namespace burin

#endif
