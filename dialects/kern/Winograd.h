// SPDX-License-Identifier: Apache-2.0
//
// Convolutions of 3 x 3 taps g by F(m x m, 3 x 3) (Winograd; Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2015): of an input tile d, whose sides are m + 2, the m x m results are
//
//   A^T ((G g G^T) * (B^T d B)) A
//
// where * multiplies element by element and is summed over the channels: (m + 2)^2 contractions.
// The matrices interpolate: F(2, 3) at 0, 1, -1 and infinity, F(4, 3) at 0, a, -a, b, -b and infinity. With
// a = 5/8 and b = 3/2, whose squares and products f32 holds, errors are a quarter of what
// the usual 1 and 2 leave. G is here, for who writes weights; B^T and A^T are chains of
// vector operations (compiler/target/cpu/Winograd.cpp).

#ifndef BURIN_DIALECTS_KERN_WINOGRAD_H
#define BURIN_DIALECTS_KERN_WINOGRAD_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <array>
#include <cstdint>
#include <utility>

namespace burin::kern {

/// Where F(4, 3) interpolates.
inline constexpr double winogradA = 5. / 8, winogradB = 3. / 2;

/// G of F(m, 3), for m = 2 and m = 4.
class WinogradTaps {
public:
  explicit WinogradTaps(int64_t m) {
    constexpr double a = winogradA, b = winogradB;
    auto at = [&](double point, double divisor) {
      rows.push_back({1 / divisor, point / divisor, point * point / divisor});
    };
    at(0, m == 2 ? 1 : a * a * b * b);
    if (m == 2) {
      at(1, 2);
      at(-1, 2);
    } else {
      for (auto [point, other] : {std::pair(a, b), std::pair(b, a)})
        for (double signedPoint : {point, -point})
          at(signedPoint, 2 * point * point * (point * point - other * other));
    }
    rows.push_back({0, 0, 1});
  }

  /// Transformed taps of one 3 x 3.
  int64_t count() const { return int64_t(rows.size() * rows.size()); }

  /// Calls `visit` with the number and the value of each element of G g G^T, row by row.
  void apply(const double (&taps)[3][3], llvm::function_ref<void(int64_t, double)> visit) const {
    int64_t number = 0;
    for (const auto &row : rows)
      for (const auto &column : rows) {
        double sum = 0;
        for (int y = 0; y < 3; ++y)
          for (int x = 0; x < 3; ++x)
            sum += row[y] * taps[y][x] * column[x];
        visit(number++, sum);
      }
  }

private:
  llvm::SmallVector<std::array<double, 3>, 6> rows;
};

} // namespace burin::kern

#endif
