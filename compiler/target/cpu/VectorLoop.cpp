// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/cpu/VectorLoop.h"

#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace burin::cpu {

//===- Reductions -----------------------------------------------------------===//

template <typename Op>
static std::function<Value(OpBuilder &, Location, Value, Value)> combineWith() {
  return [](OpBuilder &b, Location loc, Value x, Value y) -> Value {
    return Op::create(b, loc, x, y).getResult();
  };
}

/// x < y ? y : x, one instruction: y is not seen where it is NaN.
static Value greater(OpBuilder &b, Location loc, Value x, Value y) {
  Value isLess = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, y);
  return arith::SelectOp::create(b, loc, isLess, y, x);
}

/// Whether `op` is greater(accumulator, y), and nothing else reads the accumulator.
static bool isGreater(Operation *op, BlockArgument accumulator) {
  auto select = dyn_cast<arith::SelectOp>(op);
  auto compare = select ? select.getCondition().getDefiningOp<arith::CmpFOp>() : arith::CmpFOp();
  return compare && compare.getPredicate() == arith::CmpFPredicate::OLT && compare->hasOneUse() &&
         select->hasOneUse() && compare.getRhs() == select.getTrueValue() &&
         compare.getLhs() == accumulator && select.getFalseValue() == accumulator &&
         accumulator.hasNUses(2);
}

std::optional<Combiner> matchCombiner(linalg::GenericOp op, unsigned index) {
  BlockArgument accumulator = op.getRegionOutputArgs()[index];
  Operation *combiner =
      op.getBody()->getTerminator()->getOperand(index).getDefiningOp();
  if (combiner && isGreater(combiner, accumulator))
    return Combiner{OpBuilder(op.getContext())
                        .getFloatAttr(accumulator.getType(), -std::numeric_limits<double>::infinity()),
                    greater};
  if (!combiner || !accumulator.hasOneUse() || *accumulator.user_begin() != combiner ||
      combiner->getBlock() != op.getBody() || !combiner->getResult(0).hasOneUse())
    return std::nullopt;
  Type type = accumulator.getType();
  OpBuilder b(op.getContext());
  auto real = [&](double value) -> TypedAttr { return b.getFloatAttr(type, value); };
  auto integer = [&](const APInt &value) -> TypedAttr { return b.getIntegerAttr(type, value); };
  const double inf = std::numeric_limits<double>::infinity();
  unsigned width = type.isIntOrFloat() ? type.getIntOrFloatBitWidth() : 0;
  using Result = std::optional<Combiner>;
  return TypeSwitch<Operation *, Result>(combiner)
      .Case([&](arith::AddFOp) { return Combiner{real(-0.0), combineWith<arith::AddFOp>()}; })
      .Case([&](math::FmaOp fma) -> Result {
        if (fma.getC() != accumulator)
          return std::nullopt;
        return Combiner{real(-0.0), combineWith<arith::AddFOp>()};
      })
      .Case([&](arith::MulFOp) { return Combiner{real(1.0), combineWith<arith::MulFOp>()}; })
      .Case([&](arith::MaximumFOp) {
        return Combiner{real(-inf), combineWith<arith::MaximumFOp>()};
      })
      .Case([&](arith::MinimumFOp) {
        return Combiner{real(inf), combineWith<arith::MinimumFOp>()};
      })
      .Case([&](arith::AddIOp) {
        return Combiner{integer(APInt::getZero(width)), combineWith<arith::AddIOp>()};
      })
      .Case([&](arith::MulIOp) {
        return Combiner{integer(APInt(width, 1)), combineWith<arith::MulIOp>()};
      })
      .Case([&](arith::MaxSIOp) {
        return Combiner{integer(APInt::getSignedMinValue(width)), combineWith<arith::MaxSIOp>()};
      })
      .Case([&](arith::MinSIOp) {
        return Combiner{integer(APInt::getSignedMaxValue(width)), combineWith<arith::MinSIOp>()};
      })
      .Case([&](arith::MaxUIOp) {
        return Combiner{integer(APInt::getZero(width)), combineWith<arith::MaxUIOp>()};
      })
      .Case([&](arith::MinUIOp) {
        return Combiner{integer(APInt::getAllOnes(width)), combineWith<arith::MinUIOp>()};
      })
      .Case([&](arith::AndIOp) {
        return Combiner{integer(APInt::getAllOnes(width)), combineWith<arith::AndIOp>()};
      })
      .Case([&](arith::OrIOp) {
        return Combiner{integer(APInt::getZero(width)), combineWith<arith::OrIOp>()};
      })
      .Default(Result());
}

//===- Which loop -----------------------------------------------------------===//

Access accessAlong(linalg::GenericOp op, OpOperand &operand, unsigned dim) {
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  if (!type)
    return Access::Invariant; // a scalar
  AffineMap map = op.getMatchingIndexingMap(&operand);
  SmallVector<int64_t> strides;
  int64_t offset;
  bool strided = succeeded(type.getStridesAndOffset(strides, offset));
  unsigned uses = 0;
  bool contiguous = false;
  for (auto [i, result] : llvm::enumerate(map.getResults())) {
    if (!result.isFunctionOfDim(dim))
      continue;
    ++uses;
    // d, or d plus what does not depend on it.
    AffineExpr at0 = result.replace(getAffineDimExpr(dim, op.getContext()),
                                    getAffineConstantExpr(0, op.getContext()));
    AffineExpr difference = simplifyAffineExpr(result - at0, map.getNumDims(), 0);
    bool step = difference == getAffineDimExpr(dim, op.getContext());
    if (!difference.isPureAffine())
      return Access::Unknown;
    contiguous = step && strided && i < strides.size() && strides[i] == 1;
  }
  if (uses == 0)
    return Access::Invariant;
  return uses == 1 && contiguous ? Access::Contiguous : Access::Strided;
}

bool isVectorizable(linalg::GenericOp op) {
  auto fits = [](Type type) {
    if (auto memref = dyn_cast<MemRefType>(type))
      type = memref.getElementType();
    if (type.isIndex())
      return true;
    return type.isIntOrFloat() && (type.isInteger(1) || type.getIntOrFloatBitWidth() >= 8);
  };
  for (Value operand : op->getOperands())
    if (!fits(operand.getType()) || (isa<MemRefType>(operand.getType()) &&
                                     getElementTypeOrSelf(operand.getType()).isInteger(1)))
      return false;
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (inner.getNumRegions() || !llvm::all_of(inner.getOperandTypes(), [&](Type t) {
          return isa<MemRefType>(t) || fits(t);
        }))
      return false;
    if (isa<linalg::IndexOp, plan::CheckOp>(inner))
      continue;
    if (auto load = dyn_cast<memref::LoadOp>(inner)) {
      if (!fits(load.getMemRefType()) || load.getMemRefType().getElementType().isInteger(1))
        return false;
      continue;
    }
    if (inner.getNumResults() != 1 || !fits(inner.getResult(0).getType()))
      return false;
    if (!inner.hasTrait<OpTrait::ConstantLike>() && !OpTrait::hasElementwiseMappableTraits(&inner))
      return false;
    if (!isMemoryEffectFree(&inner))
      return false;
  }
  return true;
}

/// Whether `dim` walks the taps of a window: an operand is read at a sum of it and other loops, or (for
/// where there is one window only) one that is not read at all gives its size.
static bool isTap(linalg::GenericOp op, unsigned dim) {
  for (OpOperand *operand : op.getDpsInputOperands()) {
    bool isRead = !op.getMatchingBlockArgument(operand).use_empty();
    for (AffineExpr expr : op.getMatchingIndexingMap(operand).getResults())
      if (expr.isFunctionOfDim(dim) && (!isRead || !isa<AffineDimExpr>(expr)))
        return true;
  }
  return false;
}

/// Whether `value`, of the op's body, differs from one position of loop `dim` to the next.
static bool variesAlong(linalg::GenericOp op, Value value, unsigned dim) {
  if (auto argument = dyn_cast<BlockArgument>(value); argument && argument.getOwner() == op.getBody())
    return accessAlong(op, op->getOpOperand(argument.getArgNumber()), dim) != Access::Invariant;
  Operation *def = value.getDefiningOp();
  if (!def || def->getBlock() != op.getBody())
    return false;
  if (auto index = dyn_cast<linalg::IndexOp>(def))
    return index.getDim() == dim;
  return llvm::any_of(def->getOperands(),
                      [&](Value operand) { return variesAlong(op, operand, dim); });
}

std::optional<Choice> chooseLoop(linalg::GenericOp op) {
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  std::optional<Choice> best;
  double bestCost = 1e30;
  for (unsigned dim = 0; dim < iterators.size(); ++dim) {
    bool reduction = iterators[dim] == utils::IteratorType::reduction;
    int64_t size = ShapedType::isDynamic(sizes[dim]) ? 1024 : sizes[dim];
    if (size < 2 || (reduction && isTap(op, dim)))
      continue;
    // What is folded lane by lane, and so the bits, must not follow from how many rows there are.
    if (reduction)
      size = std::max<int64_t>(size, lanesOfLoop);
    bool possible = true;
    double strided = 0;
    for (OpOperand &operand : op->getOpOperands()) {
      Access access = accessAlong(op, operand, dim);
      bool output = op.isDpsInit(&operand);
      if (access == Access::Unknown || (output && access == Access::Strided) ||
          (output && !reduction && access == Access::Invariant))
        possible = false;
      strided += access == Access::Strided;
    }
    // What is checked is checked once for all lanes.
    for (auto check : op.getBody()->getOps<plan::CheckOp>())
      possible = possible && llvm::none_of(check->getOperands(),
                                           [&](Value value) { return variesAlong(op, value, dim); });
    // Lanes of a reduction want inputs without gaps, or gain nothing; nor do short gathers.
    if (!possible || (strided > 0 && (reduction || size < lanesOfLoop)))
      continue;
    // Masked lanes must not read by index either.
    if (reduction) {
      possible = !llvm::any_of(*op.getBody(), [](Operation &inner) { return isa<memref::LoadOp>(inner); });
      for (unsigned i = 0; possible && i < op.getNumDpsInits(); ++i)
        possible = matchCombiner(op, i).has_value();
    }
    if (!possible)
      continue;
    // Work for one element: a gather is as many loads as lanes; short loops waste lanes.
    double work = 2.0 + double(op->getNumOperands()) + 16 * strided;
    double cost = work * double((size + lanesOfLoop - 1) / lanesOfLoop) / double(size);
    if (reduction)
      cost *= 1.1;
    if (cost < bestCost) {
      bestCost = cost;
      best = Choice{dim, reduction};
    }
  }
  // A gather into reduction lanes or a handful of elements: scalar loops do as well.
  if (best && bestCost > 3.0 + 1.0 * double(op->getNumOperands()))
    return std::nullopt;
  return best;
}

bool readsRowsOf(memref::LoadOp load, unsigned dim) {
  auto op = cast<linalg::GenericOp>(load->getParentOp());
  auto last = load.getIndices().empty() ? linalg::IndexOp()
                                        : load.getIndices().back().getDefiningOp<linalg::IndexOp>();
  return last && last.getDim() == dim && load.getMemRefType().isLastDimUnitStride() &&
         llvm::none_of(load.getIndices().drop_back(),
                       [&](Value index) { return variesAlong(op, index, dim); });
}

std::optional<unsigned> findTurn(linalg::GenericOp op, const Choice &choice) {
  if (choice.reduction || op.getNumReductionLoops() != 0)
    return std::nullopt;
  SmallVector<OpOperand *> apart;
  for (OpOperand *operand : op.getDpsInputOperands())
    if (accessAlong(op, *operand, choice.dim) == Access::Strided)
      apart.push_back(operand);
  auto loads = llvm::to_vector(op.getBody()->getOps<memref::LoadOp>());
  auto isWord = [](Type type) {
    return type.isIntOrFloat() && type.getIntOrFloatBitWidth() == 32;
  };
  if ((apart.empty() && loads.empty()) ||
      !llvm::all_of(apart, [&](OpOperand *operand) {
        return isWord(getElementTypeOrSelf(operand->get().getType()));
      }) ||
      !llvm::all_of(loads, [&](memref::LoadOp load) { return isWord(load.getType()); }))
    return std::nullopt;
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim)
    if (dim != choice.dim &&
        llvm::all_of(apart, [&](OpOperand *operand) {
          return accessAlong(op, *operand, dim) == Access::Contiguous;
        }) &&
        llvm::all_of(loads, [&](memref::LoadOp load) { return readsRowsOf(load, dim); }))
      return dim;
  return std::nullopt;
}

//===- Loops that are one ---------------------------------------------------===//

linalg::GenericOp joinLoops(RewriterBase &rewriter, linalg::GenericOp op) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  if (op.hasIndexSemantics() ||
      !llvm::all_of(maps, [](AffineMap map) { return map.isProjectedPermutation(); }))
    return op;
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  // Loops i and i+1 are one for an operand that sees neither, or both side by side and without a gap.
  auto together = [&](ReassociationIndicesRef group) {
    if (!linalg::areDimSequencesPreserved(maps, {ReassociationIndices(group)}))
      return false;
    for (auto [operand, map] : llvm::zip_equal(op->getOperands(), maps)) {
      auto type = dyn_cast<MemRefType>(operand.getType());
      if (!type)
        continue;
      for (unsigned i = 0; i + 1 < map.getNumResults(); ++i) {
        auto first = dyn_cast<AffineDimExpr>(map.getResult(i));
        auto second = dyn_cast<AffineDimExpr>(map.getResult(i + 1));
        if (!first || !second || !llvm::is_contained(group, first.getPosition()) ||
            second.getPosition() != first.getPosition() + 1 ||
            !llvm::is_contained(group, second.getPosition()))
          continue;
        SmallVector<int64_t> strides;
        int64_t offset;
        if (failed(type.getStridesAndOffset(strides, offset)) || type.isDynamicDim(i + 1) ||
            ShapedType::isDynamic(strides[i]) ||
            strides[i] != strides[i + 1] * type.getDimSize(i + 1))
          return false;
      }
    }
    return true;
  };
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0, e = iterators.size(); i < e; ++i) {
    if (i > 0 && iterators[i] == iterators[i - 1]) {
      ReassociationIndices grown = groups.back();
      grown.push_back(i);
      if (together(grown)) {
        groups.back() = grown;
        continue;
      }
    }
    groups.push_back({i});
  }
  if (groups.size() == iterators.size())
    return op;
  rewriter.setInsertionPoint(op);
  FailureOr<linalg::CollapseResult> result =
      linalg::collapseOpIterationDims(cast<linalg::LinalgOp>(op.getOperation()), groups, rewriter);
  if (failed(result))
    return op;
  rewriter.eraseOp(op);
  return cast<linalg::GenericOp>(result->collapsedOp.getOperation());
}

} // namespace burin::cpu
