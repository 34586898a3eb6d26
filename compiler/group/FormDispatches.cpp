// SPDX-License-Identifier: Apache-2.0
//
// Partitions @main into dispatches, each of which becomes one kernel.
//
//   1. Constants with data become weights. Results of @main that no kernel would
//      write (an argument, a constant, a value returned twice) get a copy of their own,
//      and so does each op that writes in a copy of a tensor.
//   2. Every computing op starts alone. An op joins the producer of its
//      destination (insert_slice chains), and a producer joins its only consumer
//      where both walk the same rows (softmax, normalisations), or are small. What
//      computes the scores of an attention joins the product with its values, a product
//      the depthwise convolution that reads it, and that the product behind it (Feeders.h); a convolution joins its
//      pooling (Pools.h).
//   3. Each group is wrapped into a plan.dispatch at its last op. Cheap ops and slices of
//      states are cloned in, views stay outside, everything else is captured. A result that is written
//      into a state that grows has the state as its destination. Any other state is an operand, which
//      no kernel may write to: it is replaced when all have run.

#include "compiler/group/Feeders.h"
#include "compiler/group/Group.h"
#include "compiler/group/Parts.h"
#include "compiler/group/Pools.h"
#include "compiler/group/Scores.h"
#include "compiler/transforms/Passes.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_FORMDISPATCHES
#include "compiler/transforms/Passes.h.inc"

//===- Questions ------------------------------------------------------------===//

bool group::isCheap(Operation *op) {
  if (isa<tensor::EmptyOp, tensor::DimOp>(op))
    return true;
  if (isa<plan::DimOp, plan::MeasureOp>(op))
    return false; // what a kernel is told, not what it finds out
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
    return !dense || dense.isSplat();
  }
  if (auto fill = dyn_cast<linalg::FillOp>(op))
    return fill.getInputs()[0].getDefiningOp<arith::ConstantOp>() &&
           fill.getOutputs()[0].getDefiningOp<tensor::EmptyOp>();
  return isPure(op) && op->getNumRegions() == 0 &&
         llvm::all_of(op->getResultTypes(), [](Type type) { return type.isIndex(); });
}

bool group::isView(Operation *op) {
  return isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::CastOp>(op);
}

bool group::isStateSlice(Operation *op) {
  auto slice = dyn_cast<tensor::ExtractSliceOp>(op);
  return slice && slice.hasUnitStride() && plan::stateUnder(slice.getSource());
}

unsigned group::countOps(Operation *op) {
  unsigned count = 0;
  op->walk([&](Operation *) { ++count; });
  return count;
}

Value group::dataOf(Value value) {
  while (Operation *def = value.getDefiningOp()) {
    if (!isView(def))
      break;
    value = def->getOperand(0);
  }
  return value;
}

unsigned group::rowRank(Operation *op) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp)
    return 0;
  SmallVector<utils::IteratorType> iterators = linalgOp.getIteratorTypesArray();
  unsigned rank = 0;
  for (; rank < iterators.size() && iterators[rank] == utils::IteratorType::parallel; ++rank)
    for (OpOperand &init : linalgOp.getDpsInitsMutable()) {
      AffineMap map = linalgOp.getMatchingIndexingMap(&init);
      if (map.getNumResults() <= rank || map.getResult(rank) != getAffineDimExpr(rank, op->getContext()))
        return rank;
    }
  return rank;
}

bool group::readsBackward(AffineMap map) {
  bool backward = false;
  map.walkExprs([&](AffineExpr expr) {
    auto product = dyn_cast<AffineBinaryOpExpr>(expr);
    if (product && expr.getKind() == AffineExprKind::Mul)
      if (auto factor = dyn_cast<AffineConstantExpr>(product.getRHS()))
        backward |= factor.getValue() < 0;
  });
  return backward;
}

unsigned group::sharedRows(linalg::LinalgOp consumer, OpOperand &operand) {
  AffineMap map = consumer.getMatchingIndexingMap(&operand);
  // Tiling takes the slice from where the first index reads to where the last one does.
  if (readsBackward(map))
    return 0;
  unsigned rank = 0;
  while (rank < map.getNumResults() &&
         map.getResult(rank) == getAffineDimExpr(rank, consumer.getContext()))
    ++rank;
  return rank;
}

OpOperand *group::tiedDestination(OpResult result) {
  Operation *def = result.getOwner();
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(def))
    return &insert.getDestMutable();
  if (auto tasks = dyn_cast<scf::ForallOp>(def))
    return tasks.getTiedOpOperand(result);
  if (auto loop = dyn_cast<LoopLikeOpInterface>(def); loop && !loop.getInits().empty())
    return loop.getTiedLoopInit(result);
  if (auto style = dyn_cast<DestinationStyleOpInterface>(def))
    return style.getTiedOpOperand(result);
  return nullptr;
}

Value group::sizedLike(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    Operation *parent = argument.getOwner()->getParentOp();
    unsigned at = argument.getArgNumber();
    if (auto loop = dyn_cast<scf::ForOp>(parent))
      return at == 0 ? Value() : loop.getInitArgs()[at - 1];
    if (auto loop = dyn_cast<scf::WhileOp>(parent))
      return argument.getOwner() == loop.getBeforeBody() ? loop.getInits()[at]
                                                         : loop.getConditionOp().getArgs()[at];
    return nullptr;
  }
  auto result = cast<OpResult>(value);
  unsigned at = result.getResultNumber();
  if (auto loop = dyn_cast<scf::ForOp>(result.getOwner()))
    return loop.getInitArgs()[at];
  if (auto loop = dyn_cast<scf::WhileOp>(result.getOwner()))
    return loop.getConditionOp().getArgs()[at];
  if (auto region = dyn_cast<scf::ExecuteRegionOp>(result.getOwner()))
    return region.getRegion().front().getTerminator()->getOperand(at);
  if (auto branch = dyn_cast<scf::IfOp>(result.getOwner()))
    return branch.thenYield().getOperand(at);
  if (auto put = dyn_cast<bufferization::MaterializeInDestinationOp>(result.getOwner()))
    return put.getDest();
  if (auto style = dyn_cast<DestinationStyleOpInterface>(result.getOwner()))
    return style.getTiedOpOperand(result)->get();
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(result.getOwner()))
    return insert.getDest();
  return nullptr;
}

Value group::makeCopy(OpBuilder &builder, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  Location loc = value.getLoc();
  Value empty = tensor::EmptyOp::create(builder, loc, tensor::getMixedSizes(builder, loc, value),
                                        type.getElementType());
  AffineMap identity = builder.getMultiDimIdentityMap(type.getRank());
  SmallVector<utils::IteratorType> parallel(type.getRank(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(builder, loc, TypeRange{type}, ValueRange{value},
                                   ValueRange{empty}, ArrayRef<AffineMap>{identity, identity},
                                   parallel,
                                   [](OpBuilder &b, Location at, ValueRange elements) {
                                     linalg::YieldOp::create(b, at, elements[0]);
                                   })
      .getResult(0);
}

void group::writeTo(Value value, Value destination) {
  while (auto result = dyn_cast<OpResult>(value)) {
    OpOperand *tied = tiedDestination(result);
    if (!tied || tied->get().getType() != destination.getType())
      return;
    if (tied->get().getDefiningOp<tensor::EmptyOp>()) {
      tied->set(destination);
      return;
    }
    value = tied->get();
  }
}

namespace {

/// Elements of all results of `op` that one row holds, after `rows` leading dims.
int64_t rowElements(Operation *op, unsigned rows) {
  int64_t elements = 0;
  for (Type type : op->getResultTypes()) {
    auto tensor = cast<RankedTensorType>(type);
    int64_t row = 1;
    for (int64_t size : tensor.getShape().drop_front(std::min<size_t>(rows, tensor.getRank()))) {
      if (ShapedType::isDynamic(size))
        return ShapedType::kDynamic;
      row *= size;
    }
    elements += row;
  }
  return elements;
}

/// Intermediate rows live in a worker's scratch: more than this per op is a
/// kernel of its own.
constexpr int64_t maxRowElements = 64 * 1024;

/// Ops of no more steps are one task each, by themselves.
constexpr int64_t maxTaskSteps = 8 * 1024;

/// How often the body of a linalg op runs; more than fits where that is not known, or for any other.
int64_t steps(Operation *op) {
  auto loops = dyn_cast<linalg::LinalgOp>(op);
  if (!loops)
    return INT64_MAX;
  int64_t product = 1;
  for (int64_t size : loops.getStaticLoopRanges())
    if (ShapedType::isDynamic(size) || llvm::MulOverflow(product, size, product))
      return INT64_MAX;
  return product;
}

/// Part of the main program, and of no kernel.
bool belongsToMain(Operation *op) {
  return isa<plan::ConstantOp, plan::DimOp, plan::MeasureOp>(op);
}

//===- Groups ---------------------------------------------------------------===//

struct Group {
  SetVector<Operation *> ops;
  unsigned rows = 0; // leading loops that all members share; tiling will split these
  unsigned count = 0; // of ops, those in bodies included
};

class Partition {
public:
  explicit Partition(Block &block) {
    for (Operation &op : llvm::reverse(block.without_terminator()))
      if (!isInNoGroup(&op) && !groupOf.count(&op))
        start(&op);
  }

  std::vector<std::unique_ptr<Group>> groups;

private:
  static bool isInNoGroup(Operation *op) {
    return group::isCheap(op) || group::isView(op) || group::isStateSlice(op) ||
           belongsToMain(op);
  }

  void start(Operation *root) {
    groups.push_back(std::make_unique<Group>());
    Group &group = *groups.back();
    group.rows = group::rowRank(root);
    join(group, root);
    if (auto contract = dyn_cast<kern::ContractOp>(root)) {
      for (Operation *op : group::scoresOf(contract))
        join(group, op);
      for (kern::ContractOp feeder = contract; (feeder = group::feederOf(feeder));)
        join(group, feeder);
    }
    for (Operation *op : group::pooledBy(root))
      join(group, op);
    for (size_t i = 0; i < group.ops.size(); ++i) // ops grows while it is walked
      for (OpOperand &operand : group.ops[i]->getOpOperands())
        if (Operation *producer = operand.get().getDefiningOp())
          if (!groupOf.count(producer) && isOnlyUsedBy(producer, group))
            tryJoin(group, operand, producer);
  }

  void tryJoin(Group &group, OpOperand &operand, Operation *producer) {
    if (isInNoGroup(producer))
      return;
    // Several writers of one tensor are not tiled; a scalar has no memory between kernels.
    if (isDestination(operand) || !isa<RankedTensorType>(operand.get().getType())) {
      group.rows = 0;
      join(group, producer);
      return;
    }
    auto reader = dyn_cast<linalg::LinalgOp>(operand.getOwner());
    if (!reader || !isa<linalg::LinalgOp>(producer) || !isa<linalg::LinalgOp>(group.ops[0]))
      return;
    // Tiling copies a producer for each of its readers, and what checks its data stays.
    if (!isMemoryEffectFree(producer) ||
        group.count + group::countOps(producer) > group::maxKernelOps)
      return;
    unsigned rows = std::min(group.rows, group::rowRank(producer));
    for (OpOperand &use : producer->getUses())
      rows = std::min(rows, group::sharedRows(cast<linalg::LinalgOp>(use.getOwner()), use));
    if (rows == 0) {
      // No loop to split: worth one task where each was one by itself.
      if (steps(producer) > maxTaskSteps ||
          llvm::any_of(group.ops, [](Operation *op) { return steps(op) > maxTaskSteps; }))
        return;
      group.rows = 0;
      join(group, producer);
      return;
    }
    for (Operation *member : group.ops)
      if (member != group.ops[0]) {
        int64_t elements = rowElements(member, rows);
        if (ShapedType::isDynamic(elements) || elements > maxRowElements)
          return;
      }
    int64_t elements = rowElements(producer, rows);
    if (ShapedType::isDynamic(elements) || elements > maxRowElements)
      return;
    group.rows = rows;
    join(group, producer);
  }

  static bool isDestination(OpOperand &operand) {
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(operand.getOwner()))
      return operand == insert.getDestMutable();
    if (auto style = dyn_cast<DestinationStyleOpInterface>(operand.getOwner()))
      return style.isDpsInit(&operand);
    return false;
  }

  /// All uses are direct operands of members, so that merging makes no cycle.
  static bool isOnlyUsedBy(Operation *producer, Group &group) {
    return llvm::all_of(producer->getUses(), [&](OpOperand &use) {
      return group.ops.contains(use.getOwner());
    });
  }

  void join(Group &group, Operation *op) {
    group.ops.insert(op);
    group.count += group::countOps(op);
    groupOf[op] = &group;
  }

  DenseMap<Operation *, Group *> groupOf;
};

//===- Wrapping -------------------------------------------------------------===//

/// Moves one group into a dispatch at its root, the member that comes last.
class Wrapper {
public:
  Wrapper(Group &group) {
    ops = llvm::to_vector(group.ops);
    llvm::sort(ops, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
    members.insert(ops.begin(), ops.end());
  }

  void wrap() {
    for (Operation *op : ops)
      capture(op);
    for (Operation *op : ops)
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUses(), [&](OpOperand &use) {
              return !members.contains(ancestorInBlock(use.getOwner()));
            }))
          results.push_back(result);
    llvm::stable_sort(results, [&](Value a, Value b) { return !stateBefore(a) && stateBefore(b); });

    OpBuilder builder(ops.back());
    Location loc = location();
    SmallVector<Value> inits;
    for (Value result : results) {
      Value state = stateBefore(result);
      inputs.remove(state);
      inits.push_back(state ? state : makeInit(builder, result));
    }
    auto dispatch = plan::DispatchOp::create(
        builder, loc, TypeRange(ValueRange(results)), inputs.getArrayRef(), dims.getArrayRef(), inits);
    Block *body = builder.createBlock(&dispatch.getBody());
    IRMapping mapping;
    for (ValueRange part : {ValueRange(inputs.getArrayRef()), ValueRange(dims.getArrayRef())})
      for (Value value : part)
        mapping.map(value, body->addArgument(value.getType(), loc));
    SmallVector<Value> destinations;
    for (Value init : inits)
      destinations.push_back(body->addArgument(init.getType(), loc));
    for (auto [init, destination] : llvm::zip_equal(inits, destinations))
      if (!init.getDefiningOp<tensor::EmptyOp>())
        mapping.map(init, destination);

    for (Operation *op : cheap)
      builder.clone(*op, mapping);
    for (Operation *op : ops)
      builder.clone(*op, mapping);
    SmallVector<Value> returned;
    for (auto [result, destination] : llvm::zip_equal(results, destinations)) {
      returned.push_back(mapping.lookup(result));
      group::writeTo(returned.back(), destination);
    }
    plan::ReturnOp::create(builder, loc, returned);
    // Sizes that only named a destination are of no use inside.
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*body)))
      if (isOpTriviallyDead(&op))
        op.erase();
    for (unsigned i = dims.size(); i-- > 0;)
      if (BlockArgument size = body->getArgument(inputs.size() + i); size.use_empty()) {
        body->eraseArgument(size.getArgNumber());
        dispatch.getDimsMutable().erase(i);
      }

    for (auto [result, replacement] : llvm::zip_equal(results, dispatch.getResults()))
      result.replaceUsesWithIf(replacement, [&](OpOperand &use) {
        return !members.contains(ancestorInBlock(use.getOwner())) &&
               !dispatch->isAncestor(use.getOwner());
      });
    for (Operation *op : llvm::reverse(ops))
      op->erase();
  }

private:
  /// Names every node that the kernel computes, its root's first: upstream's fusion keeps the
  /// locations of bodies alone.
  Location location() {
    SmallVector<Location> parts{ops.back()->getLoc()};
    for (Operation *op : ops)
      op->walk([&](Operation *nested) { parts.push_back(nested->getLoc()); });
    return FusedLoc::get(ops.back()->getContext(), parts);
  }

  Operation *ancestorInBlock(Operation *op) {
    return ops.front()->getBlock()->findAncestorOpInBlock(*op);
  }

  /// Sorts what `op` (with its regions) uses from outside into inputs, dims and
  /// cheap ops to clone.
  void capture(Operation *op) {
    SetVector<Value> used(op->operand_begin(), op->operand_end());
    for (Region &region : op->getRegions())
      getUsedValuesDefinedAbove(region, region, used);
    for (Value value : used) {
      Operation *def = value.getDefiningOp();
      if (def && (members.contains(def) || op->isProperAncestor(def)))
        continue;
      if (auto argument = dyn_cast<BlockArgument>(value);
          argument && op->isAncestor(argument.getOwner()->getParentOp()))
        continue;
      if (def && ((group::isCheap(def) && !isa<tensor::DimOp>(def)) || readsStateSlice(def))) {
        capture(def);
        cheap.insert(def);
      } else if (isa<RankedTensorType>(value.getType())) {
        inputs.insert(value);
      } else {
        dims.insert(value);
      }
    }
  }

  /// A slice of a state, or a view of one.
  static bool readsStateSlice(Operation *op) {
    Operation *data = group::isView(op) ? group::dataOf(op->getResult(0)).getDefiningOp() : op;
    return data && group::isStateSlice(data);
  }

  /// The state that grows, from outside, that `result` is written into; null for any other.
  Value stateBefore(Value result) {
    while (auto made = dyn_cast<OpResult>(result)) {
      if (!members.contains(made.getOwner()))
        break;
      OpOperand *tied = group::tiedDestination(made);
      if (!tied)
        return nullptr;
      result = tied->get();
    }
    BlockArgument state = plan::stateUnder(result);
    return state && plan::stateOf(main(), state.getArgNumber()).grows() ? result : Value();
  }

  FunctionOpInterface main() { return ops.front()->getParentOfType<FunctionOpInterface>(); }

  /// The sizes of `value`, from what is there before the group.
  SmallVector<OpFoldResult> sizesBefore(OpBuilder &builder, Value value) {
    ReifiedRankedShapedTypeDims shapes;
    Operation *def = value.getDefiningOp();
    if (def && members.contains(def) && !cast<RankedTensorType>(value.getType()).hasStaticShape() &&
        succeeded(reifyResultShapes(builder, def, shapes)))
      return shapes[cast<OpResult>(value).getResultNumber()];
    return tensor::getMixedSizes(builder, value.getLoc(), value);
  }

  Value makeInit(OpBuilder &builder, Value result) {
    auto type = cast<RankedTensorType>(result.getType());
    // Sizes of a result are read off its destination, which exists before it.
    Value like = result;
    if (!type.hasStaticShape())
      while (Value before = group::sizedLike(like))
        like = before;
    SmallVector<OpFoldResult> sizes;
    if (auto inBranch = like.getDefiningOp<bufferization::AllocTensorOp>())
      sizes = getMixedValues(type.getShape(), inBranch.getDynamicSizes(), builder);
    else
      sizes = sizesBefore(builder, like);
    return tensor::EmptyOp::create(builder, result.getLoc(), sizes, type.getElementType());
  }

  SmallVector<Operation *> ops;
  DenseSet<Operation *> members;
  SetVector<Value> inputs, dims;
  SetVector<Operation *> cheap; // in an order that respects uses
  SmallVector<Value> results;
};

//===- Pass -----------------------------------------------------------------===//

/// Gives each returned value storage that only it names; see step 1 above.
void materializeResults(func::FuncOp func) {
  Operation *end = func.getBody().front().getTerminator();
  OpBuilder builder(end);
  DenseSet<Value> taken;
  for (OpOperand &operand : end->getOpOperands()) {
    Value data = group::dataOf(operand.get());
    Operation *def = data.getDefiningOp();
    bool hasPlace = !def || !(group::isCheap(def) || group::isStateSlice(def));
    // The next value of a state may lie anywhere but in another state, which is replaced, too.
    if (auto state = plan::stateOfResult(func, operand.getOperandNumber())) {
      BlockArgument under = plan::stateUnder(data);
      if (under ? under.getArgNumber() == *state : hasPlace)
        continue;
    }
    if (def && hasPlace && !isa<plan::ConstantOp>(def) && taken.insert(data).second)
      continue;
    if (isa<RankedTensorType>(operand.get().getType()))
      operand.set(group::makeCopy(builder, operand.get()));
  }
}

/// Data in the code would tell apart kernels that are equal but for it: it becomes weights, which
/// kernels take as an argument. Folding makes such constants, e.g. of a reshaped weight.
void hoistConstants(func::FuncOp func) {
  SmallVector<arith::ConstantOp> found;
  func.walk([&](arith::ConstantOp op) {
    if (isa<RankedTensorType>(op.getType()) && !group::isCheap(op))
      found.push_back(op);
  });
  OpBuilder builder(func.getContext());
  for (arith::ConstantOp op : found) {
    builder.setInsertionPointToStart(&func.getBody().front());
    op.replaceAllUsesWith(
        plan::ConstantOp::create(builder, op.getLoc(), op.getValue()).getResult());
    op.erase();
  }
}

/// What is copied to be written in place needs a copy for each that writes; CSE has made one of
/// equal ones.
void unshareCopies(func::FuncOp func) {
  SmallVector<bufferization::MaterializeInDestinationOp> copies;
  func.walk([&](bufferization::MaterializeInDestinationOp copy) {
    if (copy->getNumResults() == 1 && copy.getDest().getDefiningOp<tensor::EmptyOp>())
      copies.push_back(copy);
  });
  for (bufferization::MaterializeInDestinationOp copy : copies) {
    OpBuilder builder(copy);
    for (OpOperand &use : llvm::make_early_inc_range(copy->getUses())) {
      if (copy->hasOneUse())
        break;
      Operation *own = builder.clone(*copy.getDest().getDefiningOp());
      Operation *clone = builder.clone(*copy);
      clone->setOperand(1, own->getResult(0));
      use.set(clone->getResult(0));
    }
  }
}

/// Kernels hand on tensors only: who uses a scalar must be of its producer's group.
LogicalResult checkScalars(Group &group) {
  for (Operation *op : group.ops)
    for (Value result : op->getResults())
      if (!isa<RankedTensorType>(result.getType()))
        for (Operation *user : result.getUsers())
          if (llvm::none_of(group.ops, [&](Operation *member) { return member->isAncestor(user); }))
            return op->emitOpError("computes a scalar that several kernels would need");
  return success();
}

struct FormDispatches : impl::FormDispatchesBase<FormDispatches> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      if (func.isDeclaration())
        continue;
      hoistConstants(func);
      group::placeOpenFills(func);
      materializeResults(func);
      unshareCopies(func);
      group::unshareParts(func.getBody().front());
      group::reshapeStateSlices(func);
      Partition partition(func.getBody().front());
      for (auto &group : partition.groups)
        if (failed(checkScalars(*group)))
          return signalPassFailure();
      for (auto &group : llvm::reverse(partition.groups)) // from the first root on
        Wrapper(*group).wrap();
    }
  }
};

} // namespace
} // namespace burin
