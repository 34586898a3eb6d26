// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/cpu/DepthwiseLoops.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace burin::cpu {

namespace {
/// Of a task: what its feeder makes at a time, one panel of what its rows read, should stay in the second cache beside
/// what its product reads. Without a feeder that need not be more than a few rows, of so many places at least:
/// each task reads all of the product's panels.
constexpr int64_t fedBytes = 240 * 1024, madeBytes = 160 * 1024, madeBytesAlone = 48 * 1024, leastPlaces = 96;
} // namespace

/// Rows of results of a task. Those that neighbours read, too, a feeder makes twice; where its rows do not fill all
/// register tiles, each asks for each of its rows whether it exists.
int64_t Depthwise::chooseRows() {
  int64_t all = *known(rows.out), wide = *known(columns.out), wideIn = *known(columns.in);
  int64_t made = product ? wide * channels * 4 : 0, fed = wideIn * width * 4;
  if (!feeder) {
    int64_t most = std::max({madeBytesAlone / made, int64_t(llvm::divideCeil(leastPlaces, wide)), int64_t(1)});
    return llvm::divideCeil(all, llvm::divideCeil(all, most));
  }
  int64_t best = 1;
  double least = 0;
  for (int64_t count = 1; count <= all; ++count) {
    if (count > 1 && (rows.reach(count) * fed > fedBytes || count * made > madeBytes))
      break;
    int64_t places = rows.reach(count) * wideIn;
    bool fills = places % chooseSchedule(level, {places, 1, feeder.getReduction()[0]}).tileRows == 0;
    double cost = double(llvm::divideCeil(all, count)) * double(places) * (fills ? 1.0 : 1.15);
    if (count == 1 || cost < least) {
      best = count;
      least = cost;
    }
  }
  return best;
}

void Depthwise::expandChain(ArrayRef<Block> blocks) {
  // One panel of a feeder's: its rows lie side by side in the first cache, those of two share half of its sets
  // (112 x 112 x 96 took 1.15 times as long).
  int64_t few = feeder ? 1 : std::min(panels, panelsOfRows);
  int64_t blockRows = chooseRows(), all = *known(rows.out);
  SmallVector<Value> grid{batch, ceilDiv(rows.out, blockRows)};
  if (!product)
    grid.push_back(index(panels));
  SmallVector<Value> at = tasks(grid);
  results = scratch({together, lanes});
  image = at[0];
  firstRow = mul(at[1], blockRows);
  Value afterRow = add(firstRow, extent(rows.out, firstRow, blockRows));
  auto sumSome = [&](Value firstPanel) {
    Value afterPanel = add(firstPanel, extent(index(panels), firstPanel, few));
    if (feeder) {
      emptyRegisters();
      feed(std::min(rows.reach(blockRows), *known(rows.in)), firstPanel);
      emptyRegisters();
    }
    sumColumns(blocks, [&](const Block &block, Value x) {
      loop(firstRow, afterRow, 1, [&](Value y) { sumPanels(block, y, x, firstPanel, afterPanel); });
    });
  };
  if (!product)
    return sumSome(at[2]);
  made = scratch({blockRows, *known(columns.out), channels});
  loop(index(0), index(panels), few, sumSome);
  emptyRegisters();
  int64_t rest = all % blockRows;
  if (rest == 0)
    return multiply(blockRows);
  when(isBelow(add(firstRow, index(blockRows - 1)), rows.out), [&] { multiply(blockRows); },
       [&] { multiply(rest); });
}

/// Says that no vector register keeps its value here. LLVM's allocation weighs a value by the depth of the loops that use
/// it: zeros and the epilogue's constants, used in an innermost loop of depth six, were held through the product, too,
/// three loops deep, which then spilled its sums (1.5 to 3 times the time).
void Depthwise::emptyRegisters() {
  std::string clobbers;
  for (int64_t i = 0; i < level.numRegisters; ++i)
    clobbers += (i == 0 ? "~{" : ",~{") + std::string(level.registerName) + std::to_string(i) + "}";
  LLVM::InlineAsmOp::create(b, TypeRange(), ValueRange(), "", clobbers, /*has_side_effects=*/true,
                            /*is_align_stack=*/false, LLVM::tailcallkind::TailCallKind::None,
                            LLVM::AsmDialectAttr(), ArrayAttr());
}

/// `count` rows of the task's image, from `first` on, of an operand that `map` reads at (image, row, ...): without
/// the dim of images.
Value Depthwise::rowsOf(Value memref, AffineMap map, Value first, int64_t count) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<OpFoldResult> from, sizes, ones(type.getRank(), b.getIndexAttr(1));
  SmallVector<int64_t> shape;
  for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
    auto isDim = [&, expr = expr](unsigned d) { return expr == b.getAffineDimExpr(d); };
    int64_t size = isDim(0) ? 1 : isDim(1) ? count : type.getDimSize(dim);
    from.push_back(isDim(0) ? getAsOpFoldResult(image) : isDim(1) ? getAsOpFoldResult(first) : b.getIndexAttr(0));
    sizes.push_back(b.getIndexAttr(size));
    if (!isDim(0))
      shape.push_back(size);
  }
  auto reduced = cast<MemRefType>(memref::SubViewOp::inferRankReducedResultType(shape, type, from, sizes, ones));
  return memref::SubViewOp::create(b, reduced, memref, from, sizes, ones);
}

namespace {
/// `map` of (image, row, ...) where there is one image, whose dim operands do not have.
AffineMap withoutImages(AffineMap map) {
  MLIRContext *context = map.getContext();
  SmallVector<AffineExpr> dims{getAffineConstantExpr(0, context)}, results;
  for (unsigned d = 1; d < map.getNumDims(); ++d)
    dims.push_back(getAffineDimExpr(d - 1, context));
  for (AffineExpr expr : map.getResults())
    if (expr != getAffineDimExpr(0, context))
      results.push_back(expr.replaceDims(dims));
  return AffineMap::get(map.getNumDims() - 1, 0, results, context);
}
} // namespace

/// The feeder's part of the rows of a task, at most `feedRows`, and of a panel.
void Depthwise::feed(int64_t feedRows, Value panel) {
  auto larger = [&](Value x, Value y) -> Value { return arith::MaxSIOp::create(b, x, y); };
  int64_t depth = feeder.getReduction()[0];
  Value top = sub(mul(firstRow, rows.stride), index(rows.pad));
  firstFed = smaller(larger(top, index(0)), sub(rows.in, index(feedRows)));
  firstChannel = mul(panel, width);
  fed = scratch({feedRows, *known(columns.in), width});

  auto part = [&](Value memref, ArrayRef<OpFoldResult> from, ArrayRef<int64_t> sizes) -> Value {
    SmallVector<OpFoldResult> ones(sizes.size(), b.getIndexAttr(1));
    return memref::SubViewOp::create(b, memref, from, getAsIndexOpFoldResult(b.getContext(), sizes), ones);
  };
  OpFoldResult zero = b.getIndexAttr(0);
  Value read = rowsOf(feeder.getA(), feeder.getAMap(), firstFed, feedRows);
  Value weights = part(feeder.getB(), {getAsOpFoldResult(panel), zero, zero}, {1, depth, width});
  SmallVector<Value> extras;
  SmallVector<AffineMap> extraMaps;
  for (auto [i, extra] : llvm::enumerate(feeder.getExtras())) {
    extras.push_back(part(extra, {getAsOpFoldResult(firstChannel)}, {width}));
    extraMaps.push_back(withoutImages(feeder.getExtraMap(i)));
  }
  auto some = kern::ContractOp::create(
      b, TypeRange(), read, weights, extras, fed, withoutImages(feeder.getAMap()), AffineMap::get(3, 0, {}, b.getContext()),
      b.getAffineMapArrayAttr(extraMaps), feeder.getReduction(), IntegerAttr());
  some.getEpilogue().takeBody(feeder.getEpilogue());
  parts.push_back(some);
}

/// The product of `count` rows of the task, all that there are.
void Depthwise::multiply(int64_t count) {
  Value read = made;
  if (auto type = cast<MemRefType>(made.getType()); type.getDimSize(0) != count) {
    SmallVector<int64_t> sizes{count, type.getDimSize(1), type.getDimSize(2)};
    SmallVector<OpFoldResult> zeros(3, b.getIndexAttr(0)), ones(3, b.getIndexAttr(1));
    read = memref::SubViewOp::create(b, made, zeros, getAsIndexOpFoldResult(b.getContext(), sizes), ones);
  }
  SmallVector<Value> extras;
  SmallVector<AffineMap> extraMaps;
  for (auto [i, extra] : llvm::enumerate(product.getExtras())) {
    extras.push_back(rowsOf(extra, product.getExtraMap(i), firstRow, count));
    extraMaps.push_back(withoutImages(product.getExtraMap(i)));
  }
  AffineMap all = AffineMap::getMultiDimIdentityMap(product.getNumParallel(), b.getContext());
  auto some = kern::ContractOp::create(
      b, TypeRange(), read, product.getB(), extras, rowsOf(product.getInit(), all, firstRow, count),
      withoutImages(product.getAMap()), AffineMap::get(3, 0, {}, b.getContext()), b.getAffineMapArrayAttr(extraMaps),
      product.getReduction(), IntegerAttr());
  IRMapping mapping; // cloned: there may be a part for fewer rows, too
  product.getEpilogue().cloneInto(&some.getEpilogue(), mapping);
  parts.push_back(some);
}

} // namespace burin::cpu
