// SPDX-License-Identifier: Apache-2.0
#include "compiler/group/Pools.h"

#include "dialects/kern/KernOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace burin {
namespace {

/// Whether the body keeps the greater, from the least that there is.
bool isMaximum(linalg::GenericOp pool) {
  Block &body = *pool.getBody();
  auto most = body.getTerminator()->getOperand(0).getDefiningOp<arith::MaximumFOp>();
  auto fill = pool.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  auto least = fill ? fill.getInputs()[0].getDefiningOp<arith::ConstantOp>() : arith::ConstantOp();
  auto number = least ? dyn_cast<FloatAttr>(least.getValue()) : FloatAttr();
  Value in = body.getArgument(0), out = body.getArguments().back();
  return most && number && number.getValue().isInfinity() && number.getValue().isNegative() &&
         llvm::range_size(body.without_terminator()) == 1 &&
         ((most.getLhs() == in && most.getRhs() == out) || (most.getLhs() == out && most.getRhs() == in));
}

/// Whether each window is 2 x 2 elements of the rows and columns of a picture with its channels last, of which there
/// is one where loops have no dim for them, next to one another.
bool walksWindows(linalg::GenericOp pool) {
  SmallVector<AffineMap> maps = pool.getIndexingMapsArray();
  unsigned rank = maps.back().getNumResults();
  if ((rank != 3 && rank != 4) || pool.getNumLoops() != rank + 2 || pool.getNumReductionLoops() != 2)
    return false;
  auto dim = [&](unsigned d) { return getAffineDimExpr(d, pool.getContext()); };
  SmallVector<AffineExpr> out, in;
  for (unsigned d = 0; d < rank; ++d) {
    out.push_back(dim(d));
    bool isSpatial = d + 3 >= rank && d + 1 < rank;
    in.push_back(isSpatial ? dim(d) * 2 + dim(d + 3) : dim(d));
  }
  auto taps = dyn_cast<RankedTensorType>(pool.getInputs()[1].getType());
  return llvm::equal(maps[0].getResults(), in) && llvm::equal(maps[2].getResults(), out) && taps &&
         taps.getShape() == ArrayRef<int64_t>{2, 2} &&
         llvm::equal(maps[1].getResults(), SmallVector<AffineExpr>{dim(rank), dim(rank + 1)}) &&
         llvm::all_of(llvm::enumerate(pool.getIteratorTypesArray()), [&](auto each) {
           return (each.value() == utils::IteratorType::reduction) == (each.index() >= rank);
         });
}

} // namespace

SmallVector<Operation *> group::pooledBy(Operation *op) {
  auto pool = dyn_cast<linalg::GenericOp>(op);
  if (!pool || !pool.hasPureTensorSemantics() || pool.getNumDpsInputs() != 2 || pool.getNumDpsInits() != 1 ||
      !pool.getResultTypes()[0] || !isMaximum(pool) || !walksWindows(pool))
    return {};
  SmallVector<Operation *> made;
  Value from = pool.getInputs()[0];
  bool isOneImage = cast<RankedTensorType>(pool.getResultTypes()[0]).getRank() == 3;
  if (isOneImage) {
    auto view = from.getDefiningOp<tensor::CollapseShapeOp>();
    if (!view || !view->hasOneUse() || view.getSrcType().getRank() != 4 ||
        view.getReassociationIndices().front().size() != 2 || view.getSrcType().getDimSize(0) != 1)
      return {};
    made.push_back(view);
    from = view.getSrc();
  }
  auto contract = from.getDefiningOp<kern::ContractOp>();
  if (!contract || !contract.getWinograd() || !contract->hasOneUse() || contract->getBlock() != op->getBlock() ||
      !contract.getInit().getDefiningOp<tensor::EmptyOp>())
    return {};
  auto type = cast<RankedTensorType>(contract.getInit().getType());
  constexpr int64_t mostElements = int64_t(1) << 28; // as the kernel's own, before its tasks have their parts
  if (!type.hasStaticShape() || !type.getElementType().isF32() || type.getNumElements() > mostElements ||
      !cast<RankedTensorType>(pool.getResultTypes()[0]).hasStaticShape())
    return {};
  made.push_back(contract);
  return made;
}

} // namespace burin
