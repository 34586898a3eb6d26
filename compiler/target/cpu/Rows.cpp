// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/cpu/Rows.h"

#include "mlir/IR/AffineExprVisitor.h"

using namespace mlir;

namespace burin::cpu {

LogicalResult Rows::read(OpBuilder &at, ValueRange parallel) {
  b.restoreInsertionPoint(at.saveInsertionPoint());
  unsigned numParallel = op.getNumParallel();
  auto type = cast<MemRefType>(op.getA().getType());
  auto metadata = memref::ExtractStridedMetadataOp::create(b, op.getA());
  auto [known, offset] = type.getStridesAndOffset();
  base = metadata.getBaseBuffer();
  start = ShapedType::isDynamic(offset) ? Value(metadata.getOffset()) : index(offset);
  innerStride = index(0);
  for (auto [j, expr] : llvm::enumerate(op.getAMap().getResults())) {
    sizes.push_back(sizeOf(op.getA(), j));
    strides.push_back(ShapedType::isDynamic(known[j]) ? Value(metadata.getStrides()[j]) : index(known[j]));
    SmallVector<int64_t> flat;
    if (failed(getFlattenedAffineExpr(expr, op.getAMap().getNumDims(), 0, &flat)))
      return op.emitOpError("has an a_map that is not linear");
    access.push_back({SmallVector<int64_t>(ArrayRef(flat).drop_back()), flat.back()});
    const Linear &linear = access.back();
    start = add(start, mul(strides.back(), linear.constant));
    innerStride = add(innerStride, mul(strides.back(), linear.coefficients.back()));
    if (auto dim = dyn_cast<AffineDimExpr>(expr); dim && dim.getPosition() < numParallel)
      continue; // inside, as the op says
    int64_t least = linear.constant, most = linear.constant;
    bool bounded = !type.isDynamicDim(j);
    for (auto [d, coefficient] : llvm::enumerate(linear.coefficients)) {
      if (coefficient == 0)
        continue;
      int64_t size = d < numParallel ? IndexBuilder::known(parallel[d]).value_or(ShapedType::kDynamic)
                                     : op.getReduction()[d - numParallel];
      if (ShapedType::isDynamic(size))
        bounded = false;
      else
        (coefficient < 0 ? least : most) += coefficient * (std::max<int64_t>(size, 1) - 1);
    }
    if (bounded && least >= 0 && most < type.getDimSize(j))
      continue;
    if (linear.coefficients.back() == 0)
      checked.push_back(j);
    else if (bounded)
      return op.emitOpError("reads outside `a` along its last reduction dim");
    // Sizes that are told when the kernel runs: who made the op has seen to it.
  }
  at.restoreInsertionPoint(b.saveInsertionPoint());
  return success();
}

/// Elements of `a` that `dims`, which stand for the map's dims from `firstDim` on, add to a place.
Value Rows::offsetOf(ValueRange dims, unsigned firstDim) {
  Value offset = index(0);
  for (auto [i, value] : llvm::enumerate(dims)) {
    if (!value)
      continue;
    Value step = index(0);
    for (auto [expr, stride] : llvm::zip_equal(access, strides))
      step = add(step, mul(stride, expr.coefficients[firstDim + i]));
    offset = add(offset, mul(value, step));
  }
  return offset;
}

Rows::Row Rows::rowAt(OpBuilder &at, ValueRange dims) {
  b.restoreInsertionPoint(at.saveInsertionPoint());
  Row row{add(start, offsetOf(dims, 0)), {}};
  for (unsigned j : checked) {
    Value position = index(access[j].constant);
    for (unsigned d = 0; d + 1 < op.getNumParallel(); ++d)
      position = add(position, mul(dims[d], access[j].coefficients[d]));
    row.position.push_back(position);
  }
  at.restoreInsertionPoint(b.saveInsertionPoint());
  return row;
}

SmallVector<Value> Rows::elementsOf(OpBuilder &at, ArrayRef<Row> rows, ValueRange tap, Value from, Value depth,
                                    Value zeros) {
  b.restoreInsertionPoint(at.saveInsertionPoint());
  std::optional<int64_t> fixed = known(innerStride);
  auto type = MemRefType::get({ShapedType::kDynamic}, b.getF32Type(),
                              StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic,
                                                     {fixed.value_or(ShapedType::kDynamic)}));
  auto view = [&](Value buffer, Value offset) -> Value {
    OpFoldResult stride = fixed ? OpFoldResult(b.getIndexAttr(*fixed)) : OpFoldResult(innerStride);
    return memref::ReinterpretCastOp::create(b, type, buffer, OpFoldResult(offset),
                                             ArrayRef<OpFoldResult>{OpFoldResult(depth)},
                                             ArrayRef<OpFoldResult>{stride});
  };
  unsigned numParallel = op.getNumParallel();
  Value tapOffset = offsetOf(tap, numParallel), fromOffset = mul(from, innerStride);
  SmallVector<Value> views;
  for (const Row &row : rows) {
    Value here = view(base, add(add(row.offset, tapOffset), fromOffset)), inside;
    for (auto [j, position] : llvm::zip_equal(checked, row.position)) {
      Value place = position;
      for (auto [i, dim] : llvm::enumerate(tap))
        place = add(place, mul(dim, access[j].coefficients[numParallel + i]));
      Value ok = below(place, sizes[j]);
      inside = inside ? Value(arith::AndIOp::create(b, inside, ok)) : ok;
    }
    if (inside)
      here = arith::SelectOp::create(b, inside, here, view(zeros, index(0)));
    views.push_back(here);
  }
  at.restoreInsertionPoint(b.saveInsertionPoint());
  return views;
}

} // namespace burin::cpu
