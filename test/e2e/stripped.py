# SPDX-License-Identifier: Apache-2.0
"""Artifacts in the hands of other tools: stripped, linked, read.

usage: stripped.py --burin BURIN --work DIR

Weights are streamed into a place that the linker left for them: every tool has to see them as bytes of
an ordinary section. Each copy that a tool has made gives the bits of the original; tools that read
complain of nothing.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys

import numpy as np

import gates

DIGITS = gates.ROOT / "python-free-samples" / "digits" / "digits.onnx"

PROGRAM = """
#include "digits.h"
#include <stdio.h>

static _Alignas(DIGITS_ARENA_ALIGNMENT) unsigned char arena[DIGITS_ARENA_BYTES];

int main(void) {
  burin_context *context;
  float image[DIGITS_IMAGE_ELEMENTS], probabilities[DIGITS_PROBABILITIES_ELEMENTS];
  for (int i = 0; i < DIGITS_IMAGE_ELEMENTS; ++i)
    image[i] = (float)(i % 9) / 8;
  if (digits_create(arena, &context) != BURIN_OK || digits_run(context, image, probabilities) != BURIN_OK)
    return 1;
  fwrite(probabilities, sizeof probabilities, 1, stdout);
  return 0;
}
"""

STRIP = ("strip", "strip --strip-unneeded", "strip --strip-debug", "objcopy --strip-all", "llvm-strip-22",
         "llvm-strip-22 --strip-unneeded", "llvm-objcopy-22 --strip-all")
READ = ("readelf -aW", "objdump -dr", "nm -D", "llvm-readelf-22 -aW", "llvm-objdump-22 -dr", "size",
        "gdb -batch -nx -ex info\0files -ex disassemble\0burin_model_digits")


def tool(words, *files):
    """What it says on stdout; None where this machine lacks it. Its stderr must stay empty."""
    words = [word.replace("\0", " ") for word in words.split(" ")]
    if not shutil.which(words[0]):
        print(f"{words[0]}: not here")
        return None
    done = subprocess.run([*words, *map(str, files)], capture_output=True, text=True, check=True)
    # gdb warns of the sections that a library without an entry point lacks; that is no complaint.
    said = [line for line in done.stderr.splitlines() if "for the entry point" not in line]
    assert not said, f"{' '.join(words)}: {said[:4]}"
    return done.stdout


def stripped(file, words):
    """A copy; objcopy and strip work in place."""
    copy = file.with_name(words.replace(" ", "_") + file.suffix)
    shutil.copy(file, copy)
    return copy if tool(words, copy) is not None else None


def library(bench):
    artifact = bench.compile(DIGITS, bench.work / "digits.so")
    wanted, _ = bench.run(artifact, bench.work / "out", 1)
    for words in STRIP:
        copy = stripped(artifact, words)
        if copy:
            assert bench.run(copy, bench.work / "out", 1)[0] == wanted, f"{words}: other bits"
            assert "model" in gates.call(bench.runner, "inspect", copy, "--verify")
            print(f"{words}: {artifact.stat().st_size} bytes become {copy.stat().st_size}")
    for words in READ:
        text = tool(words, artifact)
        assert text is None or len(text.splitlines()) > 1, f"{words} tells nothing"


def program(bench):
    """Linked from an archive, which may be stripped first, as a program of each kind."""
    archive = bench.compile(DIGITS, bench.work / "digits.a")
    source = bench.work / "main.c"
    source.write_text(PROGRAM)
    copies = [copy for words in ("strip --strip-debug", "llvm-strip-22 --strip-debug")
              if (copy := stripped(archive, words))]
    tool("readelf -aW", archive)
    seen = set()
    for made in (archive, *copies):
        for flags in ([], ["-static"], ["-no-pie"], ["-Wl,--gc-sections", "-O2", "-s"]):
            path = bench.work / "program"
            gates.call("cc", source, "-I", bench.work, "-I", gates.ROOT / "runtime" / "include", made,
                       bench.work / "libburin_rt.a", *flags, "-o", path)
            for copy in (path, stripped(path, "strip")):
                seen.add(subprocess.run([copy], check=True, capture_output=True).stdout)
    assert len(seen) == 1 and len(next(iter(seen))) == 40, f"{len(seen)} different answers"
    values = np.frombuffer(next(iter(seen)), np.float32)
    assert abs(values.sum() - 1) < 1e-5 and values.max() > 0.2, values
    print(f"{1 + len(copies)} archives, linked in 4 ways: programs, stripped or not, say the same")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    bench = gates.Bench(arguments.burin, arguments.work)

    def test():
        library(bench)
        program(bench)
    return gates.outcome("stripped", test)


if __name__ == "__main__":
    sys.exit(main())
