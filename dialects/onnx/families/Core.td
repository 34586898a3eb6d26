// SPDX-License-Identifier: Apache-2.0
//
// What stands for no operator: an absent operand, the end of a body.

include "OnnxBase.td"

def Onnx_NoneOp : Op<Onnx_Dialect, "None", [Pure, ConstantLike]> {
  let summary = "an optional operand that is absent";
  let results = (outs NoneType:$none);
  let assemblyFormat = "attr-dict";
  let hasFolder = 1;
  let builders = [OpBuilder<(ins), [{ $_state.addTypes($_builder.getNoneType()); }]>];
}

def Onnx_YieldOp : Op<Onnx_Dialect, "Yield", [Pure, Terminator, ReturnLike]> {
  let summary = "ends a body of If, Loop or Scan";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}
