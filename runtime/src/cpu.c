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
#else
static uint64_t machine_features(void) { return 0; }
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
  default: return "a feature that this version of the runtime does not know";
  }
}
