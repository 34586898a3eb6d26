# SPDX-License-Identifier: Apache-2.0
"""Graphs of a few nodes, written out, for tests that need one of just that form."""
import onnx
from onnx import TensorProto, helper, numpy_helper


def model(name, nodes, inputs, outputs, initializers, opset=20):
    """A checked ONNX model. Nodes are (operator, inputs, outputs[, attributes]); inputs and outputs are
    {name: shape}, f32, or {name: (element type, shape)}; initializers {name: array}."""
    def infos(tensors):
        return [helper.make_tensor_value_info(
            key, *(tensor if isinstance(tensor, tuple) else (TensorProto.FLOAT, tensor)))
                for key, tensor in tensors.items()]
    graph = helper.make_graph(
        [helper.make_node(*node[:3], **(node[3] if len(node) > 3 else {})) for node in nodes],
        name, infos(inputs), infos(outputs),
        [numpy_helper.from_array(value, key) for key, value in initializers.items()])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    onnx.checker.check_model(made)
    return made
