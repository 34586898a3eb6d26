# SPDX-License-Identifier: Apache-2.0
"""Writes ONNX's backend node cases to a folder, in the layout `burin test` reads.

usage: make_cases.py OUT

Each case becomes OUT/<name>/{model.onnx, case.json, test_data_set_N/{input,output}_M.pb}.
The same onnx version gives the same bytes; a folder that is complete is left alone.
"""
import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_node_model_tests


def to_proto(value, kind):
    """A value of a data set as the protobuf message that its declared type asks for."""
    if isinstance(value, onnx.TensorProto):
        return value
    if kind.HasField("sequence_type"):
        return numpy_helper.from_list(value)
    if kind.HasField("optional_type"):
        return numpy_helper.from_optional(value)
    if isinstance(value, dict):
        return numpy_helper.from_dict(value)
    return numpy_helper.from_array(np.asarray(value))


def write_case(out, case):
    folder = out / case.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    (folder / "case.json").write_text(json.dumps({"rtol": case.rtol, "atol": case.atol}))
    graph = case.model.graph
    for i, (inputs, outputs) in enumerate(case.data_sets):
        data = folder / f"test_data_set_{i}"
        data.mkdir(exist_ok=True)
        for kind, values, infos in (("input", inputs, graph.input),
                                    ("output", outputs, graph.output)):
            for j, value in enumerate(values):
                proto = to_proto(value, infos[j].type)
                (data / f"{kind}_{j}.pb").write_bytes(proto.SerializeToString())


def main():
    out = pathlib.Path(sys.argv[1])
    stamp = out / "complete"
    if stamp.exists() and stamp.read_text() == onnx.__version__:
        return
    out.mkdir(parents=True, exist_ok=True)
    cases = load_node_model_tests()
    for case in cases:
        write_case(out, case)
    stamp.write_text(onnx.__version__)
    print(f"{len(cases)} cases written to {out}")


if __name__ == "__main__":
    main()
