// SPDX-License-Identifier: Apache-2.0
//
// The recurrent family. A cell applied step by step along a sequence.

include "OnnxBase.td"

class Onnx_RecurrentFamily<string mnemonic, string rule, dag ins_, dag outs_, list<Trait> traits = []>
    : Onnx_Op<mnemonic, "recurrent", rule, ins_, outs_, traits>;

// A gated recurrent unit over a sequence, in one or both directions.
def Onnx_GRUOp : Onnx_RecurrentFamily<"GRU", "Recurrent",
        (ins Onnx_Value:$X, Onnx_Value:$W, Onnx_Value:$R, Onnx_OptValue:$B,
         Onnx_OptValue:$sequence_lens, Onnx_OptValue:$initial_h,
         OptionalAttr<DenseF32ArrayAttr>:$activation_alpha,
         OptionalAttr<DenseF32ArrayAttr>:$activation_beta,
         OptionalAttr<StrArrayAttr>:$activations, OptionalAttr<F32Attr>:$clip,
         DefaultValuedStrAttr<StrAttr, "forward">:$direction, OptionalAttr<I64Attr>:$hidden_size,
         DefaultValuedAttr<I64Attr, "0">:$layout, DefaultValuedAttr<I64Attr,
         "0">:$linear_before_reset),
        (outs Onnx_OptValue:$Y, Onnx_OptValue:$y_h)>;
// A long short-term memory over a sequence, in one or both directions.
def Onnx_LSTMOp : Onnx_RecurrentFamily<"LSTM", "Recurrent",
        (ins Onnx_Value:$X, Onnx_Value:$W, Onnx_Value:$R, Onnx_OptValue:$B,
         Onnx_OptValue:$sequence_lens, Onnx_OptValue:$initial_h, Onnx_OptValue:$initial_c,
         Onnx_OptValue:$P, OptionalAttr<DenseF32ArrayAttr>:$activation_alpha,
         OptionalAttr<DenseF32ArrayAttr>:$activation_beta,
         OptionalAttr<StrArrayAttr>:$activations, OptionalAttr<F32Attr>:$clip,
         DefaultValuedStrAttr<StrAttr, "forward">:$direction, OptionalAttr<I64Attr>:$hidden_size,
         DefaultValuedAttr<I64Attr, "0">:$input_forget, DefaultValuedAttr<I64Attr, "0">:$layout),
        (outs Onnx_OptValue:$Y, Onnx_OptValue:$y_h, Onnx_OptValue:$y_c)>;
// A simple recurrent layer over a sequence, in one or both directions.
def Onnx_RNNOp : Onnx_RecurrentFamily<"RNN", "Recurrent",
        (ins Onnx_Value:$X, Onnx_Value:$W, Onnx_Value:$R, Onnx_OptValue:$B,
         Onnx_OptValue:$sequence_lens, Onnx_OptValue:$initial_h,
         OptionalAttr<DenseF32ArrayAttr>:$activation_alpha,
         OptionalAttr<DenseF32ArrayAttr>:$activation_beta,
         OptionalAttr<StrArrayAttr>:$activations, OptionalAttr<F32Attr>:$clip,
         DefaultValuedStrAttr<StrAttr, "forward">:$direction, OptionalAttr<I64Attr>:$hidden_size,
         DefaultValuedAttr<I64Attr, "0">:$layout),
        (outs Onnx_OptValue:$Y, Onnx_OptValue:$y_h)>;
