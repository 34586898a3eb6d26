// SPDX-License-Identifier: Apache-2.0
//
// The elementwise family. Each result element is a function of the operands' elements at the same place, after broadcasting.

include "OnnxBase.td"

class Onnx_ElementwiseFamily<string mnemonic, string rule, dag ins_, dag outs_, list<Trait> traits = []>
    : Onnx_Op<mnemonic, "elementwise", rule, ins_, outs_, traits>;

// Absolute value.
def Onnx_AbsOp : Onnx_ElementwiseFamily<"Abs", "Elementwise",
        (ins Onnx_Value:$X),
        (outs Onnx_Value:$Y)>;
// Arc cosine, in radians.
def Onnx_AcosOp : Onnx_ElementwiseFamily<"Acos", "Elementwise",
        (ins Onnx_Value:$input),
        (outs Onnx_Value:$output)>;
// Inverse hyperbolic cosine.
def Onnx_AcoshOp : Onnx_ElementwiseFamily<"Acosh", "Elementwise",
        (ins Onnx_Value:$input),
        (outs Onnx_Value:$output)>;
// Sum of two tensors.
def Onnx_AddOp : Onnx_ElementwiseFamily<"Add", "Elementwise",
        (ins Onnx_Value:$A, Onnx_Value:$B),
        (outs Onnx_Value:$C)>;
// Logical and of two bool tensors.
def Onnx_AndOp : Onnx_ElementwiseFamily<"And", "Elementwise",
        (ins Onnx_Value:$A, Onnx_Value:$B),
        (outs Onnx_Value:$C)>;
// Arc sine, in radians.
def Onnx_AsinOp : Onnx_ElementwiseFamily<"Asin", "Elementwise",
        (ins Onnx_Value:$input),
        (outs Onnx_Value:$output)>;
// Inverse hyperbolic sine.
def Onnx_AsinhOp : Onnx_ElementwiseFamily<"Asinh", "Elementwise",
        (ins Onnx_Value:$input),
        (outs Onnx_Value:$output)>;
// Arc tangent, in radians.
def Onnx_AtanOp : Onnx_ElementwiseFamily<"Atan", "Elementwise",
        (ins Onnx_Value:$input),
        (outs Onnx_Value:$output)>;
// Inverse hyperbolic tangent.
def Onnx_AtanhOp : Onnx_ElementwiseFamily<"Atanh", "Elementwise",
        (ins Onnx_Value:$input),
        (outs Onnx_Value:$output)>;
// The bits of each element read as another type of the same width.
def Onnx_BitCastOp : Onnx_ElementwiseFamily<"BitCast", "BitCast",
        (ins Onnx_Value:$input, I64Attr:$to),
        (outs Onnx_Value:$output)>;
// Unsigned integers shifted left or right by `Y` bits.
def Onnx_BitShiftOp : Onnx_ElementwiseFamily<"BitShift", "Elementwise",
        (ins Onnx_Value:$X, Onnx_Value:$Y, StrAttr:$direction),
        (outs Onnx_Value:$Z)>;
// Bits that are set in both integers.
def Onnx_BitwiseAndOp : Onnx_ElementwiseFamily<"BitwiseAnd", "Elementwise",
        (ins Onnx_Value:$A, Onnx_Value:$B),
        (outs Onnx_Value:$C)>;
// All bits of an integer inverted.
def Onnx_BitwiseNotOp : Onnx_ElementwiseFamily<"BitwiseNot", "Elementwise",
        (ins Onnx_Value:$X),
        (outs Onnx_Value:$Y)>;
// Bits that are set in either integer.
def Onnx_BitwiseOrOp : Onnx_ElementwiseFamily<"BitwiseOr", "Elementwise",
        (ins Onnx_Value:$A, Onnx_Value:$B),
        (outs Onnx_Value:$C)>;
// Bits that are set in exactly one of two integers.
def Onnx_BitwiseXorOp : Onnx_ElementwiseFamily<"BitwiseXor", "Elementwise",
        (ins Onnx_Value:$A, Onnx_Value:$B),
        (outs Onnx_Value:$C)>;
// Each element converted to the element type `to`.
def Onnx_CastOp : Onnx_ElementwiseFamily<"Cast", "Cast",
        (ins Onnx_Value:$input, DefaultValuedStrAttr<StrAttr, "up">:$round_mode,
         DefaultValuedAttr<I64Attr, "1">:$saturate, I64Attr:$to),
        (outs Onnx_Value:$output)>;
// Each element of the first operand converted to the second's element type.
def Onnx_CastLikeOp : Onnx_ElementwiseFamily<"CastLike", "CastLike",
        (ins Onnx_Value:$input, Onnx_Value:$target_type, DefaultValuedStrAttr<StrAttr,
         "up">:$round_mode, DefaultValuedAttr<I64Attr, "1">:$saturate),
        (outs Onnx_Value:$output)>;
// The least integer that is not below the element.
def Onnx_CeilOp : Onnx_ElementwiseFamily<"Ceil", "Elementwise",
        (ins Onnx_Value:$X),
        (outs Onnx_Value:$Y)>;
// x where positive, else alpha * (exp(x / alpha) - 1).
def Onnx_CeluOp : Onnx_ElementwiseFamily<"Celu", "Elementwise",
        (ins Onnx_Value:$X, DefaultValuedAttr<F32Attr, "1.0f">:$alpha),
        (outs Onnx_Value:$Y)>;
// Each element limited to [min, max]; an absent bound does not limit.
def Onnx_ClipOp : Onnx_ElementwiseFamily<"Clip", "Elementwise",
        (ins Onnx_Value:$input, Onnx_OptValue:$min, Onnx_OptValue:$max),
        (outs Onnx_Value:$output)>;
// Cosine of radians.
def Onnx_CosOp : Onnx_ElementwiseFamily<"Cos", "Elementwise",
        (ins Onnx_Value:$input),
        (outs Onnx_Value:$output)>;
// Hyperbolic cosine.
def Onnx_CoshOp : Onnx_ElementwiseFamily<"Cosh", "Elementwise",
        (ins Onnx_Value:$input),
        (outs Onnx_Value:$output)>;
// (x - zero point) * scale, with one scale, one per index of an axis, or one per block.
def Onnx_DequantizeLinearOp : Onnx_ElementwiseFamily<"DequantizeLinear", "Dequantize",
        (ins Onnx_Value:$x, Onnx_Value:$x_scale, Onnx_OptValue:$x_zero_point,
         DefaultValuedAttr<I64Attr, "1">:$axis, DefaultValuedAttr<I64Attr, "0">:$block_size,
         DefaultValuedAttr<I64Attr, "0">:$output_dtype),
        (outs Onnx_Value:$y)>;
// Quotient of two tensors; integers are divided towards zero.
def Onnx_DivOp : Onnx_ElementwiseFamily<"Div", "Elementwise",
        (ins Onnx_Value:$A, Onnx_Value:$B),
        (outs Onnx_Value:$C)>;
// The input as it is, as inference has it; in training mode random elements become zero.
def Onnx_DropoutOp : Onnx_ElementwiseFamily<"Dropout", "Dropout",
        (ins Onnx_Value:$data, Onnx_OptValue:$ratio, Onnx_OptValue:$training_mode,
         OptionalAttr<I64Attr>:$seed),
        (outs Onnx_Value:$output, Onnx_OptValue:$mask)>;
// x where positive, else alpha * (exp(x) - 1).
def Onnx_EluOp : Onnx_ElementwiseFamily<"Elu", "Elementwise",
        (ins Onnx_Value:$X, DefaultValuedAttr<F32Attr, "1.0f">:$alpha),
        (outs Onnx_Value:$Y)>;
// Whether two elements are equal.
def Onnx_EqualOp : Onnx_ElementwiseFamily<"Equal", "Predicate",
        (ins Onnx_Value:$A, Onnx_Value:$B),
        (outs Onnx_Value:$C)>;
// The error function.
def Onnx_ErfOp : Onnx_ElementwiseFamily<"Erf", "Elementwise",
        (ins Onnx_Value:$input),
        (outs Onnx_Value:$output)>;
// e to the power of the element.
def Onnx_ExpOp : Onnx_ElementwiseFamily<"Exp", "Elementwise",
        (ins Onnx_Value:$input),
        (outs Onnx_Value:$output)>;
// The greatest integer that is not above the element.
def Onnx_FloorOp : Onnx_ElementwiseFamily<"Floor", "Elementwise",
        (ins Onnx_Value:$X),
        (outs Onnx_Value:$Y)>;
// x times the standard normal's distribution function at x, exact or by tanh.
def Onnx_GeluOp : Onnx_ElementwiseFamily<"Gelu", "Elementwise",
        (ins Onnx_Value:$X, DefaultValuedStrAttr<StrAttr, "none">:$approximate),
        (outs Onnx_Value:$Y)>;
// Whether the first element is the greater one.
def Onnx_GreaterOp : Onnx_ElementwiseFamily<"Greater", "Predicate",
        (ins Onnx_Value:$A, Onnx_Value:$B),
        (outs Onnx_Value:$C)>;
// Whether the first element is not the smaller one.
def Onnx_GreaterOrEqualOp : Onnx_ElementwiseFamily<"GreaterOrEqual", "Predicate",
        (ins Onnx_Value:$A, Onnx_Value:$B),
        (outs Onnx_Value:$C)>;
// alpha * x + beta, limited to [0, 1].
def Onnx_HardSigmoidOp : Onnx_ElementwiseFamily<"HardSigmoid", "Elementwise",
        (ins Onnx_Value:$X, DefaultValuedAttr<F32Attr, "0.200000003f">:$alpha,
         DefaultValuedAttr<F32Attr, "0.5f">:$beta),
        (outs Onnx_Value:$Y)>;
// x times x / 6 + 1/2 limited to [0, 1].
def Onnx_HardSwishOp : Onnx_ElementwiseFamily<"HardSwish", "Elementwise",
        (ins Onnx_Value:$X),
        (outs Onnx_Value:$Y)>;
// The input as it is.
def Onnx_IdentityOp : Onnx_ElementwiseFamily<"Identity", "SameAsFirst",
        (ins Onnx_Value:$input),
        (outs Onnx_Value:$output)>;
// Whether an element is infinite, of the signs that are asked for.
def Onnx_IsInfOp : Onnx_ElementwiseFamily<"IsInf", "Predicate",
        (ins Onnx_Value:$X, DefaultValuedAttr<I64Attr, "1">:$detect_negative,
         DefaultValuedAttr<I64Attr, "1">:$detect_positive),
        (outs Onnx_Value:$Y)>;
// Whether an element is not a number.
def Onnx_IsNaNOp : Onnx_ElementwiseFamily<"IsNaN", "Predicate",
        (ins Onnx_Value:$X),
        (outs Onnx_Value:$Y)>;
// x where not negative, else alpha * x.
def Onnx_LeakyReluOp : Onnx_ElementwiseFamily<"LeakyRelu", "Elementwise",
        (ins Onnx_Value:$X, DefaultValuedAttr<F32Attr, "0.00999999978f">:$alpha),
        (outs Onnx_Value:$Y)>;
// Whether the first element is the smaller one.
def Onnx_LessOp : Onnx_ElementwiseFamily<"Less", "Predicate",
        (ins Onnx_Value:$A, Onnx_Value:$B),
        (outs Onnx_Value:$C)>;
// Whether the first element is not the greater one.
def Onnx_LessOrEqualOp : Onnx_ElementwiseFamily<"LessOrEqual", "Predicate",
        (ins Onnx_Value:$A, Onnx_Value:$B),
        (outs Onnx_Value:$C)>;
// Natural logarithm.
def Onnx_LogOp : Onnx_ElementwiseFamily<"Log", "Elementwise",
        (ins Onnx_Value:$input),
        (outs Onnx_Value:$output)>;
// The greatest of any number of tensors' elements.
def Onnx_MaxOp : Onnx_ElementwiseFamily<"Max", "Elementwise",
        (ins Variadic<Onnx_Value>:$data_0),
        (outs Onnx_Value:$max)>;
// The arithmetic mean of any number of tensors' elements.
def Onnx_MeanOp : Onnx_ElementwiseFamily<"Mean", "Elementwise",
        (ins Variadic<Onnx_Value>:$data_0),
        (outs Onnx_Value:$mean)>;
// The least of any number of tensors' elements.
def Onnx_MinOp : Onnx_ElementwiseFamily<"Min", "Elementwise",
        (ins Variadic<Onnx_Value>:$data_0),
        (outs Onnx_Value:$min)>;
// x * tanh(log(1 + exp(x))).
def Onnx_MishOp : Onnx_ElementwiseFamily<"Mish", "Elementwise",
        (ins Onnx_Value:$X),
        (outs Onnx_Value:$Y)>;
// Remainder of a division, with the divisor's sign, or the dividend's where `fmod` is set.
def Onnx_ModOp : Onnx_ElementwiseFamily<"Mod", "Elementwise",
        (ins Onnx_Value:$A, Onnx_Value:$B, DefaultValuedAttr<I64Attr, "0">:$fmod),
        (outs Onnx_Value:$C)>;
// Product of two tensors.
def Onnx_MulOp : Onnx_ElementwiseFamily<"Mul", "Elementwise",
        (ins Onnx_Value:$A, Onnx_Value:$B),
        (outs Onnx_Value:$C)>;
// The element with its sign changed.
def Onnx_NegOp : Onnx_ElementwiseFamily<"Neg", "Elementwise",
        (ins Onnx_Value:$X),
        (outs Onnx_Value:$Y)>;
// Logical negation of a bool tensor.
def Onnx_NotOp : Onnx_ElementwiseFamily<"Not", "Elementwise",
        (ins Onnx_Value:$X),
        (outs Onnx_Value:$Y)>;
// Logical or of two bool tensors.
def Onnx_OrOp : Onnx_ElementwiseFamily<"Or", "Elementwise",
        (ins Onnx_Value:$A, Onnx_Value:$B),
        (outs Onnx_Value:$C)>;
// x where not negative, else x times the slope of its place.
def Onnx_PReluOp : Onnx_ElementwiseFamily<"PRelu", "Elementwise",
        (ins Onnx_Value:$X, Onnx_Value:$slope),
        (outs Onnx_Value:$Y)>;
// The first operand raised to the power of the second.
def Onnx_PowOp : Onnx_ElementwiseFamily<"Pow", "Elementwise",
        (ins Onnx_Value:$X, Onnx_Value:$Y),
        (outs Onnx_Value:$Z)>;
// x / scale rounded to nearest even, moved by the zero point and saturated.
def Onnx_QuantizeLinearOp : Onnx_ElementwiseFamily<"QuantizeLinear", "Quantize",
        (ins Onnx_Value:$x, Onnx_Value:$y_scale, Onnx_OptValue:$y_zero_point,
         DefaultValuedAttr<I64Attr, "1">:$axis, DefaultValuedAttr<I64Attr, "0">:$block_size,
         DefaultValuedAttr<I64Attr, "0">:$output_dtype, DefaultValuedAttr<I64Attr,
         "0">:$precision, DefaultValuedAttr<I64Attr, "1">:$saturate),
        (outs Onnx_Value:$y)>;
// 1 / x.
def Onnx_ReciprocalOp : Onnx_ElementwiseFamily<"Reciprocal", "Elementwise",
        (ins Onnx_Value:$X),
        (outs Onnx_Value:$Y)>;
// x where positive, else 0.
def Onnx_ReluOp : Onnx_ElementwiseFamily<"Relu", "Elementwise",
        (ins Onnx_Value:$X),
        (outs Onnx_Value:$Y)>;
// The nearest integer, the even one of two.
def Onnx_RoundOp : Onnx_ElementwiseFamily<"Round", "Elementwise",
        (ins Onnx_Value:$X),
        (outs Onnx_Value:$Y)>;
// gamma * x where positive, else gamma * alpha * (exp(x) - 1).
def Onnx_SeluOp : Onnx_ElementwiseFamily<"Selu", "Elementwise",
        (ins Onnx_Value:$X, DefaultValuedAttr<F32Attr, "1.67326319f">:$alpha,
         DefaultValuedAttr<F32Attr, "1.05070102f">:$gamma),
        (outs Onnx_Value:$Y)>;
// x moved towards zero by `bias` outside of [-lambd, lambd], 0 inside.
def Onnx_ShrinkOp : Onnx_ElementwiseFamily<"Shrink", "Elementwise",
        (ins Onnx_Value:$input, DefaultValuedAttr<F32Attr, "0.0f">:$bias,
         DefaultValuedAttr<F32Attr, "0.5f">:$lambd),
        (outs Onnx_Value:$output)>;
// 1 / (1 + exp(-x)).
def Onnx_SigmoidOp : Onnx_ElementwiseFamily<"Sigmoid", "Elementwise",
        (ins Onnx_Value:$X),
        (outs Onnx_Value:$Y)>;
// -1, 0 or 1 by the element's sign.
def Onnx_SignOp : Onnx_ElementwiseFamily<"Sign", "Elementwise",
        (ins Onnx_Value:$input),
        (outs Onnx_Value:$output)>;
// Sine of radians.
def Onnx_SinOp : Onnx_ElementwiseFamily<"Sin", "Elementwise",
        (ins Onnx_Value:$input),
        (outs Onnx_Value:$output)>;
// Hyperbolic sine.
def Onnx_SinhOp : Onnx_ElementwiseFamily<"Sinh", "Elementwise",
        (ins Onnx_Value:$input),
        (outs Onnx_Value:$output)>;
// log(1 + exp(x)).
def Onnx_SoftplusOp : Onnx_ElementwiseFamily<"Softplus", "Elementwise",
        (ins Onnx_Value:$X),
        (outs Onnx_Value:$Y)>;
// x / (1 + abs(x)).
def Onnx_SoftsignOp : Onnx_ElementwiseFamily<"Softsign", "Elementwise",
        (ins Onnx_Value:$input),
        (outs Onnx_Value:$output)>;
// Square root.
def Onnx_SqrtOp : Onnx_ElementwiseFamily<"Sqrt", "Elementwise",
        (ins Onnx_Value:$X),
        (outs Onnx_Value:$Y)>;
// Difference of two tensors.
def Onnx_SubOp : Onnx_ElementwiseFamily<"Sub", "Elementwise",
        (ins Onnx_Value:$A, Onnx_Value:$B),
        (outs Onnx_Value:$C)>;
// The sum of any number of tensors.
def Onnx_SumOp : Onnx_ElementwiseFamily<"Sum", "Elementwise",
        (ins Variadic<Onnx_Value>:$data_0),
        (outs Onnx_Value:$sum)>;
// x * sigmoid(alpha * x).
def Onnx_SwishOp : Onnx_ElementwiseFamily<"Swish", "Elementwise",
        (ins Onnx_Value:$X, DefaultValuedAttr<F32Attr, "1.0f">:$alpha),
        (outs Onnx_Value:$Y)>;
// Tangent of radians.
def Onnx_TanOp : Onnx_ElementwiseFamily<"Tan", "Elementwise",
        (ins Onnx_Value:$input),
        (outs Onnx_Value:$output)>;
// Hyperbolic tangent.
def Onnx_TanhOp : Onnx_ElementwiseFamily<"Tanh", "Elementwise",
        (ins Onnx_Value:$input),
        (outs Onnx_Value:$output)>;
// x where above alpha, else 0.
def Onnx_ThresholdedReluOp : Onnx_ElementwiseFamily<"ThresholdedRelu", "Elementwise",
        (ins Onnx_Value:$X, DefaultValuedAttr<F32Attr, "1.0f">:$alpha),
        (outs Onnx_Value:$Y)>;
// The second operand where the condition holds, else the third.
def Onnx_WhereOp : Onnx_ElementwiseFamily<"Where", "Where",
        (ins Onnx_Value:$condition, Onnx_Value:$X, Onnx_Value:$Y),
        (outs Onnx_Value:$output)>;
// Whether exactly one of two bools holds.
def Onnx_XorOp : Onnx_ElementwiseFamily<"Xor", "Elementwise",
        (ins Onnx_Value:$A, Onnx_Value:$B),
        (outs Onnx_Value:$C)>;
