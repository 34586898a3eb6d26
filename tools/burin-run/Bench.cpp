// SPDX-License-Identifier: Apache-2.0
//
// bench: how long a request (or a batch of them) takes.

#include "Commands.h"
#include "Profile.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <unistd.h>

namespace burin::run {
namespace {

/// Times of many iterations in bounded memory: once full, every second one is dropped
/// and only every second one to come is kept. Minimum and mean are of all.
class Samples {
public:
  Samples() { kept.reserve(limit); }

  void add(double value) {
    least = count ? std::min(least, value) : value;
    sum += value;
    if (count++ % stride)
      return;
    if (kept.size() == limit) {
      for (size_t i = 0; i < limit / 2; ++i)
        kept[i] = kept[2 * i];
      kept.resize(limit / 2);
      stride *= 2;
      if ((count - 1) % stride)
        return;
    }
    kept.push_back(float(value));
  }

  double mean() const { return sum / double(count); }

  std::string json() const {
    std::vector<float> sorted = kept;
    std::sort(sorted.begin(), sorted.end());
    return format("{\"min\": %.6f, \"median\": %.6f, \"mean\": %.6f, \"p90\": %.6f, "
                  "\"p99\": %.6f}",
                  least, quantile(sorted, 0.5), mean(), quantile(sorted, 0.9),
                  quantile(sorted, 0.99));
  }

  std::string text() const {
    std::vector<float> sorted = kept;
    std::sort(sorted.begin(), sorted.end());
    return format("%10.3f %10.3f %10.3f %10.3f %10.3f", least, quantile(sorted, 0.5), mean(),
                  quantile(sorted, 0.9), quantile(sorted, 0.99));
  }

private:
  /// The smallest sample that at least this share of all does not pass.
  static double quantile(const std::vector<float> &sorted, double share) {
    size_t rank = size_t(share * double(sorted.size()) + 0.9999999);
    return sorted[std::min(std::max<size_t>(rank, 1), sorted.size()) - 1];
  }

  static constexpr size_t limit = 1 << 16;
  std::vector<float> kept;
  double least = 0, sum = 0;
  uint64_t count = 0, stride = 1;
};

/// Tells a trace of system calls where the context lives (test/runtime/quiet.sh).
void mark(const Flags &flags, const char *text) {
  if (flags.marks)
    (void)!write(STDERR_FILENO, text, strlen(text));
}

void runOne(Session &session, Batch &batch, Profile *profile) {
  if (!profile)
    return session.runForever(batch);
  profile->beginRun();
  session.runForever(batch);
  profile->endRun();
}

} // namespace

ExitCode bench(const Flags &flags) {
  double begin = wallMs();
  Session session(flags.model, flags.threads, flags.weights);
  double openMs = wallMs() - begin;

  InputFlags given = flags.inputs;
  if (!given.random)
    given.random = 0;
  std::vector<Tensor> inputs = session.makeInputs(given);
  std::vector<Memory> outputs;
  for (uint32_t r = 0; r < flags.batch; ++r)
    for (Memory &memory : session.makeOutputs())
      outputs.push_back(std::move(memory));
  Batch batch = session.makeBatch(inputs, outputs, flags.batch);
  Samples latency, cpu;
  uint64_t iterations = 0;

  std::unique_ptr<Profile> profile;
  if (flags.profile || !flags.trace.empty())
    profile = std::make_unique<Profile>(session.threads());

  mark(flags, "quiet-begin\n");
  begin = wallMs();
  session.create(profile.get());
  openMs += wallMs() - begin;
  begin = wallMs();
  session.runForever(batch);
  double firstMs = wallMs() - begin;
  if (flags.profile)
    profile->listen(Profile::Mode::Totals);
  double start = wallMs(), elapsed = 0;
  do {
    double busy = cpuMs(); // a system call, which a short run's latency must not have
    double wall = wallMs();
    runOne(session, batch, profile.get());
    double end = wallMs();
    cpu.add(cpuMs() - busy);
    latency.add(end - wall);
    ++iterations;
    elapsed = end - start;
  } while (elapsed < flags.seconds * 1e3);
  if (!flags.trace.empty()) {
    profile->listen(Profile::Mode::Timeline);
    for (uint32_t i = 0; i < flags.traceRuns; ++i)
      runOne(session, batch, profile.get());
  }
  session.destroy();
  mark(flags, "quiet-end\n");
  if (!flags.trace.empty())
    profile->writeTimeline(flags.trace, session.model()->name);

  double perSecond = double(iterations) * flags.batch / (elapsed * 1e-3);
  if (flags.json) {
    printf("{\"threads\": %u, \"batch\": %u, \"iterations\": %llu, \"latency_ms\": %s, "
           "\"cpu_ms\": %s, \"throughput_per_s\": %.3f, \"open_ms\": %.6f, \"first_ms\": %.6f, "
           "\"arena_bytes\": %llu, \"weights_bytes\": %llu, \"peak_rss_bytes\": %llu%s}\n",
           session.threads(), flags.batch, (unsigned long long)iterations,
           latency.json().c_str(), cpu.json().c_str(), perSecond, openMs, firstMs,
           (unsigned long long)session.memory().bytes,
           (unsigned long long)session.memory().weights, (unsigned long long)peakRss(),
           flags.profile ? (", \"profile\": " + profile->json()).c_str() : "");
    return Ok;
  }
  printf("%s: %llu iterations, %u thread%s, batch %u\n", session.model()->name,
         (unsigned long long)iterations, session.threads(), session.threads() == 1 ? "" : "s",
         flags.batch);
  printf("               min     median       mean        p90        p99\n");
  printf("latency %s ms\n", latency.text().c_str());
  printf("CPU     %s ms\n", cpu.text().c_str());
  printf("%.1f requests/s; open %.3f ms, first run %.3f ms, peak memory %.1f MiB\n", perSecond,
         openMs, firstMs, double(peakRss()) / (1 << 20));
  if (flags.profile)
    fputs(profile->table().c_str(), stdout);
  return Ok;
}

} // namespace burin::run
