# SPDX-License-Identifier: Apache-2.0
"""`burin verify` on whole models: outputs and kernels agree, and with a tolerance that no f32 can meet
a kernel of the artifact is named.

usage: verify.py --burin BURIN --work DIR MODEL...
"""
import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys

import numpy as np
import onnx

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "models"))
import build
from graph import model


def verify(burin, model, *options):
    """The exit status and the report."""
    done = subprocess.run([burin, "verify", model, "--random", "3", "--json", *options],
                          stdout=subprocess.PIPE, text=True)
    return done.returncode, json.loads(done.stdout)


def check(burin, work, name):
    model = work / f"{name}.onnx"
    build.build(name, model)
    code, report = verify(burin, model, "--kernels")
    worst = max(output["max_abs"] for output in report["outputs"])
    states = collections.Counter(launch["state"] for launch in report["launches"])
    print(f"{name}: exit {code}, differences up to {worst:.2g}; kernels: {dict(states)}")
    assert code == 0 and report["agrees"]
    # A kernel that is a part of a node has no result to compare with; most nodes have one that has.
    nodes = {node for launch in report["launches"] for node in launch["nodes"]}
    known = {node for launch in report["launches"] if launch["state"] == "agrees"
             for node in launch["nodes"]}
    assert states["differs"] == 0 and 2 * len(known) >= len(nodes)

    # These are the kernels that the artifact has, where some work on parts of tensors (NAME_s0), parts that cannot
    # lie there are copied (NAME_c0), and what lies around a part is filled (NAME_f0) and joined with it (NAME_j0): joins,
    # cut-outs and padding are all that runs here alone.
    artifact = work / f"{name}.so"
    subprocess.run([burin, "compile", model, "-o", artifact], check=True, capture_output=True)
    told = json.loads(subprocess.run([burin, "inspect", artifact, "--json"], check=True,
                                     capture_output=True, text=True).stdout)
    kernels = collections.Counter()
    for kernel in told["certificate"]["kernels"]:
        if not re.search(r"_[cfj]\d+(_s\d+)?$", kernel["name"]):
            kernels[re.sub(r"_s\d+$", "", kernel["name"])] += kernel["launches"]
    launched = {(launch["launch"], launch["kernel"]) for launch in report["launches"]}
    verified = collections.Counter(kernel for _, kernel in launched)
    moved = verified - kernels
    print(f"  in place in the artifact: {dict(moved)}")
    assert not kernels - verified and 4 * moved.total() <= verified.total()

    code, report = verify(burin, model, "--rtol", "1e-12", "--atol", "0")
    assert code == 1 and not report["agrees"]
    states = [launch["state"] for launch in report["launches"]]
    first = report["launches"][states.index("differs")]
    print(f"  without tolerance: first {first['kernel']} {first['nodes']}")
    assert first["node"] in first["nodes"] and first["mismatches"] > 0


def check_range(burin, work):
    """Of a range, the largest size that the model can be run with: of a detector that joins scales,
    an even one."""
    pool = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}
    made = model("pyramid", [("MaxPool", ["x"], ["a"], pool), ("Relu", ["a"], ["r"]),
                             ("Resize", ["r", "", "scales"], ["b"], {"mode": "nearest"}),
                             ("Concat", ["b", "x"], ["y"], {"axis": 1})],
                 {"x": [1, 2, "h", 8]}, {"y": [1, 4, "h", 8]},
                 {"scales": np.array([1, 1, 2, 2], np.float32)})
    onnx.save(made, work / "pyramid.onnx")
    code, report = verify(burin, work / "pyramid.onnx", "--dim", "h=3..21")
    assert code == 0 and report["agrees"], report


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("models", nargs="+")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    check_range(arguments.burin, arguments.work)
    for name in arguments.models:
        check(arguments.burin, arguments.work, name)


if __name__ == "__main__":
    main()
