// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/Artifact.h"
#include "compiler/import/Weights.h"
#include "compiler/plan/PackWeights.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace burin {
namespace {

llvm::Error writeConstant(plan::ConstantOp constant, const WeightStore &store,
                          llvm::raw_ostream &out) {
  if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue())) {
    ArrayRef<char> raw = dense.getRawData();
    if (!dense.isSplat()) {
      out.write(raw.data(), raw.size());
    } else {
      for (int64_t i = 0, e = dense.getNumElements(); i < e; ++i)
        out.write(raw.data(), raw.size());
    }
    return llvm::Error::success();
  }
  auto weight = dyn_cast<plan::WeightAttr>(constant.getValue());
  if (!weight)
    return llvm::createStringError("a constant has data of an unknown kind");
  auto bytes = store.bytes(weight.getSegment().getValue(), weight.getOffset(), weight.getLength());
  if (!bytes)
    return llvm::createStringError("the data of a weight lies outside of '" +
                                   weight.getSegment().getValue() + "'");
  plan::LayoutAttr layout = weight.getLayout();
  if (!layout) {
    out.write(bytes->data(), bytes->size());
    return llvm::Error::success();
  }
  unsigned width = cast<RankedTensorType>(weight.getType()).getElementTypeBitWidth() / 8;
  std::vector<char> packed(*packedBytes(layout, width)); // withLayout has checked both
  packWeights(ArrayRef(bytes->data(), bytes->size()), layout, width, packed);
  out.write(packed.data(), packed.size());
  return llvm::Error::success();
}

} // namespace

llvm::Expected<uint64_t> bytesOf(plan::ConstantOp constant) {
  if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue())) {
    uint64_t raw = dense.getRawData().size();
    return dense.isSplat() ? raw * uint64_t(dense.getNumElements()) : raw;
  }
  auto weight = dyn_cast<plan::WeightAttr>(constant.getValue());
  if (!weight)
    return llvm::createStringError("a constant has data of an unknown kind");
  if (!weight.getLayout())
    return weight.getLength();
  unsigned width = cast<RankedTensorType>(weight.getType()).getElementTypeBitWidth() / 8;
  return *packedBytes(weight.getLayout(), width); // withLayout has checked it
}

std::vector<plan::ConstantOp> placedConstants(ModuleOp planned) {
  std::vector<plan::ConstantOp> constants;
  // In the order in which plan-memory has given them their offsets.
  for (auto main : planned.getOps<func::FuncOp>())
    for (auto constant : main.getBody().front().getOps<plan::ConstantOp>())
      // An earlier offset is that of an equal constant.
      if (constants.empty() || *constant.getOffset() > *constants.back().getOffset())
        constants.push_back(constant);
  return constants;
}

llvm::Error writeWeights(llvm::ArrayRef<plan::ConstantOp> constants, const WeightStore &store,
                         uint64_t begin, uint64_t end, llvm::raw_ostream &out) {
  uint64_t start = out.tell();
  auto padTo = [&](uint64_t offset) {
    assert(offset - begin >= out.tell() - start && offset - begin - (out.tell() - start) <= UINT32_MAX);
    out.write_zeros(unsigned(offset - begin - (out.tell() - start)));
  };
  for (plan::ConstantOp constant : constants) {
    padTo(uint64_t(*constant.getOffset()));
    if (llvm::Error error = writeConstant(constant, store, out))
      return error;
  }
  padTo(end);
  return llvm::Error::success();
}

} // namespace burin
