# SPDX-License-Identifier: Apache-2.0
"""Models as exporters leave them: normalisations, activations and attention written out, shapes
computed from shapes, halves and windows moved by Slice and Concat."""
import numpy as np
from onnx import TensorProto, numpy_helper

from network import Network


class Exported(Network):
    """Idioms of the exporters of PyTorch, torchscript's (with its shape arithmetic) and dynamo's."""

    def constant(self, array, hint="w"):
        """As Network's, but a scalar keeps its rank of 0."""
        name = f"{hint}_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def number(self, value):
        return self.constant(np.float32(value), "number")

    def size(self, x, dim):
        """x.size(dim), as a tensor of one dimension."""
        value = self.op("Gather", self.op("Shape", x), self.constant(np.int64(dim), "dim"), axis=0)
        return self.op("Unsqueeze", value, self.ints(0))

    def view(self, x, *sizes):
        """x.view(sizes): numbers, and sizes taken from shapes."""
        parts = [size if isinstance(size, str) else self.ints(size) for size in sizes]
        return self.op("Reshape", x, self.op("Concat", *parts, axis=0))

    def slice(self, x, start, end, axis):
        return self.op("Slice", x, self.ints(start), self.ints(end), self.ints(axis), self.ints(1))

    def layer_norm_written_out(self, x, width, epsilon=1e-5, axes=True):
        mean = self.op("ReduceMean", x, self.ints(-1)) if axes else \
            self.op("ReduceMean", x, axes=[-1])
        centred = self.op("Sub", x, mean)
        square = self.op("Pow", centred, self.number(2))
        variance = self.op("ReduceMean", square, self.ints(-1)) if axes else \
            self.op("ReduceMean", square, axes=[-1])
        root = self.op("Sqrt", self.op("Add", variance, self.number(epsilon)))
        x = self.op("Mul", self.op("Div", centred, root),
                    self.constant(self.rng.uniform(0.8, 1.2, width).astype(np.float32)))
        return self.op("Add", x, self.normal((width,), 0.05))

    def rms_norm(self, x, width, epsilon=1e-6):
        square = self.op("Mul", x, x)
        mean = self.op("ReduceMean", square, self.ints(-1))
        root = self.op("Sqrt", self.op("Add", mean, self.number(epsilon)))
        scale = self.constant(self.rng.uniform(0.8, 1.2, width).astype(np.float32))
        return self.op("Mul", scale, self.op("Mul", x, self.op("Reciprocal", root)))

    def gelu(self, x):
        erf = self.op("Erf", self.op("Div", x, self.number(np.sqrt(2))))
        return self.op("Mul", self.op("Mul", x, self.op("Add", erf, self.number(1))),
                       self.number(0.5))

    def silu(self, x):
        return self.op("Mul", x, self.op("Sigmoid", x))

    def hard_swish(self, x):
        clip = self.op("Clip", self.op("Add", x, self.number(3)), self.number(0), self.number(6))
        return self.op("Div", self.op("Mul", x, clip), self.number(6))

    def roll(self, x, shift, axis):
        """torch.roll by -shift along an axis."""
        return self.op("Concat", self.slice(x, shift, 2**63 - 1, axis),
                       self.slice(x, 0, shift, axis), axis=axis)


def swin(size=16, window=4, width=32, heads=4, name="swin"):
    """Liu et al. 2021: patches, a block of attention in windows, one in shifted windows with its
    mask, and the merging of patches. Image 1x3x64x64."""
    net = Exported(name, seed=31, opset=17)
    image = net.input("image", [1, 3, 4 * size, 4 * size])
    filters = net.normal((width, 3, 4, 4), 0.2)
    x = net.op("Conv", image, filters, net.normal((width,), 0.1), kernel_shape=[4, 4],
               strides=[4, 4])
    x = net.op("Transpose", x, perm=[0, 2, 3, 1])
    x = net.layer_norm_written_out(x, width, axes=False)
    depth, area, across = width // heads, window * window, size // window
    region = np.zeros((size, size))
    for i, rows in enumerate((slice(0, -window), slice(-window, -2), slice(-2, None))):
        for j, columns in enumerate((slice(0, -window), slice(-window, -2), slice(-2, None))):
            region[rows, columns] = 3 * i + j
    region = region.reshape(across, window, across, window).transpose(0, 2, 1, 3).reshape(-1, area)
    mask = np.where(region[:, None] != region[:, :, None], -100, 0).astype(np.float32)
    for shift in (0, window // 2):
        short = x
        x = net.layer_norm_written_out(x, width, axes=False)
        if shift:
            x = net.roll(net.roll(x, shift, 1), shift, 2)
        batch = net.size(x, 0)
        x = net.view(x, batch, across, window, across, window, width)
        x = net.op("Transpose", x, perm=[0, 1, 3, 2, 4, 5])
        x = net.view(x, -1, area, width)
        qkv = net.linear(x, width, 3 * width, gain=2.0)
        qkv = net.view(qkv, net.size(x, 0), net.size(x, 1), 3, heads, depth)
        qkv = net.op("Transpose", qkv, perm=[2, 0, 3, 1, 4])
        q, k, v = (net.op("Gather", qkv, net.constant(np.int64(i)), axis=0) for i in range(3))
        q = net.op("Mul", q, net.number(depth ** -0.5))
        scores = net.op("MatMul", q, net.op("Transpose", k, perm=[0, 1, 3, 2]))
        table = net.normal(((2 * window - 1) ** 2, heads), 0.5)
        index = net.constant(net.rng.integers(0, (2 * window - 1) ** 2, (area * area,)))
        bias = net.op("Reshape", net.op("Gather", table, index, axis=0), net.ints(area, area, -1))
        bias = net.op("Transpose", bias, perm=[2, 0, 1])
        scores = net.op("Add", scores, net.op("Unsqueeze", bias, net.ints(0)))
        if shift:
            count = net.op("Div", net.size(x, 0), net.ints(across * across))
            scores = net.view(scores, count, across * across, heads, area, area)
            given = net.op("Unsqueeze", net.constant(mask), net.ints(1))
            scores = net.op("Add", scores, net.op("Unsqueeze", given, net.ints(0)))
            scores = net.view(scores, -1, heads, area, area)
        y = net.op("MatMul", net.op("Softmax", scores, axis=-1), v)
        y = net.op("Transpose", y, perm=[0, 2, 1, 3])
        y = net.view(y, net.size(x, 0), area, width)
        y = net.linear(y, width, width)
        y = net.view(y, -1, window, window, width)
        y = net.view(y, batch, across, across, window, window, width)
        y = net.op("Transpose", y, perm=[0, 1, 3, 2, 4, 5])
        y = net.view(y, batch, size, size, width)
        if shift:
            y = net.roll(net.roll(y, size - shift, 1), size - shift, 2)
        x = net.op("Add", short, y)
        y = net.layer_norm_written_out(x, width, axes=False)
        y = net.linear(net.gelu(net.linear(y, width, 4 * width)), 4 * width, width, gain=2.0)
        x = net.op("Add", x, y)
    corners = [net.op("Slice", x, net.ints(i, j), net.ints(2**63 - 1, 2**63 - 1), net.ints(1, 2),
                      net.ints(2, 2)) for j in (0, 1) for i in (0, 1)]
    x = net.layer_norm_written_out(net.op("Concat", *corners, axis=-1), 4 * width, axes=False)
    x = net.op("MatMul", x, net.normal((4 * width, 2 * width), 0.1))
    net.output(x, "features", [1, size // 2, size // 2, 2 * width])
    return net.model()


def mobile_transformer(name="mobile_transformer"):
    """Mehta and Rastegari 2022: inverted residuals, then attention among the pixels that have the
    same place in their patch. Image 1x3x64x64."""
    net = Exported(name, seed=41, opset=18)
    x = net.input("image", [1, 3, 64, 64])
    x = net.silu(net.batch_norm(net.conv(x, 3, 16, 3, stride=2), 16))
    for inputs, outputs, stride in ((16, 32, 2), (32, 32, 1), (32, 48, 2)):
        y = net.hard_swish(net.batch_norm(net.conv(x, inputs, 64), 64))
        y = net.hard_swish(net.batch_norm(net.conv(y, 64, 64, 3, stride=stride, groups=64), 64))
        gate = net.op("ReduceMean", y, net.ints(2, 3))
        gate = net.op("Relu", net.conv(gate, 64, 16, bias=True))
        line = net.op("Add", net.conv(gate, 16, 64, bias=True), net.number(3))
        gate = net.op("Div", net.op("Clip", line, net.number(0), net.number(6)), net.number(6))
        y = net.batch_norm(net.conv(net.op("Mul", y, gate), 64, outputs), outputs)
        x = net.op("Add", x, y) if inputs == outputs else y
    channels, size, width, heads = 48, 8, 40, 4
    y = net.silu(net.conv(x, channels, channels, 3))
    y = net.conv(y, channels, width)
    # [n, c, h, w] -> patches of 2x2: [n * 4, patches, c]
    y = net.view(y, width * size // 2, 2, size // 2, 2)
    y = net.op("Transpose", y, perm=[0, 2, 1, 3])
    y = net.view(y, 1, width, size * size // 4, 4)
    y = net.op("Transpose", y, perm=[0, 3, 2, 1])
    y = net.view(y, 4, size * size // 4, width)
    for _ in range(2):
        short = y
        y = net.layer_norm_written_out(y, width)
        qkv = net.linear(y, width, 3 * width, gain=2.0)
        qkv = net.op("Reshape", qkv, net.ints(0, 0, 3 * heads, -1))
        qkv = net.op("Transpose", qkv, perm=[0, 2, 1, 3])
        q, k, v = net.op("Split", qkv, outputs=3, axis=1, num_outputs=3)
        scores = net.op("Div", net.op("MatMul", q, net.op("Transpose", k, perm=[0, 1, 3, 2])),
                        net.number(np.sqrt(width // heads)))
        lowered = net.op("Sub", scores, net.op("ReduceMax", scores, net.ints(-1)))
        weights = net.op("Exp", lowered)
        weights = net.op("Div", weights, net.op("ReduceSum", weights, net.ints(-1)))
        y = net.op("Transpose", net.op("MatMul", weights, v), perm=[0, 2, 1, 3])
        y = net.op("Add", short, net.linear(net.op("Reshape", y, net.ints(0, 0, -1)), width, width))
        short, y = y, net.layer_norm_written_out(y, width)
        y = net.op("Add", short, net.linear(net.silu(net.linear(y, width, 80)), 80, width, gain=2.0))
    y = net.op("Transpose", net.view(y, 1, 4, size * size // 4, width), perm=[0, 3, 2, 1])
    y = net.view(y, width * size // 2, size // 2, 2, 2)
    y = net.view(net.op("Transpose", y, perm=[0, 2, 1, 3]), 1, width, size, size)
    y = net.op("Concat", x, net.silu(net.conv(y, width, channels)), axis=1)
    y = net.silu(net.conv(y, 2 * channels, channels, 3))
    y = net.op("Flatten", net.op("GlobalAveragePool", y))
    net.output(net.linear(y, channels, 10, gain=8.0), "scores", [1, 10])
    return net.model()


def detector(name="detector"):
    """A detector's heads on two scales: boxes and classes moved to the end and joined, boxes
    decoded against anchors, the best 20. Image 1x3x64x64."""
    net = Exported(name, seed=51, opset=17)
    image = net.input("image", [1, 3, 64, 64])
    x = net.op("LeakyRelu", net.batch_norm(net.conv(image, 3, 16, 3, stride=4), 16), alpha=0.1)
    deep = net.op("LeakyRelu", net.batch_norm(net.conv(x, 16, 24, 3, stride=2), 24), alpha=0.1)
    up = net.op("Resize", deep, "", net.constant(np.array([1, 1, 2, 2], np.float32)),
                mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    x = net.op("Concat", x, up, axis=1)
    boxes, scores, classes, anchors = [], [], 5, 3
    for feature, channels, size in ((x, 40, 16), (deep, 24, 8)):
        y = net.conv(feature, channels, anchors * (5 + classes), bias=True)
        y = net.view(y, net.size(y, 0), anchors, 5 + classes, net.size(y, 2), net.size(y, 3))
        y = net.op("Transpose", y, perm=[0, 1, 3, 4, 2])
        y = net.op("Sigmoid", y)
        place, extent, rest = net.op("Split", y, net.ints(2, 2, 1 + classes), outputs=3, axis=4)
        grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1)[None, None]
        grid = net.constant(grid.astype(np.float32))
        place = net.op("Mul", net.op("Add", net.op("Sub", net.op("Mul", place, net.number(2)),
                                                   net.number(0.5)), grid),
                       net.number(64 / size))
        extent = net.op("Mul", net.op("Pow", net.op("Mul", extent, net.number(2)), net.number(2)),
                        net.normal((1, anchors, 1, 1, 2), 2.0, mean=64 / size))
        both = net.op("Concat", place, extent, axis=4)
        boxes.append(net.view(both, net.size(y, 0), -1, 4))
        objectness = net.slice(rest, 0, 1, 4)
        each = net.op("Mul", net.slice(rest, 1, 2**63 - 1, 4), objectness)
        scores.append(net.view(each, net.size(y, 0), -1, classes))
    boxes = net.op("Concat", *boxes, axis=1)
    scores = net.op("Transpose", net.op("Concat", *scores, axis=1), perm=[0, 2, 1])
    best, which = net.op("TopK", net.op("ReduceMax", scores, axes=[1], keepdims=0), net.ints(20),
                         outputs=2, axis=1)
    boxes = net.op("Gather", net.op("Squeeze", boxes, net.ints(0)), which, axis=0)
    net.output(boxes, "boxes", [1, 20, 4])
    net.output(best, "best", [1, 20])
    net.output(net.op("Softmax", net.op("Reshape", scores, net.ints(0, classes, -1)), axis=1),
               "classes", [1, classes, 960])
    return net.model()


def decoder(layers=2, width=64, heads=4, groups=2, cached=12, fresh=4, name="decoder"):
    """A Llama-like decoder step with its cache: RMS norms, rotated halves, keys and values
    repeated for groups of queries, a causal mask from positions."""
    net = Exported(name, seed=61, opset=18)
    depth, total = width // heads, cached + fresh
    ids = net.input("ids", [1, fresh], TensorProto.INT64)
    position = net.input("position", [1, fresh], TensorProto.INT64)
    x = net.op("Gather", net.normal((100, width), 1.0), ids)
    inverse = net.constant((10000 ** (-np.arange(0, depth, 2) / depth)).astype(np.float32)
                           .reshape(1, depth // 2, 1))
    places = net.op("Cast", net.op("Unsqueeze", position, net.ints(1)), to=TensorProto.FLOAT)
    angles = net.op("Transpose", net.op("MatMul", inverse, places), perm=[0, 2, 1])
    angles = net.op("Concat", angles, angles, axis=-1)
    cos = net.op("Unsqueeze", net.op("Mul", net.op("Cos", angles), net.number(1)), net.ints(1))
    sin = net.op("Unsqueeze", net.op("Mul", net.op("Sin", angles), net.number(1)), net.ints(1))
    late = net.op("Greater", net.constant(np.arange(total)[None]),
                  net.constant(np.arange(cached, total)[:, None]))
    mask = net.op("Where", late, net.number(-3.4028235e38), net.number(0))
    mask = net.op("Expand", net.op("Unsqueeze", mask, net.ints(0, 1)),
                  net.ints(1, 1, fresh, total))

    def rotate(x):
        half = net.op("Div", net.size(x, 3), net.ints(2))
        low = net.op("Slice", x, net.ints(0), half, net.ints(3), net.ints(1))
        high = net.op("Slice", x, half, net.ints(2**63 - 1), net.ints(3), net.ints(1))
        turned = net.op("Concat", net.op("Neg", high), low, axis=-1)
        return net.op("Add", net.op("Mul", x, cos), net.op("Mul", turned, sin))

    def repeat(x):
        x = net.op("Unsqueeze", x, net.ints(2))
        sizes = net.op("Concat", net.size(x, 0), net.size(x, 1), net.ints(heads // groups),
                       net.size(x, 3), net.size(x, 4), axis=0)
        return net.view(net.op("Expand", x, sizes), net.size(x, 0), heads, net.size(x, 3), depth)

    for layer in range(layers):
        short, x = x, net.rms_norm(x, width)
        q, k, v = (net.op("MatMul", x, net.normal((width, count * depth), 2 / np.sqrt(width)))
                   for count in (heads, groups, groups))
        q, k, v = (net.op("Transpose", net.view(y, net.size(y, 0), net.size(y, 1), -1, depth),
                          perm=[0, 2, 1, 3]) for y in (q, k, v))
        q, k = rotate(q), rotate(k)
        keys = net.input(f"past_key_{layer}", [1, groups, cached, depth])
        values = net.input(f"past_value_{layer}", [1, groups, cached, depth])
        k = net.op("Concat", keys, k, axis=-2)
        v = net.op("Concat", values, v, axis=-2)
        root = net.number(depth ** -0.25)
        scores = net.op("MatMul", net.op("Mul", q, root),
                        net.op("Mul", net.op("Transpose", repeat(k), perm=[0, 1, 3, 2]), root))
        weights = net.op("Softmax", net.op("Add", scores, mask), axis=-1)
        y = net.op("Transpose", net.op("MatMul", weights, repeat(v)), perm=[0, 2, 1, 3])
        y = net.view(y, net.size(y, 0), net.size(y, 1), -1)
        x = net.op("Add", short, net.op("MatMul", y, net.normal((width, width), 0.1)))
        net.output(k, f"key_{layer}", [1, groups, total, depth])
        net.output(v, f"value_{layer}", [1, groups, total, depth])
        y = net.rms_norm(x, width)
        gate = net.silu(net.op("MatMul", y, net.normal((width, 128), 0.15)))
        y = net.op("Mul", gate, net.op("MatMul", y, net.normal((width, 128), 0.15)))
        x = net.op("Add", x, net.op("MatMul", y, net.normal((128, width), 0.1)))
    x = net.op("MatMul", net.rms_norm(x, width), net.normal((width, 100), 0.2))
    net.output(x, "logits", [1, fresh, 100])
    return net.model()


def channels_last(name="channels_last"):
    """A residual network that computes with channels last, as exporters of TensorFlow leave it: each
    convolution between transposes, its bias and activation behind them."""
    net = Exported(name, seed=91, opset=18)
    x = net.input("image", [1, 32, 32, 3])

    def convolve(x, inputs, outputs, stride=1):
        y = net.conv(net.op("Transpose", x, perm=[0, 3, 1, 2]), inputs, outputs, 3, stride=stride)
        return net.op("Add", net.op("Transpose", y, perm=[0, 2, 3, 1]), net.normal((outputs,), 0.1))

    x = net.op("Clip", convolve(x, 3, 16, stride=2), net.number(0), net.number(6))
    for _ in range(2):
        y = net.op("LeakyRelu", convolve(x, 16, 16), alpha=0.1)
        x = net.op("Relu", net.op("Add", x, convolve(y, 16, 16)))
    x = net.op("Concat", net.op("Relu", convolve(x, 16, 8)), x, axis=3)
    x = net.op("ReduceMax", x, net.ints(1, 2), keepdims=0)
    net.output(net.linear(x, 24, 10, gain=8.0), "scores", [1, 10])
    return net.model()
