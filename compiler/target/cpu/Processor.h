// SPDX-License-Identifier: Apache-2.0
//
// The CPUs that --cpu can name: one table of architectures says all that differs between them.

#ifndef BURIN_COMPILER_TARGET_CPU_PROCESSOR_H
#define BURIN_COMPILER_TARGET_CPU_PROCESSOR_H

#include "compiler/target/Target.h"
#include "llvm/TargetParser/Triple.h"

namespace llvm {
class Target;
class TargetMachine;
} // namespace llvm

namespace burin::cpu {

/// A CPU, as LLVM and the passes are told of it.
struct Processor {
  std::string name; // "x86-64-v3", "aarch64", "neoverse-n1"
  Architecture architecture = Architecture::X86_64;
  uint64_t features = 0;   // bits of burin_cpu_feature that its code may need
  std::string vectorLevel; // of expand-contract
  llvm::Triple triple;
  const llvm::Target *target = nullptr;
  // What code may use, and what it is scheduled for: attributes of functions.
  std::string targetCpu, targetFeatures, tuneCpu;
  bool wideVectors = false; // where there are 512-bit registers, they are used

  std::unique_ptr<llvm::TargetMachine> makeMachine() const;
  /// Marks all functions that `module` defines as this CPU's.
  void mark(llvm::Module &module) const;
};

/// The CPU of that name: a level, one that LLVM knows, or "native" for this machine's. An error says
/// what may be named.
llvm::Expected<Processor> findProcessor(llvm::StringRef name);

} // namespace burin::cpu

#endif
