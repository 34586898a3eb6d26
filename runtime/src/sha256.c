/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 (FIPS 180-4), for files of weights that are checked in full.
 */
#include <string.h>

#include "runtime.h"

static uint32_t rotated(uint32_t x, unsigned by) { return x >> by | x << (32 - by); }

/* One of the 64 rounds, in which all words but two keep their values and move on: the caller names them anew. */
static inline __attribute__((always_inline)) void turn(uint32_t a, uint32_t b, uint32_t c, uint32_t *d,
                                                       uint32_t e, uint32_t f, uint32_t g, uint32_t *h,
                                                       uint32_t added) {
  uint32_t sum = *h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & f) ^ (~e & g)) + added;
  *d += sum;
  *h = sum + (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
}

static const uint32_t k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static void add_block(uint32_t state[8], const unsigned char *block) {
  uint32_t w[64];
  for (int i = 0; i < 16; ++i)
    w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
           (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
  for (int i = 16; i < 64; ++i)
    w[i] = w[i - 16] + w[i - 7] +
           (rotated(w[i - 15], 7) ^ rotated(w[i - 15], 18) ^ w[i - 15] >> 3) +
           (rotated(w[i - 2], 17) ^ rotated(w[i - 2], 19) ^ w[i - 2] >> 10);
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5],
           g = state[6], h = state[7];
  for (int i = 0; i < 64; i += 8) {
    turn(a, b, c, &d, e, f, g, &h, k[i] + w[i]);
    turn(h, a, b, &c, d, e, f, &g, k[i + 1] + w[i + 1]);
    turn(g, h, a, &b, c, d, e, &f, k[i + 2] + w[i + 2]);
    turn(f, g, h, &a, b, c, d, &e, k[i + 3] + w[i + 3]);
    turn(e, f, g, &h, a, b, c, &d, k[i + 4] + w[i + 4]);
    turn(d, e, f, &g, h, a, b, &c, k[i + 5] + w[i + 5]);
    turn(c, d, e, &f, g, h, a, &b, k[i + 6] + w[i + 6]);
    turn(b, c, d, &e, f, g, h, &a, k[i + 7] + w[i + 7]);
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
  state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

/* With SHA-NI: several times as fast. To ask costs microseconds where a hypervisor answers. */
static bool has_instructions(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1) || !(c & bit_SSSE3))
    return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

/* The words of the state as the instructions take them: a, b, e, f in one register, c, d, g, h in another. */
__attribute__((target("sha,sse4.1"))) static void add_blocks(uint32_t state[8], const unsigned char *data,
                                                             uint64_t blocks) {
  const __m128i bytes_of_words = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
  __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
  __m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
  for (; blocks; --blocks, data += 64) {
    __m128i abef_before = abef, cdgh_before = cdgh, w[4];
    for (int i = 0; i < 4; ++i)
      w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(data + 16 * i)), bytes_of_words);
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; ++i) { /* four rounds each */
      __m128i *now = &w[i % 4], next = w[(i + 1) % 4], third = w[(i + 2) % 4], last = w[(i + 3) % 4];
      __m128i added = _mm_add_epi32(*now, _mm_loadu_si128((const __m128i *)(k + 4 * i)));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, added);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(added, 0x0e));
      if (i >= 12)
        continue; /* no round needs more words */
      __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(*now, next), _mm_alignr_epi8(last, third, 4));
      *now = _mm_sha256msg2_epu32(sum, last);
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}
#else
static bool has_instructions(void) { return false; }
static void add_blocks(uint32_t state[8], const unsigned char *data, uint64_t blocks) {
  for (; blocks; --blocks, data += 64)
    add_block(state, data);
}
#endif

void burin_sha256_begin(burin_sha256_state *state) {
  static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memcpy(state->words, first, sizeof first);
  state->bytes = 0;
}

void burin_sha256_add(burin_sha256_state *state, const unsigned char *data, uint64_t bytes) {
  enum { worth_asking = 4096 }; /* bytes */
  bool fast = bytes >= worth_asking && has_instructions();
  for (uint64_t some; bytes; data += some, bytes -= some, state->bytes += some) {
    uint32_t filled = state->bytes % 64; /* of block */
    some = bytes < 64 - filled ? bytes : 64 - filled;
    if (some == 64 && fast) {
      some = bytes & ~UINT64_C(63);
      add_blocks(state->words, data, some / 64);
      continue;
    }
    if (some == 64) {
      add_block(state->words, data);
      continue;
    }
    memcpy(state->block + filled, data, (size_t)some);
    if (filled + some == 64)
      add_block(state->words, state->block);
  }
}

void burin_sha256_end(burin_sha256_state *state, unsigned char hash[32]) {
  uint32_t filled = state->bytes % 64;
  unsigned char *block = state->block;
  block[filled++] = 0x80;
  if (filled > 56) {
    memset(block + filled, 0, 64 - filled);
    add_block(state->words, block);
    filled = 0;
  }
  memset(block + filled, 0, 56 - filled);
  for (int i = 0; i < 8; ++i)
    block[56 + i] = (unsigned char)(state->bytes * 8 >> (56 - 8 * i));
  add_block(state->words, block);
  for (int i = 0; i < 32; ++i)
    hash[i] = (unsigned char)(state->words[i / 4] >> (24 - 8 * (i % 4)));
}

void burin_sha256(const unsigned char *const parts[], const uint64_t bytes[], uint32_t count,
                  unsigned char hash[32]) {
  burin_sha256_state state;
  burin_sha256_begin(&state);
  for (uint32_t p = 0; p < count; ++p)
    burin_sha256_add(&state, parts[p], bytes[p]);
  burin_sha256_end(&state, hash);
}
