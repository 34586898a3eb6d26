// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/cpu/Panels.h"

#include "compiler/target/cpu/TurnSquare.h"
#include "dialects/kern/Place.h"

using namespace mlir;

namespace burin::cpu {

Panels::Panels(kern::ContractOp op) : IndexBuilder(op.getLoc(), op), op(op) {
  int64_t columns = cast<MemRefType>(op.getInit().getType()).getShape().back();
  bool areRows = op.readsRows() && cast<MemRefType>(op.getB().getType()).isLastDimUnitStride() &&
                 !ShapedType::isDynamic(columns) && columns % width == 0;
  isCopied = !op.isPacked() && !areRows;
}

void Panels::allocate(OpBuilder &at, int64_t panels, int64_t depth) {
  b.restoreInsertionPoint(at.saveInsertionPoint());
  if (isCopied)
    copied = scratch({panels, std::max<int64_t>(depth, 1), width});
}

void Panels::take(OpBuilder &at, ValueRange dims, Value first, int64_t count, Value from, Value to) {
  if (!isCopied)
    return;
  b.restoreInsertionPoint(at.saveInsertionPoint());
  loop(index(0), index(count), 1, [&](Value number) {
    Panel panel{llvm::to_vector(dims), mul(add(first, number), width), number, from, sub(to, from)};
    panel.columns = extent(sizeOf(op.getInit(), op.getNumParallel() - 1), panel.column, width);
    bool isPlain = cast<MemRefType>(op.getB().getType()).isLastDimUnitStride();
    if (isPlain && op.readsRows())
      copyRows(panel);
    else
      copyColumns(panel, isPlain);
  });
}

Value Panels::load(OpBuilder &at, ValueRange dims, Value panel, int64_t number, Value from,
                   Value step) {
  b.restoreInsertionPoint(at.saveInsertionPoint());
  auto vector = VectorType::get({width}, b.getF32Type());
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

/// Where the scratch has a step of the sum, from a column of the panel on.
SmallVector<Value> Panels::placeInCopy(const Panel &panel, Value step, Value column) {
  return {panel.number, step, column};
}

void Panels::copyRows(const Panel &panel) {
  auto vector = VectorType::get({width}, b.getF32Type());
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(vector));
  auto copy = [&](Value mask) {
    loop(index(0), panel.depth, 1, [&](Value step) {
      SmallVector<Value> place = placeOf(panel.dims, panel.column, add(panel.from, step));
      Value row = mask ? Value(vector::MaskedLoadOp::create(b, vector, op.getB(), place, mask, zero))
                       : Value(vector::LoadOp::create(b, vector, op.getB(), place));
      vector::StoreOp::create(b, row, copied, placeInCopy(panel, step, index(0)));
    });
  };
  when(isBelow(panel.columns, index(width)),
       [&] {
         copy(vector::CreateMaskOp::create(b, VectorType::get({width}, b.getI1Type()),
                                           ValueRange{panel.columns}));
       },
       [&] { copy(nullptr); });
}

/// Square by square, what lies side by side first: as memory is read fastest. Where there are fewer columns, the
/// last of all is read for each that is missing.
void Panels::copyColumns(const Panel &panel, bool isPlain) {
  constexpr int64_t side = squareSide;
  auto square = VectorType::get({side}, b.getF32Type());
  Value last = sub(sizeOf(op.getInit(), op.getNumParallel() - 1), index(1));
  auto column = [&](Value first, Value i) {
    Value place = add(add(panel.column, first), i);
    return known(panel.columns) == width ? place : smaller(place, last);
  };
  Value turnedSteps = index(0);
  if (isPlain)
    turnedSteps = known(panel.depth)
                      ? index(*known(panel.depth) / side * side)
                      : mul(Value(arith::DivUIOp::create(b, panel.depth, index(side))), side);
  loop(index(0), panel.columns, side, [&](Value first) {
    if (isPlain)
      fetchColumns(panel, add(panel.column, first), last);
    loop(index(0), turnedSteps, side, [&](Value step) {
      SmallVector<Value> rows;
      for (int64_t i = 0; i < side; ++i)
        rows.push_back(vector::LoadOp::create(
            b, square, op.getB(), placeOf(panel.dims, column(first, index(i)), add(panel.from, step))));
      for (auto [i, turned] : llvm::enumerate(turnSquare(b, rows)))
        vector::StoreOp::create(b, turned, copied,
                                placeInCopy(panel, add(step, index(int64_t(i))), first));
    });
    loop(turnedSteps, panel.depth, 1, [&](Value step) {
      loop(index(0), index(side), 1, [&](Value i) {
        Value element = memref::LoadOp::create(
            b, op.getB(), placeOf(panel.dims, column(first, i), add(panel.from, step)));
        memref::StoreOp::create(b, element, copied, placeInCopy(panel, step, add(first, i)));
      });
    });
  });
}

/// Columns that are turned next but one come from memory meanwhile: the hardware's own fetching ends at
/// each page.
void Panels::fetchColumns(const Panel &panel, Value column, Value last) {
  loop(index(0), index(squareSide), 1, [&](Value i) {
    Value ahead = smaller(add(add(column, i), index(2 * width)), last);
    loop(index(0), panel.depth, width, [&](Value step) {
      memref::PrefetchOp::create(b, op.getB(), placeOf(panel.dims, ahead, add(panel.from, step)),
                                 /*isWrite=*/false, /*localityHint=*/3, /*isDataCache=*/true);
    });
  });
}

} // namespace burin::cpu
