// SPDX-License-Identifier: Apache-2.0
#include "tools/burin/Tune.h"

#include "compiler/emit/TemporaryFolder.h"
#include "compiler/pipeline/Levels.h"
#include "tools/burin/Cost.h"
#include "tools/burin/Runner.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>
#include <set>
#include <unistd.h>

namespace burin::cli {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::map<std::string, double>; // of all launches in a run, by kernel

/// What a schedule must take of the time of the one in its place.
constexpr double mustTake = 0.98;
/// How long a model is run for, so that its shortest run tells something: so many runs, within bounds.
constexpr double runsAtOnce = 5, leastSeconds = 0.3, mostSeconds = 4;

class Tuner {
public:
  Tuner(CompileOptions &options, double seconds, const TemporaryFolder &folder)
      : options(options), folder(folder), ends(Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                                          std::chrono::duration<double>(seconds))) {}

  ExitCode run() {
    if (ExitCode code = compileTo("before.so", *options.tuning); code != ExitCode::Ok)
      return code;
    std::map<std::string, unsigned> parts; // of a kernel: times of one with two do not tell which
    for (const Tunable &tunable : result.tunables)
      ++parts[tunable.kernel];
    for (const Tunable &tunable : result.tunables)
      if (parts[tunable.kernel] == 1)
        products[tunable.key].add(tunable);
    size_t rounds = 0;
    for (const auto &[key, product] : products)
      rounds = std::max(rounds, product.others.size());
    double longest = 0; // round
    size_t round = 0;
    for (; round < rounds && left() > 3 * longest; ++round) { // one more, and what confirms takes two
      Clock::time_point begin = Clock::now();
      say("schedule " + std::to_string(round + 1) + " of " + std::to_string(rounds));
      if (ExitCode code = timeRound(round); code != ExitCode::Ok)
        return code;
      longest = std::max(longest, std::chrono::duration<double>(Clock::now() - begin).count());
    }
    tried = round;
    return confirm();
  }

  std::string report() const {
    size_t better = 0;
    for (const auto &[key, product] : products)
      better += product.isBetter;
    std::string text = std::to_string(products.size()) + " products, up to " + std::to_string(tried) +
                       " further schedules of each timed: " + std::to_string(better) + " are faster";
    if (better)
      text += llvm::formatv("; a run takes {0:F3} ms in place of {1:F3}", after * 1e3, before * 1e3).str();
    return text;
  }

private:
  /// What is computed in a kernel, or several.
  struct Product {
    std::set<std::string> kernels;
    std::vector<ScheduleNumbers> others;
    ScheduleNumbers best;
    double ratio = mustTake; // the best's time, of the time of what was there before
    bool isBetter = false;   // confirmed

    void add(const Tunable &tunable) {
      kernels.insert(tunable.kernel);
      others = tunable.others;
    }
    double secondsIn(const Seconds &times) const {
      double sum = 0;
      for (const std::string &kernel : kernels)
        if (auto it = times.find(kernel); it != times.end())
          sum += it->second;
      return sum;
    }
  };

  double left() const { return std::chrono::duration<double>(ends - Clock::now()).count(); }
  void say(const std::string &text) const {
    if (options.progress)
      llvm::errs() << "tuning: " << text << ", " << std::max(0, int(left())) << " s left\n";
  }

  ExitCode compileTo(const std::string &name, const Tuning &tuning) {
    CompileOptions own = options;
    own.output = folder.file(name);
    own.weights.clear(); // where the artifact finds them
    own.header.clear();
    own.depfile.clear();
    own.dumpDir.clear();
    own.progress = own.cost = false;
    own.tuning = tuning;
    result = compile(own);
    if (result.code != ExitCode::Ok)
      printMessages(result.messages);
    return result.code;
  }

  /// The shortest times of the kernels of two artifacts that run in turns.
  ExitCode timeBoth(Seconds &one, Seconds &other) {
    for (int turn = 0; turn < 2; ++turn)
      for (auto [name, times] : {std::pair("before.so", &one), std::pair("after.so", &other)}) {
        llvm::json::Object told;
        if (ExitCode code = askRunner({"bench", folder.file(name), "--json", "--profile", "--seconds",
                                       llvm::formatv("{0:F3}", seconds).str()},
                                      folder.file("report.json"), told);
            code != ExitCode::Ok)
          return code;
        const llvm::json::Object *profile = told.getObject("profile");
        const llvm::json::Array *kernels = profile ? profile->getArray("kernels") : nullptr;
        for (const llvm::json::Value &each : kernels ? *kernels : llvm::json::Array())
          if (const llvm::json::Object *kernel = each.getAsObject())
            shorten((*times)[kernel->getString("kernel").value_or("").str()], *kernel);
        seconds = std::clamp(runsAtOnce * totalOf(*times), leastSeconds, mostSeconds);
      }
    return ExitCode::Ok;
  }

  static double totalOf(const Seconds &times) {
    double sum = 0;
    for (const auto &[kernel, of] : times)
      sum += of;
    return sum;
  }

  static void shorten(double &seconds, const llvm::json::Object &kernel) {
    double sum = 0;
    if (const llvm::json::Array *launches = kernel.getArray("launches"))
      for (const llvm::json::Value &launch : *launches)
        if (const llvm::json::Object *site = launch.getAsObject())
          sum += site->getNumber("min_us").value_or(0) * 1e-6;
    seconds = seconds == 0 ? sum : std::min(seconds, sum);
  }

  ExitCode timeRound(size_t round) {
    Tuning tuning = *options.tuning;
    for (const auto &[key, product] : products)
      if (round < product.others.size())
        tuning.targets[result.target][key] = product.others[round];
    Seconds before, after;
    ExitCode code = compileTo("after.so", tuning);
    if (code == ExitCode::Ok)
      code = timeBoth(before, after);
    if (code != ExitCode::Ok)
      return code;
    for (auto &[key, product] : products) {
      double own = product.secondsIn(before);
      if (round >= product.others.size() || own == 0)
        continue;
      double ratio = product.secondsIn(after) / own;
      if (ratio < product.ratio) {
        product.ratio = ratio;
        product.best = product.others[round];
      }
    }
    return ExitCode::Ok;
  }

  /// Times what was best of all once more, together, and keeps what still is.
  ExitCode confirm() {
    Tuning tuning = *options.tuning;
    for (const auto &[key, product] : products)
      if (!product.best.empty())
        tuning.targets[result.target][key] = product.best;
    Seconds one, other;
    ExitCode code = compileTo("after.so", tuning);
    for (int turn = 0; turn < 3 && code == ExitCode::Ok; ++turn)
      code = timeBoth(one, other);
    if (code != ExitCode::Ok)
      return code;
    // What one kernel gains another may lose by it: in the caches, or by chance.
    bool isWholeBetter = totalOf(other) < totalOf(one);
    for (auto &[key, product] : products)
      product.isBetter = isWholeBetter && !product.best.empty() &&
                         product.secondsIn(other) < mustTake * product.secondsIn(one);
    for (auto &[key, product] : products)
      if (product.isBetter)
        options.tuning->targets[result.target][key] = product.best;
    for (const auto &[kernel, seconds] : one) {
      before += seconds;
      bool isTaken = llvm::any_of(products, [&](const auto &entry) {
        return entry.second.isBetter && entry.second.kernels.count(kernel);
      });
      after += isTaken ? other[kernel] : seconds;
    }
    return ExitCode::Ok;
  }

  CompileOptions &options;
  const TemporaryFolder &folder;
  Clock::time_point ends;
  CompileResult result; // of the last compile
  std::map<std::string, Product> products; // by key
  size_t tried = 0;
  double seconds = leastSeconds; // of a turn
  double before = 0, after = 0; // seconds of a run
};

} // namespace

void TuneFlags::add(CLI::App &verb) {
  verb.add_option("--tune", seconds,
                  "Time other schedules of the products and convolutions on this machine for about so many seconds, and "
                  "keep the faster ones in --tuning-db; no schedule changes a result's bits")
      ->type_name("SECONDS")
      ->check(CLI::Range(1.0, 86400.0));
  verb.add_option("--tuning-db", database,
                  "File of schedules, as --tune writes it, to take in place of the compiler's own choice; without "
                  "--tune it must be there (default with --tune: OUTPUT.tuning.json)")
      ->type_name("FILE");
}

ExitCode TuneFlags::read(CompileOptions &options) const {
  if (database.empty() || (seconds > 0 && !llvm::sys::fs::exists(database)))
    return ExitCode::Ok;
  llvm::Expected<Tuning> tuning = Tuning::read(database);
  if (!tuning) {
    llvm::errs() << "error: --tuning-db: '" << printable(database) << "' "
                 << printable(llvm::toString(tuning.takeError())) << "\n";
    return ExitCode::BadInput;
  }
  options.tuning = std::move(*tuning);
  return ExitCode::Ok;
}

ExitCode TuneFlags::tune(CompileOptions &options, bool isQuiet) {
  if (!runsHere(options)) {
    llvm::errs() << "error: --tune: this machine cannot run code for " << options.cpu
                 << "; tune on one that can, and give its --tuning-db here\n";
    return ExitCode::BadInput;
  }
  llvm::Expected<TemporaryFolder> folder = TemporaryFolder::make();
  if (!folder) {
    llvm::errs() << "error: " << llvm::toString(folder.takeError()) << "\n";
    return ExitCode::Failed;
  }
  if (database.empty()) {
    llvm::SmallString<128> beside(options.output);
    llvm::sys::path::replace_extension(beside, ".tuning.json");
    database = beside.str();
    llvm::append_values(options.flags, std::string("--tuning-db"),
                        llvm::sys::path::filename(database).str());
  }
  if (!options.tuning)
    options.tuning.emplace();
  Tuner tuner(options, seconds, *folder);
  if (ExitCode code = tuner.run(); code != ExitCode::Ok)
    return code;
  if (llvm::Error error = options.tuning->write(database)) {
    llvm::errs() << "error: " << llvm::toString(std::move(error)) << "\n";
    return ExitCode::Failed;
  }
  if (!isQuiet)
    llvm::outs() << database << ": " << tuner.report() << "\n";
  return ExitCode::Ok;
}

} // namespace burin::cli
