# SPDX-License-Identifier: Apache-2.0
"""Softmax and LogSoftmax of rows with NaN, infinities and the largest numbers.

usage: softmax.py --burin BURIN --work DIR

Rows of several lengths (lanes, their tails), last and first axis, against numpy in f64: NaN and infinities where
it has them, the rest to 5e-6 (an exponent below 128 is rounded by 3.8e-6).
"""
import argparse
import pathlib
import subprocess
import sys

import numpy as np
import onnx

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "models"))
import compare
from graph import model

LENGTHS = 1, 5, 48, 37, 300


def rows(length):
    values = 5 * np.random.default_rng(length).standard_normal((12, length)).astype(np.float32)
    values[0], values[1, length // 2], values[2, -1] = -np.inf, np.nan, np.inf
    values[3], values[4], values[5, 0] = -3.4e38, 3.4e38, 3e38
    values[6], values[7, ::2], values[8] = 0, -np.inf, 6 * values[8]
    values[9], values[10] = 1e-40, np.nan
    return values


def expected(op, x, axis):
    with np.errstate(all="ignore"):
        x = x.astype(np.float64)
        below = x - x.max(axis, keepdims=True)
        total = np.exp(below).sum(axis, keepdims=True)
        return np.exp(below) / total if op == "Softmax" else below - np.log(total)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    inputs, nodes, results = {}, [], {}
    for length in LENGTHS:
        for axis, x in ((1, rows(length)), (0, np.ascontiguousarray(rows(length).T))):
            name = f"x{length}_{axis}"
            inputs[name] = x
            for op in ("Softmax", "LogSoftmax"):
                nodes.append((op, [name], [f"{op}_{name}"], {"axis": axis}))
                results[f"{op}_{name}"] = expected(op, x, axis)
    path, artifact = args.work / "softmax.onnx", args.work / "softmax.so"
    onnx.save(model("softmax", nodes, {name: list(x.shape) for name, x in inputs.items()},
                    {name: list(y.shape) for name, y in results.items()}, {}), path)
    subprocess.run([args.burin, "compile", path, "-o", artifact], check=True, stdout=subprocess.DEVNULL)
    got = compare.run_burin(args.burin, artifact, inputs, list(results), args.work, 1)
    failures = 0
    for name, want in results.items():
        ordinary = np.isfinite(want)
        same = np.array_equal(got[name][~ordinary], want[~ordinary].astype(np.float32), equal_nan=True)
        error = np.abs(got[name][ordinary] - want[ordinary]) / np.maximum(np.abs(want[ordinary]), 1e-30)
        # A logarithm near 0 is a difference of numbers near 1.
        near = np.abs(got[name][ordinary] - want[ordinary]) < (1e-6 if name.startswith("Log") else 0)
        if not same or np.any((error > 5e-6) & ~near):
            failures += 1
            print(f"{name}: largest error {error.max():.2e}, special values {'agree' if same else 'differ'}")
    print(f"{len(results)} results, {failures} wrong")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
