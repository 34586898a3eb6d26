// SPDX-License-Identifier: Apache-2.0
//
// Shape rules, one per kind of operator; families/*.td name them. Each computes
// `types` (one per result, the current types on entry) for `op`; see
// OnnxOpInterface::inferResultTypes for the contract.

#ifndef BURIN_DIALECTS_ONNX_ONNXSHAPES_H
#define BURIN_DIALECTS_ONNX_ONNXSHAPES_H

#include "mlir/IR/Operation.h"

namespace burin::onnx {

using Types = llvm::SmallVectorImpl<mlir::Type>;

llvm::LogicalResult inferAffineGrid(mlir::Operation *op, Types &types);
llvm::LogicalResult inferArgReduction(mlir::Operation *op, Types &types);
llvm::LogicalResult inferAttention(mlir::Operation *op, Types &types);
llvm::LogicalResult inferBatchNormalization(mlir::Operation *op, Types &types);
llvm::LogicalResult inferBitCast(mlir::Operation *op, Types &types);
llvm::LogicalResult inferCast(mlir::Operation *op, Types &types);
llvm::LogicalResult inferCastLike(mlir::Operation *op, Types &types);
llvm::LogicalResult inferCenterCropPad(mlir::Operation *op, Types &types);
llvm::LogicalResult inferCol2Im(mlir::Operation *op, Types &types);
llvm::LogicalResult inferCompress(mlir::Operation *op, Types &types);
llvm::LogicalResult inferConcat(mlir::Operation *op, Types &types);
llvm::LogicalResult inferConcatFromSequence(mlir::Operation *op, Types &types);
llvm::LogicalResult inferConstant(mlir::Operation *op, Types &types);
llvm::LogicalResult inferConstantOfShape(mlir::Operation *op, Types &types);
llvm::LogicalResult inferConv(mlir::Operation *op, Types &types);
llvm::LogicalResult inferConvTranspose(mlir::Operation *op, Types &types);
llvm::LogicalResult inferCumulative(mlir::Operation *op, Types &types);
llvm::LogicalResult inferDFT(mlir::Operation *op, Types &types);
llvm::LogicalResult inferDeformConv(mlir::Operation *op, Types &types);
llvm::LogicalResult inferDepthToSpace(mlir::Operation *op, Types &types);
llvm::LogicalResult inferDequantize(mlir::Operation *op, Types &types);
llvm::LogicalResult inferDet(mlir::Operation *op, Types &types);
llvm::LogicalResult inferDropout(mlir::Operation *op, Types &types);
llvm::LogicalResult inferEinsum(mlir::Operation *op, Types &types);
llvm::LogicalResult inferElementwise(mlir::Operation *op, Types &types);
llvm::LogicalResult inferExpand(mlir::Operation *op, Types &types);
llvm::LogicalResult inferEyeLike(mlir::Operation *op, Types &types);
llvm::LogicalResult inferFlatten(mlir::Operation *op, Types &types);
llvm::LogicalResult inferGather(mlir::Operation *op, Types &types);
llvm::LogicalResult inferGatherElements(mlir::Operation *op, Types &types);
llvm::LogicalResult inferGatherND(mlir::Operation *op, Types &types);
llvm::LogicalResult inferGemm(mlir::Operation *op, Types &types);
llvm::LogicalResult inferGlobalPool(mlir::Operation *op, Types &types);
llvm::LogicalResult inferGridSample(mlir::Operation *op, Types &types);
llvm::LogicalResult inferIf(mlir::Operation *op, Types &types);
llvm::LogicalResult inferLayerNormalization(mlir::Operation *op, Types &types);
llvm::LogicalResult inferLoop(mlir::Operation *op, Types &types);
llvm::LogicalResult inferMatMul(mlir::Operation *op, Types &types);
llvm::LogicalResult inferMaxRoiPool(mlir::Operation *op, Types &types);
llvm::LogicalResult inferMaxUnpool(mlir::Operation *op, Types &types);
llvm::LogicalResult inferMelWeightMatrix(mlir::Operation *op, Types &types);
llvm::LogicalResult inferNonMaxSuppression(mlir::Operation *op, Types &types);
llvm::LogicalResult inferNonZero(mlir::Operation *op, Types &types);
llvm::LogicalResult inferOneHot(mlir::Operation *op, Types &types);
llvm::LogicalResult inferOptional(mlir::Operation *op, Types &types);
llvm::LogicalResult inferOptionalGetElement(mlir::Operation *op, Types &types);
llvm::LogicalResult inferOptionalHasElement(mlir::Operation *op, Types &types);
llvm::LogicalResult inferPad(mlir::Operation *op, Types &types);
llvm::LogicalResult inferPool(mlir::Operation *op, Types &types);
llvm::LogicalResult inferPredicate(mlir::Operation *op, Types &types);
llvm::LogicalResult inferQuantize(mlir::Operation *op, Types &types);
llvm::LogicalResult inferRange(mlir::Operation *op, Types &types);
llvm::LogicalResult inferRecurrent(mlir::Operation *op, Types &types);
llvm::LogicalResult inferReduction(mlir::Operation *op, Types &types);
llvm::LogicalResult inferReshape(mlir::Operation *op, Types &types);
llvm::LogicalResult inferResize(mlir::Operation *op, Types &types);
llvm::LogicalResult inferRoiAlign(mlir::Operation *op, Types &types);
llvm::LogicalResult inferSTFT(mlir::Operation *op, Types &types);
llvm::LogicalResult inferSameAsFirst(mlir::Operation *op, Types &types);
llvm::LogicalResult inferScan(mlir::Operation *op, Types &types);
llvm::LogicalResult inferSequenceAt(mlir::Operation *op, Types &types);
llvm::LogicalResult inferSequenceConstruct(mlir::Operation *op, Types &types);
llvm::LogicalResult inferSequenceEmpty(mlir::Operation *op, Types &types);
llvm::LogicalResult inferSequenceErase(mlir::Operation *op, Types &types);
llvm::LogicalResult inferSequenceInsert(mlir::Operation *op, Types &types);
llvm::LogicalResult inferSequenceLength(mlir::Operation *op, Types &types);
llvm::LogicalResult inferShape(mlir::Operation *op, Types &types);
llvm::LogicalResult inferSize(mlir::Operation *op, Types &types);
llvm::LogicalResult inferSlice(mlir::Operation *op, Types &types);
llvm::LogicalResult inferSpaceToDepth(mlir::Operation *op, Types &types);
llvm::LogicalResult inferSplit(mlir::Operation *op, Types &types);
llvm::LogicalResult inferSplitToSequence(mlir::Operation *op, Types &types);
llvm::LogicalResult inferSqueeze(mlir::Operation *op, Types &types);
llvm::LogicalResult inferTfIdfVectorizer(mlir::Operation *op, Types &types);
llvm::LogicalResult inferTile(mlir::Operation *op, Types &types);
llvm::LogicalResult inferTopK(mlir::Operation *op, Types &types);
llvm::LogicalResult inferTranspose(mlir::Operation *op, Types &types);
llvm::LogicalResult inferUnique(mlir::Operation *op, Types &types);
llvm::LogicalResult inferUnsqueeze(mlir::Operation *op, Types &types);
llvm::LogicalResult inferWhere(mlir::Operation *op, Types &types);

/// The arguments of the body of a Loop or Scan.
struct BodyArguments {
  /// Their types on the first iteration, as the operands give them.
  llvm::SmallVector<mlir::Type> types;
  /// Which of them a body hands on to the next iteration, and from which operand
  /// of its terminator on.
  unsigned firstCarried = 0, numCarried = 0, firstYield = 0;
};

/// Fills `arguments`; leaves it empty for ops whose bodies take none.
llvm::LogicalResult bodyArguments(mlir::Operation *op, BodyArguments &arguments);

/// Refines the types of operands of `op` that other operators compute by what the type of its
/// first result says. True where a size or a rank became known; the rules that depend on it
/// are then to be applied again.
bool refineOperands(mlir::Operation *op);

/// What is known of a value that has both types; null where no value has.
mlir::Type mergeTypes(mlir::Type declared, mlir::Type inferred);
/// What is known of a value that has one of the types; null where they are not of
/// one kind (a tensor and a sequence, say, or two element types).
mlir::Type joinTypes(mlir::Type a, mlir::Type b);

} // namespace burin::onnx

#endif
