# SPDX-License-Identifier: Apache-2.0
"""Attention in one word, and in the forms that exporters write it out in."""
import numpy as np
from onnx import TensorProto

from exporters import Exported


def attention_operators(width=48, heads=6, groups=2, cached=5, fresh=3, name="attention_operators"):
    """The operators of opset 23 that say it in one word: RMSNormalization, RotaryEmbedding and
    Attention, causal over a cache and grouped, then with a mask and without."""
    net = Exported(name, seed=71, opset=23)
    depth = width // heads
    x = net.input("hidden", [1, fresh, width])
    mask = net.input("keep_mask", [1, 1, fresh, fresh])
    y = net.op("RMSNormalization", x, net.normal((width,), 0.1, mean=1.0), axis=-1, epsilon=1e-5)
    q, k, v = (net.op("MatMul", y, net.normal((width, count * depth), 2 / np.sqrt(width)))
               for count in (heads, groups, groups))
    angles = np.outer(np.arange(32), 100.0 ** (-np.arange(depth // 2) / (depth // 2)))
    cos = net.constant(np.cos(angles).astype(np.float32))
    sin = net.constant(np.sin(angles).astype(np.float32))
    place = net.constant(np.arange(cached, cached + fresh)[None])
    q = net.op("RotaryEmbedding", q, cos, sin, place, num_heads=heads)
    k = net.op("RotaryEmbedding", k, cos, sin, place, num_heads=groups, interleaved=1)
    keys = net.input("past_key", [1, groups, cached, depth])
    values = net.input("past_value", [1, groups, cached, depth])
    y, k, v = net.op("Attention", q, k, v, "", keys, values, outputs=3, is_causal=1,
                     q_num_heads=heads, kv_num_heads=groups)
    net.output(k, "key", [1, groups, cached + fresh, depth])
    net.output(v, "value", [1, groups, cached + fresh, depth])
    y = net.op("Add", x, net.op("MatMul", y, net.normal((width, width), 0.2)))
    for given in ([mask], []):
        q, k, v = (net.op("Transpose", net.op("Reshape", net.linear(y, width, width, gain=2.0),
                                              net.ints(0, 0, heads, -1)), perm=[0, 2, 1, 3])
                   for _ in range(3))
        z = net.op("Attention", q, k, v, *given, scale=0.5)
        y = net.op("Add", y, net.op("Reshape", net.op("Transpose", z, perm=[0, 2, 1, 3]),
                                    net.ints(0, 0, -1)))
    net.output(net.op("Gelu", y), "out", [1, fresh, width])
    return net.model()


def attention_forms(width=48, heads=6, length=10, other=7, name="attention_forms"):
    """Attention as others than torch's encoder write it: distances times slopes, a table of relative
    positions with groups of heads, across to another sequence under a mask that leaves nothing of a
    row, heads as the batch with scores that are capped, and one head of keys for all."""
    net = Exported(name, seed=81, opset=18)
    depth = width // heads
    x = net.input("hidden", [2, length, width])
    context = net.input("context", [2, other, width])
    keep = net.input("keep", [2, 1, length, other], TensorProto.BOOL)

    def split(y, size, count):
        return net.op("Transpose", net.op("Reshape", net.linear(y, width, count * depth),
                                          net.ints(2, size, count, depth)), perm=[0, 2, 1, 3])

    def heads_of(y, size=length, count=heads):
        return [split(x, length, heads)] + [split(y, size, count) for _ in range(2)]

    def turned(k):
        return net.op("Transpose", k, perm=[0, 1, 3, 2])

    def join(x, y):
        y = net.op("Reshape", net.op("Transpose", y, perm=[0, 2, 1, 3]), net.ints(2, length, width))
        return net.op("Add", x, net.linear(y, width, width))

    distance = np.abs(np.arange(length)[:, None] - np.arange(length)).astype(np.float32)
    slopes = 2.0 ** -np.arange(1, heads + 1, dtype=np.float32)
    q, k, v = heads_of(x)
    scores = net.op("Add", net.op("MatMul", q, turned(k)),
                    net.constant(-slopes[:, None, None] * distance))
    scores = net.op("Mul", scores, net.number(depth ** -0.5))
    x = join(x, net.op("MatMul", net.op("Softmax", scores, axis=-1), v))

    table = net.normal((2 * length, heads), 0.5)
    places = net.constant((np.arange(length)[:, None] - np.arange(length) + length).astype(np.int64))
    bias = net.op("Transpose", net.op("Gather", table, places, axis=0), perm=[2, 0, 1])
    q, *few = heads_of(x, count=2)
    k, v = (net.op("Reshape", net.op("Expand", net.op("Unsqueeze", y, net.ints(2)),
                                     net.ints(2, 2, heads // 2, length, depth)),
                   net.ints(2, heads, length, depth)) for y in few)
    scores = net.op("Add", net.op("MatMul", q, turned(k)), net.op("Unsqueeze", bias, net.ints(0)))
    x = join(x, net.op("MatMul", net.op("Softmax", scores, axis=-1), v))

    q, k, v = heads_of(context, other)
    root = net.number(depth ** -0.25)
    scores = net.op("MatMul", net.op("Mul", q, root), net.op("Mul", turned(k), root))
    scores = net.op("Add", scores, net.op("Where", keep, net.number(0), net.number(-np.inf)))
    weights = net.op("Softmax", scores, axis=-1)
    weights = net.op("Where", net.op("IsNaN", weights), net.number(0), weights)
    x = join(x, net.op("MatMul", weights, v))

    q, k, v = (net.op("Reshape", y, net.ints(2 * heads, -1, depth)) for y in heads_of(x))
    scores = net.op("MatMul", q, net.op("Transpose", k, perm=[0, 2, 1]))
    scores = net.op("Mul", net.op("Tanh", net.op("Div", scores, net.number(5))), net.number(5))
    late = net.constant(np.triu(np.ones((length, length), bool), 1))
    scores = net.op("Where", late, net.number(-np.inf), scores)
    y = net.op("MatMul", net.op("Softmax", scores, axis=2), v)
    x = join(x, net.op("Reshape", y, net.ints(2, heads, length, depth)))

    q, k, v = heads_of(x, count=1)
    scores = net.op("Div", net.op("MatMul", q, turned(k)), net.number(np.sqrt(depth)))
    x = join(x, net.op("MatMul", net.op("Softmax", scores, axis=-1), v))
    net.output(x, "out", [2, length, width])
    return net.model()
