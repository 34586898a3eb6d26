#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes model files that no exporter would write.

usage: models.py DIR

Encodes protobuf by hand (needs nothing but Python), so that lengths, offsets and
nesting can be wrong. Field numbers are those of onnx.proto.
"""
import os
import sys

OUT = sys.argv[1]


def varint(value):
    value &= 2**64 - 1
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, body):
    body = body.encode() if isinstance(body, str) else body
    return varint(field << 3 | 2) + varint(len(body)) + body


def tensor(name, dims, data_type=1, raw=None, external=None):
    out = b"".join(number(1, d) for d in dims) + number(2, data_type) + block(8, name)
    if raw is not None:
        out += block(9, raw)
    if external is not None:
        out += b"".join(block(13, block(1, k) + block(2, v)) for k, v in external.items())
        out += number(14, 1)
    return out


def value(name, dims=(4,), data_type=1):
    shape = b"".join(block(1, number(1, d)) for d in dims)
    return block(1, name) + block(2, block(1, number(1, data_type) + block(2, shape)))


def node(op, inputs, outputs, attributes=b"", domain=""):
    out = b"".join(block(1, i) for i in inputs) + b"".join(block(2, o) for o in outputs)
    out += block(4, op) + attributes
    return out + (block(7, domain) if domain else b"")


def graph_attribute(name, body):
    return block(5, block(1, name) + block(6, body) + number(20, 5))


def graph(nodes, inputs=(), outputs=(), initializers=()):
    out = b"".join(block(1, n) for n in nodes) + block(2, "g")
    out += b"".join(block(5, t) for t in initializers)
    out += b"".join(block(11, i) for i in inputs)
    return out + b"".join(block(12, o) for o in outputs)


def model(body, functions=()):
    out = number(1, 10) + block(7, body) + block(8, number(2, 28))
    if functions:
        out += block(8, block(1, "f") + number(2, 1))
    return out + b"".join(block(25, f) for f in functions)


def function(name, nodes):
    out = block(1, name) + block(4, "a") + block(5, "b")
    out += b"".join(block(7, n) for n in nodes)
    return out + block(9, number(2, 28)) + block(9, block(1, "f") + number(2, 1)) + block(10, "f")


def write(name, data):
    with open(os.path.join(OUT, name + ".onnx"), "wb") as file:
        file.write(data)


def with_tensor(name, proto):
    write(name, model(graph([node("Add", ["x", "w"], ["y"])], [value("x")], [value("y")], [proto])))


def nested(depth):
    """If in If in If; each level takes four messages."""
    body = graph([node("Neg", ["x"], ["inner"])], [], [value("inner")])
    for i in range(depth):
        other = graph([node("Neg", ["x"], [f"e{i}"])], [], [value(f"e{i}")])
        branches = graph_attribute("then_branch", body) + graph_attribute("else_branch", other)
        body = graph([node("If", ["c"], [f"t{i}"], branches)], [], [value(f"t{i}")])
    other = graph([node("Neg", ["x"], ["z"])], [], [value("z")])
    branches = graph_attribute("then_branch", body) + graph_attribute("else_branch", other)
    return model(graph([node("If", ["c"], ["y"], branches)],
                       [value("x"), value("c", (), 9)], [value("y")]))


def calling(name, functions, callee):
    write(name, model(graph([node(callee, ["x"], ["y"], domain="f")], [value("x")], [value("y")]),
                      functions))


os.makedirs(os.path.join(OUT, "folder"), exist_ok=True)
with open(os.path.join(OUT, "data.bin"), "wb") as file:
    file.write(bytes(range(64)))
if not os.path.lexists(os.path.join(OUT, "link.bin")):
    os.symlink("/etc/passwd", os.path.join(OUT, "link.bin"))

good = model(graph([node("Neg", ["x"], ["y"])], [value("x")], [value("y")]))
write("empty", b"")
write("text", b"hello, world")
write("truncated", good[:-5])
write("no-graph", number(1, 10))
write("untyped", model(graph([node("Relu", ["x"], ["y"])], [block(1, "x")], [value("y")])))
write("untyped-optional", model(graph([node("Relu", ["x"], ["y"])],
                                      [block(1, "x") + block(2, block(9, b""))], [value("y")])))
write("odd-type", model(graph([node("Relu", ["x"], ["y"])], [value("x", data_type=99)], [value("y")])))
map_type = block(5, number(1, 7) + block(2, block(1, number(1, 1))))
write("map", model(graph([node("Relu", ["x"], ["y"])], [block(1, "x") + block(2, map_type)], [value("y")])))
write("ort", b"\x10\0\0\0ORTM" + bytes(64))

with_tensor("weight", tensor("w", [1024, 4], raw=bytes(16384)))
with_tensor("weight-short", tensor("w", [1024, 5], raw=bytes(16384)))
with_tensor("negative", tensor("w", [-4], raw=bytes(16)))
with_tensor("overflow", tensor("w", [0, 2**62, 2**62], raw=b""))
with_tensor("no-such-type", tensor("w", [4], 99, raw=bytes(16)))

for name, external in {
    "external": {"location": "./data.bin", "offset": "16", "length": "16"},
    "absolute": {"location": "/etc/passwd"},
    "parent": {"location": "folder/../../data.bin"},
    "link": {"location": "link.bin"},
    "folder": {"location": "folder"},
    "gone": {"location": "gone.bin"},
    "nowhere": {"offset": "0"},
    "past-end": {"location": "data.bin", "offset": "60"},
    "wraps": {"location": "data.bin", "offset": "18446744073709551612"},
    "not-a-number": {"location": "data.bin", "offset": "0x10"},
    "other-length": {"location": "data.bin", "length": "17"},
}.items():
    with_tensor("external-" + name, tensor("w", [4], external=external))

write("nested-20", nested(20))
write("nested-1000", nested(1000))
neg = node("Neg", ["a"], ["b"])
calling("recursive", [function("A", [node("B", ["a"], ["b"], domain="f")]),
                      function("B", [node("A", ["a"], ["b"], domain="f")])], "A")
calling("deep-calls", [function("F0", [neg])] +
        [function(f"F{i}", [node(f"F{i - 1}", ["a"], ["b"], domain="f")]) for i in range(1, 1000)],
        "F999")
calling("doubling", [function("F0", [neg])] +
        [function(f"F{i}", [node(f"F{i - 1}", ["a"], ["t"], domain="f"),
                            node(f"F{i - 1}", ["t"], ["b"], domain="f")]) for i in range(1, 60)],
        "F59")
