// SPDX-License-Identifier: Apache-2.0
//
// Schedules of contractions as tuning sees them: under names, in numbers, one of several.

#include "compiler/target/cpu/ContractSchedule.h"

#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;

namespace burin::cpu {

std::string ContractSizes::key() const {
  auto text = [](int64_t size) { return ShapedType::isDynamic(size) ? "?" : std::to_string(size); };
  return text(rows) + "x" + text(panels) + "x" + text(k);
}

ScheduleNumbers numbersOf(const ContractSchedule &schedule) {
  return {schedule.tileRows, schedule.tilePanels, schedule.taskRows, schedule.taskPanels,
          schedule.rowsFastest, schedule.blocksFastest};
}

std::optional<ContractSchedule> scheduleOf(const VectorLevel &level, ArrayRef<int64_t> numbers) {
  if (numbers.size() != 6)
    return std::nullopt;
  ContractSchedule made{numbers[0], numbers[1],      numbers[2],
                        numbers[3], numbers[4] != 0, numbers[5] != 0};
  constexpr int64_t most = 1 << 14; // partial sums of a task: a MiB
  bool isTile = made.tileRows >= 1 && made.tileRows <= level.maxRows && made.tilePanels >= 1 &&
                made.tilePanels <= level.maxPanels &&
                made.tileRows * made.tilePanels <= level.accumulators &&
                made.tilePanels * (made.tileRows + 1) <= level.registers;
  bool isTask = made.taskRows >= 1 && made.taskRows <= most && made.taskPanels >= 1 &&
                made.taskPanels <= most && made.taskRows * made.taskPanels <= most;
  auto isBit = [](int64_t number) { return number == 0 || number == 1; };
  if (!isTile || !isTask || !isBit(numbers[4]) || !isBit(numbers[5]) ||
      made.taskRows % made.tileRows != 0 || made.taskPanels % made.tilePanels != 0)
    return std::nullopt;
  return made;
}

std::vector<ContractSchedule> otherSchedules(const VectorLevel &level, const ContractSizes &sizes) {
  ContractSchedule base = chooseSchedule(level, sizes);
  std::vector<ContractSchedule> others;
  auto add = [&](ContractSchedule made) {
    auto isEqual = [&](const ContractSchedule &other) { return numbersOf(other) == numbersOf(made); };
    if (scheduleOf(level, numbersOf(made)) && !isEqual(base) && llvm::none_of(others, isEqual))
      others.push_back(made);
  };
  auto scaled = [](int64_t value, double by, int64_t multiple) {
    return std::max(multiple, int64_t(double(value) * by) / multiple * multiple);
  };
  // What differs in one thing comes first: time may be short.
  for (int changes = 1; changes <= 3; ++changes)
    for (bool turnsTasks : {false, true})
      for (bool turnsBlocks : {false, true})
        for (double byRows : {1.0, 0.5, 2.0, 0.25})
          for (double byPanels : {1.0, 0.5, 2.0, 4.0}) {
            if (turnsTasks + turnsBlocks + (byRows != 1) + (byPanels != 1) != changes)
              continue;
            ContractSchedule made = base;
            made.taskRows = scaled(base.taskRows, byRows, base.tileRows);
            made.taskPanels = scaled(base.taskPanels, byPanels, base.tilePanels);
            made.rowsFastest = base.rowsFastest != turnsTasks;
            made.blocksFastest = base.blocksFastest != turnsBlocks;
            add(made);
          }
  return others;
}

ContractSchedule tunedSchedule(kern::ContractOp op, const VectorLevel &level, const ContractSizes &sizes) {
  ContractSchedule schedule = chooseSchedule(level, sizes);
  auto kernel = op->getParentOfType<FunctionOpInterface>();
  auto tuning = kernel ? kernel->getParentOp()->getAttrOfType<DictionaryAttr>(tuningAttrName)
                       : DictionaryAttr();
  if (!tuning)
    return schedule;
  Builder b(op.getContext());
  std::string key = sizes.key();
  if (auto numbers = tuning.getAs<DenseI64ArrayAttr>(key))
    if (auto named = scheduleOf(level, numbers);
        named && (ShapedType::isDynamic(sizes.rows) || named->tileRows <= sizes.rows))
      schedule = *named;
  auto asAttribute = [&](const ContractSchedule &made) -> Attribute {
    return b.getDenseI64ArrayAttr(numbersOf(made));
  };
  SmallVector<Attribute> others = llvm::map_to_vector(otherSchedules(level, sizes), asAttribute);
  SmallVector<Attribute> all;
  if (auto before = kernel->getAttrOfType<ArrayAttr>(tunableAttrName))
    llvm::append_range(all, before);
  all.push_back(b.getDictionaryAttr({b.getNamedAttr("key", b.getStringAttr(key)),
                                     b.getNamedAttr("taken", asAttribute(schedule)),
                                     b.getNamedAttr("others", b.getArrayAttr(others))}));
  kernel->setAttr(tunableAttrName, b.getArrayAttr(all));
  return schedule;
}

} // namespace burin::cpu
