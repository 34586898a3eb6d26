// SPDX-License-Identifier: Apache-2.0
#ifndef BURIN_COMPILER_EMIT_TEMPORARYFOLDER_H
#define BURIN_COMPILER_EMIT_TEMPORARYFOLDER_H

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"

namespace burin {

/// A folder for files on the way, in $TMPDIR or /tmp, which goes with its owner. A process that is
/// killed leaves its folder; the next one that makes a folder removes those that nobody holds.
class TemporaryFolder {
public:
  /// The error says what to do.
  static llvm::Expected<TemporaryFolder> make();
  TemporaryFolder(TemporaryFolder &&other);
  TemporaryFolder &operator=(TemporaryFolder &&) = delete;
  ~TemporaryFolder();

  llvm::StringRef path() const { return folder; }
  /// The path of a file in it.
  std::string file(const llvm::Twine &name) const;

private:
  TemporaryFolder(llvm::StringRef folder, int lock) : folder(folder), lock(lock) {}

  llvm::SmallString<128> folder; // "" where it has been moved from
  int lock;                      // the folder, open and locked as long as this process lives
};

} // namespace burin

#endif
