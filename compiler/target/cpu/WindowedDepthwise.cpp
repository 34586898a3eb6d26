// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/cpu/DepthwiseLoops.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace burin::cpu {

namespace {
constexpr int64_t scratchBytes = 48 * 1024; // of a panel's window
constexpr int64_t fewRows = 4; // of results that share what is read, rather than whole rows
} // namespace

void Depthwise::expandByWindows() {
  // Whole rows where some of them fit, then as many rows as do, in blocks of about one size.
  auto fits = [&](int64_t height, int64_t length) {
    return rows.reach(height) * columns.reach(length) * width * 4 <= scratchBytes;
  };
  auto largest = [&](int64_t all, int64_t multiple, llvm::function_ref<bool(int64_t)> isRight) {
    int64_t blocks = 1, size = all;
    while (size > multiple && !isRight(size))
      size = int64_t(llvm::alignTo(llvm::divideCeil(all, ++blocks), multiple));
    return size;
  };
  int64_t few = std::min(assumed(rows.out), fewRows);
  int64_t blockColumns = largest(std::max<int64_t>(assumed(columns.out), 1), together,
                                 [&](int64_t size) { return fits(few, size); });
  int64_t blockRows = largest(std::max<int64_t>(assumed(rows.out), 1), 1,
                              [&](int64_t size) { return fits(size, blockColumns); });
  int64_t products = blockRows * blockColumns * width * rows.taps * columns.taps;
  int64_t blockPanels = std::clamp<int64_t>(taskProducts / products, 1, panels);
  blockPanels = llvm::divideCeil(panels, llvm::divideCeil(panels, blockPanels));

  SmallVector<Value> at = tasks({batch, ceilDiv(rows.out, blockRows), ceilDiv(columns.out, blockColumns),
                                 index(llvm::divideCeil(panels, blockPanels))});
  window = scratch({rows.reach(blockRows), columns.reach(blockColumns), width});
  results = scratch({together, lanes});
  image = at[0];
  firstRow = mul(at[1], blockRows);
  firstColumn = mul(at[2], blockColumns);
  Value firstPanel = mul(at[3], blockPanels);
  Value height = extent(rows.out, firstRow, blockRows),
        length = extent(columns.out, firstColumn, blockColumns);
  loop(index(0), extent(index(panels), firstPanel, blockPanels), 1, [&](Value i) {
    Value panel = add(firstPanel, i);
    copyWindow(panel);
    loop(index(0), height, 1, [&](Value row) { sumRow(row, length, panel); });
  });
}

void Depthwise::copyWindow(Value panel) {
  auto type = VectorType::get({width}, b.getF32Type());
  Value nothing = zero(type), channel = mul(panel, width);
  Value top = sub(mul(firstRow, rows.stride), index(rows.pad)),
        left = sub(mul(firstColumn, columns.stride), index(columns.pad));
  Value length = sizeOf(window, 1);
  // The picture's columns among the window's.
  auto clamped = [&](Value x) {
    return known(x) ? index(std::clamp<int64_t>(*known(x), 0, *known(length)))
                    : smaller(arith::MaxSIOp::create(b, x, index(0)), length);
  };
  Value before = clamped(sub(index(0), left)), inside = clamped(sub(columns.in, left));
  auto fill = [&](Value row, Value from, Value to) {
    loop(from, to, 1, [&](Value x) {
      vector::StoreOp::create(b, nothing, window, ValueRange{row, x, index(0)});
    });
  };
  auto copy = [&](Value row, Value y, Value channelsLeft) {
    fill(row, index(0), before);
    loop(before, inside, 1, [&](Value x) {
      SmallVector<Value> from{image, y, add(left, x), channel};
      Value value;
      if (channelsLeft) {
        Value mask = vector::CreateMaskOp::create(b, VectorType::get({width}, b.getI1Type()),
                                                  ValueRange{channelsLeft});
        value = vector::MaskedLoadOp::create(b, type, op.getA(), from, mask, nothing);
      } else {
        value = vector::LoadOp::create(b, type, op.getA(), from);
      }
      vector::StoreOp::create(b, value, window, ValueRange{row, x, index(0)});
    });
    fill(row, inside, length);
  };
  loop(index(0), sizeOf(window, 0), 1, [&](Value row) {
    Value y = add(top, row);
    when(below(y, rows.in),
         [&] {
           if (channels % width == 0)
             return copy(row, y, nullptr);
           Value exist = sub(index(channels), channel);
           when(below(exist, index(width)), [&] { copy(row, y, exist); }, [&] { copy(row, y, nullptr); });
         },
         [&] { fill(row, index(0), length); });
  });
}

/// `length` results of one row, `together` at a time.
void Depthwise::sumRow(Value row, Value length, Value panel) {
  Value whole = known(length)
                    ? index(*known(length) / together * together)
                    : sub(length, Value(arith::RemUIOp::create(b, length, index(together))));
  loop(index(0), whole, together, [&](Value x) { sumResults(row, x, together, panel); });
  if (known(whole) && known(whole) == known(length))
    return;
  loop(whole, length, 1, [&](Value x) { sumResults(row, x, 1, panel); });
}

/// `count` results next to each other.
void Depthwise::sumResults(Value row, Value x, int64_t count, Value panel) {
  Value top = mul(row, rows.stride), left = mul(x, columns.stride);
  loop(index(0), index(width), lanes, [&](Value lane) {
    auto taps = scf::ForOp::create(b, index(0), index(rows.taps), index(1),
                                   SmallVector<Value>(count, zero(vector)));
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(taps.getBody());
      Value tapRow = taps.getInductionVar(), from = add(top, mul(tapRow, rows.dilation));
      scf::YieldOp::create(
          b, sumTaps(taps.getRegionIterArgs(), tapRow, panel, lane, [&](int64_t column) -> Value {
            return vector::LoadOp::create(b, vector, window,
                                          ValueRange{from, add(left, index(column)), lane});
          }));
    }
    Value channel = add(mul(panel, width), lane), channelsLeft = sub(index(channels), channel);
    auto write = [&](bool isPartial) {
      writeSums(taps.getResults(), add(firstRow, row), add(firstColumn, x), channel,
                isPartial ? channelsLeft : Value());
    };
    if (channels % width == 0)
      return write(false);
    when(arith::CmpIOp::create(b, arith::CmpIPredicate::slt, channelsLeft, index(lanes)),
         [&] { write(true); }, [&] { write(false); });
  });
}

} // namespace burin::cpu
