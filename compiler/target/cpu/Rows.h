// SPDX-License-Identifier: Apache-2.0
//
// How the register tiles of a kern.contract read `a`: a row of the result is a place in memory, to which
// a tap adds its own, and from there on one element after the other.

#ifndef BURIN_COMPILER_TARGET_CPU_ROWS_H
#define BURIN_COMPILER_TARGET_CPU_ROWS_H

#include "compiler/target/cpu/IndexBuilder.h"
#include "dialects/kern/KernOps.h"

namespace burin::cpu {

/// Each function builds at `at`, and leaves it behind what it has built.
class Rows : IndexBuilder {
public:
  explicit Rows(kern::ContractOp op) : IndexBuilder(op.getLoc(), op), op(op) {}

  /// Reads the op, whose parallel dims have these sizes. To be called first; fails with an error.
  mlir::LogicalResult read(mlir::OpBuilder &at, ValueRange sizes);

  /// Whether a tap can leave `a`.
  bool areChecked() const { return !checked.empty(); }

  struct Row {
    Value offset;                      // in the buffer of `a`, at tap 0
    llvm::SmallVector<Value> position; // in the dims of `a` that are checked
  };
  /// The row whose values of the parallel dims but the last are `dims`.
  Row rowAt(mlir::OpBuilder &at, ValueRange dims);

  /// What a tap, whose values of the reduction dims but the last are `tap`, reads of each row: 1-D memrefs that start
  /// at element `from` of the last; `zeros` in place of those outside.
  llvm::SmallVector<Value> elementsOf(mlir::OpBuilder &at, llvm::ArrayRef<Row> rows, ValueRange tap, Value from,
                                      Value depth, Value zeros);

private:
  /// An access expression: a coefficient per dim and a constant.
  struct Linear {
    llvm::SmallVector<int64_t> coefficients;
    int64_t constant;
  };
  Value offsetOf(ValueRange dims, unsigned firstDim);

  kern::ContractOp op;
  llvm::SmallVector<Linear> access;    // of each dim of `a`
  llvm::SmallVector<unsigned> checked; // dims of `a` that a tap can leave
  llvm::SmallVector<Value> sizes, strides;
  Value base, start; // rank-0 buffer of `a`, where its rows' expressions are 0
  Value innerStride; // between the elements of a row
};

} // namespace burin::cpu

#endif
