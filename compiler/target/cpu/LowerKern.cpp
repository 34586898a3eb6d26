// SPDX-License-Identifier: Apache-2.0
//
// kern.scatter, kern.sort and kern.scan on buffers to loops. Rows that do not depend on one
// another are one outermost scf.forall; the rest is sequential, in the op's own
// order, so that the number of threads changes nothing.

#include "compiler/target/cpu/BoundScratch.h"
#include "compiler/transforms/Passes.h"
#include "dialects/kern/KernOps.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Affine/Utils.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_LOWERKERN
#include "compiler/transforms/Passes.h.inc"

namespace {

/// burin_status: an index in the data is out of range.
constexpr int64_t indexRange = 6;

/// Rows of a sort of which at most this many elements are wanted are kept sorted
/// while they are read; longer ones are merge sorted.
constexpr int64_t maxInsertion = 32;

class Loops : public ImplicitLocOpBuilder {
public:
  explicit Loops(Operation *op) : ImplicitLocOpBuilder(op->getLoc(), op) {}

  Value constant(int64_t value) { return arith::ConstantIndexOp::create(*this, value); }
  Value size(Value memref, int64_t dim) {
    return createOrFold<memref::DimOp>(memref, dim);
  }
  Value less(Value a, Value b) {
    return arith::CmpIOp::create(*this, arith::CmpIPredicate::slt, a, b);
  }
  Value select(Value condition, Value a, Value b) {
    return arith::SelectOp::create(*this, condition, a, b);
  }
  Value load(Value memref, ValueRange indices) {
    return memref::LoadOp::create(*this, memref, indices);
  }
  void store(Value value, Value memref, ValueRange indices) {
    memref::StoreOp::create(*this, value, memref, indices);
  }
  Value asIndex(Value integer) {
    return arith::IndexCastOp::create(*this, getIndexType(), integer);
  }
  Value asInteger(Value index, Type type) {
    return arith::IndexCastOp::create(*this, type, index);
  }

  /// A parallel loop over `dims` of `shaped` (nothing at all without dims), with
  /// the builder moved inside. Gives the indices.
  SmallVector<Value> parallel(Value shaped, ArrayRef<int64_t> dims) {
    if (dims.empty())
      return {};
    SmallVector<OpFoldResult> bounds;
    for (int64_t dim : dims)
      bounds.push_back(getAsOpFoldResult(size(shaped, dim)));
    auto forall = scf::ForallOp::create(*this, bounds, ValueRange{}, std::nullopt);
    setInsertionPointToStart(forall.getBody());
    return SmallVector<Value>(forall.getInductionVars());
  }

  using Body = llvm::function_ref<SmallVector<Value>(Value index, ValueRange carried)>;
  /// A sequential loop; `body` returns what is carried on.
  SmallVector<Value> sequence(Value from, Value to, Value step, ValueRange carried, Body body) {
    auto loop = scf::ForOp::create(*this, from, to, step, carried);
    {
      OpBuilder::InsertionGuard guard(*this);
      setInsertionPointToStart(loop.getBody());
      SmallVector<Value> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
      if (!carried.empty()) // else the terminator is there already
        scf::YieldOp::create(*this, next);
    }
    return SmallVector<Value>(loop.getResults());
  }

  /// The op's scalar region at this place.
  SmallVector<Value> inlined(Region &region, ValueRange arguments) {
    Block &block = region.front();
    IRMapping mapping;
    mapping.map(block.getArguments(), arguments);
    for (Operation &op : block.without_terminator())
      clone(op, mapping);
    return llvm::map_to_vector(block.getTerminator()->getOperands(),
                               [&](Value value) { return mapping.lookupOrDefault(value); });
  }
};

//===- scatter --------------------------------------------------------------===//

class Scatter {
public:
  explicit Scatter(kern::ScatterOp op) : op(op), b(op), place(op.getPlaceMap()) {}

  LogicalResult lower() {
    int64_t rank = cast<MemRefType>(op.getUpdates().getType()).getRank();
    SmallVector<int64_t> rows;
    while (int64_t(rows.size()) < rank && llvm::is_contained(place.getResults(), dim(rows.size())))
      rows.push_back(rows.size());
    SmallVector<Value> indices = b.parallel(op.getUpdates(), rows);
    return walk(indices, rank);
  }

private:
  AffineExpr dim(unsigned d) { return getAffineDimExpr(d, op.getContext()); }

  /// Whether coordinate `d` of a place is a loop that ends within the destination.
  bool isInside(unsigned d) {
    auto loop = dyn_cast<AffineDimExpr>(place.getResult(d));
    auto updates = cast<MemRefType>(op.getUpdates().getType()),
         init = cast<MemRefType>(op.getInit().getType());
    return loop && !updates.isDynamicDim(loop.getPosition()) && !init.isDynamicDim(d) &&
           updates.getDimSize(loop.getPosition()) <= init.getDimSize(d);
  }

  LogicalResult walk(SmallVector<Value> &indices, int64_t rank) {
    if (int64_t(indices.size()) == rank)
      return combine(indices);
    LogicalResult result = success();
    Value end = b.size(op.getUpdates(), indices.size());
    b.sequence(b.constant(0), end, b.constant(1), {}, [&](Value i, ValueRange) {
      indices.push_back(i);
      result = walk(indices, rank);
      return SmallVector<Value>();
    });
    return result;
  }

  LogicalResult combine(ArrayRef<Value> indices) {
    SmallVector<Value> operands(indices);
    for (unsigned s = 0; s < place.getNumSymbols(); ++s) {
      SmallVector<Value> at;
      for (AffineExpr expr : op.getIndexMap().getResults())
        at.push_back(indices[cast<AffineDimExpr>(expr).getPosition()]);
      at.push_back(b.constant(s));
      operands.push_back(b.asIndex(b.load(op.getIndices(), at)));
    }
    auto places = affine::expandAffineMap(b, b.getLoc(), place, operands);
    if (!places)
      return op.emitOpError("has a place_map that cannot be computed");
    Value zero = b.constant(0);
    Value ok = arith::ConstantOp::create(b, b.getBoolAttr(true)), bad = zero;
    for (auto [d, value] : llvm::enumerate(*places)) {
      if (isInside(d))
        continue;
      Value size = b.size(op.getInit(), d);
      if (op.getWrap())
        value = b.select(b.less(value, zero), arith::AddIOp::create(b, value, size), value);
      Value inside = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, value, size);
      bad = b.select(inside, bad, value);
      ok = arith::AndIOp::create(b, ok, inside);
    }
    if (!op.getDrop())
      plan::CheckOp::create(b, ok, indexRange, b.asInteger(bad, b.getI64Type()));
    auto branch = scf::IfOp::create(b, ok, /*withElseRegion=*/false);
    b.setInsertionPointToStart(branch.thenBlock());
    Value update = b.load(op.getUpdates(), indices), old = b.load(op.getInit(), *places);
    b.store(b.inlined(op.getBody(), {update, old})[0], op.getInit(), *places);
    return success();
  }

  kern::ScatterOp op;
  Loops b;
  AffineMap place;
};

//===- sort -----------------------------------------------------------------===//

class Sort {
public:
  explicit Sort(kern::SortOp op)
      : op(op), b(op), axis(op.getAxis()),
        position(cast<MemRefType>(op.getInit().getType()).getElementType()),
        k(cast<MemRefType>(op.getInit().getType()).getDimSize(axis)) {}

  void lower() {
    if (k == 0)
      return;
    SmallVector<int64_t> others;
    for (int64_t d = 0, e = cast<MemRefType>(op.getInput().getType()).getRank(); d < e; ++d)
      if (d != axis)
        others.push_back(d);
    row = b.parallel(op.getInput(), others);
    n = b.size(op.getInput(), axis);
    count = b.size(op.getInit(), axis);
    if (!ShapedType::isDynamic(k) && k <= maxInsertion)
      insertion();
    else
      merge();
  }

private:
  SmallVector<Value> at(Value alongAxis) {
    SmallVector<Value> indices(row);
    indices.insert(indices.begin() + axis, alongAxis);
    return indices;
  }
  Value input(Value alongAxis) { return b.load(op.getInput(), at(alongAxis)); }
  /// Whether element x comes strictly before element y.
  Value before(Value x, Value y) { return b.inlined(op.getBody(), {x, y})[0]; }

  Value written(Value slot) { return b.asIndex(b.load(op.getInit(), at(slot))); }
  void write(Value alongAxis, Value slot) {
    b.store(b.asInteger(alongAxis, position), op.getInit(), at(slot));
  }

  /// The destination holds the first min(i, k) positions, in order, of the i elements
  /// read so far. A new one moves up while it comes before its neighbour.
  void insertion() {
    Value zero = b.constant(0), one = b.constant(1), last = b.constant(k - 1);
    b.sequence(zero, n, one, {}, [&](Value i, ValueRange) {
      Value element = input(i);
      // With all slots taken, the new element competes with the last one.
      Value full = arith::CmpIOp::create(b, arith::CmpIPredicate::sgt, i, last);
      auto wanted = scf::IfOp::create(b, TypeRange{b.getI1Type()}, full, /*withElseRegion=*/true);
      {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToStart(wanted.thenBlock());
        scf::YieldOp::create(b, before(element, input(written(last))));
        b.setInsertionPointToStart(wanted.elseBlock());
        scf::YieldOp::create(b, Value(arith::ConstantOp::create(b, b.getBoolAttr(true))));
      }
      auto place = scf::IfOp::create(b, wanted.getResult(0), /*withElseRegion=*/false);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(place.thenBlock());
      Value start = b.select(full, last, i);
      auto shift = scf::WhileOp::create(b, TypeRange{b.getIndexType()}, ValueRange{start});
      {
        OpBuilder::InsertionGuard inner(b);
        Block *test = b.createBlock(&shift.getBefore(), {}, {b.getIndexType()}, {b.getLoc()});
        Value slot = test->getArgument(0);
        Value some = b.less(zero, slot);
        Value previous = b.select(some, arith::SubIOp::create(b, slot, one), zero);
        // Slot 0 holds something whenever `some`; else what is read is not used.
        auto moves = scf::IfOp::create(b, TypeRange{b.getI1Type()}, some, /*withElseRegion=*/true);
        {
          OpBuilder::InsertionGuard branch(b);
          b.setInsertionPointToStart(moves.thenBlock());
          scf::YieldOp::create(b, before(element, input(written(previous))));
          b.setInsertionPointToStart(moves.elseBlock());
          scf::YieldOp::create(b, Value(arith::ConstantOp::create(b, b.getBoolAttr(false))));
        }
        scf::ConditionOp::create(b, moves.getResult(0), ValueRange{slot});
        Block *move = b.createBlock(&shift.getAfter(), {}, {b.getIndexType()}, {b.getLoc()});
        slot = move->getArgument(0);
        previous = arith::SubIOp::create(b, slot, one);
        write(written(previous), slot);
        scf::YieldOp::create(b, previous);
      }
      write(i, shift.getResult(0));
      return SmallVector<Value>();
    });
  }

  /// Bottom-up merge sort of positions between the two halves of a scratch.
  void merge() {
    std::optional<int64_t> fixed = getConstantIntValue(n);
    Type slotType = fixed && *fixed <= INT32_MAX ? b.getI32Type() : b.getI64Type();
    auto type = MemRefType::get({2, fixed.value_or(ShapedType::kDynamic)}, slotType);
    Value scratch = memref::AllocOp::create(b, type, fixed ? ValueRange() : ValueRange(n));
    Value zero = b.constant(0), one = b.constant(1), size = n;
    b.sequence(zero, size, one, {}, [&](Value i, ValueRange) {
      b.store(b.asInteger(i, slotType), scratch, {zero, i});
      return SmallVector<Value>();
    });
    Value passes = fixed ? b.constant(llvm::Log2_64_Ceil(*fixed)) : ceilLog2(n);
    b.sequence(zero, passes, one, {}, [&](Value pass, ValueRange) {
      Value from = arith::AndIOp::create(b, pass, one), to = arith::XOrIOp::create(b, from, one);
      Value width = arith::ShLIOp::create(b, one, pass);
      Value both = arith::ShLIOp::create(b, width, one);
      b.sequence(zero, size, both, {}, [&](Value low, ValueRange) {
        auto clampedSum = [&](Value x, Value y) -> Value {
          return arith::MinSIOp::create(b, Value(arith::AddIOp::create(b, x, y)), size);
        };
        Value middle = clampedSum(low, width), high = clampedSum(low, both);
        b.sequence(low, high, one, {low, middle}, [&](Value t, ValueRange heads) {
          Value left = heads[0], right = heads[1];
          Value someLeft = b.less(left, middle), someRight = b.less(right, high);
          auto head = [&](Value i, Value some) {
            return b.load(scratch, {from, b.select(some, i, low)});
          };
          Value l = head(left, someLeft), r = head(right, someRight);
          Value overtakes = before(input(b.asIndex(r)), input(b.asIndex(l)));
          // The right head goes first if it must, or nothing else is left.
          Value takeRight = b.select(someLeft, arith::AndIOp::create(b, someRight, overtakes),
                                     someRight);
          b.store(b.select(takeRight, r, l), scratch, {to, t});
          auto advance = [&](Value i, Value if_, Value delta) -> Value {
            return b.select(if_, arith::AddIOp::create(b, i, delta), i);
          };
          Value nextRight = advance(right, takeRight, one);
          Value nextLeft = b.select(takeRight, left, arith::AddIOp::create(b, left, one));
          return SmallVector<Value>{nextLeft, nextRight};
        });
        return SmallVector<Value>();
      });
      return SmallVector<Value>();
    });
    Value sorted = arith::AndIOp::create(b, passes, one);
    b.sequence(zero, count, one, {}, [&](Value i, ValueRange) {
      write(b.asIndex(b.load(scratch, {sorted, i})), i);
      return SmallVector<Value>();
    });
  }

  /// How often 1 doubles to reach `size`.
  Value ceilLog2(Value size) {
    Type index = b.getIndexType();
    auto doubling = scf::WhileOp::create(b, TypeRange{index, index},
                                         ValueRange{b.constant(0), b.constant(1)});
    OpBuilder::InsertionGuard guard(b);
    Block *test = b.createBlock(&doubling.getBefore(), {}, {index, index}, {b.getLoc(), b.getLoc()});
    scf::ConditionOp::create(b, b.less(test->getArgument(1), size), test->getArguments());
    Block *next = b.createBlock(&doubling.getAfter(), {}, {index, index}, {b.getLoc(), b.getLoc()});
    Value one = b.constant(1);
    scf::YieldOp::create(b, ValueRange{arith::AddIOp::create(b, next->getArgument(0), one),
                                       arith::ShLIOp::create(b, next->getArgument(1), one)});
    return doubling.getResult(0);
  }

  kern::SortOp op;
  Loops b;
  int64_t axis;
  Type position;
  int64_t k; // dynamic, or known
  Value n, count;
  SmallVector<Value> row;
};

//===- scan -----------------------------------------------------------------===//

void lowerScan(kern::ScanOp op) {
  Loops b(op);
  int64_t axis = op.getAxis();
  Value shaped = op.getInputs()[0];
  SmallVector<int64_t> others;
  for (int64_t d = 0, e = cast<MemRefType>(shaped.getType()).getRank(); d < e; ++d)
    if (d != axis)
      others.push_back(d);
  SmallVector<Value> row = b.parallel(shaped, others);
  Value size = b.size(shaped, axis), one = b.constant(1);
  b.sequence(b.constant(0), size, one, op.getInitial(), [&](Value step, ValueRange carried) {
    Value i = step;
    if (op.getReverse())
      i = arith::SubIOp::create(b, arith::SubIOp::create(b, size, one), step);
    SmallVector<Value> indices(row);
    indices.insert(indices.begin() + axis, i);
    SmallVector<Value> arguments;
    for (Value input : op.getInputs())
      arguments.push_back(b.load(input, indices));
    llvm::append_range(arguments, carried);
    SmallVector<Value> yields = b.inlined(op.getBody(), arguments);
    for (auto [init, value] :
         llvm::zip_equal(op.getInits(), ArrayRef<Value>(yields).drop_front(carried.size())))
      b.store(value, init, indices);
    yields.truncate(carried.size());
    return yields;
  });
}

//===- Pass -----------------------------------------------------------------===//

struct LowerKern : impl::LowerKernBase<LowerKern> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isa<kern::ScatterOp, kern::SortOp, kern::ScanOp>(op))
        ops.push_back(op);
    });
    llvm::SetVector<func::FuncOp> kernels; // that sort rows of a size that may be dynamic
    for (Operation *op : ops) {
      if (op->getNumResults() != 0) {
        op->emitOpError("is still on tensors; bufferize first");
        return signalPassFailure();
      }
      if (auto scatter = dyn_cast<kern::ScatterOp>(op)) {
        if (failed(Scatter(scatter).lower()))
          return signalPassFailure();
      } else if (auto sort = dyn_cast<kern::SortOp>(op)) {
        Sort(sort).lower();
        kernels.insert(sort->getParentOfType<func::FuncOp>());
      } else {
        lowerScan(cast<kern::ScanOp>(op));
      }
      op->erase();
    }
    for (func::FuncOp kernel : kernels)
      cpu::boundScratch(kernel);
  }
};

} // namespace
} // namespace burin
