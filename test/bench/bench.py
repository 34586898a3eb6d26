# SPDX-License-Identifier: Apache-2.0
"""Times Burin beside its peers: models or microbenchmarks x engines, in turns, pinned to the same CPUs.

usage: bench.py --burin BURIN --work DIR [options] [MODEL...]
       bench.py --burin BURIN --work DIR --micro [PATTERN...]
       bench.py --compare OLD.json NEW.json

MODEL is a name of test/models/build.py (default: the large ones), or FILE.onnx[:VARIANT]; cases.py says where
sizes and inputs come from. Each round runs every engine for --seconds, one after the other; where the best two rounds of an
engine disagree, there are more. Figures are
minima and medians of wall time and of the process's CPU time, which what else runs on the machine disturbs little. The latter
counts, but of several threads and below a millisecond. The roofline is the larger of FLOPs / peak and bytes / bandwidth, both measured in the same run (probe.c).
Results go to --json, and to --html as a page with plots. The load is written down: look at it.
"""
import argparse
import fnmatch
import hashlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

import numpy as np

import compare
import engines
import machine

HERE = pathlib.Path(__file__).resolve().parent
DEFAULT_MODELS = ["resnet50", "mobilenet_v2", "bert", "gpt2"]


def packages(engine):
    """The folder of an engine's wheels, filled the first time: the environment of the tests stays as it is pinned. "" for
    an engine without any, None where they cannot be had."""
    wanted = HERE.parents[1] / "tools" / f"requirements-bench-{engine}.txt"
    if not wanted.is_file():
        return ""
    cache = os.environ.get("BURIN_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "burin")
    folder = pathlib.Path(cache) / f"bench-{engine}-{hashlib.sha256(wanted.read_bytes()).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    partial = folder.with_name(f"{folder.name}.part{os.getpid()}")
    done = subprocess.run([sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "-q", "--no-deps",
                           "--require-hashes", "--target", partial, "-r", wanted], capture_output=True, text=True)
    if done.returncode:
        print(f"bench: without {engine}: " + (done.stderr.strip().splitlines() or ["pip failed"])[-1])
        shutil.rmtree(partial, ignore_errors=True)
        return None
    partial.rename(folder)
    return folder


def difference(mine, theirs):
    """The largest difference of any element, relative to the largest of its tensor; None: nothing to compare."""
    worst = None
    for name, a in mine.items():
        b = theirs.get(name)
        if b is None or a.shape != b.shape or not np.issubdtype(a.dtype, np.floating) or not a.size:
            continue
        worst = max(worst or 0, float(np.max(np.abs(a - b)) / (np.max(np.abs(b)) or 1)))
    return worst


def settled(rounds, metric):
    """Whether the two best rounds agree to 2%: on a machine that others use, few runs go undisturbed."""
    minima = sorted(each[metric]["min"] for each in rounds)
    return len(minima) < 2 or minima[1] <= 1.02 * minima[0]


def choose_metric(found, threads):
    """CPU time is what a shared machine disturbs least; but that of several threads is no latency, and of what
    takes less than a millisecond the kernel's accounts are too coarse, while some runs go undisturbed."""
    least = [each["wall_ms"]["min"] for figures in found.values() for each in figures.get("rounds", [])]
    return "wall_ms" if threads > 1 or min(least, default=0) < 1 else "cpu_ms"


def measure(case, names, context, options):
    """{engine: figures} of one case, what it is called that counts in them, {engine: about}; an engine that does not take
    the case has an "error"."""
    running, found = {}, {}
    for name in names:
        try:
            running[name] = engines.make(name, context, case)
            found[name] = {"rounds": []}
        except engines.Refused as refused:
            found[name] = {"error": str(refused)}
    try:
        for number in range(3 * options.rounds):
            metric = choose_metric(found, options.threads)
            if number >= options.rounds and all(settled(found[name]["rounds"], metric) for name in running):
                break
            for name in list(running):
                try:
                    found[name]["rounds"].append(running[name].round(options.seconds))
                except engines.Refused as refused:
                    found[name] = {"error": str(refused)}
                    running.pop(name).close()
    finally:
        for engine in running.values():
            engine.close()
    reference = next((running[name].outputs for name in ("onnxruntime", "openvino") if name in running), {})
    for name, engine in running.items():
        rounds = found[name]["rounds"]
        for key in ("cpu_ms", "wall_ms"):
            found[name][key] = {"min": min(each[key]["min"] for each in rounds),
                                "median": statistics.median(each[key]["median"] for each in rounds)}
        found[name]["time_ms"] = found[name][metric]
        found[name].update(engine.facts, runs=sum(each["runs"] for each in rounds))
        if name == "burin":
            found[name]["difference"] = difference(engine.outputs, reference)
    return found, metric, {name: engine.about for name, engine in running.items()}


def print_head(names):
    print(f"{'minima, ms':24} {'':4} " + " ".join(f"{name:>11}" for name in names)
          + f" {'peer/Burin':>10} {'roofline':>9} {'of it':>6} {'rate':>12} {'differs':>8} {'load':>5}")


def print_row(row, names):
    times = {name: row["engines"][name].get("time_ms", {}).get("min") for name in names}
    peers = [value for name, value in times.items() if name != "burin" and value]
    mine = times.get("burin")
    cells = " ".join(f"{value:11.3f}" if value else f"{'refused':>11}" for value in times.values())
    ratio = f"{min(peers) / mine:10.2f}" if peers and mine else f"{'-':>10}"
    roof = f"{row['roofline_ms']:9.3f}" if row["roofline_ms"] else f"{'-':>9}"
    part = f"{row['roofline_ms'] / mine:6.0%}" if row["roofline_ms"] and mine else f"{'-':>6}"
    work, unit = (row["flops"], "GFLOP/s") if row["bound"] == "compute" else (row["bytes"], "GB/s")
    rate = f"{work / mine * 1e-6:.1f} {unit}".rjust(12) if work and mine else f"{'-':>12}"
    away = row["engines"].get("burin", {}).get("difference")
    print(f"{row['name']:24.24} {row['metric'].removesuffix('_ms'):4} {cells} {ratio} {roof} {part} {rate} "
          f"{f'{away:8.0e}' if away is not None else '       -'} {row['load']:5.1f}", flush=True)
    for name in names:
        if "error" in row["engines"][name]:
            print(f"  {name}: {row['engines'][name]['error'][:150]}", flush=True)


def run(cases, names, options, context, probe, kind, write):
    """Measures each case; `write` gets the results of all so far: a run that ends early has not been for nothing."""
    results = {"format": 1, "kind": kind, "when": time.strftime("%Y-%m-%d %H:%M:%S %z"),
               "machine": machine.describe(context.cpus), "load": machine.load(), "engines": {}, "models": [],
               "options": {"threads": options.threads, "rounds": options.rounds, "seconds": options.seconds},
               "command": "bench.py " + " ".join(sys.argv[1:])}
    print(f"{results['machine']['cpu']}, CPUs {context.cpus}, {options.threads} thread(s), {options.rounds} rounds of "
          f"{options.seconds} s; {probe.best['fma_gflops']:.1f} GFLOP/s, "
          f"memory {machine.bandwidth(probe.best, 1 << 40):.1f} GB/s")
    print_head(names)
    for case in cases:
        found, metric, about = measure(case, names, context, options)
        if case.flops is None:
            case.count(context.burin)
        probe.run_at_times()
        results["engines"].update(about)
        row = {"name": case.name, "flops": case.flops, "bytes": case.bytes, "load": machine.load(), "metric": metric,
               "model_bytes": case.path.stat().st_size, "filled": case.filled and case.filled[1],
               "inputs": {name: list(array.shape) for name, array in case.inputs.items()}, "engines": found}
        results["models"].append(row)
        # The best that was seen of the machine holds for all.
        for each in results["models"]:
            each["roofline_ms"], each["bound"] = machine.roofline_ms(probe.best, each["flops"] or 0, each["bytes"])
        results["machine"]["probe"], results["load_after"] = probe.best, machine.load()
        print_row(row, names)
        write(results)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compare", nargs=2, metavar=("OLD", "NEW"), help="compare two results; exit code 1: a regression")
    parser.add_argument("--burin", help="the compiler; burin-run lies beside it")
    parser.add_argument("--work", type=pathlib.Path, help="folder for models, artifacts and results")
    parser.add_argument("--engines", default="burin,onnxruntime,openvino",
                        help=f"of burin, {', '.join(engines.PEERS)} (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cpus", type=machine.parse_cpus, help="pin to these, as 0,2-3 (default: the last ones)")
    parser.add_argument("--rounds", type=int, default=5,
                        help="at least (default: %(default)s), and up to three times as many until the best two agree to 2%%")
    parser.add_argument("--seconds", type=float, default=1, help="of each engine in each round")
    parser.add_argument("--dim", action="append", default=[], metavar="NAME=N", help="a size that a model leaves open")
    parser.add_argument("--input", action="append", default=[], metavar="NAME=SHAPE",
                        help="the shape of an input that leaves it open, as 1x3x48x320, in models that have one of the name")
    parser.add_argument("--specs", type=pathlib.Path, help="folder of STEM[.VARIANT].json: sizes and inputs of models")
    parser.add_argument("--micro", action="store_true", help="microbenchmarks whose name has one of the patterns")
    parser.add_argument("--json", type=pathlib.Path, help="default: WORK/results.json, WORK/micro.json")
    parser.add_argument("--html", type=pathlib.Path, help="default: beside it")
    parser.add_argument("models", nargs="*", metavar="MODEL")
    options = parser.parse_args()
    if not options.compare and (not options.burin or not options.work):
        parser.error("--burin and --work are needed")
    return options


def main():
    options = parse()
    if options.compare:
        return compare.main(options.compare)
    import cases
    import micro
    import report
    options.work.mkdir(parents=True, exist_ok=True)
    names = options.engines.split(",")
    unknown = set(names) - {"burin", *engines.PEERS}
    if unknown:
        raise SystemExit(f"bench: no engine '{unknown.pop()}'; there are burin, {', '.join(engines.PEERS)}")
    dims = {name: int(size) for name, _, size in (text.partition("=") for text in options.dim)}
    if options.micro:
        wanted = [name for name in micro.CASES
                  if not options.models or any(fnmatch.fnmatch(name, f"*{text}*") for text in options.models)]
        chosen = (micro.make(name, options.work) for name in wanted)
    else:
        shapes = {name: [int(size) for size in shape.split("x")]
                  for name, _, shape in (text.partition("=") for text in options.input)}
        for text in options.models:
            cases.check(text)
        chosen = (cases.load(text, options.work, options.specs, dims, shapes)
                  for text in options.models or DEFAULT_MODELS)
    wheels = {name: packages(name) for name in names}
    names = [name for name in names if wheels[name] is not None]
    cpus = machine.choose_cpus(options.threads, options.cpus)
    context = engines.Context(options.burin, options.work, options.threads, cpus, wheels)
    probe = machine.Probe(options.work, options.threads, cpus)
    probe.run()
    kind = "micro" if options.micro else "models"
    written = options.json or options.work / ("micro.json" if options.micro else "results.json")
    html = options.html or written.with_suffix(".html")

    def write(results):
        written.write_text(json.dumps(results, indent=1))
        html.write_text(report.page(results))

    run(chosen, names, options, context, probe, kind, write)
    print(f"load {machine.load()} now; {written}, {html}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
