# SPDX-License-Identifier: Apache-2.0
"""What is measured: a model, its sizes and inputs, the least work that it asks for. No command of its own.

A case comes from a name of test/models/build.py, or from an ONNX file. Its sizes and inputs: FILE.onnx:VARIANT
looks for STEM.VARIANT.json, FILE.onnx for STEM.json, beside the model or in --specs. Such a file is a list of
{"name", "dtype", "shape", "kind"}, kind: "normal", "ones", "int:N" (below N), "const:C", "arange". Without one,
sizes are the model's and those of --dim and --input, values random.

Caches that grow ("past..." with a "present..." that is longer) are states of Burin's artifact, filled as far as
the input is long before each run, with as much room again; peers get and return them, their length open.
"""
import hashlib
import json
import pathlib
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "models"))
sys.path.append(str(HERE.parent / "e2e"))
import build
import reference


class Case:
    """One model at one size. `inputs`: all, by name; `fed`: those that Burin is given."""

    def __init__(self, name, path, model, inputs, folder):
        self.name, self.path, self.inputs, self.folder = name, pathlib.Path(path), inputs, folder
        self.outputs = [value.name for value in model.graph.output]
        shapes = {name: list(array.shape) for name, array in inputs.items()}
        grown = growing(model)
        self.filled, state_names = None, set()
        for name, (axis, symbol) in grown.items():
            # An empty cache is a prompt's: an input of no bytes, and no state.
            if shapes[name][axis]:
                self.filled = (symbol, shapes[name][axis])
                state_names.add(name)
        self.fed = {name: array for name, array in inputs.items() if name not in state_names}
        self.fixed = {symbol: size for symbol, size in symbols(model, shapes).items()
                      if not self.filled or symbol != self.filled[0]}
        self.compared = not self.filled
        self.burin_options, self.run_options, self.explain_options = [], [], []
        self.peer_shapes = {name: list(shape) for name, shape in shapes.items()}
        if self.filled:
            symbol, length = self.filled
            for key, size in self.fixed.items():
                self.explain_options += ["--dim", f"{key}={size}"]
            self.burin_options = [*self.explain_options, "--dim", f"{symbol}=0..{2 * length - 1}",
                                  "--state", "auto"]
            self.explain_options += ["--dim", f"{symbol}={length}"]
            self.run_options = ["--dim", f"{symbol}={length}"]
            for value in model.graph.input:
                for axis, dim in enumerate(value.type.tensor_type.shape.dim):
                    if value.name in shapes and dim.dim_param == symbol:
                        self.peer_shapes[value.name][axis] = -1
        elif any(dim.dim_value <= 0 for value in model.graph.input if value.name in shapes
                 for dim in value.type.tensor_type.shape.dim):
            for name, shape in shapes.items():
                self.burin_options += ["--input", name + "=" + "x".join(map(str, shape))]
            self.explain_options = self.burin_options
        self.bytes = least_bytes(model, inputs)
        self.flops = None

    def count(self, burin):
        """FLOPs as `burin explain` counts them; None where it cannot."""
        done = subprocess.run([burin, "explain", "--json", self.path, *self.explain_options],
                              capture_output=True, text=True)
        try:
            nodes = json.loads(done.stdout)["nodes"]
        except (ValueError, KeyError):
            return
        self.flops = sum(node["flops"] for node in nodes)


def growing(model):
    """{input: (axis, symbol)} of caches that come back longer."""
    outputs = {value.name: value for value in model.graph.output}
    found = {}
    for value in model.graph.input:
        back = outputs.get(value.name.replace("past_key_values", "present").replace("past", "present"))
        if "past" not in value.name or back is None:
            continue
        dims = zip(value.type.tensor_type.shape.dim, back.type.tensor_type.shape.dim)
        axes = [i for i, (old, new) in enumerate(dims) if old.dim_param and old != new]
        if len(axes) == 1:
            found[value.name] = (axes[0], value.type.tensor_type.shape.dim[axes[0]].dim_param)
    return found if len({symbol for _, symbol in found.values()}) == 1 else {}


def symbols(model, shapes):
    """{symbol: size} as the inputs have it."""
    sizes = {}
    for value in model.graph.input:
        for dim, size in zip(value.type.tensor_type.shape.dim, shapes.get(value.name, [])):
            if dim.dim_param:
                sizes[dim.dim_param] = size
    return sizes


def tensor_bytes(tensor):
    count = int(np.prod(tensor.dims, dtype=np.int64)) if tensor.dims else 1
    return count * helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize


def least_bytes(model, inputs):
    """Bytes that a run cannot do without: each weight once, but of a table the rows that it is asked for;
    inputs; outputs that are not an input grown longer (of those only what is new)."""
    gathered, whole = {}, set()
    indices = {name: array.size for name, array in inputs.items()}
    for node in model.graph.node:
        for i, name in enumerate(node.input):
            if node.op_type == "Gather" and i == 0:
                gathered[name] = gathered.get(name, 0) + indices.get(node.input[1], 1)
            else:
                whole.add(name)
    total = sum(array.nbytes for array in inputs.values())
    for weight in model.graph.initializer:
        if weight.name in whole or weight.name not in gathered:
            total += tensor_bytes(weight)
        else:
            rows = weight.dims[0] if weight.dims else 1
            total += tensor_bytes(weight) // max(rows, 1) * min(gathered[weight.name], rows)
    for node in model.graph.node:
        total += sum(tensor_bytes(attribute.t) for attribute in node.attribute
                     if node.op_type == "Constant" and attribute.type == onnx.AttributeProto.TENSOR)
    grown = {name.replace("past_key_values", "present").replace("past", "present") for name in growing(model)}
    for value in model.graph.output:
        dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        if value.name not in grown and all(dims):
            total += int(np.prod(dims)) * helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type).itemsize
    return total


def from_spec(entries):
    """Inputs as a file of sizes and kinds tells them."""
    made = {}
    for seed, entry in enumerate(entries):
        rng, shape, dtype = np.random.default_rng(seed), entry["shape"], np.dtype(entry["dtype"])
        kind, _, value = entry["kind"].partition(":")
        if kind == "int":
            array = rng.integers(0, int(value), shape)
        elif kind == "const":
            array = np.full(shape, float(value))
        elif kind == "arange":
            array = np.arange(int(np.prod(shape))).reshape(shape)
        elif kind in ("ones", "normal"):
            array = np.ones(shape) if kind == "ones" else rng.standard_normal(shape, np.float32)
        else:
            raise SystemExit(f"bench: input '{entry['name']}': no kind '{entry['kind']}'")
        made[entry["name"]] = array.astype(dtype)
    return made


def open_shapes(model, dims, given):
    """Shapes of the inputs: those of `given`; symbols as `dims` has them."""
    shapes, initialized = {}, {weight.name for weight in model.graph.initializer}
    for value in model.graph.input:
        if value.name in initialized:
            continue
        if value.name in given:
            shapes[value.name] = given[value.name]
            continue
        shape = [dim.dim_value or dims.get(dim.dim_param) for dim in value.type.tensor_type.shape.dim]
        if None in shape:
            raise SystemExit(f"bench: input '{value.name}' has open sizes: give --dim, --input, or a file of --specs")
        shapes[value.name] = shape
    return shapes


def check(text):
    """Ends the program where a name of a model is none, before anything is measured."""
    file = text.partition(":")[0]
    if text not in build.MODELS and not pathlib.Path(file).is_file():
        raise SystemExit(f"bench: no model '{file}': neither a file nor one of {', '.join(build.MODELS)}")


def load(text, work, specs, dims, shapes):
    """The case that a command line names. Files of it are written to a folder of its own in `work`."""
    file, _, variant = text.partition(":")
    path = pathlib.Path(file)
    stem = path.name.removesuffix(".onnx")
    sizes = f"{sorted(dims.items())}{sorted(shapes.items())}"
    digest = hashlib.sha256(f"{path.resolve()}{variant}{sizes}".encode()).hexdigest()[:8]
    folder = pathlib.Path(work) / f"{stem}{'-' + variant if variant else ''}-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.npz"):
        stale.unlink()
    dims, spec = dict(dims), None
    if text in build.MODELS:
        path = folder / "source.onnx"
        model = build.MODELS[file]()
        caches = {value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
                  for value in model.graph.input}
        from state import free_past
        free_past(model)
        for name, (axis, symbol) in growing(model).items():
            dims.setdefault(symbol, caches[name][axis])
        path.write_bytes(model.SerializeToString())
    else:
        model = onnx.load(path, load_external_data=False)
        described = f"{stem}.{variant}.json" if variant else f"{stem}.json"
        places = [place / described for place in (path.parent, specs or path.parent)]
        spec = next(filter(pathlib.Path.is_file, places), None)
        if variant and not spec:
            raise SystemExit(f"bench: no {described} beside {file} or in --specs")
    if spec:
        inputs = from_spec(json.loads(spec.read_text()))
    else:
        inputs = reference.make_inputs(model, 1, open_shapes(model, dims, shapes))
    name = stem + (f":{variant}" if variant else "")
    return Case(name, path, model, inputs, folder)


def hand_made(name, model, inputs, work):
    """A case of a model that is made on the fly."""
    folder = pathlib.Path(work) / f"micro-{name.replace(' ', '-').replace('/', '-')}"
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.npz"):
        stale.unlink()
    path = folder / "source.onnx"
    path.write_bytes(model.SerializeToString())
    return Case(name, path, model, inputs, folder)
