# SPDX-License-Identifier: Apache-2.0
"""Runs `burin verify` on ONNX's backend node cases, with the cases' inputs: each that compiles has a
reference in f64, and agrees with it.

usage: verify_suite.py --burin BURIN --cases DIR [--every N] [--jobs N] [--filter REGEX]

--every N takes each Nth case that is not an expansion of another.
"""
import argparse
import collections
import concurrent.futures
import pathlib
import re
import subprocess
import sys

import onnx


def verify(burin, case):
    """What became of a case, and why."""
    graph = onnx.load(case / "model.onnx").graph
    weights = {tensor.name for tensor in graph.initializer}
    names = [value.name for value in graph.input if value.name not in weights]
    command = [burin, "verify", case / "model.onnx"]
    for index, name in enumerate(names):
        command += ["-i", f"{name}={case / 'test_data_set_0' / f'input_{index}.pb'}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode == 3 and "no reference" not in done.stderr:
        return "not compiled", ""
    return "agrees" if done.returncode == 0 else "FAILS", done.stdout + done.stderr


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", required=True)
    parser.add_argument("--cases", required=True, type=pathlib.Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--filter", default="")
    arguments = parser.parse_args()
    cases = [path.parent for path in sorted(arguments.cases.glob("*/model.onnx"))
             if "_expanded" not in path.parent.name and re.search(arguments.filter, path.parent.name)]
    cases = cases[::arguments.every]
    tally = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        results = pool.map(lambda case: verify(arguments.burin, case), cases)
        for case, (kind, why) in zip(cases, results):
            tally[kind] += 1
            if kind == "FAILS":
                print(f"{case.name}:\n{why}")
    print(dict(tally))
    return 1 if tally["FAILS"] or not tally["agrees"] else 0


if __name__ == "__main__":
    sys.exit(main())
