// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/cpu/Depthwise.h"
#include "compiler/target/cpu/MicroKernel.h"
#include "compiler/target/cpu/Winograd.h"
#include "compiler/transforms/Passes.h"

using namespace mlir;

namespace burin {
#define GEN_PASS_DEF_EXPANDCONTRACT
#include "compiler/transforms/Passes.h.inc"

namespace {

struct ExpandContract : impl::ExpandContractBase<ExpandContract> {
  using ExpandContractBase::ExpandContractBase;

  void runOnOperation() override {
    const cpu::VectorLevel *level = cpu::findLevel(vectorLevel);
    if (!level) {
      getOperation()->emitError("vector-level is v3, v4 or neon, not ") << vectorLevel;
      return signalPassFailure();
    }
    SmallVector<kern::ContractOp> contracts;
    getOperation()->walk([&](kern::ContractOp op) { contracts.push_back(op); });
    DenseSet<Operation *> feeders;
    for (kern::ContractOp op : contracts)
      if (kern::ContractOp feeder = cpu::feederOf(op))
        feeders.insert(feeder);
    for (kern::ContractOp op : contracts) {
      if (feeders.contains(op))
        continue;
      if (!op.hasPureBufferSemantics()) {
        op.emitOpError("is not on buffers yet");
        return signalPassFailure();
      }
      SmallVector<kern::ContractOp> products{op};
      if (op.isDepthwise() || cpu::feederOf(op))
        products = cpu::expandDepthwise(op, *level);
      else if (op.getWinograd())
        products = {cpu::expandWinograd(op, level->depthwiseLanes)};
      for (kern::ContractOp product : products)
        if (failed(cpu::expandProducts(product, *level)))
          return signalPassFailure();
    }
  }
};

} // namespace
} // namespace burin
