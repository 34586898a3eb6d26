// SPDX-License-Identifier: Apache-2.0
//
// The attention family. What transformers compute between a token and others.

include "OnnxBase.td"

class Onnx_AttentionFamily<string mnemonic, string rule, dag ins_, dag outs_, list<Trait> traits = []>
    : Onnx_Op<mnemonic, "attention", rule, ins_, outs_, traits>;

// Pairs of each head's elements turned by the angle of the token's position.
def Onnx_RotaryEmbeddingOp : Onnx_AttentionFamily<"RotaryEmbedding", "SameAsFirst",
        (ins Onnx_Value:$X, Onnx_Value:$cos_cache, Onnx_Value:$sin_cache,
         Onnx_OptValue:$position_ids, DefaultValuedAttr<I64Attr, "0">:$interleaved,
         DefaultValuedAttr<I64Attr, "0">:$num_heads, DefaultValuedAttr<I64Attr, "0">:$rotary_embedding_dim),
        (outs Onnx_Value:$Y)>;
