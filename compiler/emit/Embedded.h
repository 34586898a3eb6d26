// SPDX-License-Identifier: Apache-2.0
//
// Files of the build that the compiler carries inside (Embedded.S).

#ifndef BURIN_COMPILER_EMIT_EMBEDDED_H
#define BURIN_COMPILER_EMIT_EMBEDDED_H

#include "compiler/target/Target.h"

namespace burin::embedded {

/// The runtime as one relocatable object; empty where the compiler was built without that
/// machine's C headers.
llvm::StringRef runtimeObject(Architecture);
/// A libc.so.6 of names without versions, to link artifacts against: they then run
/// with any libc that has the names.
llvm::StringRef libcStub(Architecture);

} // namespace burin::embedded

#endif
