# SPDX-License-Identifier: Apache-2.0
"""Builds a test model by name: build.py NAME OUT.onnx; without arguments lists the names."""
import pathlib
import sys

import onnx

import attention
import exporters
import language
import vision

MODELS = {
    "windows": vision.windows,
    "bert_small": language.bert_small,
    "gpt2_small": language.gpt2_small,
    "swin": exporters.swin,
    "mobile_transformer": exporters.mobile_transformer,
    "detector": exporters.detector,
    "decoder": exporters.decoder,
    "attention_operators": attention.attention_operators,
    "attention_forms": attention.attention_forms,
    "channels_last": exporters.channels_last,
    "resnet50": vision.resnet50,
    "mobilenet_v2": vision.mobilenet_v2,
    "bert": language.bert,
    "gpt2": language.gpt2,
}


def build(name, path):
    model = MODELS[name]()
    onnx.checker.check_model(model, full_check=True)
    pathlib.Path(path).write_bytes(model.SerializeToString())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: build.py NAME OUT.onnx; NAME is one of " + ", ".join(MODELS))
    build(sys.argv[1], sys.argv[2])
