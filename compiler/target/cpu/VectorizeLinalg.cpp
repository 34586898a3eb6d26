// SPDX-License-Identifier: Apache-2.0
//
// linalg on buffers to loops over vectors; see Passes.td. An op is vectorised along one of its
// loops, the lanes: a parallel loop that walks the outputs without gaps, or a reduction that walks the
// inputs without gaps. Which one, and how many lanes, depends on the op alone, so that a result has the
// same bits on every CPU level. What does not fit is left to convert-linalg-to-loops.

#include "compiler/target/cpu/TurnSquare.h"
#include "compiler/target/cpu/VectorLoop.h"
#include "compiler/transforms/Passes.h"
#include "dialects/plan/PlanOps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace burin::cpu;

namespace burin {
#define GEN_PASS_DEF_VECTORIZELINALG
#include "compiler/transforms/Passes.h.inc"

namespace {

//===- Emission -------------------------------------------------------------===//

/// A value of the body: one for all lanes, one per lane, or (an index) the first lane's, growing by one.
struct Lane {
  enum Kind { Scalar, Vector, Counting } kind = Scalar;
  Value value;
};

/// Of the squares that are turned in registers.
constexpr int64_t side = squareSide;

class Vectorizer {
public:
  Vectorizer(linalg::GenericOp op, Choice choice)
      : op(op), choice(choice), b(op.getLoc(), op), iterators(op.getIteratorTypesArray()),
        maps(op.getIndexingMapsArray()) {}

  void run();

private:
  /// One pass over the body at the current indices.
  struct Step {
    int64_t lanes = 1; ///< 1: scalar
    Value mask;        ///< of the valid lanes; null where all are
  };

  void emitParallel(ArrayRef<unsigned> outer, ArrayRef<unsigned> reductions);
  void emitTurned(ArrayRef<unsigned> outer);
  Lane loadTurned(const void *what, llvm::function_ref<Value(int64_t)> rowOfLane);
  void emitReduction(ArrayRef<unsigned> outer, ArrayRef<unsigned> reductions);
  void emitReduction(ArrayRef<unsigned> outer, ArrayRef<unsigned> reductions, int64_t lanes);
  SmallVector<Value> nest(ArrayRef<unsigned> dims, ValueRange carried,
                          llvm::function_ref<SmallVector<Value>(ValueRange)> body);
  SmallVector<Value> loop(Value from, Value to, int64_t step, ValueRange carried,
                          llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body);

  void forLanes(llvm::function_ref<void(const Step &)> body);
  SmallVector<Value> body(const Step &step, ValueRange accumulators);
  Lane load(OpOperand &operand, const Step &step);
  Lane loadFromIndices(memref::LoadOp op, ArrayRef<Lane> indices, const Step &step);
  void store(OpOperand &operand, Value value, const Step &step);

  SmallVector<Value> indicesOf(OpOperand &operand, ValueRange at) {
    SmallVector<Value> indices;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (AffineExpr result : map.getResults()) {
      if (auto dim = dyn_cast<AffineDimExpr>(result)) {
        indices.push_back(at[dim.getPosition()]);
        continue;
      }
      AffineMap one = AffineMap::get(map.getNumDims(), 0, result);
      indices.push_back(affine::AffineApplyOp::create(b, one, at));
    }
    return indices;
  }
  Value toVector(const Lane &lane, int64_t lanes);
  Value index(int64_t i) { return arith::ConstantIndexOp::create(b, i); }
  /// The largest multiple of `step` that is at most `size`.
  Value wholeOf(Value size, int64_t step) {
    if (std::optional<int64_t> known = getConstantIntValue(size))
      return index(*known / step * step);
    AffineExpr n = b.getAffineSymbolExpr(0);
    return affine::AffineApplyOp::create(b, AffineMap::get(0, 1, n.floorDiv(step) * step), size);
  }
  VectorType vectorOf(Type element, int64_t lanes) { return VectorType::get({lanes}, element); }
  Value maskFor(Value left, int64_t lanes) {
    return vector::CreateMaskOp::create(b, vectorOf(b.getI1Type(), lanes), left);
  }
  /// Some lanes are not neighbours in memory: those beyond the end must not be read.
  bool readsLaneByLane() {
    return llvm::any_of(op->getOpOperands(),
                        [&](OpOperand &operand) {
                          return accessAlong(op, operand, choice.dim) == Access::Strided;
                        }) ||
           llvm::any_of(*op.getBody(), [](Operation &inner) { return isa<memref::LoadOp>(inner); });
  }
  /// Masked memory operations are instructions for these.
  bool masksWell() {
    return llvm::all_of(op->getOperandTypes(), [](Type type) {
      if (!isa<MemRefType>(type))
        return true;
      Type element = getElementTypeOrSelf(type);
      return element.isIntOrFloat() && element.getIntOrFloatBitWidth() >= 32;
    });
  }

  linalg::GenericOp op;
  Choice choice;
  ImplicitLocOpBuilder b;
  SmallVector<utils::IteratorType> iterators;
  SmallVector<AffineMap> maps;
  SmallVector<Value> sizes;   ///< of each loop
  SmallVector<Value> current; ///< of each loop, where code is being made
  /// Where inputs lie together along another loop, and squares of them are turned: that loop, and what has been
  /// loaded of the square at work, by operand or load.
  std::optional<unsigned> turn;
  DenseMap<const void *, SmallVector<Value>> turned;
  unsigned turnedRow = 0; ///< the one at work
};

Value Vectorizer::toVector(const Lane &lane, int64_t lanes) {
  VectorType type = lane.kind == Lane::Vector ? nullptr : vectorOf(lane.value.getType(), lanes);
  switch (lane.kind) {
  case Lane::Vector:
    return lane.value;
  case Lane::Scalar:
    return vector::BroadcastOp::create(b, type, lane.value);
  case Lane::Counting:
    return arith::AddIOp::create(b, vector::BroadcastOp::create(b, type, lane.value),
                                 vector::StepOp::create(b, type));
  }
  llvm_unreachable("a lane's kind");
}

/// The lanes of the row at work of what lies together along `turn`: the first row loads those of all.
Lane Vectorizer::loadTurned(const void *what, llvm::function_ref<Value(int64_t)> rowOfLane) {
  if (turnedRow == 0)
    turned[what] = turnSquare(
        b, llvm::map_to_vector(llvm::seq<int64_t>(0, side), [&](int64_t lane) { return rowOfLane(lane); }));
  return {Lane::Vector, turned[what][turnedRow]};
}

Lane Vectorizer::load(OpOperand &operand, const Step &step) {
  Value memref = operand.get();
  auto type = dyn_cast<MemRefType>(memref.getType());
  if (!type)
    return {Lane::Scalar, memref};
  Access access = accessAlong(op, operand, choice.dim);
  if (step.lanes == 1 || access == Access::Invariant)
    return {Lane::Scalar, memref::LoadOp::create(b, memref, indicesOf(operand, current))};
  VectorType vector = vectorOf(type.getElementType(), step.lanes);
  if (turn && step.lanes == side && access == Access::Strided)
    return loadTurned(&operand, [&](int64_t lane) {
      SmallVector<Value> at(current);
      at[choice.dim] = arith::AddIOp::create(b, at[choice.dim], index(lane));
      return Value(vector::LoadOp::create(b, vector, memref, indicesOf(operand, at)));
    });
  if (access == Access::Contiguous) {
    SmallVector<Value> indices = indicesOf(operand, current);
    if (!step.mask)
      return {Lane::Vector, vector::LoadOp::create(b, vector, memref, indices)};
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(vector));
    return {Lane::Vector, vector::MaskedLoadOp::create(b, vector, memref, indices, step.mask, zero)};
  }
  Value result = arith::ConstantOp::create(b, b.getZeroAttr(vector));
  for (int64_t lane = 0; lane < step.lanes; ++lane) {
    SmallVector<Value> at(current);
    at[choice.dim] = arith::AddIOp::create(b, at[choice.dim], index(lane));
    Value element = memref::LoadOp::create(b, memref, indicesOf(operand, at));
    result = vector::InsertOp::create(b, element, result, ArrayRef<int64_t>{lane});
  }
  return {Lane::Vector, result};
}

Lane Vectorizer::loadFromIndices(memref::LoadOp load, ArrayRef<Lane> indices, const Step &step) {
  Value memref = load.getMemRef();
  MemRefType type = load.getMemRefType();
  auto values = llvm::map_to_vector(indices, [](const Lane &lane) { return lane.value; });
  if (llvm::all_of(indices, [](const Lane &lane) { return lane.kind == Lane::Scalar; }))
    return {Lane::Scalar, memref::LoadOp::create(b, memref, values)};
  VectorType vector = vectorOf(type.getElementType(), step.lanes);
  bool rows = llvm::all_of(indices.drop_back(),
                           [](const Lane &lane) { return lane.kind == Lane::Scalar; });
  if (rows && indices.back().kind == Lane::Counting && type.isLastDimUnitStride())
    return {Lane::Vector, vector::LoadOp::create(b, vector, memref, values)};
  if (turn && step.lanes == side && readsRowsOf(load, *turn))
    return loadTurned(load, [&](int64_t i) {
      SmallVector<Value> at(values);
      for (auto [value, lane] : llvm::zip_equal(at, indices))
        if (lane.kind != Lane::Scalar)
          value = vector::ExtractOp::create(b, toVector(lane, side), ArrayRef<int64_t>{i});
      return Value(vector::LoadOp::create(b, vector, memref, at));
    });
  SmallVector<Value> vectors;
  for (const Lane &lane : indices)
    vectors.push_back(lane.kind == Lane::Scalar ? lane.value : toVector(lane, step.lanes));
  Value result = arith::ConstantOp::create(b, b.getZeroAttr(vector));
  for (int64_t lane = 0; lane < step.lanes; ++lane) {
    SmallVector<Value> at;
    for (Value value : vectors)
      at.push_back(isa<VectorType>(value.getType())
                       ? (Value)vector::ExtractOp::create(b, value, ArrayRef<int64_t>{lane})
                       : value);
    Value element = memref::LoadOp::create(b, memref, at);
    result = vector::InsertOp::create(b, element, result, ArrayRef<int64_t>{lane});
  }
  return {Lane::Vector, result};
}

void Vectorizer::store(OpOperand &operand, Value value, const Step &step) {
  SmallVector<Value> indices = indicesOf(operand, current);
  if (step.lanes == 1)
    memref::StoreOp::create(b, value, operand.get(), indices);
  else if (step.mask)
    vector::MaskedStoreOp::create(b, operand.get(), indices, step.mask, value);
  else
    vector::StoreOp::create(b, value, operand.get(), indices);
}

/// The results of the body; `accumulators` stand for the outputs where given.
SmallVector<Value> Vectorizer::body(const Step &step, ValueRange accumulators) {
  DenseMap<Value, Lane> lanes;
  Block *block = op.getBody();
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = block->getArgument(operand.getOperandNumber());
    if (argument.use_empty())
      continue;
    if (op.isDpsInit(&operand) && !accumulators.empty()) {
      Value carried = accumulators[operand.getOperandNumber() - op.getNumDpsInputs()];
      lanes[argument] = {step.lanes == 1 ? Lane::Scalar : Lane::Vector, carried};
    } else {
      lanes[argument] = load(operand, step);
    }
  }
  auto lookup = [&](Value value) -> Lane {
    auto found = lanes.find(value);
    return found != lanes.end() ? found->second : Lane{Lane::Scalar, value}; // from outside
  };
  for (Operation &inner : block->without_terminator()) {
    if (isa<plan::CheckOp>(inner)) { // the same for all lanes: see chooseLoop
      IRMapping mapping;
      for (Value operand : inner.getOperands())
        mapping.map(operand, lookup(operand).value);
      b.clone(inner, mapping);
      continue;
    }
    Value result = inner.getResult(0);
    if (auto indexOp = dyn_cast<linalg::IndexOp>(inner)) {
      bool counts = indexOp.getDim() == choice.dim && step.lanes > 1;
      lanes[result] = {counts ? Lane::Counting : Lane::Scalar, current[indexOp.getDim()]};
      continue;
    }
    if (auto loadOp = dyn_cast<memref::LoadOp>(inner)) {
      SmallVector<Lane> indices = llvm::map_to_vector(loadOp.getIndices(), lookup);
      lanes[result] = loadFromIndices(loadOp, indices, step);
      continue;
    }
    SmallVector<Lane> operands = llvm::map_to_vector(inner.getOperands(), lookup);
    auto count = [&](Lane::Kind kind) {
      return llvm::count_if(operands, [&](const Lane &lane) { return lane.kind == kind; });
    };
    bool scalar = count(Lane::Scalar) == (int64_t)operands.size();
    // Counting lanes stay so when moved by a scalar.
    bool counting = count(Lane::Counting) == 1 && count(Lane::Vector) == 0 &&
                    (isa<arith::AddIOp>(inner) ||
                     (isa<arith::SubIOp>(inner) && operands[0].kind == Lane::Counting));
    IRMapping mapping;
    for (auto [value, lane] : llvm::zip_equal(inner.getOperands(), operands))
      mapping.map(value, scalar || counting ? lane.value : toVector(lane, step.lanes));
    Operation *clone = b.clone(inner, mapping);
    if (!scalar && !counting)
      clone->getResult(0).setType(vectorOf(result.getType(), step.lanes));
    lanes[result] = {scalar     ? Lane::Scalar
                     : counting ? Lane::Counting
                                : Lane::Vector,
                     clone->getResult(0)};
  }
  SmallVector<Value> results;
  for (Value value : block->getTerminator()->getOperands()) {
    Lane lane = lookup(value);
    results.push_back(step.lanes == 1 ? lane.value : toVector(lane, step.lanes));
  }
  return results;
}

SmallVector<Value> Vectorizer::loop(Value from, Value to, int64_t step, ValueRange carried,
                                    llvm::function_ref<SmallVector<Value>(Value, ValueRange)> make) {
  auto op = scf::ForOp::create(b, from, to, index(step), carried);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.getBody());
  SmallVector<Value> results = make(op.getInductionVar(), op.getRegionIterArgs());
  if (!results.empty())
    scf::YieldOp::create(b, results);
  return op.getResults();
}

/// Loops over `dims`, innermost last, with `current` set.
SmallVector<Value> Vectorizer::nest(ArrayRef<unsigned> dims, ValueRange carried,
                                    llvm::function_ref<SmallVector<Value>(ValueRange)> make) {
  if (dims.empty())
    return make(carried);
  unsigned dim = dims.front();
  return loop(index(0), sizes[dim], 1, carried, [&](Value iv, ValueRange inner) {
    current[dim] = iv;
    return nest(dims.drop_front(), inner, make);
  });
}

/// Calls `make` for whole vectors along the chosen loop, then for what is left.
void Vectorizer::forLanes(llvm::function_ref<void(const Step &)> make) {
  Value size = sizes[choice.dim];
  std::optional<int64_t> known = getConstantIntValue(size);
  bool gathers = readsLaneByLane();
  int64_t lanes = lanesOfLoop;
  // Several accumulators at once hide the combiner's latency; each lane's result is the same.
  if (known && op.getNumReductionLoops() > 0 && !gathers)
    lanes = *known % 64 == 0 ? 64 : *known % 32 == 0 ? 32 : 16;
  Value whole = wholeOf(size, lanes), zero = index(0);
  if (!known || *known >= lanes)
    loop(zero, whole, lanes, {}, [&](Value iv, ValueRange) {
      current[choice.dim] = iv;
      make({lanes, nullptr});
      return SmallVector<Value>();
    });
  if (known && *known % lanes == 0)
    return;
  if (gathers || !masksWell()) {
    loop(whole, size, 1, {}, [&](Value iv, ValueRange) {
      current[choice.dim] = iv;
      make({1, nullptr});
      return SmallVector<Value>();
    });
    return;
  }
  auto tail = [&] {
    current[choice.dim] = whole;
    make({lanes, maskFor(arith::SubIOp::create(b, size, whole), lanes)});
  };
  if (known)
    return tail();
  Value some = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, whole, size);
  auto guard = scf::IfOp::create(b, some, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPointToStart(guard.thenBlock());
  tail();
}

/// Lanes are elements of the outputs; reductions, if any, run inside with an accumulator per lane.
void Vectorizer::emitParallel(ArrayRef<unsigned> outer, ArrayRef<unsigned> reductions) {
  nest(outer, {}, [&](ValueRange) {
    forLanes([&](const Step &step) {
      auto outputs = op.getDpsInitsMutable();
      SmallVector<Value> results;
      if (reductions.empty()) {
        results = body(step, {});
      } else {
        SmallVector<Value> start;
        for (OpOperand &output : outputs)
          start.push_back(load(output, step).value);
        results = nest(reductions, start, [&](ValueRange carried) { return body(step, carried); });
      }
      for (auto [output, result] : llvm::zip_equal(outputs, results))
        store(output, result, step);
    });
    return SmallVector<Value>();
  });
}

/// As emitParallel without reductions, where inputs whose lanes lie apart lie together along `turn`.
void Vectorizer::emitTurned(ArrayRef<unsigned> outer) {
  auto make = [&](const Step &step) {
    for (auto [output, result] : llvm::zip_equal(op.getDpsInitsMutable(), body(step, {})))
      store(output, result, step);
  };
  auto each = [&](Value from, Value to, int64_t step, llvm::function_ref<void(Value)> visit) {
    loop(from, to, step, {}, [&](Value iv, ValueRange) {
      visit(iv);
      return SmallVector<Value>();
    });
  };
  SmallVector<unsigned> rest(outer);
  llvm::erase(rest, *turn);
  nest(rest, {}, [&](ValueRange) {
    Value rows = wholeOf(sizes[*turn], side), lanes = wholeOf(sizes[choice.dim], side);
    each(index(0), rows, side, [&](Value row) {
      each(index(0), lanes, side, [&](Value lane) {
        current[choice.dim] = lane;
        for (turnedRow = 0; turnedRow < side; ++turnedRow) {
          current[*turn] = arith::AddIOp::create(b, row, index(turnedRow));
          make({side, nullptr});
        }
      });
      each(row, arith::AddIOp::create(b, row, index(side)), 1, [&](Value left) {
        current[*turn] = left;
        each(lanes, sizes[choice.dim], 1, [&](Value lane) {
          current[choice.dim] = lane;
          make({1, nullptr});
        });
      });
    });
    each(rows, sizes[*turn], 1, [&](Value row) {
      current[*turn] = row;
      forLanes(make);
    });
    return SmallVector<Value>();
  });
}

/// Lanes are elements of a row that is reduced; at the end they are combined as a fixed tree.
/// How many depends on the row's length alone, also where that changes from run to run.
void Vectorizer::emitReduction(ArrayRef<unsigned> outer, ArrayRef<unsigned> reductions) {
  Value size = sizes[choice.dim];
  if (std::optional<int64_t> known = getConstantIntValue(size))
    return emitReduction(outer, reductions, *known >= longRow ? lanesOfLongRow : lanesOfLoop);
  Value isLong = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, size, index(longRow));
  auto either = scf::IfOp::create(b, isLong, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPointToStart(either.thenBlock());
  emitReduction(outer, reductions, lanesOfLongRow);
  b.setInsertionPointToStart(either.elseBlock());
  emitReduction(outer, reductions, lanesOfLoop);
}

void Vectorizer::emitReduction(ArrayRef<unsigned> outer, ArrayRef<unsigned> reductions,
                               int64_t lanes) {
  Value size = sizes[choice.dim];
  std::optional<int64_t> known = getConstantIntValue(size);
  SmallVector<Combiner> combiners;
  for (unsigned i = 0; i < op.getNumDpsInits(); ++i)
    combiners.push_back(*matchCombiner(op, i));
  SmallVector<unsigned> others;
  for (unsigned dim : reductions)
    if (dim != choice.dim)
      others.push_back(dim);

  nest(outer, {}, [&](ValueRange) {
    SmallVector<Value> start;
    for (Combiner &combiner : combiners) {
      VectorType type = vectorOf(combiner.neutral.getType(), lanes);
      start.push_back(arith::ConstantOp::create(b, DenseElementsAttr::get(type, (Attribute)combiner.neutral)));
    }
    SmallVector<Value> sums = nest(others, start, [&](ValueRange carried) {
      SmallVector<Value> partial(carried);
      Value whole = wholeOf(size, lanes);
      if (!known || *known >= lanes)
        partial = loop(index(0), whole, lanes, partial, [&](Value iv, ValueRange inner) {
          current[choice.dim] = iv;
          return body({lanes, nullptr}, inner);
        });
      if (known && *known % lanes == 0)
        return partial;
      current[choice.dim] = whole;
      Value mask = maskFor(arith::SubIOp::create(b, size, whole), lanes);
      SmallVector<Value> last = body({lanes, mask}, partial);
      for (auto [value, before] : llvm::zip_equal(last, partial))
        value = arith::SelectOp::create(b, mask, value, before);
      return last;
    });
    Step scalar;
    for (auto [output, lanesSum, combiner] :
         llvm::zip_equal(op.getDpsInitsMutable(), sums, combiners)) {
      Value sum = lanesSum;
      for (int64_t half = lanes / 2; half >= 1; half /= 2) {
        Value low = vector::ExtractStridedSliceOp::create(b, sum, ArrayRef<int64_t>{0},
                                                          ArrayRef<int64_t>{half}, ArrayRef<int64_t>{1});
        Value high = vector::ExtractStridedSliceOp::create(b, sum, ArrayRef<int64_t>{half},
                                                           ArrayRef<int64_t>{half}, ArrayRef<int64_t>{1});
        sum = combiner.combine(b, b.getLoc(), low, high);
      }
      sum = vector::ExtractOp::create(b, sum, ArrayRef<int64_t>{0});
      Value before = memref::LoadOp::create(b, output.get(), indicesOf(output, current));
      store(output, combiner.combine(b, b.getLoc(), before, sum), scalar);
    }
    return SmallVector<Value>();
  });
}

void Vectorizer::run() {
  auto linalgOp = cast<linalg::LinalgOp>(op.getOperation());
  for (Range range : linalgOp.createLoopRanges(b, op.getLoc()))
    sizes.push_back(getValueOrCreateConstantIndexOp(b, op.getLoc(), range.size));
  current.assign(sizes.size(), index(0));
  SmallVector<unsigned> outer, reductions;
  for (auto [dim, iterator] : llvm::enumerate(iterators)) {
    if (iterator == utils::IteratorType::reduction)
      reductions.push_back(dim);
    else if (dim != choice.dim)
      outer.push_back(dim);
  }
  if (choice.reduction)
    emitReduction(outer, reductions);
  else if ((turn = findTurn(op, choice)))
    emitTurned(outer);
  else
    emitParallel(outer, reductions);
}

//===- The pass -------------------------------------------------------------===//

/// Positions in a tile's body are computed by affine maps; as arithmetic they go from lane to lane.
void expandPositions(IRRewriter &rewriter, linalg::GenericOp op) {
  for (auto apply : llvm::make_early_inc_range(op.getBody()->getOps<affine::AffineApplyOp>())) {
    rewriter.setInsertionPoint(apply);
    auto values = affine::expandAffineMap(rewriter, apply.getLoc(), apply.getAffineMap(),
                                          SmallVector<Value>(apply.getMapOperands()));
    if (values)
      rewriter.replaceOp(apply, *values);
  }
}

struct VectorizeLinalg : impl::VectorizeLinalgBase<VectorizeLinalg> {
  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> ops;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (op.hasPureBufferSemantics() && op.getNumLoops() > 0)
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : ops) {
      auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
      if (!generic) {
        rewriter.setInsertionPoint(op);
        FailureOr<linalg::GenericOp> general = linalg::generalizeNamedOp(rewriter, op);
        if (failed(general))
          continue;
        generic = *general;
      }
      expandPositions(rewriter, generic);
      if (!isVectorizable(generic))
        continue;
      generic = joinLoops(rewriter, generic);
      std::optional<Choice> choice = chooseLoop(generic);
      if (!choice)
        continue;
      Vectorizer(generic, *choice).run();
      rewriter.eraseOp(generic);
    }
  }
};

} // namespace
} // namespace burin
