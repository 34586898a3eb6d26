// SPDX-License-Identifier: Apache-2.0
#include "dialects/onnx/OnnxOps.h"
#include "dialects/onnx/OnnxShapes.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace burin::onnx;

#include "dialects/onnx/OnnxInterfaces.cpp.inc"
#include "dialects/onnx/OnnxOpsDialect.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/onnx/OnnxOpsTypes.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/onnx/OnnxOpsAttributes.cpp.inc"

void OnnxDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/onnx/OnnxOpsTypes.cpp.inc"
      >();
}

void OnnxDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/onnx/OnnxOpsAttributes.cpp.inc"
      >();
}

void OnnxDialect::initialize() {
  registerTypes();
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "dialects/onnx/OnnxOps.cpp.inc"
      >();
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

OpFoldResult NoneOp::fold(FoldAdaptor) { return UnitAttr::get(getContext()); }

#define GET_OP_CLASSES
#include "dialects/onnx/OnnxOps.cpp.inc"
