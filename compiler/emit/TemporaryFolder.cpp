// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/TemporaryFolder.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <ctime>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;

namespace burin {
namespace {

constexpr StringLiteral prefix = "burin-temporary-";
/// Between making a folder and locking it others take it for one that was left.
constexpr time_t youngest = 60; // seconds

/// Opens a folder that no process holds, and holds it; -1 where it is in use or no folder of ours.
int hold(const std::string &path) {
  int lock = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
    return lock;
  if (lock >= 0)
    close(lock);
  return -1;
}

/// Removes what processes left that were killed.
void sweep(StringRef parent) {
  std::error_code error;
  for (sys::fs::directory_iterator it(parent, error), end; it != end && !error; it.increment(error)) {
    StringRef name = sys::path::filename(it->path());
    if (!name.consume_front(prefix) || name.size() != 8 || !all_of(name, isHexDigit))
      continue;
    struct stat status;
    int lock = hold(it->path());
    if (lock < 0)
      continue;
    if (fstat(lock, &status) == 0 && status.st_uid == geteuid() &&
        std::time(nullptr) - status.st_mtime > youngest)
      sys::fs::remove_directories(it->path());
    close(lock);
  }
}

} // namespace

Expected<TemporaryFolder> TemporaryFolder::make() {
  SmallString<128> parent, model, path;
  sys::path::system_temp_directory(/*erasedOnReboot=*/true, parent);
  static const bool swept = (sweep(parent), true);
  (void)swept;
  model = parent;
  sys::path::append(model, prefix + "%%%%%%%%");
  std::error_code code;
  for (int attempt = 0; attempt < 128; ++attempt) {
    sys::fs::createUniquePath(model, path, /*MakeAbsolute=*/false);
    code = sys::fs::create_directory(path, /*IgnoreExisting=*/false, sys::fs::owner_all);
    if (code != std::errc::file_exists)
      break;
  }
  if (code)
    return createStringError("cannot make a folder in '" + parent + "' for temporary files: " +
                             code.message() + "; set TMPDIR to a folder that can be written");
  return TemporaryFolder(path, hold(path.str().str()));
}

TemporaryFolder::TemporaryFolder(TemporaryFolder &&other) : folder(other.folder), lock(other.lock) {
  other.folder.clear();
  other.lock = -1;
}

TemporaryFolder::~TemporaryFolder() {
  if (!folder.empty())
    sys::fs::remove_directories(folder);
  if (lock >= 0)
    close(lock);
}

std::string TemporaryFolder::file(const Twine &name) const {
  SmallString<128> path(folder);
  sys::path::append(path, name);
  return path.str().str();
}

} // namespace burin
