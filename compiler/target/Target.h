// SPDX-License-Identifier: Apache-2.0
//
// What a target is: phases that take the module @kernels from tensor functions to
// the target's own form, and machine code from there. One folder and one line in
// Registry.cpp per target.

#ifndef BURIN_COMPILER_TARGET_TARGET_H
#define BURIN_COMPILER_TARGET_TARGET_H

#include "compiler/target/Tuning.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"
#include "llvm/Support/Error.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace llvm {
class Module;
class LLVMContext;
} // namespace llvm

namespace burin {

/// A named stretch of the pipeline that can be dumped and stopped after.
struct Phase {
  std::string name;
  std::function<void(mlir::OpPassManager &)> addPasses;
};

/// Relocatable object code, in memory.
struct Object {
  std::string name; // for messages and temporary files, without extension
  llvm::SmallVector<char, 0> bytes;
};

/// What the main program must know of a compiled kernel.
struct KernelInfo {
  std::string name;
  uint32_t tasks = 1;
  uint64_t scratchBytes = 0;
};

/// The machines that artifacts are for. The compiler has a runtime for each (compiler/emit/Embedded.h).
enum class Architecture { X86_64, AArch64 };

class Target {
public:
  virtual ~Target();

  /// The resolved name, e.g. "x86-64-v3"; part of the artifact's provenance.
  virtual std::string name() const = 0;
  virtual Architecture architecture() const = 0;
  /// Bits of burin_cpu_feature that the code needs.
  virtual uint64_t features() const = 0;
  /// Why `numbers` are no schedule of this target; empty where they are.
  virtual std::string checkSchedule(const ScheduleNumbers &numbers) const = 0;
  /// In order; each runs on the module @kernels.
  virtual std::vector<Phase> phases() const = 0;
  /// Machine code of the kernels after the last phase, each a hidden symbol.
  virtual llvm::Expected<std::vector<Object>> emitKernels(mlir::ModuleOp kernels) const = 0;
  /// Machine code of a module that the compiler itself has built (the program).
  virtual llvm::Expected<Object> emitModule(llvm::Module &module) const = 0;
};

/// The target named by --target and --cpu ("native" is resolved to a named level),
/// or an error that lists what there is.
llvm::Expected<std::unique_ptr<Target>> makeTarget(llvm::StringRef target, llvm::StringRef cpu);

} // namespace burin

#endif
