// SPDX-License-Identifier: Apache-2.0
//
// ocr-line IMAGE...: the text in each image, which shows one line. PP-OCRv4's recogniser is
// compiled into this program, weights and alphabet included.

#include "Image.h"
#include "recogniser.h"

#include <burin/burin.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string_view>
#include <vector>

extern "C" const char ocr_alphabet[], ocr_alphabet_end[];

namespace {

constexpr size_t inputShape[] = RECOGNISER_X_SHAPE, height = inputShape[2];
constexpr size_t outputShape[] = RECOGNISER_SOFTMAX_11_TMP_0_SHAPE, classes = outputShape[2];
/// What the artifact takes: DIM in CMakeLists.txt.
constexpr size_t least = RECOGNISER_WIDTH_MIN, most = RECOGNISER_WIDTH_MAX;

/// The characters of classes 1 to classes - 2. Class 0 is "nothing here", the last a space.
std::vector<std::string_view> alphabet() {
  std::vector<std::string_view> result{""};
  std::string_view text(ocr_alphabet, size_t(ocr_alphabet_end - ocr_alphabet));
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    result.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  result.push_back(" ");
  if (result.size() != classes)
    throw std::runtime_error("the alphabet is not the network's");
  return result;
}

/// The pixel at a place between pixels, by bilinear interpolation; beyond the border, the border.
float sample(const Image &image, double x, double y) {
  x = std::clamp(x, 0.0, double(image.width - 1));
  y = std::clamp(y, 0.0, double(image.height - 1));
  size_t x0 = size_t(x), y0 = size_t(y);
  size_t x1 = std::min(x0 + 1, image.width - 1), y1 = std::min(y0 + 1, image.height - 1);
  float dx = float(x - double(x0)), dy = float(y - double(y0));
  float top = image.at(x0, y0) * (1 - dx) + image.at(x1, y0) * dx;
  float bottom = image.at(x0, y1) * (1 - dx) + image.at(x1, y1) * dx;
  return top * (1 - dy) + bottom * dy;
}

/// What the network reads: three channels, `width` wide.
struct Pixels {
  std::vector<float> values;
  size_t width;
};

/// Scales the image to the network's height, from -1 to 1 in three equal channels. What is right of a
/// line that is too short is 0; one that is too long is squeezed.
Pixels prepare(const Image &image) {
  double scale = double(image.height) / double(height);
  size_t columns = std::max<size_t>(size_t(std::ceil(double(image.width) / scale)), 1);
  size_t width = std::clamp(columns, least, most);
  columns = std::min(columns, width);
  double scaleX = double(image.width) / double(columns);
  std::vector<float> result(3 * height * width);
  for (size_t y = 0; y < height; ++y)
    for (size_t x = 0; x < columns; ++x) {
      float pixel = sample(image, (double(x) + 0.5) * scaleX - 0.5, (double(y) + 0.5) * scale - 0.5);
      for (size_t channel = 0; channel < 3; ++channel)
        result[(channel * height + y) * width + x] = pixel * 2 - 1;
    }
  return {std::move(result), width};
}

struct Line {
  std::string text;
  double confidence = 0; // mean probability of its characters
};

/// CTC: of each step the likeliest class; repetitions are one, class 0 parts them.
Line decode(const std::vector<float> &probabilities, size_t steps,
            const std::vector<std::string_view> &letters) {
  Line line;
  size_t before = 0, count = 0;
  for (size_t step = 0; step < steps; ++step) {
    auto row = probabilities.begin() + ptrdiff_t(step * classes);
    auto best = std::max_element(row, row + ptrdiff_t(classes));
    size_t letter = size_t(best - row);
    if (letter && letter != before) {
      line.text += letters[letter];
      line.confidence += double(*best);
      ++count;
    }
    before = letter;
  }
  line.confidence /= double(std::max<size_t>(count, 1));
  return line;
}

} // namespace

int main(int argc, char **argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s IMAGE...   (PNG or PGM; one line of text each)\n", argv[0]);
    return 2;
  }
  try {
    std::vector<std::string_view> letters = alphabet();
    burin::Model model(burin_model_recogniser());
    burin::Pool pool = burin::Pool::create(model).value();
    burin::Options options;
    options.pool = &pool;
    burin::Context context = burin::Context::create(model, options).value();
    std::vector<float> probabilities(RECOGNISER_SOFTMAX_11_TMP_0_ELEMENTS);
    for (int i = 1; i < argc; ++i) {
      Pixels pixels = prepare(readImage(argv[i]));
      const int64_t shape[] = {1, 3, int64_t(height), int64_t(pixels.width)};
      context.run({burin::Tensor(pixels.values, shape)}, {burin::Tensor(probabilities)}).orThrow();
      int64_t made[3]; // 1, steps, classes
      context.outputShape(RECOGNISER_SOFTMAX_11_TMP_0_INDEX, made).orThrow();
      Line line = decode(probabilities, size_t(made[1]), letters);
      std::printf("%s: %s (%.1f%%, %zu columns)\n", argv[i], line.text.c_str(),
                  100 * line.confidence, pixels.width);
    }
  } catch (const std::exception &error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
  return 0;
}
