# SPDX-License-Identifier: Apache-2.0
"""Requests of a batch run as one, with the bits that each gets alone.

usage: batch.py --burin BURIN --check BATCH_CHECK --work DIR

Models whose rows do not depend on one another take one launch sequence for all requests that
fit a variant; others say at compile time which node stands against it, and run them one by one.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT32, INT64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64


def model(name, nodes, inputs, outputs, initializers=None):
    """A checked model; `nodes` as (op, inputs, outputs[, attributes]), tensors as {name: (type, shape)}."""
    def infos(tensors):
        return [helper.make_tensor_value_info(key, *info) for key, info in tensors.items()]
    graph = helper.make_graph(
        [helper.make_node(op, ins, outs, name=f"{op}_{i}", **(rest[0] if rest else {}))
         for i, (op, ins, outs, *rest) in enumerate(nodes)],
        name, infos(inputs), infos(outputs),
        [numpy_helper.from_array(value, key) for key, value in (initializers or {}).items()])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(made)
    return made


random = np.random.default_rng(0)


def weights(*shape):
    return (random.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)


def separable():
    x, y = {"x": (FLOAT, ["batch", 48])}, {"y": (FLOAT, ["batch", 48])}
    yield model("mlp", [("MatMul", ["x", "w"], ["a"]), ("LayerNormalization", ["a", "g"], ["l"]),
                        ("Gelu", ["l"], ["h"]), ("Gemm", ["h", "w", "g"], ["s"]),
                        ("Softmax", ["s"], ["y"])],
                x, y, {"w": weights(48, 48), "g": weights(48)})
    yield model("attention",
                [("Gather", ["table", "ids"], ["e"]), ("MatMul", ["e", "w"], ["qkv"]),
                 ("Split", ["qkv"], ["q", "k", "v"], {"axis": 2, "num_outputs": 3}),
                 *((op, ins, outs, *rest) for part in "qkv" for op, ins, outs, *rest in (
                     ("Reshape", [part, "heads"], [part + "r"]),
                     ("Transpose", [part + "r"], [part + "t"],
                      {"perm": [0, 2, 3, 1] if part == "k" else [0, 2, 1, 3]}))),
                 ("MatMul", ["qt", "kt"], ["scores"]), ("Cast", ["mask"], ["m"], {"to": FLOAT}),
                 ("Unsqueeze", ["m", "axes"], ["mu"]), ("Add", ["scores", "mu"], ["sm"]),
                 ("Softmax", ["sm"], ["p"]), ("MatMul", ["p", "vt"], ["o"]),
                 ("Transpose", ["o"], ["ot"], {"perm": [0, 2, 1, 3]}),
                 ("Reshape", ["ot", "joined"], ["y"])],
                {"ids": (INT64, ["batch", 7]), "mask": (INT64, ["batch", 7])},
                {"y": (FLOAT, ["batch", 7, 16])},
                {"table": weights(9, 16), "w": weights(16, 48), "heads": np.array([0, 7, 4, 4]),
                 "axes": np.array([1, 2]), "joined": np.array([0, 7, 16])})
    yield model("pictures",
                [("Conv", ["x", "w"], ["c"], {"pads": [1] * 4}),
                 ("InstanceNormalization", ["c", "g", "b"], ["n"]), ("Relu", ["n"], ["r"]),
                 ("MaxPool", ["r"], ["m"], {"kernel_shape": [2, 2], "strides": [2, 2]}),
                 ("Resize", ["m", "", "scales"], ["z"], {"mode": "linear"}),
                 ("Concat", ["z", "x"], ["y"], {"axis": 1})],
                {"x": (FLOAT, ["batch", 3, 8, 8])}, {"y": (FLOAT, ["batch", 8, 8, 8])},
                {"w": weights(5, 3, 3, 3), "g": weights(5), "b": weights(5),
                 "scales": np.array([1, 1, 2, 2], np.float32)})
    # Rows in the second dim, lengths of their own, a loop that carries states.
    yield model("sequences",
                [("LSTM", ["x", "w", "r", "", "lengths"], ["y", "last"],
                  {"hidden_size": 8, "direction": "bidirectional"})],
                {"x": (FLOAT, [5, "batch", 6]), "lengths": (INT32, ["batch"])},
                {"y": (FLOAT, [5, 2, "batch", 8]), "last": (FLOAT, [2, "batch", 8])},
                {"w": weights(2, 32, 6), "r": weights(2, 32, 8)})
    yield model("ranks", [("TopK", ["x", "three"], ["v", "i"]),
                          ("CumSum", ["v", "one"], ["s"]), ("Reshape", ["s", "flat"], ["y"])],
                x, {"i": (INT64, ["batch", 3]), "y": (FLOAT, ["rows"])},
                {"three": np.array([3]), "one": np.array(1), "flat": np.array([-1])})


def entangled():
    """(model, part of what is said against it)."""
    x, y = {"x": (FLOAT, ["batch", 8])}, {"y": (FLOAT, ["batch", 8])}
    zero = {"zero": np.array(0), "first": np.array([0])}
    yield model("quantized", [("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
                              ("DequantizeLinear", ["q", "s", "z"], ["y"])], x, y), "Quantize"
    yield model("centred", [("ReduceSum", ["x", "first"], ["m"]), ("Sub", ["x", "m"], ["y"])],
                x, y, zero), "ReduceSum_0"
    yield model("by_size", [("Shape", ["x"], ["s"]), ("Gather", ["s", "zero"], ["n"]),
                            ("Cast", ["n"], ["f"], {"to": FLOAT}), ("Div", ["x", "f"], ["y"])],
                x, y, zero), "Div_3"
    yield model("numbered", [("Shape", ["x"], ["s"]), ("Gather", ["s", "zero"], ["n"]),
                             ("Range", ["zero", "n", "one"], ["r"]),
                             ("Cast", ["r"], ["f"], {"to": FLOAT}),
                             ("Unsqueeze", ["f", "last"], ["u"]), ("Add", ["x", "u"], ["y"])],
                x, y, zero | {"one": np.array(1), "last": np.array([1])}), "Add_5"
    yield model("running", [("CumSum", ["x", "zero"], ["y"])], x, y, zero), "CumSum_0"
    yield model("picked", [("Gather", ["x", "first"], ["f"]), ("Add", ["x", "f"], ["y"])],
                x, y, zero), "Gather_0"
    yield model("turned", [("Reshape", ["x", "shape"], ["y"])], x, {"y": (FLOAT, [8, "batch"])},
                {"shape": np.array([8, -1])}), "Reshape_0"


def build(arguments, made, dims):
    """The artifact, and what its certificate says."""
    path, artifact = arguments.work / f"{made.graph.name}.onnx", arguments.work / "batch.so"
    onnx.save(made, path)
    subprocess.run([arguments.burin, "compile", path, "-o", artifact, "--dim", f"batch={dims}",
                    "--one-thread-below", "0"],
                   check=True, stdout=subprocess.DEVNULL)
    said = subprocess.run([arguments.burin, "inspect", artifact, "--json"], check=True,
                          stdout=subprocess.PIPE).stdout
    return artifact, json.loads(said)["certificate"]


def launches(arguments, artifact, requests):
    """Launches of `requests` requests of one row: one by one, and as a batch."""
    run = subprocess.run([arguments.check, artifact, str(requests), "batch=1"],
                         stdout=subprocess.PIPE, text=True)
    if run.returncode:
        print(f"{requests} requests: exit code {run.returncode}, other bits than alone")
        return None
    one_thread, two_threads = run.stdout.splitlines()
    assert one_thread == two_threads, run.stdout
    return tuple(map(int, one_thread.split()))


def check_separable(arguments, made):
    good = True
    artifact, certificate = build(arguments, made, "1,3,8")
    alone, three, eight = (variant["launches"] for variant in certificate["variants"])
    wanted = {1: alone, 2: three, 3: three, 5: eight, 8: eight, 9: eight + alone, 16: 2 * eight}
    for requests, expected in wanted.items():
        found = launches(arguments, artifact, requests)
        if found != (requests * alone, expected):
            print(f"{made.graph.name}: {requests} requests took {found} launches, not {expected}")
            good = False
    return good and certificate["batch"] == {"dim": "batch"}


def check_entangled(arguments, made, said):
    artifact, certificate = build(arguments, made, "1,4")
    alone = certificate["variants"][0]["launches"]
    if said not in certificate["batch"].get("serial", ""):
        print(f"{made.graph.name}: the certificate says {certificate['batch']}")
        return False
    found = launches(arguments, artifact, 4)
    if found != (4 * alone, 4 * alone):
        print(f"{made.graph.name}: 4 requests took {found} launches")
        return False
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", required=True)
    parser.add_argument("--check", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    good = [check_separable(arguments, made) for made in separable()]
    good += [check_entangled(arguments, made, said) for made, said in entangled()]
    print(f"{sum(good)} of {len(good)} models agree")
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
