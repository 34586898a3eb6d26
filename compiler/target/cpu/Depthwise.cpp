// SPDX-License-Identifier: Apache-2.0
//
// A depthwise kern.contract on buffers ->
//
//   scf.forall task in images x blocks of rows x blocks of panels
//     for some results of a row, some panels, row, panel, lanes of the panel
//       sums = for row of taps: for what it reads, left to right: load, fma with taps   in registers
//       epilogue and store
//
// where columns are known: results that read the same columns of the picture, but for where they begin,
// share code, in which what lies outside is a constant. What rows share stays in the first cache; what
// only the next one reads is fetched. Else
//
//   scf.forall task in images x blocks of rows x blocks of columns x blocks of panels
//     for panel
//       window = what the block reads, zeros around the picture       scratch, [rows, columns, 16]
//       for row, some results of it, lanes of the panel: as above
//
// which is small enough to stay in the first caches, and nothing in the loops behind asks where the
// picture ends. A result is one chain over its taps in order, from 0; outside of the picture are zeros.

#include "compiler/target/cpu/Depthwise.h"

#include "compiler/target/cpu/Epilogue.h"
#include "compiler/target/cpu/Fetch.h"
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
/// Results whose sums are in registers beside a row of taps: the more, the less is loaded for a product.
constexpr int64_t mostTogether = 8, leastTogether = 4;
/// Taps of a row that have registers.
constexpr int64_t mostTaps = 7;
/// Kinds of blocks that a row of results may have: each is code.
constexpr size_t mostKinds = 6;
/// Panels of which rows are summed one after the other: their taps, and what rows share, stay in the first cache.
constexpr int64_t panelsOfRows = 4;

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

  /// `repeats` times `count` results of a row, from `first` on. Of the columns that each time are read
  /// (columnsOf) those of `exists` lie in the picture.
  struct Block {
    int64_t first, count, repeats;
    SmallVector<bool> exists;
  };

  void readOp();
  void chooseTogether();
  SmallVector<int64_t> columnsOf(int64_t count) const;
  std::optional<SmallVector<Block>> blocksOfRow() const;
  SmallVector<Value> tasks(ArrayRef<Value> grid);
  // In place.
  void expandInPlace(ArrayRef<Block> blocks);
  void sumPanels(const Block &block, Value y, Value x, Value from, Value to);
  void sumBlock(const Block &block, Value y, Value x, Value panel, Value lane, Value channelsLeft);
  void fetchNext(const Block &block, Value y, Value x, Value panel);
  // Rows and columns count from the task's first.
  void expandByWindows();
  void copyWindow(Value panel);
  void sumRow(Value row, Value length, Value panel);
  void sumResults(Value row, Value x, int64_t count, Value panel);
  // Both.
  SmallVector<Value> sumTaps(ValueRange sums, Value tapRow, Value panel, Value lane,
                             llvm::function_ref<Value(int64_t column)> element);
  void writeSums(ValueRange sums, Value y, Value x, Value channel, Value channelsLeft);

  Value zero(VectorType type) {
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, 0.0f));
  }
  Value maskOf(Value lanesLeft) {
    return vector::CreateMaskOp::create(b, vector.clone(b.getI1Type()), ValueRange{lanesLeft});
  }
  static int64_t assumed(Value size) { return known(size).value_or(assumedSize); }

  kern::ContractOp op;
  int64_t lanes;
  VectorType vector;
  Dim rows, columns;
  int64_t channels = 0, panels = 0;
  Value batch;
  int64_t together = 0; // results whose sums are in registers
  // The task.
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

void Depthwise::chooseTogether() {
  together = leastTogether;
  std::optional<int64_t> wide = known(columns.out);
  if (!wide)
    return;
  // In products: what is done once for them takes as long as six.
  auto cost = [&](int64_t count) { return count == 0 ? 0 : count * columns.taps + 6; };
  auto ofRow = [&](int64_t count) { return *wide / count * cost(count) + cost(*wide % count); };
  for (int64_t count = leastTogether + 1; count <= mostTogether; ++count)
    if (ofRow(count) < ofRow(together))
      together = count;
  together = std::clamp<int64_t>(*wide, 1, together);
}

/// What `count` results next to each other read, as seen from the first column.
SmallVector<int64_t> Depthwise::columnsOf(int64_t count) const {
  SmallVector<int64_t> read;
  for (int64_t i = 0; i < count; ++i)
    for (int64_t tap = 0; tap < columns.taps; ++tap)
      read.push_back(i * columns.stride + tap * columns.dilation);
  llvm::sort(read);
  read.erase(llvm::unique(read), read.end());
  return read;
}

/// Nothing where the columns are not known, or where there would be much code.
std::optional<SmallVector<Depthwise::Block>> Depthwise::blocksOfRow() const {
  std::optional<int64_t> in = known(columns.in), out = known(columns.out);
  if (!in || !out || columns.taps > mostTaps)
    return std::nullopt;
  SmallVector<Block> blocks;
  for (int64_t x = 0; x < *out; x += together) {
    Block block{x, std::min(together, *out - x), 1, {}};
    for (int64_t column : columnsOf(block.count)) {
      int64_t at = x * columns.stride - columns.pad + column;
      block.exists.push_back(at >= 0 && at < *in);
    }
    if (!blocks.empty() && blocks.back().count == block.count && blocks.back().exists == block.exists)
      ++blocks.back().repeats;
    else
      blocks.push_back(std::move(block));
    if (blocks.size() > mostKinds)
      return std::nullopt;
  }
  return blocks;
}

/// Opens the loop over tasks; the position of one, 0 where there is one.
SmallVector<Value> Depthwise::tasks(ArrayRef<Value> grid) {
  auto forall =
      scf::ForallOp::create(b, b.getLoc(), getAsOpFoldResult(grid), ValueRange{}, std::nullopt);
  b.setInsertionPointToStart(forall.getBody());
  SmallVector<Value> at;
  for (auto [count, variable] : llvm::zip_equal(grid, forall.getInductionVars()))
    at.push_back(known(count) == 1 ? index(0) : Value(variable));
  return at;
}

void Depthwise::expand() {
  b.setInsertionPoint(op);
  readOp();
  chooseTogether();
  if (std::optional<SmallVector<Block>> blocks = blocksOfRow())
    expandInPlace(*blocks);
  else
    expandByWindows();
  op.erase();
}

//===- In place -------------------------------------------------------------===//

void Depthwise::expandInPlace(ArrayRef<Block> blocks) {
  auto balanced = [](int64_t all, int64_t most) { // parts of about one size
    all = std::max<int64_t>(all, 1);
    return int64_t(llvm::divideCeil(all, llvm::divideCeil(all, std::clamp<int64_t>(most, 1, all))));
  };
  int64_t few = balanced(panels, panelsOfRows), groups = llvm::divideCeil(panels, few);
  int64_t products = std::max<int64_t>(*known(columns.out), 1) * rows.taps * columns.taps * few * width;
  int64_t blockRows = balanced(assumed(rows.out), taskProducts / products);
  int64_t blockPanels = few * balanced(groups, taskProducts / (products * blockRows));

  SmallVector<Value> at = tasks(
      {batch, ceilDiv(rows.out, blockRows), index(llvm::divideCeil(panels, blockPanels))});
  results = scratch({together, lanes});
  image = at[0];
  firstRow = mul(at[1], blockRows);
  Value firstPanel = mul(at[2], blockPanels);
  Value afterRow = add(firstRow, extent(rows.out, firstRow, blockRows)),
        afterPanel = add(firstPanel, extent(index(panels), firstPanel, blockPanels));
  auto sumRows = [&](llvm::function_ref<void(Value)> body) { loop(firstRow, afterRow, 1, body); };
  auto sumColumns = [&](llvm::function_ref<void(const Block &, Value)> body) {
    for (const Block &block : blocks)
      loop(index(block.first), index(block.first + block.repeats * block.count), block.count,
           [&](Value x) { body(block, x); });
  };
  if (groups == 1)
    return sumRows([&](Value y) {
      sumColumns([&](const Block &block, Value x) { sumPanels(block, y, x, firstPanel, afterPanel); });
    });
  sumColumns([&](const Block &block, Value x) {
    loop(firstPanel, afterPanel, few, [&](Value from) {
      Value to = add(from, panels % few == 0 ? index(few) : smaller(sub(afterPanel, from), index(few)));
      sumRows([&](Value y) { sumPanels(block, y, x, from, to); });
    });
  });
}

/// The results from (y, x) on of some panels.
void Depthwise::sumPanels(const Block &block, Value y, Value x, Value from, Value to) {
  Value whole = index(channels / width);
  loop(from, channels % width == 0 ? to : smaller(to, whole), 1, [&](Value panel) {
    fetchNext(block, y, x, panel);
    loop(index(0), index(width), lanes,
         [&](Value lane) { sumBlock(block, y, x, panel, lane, nullptr); });
  });
  if (channels % width == 0)
    return;
  when(isBelow(whole, to), [&] {
    fetchNext(block, y, x, whole);
    for (int64_t lane = 0, rest = channels % width; lane < rest; lane += lanes)
      sumBlock(block, y, x, whole, index(lane), rest - lane < lanes ? index(rest - lane) : Value());
  });
}

/// The results from (y, x) on of the channels from a lane of a panel on.
void Depthwise::sumBlock(const Block &block, Value y, Value x, Value panel, Value lane,
                         Value channelsLeft) {
  Value top = sub(mul(y, rows.stride), index(rows.pad)),
        left = sub(mul(x, columns.stride), index(columns.pad));
  Value channel = add(mul(panel, width), lane), nothing = zero(vector);
  SmallVector<int64_t> read = columnsOf(block.count);
  auto taps = scf::ForOp::create(b, index(0), index(rows.taps), index(1),
                                 SmallVector<Value>(block.count, nothing));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(taps.getBody());
    Value tapRow = taps.getInductionVar(), row = add(top, mul(tapRow, rows.dilation));
    auto sum = [&](bool isRow) {
      return sumTaps(taps.getRegionIterArgs(), tapRow, panel, lane, [&](int64_t column) -> Value {
        if (!isRow || !block.exists[llvm::lower_bound(read, column) - read.begin()])
          return nothing;
        SmallVector<Value> from{image, row, add(left, index(column)), channel};
        if (!channelsLeft)
          return vector::LoadOp::create(b, vector, op.getA(), from);
        return vector::MaskedLoadOp::create(b, vector, op.getA(), from, maskOf(channelsLeft), nothing);
      });
    };
    std::optional<int64_t> in = known(rows.in), out = known(rows.out);
    if (in && out && rows.pad <= 0 && rows.reach(*out) - rows.pad <= *in) {
      scf::YieldOp::create(b, sum(true));
    } else {
      auto branch = scf::IfOp::create(b, taps.getResultTypes(), below(row, rows.in), true);
      scf::YieldOp::create(b, branch.getResults());
      for (bool isRow : {true, false}) {
        b.setInsertionPointToStart(isRow ? branch.thenBlock() : branch.elseBlock());
        scf::YieldOp::create(b, sum(isRow));
      }
    }
  }
  writeSums(taps.getResults(), y, x, channel, channelsLeft);
}

/// Of a panel what results below those from (y, x) on are the first to read.
void Depthwise::fetchNext(const Block &block, Value y, Value x, Value panel) {
  if (!exceedsSecondCache(op.getA()))
    return;
  int64_t last = block.first + (block.repeats - 1) * block.count;
  Value below = add(mul(y, rows.stride), index(rows.stride - rows.pad + rows.reach(1) - 1));
  for (int64_t i = 0; i < rows.stride; ++i) {
    Value row = smaller(sub(below, index(i)), sub(rows.in, index(1)));
    for (int64_t j = 0; j < block.count * columns.stride; ++j)
      if (last * columns.stride + j < *known(columns.in))
        memref::PrefetchOp::create(
            b, op.getA(), ValueRange{image, row, add(mul(x, columns.stride), index(j)), mul(panel, width)},
            /*isWrite=*/false, /*localityHint=*/3, /*isDataCache=*/true);
  }
}

//===- By windows -----------------------------------------------------------===//

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

//===- Sums -----------------------------------------------------------------===//

/// Adds the products of one row of taps to sums of results next to each other. `element` gives what lies
/// in a column as seen from the first.
SmallVector<Value> Depthwise::sumTaps(ValueRange sums, Value tapRow, Value panel, Value lane,
                                      llvm::function_ref<Value(int64_t)> element) {
  SmallVector<Value> next(sums);
  auto factorOf = [&](int64_t tap) {
    Value number = add(mul(tapRow, columns.taps), index(tap));
    return loadFactors(op.getB(), vector, ValueRange{panel, number, lane});
  };
  auto multiply = [&](Value value, Value factor, size_t i) {
    next[i] = math::FmaOp::create(b, value, factor, next[i]);
  };
  if (columns.taps > mostTaps) {
    for (int64_t tap = 0; tap < columns.taps; ++tap) {
      Value factor = factorOf(tap);
      for (size_t i = 0; i < next.size(); ++i)
        multiply(element(int64_t(i) * columns.stride + tap * columns.dilation), factor, i);
    }
    return next;
  }
  // What is loaded has its products at once, so that it needs no register for long.
  SmallVector<Value> factors;
  for (int64_t tap = 0; tap < columns.taps; ++tap)
    factors.push_back(factorOf(tap));
  for (int64_t column : columnsOf(int64_t(next.size()))) {
    Value value = element(column);
    for (auto [tap, factor] : llvm::enumerate(factors)) {
      int64_t distance = column - int64_t(tap) * columns.dilation;
      if (distance >= 0 && distance % columns.stride == 0 &&
          distance / columns.stride < int64_t(next.size()))
        multiply(value, factor, size_t(distance / columns.stride));
    }
  }
  return next;
}

/// Epilogue and store of results from (y, x) on, where `channelsLeft` of the lanes exist (all: null).
void Depthwise::writeSums(ValueRange sums, Value y, Value x, Value channel, Value channelsLeft) {
  auto write = [&](Value position, Value sum) {
    writeVector(b, op, {image, y, position, channel}, sum, channelsLeft);
  };
  if (isShortEpilogue(op)) {
    for (auto [i, sum] : llvm::enumerate(sums))
      write(add(x, index(int64_t(i))), sum);
    return;
  }
  for (auto [i, sum] : llvm::enumerate(sums))
    vector::StoreOp::create(b, sum, results, ValueRange{index(int64_t(i)), index(0)});
  loop(index(0), index(int64_t(sums.size())), 1, [&](Value i) {
    write(add(x, i), vector::LoadOp::create(b, vector, results, ValueRange{i, index(0)}));
  });
}

} // namespace

void expandDepthwise(kern::ContractOp op, int64_t lanes) { Depthwise(op, lanes).expand(); }

} // namespace burin::cpu
