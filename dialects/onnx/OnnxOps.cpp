// SPDX-License-Identifier: Apache-2.0
#include "dialects/onnx/OnnxOps.h"
#include "dialects/onnx/OnnxFolds.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace burin::onnx;

#include "dialects/onnx/OnnxInterfaces.cpp.inc"
#include "dialects/onnx/OnnxBaseDialect.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/onnx/OnnxBaseTypes.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/onnx/OnnxBaseAttributes.cpp.inc"

LogicalResult burin::onnx::detail::verifyTypes(Operation *op) {
  // What a branch or a loop's body declares holds where it runs; a branch that is never
  // taken may contradict its operands. Shape inference decides about both.
  if (op->getParentOp() && isa_and_present<OnnxDialect>(op->getParentOp()->getDialect()))
    return success();
  SmallVector<Type> types(op->getResultTypes());
  return cast<OnnxOpInterface>(op).inferResultTypes(types);
}

LogicalResult DimsAttr::verifyEncoding(ArrayRef<int64_t> shape, Type,
                                       function_ref<InFlightDiagnostic()> emitError) const {
  if (getNames().size() != shape.size())
    return emitError() << "a tensor of rank " << shape.size() << " has " << getNames().size()
                       << " names of sizes";
  return success();
}

void OnnxDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/onnx/OnnxBaseTypes.cpp.inc"
      >();
}

void OnnxDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/onnx/OnnxBaseAttributes.cpp.inc"
      >();
}

namespace burin::onnx {
void registerCoreOps(OnnxDialect &dialect);
void registerElementwiseOps(OnnxDialect &dialect);
void registerReductionOps(OnnxDialect &dialect);
void registerContractionOps(OnnxDialect &dialect);
void registerWindowOps(OnnxDialect &dialect);
void registerMovementOps(OnnxDialect &dialect);
void registerIndexingOps(OnnxDialect &dialect);
void registerShapeOps(OnnxDialect &dialect);
void registerControlOps(OnnxDialect &dialect);
void registerNormalizationOps(OnnxDialect &dialect);
void registerAttentionOps(OnnxDialect &dialect);
void registerRecurrentOps(OnnxDialect &dialect);
void registerSignalOps(OnnxDialect &dialect);
} // namespace burin::onnx

void OnnxDialect::initialize() {
  registerTypes();
  registerAttributes();
  registerCoreOps(*this);
  registerElementwiseOps(*this);
  registerReductionOps(*this);
  registerContractionOps(*this);
  registerWindowOps(*this);
  registerMovementOps(*this);
  registerIndexingOps(*this);
  registerShapeOps(*this);
  registerControlOps(*this);
  registerNormalizationOps(*this);
  registerAttentionOps(*this);
  registerRecurrentOps(*this);
  registerSignalOps(*this);
  addFolds(*this);
}

Operation *OnnxDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type,
                                            Location loc) {
  if (isa<UnitAttr>(value) && isa<NoneType>(type))
    return NoneOp::create(builder, loc);
  auto typed = dyn_cast<TypedAttr>(value);
  if (!typed)
    return nullptr;
  return ConstantOp::create(builder, loc, type, typed);
}
