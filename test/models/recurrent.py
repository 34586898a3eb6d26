# SPDX-License-Identifier: Apache-2.0
"""Models that walk several steps in one run, from a state that is an input to one that is an output."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def info(name, shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def make(name, nodes, inputs, outputs, weights):
    graph = helper.make_graph(nodes, name, inputs, outputs,
                              [numpy_helper.from_array(value, key) for key, value in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    return model


def cell(kind, steps, direction="forward"):
    """An RNN, GRU or LSTM of `steps` (a number or a name), and what reads its last state."""
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    ways = 2 if direction == "bidirectional" else 1
    random = np.random.default_rng(3)

    def weights(*shape):
        return random.normal(0, 0.3, shape).astype(np.float32)
    states = ["h0", "c0"] if kind == "LSTM" else ["h0"]
    results = ["hn", "cn"][:len(states)]
    shape = [ways, 2, 24]
    return make(kind.lower(), [
        helper.make_node(kind, ["x", "w", "r", "b", "", *states], ["ys", *results], hidden_size=24,
                         direction=direction),
        helper.make_node("Add", ["ys", results[-1]], ["sum"]),
        helper.make_node("Tanh", ["sum"], ["y"])],
        [info("x", [steps, 2, 16])] + [info(state, shape) for state in states],
        [info("y", [steps, ways, 2, 24])] + [info(result, shape) for result in results],
        {"w": weights(ways, 24 * gates, 16), "r": weights(ways, 24 * gates, 24),
         "b": weights(ways, 48 * gates)})


def scan(steps):
    """s' = tanh(s + x), o = exp(s') at each step."""
    body = helper.make_graph([
        helper.make_node("Add", ["s", "xi"], ["sum"]),
        helper.make_node("Tanh", ["sum"], ["next"]),
        helper.make_node("Exp", ["next"], ["oi"])],
        "body", [info("s", [4]), info("xi", [4])], [info("next", [4]), info("oi", [4])])
    return make("scan", [
        helper.make_node("Scan", ["s0", "x"], ["sn", "o"], body=body, num_scan_inputs=1)],
        [info("x", [steps, 4]), info("s0", [4])], [info("sn", [4]), info("o", [steps, 4])], {})


def loop():
    """Two states that change places in each of five rounds, and what the rounds gave."""
    body = helper.make_graph([
        helper.make_node("Identity", ["go"], ["on"]),
        helper.make_node("Identity", ["b"], ["old_b"]),
        helper.make_node("Add", ["a", "b"], ["sum"]),
        helper.make_node("Tanh", ["sum"], ["next"]),
        helper.make_node("Mul", ["next", "x"], ["oi"])],
        "body",
        [info("i", [], TensorProto.INT64), info("go", [], TensorProto.BOOL), info("a", [6]),
         info("b", [6])],
        [info("on", [], TensorProto.BOOL), info("old_b", [6]), info("next", [6]), info("oi", [6])])
    return make("loop", [
        helper.make_node("Loop", ["five", "", "a_in", "b_in"], ["a_out", "b_out", "o"], body=body)],
        [info("x", [6]), info("a_in", [6]), info("b_in", [6])],
        [info("a_out", [6]), info("b_out", [6]), info("o", [5, 6])], {"five": np.array(5)})


def ring():
    """Rows that are put over old ones, where an input says."""
    return make("ring", [
        helper.make_node("Mod", ["position", "four"], ["row"]),
        helper.make_node("ScatterND", ["rows_in", "row", "x"], ["rows_out"]),
        helper.make_node("Exp", ["rows_out"], ["y"])],
        [info("x", [1, 5]), info("position", [1, 1], TensorProto.INT64), info("rows_in", [4, 5])],
        [info("y", [4, 5]), info("rows_out", [4, 5])], {"four": np.array(4)})
