# SPDX-License-Identifier: Apache-2.0
"""Microbenchmarks: single operators as small ONNX models, made on the fly. Run by `bench.py --micro`.

usage: micro.py                    lists their names

Each is (builder, FLOPs): FLOPs decide what part of the measured peak was reached; 0: what counts is bytes (inputs,
weights and outputs once) of the bandwidth of the memory that holds them. Convolutions are chains, so that the change
of layout at a model's edges is a small part. Winograd computes with fewer FLOPs than are counted: above 100% is no error.
"""
import sys

import numpy as np

import cases
import graph


def weight(*shape):
    """Normal values that keep a chain's scale."""
    rng = np.random.default_rng(sum(shape))
    return (rng.standard_normal(shape) / np.sqrt(max(np.prod(shape[1:]), 1))).astype(np.float32)


def gemm(m, n, k):
    made = graph.model("gemm", [("MatMul", ["x", "w"], ["y"])], {"x": [m, k]}, {"y": [m, n]}, {"w": weight(n, k).T.copy()})
    return made, 2 * m * n * k


def gemv(n, k):
    made, _ = gemm(1, n, k)
    return made, 0


def batched(batch, m, n, k):
    """Both operands are inputs."""
    made = graph.model("batched", [("MatMul", ["a", "b"], ["y"])], {"a": [batch, m, k], "b": [batch, k, n]},
                       {"y": [batch, m, n]}, {})
    return made, 2 * batch * m * n * k


def convolution(channels, size, kernel, groups=1, depth=4, wide=None):
    """`depth` convolutions with Relu, from `channels` to `wide` and back."""
    nodes, weights, value, flops = [], {}, "x", 0
    counts = [channels, wide or channels]
    pad = kernel // 2
    for i in range(depth):
        into, out = counts[i % 2], counts[(i + 1) % 2]
        weights[f"w{i}"], weights[f"b{i}"] = weight(out, into // groups, kernel, kernel), np.zeros(out, np.float32)
        nodes.append(("Conv", [value, f"w{i}", f"b{i}"], [f"c{i}"],
                      {"pads": [pad] * 4, "kernel_shape": [kernel] * 2, "group": groups}))
        value = "y" if i == depth - 1 else f"r{i}"
        nodes.append(("Relu", [f"c{i}"], [value]))
        flops += 2 * size * size * out * (into // groups) * kernel * kernel
    last = counts[depth % 2]
    return graph.model("convolution", nodes, {"x": [1, channels, size, size]}, {"y": [1, last, size, size]}, weights), flops


def attention(heads, queries, keys, depth):
    """As exporters write it: product, scale, softmax, product."""
    nodes = [("Transpose", ["k"], ["kt"], {"perm": [0, 1, 3, 2]}), ("MatMul", ["q", "kt"], ["s"]),
             ("Mul", ["s", "scale"], ["t"]), ("Softmax", ["t"], ["p"], {"axis": -1}), ("MatMul", ["p", "v"], ["y"])]
    made = graph.model("attention", nodes, {"q": [1, heads, queries, depth], "k": [1, heads, keys, depth],
                                            "v": [1, heads, keys, depth]}, {"y": [1, heads, queries, depth]},
                       {"scale": np.float32(depth ** -0.5)})
    return made, 4 * heads * queries * keys * depth if queries > 1 else 0


def softmax(rows, length):
    return graph.model("softmax", [("Softmax", ["x"], ["y"], {"axis": -1})], {"x": [rows, length]}, {"y": [rows, length]}, {}), 0


def layer_norm(rows, length):
    made = graph.model("layer_norm", [("LayerNormalization", ["x", "g", "b"], ["y"], {"axis": -1})],
                       {"x": [rows, length]}, {"y": [rows, length]},
                       {"g": np.ones(length, np.float32), "b": np.zeros(length, np.float32)})
    return made, 0


def rms_norm(rows, length):
    """As decoders are exported: no operator of its own before opset 23."""
    nodes = [("Mul", ["x", "x"], ["s"]), ("ReduceMean", ["s", "last"], ["m"], {"keepdims": 1}), ("Add", ["m", "e"], ["a"]),
             ("Sqrt", ["a"], ["r"]), ("Div", ["x", "r"], ["n"]), ("Mul", ["n", "g"], ["y"])]
    made = graph.model("rms_norm", nodes, {"x": [rows, length]}, {"y": [rows, length]},
                       {"last": np.array([-1]), "e": np.float32(1e-5), "g": np.ones(length, np.float32)})
    return made, 0


CASES = {
    "gemm 128x768x768": lambda: gemm(128, 768, 768),
    "gemm 128x3072x768": lambda: gemm(128, 3072, 768),
    "gemm 197x768x3072": lambda: gemm(197, 768, 3072),
    "gemm 512^3": lambda: gemm(512, 512, 512),
    "gemm 1024^3": lambda: gemm(1024, 1024, 1024),
    "gemm 2048^3": lambda: gemm(2048, 2048, 2048),
    "batched 12x128x128x64": lambda: batched(12, 128, 128, 64),
    "gemv 4096x4096": lambda: gemv(4096, 4096),
    "gemv 3072x768": lambda: gemv(3072, 768),
    "gemv 50257x768": lambda: gemv(50257, 768),
    "conv1x1 64-256 56^2": lambda: convolution(64, 56, 1, wide=256),
    "conv1x1 256-1024 14^2": lambda: convolution(256, 14, 1, wide=1024),
    "conv3x3 64 56^2": lambda: convolution(64, 56, 3),
    "conv3x3 128 28^2": lambda: convolution(128, 28, 3),
    "conv3x3 256 14^2": lambda: convolution(256, 14, 3),
    "conv3x3 512 7^2": lambda: convolution(512, 7, 3),
    "depthwise3x3 96 56^2": lambda: convolution(96, 56, 3, groups=96),
    "depthwise3x3 384 14^2": lambda: convolution(384, 14, 3, groups=384),
    "depthwise5x5 240 14^2": lambda: convolution(240, 14, 5, groups=240),
    "attention 12x128x128x64": lambda: attention(12, 128, 128, 64),
    "attention 12x512x512x64": lambda: attention(12, 512, 512, 64),
    "attention 12x1x512x64": lambda: attention(12, 1, 512, 64),
    "softmax 1536x128": lambda: softmax(1536, 128),
    "softmax 128x50257": lambda: softmax(128, 50257),
    "layernorm 128x768": lambda: layer_norm(128, 768),
    "layernorm 4096x1024": lambda: layer_norm(4096, 1024),
    "rmsnorm 128x768": lambda: rms_norm(128, 768),
}


def make(name, work):
    """The case of a name of CASES."""
    model, flops = CASES[name]()
    inputs = {value.name: np.random.default_rng(1).standard_normal(
        [dim.dim_value for dim in value.type.tensor_type.shape.dim], np.float32) for value in model.graph.input}
    case = cases.hand_made(name, model, inputs, work)
    case.flops = flops
    return case


if __name__ == "__main__":
    sys.stdout.write("\n".join(CASES) + "\n")
