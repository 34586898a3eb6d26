// SPDX-License-Identifier: Apache-2.0
//
// Loops of a depthwise kern.contract on buffers: what Depthwise.cpp, InPlaceDepthwise.cpp, ChainedDepthwise.cpp
// and WindowedDepthwise.cpp make together.
//
//   scf.forall task in images x blocks of rows x blocks of panels
//     for some results of a row, some panels, row, panel, lanes of the panel
//       sums = for row of taps: for what it reads, left to right: load, fma with taps   in registers
//       epilogue and store
//
// where columns are known: results that read the same columns of the picture, but for where they
// begin, share code, in which what lies outside is a constant. What rows share stays in the first
// cache; what only the next one reads is fetched. Beside a feeder or a product that reads the results
//
//   scf.forall task in images x blocks of rows
//     for some panels
//       the feeder's part of the rows that they read                    scratch, [rows, columns, some panels]
//       results of those panels, as above                               scratch, [rows, columns, channels]
//     the product's part
//
// Else
//
//   scf.forall task in images x blocks of rows x blocks of columns x blocks of panels
//     for panel
//       window = what the block reads, zeros around the picture       scratch, [rows, columns, 16]
//       for row, some results of it, lanes of the panel: as above
//
// which is small enough to stay in the first caches, and nothing in the loops behind asks where the
// picture ends. A result is one chain over its taps in order, from 0; outside of the picture are zeros.

#ifndef BURIN_COMPILER_TARGET_CPU_DEPTHWISELOOPS_H
#define BURIN_COMPILER_TARGET_CPU_DEPTHWISELOOPS_H

#include "compiler/target/cpu/ContractSchedule.h"
#include "compiler/target/cpu/IndexBuilder.h"

namespace burin::cpu {

class Depthwise : IndexBuilder {
public:
  /// `feeder` makes what `op` reads, `product` reads what it makes; either may be null.
  Depthwise(kern::ContractOp op, const VectorLevel &level, kern::ContractOp feeder, kern::ContractOp product)
      : IndexBuilder(op.getLoc(), op), op(op), feeder(feeder), product(product), level(level),
        lanes(level.depthwiseLanes), vector(mlir::VectorType::get({lanes}, b.getF32Type())) {}

  /// Returns the parts of feeder and product for a task; those and the op are gone.
  llvm::SmallVector<kern::ContractOp> expand();

private:
  static constexpr int64_t width = kern::ContractOp::panelWidth;
  /// Panels of which rows are summed one after the other: their taps, and what rows share, stay in the first cache.
  static constexpr int64_t panelsOfRows = 4;
  static constexpr int64_t taskProducts = 512 * 1024; // of one task, about
  static constexpr int64_t mostTaps = 7;              // of a row that have registers

  /// One spatial dim.
  struct Dim {
    Value in, out;
    int64_t stride, dilation, pad, taps;

    int64_t reach(int64_t results) const { return (results - 1) * stride + (taps - 1) * dilation + 1; }
  };

  /// `repeats` times `count` results of a row, from `first` on. Of the columns that each time are read
  /// (columnsOf) those of `exists` lie in the picture.
  struct Block {
    int64_t first, count, repeats;
    llvm::SmallVector<bool> exists;
  };

  void readOp();
  void chooseTogether();
  llvm::SmallVector<int64_t> columnsOf(int64_t count) const;
  std::optional<llvm::SmallVector<Block>> blocksOfRow(size_t most) const;
  llvm::SmallVector<Value> tasks(llvm::ArrayRef<Value> grid);
  // In place.
  void expandInPlace(llvm::ArrayRef<Block> blocks);
  void sumColumns(llvm::ArrayRef<Block> blocks, llvm::function_ref<void(const Block &, Value)> body);
  void sumPanels(const Block &block, Value y, Value x, Value from, Value to);
  void sumBlock(const Block &block, Value y, Value x, Value panel, Value lane, Value channelsLeft);
  void fetchNext(const Block &block, Value y, Value x, Value panel);
  // Beside a feeder or a product.
  void expandChain(llvm::ArrayRef<Block> blocks);
  int64_t chooseRows();
  void feed(int64_t feedRows, Value panel);
  void multiply(int64_t count);
  Value rowsOf(Value memref, mlir::AffineMap map, Value first, int64_t count);
  void emptyRegisters();
  // Rows and columns count from the task's first.
  void expandByWindows();
  void copyWindow(Value panel);
  void sumRow(Value row, Value length, Value panel);
  void sumResults(Value row, Value x, int64_t count, Value panel);
  // Both.
  llvm::SmallVector<Value> sumTaps(ValueRange sums, Value tapRow, Value panel, Value lane,
                             llvm::function_ref<Value(int64_t column)> element);
  void writeSums(ValueRange sums, Value y, Value x, Value channel, Value channelsLeft);

  Value zero(mlir::VectorType type) {
    return mlir::arith::ConstantOp::create(b, mlir::DenseElementsAttr::get(type, 0.0f));
  }
  Value maskOf(Value lanesLeft) {
    return mlir::vector::CreateMaskOp::create(b, vector.clone(b.getI1Type()), ValueRange{lanesLeft});
  }
  /// Where a size is told when the kernel runs.
  static int64_t assumed(Value size) { return known(size).value_or(32); }

  kern::ContractOp op, feeder, product;
  llvm::SmallVector<kern::ContractOp> parts; // of feeder and product
  const VectorLevel &level;
  int64_t lanes;
  mlir::VectorType vector;
  Dim rows, columns;
  int64_t channels = 0, panels = 0;
  Value batch;
  int64_t together = 0; // results whose sums are in registers
  // The task.
  Value image, firstRow, firstColumn, window, results;
  Value fed, firstFed, firstChannel; // what a feeder made: [row, column, channel], and where it begins
  Value made;                        // what a product reads: [row from the first, column, channel]
};

} // namespace burin::cpu

#endif
