// SPDX-License-Identifier: Apache-2.0
//
// burin-run: runs and times compiled models. It holds no compiler, so that what it
// measures is the artifact; `burin run`, `burin bench` and `burin test` hand over to it.

#include "Commands.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

using namespace burin::run;

static constexpr char help[] =
    R"(burin-run: run and time models compiled by burin

  burin-run run MODEL.so -i NAME=FILE ... -o OUTDIR [options]
      Runs the model and writes each output as OUTDIR/<output>.npy (.pb for
      element types that .npy lacks).
  burin-run bench MODEL.so [options]
      Runs it again and again and reports how long that takes. Inputs
      without a file are random.
  burin-run inspect MODEL.so [--json] [--verify]
      Inputs, outputs, memory. --verify checks files of weights by SHA-256.
  burin-run check MODEL.so DATASET ... [options]
      Runs folders with input_N.pb and compares with their output_N.pb; one
      line each, PASS or FAIL.
  burin-run machine
      What a core of this machine can do at most (operations and bytes a
      second), as JSON: what `burin explain --cost --machine FILE` takes.

Options
  -i NAME=FILE    an input, as .npy or .pb (TensorProto); -i FILE where the
                  model has a single one
  --random SEED   random values for inputs without a file
  --dim NAME=N    a dynamic size for random inputs (default: its maximum), or
                  how far a state is filled before each run (default: as runs
                  leave it, from 0)
  -o OUTDIR       folder for the outputs of `run`, made if missing
  --weights PATH  where the model's files of weights are: a folder, or the file
                  (default: beside the model)
  --threads N     worker threads; 0 is one per core (default: 1)
  --steps N       `run`: so often with the same inputs, where the model keeps
                  states; the last outputs are written (default: 1)
  --batch N       `bench`: requests per call (default: 1)
  --seconds S     `bench`: how long (default: 2)
  --rtol R, --atol A
                  `check`: |actual - expected| <= A + R * |expected|
                  (defaults: 1e-3, 1e-7)
  --profile       `bench`: where the time goes, kernel by kernel
  --trace FILE.json
                  `bench`: a timeline of some further runs, with their threads,
                  for Perfetto (ui.perfetto.dev) or chrome://tracing
  --trace-runs N  how many (default: 3)
  --timeout S     `check`: give up after S seconds
  --marks         `bench`: write marks to standard error before the context is
                  made and after it is gone, for a trace of system calls
  --json          report as one JSON object

Exit codes: 0 fine; 1 the work failed; 2 the command line or a file is bad;
3 not supported here; 4 internal error.
)";

namespace {

class Parser {
public:
  Parser(int argc, char **argv) : arguments(argv, argv + argc) {}

  /// Reads what follows the verb.
  Flags parse() {
    Flags flags;
    while (next < arguments.size()) {
      std::string argument = arguments[next++];
      if (argument.size() < 2 || argument[0] != '-') {
        if (flags.model.empty())
          flags.model = argument;
        else
          flags.rest.push_back(argument);
        continue;
      }
      takeInline(argument);
      if (argument == "-i" || argument == "--input")
        flags.inputs.files.push_back(value(argument));
      else if (argument == "-o" || argument == "--output")
        flags.output = value(argument);
      else if (argument == "--weights")
        flags.weights = value(argument);
      else if (argument == "--verify")
        flags.verify = true;
      else if (argument == "--random")
        flags.inputs.random = number(argument, UINT64_MAX);
      else if (argument == "--dim")
        flags.inputs.dims.push_back(value(argument));
      else if (argument == "--threads")
        flags.threads = uint32_t(number(argument, 1024));
      else if (argument == "--batch")
        flags.batch = uint32_t(number(argument, 1 << 20));
      else if (argument == "--steps")
        flags.steps = uint32_t(number(argument, 1 << 30));
      else if (argument == "--timeout")
        flags.timeout = uint32_t(number(argument, 1 << 30));
      else if (argument == "--seconds")
        flags.seconds = real(argument);
      else if (argument == "--rtol")
        flags.tolerance.rtol = real(argument);
      else if (argument == "--atol")
        flags.tolerance.atol = real(argument);
      else if (argument == "--reference")
        flags.reference = value(argument);
      else if (argument == "--taps")
        flags.taps = true;
      else if (argument == "--profile")
        flags.profile = true;
      else if (argument == "--trace")
        flags.trace = value(argument);
      else if (argument == "--trace-runs")
        flags.traceRuns = uint32_t(number(argument, 1 << 20));
      else if (argument == "--json")
        flags.json = true;
      else if (argument == "--marks")
        flags.marks = true;
      else
        throw Error{BadInput, "unknown option '" + argument + "'; burin-run --help lists them"};
      if (hasInline)
        throw Error{BadInput, "option '" + argument + "' takes no value"};
    }
    if (flags.steps == 0)
      throw Error{BadInput, "--steps takes a number from 1"};
    if (flags.batch == 0)
      throw Error{BadInput, "--batch takes a number from 1"};
    return flags;
  }

private:
  /// Splits --option=value.
  void takeInline(std::string &argument) {
    size_t equals = argument.find('=');
    hasInline = argument.compare(0, 2, "--") == 0 && equals != std::string::npos;
    if (hasInline) {
      inlineValue = argument.substr(equals + 1);
      argument.resize(equals);
    }
  }

  std::string value(const std::string &option) {
    if (hasInline) {
      hasInline = false;
      return inlineValue;
    }
    if (next == arguments.size())
      throw Error{BadInput, "option '" + option + "' misses its value"};
    return arguments[next++];
  }

  uint64_t number(const std::string &option, uint64_t most) {
    std::string text = value(option);
    char *end = nullptr;
    errno = 0;
    uint64_t result = strtoull(text.c_str(), &end, 10);
    if (text.empty() || text[0] < '0' || text[0] > '9' || *end || errno || result > most)
      throw Error{BadInput, "option '" + option + "' takes a number" +
                                (most == UINT64_MAX ? "" : " up to " + std::to_string(most)) + ", not '" + text + "'"};
    return result;
  }

  double real(const std::string &option) {
    std::string text = value(option);
    char *end = nullptr;
    double result = strtod(text.c_str(), &end);
    if (text.empty() || *end || !std::isfinite(result) || result < 0)
      throw Error{BadInput, "option '" + option + "' takes a number from 0, not '" + text + "'"};
    return result;
  }

  std::vector<std::string> arguments;
  size_t next = 0;
  bool hasInline = false;
  std::string inlineValue;
};

struct Verb {
  const char *name;
  ExitCode (*run)(const Flags &);
  bool takesRest;
  bool takesModel = true;
};

constexpr Verb verbs[] = {{"run", runModel, false},
                          {"bench", bench, false},
                          {"check", check, true},
                          {"inspect", inspect, false},
                          {"machine", machine, false, false},
                          {"verify", verify, false}}; // not for users: see there

ExitCode dispatch(int argc, char **argv) {
  for (int i = 1; i < argc; ++i)
    if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
      fputs(help, stdout);
      return Ok;
    }
  if (argc < 2)
    throw Error{BadInput, "what to do is missing: run, bench, inspect, check or machine; --help says more"};
  for (const Verb &verb : verbs) {
    if (strcmp(argv[1], verb.name) != 0)
      continue;
    Flags flags = Parser(argc - 2, argv + 2).parse();
    if (verb.takesModel && flags.model.empty())
      throw Error{BadInput, "no model is given: name a .so that `burin compile` wrote"};
    if (!verb.takesModel && !flags.model.empty())
      throw Error{BadInput, "'" + flags.model + "' is one argument too many"};
    if (!verb.takesRest && !flags.rest.empty())
      throw Error{BadInput, "'" + flags.rest[0] + "' is one argument too many (inputs are given "
                            "as -i NAME=FILE)"};
    return verb.run(flags);
  }
  throw Error{BadInput, std::string("unknown verb '") + argv[1] +
                            "'; there are run, bench, inspect, check and machine"};
}

} // namespace

int main(int argc, char **argv) {
  cleanUpOnSignals();
  ExitCode code = Internal;
  try {
    code = dispatch(argc, argv);
  } catch (const Error &error) {
    fflush(stdout);
    fprintf(stderr, "error: %s\n", error.message.c_str());
    if (error.code == Internal)
      fprintf(stderr, "This is a bug in the artifact or its runtime; please report it with the "
                      "command line and the model.\n");
    return error.code;
  } catch (const std::bad_alloc &) {
    fprintf(stderr, "error: out of memory\n");
    return Failed;
  }
  if (fflush(stdout) != 0 || ferror(stdout)) {
    fprintf(stderr, "error: cannot write the report: %s\n", strerror(errno));
    return Failed;
  }
  return code;
}
