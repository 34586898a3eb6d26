# SPDX-License-Identifier: Apache-2.0
"""Models that keep state from run to run (--state), step by step beside ONNX Runtime.

usage: state.py --burin BURIN --work DIR [--steps N] [--model FILE.onnx PAST_NAMES] [CASE...]

Each step gives ONNX Runtime the states that it returned itself, and Burin's artifact none. Outputs and
states have to agree, and to have the bits that an artifact without states computes when it is fed its own.
What the caller writes to a state is what the next run finds there. Contexts are independent, a full state is
refused and changes nothing, and a rewound one goes on from there.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import numpy as np
import onnx
from onnx import helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "models"))
import language
import recurrent
import reference
from artifact import Artifact, Context, Failed
from recurrent import info, make

STATE_FULL = 15


def window():
    """The last four inputs; what falls out of them is swapped with a second state."""
    return make("window", [
        helper.make_node("Slice", ["past", "one", "five", "one"], ["rest"]),
        helper.make_node("Concat", ["rest", "x"], ["present"], axis=1),
        helper.make_node("ReduceSum", ["present", "one"], ["sum"], keepdims=0),
        helper.make_node("Identity", ["b_in"], ["a_out"]),
        helper.make_node("Add", ["a_in", "sum"], ["b_out"]),
        helper.make_node("Identity", ["k_in"], ["k_out"]),
        helper.make_node("Mul", ["b_out", "k_in"], ["y"])],
        [info("x", [2, 1, 3]), info("past", [2, 4, 3]), info("a_in", [2, 3]), info("b_in", [2, 3]),
         info("k_in", [2, 3])],
        [info("y", [2, 3]), info("present", [2, 4, 3]), info("a_out", [2, 3]), info("b_out", [2, 3]),
         info("k_out", [2, 3])],
        {"one": np.array([1]), "five": np.array([5])})


def cache(axis):
    """Rows put behind others along `axis`, and what reads all of them."""
    shape = [2, 3, 4]
    past, total = list(shape), list(shape)
    shape[axis], past[axis], total[axis] = 1, "past", "total"
    return make(f"cache_{axis}", [
        helper.make_node("Tanh", ["x"], ["new"]),
        helper.make_node("Concat", ["past_rows", "new"], ["present_rows"], axis=axis),
        helper.make_node("Exp", ["present_rows"], ["y"])],
        [info("x", shape), info("past_rows", past)],
        [info("y", total), info("present_rows", total)], {})


def pool():
    """Rows put behind others, and their sum by weights that they make: of one batch."""
    return make("pool", [
        helper.make_node("Concat", ["past", "x"], ["present"], axis=1),
        helper.make_node("MatMul", ["present", "w"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["shares"], axis=1),
        helper.make_node("Mul", ["present", "shares"], ["weighed"]),
        helper.make_node("ReduceSum", ["weighed", "rows"], ["y"], keepdims=0)],
        [info("x", [1, 1, 4]), info("past", [1, "past", 4])],
        [info("y", [1, 4]), info("present", [1, "total", 4])],
        {"w": np.array([[1], [-2], [0.5], [1]], np.float32), "rows": np.array([1])})


def free_past(model, past="past", total="total"):
    """Caches that grow, of whatever size they had: named along the dimension in which they differ."""
    outputs = {value.name: value for value in model.graph.output}
    for value in model.graph.input:
        name = value.name.replace("past_key_values", "present").replace("past", "present")
        grown = outputs.get(name)
        if "past" not in value.name or grown is None:
            continue
        for old, new in zip(value.type.tensor_type.shape.dim, grown.type.tensor_type.shape.dim):
            if old != new:
                old.dim_param, new.dim_param = past, total
    return model


def gpt():
    """A decode step of a small GPT-2."""
    return free_past(language.gpt2_small())


# --state and --dim options of each case, and how many runs until its states are full; None: they do not grow
CASES = {
    "lstm_1": (lambda: recurrent.cell("LSTM", 1), ["auto"], {}, None),
    "lstm_4": (lambda: recurrent.cell("LSTM", 4), ["h0=hn", "c0=cn"], {}, None),
    "lstm_t": (lambda: recurrent.cell("LSTM", "t"), ["auto"], {"t": 19}, None),
    "gru_3": (lambda: recurrent.cell("GRU", 3), ["h0=hn"], {}, None),
    "rnn_3": (lambda: recurrent.cell("RNN", 3, "bidirectional"), ["h0=hn"], {}, None),
    "scan_5": (lambda: recurrent.scan(5), ["s0=sn"], {}, None),
    "scan_t": (lambda: recurrent.scan("t"), ["s0=sn"], {"t": 19}, None),
    "loop": (recurrent.loop, ["*_in=*_out"], {}, None),
    "ring": (recurrent.ring, ["rows_in=rows_out"], {}, None),
    "window": (window, ["past=present", "*_in=*_out"], {}, None),
    "cache_0": (lambda: cache(0), ["auto"], {"past": 5}, 6),
    "cache_1": (lambda: cache(1), ["past_*=present_*"], {"past": 5}, 6),
    "cache_2": (lambda: cache(2), ["auto"], {"past": 5}, 6),
    "pool": (pool, ["past=present"], {"past": 5}, 6),
    "gpt": (gpt, ["past_*=present_*"], {"past": 18}, 19),
}


def compile_model(burin, path, artifact, options):
    command = [burin, "compile", path, "-o", artifact] + options
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}")


class Reference:
    """ONNX Runtime, fed its own states; `names` is {input: output}."""

    def __init__(self, path, model, names):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
        self.outputs = [output.name for output in self.session.get_outputs()]
        self.names = names
        self.states = empty_states(model, names)

    def step(self, inputs):
        results = dict(zip(self.outputs, self.session.run(None, {**inputs, **self.states})))
        self.states = {past: results[present] for past, present in self.names.items()}
        return results


def empty_states(model, names):
    states = {}
    for value in model.graph.input:
        if value.name in names:
            shape = [0 if size.dim_param else size.dim_value
                     for size in value.type.tensor_type.shape.dim]
            states[value.name] = np.zeros(shape, reference.DTYPES[value.type.tensor_type.elem_type])
    return states


def request(model, names, seed, length):
    """Inputs of one step; what is called a mask covers all there is, positions count on."""
    shapes = {}
    for value in model.graph.input:
        shapes[value.name] = [size.dim_value or length + 1
                              for size in value.type.tensor_type.shape.dim]
    inputs = reference.make_inputs(model, seed, shapes)
    for name, data in inputs.items():
        if "position" in name:
            data[...] = length
        if "mask" in name:
            data[...] = 1
    return {name: data for name, data in inputs.items() if name not in names}


def agrees(what, actual, expected):
    size = float(np.max(np.abs(expected.astype(np.float64)), initial=0))
    error = np.abs(actual.astype(np.float64) - expected.astype(np.float64))
    bound = 1e-4 * size + 1e-3 * np.abs(expected.astype(np.float64))
    if actual.shape == expected.shape and np.all((error <= bound) | (actual == expected)):
        return True
    print(f"{what}: {actual.shape} differs from {expected.shape} by "
          f"{np.max(error, initial=0) if actual.shape == expected.shape else '?'}")
    return False


def used(context, index):
    """The part of a state that is in use."""
    array, length = context.state(index)
    axis = context.artifact.states[index].axis
    return array if axis < 0 else np.take(array, np.arange(length), axis)


def fill(context, names, seed):
    """Writes values to the states that do not grow, as a caller may between two runs: {input: array}."""
    random, filled = np.random.default_rng(seed), {}
    for i, past in enumerate(names):
        array, _ = context.state(i)
        if context.artifact.states[i].axis < 0:
            array[...] = random.normal(0, 0.5, array.shape)
            filled[past] = array.copy()
    return filled


def verifies(burin, path, options, names):
    """Whether burin's own comparison begins with states, and finds no difference in what they become."""
    command = [burin, "verify", path, "--json"] + options
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    report = json.loads(done.stdout) if done.returncode in (0, 1) else {"outputs": []}
    compared = {output["name"]: output for output in report["outputs"]}
    good = done.returncode == 0 and set(names.values()) <= set(compared)
    if not good:
        print(f"{path.stem}: verify ends with {done.returncode}: {done.stdout}")
    return good


def check(burin, work, name, model, states, dims, most, steps):
    path = work / f"{name}.onnx"
    path.write_bytes(model.SerializeToString())
    sizes = [text for dim, bound in dims.items() for text in ("--dim", f"{dim}=0..{bound}")]
    kept, plain = work / f"{name}_state.so", work / f"{name}_plain.so"
    keep = [text for state in states for text in ("--state", state)]
    compile_model(burin, path, kept, sizes + keep)
    compile_model(burin, path, plain, sizes)
    artifact = Artifact(kept)
    names = {state.tensor.name.decode(): state.output.decode() for state in artifact.states}
    context, other = Context(artifact), Context(artifact)
    bare, fed = Context(Artifact(plain)), empty_states(model, names)
    ours = Reference(path, model, names)

    good = verifies(burin, path, sizes + keep, names)
    count = min(steps, most or steps)
    for step in range(count):
        inputs = request(model, names, 100 + step, step)
        if step % 3 == 0:
            filled = fill(context, names, step)
            ours.states.update(filled)
            fed.update(filled)
        expected = ours.step(inputs)
        actual = context.run(inputs)
        without = bare.run({**inputs, **fed})
        fed = {past: without[present].copy() for past, present in names.items()}
        for i, (past, present) in enumerate(names.items()):
            actual[present] = used(context, i)
        for output, value in expected.items():
            good &= agrees(f"{name}, step {step}, {output}", actual[output], value)
            if not np.array_equal(actual[output], without[output], equal_nan=True):
                print(f"{name}, step {step}, {output}: other bits than without states")
                good = False
        if step == 0: # another context is where it was
            good &= all(not np.any(used(other, i)) for i in range(len(names)))
    last = {past: value.copy() for past, value in fed.items()}
    if most is not None and count == most:
        try:
            context.run(request(model, names, 1, 0))
            print(f"{name}: a full state was run")
            good = False
        except Failed as failure:
            good &= failure.status == STATE_FULL
        for i, past in enumerate(names):
            good &= np.array_equal(used(context, i), last[past])
    if most is not None: # back by three, and the same again
        back = max(count - 3, 0)
        context.set_length(back)
        for step in range(back, count):
            context.run(request(model, names, 100 + step, step))
        for i, past in enumerate(names):
            good &= np.array_equal(used(context, i), last[past])
    context.reset()
    first, again = request(model, names, 100, 0), None
    again, fresh = context.run(first), other.run(first)
    for output in again:
        if not np.array_equal(again[output], fresh[output], equal_nan=True):
            print(f"{name}: after a reset '{output}' is another than at first")
            good = False
    for each in (context, other, bare):
        each.destroy()
    print(f"{name}: {count} steps, {len(names)} states in {artifact.memory().states} bytes, "
          f"{'agrees' if good else 'DISAGREES'}")
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=19)
    parser.add_argument("--past", type=int, default=127, help="of --model: --dim past=0..PAST")
    parser.add_argument("--model", type=pathlib.Path)
    parser.add_argument("cases", nargs="*")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    good = True
    if arguments.model:
        model = free_past(onnx.load(arguments.model))
        good = check(arguments.burin, arguments.work, arguments.model.stem, model, ["auto"],
                     {"past": arguments.past}, arguments.past + 1, arguments.steps)
    else:
        for name in arguments.cases or CASES:
            build, states, dims, most = CASES[name]
            good &= check(arguments.burin, arguments.work, name, build(), states, dims, most,
                          arguments.steps)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
