/* SPDX-License-Identifier: Apache-2.0
 *
 * Which instructions this machine has. A CPU that knows them is not enough: the
 * operating system must save the registers that they use.
 */
#include "runtime.h"

#if defined(__x86_64__)
#include <cpuid.h>

typedef struct cpuid_words {
  uint32_t eax, ebx, ecx, edx;
} cpuid_words;

static cpuid_words cpuid(uint32_t leaf, uint32_t subleaf) {
  cpuid_words w = {0, 0, 0, 0};
  __get_cpuid_count(leaf, subleaf, &w.eax, &w.ebx, &w.ecx, &w.edx);
  return w;
}

static uint64_t enabled_state(bool osxsave) {
  if (!osxsave)
    return 0;
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

static bool has(uint32_t word, uint32_t bits) { return (word & bits) == bits; }

static uint64_t machine_features(void) {
  cpuid_words basic = cpuid(1, 0), extended = cpuid(7, 0), extended1 = cpuid(7, 1);
  cpuid_words amd = cpuid(0x80000001u, 0);
  uint64_t state = enabled_state(has(basic.ecx, bit_OSXSAVE));
  bool ymm = (state & 0x6) == 0x6;   /* xmm, ymm */
  bool zmm = (state & 0xe6) == 0xe6; /* and opmask, both halves of zmm */

  uint64_t features = 0;
  if (ymm && has(basic.ecx, bit_AVX | bit_FMA | bit_F16C | bit_MOVBE) &&
      has(extended.ebx, bit_AVX2 | bit_BMI | bit_BMI2) && has(amd.ecx, bit_LZCNT))
    features |= BURIN_CPU_AVX2;
  if (ymm && has(extended1.eax, 1u << 4))
    features |= BURIN_CPU_AVXVNNI;
  if (has(extended.ecx, bit_GFNI))
    features |= BURIN_CPU_GFNI;
  if (!zmm)
    return features;
  if (has(extended.ebx,
          bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL))
    features |= BURIN_CPU_AVX512;
  if (has(extended.ecx, bit_AVX512VNNI))
    features |= BURIN_CPU_AVX512VNNI;
  if (has(extended1.eax, 1u << 5))
    features |= BURIN_CPU_AVX512BF16;
  if (has(extended.ebx, bit_AVX512IFMA) &&
      has(extended.ecx, bit_AVX512VBMI | bit_AVX512VBMI2 | bit_AVX512BITALG |
                            bit_AVX512VPOPCNTDQ))
    features |= BURIN_CPU_AVX512VBMI;
  if (has(extended.edx, 1u << 23))
    features |= BURIN_CPU_AVX512FP16;
  return features;
}
#elif defined(__aarch64__)
#include <sys/auxv.h>

/* The kernel names what the CPU has and the system saves. */
static uint64_t machine_features(void) {
  static const struct {
    unsigned long type, mask;
    uint64_t feature;
  } known[] = {
      {AT_HWCAP, HWCAP_ASIMD, BURIN_CPU_NEON},
      {AT_HWCAP, HWCAP_FPHP | HWCAP_ASIMDHP, BURIN_CPU_FP16},
      {AT_HWCAP, HWCAP_ASIMDDP, BURIN_CPU_DOTPROD},
      {AT_HWCAP, HWCAP_SVE, BURIN_CPU_SVE},
      {AT_HWCAP2, HWCAP2_I8MM, BURIN_CPU_I8MM},
      {AT_HWCAP2, HWCAP2_BF16, BURIN_CPU_BF16},
  };
  uint64_t features = 0;
  for (size_t i = 0; i < sizeof known / sizeof *known; ++i)
    if ((getauxval(known[i].type) & known[i].mask) == known[i].mask)
      features |= known[i].feature;
  return features;
}
#else
#error "no way known to tell what this CPU can do"
#endif

const char *burin_missing_cpu_feature(uint64_t features) {
  uint64_t missing = features & ~machine_features();
  if (!missing)
    return NULL;
  switch (missing & -missing) {
  case BURIN_CPU_AVX2: return "x86-64-v3 (AVX2, FMA, F16C, BMI, LZCNT, MOVBE)";
  case BURIN_CPU_AVX512: return "x86-64-v4 (AVX-512 F, BW, CD, DQ, VL)";
  case BURIN_CPU_AVX512VNNI: return "AVX-512 VNNI";
  case BURIN_CPU_AVX512BF16: return "AVX-512 BF16";
  case BURIN_CPU_AVX512VBMI: return "AVX-512 VBMI, VBMI2, IFMA, BITALG, VPOPCNTDQ";
  case BURIN_CPU_GFNI: return "GFNI";
  case BURIN_CPU_AVXVNNI: return "AVX-VNNI";
  case BURIN_CPU_AVX512FP16: return "AVX-512 FP16";
  case BURIN_CPU_NEON: return "Advanced SIMD (NEON)";
  case BURIN_CPU_FP16: return "half-precision arithmetic (FP16)";
  case BURIN_CPU_DOTPROD: return "dot products (DOTPROD)";
  case BURIN_CPU_I8MM: return "8-bit matrix products (I8MM)";
  case BURIN_CPU_BF16: return "bfloat16 (BF16)";
  case BURIN_CPU_SVE: return "SVE";
  default: return "a feature that this version of the runtime does not know";
  }
}
