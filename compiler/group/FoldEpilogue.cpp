// SPDX-License-Identifier: Apache-2.0
#include "compiler/group/FoldEpilogue.h"

#include "compiler/group/Group.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace burin::group {

/// Whether `map` reads an extra as kern.contract allows: at parallel dims or 0,
/// the column dim only last.
static bool readsAlongRows(AffineMap map) {
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    if (expr == getAffineConstantExpr(0, map.getContext()))
      continue;
    auto dim = dyn_cast<AffineDimExpr>(expr);
    bool isColumn = dim && dim.getPosition() + 1 == map.getNumDims();
    if (!dim || (isColumn && i + 1 != map.getNumResults()))
      return false;
  }
  return true;
}

/// Each op of the body works element by element, on the body's values and on scalars.
static bool isVectorizable(Block &body) {
  for (Operation &op : body.without_terminator()) {
    if (op.hasTrait<OpTrait::ConstantLike>())
      continue;
    if (!OpTrait::hasElementwiseMappableTraits(&op) || op.getNumRegions() != 0)
      return false;
    if (!llvm::all_of(op.getOperandTypes(), [](Type type) { return type.isIntOrFloat(); }) ||
        !llvm::all_of(op.getResultTypes(), [](Type type) { return type.isIntOrFloat(); }))
      return false;
  }
  return llvm::all_of(body.getTerminator()->getOperandTypes(),
                      [](Type type) { return type.isIntOrFloat(); });
}

/// Columns of a slice that do not lie side by side cannot be loaded as vectors.
static bool hasAdjacentColumns(Value input) {
  auto slice = group::dataOf(input).getDefiningOp<tensor::ExtractSliceOp>();
  if (!slice || slice.getSourceType().getRank() == 0)
    return true;
  int64_t last = slice.getSourceType().getRank() - 1;
  return !slice.getDroppedDims().test(last) && isConstantIntValue(slice.getMixedStrides()[last], 1);
}

static bool canFold(kern::ContractOp contract, linalg::GenericOp consumer) {
  if (!consumer.hasPureTensorSemantics() || consumer.getNumResults() != 1 ||
      consumer.getNumParallelLoops() != consumer.getNumLoops() ||
      contract->getBlock() != consumer->getBlock() || !contract.getResult() ||
      countOps(contract) + countOps(consumer) > maxBodyOps)
    return false;
  if (!llvm::all_of(contract->getUsers(), [&](Operation *user) { return user == consumer; }))
    return false;
  OpOperand *init = consumer.getDpsInitOperand(0);
  if (!consumer.getMatchingIndexingMap(init).isIdentity() || consumer.payloadUsesValueFromOperand(init) ||
      init->get() == contract.getResult())
    return false;
  for (OpOperand *input : consumer.getDpsInputOperands()) {
    AffineMap map = consumer.getMatchingIndexingMap(input);
    bool isSum = input->get() == contract.getResult();
    if (isSum ? !map.isIdentity() : !readsAlongRows(map))
      return false;
    if (!isSum && (!isa<RankedTensorType>(input->get().getType()) ||
                   !hasAdjacentColumns(input->get())))
      return false;
  }
  return isVectorizable(*consumer.getBlock());
}

FailureOr<kern::ContractOp> foldConsumerIntoEpilogue(RewriterBase &rewriter,
                                                     kern::ContractOp contract,
                                                     linalg::GenericOp consumer) {
  if (!canFold(contract, consumer))
    return failure();
  SmallVector<Value> extras(contract.getExtras());
  SmallVector<AffineMap> maps(contract.getExtraMaps().getAsValueRange<AffineMapAttr>());
  for (OpOperand *input : consumer.getDpsInputOperands())
    if (input->get() != contract.getResult()) {
      extras.push_back(input->get());
      maps.push_back(consumer.getMatchingIndexingMap(input));
    }

  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(consumer);
  auto folded = kern::ContractOp::create(
      rewriter, rewriter.getFusedLoc({contract.getLoc(), consumer.getLoc()}),
      consumer->getResultTypes(), contract.getA(), contract.getB(), extras,
      consumer.getDpsInitOperand(0)->get(), contract.getAMap(), contract.getBMap(),
      rewriter.getAffineMapArrayAttr(maps), contract.getReduction(), contract.getWinogradAttr());

  // The old epilogue, then the consumer's body on what it yields.
  Block &first = contract.getEpilogue().front(), &second = *consumer.getBlock();
  Block *body = rewriter.createBlock(&folded.getEpilogue());
  IRMapping mapping;
  for (BlockArgument argument : first.getArguments())
    mapping.map(argument, body->addArgument(argument.getType(), argument.getLoc()));
  for (Operation &op : first.without_terminator())
    rewriter.clone(op, mapping);
  Value sum = mapping.lookupOrDefault(first.getTerminator()->getOperand(0));
  for (OpOperand *input : consumer.getDpsInputOperands()) {
    BlockArgument argument = consumer.getMatchingBlockArgument(input);
    mapping.map(argument, input->get() == contract.getResult()
                              ? sum
                              : body->addArgument(argument.getType(), argument.getLoc()));
  }
  for (Operation &op : second.without_terminator())
    rewriter.clone(op, mapping);
  kern::YieldOp::create(rewriter, consumer.getLoc(),
                        mapping.lookupOrDefault(second.getTerminator()->getOperand(0)));
  rewriter.replaceOp(consumer, folded.getResult());
  rewriter.eraseOp(contract);
  return folded;
}

/// The number that all elements of a constant are; null for any other tensor.
static TypedAttr numberOf(Value input) {
  DenseElementsAttr elements;
  if (!matchPattern(group::dataOf(input), m_Constant(&elements)) || !elements.isSplat() ||
      !elements.getElementType().isIntOrFloat())
    return nullptr;
  return cast<TypedAttr>(elements.getSplatValue<Attribute>());
}

kern::ContractOp takeNumbers(RewriterBase &rewriter, kern::ContractOp contract) {
  if (llvm::none_of(contract.getExtras(), numberOf))
    return contract;
  SmallVector<Value> extras;
  SmallVector<Attribute> maps;
  llvm::BitVector taken(contract.getEpilogue().getNumArguments());
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointToStart(&contract.getEpilogue().front());
  for (auto [i, extra] : llvm::enumerate(contract.getExtras())) {
    TypedAttr number = numberOf(extra);
    if (!number) {
      extras.push_back(extra);
      maps.push_back(contract.getExtraMaps()[i]);
      continue;
    }
    BlockArgument argument = contract.getEpilogue().getArgument(unsigned(i) + 1); // behind the sum
    argument.replaceAllUsesWith(
        arith::ConstantOp::create(rewriter, argument.getLoc(), number).getResult());
    taken.set(unsigned(i) + 1);
  }
  rewriter.modifyOpInPlace(contract, [&] {
    contract.getEpilogue().front().eraseArguments(taken);
    contract.getExtrasMutable().assign(extras);
    contract.setExtraMapsAttr(rewriter.getArrayAttr(maps));
  });
  return contract;
}

} // namespace burin::group
