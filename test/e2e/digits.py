# SPDX-License-Identifier: Apache-2.0
"""The digits sample on all 797 held-out images: the same classes as ONNX Runtime finds.

usage: digits.py --digits PROGRAM --work DIR
"""
import argparse
import pathlib
import re
import subprocess
import sys

import numpy as np
import onnxruntime

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(__file__).with_name("digits")


def held_out():
    """The images, each 8x8 of integers 0..16, and what they show."""
    labels = np.array([int(c) for c in (DATA / "labels.txt").read_text().strip()])
    pixels = (DATA / "held-out.pgm").read_bytes().split(b"\n16\n", 1)[1]
    return np.frombuffer(pixels, np.uint8).reshape(len(labels), 8, 8), labels


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--digits", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    images, labels = held_out()
    arguments.work.mkdir(parents=True, exist_ok=True)
    files = []
    for index, image in enumerate(images):
        files.append(arguments.work / f"{index}.pgm")
        files[-1].write_bytes(b"P5\n8 8\n16\n" + image.tobytes())
    text = subprocess.run([arguments.digits, *files], check=True, capture_output=True,
                          text=True).stdout
    found = np.array([int(n) for n in re.findall(r"\.pgm: (\d) \(", text)])

    session = onnxruntime.InferenceSession(
        str(ROOT / "python-free-samples" / "digits" / "digits.onnx"))
    expected = np.array([session.run(None, {"image": (image / np.float32(16))[None, None]})[0]
                         .argmax() for image in images.astype(np.float32)])
    if len(found) != len(expected):
        print(f"{len(found)} answers for {len(expected)} images")
        return 1
    print(f"{len(found)} images: {(found == expected).sum()} classified as ONNX Runtime does, "
          f"{(found == labels).sum()} right")
    return 0 if (found == expected).all() and (found == labels).mean() > 0.97 else 1


if __name__ == "__main__":
    sys.exit(main())
