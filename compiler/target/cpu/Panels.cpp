// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/cpu/Panels.h"

#include "compiler/target/cpu/TurnSquare.h"
#include "dialects/kern/Place.h"

using namespace mlir;

namespace burin::cpu {

Panels::Panels(kern::ContractOp op)
    : IndexBuilder(op.getLoc(), op), op(op), isCopied(!op.isPacked()),
      isPlain(cast<MemRefType>(op.getB().getType()).isLastDimUnitStride()) {}

void Panels::allocate(OpBuilder &at, int64_t panels, int64_t depth, bool areReadOnce) {
  b.restoreInsertionPoint(at.saveInsertionPoint());
  int64_t columns = cast<MemRefType>(op.getInit().getType()).getShape().back();
  bool areWhole = !ShapedType::isDynamic(columns) && columns % width == 0;
  if (op.readsRows() && isPlain && areWhole && areReadOnce)
    isCopied = false;
  if (isCopied)
    copied = scratch({panels, std::max<int64_t>(depth, 1), width});
}

void Panels::take(OpBuilder &at, ValueRange dims, Value first, int64_t count, Value from, Value to) {
  if (!isCopied)
    return;
  b.restoreInsertionPoint(at.saveInsertionPoint());
  Part part{llvm::to_vector(dims), mul(first, width), from, sub(to, from)};
  if (op.readsRows() && isPlain)
    copyRows(part, count);
  else
    loop(index(0), index(count), 1, [&](Value panel) { copyColumns(part, panel); });
}

Value Panels::load(OpBuilder &at, VectorType vector, ValueRange dims, Value panel, int64_t number, Value from,
                   Value step) {
  b.restoreInsertionPoint(at.saveInsertionPoint());
  if (isCopied)
    return vector::LoadOp::create(b, vector, copied, ValueRange{index(number), step, index(0)});
  Value depth = add(from, step);
  return loadFactors(op.getB(), vector,
                     op.isPacked() ? placeInPanels(dims, panel, depth)
                                   : placeOf(dims, mul(panel, width), depth));
}

void Panels::fetch(OpBuilder &at, ValueRange dims, Value panel, Value from, Value step) {
  b.restoreInsertionPoint(at.saveInsertionPoint());
  memref::PrefetchOp::create(b, op.getB(), placeInPanels(dims, panel, add(from, step)),
                             /*isWrite=*/false, /*localityHint=*/2, /*isDataCache=*/true);
}

SmallVector<Value> Panels::placeInPanels(ValueRange dims, Value panel, Value depth) {
  SmallVector<Value> place;
  for (AffineExpr expr : op.getBMap().getResults())
    place.push_back(dims[cast<AffineDimExpr>(expr).getPosition()]);
  place.append({panel, depth, index(0)});
  return place;
}

/// Where an unpacked `b` has a column and a step of the sum.
SmallVector<Value> Panels::placeOf(ValueRange dims, Value column, Value depth) {
  unsigned numParallel = op.getNumParallel();
  return llvm::map_to_vector(op.getBMap().getResults(), [&](AffineExpr expr) {
    kern::Place place = *kern::placeOf(expr);
    Value offset = index(place.offset);
    if (!place.loop)
      return offset;
    return add(*place.loop == numParallel       ? depth
               : *place.loop + 1 == numParallel ? column
                                                : dims[*place.loop],
               offset);
  });
}

/// Row by row, as memory is read fastest; those that come later are fetched, since rows may lie far apart.
void Panels::copyRows(const Part &part, int64_t count) {
  constexpr int64_t ahead = 16;
  auto vector = VectorType::get({width}, b.getF32Type());
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(vector));
  Value columns = sub(numColumns(), part.column);
  Value last = sub(sizeOf(op.getB(), op.getDepthDim()), index(1));
  auto copy = [&](ArrayRef<Value> masks) {
    loop(index(0), part.depth, 1, [&](Value step) {
      Value depth = add(part.from, step), later = smaller(add(depth, index(ahead)), last);
      for (int64_t panel = 0; panel < count; ++panel) {
        Value column = add(part.column, index(panel * width));
        fetchAt(placeOf(part.dims, column, later));
        SmallVector<Value> place = placeOf(part.dims, column, depth);
        Value row = masks.empty() ? Value(vector::LoadOp::create(b, vector, op.getB(), place))
                                  : Value(vector::MaskedLoadOp::create(b, vector, op.getB(), place,
                                                                       masks[panel], zero));
        vector::StoreOp::create(b, row, copied, ValueRange{index(panel), step, index(0)});
      }
    });
  };
  when(known(numColumns()).value_or(1) % width == 0
           ? Value(arith::ConstantOp::create(b, b.getBoolAttr(false)))
           : isBelow(columns, index(count * width)),
       [&] {
         SmallVector<Value> masks;
         for (int64_t panel = 0; panel < count; ++panel)
           masks.push_back(vector::CreateMaskOp::create(b, VectorType::get({width}, b.getI1Type()),
                                                        ValueRange{sub(columns, index(panel * width))}));
         copy(masks);
       },
       [&] { copy({}); });
}

/// Square by square, what lies side by side first: as memory is read fastest. Where there are fewer columns, the
/// last of all is read for each that is missing.
void Panels::copyColumns(const Part &part, Value panel) {
  constexpr int64_t side = squareSide;
  auto square = VectorType::get({side}, b.getF32Type());
  Value begin = add(part.column, mul(panel, width)), columns = extent(numColumns(), begin, width);
  Value last = sub(numColumns(), index(1));
  auto column = [&](Value first, Value i) {
    Value place = add(add(begin, first), i);
    return known(columns) == width ? place : smaller(place, last);
  };
  Value turnedSteps = index(0);
  if (isPlain)
    turnedSteps = known(part.depth)
                      ? index(*known(part.depth) / side * side)
                      : mul(Value(arith::DivUIOp::create(b, part.depth, index(side))), side);
  loop(index(0), columns, side, [&](Value first) {
    if (isPlain)
      fetchColumns(part, add(begin, first), last);
    loop(index(0), turnedSteps, side, [&](Value step) {
      SmallVector<Value> rows;
      for (int64_t i = 0; i < side; ++i)
        rows.push_back(vector::LoadOp::create(
            b, square, op.getB(), placeOf(part.dims, column(first, index(i)), add(part.from, step))));
      for (auto [i, turned] : llvm::enumerate(turnSquare(b, rows)))
        vector::StoreOp::create(b, turned, copied,
                                ValueRange{panel, add(step, index(int64_t(i))), first});
    });
    loop(turnedSteps, part.depth, 1, [&](Value step) {
      loop(index(0), index(side), 1, [&](Value i) {
        Value element = memref::LoadOp::create(
            b, op.getB(), placeOf(part.dims, column(first, i), add(part.from, step)));
        memref::StoreOp::create(b, element, copied, ValueRange{panel, step, add(first, i)});
      });
    });
  });
}

/// Columns that are turned next but one come from memory meanwhile: the hardware's own fetching ends at
/// each page.
void Panels::fetchColumns(const Part &part, Value column, Value last) {
  loop(index(0), index(squareSide), 1, [&](Value i) {
    Value ahead = smaller(add(add(column, i), index(2 * width)), last);
    loop(index(0), part.depth, width,
         [&](Value step) { fetchAt(placeOf(part.dims, ahead, add(part.from, step))); });
  });
}

void Panels::fetchAt(ValueRange place) {
  memref::PrefetchOp::create(b, op.getB(), place, /*isWrite=*/false, /*localityHint=*/3,
                             /*isDataCache=*/true);
}

} // namespace burin::cpu
