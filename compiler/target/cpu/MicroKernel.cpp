// SPDX-License-Identifier: Apache-2.0
//
// kern.contract on buffers -> loops around one micro-kernel, in upstream ops:
//
//   scf.forall task in batch x row blocks x column blocks      (ContractSchedule.h)
//     for K block                                              (Contract.td: these decide bits)
//       for panel group                                        its K block stays in L1
//         packed where `b` lies otherwise                      (Panels.h)
//   (the other way round where the task's rows stay in L2: panels are then read as they lie in memory)
//         for register tile of rows
//           sums = for tap: for k: load panels, broadcast rows, fma   in registers
//           first block: sums, later blocks: sums + partial
//           last block: epilogue and store, else: partial = sums      in scratch
//
// Rows that are no whole tile are tiles of their own: lower ones, or of a number that is told those of which some are
// computed at the last row's address and not stored. Columns past the end exist in the panels and are masked in the
// epilogue; where the last panel has no more than 8, the others are not computed. A tap that reads outside `a` reads a
// row of zeros instead, chosen by address.

#include "compiler/target/cpu/MicroKernel.h"

#include "compiler/target/cpu/Epilogue.h"
#include "compiler/target/cpu/Fetch.h"
#include "compiler/target/cpu/IndexBuilder.h"
#include "compiler/target/cpu/Panels.h"
#include "compiler/target/cpu/Rows.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace burin::cpu {
namespace {

constexpr int64_t width = kern::ContractOp::panelWidth;
constexpr int64_t maxBlock = kern::ContractOp::maxBlock;
constexpr int64_t halfPanel = width / 2; // takes half the time where an instruction has no more lanes

class Expansion : cpu::IndexBuilder {
public:
  Expansion(kern::ContractOp op, const cpu::VectorLevel &level)
      : IndexBuilder(op.getLoc(), op), op(op), level(level), left(op), right(op) {}

  LogicalResult run();

private:
  //===- Parts, in the order of the file -------------------------------------===//

  LogicalResult readOp();
  void expandTask(ValueRange batch, Value rowBlock, Value panelBlock);
  void expandPanels(Value panels, int64_t tilePanels,
                    llvm::function_ref<void(Value panel, int64_t count, int64_t lastLanes)> body);
  void expandRows(Value firstRow, Value rows, int64_t height,
                  llvm::function_ref<void(Value row, int64_t height, bool isTail)> body);

  /// One register tile: where its rows and columns lie.
  struct Tile {
    int64_t rows, panels;          // static size
    int64_t lastLanes;             // of the last of its panels, all of the others
    bool isTail;                   // one of the last rows; of a told number some may not exist
    SmallVector<Value> batch;      // batch dims
    Value firstRow, rowsLeft;      // in the whole result; rows that exist from there on
    Value panel;                   // first panel
    Value partialRow, partialPanel; // place in scratch
  };
  VectorType vectorOf(const Tile &tile, int64_t panel) {
    return panel + 1 == tile.panels ? VectorType::get({tile.lastLanes}, b.getF32Type()) : vector;
  }
  bool mayPass(const Tile &tile) { return tile.isTail && !known(numRows); }
  void expandTile(const Tile &tile, Value block);
  void fetchAhead(const Tile &tile, Value depthOffset, Value length);
  SmallVector<Value> accumulate(const Tile &tile, Value block);
  void finish(const Tile &tile, ValueRange sums);
  void finishVector(SmallVector<Value> dims, Value column, Value columnsLeft, Value sum, bool masked) {
    dims.back() = column;
    cpu::writeVector(b, op, dims, sum, masked ? columnsLeft : Value());
  }

  /// What of K a block has: whole taps, or a part of one.
  struct Span {
    Value firstTap, lastTap, from, to;
  };
  Span spanOf(Value block);

  SmallVector<Value> dimsOfBatch(ValueRange batch);
  SmallVector<Value> dimsOfRow(const Tile &tile, Value row);
  SmallVector<SmallVector<Value>> dimsOfRows(const Tile &tile);

  kern::ContractOp op;
  const cpu::VectorLevel &level;
  cpu::Rows left;
  cpu::Panels right;

  // The op, read once.
  VectorType vector;
  unsigned numParallel = 0;
  SmallVector<Value> sizes;              // of the parallel dims
  SmallVector<unsigned> batchDims, rowDims;
  Value numRows, numColumns, numPanels, depth; // depth: K
  kern::ContractOp::Blocks blocks;
  Value numBlocks, taps, inner;
  cpu::ContractSchedule schedule;
  cpu::RowTail tail;                     // of a known number of rows
  int64_t lastLanes = width;             // that the last of all panels needs, where a task has them all
  Value wholeRows;                       // those before it
  bool unrolledEpilogue = true;
  bool fetchesAhead = false;             // panels are more than the second cache holds
  Value taskPanel, taskPanelEnd;         // of the task that is made
  bool divides = false;                  // rows are found by divisions by what is told
  SmallVector<SmallVector<Value>> rowsOfTile; // dims of each row of the tile that is made
  // Per-worker scratch.
  Value partial, zeros;
};

//===- Reading the op -------------------------------------------------------===//

LogicalResult Expansion::readOp() {
  vector = VectorType::get({width}, b.getF32Type());
  blocks = op.getBlocks();
  numParallel = op.getNumParallel();
  SmallVector<Value> rowSizes;
  for (unsigned d = 0; d < numParallel; ++d) {
    sizes.push_back(sizeOf(op.getInit(), d));
    if (d + 1 == numParallel)
      continue;
    if (op.getBMap().isFunctionOfDim(d)) {
      batchDims.push_back(d);
    } else {
      rowDims.push_back(d);
      rowSizes.push_back(sizes[d]);
    }
  }
  numRows = product(rowSizes);
  divides = llvm::any_of(ValueRange(rowSizes).drop_front(!rowSizes.empty()),
                         [](Value size) { return !known(size); });
  numColumns = sizes.back();
  numPanels = ceilDiv(numColumns, width);
  int64_t onlyStep = op.getReduction().back();
  depth = op.isPacked() || ShapedType::isDynamic(onlyStep) ? sizeOf(op.getB(), op.getDepthDim())
                                                           : index(onlyStep);
  taps = index(blocks.taps);
  inner = ShapedType::isDynamic(blocks.inner) ? depth : index(blocks.inner);
  if (blocks.innerBlock == blocks.inner) {
    numBlocks = ceilDiv(taps, blocks.tapsPerBlock);
  } else {
    Value perTap = ceilDiv(inner, maxBlock);
    if (!known(perTap)) // an empty sum is a block of its own
      perTap = arith::MaxUIOp::create(b, perTap, index(1));
    numBlocks = mul(taps, perTap);
  }
  if (known(numBlocks) == 0)
    numBlocks = index(1);

  if (failed(left.read(b, sizes)))
    return failure();
  int64_t k = ShapedType::isDynamic(blocks.inner) ? ShapedType::kDynamic
                                                  : blocks.taps * blocks.inner;
  schedule = cpu::tunedSchedule(
      op, level, {known(numRows).value_or(ShapedType::kDynamic),
                  known(numPanels).value_or(ShapedType::kDynamic), k});
  wholeRows = numRows;
  if (std::optional<int64_t> rows = known(numRows)) {
    tail = cpu::chooseTail(level, *rows, schedule.tileRows, schedule.tilePanels);
    wholeRows = index(*rows - tail.rows * tail.tiles);
  }
  fetchesAhead = op.isPacked() && cpu::exceedsSecondCache(op.getB());
  unrolledEpilogue = cpu::isShortEpilogue(op);
  if (known(numColumns) && known(numRows) && op.isPacked() && schedule.taskPanels >= *known(numPanels) &&
      (*known(numColumns) - 1) % width < halfPanel)
    lastLanes = halfPanel;
  return success();
}

//===- Tasks ----------------------------------------------------------------===//

LogicalResult Expansion::run() {
  cpu::collapseRowDims(b, op);
  b.setInsertionPoint(op);
  if (failed(readOp()))
    return failure();

  SmallVector<Value> batchSizes = llvm::map_to_vector(batchDims, [&](unsigned d) { return sizes[d]; });
  Value batches = product(batchSizes), rowBlocks = ceilDiv(wholeRows, schedule.taskRows),
        panelBlocks = ceilDiv(numPanels, schedule.taskPanels);
  SmallVector<Value> grid{batches, panelBlocks, rowBlocks};
  if (!schedule.rowsFastest)
    std::swap(grid[1], grid[2]);
  auto forall = scf::ForallOp::create(b, b.getLoc(), getAsOpFoldResult(grid), ValueRange{},
                                      std::nullopt);
  b.setInsertionPointToStart(forall.getBody());
  SmallVector<Value> ids(forall.getInductionVars());
  if (!schedule.rowsFastest)
    std::swap(ids[1], ids[2]);
  Value backward = cpu::goesBackward(b, op);
  for (auto [id, count] : llvm::zip_equal(ids, SmallVector<Value>{batches, panelBlocks, rowBlocks}))
    if (known(count) == 1)
      id = index(0);
    else if (backward)
      id = arith::SelectOp::create(b, backward, sub(sub(count, index(1)), id), id);
  expandTask(delinearize(ids[0], batchSizes), ids[2], ids[1]);
  op.erase();
  return success();
}

void Expansion::expandTask(ValueRange batch, Value rowBlock, Value panelBlock) {
  Value firstRow = mul(rowBlock, schedule.taskRows),
        firstPanel = mul(panelBlock, schedule.taskPanels);
  Value rows = extent(wholeRows, firstRow, schedule.taskRows),
        panels = extent(numPanels, firstPanel, schedule.taskPanels);
  taskPanel = firstPanel;
  taskPanelEnd = add(firstPanel, panels);
  if (known(numBlocks) != 1 || !unrolledEpilogue) {
    int64_t height = llvm::alignTo(schedule.taskRows, schedule.tileRows) + tail.rows * tail.tiles;
    partial = scratch({schedule.blocksFastest ? level.maxPanels : schedule.taskPanels, height, width});
  }
  bool mayBeOne = ShapedType::isDynamic(known(numRows).value_or(ShapedType::kDynamic));
  right.allocate(b, mayBeOne ? level.maxPanels : schedule.tilePanels, blocks.innerBlock,
                 !mayBeOne && *known(numRows) <= schedule.tileRows);
  if (left.areChecked())
    zeros = scratchOfZeros(std::max<int64_t>(blocks.innerBlock, 1), vector);
  auto allBlocks = [&](int64_t tileRows, int64_t tilePanels) {
    auto walkRows = [&](Value block, Value panel, int64_t count, int64_t lanes) {
      Span span = spanOf(block);
      right.take(b, dimsOfBatch(batch), add(firstPanel, panel), count, span.from, span.to);
      expandRows(firstRow, rows, tileRows, [&](Value row, int64_t height, bool isTail) {
        Tile tile{height, count, lanes, isTail, llvm::to_vector(batch), add(firstRow, row), sub(rows, row),
                  add(firstPanel, panel), row, schedule.blocksFastest ? index(0) : panel};
        expandTile(tile, block);
      });
    };
    if (schedule.blocksFastest)
      return expandPanels(panels, tilePanels, [&](Value panel, int64_t count, int64_t lanes) {
        loop(index(0), numBlocks, 1, [&](Value block) { walkRows(block, panel, count, lanes); });
      });
    loop(index(0), numBlocks, 1, [&](Value block) {
      expandPanels(panels, tilePanels, [&](Value panel, int64_t count, int64_t lanes) {
        walkRows(block, panel, count, lanes);
      });
    });
  };
  // A single row of many wants several panels at once: a chain each.
  if (mayBeOne) {
    Value single = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, rows, index(1));
    when(single, [&] { allBlocks(1, level.maxPanels); },
         [&] { allBlocks(schedule.tileRows, schedule.tilePanels); });
  } else {
    allBlocks(schedule.tileRows, schedule.tilePanels);
  }
}

/// `body` for groups of `tilePanels` panels, and for each panel of the last where it is smaller.
void Expansion::expandPanels(Value panels, int64_t tilePanels,
                             llvm::function_ref<void(Value panel, int64_t count, int64_t lastLanes)> body) {
  if (lastLanes != width) {
    int64_t all = *known(numPanels), last = all % tilePanels == 0 ? tilePanels : 1;
    int64_t grouped = (all - last) / tilePanels * tilePanels;
    loop(index(0), index(grouped), tilePanels, [&](Value panel) { body(panel, tilePanels, width); });
    loop(index(grouped), index(all - last), 1, [&](Value single) { body(single, 1, width); });
    return body(index(all - last), last, lastLanes);
  }
  loop(index(0), panels, tilePanels, [&](Value panel) {
    Value left = sub(panels, panel);
    Value partOnly = isBelow(left, index(tilePanels));
    if (known(panels) && *known(panels) % tilePanels == 0)
      partOnly = arith::ConstantOp::create(b, b.getBoolAttr(false));
    if (tilePanels == 1)
      return body(panel, 1, width);
    when(partOnly, [&] { loop(panel, panels, 1, [&](Value single) { body(single, 1, width); }); },
         [&] { body(panel, tilePanels, width); });
  });
}

/// `body` for tiles of `height` of a task's rows, then for what is left: code of its own, so that whole tiles look at
/// no row. Of a known number the last task, whose whole tiles are `rows`, has the tail.
void Expansion::expandRows(Value firstRow, Value rows, int64_t height,
                           llvm::function_ref<void(Value row, int64_t height, bool isTail)> body) {
  if (known(numRows)) {
    loop(index(0), rows, height, [&](Value row) { body(row, height, false); });
    if (tail.tiles == 0)
      return;
    Value isFollowed = isBelow(add(firstRow, index(schedule.taskRows)), wholeRows);
    when(isFollowed, [] {}, [&] {
      if (tail.tiles == 1)
        return body(rows, tail.rows, true);
      loop(rows, add(rows, index(tail.rows * tail.tiles)), tail.rows,
           [&](Value row) { body(row, tail.rows, true); });
    });
    return;
  }
  Value left = height == 1 ? index(0) : Value(arith::RemUIOp::create(b, rows, index(height)));
  Value whole = sub(rows, left);
  loop(index(0), whole, height, [&](Value row) { body(row, height, false); });
  if (height != 1)
    when(below(whole, rows), [&] { body(whole, height, true); });
}

//===- Tiles ----------------------------------------------------------------===//

/// Values of the parallel dims that `b` is read at; null for the others.
SmallVector<Value> Expansion::dimsOfBatch(ValueRange batch) {
  SmallVector<Value> dims(numParallel);
  for (auto [d, value] : llvm::zip_equal(batchDims, batch))
    dims[d] = value;
  return dims;
}

/// Values of the parallel dims but the column dim, for a row of the result.
SmallVector<Value> Expansion::dimsOfRow(const Tile &tile, Value row) {
  SmallVector<Value> dims = dimsOfBatch(tile.batch);
  SmallVector<Value> rowSizes = llvm::map_to_vector(rowDims, [&](unsigned d) { return sizes[d]; });
  for (auto [d, value] : llvm::zip_equal(rowDims, delinearize(row, rowSizes)))
    dims[d] = value;
  return dims;
}

/// As above for each row of the tile; those past the end repeat the last. Sizes that are told when the
/// kernel runs are divided by once, for the first row.
SmallVector<SmallVector<Value>> Expansion::dimsOfRows(const Tile &tile) {
  SmallVector<SmallVector<Value>> rows;
  bool mayPass = this->mayPass(tile);
  Value lastRow = sub(numRows, index(1));
  SmallVector<Value> rowSizes = llvm::map_to_vector(rowDims, [&](unsigned d) { return sizes[d]; });
  for (int64_t r = 0; r < tile.rows; ++r) {
    Value row = add(tile.firstRow, index(r));
    if (!divides || r == 0) {
      rows.push_back(dimsOfRow(tile, r > 0 && mayPass ? smaller(row, lastRow) : row));
      continue;
    }
    Value step = mayPass ? asIndex(below(row, numRows)) : index(1);
    SmallVector<Value> next = advance(
        llvm::map_to_vector(rowDims, [&](unsigned d) { return rows.back()[d]; }), rowSizes, step);
    rows.push_back(rows.back());
    for (auto [d, value] : llvm::zip_equal(rowDims, next))
      rows.back()[d] = value;
  }
  return rows;
}

void Expansion::expandTile(const Tile &tile, Value block) {
  Value last = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, add(block, index(1)), numBlocks);
  if (known(numBlocks) == 1)
    last = arith::ConstantOp::create(b, b.getBoolAttr(true));
  if (cpu::fetchesExtras(op))
    when(last, [&] {
      for (SmallVector<Value> &dims : dimsOfRows(tile))
        for (int64_t p = 0; p < tile.panels; ++p) {
          dims.back() = mul(add(tile.panel, index(p)), width);
          cpu::fetchExtras(b, op, dims);
        }
    });
  SmallVector<Value> sums = accumulate(tile, block);
  auto place = [&](int64_t i) {
    return SmallVector<Value>{add(tile.partialPanel, index(i % tile.panels)),
                              add(tile.partialRow, index(i / tile.panels)), index(0)};
  };
  auto putAside = [&] {
    for (auto [i, sum] : llvm::enumerate(sums))
      vector::StoreOp::create(b, sum, partial, place(i));
  };
  if (known(numBlocks) != 1) {
    Value later = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, block, index(0));
    auto added = scf::IfOp::create(
        b, later,
        [&](OpBuilder &builder, Location loc) {
          SmallVector<Value> totals;
          for (auto [i, sum] : llvm::enumerate(sums)) {
            Value before = vector::LoadOp::create(builder, loc, cast<VectorType>(sum.getType()), partial, place(i));
            totals.push_back(arith::AddFOp::create(builder, loc, before, sum));
          }
          scf::YieldOp::create(builder, loc, totals);
        },
        [&](OpBuilder &builder, Location loc) { scf::YieldOp::create(builder, loc, sums); });
    sums.assign(added.result_begin(), added.result_end());
  }
  when(last, [&] {
    if (!unrolledEpilogue)
      putAside();
    finish(tile, sums);
  }, putAside);
}

/// While a tile of rows is summed, a part of the panels that come next is fetched: the hardware's own
/// fetching ends at each page.
void Expansion::fetchAhead(const Tile &tile, Value depthOffset, Value length) {
  int64_t tiles = llvm::divideCeil(schedule.taskRows, tile.rows);
  Value number = arith::DivUIOp::create(b, tile.partialRow, index(tile.rows));
  Value each = arith::CeilDivUIOp::create(b, length, index(tiles));
  Value first = smaller(mul(number, each), length), last = smaller(add(first, each), length);
  // The same block of the next panels, or what follows in memory: behind the task's panels those of the
  // next of a batch.
  SmallVector<Value> dims = dimsOfBatch(tile.batch);
  Value panel = tile.panel, ahead = depthOffset, end = sub(numPanels, index(1));
  if (schedule.blocksFastest) {
    ahead = add(depthOffset, smaller(depth, index(maxBlock)));
    if (op.getBMap().getNumResults() != 0) {
      Value isLast = arith::CmpIOp::create(b, arith::CmpIPredicate::uge,
                                           add(tile.panel, index(tile.panels)), taskPanelEnd);
      Value isBehind = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, add(ahead, first), depth);
      Value wraps = arith::AndIOp::create(b, isLast, isBehind);
      Value &inBatch = dims[op.getBMap().getDimPosition(op.getBMap().getNumResults() - 1)];
      inBatch = add(inBatch, asIndex(wraps));
      panel = arith::SelectOp::create(b, wraps, taskPanel, panel);
      ahead = sub(ahead, mul(asIndex(wraps), depth));
    }
  }
  loop(first, last, 1, [&](Value k) {
    for (int64_t p = 0; p < tile.panels; ++p)
      right.fetch(b, dims,
                  schedule.blocksFastest ? add(panel, index(p))
                                         : smaller(add(panel, index(tile.panels + p)), end),
                  ahead, k);
  });
}

Expansion::Span Expansion::spanOf(Value block) {
  Span span{index(0), index(1), index(0), inner};
  if (blocks.innerBlock == blocks.inner) {
    span.firstTap = mul(block, blocks.tapsPerBlock);
    span.lastTap = blocks.taps % blocks.tapsPerBlock == 0
                       ? add(span.firstTap, index(blocks.tapsPerBlock))
                       : smaller(add(span.firstTap, index(blocks.tapsPerBlock)), taps);
    if (known(numBlocks) == 1)
      span.lastTap = taps;
    return span;
  }
  Value part = block;
  if (blocks.taps != 1) {
    SmallVector<Value> split = delinearize(block, {taps, ceilDiv(inner, maxBlock)});
    span.firstTap = split[0];
    span.lastTap = add(span.firstTap, index(1));
    part = split[1];
  }
  span.from = mul(part, maxBlock);
  span.to = known(inner) && *known(inner) % maxBlock == 0
                ? add(span.from, index(maxBlock))
                : smaller(add(span.from, index(maxBlock)), inner);
  return span;
}

/// The sums of one K block, row by row, panel by panel.
SmallVector<Value> Expansion::accumulate(const Tile &tile, Value block) {
  auto [firstTap, lastTap, from, to] = spanOf(block);

  rowsOfTile = dimsOfRows(tile);
  SmallVector<cpu::Rows::Row> rows = llvm::map_to_vector(
      rowsOfTile, [&](ArrayRef<Value> dims) { return left.rowAt(b, dims); });
  SmallVector<Value> batch = dimsOfBatch(tile.batch);

  // One tap: rows' addresses, then the chain over the last reduction dim.
  auto accumulateTap = [&](Value tap, ValueRange sums) {
    SmallVector<Value> tapSizes;
    for (int64_t size : op.getReduction().drop_back())
      tapSizes.push_back(index(size));
    SmallVector<Value> tapDims = tapSizes.empty() ? SmallVector<Value>{} : delinearize(tap, tapSizes);
    SmallVector<Value> views = left.elementsOf(b, rows, tapDims, from, inner, zeros);
    Value depthOffset = add(mul(tap, inner), from);
    if (fetchesAhead && schedule.taskRows > tile.rows && !tile.isTail)
      fetchAhead(tile, depthOffset, sub(to, from));
    auto chain = scf::ForOp::create(b, index(0), sub(to, from), index(1), sums);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(chain.getBody());
    Value k = chain.getInductionVar();
    SmallVector<Value> columns, next(chain.getRegionIterArgs());
    for (int64_t p = 0; p < tile.panels; ++p)
      columns.push_back(right.load(b, vectorOf(tile, p), batch, add(tile.panel, index(p)), p, depthOffset, k));
    for (int64_t r = 0; r < tile.rows; ++r) {
      Value element = memref::LoadOp::create(b, views[r], ValueRange{k});
      Value splat = vector::BroadcastOp::create(b, vectorOf(tile, 0), element);
      for (int64_t p = 0; p < tile.panels; ++p) {
        if (splat.getType() != columns[p].getType()) // a register's part
          splat = vector::ExtractStridedSliceOp::create(b, splat, ArrayRef<int64_t>{0},
                                                        ArrayRef<int64_t>{tile.lastLanes}, ArrayRef<int64_t>{1});
        Value &sum = next[r * tile.panels + p];
        sum = math::FmaOp::create(b, splat, columns[p], sum);
      }
    }
    scf::YieldOp::create(b, next);
    return SmallVector<Value>(chain.getResults());
  };

  SmallVector<Value> sums;
  for (int64_t i = 0; i < tile.rows * tile.panels; ++i)
    sums.push_back(arith::ConstantOp::create(b, DenseElementsAttr::get(vectorOf(tile, i % tile.panels), 0.0f)));
  if (blocks.taps == 1 || (known(firstTap) && known(lastTap) == *known(firstTap) + 1))
    return accumulateTap(firstTap, sums);
  auto tapLoop = scf::ForOp::create(b, firstTap, lastTap, index(1), sums);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(tapLoop.getBody());
  SmallVector<Value> made = accumulateTap(tapLoop.getInductionVar(), tapLoop.getRegionIterArgs());
  scf::YieldOp::create(b, made);
  return SmallVector<Value>(tapLoop.getResults());
}

//===- Epilogue -------------------------------------------------------------===//

/// Epilogue and store of a tile's existing rows and columns.
void Expansion::finish(const Tile &tile, ValueRange sums) {
  // Whether the last panel can be partial, and this one is.
  auto withMask = [&](int64_t p, Value columnsLeft, llvm::function_ref<void(bool)> body) {
    if (known(numColumns) && *known(numColumns) % width == 0)
      return body(false);
    if (lastLanes != width)
      return body(vectorOf(tile, p) != vector && *known(numColumns) % lastLanes != 0);
    when(below(columnsLeft, index(width)), [&] { body(true); }, [&] { body(false); });
  };
  for (int64_t p = 0; p < tile.panels; ++p) {
    Value column = mul(add(tile.panel, index(p)), width);
    Value columnsLeft = sub(numColumns, column);
    withMask(p, columnsLeft, [&](bool masked) {
      if (!unrolledEpilogue) {
        loop(index(0), mayPass(tile) ? tile.rowsLeft : index(tile.rows), 1, [&](Value r) {
          SmallVector<Value> at{add(tile.partialPanel, index(p)), add(tile.partialRow, r), index(0)};
          Value sum = vector::LoadOp::create(b, vectorOf(tile, p), partial, at);
          finishVector(dimsOfRow(tile, add(tile.firstRow, r)), column, columnsLeft, sum, masked);
        });
        return;
      }
      for (int64_t r = 0; r < tile.rows; ++r) {
        Value exists = r > 0 && mayPass(tile) ? isBelow(index(r), tile.rowsLeft)
                                              : Value(arith::ConstantOp::create(b, b.getBoolAttr(true)));
        when(exists, [&] {
          finishVector(divides ? rowsOfTile[r] : dimsOfRow(tile, add(tile.firstRow, index(r))),
                       column, columnsLeft, sums[r * tile.panels + p], masked);
        });
      }
    });
  }
}

} // namespace

LogicalResult expandProducts(kern::ContractOp op, const VectorLevel &level) {
  return Expansion(op, level).run();
}

} // namespace burin::cpu
