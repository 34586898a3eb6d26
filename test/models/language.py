# SPDX-License-Identifier: Apache-2.0
"""Transformers: a BERT encoder and a GPT-2 decode step with its key/value cache."""
import numpy as np
from onnx import TensorProto

from network import Network


def split_heads(net, x, length, heads, width):
    """[1, length, width] -> [1, heads, length, width / heads]"""
    x = net.op("Reshape", x, net.ints(1, length, heads, width // heads))
    return net.op("Transpose", x, perm=[0, 2, 1, 3])


def merge_heads(net, x, length, width):
    x = net.op("Transpose", x, perm=[0, 2, 1, 3])
    return net.op("Reshape", x, net.ints(1, length, width))


def attend(net, query, key, value, mask, depth):
    """softmax(q k' / sqrt(depth) + mask) v, as exporters write it."""
    scores = net.op("MatMul", query, net.op("Transpose", key, perm=[0, 1, 3, 2]))
    scores = net.op("Mul", scores, net.constant(np.float32(1 / np.sqrt(depth))))
    if mask:
        scores = net.op("Add", scores, mask)
    return net.op("MatMul", net.op("Softmax", scores, axis=-1), value)


def bert(layers=12, width=768, heads=12, length=128, vocabulary=30522, name="bert_encoder"):
    """Devlin et al. 2018, base: post-norm encoder with Gelu written with Erf. Inputs: ids and
    attention mask, 1 x length."""
    net = Network(name, seed=110)
    ids = net.input("input_ids", [1, length], TensorProto.INT64)
    given = net.input("attention_mask", [1, length], TensorProto.INT64)
    keep = net.op("Cast", net.op("Unsqueeze", given, net.ints(1, 2)), to=TensorProto.FLOAT)
    mask = net.op("Mul", net.op("Sub", net.constant(np.float32(1)), keep),
                  net.constant(np.float32(-10000)))
    x = net.op("Gather", net.normal((vocabulary, width), 1.0, hint="embedding"), ids)
    x = net.layer_norm(net.op("Add", x, net.normal((1, length, width), 0.5)), width)
    for _ in range(layers):
        q, k, v = (split_heads(net, net.linear(x, width, width, gain=1.5), length, heads, width)
                   for _ in range(3))
        y = merge_heads(net, attend(net, q, k, v, mask, width // heads), length, width)
        x = net.layer_norm(net.op("Add", x, net.linear(y, width, width)), width)
        y = net.linear(x, width, 4 * width)
        erf = net.op("Erf", net.op("Div", y, net.constant(np.float32(np.sqrt(2)))))
        y = net.op("Mul", y, net.op("Add", erf, net.constant(np.float32(1))))
        y = net.op("Mul", y, net.constant(np.float32(0.5)))
        x = net.layer_norm(net.op("Add", x, net.linear(y, 4 * width, width, gain=2.0)), width)
    net.output(x, "hidden", [1, length, width])
    return net.model()


def gpt2(layers=12, width=768, heads=12, cached=512, vocabulary=50257, name="gpt2_decode"):
    """Radford et al. 2019, small: one token after `cached` others, whose keys and values come in
    and go out one longer. Gelu by tanh; the embedding is also the output matrix."""
    net = Network(name, seed=124)
    depth = width // heads
    ids = net.input("input_ids", [1, 1], TensorProto.INT64)
    embedding = net.normal((vocabulary, width), 0.3, hint="embedding")
    x = net.op("Add", net.op("Gather", embedding, ids), net.normal((1, 1, width), 0.2))
    caches = []
    for layer in range(layers):
        y = net.linear(net.layer_norm(x, width), width, 3 * width, gain=1.5)
        parts = net.op("Split", y, net.ints(width, width, width), outputs=3, axis=2)
        q, k, v = (split_heads(net, part, 1, heads, width) for part in parts)
        both = []
        for kind, new in (("key", k), ("value", v)):
            past = net.input(f"past_{layer}_{kind}", [1, heads, cached, depth])
            both.append(net.op("Concat", past, new, axis=2))
            caches.append((both[-1], f"present_{layer}_{kind}"))
        y = merge_heads(net, attend(net, q, both[0], both[1], None, depth), 1, width)
        x = net.op("Add", x, net.linear(y, width, width, gain=0.5))
        y = net.linear(net.layer_norm(x, width), width, 4 * width)
        cube = net.op("Mul", net.op("Mul", net.op("Mul", y, y), y),
                      net.constant(np.float32(0.044715)))
        inner = net.op("Mul", net.op("Add", y, cube),
                       net.constant(np.float32(np.sqrt(2 / np.pi))))
        inner = net.op("Add", net.op("Tanh", inner), net.constant(np.float32(1)))
        y = net.op("Mul", net.op("Mul", y, net.constant(np.float32(0.5))), inner)
        x = net.op("Add", x, net.linear(y, 4 * width, width, gain=0.5))
    x = net.layer_norm(x, width)
    x = net.op("MatMul", x, net.op("Transpose", embedding, perm=[1, 0]))
    net.output(x, "logits", [1, 1, vocabulary])
    for value, made in caches:
        net.output(value, made, [1, heads, cached + 1, depth])
    return net.model()


def bert_small():
    return bert(layers=2, width=64, heads=4, length=17, vocabulary=100, name="bert_small")


def gpt2_small():
    return gpt2(layers=2, width=64, heads=4, cached=19, vocabulary=100, name="gpt2_small")
