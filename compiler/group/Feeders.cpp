// SPDX-License-Identifier: Apache-2.0
#include "compiler/group/Feeders.h"

#include "compiler/group/Group.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace burin;

namespace {

/// What a product makes for a depthwise convolution, and that for the product behind it, stays in the caches where it is
/// less. Measured on a core with 1 MiB of second cache (AVX-512), a MobileNetV2: 112 x 112 x 32 and the product behind
/// it 212 to 176 us, 56 x 56 x 144 335 to 337; 24 x 160 x 64 370 to 363, but 12 x 160 x 128 and less 1 to 5% slower.
/// 112 x 112 x 96 with both products 643 to 577, with the first alone 477 to 412; 56 x 56 x 144 with both 535 to 577,
/// since rows of it that neighbours share are made twice.
constexpr int64_t leastFed = int64_t(2) << 20, leastMade = int64_t(1) << 20;
/// As a kernel's own, before its tasks have their parts, larger ones have no room.
constexpr int64_t mostBytes = int64_t(1) << 30;

/// Whether few kinds of code read a picture's columns, rows of it overlap by little, and those of a
/// row of results stay in the second cache.
bool isPlainWindow(kern::ContractOp op) {
  constexpr int64_t mostElements = 4096;
  AffineMap map = op.getAMap();
  auto picture = cast<RankedTensorType>(op.getA().getType());
  if (!picture.hasStaticShape() || picture.getDimSize(2) * op.getReduction()[0] > mostElements)
    return false;
  for (unsigned d : {1u, 2u}) {
    SmallVector<int64_t> flat;
    if (failed(getFlattenedAffineExpr(map.getResult(d), map.getNumDims(), 0, &flat)))
      return false;
    int64_t taps = op.getReduction()[d - 1], pad = -flat.back();
    if (flat[op.getNumParallel() + d - 1] != 1 || pad < 0 || pad >= taps || taps > 5)
      return false;
  }
  return true;
}

/// Whether each place's row makes that place's columns.
bool isOfPlaces(kern::ContractOp op) {
  auto dim = [&](unsigned d) { return getAffineDimExpr(d, op.getContext()); };
  auto type = cast<RankedTensorType>(op.getInit().getType()), a = cast<RankedTensorType>(op.getA().getType());
  return op.getNumParallel() == 4 && op.getReduction().size() == 1 && !op.getWinograd() && op.isPacked() &&
         op.getBMap().getNumResults() == 0 && type.hasStaticShape() && a.hasStaticShape() &&
         type.getElementType().isF32() && a.getElementType().isF32() &&
         a.getShape().drop_back() == type.getShape().drop_back() &&
         llvm::equal(op.getAMap().getResults(), SmallVector<AffineExpr>{dim(0), dim(1), dim(2), dim(4)});
}

bool isBetween(int64_t least, Value tensor, int64_t most) {
  int64_t elements = cast<RankedTensorType>(tensor.getType()).getNumElements();
  return elements > least / 4 && elements < most / 4;
}

/// Whether many more channels are made than are read, whole panels of them, with extras for each channel alone.
bool isExpansion(kern::ContractOp op) {
  auto type = cast<RankedTensorType>(op.getInit().getType()), a = cast<RankedTensorType>(op.getA().getType());
  return isOfPlaces(op) && type.getDimSize(3) % kern::ContractOp::panelWidth == 0 &&
         type.getDimSize(3) >= 2 * a.getDimSize(3) &&
         llvm::all_of(op.getExtraMaps().getAsValueRange<AffineMapAttr>(), [&](AffineMap map) {
           return map.getNumResults() == 1 && map.getResult(0) == getAffineDimExpr(3, op.getContext());
         });
}

/// What alone makes all of what `op` reads; null where there is none, or it reads a part of a state.
kern::ContractOp onlyMaker(kern::ContractOp op) {
  auto maker = op.getA().getDefiningOp<kern::ContractOp>();
  if (!maker || maker->getBlock() != op->getBlock() || !maker->hasOneUse() ||
      !maker.getInit().getDefiningOp<tensor::EmptyOp>() ||
      group::dataOf(maker.getA()).getDefiningOp<tensor::ExtractSliceOp>())
    return nullptr;
  return maker;
}

bool isPlainDepthwise(kern::ContractOp op) {
  return op.isDepthwise() && cast<RankedTensorType>(op.getInit().getType()).hasStaticShape() && isPlainWindow(op);
}

} // namespace

kern::ContractOp group::feederOf(kern::ContractOp op) {
  kern::ContractOp feeder = onlyMaker(op);
  if (!feeder)
    return nullptr;
  if (op.isDepthwise())
    return isPlainDepthwise(op) && !feeder.isDepthwise() && isExpansion(feeder) &&
                   isBetween(leastFed, op.getA(), mostBytes)
               ? feeder
               : kern::ContractOp();
  return isOfPlaces(op) && isPlainDepthwise(feeder) && isBetween(leastMade, op.getA(), mostBytes) ? feeder
                                                                                                   : kern::ContractOp();
}
