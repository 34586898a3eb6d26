// SPDX-License-Identifier: Apache-2.0
//
// How a kern.contract runs on a CPU: its loops in fewer dims, register tiles and
// tasks. None of it changes a result's bits (see Contract.td).

#ifndef BURIN_COMPILER_TARGET_CPU_CONTRACTSCHEDULE_H
#define BURIN_COMPILER_TARGET_CPU_CONTRACTSCHEDULE_H

#include "compiler/target/Tuning.h"
#include "dialects/kern/KernOps.h"

#include <optional>

namespace burin::cpu {

/// Registers of an instruction set level, in units of vector<16xf32>, and the second cache of the CPUs that have it.
struct VectorLevel {
  int64_t accumulators; // what a register tile may hold
  int64_t maxPanels;    // panels of one register tile
  int64_t registers;    // for sums and one row of all panels; the rest is of a
  int64_t maxRows;      // of one register tile: each has an address
  double loadCost;      // of a load beside a product: what a tile with more of them pays
  int64_t depthwiseLanes; // of the vectors of a depthwise convolution, which holds several at once
  int64_t cacheBytes;   // the second cache has at least that
  const char *registerName; // in assembly, before its number
  int64_t numRegisters;
};
// On x86 a product takes its b from memory, so that sums alone take registers.
inline constexpr VectorLevel levelV3{6, 4, 16, 6, 4.0, 8, 512 * 1024, "xmm", 16};    // 16 ymm: 12 sums, 2 of b, 1 of a
inline constexpr VectorLevel levelV4{24, 4, 32, 8, 0.2, 16, 1024 * 1024, "xmm", 32}; // 32 zmm: 24 sums, 4 of b, 1 of a
inline constexpr VectorLevel levelNeon{6, 4, 7, 6, 4.0, 8, 512 * 1024, "v", 32};     // 32 q: 24 sums, 4 of b, 4 of a

/// "v3", "v4" or "neon"; null for any other name.
const VectorLevel *findLevel(llvm::StringRef name);

/// A register tile and the part of the result that one task computes.
struct ContractSchedule {
  int64_t tileRows, tilePanels;
  int64_t taskRows;   // a multiple of tileRows, or all rows; the last task has the tail as well
  int64_t taskPanels; // a multiple of tilePanels, or all panels
  bool rowsFastest;   // neighbouring tasks share panels rather than rows
  bool blocksFastest; // within a task: all K blocks of a group of panels, then the next group
};

/// What a schedule is chosen for; kDynamic where a size is an argument.
struct ContractSizes {
  int64_t rows, panels, k;

  /// As tuning names it: "128x48x768", with ? for an argument.
  std::string key() const;
};

/// The rows that are left behind whole register tiles: so many lower tiles.
struct RowTail {
  int64_t rows = 0, tiles = 0; // of each tile; how many
};

/// The tail of a known number of rows in tiles of that height and so many panels.
RowTail chooseTail(const VectorLevel &level, int64_t rows, int64_t tileRows, int64_t tilePanels);

ContractSchedule chooseSchedule(const VectorLevel &level, const ContractSizes &sizes);

/// Others that may be faster on some machine: more or fewer rows and panels for a task, the other order.
std::vector<ContractSchedule> otherSchedules(const VectorLevel &level, const ContractSizes &sizes);

/// A schedule as numbers, and the schedule that numbers stand for: none where the level cannot have it.
ScheduleNumbers numbersOf(const ContractSchedule &schedule);
std::optional<ContractSchedule> scheduleOf(const VectorLevel &level, llvm::ArrayRef<int64_t> numbers);

/// The schedule of a contract on buffers of these sizes: what the tuning of its module names, else what the model chooses.
/// Where there is a tuning, the kernel is told what else there is (compiler/target/Tuning.h).
ContractSchedule tunedSchedule(kern::ContractOp op, const VectorLevel &level, const ContractSizes &sizes);

/// Merges adjacent row dims of a contract on memrefs where every operand walks them as
/// one, so that less is computed per row. Changes `op` in place (operands and maps).
void collapseRowDims(mlir::OpBuilder &builder, kern::ContractOp op);

} // namespace burin::cpu

#endif
