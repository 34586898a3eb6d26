// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/Passes.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_KEEPNODERESULTS
#include "compiler/transforms/Passes.h.inc"

namespace {

bool canBeOutput(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape() && tensor.getElementType().isIntOrFloat() &&
         tensor.getNumElements() > 0;
}

/// Outputs are named "node\nconv_1": no output of a model, in its own words, has a name of two lines.
struct KeepNodeResults : impl::KeepNodeResultsBase<KeepNodeResults> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      Block &body = function.getBody().front();
      Operation *end = body.getTerminator();
      Builder builder(&getContext());
      for (Operation &op : body.without_terminator()) {
        if (isa<onnx::ConstantOp, onnx::NoneOp>(op))
          continue;
        NamedAttribute name = builder.getNamedAttr(
            "onnx.name", builder.getStringAttr("node\n" + plan::nodeName(op.getLoc())));
        for (Value result : op.getResults()) {
          if (!canBeOutput(result.getType()))
            continue;
          end->insertOperands(end->getNumOperands(), result);
          (void)function.insertResult(function.getNumResults(), result.getType(),
                                      builder.getDictionaryAttr(name));
        }
      }
    }
  }
};

} // namespace
} // namespace burin
