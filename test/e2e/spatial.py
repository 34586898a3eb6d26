# SPDX-License-Identifier: Apache-2.0
"""Heights, widths and lengths that change from run to run, through windows and what surrounds them.

usage: spatial.py --burin BURIN --work DIR [--only CASE]

As dims.py, which see: each model runs at several sizes, compared with ONNX Runtime and bit for bit
with an artifact of that size.
"""
import numpy as np
import onnx

import dims
from graph import model


def weights(*shape):
    random = np.random.default_rng(sum(shape))
    return (random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)


def conv(x, y, w, **attributes):
    return ("Conv", [x, w] if isinstance(w, str) else [x, *w], [y], attributes)


def models():
    """(model, --dim options, sizes to run at, sizes to refuse) of each case."""
    odd = [{"h": h, "w": w} for h, w in ((3, 3), (4, 7), (13, 31), (29, 30), (37, 40))]
    yield model( # strides, dilations, pads of all kinds, groups, depthwise
        "convolutions",
        [conv("x", "a", ["w1", "b"], pads=[1, 1, 1, 1], strides=[2, 2]), ("Relu", ["a"], ["a1"]),
         conv("a1", "c", "w2"), conv("c", "d", "w3", pads=[1, 1, 1, 1], group=24),
         conv("d", "e", "w3", pads=[2, 2, 2, 2], group=24, dilations=[2, 2]),
         conv("e", "f", "w4", pads=[1, 1, 1, 1], group=2), ("Add", ["f", "a1"], ["y"]),
         conv("x", "u", "w5", auto_pad="SAME_UPPER", strides=[2, 3]),
         conv("x", "v", "w6", auto_pad="SAME_LOWER", strides=[2, 2], group=3),
         conv("x", "z", "w1", pads=[0, 1, 2, 3]), conv("x", "p", "w7", strides=[2, 2])],
        {"x": [1, 3, "h", "w"]},
        {"y": [1, 24, "h2", "w2"], "u": [1, 8, "h3", "w3"], "v": [1, 6, "h4", "w4"],
         "z": [1, 24, "h5", "w5"], "p": [1, 8, "h6", "w6"]},
        {"w1": weights(24, 3, 3, 3), "b": weights(24, 1)[:, 0], "w2": weights(24, 24, 1, 1),
         "w3": weights(24, 1, 3, 3), "w4": weights(24, 12, 3, 3), "w5": weights(8, 3, 3, 2),
         "w6": weights(6, 1, 3, 3), "w7": weights(8, 3, 1, 1)},
    ), {"h": "2..37", "w": "3..40"}, odd, [{"h": 1}, {"w": 41}]

    yield model( # what strides skip, behind a residual and above a product of strides
        "skipped",
        [conv("x", "a", "w1", pads=[1, 1, 1, 1]), ("Relu", ["a"], ["a1"]),
         conv("a1", "c", "w2", pads=[1, 1, 1, 1]), ("Relu", ["c"], ["c1"]), conv("c1", "d", ["w3", "b"]),
         ("Add", ["d", "a1"], ["e"]), ("Relu", ["e"], ["e1"]),
         conv("e1", "f", "w4", strides=[2, 2]), conv("e1", "g", "w4", strides=[2, 2]),
         ("Mul", ["f", "g"], ["h1"]), ("Sigmoid", ["h1"], ["e2"]), conv("e2", "y", "w3", strides=[1, 3])],
        {"x": [1, 3, "h", "w"]}, {"y": [1, 16, "h2", "w2"]},
        {"w1": weights(16, 3, 3, 3), "w2": weights(16, 16, 3, 3), "w3": weights(16, 16, 1, 1),
         "b": weights(16, 1)[:, 0], "w4": weights(16, 16, 1, 1)},
    ), {"h": "3..37", "w": "3..40"}, [{"h": 3, "w": 3}, {"h": 30, "w": 37}], []

    yield model( # of sizes that are known, products that are kernels with the depthwise convolutions behind them
        "expanded",
        [conv("x", "a", ["w1", "b"]), ("Relu", ["a"], ["a1"]),
         conv("a1", "c", ["w2", "b"], pads=[1, 1, 1, 1], strides=[2, 2], group=48), ("Relu", ["c"], ["y"]),
         conv("x", "d", "w1"), ("Gelu", ["d"], ["d1"]), conv("d1", "z", "w3", pads=[1, 2, 3, 0], group=48)],
        {"x": ["n", 16, "h", "w"]}, {"y": ["n", 48, "h2", "w2"], "z": ["n", 48, "h", "w3"]},
        {"w1": weights(48, 16, 1, 1), "b": weights(48, 1)[:, 0], "w2": weights(48, 1, 3, 3), "w3": weights(48, 1, 5, 5)},
    ), {"n": "1..2", "h": "8..120", "w": "8..120"}, [{"n": 1, "h": 113, "w": 118}, {"n": 2, "h": 111, "w": 64}], []

    yield model( # signals of any length, and volumes
        "other_ranks",
        [conv("x", "a", "w1", pads=[2, 2], strides=[2]), ("Relu", ["a"], ["c"]),
         conv("c", "y", "w2", pads=[8, 0], dilations=[4]),
         conv("v", "u", "w3", pads=[1, 0, 1, 1, 0, 1], strides=[1, 2, 1])],
        {"x": ["N", 4, "L"], "v": [1, 2, 5, "L", 6]},
        {"y": ["N", 32, "l2"], "u": [1, 16, 5, "l3", 6]},
        {"w1": weights(20, 4, 5), "w2": weights(32, 20, 3), "w3": weights(16, 2, 3, 3, 3)},
    ), {"N": "1..2", "L": "3..1000"}, [{"N": n, "L": l} for n, l in ((1, 3), (2, 4), (1, 16), (2, 257), (1, 1000))], \
        [{"L": 2}, {"L": 1001}]

    yield model( # 3 x 3 with channels enough for transforms: tiles that end outside, tails of channels
        "tiles",
        [conv("x", "a", ["w1", "b"], pads=[1, 1, 1, 1]), ("Relu", ["a"], ["a1"]),
         conv("a1", "c", "w2", pads=[0, 2, 1, 0]), conv("a1", "d", "w3", auto_pad="SAME_UPPER"),
         ("Add", ["d", "a1"], ["e"]), ("Gelu", ["e"], ["y"]),
         conv("x", "g", "w4"), conv("g", "f", "w5", auto_pad="SAME_LOWER")],
        {"x": ["n", 16, "h", "w"]},
        {"y": ["n", 24, "h", "w"], "c": ["n", 33, "h2", "w2"], "f": ["n", 368, "h", "w"]},
        {"w1": weights(24, 16, 3, 3), "b": weights(24, 1)[:, 0], "w2": weights(33, 24, 3, 3),
         "w3": weights(24, 24, 3, 3), "w4": weights(368, 16, 1, 1), "w5": weights(368, 368, 3, 3)},
    ), {"n": "1..3", "h": "2..21", "w": "1..22"}, [
        {"n": n, "h": h, "w": w} for n, h, w in ((1, 2, 1), (3, 4, 8), (1, 5, 3), (2, 21, 17), (1, 20, 22))], \
        [{"h": 22}], True, 3e-6

    yield model( # one tap along an axis, and a result that is larger or smaller along it; one window
        "one_tap",
        [conv("x", "a", ["w1", "b"], pads=[0, 0, 1, 2]), ("Relu", ["a"], ["y"]),
         conv("x", "c", "w2", pads=[0, 1, 1, 1], group=5), conv("x", "d", "w3", pads=[1, 0, 1, 0]),
         conv("x", "e", "w4", pads=[0, 0, 1, 1], group=10), conv("x", "f", "w5", pads=[0, 0, 0, 1]),
         conv("l", "g", "w6", pads=[0, 2]), conv("v", "i", "w7", pads=[0, 0, 0, 1, 1, 1]),
         conv("x", "m", "w9", pads=[0, 0, 1, 1]),
         ("ConvTranspose", ["x", "w8"], ["j"], {"pads": [0, 1, 1, 1]}),
         ("ConvTranspose", ["x", "w8"], ["k"], {"pads": [0, 1, 0, 1], "strides": [2, 1], "output_padding": [1, 0]})],
        {"x": ["n", 10, "h", "w"], "l": ["n", 6, "w"], "v": ["n", 4, "h", 3, "w"]},
        {**{name: ["n", columns, "h" + name, "w" + name] for name, columns in
            (("y", 12), ("c", 10), ("d", 12), ("e", 10), ("f", 8), ("j", 7), ("k", 7), ("m", 8))},
         "g": ["n", 9, "wg"], "i": ["n", 5, "hi", 4, "w"]},
        {"w1": weights(12, 10, 1, 1), "b": weights(12, 1)[:, 0], "w2": weights(10, 2, 1, 3),
         "w3": weights(12, 10, 1, 1), "w4": weights(10, 1, 1, 1), "w5": weights(8, 10, 2, 1),
         "w6": weights(9, 6, 1), "w7": weights(5, 4, 1, 1, 2), "w8": weights(10, 7, 1, 3),
         "w9": weights(8, 10, 3, 3)},
    ), {"n": "1..3", "h": "2..19", "w": "2..21"}, [
        {"n": n, "h": h, "w": w} for n, h, w in ((1, 2, 2), (3, 7, 13), (2, 19, 21))], [{"h": 20}], True, 5e-7

    pool = {"kernel_shape": [3, 3], "strides": [2, 2]}
    yield model(
        "pools",
        [("MaxPool", ["x"], ["a"], {**pool, "pads": [1, 1, 1, 1]}),
         ("MaxPool", ["x"], ["b", "at"], {**pool, "ceil_mode": 1}),
         ("AveragePool", ["x"], ["c"], {**pool, "pads": [1, 1, 1, 1]}),
         ("AveragePool", ["x"], ["d"], {**pool, "pads": [1, 0, 1, 1], "count_include_pad": 1}),
         ("AveragePool", ["x"], ["e"], {**pool, "ceil_mode": 1, "pads": [1, 1, 0, 0]}),
         ("AveragePool", ["x"], ["f"], {**pool, "auto_pad": "SAME_UPPER"}),
         ("LpPool", ["x"], ["g"], {"kernel_shape": [2, 2]}),
         ("GlobalAveragePool", ["x"], ["i"]), ("GlobalMaxPool", ["x"], ["j"]),
         ("ReduceMean", ["x", "axes"], ["k"], {"keepdims": 0}),
         ("ReduceMax", ["x", "last"], ["l"], {"keepdims": 1})],
        {"x": [1, 5, "h", "w"]},
        {**{name: [1, 5, "h" + name, "w" + name] for name in "abcdefgl"},
         "at": (onnx.TensorProto.INT64, [1, 5, "hb", "wb"]), "i": [1, 5, 1, 1], "j": [1, 5, 1, 1],
         "k": [1, 5]}, {"axes": np.array([2, 3]), "last": np.array([3])},
    ), {"h": "3..37", "w": "3..40"}, odd, [{"h": 2}, {"w": 41}]

    yield model(
        "transposed",
        [("ConvTranspose", ["x", "w", "b"], ["a"], {"strides": [2, 2], "pads": [1, 1, 1, 1],
                                                    "output_padding": [1, 1]}),
         ("ConvTranspose", ["x", "v"], ["c"], {"pads": [1, 1, 1, 1]}),
         ("ConvTranspose", ["x", "v"], ["d"], {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
         ("ConvTranspose", ["x", "u", "b"], ["e"], {"strides": [2, 3], "pads": [1, 0, 1, 2]})],
        {"x": [1, 32, "h", "w"]}, {"a": [1, 8, "ha", "wa"], "c": [1, 8, "hc", "wc"],
                                  "d": [1, 8, "hd", "wd"], "e": [1, 8, "he", "we"]},
        {"u": weights(32, 8, 4, 3), "w": weights(32, 8, 3, 3), "b": weights(8, 1)[:, 0], "v": weights(32, 8, 3, 3)},
    ), {"h": "1..12", "w": "1..9"}, [{"h": h, "w": w} for h, w in ((1, 1), (2, 3), (7, 8), (12, 9))], \
        [{"h": 13}]

    shape = [("Shape", ["x"], ["shape"]), ("Slice", ["shape", "two", "four"], ["hw"]),
             ("Concat", ["nc", "hw"], ["sizes"], {"axis": 0})]
    yield model( # a feature pyramid: what is small grows to the size of what is large
        "pyramid",
        [conv("x", "half", "w1", pads=[1, 1, 1, 1], strides=[2, 2]),
         conv("half", "quarter", "w2", pads=[1, 1, 1, 1], strides=[2, 2]), *shape,
         ("Resize", ["quarter", "", "", "sizes"], ["n"],
          {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
         ("Resize", ["half", "", "", "sizes"], ["l"],
          {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}),
         ("Concat", ["n", "l", "x"], ["y"], {"axis": 1}),
         ("Resize", ["x", "", "up"], ["u"], {"mode": "nearest"}),
         ("Resize", ["x", "", "part"], ["v"], {"mode": "linear",
                                               "coordinate_transformation_mode": "half_pixel_symmetric"}),
         ("Resize", ["x", "", "up"], ["c"], {"mode": "cubic"})],
        {"x": [1, 8, "h", "w"]},
        {"y": [1, 24, "h", "w"], "u": [1, 8, "h2", "w2"], "v": [1, 8, "h3", "w3"],
         "c": [1, 8, "h4", "w4"]},
        {"w1": weights(8, 8, 3, 3), "w2": weights(8, 8, 3, 3), "two": np.array([2]),
         "four": np.array([4]), "nc": np.array([1, 8]), "up": np.array([1, 1, 2, 2], np.float32),
         "part": np.array([1, 1, 1.5, 1 / 3], np.float32)},
    ), {"h": "2..37", "w": "3..40"}, odd, [{"h": 1}]

    group_norm = [("Reshape", ["x", "halves"], ["g1"]), ("InstanceNormalization", ["g1", "s2", "b2"], ["g2"]),
                  ("Shape", ["x"], ["all"]), ("Reshape", ["g2", "all"], ["g"])]
    yield model( # what stands around windows
        "around",
        [("Pad", ["x", "pads", "", "spatial"], ["a"]),
         ("Pad", ["x", "pads", "", "spatial"], ["r"], {"mode": "reflect"}),
         ("Pad", ["x", "pads", "", "spatial"], ["e"], {"mode": "edge"}),
         ("BatchNormalization", ["x", "s", "b", "m", "v"], ["n"]),
         ("InstanceNormalization", ["x", "s", "b"], ["i"]),
         *group_norm,
         ("DepthToSpace", ["x"], ["d"], {"blocksize": 2}),
         ("Slice", ["x", "one", "minus", "last"], ["c"]),
         ("GlobalAveragePool", ["x"], ["mean"]), conv("mean", "gate", "w"),
         ("HardSigmoid", ["gate"], ["open"]), ("Mul", ["x", "open"], ["y"]),
         ("Transpose", ["y"], ["t"], {"perm": [0, 2, 3, 1]}),
         ("LayerNormalization", ["t", "s", "b"], ["l"], {"axis": -1}),
         ("Reshape", ["l", "rows"], ["f"]), ("Softmax", ["f"], ["p"], {"axis": 1}),
         ("Softmax", ["x"], ["q"], {"axis": 3})],
        {"x": [1, 8, "h", "w"]},
        {**{name: [1, 8, "h" + name, "w" + name] for name in "areigncqy"},
         "d": [1, 2, "hd", "wd"], "p": [1, "positions", 8]},
        {"pads": np.array([1, 2, 0, 1]), "spatial": np.array([2, 3]),
         **{name: np.abs(weights(8, 2)[:, i]) for name, i in (("s", 0), ("b", 1), ("m", 1), ("v", 0))},
         "halves": np.array([0, 2, -1]), "s2": weights(2, 2)[:, 0], "b2": weights(2, 2)[:, 1], "one": np.array([1]), "minus": np.array([-1]), "last": np.array([3]),
         "w": weights(8, 8, 1, 1), "rows": np.array([1, -1, 8])},
    ), {"h": "3..37", "w": "3..40"}, odd, [{"w": 2}]

    yield model( # halves of an axis, and pixels to channels
        "multiples",
        [("SpaceToDepth", ["x"], ["y"], {"blocksize": 4}),
         ("Split", ["x"], ["u", "v"], {"axis": 3, "num_outputs": 2}), ("Add", ["u", "v"], ["z"]),
         conv("x", "a", "w", strides=[2, 2], pads=[1, 1, 1, 1]),
         ("Resize", ["a", "", "up"], ["b"], {"mode": "nearest"}),
         ("Concat", ["b", "x"], ["c"], {"axis": 1})],
        {"x": [1, 3, "4*h", "4*w"]},
        {"y": [1, 48, "h", "w"], "z": [1, 3, "4*h", "2*w"], "c": [1, 11, "4*h", "4*w"]},
        {"w": weights(8, 3, 3, 3), "up": np.array([1, 1, 2, 2], np.float32)},
    ), {"h": "1..9", "w": "1..10"}, [{"h": h, "w": w} for h, w in ((1, 1), (3, 7), (9, 10))], []


    # Pads computed from shapes: to a multiple of 8 on both sides, to 12, as PyTorch lists them.
    same = [("Shape", ["x"], ["s"]), ("Slice", ["s", "two", "four", "zero"], ["hw"]), ("Neg", ["hw"], ["n"]),
            ("Mod", ["n", "eight"], ["p"]), ("Div", ["p", "two"], ["lo"]), ("Sub", ["p", "lo"], ["hi"]),
            ("Concat", ["none", "lo", "none", "hi"], ["pads"], {"axis": 0})]
    fill = [("Shape", ["r"], ["t"]), ("Gather", ["t", "one"], ["l"]), ("Sub", ["twelve", "l"], ["q"]),
            ("Concat", ["zero", "zero", "zero", "q"], ["to_length"], {"axis": 0})]
    torch = [("Mod", ["l", "four"], ["rest"]), ("Sub", ["four", "rest"], ["more"]),
             ("Concat", ["zero", "more", "none"], ["flat"], {"axis": 0}), ("Reshape", ["flat", "pairs"], ["g"]),
             ("Slice", ["g", "minus", "least", "zero", "minus"], ["turned"]),
             ("Transpose", ["turned"], ["sides"], {"perm": [1, 0]}), ("Reshape", ["sides", "minus"], ["listed"])]
    yield model(
        "computed_pads",
        [*same, ("Pad", ["x", "pads"], ["y"]), ("Pad", ["x", "pads"], ["e"], {"mode": "edge"}),
         conv("y", "c", "w", strides=[2, 2]), *fill, ("Pad", ["r", "to_length"], ["f"]),
         ("MatMul", ["f", "m"], ["o"]), *torch, ("Pad", ["r", "listed"], ["u"]),
         ("CenterCropPad", ["r", "eight"], ["v"], {"axes": [1]})],
        {"x": [1, 3, "h", "w"], "r": [2, "l"]},
        {"e": [1, 3, "h2", "w2"], "c": [1, 4, "h3", "w3"], "o": [2, 5], "u": [2, "l2"], "v": [2, 8]},
        {"two": np.array([2]), "four": np.array([4]), "zero": np.array([0]), "eight": np.array([8]),
         "none": np.array([0, 0]), "one": np.array([1]), "twelve": np.array([12]), "pairs": np.array([-1, 2]),
         "minus": np.array([-1]), "least": np.array([-2**63]), "w": weights(4, 3, 3, 3), "m": weights(12, 5)},
    ), {"h": "2..20", "w": "3..17", "l": "1..12"}, [
        {"h": h, "w": w, "l": l} for h, w, l in ((2, 3, 1), (8, 16, 5), (9, 17, 8), (20, 12, 12))], [{"l": 13}]

    yield model( # neighbouring channels, spectra
        "signals",
        [("LRN", ["x"], ["y"], {"size": 3}), ("LRN", ["x"], ["z"], {"size": 5, "beta": 0.5, "alpha": 0.1}),
         ("STFT", ["s", "hop", "window"], ["f"]), ("STFT", ["s", "hop", "window"], ["g"], {"onesided": 0}),
         ("DFT", ["s", "", "axis"], ["d"])],
        {"x": ["n", "c", 4, "h"], "s": ["n", "t", 1]},
        {"y": ["n", "c", 4, "h"], "z": ["n", "c", 4, "h"], "f": ["n", "frames", 9, 2],
         "g": ["n", "frames", 16, 2], "d": ["n", "t", 2]},
        {"hop": np.array(5), "window": np.hanning(16).astype(np.float32), "axis": np.array(1)},
    ), {"n": "1..2", "c": "1..9", "h": "1..7", "t": "16..80"}, [
        {"n": n, "c": c, "h": h, "t": t} for n, c, h, t in ((1, 1, 1, 16), (2, 9, 5, 79), (1, 4, 7, 80))], [{"t": 15}]


if __name__ == "__main__":
    dims.main(models())
