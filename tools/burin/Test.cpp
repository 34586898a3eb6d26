// SPDX-License-Identifier: Apache-2.0
//
// `burin test`: cases in ONNX's backend layout, each compiled to an artifact and run
// by burin-run in a process of its own, so that a crash or a hang is one case's.

#include "compiler/emit/TemporaryFolder.h"
#include "tools/burin/Commands.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>
#include <poll.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace burin::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct State {
  CompileOptions options;
  CompileFlags flags;
  std::vector<std::string> folders;
  std::string filter;
  std::vector<std::string> runner; // the command that artifacts are run with
  std::optional<double> rtol, atol;
  unsigned jobs = 0;
  unsigned timeout = 120;
  bool json = false;
};

struct Case {
  std::string name, folder;
  std::vector<std::string> dataSets;
  double rtol = 1e-3, atol = 1e-7;
};

struct Outcome {
  enum Kind { Pass, Fail, Skip } kind = Fail;
  std::string reason;
  double seconds = 0;
};

std::string join(llvm::StringRef folder, llvm::StringRef name) {
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, name);
  return path.str().str();
}

/// Folders below `folder` whose name starts with `prefix`, sorted.
std::vector<std::string> subfolders(llvm::StringRef folder, llvm::StringRef prefix) {
  std::vector<std::string> result;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator it(folder, error), end; it != end && !error;
       it.increment(error))
    if (llvm::sys::path::filename(it->path()).starts_with(prefix) &&
        llvm::sys::fs::is_directory(it->path()))
      result.push_back(it->path());
  std::sort(result.begin(), result.end());
  return result;
}

/// A case folder, or a folder of case folders.
void collect(const std::string &folder, std::vector<Case> &cases, State &state) {
  if (!llvm::sys::fs::exists(join(folder, "model.onnx"))) {
    for (const std::string &inner : subfolders(folder, ""))
      if (llvm::sys::fs::exists(join(inner, "model.onnx")))
        collect(inner, cases, state);
    return;
  }
  Case made;
  made.folder = folder;
  llvm::StringRef trimmed = llvm::StringRef(folder).rtrim('/');
  made.name = llvm::sys::path::filename(trimmed).str();
  made.dataSets = subfolders(folder, "test_data_set_");
  if (auto buffer = llvm::MemoryBuffer::getFile(join(folder, "case.json"))) {
    if (auto value = llvm::json::parse((*buffer)->getBuffer())) {
      if (const llvm::json::Object *object = value->getAsObject()) {
        made.rtol = object->getNumber("rtol").value_or(made.rtol);
        made.atol = object->getNumber("atol").value_or(made.atol);
      }
    } else {
      llvm::consumeError(value.takeError());
    }
  }
  made.rtol = state.rtol.value_or(made.rtol);
  made.atol = state.atol.value_or(made.atol);
  cases.push_back(made);
}

//===- One case, in the child -------------------------------------------------===//

/// Compiles and becomes burin-run. Standard output is the pipe to the parent.
[[noreturn]] void runCase(const State &state, const Case &test, const std::string &temporary) {
  CompileOptions options = state.options;
  options.model = join(test.folder, "model.onnx");
  options.output = join(temporary, "model.so");
  CompileResult result = compile(options);
  if (result.code != ExitCode::Ok) {
    std::string text = "compile: exit " + std::to_string(int(result.code));
    for (const Message &message : result.messages)
      if (message.isError) {
        llvm::StringRef line(message.text);
        line.consume_front(options.model + ": ");
        text += ": " + line.str();
        break;
      }
    std::replace(text.begin(), text.end(), '\n', ' ');
    text = "FAIL " + text + "\n";
    (void)!write(STDOUT_FILENO, text.data(), text.size());
    _exit(0);
  }
  std::vector<std::string> args = state.runner;
  args.insert(args.end(), {"check", options.output});
  args.insert(args.end(), test.dataSets.begin(), test.dataSets.end());
  for (std::string text : {std::string("--rtol"), llvm::formatv("{0:E}", test.rtol).str(),
                           std::string("--atol"), llvm::formatv("{0:E}", test.atol).str()})
    args.push_back(text);
  std::vector<char *> pointers;
  for (std::string &arg : args)
    pointers.push_back(arg.data());
  pointers.push_back(nullptr);
  execvp(pointers[0], pointers.data());
  _exit(127);
}

//===- The pool, in the parent ------------------------------------------------===//

struct Child {
  pid_t pid;
  int out;
  size_t index;
  std::string text;
  std::unique_ptr<TemporaryFolder> temporary;
  Clock::time_point started;
};

class Pool {
public:
  Pool(const State &state, const std::vector<Case> &cases)
      : state(state), cases(cases), outcomes(cases.size()) {}

  std::vector<Outcome> run(std::function<void(size_t)> report) {
    unsigned jobs = state.jobs ? state.jobs : std::max(1u, std::thread::hardware_concurrency());
    size_t next = 0;
    while (next < cases.size() || !children.empty()) {
      while (next < cases.size() && children.size() < jobs) {
        if (cases[next].dataSets.empty()) {
          outcomes[next].kind = Outcome::Skip;
          outcomes[next].reason = "no test_data_set_*";
          report(next++);
        } else {
          start(next++);
        }
      }
      wait(report);
    }
    return std::move(outcomes);
  }

private:
  void start(size_t index) {
    Child child;
    child.index = index;
    child.started = Clock::now();
    llvm::Expected<TemporaryFolder> temporary = TemporaryFolder::make();
    if (!temporary) {
      outcomes[index].reason = llvm::toString(temporary.takeError());
      return;
    }
    int ends[2];
    if (pipe(ends) != 0) {
      outcomes[index].reason = "cannot make a pipe";
      return;
    }
    child.temporary = std::make_unique<TemporaryFolder>(std::move(*temporary));
    std::fflush(nullptr);
    child.pid = fork();
    if (child.pid == 0) {
      setpgid(0, 0);
      dup2(ends[1], STDOUT_FILENO);
      close(ends[0]);
      close(ends[1]);
      runCase(state, cases[index], child.temporary->path().str());
    }
    close(ends[1]);
    child.out = ends[0];
    children.push_back(std::move(child));
  }

  void wait(const std::function<void(size_t)> &report) {
    std::vector<pollfd> polls;
    for (const Child &child : children)
      polls.push_back({child.out, POLLIN, 0});
    poll(polls.data(), polls.size(), 200);
    for (size_t i = polls.size(); i-- > 0;) {
      Child &child = children[i];
      if (polls[i].revents & (POLLIN | POLLHUP)) {
        char buffer[4096];
        ssize_t count = read(child.out, buffer, sizeof(buffer));
        if (count > 0) {
          child.text.append(buffer, size_t(count));
          continue;
        }
        finish(i, /*timedOut=*/false, report);
      } else if (Clock::now() - child.started > std::chrono::seconds(state.timeout)) {
        kill(-child.pid, SIGKILL);
        finish(i, /*timedOut=*/true, report);
      }
    }
  }

  void finish(size_t slot, bool timedOut, const std::function<void(size_t)> &report) {
    Child child = std::move(children[slot]);
    children.erase(children.begin() + long(slot));
    close(child.out);
    int status = 0;
    waitpid(child.pid, &status, 0);
    child.temporary.reset();
    Outcome &outcome = outcomes[child.index];
    outcome.seconds = std::chrono::duration<double>(Clock::now() - child.started).count();
    judge(outcome, child.text, status, timedOut, cases[child.index].dataSets.size());
    report(child.index);
  }

  /// One PASS line per data set is a pass; everything else fails, with a reason.
  void judge(Outcome &outcome, llvm::StringRef text, int status, bool timedOut, size_t dataSets) {
    if (timedOut) {
      outcome.reason = "timeout: no answer in " + std::to_string(state.timeout) + " s";
      return;
    }
    if (WIFSIGNALED(status)) {
      outcome.reason = std::string("crash: ") + strsignal(WTERMSIG(status));
      return;
    }
    llvm::SmallVector<llvm::StringRef> lines;
    text.split(lines, '\n', -1, /*KeepEmpty=*/false);
    size_t passed = 0;
    for (llvm::StringRef line : lines) {
      if (line.starts_with("PASS"))
        ++passed;
      else if (line.consume_front("FAIL"))
        outcome.reason = line.trim().str();
    }
    if (passed == dataSets && outcome.reason.empty() && WEXITSTATUS(status) == 0)
      outcome.kind = Outcome::Pass;
    else if (outcome.reason.empty())
      outcome.reason = "run: exit " + std::to_string(WEXITSTATUS(status));
  }

  const State &state;
  const std::vector<Case> &cases;
  std::vector<Outcome> outcomes;
  std::vector<Child> children;
};

//===- The verb ---------------------------------------------------------------===//

ExitCode run(State &state) {
  std::vector<Case> cases;
  for (const std::string &folder : state.folders) {
    size_t before = cases.size();
    collect(folder, cases, state);
    if (cases.size() == before) {
      llvm::errs() << "error: '" << folder << "' holds no model.onnx, nor do its folders\n";
      return ExitCode::BadInput;
    }
  }
  if (!state.filter.empty()) {
    llvm::Regex regex(state.filter);
    std::string error;
    if (!regex.isValid(error)) {
      llvm::errs() << "error: --filter: " << error << "\n";
      return ExitCode::BadInput;
    }
    std::erase_if(cases, [&](const Case &test) { return !regex.match(test.name); });
  }
  const char *words[] = {"PASS", "FAIL", "SKIP"};
  size_t totals[3] = {0, 0, 0};
  llvm::json::Array list;
  std::vector<Outcome> outcomes;
  Pool pool(state, cases);
  outcomes = pool.run([](size_t) {});
  for (auto [test, outcome] : llvm::zip_equal(cases, outcomes)) {
    ++totals[outcome.kind];
    if (state.json) {
      list.push_back(llvm::json::Object{{"name", test.name},
                                        {"result", words[outcome.kind]},
                                        {"reason", llvm::json::fixUTF8(outcome.reason)},
                                        {"seconds", outcome.seconds}});
    } else {
      llvm::outs() << words[outcome.kind] << " " << test.name;
      if (!outcome.reason.empty())
        llvm::outs() << ": " << outcome.reason;
      llvm::outs() << "\n";
    }
  }
  if (state.json)
    llvm::outs() << llvm::json::Value(llvm::json::Object{{"cases", std::move(list)},
                                                         {"passed", int64_t(totals[0])},
                                                         {"failed", int64_t(totals[1])},
                                                         {"skipped", int64_t(totals[2])}})
                 << "\n";
  else
    llvm::outs() << totals[0] << " passed, " << totals[1] << " failed, " << totals[2]
                 << " skipped\n";
  return totals[1] ? ExitCode::Failed : ExitCode::Ok;
}

} // namespace

void addTest(CLI::App &app, Action &action) {
  auto state = std::make_shared<State>();
  CLI::App *verb = app.add_subcommand(
      "test", "Compile and run cases in ONNX's backend layout: CASE/model.onnx with "
              "test_data_set_*/{input,output}_*.pb");
  verb->add_option("case", state->folders, "Case folders, or folders of them")->required();
  verb->add_option("--rtol", state->rtol, "Relative tolerance (default: case.json's, else 1e-3)");
  verb->add_option("--atol", state->atol, "Absolute tolerance (default: case.json's, else 1e-7)");
  verb->add_option("-j,--jobs", state->jobs, "Cases at once (default: one per core)");
  verb->add_option("--filter", state->filter, "Only cases whose name matches")->type_name("REGEX");
  verb->add_option("--timeout", state->timeout, "Seconds per case")->capture_default_str();
  auto runner = std::make_shared<std::string>();
  verb->add_option("--runner", *runner,
                   "What runs artifacts (default: burin-run beside burin): for --cpu aarch64 on another "
                   "machine for example 'qemu-aarch64 -L /usr/aarch64-linux-gnu aarch64/burin-run'")
      ->type_name("COMMAND");
  verb->add_flag("--json", state->json, "Report as JSON on standard output");
  state->flags.add(*verb, state->options);
  verb->callback([state, runner, &action] {
    state->flags.finish(state->options);
    state->runner = runner->empty() ? std::vector{runnerPath()} : CLI::detail::split_up(*runner);
    action = [state] { return run(*state); };
  });
}

} // namespace burin::cli
