// SPDX-License-Identifier: Apache-2.0
//
// machine: what one core of this machine can do at most, for `burin explain --cost`. Each figure is the best
// of many short tries, so that what else runs here matters little.

#include "Commands.h"
#include "Session.h"

#include <algorithm>
#include <cstring>
#include <sys/utsname.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace burin::run {
namespace {

/// Sums of products in chains that do not wait for each other: 12, more than any unit's latency times the
/// units. Returns what was computed, so that it is.
constexpr int chains = 12;
constexpr int rounds = 20000;

template <int lanes> using Floats = float __attribute__((ext_vector_type(lanes)));

/// Becomes part of a function that has the instructions for so many lanes.
template <int lanes> [[clang::always_inline]] inline float multiplyAdd() {
  Floats<lanes> sums[chains], factor = 0.999f, more = 0.001f;
  for (int c = 0; c < chains; ++c)
    sums[c] = float(c);
  for (int i = 0; i < rounds; ++i)
#pragma clang loop unroll(full)
    for (int c = 0; c < chains; ++c)
      sums[c] = __builtin_elementwise_fma(sums[c], factor, more);
  Floats<lanes> all = sums[0];
  for (int c = 1; c < chains; ++c)
    all += sums[c];
  return all[0];
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) float multiplyAdd256() { return multiplyAdd<8>(); }
__attribute__((target("avx512f"))) float multiplyAdd512() { return multiplyAdd<16>(); }

__attribute__((target("avx2"))) float sum(const float *data, size_t count) {
  __m256i sums[4] = {};
  for (size_t i = 0; i + 32 <= count; i += 32)
    for (int c = 0; c < 4; ++c)
      sums[c] = _mm256_xor_si256(
          sums[c], _mm256_loadu_si256(reinterpret_cast<const __m256i *>(data + i) + c));
  __m256i all = _mm256_xor_si256(_mm256_xor_si256(sums[0], sums[1]),
                                 _mm256_xor_si256(sums[2], sums[3]));
  return float(_mm256_extract_epi32(all, 0));
}

bool hasAvx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool hasAvx512() { return __builtin_cpu_supports("avx512f"); }
#elif defined(__aarch64__)
float sum(const float *data, size_t count) {
  uint32x4_t sums[4] = {};
  for (size_t i = 0; i + 16 <= count; i += 16)
    for (int c = 0; c < 4; ++c)
      sums[c] ^= vreinterpretq_u32_f32(vld1q_f32(data + i + 4 * c));
  return float(vaddvq_u32(sums[0] ^ sums[1] ^ sums[2] ^ sums[3]));
}
#endif

volatile float sink; // what keeps results from being none

/// The shortest time of `work`, in seconds, over at least `tries` tries and `seconds`.
template <typename F> double best(F work, int tries, double seconds) {
  double least = 1e30, start = wallMs();
  for (int i = 0; i < tries || wallMs() - start < seconds * 1e3; ++i) {
    double begin = wallMs();
    sink = work();
    least = std::min(least, wallMs() - begin);
  }
  return least * 1e-3;
}

double flopsOf(float (*work)(), int lanes) {
  return 2.0 * chains * rounds * lanes / best(work, 20, 0.05);
}

double bandwidthOf(const Memory &memory, size_t bytes) {
  const float *data = reinterpret_cast<const float *>(memory.data());
  return double(bytes) / best([&] { return sum(data, bytes / sizeof(float)); }, 5, 0.05);
}

/// Of the last level, as the system tells; where it does not, 16 MiB. What is larger than any that one
/// core reaches as fast is the sum of several.
size_t cacheBytes() {
  constexpr size_t most = size_t(32) << 20;
  for (int level : {_SC_LEVEL3_CACHE_SIZE, _SC_LEVEL2_CACHE_SIZE})
    if (long size = sysconf(level); size > 0)
      return std::min(size_t(size), most);
  return size_t(16) << 20;
}

std::string machineName() {
  std::string name;
  if (FILE *file = fopen("/proc/cpuinfo", "r")) {
    char line[512];
    while (name.empty() && fgets(line, sizeof line, file))
      if (const char *colon = strchr(line, ':'); colon && !strncmp(line, "model name", 10))
        name = colon + 1;
    fclose(file);
  }
  name.erase(0, name.find_first_not_of(" \t"));
  name.erase(name.find_last_not_of(" \t\n") + 1);
  utsname system;
  return !name.empty() || uname(&system) != 0 ? name : system.machine;
}

} // namespace

ExitCode machine(const Flags &) {
  std::string peaks;
  auto add = [&](int bits, double flops) {
    peaks += format("%s\"%d\": %.0f", peaks.empty() ? "" : ", ", bits, flops);
  };
#if defined(__x86_64__)
  if (!hasAvx2())
    throw Error{Unsupported, "this CPU lacks AVX2 and FMA, which artifacts need"};
  add(256, flopsOf(multiplyAdd256, 8));
  if (hasAvx512())
    add(512, flopsOf(multiplyAdd512, 16));
#elif defined(__aarch64__)
  add(128, flopsOf(multiplyAdd<4>, 4));
#endif
  size_t cache = cacheBytes();
  size_t all = std::max<size_t>(4 * cache, size_t(64) << 20);
  Memory memory(all);
  memset(memory.data(), 1, all); // pages of their own, not all the one of zeros
  printf("{\"machine\": %s, \"flops\": {%s}, \"memory_bytes_per_s\": %.0f, "
         "\"cache_bytes_per_s\": %.0f, \"cache_bytes\": %zu}\n",
         json(machineName()).c_str(), peaks.c_str(), bandwidthOf(memory, all),
         bandwidthOf(memory, std::min(cache / 4, size_t(4) << 20)), cache);
  return Ok;
}

} // namespace burin::run
