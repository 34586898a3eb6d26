// SPDX-License-Identifier: Apache-2.0
//
// A depthwise kern.contract on buffers ->
//
//   scf.forall task in images x blocks of rows x blocks of columns x blocks of panels
//     for panel
//       window = what the block reads, zeros around the picture       scratch, [rows, columns, 16]
//       for row, some results of it, lanes of the panel
//         sums = for row of taps: for tap: load taps, fma              in registers
//         epilogue and store
//
// What is copied is small enough to stay in the first caches, and nothing in the loops behind asks
// where the picture ends. A result is one chain over its taps in order, from 0.

#include "compiler/target/cpu/Depthwise.h"

#include "compiler/target/cpu/Epilogue.h"
#include "compiler/target/cpu/IndexBuilder.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace burin::cpu {
namespace {

constexpr int64_t width = kern::ContractOp::panelWidth;
/// Of a panel's window.
constexpr int64_t scratchBytes = 48 * 1024;
constexpr int64_t fewRows = 4; // of results that share what is read, rather than whole rows
/// Products of one task.
constexpr int64_t taskProducts = 512 * 1024;
/// Where a size is told when the kernel runs.
constexpr int64_t assumedSize = 32;

class Depthwise : IndexBuilder {
public:
  Depthwise(kern::ContractOp op, int64_t lanes)
      : IndexBuilder(op.getLoc(), op), op(op), lanes(lanes),
        vector(VectorType::get({lanes}, b.getF32Type())) {}

  void expand();

private:
  /// One spatial dim.
  struct Dim {
    Value in, out;
    int64_t stride, dilation, pad, taps;

    int64_t reach(int64_t results) const { return (results - 1) * stride + (taps - 1) * dilation + 1; }
  };

  void readOp();
  void chooseTask();
  // Rows and columns count from the task's first.
  void copyWindow(Value panel);
  void sumRow(Value row, Value length, Value panel);
  void sumResults(Value row, Value x, int64_t count, Value panel);

  Value zero(VectorType type) {
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, 0.0f));
  }
  static int64_t assumed(Value size) { return known(size).value_or(assumedSize); }

  kern::ContractOp op;
  int64_t lanes;
  VectorType vector;
  Dim rows, columns;
  int64_t channels = 0, panels = 0;
  Value batch;
  // The task.
  int64_t blockRows = 0, blockColumns = 0, blockPanels = 0;
  int64_t together = 0; // results whose sums are in registers
  Value image, firstRow, firstColumn, window, results;
};

//===- The op and its tasks -------------------------------------------------===//

void Depthwise::readOp() {
  AffineMap map = op.getAMap();
  auto read = [&](unsigned d) {
    SmallVector<int64_t> flat;
    (void)getFlattenedAffineExpr(map.getResult(d), map.getNumDims(), 0, &flat);
    return Dim{sizeOf(op.getA(), d), sizeOf(op.getInit(), d), flat[d],
               flat[op.getNumParallel() + d - 1], -flat.back(), op.getReduction()[d - 1]};
  };
  rows = read(1);
  columns = read(2);
  batch = sizeOf(op.getInit(), 0);
  channels = cast<MemRefType>(op.getInit().getType()).getDimSize(3);
  panels = llvm::divideCeil(channels, width);
}

void Depthwise::chooseTask() {
  std::optional<int64_t> wide = known(columns.out);
  // Sums, one vector of taps and one of what is read take registers.
  together = 4;
  for (int64_t count : {7, 6, 5})
    if (wide && *wide % count < *wide % together)
      together = count;
  if (wide)
    together = std::clamp<int64_t>(*wide, 1, together);

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
  blockColumns = largest(std::max<int64_t>(assumed(columns.out), 1), together,
                         [&](int64_t size) { return fits(few, size); });
  blockRows = largest(std::max<int64_t>(assumed(rows.out), 1), 1,
                      [&](int64_t size) { return fits(size, blockColumns); });
  int64_t products = blockRows * blockColumns * width * rows.taps * columns.taps;
  blockPanels = std::clamp<int64_t>(taskProducts / products, 1, panels);
  blockPanels = llvm::divideCeil(panels, llvm::divideCeil(panels, blockPanels));
}

void Depthwise::expand() {
  b.setInsertionPoint(op);
  readOp();
  chooseTask();
  SmallVector<Value> grid{batch, ceilDiv(rows.out, blockRows), ceilDiv(columns.out, blockColumns),
                          index(llvm::divideCeil(panels, blockPanels))};
  auto forall =
      scf::ForallOp::create(b, b.getLoc(), getAsOpFoldResult(grid), ValueRange{}, std::nullopt);
  b.setInsertionPointToStart(forall.getBody());
  SmallVector<Value> at;
  for (auto [count, variable] : llvm::zip_equal(grid, forall.getInductionVars()))
    at.push_back(known(count) == 1 ? index(0) : Value(variable));
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
  op.erase();
}

//===- The window -----------------------------------------------------------===//

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

//===- Sums -----------------------------------------------------------------===//

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
  bool unrolled = isShortEpilogue(op);
  Value top = mul(row, rows.stride), left = mul(x, columns.stride);
  loop(index(0), index(width), lanes, [&](Value lane) {
    SmallVector<Value> sums(count, zero(vector));
    auto taps = scf::ForOp::create(b, index(0), index(rows.taps), index(1), sums);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(taps.getBody());
      Value tapRow = taps.getInductionVar();
      SmallVector<Value> next(taps.getRegionIterArgs());
      Value from = add(top, mul(tapRow, rows.dilation));
      for (int64_t tap = 0; tap < columns.taps; ++tap) {
        Value number = add(mul(tapRow, columns.taps), index(tap));
        Value factor = loadFactors(op.getB(), vector, ValueRange{panel, number, lane});
        for (auto [i, sum] : llvm::enumerate(next)) {
          Value at = add(left, index(int64_t(i) * columns.stride + tap * columns.dilation));
          Value element = vector::LoadOp::create(b, vector, window, ValueRange{from, at, lane});
          sum = math::FmaOp::create(b, element, factor, sum);
        }
      }
      scf::YieldOp::create(b, next);
    }
    Value column = add(mul(panel, width), lane), columnsLeft = sub(index(channels), column);
    auto write = [&](Value position, Value sum, bool isPartial) {
      writeVector(b, op, {image, add(firstRow, row), add(firstColumn, position), column}, sum,
                  isPartial ? columnsLeft : Value());
    };
    auto writeAll = [&](bool isPartial) {
      if (unrolled) {
        for (auto [i, sum] : llvm::enumerate(taps.getResults()))
          write(add(x, index(int64_t(i))), sum, isPartial);
        return;
      }
      for (auto [i, sum] : llvm::enumerate(taps.getResults()))
        vector::StoreOp::create(b, sum, results, ValueRange{index(int64_t(i)), index(0)});
      loop(index(0), index(count), 1, [&](Value i) {
        Value sum = vector::LoadOp::create(b, vector, results, ValueRange{i, index(0)});
        write(add(x, i), sum, isPartial);
      });
    };
    if (channels % width == 0)
      return writeAll(false);
    when(arith::CmpIOp::create(b, arith::CmpIPredicate::slt, columnsLeft, index(lanes)),
         [&] { writeAll(true); }, [&] { writeAll(false); });
  });
}

} // namespace

void expandDepthwise(kern::ContractOp op, int64_t lanes) { Depthwise(op, lanes).expand(); }

} // namespace burin::cpu
