// SPDX-License-Identifier: Apache-2.0
//
// Each kernel alone: tile its root into tasks (an scf.forall), fuse the producers
// into the tile, then bufferize. Inputs are read-only buffers, destinations are
// written in place; what remains allocated is a tile's own and becomes scratch.

#include "compiler/group/Group.h"
#include "compiler/group/Scores.h"
#include "compiler/target/cpu/BoundScratch.h"
#include "compiler/target/cpu/Joins.h"
#include "compiler/target/cpu/KernelWork.h"
#include "compiler/transforms/Passes.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Bufferization/Transforms/Bufferize.h"
#include "mlir/IR/Iterators.h"
#include "mlir/IR/Threading.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_SCHEDULEKERNELS
#include "compiler/transforms/Passes.h.inc"

namespace {

/// Element steps (loop iterations of the root) that make a task worth handing out.
constexpr int64_t taskVolume = 16 * 1024;

//===- Tiling ---------------------------------------------------------------===//

/// A part of a state that the kernel reads, and views of it.
bool isSliceOfArgument(Operation *op) {
  if (op->getNumResults() != 1)
    return false;
  Value from = group::isView(op) ? group::dataOf(op->getResult(0)) : op->getResult(0);
  auto slice = from.getDefiningOp<tensor::ExtractSliceOp>();
  return slice && isa<BlockArgument>(group::dataOf(slice.getSource()));
}

/// The op that computes the kernel's result, if it and all else that computes is
/// linalg; tiling it brings the others along.
linalg::LinalgOp findRoot(func::FuncOp kernel) {
  Operation *end = kernel.getBody().front().getTerminator();
  linalg::LinalgOp root;
  for (Value value : end->getOperands()) {
    auto op = value.getDefiningOp<linalg::LinalgOp>();
    if (!op || (root && root != op))
      return nullptr;
    root = op;
  }
  for (Operation &op : kernel.getBody().front().without_terminator())
    if (!isa<linalg::LinalgOp>(op) && !group::isCheap(&op) && !isSliceOfArgument(&op))
      return nullptr;
  return root;
}

/// Leading loops that every op of the kernel shares.
unsigned kernelRows(func::FuncOp kernel, linalg::LinalgOp root) {
  unsigned rows = group::rowRank(root);
  for (auto op : kernel.getBody().front().getOps<linalg::LinalgOp>()) {
    if (isa<linalg::FillOp>(op))
      continue;
    rows = std::min(rows, group::rowRank(op));
    for (OpOperand *operand : op.getDpsInputOperands())
      if (auto producer = operand->get().getDefiningOp<linalg::LinalgOp>();
          producer && !isa<linalg::FillOp>(producer))
        rows = std::min(rows, group::sharedRows(op, *operand));
  }
  return rows;
}

/// The smallest divisor of `size` that is at least `wanted`.
int64_t divisorFrom(int64_t size, int64_t wanted) {
  for (int64_t d = std::max<int64_t>(wanted, 1); d < size && d < wanted * 2; ++d)
    if (size % d == 0)
      return d;
  return wanted >= size ? size : 0;
}

/// Where the innermost loop walks the result and another loop an input: that other loop.
std::optional<unsigned> findTurnedLoop(linalg::LinalgOp root) {
  if (root.getNumReductionLoops() != 0 || root.getNumDpsInits() != 1)
    return std::nullopt;
  auto walkedBy = [&](OpOperand &operand) -> std::optional<unsigned> {
    ArrayRef<AffineExpr> results = root.getMatchingIndexingMap(&operand).getResults();
    auto dim = results.empty() ? nullptr : dyn_cast<AffineDimExpr>(results.back());
    return dim ? std::optional<unsigned>(dim.getPosition()) : std::nullopt;
  };
  unsigned innermost = root.getNumLoops() - 1;
  if (walkedBy(*root.getDpsInitOperand(0)) != innermost)
    return std::nullopt;
  for (OpOperand *operand : root.getDpsInputOperands()) {
    std::optional<unsigned> dim = walkedBy(*operand);
    if (dim && *dim != innermost && root.getMatchingIndexingMap(operand).isFunctionOfDim(innermost))
      return dim;
  }
  return std::nullopt;
}

/// Tiles of an op that turns `sizes[loop]` x `sizes.back()` elements: whole lines of memory on both sides, or
/// what a task reads of one is read again by the next. Empty where that is no task's worth.
SmallVector<int64_t> chooseSquare(ArrayRef<int64_t> sizes, unsigned loop) {
  constexpr int64_t line = 16, mostTurned = 256;
  int64_t turned = sizes[loop], lanes = sizes.back();
  if (turned > mostTurned)
    turned = mostTurned / 2;
  int64_t wanted = std::max<int64_t>(taskVolume / turned / line * line, line);
  if (wanted < lanes)
    for (int64_t d = lanes = wanted; d < 2 * wanted; d += line)
      if (sizes.back() % d == 0) {
        lanes = d;
        break;
      }
  if (turned * lanes < taskVolume / 2)
    return {};
  SmallVector<int64_t> tiles(sizes.size(), 1);
  tiles[loop] = turned;
  tiles.back() = lanes;
  return tiles;
}

/// Tile sizes of the leading `rows` loops; empty when one task is best. A tile
/// that does not divide its loop is for a root that is `alone`: others would need
/// scratch of varying size.
SmallVector<int64_t> chooseTiles(linalg::LinalgOp root, unsigned rows, bool alone) {
  SmallVector<int64_t> sizes = root.getStaticLoopRanges();
  // Intermediates of a tile live in scratch and should stay in the first cache.
  const int64_t volume = alone ? taskVolume : 1024;
  // How often a dynamic loop runs is not known: as if it ran on and on, in tiles that its end
  // cuts where the root is alone, row by row elsewhere.
  constexpr int64_t many = int64_t(1) << 20;
  bool isDynamic = false;
  for (auto [i, size] : llvm::enumerate(sizes)) {
    if (size == 0)
      return {};
    if (ShapedType::isDynamic(size)) {
      isDynamic = true;
      size = i < rows ? many : 1;
    }
  }
  auto stepsFrom = [&](unsigned i) {
    int64_t steps = 1;
    for (int64_t size : ArrayRef(sizes).drop_front(i))
      if (llvm::MulOverflow(steps, size, steps))
        return INT64_MAX;
    return steps;
  };
  int64_t inner = stepsFrom(0);
  if (rows == 0 || (inner <= 2 * volume && !isDynamic))
    return {};
  SmallVector<int64_t> tiles;
  if (std::optional<unsigned> loop = findTurnedLoop(root); loop && alone && !isDynamic && rows == sizes.size())
    if (tiles = chooseSquare(sizes, *loop); !tiles.empty())
      return tiles;
  for (unsigned i = 0; i < rows; ++i) {
    inner = stepsFrom(i + 1);
    int64_t wanted = std::max<int64_t>(1, volume / std::max<int64_t>(inner, 1));
    bool cutsRows = root.getStaticLoopRanges()[i] == ShapedType::kDynamic && !alone;
    if (wanted == 1 || cutsRows) {
      tiles.push_back(1);
      if (inner <= volume)
        break;
      continue;
    }
    int64_t tile = divisorFrom(sizes[i], wanted);
    if (tile == 0)
      tile = alone ? wanted : 1;
    if (tile < sizes[i])
      tiles.push_back(tile);
    break;
  }
  return tiles;
}

/// Adjacent loops that every operand walks as one become one, but for those whose position
/// the body asks for: it would have to be divided out of the joint one for each element.
linalg::LinalgOp collapseLoops(RewriterBase &rewriter, linalg::LinalgOp root) {
  if (!isa<linalg::GenericOp>(root) || root.hasDynamicShape())
    return root;
  SmallVector<AffineMap> maps = root.getIndexingMapsArray();
  // The question below looks at plain dims only: h * 2 + kh would go unseen.
  if (!llvm::all_of(maps, [](AffineMap map) { return map.isProjectedPermutation(); }))
    return root;
  SmallVector<utils::IteratorType> iterators = root.getIteratorTypesArray();
  llvm::SmallBitVector asked(iterators.size());
  root.getBlock()->walk([&](linalg::IndexOp op) { asked.set(op.getDim()); });
  SmallVector<ReassociationIndices> groups = group::joinedLoops(maps, [&](int64_t i) {
    return iterators[i] == iterators[i - 1] && !asked[i] && !asked[i - 1];
  });
  if (groups.size() == iterators.size())
    return root;
  FailureOr<linalg::CollapseResult> result =
      linalg::collapseOpIterationDims(root, groups, rewriter);
  if (failed(result))
    return root;
  rewriter.replaceOp(root, result->results);
  return cast<linalg::LinalgOp>(result->collapsedOp);
}

/// Tiles `root` and brings its producers along; `order` is that of the loops.
void tileAndFuse(IRRewriter &rewriter, TilingInterface root, ArrayRef<int64_t> tiles,
                 ArrayRef<int64_t> order = {}) {
  scf::SCFTilingOptions tiling;
  tiling.setLoopType(scf::SCFTilingOptions::LoopType::ForallOp);
  tiling.setTileSizes(getAsIndexOpFoldResult(root.getContext(), tiles));
  tiling.setInterchange(order);
  scf::SCFTileAndFuseOptions options;
  options.setTilingOptions(tiling);
  rewriter.setInsertionPoint(root);
  FailureOr<scf::SCFTileAndFuseResult> result =
      scf::tileConsumerAndFuseProducersUsingSCF(rewriter, root, options);
  if (failed(result))
    return;
  for (OpResult value : root->getResults())
    if (Value replacement = result->replacements.lookup(value))
      rewriter.replaceAllUsesWith(value, replacement);
  // A body that checks its data would keep it alive, and computed twice.
  if (root->use_empty())
    rewriter.eraseOp(root);
  // A fused fill still names the whole destination: a tile writes its own part of it.
  for (LoopLikeOpInterface loop : result->loops)
    for (auto [init, argument] : llvm::zip_equal(loop.getInits(), loop.getRegionIterArgs()))
      if (isa<BlockArgument>(init))
        init.replaceUsesWithIf(argument, [&](OpOperand &use) {
          return use.getOwner()->getParentOp() == loop && isa<tensor::ExtractSliceOp>(use.getOwner());
        });
}

bool isEmpty(Value tensor) {
  while (auto slice = tensor.getDefiningOp<tensor::ExtractSliceOp>())
    tensor = slice.getSource();
  return tensor.getDefiningOp<tensor::EmptyOp>() != nullptr;
}

/// What `op` computes element by element from, its tile's own tensor that nobody reads later; null if there is none.
OpOperand *ownInput(linalg::GenericOp op) {
  if (op.getNumDpsInits() != 1 || op.getNumReductionLoops() != 0 ||
      !op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity())
    return nullptr;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    Operation *def = operand->get().getDefiningOp();
    bool isOwn = def && def->getBlock() == op->getBlock() && isa<DestinationStyleOpInterface>(def) &&
                 operand->get().getType() == op.getResultTypes()[0] &&
                 op.getMatchingIndexingMap(operand).isIdentity();
    if (isOwn && llvm::all_of(operand->get().getUses(), [&](OpOperand &use) {
          return use.getOwner()->getBlock() == op->getBlock() &&
                 (&use == operand || (use.getOwner() != op && use.getOwner()->isBeforeInBlock(op)));
        }))
      return operand;
  }
  return nullptr;
}

/// What is computed element by element from a tile's own tensor, which nobody reads later, takes its
/// place.
void workInPlace(func::FuncOp kernel) {
  kernel.walk([&](linalg::GenericOp op) {
    if (OpOperand *input = ownInput(op); input && isEmpty(op.getDpsInits()[0]))
      op.getDpsInitOperand(0)->set(input->get());
  });
}

/// The other way round for what ends in the kernel's result: a softmax's exponentials are made where the result
/// goes, so that a long row is there once, and memory is written while they are computed.
void workInDestination(func::FuncOp kernel) {
  kernel.walk([&](linalg::GenericOp op) {
    OpOperand *input = ownInput(op);
    auto producer = input ? input->get().getDefiningOp<linalg::GenericOp>() : linalg::GenericOp();
    if (!producer || producer->getNumResults() != 1 || !isEmpty(producer.getDpsInits()[0]) ||
        producer.getNumReductionLoops() != 0)
      return;
    // The result's tile, which nothing else names.
    Value place = op.getDpsInits()[0];
    auto slice = place.getDefiningOp<tensor::ExtractSliceOp>();
    Value whole = slice ? slice.getSource() : place;
    auto isOnlyWrittenBack = [&](OpOperand &use) {
      return use.getOwner() == (slice ? slice : op) || isa<tensor::ParallelInsertSliceOp>(use.getOwner());
    };
    if (!isa<BlockArgument>(whole) || !place.hasOneUse() || !llvm::all_of(whole.getUses(), isOnlyWrittenBack) ||
        !op.getMatchingBlockArgument(op.getDpsInitOperand(0)).use_empty())
      return;
    if (slice) {
      for (Value operand : slice->getOperands())
        if (Operation *def = operand.getDefiningOp())
          if (def->getBlock() == op->getBlock() && !def->isBeforeInBlock(producer))
            return;
      slice->moveBefore(producer);
    }
    producer.getDpsInitOperand(0)->set(place);
    op.getDpsInitOperand(0)->set(input->get());
  });
}

/// The rows of an attention, from their scores on: false for any other kernel.
bool tileScores(func::FuncOp kernel) {
  auto contracts = llvm::to_vector(kernel.getBody().front().getOps<kern::ContractOp>());
  if (contracts.size() < 2 || llvm::any_of(contracts, [](kern::ContractOp op) { return op.isDepthwise(); }))
    return false;
  kern::ContractOp root = contracts.back();
  SmallVector<int64_t> tiles = group::scoreTiles(root);
  if (llvm::all_of(tiles, [](int64_t tile) { return tile == 0; }))
    return true; // one row: one task
  // Neighbouring tasks share keys and values: heads are the outer loops.
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, int64_t(tiles.size())));
  llvm::stable_sort(order, [&](int64_t a, int64_t b) { return (tiles[a] == 1) > (tiles[b] == 1); });
  IRRewriter rewriter(root);
  tileAndFuse(rewriter, cast<TilingInterface>(root.getOperation()), tiles, order);
  return true;
}

/// Tiling takes a slice from where the first index reads to where the last one does: what is read
/// backward is read by index instead. Returns the op in the place of `op`.
linalg::LinalgOp readBackwardByIndex(RewriterBase &rewriter, linalg::LinalgOp op) {
  auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
  if (!generic || llvm::none_of(generic.getIndexingMapsArray(), group::readsBackward))
    return op;
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  llvm::BitVector gone(generic.getBody()->getNumArguments());
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointToStart(generic.getBody());
  Location loc = generic.getLoc();
  for (OpOperand &operand : generic->getOpOperands()) {
    AffineMap map = generic.getMatchingIndexingMap(&operand);
    if (generic.isDpsInit(&operand) || !group::readsBackward(map)) {
      maps.push_back(map);
      if (!generic.isDpsInit(&operand))
        inputs.push_back(operand.get());
      continue;
    }
    SmallVector<Value> loops, at;
    for (unsigned d = 0; d < generic.getNumLoops(); ++d)
      loops.push_back(linalg::IndexOp::create(rewriter, loc, d));
    for (AffineExpr expr : map.getResults())
      at.push_back(affine::AffineApplyOp::create(
          rewriter, loc, AffineMap::get(map.getNumDims(), 0, expr), loops));
    BlockArgument argument = generic.getMatchingBlockArgument(&operand);
    argument.replaceAllUsesWith(tensor::ExtractOp::create(rewriter, loc, operand.get(), at));
    gone.set(argument.getArgNumber());
  }
  generic.getBody()->eraseArguments(gone);
  rewriter.setInsertionPoint(generic);
  auto made = linalg::GenericOp::create(rewriter, loc, generic->getResultTypes(), inputs,
                                        generic.getOutputs(), maps, generic.getIteratorTypesArray());
  made.getRegion().takeBody(generic.getRegion());
  rewriter.replaceOp(generic, made.getResults());
  return cast<linalg::LinalgOp>(made.getOperation());
}

void tile(func::FuncOp kernel) {
  linalg::LinalgOp root = findRoot(kernel);
  if (!root)
    return;
  IRRewriter rewriter(root);
  auto all = llvm::to_vector(kernel.getBody().front().getOps<linalg::LinalgOp>());
  bool alone = llvm::count_if(all, [](linalg::LinalgOp op) { return !isa<linalg::FillOp>(op); }) == 1;
  // Loops over what lies apart in memory are joined once it has its strides.
  bool isStrided = llvm::any_of(llvm::seq<unsigned>(0, kernel.getNumArguments()), [&](unsigned i) {
    return bool(kernel.getArgAttr(i, plan::stridesAttrName));
  });
  if (alone && all.size() == 1 && !isStrided)
    root = collapseLoops(rewriter, root);
  SmallVector<int64_t> tiles = chooseTiles(root, kernelRows(kernel, root), alone);
  if (tiles.empty())
    return;
  for (auto op : llvm::to_vector(kernel.getBody().front().getOps<linalg::LinalgOp>())) {
    linalg::LinalgOp made = readBackwardByIndex(rewriter, op);
    if (op == root)
      root = made;
  }
  tileAndFuse(rewriter, cast<TilingInterface>(root.getOperation()), tiles);
}

//===- Bufferization --------------------------------------------------------===//

/// Arguments become buffers: tensors are read from inputs and materialized in
/// destinations; nothing is returned.
void takeBuffers(func::FuncOp kernel) {
  Block &entry = kernel.getBody().front();
  Operation *end = entry.getTerminator();
  OpBuilder builder = OpBuilder::atBlockBegin(&entry);
  unsigned results = end->getNumOperands(), tensors = 0;
  for (Type type : entry.getArgumentTypes())
    tensors += isa<RankedTensorType>(type);
  unsigned inputs = tensors - results;
  for (BlockArgument argument : entry.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type)
      continue;
    auto strides = kernel.getArgAttrOfType<DenseI64ArrayAttr>(argument.getArgNumber(), plan::stridesAttrName);
    MemRefLayoutAttrInterface layout;
    if (strides)
      layout = StridedLayoutAttr::get(kernel.getContext(), 0, strides);
    argument.setType(MemRefType::get(type.getShape(), type.getElementType(), layout));
    kernel.removeArgAttr(argument.getArgNumber(), plan::stridesAttrName); // the type says it now
    bool writable = argument.getArgNumber() >= inputs;
    auto tensor = bufferization::ToTensorOp::create(builder, kernel.getLoc(), type, argument,
                                                    /*restrict=*/true, writable);
    argument.replaceAllUsesExcept(tensor.getResult(), tensor);
  }
  builder.setInsertionPoint(end);
  for (auto [i, value] : llvm::enumerate(end->getOperands()))
    bufferization::MaterializeInDestinationOp::create(builder, end->getLoc(), Type(), value,
                                                      entry.getArgument(inputs + i),
                                                      /*restrict=*/true, /*writable=*/true);
  end->setOperands(ValueRange{});
  kernel.setFunctionType(builder.getFunctionType(entry.getArgumentTypes(), {}));
}

/// Where folding has taken a result's copy away, what it copied is written in place.
void nameDestinations(func::FuncOp kernel) {
  Block &entry = kernel.getBody().front();
  ValueRange results = entry.getTerminator()->getOperands();
  unsigned tensors = llvm::count_if(entry.getArgumentTypes(), llvm::IsaPred<RankedTensorType>);
  for (auto [i, result] : llvm::enumerate(results))
    group::writeTo(result, entry.getArgument(tensors - results.size() + i));
}

/// A constant that is copied to a destination, for a scatter to write some of, is written there.
void fillInPlace(func::FuncOp kernel) {
  SmallVector<bufferization::MaterializeInDestinationOp> copies;
  kernel.walk([&](bufferization::MaterializeInDestinationOp copy) { copies.push_back(copy); });
  for (bufferization::MaterializeInDestinationOp copy : copies) {
    auto fill = copy.getSource().getDefiningOp<linalg::FillOp>();
    if (copy->getNumResults() != 1 || !fill || !fill->hasOneUse() || !isa<BlockArgument>(copy.getDest()) ||
        copy.getDest().getType() != fill.getResultTypes()[0])
      continue;
    fill->moveBefore(copy);
    fill.getDpsInitOperand(0)->set(copy.getDest());
    copy->getResult(0).replaceAllUsesWith(fill->getResult(0));
    copy.erase();
  }
}

void eraseDeadOps(RewriterBase &rewriter, func::FuncOp kernel) {
  kernel.walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
    if (isOpTriviallyDead(op))
      rewriter.eraseOp(op);
  });
}

/// CSE makes one fill of equal ones. Each op that accumulates onto it needs its own,
/// or bufferization copies it. The kernel's destination stays with the op that the
/// kernel's result comes from.
void unshareFills(func::FuncOp kernel) {
  DenseSet<OpOperand *> owners;
  for (Value value : kernel.getBody().front().getTerminator()->getOperands())
    while (auto result = dyn_cast<OpResult>(value)) {
      OpOperand *tied = group::tiedDestination(result);
      if (!tied)
        break;
      owners.insert(tied);
      value = tied->get();
    }
  auto accumulates = [](OpOperand &use) {
    if (auto style = dyn_cast<DestinationStyleOpInterface>(use.getOwner()))
      return style.isDpsInit(&use);
    return isa<LoopLikeOpInterface>(use.getOwner());
  };
  SmallVector<linalg::FillOp> fills;
  kernel.walk([&](linalg::FillOp fill) { fills.push_back(fill); });
  for (linalg::FillOp fill : fills) {
    if (!fill.hasPureTensorSemantics() || fill->hasOneUse())
      continue;
    OpBuilder builder(fill);
    Value init = fill.getDpsInits()[0];
    for (OpOperand &use : llvm::make_early_inc_range(fill->getUses())) {
      if (!accumulates(use) || owners.contains(&use))
        continue;
      Value empty = tensor::EmptyOp::create(
          builder, fill.getLoc(), tensor::getMixedSizes(builder, fill.getLoc(), init),
          cast<ShapedType>(init.getType()).getElementType());
      auto own = cast<linalg::FillOp>(builder.clone(*fill));
      own.getDpsInitsMutable()[0].set(empty);
      use.set(own->getResult(0));
    }
  }
  // What nobody reads any more would still be given memory.
  IRRewriter rewriter(kernel.getContext());
  eraseDeadOps(rewriter, kernel);
}

LogicalResult bufferize(func::FuncOp kernel) {
  takeBuffers(kernel);
  bufferization::OneShotBufferizationOptions options;
  options.allowReturnAllocsFromLoops = true;
  bufferization::BufferizationState state;
  return bufferization::runOneShotBufferize(kernel, options, state);
}

/// memref.copy would become a call into MLIR's runner library. A tile that was
/// written in place is copied onto itself, which shows once CSE has merged the two views.
void nameCopies(func::FuncOp kernel) {
  IRRewriter rewriter(kernel.getContext());
  kernel.walk([&](memref::CopyOp copy) {
    rewriter.setInsertionPoint(copy);
    if (copy.getSource() == copy.getTarget())
      return rewriter.eraseOp(copy);
    rewriter.replaceOpWithNewOp<linalg::CopyOp>(copy, copy.getSource(), copy.getTarget());
  });
}

/// A constant tensor would become a global of the module that all kernels share.
void fillConstants(func::FuncOp kernel) {
  IRRewriter rewriter(kernel.getContext());
  kernel.walk([&](arith::ConstantOp op) {
    auto splat = dyn_cast<SplatElementsAttr>(op.getValue());
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (!splat || !type)
      return;
    rewriter.setInsertionPoint(op);
    Value value = arith::ConstantOp::create(
        rewriter, op.getLoc(), cast<TypedAttr>(splat.getSplatValue<Attribute>()));
    Value empty =
        tensor::EmptyOp::create(rewriter, op.getLoc(), type.getShape(), type.getElementType());
    rewriter.replaceOp(op, linalg::FillOp::create(rewriter, op.getLoc(), value, empty).getResult(0));
  });
}

struct ScheduleKernels : impl::ScheduleKernelsBase<ScheduleKernels> {
  void runOnOperation() override {
    SmallVector<func::FuncOp> kernels;
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (func->hasAttr("plan.kernel"))
        kernels.push_back(func);
    // Simplify each before and after: upstream tiling leaves dead producers.
    auto simplify = [](func::FuncOp kernel) -> LogicalResult {
      PassManager clean(kernel.getContext(), func::FuncOp::getOperationName());
      clean.addPass(createCanonicalizerPass());
      clean.addPass(createCSEPass());
      return clean.run(kernel);
    };
    LogicalResult result = failableParallelForEach(
        &getContext(), kernels, [&](func::FuncOp kernel) -> LogicalResult {
          cpu::KernelWork::of(kernel).storeOn(kernel);
          bool isAttention = tileScores(kernel);
          if (!isAttention && !cpu::tileJoin(kernel, taskVolume))
            tile(kernel);
          if (failed(simplify(kernel)))
            return failure();
          if (isAttention)
            workInPlace(kernel);
          else
            workInDestination(kernel);
          fillConstants(kernel);
          nameDestinations(kernel);
          fillInPlace(kernel);
          unshareFills(kernel);
          if (failed(bufferize(kernel)) || failed(simplify(kernel)))
            return failure();
          cpu::boundScratch(kernel);
          nameCopies(kernel);
          return success();
        });
    if (failed(result))
      signalPassFailure();
  }
};

} // namespace
} // namespace burin
