# SPDX-License-Identifier: Apache-2.0
"""Trains the digits sample's network and writes it as ONNX, with its held-out images.

usage: train_digits.py [--epochs N]

Data: the 8x8 handwritten digits that scikit-learn bundles (UCI "Optical Recognition of
Handwritten Digits", CC BY 4.0). The first 1,000 images train, the last 797, written by
other people, are held out and never seen. The network: two 3x3 convolutions, a maximum
pool, a third convolution, a dense layer and Softmax. Plain NumPy: Adam on the cross entropy,
images shifted, turned and scaled at random.

Writes python-free-samples/digits/digits.onnx, a few of the held-out images beside it, and
test/e2e/digits/{held-out.pgm,labels.txt}: all 797 under one another, and what they show.
Needs scikit-learn for its data: pip install scikit-learn==1.9.1.
"""
import argparse
import pathlib
import struct
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "python-free-samples" / "digits"
HELD_OUT = ROOT / "test" / "e2e" / "digits"
TRAINING = 1000
rng = np.random.default_rng(7)


def distort(images):
    """Each 8x8 image turned, scaled and shifted a little, sampled bilinearly."""
    n = len(images)
    angle = rng.uniform(-0.22, 0.22, n)
    scale = rng.uniform(0.88, 1.12, (2, n))
    shift = rng.uniform(-0.7, 0.7, (2, n))
    y, x = np.meshgrid(np.arange(8) - 3.5, np.arange(8) - 3.5, indexing="ij")
    cos, sin = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    ys = (cos * y + sin * x) * scale[0, :, None, None] + 3.5 + shift[0, :, None, None]
    xs = (cos * x - sin * y) * scale[1, :, None, None] + 3.5 + shift[1, :, None, None]
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    ys, xs = np.clip(ys + 2, 0, 10.999), np.clip(xs + 2, 0, 10.999)
    y0, x0 = ys.astype(int), xs.astype(int)
    fy, fx = ys - y0, xs - x0
    i = np.arange(n)[:, None, None]
    top = padded[i, y0, x0] * (1 - fx) + padded[i, y0, x0 + 1] * fx
    bottom = padded[i, y0 + 1, x0] * (1 - fx) + padded[i, y0 + 1, x0 + 1] * fx
    return (top * (1 - fy) + bottom * fy).astype(np.float32)


class Conv:
    """3x3 convolution with a border of zeros, NHWC, followed by ReLU."""

    def __init__(self, inputs, outputs):
        std = np.sqrt(2 / (9 * inputs))
        self.weight = rng.normal(0, std, (9 * inputs, outputs)).astype(np.float32)
        self.bias = np.zeros(outputs, np.float32)

    def forward(self, x):
        n, h, w, c = x.shape
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        self.shape = x.shape
        self.columns = np.concatenate(
            [padded[:, i:i + h, j:j + w] for i in range(3) for j in range(3)], axis=3
        ).reshape(-1, 9 * c)
        self.y = np.maximum(self.columns @ self.weight + self.bias, 0)
        return self.y.reshape(n, h, w, -1)

    def backward(self, gradient):
        n, h, w, c = self.shape
        g = gradient.reshape(self.y.shape) * (self.y > 0)
        self.gradients = [self.columns.T @ g, g.sum(0)]
        columns = (g @ self.weight.T).reshape(n, h, w, 9, c)
        padded = np.zeros((n, h + 2, w + 2, c), np.float32)
        for k in range(9):
            padded[:, k // 3:k // 3 + h, k % 3:k % 3 + w] += columns[:, :, :, k]
        return padded[:, 1:-1, 1:-1]


class MaxPool:
    """2x2 maximum, stride 2."""

    def forward(self, x):
        n, h, w, c = x.shape
        windows = x.reshape(n, h // 2, 2, w // 2, 2, c)
        y = windows.max((2, 4), keepdims=True)
        self.mask = windows == y
        return y[:, :, 0, :, 0]

    def backward(self, gradient):
        g = self.mask * gradient[:, :, None, :, None]
        n, h, _, w, _, c = g.shape
        return g.reshape(n, 2 * h, 2 * w, c)


class Dense:
    """Flattens; the last layer before Softmax. A fifth of its inputs are dropped in training."""

    def __init__(self, inputs, outputs):
        self.weight = rng.normal(0, np.sqrt(1 / inputs), (inputs, outputs)).astype(np.float32)
        self.bias = np.zeros(outputs, np.float32)

    def forward(self, x, training=False):
        self.shape = x.shape
        self.x = x.reshape(len(x), -1)
        self.keep = (rng.random(self.x.shape) > 0.2) / np.float32(0.8) if training else 1
        self.x = (self.x * self.keep).astype(np.float32)
        return self.x @ self.weight + self.bias

    def backward(self, gradient):
        self.gradients = [self.x.T @ gradient, gradient.sum(0)]
        return (gradient @ self.weight.T * self.keep).astype(np.float32).reshape(self.shape)


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def train(images, labels, epochs):
    layers = [Conv(1, 16), Conv(16, 32), MaxPool(), Conv(32, 48), Dense(48 * 16, 10)]
    trained = [layer for layer in layers if hasattr(layer, "weight")]
    moments = [[[np.zeros_like(p), np.zeros_like(p)] for p in (layer.weight, layer.bias)]
               for layer in trained]
    step, batch = 0, 50
    for epoch in range(epochs):
        rate = 2e-3 * 0.5 * (1 + np.cos(np.pi * epoch / epochs)) + 1e-5
        order = rng.permutation(len(images))
        loss = 0.0
        for start in range(0, len(order), batch):
            pick = order[start:start + batch]
            x = distort(images[pick])[..., None]
            for layer in layers[:-1]:
                x = layer.forward(x)
            p = softmax(layers[-1].forward(x, training=True))
            loss -= np.log(p[np.arange(len(pick)), labels[pick]] + 1e-12).sum()
            g = p.copy()
            g[np.arange(len(pick)), labels[pick]] -= 1
            g = (g / len(pick)).astype(np.float32)
            for layer in reversed(layers):
                g = layer.backward(g)
            step += 1
            for layer, state in zip(trained, moments):
                for parameter, gradient, (m, v) in zip((layer.weight, layer.bias),
                                                       layer.gradients, state):
                    m += 0.1 * (gradient - m)
                    v += 0.001 * (gradient * gradient - v)
                    parameter -= (rate * (m / (1 - 0.9 ** step)) /
                                  (np.sqrt(v / (1 - 0.999 ** step)) + 1e-8)).astype(np.float32)
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {loss / len(images):.4f}", flush=True)
    return layers


def predict(layers, images):
    x = images[..., None]
    for layer in layers:
        x = layer.forward(x)
    return softmax(x)


def export(layers, path):
    """The network in ONNX's layout: NCHW images, OIHW filters."""
    weights, nodes, name, count = [], [], "image", 0

    def add(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    for layer in layers:
        if isinstance(layer, Conv):
            count += 1
            c = layer.weight.shape[0] // 9
            filters = layer.weight.reshape(3, 3, c, -1).transpose(3, 2, 0, 1)
            weights += [numpy_helper.from_array(np.ascontiguousarray(filters), f"filters{count}"),
                        numpy_helper.from_array(layer.bias, f"bias{count}")]
            name = add("Conv", [name, f"filters{count}", f"bias{count}"], f"conv{count}",
                       kernel_shape=[3, 3], pads=[1, 1, 1, 1])
            name = add("Relu", [name], f"relu{count}")
        elif isinstance(layer, MaxPool):
            name = add("MaxPool", [name], "pool", kernel_shape=[2, 2], strides=[2, 2])
        else:
            dense = layer.weight.reshape(4, 4, -1, 10).transpose(2, 0, 1, 3).reshape(-1, 10)
            weights += [numpy_helper.from_array(np.ascontiguousarray(dense), "dense"),
                        numpy_helper.from_array(layer.bias, "dense_bias")]
            name = add("Flatten", [name], "flat")
            name = add("Gemm", [name, "dense", "dense_bias"], "scores")
            name = add("Softmax", [name], "probabilities", axis=1)
    graph = helper.make_graph(
        nodes, "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 8, 8])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, 10])], weights)
    model = helper.make_model(graph, producer_name="train_digits.py", ir_version=10,
                              opset_imports=[helper.make_opsetid("", 21)])
    model.doc_string = "Handwritten digits, 8x8 grey images in [0, 1], white ink on black."
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def write_pgm(path, image):
    """`image`: integers 0..16."""
    header = f"P5\n{image.shape[1]} {image.shape[0]}\n16\n".encode()
    path.write_bytes(header + image.astype(np.uint8).tobytes())


def write_png(path, image):
    """`image`: 8-bit grey."""
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + row.tobytes() for row in image.astype(np.uint8))
    header = struct.pack(">IIBBBBB", image.shape[1], image.shape[0], 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) +
                     chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=60)
    arguments = parser.parse_args()
    data = load_digits()
    images, labels = (data.images / 16).astype(np.float32), data.target
    layers = train(images[:TRAINING], labels[:TRAINING], arguments.epochs)
    held_out = images[TRAINING:]
    found = predict(layers, held_out).argmax(1)
    print(f"held out: {(found == labels[TRAINING:]).mean():.4f} of {len(held_out)} right")

    for folder in (SAMPLE / "images", HELD_OUT):
        folder.mkdir(parents=True, exist_ok=True)
    export(layers, SAMPLE / "digits.onnx")
    write_pgm(HELD_OUT / "held-out.pgm", data.images[TRAINING:].reshape(-1, 8))
    (HELD_OUT / "labels.txt").write_text("".join(map(str, labels[TRAINING:])) + "\n")
    for digit in (3, 7, 8):
        index = TRAINING + int(np.flatnonzero(labels[TRAINING:] == digit)[4])
        large = np.kron(np.rint(data.images[index] * 255 / 16), np.ones((16, 16)))
        write_png(SAMPLE / "images" / f"{digit}.png", large)
    for digit in (0, 5):
        index = TRAINING + int(np.flatnonzero(labels[TRAINING:] == digit)[4])
        write_pgm(SAMPLE / "images" / f"{digit}.pgm", data.images[index])


if __name__ == "__main__":
    main()
