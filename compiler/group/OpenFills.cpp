// SPDX-License-Identifier: Apache-2.0
//
// Fills are cloned into the kernels that use them, where they cost nothing as destinations. One
// that is read would need scratch of its size there, which has no bound where that is open.

#include "compiler/group/Group.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

using namespace mlir;
using namespace burin;

void group::placeOpenFills(FunctionOpInterface func) {
  Block &body = func.getFunctionBody().front();
  SmallVector<linalg::FillOp> fills;
  for (auto fill : body.getOps<linalg::FillOp>())
    if (group::isCheap(fill) && !cast<ShapedType>(fill.getResultTypes()[0]).hasStaticShape())
      fills.push_back(fill);
  for (linalg::FillOp fill : fills) {
    SmallVector<OpOperand *> reads;
    for (OpOperand &use : fill->getUses()) {
      auto insert = dyn_cast<tensor::InsertSliceOp>(use.getOwner());
      auto style = dyn_cast<DestinationStyleOpInterface>(use.getOwner());
      if (use.getOwner()->getBlock() == &body &&
          (insert ? use == insert.getSourceMutable() : style && !style.isDpsInit(&use)))
        reads.push_back(&use);
    }
    if (reads.empty())
      continue;
    OpBuilder builder(fill->getContext());
    builder.setInsertionPointAfter(fill);
    Value copy = group::makeCopy(builder, fill.getResult(0));
    for (OpOperand *read : reads)
      read->set(copy);
  }
}
