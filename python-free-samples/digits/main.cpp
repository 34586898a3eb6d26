// SPDX-License-Identifier: Apache-2.0
//
// digits IMAGE...: says which handwritten digit each image shows. The network is
// compiled into this program: no file to ship, no interpreter, no allocation in a run.

#include "Image.h"
#include "digits.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace {

constexpr size_t side = 8, classes = 10;
static_assert(DIGITS_IMAGE_ELEMENTS == side * side && DIGITS_PROBABILITIES_ELEMENTS == classes);

/// All the memory that the network works in.
alignas(DIGITS_ARENA_ALIGNMENT) unsigned char arena[DIGITS_ARENA_BYTES];

} // namespace

int main(int argc, char **argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s IMAGE...   (PNG or PGM; one digit each)\n", argv[0]);
    return 2;
  }
  try {
    burin_context *classifier;
    if (burin_status status = digits_create(arena, &classifier))
      throw std::runtime_error(burin_status_text(status));
    for (int i = 1; i < argc; ++i) {
      Image image = readImage(argv[i]);
      makeInkLight(image);
      image = resizeToSquare(image, side);
      float probabilities[classes];
      if (digits_run(classifier, image.pixels.data(), probabilities) != BURIN_OK)
        throw std::runtime_error(digits_message(classifier));
      size_t best = size_t(std::max_element(probabilities, probabilities + classes) -
                           probabilities);
      std::printf("%s: %zu (%.2f%%)\n", argv[i], best, double(probabilities[best]) * 100);
      for (size_t digit = 0; argc == 2 && digit < classes; ++digit)
        std::printf("  %zu %6.2f%%\n", digit, double(probabilities[digit]) * 100);
    }
    digits_destroy(classifier);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
  return 0;
}
