// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/Embedded.h"

extern "C" {
#define BURIN_EMBEDDED(name) extern const char burin_embedded_##name##_begin[], burin_embedded_##name##_end[];
BURIN_EMBEDDED(runtime_x86_64)
BURIN_EMBEDDED(libc_x86_64)
BURIN_EMBEDDED(runtime_aarch64)
BURIN_EMBEDDED(libc_aarch64)
#undef BURIN_EMBEDDED
}

namespace burin::embedded {

#define BURIN_EMBEDDED(name)                                                                       \
  llvm::StringRef(burin_embedded_##name##_begin,                                                   \
                  size_t(burin_embedded_##name##_end - burin_embedded_##name##_begin))

llvm::StringRef runtimeObject(Architecture architecture) {
  return architecture == Architecture::X86_64 ? BURIN_EMBEDDED(runtime_x86_64)
                                              : BURIN_EMBEDDED(runtime_aarch64);
}

llvm::StringRef libcStub(Architecture architecture) {
  return architecture == Architecture::X86_64 ? BURIN_EMBEDDED(libc_x86_64)
                                              : BURIN_EMBEDDED(libc_aarch64);
}

} // namespace burin::embedded
