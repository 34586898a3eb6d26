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
// Two attributes are not ONNX's, for what exporters write out: rows that the mask excludes wholly are 0,
// but what Softmax makes of them where `unguarded`; a boolean mask excludes by -infinity, or by `excluded`.
// Values averaged by the softmax of how well their keys match a query; groups of heads share keys.
def Onnx_AttentionOp : Onnx_AttentionFamily<"Attention", "Attention",
        (ins Onnx_Value:$Q, Onnx_Value:$K, Onnx_Value:$V, Onnx_OptValue:$attn_mask,
         Onnx_OptValue:$past_key, Onnx_OptValue:$past_value, Onnx_OptValue:$nonpad_kv_seqlen,
         OptionalAttr<F32Attr>:$excluded, DefaultValuedAttr<I64Attr, "0">:$is_causal,
         OptionalAttr<I64Attr>:$kv_num_heads,
         DefaultValuedAttr<I64Attr, "-1">:$left_window_size, OptionalAttr<I64Attr>:$q_num_heads,
         DefaultValuedAttr<I64Attr, "0">:$qk_matmul_output_mode,
         DefaultValuedAttr<I64Attr, "-1">:$right_window_size, OptionalAttr<F32Attr>:$scale,
         DefaultValuedAttr<F32Attr, "0.0f">:$softcap, OptionalAttr<I64Attr>:$softmax_precision,
         UnitAttr:$unguarded),
        (outs Onnx_Value:$Y, Onnx_OptValue:$present_key, Onnx_OptValue:$present_value,
         Onnx_OptValue:$qk_matmul_output)>;
