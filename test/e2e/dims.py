# SPDX-License-Identifier: Apache-2.0
"""Models whose sizes change from run to run: one artifact, many sizes, by ranges and by variants.

usage: dims.py --burin BURIN --work DIR [--only CASE]

Each model is compiled with what --dim says and run at several sizes, the bounds among them. Each
output is compared with ONNX Runtime's, at the largest size with an evaluation in f64 (see
compare.py), and must have the same bits on 1 and 2 threads and in an artifact that is compiled
for just that size. Sizes outside of the range are refused.
"""
import argparse
import pathlib
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "models"))
import compare
import reference
from graph import model


def models():
    """(model, --dim options, sizes to run at, sizes to refuse) of each case."""
    random = np.random.default_rng(0)

    def weights(*shape):
        return (random.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32)

    yield model(
        "feed_forward", [("MatMul", ["x", "w"], ["p"]), ("Add", ["p", "b"], ["s"]),
                         ("Gelu", ["s"], ["y"])],
        {"x": ["M", 768]}, {"y": ["M", 3072]}, {"w": weights(768, 3072), "b": weights(3072)},
    ), {"M": "1..512"}, [{"M": m} for m in (1, 2, 5, 6, 7, 91, 512)], [{"M": 0}, {"M": 513}]

    yield model(
        "rows", [("LayerNormalization", ["x", "g", "b"], ["l"], {"axis": -1}),
                 ("Gemm", ["l", "w1", "b1"], ["h"]), ("Relu", ["h"], ["r"]),
                 ("MatMul", ["r", "w2"], ["m"]), ("Add", ["m", "x"], ["s"]),
                 ("Softmax", ["s"], ["y"], {"axis": -1}),
                 ("ReduceMean", ["s", "axis"], ["mean"], {"keepdims": 1}),
                 ("Slice", ["s", "from", "to", "axis"], ["q"]),
                 ("Concat", ["q", "x"], ["c"], {"axis": 1}),
                 ("Transpose", ["c"], ["t"], {"perm": [1, 0]}),
                 ("Split", ["c"], ["u", "v"], {"axis": 1, "num_outputs": 2}),
                 ("Sub", ["u", "v"], ["d"])],
        {"x": ["B", 48]}, {"y": ["B", 48], "mean": ["B", 1], "t": [64, "B"], "d": ["B", 32]},
        {"g": weights(48), "b": weights(48), "w1": weights(48, 96), "b1": weights(96),
         "w2": weights(96, 48), "axis": np.array([1]), "from": np.array([4]), "to": np.array([20])},
    ), {"B": "0..40"}, [{"B": b} for b in (0, 1, 2, 17, 40)], [{"B": 41}]

    yield model( # attention in the windows of images, each window with a mask of its own; rows of a part
        "windows", [("Reshape", ["x", "split"], ["h"]), ("Transpose", ["h"], ["q"], {"perm": [0, 2, 1, 3]}),
                    ("Transpose", ["h"], ["k"], {"perm": [0, 2, 3, 1]}), ("MatMul", ["q", "k"], ["s"]),
                    ("Shape", ["x"], ["bn"], {"end": 2}), ("Concat", ["bn", "rest"], ["five"], {"axis": 0}),
                    ("Reshape", ["s", "five"], ["w"]), ("Add", ["w", "mask"], ["m"]),
                    ("Reshape", ["m", "scores"], ["t"]), ("Softmax", ["t"], ["p"], {"axis": -1}),
                    ("MatMul", ["p", "q"], ["y"]), ("Slice", ["x", "none", "two", "two"], ["part"]),
                    ("MatMul", ["part", "v"], ["z"])],
        {"x": ["b", "n", 4, 32], "mask": [1, "n", 1, 4, 4]}, {"y": ["windows", 2, 4, 16], "z": ["b", "n", 2, 9]},
        {"none": np.array([0]), "two": np.array([2]), "v": weights(32, 9),
         "split": np.array([-1, 4, 2, 16]), "rest": np.array([2, 4, 4]), "scores": np.array([-1, 2, 4, 4])},
    ), {"b": "1..3", "n": "1..5"}, [{"b": b, "n": n} for b, n in ((1, 1), (1, 4), (2, 1), (3, 5))], [{"n": 6}]

    yield model(
        "heads", [("MatMul", ["x", "w"], ["m"]), ("Reshape", ["m", "shape"], ["r"]),
                  ("Transpose", ["r"], ["t"], {"perm": [0, 2, 1, 3]}), ("Sigmoid", ["t"], ["y"]),
                  ("LayerNormalization", ["m", "g"], ["l"], {"axis": -1})],
        {"x": ["batch", "seq", 32]}, {"y": ["batch", 4, "seq", 8], "l": ["batch", "seq", 32]},
        {"w": weights(32, 32), "g": weights(32), "shape": np.array([0, 0, 4, 8])},
    ), {"batch": "1..3", "seq": "1..70"}, [
        {"batch": 1, "seq": 1}, {"batch": 2, "seq": 33}, {"batch": 3, "seq": 70},
    ], [{"batch": 0}, {"batch": 4}, {"seq": 0}, {"seq": 71}]

    yield model( # what no range passes through: a convolution's batch and height
        "image", [("Conv", ["x", "w"], ["c"], {"pads": [1, 1, 1, 1]}), ("Relu", ["c"], ["map"]),
                  ("GlobalAveragePool", ["map"], ["p"]), ("Flatten", ["p"], ["f"]),
                  ("Gemm", ["f", "v"], ["y"])],
        {"x": ["batch", 3, "h", 20]}, {"y": ["batch", 10], "map": ["batch", 24, "h", 20]},
        {"w": weights(24, 3, 3, 3), "v": weights(24, 10)},
    ), {"batch": "1,3,8", "h": "9,16"}, [{"batch": b, "h": h} for b, h in
                                         ((1, 9), (1, 16), (3, 9), (8, 16))], [{"batch": 2}, {"h": 12}]

    yield model( # one step of a decoder: what it has seen grows by one
        "cache", [("Concat", ["past", "new"], ["present"], {"axis": 2}),
                  ("Transpose", ["present"], ["keys"], {"perm": [0, 1, 3, 2]}),
                  ("MatMul", ["query", "keys"], ["scores"]), ("Add", ["scores", "mask"], ["masked"]),
                  ("Softmax", ["masked"], ["weights"]), ("MatMul", ["weights", "present"], ["y"])],
        {"past": [1, 2, "P", 8], "new": [1, 2, 1, 8], "query": [1, 2, 1, 8],
         "mask": [1, 1, 1, "P + 1"]}, {"present": [1, 2, "total", 8], "y": [1, 2, 1, 8]}, {},
    ), {"P": "0..300"}, [{"P": p} for p in (0, 1, 2, 15, 16, 255, 300)], [{"P": 301}]

    shape = [("Shape", ["ids"], ["shape"]), ("Gather", ["shape", "zero"], ["b"], {"axis": 0}),
             ("Gather", ["shape", "one"], ["s"], {"axis": 0}), ("Unsqueeze", ["b", "zero1"], ["b1"]),
             ("Unsqueeze", ["s", "zero1"], ["s1"])]
    heads = [step for x in "qkv" for step in
             (("MatMul", ["h", "w" + x], [x + "0"]), ("Reshape", [x + "0", "split"], [x + "1"]),
              ("Transpose", [x + "1"], [x], {"perm": [0, 2, 3, 1] if x == "k" else [0, 2, 1, 3]}))]
    yield model( # shapes computed as exporters do
        "encoder", [*shape, ("Gather", ["words", "ids"], ["e"]),
                    ("Slice", ["places", "zero1", "s1", "one1"], ["at"]), ("Add", ["e", "at"], ["x"]),
                    ("LayerNormalization", ["x", "g", "bias"], ["h"], {"axis": -1}),
                    ("Concat", ["b1", "s1", "parts"], ["split"], {"axis": 0}), *heads,
                    ("MatMul", ["q", "k"], ["scores"]), ("Unsqueeze", ["mask", "axes"], ["m"]),
                    ("Add", ["scores", "m"], ["masked"]), ("Softmax", ["masked"], ["p"]),
                    ("MatMul", ["p", "v"], ["c0"]),
                    ("Transpose", ["c0"], ["c1"], {"perm": [0, 2, 1, 3]}),
                    ("Concat", ["b1", "s1", "whole"], ["merge"], {"axis": 0}),
                    ("Reshape", ["c1", "merge"], ["c"]), ("Add", ["c", "x"], ["y"]),
                    ("Mul", ["s", "b"], ["rows"]), ("Unsqueeze", ["rows", "zero1"], ["rows1"]),
                    ("Concat", ["rows1", "minus"], ["flat"], {"axis": 0}),
                    ("Reshape", ["y", "flat"], ["tokens"])],
        {"ids": (TensorProto.INT64, ["B", "S"]), "mask": ["B", "S"]},
        {"y": ["B", "S", 32], "tokens": ["rows", 32]},
        {"words": weights(100, 32), "places": weights(1, 40, 32), "g": weights(32),
         "bias": weights(32), **{"w" + x: weights(32, 32) for x in "qkv"},
         "zero": np.array(0), "one": np.array(1), "zero1": np.array([0]), "one1": np.array([1]),
         "parts": np.array([4, 8]), "whole": np.array([32]), "minus": np.array([-1]),
         "axes": np.array([1, 2])},
    ), {"B": "1..3", "S": "1..40"}, [{"B": b, "S": s} for b, s in ((1, 1), (1, 3), (2, 17), (3, 40))], \
        [{"S": 41}]

    yield model( # what is folded changes in size: rows of the last axis, and across rows
        "pooling", [("ReduceMean", ["x", "one"], ["mean"], {"keepdims": 0}),
                    ("ReduceSum", ["wide", "last"], ["sum"]),
                    ("ReduceMax", ["wide", "last"], ["most"], {"keepdims": 0}),
                    ("ReduceLogSumExp", ["wide", "last"], ["log"])],
        {"x": ["B", "S", 24], "wide": [3, "S"]},
        {"mean": ["B", 24], "sum": [3, 1], "most": [3], "log": [3, 1]},
        {"one": np.array([1]), "last": np.array([-1])},
    ), {"B": "1..3", "S": "1..600"}, [{"B": b, "S": s} for b, s in
                                      ((1, 1), (2, 2), (3, 3), (1, 17), (1, 255), (2, 256), (1, 600))], \
        [{"S": 601}]

    yield model( # a batch of images
        "batch", [("Conv", ["x", "w"], ["a"], {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
                  ("MaxPool", ["a"], ["b"], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
                  ("Conv", ["b", "d"], ["c"], {"pads": [1, 1, 1, 1], "group": 24}),
                  ("Conv", ["c", "g", "bias"], ["e"], {"group": 2}), ("Relu", ["e"], ["f"]),
                  ("AveragePool", ["f"], ["h"], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
                  ("GlobalAveragePool", ["h"], ["p"]), ("Flatten", ["p"], ["flat"]),
                  ("Gemm", ["flat", "v"], ["y"])],
        {"x": ["N", 3, 18, 20]}, {"y": ["N", 10], "h": ["N", 32, 9, 10]},
        {"w": weights(24, 3, 3, 3), "d": weights(24, 1, 3, 3), "g": weights(32, 12, 1, 1),
         "bias": weights(32), "v": weights(32, 10)},
    ), {"N": "0..5"}, [{"N": n} for n in (0, 1, 3, 5)], [{"N": 6}]

    yield model( # scores as a result, over a past; of a head half is turned
        "scores", [("RotaryEmbedding", ["x", "cos", "sin"], ["q"], {"rotary_embedding_dim": 4}),
                   ("Attention", ["q", "k", "k", "", "past", "past"], ["y", "nk", "nv", "s"])],
        {"x": ["B", 4, "S", 8], "k": ["B", 2, "S", 8], "past": ["B", 2, "P", 8], "cos": ["B", "S", 2],
         "sin": ["B", "S", 2]}, {"y": ["B", 4, "S", 8], "s": ["B", 4, "S", "T"], "nk": ["B", 2, "T", 8]}, {}, opset=23,
    ), {"B": "1..2", "S": "1..40", "P": "0..9"}, [{"B": b, "S": s, "P": p} for b, s, p in
                                                 ((1, 1, 0), (2, 3, 9), (2, 40, 2))], [{"S": 41}]

    yield model( # few rows read the other factor where it lies, a range's read panels
        "few", [("Transpose", ["k"], ["t"], {"perm": [0, 1, 3, 2]}), ("MatMul", ["q", "t"], ["s"]),
                ("Softmax", ["s"], ["p"]), ("MatMul", ["p", "v"], ["y"]), ("MatMul", ["p", "w"], ["z"])],
        {"q": [2, 3, "Q", 20], "k": [2, 3, 237, 20], "v": [2, 3, 237, 24], "w": [3, 237, 32]},
        {"s": [2, 3, "Q", 237], "y": [2, 3, "Q", 24], "z": [2, 3, "Q", 32]}, {},
    ), {"Q": "1..20"}, [{"Q": q} for q in (1, 4, 9, 20)], []

    yield model( # a range, and sizes in it that have a plan of their own
        "mixed", [("MatMul", ["x", "w"], ["p"]), ("Tanh", ["p"], ["y"])],
        {"x": ["seq", 40]}, {"y": ["seq", 56]}, {"w": weights(40, 56)},
    ), {"seq": "1..64:16,64"}, [{"seq": s} for s in (1, 15, 16, 63, 64)], [{"seq": 65}]


def flags(dims):
    return [text for name, size in dims.items() for text in ("--dim", f"{name}={size}")]


def check(arguments, made, options, points, refused, judged=True, part=None):
    """True where every size gives the right answer; `judged` where onnx.reference knows the exact one,
    `part` as in compare.py."""
    work = arguments.work
    path, artifact, fixed = work / f"{made.graph.name}.onnx", work / "dims.so", work / "fixed.so"
    onnx.save(made, path)

    def build(output, dims):
        subprocess.run([arguments.burin, "compile", path, "-o", output, "--one-thread-below", "0"] + flags(dims),
                       check=True, stdout=subprocess.DEVNULL)

    build(artifact, options)
    names, good = [output.name for output in made.graph.output], True
    for dims in points:
        shapes = {info.name: [eval(dim.dim_param, {}, dims) if dim.dim_param else dim.dim_value
                              for dim in info.type.tensor_type.shape.dim]
                  for info in made.graph.input}
        inputs = reference.make_inputs(made, seed=1, shapes=shapes)
        actual = compare.run_burin(arguments.burin, artifact, inputs, names, work, 2)
        single = compare.run_burin(arguments.burin, artifact, inputs, names, work, 1)
        build(fixed, dims)
        alone = compare.run_burin(arguments.burin, fixed, inputs, names, work, 1)
        expected = reference.run_onnxruntime(path, inputs)
        # Of a few elements the largest error is a matter of luck: f64 judges the last size.
        exact = reference.run_double(made, inputs, work) if judged and dims is points[-1] else {}
        print(made.graph.name, dims)
        for name in names:
            good &= compare.check_output(name, actual[name], expected[name], exact.get(name), part)
            for other, what in ((single, "one thread"), (alone, "an artifact of that size")):
                if actual[name].tobytes() != other[name].tobytes():
                    print(f"{name}: other bits than on {what}")
                    good = False
    for outside in refused:
        run = subprocess.run([arguments.burin, "run", artifact, "--random", "1", "-o", work / "out"]
                             + flags(outside), capture_output=True, text=True)
        if run.returncode != 2 or next(iter(outside)) not in run.stderr:
            print(f"{outside}: exit code {run.returncode}, said '{run.stderr}'")
            good = False
    return good


def disagreements():
    """(model, --dim options, [(shapes of inputs, what a run says that ends, or nothing)]) of each case."""
    said = "input 'x': its size '2*batch + 1' is {}, which is not what the other sizes say"
    yield model( # a size is solved from its multiple
        "twice", [("ReduceSum", ["x", "axis"], ["s"], {"keepdims": 0}),
                  ("Concat", ["s", "mask"], ["y"], {"axis": 0})],
        {"x": ["2*batch + 1", 4], "mask": ["batch"]}, {"y": ["n"]}, {"axis": np.array([1])},
    ), {"batch": "1..5"}, [({"x": (7, 4), "mask": (3,)}, ""), ({"x": (11, 4), "mask": (5,)}, ""),
                           ({"x": (7, 4), "mask": (2,)}, said.format(7)),
                           ({"x": (6, 4), "mask": (3,)}, said.format(6))]

    said = "node '{}': the sizes 'M' and 'N' must be equal, but one is {}"
    for node, nodes, x, y, result in (
            ("MatMul_0", [("MatMul", ["x", "y"], ["z"])], [2, "N"], ["M", 3], [2, 3]),
            ("Add_0", [("Add", ["x", "y"], ["z"])], ["N", 3], ["M", 1], ["n", 3]),
            ("Concat_0", [("Concat", ["x", "y"], ["z"], {"axis": 1})], ["N", 3], ["M", 1], ["n", 4])):
        def shapes(n, m):
            return {name: tuple({"N": n, "M": m}.get(size, size) for size in sizes)
                    for name, sizes in (("x", x), ("y", y))}
        yield model(node, nodes, {"x": x, "y": y}, {"z": result}, {}), {"N": "1..9", "M": "2..30"}, [
            (shapes(4, 4), ""), (shapes(9, 9), ""), (shapes(4, 5), said.format(node, 5)),
            (shapes(5, 4), said.format(node, 4))]

    said = "node 'LayerNormalization_0': the sizes '3' and 'N' must be equal, but one is {}"
    yield model( # a range beside what is fixed
        "scaled", [("LayerNormalization", ["x", "g"], ["y"], {"axis": 1})],
        {"x": [2, "N", 5]}, {"y": [2, "n", 5]}, {"g": np.linspace(-1, 2, 15, dtype=np.float32).reshape(3, 5)},
    ), {"N": "1..4"}, [({"x": (2, 3, 5)}, ""), ({"x": (2, 4, 5)}, said.format(4)), ({"x": (2, 1, 5)}, said.format(1))]

    said = "node 'Concat_0': the sizes '8' and 'N + 3' must be equal, but one is {}"
    yield model( # what the model declares is no more than what follows from its inputs
        "declared", [("Concat", ["x", "three"], ["y"], {"axis": 0})], {"x": ["N"]}, {"y": [8]},
        {"three": np.float32([1, 2, 3])},
    ), {"N": "1..16"}, [({"x": (n,)}, said.format(n + 3) if n != 5 else "") for n in (5, 4, 16)]

    said = "the sizes '2' and 'N' must be equal, but one is {}"
    product = [("MatMul", ["q", "k"], ["s"]), ("Mul", ["s", "scale"], ["t"]),
               ("Softmax", ["t"], ["p"]), ("MatMul", ["p", "v"], ["y"])]
    for name in ("q", "k", "v", "s"): # attention of which one operand's batch is a range
        shapes = {key: ["N" if key == name else 2, 3, *sizes]
                  for key, sizes in (("q", (5, 7)), ("k", (7, 7)), ("v", (7, 7)))}
        nodes = [("Attention", ["q", "k", "v"], ["y"])]
        if name == "s": # in operators that would broadcast 1
            nodes, shapes["q"][0] = product, "N"
        yield model(f"attention_{name}", nodes, shapes, {"y": ["n", 3, 5, 7]},
                    {"scale": np.float32(0.5)}, opset=23), {"N": "2..4"}, [
            ({key: tuple(n if size == "N" else size for size in shape)
              for key, shape in shapes.items()}, said.format(n) if n != 2 else "") for n in (2, 3, 4)]

    up = {"mode": "nearest"} # a detector that joins scales: even heights alone
    said = "node 'Concat_2': the sizes '2 * ((h + 1) floordiv 2)' and 'h' must be equal"
    yield model(
        "pyramid", [("MaxPool", ["x"], ["a"], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
                    ("Resize", ["a", "", "scales"], ["b"], up), ("Concat", ["b", "x"], ["y"], {"axis": 1})],
        {"x": [1, 2, "h", 8]}, {"y": [1, 4, "h", 8]}, {"scales": np.array([1, 1, 2, 2], np.float32)},
    ), {"h": "3..20"}, [({"x": (1, 2, 4, 8)}, ""), ({"x": (1, 2, 20, 8)}, ""), ({"x": (1, 2, 5, 8)}, said)]


def disagreement(arguments):
    """True where inputs whose sizes disagree end a run, and others give the right answer."""
    work, good = arguments.work, True
    for made, options, runs in disagreements():
        path, artifact = work / f"{made.graph.name}.onnx", work / "disagreement.so"
        onnx.save(made, path)
        subprocess.run([arguments.burin, "compile", path, "-o", artifact, "--one-thread-below", "0"] + flags(options),
                       check=True, stdout=subprocess.DEVNULL)
        for shapes, said in runs:
            inputs = reference.make_inputs(made, seed=1, shapes=shapes)
            command = [arguments.burin, "run", artifact, "-o", work / "out"]
            for name, value in inputs.items():
                np.save(work / f"{name}.npy", value)
                command += ["-i", f"{name}={work / name}.npy"]
            run = subprocess.run(command, capture_output=True, text=True)
            if run.returncode != (1 if said else 0) or said not in run.stderr:
                print(f"{made.graph.name}, {shapes}: exit code {run.returncode}, '{run.stderr}'")
                good = False
            if not said:
                name = made.graph.output[0].name
                expected = reference.run_onnxruntime(path, inputs)[name]
                good &= compare.check_output(name, np.load(work / "out" / f"{name}.npy"), expected, None)
    return good


def main(cases, last=lambda arguments: True):
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--only", help="the case of this name")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    good = all([check(arguments, *case) for case in cases
                if arguments.only in (None, case[0].graph.name)])
    good &= arguments.only is not None or last(arguments)
    print("agrees" if good else "DISAGREES")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main(models(), disagreement)
