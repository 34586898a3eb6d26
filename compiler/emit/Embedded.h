// SPDX-License-Identifier: Apache-2.0
//
// Files of the build that the compiler carries inside (Embedded.S).

#ifndef BURIN_COMPILER_EMIT_EMBEDDED_H
#define BURIN_COMPILER_EMIT_EMBEDDED_H

#include "llvm/ADT/StringRef.h"

namespace burin::embedded {

/// The runtime as one relocatable object.
llvm::StringRef runtimeObject();
/// A libc.so.6 of names without versions, to link artifacts against: they then run
/// with any libc that has the names.
llvm::StringRef libcStub();

} // namespace burin::embedded

#endif
