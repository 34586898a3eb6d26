# SPDX-License-Identifier: Apache-2.0
"""Artifacts for aarch64, run by qemu: the same bits as on x86-64.

usage: aarch64.py --burin BURIN --runner RUNNER --emulate COMMAND --work DIR [--cases DIR]
                  [--every N] [--jobs N] TEST

RUNNER is burin-run for aarch64, COMMAND starts it on this machine, DIR is what
test/conformance/make_cases.py wrote, of which every Nth is taken. TEST is a function below: models,
values, suite, bits, cpus or code.
Where the sign and the payload of a NaN differ between machines, that is no difference.
"""
import argparse
import concurrent.futures
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import numpy as np
import onnx
from onnx import numpy_helper

import gates
from special import special_values_model

SKIPPED = 77
DIGITS = gates.ROOT / "python-free-samples" / "digits" / "digits.onnx"


class Machines:
    """Both machines, and a folder to work in."""

    def __init__(self, arguments):
        self.burin, self.work, self.cases = arguments.burin, arguments.work, arguments.cases
        self.every, self.jobs = arguments.every, arguments.jobs
        self.local = [pathlib.Path(arguments.burin).with_name("burin-run")]
        self.emulator, self.runner = shlex.split(arguments.emulate), arguments.runner
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)

    def emulated(self, *options):
        return [*self.emulator, *options, self.runner]

    def model(self, name):
        if name == "digits":
            return DIGITS
        path = self.work / f"{name}.onnx"
        gates.build.build(name, path)
        return path

    def sample(self):
        """Folders of cases, every so manyth."""
        cases = sorted(path for path in self.cases.iterdir() if (path / "model.onnx").exists())
        assert len(cases[::self.every]) > 50, f"{len(cases[::self.every])} cases are no sample"
        return cases[::self.every]

    def compile(self, model, cpu, *options, name=None):
        output = self.work / cpu / ((name or pathlib.Path(model).stem) + ".so")
        output.parent.mkdir(exist_ok=True)
        gates.call(self.burin, "compile", model, "-o", output, "--cpu", cpu, *options)
        return output

    def run(self, start, artifact, *options):
        """{file name: array} of one run's outputs."""
        out = artifact.with_suffix(".out")
        shutil.rmtree(out, ignore_errors=True)
        gates.call(*start, "run", artifact, "-o", out, *options)
        return {path.name: read(path) for path in sorted(out.iterdir())}


def read(path):
    if path.suffix == ".npy":
        return np.load(path)
    return numpy_helper.to_array(onnx.TensorProto.FromString(path.read_bytes()))


def same_bits(a, b):
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.kind not in "biuUSO": # floats and complex numbers, ml_dtypes' too
        if a.dtype.kind == "c":
            a, b = (x.view(x.real.dtype) for x in (a, b))
        a, b = (np.where(np.isnan(x), x.dtype.type(0), x) for x in (a, b)) \
            if np.array_equal(np.isnan(a), np.isnan(b)) else (a, b)
    return np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes()


def differing(first, second):
    """The names of outputs that are not the same."""
    assert first.keys() == second.keys() and first, "other outputs"
    return [name for name in first if not same_bits(first[name], second[name])]


def refused(command, code, *said):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    text = done.stdout + done.stderr
    assert done.returncode == code and all(part in text for part in said), (
        f"{command}: exit {done.returncode}: {text}")


def models(machines):
    """Whole models: random inputs, one worker and two, each CPU that is told apart."""
    for name in ("digits", "windows", "bert_small"):
        model = machines.model(name)
        wanted = machines.run(machines.local, machines.compile(model, "x86-64-v3"), "--random", 3)
        assert np.unique(next(iter(wanted.values()))).size > 1, f"{name}: one value everywhere"
        shard = machines.work / "neoverse-n1" / f"{name}.safetensors"
        for cpu, threads, options in (("aarch64", 1, []), ("neoverse-n1", 2, ["--weights", shard, "--one-thread-below", "0"])):
            artifact = machines.compile(model, cpu, *options)
            got = machines.run(machines.emulated(), artifact, "--random", 3, "--threads", threads)
            assert not differing(wanted, got), f"{name} for {cpu}: {differing(wanted, got)} differ"
        if gates.has_v4():
            v4 = machines.run(machines.local, machines.compile(model, "x86-64-v4"), "--random", 3)
            assert not differing(wanted, v4), f"{name} for x86-64-v4: {differing(wanted, v4)} differ"
        print(f"{name}: {sum(value.size for value in wanted.values())} values, the same bits")
    data = bytearray(shard.read_bytes())
    data[-1] ^= 1
    shard.write_bytes(data)
    refused([*machines.emulated(), "run", artifact, "--random", 3, "-o", machines.work], 2,
            "the file is damaged within")


def values(machines):
    """Infinities, NaNs, zeros, subnormals and ties through operators of every element type."""
    model, inputs = special_values_model()
    path = machines.work / "special.onnx"
    path.write_bytes(model.SerializeToString())
    options = []
    for name, tensor in inputs.items():
        file = machines.work / f"{name}.pb"
        file.write_bytes(tensor.SerializeToString())
        options += ["-i", f"{name}={file}"]
    wanted = machines.run(machines.local, machines.compile(path, "x86-64-v3"), *options)
    got = machines.run(machines.emulated(), machines.compile(path, "aarch64"), *options)
    wrong = differing(wanted, got)
    for name in wrong:
        a, b = wanted[name].ravel(), got[name].ravel()
        at = [i for i in range(a.size) if not same_bits(a[i:i + 1], b[i:i + 1])][:4]
        print(f"{name}: {[(i, a[i], b[i]) for i in at]}")
    assert not wrong, f"{len(wrong)} of {len(wanted)} outputs differ"
    print(f"{len(wanted)} operators and types, the same bits")


def suite(machines):
    """Every so manyth of ONNX's cases against its own outputs, through `burin test --runner`."""
    expected = gates.ROOT / "test" / "conformance" / "expected-failures.txt"
    refused = [line.partition(":")[0] for line in expected.read_text().splitlines()
               if line and not line.startswith("#")]
    sample = [path for path in machines.sample()
              if not any(pathlib.PurePath(path.name).match(pattern) for pattern in refused)]
    done = subprocess.run([machines.burin, "test", "--cpu", "aarch64", "--json", "--runner",
                           shlex.join(map(str, machines.emulated())), *sample],
                          capture_output=True, text=True)
    told = json.loads(done.stdout)
    for case in told["cases"]:
        if case["result"] != "PASS":
            print(f"{case['result']} {case['name']}: {case['reason']}")
    print(f"{told['passed']} of {len(sample)} cases pass")
    assert told["passed"] == len(sample)


def bits(machines):
    """Every so manyth of ONNX's cases on both machines: the same bits, or the same refusal."""
    def run(case, start, cpu, options):
        """{file name: array} of the outputs, or the exit code and what is said instead."""
        artifact = machines.work / cpu / f"{case.name}.so"
        try:
            machines.compile(case / "model.onnx", cpu, name=case.name)
            return machines.run(start, artifact, *options)
        except subprocess.CalledProcessError as error:
            return error.returncode, error.stderr.replace(cpu, "CPU")
        finally:
            artifact.unlink(missing_ok=True)
            shutil.rmtree(artifact.with_suffix(".out"), ignore_errors=True)

    def check(case):
        model = onnx.load(case / "model.onnx", load_external_data=False)
        files = (case / "test_data_set_0" / f"input_{i}.pb" for i in range(len(model.graph.input)))
        options = [word for value, file in zip(model.graph.input, files) if file.exists()
                   for word in ("-i", f"{value.name}={file}")]
        wanted = run(case, machines.local, "x86-64-v3", options)
        got = run(case, machines.emulated(), "aarch64", options)
        if isinstance(wanted, tuple) or isinstance(got, tuple):
            return "refused" if wanted == got else f"x86-64-v3: {wanted}, aarch64: {got}"
        return "same" if not differing(wanted, got) else f"{differing(wanted, got)} differ"

    tally = {"same": 0, "refused": 0, "other": 0}
    with concurrent.futures.ThreadPoolExecutor(machines.jobs) as pool:
        cases = machines.sample()
        for case, answer in zip(cases, pool.map(check, cases)):
            if answer not in tally:
                print(f"{case.name}: {answer}", flush=True)
                answer = "other"
            tally[answer] += 1
    print(f"{len(cases)} cases: {tally}")
    assert tally["same"] > 0.8 * len(cases) and not tally["other"]


def cpus(machines):
    """What is not for a machine is refused, and says so."""
    output = machines.work / "none.so"
    refused([machines.burin, "compile", DIGITS, "-o", output, "--cpu", "x86-64-v3,aarch64"], 2,
            "two kinds of machine: 'x86-64-v3' and 'aarch64'", "compile the model for each")
    refused([machines.burin, "compile", DIGITS, "-o", output, "--cpu", "aarch65"], 2,
            "unknown CPU 'aarch65'", "aarch64", "neoverse-n1")
    assert not output.exists()
    for start, cpu, kind in ((machines.local, "aarch64", "aarch64"),
                             (machines.emulated(), "x86-64-v3", "x86-64")):
        refused([*start, "run", machines.compile(DIGITS, cpu), "--random", "1", "-o", machines.work], 2,
                f"made for {kind}, which this machine is not")
    # A CPU without what the code may use; and with code for it, too.
    old = machines.emulated("-cpu", "cortex-a53")
    refused([*old, "run", machines.compile(DIGITS, "neoverse-n1"), "--random", "1", "-o",
             machines.work], 3, "compiled for neoverse-n1, but this CPU lacks", "FP16")
    wanted = machines.run(machines.local, machines.compile(DIGITS, "x86-64-v3"), "--random", 1)
    both = machines.compile(DIGITS, "neoverse-n1,aarch64")
    for start in (old, machines.emulated()):
        assert not differing(wanted, machines.run(start, both, "--random", 1))
    print("refused where it must be; two levels run on two CPUs")


def hot_loop(artifact):
    """The instructions of the innermost loop that multiplies most."""
    text = gates.call("llvm-objdump-22", "-d", "--no-show-raw-insn", artifact)
    lines = re.findall(r"^ *([0-9a-f]+):\s+(\S+)\s*(.*)$", text, re.M)
    at = {address: i for i, (address, _, _) in enumerate(lines)}
    # From a branch back to its target: a loop, and where there is no other branch, an innermost one.
    branches = [(i, at.get(found.group(1), i + 1)) for i, (_, word, rest) in enumerate(lines)
                if re.fullmatch(r"b(\.\w+)?|cbn?z|tbn?z", word)
                and (found := re.search(r"0x([0-9a-f]+)", rest))]
    taken = {i for i, _ in branches}
    loops = [[word for _, word, _ in lines[target:i + 1]] + [rest for _, _, rest in lines[target:i + 1]]
             for i, target in branches if target <= i and not taken.intersection(range(target, i))]
    return max(loops, key=lambda loop: 0 if "fmul" in loop else loop.count("fmla"))


def code(machines):
    """Products of 1 to 7 rows: sums stay in registers, and 6 rows by 16 columns make one tile."""
    for rows, wanted in ((1, 12), (2, 16), (3, 12), (5, 20), (6, 24), (7, 16), (64, 24)):
        path = machines.work / f"rows{rows}.onnx"
        weights = numpy_helper.from_array(np.ones((512, 256), np.float32), "w")
        value = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [rows, columns])
                 for name, columns in (("x", 512), ("y", 256))]
        graph = onnx.helper.make_graph([onnx.helper.make_node("MatMul", ["x", "w"], ["y"])], "product",
                                       value[:1], value[1:], [weights])
        path.write_bytes(onnx.helper.make_model(
            graph, ir_version=10, opset_imports=[onnx.helper.make_opsetid("", 21)]).SerializeToString())
        loop = hot_loop(machines.compile(path, "aarch64"))
        aside = sum("sp" in re.findall(r"\w+", part) for part in loop)
        loads = sum(part.startswith("ld") for part in loop)
        print(f"{rows} rows: {len(loop) // 2} instructions, {loop.count('fmla')} fmla, {loads} loads")
        assert loop.count("fmla") == wanted and not aside, "\n".join(loop)


TESTS = {test.__name__: test for test in (models, values, suite, bits, cpus, code)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", required=True)
    parser.add_argument("--runner", type=pathlib.Path)
    parser.add_argument("--emulate", default="")
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--cases", type=pathlib.Path)
    parser.add_argument("--every", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("test", choices=TESTS)
    arguments = parser.parse_args()
    if not arguments.emulate or not arguments.runner:
        print("skipped: this machine lacks qemu-aarch64 or the C++ library for aarch64 "
              "(tools/setup.sh installs both)")
        return SKIPPED

    def test():
        TESTS[arguments.test](Machines(arguments))
    return gates.outcome(arguments.test, test)


if __name__ == "__main__":
    sys.exit(main())
