// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/cpu/DepthwiseLoops.h"
#include "compiler/target/cpu/Fetch.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace burin::cpu {

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
  Value nothing = zero(vector);
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
