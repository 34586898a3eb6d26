/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls header.onnxtxt through its typed header; valid C11 and C++17, and no warning in either. */
#include "typed.h"

#include <string.h>

#ifdef __cplusplus
#define ALIGN alignas(TYPED_ARENA_ALIGNMENT)
#else
#define ALIGN _Alignas(TYPED_ARENA_ALIGNMENT)
#endif

ALIGN static unsigned char arena[TYPED_ARENA_BYTES];

int main(void) {
  const int64_t largest[TYPED_X_RANK] = TYPED_X_SHAPE;
  if (largest[0] != TYPED_BATCH_SIZE_MAX || largest[1] != 3 || TYPED_X_2_INDEX != 1)
    return 1;
  burin_context *context;
  if (typed_create(arena, &context) != BURIN_OK)
    return 2;

  float x[TYPED_X_ELEMENTS], y[TYPED_Y_ELEMENTS] = {0};
  for (int i = 0; i < TYPED_X_ELEMENTS; ++i)
    x[i] = (float)i;
  const int64_t integers[TYPED_X_2_ELEMENTS] = {1, -2, 3};
  int64_t negated[TYPED_INPUTS_2_ELEMENTS];
  const uint8_t flags[TYPED_CLASS_2_ELEMENTS] = {0, 1, 0};
  uint8_t flipped[TYPED_CLASS_OUT_ELEMENTS];
  const uint16_t half[TYPED_H_ELEMENTS] = {0x3c00, 0xbc00}; /* 1 and -1 */
  uint16_t minus[TYPED_H_ELEMENTS];
  const double scalar = 21;
  double doubled;

  if (typed_run(context, 2, x, integers, flags, half, &scalar, NULL, y, flipped, minus, &doubled,
                negated, NULL) != BURIN_OK)
    return 3;
  for (int i = 0; i < TYPED_Y_ELEMENTS; ++i)
    if (y[i] != (i < 6 ? 2 * x[i] : 0))
      return 4;
  if (negated[1] != 2 || flipped[0] != 1 || flipped[1] != 0 || minus[0] != 0xbc00 || doubled != 42)
    return 5;
  if (typed_run(context, TYPED_BATCH_SIZE_MAX + 1, x, integers, flags, half, &scalar, NULL, y,
                flipped, minus, &doubled, negated, NULL) != BURIN_BAD_ARGUMENT ||
      !strstr(typed_message(context), "outside 1..4"))
    return 6;
  typed_destroy(context);
  return 0;
}
