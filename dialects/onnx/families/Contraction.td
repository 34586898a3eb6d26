// SPDX-License-Identifier: Apache-2.0
//
// The contraction family. Sums of products over named dimensions.

include "OnnxBase.td"

class Onnx_ContractionFamily<string mnemonic, string rule, dag ins_, dag outs_, list<Trait> traits = []>
    : Onnx_Op<mnemonic, "contraction", rule, ins_, outs_, traits>;

// Determinants of the matrices in the last two dimensions.
def Onnx_DetOp : Onnx_ContractionFamily<"Det", "Det",
        (ins Onnx_Value:$X),
        (outs Onnx_Value:$Y)>;
// Products of elements of all operands, summed as `equation` names their dimensions.
def Onnx_EinsumOp : Onnx_ContractionFamily<"Einsum", "Einsum",
        (ins Variadic<Onnx_Value>:$inputs, StrAttr:$equation),
        (outs Onnx_Value:$output)>;
// alpha * A * B + beta * C of matrices, each of A and B transposed on request.
def Onnx_GemmOp : Onnx_ContractionFamily<"Gemm", "Gemm",
        (ins Onnx_Value:$A, Onnx_Value:$B, Onnx_OptValue:$C, DefaultValuedAttr<F32Attr,
         "1.0f">:$alpha, DefaultValuedAttr<F32Attr, "1.0f">:$beta, DefaultValuedAttr<I64Attr,
         "0">:$transA, DefaultValuedAttr<I64Attr, "0">:$transB),
        (outs Onnx_Value:$Y)>;
// Matrix products of the last two dimensions, the others broadcast.
def Onnx_MatMulOp : Onnx_ContractionFamily<"MatMul", "MatMul",
        (ins Onnx_Value:$A, Onnx_Value:$B),
        (outs Onnx_Value:$Y)>;
// Matrix products of 8-bit integers less their zero points, in 32 bits.
def Onnx_MatMulIntegerOp : Onnx_ContractionFamily<"MatMulInteger", "MatMul",
        (ins Onnx_Value:$A, Onnx_Value:$B, Onnx_OptValue:$a_zero_point,
         Onnx_OptValue:$b_zero_point),
        (outs Onnx_Value:$Y)>;
// Matrix products of quantized tensors, quantized again.
def Onnx_QLinearMatMulOp : Onnx_ContractionFamily<"QLinearMatMul", "MatMul",
        (ins Onnx_Value:$a, Onnx_Value:$a_scale, Onnx_Value:$a_zero_point, Onnx_Value:$b,
         Onnx_Value:$b_scale, Onnx_Value:$b_zero_point, Onnx_Value:$y_scale,
         Onnx_Value:$y_zero_point),
        (outs Onnx_Value:$y)>;
