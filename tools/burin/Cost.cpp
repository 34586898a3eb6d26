// SPDX-License-Identifier: Apache-2.0
//
// `burin explain --cost`: compiles a model, counts what its kernels do, and has burin-run time them where
// this machine can run them.

#include "tools/burin/Cost.h"

#include "compiler/emit/TemporaryFolder.h"
#include "compiler/pipeline/Levels.h"
#include "tools/burin/Runner.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

namespace burin::cli {
namespace {

namespace json = llvm::json;

struct Measured {
  int64_t runs = 0;
  std::vector<double> seconds; // by launch; empty: not measured
};

/// Launches of one kernel.
struct KernelRow {
  std::string kernel, nodes; // of the launch that takes most
  unsigned launches = 0;
  Work work;
  Roofline roofline;
  double seconds = 0, most = -1;
};

class CostReport {
public:
  CostReport(const CompileResult &result, const Machine &machine, Measured measured)
      : result(result), program(result.programs.front()), machine(machine),
        measured(std::move(measured)) {
    llvm::MapVector<llvm::StringRef, KernelRow> byKernel;
    for (size_t i = 0; i < program.launches.size(); ++i)
      add(byKernel[program.launches[i].kernel], i);
    for (auto &[name, row] : byKernel) {
      total.launches += row.launches;
      total.work.add(row.work);
      total.roofline.add(row.roofline);
      least += row.roofline.seconds();
      total.seconds += row.seconds;
      rows.push_back(std::move(row));
    }
    auto keyOf = [&](const KernelRow &row) {
      return std::pair(isMeasured() ? -row.seconds : -row.roofline.seconds(), row.kernel);
    };
    llvm::sort(rows, [&](const KernelRow &a, const KernelRow &b) { return keyOf(a) < keyOf(b); });
  }

  void print() const {
    llvm::outs() << "launches      MFLOP        MiB  estimated us  measured us  ratio  bound    vector  "
                    "kernel: nodes\n";
    for (const KernelRow &row : rows)
      printRow(row, row.roofline.seconds(), boundOf(row.roofline), vectorText(row.kernel),
               printable(row.kernel + ": " + row.nodes));
    printRow(total, least, "", "", "all");
    auto giga = [](double value) { return llvm::formatv("{0:F1} G", value / 1e9).str(); };
    llvm::outs() << "estimated: the least for one core of " << giga(machine.flops) << "FLOP/s, "
                 << giga(machine.memoryBandwidth) << "B/s from memory and "
                 << giga(machine.cacheBandwidth) << "B/s from a cache of "
                 << humanBytes(machine.cacheBytes) << " (" << printable(machine.origin) << ")\n";
    if (isMeasured())
      llvm::outs() << "measured: the shortest of " << measured.runs
                   << " runs, one thread; ratio: measured to estimated\n";
    else
      llvm::outs() << "not measured: " << why << "\n";
    llvm::outs() << "vector: of the arithmetic instructions in innermost loops of " << result.target
                 << " code, those that work on vectors (of the stores, where there is none)\n";
    if (total.work.isAtLeast)
      llvm::outs() << ">: at least; the data decide how often a loop runs, and one trip is counted\n";
  }

  json::Object asJson() const {
    json::Array kernels, launches;
    for (const KernelRow &row : rows)
      kernels.push_back(rowJson(row, row.kernel));
    for (auto [i, launch] : llvm::enumerate(program.launches)) {
      KernelRow row;
      add(row, i);
      json::Object object = rowJson(row, launch.kernel);
      object.erase("launches");
      object["nodes"] = namesOf(launch);
      object["reads_from"] = json::Array(launch.readsFrom);
      launches.push_back(std::move(object));
    }
    json::Object all = rowJson(total, "");
    for (const char *of : {"name", "bound", "vector_share"})
      all.erase(of);
    all["roofline_us"] = least * 1e6;
    return json::Object{{"exit_code", 0},
                        {"target", result.target},
                        {"machine", machine.json()},
                        {"runs", measured.runs},
                        {"total", std::move(all)},
                        {"kernels", std::move(kernels)},
                        {"launches", std::move(launches)}};
  }

  std::string why; // nothing is measured

private:
  bool isMeasured() const { return !measured.seconds.empty(); }

  void add(KernelRow &row, size_t index) const {
    const LaunchCost &launch = program.launches[index];
    ++row.launches;
    row.kernel = launch.kernel;
    row.work.add(launch.work);
    Roofline one = rooflineOf(launch.work, machine, result.summary.weightsBytes,
                              program.activationBytes);
    row.roofline.add(one);
    double seconds = isMeasured() ? measured.seconds[index] : one.seconds();
    row.seconds += isMeasured() ? seconds : 0;
    if (seconds <= row.most)
      return;
    row.most = seconds;
    constexpr size_t few = 4;
    row.nodes = llvm::join(llvm::ArrayRef(launch.nodes).take_front(few), ", ") +
                (launch.nodes.size() > few ? ", ..." : "");
  }

  static const char *boundOf(const Roofline &roofline) {
    return roofline.seconds() == 0 ? "-" : roofline.isComputeBound() ? "compute" : "memory";
  }

  std::optional<double> vectorShare(llvm::StringRef kernel) const {
    auto it = result.kernels.find(kernel.str());
    return it == result.kernels.end() ? std::nullopt : it->second.vectorShare();
  }
  std::string vectorText(llvm::StringRef kernel) const {
    std::optional<double> share = vectorShare(kernel);
    return share ? llvm::formatv("{0:F0}%", 100 * *share).str() : "-";
  }

  void printRow(const KernelRow &row, double seconds, llvm::StringRef bound, llvm::StringRef vector,
                llvm::StringRef name) const {
    std::string took = isMeasured() ? llvm::formatv("{0:F2}", row.seconds * 1e6).str() : "-";
    std::string ratio = isMeasured() && seconds > 0
                            ? llvm::formatv("{0:F2}", row.seconds / seconds).str()
                            : "-";
    std::string flops = llvm::formatv("{0}{1:F3}", row.work.isAtLeast ? ">" : "", double(row.work.flops) / 1e6);
    llvm::outs() << llvm::formatv("{0,8} {1,10} {2,10} {3,13} {4,12} {5,6}  {6,-7} {7,7}  {8}\n",
                                  row.launches, flops,
                                  llvm::formatv("{0:F3}", double(row.work.bytes()) / (1 << 20)).str(),
                                  llvm::formatv("{0:F2}", seconds * 1e6).str(), took, ratio, bound,
                                  vector, name);
  }

  json::Object rowJson(const KernelRow &row, llvm::StringRef name) const {
    json::Object object{{"name", name},
                        {"launches", row.launches},
                        {"flops", number(row.work.flops)},
                        {"weight_bytes", number(row.work.weightBytes)},
                        {"read_bytes", number(row.work.readBytes)},
                        {"written_bytes", number(row.work.writtenBytes)},
                        {"at_least", row.work.isAtLeast},
                        {"roofline_us", row.roofline.seconds() * 1e6},
                        {"bound", boundOf(row.roofline)},
                        {"measured_us", isMeasured() ? json::Value(row.seconds * 1e6) : nullptr}};
    std::optional<double> share = vectorShare(name);
    object["vector_share"] = share ? json::Value(*share) : nullptr;
    return object;
  }

  static int64_t number(uint64_t value) { return int64_t(std::min<uint64_t>(value, INT64_MAX)); }

  static json::Array namesOf(const LaunchCost &launch) {
    json::Array names;
    for (const std::string &name : launch.nodes)
      names.push_back(json::fixUTF8(name));
    return names;
  }

  const CompileResult &result;
  const ProgramCost &program;
  const Machine &machine;
  Measured measured;
  std::vector<KernelRow> rows;
  KernelRow total;
  double least = 0; // seconds: of all launches, the sum of what each takes at least
};

/// The times of a profile by launch: the sites of a kernel are in the order of its launches.
std::vector<double> timesOf(const json::Object &profile, const ProgramCost &program) {
  std::map<std::string, std::map<int64_t, double>> bySite;
  if (const json::Array *kernels = profile.getArray("kernels"))
    for (const json::Value &each : *kernels) {
      const json::Object *kernel = each.getAsObject();
      const json::Array *launches = kernel ? kernel->getArray("launches") : nullptr;
      if (!launches)
        continue;
      std::map<int64_t, double> &times = bySite[kernel->getString("kernel").value_or("").str()];
      for (const json::Value &launch : *launches)
        if (const json::Object *site = launch.getAsObject())
          times[site->getInteger("site").value_or(0)] = site->getNumber("min_us").value_or(0) * 1e-6;
    }
  std::vector<double> seconds;
  for (const LaunchCost &launch : program.launches) {
    std::map<int64_t, double> &times = bySite[launch.kernel];
    if (times.empty())
      return {}; // another program than was counted
    seconds.push_back(times.begin()->second);
    times.erase(times.begin());
  }
  return seconds;
}

} // namespace

void CostFlags::addMachine(CLI::App &verb) {
  verb.add_option("--machine", machine,
                  "What estimates are for: a file that `burin-run machine` wrote, or nominal (default: "
                  "measured in half a second where this machine can run the code, else nominal)")
      ->type_name("FILE|nominal");
}

bool runsHere(const CompileOptions &options) {
  llvm::Expected<std::unique_ptr<Target>> here = makeTarget(options.target, "native");
  llvm::Expected<std::vector<Level>> levels = makeLevels(options.target, options.cpu);
  if (!here || !levels) {
    llvm::consumeError(here.takeError());
    llvm::consumeError(levels.takeError());
    return false;
  }
  const Target &best = *levels->back().target;
  return (*here)->architecture() == best.architecture() &&
         (best.features() & ~(*here)->features()) == 0;
}

llvm::Expected<Machine> chooseMachine(const CostFlags &flags, const CompileOptions &options) {
  llvm::Expected<std::vector<Level>> levels = makeLevels(options.target, options.cpu);
  if (!levels)
    return levels.takeError();
  const Target &target = *levels->back().target;
  if (flags.machine == "nominal" || (flags.machine.empty() && !runsHere(options)))
    return Machine::nominal(target);
  if (flags.machine.empty()) {
    llvm::Expected<TemporaryFolder> folder = TemporaryFolder::make();
    if (!folder)
      return folder.takeError();
    json::Object measured;
    if (askRunner({"machine"}, folder->file("machine.json"), measured) != ExitCode::Ok)
      return llvm::createStringError("this machine could not be measured; give --machine nominal");
    return Machine::read(measured, target, "measured on this machine");
  }
  std::string refused = "--machine: '" + flags.machine + "' ";
  auto buffer = llvm::MemoryBuffer::getFile(flags.machine);
  if (!buffer)
    return llvm::createStringError(refused + "cannot be read: " + buffer.getError().message());
  llvm::Expected<json::Value> value = json::parse((*buffer)->getBuffer());
  if (!value || !value->getAsObject()) {
    llvm::consumeError(value.takeError());
    return llvm::createStringError(refused + "is not what `burin-run machine` writes");
  }
  llvm::Expected<Machine> machine = Machine::read(*value->getAsObject(), target, "measured, " + flags.machine);
  if (!machine)
    return llvm::createStringError(refused + llvm::toString(machine.takeError()));
  return machine;
}

ExitCode explainCost(CompileOptions options, const CostFlags &flags, bool asJson) {
  llvm::Expected<Machine> machine = chooseMachine(flags, options);
  if (!machine) {
    llvm::errs() << "error: " << llvm::toString(machine.takeError()) << "\n";
    return ExitCode::BadInput;
  }
  llvm::Expected<TemporaryFolder> folder = TemporaryFolder::make();
  if (!folder) {
    llvm::errs() << "error: " << llvm::toString(folder.takeError()) << "\n";
    return ExitCode::Failed;
  }
  options.output = folder->file("model.so");
  options.weights.clear(); // where the artifact finds them
  options.cost = true;
  CompileResult result = compile(options);
  printMessages(result.messages);
  if (result.code != ExitCode::Ok)
    return result.code;

  Measured measured;
  std::string why = "--seconds 0 asks for estimates alone";
  if (flags.seconds > 0 && !runsHere(options)) {
    why = "this machine cannot run code for " + result.target;
  } else if (flags.seconds > 0) {
    json::Object report;
    if (ExitCode code = askRunner({"bench", options.output, "--json", "--profile", "--seconds",
                                   llvm::formatv("{0:F3}", flags.seconds).str()},
                                  folder->file("report.json"), report);
        code != ExitCode::Ok)
      return code;
    why = "the profile is not of these launches";
    if (const json::Object *profile = report.getObject("profile")) {
      measured.runs = profile->getInteger("runs").value_or(0);
      measured.seconds = timesOf(*profile, result.programs.front());
    }
  }
  CostReport report(result, *machine, std::move(measured));
  report.why = why;
  if (asJson)
    llvm::outs() << json::Value(report.asJson()) << "\n";
  else
    report.print();
  return ExitCode::Ok;
}

} // namespace burin::cli
