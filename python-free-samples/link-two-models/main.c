/* SPDX-License-Identifier: Apache-2.0
 *
 * link-two-models PICTURE: which digit a picture in characters shows, 16 lines of 16 of which
 * '#' is ink. Two models are linked into this program and share one runtime: `prepare` scales
 * the picture down, `digits` names the digit. All their memory is static. */
#include <stdio.h>
#include <string.h>

#include "digits.h"
#include "prepare.h"

static _Alignas(PREPARE_ARENA_ALIGNMENT) unsigned char prepare_arena[PREPARE_ARENA_BYTES];
static _Alignas(DIGITS_ARENA_ALIGNMENT) unsigned char digits_arena[DIGITS_ARENA_BYTES];

/* What the one gives, the other takes. */
_Static_assert((int)PREPARE_IMAGE_ELEMENTS == (int)DIGITS_IMAGE_ELEMENTS, "another image");

enum { side = 16 };

/* Returns 0 where the file cannot be read. */
static int read_picture(const char *path, uint8_t picture[PREPARE_PICTURE_ELEMENTS]) {
  FILE *file = fopen(path, "r");
  if (!file)
    return 0;
  char line[256];
  for (int row = 0; row < side && fgets(line, sizeof line, file); ++row)
    for (int column = 0; column < side && line[column] && line[column] != '\n'; ++column)
      picture[row * side + column] = line[column] == '#' ? 255 : 0;
  fclose(file);
  return 1;
}

int main(int count, char **arguments) {
  uint8_t picture[PREPARE_PICTURE_ELEMENTS] = {0};
  if (count != 2 || !read_picture(arguments[1], picture)) {
    fprintf(stderr, "usage: %s PICTURE   (16 lines of 16 characters, '#' is ink)\n", arguments[0]);
    return 2;
  }
  burin_context *prepare, *digits;
  if (prepare_create(prepare_arena, &prepare) != BURIN_OK ||
      digits_create(digits_arena, &digits) != BURIN_OK) {
    fprintf(stderr, "the models do not run on this machine\n");
    return 1;
  }
  float image[PREPARE_IMAGE_ELEMENTS], probabilities[DIGITS_PROBABILITIES_ELEMENTS];
  if (prepare_run(prepare, picture, image) != BURIN_OK) {
    fprintf(stderr, "%s\n", prepare_message(prepare));
    return 1;
  }
  if (digits_run(digits, image, probabilities) != BURIN_OK) {
    fprintf(stderr, "%s\n", digits_message(digits));
    return 1;
  }
  int best = 0;
  for (int digit = 1; digit < DIGITS_PROBABILITIES_ELEMENTS; ++digit)
    if (probabilities[digit] > probabilities[best])
      best = digit;
  printf("%d (%.2f%%)\n", best, 100 * (double)probabilities[best]);
  digits_destroy(digits);
  prepare_destroy(prepare);
  return 0;
}
