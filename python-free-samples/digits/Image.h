// SPDX-License-Identifier: Apache-2.0
//
// Grey images from files.

#ifndef DIGITS_IMAGE_H
#define DIGITS_IMAGE_H

#include <cstddef>
#include <string>
#include <vector>

/// Grey, row-major, 0 (black) to 1 (white).
struct Image {
  size_t width = 0, height = 0;
  std::vector<float> pixels;

  float at(size_t x, size_t y) const { return pixels[y * width + x]; }
};

/// Reads a PNG (any colour; converted to grey) or a PGM (P2 or P5). Throws
/// std::runtime_error that names the file.
Image readImage(const std::string &path);

/// `image` on a square with `size` pixels a side: each is the mean of the area that it
/// covers. What is not square is centred on black.
Image resizeToSquare(const Image &image, size_t size);

/// Dark ink on light paper becomes light ink on black; told by the image's border.
void makeInkLight(Image &image);

#endif
