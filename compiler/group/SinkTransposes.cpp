// SPDX-License-Identifier: Apache-2.0
//
// A convolution's result lies with its channels innermost, and a copy puts them where ONNX has them.
// What reads such copies elementwise, through windows, or by indices of the same dim, can as well work on
// what was copied, and be copied itself: copies move down until they meet the next convolution's, and
// both are gone. Reductions keep the order of their terms.

#include "compiler/group/Copies.h"
#include "dialects/kern/KernOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace burin::group {
namespace {

/// Whether a contraction has decided how `value` lies: it has made it, or what it was computed from.
bool isOfContraction(Value from) {
  constexpr size_t most = 64; // values: what is looked at for each copy
  SmallVector<Value> waiting{from};
  llvm::SmallPtrSet<Operation *, 16> seen;
  while (!waiting.empty() && seen.size() < most) {
    Value value = waiting.pop_back_val();
    Operation *def = value.getDefiningOp();
    if (!def || !seen.insert(def).second)
      continue;
    if (isa<kern::ContractOp>(def))
      return true;
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(def))
      for (Value operand : {insert.getDest(), insert.getSource()})
        waiting.push_back(operand);
    auto generic = dyn_cast<linalg::GenericOp>(def);
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!generic || !type || copyOf(generic).isPermutation())
      continue;
    auto take = [&](Value operand) {
      auto other = dyn_cast<RankedTensorType>(operand.getType());
      if (other && other.getRank() == type.getRank())
        waiting.push_back(operand);
    };
    llvm::for_each(generic.getDpsInputs(), take);
    generic.getBody()->walk([&](tensor::ExtractOp op) { take(op.getTensor()); });
  }
  return false;
}

Copy movableCopy(Value value) {
  Copy copy = copyOf(value.getDefiningOp<linalg::GenericOp>());
  return turnsContraction(copy) ? copy : Copy();
}

/// `type` with dim k as dim `order(k)` was.
RankedTensorType permuted(RankedTensorType type, AffineMap order) {
  SmallVector<int64_t> shape;
  for (unsigned k = 0; k < order.getNumResults(); ++k)
    shape.push_back(type.getDimSize(order.getDimPosition(k)));
  return RankedTensorType::get(shape, type.getElementType());
}

/// Whether `init` is filled by nobody, or with one value.
bool isFresh(Value init) {
  if (auto fill = init.getDefiningOp<linalg::FillOp>())
    init = fill.getOutputs()[0];
  return init.getDefiningOp<tensor::EmptyOp>() != nullptr;
}

/// What is fresh as `like` is, with dim k as its dim `order(k)`.
Value freshOf(PatternRewriter &rewriter, Location loc, Value like, AffineMap order) {
  SmallVector<OpFoldResult> sizes;
  for (unsigned k = 0; k < order.getNumResults(); ++k)
    sizes.push_back(tensor::getMixedSize(rewriter, loc, like, order.getDimPosition(k)));
  Value fresh = tensor::EmptyOp::create(rewriter, loc, sizes, getElementTypeOrSelf(like.getType()));
  if (auto fill = like.getDefiningOp<linalg::FillOp>())
    fresh = linalg::FillOp::create(rewriter, loc, fill.getInputs(), fresh).getResult(0);
  return fresh;
}

/// Loops that an index of the body is computed from, itself or as an element of an input (a table of places);
/// false where it depends on more.
bool loopsOf(Value index, linalg::GenericOp op, llvm::SmallBitVector &loops) {
  Block &body = *op.getBody();
  if (auto argument = dyn_cast<BlockArgument>(index); argument && argument.getOwner() == &body) {
    OpOperand &operand = op->getOpOperand(argument.getArgNumber());
    if (op.isDpsInit(&operand))
      return false;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (unsigned loop = 0; loop < map.getNumDims(); ++loop)
      if (map.isFunctionOfDim(loop))
        loops.set(loop);
    return true;
  }
  if (auto loop = index.getDefiningOp<linalg::IndexOp>()) {
    loops.set(loop.getDim());
    return true;
  }
  Operation *def = index.getDefiningOp();
  if (!def || def->getBlock() != &body)
    return !def || !op->isAncestor(def);
  return isMemoryEffectFree(def) && def->getNumRegions() == 0 &&
         llvm::all_of(def->getOperands(),
                      [&](Value operand) { return loopsOf(operand, op, loops); });
}

/// What a generic reads, in terms of the dims of its result.
class Reader {
public:
  explicit Reader(linalg::GenericOp op) : op(op) {}

  /// The order of dims in which all that it reads lies, below copies; null where there is none.
  AffineMap order() {
    if (op.getNumDpsInits() != 1 || op->getNumResults() != 1 || copyOf(op).isPermutation())
      return {};
    AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
    type = dyn_cast<RankedTensorType>(op.getResultTypes()[0]);
    if (!type || !out.isProjectedPermutation() || !isFresh(op.getDpsInits()[0]))
      return {};
    for (AffineExpr expr : out.getResults())
      outLoops.push_back(cast<AffineDimExpr>(expr).getPosition());
    for (OpOperand *operand : op.getDpsInputOperands())
      if (!takeInput(*operand))
        return {};
    bool fits = !op.getBody()
                     ->walk([&](tensor::ExtractOp extract) {
                       return takeExtract(extract) ? WalkResult::advance() : WalkResult::interrupt();
                     })
                     .wasInterrupted();
    return fits ? found : AffineMap();
  }

  ArrayRef<unsigned> loops() const { return outLoops; }

private:
  bool take(Value operand) {
    Copy copy = movableCopy(operand);
    if (!copy || copy.reads.getNumDims() != outLoops.size() || (found && found != copy.reads))
      return false;
    found = copy.reads;
    return true;
  }

  /// Whether dim k is read by result dim k's loop alone, and by loops that are no result's.
  bool isAligned(unsigned k, llvm::function_ref<bool(unsigned loop)> isRead) const {
    return llvm::all_of(llvm::enumerate(outLoops), [&](auto entry) {
      return entry.index() == k || !isRead(entry.value());
    });
  }

  bool takeInput(OpOperand &operand) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    unsigned read = 0, wide = 0; // of the dims that are not of size 1
    for (auto [k, loop] : llvm::enumerate(outLoops)) {
      bool isWide = type.getDimSize(k) != 1;
      wide += isWide;
      read += isWide && map.isFunctionOfDim(loop);
    }
    bool isAlignedInput = map.getNumResults() == outLoops.size();
    for (unsigned k = 0; isAlignedInput && k < map.getNumResults(); ++k)
      isAlignedInput = isAligned(k, [&](unsigned loop) {
        return map.getResult(k).isFunctionOfDim(loop);
      });
    if (isAlignedInput && take(operand.get()))
      return true;
    // What is the same for many elements is read in any order; a whole tensor would be copied instead.
    return read < 2 || read < wide;
  }

  bool takeExtract(tensor::ExtractOp extract) {
    if (op->isAncestor(extract.getTensor().getParentBlock()->getParentOp()))
      return false;
    if (extract.getIndices().size() < 2)
      return true; // a table
    if (extract.getIndices().size() != outLoops.size())
      return false;
    for (auto [k, index] : llvm::enumerate(extract.getIndices())) {
      llvm::SmallBitVector loops(op.getNumLoops());
      if (!loopsOf(index, op, loops) ||
          !isAligned(k, [&](unsigned loop) { return loops.test(loop); }))
        return false;
    }
    return take(extract.getTensor());
  }

  linalg::GenericOp op;
  RankedTensorType type;
  SmallVector<unsigned> outLoops; // of each dim of the result
  AffineMap found;
};

/// f(copy(x)) is copy(f(x)).
struct SinkThroughGeneric : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    Reader reader(op);
    AffineMap order = reader.order();
    if (!order)
      return failure();
    Location loc = op.getLoc();
    // Loops of the result in its new order, then those of reductions as they were.
    SmallVector<unsigned> loops; // old, by new
    for (unsigned k = 0; k < order.getNumDims(); ++k)
      loops.push_back(reader.loops()[order.getDimPosition(k)]);
    for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
      if (!llvm::is_contained(loops, loop))
        loops.push_back(loop);
    SmallVector<AffineExpr> renamed(loops.size());
    SmallVector<utils::IteratorType> kinds;
    for (auto [now, before] : llvm::enumerate(loops)) {
      renamed[before] = rewriter.getAffineDimExpr(now);
      kinds.push_back(op.getIteratorTypesArray()[before]);
    }
    auto rename = [&](AffineMap map) {
      return map.replaceDimsAndSymbols(renamed, {}, loops.size(), 0);
    };
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    for (OpOperand *operand : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(operand);
      Copy copy = map.getNumResults() == order.getNumDims() ? movableCopy(operand->get()) : Copy();
      bool isMoved = copy && copy.reads == order;
      inputs.push_back(isMoved ? copy.source : operand->get());
      maps.push_back(rename(isMoved ? order.compose(map) : map));
    }
    maps.push_back(rename(order.compose(op.getMatchingIndexingMap(op.getDpsInitOperand(0)))));
    Value init = freshOf(rewriter, loc, op.getDpsInits()[0], order);
    auto type = cast<RankedTensorType>(op.getResultTypes()[0]);
    auto moved = linalg::GenericOp::create(rewriter, loc, permuted(type, order), inputs, init, maps,
                                           kinds);
    rewriter.cloneRegionBefore(op.getRegion(), moved.getRegion(), moved.getRegion().end());
    moved.walk([&](linalg::IndexOp index) {
      index.setDim(cast<AffineDimExpr>(renamed[index.getDim()]).getPosition());
    });
    moved.walk([&](tensor::ExtractOp extract) {
      if (extract.getIndices().size() < 2)
        return;
      Copy copy = movableCopy(extract.getTensor());
      SmallVector<Value> at;
      for (unsigned k = 0; k < order.getNumDims(); ++k)
        at.push_back(extract.getIndices()[order.getDimPosition(k)]);
      extract.getTensorMutable().assign(copy.source);
      extract.getIndicesMutable().assign(at);
    });
    rewriter.replaceOp(op, makeCopy(rewriter, loc, type, moved.getResult(0), order));
    return success();
  }
};

/// Copies put side by side, or into a padding, are a copy of what is put so.
struct SinkThroughInserts : OpRewritePattern<tensor::InsertSliceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::InsertSliceOp last, PatternRewriter &rewriter) const override {
    // The last of a chain that fills a tensor.
    if (llvm::any_of(last->getUses(), [](OpOperand &use) {
          auto next = dyn_cast<tensor::InsertSliceOp>(use.getOwner());
          return next && next.getDest() == use.get();
        }))
      return failure();
    SmallVector<tensor::InsertSliceOp> chain;
    Value whole = last.getResult();
    for (; auto insert = whole.getDefiningOp<tensor::InsertSliceOp>(); whole = insert.getDest())
      chain.push_back(insert);
    if (!isFresh(whole))
      return failure();
    AffineMap order;
    for (tensor::InsertSliceOp insert : chain) {
      Copy copy = movableCopy(insert.getSource());
      if (!copy || (order && order != copy.reads) ||
          insert.getSourceType().getRank() != insert.getDestType().getRank() ||
          (insert != last && !insert->hasOneUse()))
        return failure();
      order = copy.reads;
    }
    Location loc = last.getLoc();
    Value result = freshOf(rewriter, loc, whole, order);
    for (tensor::InsertSliceOp insert : llvm::reverse(chain)) {
      SmallVector<OpFoldResult> offsets, sizes, strides;
      for (unsigned k = 0; k < order.getNumDims(); ++k) {
        unsigned from = order.getDimPosition(k);
        offsets.push_back(insert.getMixedOffsets()[from]);
        sizes.push_back(insert.getMixedSizes()[from]);
        strides.push_back(insert.getMixedStrides()[from]);
      }
      result = tensor::InsertSliceOp::create(rewriter, insert.getLoc(),
                                             movableCopy(insert.getSource()).source, result,
                                             offsets, sizes, strides);
    }
    rewriter.replaceOp(last, makeCopy(rewriter, loc, last.getDestType(), result, order));
    return success();
  }
};

} // namespace

bool turnsContraction(const Copy &copy) {
  if (!copy || !copy.isPermutation() || copy.reads.getNumDims() == 0)
    return false;
  unsigned last = copy.reads.getNumDims() - 1;
  return copy.reads.getDimPosition(last) != last && isOfContraction(copy.source);
}

bool canSink(linalg::GenericOp op) { return bool(Reader(op).order()); }

void populateSinkTransposes(RewritePatternSet &patterns) {
  patterns.add<SinkThroughGeneric, SinkThroughInserts>(patterns.getContext());
}

} // namespace burin::group
