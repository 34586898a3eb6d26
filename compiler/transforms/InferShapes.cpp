// SPDX-License-Identifier: Apache-2.0
//
// Shape inference over a module: one forward walk per function, since operands
// are defined before their uses; see Passes.td.

#include "compiler/transforms/Passes.h"
#include "dialects/onnx/OnnxOps.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_INFERSHAPES
#include "compiler/transforms/Passes.h.inc"

namespace {
struct InferShapes : impl::InferShapesBase<InferShapes> {
  void runOnOperation() override {
    WalkResult result = getOperation().walk([](onnx::OnnxOpInterface op) {
      SmallVector<Type> types(op->getResultTypes());
      if (failed(op.inferResultTypes(types)))
        return WalkResult::interrupt();
      for (auto [value, type] : llvm::zip_equal(op->getResults(), types))
        value.setType(type);
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
} // namespace burin
