// SPDX-License-Identifier: Apache-2.0
#include "compiler/lower/UnusedStacks.h"

#include "dialects/onnx/OnnxOps.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/BitVector.h"

using namespace mlir;
using namespace burin;

/// The results that carry states; all of them for any other op. `skipped` are the values that a body
/// yields before those of the results.
static unsigned numStates(Operation *op, unsigned &skipped) {
  skipped = 0;
  if (auto loop = dyn_cast<onnx::LoopOp>(op)) {
    skipped = 1; // its condition
    return loop.getVInitial().size();
  }
  auto scan = dyn_cast<onnx::ScanOp>(op);
  int64_t scanned = scan ? scan.getNumScanInputs() : 0;
  return scan && scanned >= 0 && scanned <= int64_t(op->getNumOperands())
             ? unsigned(op->getNumOperands() - scanned)
             : op->getNumResults();
}

/// Whether an output went: then `op` is gone, and one without it is in its place.
static bool drop(Operation *op) {
  unsigned skipped, states = numStates(op, skipped), results = op->getNumResults();
  if (states >= results || !op->getRegion(0).hasOneBlock())
    return false;
  Operation *end = op->getRegion(0).front().getTerminator();
  if (end->getNumOperands() != results + skipped)
    return false; // its rule says what is wrong
  llvm::BitVector unused(results + skipped);
  SmallVector<Type> types;
  for (unsigned i = 0; i < results; ++i)
    if (i >= states && op->getResult(i).use_empty())
      unused.set(i + skipped);
    else
      types.push_back(op->getResult(i).getType());
  if (unused.none())
    return false;
  OpBuilder b(op);
  OperationState state(op->getLoc(), op->getName(), op->getOperands(), types);
  for (NamedAttribute attribute : op->getAttrs()) {
    // scan_output_axes, scan_output_directions: one number for each.
    if (auto each = dyn_cast<DenseI64ArrayAttr>(attribute.getValue());
        each && attribute.getName().strref().starts_with("scan_output_") &&
        each.size() == int64_t(results - states)) {
      SmallVector<int64_t> kept;
      for (auto [i, number] : llvm::enumerate(each.asArrayRef()))
        if (!unused.test(states + i + skipped))
          kept.push_back(number);
      attribute.setValue(b.getDenseI64ArrayAttr(kept));
    }
    state.attributes.push_back(attribute);
  }
  state.addRegion()->takeBody(op->getRegion(0));
  end->eraseOperands(unused);
  Operation *made = b.create(state);
  for (unsigned i = 0, next = 0; i < results; ++i)
    if (!unused.test(i + skipped))
      op->getResult(i).replaceAllUsesWith(made->getResult(next++));
  op->erase();
  return true;
}

void lower::dropUnusedStacks(Operation *root) {
  for (bool changed = true; changed;) {
    changed = false;
    SmallVector<Operation *> loops;
    root->walk([&](Operation *op) {
      if (isa<onnx::LoopOp, onnx::ScanOp>(op))
        loops.push_back(op);
    });
    for (Operation *op : loops)
      changed |= drop(op);
    // What a body computed for them may be outputs of loops in it.
    if (changed)
      root->walk<WalkOrder::PostOrder, ReverseIterator>([](Operation *op) {
        if (isOpTriviallyDead(op))
          op->erase();
      });
  }
}
