# SPDX-License-Identifier: Apache-2.0
"""--precision bf16: the bits of the model whose weights were rounded before, in half the bytes.

usage: precision.py --burin BURIN --work DIR
"""
import argparse
import json
import pathlib
import subprocess
import sys

import ml_dtypes
import numpy as np
import onnx

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "models"))
import compare
import reference
from graph import model


def rounded(value):
    return value.astype(ml_dtypes.bfloat16).astype(np.float32)


def layers(convert):
    """One operator each that multiplies by constants; `convert` is applied to those."""
    random = np.random.default_rng(5)

    def weights(*shape):
        return random.standard_normal(shape).astype(np.float32)

    odd = weights(40, 33)
    odd[:7, 0] = [3.4e38, 1e-40, -1e-45, 2.0 ** -133, 1 + 2.0 ** -8, 1 + 3 * 2.0 ** -8, -0.0]
    odd[0, 1:3] = [np.inf, np.nan]
    tensors = {"w": odd, "t": weights(70, 40), "point": weights(24, 16, 1, 1), "grouped": weights(24, 8, 3, 3),
               "each": weights(16, 1, 3, 3), "row": weights(8, 40, 3), "up": weights(16, 5, 2, 2),
               "lw": weights(1, 32, 40), "lr": weights(1, 32, 8)}
    tensors = {name: convert(value) for name, value in tensors.items()} | {"bias": weights(33)}
    return model("layers", [
        ("MatMul", ["x", "w"], ["p"]), ("Add", ["p", "bias"], ["product"]),
        ("Gemm", ["x", "t"], ["gemm"], {"transB": 1}),
        ("Conv", ["image", "point"], ["pointwise"]),
        ("Conv", ["image", "grouped"], ["groups"], {"group": 2, "strides": [2, 2], "pads": [1, 1, 1, 1]}),
        ("Conv", ["image", "each"], ["depthwise"], {"group": 16, "pads": [1, 1, 1, 1]}),
        ("Conv", ["series", "row"], ["line"], {"pads": [1, 1]}),
        ("ConvTranspose", ["image", "up"], ["larger"], {"strides": [2, 2]}),
        ("LSTM", ["steps", "lw", "lr"], ["states"], {"hidden_size": 8}),
    ], {"x": [7, 40], "image": [2, 16, 9, 9], "series": [2, 40, 12], "steps": [5, 3, 40]},
        {"product": [7, 33], "gemm": [7, 70], "pointwise": [2, 24, 9, 9], "groups": [2, 24, 5, 5],
         "depthwise": [2, 16, 9, 9], "line": [2, 8, 12], "larger": [2, 5, 18, 18],
         "states": [5, 1, 3, 8]}, tensors)


def compiled(arguments, name, made, *flags):
    path, artifact = (arguments.work / f"{name}{suffix}" for suffix in (".onnx", ".so"))
    onnx.save(made, path)
    subprocess.run([arguments.burin, "compile", path, "-o", artifact, *flags], check=True,
                   stdout=subprocess.DEVNULL)
    return artifact


def weight_bytes(arguments, artifact):
    told = subprocess.run([arguments.burin, "inspect", artifact, "--json"], check=True, capture_output=True)
    return json.loads(told.stdout)["memory"]["weights_bytes"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    before = layers(rounded)
    data = reference.make_inputs(before, seed=1)
    outputs = [output.name for output in before.graph.output]
    results, sizes = [], []
    for name, made, flags in (("before", before, []), ("bf16", layers(np.asarray), ["--precision", "bf16"])):
        artifact = compiled(arguments, name, made, *flags)
        sizes.append(weight_bytes(arguments, artifact))
        results.append(compare.run_burin(arguments.burin, artifact, data, outputs, arguments.work, 1))
    good = sizes[1] < 0.6 * sizes[0]
    print(f"weights: {sizes[0]} bytes of f32, {sizes[1]} of bf16")
    for name in outputs:
        wanted, actual = (result[name] for result in results)
        equal = np.array_equal(wanted, actual, equal_nan=True) and np.isfinite(wanted).any()
        print(f"{name}: {wanted.size} elements {'equal' if equal else 'DIFFER'}")
        good &= equal
    print("agrees" if good else "DISAGREES")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
