// SPDX-License-Identifier: Apache-2.0
//
// What a planned model does: operations, bytes and memory over time, launch by launch.

#ifndef BURIN_COMPILER_PIPELINE_COST_H
#define BURIN_COMPILER_PIPELINE_COST_H

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace burin {

/// What a launch does, at the largest sizes of its dims. Numbers that pass 64 bits stay at the most.
struct Work {
  /// Arithmetic on numbers, of the model's words and not of the machine's: a multiply-add is two, a function
  /// such as exp or tanh Work::functionFlops, a comparison one; conversions, choices and
  /// indices none.
  uint64_t flops = 0;
  /// Of the tensors at the kernel's edge, each element once: what stays inside of a kernel is in
  /// its scratch. Of what is read in part (a slice, a gather) that part.
  uint64_t weightBytes = 0, readBytes = 0, writtenBytes = 0;
  /// Whether the work is more: of a loop whose trip count the data decide one trip is counted.
  bool isAtLeast = false;

  static constexpr uint64_t functionFlops = 16; // about what the polynomials of expand-math take
  void add(const Work &other);
  uint64_t bytes() const { return weightBytes + readBytes + writtenBytes; }
};

struct LaunchCost {
  std::string kernel;
  std::vector<std::string> nodes;
  std::vector<unsigned> readsFrom; // launches that made what it reads, ascending
  Work work;
};

/// A tensor of the arena, from the launch that makes it to the last that reads it.
struct PlannedTensor {
  std::string node, type; // that makes it; "1x64x56x56xf32"
  uint64_t offset = 0, bytes = 0; // among the activations
  unsigned begin = 0, end = 0;    // launches, both included
};

/// One main program.
struct ProgramCost {
  std::string sizes; // "batch=8 seq=1..512", "" where there is only one
  std::vector<LaunchCost> launches; // in order
  std::vector<PlannedTensor> tensors;
  uint64_t activationBytes = 0;
};

/// Counts all main programs of a module after `plan`, before a target takes the kernels.
std::vector<ProgramCost> costOf(mlir::ModuleOp planned);

} // namespace burin

#endif
