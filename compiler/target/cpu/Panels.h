// SPDX-License-Identifier: Apache-2.0
//
// How the register tiles of a kern.contract read `b`, 16 columns at a time: out of panels; out of its rows,
// where they lie side by side and are whole panels; else out of scratch, to which a task copies the
// panels that it works on, one K block deep. The copy stays in the first cache; columns that lie side by
// side are turned in registers.

#ifndef BURIN_COMPILER_TARGET_CPU_PANELS_H
#define BURIN_COMPILER_TARGET_CPU_PANELS_H

#include "compiler/target/cpu/IndexBuilder.h"
#include "dialects/kern/KernOps.h"

namespace burin::cpu {

/// Each function builds at `at`, and leaves it behind what it has built. `dims` are the values of the parallel dims
/// that `b` is read at, by their numbers; others are not looked at.
class Panels : IndexBuilder {
public:
  explicit Panels(kern::ContractOp op);

  /// Gets a worker's scratch for `panels` at once, K blocks of `depth`, where that is needed.
  void allocate(mlir::OpBuilder &at, int64_t panels, int64_t depth);

  /// Makes `count` panels from `first` on, steps `from` to `to` of the sum, ready to be read.
  void take(mlir::OpBuilder &at, ValueRange dims, Value first, int64_t count, Value from, Value to);

  /// Fetches the columns of `panel`, of a packed `b`, at step `from` + `step` of the sum into the second cache.
  void fetch(mlir::OpBuilder &at, ValueRange dims, Value panel, Value from, Value step);

  /// The columns of `panel`, the `number`-th of those taken, at step `from` + `step` of the sum.
  Value load(mlir::OpBuilder &at, ValueRange dims, Value panel, int64_t number, Value from,
             Value step);

private:
  static constexpr int64_t width = kern::ContractOp::panelWidth;

  llvm::SmallVector<Value> placeInPanels(ValueRange dims, Value panel, Value depth);
  llvm::SmallVector<Value> placeOf(ValueRange dims, Value column, Value depth);
  /// One that is copied.
  struct Panel {
    llvm::SmallVector<Value> dims;
    Value column, number; // its first column, its place in the scratch
    Value from, depth;    // steps of the sum
    Value columns = nullptr; // that exist
  };
  llvm::SmallVector<Value> placeInCopy(const Panel &panel, Value step, Value column);
  void copyRows(const Panel &panel);
  void copyColumns(const Panel &panel, bool isPlain);
  void fetchColumns(const Panel &panel, Value column, Value last);

  kern::ContractOp op;
  bool isCopied;
  Value copied; // [panels, steps, width]; null where panels are read where they are
};

} // namespace burin::cpu

#endif
