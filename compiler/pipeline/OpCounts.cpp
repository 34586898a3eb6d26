// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/OpCounts.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <map>
#include <mutex>

using namespace mlir;

namespace burin {
namespace {

using Counts = std::map<StringRef, int64_t>; // by the op's name, which the context owns

/// Kinds of ops that one row names, the most changed first.
constexpr size_t maxKinds = 8;

/// Adds `op` and what is in it; modules only hold the rest.
void count(Operation *op, Counts &counts) {
  op->walk([&](Operation *inner) {
    if (!isa<ModuleOp>(inner))
      ++counts[inner->getName().getStringRef()];
  });
}

int64_t total(const Counts &counts) {
  int64_t sum = 0;
  for (const auto &[name, number] : counts)
    sum += number;
  return sum;
}

} // namespace

struct OpCounts::Table {
  struct Row {
    std::string phase, pass;
    int64_t before = 0, after = 0;
    std::map<std::string, int64_t> changes; // kinds outlive the context
  };
  std::vector<Row> rows;
};

namespace {

class Counter : public PassInstrumentation {
public:
  using Row = OpCounts::Table::Row;

  Counter(std::vector<Row> &rows, StringRef phase) : rows(rows), phase(phase) {}

  void runBeforePass(Pass *pass, Operation *op) override {
    std::lock_guard<std::mutex> lock(mutex);
    if (isAdaptor(pass)) {
      positions.clear();
      firstNested = rows.size();
      nested = true;
      return;
    }
    Counts counts;
    count(op, counts);
    Row &row = rowOf(pass, op);
    row.before += total(counts);
    before[{pass, op}] = std::move(counts);
  }

  void runAfterPass(Pass *pass, Operation *op) override {
    std::lock_guard<std::mutex> lock(mutex);
    if (isAdaptor(pass)) {
      nested = false;
      return;
    }
    auto at = before.find({pass, op});
    if (at == before.end())
      return;
    Counts changes = std::move(at->second);
    before.erase(at);
    int64_t was = total(changes);
    for (auto &[name, number] : changes)
      number = -number;
    count(op, changes);
    Row &row = current(op);
    row.after += was + total(changes);
    for (auto &[name, number] : changes)
      row.changes[name.str()] += number;
    if (nested)
      ++positions[op];
  }

  void runAfterPassFailed(Pass *pass, Operation *op) override { runAfterPass(pass, op); }

private:
  /// The pass manager's own pass that runs others on ops further in; it alone has no argument
  /// to be asked for by.
  static bool isAdaptor(Pass *pass) { return pass->getArgument().empty(); }

  /// Functions run the same passes side by side: the nth pass of each is one row.
  Row &rowOf(Pass *pass, Operation *op) {
    size_t at = nested ? firstNested + positions[op] : rows.size();
    if (at >= rows.size()) {
      rows.resize(at + 1);
      rows[at].phase = phase;
      rows[at].pass = pass->getArgument().str();
    }
    return rows[at];
  }
  Row &current(Operation *op) {
    return nested ? rows[firstNested + positions[op]] : rows.back();
  }

  std::mutex mutex;
  std::vector<Row> &rows;
  std::string phase;
  std::map<std::pair<Pass *, Operation *>, Counts> before;
  bool nested = false;
  size_t firstNested = 0;
  DenseMap<Operation *, size_t> positions; // passes that ran on it since the adaptor began
};

} // namespace

OpCounts::OpCounts() : table(std::make_unique<Table>()) {}
OpCounts::~OpCounts() = default;

void OpCounts::watch(PassManager &manager, StringRef phase) {
  manager.addInstrumentation(std::make_unique<Counter>(table->rows, phase));
}

void OpCounts::print(raw_ostream &out) const {
  out << llvm::format("%-16s %-28s %8s %8s", "phase", "pass", "before", "after")
      << "  what changed\n";
  for (const Table::Row &row : table->rows) {
    out << llvm::format("%-16s %-28s %8lld %8lld", row.phase.c_str(), row.pass.c_str(),
                        static_cast<long long>(row.before), static_cast<long long>(row.after));
    std::vector<std::pair<std::string, int64_t>> changes;
    for (const auto &change : row.changes)
      if (change.second != 0)
        changes.push_back(change);
    llvm::stable_sort(changes, [](const auto &a, const auto &b) {
      return std::abs(a.second) > std::abs(b.second);
    });
    for (auto [i, change] : llvm::enumerate(llvm::ArrayRef(changes).take_front(maxKinds)))
      out << (i ? ", " : "  ") << change.first << (change.second > 0 ? " +" : " ")
          << change.second;
    if (changes.size() > maxKinds)
      out << ", " << changes.size() - maxKinds << " more";
    out << "\n";
  }
}

} // namespace burin
