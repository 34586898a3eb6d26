// SPDX-License-Identifier: Apache-2.0
//
// Work is counted on kernels as they are between `plan` and their schedule: ops on tensors, whose sizes
// are static or follow from what a launch tells its kernel.

#include "compiler/plan/Work.h"

#include "compiler/group/Group.h"
#include "dialects/kern/KernOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/CastInterfaces.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace burin {
namespace {

uint64_t plus(uint64_t a, uint64_t b) { return llvm::SaturatingAdd(a, b); }
uint64_t times(uint64_t a, uint64_t b) { return llvm::SaturatingMultiply(a, b); }

/// Arithmetic of one op on numbers.
uint64_t flopsOf(Operation *op) {
  StringRef dialect = op->getName().getDialectNamespace();
  if (op->getNumResults() != 1 || op->hasTrait<OpTrait::ConstantLike>() ||
      isa<CastOpInterface, arith::SelectOp>(op))
    return 0;
  Type operand = op->getNumOperands() ? getElementTypeOrSelf(op->getOperand(0)) : Type();
  bool isNumber = isa_and_present<FloatType, ComplexType>(operand) ||
                  (isa_and_present<IntegerType>(operand) && !operand.isInteger(1));
  if (!isNumber)
    return 0;
  if (dialect == "arith" || dialect == "complex")
    return 1;
  if (dialect != "math")
    return 0;
  if (isa<math::FmaOp>(op))
    return 2;
  return isa<math::AbsFOp, math::AbsIOp, math::SqrtOp, math::RsqrtOp, math::FloorOp, math::CeilOp,
             math::RoundOp, math::RoundEvenOp, math::TruncOp, math::CopySignOp>(op)
             ? 1
             : Work::functionFlops;
}

/// Counts one kernel at given sizes.
class KernelCount {
public:
  /// `extents` are what a launch tells `kernel`: dynamic sizes and index arguments, in the arguments'
  /// order.
  KernelCount(func::FuncOp kernel, ArrayRef<int64_t> extents) : kernel(kernel) {
    size_t next = 0;
    auto take = [&] { return next < extents.size() ? extents[next++] : 0; };
    for (BlockArgument argument : kernel.getArguments())
      if (auto type = dyn_cast<RankedTensorType>(argument.getType())) {
        for (auto [dim, size] : llvm::enumerate(type.getShape()))
          if (ShapedType::isDynamic(size))
            given[{argument, dim}] = take();
      } else {
        given[{argument, 0}] = take();
      }
    flops = countIn(kernel.getBody(), 1);
  }

  uint64_t flops = 0, savedFlops = 0;
  bool isAtLeast = false;

  /// What is read of a tensor, in bytes.
  uint64_t read(Value tensor) {
    uint64_t sum = 0;
    for (OpOperand &use : tensor.getUses())
      sum = plus(sum, readBy(use));
    return std::min(sum, bytes(tensor));
  }

  /// What is written of a result, where a slice of it may be all that is new.
  uint64_t written(Value tensor) {
    if (isa<BlockArgument>(tensor))
      return 0;
    Operation *def = tensor.getDefiningOp();
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(def))
      return std::min(bytes(tensor), plus(bytes(insert.getSource()), written(insert.getDest())));
    if (auto scatter = dyn_cast<kern::ScatterOp>(def))
      return std::min(bytes(tensor), plus(bytes(scatter.getUpdates()), written(scatter.getInit())));
    if (group::isView(def))
      return written(def->getOperand(0));
    return bytes(tensor);
  }

private:
  //===- Sizes --------------------------------------------------------------===//

  AffineExpr exprOf(Value index) {
    auto leaf = [&](Value value) -> AffineExpr {
      std::optional<int64_t> number;
      if (auto it = given.find({value, 0}); it != given.end() && value.getType().isIndex())
        number = it->second;
      else if (auto dim = value.getDefiningOp<tensor::DimOp>(); dim && dim.getConstantIndex())
        number = int64_t(size(dim.getSource(), unsigned(*dim.getConstantIndex())));
      else if (auto least = value.getDefiningOp<affine::AffineMinOp>())
        number = chosen(least, [](int64_t a, int64_t b) { return std::min(a, b); });
      else if (auto most = value.getDefiningOp<affine::AffineMaxOp>())
        number = chosen(most, [](int64_t a, int64_t b) { return std::max(a, b); });
      else if (auto less = value.getDefiningOp<arith::MinSIOp>())
        number = chosen(less, [](int64_t a, int64_t b) { return std::min(a, b); });
      else if (auto more = value.getDefiningOp<arith::MaxSIOp>())
        number = chosen(more, [](int64_t a, int64_t b) { return std::max(a, b); });
      return number ? getAffineConstantExpr(*number, value.getContext()) : AffineExpr();
    };
    return plan::indexExpr(index, leaf);
  }

  /// An index value, where it is the same in all iterations.
  std::optional<int64_t> valueOf(OpFoldResult index) {
    if (std::optional<int64_t> constant = getConstantIntValue(index))
      return constant;
    auto number = dyn_cast_if_present<AffineConstantExpr>(exprOf(cast<Value>(index)));
    return number ? std::optional(number.getValue()) : std::nullopt;
  }

  template <typename Op>
  std::optional<int64_t> chosen(Op op, int64_t (*choose)(int64_t, int64_t)) {
    SmallVector<int64_t> operands;
    std::optional<int64_t> result;
    for (Value operand : op->getOperands()) {
      std::optional<int64_t> value = valueOf(operand);
      if (!value)
        return std::nullopt;
      operands.push_back(*value);
    }
    if constexpr (requires { op.getAffineMap(); }) {
      AffineMap map = op.getAffineMap();
      SmallVector<AffineExpr> values = llvm::map_to_vector(operands, [&](int64_t value) {
        return getAffineConstantExpr(value, op.getContext());
      });
      operands.clear();
      ArrayRef<AffineExpr> all(values);
      for (AffineExpr expr : map.getResults()) {
        auto number = dyn_cast<AffineConstantExpr>(expr.replaceDimsAndSymbols(
            all.take_front(map.getNumDims()), all.drop_front(map.getNumDims())));
        if (!number)
          return std::nullopt;
        operands.push_back(number.getValue());
      }
    }
    for (int64_t operand : operands)
      result = result ? choose(*result, operand) : operand;
    return result;
  }

  /// A size of a tensor; where what decides it is not known, 1, and the work is more than is counted.
  uint64_t size(Value tensor, unsigned dim) {
    auto type = cast<RankedTensorType>(tensor.getType());
    if (dim < unsigned(type.getRank()) && !type.isDynamicDim(dim))
      return uint64_t(type.getDimSize(dim));
    auto [it, inserted] = given.try_emplace({tensor, dim}, 1); // what refers to itself ends here
    if (!inserted)
      return uint64_t(it->second);
    std::optional<int64_t> found = findSize(tensor, dim);
    if (!found || *found < 0)
      isAtLeast = true;
    else
      given[{tensor, dim}] = *found;
    return uint64_t(given[{tensor, dim}]);
  }

  std::optional<int64_t> findSize(Value tensor, unsigned dim) {
    Operation *def = tensor.getDefiningOp();
    if (auto collapse = dyn_cast_if_present<tensor::CollapseShapeOp>(def)) {
      uint64_t product = 1;
      SmallVector<ReassociationIndices> groups = collapse.getReassociationIndices();
      for (int64_t from : groups[dim])
        product = times(product, size(collapse.getSrc(), unsigned(from)));
      return int64_t(std::min<uint64_t>(product, INT64_MAX));
    }
    if (auto expand = dyn_cast_if_present<tensor::ExpandShapeOp>(def))
      return valueOf(expand.getMixedOutputShape()[dim]);
    if (auto cast = dyn_cast_if_present<tensor::CastOp>(def))
      return int64_t(size(cast.getSource(), dim));
    if (auto empty = dyn_cast_if_present<tensor::EmptyOp>(def))
      return valueOf(empty.getMixedSizes()[dim]);
    if (auto slice = dyn_cast_if_present<tensor::ExtractSliceOp>(def)) {
      llvm::SmallBitVector dropped = slice.getDroppedDims();
      for (auto [i, each] : llvm::enumerate(slice.getMixedSizes()))
        if (!dropped.test(i) && dim-- == 0)
          return valueOf(each);
      return std::nullopt;
    }
    if (auto concat = dyn_cast_if_present<tensor::ConcatOp>(def)) {
      if (concat.getDim() != dim)
        return int64_t(size(concat.getInputs().front(), dim));
      uint64_t sum = 0;
      for (Value input : concat.getInputs())
        sum = plus(sum, size(input, dim));
      return int64_t(std::min<uint64_t>(sum, INT64_MAX));
    }
    Value like = group::sizedLike(tensor);
    return like ? std::optional(int64_t(size(like, dim))) : std::nullopt;
  }

  uint64_t elements(Value tensor) {
    uint64_t product = 1;
    for (unsigned dim = 0; dim < unsigned(cast<RankedTensorType>(tensor.getType()).getRank()); ++dim)
      product = times(product, size(tensor, dim));
    return product;
  }

  static uint64_t elementBytes(Value tensor) {
    Type element = getElementTypeOrSelf(tensor);
    return element.isIndex() ? 8 : plan::denseBytes(element, {}).value_or(1);
  }
  uint64_t bytes(Value tensor) { return times(elements(tensor), elementBytes(tensor)); }

  //===- Work ---------------------------------------------------------------===//

  /// The arithmetic of a region that runs `often`, and how often what is in it runs.
  uint64_t countIn(Region &region, uint64_t often) {
    uint64_t sum = 0;
    for (Block &block : region)
      for (Operation &op : block)
        sum = plus(sum, count(&op, often));
    return sum;
  }

  uint64_t countIn(MutableArrayRef<Region> regions, uint64_t often) {
    uint64_t sum = 0;
    for (Region &region : regions)
      sum = plus(sum, countIn(region, often));
    return sum;
  }

  uint64_t count(Operation *op, uint64_t often) {
    runs[op] = often;
    if (auto contract = dyn_cast<kern::ContractOp>(op)) {
      uint64_t results = elements(contract.getInit());
      uint64_t products = times(results, reduced(contract));
      // (m + 2)^2 products for m^2 results of 9 taps.
      if (std::optional<int64_t> m = contract.getWinograd())
        savedFlops = plus(savedFlops, uint64_t(2.0 * double(often) * double(products) *
                                               (1 - double((*m + 2) * (*m + 2)) / double(9 * *m * *m))));
      return plus(times(2, times(often, products)),
                  countIn(contract->getRegions(), times(often, results)));
    }
    if (auto generic = dyn_cast<linalg::LinalgOp>(op))
      return countIn(op->getRegions(), times(often, domain(generic)));
    if (auto sort = dyn_cast<kern::SortOp>(op)) {
      uint64_t all = elements(sort.getInput());
      uint64_t row = size(sort.getInput(), unsigned(sort.getAxis()));
      return countIn(op->getRegions(), times(often, times(all, llvm::Log2_64_Ceil(row + 1))));
    }
    if (auto scatter = dyn_cast<kern::ScatterOp>(op))
      return countIn(op->getRegions(), times(often, elements(scatter.getUpdates())));
    if (auto scan = dyn_cast<kern::ScanOp>(op))
      return countIn(op->getRegions(),
                     times(often, scan.getInputs().empty() ? elements(scan.getInits().front())
                                                           : elements(scan.getInputs().front())));
    if (auto generate = dyn_cast<tensor::GenerateOp>(op))
      return countIn(op->getRegions(), times(often, elements(generate.getResult())));
    if (auto branch = dyn_cast<scf::IfOp>(op))
      return std::max(countIn(branch.getThenRegion(), often), countIn(branch.getElseRegion(), often));
    if (auto loop = dyn_cast<scf::ForOp>(op))
      return countIn(op->getRegions(), times(often, trips(loop)));
    if (isa<scf::WhileOp>(op))
      isAtLeast = true;
    return plus(times(often, flopsOf(op)), countIn(op->getRegions(), often));
  }

  uint64_t reduced(kern::ContractOp contract) {
    uint64_t product = 1;
    for (int64_t each : contract.getReduction()) // read off `b` where it is not known here
      product = times(product, ShapedType::isDynamic(each)
                                   ? size(contract.getB(), contract.getDepthDim())
                                   : uint64_t(each));
    return product;
  }

  uint64_t domain(linalg::LinalgOp op) {
    SmallVector<uint64_t> loops(op.getNumLoops(), 0);
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isa<RankedTensorType>(operand.get().getType()))
        continue;
      for (auto [dim, expr] : llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults()))
        if (auto loop = dyn_cast<AffineDimExpr>(expr))
          loops[loop.getPosition()] =
              std::max(loops[loop.getPosition()], size(operand.get(), unsigned(dim)));
    }
    uint64_t product = 1;
    for (uint64_t loop : loops)
      product = times(product, loop);
    return product;
  }

  uint64_t trips(scf::ForOp loop) {
    std::optional<int64_t> from = valueOf(loop.getLowerBound()), to = valueOf(loop.getUpperBound()),
                           by = valueOf(loop.getStep());
    if (from && to && by && *by > 0)
      return *to <= *from ? 0 : llvm::divideCeil(uint64_t(*to) - uint64_t(*from), uint64_t(*by));
    isAtLeast = true;
    return 1;
  }

  uint64_t readBy(OpOperand &use) {
    Operation *op = use.getOwner();
    Value tensor = use.get();
    uint64_t often = runs.lookup(op);
    if (isa<tensor::DimOp>(op))
      return 0;
    if (isa<tensor::ExtractOp>(op))
      return times(often, elementBytes(tensor));
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
      return times(often, read(slice.getResult()));
    if (group::isView(op))
      return read(op->getResult(0));
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(op); insert && use.get() == insert.getDest())
      return 0; // stays where it is
    if (auto generic = dyn_cast<linalg::LinalgOp>(op)) {
      if (!generic.payloadUsesValueFromOperand(&use))
        return 0;
      return std::min(bytes(tensor), times(times(often, domain(generic)), elementBytes(tensor)));
    }
    if (auto style = dyn_cast<DestinationStyleOpInterface>(op); style && style.isDpsInit(&use))
      return 0;
    return bytes(tensor);
  }

  func::FuncOp kernel;
  DenseMap<std::pair<Value, unsigned>, int64_t> given; // sizes of tensors, and index arguments
  DenseMap<Operation *, uint64_t> runs;                // of each op, how often
};

} // namespace

/// By a kernel and what it is told.
class LaunchWork::Counts {
public:
  llvm::StringMap<std::optional<KernelCount>> known;
};

LaunchWork::LaunchWork(func::FuncOp main, ModuleOp kernels)
    : kernels(kernels), sizes(main), counts(std::make_unique<Counts>()) {}
LaunchWork::~LaunchWork() = default;

Work LaunchWork::of(plan::LaunchOp launch) {
  return count(launch, [&](AffineExpr expr) {
    return sizes.range(expr).value_or(plan::Interval{1, 1});
  });
}

Work LaunchWork::of(plan::LaunchOp launch, ArrayRef<int64_t> dims) {
  return count(launch, [&](AffineExpr expr) {
    std::optional<plan::Interval> value = plan::rangeOf(
        expr, [&](unsigned symbol) { return plan::Interval{dims[symbol], dims[symbol]}; });
    return value.value_or(plan::Interval{1, 1});
  });
}

Work LaunchWork::count(plan::LaunchOp launch,
                       llvm::function_ref<plan::Interval(AffineExpr)> valueOf) {
  auto kernel = kernels.lookupSymbol<func::FuncOp>(launch.getKernel());
  if (!kernel || kernel.isDeclaration())
    return {};
  SmallVector<int64_t> extents;
  std::string key = launch.getKernel().str();
  for (AffineExpr expr : sizes.told(launch)) {
    extents.push_back(valueOf(expr).max);
    key += " " + std::to_string(extents.back());
  }
  auto [it, inserted] = counts->known.try_emplace(key);
  if (inserted)
    it->second.emplace(kernel, extents);
  KernelCount &counted = *it->second;
  Work work;
  work.flops = counted.flops;
  work.savedFlops = counted.savedFlops;
  for (auto [i, input] : llvm::enumerate(launch.getInputs())) {
    bool isWeight = group::dataOf(input).getDefiningOp<plan::ConstantOp>() != nullptr;
    uint64_t &sum = isWeight ? work.weightBytes : work.readBytes;
    sum = plus(sum, counted.read(kernel.getArgument(unsigned(i))));
  }
  for (Value value : kernel.getBody().front().getTerminator()->getOperands())
    work.writtenBytes = plus(work.writtenBytes, counted.written(value));
  work.isAtLeast = counted.isAtLeast;
  return work;
}

void Work::add(const Work &other) {
  flops = plus(flops, other.flops);
  savedFlops = plus(savedFlops, other.savedFlops);
  weightBytes = plus(weightBytes, other.weightBytes);
  readBytes = plus(readBytes, other.readBytes);
  writtenBytes = plus(writtenBytes, other.writtenBytes);
  isAtLeast |= other.isAtLeast;
}

double estimatedSeconds(const Work &work, uint64_t weightsBytes, uint64_t activationBytes) {
  constexpr double lanes = 8, reached = 0.75; // of the peak, by most kernels
  constexpr double flops = nominal::clock * nominal::units * lanes * 2 * reached;
  bool activationsFit = activationBytes <= nominal::cacheBytes;
  bool weightsFit = activationsFit && weightsBytes <= nominal::cacheBytes - activationBytes;
  auto seconds = [](double bytes, bool fits) {
    return bytes / (fits ? nominal::cacheBandwidth : nominal::memoryBandwidth);
  };
  return std::max((double(work.flops) - double(work.savedFlops)) / flops,
                  seconds(double(work.weightBytes), weightsFit) +
                      seconds(double(work.readBytes) + double(work.writtenBytes), activationsFit));
}

} // namespace burin
