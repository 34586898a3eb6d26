// SPDX-License-Identifier: Apache-2.0
//
// What a planned model does: operations, bytes and memory over time, launch by launch.

#ifndef BURIN_COMPILER_PIPELINE_COST_H
#define BURIN_COMPILER_PIPELINE_COST_H

#include "compiler/plan/Work.h"

#include <string>
#include <vector>

namespace burin {

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
