// SPDX-License-Identifier: Apache-2.0
//
// How a kern.contract runs on a CPU: its loops in fewer dims, register tiles and
// tasks. None of it changes a result's bits (see Contract.td).

#ifndef BURIN_COMPILER_TARGET_CPU_CONTRACTSCHEDULE_H
#define BURIN_COMPILER_TARGET_CPU_CONTRACTSCHEDULE_H

#include "dialects/kern/KernOps.h"

namespace burin::cpu {

/// Registers of an instruction set level, in units of vector<16xf32>.
struct VectorLevel {
  int64_t accumulators; // what a register tile may hold
  int64_t maxPanels;    // panels of one register tile
  int64_t registers;    // for sums and one row of all panels; the rest is of a
  int64_t depthwiseLanes; // of the vectors of a depthwise convolution, which holds several at once
};
// On x86 a product takes its b from memory, so that sums alone take registers.
inline constexpr VectorLevel levelV3{6, 4, 16, 8};   // 16 ymm: 12 sums, 2 of b, 1 of a
inline constexpr VectorLevel levelV4{24, 4, 32, 16};  // 32 zmm: 24 sums, 4 of b, 1 of a
inline constexpr VectorLevel levelNeon{6, 4, 7, 8};  // 32 q: 24 sums, 4 of b, 4 of a

/// A register tile and the part of the result that one task computes.
struct ContractSchedule {
  int64_t tileRows, tilePanels;
  int64_t taskRows;   // a multiple of tileRows, or all rows
  int64_t taskPanels; // a multiple of tilePanels, or all panels
  bool rowsFastest;   // neighbouring tasks share panels rather than rows
  bool blocksFastest; // within a task: all K blocks of a group of panels, then the next group
};

/// `rows` and `panels` may be kDynamic.
ContractSchedule chooseSchedule(const VectorLevel &level, int64_t rows, int64_t panels, int64_t k);

/// Merges adjacent row dims of a contract on memrefs where every operand walks them as
/// one, so that less is computed per row. Changes `op` in place (operands and maps).
void collapseRowDims(mlir::OpBuilder &builder, kern::ContractOp op);

} // namespace burin::cpu

#endif
