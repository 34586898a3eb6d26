// SPDX-License-Identifier: Apache-2.0
#include "Image.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fstream>
#include <iterator>
#include <png.h>
#include <stdexcept>

namespace {

constexpr size_t maxSide = 1 << 14;

[[noreturn]] void fail(const std::string &path, const std::string &why) {
  throw std::runtime_error(path + ": " + why);
}

Image readPng(const std::string &path) {
  png_image file = {};
  file.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_file(&file, path.c_str()))
    fail(path, file.message);
  if (file.width > maxSide || file.height > maxSide) {
    png_image_free(&file);
    fail(path, "the image is too large");
  }
  file.format = PNG_FORMAT_GRAY;
  std::vector<png_byte> bytes(PNG_IMAGE_SIZE(file));
  png_color background = {255, 255, 255}; // transparent is paper
  if (!png_image_finish_read(&file, &background, bytes.data(), 0, nullptr))
    fail(path, file.message);
  Image image{file.width, file.height, {}};
  for (png_byte byte : bytes)
    image.pixels.push_back(float(byte) / 255.0f);
  return image;
}

/// The next number of a PGM header; comments run from # to the end of the line.
size_t nextNumber(const std::string &text, size_t &at, const std::string &path) {
  while (at < text.size() && (std::isspace((unsigned char)text[at]) || text[at] == '#'))
    at = text[at] == '#' ? std::min(text.find('\n', at), text.size()) : at + 1;
  size_t value = 0, start = at;
  for (; at < text.size() && std::isdigit((unsigned char)text[at]) && value <= 65535; ++at)
    value = value * 10 + size_t(text[at] - '0');
  if (at == start || value > 65535)
    fail(path, "not a PGM image, or a damaged one");
  return value;
}

Image readPgm(const std::string &text, const std::string &path) {
  bool binary = text[1] == '5';
  size_t at = 2;
  Image image;
  image.width = nextNumber(text, at, path);
  image.height = nextNumber(text, at, path);
  size_t most = nextNumber(text, at, path);
  if (!image.width || !image.height || !most || image.width > maxSide || image.height > maxSide)
    fail(path, "not a PGM image that can be read here");
  size_t count = image.width * image.height, bytes = most > 255 ? 2 : 1;
  ++at; // the one space after the header
  if (binary && (at > text.size() || (text.size() - at) / bytes < count))
    fail(path, "the image is truncated");
  for (size_t i = 0; i < count; ++i) {
    size_t value = 0;
    if (binary)
      for (size_t b = 0; b < bytes; ++b)
        value = value << 8 | (unsigned char)text[at++];
    else
      value = nextNumber(text, at, path);
    image.pixels.push_back(float(std::min(value, most)) / float(most));
  }
  return image;
}

} // namespace

Image readImage(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    fail(path, "cannot be opened");
  char magic[2] = {};
  file.read(magic, 2);
  if (magic[0] != 'P' || (magic[1] != '2' && magic[1] != '5'))
    return readPng(path);
  file.seekg(0);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return readPgm(text, path);
}

Image resizeToSquare(const Image &image, size_t size) {
  double side = double(std::max(image.width, image.height)), step = side / double(size);
  double left = (side - double(image.width)) / 2, top = (side - double(image.height)) / 2;
  // How much of source pixel i lies in [begin, end).
  auto overlap = [](double begin, double end, size_t i) {
    return std::max(0.0, std::min(end, double(i) + 1) - std::max(begin, double(i)));
  };
  Image result{size, size, std::vector<float>(size * size)};
  for (size_t row = 0; row < size; ++row) {
    double y0 = double(row) * step - top, y1 = y0 + step;
    for (size_t column = 0; column < size; ++column) {
      double x0 = double(column) * step - left, x1 = x0 + step, sum = 0;
      for (size_t y = size_t(std::max(0.0, y0)); y < image.height && double(y) < y1; ++y)
        for (size_t x = size_t(std::max(0.0, x0)); x < image.width && double(x) < x1; ++x)
          sum += overlap(y0, y1, y) * overlap(x0, x1, x) * double(image.at(x, y));
      result.pixels[row * size + column] = float(sum / (step * step));
    }
  }
  return result;
}

void makeInkLight(Image &image) {
  double sum = 0;
  size_t count = 0;
  for (size_t y = 0; y < image.height; ++y)
    for (size_t x = 0; x < image.width; ++x)
      if (x == 0 || y == 0 || x + 1 == image.width || y + 1 == image.height) {
        sum += double(image.at(x, y));
        ++count;
      }
  if (sum > 0.6 * double(count))
    for (float &pixel : image.pixels)
      pixel = 1 - pixel;
}
