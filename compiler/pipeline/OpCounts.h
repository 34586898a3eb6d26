// SPDX-License-Identifier: Apache-2.0
//
// What each pass does to the number of ops, for --dump-ir.

#ifndef BURIN_COMPILER_PIPELINE_OPCOUNTS_H
#define BURIN_COMPILER_PIPELINE_OPCOUNTS_H

#include "llvm/ADT/StringRef.h"

#include <memory>

namespace llvm {
class raw_ostream;
} // namespace llvm
namespace mlir {
class PassManager;
} // namespace mlir

namespace burin {

/// A table of the passes that ran, in order, with the ops before and after each, by kind where
/// that changed. A pass that runs on each function by itself is one row of all of them.
class OpCounts {
public:
  OpCounts();
  ~OpCounts();

  /// Counts around each pass that `manager` runs; `phase` names its rows. The manager must not
  /// outlive this.
  void watch(mlir::PassManager &manager, llvm::StringRef phase);

  void print(llvm::raw_ostream &out) const;

  struct Table; // of the implementation

private:
  std::unique_ptr<Table> table;
};

} // namespace burin

#endif
