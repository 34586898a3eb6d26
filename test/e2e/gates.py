# SPDX-License-Identifier: Apache-2.0
"""What every artifact must hold, whatever the model.

usage: gates.py --burin BURIN --work DIR GATE

GATE: a function below.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "models"))
import build


def call(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True,
                          text=True, **options).stdout


def outcome(name, test):
    """The exit code of a test, which says what does not hold by failing."""
    try:
        return test() or 0
    except AssertionError as error:
        print(f"{name}: {error or 'does not hold'}")
    except subprocess.CalledProcessError as error:
        print(f"{name}: {error}\n{error.stdout or ''}{error.stderr or ''}")
    return 1


def has_v4():
    """Whether this machine runs x86-64-v4 code."""
    cpu = pathlib.Path("/proc/cpuinfo").read_text()
    return all(f" {flag}" in cpu for flag in ("avx512f", "avx512bw", "avx512dq", "avx512vl"))


class Bench:
    """The compiler, a folder to work in, and models to try."""

    def __init__(self, burin, work):
        self.burin, self.work = burin, work
        self.runner = pathlib.Path(burin).with_name("burin-run")
        work.mkdir(parents=True, exist_ok=True)

    def relu(self):
        value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1024])
                 for name in ("x", "y")]
        graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "relu",
                                  value[:1], value[1:])
        path = self.work / "relu.onnx"
        path.write_bytes(helper.make_model(
            graph, ir_version=10, opset_imports=[helper.make_opsetid("", 21)]).SerializeToString())
        return path

    def model(self, name):
        path = self.work / f"{name}.onnx"
        build.build(name, path)
        return path

    def compile(self, model, output, *options, **process):
        output.parent.mkdir(parents=True, exist_ok=True)
        call(self.burin, "compile", model, "-o", output, *options, **process)
        return output

    def run(self, artifact, out, threads):
        """The bytes of all outputs, and the runner's report."""
        report = call(self.runner, "run", artifact, "--random", 3, "-o", out, "--threads", threads,
                      "--json")
        files = sorted(pathlib.Path(out).iterdir())
        return b"".join(path.read_bytes() for path in files), json.loads(report)


def symbols(bench):
    """A .so needs libc alone, of it only what is listed, and exports one symbol."""
    allowed = {line for line in (ROOT / "runtime" / "libc-symbols.txt").read_text().splitlines()
               if line and not line.startswith("#")}
    for name in ("windows", "bert_small"):
        artifact = bench.compile(bench.model(name), bench.work / f"{name}.so")
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", call("readelf", "-dW", artifact))
        assert needed == ["libc.so.6"], f"{name} needs {needed}"
        exported, undefined = [], []
        for line in call("readelf", "--dyn-syms", "-W", artifact).splitlines():
            fields = line.split()
            if len(fields) >= 8 and fields[0][:-1].isdigit() and fields[4] in ("GLOBAL", "WEAK"):
                (undefined if fields[6] == "UND" else exported).append(fields[7].split("@")[0])
        assert exported == [f"burin_model_{name}"], f"{name} exports {exported}"
        assert set(undefined) <= allowed, f"{name} asks for {set(undefined) - allowed}"
        print(f"{name}: needs {needed}, exports {exported}, asks for {sorted(undefined)}")


def size(bench):
    """The artifact of a single Relu stays under 100 KB."""
    bytes_ = bench.compile(bench.relu(), bench.work / "relu.so").stat().st_size
    print(f"relu.so: {bytes_} bytes")
    assert bytes_ < 100_000


def reproducible(bench):
    """The same bytes from another folder, and compiled on one core."""
    for name, extension in (("windows", "so"), ("bert_small", "so"), ("bert_small", "a"),
                            ("windows", "o")):
        model = bench.model(name)
        elsewhere = bench.work / "elsewhere" / "deeper"
        elsewhere.mkdir(parents=True, exist_ok=True)
        copy = elsewhere / model.name
        copy.write_bytes(model.read_bytes())
        core = min(os.sched_getaffinity(0))
        first = bench.compile(model, bench.work / f"{name}.{extension}")
        second = bench.compile(copy, elsewhere / f"{name}.{extension}", cwd=elsewhere,
                               preexec_fn=lambda: os.sched_setaffinity(0, {core}))
        assert first.read_bytes() == second.read_bytes(), f"{name}.{extension} differs"
        print(f"{name}.{extension}: {first.stat().st_size} equal bytes")
    # Neither time nor language, user or place for temporary files show.
    model, place = bench.model("bert_small"), bench.work / "a place of its own"
    place.mkdir(exist_ok=True)
    names = ("plain.so", "bare.so", "other.so")
    environments = (None, {}, {"TMPDIR": place, "HOME": "/none", "LC_ALL": "tr_TR.UTF-8",
                               "TZ": "Asia/Tokyo", "USER": "other", "SOURCE_DATE_EPOCH": "1"})
    made = [bench.compile(model, bench.work / name / "m.so", env=environment)
            for name, environment in zip(names, environments)]
    assert len({path.read_bytes() for path in made}) == 1, "the environment shows"
    assert not list(place.iterdir()), "temporary files are left"
    # What computed constants at compile time does not show.
    level = "x86-64-v4" if has_v4() else "haswell"
    for name in ("bert_small", "mobile_transformer"): # joined weights; batch normalisations
        first, second = (bench.compile(bench.model(name), bench.work / folder / "m.so",
                                       "--cpu", "x86-64-v3", *flags)
                         for folder, flags in (("plain", ()), ("forced", ("--constants-cpu", level))))
        assert first.read_bytes() == second.read_bytes(), f"{name}: constants of {level} differ"


def threads(bench):
    """One worker and two give the same bits, and the second did some of the work; of runs that are too short it does
    none."""
    for name in ("windows", "bert_small"):
        artifact = bench.compile(bench.model(name), bench.work / f"{name}.so", "--one-thread-below", 0)
        one, _ = bench.run(artifact, bench.work / "one" / name, 1)
        two, report = bench.run(artifact, bench.work / "two" / name, 2)
        parts = report["worker_parts"]
        print(f"{name}: parts run by each worker: {parts}")
        assert one == two, f"{name}: two workers give other bits than one"
        assert len(parts) == 2 and parts[1] > 0, "the second worker did nothing"
        artifact = bench.compile(bench.model(name), bench.work / "short" / f"{name}.so", "--one-thread-below", 1000000)
        short, report = bench.run(artifact, bench.work / "short" / name, 2)
        assert short == one and report["worker_parts"][1] == 0, report


def levels(bench):
    """x86-64-v4 code uses 512-bit registers, v3 code does not; both give the same bits. One artifact
    for both holds the weights once and runs what the machine can."""
    for name in ("windows", "bert_small"):
        model, results = bench.model(name), {}
        for level in ("x86-64-v3", "x86-64-v4"):
            folder = bench.work / level
            artifact = bench.compile(model, folder / f"{name}.so", "--cpu", level)
            wide = call("objdump", "-d", "--no-show-raw-insn", artifact).count("%zmm")
            print(f"{name} for {level}: {wide} uses of zmm registers")
            assert (wide > 0) == (level == "x86-64-v4")
            if level == "x86-64-v3" or has_v4():
                results[level], _ = bench.run(artifact, folder / name, 1)
        both = bench.compile(model, bench.work / "both" / f"{name}.so", "--cpu", "x86-64-v4,x86-64-v3")
        results["both"], _ = bench.run(both, both.parent / name, 1)
        assert len(set(results.values())) == 1, f"{name}: other bits from level to level"
        told = json.loads(call(bench.runner, "inspect", both, "--json"))
        assert told["certificate"]["target"] == "x86-64-v3,x86-64-v4"
        code = [(bench.work / level / f"{name}.so").stat().st_size - told["memory"]["weights_bytes"]
                for level in ("x86-64-v3", "x86-64-v4")]
        size = both.stat().st_size
        print(f"{name} for both: {size} bytes, {told['memory']['weights_bytes']} of them weights")
        assert size <= told["memory"]["weights_bytes"] + sum(code)
    if not has_v4():
        print("this CPU has no AVX-512: x86-64-v4 was compiled, not run")


def variants(bench):
    """Three batch sizes in one artifact: weights are there once, those that were computed too; code
    and plans are small."""
    rng, layers, width = np.random.default_rng(0), 4, 512
    nodes, tensors, last = [], [], "x"
    for i in range(layers):
        for name, shape in (f"w{i}", (width, width)), (f"s{i}", (width, 1)):
            tensors.append(numpy_helper.from_array(rng.standard_normal(shape, np.float32), name))
        nodes += [helper.make_node("Mul", [f"w{i}", f"s{i}"], [f"p{i}"]), # made when compiled
                  helper.make_node("MatMul", [last, f"p{i}"], [f"m{i}"]),
                  helper.make_node("Gelu", [f"m{i}"], [f"g{i}"]),
                  helper.make_node("LayerNormalization", [f"g{i}", f"p{i}_row"], [f"h{i}"]),
                  helper.make_node("Mul", [f"h{i}", last], [f"y{i}"])]
        tensors.append(numpy_helper.from_array(np.ones(width, np.float32), f"p{i}_row"))
        last = f"y{i}"
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])
             for name in ("x", last)]
    model = bench.work / "layers.onnx"
    model.write_bytes(helper.make_model(
        helper.make_graph(nodes, "layers", infos[:1], infos[1:], tensors), ir_version=10,
        opset_imports=[helper.make_opsetid("", 21)]).SerializeToString())
    size, weights = {}, {}
    for batches in "32", "1,8,32":
        artifact = bench.compile(model, bench.work / batches / "layers.so", "--dim",
                                 f"batch={batches}")
        size[batches] = artifact.stat().st_size
        told = json.loads(call(bench.runner, "inspect", artifact, "--json"))
        weights[batches] = told["memory"]["weights_bytes"]
    print(f"bytes by batch sizes: {size}, of which weights: {weights}")
    assert weights["32"] >= 4 * layers * width * width
    assert weights["1,8,32"] == weights["32"], "weights are there more than once"
    assert size["1,8,32"] <= 1.03 * size["32"] + 200_000


def memory(bench):
    """The runner's peak is within 8 MiB of weights, arena, inputs and outputs, and the arena
    that the compiler, the header, the certificate and the artifact name is one number."""
    model = bench.model("bert_small")
    artifact = bench.compile(model, bench.work / "bert_small.so")
    said = json.loads(call(bench.burin, "compile", model, "-o", artifact, "--json"))["memory"]
    for workers in 1, 3:
        told = json.loads(call(bench.runner, "inspect", artifact, "--threads", workers, "--json"))
        more = (workers - 1) * said["scratch_bytes_per_worker"]
        assert told["memory"]["arena_bytes"] == said["arena_bytes"] + more
    assert told["certificate"]["memory"] == said
    header = bench.compile(model, bench.work / "bert_small.a").with_suffix(".h").read_text()
    assert f"#define BERT_SMALL_ARENA_BYTES {said['arena_bytes']}ull" in header
    report = json.loads(call(bench.runner, "bench", artifact, "--seconds", 0.2, "--json"))
    bound = said["weights_bytes"] + said["arena_bytes"]
    print(f"peak {report['peak_rss_bytes']} bytes, weights and arena {bound}")
    assert report["peak_rss_bytes"] <= bound + (1 << 16) + (8 << 20)


def quiet(bench):
    """Between create and destroy nothing is allocated, mapped or started."""
    artifact = bench.compile(bench.model("bert_small"), bench.work / "bert_small.so")
    done = subprocess.run([ROOT / "test" / "runtime" / "quiet.sh", bench.runner, "bench", artifact,
                           "--threads", "2", "--seconds", "0.2", "--marks"])
    return done.returncode


GATES = {gate.__name__: gate for gate in (symbols, size, reproducible, threads, levels, variants,
                                          memory, quiet)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("gate", choices=GATES)
    arguments = parser.parse_args()
    return outcome(arguments.gate,
                   lambda: GATES[arguments.gate](Bench(arguments.burin, arguments.work)))


if __name__ == "__main__":
    sys.exit(main())
