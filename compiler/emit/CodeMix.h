// SPDX-License-Identifier: Apache-2.0
//
// Whether machine code is vector code, read off the machine code.

#ifndef BURIN_COMPILER_EMIT_CODEMIX_H
#define BURIN_COMPILER_EMIT_CODEMIX_H

#include "compiler/target/Target.h"

#include <map>
#include <optional>

namespace burin {

/// Of one function: how many instructions of its innermost loops (of all its code, where there
/// is no loop) work on whole vectors, and how many on one number. Arithmetic is that of floats, and
/// of integers on vectors.
struct CodeMix {
  uint64_t bytes = 0;
  unsigned loops = 0; // innermost ones
  unsigned vectorArithmetic = 0, scalarArithmetic = 0;
  unsigned vectorStores = 0, scalarStores = 0;

  /// The part of its arithmetic that is vector arithmetic; of its stores, where it has no
  /// arithmetic; nothing where it has neither (a block move of the C library, most likely).
  std::optional<double> vectorShare() const;
};

/// By the name of the function.
llvm::Expected<std::map<std::string, CodeMix>> codeMixOf(llvm::ArrayRef<Object> objects,
                                                         Architecture architecture);

} // namespace burin

#endif
