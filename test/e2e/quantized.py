# SPDX-License-Identifier: Apache-2.0
"""Operators that compute in 8-bit integers, every element equal to ONNX Runtime's.

usage: quantized.py --burin BURIN --work DIR

Scales are powers of two, so that many results are ties before they are rounded; decimals, whose results
lie beside ties; and any. Zero points are odd: added before rounding they would turn ties.
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

TYPES = {"u8": (np.uint8, TensorProto.UINT8), "s8": (np.int8, TensorProto.INT8)}


def scales(kind, random, columns):
    """Of the left operand, of each column of the right one, and of the result."""
    if kind == "powers":
        return 2.0 ** -6, np.full(columns, 2.0 ** -5), 2.0 ** -2
    if kind == "decimals":
        return 0.02, random.integers(1, 9, columns) * 0.01, 0.5
    return random.uniform(0.01, 0.05), random.uniform(0.01, 0.05, columns), random.uniform(0.3, 1.5)


def products():
    """(model of all operators and types, its inputs)"""
    random = np.random.default_rng(11)
    nodes, inputs, outputs, tensors, data = [], {}, {}, {}, {}

    for name, (dtype, element) in TYPES.items():
        for tag, shape in (("image", [2, 3, 8, 9]), ("rows", [24, 27])):
            key = f"{tag}_{name}"
            inputs[key] = (element, shape)
            data[key] = random.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype, endpoint=True)
        for kind in ("powers", "decimals", "any"):
            left, right, result = scales(kind, random, 5)
            at = f"_{name}_{kind}"
            zero = dtype(-3 if dtype == np.int8 else 125)
            step = 32 if kind == "powers" else 1
            w, r = (dtype(zero - 2 + step * random.integers(-112 // step, 112 // step, shape, endpoint=True))
                    for shape in ((5, 3, 3, 3), (27, 10)))
            tensors |= {f"{key}{at}": np.asarray(value) for key, value in {
                "xs": np.float32(left), "ws": np.float32(right), "rs": np.float32(right[0]),
                "ys": np.float32(result), "xz": dtype(zero + 4), "wz": np.full(5, zero - 2, dtype),
                "rz": dtype(zero - 2), "yz": zero, "w": w, "r": r,
                "b": step * random.integers(-60, 60, 5, np.int32)}.items()}
            conv = ["xs", "xz", "w", "ws", "wz", "ys", "yz", "b"]
            product = ["xs", "xz", "r", "rs", "rz", "ys", "yz"]
            nodes += [
                ("QLinearConv", [f"image_{name}"] + [key + at for key in conv], [f"conv{at}"],
                 {"pads": [1, 1, 1, 1]}),
                ("QLinearMatMul", [f"rows_{name}"] + [key + at for key in product], [f"product{at}"])]
            outputs |= {f"conv{at}": (element, [2, 5, 8, 9]), f"product{at}": (element, [24, 10])}
            # Quarters around the zero point.
            inputs[f"f{at}"], data[f"f{at}"] = [512], (random.integers(-512, 512, 512) / 16).astype("f4")
            nodes += [("QuantizeLinear", [f"f{at}", f"ys{at}", f"yz{at}"], [f"q{at}"]),
                      ("DequantizeLinear", [f"q{at}", f"ys{at}", f"yz{at}"], [f"d{at}"])]
            outputs |= {f"q{at}": (element, [512]), f"d{at}": [512]}
    return model("quantized", nodes, inputs, outputs, tensors), data


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    work = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    made, data = products()
    path, artifact = work / "quantized.onnx", work / "quantized.so"
    onnx.save(made, path)
    subprocess.run([arguments.burin, "compile", path, "-o", artifact], check=True,
                   stdout=subprocess.DEVNULL)
    expected = reference.run_onnxruntime(path, data)
    actual = compare.run_burin(arguments.burin, artifact, data, list(expected), work, 1)
    good = True
    for name, wanted in expected.items():
        got, values = actual[name], np.unique(wanted).size
        off = int((got != wanted).sum()) if got.shape == wanted.shape else wanted.size
        if off or got.dtype != wanted.dtype or values < 16:
            print(f"{name}: {off} of {wanted.size} elements differ; {values} values")
            good = False
    print(f"{sum(value.size for value in expected.values())} elements, all equal" if good else "DISAGREES")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
