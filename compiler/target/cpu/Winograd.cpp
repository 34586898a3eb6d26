// SPDX-License-Identifier: Apache-2.0
//
// A kern.contract with `winograd` on buffers ->
//
//   scf.forall task in blocks of tiles x blocks of columns
//     for tile, 16 channels:  input = B^T d B                   scratch, [(m + 2)^2, tiles, channels]
//                             (not where the worker's last task has done so for other columns)
//     kern.contract           products = input * taps           scratch, [(m + 2)^2, tiles, columns]
//     for tile, 16 columns:   epilogue(A^T products A), stored, or of each 2 x 2 the greatest (compiler/group/Pools.h)
//
// A tile's positions outside of the operand are read from a row of zeros. None of the blocks' sizes
// changes a result.

#include "compiler/target/cpu/Winograd.h"

#include "compiler/target/cpu/Epilogue.h"
#include "compiler/target/cpu/IndexBuilder.h"
#include "dialects/kern/Winograd.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace burin::cpu {
namespace {

constexpr int64_t width = kern::ContractOp::panelWidth;
/// What a task transforms, and its products, are read soon after: each should lie in the second cache.
constexpr int64_t scratchBytes = 512 * 1024;
/// Each task reads the taps of its columns: few tiles would wait for them.
constexpr int64_t fewestTiles = 24, mostTiles = 60;
/// Blocks of fewer panels would leave register tiles too small.
constexpr int64_t fewestPanels = 2;

class Winograd : IndexBuilder {
public:
  Winograd(kern::ContractOp op, int64_t lanes, linalg::GenericOp pool)
      : IndexBuilder(op.getLoc(), op), op(op), pool(pool), m(*op.getWinograd()), sides(m + 2), lanes(lanes),
        vector(VectorType::get({lanes}, b.getF32Type())) {}

  kern::ContractOp expand();

private:
  void readOp();
  void chooseTask();
  int64_t tileBytes() const { return sides * sides * 4 * int64_t(llvm::alignTo(channels, width)); }
  double costOf(int64_t all, int64_t blockTiles, int64_t blockPanels, int64_t workers) const;
  Value squares(int64_t length);
  void transformInput();
  void transformVector(ValueRange places, Value tile, Value channel, Value mask);
  kern::ContractOp multiply();
  void transformProducts();
  void transformPanel(ValueRange position, Value tile, Value panel, bool isWhole);
  void writeResults(ValueRange position, Value column, Value columnsLeft);
  void writePooled(Value most, ValueRange position, Value y, Value x, Value column, Value columnsLeft);
  /// Where the result has (y, x) of a tile.
  SmallVector<Value> placeOf(ValueRange position, Value y, Value x, Value column) {
    return {position[0], add(position[1], y), add(position[2], x), column};
  }
  /// `most` may be null.
  Value largerOf(Value most, Value next) { return most ? Value(arith::MaximumFOp::create(b, most, next)) : next; }
  void erase();
  SmallVector<Value> tileAt(Value tile) { return delinearize(tile, {batch, tilesY, tilesX}); }

  using Chain = SmallVector<Value> (Winograd::*)(ArrayRef<Value>);
  using Element = llvm::function_ref<Value(int64_t y, int64_t x)>;
  using Visit = llvm::function_ref<void(int64_t y, int64_t x, Value value)>;
  void inBothDims(Element element, Chain chain, ArrayRef<SmallVector<int64_t, 2>> groups, Visit visit);
  SmallVector<Value> inputChain(ArrayRef<Value> d);
  SmallVector<Value> outputChain(ArrayRef<Value> p);

  Value plus(Value x, Value y) { return arith::AddFOp::create(b, x, y); }
  Value minus(Value x, Value y) { return arith::SubFOp::create(b, x, y); }
  Value splat(double value) {
    return arith::ConstantOp::create(b, DenseElementsAttr::get(vector, float(value)));
  }
  Value times(double factor, Value x) { return arith::MulFOp::create(b, splat(factor), x); }
  /// factor * x + y, rounded once.
  Value fma(double factor, Value x, Value y) {
    return math::FmaOp::create(b, splat(factor), x, y);
  }
  Value part(Value memref, ArrayRef<Value> offsets, ArrayRef<Value> sizes) {
    SmallVector<OpFoldResult> ones(offsets.size(), b.getIndexAttr(1));
    return memref::SubViewOp::create(b, memref, getAsOpFoldResult(offsets), getAsOpFoldResult(sizes),
                                     ones);
  }

  kern::ContractOp op;
  linalg::GenericOp pool; // reads what that makes; null where results are the op's
  int64_t m, sides; // of a tile of results, of what it reads
  int64_t lanes;
  VectorType vector;
  // The op.
  int64_t channels = 0, columns = 0, panels = 0;
  Value batch, outY, outX, tilesY, tilesX, tiles, inY, inX, top, left;
  // The task.
  int64_t taskTiles = 0, taskPanels = 0;
  Value firstTile, firstPanel, existing, computed; // the last two: tiles of this task
  Value input, products, results;
};

//===- The op and its tasks -------------------------------------------------===//

void Winograd::readOp() {
  Value init = op.getInit(), a = op.getA();
  channels = op.getReduction().back();
  columns = cast<MemRefType>(init.getType()).getDimSize(3);
  panels = llvm::divideCeil(columns, width);
  batch = sizeOf(init, 0);
  outY = sizeOf(init, 1);
  outX = sizeOf(init, 2);
  inY = sizeOf(a, 1);
  inX = sizeOf(a, 2);
  tilesY = ceilDiv(outY, m);
  tilesX = ceilDiv(outX, m);
  tiles = product({batch, tilesY, tilesX});
  // Its position is y + tap - pad: the constant is what is left where both are 0.
  auto padOf = [&](unsigned result) {
    SmallVector<AffineExpr> zeros(op.getAMap().getNumDims(), b.getAffineConstantExpr(0));
    AffineExpr at = op.getAMap().getResult(result).replaceDims(zeros);
    return index(-cast<AffineConstantExpr>(at).getValue());
  };
  top = padOf(1);
  left = padOf(2);
}

/// What the slowest of `workers` takes, in products of a tile's row and a panel: each has an equal part of the tasks, in
/// order, and transforms the tiles that its tasks are of once.
double Winograd::costOf(int64_t all, int64_t blockTiles, int64_t blockPanels, int64_t workers) const {
  // Transforming a tile's channels takes as long as half of a panel's products of it.
  constexpr double transform = 0.5;
  // A task's rows of `input` come from the second cache, or from behind it (2 panels in place of 4: 64 channels at
  // 64 x 64 take 1% less time, 192 channels 3.5% more); its taps from behind it.
  const double rowRead = blockTiles * tileBytes() <= scratchBytes ? 0.02 : 0.08, tapRead = 1.5;
  double rows = 1e30; // of register tiles: lower ones load more per product
  for (int64_t height : {6, 5, 4})
    rows = std::min(rows, double(llvm::alignTo(blockTiles, height)) * (1 + 0.05 * double(6 - height)));
  int64_t columnBlocks = panels / blockPanels, tasks = llvm::divideCeil(all, blockTiles) * columnBlocks;
  double perBlock = double(blockTiles) * transform, slowest = 0;
  double perTask = double(blockPanels) * (rows + tapRead) + double(blockTiles) * rowRead;
  for (int64_t worker = 0; worker < workers; ++worker) {
    int64_t from = tasks * worker / workers, to = tasks * (worker + 1) / workers;
    if (from == to)
      continue;
    int64_t blocks = (to - 1) / columnBlocks - from / columnBlocks + 1;
    slowest = std::max(slowest, double(blocks) * perBlock + double(to - from) * perTask);
  }
  return slowest;
}

/// Tiles and panels of one task: of those that cost one worker hardly more than the best, the ones whose tasks two, four and
/// eight share most evenly.
void Winograd::chooseTask() {
  int64_t most = std::clamp(scratchBytes / tileBytes(), fewestTiles, mostTiles);
  std::optional<int64_t> all = known(tiles);
  SmallVector<int64_t> counts, blocks;
  if (!all)
    counts.push_back(most / 6 * 6);
  else if (*all <= most)
    counts.push_back(std::max<int64_t>(*all, 1));
  else
    for (int64_t count = most; count >= most / 2; --count)
      counts.push_back(count);
  for (int64_t block = panels; block > 0; --block)
    if (block == panels || (panels % block == 0 && block >= fewestPanels))
      blocks.push_back(block);

  int64_t assumed = all ? std::max<int64_t>(*all, 1) : 4 * most; // tiles
  double least = 1e30, best = 1e30;
  for (int64_t count : counts)
    for (int64_t block : blocks)
      least = std::min(least, costOf(assumed, count, block, 1));
  constexpr double allowed = 1.01;
  for (int64_t count : counts)
    for (int64_t block : blocks) {
      double cost = costOf(assumed, count, block, 1), slowest = cost;
      if (cost > least * allowed)
        continue;
      for (int64_t workers : {2, 4, 8})
        slowest += double(workers) * costOf(assumed, count, block, workers);
      if (slowest < best) {
        best = slowest;
        taskTiles = count;
        taskPanels = block;
      }
    }
}

kern::ContractOp Winograd::expand() {
  b.setInsertionPoint(pool ? pool.getOperation() : op.getOperation());
  readOp();
  chooseTask();
  // Blocks of columns of the same tiles are neighbours. What comes before the tasks runs once for each worker: its
  // tasks leave it the tiles that they have transformed.
  SmallVector<Value> grid{ceilDiv(tiles, taskTiles), index(panels / taskPanels)};
  Value transformed;
  input = squares(int64_t(llvm::alignTo(channels, width)));
  if (taskPanels < panels) {
    transformed = memref::AllocOp::create(b, MemRefType::get({1}, b.getIndexType()));
    memref::StoreOp::create(b, index(-1), transformed, ValueRange{index(0)});
  }
  auto forall =
      scf::ForallOp::create(b, b.getLoc(), getAsOpFoldResult(grid), ValueRange{}, std::nullopt);
  b.setInsertionPointToStart(forall.getBody());
  auto position = [&](unsigned i) { // 0 where it is alone
    return known(grid[i]) == 1 ? index(0) : Value(forall.getInductionVars()[i]);
  };
  firstTile = mul(position(0), taskTiles);
  firstPanel = mul(position(1), taskPanels);
  existing = extent(tiles, firstTile, taskTiles);
  // Of a known number the last task computes some tiles again, so that its loops are those of all.
  computed = known(tiles) ? index(taskTiles) : existing;
  products = squares(taskPanels * width);
  if (transformed) {
    Value last = memref::LoadOp::create(b, transformed, ValueRange{index(0)});
    when(arith::CmpIOp::create(b, arith::CmpIPredicate::ne, last, firstTile), [&] {
      transformInput();
      memref::StoreOp::create(b, firstTile, transformed, ValueRange{index(0)});
    });
  } else {
    transformInput();
  }
  kern::ContractOp contract = multiply();
  transformProducts();
  erase();
  return contract;
}

/// The op, and the pool with what is between them.
void Winograd::erase() {
  Value between = pool ? op.getInit() : Value();
  if (pool) {
    Value out = pool.getOutputs()[0];
    Operation *view = pool.getInputs()[0].getDefiningOp<memref::CollapseShapeOp>();
    pool.erase();
    if (view)
      view->erase();
    for (Operation *user : llvm::make_early_inc_range(out.getUsers()))
      if (isa<linalg::FillOp>(user))
        user->erase();
  }
  op.erase();
  if (between)
    between.getDefiningOp()->erase();
}

//===- Chains ---------------------------------------------------------------===//

/// `chain` over the columns of a square of `sides` x `sides` elements, then over the rows of what that gives.
/// Rows that have terms in common are made together, others later, from elements that are loaded again: all
/// rows at once are more than registers hold, and would be stored and loaded in between.
void Winograd::inBothDims(Element element, Chain chain, ArrayRef<SmallVector<int64_t, 2>> groups,
                          Visit visit) {
  for (ArrayRef<int64_t> group : groups) {
    SmallVector<SmallVector<Value>> rows(group.size());
    for (int64_t x = 0; x < sides; ++x) {
      SmallVector<Value> column;
      for (int64_t y = 0; y < sides; ++y)
        column.push_back(element(y, x));
      SmallVector<Value> made = (this->*chain)(column);
      for (auto [row, y] : llvm::zip_equal(rows, group))
        row.push_back(made[y]);
    }
    for (auto [row, y] : llvm::zip_equal(rows, group))
      for (auto [x, value] : llvm::enumerate((this->*chain)(row)))
        visit(y, int64_t(x), value);
  }
}

/// B^T d.
SmallVector<Value> Winograd::inputChain(ArrayRef<Value> d) {
  if (m == 2)
    return {minus(d[0], d[2]), plus(d[1], d[2]), minus(d[2], d[1]), minus(d[1], d[3])};
  constexpr double a = kern::winogradA, b = kern::winogradB, sum = a * a + b * b, both = a * a * b * b;
  Value evenA = fma(-b * b, d[2], d[4]), oddA = fma(-b * b, d[1], d[3]);
  Value evenB = fma(-a * a, d[2], d[4]), oddB = fma(-a * a, d[1], d[3]);
  return {fma(both, d[0], fma(-sum, d[2], d[4])),
          fma(a, oddA, evenA),
          fma(-a, oddA, evenA),
          fma(b, oddB, evenB),
          fma(-b, oddB, evenB),
          fma(both, d[1], fma(-sum, d[3], d[5]))};
}

/// A^T p.
SmallVector<Value> Winograd::outputChain(ArrayRef<Value> p) {
  Value sum = plus(p[1], p[2]), difference = minus(p[1], p[2]);
  if (m == 2)
    return {plus(p[0], sum), minus(difference, p[3])};
  constexpr double a = kern::winogradA, b = kern::winogradB;
  Value sumB = plus(p[3], p[4]), differenceB = minus(p[3], p[4]);
  return {plus(plus(p[0], sum), sumB), fma(b, differenceB, times(a, difference)),
          fma(b * b, sumB, times(a * a, sum)),
          plus(fma(b * b * b, differenceB, times(a * a * a, difference)), p[5])};
}

/// Scratch of [sides * sides, taskTiles, length], whose outermost step is an odd number of lines: a tile's
/// elements would share few sets of the first cache otherwise.
Value Winograd::squares(int64_t length) {
  int64_t step = (taskTiles * length / width | 1) * width;
  Value flat = scratch({sides * sides, step});
  SmallVector<int64_t> sizes{sides * sides, taskTiles, length}, strides{step, length, 1};
  auto type = MemRefType::get(sizes, b.getF32Type(), StridedLayoutAttr::get(b.getContext(), 0, strides));
  return memref::ReinterpretCastOp::create(b, type, flat, /*offset=*/0, sizes, strides);
}

//===- Before the products --------------------------------------------------===//

void Winograd::transformInput() {
  Value a = op.getA();
  auto type = cast<MemRefType>(a.getType());
  auto metadata = memref::ExtractStridedMetadataOp::create(b, a);
  auto [strides, offset] = type.getStridesAndOffset();
  Value base = metadata.getBaseBuffer();
  Value start = ShapedType::isDynamic(offset) ? Value(metadata.getOffset()) : index(offset);
  auto strideOf = [&, known = strides](unsigned d) {
    return ShapedType::isDynamic(known[d]) ? Value(metadata.getStrides()[d]) : index(known[d]);
  };
  // Lanes of channels that do not exist are read as zeros and multiplied by nothing.
  int64_t whole = channels / lanes * lanes;
  Value zeros = scratchOfZeros(channels, vector);
  auto viewType = MemRefType::get({ShapedType::kDynamic}, b.getF32Type(),
                                  StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic, {1}));
  auto view = [&](Value buffer, Value at) -> Value {
    return memref::ReinterpretCastOp::create(
        b, viewType, buffer, OpFoldResult(at),
        ArrayRef<OpFoldResult>{OpFoldResult(b.getIndexAttr(channels))},
        ArrayRef<OpFoldResult>{OpFoldResult(b.getIndexAttr(1))});
  };
  Value last = sub(tiles, index(1));
  loop(index(0), computed, 1, [&](Value tile) {
    Value at = add(firstTile, tile);
    if (known(tiles) && *known(tiles) % taskTiles != 0)
      at = smaller(at, last);
    SmallVector<Value> position = tileAt(at);
    Value y = sub(mul(position[1], m), top), x = sub(mul(position[2], m), left);
    Value image = add(start, mul(position[0], strideOf(0)));
    SmallVector<Value> isRow, isColumn, rows, places;
    for (int64_t i = 0; i < sides; ++i) {
      Value row = add(y, index(i)), column = add(x, index(i));
      isRow.push_back(below(row, inY));
      isColumn.push_back(below(column, inX));
      rows.push_back(add(image, mul(row, strideOf(1))));
    }
    Value nothing = view(zeros, index(0));
    for (int64_t i = 0; i < sides; ++i)
      for (int64_t j = 0; j < sides; ++j) {
        Value place = view(base, add(rows[i], mul(add(x, index(j)), strideOf(2))));
        Value exists = arith::AndIOp::create(b, isRow[i], isColumn[j]);
        places.push_back(arith::SelectOp::create(b, exists, place, nothing));
      }
    if (whole)
      loop(index(0), index(whole), lanes,
           [&](Value channel) { transformVector(places, tile, channel, nullptr); });
    if (whole != channels) {
      Value mask = vector::CreateMaskOp::create(b, vector.clone(b.getI1Type()),
                                                ValueRange{index(channels - whole)});
      transformVector(places, tile, index(whole), mask);
    }
  });
}

/// Some channels of one tile, whose positions are at `places`.
void Winograd::transformVector(ValueRange places, Value tile, Value channel, Value mask) {
  auto element = [&](int64_t y, int64_t x) -> Value {
    Value place = places[y * sides + x];
    return mask ? Value(vector::MaskedLoadOp::create(b, vector, place, channel, mask, splat(0)))
                : Value(vector::LoadOp::create(b, vector, place, channel));
  };
  SmallVector<SmallVector<int64_t, 2>> groups{{0}, {1, 2}, {3}};
  if (m == 4)
    groups = {{0}, {1, 2}, {3, 4}, {5}};
  inBothDims(element, &Winograd::inputChain, groups, [&](int64_t y, int64_t x, Value value) {
    vector::StoreOp::create(b, value, input, ValueRange{index(y * sides + x), tile, channel});
  });
}

//===- The products ---------------------------------------------------------===//

/// Loops: transformed tap, tile, column; channel.
kern::ContractOp Winograd::multiply() {
  Value zero = index(0), count = index(sides * sides), depth = index(channels);
  Value rows = part(input, {zero, zero, zero}, {count, computed, depth});
  Value taps = part(op.getB(), {zero, firstPanel, zero, zero},
                    {count, index(taskPanels), depth, index(width)});
  Value sums = part(products, {zero, zero, zero}, {count, computed, index(taskPanels * width)});
  AffineExpr tap = b.getAffineDimExpr(0), tile = b.getAffineDimExpr(1), k = b.getAffineDimExpr(3);
  return kern::ContractOp::create(b, rows, taps, sums,
                                  AffineMap::get(4, 0, {tap, tile, k}, b.getContext()),
                                  AffineMap::get(3, 0, {tap}, b.getContext()), channels);
}

//===- Behind the products --------------------------------------------------===//

void Winograd::transformProducts() {
  results = scratch({m, m, width});
  std::optional<int64_t> allY = known(outY), allX = known(outX);
  loop(index(0), existing, 1, [&](Value tile) {
    SmallVector<Value> position = tileAt(add(firstTile, tile));
    position[1] = mul(position[1], m);
    position[2] = mul(position[2], m);
    auto transform = [&](bool isWhole) {
      loop(index(0), index(taskPanels), 1,
           [&](Value panel) { transformPanel(position, tile, panel, isWhole); });
    };
    if (!isShortEpilogue(op))
      return transform(false);
    if (allY && allX && *allY % m == 0 && *allX % m == 0)
      return transform(true);
    auto fits = [&](Value at, Value all) {
      return arith::CmpIOp::create(b, arith::CmpIPredicate::sle, add(at, index(m)), all);
    };
    when(arith::AndIOp::create(b, fits(position[1], outY), fits(position[2], outX)),
         [&] { transform(true); }, [&] { transform(false); });
  });
}

/// Stores the greatest of window (y, x) of a tile, whose first result is at `position`.
void Winograd::writePooled(Value most, ValueRange position, Value y, Value x, Value column, Value columnsLeft) {
  Value out = pool.getOutputs()[0];
  auto half = [&](Value even) -> Value { return arith::DivUIOp::create(b, even, index(2)); };
  SmallVector<Value> place{position[0], add(half(position[1]), y), add(half(position[2]), x), column};
  if (cast<MemRefType>(out.getType()).getRank() == 3)
    place.erase(place.begin());
  storeVector(b, most, out, place, columnsLeft);
}

/// What `results` has of a tile, whose first result is at `position`, finished and stored.
void Winograd::writeResults(ValueRange position, Value column, Value columnsLeft) {
  auto sumAt = [&](Value y, Value x) -> Value {
    return vector::LoadOp::create(b, VectorType::get({width}, b.getF32Type()), results, ValueRange{y, x, index(0)});
  };
  auto each = [&](llvm::function_ref<Value(Value all, Value first)> count, llvm::function_ref<void(Value y, Value x)> body) {
    loop(index(0), count(outY, position[1]), 1, [&](Value y) {
      loop(index(0), count(outX, position[2]), 1, [&](Value x) { body(y, x); });
    });
  };
  if (!pool)
    return each([&](Value all, Value first) { return extent(all, first, m); }, [&](Value y, Value x) {
      Value sum = sumAt(y, x);
      writeVector(b, op, placeOf(position, y, x, column), sum, columnsLeft);
    });
  auto windows = [&](Value all, Value first) -> Value { // of results that are pairs
    Value left = sub(index(*known(all) / 2 * 2), first);
    return arith::DivSIOp::create(b, smaller(left, index(m)), index(2));
  };
  each(windows, [&](Value y, Value x) {
    Value most;
    for (int64_t i = 0; i < 4; ++i) {
      Value row = add(mul(y, 2), index(i / 2)), at = add(mul(x, 2), index(i % 2)), sum = sumAt(row, at);
      most = largerOf(most, finishVector(b, op, placeOf(position, row, at, column), sum, columnsLeft));
    }
    writePooled(most, position, y, x, column, columnsLeft);
  });
}

/// The results of a tile, whose first is at `position`, and 16 columns. Of a whole tile with a short epilogue they
/// are stored from registers.
void Winograd::transformPanel(ValueRange position, Value tile, Value panel, bool isWhole) {
  Value first = mul(panel, width), column = mul(add(firstPanel, panel), width);
  SmallVector<SmallVector<int64_t, 2>> groups{{0, 1}};
  if (m == 4)
    groups = {{0, 2}, {1, 3}};
  auto transform = [&](Value lane, Visit visit) {
    auto element = [&](int64_t y, int64_t x) -> Value {
      return vector::LoadOp::create(b, vector, products,
                                    ValueRange{index(y * sides + x), tile, add(first, lane)});
    };
    inBothDims(element, &Winograd::outputChain, groups, visit);
  };
  auto write = [&](bool isPartial) {
    loop(index(0), index(width), lanes, [&](Value lane) {
      // Of the windows so far; of each pair of rows the upper one is made first.
      SmallVector<Value> most(m * m / 4);
      transform(lane, [&](int64_t y, int64_t x, Value sum) {
        if (!isWhole) {
          vector::StoreOp::create(b, sum, results, ValueRange{index(y), index(x), lane});
          return;
        }
        Value at = add(column, lane), columnsLeft = isPartial ? sub(index(columns), at) : Value();
        SmallVector<Value> place = placeOf(position, index(y), index(x), at);
        if (!pool)
          return writeVector(b, op, place, sum, columnsLeft);
        Value &window = most[y / 2 * (m / 2) + x / 2];
        window = largerOf(window, finishVector(b, op, place, sum, columnsLeft));
        if (y % 2 == 1 && x % 2 == 1)
          writePooled(window, position, index(y / 2), index(x / 2), at, columnsLeft);
      });
    });
    if (!isWhole)
      writeResults(position, column, isPartial ? sub(index(columns), column) : Value());
  };
  if (columns % width == 0)
    return write(false);
  when(below(sub(index(columns), column), index(width)), [&] { write(true); }, [&] { write(false); });
}

} // namespace

/// What reads, in the same kernel, what `op` makes there.
static linalg::GenericOp poolOf(kern::ContractOp op) {
  auto between = op.getInit().getDefiningOp<memref::AllocOp>();
  if (!between)
    return nullptr;
  for (Operation *user : between->getUsers()) {
    if (isa<memref::CollapseShapeOp>(user) && user->hasOneUse())
      user = *user->user_begin();
    if (auto pool = dyn_cast<linalg::GenericOp>(user))
      return pool;
  }
  return nullptr;
}

kern::ContractOp expandWinograd(kern::ContractOp op, int64_t lanes) {
  return Winograd(op, lanes, poolOf(op)).expand();
}

} // namespace burin::cpu
