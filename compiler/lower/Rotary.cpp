// SPDX-License-Identifier: Apache-2.0
//
// A rotary embedding is one generic over [..., 2, half] (or [..., half, 2], interleaved), which reads
// each element and the one that it is turned with.

#include "compiler/lower/Access.h"
#include "dialects/onnx/OnnxOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace burin;
using namespace burin::lower;

namespace {

/// The rows of `cache` [positions, half] that `positions` [batch, sequence] name.
Value rowsAt(Lowering &b, Value cache, Value positions) {
  RankedTensorType type = typeOf(cache);
  auto rows = RankedTensorType::get({typeOf(positions).getDimSize(0), typeOf(positions).getDimSize(1),
                                     type.getDimSize(1)},
                                    type.getElementType());
  AffineMap perRow = AffineMap::getMultiDimIdentityMap(3, b.getContext()).getSliceMap(0, 2);
  return b.parallel(rows, {positions}, {perRow}, [&](Lowering &in, ValueRange elements) {
    Value row = checkedIndex(in, toIndex(in, elements[0]), type.getDimSize(0));
    return extract(in, cache, {row, linalg::IndexOp::create(in, 2)});
  });
}

Results lowerRotaryEmbedding(Lowering &b, Operation *op, ValueRange operands) {
  auto node = cast<onnx::RotaryEmbeddingOp>(op);
  RankedTensorType type = b.resultType();
  for (Value value : {node.getX(), node.getCosCache(), node.getSinCache()})
    if (auto tensor = dyn_cast<RankedTensorType>(value.getType());
        !tensor || !isa<FloatType>(tensor.getElementType()) || !b.hasRanges(tensor))
      return b.unsupported("its operands must be floats of known shape; fix the sizes they depend "
                           "on with --dim NAME=VALUE");
  int64_t rank = type ? type.getRank() : 0;
  if (rank != 3 && rank != 4)
    return b.unsupported("X must be [batch, heads, sequence, head size] or [batch, sequence, "
                         "hidden size]");

  // X as heads: the dimensions up to the last, and the size of a head.
  SmallVector<int64_t> shape(type.getShape());
  unsigned batchAt = 0, sequenceAt = rank == 4 ? 2 : 1;
  if (rank == 3) {
    int64_t heads = node.getNumHeads(), hidden = shape[2];
    if (heads <= 0 || ShapedType::isDynamic(hidden) || hidden % heads != 0)
      return b.unsupported("X of rank 3 needs num_heads that divides its last size");
    shape = {shape[0], shape[1], heads, hidden / heads};
  }
  int64_t width = shape[3], turned = node.getRotaryEmbeddingDim();
  if (turned == 0)
    turned = width;
  if (ShapedType::isDynamic(width) || turned < 0 || turned % 2 != 0 || turned > width)
    return b.unsupported("it turns pairs: rotary_embedding_dim, or the head size, must be even "
                         "and within the head");
  bool interleaved = node.getInterleaved() != 0;

  Value heads = b.reshape(operands[0], shape);
  Value part = heads;
  SmallVector<int64_t> partShape = shape;
  partShape[3] = turned;
  auto partType = RankedTensorType::get(partShape, type.getElementType());
  SmallVector<int64_t> zeros(4, 0), ones(4, 1);
  if (turned != width)
    part = stridedSlice(b, heads, partType, zeros, ones);

  SmallVector<int64_t> pairs(shape.begin(), shape.begin() + 3);
  pairs.push_back(interleaved ? turned / 2 : 2);
  pairs.push_back(interleaved ? 2 : turned / 2);
  auto pairType = RankedTensorType::get(pairs, type.getElementType());
  part = b.reshape(part, pairs);

  unsigned sideAt = interleaved ? 4 : 3, angleAt = interleaved ? 3 : 4;
  SmallVector<AffineExpr> other;
  for (unsigned d = 0; d < 5; ++d)
    other.push_back(d == sideAt ? 1 - b.getAffineDimExpr(d) : b.getAffineDimExpr(d));
  SmallVector<Value> inputs{part, part};
  SmallVector<AffineMap> maps{b.getMultiDimIdentityMap(5), AffineMap::get(5, 0, other, b.getContext())};
  for (unsigned i : {1, 2}) {
    Value cache = operands[i];
    if (!b.isAbsent(3)) {
      if (typeOf(cache).getRank() != 2 || typeOf(operands[3]).getRank() != 2 ||
          typeOf(cache).isDynamicDim(0) || typeOf(cache).getDimSize(0) == 0)
        return b.unsupported("with position_ids [batch, sequence] the caches must be "
                             "[positions, half of the head], of fixed size");
      cache = rowsAt(b, cache, operands[3]);
    }
    RankedTensorType cacheType = typeOf(cache);
    if (cacheType.getRank() != 3 || cacheType.getDimSize(2) != turned / 2)
      return b.unsupported("a cache must hold half as many values per position as are turned");
    SmallVector<AffineExpr> at;
    const unsigned loops[] = {batchAt, sequenceAt, angleAt};
    for (auto [d, loop] : llvm::enumerate(loops)) {
      int64_t size = cacheType.getDimSize(d);
      if (size != pairs[loop] && size != 1)
        return b.unsupported("a cache's batch and sequence must be those of X");
      at.push_back(size == 1 && pairs[loop] != 1 ? b.getAffineConstantExpr(0)
                                                 : b.getAffineDimExpr(loop));
    }
    inputs.push_back(cache);
    maps.push_back(AffineMap::get(5, 0, at, b.getContext()));
  }

  // The first of a pair is x cos - y sin, the second y cos + x sin.
  Value result = b.parallel(pairType, inputs, maps, [&](Lowering &in, ValueRange elements) {
    Scalars s{in};
    Value x = s.widen(elements[0]), y = s.widen(elements[1]);
    Value sine = s.widen(elements[3]);
    Value isFirst = s.equal(linalg::IndexOp::create(in, sideAt), in.index(0));
    Value cross = s.mul(y, s.select(isFirst, s.neg(sine), sine));
    return s.narrow(s.add(s.mul(x, s.widen(elements[2])), cross), type.getElementType());
  });
  result = b.reshape(result, partShape);
  if (turned != width) {
    auto restType = RankedTensorType::get({shape[0], shape[1], shape[2], width - turned},
                                          type.getElementType());
    SmallVector<int64_t> starts{0, 0, 0, turned};
    Value rest = stridedSlice(b, heads, restType, starts, ones);
    SmallVector<OpFoldResult> offsets(4, b.getIndexAttr(0)), steps(4, b.getIndexAttr(1));
    auto whole = RankedTensorType::get(shape, type.getElementType());
    Value joined = b.empty(whole, b.sizesOf(whole, {heads}, {b.getMultiDimIdentityMap(4)}));
    for (Value piece : {result, rest}) {
      joined = tensor::InsertSliceOp::create(b, piece, joined, offsets,
                                             tensor::getMixedSizes(b, b.getLoc(), piece), steps);
      offsets[3] = b.getIndexAttr(turned);
    }
    result = joined;
  }
  return SmallVector<Value>{b.reshape(result, type.getShape())};
}

} // namespace

void burin::lower::registerRotary(RuleTable &table) {
  table.add<onnx::RotaryEmbeddingOp>(lowerRotaryEmbedding, Sizes::Dynamic);
}
