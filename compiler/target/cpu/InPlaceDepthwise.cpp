// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/cpu/DepthwiseLoops.h"
#include "compiler/target/cpu/Fetch.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace burin::cpu {

namespace {
/// Panels of which rows are summed one after the other: their taps, and what rows share, stay in the
/// first cache.
constexpr int64_t panelsOfRows = 4;
/// What a feeder makes for a task should stay in the second cache.
constexpr int64_t fedBytes = 240 * 1024;
} // namespace

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
  if (groups == 1)
    return sumRows([&](Value y) {
      sumColumns(blocks, [&](const Block &block, Value x) { sumPanels(block, y, x, firstPanel, afterPanel); });
    });
  sumColumns(blocks, [&](const Block &block, Value x) {
    loop(firstPanel, afterPanel, few, [&](Value from) {
      Value to = add(from, panels % few == 0 ? index(few) : smaller(sub(afterPanel, from), index(few)));
      sumRows([&](Value y) { sumPanels(block, y, x, from, to); });
    });
  });
}

void Depthwise::sumColumns(ArrayRef<Block> blocks,
                           llvm::function_ref<void(const Block &, Value)> body) {
  for (const Block &block : blocks)
    loop(index(block.first), index(block.first + block.repeats * block.count), block.count,
         [&](Value x) { body(block, x); });
}

/// Of some rows and few panels, so that what the feeder makes for them stays in the second cache.
kern::ContractOp Depthwise::expandFed(ArrayRef<Block> blocks) {
  int64_t few = panels % 2 == 0 ? 2 : panels % 3 == 0 ? 3 : 1;
  int64_t rowBytes = *known(columns.in) * few * width * 4, all = *known(rows.out);
  int64_t blockRows = all;
  for (int64_t count = 2; blockRows > 1 && rows.reach(blockRows) * rowBytes > fedBytes; ++count)
    blockRows = llvm::divideCeil(all, count);
  // Whole register tiles of 6 rows need no code for less.
  for (int64_t fewer = blockRows; fewer * 4 >= blockRows * 3; --fewer)
    if (rows.reach(fewer) * *known(columns.in) % 6 == 0) {
      blockRows = fewer;
      break;
    }
  SmallVector<Value> at = tasks({batch, ceilDiv(rows.out, blockRows), index(panels / few)});
  results = scratch({together, lanes});
  image = at[0];
  firstRow = mul(at[1], blockRows);
  Value firstPanel = mul(at[2], few);
  keepConstants();
  kern::ContractOp part = feed(std::min(rows.reach(blockRows), *known(rows.in)), few, firstPanel);
  Value afterRow = add(firstRow, extent(rows.out, firstRow, blockRows));
  sumColumns(blocks, [&](const Block &block, Value x) {
    loop(firstRow, afterRow, 1,
         [&](Value y) { sumPanels(block, y, x, firstPanel, add(firstPanel, index(few))); });
  });
  return part;
}

/// Zeros and the epilogue's constants are loaded where they are used. Else they would be held in registers through all
/// of a task, of which the feeder's sums leave none.
void Depthwise::keepConstants() {
  op.getEpilogue().walk([&](Operation *inner) {
    for (OpOperand &operand : inner->getOpOperands())
      if (auto constant = operand.get().getDefiningOp<arith::ConstantOp>(); constant && constant.getType().isF32())
        constants.push_back(&operand);
  });
  kept = scratch({lanes + int64_t(constants.size())});
  vector::StoreOp::create(b, zero(vector), kept, ValueRange{index(0)});
  for (auto [i, operand] : llvm::enumerate(constants))
    memref::StoreOp::create(b, operand->get(), kept, ValueRange{index(lanes + int64_t(i))});
}

void Depthwise::reloadConstants() {
  for (auto [i, operand] : llvm::enumerate(constants))
    operand->set(memref::LoadOp::create(b, kept, ValueRange{index(lanes + int64_t(i))}));
}

/// The feeder's part of the rows of a task, at most `feedRows`, and panels. All of it lies in a row of places.
kern::ContractOp Depthwise::feed(int64_t feedRows, int64_t feedPanels, Value firstPanel) {
  auto larger = [&](Value x, Value y) -> Value { return arith::MaxSIOp::create(b, x, y); };
  int64_t wide = *known(columns.in), depth = feeder.getReduction()[0], length = feedPanels * width;
  Value top = sub(mul(firstRow, rows.stride), index(rows.pad));
  firstFed = smaller(larger(top, index(0)), sub(rows.in, index(feedRows)));
  firstChannel = mul(firstPanel, width);
  fed = scratch({feedRows, wide, length});

  auto collapsed = [&](Value memref, ArrayRef<ReassociationIndices> dims) -> Value {
    return memref::CollapseShapeOp::create(b, memref, dims);
  };
  auto part = [&](Value memref, ArrayRef<OpFoldResult> from, ArrayRef<int64_t> sizes) -> Value {
    SmallVector<OpFoldResult> ones(sizes.size(), b.getIndexAttr(1));
    return memref::SubViewOp::create(b, memref, from, getAsIndexOpFoldResult(b.getContext(), sizes), ones);
  };
  OpFoldResult zero = b.getIndexAttr(0);
  auto at = [](Value value) { return getAsOpFoldResult(value); };
  Value places = collapsed(feeder.getA(), {{0, 1, 2}, {3}});
  Value first = mul(add(mul(image, rows.in), firstFed), wide);
  Value read = part(places, {at(first), zero}, {feedRows * wide, depth});
  Value weights = part(feeder.getB(), {at(firstPanel), zero, zero}, {feedPanels, depth, width});
  SmallVector<Value> extras;
  for (Value extra : feeder.getExtras())
    extras.push_back(part(extra, {at(firstChannel)}, {length}));
  AffineExpr place = b.getAffineDimExpr(0), column = b.getAffineDimExpr(1), k = b.getAffineDimExpr(2);
  SmallVector<AffineMap> extraMaps(extras.size(), AffineMap::get(2, 0, column));
  auto made = kern::ContractOp::create(
      b, TypeRange(), read, weights, extras, collapsed(fed, {{0, 1}, {2}}),
      AffineMap::get(3, 0, {place, k}, b.getContext()), AffineMap::get(2, 0, {}, b.getContext()),
      b.getAffineMapArrayAttr(extraMaps), feeder.getReduction(), IntegerAttr());
  made.getEpilogue().takeBody(feeder.getEpilogue());
  return made;
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
  Value channel = add(mul(panel, width), lane);
  Value nothing = kept ? Value(vector::LoadOp::create(b, vector, kept, ValueRange{index(0)})) : zero(vector);
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
        if (fed)
          return vector::LoadOp::create(
              b, vector, fed, ValueRange{sub(row, firstFed), from[2], sub(channel, firstChannel)});
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
  if (fed || !exceedsSecondCache(op.getA()))
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

} // namespace burin::cpu
