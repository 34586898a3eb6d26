// SPDX-License-Identifier: Apache-2.0
//
// Requests can run as one where no row of the batch looks at another. Of each
// op is asked which loop walks the rows, and that all else that it reads is the
// same for every row.

#include "compiler/transforms/Passes.h"
#include "compiler/transforms/SameForAll.h"
#include "dialects/kern/KernOps.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_FINDBATCH
#include "compiler/transforms/Passes.h.inc"

namespace {

/// Where a tensor or an op has the batch: the size of dim or loop `at` is outer
/// * batch * inner.
struct Rows {
  unsigned at;
  int64_t outer = 1, inner = 1;

  Rows moved(unsigned to) const { return {to, outer, inner}; }
  bool operator==(const Rows &) const = default;
};

/// What an op reads or writes: the element of `tensor` at the loops that `map`
/// names. Indices behind the map's are its own affair.
struct Access {
  Value tensor;
  AffineMap map;
};

/// The loop that an expression is, if it is one.
std::optional<unsigned> loopOf(AffineExpr expr) {
  auto dim = dyn_cast<AffineDimExpr>(expr);
  return dim ? std::optional<unsigned>(dim.getPosition()) : std::nullopt;
}

class Analysis {
public:
  Analysis(int64_t batch, StringRef name) : batch(batch), name(name) {}

  /// The rows of a tensor; nothing where it is the same whatever rows there
  /// are.
  std::optional<Rows> of(Value value) const {
    auto it = rows.find(value);
    return it == rows.end() ? std::nullopt : std::optional<Rows>(it->second);
  }

  void set(Value value, std::optional<Rows> where) {
    if (where)
      rows[value] = *where;
  }

  LogicalResult run(Block &block) {
    for (Operation &op : block.without_terminator())
      if (failed(visit(&op)))
        return failure();
    return success();
  }

  LogicalResult refuse(Operation *op, const Twine &why) const {
    return op->emitRemark() << "the rows of '" << name << "' depend on one another: " << why;
  }

private:
  LogicalResult visit(Operation *op) {
    if (!readsRows(op))
      return success();
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case([&](linalg::LinalgOp typed) { return visitLinalg(typed); })
        .Case([&](kern::ContractOp typed) { return visitContract(typed); })
        .Case([&](kern::ScatterOp typed) { return visitScatter(typed); })
        .Case([&](kern::SortOp typed) {
          return walkAll(op, {typed.getInput(), typed.getInit()}, typed.getAxis());
        })
        .Case([&](kern::ScanOp typed) {
          SmallVector<Value> all(typed.getInputs());
          llvm::append_range(all, typed.getInits());
          return walkAll(op, all, typed.getAxis());
        })
        .Case([&](tensor::ExpandShapeOp typed) { return visitExpand(typed); })
        .Case([&](tensor::CollapseShapeOp typed) { return visitCollapse(typed); })
        .Case([&](tensor::ExtractSliceOp typed) { return visitExtractSlice(typed); })
        .Case([&](tensor::InsertSliceOp typed) { return visitInsertSlice(typed); })
        .Case([&](tensor::PadOp typed) { return visitPad(typed); })
        .Case([&](tensor::ConcatOp typed) {
          return walkAll(op, SmallVector<Value>(typed.getInputs()), int64_t(typed.getDim()));
        })
        .Case([&](tensor::CastOp typed) {
          set(typed.getDest(), of(typed.getSource()));
          return success();
        })
        .Case([&](bufferization::MaterializeInDestinationOp typed) {
          return walkAll(op, {typed.getSource(), typed.getDest()}, std::nullopt);
        })
        .Case([&](scf::ForOp typed) { return visitFor(typed); })
        .Case([&](scf::IfOp typed) { return visitIf(typed); })
        .Default([&](Operation *) {
          return refuse(op, "nothing is known of " + op->getName().getStringRef());
        });
  }

  /// Whether an op, or one inside of it, reads a tensor that has the batch.
  bool readsRows(Operation *op) {
    return op
        ->walk([&](Operation *inner) {
          return llvm::any_of(inner->getOperands(), [&](Value v) { return rows.contains(v); })
                     ? WalkResult::interrupt()
                     : WalkResult::advance();
        })
        .wasInterrupted();
  }

  //===- Loops
  //----------------------------------------------------------------===//

  /// Adds what one access says of the loop that walks the rows.
  LogicalResult join(Operation *op, std::optional<Rows> &loop, Rows tensor,
                     std::optional<unsigned> at) {
    if (!at)
      return refuse(op, "it reads a row elsewhere than where it writes");
    Rows found = tensor.moved(*at);
    if (loop && !(*loop == found))
      return refuse(op, "it combines different rows");
    loop = found;
    return success();
  }

  /// The loop that walks the rows in what an op reads and writes. All else is
  /// found to be the same for each of its steps.
  FailureOr<Rows> findLoop(Operation *op, ArrayRef<Access> accesses,
                           std::optional<Rows> loop = std::nullopt) {
    for (const Access &access : accesses)
      if (std::optional<Rows> tensor = of(access.tensor)) {
        if (tensor->at >= access.map.getNumResults())
          return refuse(op, "what row it reads is data");
        if (failed(join(op, loop, *tensor, loopOf(access.map.getResult(tensor->at)))))
          return failure();
      }
    for (const Access &access : accesses)
      if (!rows.contains(access.tensor) && failed(checkShared(op, access, loop->at)))
        return failure();
    return *loop;
  }

  LogicalResult checkShared(Operation *op, const Access &access, unsigned loop) {
    for (auto [i, index] : llvm::enumerate(access.map.getResults()))
      if (index.isFunctionOfDim(loop) && !(loopOf(index) && isSame(access.tensor, unsigned(i))))
        return refuse(op, "it reads something else for each row");
    return success();
  }

  bool isSame(Value tensor, unsigned axis) { return isSameForAll(tensor, axis); }

  /// Ops whose loops are the dims of each tensor, and walk `axis` in an order
  /// of their own.
  LogicalResult walkAll(Operation *op, ArrayRef<Value> tensors, std::optional<int64_t> axis) {
    SmallVector<Access> accesses;
    for (Value tensor : tensors)
      accesses.push_back(
          {tensor, AffineMap::getMultiDimIdentityMap(
                       unsigned(cast<ShapedType>(tensor.getType()).getRank()), op->getContext())});
    FailureOr<Rows> loop = findLoop(op, accesses);
    if (failed(loop))
      return failure();
    if (axis && loop->at == *axis)
      return refuse(op, "it goes from row to row");
    for (Value result : op->getResults())
      set(result, *loop);
    return success();
  }

  LogicalResult visitLinalg(linalg::LinalgOp op) {
    SmallVector<Access> accesses;
    for (OpOperand &operand : op->getOpOperands())
      if (isa<RankedTensorType>(operand.get().getType()))
        accesses.push_back({operand.get(), op.getMatchingIndexingMap(&operand)});
    std::optional<Rows> inBody;
    if (failed(readsInBody(op, inBody)))
      return failure();
    FailureOr<Rows> loop = findLoop(op, accesses, inBody);
    if (failed(loop))
      return failure();
    if (op.getIteratorTypesArray()[loop->at] != utils::IteratorType::parallel)
      return refuse(op, "it adds them up");
    if (failed(checkIndices(op, loop->at)))
      return failure();
    for (OpOperand &init : op.getDpsInitsMutable()) {
      std::optional<unsigned> at = op.getMatchingIndexingMap(&init).getResultPosition(
          getAffineDimExpr(loop->at, op.getContext()));
      if (!at)
        return refuse(op, "it writes them to one place");
      set(op.getTiedOpResult(&init), loop->moved(*at));
    }
    return success();
  }

  /// Elements that a body reads of tensors outside: the row has to be the
  /// loop's own.
  LogicalResult readsInBody(linalg::LinalgOp op, std::optional<Rows> &loop) {
    WalkResult walk = op.getBlock()->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands()) {
        std::optional<Rows> tensor = of(operand);
        if (!tensor)
          continue;
        auto extract = dyn_cast<tensor::ExtractOp>(inner);
        if (!extract)
          return WalkResult(refuse(op, "it reads them in ways that are not known"));
        auto index = extract.getIndices()[tensor->at].getDefiningOp<linalg::IndexOp>();
        if (!index)
          return WalkResult(refuse(op, "what row it reads is data"));
        if (failed(join(op, loop, *tensor, unsigned(index.getDim()))))
          return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    return failure(walk.wasInterrupted());
  }

  /// The number of a row does not go into what is computed.
  LogicalResult checkIndices(linalg::LinalgOp op, unsigned loop) {
    for (auto index : op.getBlock()->getOps<linalg::IndexOp>()) {
      if (index.getDim() != loop)
        continue;
      for (OpOperand &use : index->getUses()) {
        auto extract = dyn_cast<tensor::ExtractOp>(use.getOwner());
        unsigned at = use.getOperandNumber() - 1; // behind the tensor
        std::optional<Rows> tensor = extract ? of(extract.getTensor()) : std::nullopt;
        bool isRow = tensor && tensor->at == at;
        if (!isRow && !(extract && !tensor && isSame(extract.getTensor(), at)))
          return refuse(op, "what it computes depends on the row's number");
      }
    }
    return success();
  }

  LogicalResult visitContract(kern::ContractOp op) {
    unsigned parallel = op.getNumParallel();
    SmallVector<Access> accesses{{op.getA(), op.getAMap()}, {op.getB(), op.getBMap()}};
    for (auto [i, extra] : llvm::enumerate(op.getExtras()))
      accesses.push_back({extra, op.getExtraMap(unsigned(i))});
    accesses.push_back(
        {op.getInit(), AffineMap::getMultiDimIdentityMap(parallel, op.getContext())});
    FailureOr<Rows> loop = findLoop(op, accesses);
    if (failed(loop))
      return failure();
    if (loop->at >= parallel)
      return refuse(op, "it adds them up");
    set(op.getResult(), *loop);
    return success();
  }

  LogicalResult visitScatter(kern::ScatterOp op) {
    auto identity = AffineMap::getMultiDimIdentityMap(
        unsigned(cast<ShapedType>(op.getUpdates().getType()).getRank()), op.getContext());
    AffineMap place = op.getPlaceMap();
    FailureOr<Rows> loop = findLoop(
        op,
        {{op.getIndices(), op.getIndexMap()}, {op.getUpdates(), identity}, {op.getInit(), place}});
    if (failed(loop))
      return failure();
    std::optional<unsigned> at =
        place.getResultPosition(getAffineDimExpr(loop->at, op.getContext()));
    if (!at)
      return refuse(op, "what row it writes is data");
    set(op.getResult(), loop->moved(*at));
    return success();
  }

  //===- Views
  //----------------------------------------------------------------===//

  LogicalResult visitExpand(tensor::ExpandShapeOp op) {
    Rows from = *of(op.getSrc());
    ArrayRef<int64_t> sizes = op.getResultType().getShape();
    // Which of the new dims has the batch whole: what lies inside of it divides
    // `inner`.
    int64_t inside = 1;
    SmallVector<ReassociationIndices> groups = op.getReassociationIndices();
    for (int64_t dim : llvm::reverse(groups[from.at])) {
      int64_t next = inside * sizes[dim];
      if (from.inner % inside == 0 && next % (from.inner * batch) == 0) {
        set(op.getResult(), Rows{unsigned(dim), next / (from.inner * batch), from.inner / inside});
        return success();
      }
      inside = next;
    }
    return refuse(op, "it cuts rows in another way");
  }

  LogicalResult visitCollapse(tensor::CollapseShapeOp op) {
    Rows to = *of(op.getSrc());
    ArrayRef<int64_t> sizes = op.getSrcType().getShape();
    for (auto [i, group] : llvm::enumerate(op.getReassociationIndices())) {
      if (!llvm::is_contained(group, int64_t(to.at)))
        continue;
      for (int64_t dim : group)
        (dim < to.at ? to.outer : to.inner) *= dim == to.at ? 1 : sizes[dim];
      set(op.getResult(), to.moved(unsigned(i)));
      return success();
    }
    return refuse(op, "it has no such dim");
  }

  /// Whether a slice is whole in dim `at` of the larger tensor.
  template <typename SliceOp>
  static bool isWhole(SliceOp op, RankedTensorType larger, unsigned at) {
    return isConstantIntValue(op.getMixedOffsets()[at], 0) &&
           isConstantIntValue(op.getMixedStrides()[at], 1) &&
           isConstantIntValue(op.getMixedSizes()[at], larger.getDimSize(at));
  }

  /// Dim `at` of the larger tensor among those of a slice.
  static unsigned inSlice(const llvm::SmallBitVector &dropped, unsigned at) {
    unsigned kept = at;
    for (unsigned dim = 0; dim < at; ++dim)
      kept -= dropped[dim];
    return kept;
  }

  LogicalResult visitExtractSlice(tensor::ExtractSliceOp op) {
    std::optional<Rows> from = of(op.getSource());
    if (!from || !isWhole(op, op.getSourceType(), from->at))
      return refuse(op, "it takes some of them");
    set(op.getResult(), from->moved(inSlice(op.getDroppedDims(), from->at)));
    return success();
  }

  LogicalResult visitInsertSlice(tensor::InsertSliceOp op) {
    llvm::SmallBitVector dropped = op.getDroppedDims();
    std::optional<Rows> source = of(op.getSource()), dest = of(op.getDest());
    for (unsigned at = 0; at < op.getDestType().getRank(); ++at) {
      if (dropped[at] || (dest && dest->at != at) ||
          (!dest && source && source->at != inSlice(dropped, at)))
        continue;
      unsigned small = inSlice(dropped, at);
      std::optional<Rows> both = dest ? dest : source->moved(at);
      bool agree = source ? source->moved(at) == *both : isSame(op.getSource(), small);
      if (!agree || !(dest || isSame(op.getDest(), at)) || !isWhole(op, op.getDestType(), at))
        break;
      set(op.getResult(), both);
      return success();
    }
    return refuse(op, "it puts some of them elsewhere");
  }

  LogicalResult visitPad(tensor::PadOp op) {
    std::optional<Rows> from = of(op.getSource());
    if (!from || !op.getConstantPaddingValue() ||
        !isConstantIntValue(op.getMixedLowPad()[from->at], 0) ||
        !isConstantIntValue(op.getMixedHighPad()[from->at], 0))
      return refuse(op, "it adds rows");
    set(op.getResult(), from);
    return success();
  }

  //===- Control flow
  //-----------------------------------------------------------===//

  /// The rows of a value that comes from one of two places.
  LogicalResult merge(Operation *op, Value a, Value b, std::optional<Rows> &both) {
    std::optional<Rows> x = of(a), y = of(b);
    both = x ? x : y;
    if (x == y || (!x && isSame(a, y->at)) || (x && !y && isSame(b, x->at)))
      return success();
    return refuse(op, "its results have them in different dims");
  }

  /// The rows of a carried value by its first one. What is the same for all
  /// rows at first, zeros say, will have rows where a dim has their number; the
  /// turn shows whether that is so.
  std::optional<Rows> carriedFrom(Value init) {
    auto type = dyn_cast<RankedTensorType>(init.getType());
    if (of(init) || !type)
      return of(init);
    for (unsigned axis = 0; axis < type.getRank(); ++axis)
      if (type.getDimSize(axis) == batch && isSame(init, axis))
        return Rows{axis};
    return std::nullopt;
  }

  LogicalResult visitFor(scf::ForOp op) {
    for (auto [init, argument] : llvm::zip_equal(op.getInits(), op.getRegionIterArgs()))
      set(argument, carriedFrom(init));
    // What one turn finds of the values that are carried holds for all that
    // follow.
    for (bool changed = true; changed;) {
      changed = false;
      if (failed(run(*op.getBody())))
        return failure();
      for (auto [init, argument, yielded] :
           llvm::zip_equal(op.getInits(), op.getRegionIterArgs(), op.getYieldedValues())) {
        std::optional<Rows> carried = of(argument), next = of(yielded);
        if (carried == next)
          continue;
        if (carried || !isSame(init, next->at))
          return refuse(op, "a value that it carries has them in different dims");
        set(argument, next);
        changed = true;
      }
    }
    for (auto [argument, result] : llvm::zip_equal(op.getRegionIterArgs(), op.getResults()))
      set(result, of(argument));
    return success();
  }

  LogicalResult visitIf(scf::IfOp op) {
    for (Region *region : op.getRegions())
      if (!region->empty() && failed(run(region->front())))
        return failure();
    for (unsigned i = 0; i < op.getNumResults(); ++i) {
      std::optional<Rows> both;
      if (failed(merge(op, op.thenYield().getOperand(i), op.elseYield().getOperand(i), both)))
        return failure();
      set(op.getResult(i), both);
    }
    return success();
  }

  int64_t batch;
  StringRef name;
  llvm::DenseMap<Value, Rows> rows;
};

/// Where the name of a size stands in the shape of an argument or result; -1
/// where it does not.
FailureOr<int32_t> axisOf(Operation *op, DictionaryAttr attrs, StringRef name) {
  auto names = attrs ? dyn_cast_or_null<ArrayAttr>(attrs.get("onnx.dim_names")) : nullptr;
  int32_t axis = -1;
  if (names)
    for (auto [i, dim] : llvm::enumerate(names.getAsRange<StringAttr>()))
      if (dim.getValue() == name) {
        if (axis >= 0)
          return op->emitRemark() << "an input has '" << name << "' twice";
        axis = int32_t(i);
      }
  return axis;
}

struct FindBatch : impl::FindBatchBase<FindBatch> {
  using FindBatchBase::FindBatchBase;

  void runOnOperation() override {
    SmallVector<func::FuncOp> mains(getOperation().getOps<func::FuncOp>());
    if (mains.size() != 2) {
      getOperation().emitError("find-batch compares the main programs of two sizes of a batch");
      return signalPassFailure();
    }
    if (succeeded(compareSizes(mains[0], mains[1], dim)))
      if (std::optional<plan::BatchAttr> found = find(mains[0]))
        getOperation()->setAttr(plan::batchAttrName, *found);
  }

  std::optional<plan::BatchAttr> find(func::FuncOp main) {
    SmallVector<int32_t> inputs, outputs;
    int64_t size = 0;
    for (BlockArgument argument : main.getArguments()) {
      FailureOr<int32_t> axis = axisOf(main, main.getArgAttrDict(argument.getArgNumber()), dim);
      if (failed(axis))
        return std::nullopt;
      inputs.push_back(*axis);
      if (*axis >= 0)
        size = cast<RankedTensorType>(argument.getType()).getDimSize(unsigned(*axis));
    }
    if (size < 2)
      return std::nullopt;
    Analysis analysis(size, dim);
    for (auto [argument, axis] : llvm::zip_equal(main.getArguments(), inputs))
      if (axis >= 0)
        analysis.set(argument, Rows{unsigned(axis)});
    Block &body = main.getBody().front();
    if (failed(analysis.run(body)))
      return std::nullopt;
    for (Value output : body.getTerminator()->getOperands()) {
      std::optional<Rows> rows = analysis.of(output);
      if (rows && rows->outer != 1) {
        (void)analysis.refuse(body.getTerminator(), "an output has each row in several places");
        return std::nullopt;
      }
      outputs.push_back(rows ? int32_t(rows->at) : -1);
    }
    return plan::BatchAttr::get(&getContext(), StringAttr::get(&getContext(), dim), inputs,
                                outputs);
  }
};

} // namespace
} // namespace burin
