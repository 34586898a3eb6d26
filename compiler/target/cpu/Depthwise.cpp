// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/cpu/Depthwise.h"

#include "compiler/target/cpu/DepthwiseLoops.h"
#include "compiler/target/cpu/Epilogue.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace burin::cpu {

namespace {
/// Results whose sums are in registers beside a row of taps: the more, the less is loaded for a
/// product.
constexpr int64_t mostTogether = 8, leastTogether = 4;
/// Kinds of blocks that a row of results may have: each is code.
constexpr size_t mostKinds = 6;
} // namespace

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

/// Nothing where the columns are not known, or where they would be more than `most` kinds of code.
std::optional<SmallVector<Depthwise::Block>> Depthwise::blocksOfRow(size_t most) const {
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
    if (blocks.size() > most)
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

SmallVector<kern::ContractOp> Depthwise::expand() {
  b.setInsertionPoint(product ? product : op);
  readOp();
  chooseTogether();
  std::optional<SmallVector<Block>> blocks = blocksOfRow(feeder || product ? SIZE_MAX : mostKinds);
  if (feeder || product)
    expandChain(*blocks);
  else if (blocks)
    expandInPlace(*blocks);
  else
    expandByWindows();
  SmallVector<Operation *> gone; // what reads comes before what it reads
  if (product)
    gone = {product, op, op.getInit().getDefiningOp()};
  else
    gone = {op};
  if (feeder)
    gone.append({feeder, feeder.getInit().getDefiningOp()});
  for (Operation *each : gone)
    each->erase();
  return parts;
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
    SmallVector<Value> dims{image, y, position, channel};
    if (!made)
      return writeVector(b, op, dims, sum, channelsLeft);
    Value result = finishVector(b, op, dims, sum, channelsLeft);
    storeVector(b, result, made, ValueRange{sub(y, firstRow), position, channel}, channelsLeft);
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

kern::ContractOp feederOf(kern::ContractOp op) {
  auto between = op.getA().getDefiningOp<memref::AllocOp>();
  if (!between)
    return nullptr;
  for (Operation *user : between->getUsers())
    if (auto contract = dyn_cast<kern::ContractOp>(user); contract && contract.getInit() == between.getResult())
      return contract.isDepthwise() != op.isDepthwise() ? contract : nullptr;
  return nullptr;
}

SmallVector<kern::ContractOp> expandDepthwise(kern::ContractOp op, const VectorLevel &level) {
  if (op.isDepthwise())
    return Depthwise(op, level, feederOf(op), nullptr).expand();
  kern::ContractOp depthwise = feederOf(op);
  return Depthwise(depthwise, level, feederOf(depthwise), op).expand();
}

} // namespace burin::cpu
