// SPDX-License-Identifier: Apache-2.0
//
// What a core can do at most, and how long a launch takes at least.

#ifndef BURIN_COMPILER_PIPELINE_MACHINE_H
#define BURIN_COMPILER_PIPELINE_MACHINE_H

#include "compiler/pipeline/Cost.h"
#include "compiler/target/Target.h"
#include "llvm/Support/JSON.h"

namespace burin {

/// One core.
struct Machine {
  double flops = 0;          // f32 operations a second with the target's vectors; a multiply-add is two
  double memoryBandwidth = 0; // bytes a second
  double cacheBandwidth = 0;  // of what fits `cacheBytes`
  uint64_t cacheBytes = 0;   // of the last level
  std::string origin;        // where the numbers come from, for reports

  /// Round numbers for such a CPU, where nothing was measured.
  static Machine nominal(const Target &target);
  /// What `burin-run machine` printed; `origin` is its name of the machine, and `how`.
  static llvm::Expected<Machine> read(const llvm::json::Object &measured, const Target &target,
                                      llvm::StringRef how);

  llvm::json::Object json() const;
};

/// The least time of a launch, and what it needs.
struct Roofline {
  double computeSeconds = 0, memorySeconds = 0;
  double seconds() const { return std::max(computeSeconds, memorySeconds); }
  bool isComputeBound() const { return computeSeconds >= memorySeconds; }
  void add(const Roofline &other) {
    computeSeconds += other.computeSeconds;
    memorySeconds += other.memorySeconds;
  }
};

/// Weights come from the cache if they and the activations fit it together, activations if they fit
/// it; what does not comes from memory.
Roofline rooflineOf(const Work &work, const Machine &machine, uint64_t weightsBytes,
                    uint64_t activationBytes);

} // namespace burin

#endif
