// SPDX-License-Identifier: Apache-2.0
//
// digits IMAGE...: says which handwritten digit each image shows. The network is
// compiled into this program: no file to ship, no interpreter, no allocation in a run.

#include "Image.h"
#include "digits.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

constexpr size_t side = 8, classes = 10;
static_assert(DIGITS_IMAGE_ELEMENTS == side * side && DIGITS_PROBABILITIES_ELEMENTS == classes);

/// The network with the memory that it works in.
class Classifier {
public:
  Classifier() {
    burin_memory need;
    require(model->memory(model, 1, &need));
    size_t bytes = (need.bytes + need.alignment - 1) / need.alignment * need.alignment;
    arena.reset(std::aligned_alloc(need.alignment, std::max<size_t>(bytes, need.alignment)));
    burin_options options = {};
    options.arena = arena.get();
    options.arena_bytes = need.bytes;
    require(model->create(model, &options, &context));
  }
  ~Classifier() { model->destroy(context); }
  Classifier(const Classifier &) = delete;
  Classifier &operator=(const Classifier &) = delete;

  /// `image` is side x side; the probability of each digit goes to `probabilities`.
  void classify(Image &image, float (&probabilities)[classes]) {
    burin_tensor input = {}, output = {};
    input.data = image.pixels.data();
    output.data = probabilities;
    require(model->run(context, &input, 1, &output, 1));
  }

private:
  void require(burin_status status) {
    if (status == BURIN_OK)
      return;
    std::string why = context ? model->message(context) : "";
    throw std::runtime_error(why.empty() ? burin_status_text(status) : why);
  }

  const burin_model *model = burin_model_digits();
  std::unique_ptr<void, decltype(&std::free)> arena{nullptr, &std::free};
  burin_context *context = nullptr;
};

} // namespace

int main(int argc, char **argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s IMAGE...   (PNG or PGM; one digit each)\n", argv[0]);
    return 2;
  }
  try {
    Classifier classifier;
    for (int i = 1; i < argc; ++i) {
      Image image = readImage(argv[i]);
      makeInkLight(image);
      image = resizeToSquare(image, side);
      float probabilities[classes];
      classifier.classify(image, probabilities);
      size_t best = size_t(std::max_element(probabilities, probabilities + classes) -
                           probabilities);
      std::printf("%s: %zu (%.2f%%)\n", argv[i], best, double(probabilities[best]) * 100);
      for (size_t digit = 0; argc == 2 && digit < classes; ++digit)
        std::printf("  %zu %6.2f%%\n", digit, double(probabilities[digit]) * 100);
    }
  } catch (const std::exception &error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
  return 0;
}
