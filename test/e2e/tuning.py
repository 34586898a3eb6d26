# SPDX-License-Identifier: Apache-2.0
"""--tune and --tuning-db: schedules change the code, and never a bit of a result.

usage: tuning.py --burin BURIN --work DIR
"""
import argparse
import json
import pathlib
import subprocess
import sys

import numpy as np
import onnx

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "models"))
import compare
import reference
from graph import model

LEVEL = "x86-64-v3"
# Rows and panels of a register tile, of a task, and whether rows are the inner loop of tasks, and blocks a task's.
SCHEDULES = ([6, 1, 12, 1, 0, 0], [4, 1, 100, 5, 1, 1], [1, 4, 1, 4, 0, 1], [3, 2, 96, 2, 1, 0])


def product():
    random = np.random.default_rng(2)
    return model("product", [("MatMul", ["x", "w"], ["p"]), ("Add", ["p", "bias"], ["q"]), ("Gelu", ["q"], ["y"])],
                 {"x": [97, 300]}, {"y": [97, 75]},
                 {"w": random.standard_normal((300, 75)).astype("f4"), "bias": random.standard_normal(75).astype("f4")})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    work = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    made = product()
    onnx.save(made, work / "product.onnx")
    data = reference.make_inputs(made, seed=1)

    def compiled(name, *flags):
        artifact = work / f"{name}.so"
        subprocess.run([arguments.burin, "compile", work / "product.onnx", "-o", artifact, "--cpu", LEVEL, *flags],
                       check=True, stdout=subprocess.DEVNULL)
        return artifact, compare.run_burin(arguments.burin, artifact, data, ["y"], work, 1)["y"]

    good = True

    def expect(holds, what):
        nonlocal good
        if not holds:
            print("not so:", what)
        good &= bool(holds)

    artifact, plain = compiled("plain")
    codes = {artifact.read_bytes()}
    for number, schedule in enumerate(SCHEDULES):
        database = work / f"{number}.json"
        database.write_text(json.dumps({"format": "burin-tuning-1", LEVEL: {"97x5x300": schedule}}))
        artifact, result = compiled(f"schedule-{number}", "--tuning-db", database)
        expect(np.array_equal(plain, result), f"{schedule}: no bit differs")
        codes.add(artifact.read_bytes())
    expect(len(codes) == 1 + len(SCHEDULES), "each schedule has code of its own")

    database = work / "found.json"
    database.unlink(missing_ok=True)
    tuned, result = compiled("tuned", "--tune", "3", "--tuning-db", database)
    expect(np.array_equal(plain, result), "tuned: no bit differs")
    expect(json.loads(database.read_text())["format"] == "burin-tuning-1", "what was found is kept")
    before = tuned.read_bytes()
    again, _ = compiled("tuned", "--tuning-db", database)
    expect(again.read_bytes() == before, "the file makes the same artifact again")
    print("agrees" if good else "DISAGREES")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
