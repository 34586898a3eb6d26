// SPDX-License-Identifier: Apache-2.0
//
// What every pass may ask of an ONNX operator. Passes ask an interface and never
// switch over operator names.

#ifndef BURIN_ONNX_INTERFACES
#define BURIN_ONNX_INTERFACES

include "mlir/IR/OpBase.td"

def Onnx_OpInterface : OpInterface<"OnnxOpInterface"> {
  let cppNamespace = "::burin::onnx";
  let description = [{
    Implemented by every operator of the dialect. `families/*.td` name the family
    and the shape rule; the rules are in `shapes/`.
  }];
  let methods = [
    InterfaceMethod<"The operator family, as its file in families/ is named, in lower case.",
      "::llvm::StringRef", "getFamily">,
    InterfaceMethod<[{
      Computes the result types from operand types, attributes and constant
      operands; one type per result, the current result types on entry. An
      unknown size is dynamic, an unknown rank unranked. Emits a diagnostic and
      fails where the operands contradict the operator's definition.
    }], "::llvm::LogicalResult", "inferResultTypes",
      (ins "::llvm::SmallVectorImpl<::mlir::Type> &":$types)>
  ];
  let verify = "return ::burin::onnx::detail::verifyTypes($_op);";
}

def Onnx_ElementwiseOpInterface : OpInterface<"ElementwiseOpInterface"> {
  let cppNamespace = "::burin::onnx";
  let description = [{
    A result element is a scalar function of the operands' elements. Attached by
    compiler/lower/Elementwise.cpp; lowering and folding both ask it.
  }];
  let methods = [
    InterfaceMethod<[{
      Builds the body. `args` are the operands' elements and `result` is the
      result's element, in storage types: signless integers, bool as i8.
      Absent operands are null.
    }], "::mlir::Value", "buildScalar",
      (ins "::mlir::ImplicitLocOpBuilder &":$b, "::mlir::ValueRange":$args,
           "::mlir::Type":$result)>
  ];
}

#endif
