# SPDX-License-Identifier: Apache-2.0
"""Models that go step by step, or look elements up, over sizes that change from run to run.

usage: sequences.py --burin BURIN --work DIR [--only CASE]

As in dims.py: one artifact runs at several sizes, compared with ONNX Runtime, with one thread and with
artifacts that are compiled for just those sizes.
"""
import pathlib
import sys

import numpy as np
from onnx import TensorProto, helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "models"))
import dims
from graph import model

F32, I64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def body(name, nodes, inputs, outputs):
    """A subgraph; inputs and outputs are {name: (element type, shape)}."""
    infos = [[helper.make_tensor_value_info(key, *value) for key, value in tensors.items()]
             for tensors in (inputs, outputs)]
    return helper.make_graph([helper.make_node(*node[:3], **(node[3] if len(node) > 3 else {}))
                              for node in nodes], name, *infos)


def recurrent():
    """The three cells over any number of steps and sequences."""
    random = np.random.default_rng(1)

    def weights(*shape):
        return (random.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)

    points = [{"S": s, "B": b} for s, b in ((1, 1), (2, 3), (17, 1), (30, 5))]
    ranges, refused = {"S": "1..30", "B": "1..5"}, [{"S": 31}, {"B": 6}]
    lengths = [("ReduceSum", ["mask", "last"], ["some"], {"keepdims": 0}),
               ("Cast", ["some"], ["lengths"], {"to": TensorProto.INT32})]
    for name, gates, attributes in (("LSTM", 4, {}), ("GRU", 3, {"linear_before_reset": 1}),
                                    ("GRU", 3, {"linear_before_reset": 0}), ("RNN", 1, {})):
        outputs = ["y", "h"] + (["c"] if name == "LSTM" else [])
        kind = f"{name.lower()}{attributes.get('linear_before_reset', '')}"
        yield model(
            kind, [(name, ["x", "w", "r", "b"], outputs, {"hidden_size": 20, **attributes}),
                   ("Squeeze", ["y", "one"], ["rows"]), ("MatMul", ["rows", "v"], ["z"])],
            {"x": ["S", "B", 12]}, {"z": ["S", "B", 7], **{o: [1, "B", 20] for o in outputs[1:]}},
            {"w": weights(1, gates * 20, 12), "r": weights(1, gates * 20, 20),
             "b": weights(1, 2 * gates * 20), "v": weights(20, 7), "one": np.array([1])},
        ), ranges, points, refused, True
        yield model( # both directions, each sequence to its own end, from states that are given
            f"{kind}_both", [*lengths, (name, ["x", "w", "r", "", "lengths", "h0"], outputs,
                                        {"hidden_size": 20, "direction": "bidirectional", **attributes})],
            {"x": ["S", "B", 12], "mask": ["B", "S"], "h0": [2, "B", 20]},
            {"y": ["S", 2, "B", 20], **{o: [2, "B", 20] for o in outputs[1:]}},
            {"w": weights(2, gates * 20, 12), "r": weights(2, gates * 20, 20), "last": np.array([1])},
        ), ranges, points, refused, False


def control():
    """Bodies that work on sizes of the model, and loops that run as often as one says."""
    random = np.random.default_rng(2)
    weights = (random.standard_normal((8, 8)) / 3).astype(np.float32)
    rows = {"s": (F32, ["B", 8])}
    step = body("step", [("MatMul", ["s", "w"], ["p"]), ("Tanh", ["p"], ["t"]),
                         ("Identity", ["going"], ["on"]), ("Identity", ["t"], ["kept"])],
                {"i": (I64, []), "going": (BOOL, []), **rows},
                {"on": (BOOL, []), "t": (F32, ["B", 8]), "kept": (F32, ["B", 8])})
    yield model( # as many rounds as there are steps
        "rounds", [("Shape", ["x"], ["n"], {"end": 1}), ("Squeeze", ["n"], ["count"]),
                   ("Loop", ["count", "", "h0"], ["h", "all"], {"body": step})],
        {"x": ["S", 3], "h0": ["B", 8]}, {"h": ["B", 8], "all": ["S", "B", 8]}, {"w": weights},
    ), {"S": "1..9", "B": "1..70"}, [{"S": s, "B": b} for s, b in ((1, 1), (2, 3), (9, 70))], \
        [{"S": 10}], False

    turn = body("turn", [("Neg", ["s"], ["t"]), ("Identity", ["going"], ["on"])],
                {"i": (I64, []), "going": (BOOL, []), **rows}, {"on": (BOOL, []), "t": (F32, ["B", 8])})
    yield model( # a body that reads nothing but what it carries
        "turned", [("Loop", ["three", "", "x0"], ["y"], {"body": turn})],
        {"x0": ["B", 8]}, {"y": ["B", 8]}, {"three": np.array(3)},
    ), {"B": "1..70"}, [{"B": b} for b in (1, 3, 70)], [{"B": 71}]

    grow = body("grow", [("MatMul", ["s", "w"], ["p"]), ("Add", ["p", "xt"], ["a"]),
                         ("Softmax", ["a"], ["next"], {"axis": 0}), ("ReduceMax", ["next"], ["most"], {"keepdims": 0})],
                {"s": (F32, ["B", 8]), "xt": (F32, ["B", 8])},
                {"next": (F32, ["B", 8]), "most": (F32, [])})
    yield model( # along an axis in the middle, and back
        "scanned", [("Scan", ["h0", "x"], ["h", "y"],
                     {"body": grow, "num_scan_inputs": 1, "scan_input_axes": [1],
                      "scan_input_directions": [1]})],
        {"h0": ["B", 8], "x": ["B", "S", 8]}, {"h": ["B", 8], "y": ["S"]}, {"w": weights},
    ), {"S": "1..20", "B": "1..40"}, [{"S": s, "B": b} for s, b in ((1, 1), (3, 2), (20, 40))], \
        [{"B": 41}], False

    double = body("double", [("Add", ["s", "s"], ["d"])], {}, {"d": (F32, ["B", 8])})
    shrink = body("shrink", [("MatMul", ["s", "w"], ["q"]), ("Relu", ["q"], ["d2"])], {}, {"d2": (F32, ["B", 8])})
    inner = body("inner", [("ReduceSum", ["s"], ["sum"], {"keepdims": 0}),
                           ("Less", ["sum", "zero"], ["low"]),
                           ("If", ["low"], ["e"], {"then_branch": double, "else_branch": shrink}),
                           ("Tanh", ["e"], ["t"]), ("Identity", ["going"], ["on"])],
                 {"j": (I64, []), "going": (BOOL, []), **rows}, {"on": (BOOL, []), "t": (F32, ["B", 8])})
    outer = body("outer", [("Loop", ["three", "", "u"], ["v"], {"body": inner}),
                           ("Add", ["v", "x0"], ["u2"]), ("Less", ["i", "four"], ["more"])],
                 {"i": (I64, []), "c": (BOOL, []), "u": (F32, ["B", 8])},
                 {"more": (BOOL, []), "u2": (F32, ["B", 8])})
    yield model( # a branch in a loop in a loop that ends by a condition
        "nested", [("Loop", ["ten", "", "x0"], ["y"], {"body": outer})],
        {"x0": ["B", 8]}, {"y": ["B", 8]},
        {"w": weights, "zero": np.float32(0), "three": np.array(3), "four": np.array(4),
         "ten": np.array(10)},
    ), {"B": "1..40"}, [{"B": b} for b in (1, 2, 17, 40)], [{"B": 41}], True


def elements():
    """What is looked up, counted, sorted and put in place."""
    random = np.random.default_rng(3)
    weights = random.standard_normal((6, 6)).astype(np.float32)
    points = [{"N": n} for n in (3, 4, 31, 33, 90)]
    yield model(
        "sorted", [("TopK", ["x", "k"], ["top", "at"], {"axis": 0}), ("Shape", ["x"], ["n"], {"end": 1}),
                   ("TopK", ["x", "n"], ["all", "order"], {"axis": 0, "largest": 0}),
                   ("ArgMax", ["x"], ["most"], {"axis": 0}), ("ArgMin", ["x"], ["least"], {"axis": 1}),
                   ("CumSum", ["x", "zero"], ["sum"]),
                   ("GatherElements", ["x", "order"], ["again"], {"axis": 0}),
                   ("ScatterElements", ["x", "order", "sum"], ["put"], {"axis": 0}),
                   ("OneHot", ["first", "depth", "pair"], ["hot"])],
        {"x": ["N", 6], "first": (I64, ["N"])},
        {"top": [3, 6], "at": (I64, [3, 6]), "all": ["N", 6], "most": (I64, [1, 6]), "least": (I64, ["N", 1]),
         "sum": ["N", 6], "again": ["N", 6], "put": ["N", 6], "hot": ["N", 100]},
        {"k": np.array([3]), "zero": np.array(0), "depth": np.array(100), "pair": np.float32([0, 2])},
    ), {"N": "3..90"}, points, [{"N": 2}, {"N": 91}], False
    yield model(
        "counted",
        [("Greater", ["x", "zero"], ["g"]), ("NonZero", ["g"], ["p"]), ("Greater", ["m", "zero"], ["b"]),
         ("Compress", ["x", "b"], ["k"], {"axis": 0}), ("MatMul", ["k", "w"], ["y"]),
         ("Floor", ["x"], ["f"]), ("Unique", ["f"], ["u"])],
        {"x": ["N", 6], "m": ["N"]}, {"p": (I64, [2, "found"]), "y": ["kept", 6], "u": ["values"]},
        {"zero": np.float32(0), "w": weights},
    ), {"N": "1..90"}, [{"N": n} for n in (1, 2, 33, 90)], [{"N": 91}], False
    yield model(
        "moved", [("Tile", ["x", "twice"], ["t"]),
                  ("Transpose", ["x"], ["q"]), ("Hardmax", ["q"], ["h"]), ("MatMul", ["q", "x"], ["m"]),
                  ("Gemm", ["q", "x"], ["g"]), ("Gemm", ["m", "q"], ["wide"]),
                  ("Einsum", ["x", "q"], ["e"], {"equation": "ni,im->nm"}),
                  ("LpNormalization", ["q"], ["l"], {"axis": 1, "p": 2}),
                  ("Cast", ["x"], ["d"], {"to": TensorProto.DOUBLE}), ("Cast", ["q"], ["dq"], {"to": TensorProto.DOUBLE}),
                  ("MatMul", ["d", "dq"], ["dd"]), ("Cast", ["dd"], ["f"], {"to": F32}),
                  ("DynamicQuantizeLinear", ["x"], ["u", "us", "uz"]), ("Transpose", ["u"], ["ut"]),
                  ("MatMulInteger", ["u", "ut", "uz", "uz"], ["i"])],
        {"x": ["N", 6]},
        {"t": ["twice", 6], "h": [6, "N"], "g": [6, 6], "wide": [6, "N"], "e": ["N", "N"],
         "l": [6, "N"], "f": ["N", "N"], "i": (TensorProto.INT32, ["N", "N"])},
        {"twice": np.array([2, 1])},
    ), {"N": "1..40"}, [{"N": n} for n in (1, 2, 17, 40)], [{"N": 41}], False


if __name__ == "__main__":
    dims.main([*recurrent(), *control(), *elements()])
