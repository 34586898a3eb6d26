// SPDX-License-Identifier: Apache-2.0
#ifndef BURIN_COMPILER_EMIT_SHA256_H
#define BURIN_COMPILER_EMIT_SHA256_H

#include "burin/abi.h"
#include "llvm/ADT/StringRef.h"

#include <array>

namespace burin {

/// The runtime's SHA-256: LLVM's counts in 32 bits and is wrong from 512 MiB on.
class Sha256 {
public:
  Sha256() { burin_sha256_begin(&state); }
  void update(llvm::StringRef bytes) {
    burin_sha256_add(&state, reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size());
  }
  /// The hash of all that was added; ends the object's use.
  std::array<uint8_t, 32> final() {
    std::array<uint8_t, 32> hash;
    burin_sha256_end(&state, hash.data());
    return hash;
  }

private:
  burin_sha256_state state;
};

} // namespace burin

#endif
