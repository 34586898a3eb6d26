// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/cpu/Joins.h"

#include "compiler/group/Group.h"
#include "compiler/group/Parts.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace burin::cpu {
namespace {

using group::Part;

/// What the kernel's only result consists of, in the order of the kernel; empty where it is computed, or sizes change.
SmallVector<Part> partsOf(func::FuncOp kernel) {
  Block &body = kernel.getBody().front();
  Operation *end = body.getTerminator();
  if (end->getNumOperands() != 1 || !llvm::all_of(body.without_terminator(), [](Operation &op) {
        return isa<tensor::InsertSliceOp, tensor::ExtractSliceOp>(op) || group::isCheap(&op);
      }))
    return {};
  Value value = end->getOperand(0);
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (type && type.hasStaticShape() && value.getDefiningOp<tensor::ExtractSliceOp>())
    return {{value, SmallVector<int64_t>(type.getRank(), 0)}};
  return group::partsOf(value, body.getArguments().back()); // the destination, of which nothing is kept then
}

/// The first dim along which all parts can be cut alike.
std::optional<unsigned> sharedDim(ArrayRef<Part> parts, RankedTensorType type) {
  for (unsigned d = 0; d < unsigned(type.getRank()); ++d)
    if (type.getDimSize(d) > 1 && llvm::all_of(parts, [&](const Part &part) {
          return part.offsets[d] == 0 &&
                 cast<RankedTensorType>(part.source.getType()).getDimSize(d) == type.getDimSize(d);
        }))
      return d;
  return std::nullopt;
}

/// The divisor of `size` that is nearest above `wanted`, or below where that is much larger.
int64_t divisorNear(int64_t size, int64_t wanted) {
  int64_t below = 1;
  for (int64_t d = 1; d < std::min(size, 4 * wanted); ++d)
    if (size % d == 0) {
      if (d >= wanted)
        return d;
      below = d;
    }
  return below;
}

} // namespace

bool tileJoin(func::FuncOp kernel, int64_t volume) {
  SmallVector<Part> parts = partsOf(kernel);
  Operation *end = kernel.getBody().front().getTerminator();
  if (parts.empty())
    return false;
  auto type = cast<RankedTensorType>(end->getOperand(0).getType());
  std::optional<unsigned> dim = sharedDim(parts, type);
  int64_t elements = 1;
  for (int64_t size : type.getShape())
    if (size == 0 || llvm::MulOverflow(elements, size, elements))
      return false;
  if (!dim || elements < 2 * volume)
    return false;
  int64_t rows = type.getDimSize(*dim);
  int64_t step = divisorNear(rows, llvm::divideCeil(volume, elements / rows));
  int64_t adjacent = step; // elements of a task that lie side by side
  for (int64_t size : type.getShape().drop_front(*dim + 1))
    adjacent *= size;
  if (adjacent < 64)
    return false;

  IRRewriter b(end);
  Location loc = kernel.getLoc();
  BlockArgument destination = kernel.getBody().front().getArguments().back();
  auto forall = scf::ForallOp::create(b, loc, ArrayRef<OpFoldResult>{b.getIndexAttr(0)},
                                      ArrayRef<OpFoldResult>{b.getIndexAttr(rows)},
                                      ArrayRef<OpFoldResult>{b.getIndexAttr(step)},
                                      ValueRange{destination}, std::nullopt);
  b.setInsertionPointToStart(forall.getBody());
  SmallVector<OpFoldResult> ones(type.getRank(), b.getIndexAttr(1));
  // The task's rows of a tensor of so many sizes.
  auto rowsOf = [&](ArrayRef<int64_t> shape) {
    SmallVector<OpFoldResult> offsets(shape.size(), b.getIndexAttr(0)),
        sizes = getAsIndexOpFoldResult(b.getContext(), shape);
    offsets[*dim] = forall.getInductionVars()[0];
    sizes[*dim] = b.getIndexAttr(step);
    return std::pair(offsets, sizes);
  };
  auto [at, sizes] = rowsOf(type.getShape());
  BlockArgument whole = forall.getRegionIterArgs()[0];
  Value tile = tensor::ExtractSliceOp::create(b, loc, whole, at, sizes, ones);
  for (const Part &part : parts) {
    auto [from, some] = rowsOf(cast<RankedTensorType>(part.source.getType()).getShape());
    Value source = tensor::ExtractSliceOp::create(b, loc, part.source, from, some, ones);
    tile = tensor::InsertSliceOp::create(
        b, loc, source, tile, getAsIndexOpFoldResult(b.getContext(), part.offsets), some, ones);
  }
  b.setInsertionPointToEnd(forall.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(b, loc, tile, whole, at, sizes, ones);
  end->setOperand(0, forall.getResult(0));
  return true;
}

} // namespace burin::cpu
