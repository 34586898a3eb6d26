// SPDX-License-Identifier: Apache-2.0
//
// Where the time of a run goes: totals for each kernel, and a record for a
// timeline. Takes memory when it is made, none while it listens.

#ifndef BURIN_RUN_PROFILE_H
#define BURIN_RUN_PROFILE_H

#include "Tensor.h"

#include <atomic>

namespace burin::run {

class Profile {
public:
  enum class Mode { Off, Totals, Timeline };

  explicit Profile(uint32_t threads);

  /// Says what to do with the events to come; not while a run is under way.
  void listen(Mode to) { mode = to; }
  /// burin_options.profile, with this as its user.
  void take(const burin_event &event);
  /// Around each run that is listened to.
  void beginRun();
  void endRun();

  /// The totals, the kernel with most first; as JSON an object.
  std::string table() const;
  std::string json() const;
  /// Writes the timeline for Chrome's and Perfetto's viewers, whole or not at
  /// all.
  void writeTimeline(const std::string &path, const std::string &model) const;

private:
  /// A launch of the main programs.
  struct Site {
    const char *kernel, *nodes;
    uint64_t calls;
    double totalMs, leastMs;
    uint32_t index; // in the artifact: launches of a main program are in order
  };
  /// Something that took time.
  struct Span {
    const char *kernel, *nodes; // null for a whole run
    double beginMs, endMs;
    uint32_t worker, begin, end;
    bool isPart;
  };
  struct Kernel;
  std::vector<Kernel> kernels() const;

  void record(const Span &span);
  Site &site(uint32_t index) const {
    return reinterpret_cast<Site *>(siteMemory.data())[index];
  }
  Span &span(uint64_t index) const {
    return reinterpret_cast<Span *>(spanMemory.data())[index];
  }

  static constexpr uint32_t maxSites = 1 << 18;
  static constexpr uint64_t maxSpans = 1 << 20;
  Mode mode = Mode::Off;
  Memory siteMemory{maxSites * sizeof(Site)};
  Memory spanMemory{maxSpans *
                    sizeof(Span)}; // pages that are not touched cost nothing
  std::atomic<uint64_t> spanCount{
      0}; // that there were; those beyond maxSpans are lost
  std::vector<double> partBegan; // by worker
  double launchBegan = 0, runBegan = 0, runMs = 0;
  uint32_t sites = 0; // one past the last that was seen
  uint64_t runs = 0;
};

} // namespace burin::run

#endif
