# SPDX-License-Identifier: Apache-2.0
"""Mutants of model files through `burin compile`: each must compile, or be refused with a message.

usage: mutate.py --server BURIN-COMPILE-SERVER --work DIR [--mutants N] [--seed N] [--jobs N] [--seconds S] [MODEL...]

A mutant is a model with a few edits of its protobuf (attributes, sizes, types, edges, nodes that
are dropped or doubled) or of its bytes. A signal, exit code 4, a sanitizer's report, more than
--seconds, a failure without a message or an artifact left by one is a fault: the mutant is kept as
DIR/fault-<number>.onnx. The same seed makes the same mutants. Without MODEL: small ones made here.
"""
import argparse
import collections
import concurrent.futures
import copy
import os
import pathlib
import queue
import random
import subprocess
import sys

import onnx
from onnx import AttributeProto, TensorProto, defs, helper, parser

ODD = [0, 1, -1, 2, 3, 7, 64, 4096, -2, 2**31 - 1, -2**31, 2**31, 2**32, 2**62, 2**63 - 1, -2**63]
TEXTS = ["", "x", "NOTSET", "SAME_UPPER", "linear", "max", "\u00e9" * 40, "%s%n", "a" * 5000]

SOURCES = {
    "conv": """(float[1,3,12,12] x, float[4,3,3,3] w, float[4] b) => (float[N,M] y) {
        c = Conv <pads = [1, 1, 1, 1], strides = [2, 2]> (x, w, b) r = Relu (c)
        p = MaxPool <kernel_shape = [2, 2]> (r) f = Flatten (p) y = Softmax <axis = 1> (f) }""",
    "rows": """(float[4,8] x, float[8,6] w, float[6] b) => (float[A,B] y, float[A] m) {
        g = Gemm <alpha = 0.5> (x, w, b) s = Sigmoid (g) one = Constant <value_ints = [1]> ()
        m = ReduceMean <keepdims = 0> (s, one) n = LayerNormalization <axis = -1> (s, b)
        t = Transpose <perm = [1, 0]> (n) y = Concat <axis = 0> (t, t) }""",
    "shapes": """(float[2,3,4] x, int64[2] i) => (float[A,B] y, float[C,D,E] z) {
        s = Shape (x) zero = Constant <value_ints = [0]> () n = Gather (s, zero)
        rest = Constant <value_ints = [-1]> () shape = Concat <axis = 0> (n, rest)
        y = Reshape (x, shape) from = Constant <value_ints = [1]> ()
        to = Constant <value_ints = [9]> () two = Constant <value_ints = [2]> ()
        part = Slice (x, from, to, two) z = Gather <axis = 1> (part, i) }""",
    "control": """(float[4] x, bool c) => (float[4] y, float[4] z) {
        y = If (c) <then_branch = then () => (float[4] a) { a = Neg (x) },
                    else_branch = other () => (float[4] b) { b = Abs (x) }>
        trips = Constant <value_int = 3> () on = Constant <value_int = 1> () go = Cast <to = 9> (on)
        z = Loop (trips, go, x) <body = step (int64 i, bool k, float[4] v) => (bool k2, float[4] w) {
            k2 = Identity (k) w = Add (v, x) }> }""",
    "choices": """(float[3,9] x) => (float[A,B] v, int64[A,B] i, float[C,D] p, uint8[3,9] q) {
        k = Constant <value_ints = [4]> () v, i = TopK (x, k)
        pads = Constant <value_ints = [0, 1, 0, 1]> () p = Pad (x, pads)
        s = Constant <value_float = 0.1> () q = QuantizeLinear <output_dtype = 2> (x, s) }""",
    "image": """(float[1,2,5,7] x) => (float[A,B,C,D] y, float[1,2,5,7] n, float[E,F,G,H] a) {
        none = Constant <value_floats = [1.0, 1.0, 2.0, 2.0]> () y = Resize <mode = "linear"> (x, , none)
        g = Constant <value_floats = [1.0, 2.0]> () h = Constant <value_floats = [0.0, 1.0]> ()
        n = BatchNormalization (x, g, h, h, g) a = AveragePool <kernel_shape = [3, 3]> (x) }""",
    "recurrent": """(float[3,2,4] x, float[1,9,4] w, float[1,9,3] r) => (float[A,B,C,D] y) {
        y = GRU <hidden_size = 3> (x, w, r) }""",
    "einsum": """(float[2,3,4] x, float[2,4,5] w) => (float[A,B,C] y, float[2,3,4] g) {
        y = Einsum <equation = "bij,bjk->bik"> (x, w) g = Gelu (x) }""",
}


def corpus(paths):
    if paths:
        return [onnx.load(path) for path in paths]
    return [parser.parse_model(f'<ir_version: 10, opset_import: ["": 21]> {name} {text}')
            for name, text in SOURCES.items()]


class Mutator:
    """Edits that leave most of a model as it was."""

    def __init__(self, seed, models):
        self.random, self.models = random.Random(seed), models
        self.operators = sorted({schema.name for schema in defs.get_all_schemas()})

    def mutant(self):
        model = copy.deepcopy(self.random.choice(self.models))
        for _ in range(self.random.choice((1, 1, 1, 2, 3))):
            if not model.graph.node:
                break
            self.random.choice((self.attribute, self.attribute, self.size, self.rewire, self.type,
                                self.drop, self.double, self.operator, self.tensor, self.opset,
                                self.name))(model)
        data = bytearray(model.SerializeToString())
        if self.random.random() < 0.2:
            self.bytes_(data)
        return bytes(data)

    def node(self, model):
        """Any node; where it has a subgraph, perhaps one of that."""
        node = self.random.choice(model.graph.node)
        for attribute in node.attribute:
            if attribute.HasField("g") and attribute.g.node and self.random.random() < 0.4:
                return self.random.choice(attribute.g.node)
        return node

    def values(self, model):
        names = [value.name for value in model.graph.input]
        return names + [name for node in model.graph.node for name in node.output] + [""]

    def number(self, old):
        return self.random.choice((old + 1, max(old, -2**63 + 1) - 1, -old, *ODD)) \
            if abs(old) < 2**62 else self.random.choice(ODD)

    def attribute(self, model):
        node, choose = self.node(model), self.random.choice
        if not node.attribute:
            return node.attribute.add(name=choose(("axis", "to", "perm")), type=AttributeProto.INT,
                                      i=choose(ODD)) and None
        attribute = choose(node.attribute)
        kind = attribute.type
        if kind == AttributeProto.INT:
            attribute.i = self.number(attribute.i)
        elif kind == AttributeProto.FLOAT:
            attribute.f = choose((0.0, -1.0, float("nan"), float("inf"), 1e38, 1e-45))
        elif kind == AttributeProto.STRING:
            attribute.s = choose(TEXTS).encode()
        elif kind == AttributeProto.INTS and attribute.ints:
            edit, at = choose("set add pop".split()), self.random.randrange(len(attribute.ints))
            if edit == "set":
                attribute.ints[at] = self.number(attribute.ints[at])
            elif edit == "add":
                attribute.ints.append(choose(ODD))
            else:
                del attribute.ints[at]
        elif self.random.random() < 0.5:
            attribute.type = choose(range(0, 15))
        else:
            node.attribute.remove(attribute)

    def size(self, model):
        value = self.random.choice([*model.graph.input, *model.graph.output])
        dims = value.type.tensor_type.shape.dim
        if dims and self.random.random() < 0.8:
            dim = self.random.choice(dims)
            dim.dim_value = self.number(dim.dim_value)
        elif dims and self.random.random() < 0.5:
            del dims[self.random.randrange(len(dims))]
        else:
            dims.add().dim_value = self.random.choice(ODD)

    def type(self, model):
        value = self.random.choice([*model.graph.input, *model.graph.output])
        kind = self.random.randrange(20)
        if kind == 0:
            value.type.map_type.key_type = TensorProto.INT64
            value.type.map_type.value_type.tensor_type.elem_type = TensorProto.FLOAT
        elif kind == 1:
            value.type.sequence_type.elem_type.tensor_type.elem_type = self.random.randrange(0, 30)
        else:
            value.type.tensor_type.elem_type = self.random.choice((*range(30), 99, -1, 2**31 - 1))

    def rewire(self, model):
        node = self.node(model)
        edges = self.random.choice((node.input, node.input, node.output))
        if edges:
            edges[self.random.randrange(len(edges))] = self.random.choice(self.values(model))

    def drop(self, model):
        del model.graph.node[self.random.randrange(len(model.graph.node))]

    def double(self, model):
        node = model.graph.node.add()
        node.CopyFrom(self.random.choice(model.graph.node[:-1] or [node]))
        if self.random.random() < 0.7:
            fresh = [f"{name}_again" for name in node.output]
            del node.output[:]
            node.output.extend(fresh)

    def operator(self, model):
        self.node(model).op_type = self.random.choice(self.operators)

    def tensor(self, model):
        tensors = list(model.graph.initializer) + [
            attribute.t for node in model.graph.node for attribute in node.attribute
            if attribute.HasField("t")]
        if not tensors:
            return self.attribute(model)
        tensor = self.random.choice(tensors)
        if tensor.dims and self.random.random() < 0.5:
            at = self.random.randrange(len(tensor.dims))
            tensor.dims[at] = self.number(tensor.dims[at])
        else:
            tensor.data_type = self.random.randrange(0, 28)

    def opset(self, model):
        model.opset_import[0].version = self.random.choice((0, 1, 6, 7, 9, 11, 13, 18, 23, 28, 99))

    def name(self, model):
        self.node(model).name = self.random.choice(TEXTS)

    def bytes_(self, data):
        for _ in range(self.random.randrange(1, 4)):
            at = self.random.randrange(len(data)) if data else 0
            edit = self.random.randrange(4)
            if not data or edit == 0:
                del data[at:]
            elif edit == 1:
                del data[at:at + self.random.randrange(1, 9)]
            elif edit == 2:
                data[at:at] = data[at:at + self.random.randrange(1, 33)]
            else:
                data[at] ^= 1 << self.random.randrange(8)


class Server:
    """A burin-compile-server at work."""

    def __init__(self, program, warm, seconds):
        environment = dict(os.environ, UBSAN_OPTIONS="print_stacktrace=1",
                           ASAN_OPTIONS="detect_leaks=0:allow_user_poisoning=0:exitcode=99")
        self.process = subprocess.Popen([program, warm, str(seconds)], env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def fault_of(self, path, artifact):
        """(exit code, what is wrong or "") of one mutant."""
        said = path.with_suffix(".txt")
        words = [said, path, "-o", artifact, "--cpu", "x86-64-v3"]
        print(*words, sep="\t", file=self.process.stdin, flush=True)
        code = self.process.stdout.readline().strip()
        if not code:
            sys.exit("the server ended")
        text = said.read_text(errors="replace")
        said.unlink()
        if code not in ("0", "1", "2", "3"):
            return code, text[-3000:] or "says nothing"
        if code != "0" and not text.startswith(("error: ", "warning: ")):
            return code, f"no message, but: {text[:500]}"
        if code != "0" and artifact.exists():
            return code, "failed, and left an artifact"
        return code, ""


def main():
    flags = argparse.ArgumentParser()
    flags.add_argument("--server", required=True)
    flags.add_argument("--work", required=True, type=pathlib.Path)
    flags.add_argument("--mutants", type=int, default=10000)
    flags.add_argument("--seed", type=int, default=1)
    flags.add_argument("--jobs", type=int, default=2)
    flags.add_argument("--seconds", type=int, default=60)
    flags.add_argument("models", nargs="*", type=pathlib.Path)
    arguments = flags.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    mutator = Mutator(arguments.seed, corpus(arguments.models))
    codes, faults = collections.Counter(), 0
    warm = arguments.work / "warm.onnx"
    warm.write_bytes(mutator.models[0].SerializeToString())
    servers = queue.SimpleQueue()
    for _ in range(arguments.jobs):
        servers.put(Server(arguments.server, warm, arguments.seconds))

    def one(number, data):
        path = arguments.work / f"mutant-{number}.onnx"
        artifact = path.with_suffix(".so")
        path.write_bytes(data)
        server = servers.get()
        code, fault = server.fault_of(path, artifact)
        servers.put(server)
        artifact.unlink(missing_ok=True)
        if fault:
            path.rename(arguments.work / f"fault-{number}.onnx")
        else:
            path.unlink()
        return number, code, fault

    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for begin in range(0, arguments.mutants, 100):
            batch = [(n, mutator.mutant()) for n in range(begin, min(begin + 100, arguments.mutants))]
            for number, code, fault in pool.map(one, *zip(*batch)):
                codes[code] += 1
                if fault:
                    faults += 1
                    print(f"mutant {number}: exit code {code}: {fault}", flush=True)
            print(f"{begin + len(batch)} mutants, by exit code: {dict(codes)}", file=sys.stderr,
                  flush=True)
    print(f"{arguments.mutants} mutants of seed {arguments.seed}: {faults} faults; by exit code: "
          f"{dict(sorted(codes.items(), key=str))}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
