// SPDX-License-Identifier: Apache-2.0
#include "dialects/kern/KernTiling.h"

#include "dialects/kern/KernOps.h"
#include "dialects/kern/Place.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/TilingInterface.h"

using namespace mlir;

namespace burin::kern {
namespace {

using Sizes = ArrayRef<OpFoldResult>;

struct ContractTiling : TilingInterface::ExternalModel<ContractTiling, ContractOp> {
  SmallVector<utils::IteratorType> getLoopIteratorTypes(Operation *op) const {
    return SmallVector<utils::IteratorType>(cast<ContractOp>(op).getNumParallel(),
                                            utils::IteratorType::parallel);
  }

  SmallVector<Range> getIterationDomain(Operation *op, OpBuilder &b) const {
    SmallVector<Range> domain;
    Value init = cast<ContractOp>(op).getInit();
    for (OpFoldResult size : tensor::getMixedSizes(b, op->getLoc(), init))
      domain.push_back({b.getIndexAttr(0), size, b.getIndexAttr(1)});
    return domain;
  }

  FailureOr<TilingResult> getTiledImplementation(Operation *op, OpBuilder &b, Sizes offsets,
                                                 Sizes sizes) const {
    auto contract = cast<ContractOp>(op);
    auto type = cast<RankedTensorType>(contract.getInit().getType());
    Location loc = op->getLoc();
    llvm::SmallBitVector isTiled(type.getRank());
    for (unsigned d = 0; d < type.getRank(); ++d)
      if (getConstantIntValue(offsets[d]) != 0 || type.isDynamicDim(d) ||
          getConstantIntValue(sizes[d]) != type.getDimSize(d))
        isTiled.set(d);
    if (isTiled.test(type.getRank() - 1))
      return failure();

    TilingResult result;
    // The part of `tensor` that a tile reads; what is added to a tiled dim goes into the slice.
    auto slice = [&](Value tensor, AffineMap &map) -> FailureOr<Value> {
      SmallVector<OpFoldResult> from, many, steps;
      SmallVector<AffineExpr> exprs;
      SmallVector<OpFoldResult> whole = tensor::getMixedSizes(b, loc, tensor);
      for (auto [i, size] : llvm::enumerate(whole)) {
        AffineExpr expr = i < map.getNumResults() ? map.getResult(i) : AffineExpr();
        bool readsTile = expr && llvm::any_of(isTiled.set_bits(),
                                              [&](unsigned d) { return expr.isFunctionOfDim(d); });
        std::optional<Place> place = readsTile ? placeOf(expr) : std::nullopt;
        if (readsTile && !place)
          return failure();
        from.push_back(readsTile ? sum(b, loc, offsets[*place->loop], place->offset)
                                 : OpFoldResult(b.getIndexAttr(0)));
        many.push_back(readsTile ? sizes[*place->loop] : size);
        steps.push_back(b.getIndexAttr(1));
        if (expr)
          exprs.push_back(readsTile ? b.getAffineDimExpr(*place->loop) : expr);
      }
      map = AffineMap::get(map.getNumDims(), 0, exprs, b.getContext());
      auto made = tensor::ExtractSliceOp::create(b, loc, tensor, from, many, steps);
      result.generatedSlices.push_back(made);
      return made.getResult();
    };
    AffineMap aMap = contract.getAMap(), bMap = contract.getBMap(),
              initMap = b.getMultiDimIdentityMap(type.getRank());
    FailureOr<Value> a = slice(contract.getA(), aMap), panels = slice(contract.getB(), bMap),
                     init = slice(contract.getInit(), initMap);
    if (failed(a) || failed(panels) || failed(init))
      return failure();
    SmallVector<Value> extras;
    SmallVector<AffineMap> extraMaps;
    for (auto [i, extra] : llvm::enumerate(contract.getExtras())) {
      AffineMap map = contract.getExtraMap(i);
      FailureOr<Value> part = slice(extra, map);
      if (failed(part))
        return failure();
      extras.push_back(*part);
      extraMaps.push_back(map);
    }
    auto tiled = ContractOp::create(b, loc, TypeRange{init->getType()}, *a, *panels, extras, *init,
                                    aMap, bMap, b.getAffineMapArrayAttr(extraMaps),
                                    contract.getReduction(), contract.getWinogradAttr());
    IRMapping mapping;
    contract.getEpilogue().cloneInto(&tiled.getEpilogue(), mapping);
    result.tiledOps.push_back(tiled);
    result.tiledValues.push_back(tiled.getResult());
    return result;
  }

  LogicalResult getResultTilePosition(Operation *, OpBuilder &, unsigned, Sizes offsets, Sizes sizes,
                                      SmallVector<OpFoldResult> &resultOffsets,
                                      SmallVector<OpFoldResult> &resultSizes) const {
    resultOffsets.assign(offsets.begin(), offsets.end());
    resultSizes.assign(sizes.begin(), sizes.end());
    return success();
  }

  FailureOr<TilingResult> generateResultTileValue(Operation *op, OpBuilder &b, unsigned,
                                                  Sizes offsets, Sizes sizes) const {
    return getTiledImplementation(op, b, offsets, sizes);
  }

private:
  static OpFoldResult sum(OpBuilder &b, Location loc, OpFoldResult value, int64_t offset) {
    if (offset == 0)
      return value;
    return affine::makeComposedFoldedAffineApply(b, loc, b.getAffineDimExpr(0) + offset, {value});
  }
};

} // namespace

void registerTiling(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, KernDialect *) {
    ContractOp::attachInterface<ContractTiling>(*context);
  });
}

} // namespace burin::kern
