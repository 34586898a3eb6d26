// SPDX-License-Identifier: Apache-2.0
#include "compiler/plan/SplitPads.h"

#include "compiler/group/Group.h"
#include "compiler/plan/Buffers.h"
#include "compiler/plan/NewKernels.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace burin {
namespace {

/// A copy of less takes less time than the launches that fill what is around.
constexpr int64_t leastBytes = 64 * 1024;

/// Sizes and offsets in the padded tensor.
struct Slab {
  SmallVector<int64_t> sizes, offsets;
};

struct Pad {
  TypedAttr fill;
  tensor::InsertSliceOp insert;

  RankedTensorType from() { return insert.getSourceType(); }
  RankedTensorType to() { return insert.getType(); }

  /// What lies around: of each dim what comes before and behind, within the dims in front of it, over all of those
  /// that follow, so that it lies side by side as far as it can.
  SmallVector<Slab> around() {
    Slab slab{SmallVector<int64_t>(to().getShape()), SmallVector<int64_t>(to().getRank(), 0)};
    SmallVector<Slab> slabs;
    for (int64_t d = 0; d < to().getRank(); ++d) {
      int64_t before = insert.getStaticOffset(d), behind = before + from().getDimSize(d);
      for (auto [begin, end] : {std::pair(int64_t(0), before), std::pair(behind, to().getDimSize(d))}) {
        slab.offsets[d] = begin;
        slab.sizes[d] = end - begin;
        if (end > begin)
          slabs.push_back(slab);
      }
      slab.offsets[d] = before;
      slab.sizes[d] = from().getDimSize(d);
    }
    return slabs;
  }
};

/// What `kernel` pads, if it does nothing else.
std::optional<Pad> padOf(func::FuncOp kernel) {
  if (!kernel || kernel.isDeclaration() || kernel.getNumArguments() != 2)
    return std::nullopt;
  Block &body = kernel.getBody().front();
  ValueRange returned = body.getTerminator()->getOperands();
  auto insert = returned.size() == 1 ? returned[0].getDefiningOp<tensor::InsertSliceOp>() : tensor::InsertSliceOp();
  auto fill = insert ? insert.getDest().getDefiningOp<linalg::FillOp>() : linalg::FillOp();
  if (!fill || fill.getOutputs()[0] != body.getArgument(1) || insert.getSource() != body.getArgument(0) ||
      llvm::range_size(body.without_terminator()) != 3)
    return std::nullopt;
  auto constant = fill.getInputs()[0].getDefiningOp<arith::ConstantOp>();
  RankedTensorType from = insert.getSourceType(), to = insert.getType();
  if (!constant || !from.hasStaticShape() || !to.hasStaticShape() || from.getRank() != to.getRank() ||
      !insert.hasUnitStride() || llvm::any_of(insert.getStaticOffsets(), ShapedType::isDynamic) ||
      from.getShape() != insert.getStaticSizes() || from.getNumElements() == 0)
    return std::nullopt;
  return Pad{constant.getValue(), insert};
}

class Splitter {
public:
  Splitter(func::FuncOp main, ModuleOp kernels) : main(main), kernels(kernels), outside(writtenOutside(main)) {}

  void run() {
    for (plan::LaunchOp launch : llvm::make_early_inc_range(main.getBody().front().getOps<plan::LaunchOp>()))
      split(launch);
  }

private:
  void split(plan::LaunchOp launch) {
    if (launch.getInputs().size() != 1 || launch.getNumResults() != 1 || !launch.getStates().empty() ||
        !launch.getDims().empty() || outside.contains(launch.getResult(0)))
      return;
    std::optional<Pad> pad = padOf(kernels.lookupSymbol<func::FuncOp>(launch.getKernel()));
    Value data = group::dataOf(launch.getInputs()[0]);
    Type element = pad ? pad->to().getElementType() : Type();
    // What somebody else makes a part of a tensor, or is the caller's, is copied anyway.
    if (!pad || !isa_and_nonnull<plan::LaunchOp>(data.getDefiningOp()) || outside.contains(data) ||
        !data.hasOneUse() || !element.isIntOrFloat() || element.getIntOrFloatBitWidth() % 8 != 0 ||
        pad->from().getNumElements() * element.getIntOrFloatBitWidth() / 8 < leastBytes)
      return;
    OpBuilder builder(launch);
    SmallVector<Value> parts{launch.getInputs()[0]};
    SmallVector<Slab> slabs{{SmallVector<int64_t>(pad->from().getShape()),
                             SmallVector<int64_t>(pad->insert.getStaticOffsets())}};
    for (Slab &slab : pad->around()) {
      func::FuncOp kernel = fillKernel(launch, pad->fill, RankedTensorType::get(slab.sizes, element));
      parts.push_back(launchOf(builder, launch.getLoc(), kernel, {}).getResult(0));
      slabs.push_back(std::move(slab));
    }
    func::FuncOp kernel = joinKernel(launch, slabs, parts, pad->to());
    launch.getResult(0).replaceAllUsesWith(launchOf(builder, launch.getLoc(), kernel, parts).getResult(0));
    launch.erase();
  }

  func::FuncOp fillKernel(plan::LaunchOp launch, TypedAttr value, RankedTensorType type) {
    func::FuncOp &made = fills[{value, type}];
    if (made)
      return made;
    OpBuilder builder(launch.getContext());
    made = beginKernel(builder, kernels, launch, "_f", {type});
    Value constant = arith::ConstantOp::create(builder, launch.getLoc(), value);
    auto fill = linalg::FillOp::create(builder, launch.getLoc(), constant, ValueRange{made.getArgument(0)});
    func::ReturnOp::create(builder, launch.getLoc(), fill.getResults());
    return made;
  }

  func::FuncOp joinKernel(plan::LaunchOp launch, ArrayRef<Slab> slabs, ValueRange parts, RankedTensorType type) {
    SmallVector<Type> types(parts.getTypes());
    types.push_back(type);
    OpBuilder builder(launch.getContext());
    func::FuncOp made = beginKernel(builder, kernels, launch, "_j", types);
    Value whole = made.getArguments().back();
    SmallVector<OpFoldResult> ones(type.getRank(), builder.getIndexAttr(1));
    for (auto [slab, part] : llvm::zip(slabs, made.getArguments()))
      whole = tensor::InsertSliceOp::create(builder, launch.getLoc(), part, whole,
                                            getAsIndexOpFoldResult(builder.getContext(), slab.offsets),
                                            getAsIndexOpFoldResult(builder.getContext(), slab.sizes), ones);
    func::ReturnOp::create(builder, launch.getLoc(), whole);
    return made;
  }

  func::FuncOp main;
  ModuleOp kernels;
  llvm::DenseSet<Value> outside;
  DenseMap<std::pair<Attribute, Type>, func::FuncOp> fills;
};

} // namespace

void splitPads(func::FuncOp main, ModuleOp kernels) { Splitter(main, kernels).run(); }

} // namespace burin
