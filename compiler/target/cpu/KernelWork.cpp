// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/cpu/KernelWork.h"

#include "dialects/kern/KernOps.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace burin::cpu {
namespace {

constexpr StringLiteral attributeName = "plan.asked";

using Count = std::optional<int64_t>;

Count product(Count a, Count b) {
  int64_t result;
  if (!a || !b || llvm::MulOverflow(*a, *b, result))
    return std::nullopt;
  return result;
}

Count product(ArrayRef<int64_t> sizes) {
  Count result = 1;
  for (int64_t size : sizes)
    result = product(result, ShapedType::isDynamic(size) ? Count() : Count(size));
  return result;
}

/// Iterations of one execution, or nothing for an op that reduces nothing.
std::optional<Count> reductionVolume(Operation *op) {
  if (auto contract = dyn_cast<kern::ContractOp>(op))
    return product(product(cast<ShapedType>(contract.getInit().getType()).getShape()),
                   product(contract.getReduction()));
  auto generic = dyn_cast<linalg::LinalgOp>(op);
  if (!generic || generic.getNumReductionLoops() == 0)
    return std::nullopt;
  return product(generic.getStaticLoopRanges());
}

/// A result that is there already, elsewhere: it can only be copied to its destination.
bool isMoved(Value result) {
  while (Operation *def = result.getDefiningOp()) {
    if (def->hasTrait<OpTrait::ConstantLike>() || isa<tensor::ExtractSliceOp>(def))
      return true;
    if (!isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::CastOp>(def))
      return false;
    result = def->getOperand(0);
  }
  return isa<BlockArgument>(result);
}

/// How often the loops around `op` run it.
Count executions(Operation *op) {
  Count result = 1;
  for (Operation *around = op->getParentOp(); !isa<func::FuncOp>(around);
       around = around->getParentOp()) {
    auto loop = dyn_cast<LoopLikeOpInterface>(around);
    if (!loop)
      continue;
    std::optional<SmallVector<OpFoldResult>> lower = loop.getLoopLowerBounds(),
                                             upper = loop.getLoopUpperBounds(),
                                             step = loop.getLoopSteps();
    if (!lower || !upper || !step)
      return std::nullopt;
    for (auto [l, u, s] : llvm::zip_equal(*lower, *upper, *step)) {
      std::optional<int64_t> from = getConstantIntValue(l), to = getConstantIntValue(u),
                             by = getConstantIntValue(s);
      if (!from || !to || !by || *by <= 0)
        return std::nullopt;
      result = product(result, *to <= *from ? 0 : int64_t(llvm::divideCeil(*to - *from, *by)));
    }
  }
  return result;
}

} // namespace

std::optional<uint64_t> scratchBytes(MemRefType type) {
  if (!type.hasStaticShape() || !type.getLayout().isIdentity())
    return std::nullopt;
  Type element = type.getElementType();
  uint64_t bytes = 1;
  if (auto complex = dyn_cast<ComplexType>(element)) {
    element = complex.getElementType();
    bytes = 2;
  }
  bytes *= element.isIndex() ? 8 : llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
  for (int64_t size : type.getShape()) {
    std::optional<uint64_t> product = llvm::checkedMulUnsigned(bytes, uint64_t(size));
    if (!product)
      return std::nullopt;
    bytes = *product;
  }
  return bytes;
}

KernelWork KernelWork::of(func::FuncOp kernel) {
  KernelWork work;
  kernel.walk([&](Operation *op) {
    if (isa<linalg::CopyOp, memref::CopyOp, tensor::InsertSliceOp, tensor::ConcatOp, tensor::PadOp,
            bufferization::MaterializeInDestinationOp>(op))
      ++work.copies;
    if (isa<func::ReturnOp>(op))
      work.copies += llvm::count_if(op->getOperands(), isMoved);
    // A carried tensor is put in place once before the loop and once per iteration, a
    // branch's result once in each branch.
    if (isa<LoopLikeOpInterface, scf::IfOp, scf::ExecuteRegionOp>(op))
      work.copies += 2 * llvm::count_if(op->getResultTypes(), llvm::IsaPred<TensorType>);
    std::optional<Count> volume = reductionVolume(op);
    if (!volume)
      return;
    ++work.contractions;
    Count steps = product(*volume, executions(op));
    int64_t sum;
    if (!steps || !work.steps || llvm::AddOverflow(*work.steps, *steps, sum))
      work.steps.reset();
    else
      work.steps = sum;
  });
  return work;
}

void KernelWork::storeOn(func::FuncOp kernel) const {
  Builder builder(kernel.getContext());
  SmallVector<NamedAttribute> fields{
      builder.getNamedAttr("contractions", builder.getI64IntegerAttr(contractions)),
      builder.getNamedAttr("copies", builder.getI64IntegerAttr(copies))};
  if (steps)
    fields.push_back(builder.getNamedAttr("steps", builder.getI64IntegerAttr(*steps)));
  kernel->setAttr(attributeName, builder.getDictionaryAttr(fields));
}

std::optional<KernelWork> KernelWork::loadFrom(func::FuncOp kernel) {
  auto fields = kernel->getAttrOfType<DictionaryAttr>(attributeName);
  auto number = [&](StringRef name) -> Count {
    auto attr = fields ? fields.getAs<IntegerAttr>(name) : IntegerAttr();
    return attr ? Count(attr.getInt()) : std::nullopt;
  };
  Count contractions = number("contractions"), copies = number("copies");
  if (!contractions || !copies)
    return std::nullopt;
  return KernelWork{*contractions, *copies, number("steps")};
}

} // namespace burin::cpu
