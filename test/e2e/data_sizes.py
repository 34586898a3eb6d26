# SPDX-License-Identifier: Apache-2.0
"""Models whose results have the sizes that the data decide.

usage: data_sizes.py --burin BURIN --work DIR

Each model is run on several inputs, among them one that selects nothing and one that selects all,
and compared with ONNX Runtime. The sizes must differ between inputs, or nothing would be shown.
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
    """(model, inputs of each run)"""
    random = np.random.default_rng(0)
    f32, i64 = TensorProto.FLOAT, TensorProto.INT64

    def normal(*shape):
        return random.standard_normal(shape).astype(np.float32)

    zero, one = np.float32(0), np.array([1])
    yield model(
        "positions", [("Greater", ["x", "zero"], ["g"]), ("NonZero", ["g"], ["p"]),
                      ("Transpose", ["p"], ["y"]), ("Compress", ["x", "c"], ["k"], {"axis": 0}),
                      ("MatMul", ["k", "w"], ["m"]), ("Softmax", ["m"], ["s"])],
        {"x": (f32, [6, 7]), "c": (TensorProto.BOOL, [6])},
        {"y": (i64, ["n", 2]), "s": (f32, ["rows", 9])}, {"zero": zero, "w": normal(7, 9)},
    ), [{"x": sign * abs(normal(6, 7)) if sign else normal(6, 7), "c": kept}
        for sign, kept in ((0, np.arange(6) % 2 == 1), (-1, np.zeros(6, bool)), (1, np.ones(6, bool)))]

    yield model(
        "boxes", [("Sigmoid", ["logits"], ["scores"]),
                  ("NonMaxSuppression", ["corners", "scores", "most", "overlap", "least"], ["chosen"]),
                  ("Cast", ["chosen"], ["y"], {"to": f32})],
        {"corners": (f32, [2, 40, 4]), "logits": (f32, [2, 3, 40])},
        {"chosen": (i64, ["n", 3]), "y": (f32, ["n", 3])},
        {"most": np.array([30]), "overlap": np.float32([0.3]), "least": np.float32([0.5])},
    ), [{"corners": normal(2, 40, 4), "logits": normal(2, 3, 40) + shift} for shift in (0, -20, 3)]

    yield model( # a detector's end: boxes, scores and classes of what is left
        "detections", [("Sigmoid", ["logits"], ["scores"]),
                       ("NonMaxSuppression", ["corners", "scores", "most", "overlap", "least"], ["n"]),
                       ("Gather", ["n", "two"], ["row"], {"axis": 1}),
                       ("Squeeze", ["corners", "zeros"], ["all"]),
                       ("Gather", ["all", "row"], ["boxes"], {"axis": 0}),
                       ("GatherND", ["scores", "n"], ["score"]),
                       ("Gather", ["n", "one"], ["kind"], {"axis": 1}),
                       ("Cast", ["kind"], ["kinds"], {"to": f32}),
                       ("Unsqueeze", ["score", "ones"], ["s"]), ("Unsqueeze", ["kinds", "ones"], ["k"]),
                       ("Concat", ["boxes", "s", "k"], ["y"], {"axis": 1})],
        {"corners": (f32, [1, 40, 4]), "logits": (f32, [1, 3, 40])}, {"y": (f32, ["found", 6])},
        {"most": np.array([30]), "overlap": np.float32([0.3]), "least": np.float32([0.5]),
         "two": np.array(2), "one": np.array(1), "zeros": np.array([0]), "ones": np.array([1])},
    ), [{"corners": normal(1, 40, 4), "logits": normal(1, 3, 40) + shift} for shift in (0, -20, 3)]

    for kind in (1, 0):
        yield model(
            f"distinct_{kind}", [("Unique", ["x"], ["y", "at", "back", "times"], {"sorted": kind}),
                                 ("Unique", ["rows"], ["z"], {"axis": 0, "sorted": 1})],
            {"x": (f32, [5, 4]), "rows": (f32, [6, 2])},
            {"y": (f32, ["n"]), "at": (i64, ["n"]), "back": (i64, [20]), "times": (i64, ["n"]),
             "z": (f32, ["m", 2])}, {},
        ), [{"x": np.floor(scale * normal(5, 4)), "rows": np.floor(scale * normal(6, 2))}
            for scale in (1, 0, 1000)]

        yield model( # of a range: `back` has all of it, the others what was counted
            f"distinct_of_range_{kind}",
            [("Unique", ["x"], ["y", "at", "back", "times"], {"sorted": kind}),
             ("Unique", ["x"], ["z", "", "rows"], {"axis": 0, "sorted": kind})],
            {"x": (i64, ["S", 3])},
            {"y": (i64, ["n"]), "at": (i64, ["n"]), "back": (i64, [None]), "times": (i64, ["n"]),
             "z": (i64, ["m", 3]), "rows": (i64, ["S"])}, {},
        ), [{"x": scale * random.integers(0, 2, (s, 3))}
            for s, scale in ((7, 1), (4, 0), (1, 1), (9, 1))], ["--dim", "S=1..9"]

    yield model( # of a size that changes, too
        "largest_of_range", [("TopK", ["x", "k"], ["y", "at"], {"axis": 0}), ("Exp", ["y"], ["z"])],
        {"x": (f32, ["S", 3]), "k": (i64, [1])}, {"z": (f32, ["n", 3]), "at": (i64, ["n", 3])}, {},
    ), [{"x": normal(s, 3), "k": k * one} for s, k in ((5, 2), (1, 1), (9, 0), (9, 9))], ["--dim", "S=1..9"]

    yield model(
        "largest", [("TopK", ["x", "k"], ["y", "at"], {"axis": 1}), ("Exp", ["y"], ["z"])],
        {"x": (f32, [3, 8]), "k": (i64, [1])}, {"z": (f32, [3, "n"]), "at": (i64, [3, "n"])}, {},
    ), [{"x": normal(3, 8), "k": k * one} for k in (3, 0, 8)]


def check(arguments, made, runs, options=()):
    work = arguments.work
    path, artifact = work / f"{made.graph.name}.onnx", work / "data.so"
    onnx.save(made, path)
    subprocess.run([arguments.burin, "compile", path, "-o", artifact, "--one-thread-below", "0", *options], check=True,
                   stdout=subprocess.DEVNULL)
    names, good, shapes = [output.name for output in made.graph.output], True, set()
    for inputs in runs:
        expected = reference.run_onnxruntime(path, inputs)
        print(made.graph.name, {name: list(value.shape) for name, value in expected.items()})
        shapes.add(tuple(value.shape for value in expected.values()))
        for threads in (1, 2):
            actual = compare.run_burin(arguments.burin, artifact, inputs, names, work, threads)
            for name in names:
                good &= compare.check_output(name, actual[name], expected[name], None)
    return good and len(shapes) == len(runs)


def refuses(arguments):
    """A size that no plan has room for ends the run."""
    np.save(arguments.work / "k.npy", np.array([9]))
    np.save(arguments.work / "x.npy", np.zeros((3, 8), np.float32))
    run = subprocess.run(
        [arguments.burin, "run", arguments.work / "data.so", "-i", f"x={arguments.work / 'x.npy'}",
         "-i", f"k={arguments.work / 'k.npy'}", "-o", arguments.work / "out"],
        capture_output=True, text=True)
    print(run.stderr.strip())
    return run.returncode == 1 and "a size in the data is 9" in run.stderr


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    good = all([check(arguments, *case) for case in models()]) and refuses(arguments)
    print("agrees" if good else "DISAGREES")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
