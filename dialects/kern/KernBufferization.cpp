// SPDX-License-Identifier: Apache-2.0
#include "dialects/kern/KernBufferization.h"

#include "dialects/kern/KernOps.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::bufferization;

namespace burin::kern {
namespace {

/// `ReadsInits`: whether the op uses what its destinations hold.
template <typename Op, bool ReadsInits>
struct DestinationStyleModel
    : DstBufferizableOpInterfaceExternalModel<DestinationStyleModel<Op, ReadsInits>, Op> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const AnalysisState &) const {
    return ReadsInits || !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options, BufferizationState &state) const {
    auto style = cast<DestinationStyleOpInterface>(op);
    if (style.hasPureBufferSemantics())
      return success();
    SmallVector<Value> operands, inits;
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isa<TensorType>(operand.get().getType())) {
        operands.push_back(operand.get());
        continue;
      }
      FailureOr<Value> buffer = getBuffer(rewriter, operand.get(), options, state);
      if (failed(buffer))
        return failure();
      operands.push_back(*buffer);
      if (style.isDpsInit(&operand))
        inits.push_back(*buffer);
    }
    OperationState made(op->getLoc(), op->getName(), operands, TypeRange{}, op->getAttrs());
    made.propertiesAttr = op->getPropertiesAsAttribute();
    for (Region &region : op->getRegions())
      made.addRegion()->takeBody(region);
    rewriter.create(made);
    replaceOpWithBufferizedValues(rewriter, op, inits);
    return success();
  }
};

} // namespace

void registerBufferization(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, KernDialect *) {
    ContractOp::attachInterface<DestinationStyleModel<ContractOp, false>>(*context);
    ScatterOp::attachInterface<DestinationStyleModel<ScatterOp, true>>(*context);
    SortOp::attachInterface<DestinationStyleModel<SortOp, false>>(*context);
    ScanOp::attachInterface<DestinationStyleModel<ScanOp, false>>(*context);
  });
}

} // namespace burin::kern
