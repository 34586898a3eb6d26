# SPDX-License-Identifier: Apache-2.0
"""A small builder over onnx.helper for the models of the tests.

Weights come from a seeded generator. Nothing here is trained: gains are chosen so that
activations keep their spread from layer to layer, else every input would give the same
output and a comparison would prove nothing.
"""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Network:
    """Nodes and weights of a graph under construction; every method returns a value's name."""

    def __init__(self, name, seed=0, opset=21):
        self.name = name
        self.rng = np.random.default_rng(seed)
        self.opset = opset
        self.nodes, self.weights, self.inputs, self.outputs = [], [], [], []
        self.count = 0

    def input(self, name, shape, dtype=TensorProto.FLOAT):
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def output(self, value, name, shape, dtype=TensorProto.FLOAT):
        """Renames `value`, made by the last node that writes it."""
        for node in self.nodes:
            for i, made in enumerate(node.output):
                if made == value:
                    node.output[i] = name
            for i, used in enumerate(node.input):
                if used == value:
                    node.input[i] = name
        self.outputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def constant(self, array, hint="w"):
        name = f"{hint}_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def ints(self, *values):
        return self.constant(np.array(values, np.int64), "ints")

    def normal(self, shape, std, mean=0.0, hint="w"):
        values = self.rng.normal(mean, std, shape).astype(np.float32)
        return self.constant(values, hint)

    def op(self, kind, *inputs, outputs=1, **attributes):
        self.count += 1
        name = f"{kind.lower()}_{self.count}"
        made = [name] if outputs == 1 else [f"{name}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), made, name=name, **attributes))
        return made[0] if outputs == 1 else made

    def conv(self, x, inputs, outputs, size=1, stride=1, groups=1, gain=2.0, bias=False):
        """Convolution with symmetric padding; weights scaled by `gain` / fan-in."""
        fan_in = inputs // groups * size * size
        operands = [x, self.normal((outputs, inputs // groups, size, size),
                                   np.sqrt(gain / fan_in), hint="filters")]
        if bias:
            operands.append(self.normal((outputs,), 0.1, hint="bias"))
        return self.op("Conv", *operands, kernel_shape=[size, size], strides=[stride, stride],
                       pads=[size // 2] * 4, group=groups)

    def batch_norm(self, x, channels, scale=1.0):
        rng = self.rng
        return self.op("BatchNormalization", x,
                       self.constant(rng.uniform(0.8, 1.2, channels).astype(np.float32) * scale),
                       self.normal((channels,), 0.1), self.normal((channels,), 0.1),
                       self.constant(rng.uniform(0.8, 1.2, channels).astype(np.float32)))

    def linear(self, x, inputs, outputs, gain=1.0):
        product = self.op("MatMul", x, self.normal((inputs, outputs), np.sqrt(gain / inputs)))
        return self.op("Add", product, self.normal((outputs,), 0.05, hint="bias"))

    def layer_norm(self, x, width):
        scale = self.rng.uniform(0.8, 1.2, width).astype(np.float32)
        return self.op("LayerNormalization", x, self.constant(scale), self.normal((width,), 0.05),
                       axis=-1, epsilon=1e-5)

    def model(self):
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.weights)
        return helper.make_model(graph, producer_name="burin tests", ir_version=10,
                                 opset_imports=[helper.make_opsetid("", self.opset)])
