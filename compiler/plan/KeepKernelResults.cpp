// SPDX-License-Identifier: Apache-2.0
#include "compiler/group/Group.h"
#include "compiler/transforms/Passes.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_KEEPKERNELRESULTS
#include "compiler/transforms/Passes.h.inc"

namespace {

/// "3\nconv_1_k2\nconv_1\nrelu_2": the place in the order of launches, the kernel, its nodes.
StringAttr nameOf(plan::LaunchOp launch, unsigned index) {
  SmallVector<StringRef> parts = plan::nodeNames(launch.getLoc());
  std::string number = std::to_string(index), kernel = launch.getKernel().str();
  parts.insert(parts.begin(), {number, kernel});
  return StringAttr::get(launch.getContext(), llvm::join(parts, "\n"));
}

struct KeepKernelResults : impl::KeepKernelResultsBase<KeepKernelResults> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isDeclaration())
        keep(function);
  }

  void keep(func::FuncOp function) {
    Operation *end = function.getBody().front().getTerminator();
    Builder builder(&getContext());
    DenseMap<Value, unsigned> outputs; // that launches write already
    for (OpOperand &operand : end->getOpOperands())
      outputs[group::dataOf(operand.get())] = operand.getOperandNumber();
    for (auto [index, launch] :
         llvm::enumerate(function.getBody().front().getOps<plan::LaunchOp>())) {
      StringAttr name = nameOf(launch, unsigned(index));
      for (Value result : launch.getResults()) {
        if (auto known = outputs.find(result); known != outputs.end()) {
          function.setResultAttr(known->second, "onnx.name", name);
          continue;
        }
        if (!getElementTypeOrSelf(result.getType()).isIntOrFloat())
          continue;
        end->insertOperands(end->getNumOperands(), result);
        (void)function.insertResult(function.getNumResults(), result.getType(),
                                    builder.getDictionaryAttr(builder.getNamedAttr("onnx.name", name)));
      }
    }
  }
};

} // namespace
} // namespace burin
