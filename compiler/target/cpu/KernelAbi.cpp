// SPDX-License-Identifier: Apache-2.0
//
// The last structured step of a CPU kernel: from memref arguments to the C
// signature of runtime/include/burin/abi.h,
//
//   void k(const burin_kargs *args, uint32_t begin, uint32_t end, void *scratch)
//
// Tensors are read from args->buffers; their dynamic sizes and the kernel's dims, in the
// order of its arguments, from args->dims. One outermost scf.forall is the task grid and
// becomes a loop over [begin, end); any other shape is one task. Static allocations become
// slices of `scratch`, which is a worker's: what is allocated in front of the grid is its tasks' in common.
// plan.check becomes a write of the error word.

#include "compiler/plan/Sizes.h"
#include "compiler/target/cpu/KernelWork.h"
#include "compiler/transforms/Passes.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/IR/Threading.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_KERNELABI
#include "compiler/transforms/Passes.h.inc"

namespace {

// Field indices of burin_kargs and burin_error_word.
enum { kargsBuffers = 0, kargsDims = 1, kargsError = 2 };
enum { errorCode = 0, errorSite = 1, errorDetail = 2 };

class Kernel {
public:
  explicit Kernel(func::FuncOp func)
      : func(func), builder(func.getLoc(), func.getContext()), types(func.getContext()),
        ptr(LLVM::LLVMPointerType::get(func.getContext())) {}

  LogicalResult convert() {
    if (failed(makeTaskLoop()))
      return failure();
    takeArguments();
    if (failed(takeScratch()))
      return failure();
    func.walk([&](plan::CheckOp check) { lowerCheck(check); });
    func->setAttr("plan.tasks", AffineMapAttr::get(AffineMap::get(
                                    numDims, 0, taskCounts, func.getContext())));
    func->setAttr("plan.scratch_bytes", builder.getI64IntegerAttr(int64_t(scratchBytes)));
    return success();
  }

private:
  //===- Tasks --------------------------------------------------------------===//

  /// Whether each worker can run `op` for itself: it writes scratch at most.
  static bool isWorkersOwn(Operation &op) {
    auto store = dyn_cast<memref::StoreOp>(op);
    return isMemoryEffectFree(&op) || isa<memref::AllocOp>(op) ||
           (store && store.getMemRef().getDefiningOp<memref::AllocOp>());
  }

  /// The scf.forall that is the task grid: the only one at the top, of a size that follows from
  /// those of the kernel's arguments. What is beside it is run by each worker.
  scf::ForallOp findGrid() {
    scf::ForallOp grid;
    for (Operation &op : func.getBody().front().without_terminator()) {
      if (auto forall = dyn_cast<scf::ForallOp>(op)) {
        if (grid || !llvm::all_of(forall.getMixedUpperBound(),
                                  [&](OpFoldResult size) { return bool(extentOf(size)); }))
          return nullptr;
        grid = forall;
      } else if (!isWorkersOwn(op)) {
        return nullptr;
      }
    }
    return grid;
  }

  LogicalResult makeTaskLoop() {
    Block &entry = func.getBody().front();
    Location loc = func.getLoc();
    numArguments = entry.getNumArguments();
    for (Type type : entry.getArgumentTypes())
      numDims += dimsIn(type);
    Value args = entry.addArgument(ptr, loc);
    begin = entry.addArgument(builder.getI32Type(), loc);
    end = entry.addArgument(builder.getI32Type(), loc);
    scratch = entry.addArgument(ptr, loc);
    kargs = args;

    if (scf::ForallOp grid = findGrid()) {
      if (failed(distribute(grid)))
        return failure();
    }
    // What is left of parallel loops runs inside one task.
    SmallVector<scf::ForallOp> rest;
    func.walk([&](scf::ForallOp forall) { rest.push_back(forall); });
    IRRewriter rewriter(func.getContext());
    for (scf::ForallOp forall : rest) {
      rewriter.setInsertionPoint(forall);
      if (failed(scf::forallToForLoop(rewriter, forall)))
        return forall.emitOpError("cannot run as a sequential loop");
    }
    return success();
  }

  /// A size as a function of the kernel's dims: dim i is the i-th of args->dims. Null where it
  /// is none.
  AffineExpr extentOf(OpFoldResult size) {
    if (std::optional<int64_t> constant = getConstantIntValue(size))
      return builder.getAffineConstantExpr(*constant);
    auto positionOf = [&](BlockArgument argument) {
      unsigned position = 0;
      for (Type type : func.getArgumentTypes().take_front(argument.getArgNumber()))
        position += dimsIn(type);
      return position;
    };
    auto isOwn = [&](Value value) {
      auto argument = dyn_cast<BlockArgument>(value);
      return argument && argument.getOwner() == &func.getBody().front() &&
             argument.getArgNumber() < numArguments;
    };
    std::function<AffineExpr(Value, int64_t)> sizeOf;
    auto leaf = [&](Value value) -> AffineExpr {
      if (isOwn(value))
        return builder.getAffineDimExpr(positionOf(cast<BlockArgument>(value)));
      auto dim = value.getDefiningOp<memref::DimOp>();
      std::optional<int64_t> at = dim ? dim.getConstantIndex() : std::nullopt;
      return at ? sizeOf(dim.getSource(), *at) : nullptr;
    };
    sizeOf = [&](Value buffer, int64_t d) -> AffineExpr {
      auto type = cast<MemRefType>(buffer.getType());
      if (!type.isDynamicDim(d))
        return builder.getAffineConstantExpr(type.getDimSize(d));
      if (isOwn(buffer))
        return builder.getAffineDimExpr(positionOf(cast<BlockArgument>(buffer)) +
                                        type.getDynamicDimIndex(d));
      if (auto expand = buffer.getDefiningOp<memref::ExpandShapeOp>())
        return plan::indexExpr(expand.getOutputShape()[type.getDynamicDimIndex(d)], leaf);
      auto collapse = buffer.getDefiningOp<memref::CollapseShapeOp>();
      if (!collapse)
        return nullptr;
      AffineExpr product = builder.getAffineConstantExpr(1);
      SmallVector<ReassociationIndices> groups = collapse.getReassociationIndices();
      for (int64_t source : groups[d])
        if (AffineExpr size = product ? sizeOf(collapse.getSrc(), source) : nullptr)
          product = product * size;
        else
          return nullptr;
      return product;
    };
    return plan::indexExpr(cast<Value>(size), leaf);
  }

  /// How many of args->dims an argument takes.
  static unsigned dimsIn(Type type) {
    auto memref = dyn_cast<MemRefType>(type);
    return memref ? unsigned(memref.getNumDynamicDims()) : 1;
  }

  LogicalResult distribute(scf::ForallOp grid) {
    uint64_t total = 1; // of what is static
    SmallVector<int64_t> lowers, steps;
    for (auto [lower, upper, step] : llvm::zip_equal(
             grid.getMixedLowerBound(), grid.getMixedUpperBound(), grid.getMixedStep())) {
      std::optional<int64_t> l = getConstantIntValue(lower), s = getConstantIntValue(step);
      AffineExpr u = extentOf(upper);
      if (!l || !s)
        return grid.emitOpError("has a task grid whose tiles are not of static size");
      lowers.push_back(*l);
      steps.push_back(*s);
      AffineExpr count = (u - *l).ceilDiv(*s);
      if (auto fixed = dyn_cast<AffineConstantExpr>(count)) {
        count = builder.getAffineConstantExpr(std::max<int64_t>(fixed.getValue(), 0));
        total = llvm::SaturatingMultiply(total, uint64_t(std::max<int64_t>(fixed.getValue(), 0)));
      }
      taskCounts.push_back(count);
    }
    if (total > UINT32_MAX)
      return plan::emitTooLarge(grid.getLoc()) << "it has more than 2^32 tasks";

    builder.setLoc(grid.getLoc());
    builder.setInsertionPoint(grid);
    Type index = builder.getIndexType();
    SmallVector<Value> counts;
    Value all = constant(1);
    for (auto [i, count] : llvm::enumerate(taskCounts)) {
      if (auto fixed = dyn_cast<AffineConstantExpr>(count)) {
        counts.push_back(constant(fixed.getValue()));
      } else {
        Value span = getValueOrCreateConstantIndexOp(builder, builder.getLoc(),
                                                     grid.getMixedUpperBound()[i]);
        if (lowers[i] != 0)
          span = arith::SubIOp::create(builder, span, constant(lowers[i]));
        counts.push_back(steps[i] == 1 ? span
                                       : Value(arith::CeilDivUIOp::create(builder, span,
                                                                         constant(steps[i]))));
      }
      all = arith::MulIOp::create(builder, all, counts.back());
    }
    Value from = arith::IndexCastUIOp::create(builder, index, begin);
    Value to = arith::IndexCastUIOp::create(builder, index, end);
    // An empty grid is launched as one task, which does nothing.
    if (total == 0)
      to = from;
    else if (llvm::any_of(taskCounts, [](AffineExpr e) { return !isa<AffineConstantExpr>(e); }))
      to = arith::MinUIOp::create(builder, to, all);
    auto loop = scf::ForOp::create(builder, from, to, constant(1));
    builder.setInsertionPointToStart(loop.getBody());
    Value rest = loop.getInductionVar();
    SmallVector<Value> ids(counts.size());
    for (int64_t i = int64_t(counts.size()) - 1; i >= 0; --i) {
      Value id = rest;
      if (i > 0) {
        id = arith::RemUIOp::create(builder, rest, counts[i]);
        rest = arith::DivUIOp::create(builder, rest, counts[i]);
      }
      if (steps[i] != 1)
        id = arith::MulIOp::create(builder, id, constant(steps[i]));
      if (lowers[i] != 0)
        id = arith::AddIOp::create(builder, id, constant(lowers[i]));
      ids[i] = id;
    }
    Block *body = grid.getBody();
    body->getTerminator()->erase();
    IRRewriter rewriter(builder.getContext());
    rewriter.inlineBlockBefore(body, loop.getBody()->getTerminator(), ids);
    rewriter.eraseOp(grid);
    return success();
  }

  //===- Arguments ----------------------------------------------------------===//

  /// A memref value whose descriptor points at `address`, row-major.
  Value makeMemRef(MemRefType type, Value address, ValueRange dynamicSizes) {
    Location loc = builder.getLoc();
    Value descriptor;
    if (type.hasStaticShape()) {
      descriptor = MemRefDescriptor::fromStaticShape(builder, loc, types, type, address);
    } else {
      auto made = MemRefDescriptor::poison(builder, loc, types.convertType(type));
      made.setAllocatedPtr(builder, loc, address);
      made.setAlignedPtr(builder, loc, address);
      made.setConstantOffset(builder, loc, 0);
      Value stride = LLVM::ConstantOp::create(builder, builder.getI64Type(), 1);
      unsigned dynamic = type.getNumDynamicDims();
      for (int64_t i = type.getRank() - 1; i >= 0; --i) {
        Value size = type.isDynamicDim(i)
                         ? dynamicSizes[--dynamic]
                         : Value(LLVM::ConstantOp::create(builder, builder.getI64Type(),
                                                          type.getDimSize(i)));
        made.setSize(builder, loc, i, size);
        made.setStride(builder, loc, i, stride);
        stride = LLVM::MulOp::create(builder, stride, size);
      }
      descriptor = made;
    }
    return UnrealizedConversionCastOp::create(builder, TypeRange{type}, ValueRange{descriptor})
        .getResult(0);
  }

  Value loadField(Value structure, unsigned field) {
    auto type = LLVM::LLVMStructType::getLiteral(builder.getContext(), {ptr, ptr, ptr});
    Value address = LLVM::GEPOp::create(builder, ptr, type, structure,
                                        ArrayRef<LLVM::GEPArg>{0, int32_t(field)});
    return LLVM::LoadOp::create(builder, ptr, address);
  }

  void takeArguments() {
    Block &entry = func.getBody().front();
    builder.setInsertionPointToStart(&entry);
    builder.setLoc(func.getLoc());
    Type i64 = builder.getI64Type();
    Value buffers = loadField(kargs, kargsBuffers);
    Value dims;
    unsigned nextBuffer = 0, nextDim = 0;
    auto nextDimValue = [&] {
      if (!dims)
        dims = loadField(kargs, kargsDims);
      Value address = LLVM::GEPOp::create(builder, ptr, i64, dims,
                                          ArrayRef<LLVM::GEPArg>{int32_t(nextDim++)});
      return LLVM::LoadOp::create(builder, i64, address).getResult();
    };
    for (unsigned i = 0; i < numArguments; ++i) {
      BlockArgument argument = entry.getArgument(i);
      Value value;
      if (auto type = dyn_cast<MemRefType>(argument.getType())) {
        Value slot = LLVM::GEPOp::create(builder, ptr, ptr, buffers,
                                         ArrayRef<LLVM::GEPArg>{int32_t(nextBuffer++)});
        SmallVector<Value> sizes;
        for (size_t d = 0; d < type.getNumDynamicDims(); ++d)
          sizes.push_back(nextDimValue());
        value = makeMemRef(type, LLVM::LoadOp::create(builder, ptr, slot), sizes);
      } else {
        value = arith::IndexCastOp::create(builder, builder.getIndexType(), nextDimValue());
      }
      argument.replaceAllUsesWith(value);
    }
    entry.eraseArguments(0, numArguments);
    func.setFunctionType(builder.getFunctionType(entry.getArgumentTypes(), {}));
  }

  //===- Scratch ------------------------------------------------------------===//

  LogicalResult takeScratch() {
    SmallVector<Operation *> allocations;
    func.walk([&](Operation *op) {
      if (isa<memref::AllocOp, memref::AllocaOp>(op))
        allocations.push_back(op);
      if (isa<memref::DeallocOp>(op))
        allocations.push_back(op);
    });
    for (Operation *op : allocations) {
      if (isa<memref::DeallocOp>(op)) {
        op->erase();
        continue;
      }
      auto type = cast<MemRefType>(op->getResult(0).getType());
      std::optional<uint64_t> bytes = cpu::scratchBytes(type);
      if (!bytes)
        return op->emitOpError("needs scratch of a size that is not static");
      if (*bytes > cpu::maxScratchBytes)
        return plan::emitTooLarge(func.getLoc()) << "it needs more than 2 GiB of scratch per worker";
      // At the entry: the address does not depend on the task.
      builder.setInsertionPointToStart(&func.getBody().front());
      builder.setLoc(op->getLoc());
      Value address = LLVM::GEPOp::create(builder, ptr, builder.getI8Type(), scratch,
                                          ArrayRef<LLVM::GEPArg>{int32_t(scratchBytes)});
      op->getResult(0).replaceAllUsesWith(makeMemRef(type, address, {}));
      op->erase();
      scratchBytes = llvm::alignTo(scratchBytes + *bytes, 64);
      if (scratchBytes > cpu::maxScratchBytes)
        return plan::emitTooLarge(func.getLoc()) << "it needs more than 2 GiB of scratch per worker";
    }
    return success();
  }

  //===- Checks -------------------------------------------------------------===//

  /// if (!ok && cmpxchg(&error->code, 0, status)) error->site, error->detail = node, detail;
  void lowerCheck(plan::CheckOp check) {
    builder.setInsertionPoint(check);
    builder.setLoc(check.getLoc());
    Value no = arith::XOrIOp::create(
        builder, check.getOk(),
        arith::ConstantOp::create(builder, builder.getBoolAttr(true)));
    auto branch = scf::IfOp::create(builder, no, /*withElseRegion=*/false);
    builder.setInsertionPointToStart(branch.thenBlock());
    Type i32 = builder.getI32Type();
    Value error = loadField(kargs, kargsError);
    Value zero = LLVM::ConstantOp::create(builder, i32, 0);
    Value status = LLVM::ConstantOp::create(builder, i32, int32_t(check.getStatus()));
    auto exchange = LLVM::AtomicCmpXchgOp::create(
        builder, error, zero, status, LLVM::AtomicOrdering::monotonic,
        LLVM::AtomicOrdering::monotonic);
    Value won = LLVM::ExtractValueOp::create(builder, exchange, ArrayRef<int64_t>{1});
    auto first = scf::IfOp::create(builder, won, /*withElseRegion=*/false);
    builder.setInsertionPointToStart(first.thenBlock());
    auto word = LLVM::LLVMStructType::getLiteral(builder.getContext(),
                                                 {i32, i32, builder.getI64Type()});
    auto store = [&](Value value, int32_t field) {
      Value slot = LLVM::GEPOp::create(builder, ptr, word, error, ArrayRef<LLVM::GEPArg>{0, field});
      LLVM::StoreOp::create(builder, value, slot);
    };
    store(check.getDetail(), errorDetail);
    auto nodes = func->getAttrOfType<ArrayAttr>(plan::faultsAttrName);
    std::string node = plan::nodeName(check.getLoc());
    for (auto [i, name] : llvm::enumerate(nodes ? nodes.getValue() : ArrayRef<Attribute>()))
      if (cast<StringAttr>(name) == node)
        store(LLVM::ConstantOp::create(builder, i32, int32_t(plan::faultBit | i)), errorSite);
    check.erase();
  }

  Value constant(int64_t value) { return arith::ConstantIndexOp::create(builder, value); }

  func::FuncOp func;
  ImplicitLocOpBuilder builder;
  LLVMTypeConverter types;
  Type ptr;
  unsigned numArguments = 0, numDims = 0;
  SmallVector<AffineExpr> taskCounts; // of the grid's loops; none: one task
  Value kargs, begin, end, scratch;
  uint64_t scratchBytes = 0;
};

struct KernelAbi : impl::KernelAbiBase<KernelAbi> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (func->hasAttr("plan.kernel") && failed(Kernel(func).convert()))
        return signalPassFailure();
  }
};

} // namespace
} // namespace burin
