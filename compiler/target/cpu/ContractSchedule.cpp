// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/cpu/ContractSchedule.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace burin::cpu {

//===- Tiles and tasks ------------------------------------------------------===//

namespace {
// Rough rates of one core; they size tasks and nothing else.
constexpr double productsPerMicrosecond = 50e3;
constexpr double bytesPerMicrosecond = 25e3; // weights, from memory
constexpr double taskMicroseconds = 40;
constexpr int64_t assumedRows = 256;  // where the row count is an argument
constexpr int64_t assumedPanels = 16; // where the column count is
constexpr int64_t rowsPerHalfMiB = 102; // whose K block stays in a second cache of so much: 102 x 192 x 4 bytes
constexpr int64_t maxTaskPanels = 64;
constexpr int64_t wantedTasks = 32;       // enough for threads to share; more of a large product
constexpr int64_t panelsPerRead = 16;     // would read rows again and again: that many panels each time do
constexpr int64_t rowCacheBytes = 1 << 20; // of a single row's panels: more come from memory
constexpr int64_t keptEighths = 3;        // of the second cache: so much of a task's rows stays there whole
} // namespace

/// Panels of a register tile of so many rows, of those that there are.
static int64_t tilePanelsFor(const VectorLevel &level, int64_t tileRows, int64_t panels) {
  int64_t most = std::min({level.accumulators / tileRows, level.registers / (tileRows + 1), level.maxPanels});
  if (!ShapedType::isDynamic(panels))
    most = std::min(most, panels);
  return std::max<int64_t>(most, 1);
}

/// What a step of a register tile takes, in products of a row and its panels: more where there are many loads beside
/// them, and at least as long as a chain waits for its last product.
static double stepCost(const VectorLevel &level, int64_t rows, int64_t panels) {
  constexpr double latency = 4;
  double sums = double(rows * panels), loads = double(rows + panels);
  return std::max(sums, latency) / double(panels) * (1 + level.loadCost * loads / sums);
}

static double costOf(const VectorLevel &level, int64_t rows, int64_t tileRows, int64_t panels, RowTail tail) {
  // A tail's tile is worth its code, and follows tiles that it shares no loop with: 2 rows behind 21 tiles of 6 x 4 panels
  // took as long as 2.8 of theirs.
  double ownCode = tail.tiles == 0 ? 0 : 1 + 0.005 * double(rows);
  double whole = double((rows - tail.rows * tail.tiles) / tileRows) * stepCost(level, tileRows, panels);
  return tail.tiles == 0 ? whole : whole + double(tail.tiles) * stepCost(level, tail.rows, panels) + ownCode;
}

RowTail chooseTail(const VectorLevel &level, int64_t rows, int64_t tileRows, int64_t tilePanels) {
  if (rows % tileRows == 0)
    return {};
  constexpr int64_t mostTiles = 5; // two of 4 rows take less than one of 2, where sums are few
  RowTail best{rows % tileRows, 1};
  auto cost = [&](RowTail tail) { return costOf(level, rows, tileRows, tilePanels, tail); };
  for (int64_t height = tileRows; height >= 2; --height)
    for (int64_t tiles = 1; tiles <= mostTiles && height * tiles + tileRows <= rows; ++tiles) {
      RowTail tail{height, tiles};
      if ((rows - height * tiles) % tileRows == 0 && cost(tail) < cost(best))
        best = tail;
    }
  return best;
}

/// The tile height that all rows (or all of few) take the least time in.
static int64_t chooseTileRows(const VectorLevel &level, int64_t rows, int64_t panels) {
  constexpr int64_t usual = 6, leastOfMany = 4;
  if (ShapedType::isDynamic(rows))
    return usual;
  if (rows <= usual)
    return std::max<int64_t>(rows, 1);
  auto cost = [&](int64_t tile) {
    int64_t beside = tilePanelsFor(level, tile, panels);
    return costOf(level, rows, tile, beside, chooseTail(level, rows, tile, beside));
  };
  int64_t best = usual;
  for (int64_t tile = std::min(level.maxRows, rows); tile >= leastOfMany; --tile)
    if (cost(tile) < cost(best))
      best = tile;
  return best;
}

ContractSchedule chooseSchedule(const VectorLevel &level, const ContractSizes &sizes) {
  auto [rows, panels, k] = sizes;
  ContractSchedule schedule;
  schedule.tileRows = chooseTileRows(level, rows, panels);
  schedule.tilePanels = tilePanelsFor(level, schedule.tileRows, panels);
  // One row reads each panel once. Memory gives most to one stream; from a cache a chain of sums is slower than that.
  if (rows == 1 && !ShapedType::isDynamic(panels) && !ShapedType::isDynamic(k) &&
      panels > rowCacheBytes / std::max<int64_t>(k * kern::ContractOp::panelWidth * 4, 1))
    schedule.tilePanels = 1;
  schedule.rowsFastest = ShapedType::isDynamic(rows) || ShapedType::isDynamic(panels) ||
                         panels * kern::ContractOp::panelWidth >= rows;

  int64_t m = assumedRows;
  if (!ShapedType::isDynamic(rows)) {
    RowTail tail = chooseTail(level, rows, schedule.tileRows, schedule.tilePanels);
    m = std::max<int64_t>(rows - tail.rows * tail.tiles, 1);
  }
  int64_t p = ShapedType::isDynamic(panels) ? assumedPanels : std::max<int64_t>(panels, 1);
  if (ShapedType::isDynamic(k) || k == 0)
    k = kern::ContractOp::maxBlock;
  auto balanced = [](int64_t total, int64_t most, int64_t multiple) {
    int64_t blocks = llvm::divideCeil(total, std::max<int64_t>(most, 1));
    return int64_t(llvm::alignTo(llvm::divideCeil(total, blocks), multiple));
  };
  schedule.taskRows = balanced(m, rowsPerHalfMiB * level.cacheBytes >> 19, schedule.tileRows);
  double products = double(schedule.taskRows) * double(k) * kern::ContractOp::panelWidth;
  double perPanel = std::max(products / productsPerMicrosecond,
                             double(k) * kern::ContractOp::panelWidth * 4 / bytesPerMicrosecond);
  int64_t wanted = int64_t(std::clamp(taskMicroseconds / perPanel, 1.0, double(maxTaskPanels)));
  int64_t shared = p * llvm::divideCeil(m, schedule.taskRows) / wantedTasks;
  wanted = std::max(wanted, std::min(shared, panelsPerRead));
  schedule.taskPanels = balanced(p, wanted, schedule.tilePanels);
  // All columns and still little work: more rows.
  double task = perPanel * double(std::min(schedule.taskPanels, p));
  if (task < taskMicroseconds / 2 && schedule.taskPanels >= p)
    schedule.taskRows = balanced(m, int64_t(double(schedule.taskRows) * taskMicroseconds / task),
                                 schedule.tileRows);
  schedule.blocksFastest = schedule.taskRows * k * 4 <= level.cacheBytes / 8 * keptEighths;
  return schedule;
}

const VectorLevel *findLevel(StringRef name) {
  return llvm::StringSwitch<const VectorLevel *>(name)
      .Case("v3", &levelV3)
      .Case("v4", &levelV4)
      .Case("neon", &levelNeon)
      .Default(nullptr);
}

//===- Row dims -------------------------------------------------------------===//

/// Where `map` reads dim `d` alone, and nothing else does; nothing where `d` is not read;
/// failure where it is read in another way.
static FailureOr<std::optional<unsigned>> positionOf(AffineMap map, unsigned d) {
  std::optional<unsigned> found;
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    if (!expr.isFunctionOfDim(d))
      continue;
    if (found || !isa<AffineDimExpr>(expr))
      return failure();
    found = i;
  }
  return found;
}

/// Whether dims i and i+1 of a memref are one dim of elements that lie evenly.
static bool isOne(MemRefType type, unsigned i) {
  if (type.getLayout().isIdentity())
    return true;
  auto [strides, offset] = type.getStridesAndOffset();
  return !type.isDynamicDim(i + 1) && !ShapedType::isDynamic(strides[i]) &&
         !ShapedType::isDynamic(strides[i + 1]) && strides[i] == strides[i + 1] * type.getDimSize(i + 1);
}

/// Whether dims d and d+1 of the operand's accesses can be one dim; `inner` is the size of the second.
/// Of a whole of which a part is read they lie apart.
static bool walksAsOne(Value operand, AffineMap map, unsigned d, int64_t inner) {
  FailureOr<std::optional<unsigned>> first = positionOf(map, d), second = positionOf(map, d + 1);
  if (failed(first) || failed(second) || first->has_value() != second->has_value())
    return false;
  if (!*first)
    return true;
  auto type = cast<MemRefType>(operand.getType());
  int64_t walked = type.getDimSize(**second);
  return **second == **first + 1 && isOne(type, **first) &&
         (walked == inner || ShapedType::isDynamic(walked) || ShapedType::isDynamic(inner));
}

/// Merges memref dims i and i+1.
static Value collapse(OpBuilder &builder, Location loc, Value memref, unsigned i) {
  int64_t rank = cast<MemRefType>(memref.getType()).getRank();
  SmallVector<ReassociationIndices> groups;
  for (int64_t d = 0; d < rank; ++d) {
    if (d == int64_t(i) + 1)
      groups.back().push_back(d);
    else
      groups.push_back({d});
  }
  return memref::CollapseShapeOp::create(builder, loc, memref, groups);
}

/// Dims d and d+1 of `map` become dim d; a result that reads d+1 goes, since it reads what
/// d now is. `dims` counts the map's new dims.
static AffineMap mergeDims(AffineMap map, unsigned d, bool dropSecond) {
  MLIRContext *context = map.getContext();
  SmallVector<AffineExpr> replacements;
  for (unsigned i = 0; i < map.getNumDims(); ++i)
    replacements.push_back(getAffineDimExpr(i <= d ? i : i - 1, context));
  SmallVector<AffineExpr> results;
  for (AffineExpr expr : map.getResults())
    if (!dropSecond || expr != getAffineDimExpr(d + 1, context))
      results.push_back(expr.replaceDims(replacements));
  return AffineMap::get(map.getNumDims() - 1, 0, results, context);
}

void collapseRowDims(OpBuilder &builder, kern::ContractOp op) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(op);
  Location loc = op.getLoc();
  auto initType = [&] { return cast<MemRefType>(op.getInit().getType()); };

  // A dim of size 1 is read at 0.
  auto readUnitsAtZero = [&](AffineMap map) {
    SmallVector<AffineExpr> dims;
    for (unsigned i = 0; i < map.getNumDims(); ++i)
      dims.push_back(i < op.getNumParallel() && initType().getDimSize(i) == 1
                         ? getAffineConstantExpr(0, map.getContext())
                         : getAffineDimExpr(i, map.getContext()));
    return map.replaceDimsAndSymbols(dims, {}, map.getNumDims(), 0);
  };
  auto isLeading = [&](unsigned d) { return op.getBMap().isFunctionOfDim(d); };

  op.setAMap(readUnitsAtZero(op.getAMap()));
  SmallVector<AffineMap> maps;
  for (AffineMap map : op.getExtraMaps().getAsValueRange<AffineMapAttr>()) {
    // The column dim keeps its name: its extras are read as vectors.
    unsigned n = op.getNumParallel() - 1;
    AffineMap atZero = readUnitsAtZero(map);
    SmallVector<AffineExpr> results;
    for (auto [before, after] : llvm::zip_equal(map.getResults(), atZero.getResults()))
      results.push_back(before == getAffineDimExpr(n, map.getContext()) ? before : after);
    maps.push_back(AffineMap::get(map.getNumDims(), 0, results, map.getContext()));
  }

  for (unsigned d = 0; d + 2 < op.getNumParallel();) {
    bool unit = (initType().getDimSize(d) == 1 && !isLeading(d)) ||
                (initType().getDimSize(d + 1) == 1 && !isLeading(d + 1));
    bool one = isOne(initType(), d) && isLeading(d) == isLeading(d + 1) &&
               !isLeading(d) && walksAsOne(op.getA(), op.getAMap(), d, initType().getDimSize(d + 1));
    for (auto [extra, map] : llvm::zip_equal(op.getExtras(), maps))
      one = one && walksAsOne(extra, map, d, initType().getDimSize(d + 1));
    bool unitMerge = unit && isOne(initType(), d) && !isLeading(d) && !isLeading(d + 1);
    if (!one && !unitMerge) {
      ++d;
      continue;
    }
    auto merge = [&](Value operand, AffineMap map, AffineMap &merged) {
      std::optional<unsigned> first = positionOf(map, d).value_or(std::nullopt);
      std::optional<unsigned> second = positionOf(map, d + 1).value_or(std::nullopt);
      bool both = first && second;
      merged = mergeDims(map, d, both);
      return both ? collapse(builder, loc, operand, *first) : operand;
    };
    AffineMap merged;
    op.getAMutable().set(merge(op.getA(), op.getAMap(), merged));
    op.setAMap(merged);
    for (auto [i, map] : llvm::enumerate(maps)) {
      op.getExtrasMutable()[i].set(merge(op.getExtras()[i], map, merged));
      map = merged;
    }
    op.setBMap(mergeDims(op.getBMap(), d, false));
    op.getInitMutable().set(collapse(builder, loc, op.getInit(), d));
  }
  op.setExtraMapsAttr(builder.getAffineMapArrayAttr(maps));
}

} // namespace burin::cpu
