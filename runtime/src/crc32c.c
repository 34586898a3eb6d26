/* SPDX-License-Identifier: Apache-2.0
 *
 * CRC32C (Castagnoli), by the CPU's instruction where it has one.
 */
#include "runtime.h"

uint32_t burin_crc32c_portable(uint32_t crc, const unsigned char *data, size_t bytes) {
  static const uint32_t table[16] = {/* of 4 bits */
      0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
      0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
  crc = ~crc;
  for (; bytes; --bytes) {
    crc ^= *data++;
    crc = crc >> 4 ^ table[crc & 15];
    crc = crc >> 4 ^ table[crc & 15];
  }
  return ~crc;
}

#if defined(__x86_64__)
#include <cpuid.h>

static bool has_instruction(void) {
  uint32_t a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2);
}

#define STEP64(crc, word) __asm__("crc32q %1, %q0" : "+r"(crc) : "rm"(word))
#define STEP8(crc, byte) __asm__("crc32b %1, %k0" : "+r"(crc) : "rm"(byte))
#elif defined(__aarch64__)
#include <sys/auxv.h>

static bool has_instruction(void) { return getauxval(AT_HWCAP) & HWCAP_CRC32; }

#define STEP64(crc, word)                                                                          \
  __asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %1" : "+r"(crc) : "r"(word))
#define STEP8(crc, byte)                                                                           \
  __asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"((uint32_t)(byte)))
#endif

/* The runtime is compiled without builtins: memcpy would be a call for each word. */
static uint64_t word_at(const unsigned char *data) {
  uint64_t word;
  __builtin_memcpy(&word, data, sizeof word);
  return word;
}

uint32_t burin_crc32c(uint32_t crc, const unsigned char *data, size_t bytes) {
  if (!has_instruction())
    return burin_crc32c_portable(crc, data, bytes);
  uint64_t state = (uint32_t)~crc;
  for (; bytes >= 8; bytes -= 8, data += 8)
    STEP64(state, word_at(data));
  for (; bytes; --bytes, ++data)
    STEP8(state, *data);
  return (uint32_t)~state;
}

void burin_crc32c_streams(const unsigned char *data, size_t bytes, uint32_t crcs[BURIN_CRC_STREAMS]) {
  if (!has_instruction() || bytes % 8) {
    for (size_t i = 0; i < BURIN_CRC_STREAMS; ++i)
      crcs[i] = burin_crc32c(0, data + i * bytes, bytes);
    return;
  }
  uint64_t a = UINT32_MAX, b = UINT32_MAX, c = UINT32_MAX, d = UINT32_MAX;
  for (size_t i = 0; i < bytes; i += 8) {
    STEP64(a, word_at(data + i));
    STEP64(b, word_at(data + i + bytes));
    STEP64(c, word_at(data + i + 2 * bytes));
    STEP64(d, word_at(data + i + 3 * bytes));
  }
  crcs[0] = (uint32_t)~a, crcs[1] = (uint32_t)~b, crcs[2] = (uint32_t)~c, crcs[3] = (uint32_t)~d;
}
