// SPDX-License-Identifier: Apache-2.0
#include "OnnxShapes.h"
#include "OnnxOps.h"

using namespace mlir;

namespace burin::onnx {
LogicalResult inferArgReduction(Operation *op, Types &types) { return success(); }
LogicalResult inferBatchNormalization(Operation *op, Types &types) { return success(); }
LogicalResult inferCenterCropPad(Operation *op, Types &types) { return success(); }
LogicalResult inferCol2Im(Operation *op, Types &types) { return success(); }
LogicalResult inferCompress(Operation *op, Types &types) { return success(); }
LogicalResult inferConcat(Operation *op, Types &types) { return success(); }
LogicalResult inferConcatFromSequence(Operation *op, Types &types) { return success(); }
LogicalResult inferConstant(Operation *op, Types &types) { return success(); }
LogicalResult inferConstantOfShape(Operation *op, Types &types) { return success(); }
LogicalResult inferConv(Operation *op, Types &types) { return success(); }
LogicalResult inferConvTranspose(Operation *op, Types &types) { return success(); }
LogicalResult inferDFT(Operation *op, Types &types) { return success(); }
LogicalResult inferDeformConv(Operation *op, Types &types) { return success(); }
LogicalResult inferDepthToSpace(Operation *op, Types &types) { return success(); }
LogicalResult inferDet(Operation *op, Types &types) { return success(); }
LogicalResult inferEinsum(Operation *op, Types &types) { return success(); }
LogicalResult inferElementwise(Operation *op, Types &types) { return success(); }
LogicalResult inferExpand(Operation *op, Types &types) { return success(); }
LogicalResult inferEyeLike(Operation *op, Types &types) { return success(); }
LogicalResult inferFlatten(Operation *op, Types &types) { return success(); }
LogicalResult inferGather(Operation *op, Types &types) { return success(); }
LogicalResult inferGatherElements(Operation *op, Types &types) { return success(); }
LogicalResult inferGatherND(Operation *op, Types &types) { return success(); }
LogicalResult inferGemm(Operation *op, Types &types) { return success(); }
LogicalResult inferGlobalPool(Operation *op, Types &types) { return success(); }
LogicalResult inferGridSample(Operation *op, Types &types) { return success(); }
LogicalResult inferIf(Operation *op, Types &types) { return success(); }
LogicalResult inferLayerNormalization(Operation *op, Types &types) { return success(); }
LogicalResult inferLoop(Operation *op, Types &types) { return success(); }
LogicalResult inferMatMul(Operation *op, Types &types) { return success(); }
LogicalResult inferMaxRoiPool(Operation *op, Types &types) { return success(); }
LogicalResult inferMaxUnpool(Operation *op, Types &types) { return success(); }
LogicalResult inferMelWeightMatrix(Operation *op, Types &types) { return success(); }
LogicalResult inferNonMaxSuppression(Operation *op, Types &types) { return success(); }
LogicalResult inferNonZero(Operation *op, Types &types) { return success(); }
LogicalResult inferOneHot(Operation *op, Types &types) { return success(); }
LogicalResult inferOptional(Operation *op, Types &types) { return success(); }
LogicalResult inferOptionalGetElement(Operation *op, Types &types) { return success(); }
LogicalResult inferOptionalHasElement(Operation *op, Types &types) { return success(); }
LogicalResult inferPad(Operation *op, Types &types) { return success(); }
LogicalResult inferPool(Operation *op, Types &types) { return success(); }
LogicalResult inferRange(Operation *op, Types &types) { return success(); }
LogicalResult inferRecurrent(Operation *op, Types &types) { return success(); }
LogicalResult inferReduction(Operation *op, Types &types) { return success(); }
LogicalResult inferReshape(Operation *op, Types &types) { return success(); }
LogicalResult inferResize(Operation *op, Types &types) { return success(); }
LogicalResult inferRoiAlign(Operation *op, Types &types) { return success(); }
LogicalResult inferSTFT(Operation *op, Types &types) { return success(); }
LogicalResult inferSameAsFirst(Operation *op, Types &types) { return success(); }
LogicalResult inferScan(Operation *op, Types &types) { return success(); }
LogicalResult inferSequenceAt(Operation *op, Types &types) { return success(); }
LogicalResult inferSequenceConstruct(Operation *op, Types &types) { return success(); }
LogicalResult inferSequenceEmpty(Operation *op, Types &types) { return success(); }
LogicalResult inferSequenceErase(Operation *op, Types &types) { return success(); }
LogicalResult inferSequenceInsert(Operation *op, Types &types) { return success(); }
LogicalResult inferSequenceLength(Operation *op, Types &types) { return success(); }
LogicalResult inferShape(Operation *op, Types &types) { return success(); }
LogicalResult inferSize(Operation *op, Types &types) { return success(); }
LogicalResult inferSlice(Operation *op, Types &types) { return success(); }
LogicalResult inferSpaceToDepth(Operation *op, Types &types) { return success(); }
LogicalResult inferSplit(Operation *op, Types &types) { return success(); }
LogicalResult inferSplitToSequence(Operation *op, Types &types) { return success(); }
LogicalResult inferSqueeze(Operation *op, Types &types) { return success(); }
LogicalResult inferTile(Operation *op, Types &types) { return success(); }
LogicalResult inferTopK(Operation *op, Types &types) { return success(); }
LogicalResult inferTranspose(Operation *op, Types &types) { return success(); }
LogicalResult inferUnique(Operation *op, Types &types) { return success(); }
LogicalResult inferUnsqueeze(Operation *op, Types &types) { return success(); }

} // namespace burin::onnx
