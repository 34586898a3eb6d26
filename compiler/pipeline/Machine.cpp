// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/Machine.h"

#include "burin/abi.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

namespace burin {

/// Of the vectors that the target's code has.
static unsigned vectorBits(const Target &target) {
  if (target.architecture() == Architecture::AArch64)
    return 128;
  return target.features() & BURIN_CPU_AVX512 ? 512 : 256;
}

Machine Machine::nominal(const Target &target) {
  unsigned bits = vectorBits(target);
  return {nominal::clock * nominal::units * 2 * bits / 32, nominal::memoryBandwidth,
          nominal::cacheBandwidth, nominal::cacheBytes,
          llvm::formatv("nominal: a core of 3 GHz with two units of {0} bits, not measured", bits)};
}

llvm::Expected<Machine> Machine::read(const llvm::json::Object &measured, const Target &target,
                                      llvm::StringRef how) {
  auto number = [](const llvm::json::Object *object, llvm::StringRef name) {
    std::optional<double> value = object ? object->getNumber(name) : std::nullopt;
    return value && std::isfinite(*value) && *value >= 1 && *value < 1e18 ? *value : 0.0;
  };
  std::string bits = std::to_string(vectorBits(target));
  Machine machine;
  machine.flops = number(measured.getObject("flops"), bits);
  machine.memoryBandwidth = number(&measured, "memory_bytes_per_s");
  machine.cacheBandwidth = number(&measured, "cache_bytes_per_s");
  machine.cacheBytes = uint64_t(number(&measured, "cache_bytes"));
  if (machine.flops == 0)
    return llvm::createStringError("has no flops of vectors of " + bits + " bits, which code for " +
                                   target.name() + " uses");
  if (machine.memoryBandwidth == 0 || machine.cacheBandwidth == 0 || machine.cacheBytes == 0)
    return llvm::createStringError("lacks memory_bytes_per_s, cache_bytes_per_s or cache_bytes");
  machine.origin = how.str();
  if (auto name = measured.getString("machine"); name && !name->empty())
    machine.origin += ": " + llvm::json::fixUTF8(*name);
  return machine;
}

llvm::json::Object Machine::json() const {
  return llvm::json::Object{{"flops_per_s", flops},
                            {"memory_bytes_per_s", memoryBandwidth},
                            {"cache_bytes_per_s", cacheBandwidth},
                            {"cache_bytes", int64_t(cacheBytes)},
                            {"origin", origin}};
}

Roofline rooflineOf(const Work &work, const Machine &machine, uint64_t weightsBytes,
                    uint64_t activationBytes) {
  bool activationsFit = activationBytes <= machine.cacheBytes;
  bool weightsFit = activationsFit && weightsBytes <= machine.cacheBytes - activationBytes;
  auto bandwidth = [&](bool fits) {
    return fits ? machine.cacheBandwidth : machine.memoryBandwidth;
  };
  return {double(work.flops) / machine.flops,
          double(work.weightBytes) / bandwidth(weightsFit) +
              (double(work.readBytes) + double(work.writtenBytes)) / bandwidth(activationsFit)};
}

} // namespace burin
