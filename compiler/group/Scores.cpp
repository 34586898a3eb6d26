// SPDX-License-Identifier: Apache-2.0
#include "compiler/group/Scores.h"

#include "compiler/group/Copies.h"
#include "compiler/group/Group.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace burin::group {
namespace {

/// The scores of a tile: they are written, and read three times, while both factors' panels stream by.
constexpr int64_t tileBytes = 192 * 1024;
constexpr int64_t mostRows = 96, leastRows = 12;

/// The largest number of rows that divides `size` and fits, else all where they do; 0 where neither is so.
int64_t rowsOfTile(int64_t size, int64_t rowBytes) {
  int64_t most = std::min(mostRows, tileBytes / std::max<int64_t>(rowBytes, 1));
  if (size <= most)
    return size;
  for (int64_t rows = most; rows >= leastRows; --rows)
    if (size % rows == 0)
      return rows;
  return size <= tileBytes / std::max<int64_t>(rowBytes, 1) ? size : 0;
}

/// Whether `map` reads the dims of `tiled` as they are, or with something added where `shifted` lets it.
bool readsPlainly(AffineMap map, const llvm::SmallBitVector &tiled, bool shifted) {
  return llvm::all_of(map.getResults(), [&](AffineExpr expr) {
    bool readsTile =
        llvm::any_of(tiled.set_bits(), [&](unsigned d) { return expr.isFunctionOfDim(d); });
    std::optional<Place> place = placeOf(expr);
    return !readsTile || (place && (shifted || place->offset == 0));
  });
}

class Chain {
public:
  explicit Chain(kern::ContractOp root) : root(root) {}

  SmallVector<Operation *> find() {
    // Weights would be read again for each tile's rows: two layers are two kernels.
    if (isa_and_present<plan::ConstantOp, arith::ConstantOp>(dataOf(root.getB()).getDefiningOp()))
      return {};
    SmallVector<int64_t> tiles = scoreTiles(root);
    if (tiles.empty())
      return {};
    llvm::SmallBitVector tiled(tiles.size()), positions(root.getAMap().getNumResults());
    for (auto [d, tile] : llvm::enumerate(tiles))
      if (tile != 0)
        tiled.set(d);
    for (auto [i, expr] : llvm::enumerate(root.getAMap().getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(expr); dim && dim.getPosition() < tiles.size())
        if (tiled.test(dim.getPosition()))
          positions.set(i);
    if (!tilesContraction(root, tiled) || !take(root.getA(), positions) || contractions != 1)
      return {};
    // What the epilogue reads of the same rows: the softmax's totals.
    for (auto [extra, map] : llvm::zip_equal(root.getExtras(),
                                             root.getExtraMaps().getAsValueRange<AffineMapAttr>()))
      if (readsScores(extra) && !takeRead(extra, map, tiled))
        return {};
    for (Operation *op : ops)
      for (Operation *user : op->getUsers())
        if (user != root && !ops.contains(user))
          return {};
    SmallVector<Operation *> sorted = ops.takeVector();
    llvm::sort(sorted, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
    return sorted;
  }

private:
  static bool tilesContraction(kern::ContractOp op, const llvm::SmallBitVector &tiled) {
    auto isPlain = [&](AffineMap map) { return readsPlainly(map, tiled, /*shifted=*/true); };
    return !op.isPicture() && !tiled.test(op.getNumParallel() - 1) && isPlain(op.getAMap()) &&
           isPlain(op.getBMap()) &&
           llvm::all_of(op.getExtraMaps().getAsValueRange<AffineMapAttr>(), isPlain);
  }

  /// Whether `value` is made of what the chain has, by a few ops.
  bool readsScores(Value value, unsigned steps = 3) {
    Operation *def = value.getDefiningOp();
    if (def && ops.contains(def))
      return true;
    auto generic = dyn_cast_or_null<linalg::GenericOp>(def);
    return generic && steps > 0 && llvm::any_of(generic.getDpsInputs(), [&](Value input) {
             return readsScores(input, steps - 1);
           });
  }

  /// Adds what computes `value`, of which `positions` are tiled; false where that cannot be.
  bool take(Value value, const llvm::SmallBitVector &positions) {
    Operation *def = value.getDefiningOp();
    if (!def || def->getBlock() != root->getBlock() || def->getNumResults() != 1 ||
        ops.size() > 16)
      return false;
    auto type = cast<RankedTensorType>(value.getType());
    if (!type.hasStaticShape())
      return false;
    auto [known, isNew] = taken.try_emplace(def, positions);
    if (!isNew)
      return known->second == positions;
    ops.insert(def);
    if (auto contract = dyn_cast<kern::ContractOp>(def)) {
      ++contractions;
      return tilesContraction(contract, positions);
    }
    auto generic = dyn_cast<linalg::GenericOp>(def);
    return generic && takeInputs(generic, positions);
  }

  bool takeInputs(linalg::GenericOp op, const llvm::SmallBitVector &positions) {
    AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
    Operation *init = op.getDpsInits()[0].getDefiningOp();
    if (!out.isProjectedPermutation() || !init || !isCheap(init) || !isMemoryEffectFree(op) ||
        op.getBody()->walk([](tensor::ExtractOp) { return WalkResult::interrupt(); }).wasInterrupted())
      return false;
    llvm::SmallBitVector loops(op.getNumLoops());
    for (unsigned p : positions.set_bits())
      loops.set(out.getDimPosition(p));
    for (OpOperand *operand : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(operand);
      if (!readsPlainly(map, loops, false) || !takeRead(operand->get(), map, loops))
        return false;
    }
    return true;
  }

  /// Adds what computes `value`, which is read by `map` for the tiled `loops`. What is the same for many
  /// rows is computed before; a part of it is read.
  bool takeRead(Value value, AffineMap map, const llvm::SmallBitVector &loops) {
    llvm::SmallBitVector read(map.getNumResults());
    for (auto [i, expr] : llvm::enumerate(map.getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(expr);
          dim && dim.getPosition() < loops.size() && loops.test(dim.getPosition()))
        read.set(i);
    Operation *def = value.getDefiningOp();
    bool isComputed = def && isa<kern::ContractOp, linalg::GenericOp>(def);
    return !isComputed || read.count() != loops.count() || take(value, read);
  }

  kern::ContractOp root;
  llvm::SetVector<Operation *> ops;
  DenseMap<Operation *, llvm::SmallBitVector> taken;
  unsigned contractions = 0;
};

} // namespace

SmallVector<int64_t> scoreTiles(kern::ContractOp root) {
  auto type = dyn_cast<RankedTensorType>(root.getInit().getType()),
       scores = dyn_cast<RankedTensorType>(root.getA().getType());
  if (!type || !scores || !type.hasStaticShape() || !scores.hasStaticShape() ||
      root.getReduction().size() != 1 || !root.getAMap().isProjectedPermutation())
    return {};
  unsigned columns = type.getRank() - 1;
  AffineExpr last = root.getAMap().getResult(root.getAMap().getNumResults() - 1);
  if (last != getAffineDimExpr(columns + 1, root.getContext()))
    return {};
  SmallVector<int64_t> tiles(type.getRank(), 0);
  std::optional<unsigned> rows;
  for (unsigned d = 0; d < columns; ++d) {
    if (!root.getAMap().isFunctionOfDim(d) || type.getDimSize(d) == 0)
      return {};
    if (type.getDimSize(d) == 1)
      continue;
    tiles[d] = 1;
    if (!root.getBMap().isFunctionOfDim(d) && (!rows || type.getDimSize(d) > type.getDimSize(*rows)))
      rows = d;
  }
  int64_t rowBytes = root.getReduction()[0] * 4;
  if (rowBytes == 0 || rowBytes * leastRows > tileBytes)
    return {};
  if (rows && (tiles[*rows] = rowsOfTile(type.getDimSize(*rows), rowBytes)) == 0)
    return {};
  return tiles;
}

SmallVector<Operation *> scoresOf(kern::ContractOp root) { return Chain(root).find(); }

} // namespace burin::group
