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

llvm::Error writeWeights(ModuleOp planned, const WeightStore &store, uint64_t total,
                         llvm::raw_ostream &out) {
  uint64_t start = out.tell(), written = 0;
  // In the order in which plan-memory has given them their offsets.
  for (auto main : planned.getOps<func::FuncOp>())
    for (auto constant : main.getBody().front().getOps<plan::ConstantOp>()) {
      uint64_t offset = uint64_t(*constant.getOffset());
      if (offset < written)
        continue; // shares the bytes of an equal constant
      out.write_zeros(unsigned(offset - written));
      if (llvm::Error error = writeConstant(constant, store, out))
        return error;
      written = out.tell() - start;
    }
  out.write_zeros(unsigned(total - written));
  return llvm::Error::success();
}

} // namespace burin
