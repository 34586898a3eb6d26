// SPDX-License-Identifier: Apache-2.0
//
// The code of a program object: its main programs, and what computes sizes before a run.

#ifndef BURIN_COMPILER_EMIT_MAINPROGRAMS_H
#define BURIN_COMPILER_EMIT_MAINPROGRAMS_H

#include "compiler/emit/Program.h"
#include "compiler/emit/Signature.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

namespace burin {

/// The LLVM module of a program object, and how its constants are made.
struct ProgramModule {
  ProgramModule() : module("program", context), b(context), ptr(b.getPtrTy()) {}

  llvm::Constant *global(llvm::Constant *value, const llvm::Twine &name);
  /// With a final 0.
  llvm::Constant *string(llvm::StringRef text);
  /// Of values of one type; null where there are none.
  llvm::Constant *array(llvm::ArrayRef<llvm::Constant *> values, const llvm::Twine &name);

  llvm::LLVMContext context;
  llvm::Module module;
  llvm::IRBuilder<> b;
  llvm::PointerType *ptr;
};

struct MainPrograms {
  /// Of one variant.
  struct Variant {
    std::vector<llvm::Constant *> mains; // burin_main_fn, by level
    llvm::Constant *sizes;               // burin_sizes_fn
  };
  std::vector<Variant> variants;
  std::vector<llvm::Constant *> sites; // burin_site_abi
};

/// Emits a main program for each variant and level into `program`. Kernels are declared, as hidden
/// functions.
MainPrograms emitMainPrograms(ProgramModule &program, Signature &signature,
                              llvm::ArrayRef<Level> levels, llvm::StringRef modelName);

} // namespace burin

#endif
