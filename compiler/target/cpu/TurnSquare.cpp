// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/cpu/TurnSquare.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace burin::cpu {

/// Neighbours are exchanged in pairs, then pairs, then fours.
SmallVector<Value> turnSquare(ImplicitLocOpBuilder &b, ArrayRef<Value> r) {
  constexpr int64_t side = squareSide;
  auto shuffle = [&](Value x, Value y, ArrayRef<int64_t> places) -> Value {
    return vector::ShuffleOp::create(b, x, y, places);
  };
  SmallVector<Value> pairs, fours(side), columns(side);
  for (int64_t i = 0; i < side; i += 2) {
    pairs.push_back(shuffle(r[i], r[i + 1], {0, 8, 1, 9, 4, 12, 5, 13}));
    pairs.push_back(shuffle(r[i], r[i + 1], {2, 10, 3, 11, 6, 14, 7, 15}));
  }
  for (int64_t i = 0; i < side; i += 4)
    for (int64_t j = 0; j < 2; ++j) {
      fours[i + 2 * j] = shuffle(pairs[i + j], pairs[i + j + 2], {0, 1, 8, 9, 4, 5, 12, 13});
      fours[i + 2 * j + 1] = shuffle(pairs[i + j], pairs[i + j + 2], {2, 3, 10, 11, 6, 7, 14, 15});
    }
  for (int64_t i = 0; i < side / 2; ++i) {
    columns[i] = shuffle(fours[i], fours[i + 4], {0, 1, 2, 3, 8, 9, 10, 11});
    columns[i + 4] = shuffle(fours[i], fours[i + 4], {4, 5, 6, 7, 12, 13, 14, 15});
  }
  return columns;
}

} // namespace burin::cpu
