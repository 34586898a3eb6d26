// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/Embedded.h"

extern "C" {
extern const char burin_embedded_runtime_begin[], burin_embedded_runtime_end[];
extern const char burin_embedded_libc_begin[], burin_embedded_libc_end[];
}

namespace burin::embedded {

llvm::StringRef runtimeObject() {
  return {burin_embedded_runtime_begin,
          size_t(burin_embedded_runtime_end - burin_embedded_runtime_begin)};
}

llvm::StringRef libcStub() {
  return {burin_embedded_libc_begin, size_t(burin_embedded_libc_end - burin_embedded_libc_begin)};
}

} // namespace burin::embedded
