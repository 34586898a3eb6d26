// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/Tuning.h"

#include "compiler/emit/Artifact.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace burin {

static constexpr llvm::StringLiteral formatName = "burin-tuning-1";

llvm::Expected<Tuning> Tuning::read(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return llvm::createStringError("cannot be read: " + buffer.getError().message());
  llvm::Expected<llvm::json::Value> value = llvm::json::parse((*buffer)->getBuffer());
  if (!value)
    return llvm::createStringError("is not JSON: " + llvm::toString(value.takeError()));
  const llvm::json::Object *object = value->getAsObject();
  if (!object || object->getString("format") != formatName)
    return llvm::createStringError("is no tuning: \"format\" is not \"" + formatName + "\"");
  Tuning tuning;
  for (const auto &[target, entries] : *object) {
    if (target == "format")
      continue;
    const llvm::json::Object *schedules = entries.getAsObject();
    if (!schedules)
      return llvm::createStringError("has no object of schedules for \"" + target.str() + "\"");
    for (const auto &[key, numbers] : *schedules) {
      const llvm::json::Array *list = numbers.getAsArray();
      ScheduleNumbers &made = tuning.targets[target.str()][key.str()];
      for (const llvm::json::Value &number : list ? *list : llvm::json::Array())
        made.push_back(number.getAsInteger().value_or(-1));
      if (made.empty())
        return llvm::createStringError("has no list of numbers for \"" + key.str() + "\"");
    }
  }
  return tuning;
}

llvm::Error Tuning::write(llvm::StringRef path) const {
  return writeWhole(path, [&](llvm::raw_ostream &out) {
    // A line for each, in order: that is what a diff shows.
    out << "{\n  \"format\": \"" << formatName << "\"";
    for (const auto &[target, schedules] : targets) {
      out << ",\n  " << llvm::json::Value(target) << ": {";
      llvm::StringRef comma;
      for (const auto &[key, numbers] : schedules) {
        out << comma << "\n    " << llvm::json::Value(key) << ": "
            << llvm::json::Value(llvm::json::Array(numbers));
        comma = ",";
      }
      out << "\n  }";
    }
    out << "\n}\n";
    return llvm::Error::success();
  });
}

llvm::Error Tuning::check(llvm::ArrayRef<Level> levels) const {
  for (const Level &level : levels)
    if (auto own = targets.find(level.target->name()); own != targets.end())
      for (const auto &[key, numbers] : own->second)
        if (std::string why = level.target->checkSchedule(numbers); !why.empty())
          return llvm::createStringError("the schedule of \"" + key + "\" for " + own->first +
                                         " cannot be: " + why);
  return llvm::Error::success();
}

void Tuning::applyTo(llvm::MutableArrayRef<Level> levels) const {
  for (Level &level : levels) {
    Builder builder(level.kernels.getContext());
    NamedAttrList entries;
    if (auto own = targets.find(level.target->name()); own != targets.end())
      for (const auto &[key, numbers] : own->second)
        entries.set(key, builder.getDenseI64ArrayAttr(numbers));
    level.kernels->setAttr(tuningAttrName, entries.getDictionary(builder.getContext()));
  }
}

std::vector<Tunable> tunablesOf(const Level &level) {
  auto numbersOf = [](Attribute attribute) {
    ArrayRef<int64_t> numbers = cast<DenseI64ArrayAttr>(attribute);
    return ScheduleNumbers(numbers.begin(), numbers.end());
  };
  std::vector<Tunable> made;
  for (Operation &kernel : ModuleOp(level.kernels).getBody()->getOperations()) {
    auto all = kernel.getAttrOfType<ArrayAttr>(tunableAttrName);
    if (!all)
      continue;
    for (auto each : all.getAsRange<DictionaryAttr>()) {
      Tunable tunable;
      tunable.kernel = SymbolTable::getSymbolName(&kernel).getValue().drop_back(level.suffix.size());
      tunable.key = each.getAs<StringAttr>("key").getValue();
      tunable.taken = numbersOf(each.get("taken"));
      for (Attribute other : each.getAs<ArrayAttr>("others"))
        tunable.others.push_back(numbersOf(other));
      made.push_back(std::move(tunable));
    }
  }
  return made;
}

} // namespace burin
