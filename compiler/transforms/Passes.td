// SPDX-License-Identifier: Apache-2.0
//
// Every pass of the project, storey by storey.

#ifndef BURIN_PASSES
#define BURIN_PASSES

include "mlir/Pass/PassBase.td"

def InferShapes : Pass<"infer-shapes", "::mlir::ModuleOp"> {
  let summary = "Refine result types of onnx ops";
  let description = [{
    Walks functions in order, asks each operator's shape rule, and keeps what is
    more precise. Folding of shape arithmetic and inference feed each other, so
    each op is folded as soon as its operands are constant.
  }];
}

def LowerOnnx : Pass<"lower-onnx", "::mlir::ModuleOp"> {
  let summary = "onnx -> linalg, tensor, kern: the maths storey";
  let description = [{
    Rebuilds every function on storage types with the rules of
    compiler/lower/Lowering.h. Reports all nodes that cannot be lowered, each with
    its reason and a way out.
  }];
}

#endif
