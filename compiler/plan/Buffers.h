// SPDX-License-Identifier: Apache-2.0
//
// What of a main program lies in the arena, from when to when, and where.

#ifndef BURIN_COMPILER_PLAN_BUFFERS_H
#define BURIN_COMPILER_PLAN_BUFFERS_H

#include "compiler/plan/Sizes.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"

#include <vector>

namespace burin {

/// The launches of a main program in their order, each alone or with those of its group. Each of these steps is a moment
/// in the life of buffers, from 0 on.
llvm::SmallVector<llvm::SmallVector<plan::LaunchOp, 1>> stepsOf(mlir::func::FuncOp main);

/// The step of each launch.
llvm::DenseMap<mlir::Operation *, unsigned> timesOf(llvm::ArrayRef<llvm::SmallVector<plan::LaunchOp, 1>> steps);

/// Memory of the arena: a launch's result with all its views, and the results that later launches write in its
/// place; or a plan.join, with all that lies in it.
struct Buffer {
  static constexpr uint64_t alignment = 64; // a cache line, and the widest vector

  llvm::SmallVector<mlir::Value> values; // one after the other in the same memory, or parts of `joined`
  mlir::Value joined;          // null for most
  uint64_t bytes = 0;          // dense size, at its bound
  unsigned begin = 0, end = 0; // first and last step that touch it, inclusive
  uint64_t offset = 0;

  uint64_t aligned() const { return llvm::alignTo(bytes, alignment); }
  bool meets(const Buffer &other) const { return begin <= other.end && other.begin <= end; }
};

/// Finds the buffers of main programs of one module. What it knows of kernels stays.
class BufferFinder {
public:
  explicit BufferFinder(mlir::ModuleOp kernels) : kernels(kernels) {}

  /// In the order of the launches that make them. Says at a launch what has no size that a machine could hold, or
  /// writes to a state that does not grow.
  mlir::FailureOr<std::vector<Buffer>> find(mlir::func::FuncOp main, plan::ModelSizes &sizes);

private:
  mlir::Value replacedInput(plan::LaunchOp launch, llvm::ArrayRef<plan::LaunchOp> step, unsigned time,
                            const llvm::DenseMap<mlir::Value, unsigned> &lastUse,
                            const llvm::DenseMap<mlir::Value, unsigned> &index);

  mlir::ModuleOp kernels;
  llvm::DenseMap<mlir::StringAttr, llvm::SmallVector<unsigned>> inPlace; // by kernel
};

/// Data that launches write to the caller's memory, or to that of states that grow: what the main program
/// returns.
llvm::DenseSet<mlir::Value> writtenOutside(mlir::func::FuncOp main);

/// The last step that reads data, or the one behind all; data that nothing reads has no entry.
llvm::DenseMap<mlir::Value, unsigned> lastReads(mlir::func::FuncOp main);

/// The bytes that are alive at each step, and behind the last. No plan takes less than the most of them.
std::vector<uint64_t> liveBytes(llvm::ArrayRef<Buffer> buffers);

/// Gives each buffer its offset, and returns the bytes that they take together: the least of several
/// plans, which are the same ones each time. Stops where a plan takes no more than is alive at once.
uint64_t placeBuffers(llvm::MutableArrayRef<Buffer> buffers);

} // namespace burin

#endif
