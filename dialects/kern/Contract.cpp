// SPDX-License-Identifier: Apache-2.0
//
// kern.contract: builders, verifier, effects.

#include "dialects/kern/KernOps.h"

#include "dialects/kern/Place.h"
#include "mlir/IR/AffineExprVisitor.h"

using namespace mlir;
using namespace burin::kern;

void ContractOp::build(OpBuilder &builder, OperationState &state, Value a, Value b, Value init,
                       AffineMap aMap, AffineMap bMap, ArrayRef<int64_t> reduction) {
  SmallVector<Type> results;
  if (isa<RankedTensorType>(init.getType()))
    results.push_back(init.getType());
  build(builder, state, results, a, b, ValueRange{}, init, aMap, bMap,
        builder.getAffineMapArrayAttr({}), reduction, IntegerAttr());
  OpBuilder::InsertionGuard guard(builder);
  Block *body = builder.createBlock(state.regions[0].get());
  body->addArgument(getElementTypeOrSelf(init.getType()), state.location);
  YieldOp::create(builder, state.location, body->getArgument(0));
}

ContractOp::Blocks ContractOp::getBlocks() {
  ArrayRef<int64_t> sizes = getReduction();
  Blocks blocks{1, 1, sizes.back(), maxBlock};
  for (int64_t size : sizes.drop_back())
    blocks.taps *= size;
  if (!ShapedType::isDynamic(blocks.inner) && blocks.inner <= maxBlock) {
    blocks.innerBlock = blocks.inner;
    blocks.tapsPerBlock = std::clamp<int64_t>(maxBlock / std::max<int64_t>(blocks.inner, 1), 1,
                                              std::max<int64_t>(blocks.taps, 1));
  }
  return blocks;
}

unsigned ContractOp::getDepthDim() {
  if (isPacked())
    return getPanelDim() + 1;
  for (auto [i, expr] : llvm::enumerate(getBMap().getResults()))
    if (expr.isFunctionOfDim(getNumParallel()))
      return unsigned(i);
  llvm_unreachable("the verifier has seen it");
}

void ContractOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  for (OpOperand &operand : getOperation()->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (&operand == &getInitMutable())
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

/// Whether two sizes can be the same at run time.
static bool mayEqual(int64_t a, int64_t b) {
  return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b;
}

static LogicalResult verifyRegion(ContractOp op) {
  Block &body = op.getEpilogue().front();
  SmallVector<Type> expected{Float32Type::get(op.getContext())};
  for (Value extra : op.getExtras())
    expected.push_back(getElementTypeOrSelf(extra.getType()));
  if (body.getArgumentTypes() != TypeRange(expected))
    return op.emitOpError("needs an epilogue with arguments of types ") << expected;
  auto yield = dyn_cast<YieldOp>(body.getTerminator());
  if (!yield || yield.getNumOperands() != 1 ||
      yield.getOperand(0).getType() != getElementTypeOrSelf(op.getInit().getType()))
    return op.emitOpError("needs an epilogue that yields one element of its destination");
  for (Operation &inner : body.without_terminator())
    if (!inner.hasTrait<OpTrait::ConstantLike>() &&
        (!OpTrait::hasElementwiseMappableTraits(&inner) || inner.getNumRegions() != 0))
      return inner.emitOpError("cannot be part of an epilogue: it does not map to vectors");
  return success();
}

/// That the op is a depthwise convolution of a picture.
static LogicalResult verifyDepthwise(ContractOp op) {
  MLIRContext *context = op.getContext();
  AffineMap map = op.getAMap();
  // A positive multiple of the position and one of the tap, less a pad.
  auto isWindow = [&](unsigned result, unsigned position, unsigned tap) {
    SmallVector<int64_t> flat;
    if (failed(getFlattenedAffineExpr(map.getResult(result), map.getNumDims(), 0, &flat)))
      return false;
    for (unsigned d = 0; d < map.getNumDims(); ++d)
      if (d == position ? flat[d] <= 0 : d == tap ? flat[d] < 0 : flat[d] != 0)
        return false;
    return flat.back() <= 0;
  };
  bool isConvolution = op.getNumParallel() == 4 && op.getReduction().size() == 2 &&
                       op.getBMap().getNumResults() == 0 && map.getNumResults() == 4 &&
                       map.getResult(0) == getAffineDimExpr(0, context) && isWindow(1, 1, 4) &&
                       isWindow(2, 2, 5) && map.getResult(3) == getAffineDimExpr(3, context) &&
                       !ShapedType::isDynamic(cast<ShapedType>(op.getInit().getType()).getDimSize(3));
  if (!isConvolution || op.getWinograd())
    return op.emitOpError("has an a_map that reads the column dim and is not a depthwise convolution");
  return success();
}

/// That the op is a convolution whose taps have been transformed.
static LogicalResult verifyWinograd(ContractOp op) {
  int64_t tile = *op.getWinograd();
  if (tile != 2 && tile != 4)
    return op.emitOpError("makes Winograd tiles of 2 or 4, not ") << tile;
  MLIRContext *context = op.getContext();
  auto dim = [&](unsigned d) { return getAffineDimExpr(d, context); };
  AffineMap map = op.getAMap();
  auto isWindow = [&](unsigned result, AffineExpr place) {
    return isa<AffineConstantExpr>(simplifyAffineExpr(map.getResult(result) - place, 7, 0));
  };
  bool isConvolution = op.getNumParallel() == 4 && op.getReduction().size() == 3 &&
                       op.getReduction().take_front(2) == ArrayRef<int64_t>{3, 3} &&
                       op.getBMap().getNumResults() == 0 && map.getNumDims() == 7 &&
                       map.getNumResults() == 4 && map.getResult(0) == dim(0) &&
                       isWindow(1, dim(1) + dim(4)) && isWindow(2, dim(2) + dim(5)) &&
                       map.getResult(3) == dim(6);
  if (!isConvolution)
    return op.emitOpError("has Winograd tiles and is not a convolution of 3 x 3 taps");
  auto taps = cast<ShapedType>(op.getB().getType());
  if (!taps.getElementType().isF32())
    return op.emitOpError("needs transformed taps of type f32");
  if (taps.getRank() != 4 || taps.getDimSize(0) != (tile + 2) * (tile + 2))
    return op.emitOpError("needs ") << (tile + 2) * (tile + 2) << " transformed taps";
  return success();
}

/// That `b` lies in panels, `k` deep.
static LogicalResult verifyPanels(ContractOp op, int64_t k) {
  auto bType = cast<ShapedType>(op.getB().getType()), cType = cast<ShapedType>(op.getInit().getType());
  AffineMap map = op.getBMap();
  unsigned columns = op.getNumParallel() - 1;
  if (!map.isProjectedPermutation() || map.isFunctionOfDim(columns))
    return op.emitOpError("needs a b_map that picks parallel dims other than the column dim");
  unsigned panelDim = op.getPanelDim();
  if (bType.getRank() != int64_t(panelDim) + 3 ||
      bType.getDimSize(panelDim + 2) != ContractOp::panelWidth)
    return op.emitOpError("needs `b` in panels: leading dims, panels, K, ") << ContractOp::panelWidth;
  int64_t n = cType.getDimSize(columns);
  int64_t panels = ShapedType::isDynamic(n)
                       ? n
                       : llvm::divideCeil(uint64_t(n), uint64_t(ContractOp::panelWidth));
  if (!mayEqual(bType.getDimSize(panelDim), panels) || !mayEqual(bType.getDimSize(panelDim + 1), k))
    return op.emitOpError("has panels of another size than its destination and reduction dims");
  for (unsigned i = 0; i < map.getNumResults(); ++i)
    if (!mayEqual(bType.getDimSize(i), cType.getDimSize(map.getDimPosition(i))))
      return op.emitOpError("has leading panel dims of other sizes than its destination");
  return success();
}

/// That `b` can be read where it lies.
static LogicalResult verifyUnpacked(ContractOp op) {
  auto bType = cast<ShapedType>(op.getB().getType()), cType = cast<ShapedType>(op.getInit().getType());
  AffineMap map = op.getBMap();
  unsigned depth = op.getNumParallel(), columns = depth - 1;
  if (op.getReduction().size() != 1 || op.isPicture())
    return op.emitOpError("reads `b` where it lies and is no product of matrices");
  if (map.getNumSymbols() != 0 || int64_t(map.getNumResults()) != bType.getRank())
    return op.emitOpError("has a b_map that does not take its dims to `b`");
  llvm::SmallBitVector read(map.getNumDims());
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    std::optional<Place> place = placeOf(expr);
    if (!place || (place->loop && read.test(*place->loop)))
      return op.emitOpError("needs a b_map that reads each dim once, as it is or a constant further on");
    int64_t size = 1, last;
    if (place->loop) {
      read.set(*place->loop);
      size = *place->loop == depth ? op.getReduction()[0] : cType.getDimSize(*place->loop);
    }
    if (place->offset < 0)
      return op.emitOpError("reads in front of `b`");
    if (!ShapedType::isDynamic(size) && !bType.isDynamicDim(i) &&
        (llvm::AddOverflow(place->offset, size, last) || last > bType.getDimSize(i)))
      return op.emitOpError("reads more of `b` than there is");
  }
  AffineExpr innermost = map.getNumResults() == 0 ? AffineExpr() : map.getResults().back();
  if (!read.test(depth) || !read.test(columns) ||
      !(innermost.isFunctionOfDim(depth) || innermost.isFunctionOfDim(columns)))
    return op.emitOpError("needs a b_map whose last place is a column or a step of the sum");
  return success();
}

LogicalResult ContractOp::verify() {
  auto aType = cast<ShapedType>(getA().getType()), bType = cast<ShapedType>(getB().getType()),
       cType = cast<ShapedType>(getInit().getType());
  bool onTensors = isa<RankedTensorType>(cType);
  if (!llvm::all_of(getOperandTypes(),
                    [&](Type type) { return isa<RankedTensorType>(type) == onTensors; }))
    return emitOpError("mixes tensors and memrefs");
  if (getOperation()->getNumResults() != (onTensors ? 1 : 0) ||
      (onTensors && getResult().getType() != cType))
    return emitOpError("needs a result of the type of its destination, and none on memrefs");
  bool isBf16 = isPacked() && bType.getElementType().isBF16();
  if (!aType.getElementType().isF32() || !(bType.getElementType().isF32() || isBf16))
    return emitOpError("multiplies elements of type f32, or bf16 in panels");

  unsigned parallel = cType.getRank(), reductions = getReduction().size();
  if (parallel == 0 || reductions == 0)
    return emitOpError("needs a column dim and a reduction dim");
  int64_t k = 1;
  for (int64_t size : getReduction()) {
    if (ShapedType::isDynamic(size) ? reductions > 1 : size < 0)
      return emitOpError("has reduction sizes that are neither static nor a single dynamic one");
    if (ShapedType::isDynamic(size))
      k = size;
    else if (llvm::MulOverflow(k, size, k))
      return emitOpError("has more than 2^63 products per result");
  }

  AffineMap aMap = getAMap();
  if (aMap.getNumDims() != parallel + reductions || aMap.getNumSymbols() != 0 ||
      aMap.getNumResults() != aType.getRank())
    return emitOpError("has an a_map that does not take its dims to `a`");
  for (AffineExpr expr : aMap.getResults()) {
    WalkResult linear = expr.walk([](AffineExpr part) {
      bool other = part.getKind() == AffineExprKind::FloorDiv ||
                   part.getKind() == AffineExprKind::CeilDiv || part.getKind() == AffineExprKind::Mod;
      return other ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (linear.wasInterrupted() || !expr.isPureAffine())
      return emitOpError("needs an a_map that is linear");
  }
  // Such a dim is read without a look at its size; `a` may be a whole of which a part is read.
  for (auto [j, expr] : llvm::enumerate(aMap.getResults()))
    if (auto dim = dyn_cast<AffineDimExpr>(expr); dim && dim.getPosition() < parallel) {
      int64_t has = aType.getDimSize(j), read = cType.getDimSize(dim.getPosition());
      if (!ShapedType::isDynamic(has) && !ShapedType::isDynamic(read) && has < read)
        return emitOpError("reads dim ") << j << " of `a` by a parallel dim that is larger";
    }
  if (isDepthwise() && failed(verifyDepthwise(*this)))
    return failure();

  if (getWinograd()) {
    if (failed(verifyWinograd(*this)))
      return failure();
    k = getReduction().back();
  }
  unsigned bDims = getBMap().getNumDims();
  if (bDims != parallel && bDims != parallel + reductions)
    return emitOpError("needs a b_map of its parallel dims, or of all its dims");
  if (failed(isPacked() ? verifyPanels(*this, k) : verifyUnpacked(*this)))
    return failure();

  if (getExtraMaps().size() != getExtras().size())
    return emitOpError("needs one map per extra operand");
  for (auto [i, extra] : llvm::enumerate(getExtras())) {
    AffineMap map = getExtraMap(i);
    auto type = cast<ShapedType>(extra.getType());
    if (map.getNumDims() != parallel || map.getNumResults() != type.getRank())
      return emitOpError("has an extra map that does not take the parallel dims to its operand");
    for (auto [j, expr] : llvm::enumerate(map.getResults())) {
      if (expr == getAffineConstantExpr(0, getContext()))
        continue;
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim || (dim.getPosition() == parallel - 1 && j + 1 != map.getNumResults()))
        return emitOpError("reads extras at parallel dims or 0, the column dim only last");
      if (!mayEqual(type.getDimSize(j), cType.getDimSize(dim.getPosition())))
        return emitOpError("has an extra of another size than its destination");
    }
  }
  return verifyRegion(*this);
}
