// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/cpu/Processor.h"

#include "burin/abi.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;

namespace burin::cpu {
namespace {

struct Feature {
  StringRef name; // LLVM's
  uint64_t bit;   // of burin_cpu_feature
};

/// What differs between the architectures.
struct Family {
  Architecture architecture;
  StringRef triple;
  StringRef level;              // the lowest that artifacts are for
  StringRef generic;            // LLVM's CPU of that name, if it has another
  ArrayRef<StringRef> required; // features of that level
  ArrayRef<Feature> features;
  /// Whether code may use all that LLVM knows of a CPU. Else it uses what is in `features`, which a
  /// context checks; the rest of the CPU's name is for the scheduler.
  bool allFeatures;
};

constexpr StringRef x86Required[] = {"avx2", "fma"};
constexpr Feature x86Features[] = {{"avx2", BURIN_CPU_AVX2},
                                   {"avx512f", BURIN_CPU_AVX512},
                                   {"avx512vnni", BURIN_CPU_AVX512VNNI},
                                   {"avx512bf16", BURIN_CPU_AVX512BF16},
                                   {"avx512vbmi2", BURIN_CPU_AVX512VBMI},
                                   {"gfni", BURIN_CPU_GFNI},
                                   {"avxvnni", BURIN_CPU_AVXVNNI},
                                   {"avx512fp16", BURIN_CPU_AVX512FP16}};

// SVE is for a code generator that knows it.
constexpr StringRef armRequired[] = {"neon"};
constexpr Feature armFeatures[] = {{"neon", BURIN_CPU_NEON},
                                   {"fullfp16", BURIN_CPU_FP16},
                                   {"dotprod", BURIN_CPU_DOTPROD},
                                   {"i8mm", BURIN_CPU_I8MM},
                                   {"bf16", BURIN_CPU_BF16}};

constexpr Family families[] = {
    {Architecture::X86_64, "x86_64-unknown-linux-gnu", "x86-64-v3", "x86-64-v3", x86Required,
     x86Features, /*allFeatures=*/true},
    {Architecture::AArch64, "aarch64-unknown-linux-gnu", "aarch64", "generic", armRequired,
     armFeatures, /*allFeatures=*/false},
};

bool has(const MCSubtargetInfo &info, StringRef feature) {
  return info.checkFeatures(("+" + feature).str());
}

std::string vectorLevelOf(Architecture architecture, uint64_t features) {
  if (architecture == Architecture::AArch64)
    return "neon";
  return features & BURIN_CPU_AVX512 ? "v4" : "v3";
}

/// The CPU, if the family has one of that name.
Expected<std::optional<Processor>> findIn(const Family &family, StringRef name) {
  Processor found;
  found.name = name.str();
  found.architecture = family.architecture;
  found.triple = Triple(family.triple);
  std::string error;
  found.target = TargetRegistry::lookupTarget(found.triple, error);
  if (!found.target)
    return createStringError(error);
  StringRef known = name == family.level ? family.generic : name;
  std::unique_ptr<MCSubtargetInfo> info(
      found.target->createMCSubtargetInfo(found.triple, "", ""));
  if (!info->isCPUStringValid(known))
    return std::nullopt;
  info.reset(found.target->createMCSubtargetInfo(found.triple, known, ""));
  for (StringRef feature : family.required)
    if (!has(*info, feature))
      return createStringError("CPU '" + name + "' is below " + family.level +
                               ", the lowest level supported");
  found.targetCpu = (family.allFeatures ? known : family.generic).str();
  for (const Feature &feature : family.features) {
    if (!has(*info, feature.name))
      continue;
    found.features |= feature.bit;
    if (!family.allFeatures)
      found.targetFeatures +=
          (found.targetFeatures.empty() ? "+" : ",+") + feature.name.str();
  }
  if (!family.allFeatures)
    found.tuneCpu = known.str();
  found.vectorLevel = vectorLevelOf(family.architecture, found.features);
  found.wideVectors = family.architecture == Architecture::X86_64;
  return found;
}

} // namespace

std::unique_ptr<TargetMachine> Processor::makeMachine() const {
  TargetOptions options;
  options.AllowFPOpFusion = FPOpFusion::Strict; // bits are decided by the IR
  options.MCOptions.AsmVerbose = false;
  options.EmitStackSizeSection = true; // see footprintOf
  return std::unique_ptr<TargetMachine>(
      target->createTargetMachine(triple, targetCpu, targetFeatures, options, Reloc::PIC_,
                                  CodeModel::Small, CodeGenOptLevel::Aggressive));
}

void Processor::mark(Module &module) const {
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", targetCpu);
    if (!targetFeatures.empty())
      function.addFnAttr("target-features", targetFeatures);
    if (!tuneCpu.empty())
      function.addFnAttr("tune-cpu", tuneCpu);
    if (wideVectors) { // 16 lanes where there are such registers
      function.addFnAttr("prefer-vector-width", "512");
      function.addFnAttr("min-legal-vector-width", "512");
    }
  }
}

Expected<Processor> findProcessor(StringRef asked) {
  InitializeAllTargetInfos();
  InitializeAllTargets();
  InitializeAllTargetMCs();
  InitializeAllAsmPrinters();
  std::string name = asked == "native" ? sys::getHostCPUName().str() : asked.str();
  for (const Family &family : families) {
    Expected<std::optional<Processor>> found = findIn(family, name);
    if (!found)
      return found.takeError();
    if (*found)
      return std::move(**found);
  }
  return createStringError("unknown CPU '" + name +
                           "'; name a level (x86-64-v3, x86-64-v4, aarch64), a CPU (znver4, "
                           "skylake-avx512, neoverse-n1, ...) or native");
}

} // namespace burin::cpu
