// SPDX-License-Identifier: Apache-2.0
//
// A kernel that runs a loop or a branch holds what the body computes, whose sizes may be
// ranges: scratch has room for the largest.

#include "compiler/target/cpu/BoundScratch.h"

#include "compiler/plan/Sizes.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace burin::cpu {
namespace {

/// Sizes as expressions over the kernel's arguments: index arguments, and sizes of buffers.
class Bounds {
public:
  explicit Bounds(func::FuncOp kernel) : kernel(kernel) {
    given = kernel->getAttrOfType<ArrayAttr>(plan::boundsAttrName);
  }

  /// The most that an index value can be.
  std::optional<int64_t> most(Value index) {
    // A tile, or what is left of the last one.
    if (auto least = index.getDefiningOp<affine::AffineMinOp>()) {
      std::optional<int64_t> most;
      for (AffineExpr expr : least.getMap().getResults())
        if (auto size = dyn_cast<AffineConstantExpr>(expr))
          most = std::min(most.value_or(size.getValue()), size.getValue());
      return most;
    }
    AffineExpr expr = plan::indexExpr(index, [&](Value value) { return leaf(value); });
    if (!expr)
      return std::nullopt;
    auto range = plan::rangeOf(expr, [&](unsigned symbol) { return ranges[symbol]; });
    return range ? std::optional<int64_t>(range->max) : std::nullopt;
  }

private:
  AffineExpr leaf(Value value) {
    unsigned at = 0;
    BlockArgument argument = dyn_cast<BlockArgument>(value);
    if (auto dim = value.getDefiningOp<memref::DimOp>()) {
      std::optional<int64_t> constant = dim.getConstantIndex();
      argument = dyn_cast<BlockArgument>(dim.getSource());
      if (!constant)
        return nullptr;
      at = *constant;
    }
    if (!given || !argument || argument.getOwner() != &kernel.getBody().front())
      return nullptr;
    auto bounds = dyn_cast<DenseI64ArrayAttr>(given[argument.getArgNumber()]);
    if (!bounds || 2 * at + 1 >= bounds.size())
      return nullptr;
    auto [entry, isNew] = symbols.try_emplace({argument.getArgNumber(), at}, ranges.size());
    if (isNew)
      ranges.push_back({bounds[2 * at], bounds[2 * at + 1]});
    return getAffineSymbolExpr(entry->second, kernel.getContext());
  }

  func::FuncOp kernel;
  ArrayAttr given;
  SmallVector<plan::Interval> ranges;
  DenseMap<std::pair<unsigned, unsigned>, unsigned> symbols;
};

} // namespace

void boundScratch(func::FuncOp kernel) {
  Bounds bounds(kernel);
  SmallVector<memref::AllocOp> allocations;
  kernel.walk([&](memref::AllocOp op) {
    if (!op.getDynamicSizes().empty() && op.getType().getLayout().isIdentity())
      allocations.push_back(op);
  });
  for (memref::AllocOp op : allocations) {
    SmallVector<int64_t> shape(op.getType().getShape());
    auto open = op.getDynamicSizes().begin();
    bool isBounded = true;
    for (int64_t &size : shape)
      if (ShapedType::isDynamic(size)) {
        std::optional<int64_t> most = bounds.most(*open++);
        isBounded &= most.has_value();
        size = std::max<int64_t>(most.value_or(0), 0);
      }
    Type element = op.getType().getElementType();
    std::optional<uint64_t> bytes =
        isBounded ? plan::denseBytes(element.isIndex() ? IntegerType::get(op.getContext(), 64) : element, shape)
                  : std::nullopt;
    if (!bytes)
      continue;
    OpBuilder builder(op);
    Location loc = op.getLoc();
    Value memory = memref::AllocOp::create(
        builder, loc, MemRefType::get({int64_t(*bytes)}, builder.getI8Type()),
        builder.getI64IntegerAttr(64));
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value view = memref::ViewOp::create(builder, loc, op.getType(), memory, zero,
                                        op.getDynamicSizes());
    op.replaceAllUsesWith(view);
    op.erase();
  }
}

} // namespace burin::cpu
