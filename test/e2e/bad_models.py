# SPDX-License-Identifier: Apache-2.0
"""Models that are refused, with what each is told, for bad_input.py."""
import onnx
from onnx import TensorProto, helper

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def model(nodes, inputs=None, outputs=None, tensors=(), opset=21):
    """The bytes of a model; inputs and outputs are {name: (type, shape)}."""
    def infos(values):
        return [helper.make_tensor_value_info(name, *value) for name, value in values.items()]
    graph = helper.make_graph(nodes, "g", infos(inputs or {"x": (FLOAT, [4, 8])}),
                              infos(outputs or {"y": (FLOAT, [4, 8])}), list(tensors))
    return helper.make_model(graph, ir_version=10, opset_imports=[
        helper.make_opsetid("", opset)]).SerializeToString()


def node(op, inputs="x", outputs="y", **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), op.lower(), **attributes)


def one(op, inputs="x", **attributes):
    return model([node(op, inputs, **attributes)])


def ints(name, *values):
    return helper.make_tensor(name, INT64, [len(values)], values)


def raw(name, shape, data=b""):
    return TensorProto(name=name, data_type=FLOAT, dims=shape, raw_data=data)


def external(**entries):
    tensor = raw("w", [4])
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=value)
    return model([node("Add", "x w")], {"x": (FLOAT, [4])}, {"y": (FLOAT, [4])}, [tensor])


def chain(length):
    return model([helper.make_node(("Neg", "Sqrt")[i % 2], [f"v{i}"], [f"v{i + 1}"])
                  for i in range(length)],
                 {"v0": (FLOAT, [4, 8])}, {f"v{length}": (FLOAT, [4, 8])})


def reshaped(*shape):
    return model([node("Reshape", "x s")], outputs={"y": (FLOAT, None)}, tensors=[ints("s", *shape)])


def nested(depth):
    """If in If in If, written from inside out: protobuf's own library refuses to."""
    def field(number, data):
        size, length = b"", len(data)
        while length > 127:
            size, length = size + bytes([length % 128 + 128]), length // 128
        return bytes([number * 8 + 2]) + size + bytes([length]) + data
    graph = b""
    for _ in range(depth):
        branch = field(1, b"then_branch") + field(6, graph) # AttributeProto
        graph = field(1, field(1, b"c") + field(2, b"y") + field(4, b"If") + field(5, branch))
    return b"\x08\x0a" + field(7, graph) + field(8, b"\x10\x15")


def functions(depth, last="Neg", again=None):
    """A chain of functions, each of which calls the next; `again` is one that is there twice."""
    made = helper.make_model(helper.make_graph(
        [helper.make_node("F0", ["x"], ["y"], "call", domain="own")], "g",
        [helper.make_tensor_value_info("x", FLOAT, [4])],
        [helper.make_tensor_value_info("y", FLOAT, [4])]),
        ir_version=10, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("own", 1)])
    for i in [*range(depth), *([] if again is None else [again])]:
        callee = last if i + 1 == depth else f"F{i + 1}"
        made.functions.append(helper.make_function(
            "own", f"F{i}", ["x"], ["y"],
            [helper.make_node(callee, ["x"], ["y"], domain="own" if callee[0] == "F" else "")],
            [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]))
    return made.SerializeToString()


def shapes_and_attributes(conv, anything):
    """Attributes out of range, lists of another length than the rank, sizes that wrap."""
    def listed(op, inputs, *lists, **attributes):
        """A node that takes lists of integers behind its first operand."""
        names = inputs.split()[1:]
        results = ["y", "indices"] if op == "TopK" else ["y"]
        return model([helper.make_node(op, inputs.split(" "), results, op.lower(), **attributes)],
                     outputs=anything,
                     tensors=[ints(name, *values) for name, values in zip(filter(None, names), lists)])

    def two(op, shape, **attributes):
        return model([node(op, "x w", **attributes)], {"x": (FLOAT, [4, 8]), "w": (FLOAT, shape)}, anything)

    least, most = -2**63, 2**63 - 1
    for name, data, said in (
            ("dilations", conv(dilations=[-1, 1]), "'strides' and 'dilations' must be 1 or more"),
            ("kernel", conv(kernel_shape=[0, 3]), "'kernel_shape' and the weight's sizes must be equal"),
            ("negative pads", conv(pads=[least] * 4), "'pads' must not be negative"),
            ("pads wrap", conv(pads=[2**62] * 4), "a spatial size would be more than 2^63"),
            ("dilations wrap", conv(dilations=[2**62] * 2), "the window spans 9223372036854775807 "),
            ("type", one("Cast", to=99), "'to' is 99, which is no ONNX element type"),
            ("K", listed("TopK", "x k", [9]), "K is 9; it must be in [0, 8]"),
            ("least K", listed("TopK", "x k", [least]), f"K is {least}; it must be in [0, 8]"),
            ("split", listed("Split", "x s", [3]), "the sum of 'split' and the size of the axis must be"),
            ("axes twice", listed("Unsqueeze", "x a", [1, 1]), "axis 1 is given twice"),
            ("axis to squeeze", listed("Squeeze", "x a", [5]), "axis 5 is out of range for rank 2"),
            ("size to squeeze", listed("Squeeze", "x a", [0]), "only a size of 1 can be squeezed"),
            ("axis to reduce", listed("ReduceSum", "x a", [-3]), "axis -3 is out of range for rank 2"),
            ("step of 0", listed("Slice", "x s e a t", [0], [4], [0], [0]), "'steps' must not be 0"),
            ("ends", listed("Slice", "x s e", [0, 0], [1]), "'ends' must have 2 elements, not 1"),
            ("pads", listed("Pad", "x p", [1, 1, 1]), "'pads' must have 4 elements, not 3"),
            ("padding wraps", listed("Pad", "x p", [most] * 4), "the size of axis 0 exceeds 2^63"),
            ("repeats", listed("Tile", "x r", [1]), "'repeats' must have 2 elements, not 1"),
            ("repeats wrap", listed("Tile", "x r", [2**62] * 2), "the product of its sizes exceeds 2^63"),
            ("sizes", listed("Resize", "x   s", [4, 4, 4]), "'sizes' must have 2 elements, not 3"),
            ("two sizes left open", reshaped(-1, -1), "the shape has more than one -1"),
            ("negative size", reshaped(-2, -16), "the shape has the negative size -2"),
            ("a size of no dimension", reshaped(0, 0, 0, 0), "the shape's element 2 is 0"),
            ("ranks", two("Concat", [4], axis=0), "operand 1 must have rank 2, not 1"),
            ("product", two("MatMul", [4, 8]), "(columns of A, rows of B) must be equal, but are 8 and 4"),
            ("broadcast", two("Add", [3]), "sizes 8 and 3 do not broadcast"),
            ("equation", one("Einsum", equation="ij->k"), "has the label 'k' in its result only")):
        yield name, data, 2, said


def models():
    """(name, bytes, exit code, what is said) of each model that is refused."""
    weights = raw("w", [2, 3, 3, 3], bytes(216))
    image = {"x": (FLOAT, [1, 3, 8, 8])}
    anything = {"y": (FLOAT, None)}

    def conv(**attributes):
        return model([node("Conv", "x w", **attributes)], image, anything, [weights])

    yield "not protobuf", b"#!/bin/sh\necho\n", 2, "not an ONNX model: malformed protobuf at byte"
    yield "empty", b"", 2, "is not an ONNX model: it has no graph"
    yield "cyclic", model([node("Add", "x y", "a"), node("Neg", "a", "y")]), 2, \
        "'Add' depends on its own result; a graph must not be cyclic"
    yield "duplicate", model([node("Neg"), node("Relu")]), 2, \
        "node 'relu': 'y' is defined twice; every value needs a name of its own"
    twice = onnx.load_from_string(model([node("Neg")]))
    twice.graph.output.add().CopyFrom(twice.graph.output[0])
    yield "output twice", twice.SerializeToString(), 2, "output 'y' is listed twice"
    twice = onnx.load_from_string(one("Relu"))
    twice.graph.input.add().CopyFrom(twice.graph.input[0])
    yield "input twice", twice.SerializeToString(), 2, "'x' is defined twice"
    yield "tensor twice", model([node("Add", "x w")], tensors=[raw("w", [4, 8], bytes(128))] * 2), 2, \
        "'w' is defined twice"
    yield "function twice", functions(2, again=0), 2, "function 'F0' of 'own' is defined twice"
    yield "recursive function", functions(2, last="F0"), 2, \
        "'F0' calls itself, directly or through others; functions must not be recursive"
    yield "no producer", model([node("Neg", "x", "z")]), 2, "output 'y' is not produced by any node"
    yield "unknown operator", one("Rellu"), 2, "'Rellu' is no operator of ONNX"
    yield "foreign operator", model([helper.make_node("F", ["x"], ["y"], "f", domain="far")]), 2, \
        "is of the operator set 'far', which the model does not import"
    yield "element types differ", model(
        [node("Add", "x n")], {"x": (FLOAT, [4]), "n": (INT64, [4])}, {"y": (FLOAT, [4])}), 2, \
        "operands 0 and 1 differ in element type"
    for name, op, types, out, said in (
            ("condition", "Where", (FLOAT, FLOAT, FLOAT), FLOAT,
             "operand 0 is tensor(float), but it takes tensor(bool)"),
            ("indices", "Gather", (FLOAT, FLOAT), FLOAT,
             "operand 1 is tensor(float), but it takes tensor(int32), tensor(int64)"),
            ("integers", "Sqrt", (INT64,), INT64,
             "operand 0 is tensor(int64), but it takes tensor(bfloat16), "),
            ("bools", "Relu", (BOOL,), BOOL, "operand 0 is tensor(bool), but it takes "),
            ("mixed", "MatMul", (FLOAT, INT64), FLOAT, "operands 0 and 1 differ in element type")):
        names = "xwz"[:len(types)]
        inputs = {key: (type_, [4]) for key, type_ in zip(names, types)}
        yield f"types: {name}", model([node(op, " ".join(names))], inputs, {"y": (out, None)}), 2, \
            f"node '{op.lower()}': 'onnx.{op}' op {said}"
    yield "types: branch", model([helper.make_node("If", ["c"], ["y"], "if", **{
        branch: helper.make_graph([node("Neg")], branch, [], [helper.make_tensor_value_info(
            "y", FLOAT, [4, 8])]) for branch in ("then_branch", "else_branch")})],
        {"x": (FLOAT, [4, 8]), "c": (TensorProto.FLOAT8E5M2, [])}), 2, \
        "node 'if': 'onnx.If' op operand 0 is tensor(float8e5m2), but it takes tensor(bool)"
    yield "types: output", model([node("Relu")], outputs={"y": (INT64, [4, 8])}), 2, \
        "node 'relu': 'onnx.Relu' op result 0 is declared as 'tensor<*xsi64>'"
    yield "types: none", model([node("Relu")], {"x": (99, [4, 8])}), 2, \
        "input 'x' is declared without a type of its elements, or with one that ONNX does not define"
    yield "type of attribute", one("Softmax", axis="last"), 2, \
        "'Softmax' Mismatched attribute type"
    yield "no such attribute", one("Relu", slope=0.1), 2, "'Relu' Unrecognized attribute: slope"
    yield "softmax axis", one("Softmax", axis=7), 2, "axis 7 is out of range for rank 2"
    yield "concat axis", one("Concat", "x x", axis=-4), 2, "node 'concat': "
    yield "strides of 0", conv(strides=[0, 1]), 2, "node 'conv': "
    yield "group of 0", conv(group=0), 2, "node 'conv': "
    yield "pads of another rank", conv(pads=[1, 1, 1]), 2, "node 'conv': "
    yield "kernel of another rank", conv(kernel_shape=[3, 3, 3]), 2, "node 'conv': "
    yield "perm of another rank", model([node("Transpose", perm=[0])], outputs=anything), 2, \
        "node 'transpose': "
    yield "perm repeats", model([node("Transpose", perm=[1, 1])], outputs=anything), 2, \
        "node 'transpose': "
    yield "reshape to other elements", reshaped(5, 7), 2, "node 'reshape': "
    yield "reshape wraps", reshaped(1 << 40, 1 << 40), 2, "node 'reshape': "
    yield "dims wrap", model([node("Add", "x w")], tensors=[raw("w", [1 << 62, 1 << 62])]), 2, \
        "tensor 'w' has more than 2^63 elements"
    yield "negative dim", model([node("Add", "x w")], tensors=[raw("w", [-4])]), 2, \
        "tensor 'w' has the negative size -4"
    yield "short tensor", model([node("Add", "x w")], tensors=[raw("w", [4, 8], bytes(64))]), 2, \
        "tensor 'w' has 64 bytes of data, but its shape and type need 128"
    yield "external missing", external(location="gone.bin"), 2, \
        "external data at 'gone.bin': No such file or directory; put the file beside the model"
    yield "external escapes", external(location="../../etc/passwd"), 2, \
        "which is outside the model's folder"
    yield "external absolute", external(location="/etc/passwd"), 2, \
        "which is outside the model's folder"
    yield "external wraps", external(location="data.bin", offset=str(2**64 - 8)), 2, \
        "tensor 'w' needs 16 bytes at offset 18446744073709551608 of 'data.bin', which has 64 bytes"
    yield "external link", external(location="link.bin"), 2, \
        "external data at 'link.bin', which is a link out of the model's folder"
    yield "external nowhere", external(offset="0"), 2, "has external data without a location"
    yield "external too short", external(location="data.bin", offset="60"), 2, \
        "tensor 'w' needs 16 bytes at offset 60 of 'data.bin', which has 64 bytes"
    yield "external of another length", external(location="data.bin", length=str(2**64 - 1)), 2, \
        "tensor 'w' has 18446744073709551615 bytes of data, but its shape and type need 16"
    yield "external before its begin", external(location="data.bin", offset="-8"), 2, \
        "has external data with the offset '-8', which is no number of bytes"
    yield from shapes_and_attributes(conv, anything)
    yield "functions", functions(1000), 2, "nests function calls more than 100 deep"
    yield "subgraphs", nested(1000), 2, "messages nest more than 100 deep"
    yield "nodes", chain(1 << 20), 3, "has 1048576 nodes, more than the "
    strings = {"s": (TensorProto.STRING, [3])}
    yield "strings passed on", model([node("Identity", "s")], strings, {"y": strings["s"]}), 3, \
        "has an input or output of strings"
    yield "strings not used", model([node("Neg")], strings | {"x": (FLOAT, [4, 8])}), 3, \
        "has an input or output of strings"
    yield "newer", model([node("Relu")], opset=99), 3, "uses opset 99, but the newest known is"
    yield "too large", model([node("Expand", "x s")], {"x": (FLOAT, [1])}, anything,
                             [ints("s", 1 << 20, 1 << 20, 1 << 10)]), 3, "too large: "
