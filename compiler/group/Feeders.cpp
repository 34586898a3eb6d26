// SPDX-License-Identifier: Apache-2.0
#include "compiler/group/Feeders.h"

#include "compiler/group/Group.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace burin;

namespace {

/// Smaller results stay in the caches; as a kernel's own, before its tasks have their parts, larger ones have
/// no room.
constexpr int64_t leastBytes = int64_t(2) << 20, mostBytes = int64_t(1) << 30;

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

/// Whether each place's row makes that place's channels, which are many more, with extras for each channel alone.
bool isExpansion(kern::ContractOp op) {
  MLIRContext *context = op.getContext();
  auto dim = [&](unsigned d) { return getAffineDimExpr(d, context); };
  auto type = cast<RankedTensorType>(op.getInit().getType()), a = cast<RankedTensorType>(op.getA().getType());
  return op.getNumParallel() == 4 && op.getReduction().size() == 1 && !op.getWinograd() && op.isPacked() &&
         op.getBMap().getNumResults() == 0 && type.hasStaticShape() && a.hasStaticShape() &&
         type.getElementType().isF32() && a.getElementType().isF32() &&
         a.getShape().drop_back() == type.getShape().drop_back() &&
         llvm::equal(op.getAMap().getResults(), SmallVector<AffineExpr>{dim(0), dim(1), dim(2), dim(4)}) &&
         type.getDimSize(3) % kern::ContractOp::panelWidth == 0 && type.getDimSize(3) >= 2 * a.getDimSize(3) &&
         type.getNumElements() > leastBytes / 4 && type.getNumElements() < mostBytes / 4 &&
         llvm::all_of(op.getExtraMaps().getAsValueRange<AffineMapAttr>(), [&](AffineMap map) {
           return map.getNumResults() == 1 && map.getResult(0) == dim(3);
         });
}

} // namespace

kern::ContractOp group::feederOf(kern::ContractOp op) {
  if (!op.isDepthwise() || !isPlainWindow(op) ||
      !cast<RankedTensorType>(op.getInit().getType()).hasStaticShape())
    return nullptr;
  auto feeder = op.getA().getDefiningOp<kern::ContractOp>();
  if (!feeder || feeder->getBlock() != op->getBlock() || !feeder->hasOneUse() || feeder.isDepthwise() ||
      !isExpansion(feeder) || !feeder.getInit().getDefiningOp<tensor::EmptyOp>() ||
      group::dataOf(feeder.getA()).getDefiningOp<tensor::ExtractSliceOp>())
    return nullptr;
  return feeder;
}
