# SPDX-License-Identifier: Apache-2.0
"""Runs ONNX's backend node cases with sizes that change from run to run.

usage: range_suite.py --burin BURIN --cases DIR --work DIR [--jobs N] [--filter REGEX] [--all]
                      [--update]

DIR is what make_cases.py wrote. In each case sizes of inputs that are equal become a range, from 1
to twice the size; where none is taken, from the size to three more; and then each size alone. What
compiles is run on the case's data, and on that repeated to a size that is one larger, of which ONNX
Runtime or ONNX's reference evaluator (whichever gives the case's own outputs) says what follows.

A case takes ranges where one of its ways compiles; where one computes other values it is wrong.
Cases that expected-failures.txt lists are left out. Of the others, by name, each fourth is taken,
and with --all or --filter each.
range-refusals.txt, beside this script, lists those of them that take none, and why; what is not as
listed is printed and makes the exit status 1. --update writes the list anew.
"""
import argparse
import collections
import fnmatch
import functools
import json
import pathlib
import re
import shutil
import subprocess
import sys
import warnings

import numpy as np
import onnx
import onnx.numpy_helper
import onnx.reference
import onnxruntime

import run_suite

SAMPLE = 4  # one case in so many
LIST = pathlib.Path(__file__).with_name("range-refusals.txt")
HEAD = """# SPDX-License-Identifier: Apache-2.0
#
# ONNX's node cases no size of whose inputs can be a range, each with the first way's reason:
# `name-or-glob: kind: reason`, as in expected-failures.txt. Written by range_suite.py --update; a
# case that takes a range must go.
"""


def sizes(info):
    """The sizes of a tensor, or nothing where it is none or has no rank."""
    kind = info.type.tensor_type
    return kind.shape.dim if info.type.HasField("tensor_type") and kind.HasField("shape") else []


def read(path, info):
    """An input or output of a case as an array; None where it is no tensor of numbers."""
    if not info.type.HasField("tensor_type"):
        return None
    tensor = onnx.TensorProto.FromString(path.read_bytes())
    is_text = tensor.data_type == onnx.TensorProto.STRING
    return None if is_text else onnx.numpy_helper.to_array(tensor)


class Case:
    """A case's model, inputs and outputs; `usable` where all are tensors of numbers."""

    def __init__(self, folder):
        self.folder = folder
        self.model = onnx.load(folder / "model.onnx")
        weights = {tensor.name for tensor in self.model.graph.initializer}
        self.infos = [info for info in self.model.graph.input if info.name not in weights]
        data = folder / "test_data_set_0"
        self.inputs = [read(data / f"input_{i}.pb", info) for i, info in enumerate(self.infos)]
        self.outputs = [read(data / f"output_{i}.pb", info)
                        for i, info in enumerate(self.model.graph.output)]
        self.usable = all(value is not None for value in self.inputs + self.outputs)
        limits = json.loads((folder / "case.json").read_text())
        self.limits = {"rtol": limits.get("rtol", 1e-3), "atol": limits.get("atol", 1e-7)}

    def places(self):
        """{size: [(input, axis)]} of what can be opened."""
        found = collections.OrderedDict()
        for i, info in enumerate(self.infos):
            for axis, dim in enumerate(sizes(info)):
                if dim.dim_value > 0:
                    found.setdefault(dim.dim_value, []).append((i, axis))
        return found

    def ways(self):
        """(label, size, places) of each way to put one range in."""
        for size, places in self.places().items():
            yield f"{size}", size, places

    def ways_alone(self):
        for size, places in self.places().items():
            for i, axis in places if len(places) > 1 else []:
                yield f"{size}-{i}.{axis}", size, [(i, axis)]

    def opened(self, places, size, other):
        """The model in which `places` are 'N' and what follows from it in the results is open:
        where the shapes of `other`, the outputs of another size, differ, or, where they are not
        known, where it can."""
        made = onnx.ModelProto()
        made.CopyFrom(self.model)
        by_name = {info.name: info for info in made.graph.input}
        for i, axis in places:
            sizes(by_name[self.infos[i].name])[axis].dim_param = "N"
        for i, info in enumerate(made.graph.output):
            for axis, dim in enumerate(sizes(info)):
                if other is None:
                    follows = dim.dim_value % size == 0
                else:
                    follows = np.ndim(other[i]) != len(sizes(info)) or \
                        np.shape(other[i])[axis] != dim.dim_value
                if follows:
                    dim.Clear()
        return made

    def resized(self, places, size):
        values = list(self.inputs)
        for i, axis in places:
            values[i] = np.take(values[i], np.arange(size) % values[i].shape[axis], axis)
        return values

    def agrees(self, outputs):
        """Whether outputs are the case's."""
        try:
            for ours, expected in zip(outputs, self.outputs, strict=True):
                if np.shape(ours) != expected.shape or np.asarray(ours).dtype != expected.dtype:
                    return False
                exact = expected.dtype.kind not in "fc"
                if not (np.array_equal(ours, expected) if exact else
                        np.allclose(ours, expected, equal_nan=True, **self.limits)):
                    return False
            return True
        except (TypeError, ValueError):
            return False

    @functools.cached_property
    def references(self):
        """Functions from inputs to outputs that give the case's own."""
        names, found = [info.name for info in self.infos], []
        free = self.opened([], 1, None)
        for info in list(free.graph.input) + list(free.graph.output):
            for dim in sizes(info):
                dim.Clear()

        def runtime():
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 4
            options.intra_op_num_threads = 1
            session = onnxruntime.InferenceSession(free.SerializeToString(), options,
                                                   providers=["CPUExecutionProvider"])
            return lambda values: session.run(None, dict(zip(names, values)))

        def evaluator():
            session = onnx.reference.ReferenceEvaluator(self.model)
            return lambda values: session.run(None, dict(zip(names, values)))

        for make in (runtime, evaluator):
            try:
                run = make()
                if self.agrees(run(self.inputs)):
                    found.append(run)
            except Exception:  # it does not know the operator
                continue
        return found


def outputs_of(references, values):
    """What a reference gives, None where none can."""
    for run in references:
        try:
            with np.errstate(all="ignore"):
                return [np.asarray(value) for value in run(values)]
        except Exception:  # sizes that do not go together
            continue
    return None


def write_tensors(folder, kind, values):
    for i, value in enumerate(values):
        tensor = onnx.numpy_helper.from_array(np.ascontiguousarray(value).reshape(np.shape(value)))
        (folder / f"{kind}_{i}.pb").write_bytes(tensor.SerializeToString())


def write(work, case, way):
    """Writes a way to put a range into a case to a folder below `work`; returns its name and
    whether it has a second size."""
    label, size, places = way
    other = None
    if case.usable:
        larger = case.resized(places, size + 1)
        other = outputs_of(case.references, larger)
    folder = work / f"{case.folder.name}@{label}"
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(case.opened(places, size, other).SerializeToString())
    shutil.copy(case.folder / "case.json", folder)
    (folder / "test_data_set_0").symlink_to((case.folder / "test_data_set_0").resolve())
    if other is not None:
        (folder / "test_data_set_1").mkdir()
        write_tensors(folder / "test_data_set_1", "input", larger)
        write_tensors(folder / "test_data_set_1", "output", other)
    return folder.name, other is not None


def run(arguments, made, bounds):
    """{name: "" or why not} of the ways `made`, whose range is bounds(size)."""
    groups = collections.defaultdict(list)
    for name, size in made.items():
        groups[size].append(arguments.work / "cases" / name)
    found = {}
    for size, folders in sorted(groups.items()):
        command = [arguments.burin, "test", "--dim", "N={}..{}".format(*bounds(size)), "--json",
                   "--timeout", "120", "-j", str(arguments.jobs), *folders]
        done = subprocess.run(command, stdout=subprocess.PIPE)
        if done.returncode not in (0, 1):
            sys.exit(f"burin test: exit status {done.returncode}")
        for case in json.loads(done.stdout)["cases"]:
            reason = "" if case["result"] == "PASS" else run_suite.normalize(case["reason"])
            found[pathlib.Path(case["name"]).name] = reason
    return found


def verdicts(results):
    """{case: "" or the reason}: what is wrong in any way first, then what is refused in all."""
    by_case = collections.OrderedDict()
    for name, reason in results.items():
        by_case.setdefault(name.partition("@")[0], []).append(reason)
    order = ("run", "internal", "wrong", "timeout", "crash")
    found = {}
    for name, reasons in by_case.items():
        bad = [reason for reason in reasons
               if reason and not reason.startswith(("unsupported", "invalid"))]
        if bad:
            found[name] = max(bad, key=lambda reason: order.index(reason.partition(":")[0]))
        else:
            found[name] = "" if "" in reasons else reasons[0]
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", required=True)
    parser.add_argument("--cases", required=True, type=pathlib.Path)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--filter", default="")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    if arguments.update and (arguments.filter or arguments.all):
        sys.exit("--update writes of the sample: leave --filter and --all out")

    warnings.simplefilter("ignore")  # of references, on what they overflow
    shutil.rmtree(arguments.work, ignore_errors=True)
    failing = [pattern for pattern, _ in run_suite.read_expected()]
    folders = [path.parent for path in sorted(arguments.cases.glob("*/model.onnx"))]
    chosen = [folder for folder in folders
              if "_expanded" not in folder.name and re.search(arguments.filter, folder.name)
              and not any(fnmatch.fnmatchcase(folder.name, pattern) for pattern in failing)]
    sampled = not arguments.filter and not arguments.all
    cases = {folder.name: Case(folder) for folder in chosen[::SAMPLE if sampled else 1]}
    results, checked = {}, 0

    def take(ways, names, bounds):
        """The ways of those of the cases that took none so far."""
        nonlocal checked
        made = {}
        for name in names:
            for way in ways(cases[name]):
                folder, is_checked = f"{name}@{way[0]}", False
                if folder not in results:
                    folder, is_checked = write(arguments.work / "cases", cases[name], way)
                made[folder] = way[1]
                checked += is_checked
        for name, reason in run(arguments, made, bounds).items():
            if not results.get(name, "").startswith(("unsupported", "invalid")) or \
                    not reason.startswith(("unsupported", "invalid")):
                results[name] = reason
        taken = {name.partition("@")[0] for name, reason in results.items() if not reason}
        return [name for name in names if name not in taken]

    left = take(Case.ways, cases, lambda size: (1, 2 * size))
    left = take(Case.ways, left, lambda size: (size, size + 3))
    take(Case.ways_alone, left, lambda size: (1, 2 * size))
    (arguments.work / "ways.json").write_text(json.dumps(results, indent=1))

    found = verdicts(results)
    failures = {name: reason for name, reason in found.items() if reason}
    passes = sorted(set(found) - set(failures))
    if arguments.update:
        run_suite.update(failures, LIST, HEAD)
    surprises = run_suite.judge(failures, passes, sampled, LIST)
    tally = collections.Counter(reason.partition(":")[0] for reason in results.values())
    print(f"{len(found)} cases, {len(passes)} take ranges; of {len(results)} ways {tally['']} "
          f"compile and are right, {checked} have a second size")
    for kind, count in sorted(tally.items()):
        if kind:
            print(f"  {kind}: {count}")
    print(f"{surprises} not as expected")
    return 1 if surprises or not passes else 0


if __name__ == "__main__":
    sys.exit(main())
