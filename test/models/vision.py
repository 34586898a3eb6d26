# SPDX-License-Identifier: Apache-2.0
"""Convolutional networks: ResNet-50 v1.5, MobileNetV2 and a small one with every kind of window."""
import numpy as np

from network import Network


def resnet50():
    """He et al. 2015, with the stride in the 3x3 convolution (v1.5). Image 1x3x224x224."""
    net = Network("resnet50", seed=50)
    x = net.input("image", [1, 3, 224, 224])
    x = net.op("Relu", net.batch_norm(net.conv(x, 3, 64, 7, 2), 64))
    x = net.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for stage, blocks in enumerate((3, 4, 6, 3)):
        width = 64 << stage
        for block in range(blocks):
            stride = 2 if stage and block == 0 else 1
            y = net.op("Relu", net.batch_norm(net.conv(x, channels, width), width))
            y = net.op("Relu", net.batch_norm(net.conv(y, width, width, 3, stride), width))
            # The residual branch is damped, or the sums would grow from block to block.
            y = net.batch_norm(net.conv(y, width, 4 * width), 4 * width, scale=0.5)
            if block == 0:
                x = net.batch_norm(net.conv(x, channels, 4 * width, 1, stride, gain=1.0), 4 * width)
            x = net.op("Relu", net.op("Add", x, y))
            channels = 4 * width
    x = net.op("Flatten", net.op("GlobalAveragePool", x))
    x = net.op("Gemm", x, net.normal((1000, 2048), 0.03), net.normal((1000,), 0.1), transB=1)
    net.output(x, "scores", [1, 1000])
    return net.model()


def mobilenet_v2():
    """Sandler et al. 2018, width 1. Image 1x3x224x224."""
    net = Network("mobilenet_v2", seed=2)

    def relu6(x):
        return net.op("Clip", x, low, high)

    low, high = net.constant(np.float32(0)), net.constant(np.float32(6))
    x = net.input("image", [1, 3, 224, 224])
    x = relu6(net.batch_norm(net.conv(x, 3, 32, 3, 2), 32))
    channels = 32
    for expand, out, blocks, first in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
                                       (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for block in range(blocks):
            stride, width, y = first if block == 0 else 1, channels * expand, x
            if expand != 1:
                y = relu6(net.batch_norm(net.conv(y, channels, width), width))
            y = relu6(net.batch_norm(net.conv(y, width, width, 3, stride, groups=width), width))
            y = net.batch_norm(net.conv(y, width, out, gain=1.5), out)
            x = net.op("Add", x, y) if stride == 1 and channels == out else y
            channels = out
    x = relu6(net.batch_norm(net.conv(x, channels, 1280), 1280))
    x = net.op("Flatten", net.op("GlobalAveragePool", x))
    x = net.op("Gemm", x, net.normal((1000, 1280), 0.05), net.normal((1000,), 0.1), transB=1)
    net.output(x, "scores", [1, 1000])
    return net.model()


def windows():
    """Every kind of window once, on a small odd-sized image: dense, grouped, dilated, strided,
    unevenly padded and transposed convolutions, both pools. Image 2x6x19x23."""
    net = Network("windows", seed=11)
    x = net.input("image", [2, 6, 19, 23])
    x = net.op("Relu", net.conv(x, 6, 12, 3, bias=True))
    x = net.op("LeakyRelu", net.conv(x, 12, 24, 3, groups=3, bias=True), alpha=0.1)
    filters = net.normal((16, 24, 3, 3), 0.08)
    x = net.op("Conv", x, filters, kernel_shape=[3, 3], dilations=[2, 2], pads=[2, 1, 1, 2])
    x = net.op("Sigmoid", net.op("MaxPool", x, kernel_shape=[3, 2], strides=[2, 1],
                                 pads=[1, 0, 1, 1]))
    x = net.op("ConvTranspose", x, net.normal((16, 5, 4, 4), 0.25), kernel_shape=[4, 4],
               strides=[2, 2], pads=[1, 1, 1, 1])
    x = net.op("AveragePool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1],
               count_include_pad=0)
    x = net.op("ReduceMean", x, net.ints(2), keepdims=0)
    net.output(net.op("Tanh", x), "features", [2, 5, 22])
    return net.model()
