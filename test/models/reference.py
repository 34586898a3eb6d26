# SPDX-License-Identifier: Apache-2.0
"""What models are compared with: their inputs, ONNX Runtime, and an evaluation in f64."""
import hashlib
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

DTYPES = {TensorProto.FLOAT: np.float32, TensorProto.DOUBLE: np.float64,
          TensorProto.INT64: np.int64, TensorProto.INT32: np.int32, TensorProto.BOOL: np.bool_}


def make_inputs(model, seed, shapes=None):
    """Random values by input name: floats from N(0, 1); integers below 100; a mask is ones,
    its last quarter zeros. `shapes` has those that the model leaves open."""
    rng = np.random.default_rng(seed)
    initialized = {weight.name for weight in model.graph.initializer}
    inputs = {}
    for value in model.graph.input:
        if value.name in initialized:
            continue
        tensor = value.type.tensor_type
        shape = (shapes or {}).get(value.name) or [d.dim_value for d in tensor.shape.dim]
        dtype = DTYPES[tensor.elem_type]
        if "mask" in value.name:
            data = np.ones(shape, dtype)
            data[..., shape[-1] - shape[-1] // 4:] = 0
        elif np.issubdtype(dtype, np.floating):
            data = rng.standard_normal(shape)
            if len(shape) == 4:
                # Images differ in colour too: noise alone looks the same from afar.
                data += rng.normal(0, 1, (*shape[:2], 1, 1))
            data = data.astype(dtype)
        else:
            data = rng.integers(0, 2 if dtype == np.bool_ else 100, shape).astype(dtype)
        inputs[value.name] = data
    return inputs


def run_onnxruntime(path, inputs, threads=1):
    """{output name: array} with default optimisations."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs)))


def to_double(model):
    """A copy of `model` that computes in f64: weights, inputs, outputs, constants and casts."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)

    def widen(tensor):
        if tensor.data_type == TensorProto.FLOAT:
            array = numpy_helper.to_array(tensor).astype(np.float64)
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))

    def visit(graph):
        for weight in graph.initializer:
            widen(weight)
        for value in [*graph.input, *graph.output, *graph.value_info]:
            if value.type.tensor_type.elem_type == TensorProto.FLOAT:
                value.type.tensor_type.elem_type = TensorProto.DOUBLE
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.type == onnx.AttributeProto.TENSOR:
                    widen(attribute.t)
                elif attribute.type == onnx.AttributeProto.GRAPH:
                    visit(attribute.g)
                elif node.op_type == "Cast" and attribute.name == "to" and \
                        attribute.i == TensorProto.FLOAT:
                    attribute.i = TensorProto.DOUBLE

    visit(copy.graph)
    return copy


def run_double(model, inputs, cache):
    """{output name: f64 array} by onnx.reference; kept in the folder `cache`, as it is slow."""
    from onnx.reference import ReferenceEvaluator
    digest = hashlib.sha256(model.SerializeToString())
    for name, data in sorted(inputs.items()):
        digest.update(name.encode() + data.tobytes())
    kept = pathlib.Path(cache) / f"f64-{digest.hexdigest()[:24]}.npz"
    names = [output.name for output in model.graph.output]
    if not kept.exists():
        wide = {name: data.astype(np.float64) if data.dtype == np.float32 else data
                for name, data in inputs.items()}
        results = ReferenceEvaluator(to_double(model)).run(names, wide)
        partial = kept.with_name(kept.stem + ".part.npz")
        np.savez(partial, *results)
        partial.rename(kept)
    with np.load(kept) as arrays:
        return {name: arrays[f"arr_{i}"] for i, name in enumerate(names)}
