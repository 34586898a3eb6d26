// SPDX-License-Identifier: Apache-2.0
#include "compiler/plan/InPlace.h"

#include "compiler/group/Group.h"
#include "dialects/kern/KernOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

namespace burin {

Operation *onlyOp(func::FuncOp kernel) {
  if (kernel.isDeclaration())
    return nullptr;
  Block &body = kernel.getBody().front();
  Operation *found = nullptr;
  for (Operation &op : body.without_terminator()) {
    if (group::isCheap(&op))
      continue;
    if (found)
      return nullptr;
    found = &op;
  }
  ValueRange results = body.getTerminator()->getOperands();
  return found && results.size() == 1 && results[0].getDefiningOp() == found ? found : nullptr;
}

SmallVector<unsigned> inPlaceInputs(func::FuncOp kernel) {
  SmallVector<unsigned> inputs;
  Operation *op = onlyOp(kernel);
  if (!op || op->getNumResults() != 1)
    return inputs;
  auto consider = [&](Value operand, AffineMap map, AffineMap resultMap) {
    auto argument = dyn_cast<BlockArgument>(operand);
    // What else reads the argument could read what is written already.
    if (argument && argument.hasOneUse() && map == resultMap &&
        argument.getType() == op->getResult(0).getType())
      inputs.push_back(argument.getArgNumber());
  };
  if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
    AffineMap resultMap = generic.getMatchingIndexingMap(generic.getDpsInitOperand(0));
    if (generic.getNumParallelLoops() != generic.getNumLoops() || !resultMap.isPermutation())
      return inputs;
    for (OpOperand *operand : generic.getDpsInputOperands())
      consider(operand->get(), generic.getMatchingIndexingMap(operand), resultMap);
  } else if (auto contract = dyn_cast<kern::ContractOp>(op)) {
    // The epilogue reads its operands where it writes, once the sums are whole.
    AffineMap identity =
        AffineMap::getMultiDimIdentityMap(contract.getNumParallel(), op->getContext());
    for (auto [i, extra] : llvm::enumerate(contract.getExtras()))
      consider(extra, contract.getExtraMap(i), identity);
  }
  return inputs;
}

} // namespace burin
