# SPDX-License-Identifier: Apache-2.0
"""Times models with Burin and with ONNX Runtime, in turns, on the same threads.

usage: bench.py --burin BURIN --work DIR [--threads N] [--rounds N] [--seconds S] [MODEL...]

MODEL is a name that test/models/build.py knows (default: the four large ones) or an ONNX
file with static shapes. Each round runs one after the other for --seconds; of each the
median of the rounds' medians and the least of all runs are printed, their ratio (below 1:
Burin is faster), and the machine's load before and after: what else ran makes the figures
worthless, so look at it.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import onnx

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "models"))
import build
import reference


def burin_round(runner, artifact, threads, seconds):
    """(median, minimum) in milliseconds."""
    done = subprocess.run([runner, "bench", artifact, "--threads", str(threads), "--seconds",
                           str(seconds), "--json"], check=True, capture_output=True, text=True)
    latency = json.loads(done.stdout)["latency_ms"]
    return latency["median"], latency["min"]


def onnxruntime_round(session, inputs, seconds):
    """(median, minimum) in milliseconds."""
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        begin = time.perf_counter()
        session.run(None, inputs)
        times.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(times), min(times)


def bench(name, arguments):
    import onnxruntime
    arguments.work.mkdir(parents=True, exist_ok=True)
    path = pathlib.Path(name)
    if name in build.MODELS:
        path = arguments.work / f"{name}.onnx"
        build.build(name, path)
    artifact = arguments.work / (path.stem.replace(".", "_") + ".so")
    begin = os.times()
    subprocess.run([arguments.burin, "compile", path, "-o", artifact], check=True,
                   stdout=subprocess.DEVNULL)
    end = os.times()
    cpu = end.children_user + end.children_system - begin.children_user - begin.children_system

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    inputs = reference.make_inputs(onnx.load(path), seed=1)
    session.run(None, inputs)
    runner = pathlib.Path(arguments.burin).with_name("burin-run")
    mine, theirs = [], []
    for _ in range(arguments.rounds):
        mine.append(burin_round(runner, artifact, arguments.threads, arguments.seconds))
        theirs.append(onnxruntime_round(session, inputs, arguments.seconds))
    medians = [statistics.median(median for median, _ in rounds) for rounds in (mine, theirs)]
    minima = [min(least for _, least in rounds) for rounds in (mine, theirs)]
    print(f"{path.stem:<16} {medians[0]:>9.2f} {medians[1]:>9.2f} {medians[0] / medians[1]:>6.2f}"
          f"   {minima[0]:>9.2f} {minima[1]:>9.2f} {minima[0] / minima[1]:>6.2f} {cpu:>9.1f}",
          flush=True)


def load():
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("models", nargs="*", default=["resnet50", "mobilenet_v2", "bert", "gpt2"])
    arguments = parser.parse_args()
    print(f"{arguments.threads} thread(s), {arguments.rounds} rounds of {arguments.seconds} s; "
          f"load {load()}")
    print(f"{'':16} {'median ms':>26}   {'minimum ms':>26} {'compile':>9}")
    print(f"{'':16} {'Burin':>9} {'ORT':>9} {'ratio':>6}   {'Burin':>9} {'ORT':>9} {'ratio':>6} "
          f"{'CPU s':>9}")
    for name in arguments.models:
        bench(name, arguments)
    print(f"load {load()}")


if __name__ == "__main__":
    main()
