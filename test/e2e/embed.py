# SPDX-License-Identifier: Apache-2.0
"""The embed sample: the right neighbours of sentences that its training never saw, and the vectors of
ONNX Runtime.

usage: embed.py --embed PROGRAM
"""
import argparse
import pathlib
import re
import subprocess
import sys

import numpy as np
import onnxruntime

SAMPLE = pathlib.Path(__file__).resolve().parents[2] / "python-free-samples" / "embed"
EXPECTED = {
    "would you switch the lamp in the hallway on": "Turn on the light",
    "i think it's freezing in this house": "Turn up the heating",
    "can you tell me how late it is now": "What time is it?",
    "we are nearly out of cheese and bread": "Add milk to the shopping list",
    "Is it going to rain on Sunday?": "What is the weather like today?",
    "i would like to listen to some good jazz": "Play some music",
    "make sure that the garage is locked": "Lock the front door",
    "show me the fastest way to the museum": "How do I get to the station?",
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--embed", required=True)
    arguments = parser.parse_args()
    lines = (SAMPLE / "requests.txt").read_text().splitlines()
    text = subprocess.run([arguments.embed, SAMPLE / "requests.txt", *EXPECTED], check=True,
                          capture_output=True, text=True).stdout
    print(text)

    vocabulary = {word: index for index, word in
                  enumerate((SAMPLE / "vocabulary.txt").read_text().split())}
    session = onnxruntime.InferenceSession(str(SAMPLE / "sentences.onnx"))

    def encode(sentences):
        ids = np.zeros((len(sentences), 16), np.int64)
        for row, sentence in zip(ids, sentences):
            words = re.findall(r"[a-z0-9']+", sentence.lower())[:16]
            row[:len(words)] = [vocabulary.get(word, 1) for word in words]
        return session.run(None, {"ids": ids})[0]
    known = encode(lines)
    wrong = 0
    blocks = re.split(r"\n(?! )", text.strip())
    for (query, nearest), block in zip(EXPECTED.items(), blocks, strict=True):
        asked, *found = block.split("\n")
        scores = known @ encode([query])[0]
        ranked = [re.match(r" +(-?[\d.]+)  (.*)", line).groups() for line in found]
        wrong += asked != query or ranked[0][1] != nearest
        wrong += any(abs(float(score) - scores[lines.index(line)]) > 0.0051 for score, line in ranked)
        wrong += [line for _, line in ranked] != [lines[i] for i in np.argsort(-scores)[:3]]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
