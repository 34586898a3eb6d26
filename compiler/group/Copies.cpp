// SPDX-License-Identifier: Apache-2.0
#include "compiler/group/Copies.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace burin::group {

/// An index of a body as an expression of the loops; null where it is none of Place's.
static AffineExpr expressionOf(Value index) {
  if (auto loop = index.getDefiningOp<linalg::IndexOp>())
    return getAffineDimExpr(loop.getDim(), index.getContext());
  if (std::optional<int64_t> constant = getConstantIntValue(index))
    return getAffineConstantExpr(*constant, index.getContext());
  auto sum = index.getDefiningOp<arith::AddIOp>();
  if (!sum)
    return nullptr;
  AffineExpr left = expressionOf(sum.getLhs()), right = expressionOf(sum.getRhs());
  return left && right ? left + right : AffineExpr();
}

Copy copyOf(linalg::GenericOp op) {
  if (!op || op.getNumDpsInits() != 1 || op->getNumResults() != 1 ||
      op.getNumParallelLoops() != op.getNumLoops() ||
      !op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity())
    return {};
  Block &body = *op.getBlock();
  Value yielded = body.getTerminator()->getOperand(0);
  Copy copy;
  if (op.getNumDpsInputs() == 1) {
    if (&body.front() != body.getTerminator() || yielded != body.getArgument(0))
      return {};
    copy = {op.getDpsInputs()[0], op.getMatchingIndexingMap(op.getDpsInputOperand(0))};
  } else {
    auto pulled = yielded.getDefiningOp<tensor::ExtractOp>();
    if (op.getNumDpsInputs() != 0 || !pulled ||
        op->isAncestor(pulled.getTensor().getParentBlock()->getParentOp()) ||
        !llvm::all_of(body, [](Operation &inner) { return isMemoryEffectFree(&inner); }))
      return {};
    SmallVector<AffineExpr> exprs;
    for (Value index : pulled.getIndices()) {
      AffineExpr expr = expressionOf(index);
      if (!expr)
        return {};
      exprs.push_back(expr);
    }
    copy = {pulled.getTensor(), AffineMap::get(op.getNumLoops(), 0, exprs, op.getContext())};
    // What a body pulls may be a part, unlike what a map reads with a bare loop.
    auto type = cast<RankedTensorType>(op.getResultTypes()[0]);
    for (auto [size, expr] : llvm::zip_equal(copy.type().getShape(), exprs))
      if (auto loop = dyn_cast<AffineDimExpr>(expr))
        copy.isWhole &= !ShapedType::isDynamic(size) && type.getDimSize(loop.getPosition()) == size;
  }
  if (!isa<RankedTensorType>(copy.source.getType()))
    return {};
  llvm::SmallBitVector read(copy.reads.getNumDims());
  for (AffineExpr expr : copy.reads.getResults()) {
    std::optional<Place> place = placeOf(expr);
    if (!place || (place->loop && read.test(*place->loop)))
      return {};
    if (place->loop)
      read.set(*place->loop);
  }
  if (copy.isPermutation())
    return copy;
  auto type = cast<RankedTensorType>(op.getResultTypes()[0]);
  for (int64_t loop = 0; loop < type.getRank(); ++loop)
    if (!read.test(loop) && type.getDimSize(loop) != 1)
      return {};
  return copy.type().hasStaticShape() && type.hasStaticShape() ? copy : Copy();
}

Value makeCopy(PatternRewriter &rewriter, Location loc, RankedTensorType type, Value source,
               AffineMap reads) {
  auto from = cast<RankedTensorType>(source.getType());
  if (reads.isIdentity() && from == type)
    return source;
  SmallVector<OpFoldResult> sizes = getAsIndexOpFoldResult(type.getContext(), type.getShape());
  for (auto [dim, expr] : llvm::enumerate(reads.getResults()))
    if (auto loop = dyn_cast<AffineDimExpr>(expr); loop && type.isDynamicDim(loop.getPosition()))
      sizes[loop.getPosition()] = tensor::getMixedSize(rewriter, loc, source, int64_t(dim));
  Value empty = tensor::EmptyOp::create(rewriter, loc, sizes, type.getElementType());
  SmallVector<utils::IteratorType> loops(type.getRank(), utils::IteratorType::parallel);
  AffineMap identity = rewriter.getMultiDimIdentityMap(type.getRank());
  // linalg takes a bare loop for the whole of the operand's dim.
  bool isMap = llvm::all_of(llvm::enumerate(reads.getResults()), [&](auto entry) {
    auto dim = dyn_cast<AffineDimExpr>(entry.value());
    return !dim || type.getDimSize(dim.getPosition()) == from.getDimSize(entry.index());
  });
  if (isMap)
    return linalg::GenericOp::create(rewriter, loc, TypeRange{type}, ValueRange{source},
                                     ValueRange{empty}, ArrayRef<AffineMap>{reads, identity}, loops,
                                     [](OpBuilder &b, Location at, ValueRange elements) {
                                       linalg::YieldOp::create(b, at, elements[0]);
                                     })
        .getResult(0);
  auto pull = [&](OpBuilder &b, Location at, ValueRange) {
    SmallVector<Value> indices;
    for (AffineExpr expr : reads.getResults()) {
      Place place = *placeOf(expr);
      Value offset = arith::ConstantIndexOp::create(b, at, place.offset), loop;
      if (place.loop)
        loop = linalg::IndexOp::create(b, at, *place.loop);
      indices.push_back(!loop               ? offset
                        : place.offset == 0 ? loop
                                            : arith::AddIOp::create(b, at, loop, offset).getResult());
    }
    linalg::YieldOp::create(b, at, tensor::ExtractOp::create(b, at, source, indices).getResult());
  };
  return linalg::GenericOp::create(rewriter, loc, TypeRange{type}, ValueRange{}, ValueRange{empty},
                                   ArrayRef<AffineMap>{identity}, loops, pull)
      .getResult(0);
}

} // namespace burin::group
