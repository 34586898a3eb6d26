// SPDX-License-Identifier: Apache-2.0
#include "Profile.h"

#include "Session.h"

#include <algorithm>
#include <cstring>
#include <map>

namespace burin::run {

Profile::Profile(uint32_t threads) : partBegan(threads) {}

void Profile::take(const burin_event &event) {
  if (mode == Mode::Off || event.site >= maxSites ||
      event.worker >= partBegan.size())
    return;
  double now = wallMs();
  switch (event.kind) {
  case BURIN_LAUNCH_BEGIN:
    launchBegan = now;
    break;
  case BURIN_LAUNCH_END: {
    if (mode == Mode::Timeline)
      return record({event.kernel, event.nodes, launchBegan, now, 0,
                     event.begin, event.end, false});
    Site &at = site(event.site);
    at.kernel = event.kernel;
    at.nodes = event.nodes;
    double took = now - launchBegan;
    at.leastMs = at.calls ? std::min(at.leastMs, took) : took;
    at.totalMs += took;
    at.index = event.site;
    ++at.calls;
    sites = std::max(sites, event.site + 1);
    break;
  }
  case BURIN_PART_BEGIN:
    partBegan[event.worker] = now;
    break;
  case BURIN_PART_END:
    if (mode == Mode::Timeline)
      record({event.kernel, event.nodes, partBegan[event.worker], now,
              event.worker, event.begin, event.end, true});
    break;
  }
}

void Profile::record(const Span &made) {
  uint64_t index = spanCount++;
  if (index < maxSpans)
    span(index) = made;
}

void Profile::beginRun() { runBegan = wallMs(); }

void Profile::endRun() {
  double now = wallMs();
  if (mode == Mode::Timeline)
    record({nullptr, nullptr, runBegan, now, 0, 0, 0, false});
  if (mode != Mode::Totals)
    return;
  runMs += now - runBegan;
  ++runs;
}

//===- Totals
//-----------------------------------------------------------------===//

struct Profile::Kernel {
  std::string name;
  uint64_t calls = 0;
  double totalMs = 0;
  std::vector<Site> sites; // the one with most first
};

std::vector<Profile::Kernel> Profile::kernels() const {
  std::map<std::string, Kernel> byName;
  for (uint32_t i = 0; i < sites; ++i) {
    const Site &each = site(i);
    if (!each.calls)
      continue;
    Kernel &kernel = byName[each.kernel];
    kernel.name = each.kernel;
    kernel.calls += each.calls;
    kernel.totalMs += each.totalMs;
    kernel.sites.push_back(each);
  }
  auto most = [](const auto &a, const auto &b) {
    return a.totalMs > b.totalMs;
  };
  std::vector<Kernel> list;
  for (auto &[name, kernel] : byName) {
    std::sort(kernel.sites.begin(), kernel.sites.end(), most);
    list.push_back(std::move(kernel));
  }
  std::sort(list.begin(), list.end(), most);
  return list;
}

std::string Profile::table() const {
  std::string text = "     calls   total ms    mean us      %  kernel\n";
  double inKernels = 0;
  for (const Kernel &kernel : kernels()) {
    inKernels += kernel.totalMs;
    text += format("%10llu %10.3f %10.3f %6.2f  %s: %s",
                   (unsigned long long)kernel.calls, kernel.totalMs,
                   1e3 * kernel.totalMs / double(kernel.calls),
                   100 * kernel.totalMs / runMs, kernel.name.c_str(),
                   kernel.sites[0].nodes);
    if (kernel.sites.size() > 1)
      text += format(" (and %zu more places)", kernel.sites.size() - 1);
    text += "\n";
  }
  return text +
         format("%10llu %10.3f %10.3f %6.2f  runs, of which between kernels\n",
                (unsigned long long)runs, runMs - inKernels,
                1e3 * (runMs - inKernels) / double(runs),
                100 * (runMs - inKernels) / runMs);
}

std::string Profile::json() const {
  auto times = [&](uint64_t calls, double totalMs) {
    return format("\"calls\": %llu, \"total_ms\": %.6f, \"mean_us\": %.6f, "
                  "\"share\": %.6f",
                  (unsigned long long)calls, totalMs,
                  1e3 * totalMs / double(calls), totalMs / runMs);
  };
  auto siteJson = [&](const Site &each) {
    return "{\"nodes\": " + run::json(each.nodes) + ", " +
           times(each.calls, each.totalMs) +
           format(", \"min_us\": %.6f, \"site\": %u}", 1e3 * each.leastMs,
                  each.index);
  };
  auto kernelJson = [&](const Kernel &kernel) {
    return "{\"kernel\": " + run::json(kernel.name) + ", " +
           times(kernel.calls, kernel.totalMs) +
           ", \"launches\": " + jsonList(kernel.sites, siteJson) + "}";
  };
  return format("{\"runs\": %llu, \"run_ms\": %.6f, \"kernels\": ",
                (unsigned long long)runs, runMs) +
         jsonList(kernels(), kernelJson) + "}";
}

//===- The timeline
//-----------------------------------------------------------===//

void Profile::writeTimeline(const std::string &path,
                            const std::string &model) const {
  std::string text = "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [\n"
                     "{\"name\": \"process_name\", \"ph\": \"M\", \"pid\": 1, "
                     "\"args\": {\"name\": " +
                     run::json(model) + "}}";
  for (size_t worker = 0; worker < partBegan.size(); ++worker)
    text += format(",\n{\"name\": \"thread_name\", \"ph\": \"M\", \"pid\": 1, "
                   "\"tid\": %zu, "
                   "\"args\": {\"name\": \"worker %zu%s\"}}",
                   worker, worker, worker ? "" : " (caller)");
  uint64_t count = std::min<uint64_t>(spanCount, maxSpans);
  double start = count ? span(0).beginMs : 0;
  for (uint64_t i = 0; i < count; ++i)
    start = std::min(start, span(i).beginMs);
  for (uint64_t i = 0; i < count; ++i) {
    const Span &each = span(i);
    std::string name = each.kernel ? each.kernel : "run";
    text += format(",\n{\"name\": %s, \"cat\": \"%s\", \"ph\": \"X\", \"pid\": "
                   "1, \"tid\": %u, "
                   "\"ts\": %.3f, \"dur\": %.3f",
                   run::json(name).c_str(),
                   !each.kernel  ? "run"
                   : each.isPart ? "part"
                                 : "launch",
                   each.worker, 1e3 * (each.beginMs - start),
                   1e3 * (each.endMs - each.beginMs));
    if (each.kernel)
      text += format(", \"args\": {\"nodes\": %s, \"tasks\": \"%u..%u\"}",
                     run::json(each.nodes).c_str(), each.begin, each.end);
    text += "}";
  }
  writeFile(path, text + "\n]}\n");
}

} // namespace burin::run
