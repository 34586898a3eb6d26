// SPDX-License-Identifier: Apache-2.0
//
// How the register tiles of a kern.contract read `b`, 16 columns at a time: out of panels; out of its rows,
// where they are whole panels and one tile's rows are all that reads them; else out of scratch, to which a task copies the
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

  /// Gets a worker's scratch for `panels` at once, K blocks of `depth`, where that is needed; `areReadOnce`
  /// says that what is taken is loaded once. To be called first.
  void allocate(mlir::OpBuilder &at, int64_t panels, int64_t depth, bool areReadOnce);

  /// Makes `count` panels from `first` on, steps `from` to `to` of the sum, ready to be read.
  void take(mlir::OpBuilder &at, ValueRange dims, Value first, int64_t count, Value from, Value to);

  /// Fetches the columns of `panel`, of a packed `b`, at step `from` + `step` of the sum into the second cache.
  void fetch(mlir::OpBuilder &at, ValueRange dims, Value panel, Value from, Value step);

  /// The first columns of `panel`, as many as `vector` has lanes, at step `from` + `step` of the sum; it is the `number`-th of those
  /// taken.
  Value load(mlir::OpBuilder &at, mlir::VectorType vector, ValueRange dims, Value panel, int64_t number,
             Value from, Value step);

private:
  static constexpr int64_t width = kern::ContractOp::panelWidth;

  llvm::SmallVector<Value> placeInPanels(ValueRange dims, Value panel, Value depth);
  llvm::SmallVector<Value> placeOf(ValueRange dims, Value column, Value depth);
  /// Of a `b` that is copied: from a column on, `depth` steps of the sum.
  struct Part {
    llvm::SmallVector<Value> dims;
    Value column, from, depth;
  };
  void copyRows(const Part &part, int64_t count);
  void copyColumns(const Part &part, Value panel);
  void fetchColumns(const Part &part, Value column, Value last);
  void fetchAt(ValueRange place);
  Value numColumns() { return sizeOf(op.getInit(), op.getNumParallel() - 1); }

  kern::ContractOp op;
  bool isCopied;
  bool isPlain; // elements of its last dim lie side by side
  Value copied; // [panels, steps, width]; null where panels are read where they are
};

} // namespace burin::cpu

#endif
