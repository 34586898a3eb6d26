// SPDX-License-Identifier: Apache-2.0
//
// ONNX in its own words: one op per operator, as its newest opset defines it.
// Older forms are adapted at import. Operands, attributes and results have the
// order and names of ONNX's schema, first letter in lower case.

#ifndef BURIN_ONNX_BASE
#define BURIN_ONNX_BASE

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/BuiltinTypes.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/TensorEncoding.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "OnnxInterfaces.td"

def Onnx_Dialect : Dialect {
  let name = "onnx";
  let cppNamespace = "::burin::onnx";
  let summary = "A trained model in the words of ONNX";
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{
    void registerTypes();
    void registerAttributes();
  }];
}

//===- Types ----------------------------------------------------------------===//

class Onnx_Type<string name, string mnemonic_> : TypeDef<Onnx_Dialect, name> {
  let mnemonic = mnemonic_;
}

def Onnx_StringType : Onnx_Type<"String", "string"> {
  let summary = "element type of a tensor of UTF-8 strings";
  let extraClassDeclaration = "";
}
def Onnx_SequenceType : Onnx_Type<"Sequence", "seq"> {
  let summary = "a list of values of one type";
  let parameters = (ins "::mlir::Type":$element);
  let assemblyFormat = "`<` $element `>`";
}
def Onnx_OptionalType : Onnx_Type<"Optional", "optional"> {
  let summary = "a value or nothing, decided when the model runs";
  let parameters = (ins "::mlir::Type":$element);
  let assemblyFormat = "`<` $element `>`";
}

//===- Attributes -----------------------------------------------------------===//

def Onnx_DimsAttr : AttrDef<Onnx_Dialect, "Dims",
                            [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let mnemonic = "dims";
  let summary = "names of a tensor's sizes, one per dimension, empty where it has none";
  let description = [{
    The encoding of a tensor type. A name may be an expression over named dims ("past + 1",
    "(H - 1) floordiv 2 + 1"; SizeExpr.h). Two sizes of one name are equal. Only dynamic sizes
    keep a name.
  }];
  let parameters = (ins ArrayRefParameter<"::mlir::StringAttr">:$names);
  let assemblyFormat = "`<` `[` $names `]` `>`";
}

//===- Operators ------------------------------------------------------------===//

/// A tensor, sequence or optional; an absent optional operand or unused optional
/// result has type `none` (see `onnx.None`).
def Onnx_Value : AnyTypeOf<[AnyTensor, Onnx_SequenceType, Onnx_OptionalType]>;
def Onnx_OptValue : AnyTypeOf<[AnyTensor, Onnx_SequenceType, Onnx_OptionalType, NoneType]>;

/// DenseElementsAttr for small values, #plan.weight for the rest.
def Onnx_ConstantAttr : Attr<CPred<"::llvm::isa<::mlir::TypedAttr>($_self)">, "typed constant"> {
  let storageType = "::mlir::TypedAttr";
  let returnType = "::mlir::TypedAttr";
  let convertFromStorage = "$_self";
}

/// See OnnxBase.h.
def Onnx_SizedByData : NativeOpTrait<"SizedByData"> {
  let cppNamespace = "::burin::onnx";
}

/// `rule` names the shape rule, a function infer<rule> of OnnxShapes.h.
class Onnx_Op<string mnemonic, string family, string rule, dag ins_, dag outs_,
              list<Trait> traits = []>
    : Op<Onnx_Dialect, mnemonic,
         traits # [Pure, DeclareOpInterfaceMethods<Onnx_OpInterface>]> {
  let arguments = ins_;
  let results = outs_;
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let extraClassDefinition =
      "::llvm::StringRef $cppClass::getFamily() { return \"" # family # "\"; }\n" #
      "::llvm::LogicalResult $cppClass::inferResultTypes(\n" #
      "    ::llvm::SmallVectorImpl<::mlir::Type> &types) {\n" #
      "  return ::burin::onnx::infer" # rule # "(getOperation(), types);\n" #
      "}\n";
}

#endif
