// SPDX-License-Identifier: Apache-2.0
//
// Each contraction takes in the chain of elementwise ops that follows it: bias,
// activation, residual. FoldEpilogue.h says when one step is right.

#include "compiler/group/FoldEpilogue.h"
#include "compiler/transforms/Passes.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_FOLDEPILOGUES
#include "compiler/transforms/Passes.h.inc"

namespace {

struct FoldEpilogues : impl::FoldEpiloguesBase<FoldEpilogues> {
  void runOnOperation() override {
    SmallVector<kern::ContractOp> contracts;
    getOperation().walk([&](kern::ContractOp op) { contracts.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (kern::ContractOp contract : contracts) {
      FailureOr<kern::ContractOp> next = contract;
      while (succeeded(next)) {
        contract = *next;
        Value result = contract->getResult(0);
        if (!result.hasOneUse())
          break;
        auto consumer = dyn_cast<linalg::GenericOp>(*result.user_begin());
        if (!consumer)
          break;
        next = group::foldConsumerIntoEpilogue(rewriter, contract, consumer);
      }
      group::takeNumbers(rewriter, contract);
    }
  }
};

} // namespace
} // namespace burin
