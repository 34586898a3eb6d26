# SPDX-License-Identifier: Apache-2.0
"""Compiles a model with Burin, runs the artifact and compares it with ONNX Runtime.

usage: compare.py --burin BURIN --work DIR [--f64] [--threads N] [--input NAME=SHAPE] MODEL

MODEL is a name that test/models/build.py knows, or an ONNX file. With --f64 the measure is
an evaluation in f64 (onnx.reference): Burin's largest error may be twice ONNX Runtime's.
Without, |a - b| <= 1e-4 max|b| + 1e-3 |b| for each element, b being ONNX Runtime's. The
outputs must also vary with the inputs, or the comparison would prove nothing.
"""
import argparse
import pathlib
import re
import subprocess
import sys

import numpy as np
import onnx

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "models"))
import build
import reference


def file_name(name, taken):
    """The file that `burin run` writes the output `name` to."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    made, number = plain, 2
    while made in taken:
        made, number = f"{plain}-{number}", number + 1
    taken.add(made)
    return made + ".npy"


def run_burin(burin, artifact, inputs, names, work, threads):
    """{output name: array} of one run."""
    command = [burin, "run", artifact, "-o", work / "out", "--threads", str(threads)]
    for index, (name, data) in enumerate(inputs.items()):
        path = work / f"input_{index}.npy"
        np.save(path, data)
        command += ["-i", f"{name}={path}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    taken = set()
    return {name: np.load(work / "out" / file_name(name, taken)) for name in names}


def largest(a, b):
    """max |a - b|; where both are the same infinity or NaN they are equal."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return float(np.max(np.where(same, 0, np.abs(a - b)), initial=0))


def check_varies(model, path, inputs, outputs, shapes):
    """Complaints where other inputs give nearly the same outputs."""
    other = reference.run_onnxruntime(path, reference.make_inputs(model, seed=2, shapes=shapes))
    for name, value in outputs.items():
        if value.dtype.kind != "f":
            continue
        spread, change = float(np.std(value)), largest(value, other[name])
        if not np.isfinite(value).all() or change < 0.1 * spread or spread == 0:
            yield (f"{name}: other inputs change it by {change:.3g} at most (its spread is "
                   f"{spread:.3g}); the model tells nothing")


def check_output(name, actual, expected, exact, part=None):
    """Prints the errors of one output; true where they are in bounds. `part`: of the largest value, what
    the error against `exact` may be, where that has another bound than ONNX Runtime's."""
    if actual.shape != expected.shape or actual.dtype != expected.dtype:
        print(f"{name}: {actual.dtype}{list(actual.shape)}, expected "
              f"{expected.dtype}{list(expected.shape)}")
        return False
    size = float(np.max(np.abs(expected.astype(np.float64)), initial=0))
    if exact is not None:
        mine, theirs = largest(actual, exact), largest(expected, exact)
        # Below half a unit in the last place of the largest value no f32 can be told better.
        bound = size * part if part else max(2 * theirs, size * 2.0 ** -24)
        print(f"{name}: largest value {size:.4g}, error against f64 {mine:.3e}, ONNX Runtime's "
              f"{theirs:.3e} (ratio {mine / theirs if theirs else float(mine > 0):.2f})")
        return mine <= bound
    error = np.abs(actual.astype(np.float64) - expected.astype(np.float64))
    bound = 1e-4 * size + 1e-3 * np.abs(expected.astype(np.float64))
    print(f"{name}: largest value {size:.4g}, largest difference from ONNX Runtime "
          f"{largest(actual, expected):.3e} (bound for each: 1e-4 max|b| + 1e-3 |b|)")
    return bool(np.all((error <= bound) | (actual == expected)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--f64", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--input", action="append", default=[], metavar="NAME=1x3x48x192")
    parser.add_argument("model")
    arguments = parser.parse_args()
    work = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    path = pathlib.Path(arguments.model)
    if arguments.model in build.MODELS:
        path = work / f"{arguments.model}.onnx"
        build.build(arguments.model, path)
    model = onnx.load(path)
    shapes = {name: [int(size) for size in shape.split("x")]
              for name, shape in (given.rsplit("=", 1) for given in arguments.input)}

    artifact = work / (re.sub(r"\W", "_", path.stem) + ".so")
    subprocess.run([arguments.burin, "compile", path, "-o", artifact, "--one-thread-below", "0"] +
                   [text for given in arguments.input for text in ("--input", given)], check=True)
    inputs = reference.make_inputs(model, seed=1, shapes=shapes)
    expected = reference.run_onnxruntime(path, inputs)
    actual = run_burin(arguments.burin, artifact, inputs, list(expected), work, arguments.threads)
    exact = reference.run_double(model, inputs, work) if arguments.f64 else {}

    good = True
    for name in expected:
        good &= check_output(name, actual[name], expected[name], exact.get(name))
    for complaint in check_varies(model, path, inputs, expected, shapes):
        print(complaint)
        good = False
    print("agrees" if good else "DISAGREES")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
