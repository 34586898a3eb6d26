#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what every file of the tree owes its reader; prints each breach, exits 1 on any.

- a source file names its licence in its first lines;
- a .cpp stays within 600 lines, a .td within 500, a test within 400;
- nothing committed is above 1 MiB, and no text names a folder of one machine;
- no mark of unfinished work.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCES = {".c", ".cpp", ".h", ".hpp", ".td", ".py", ".sh", ".S", ".cmake"}
TEXTS = SOURCES | {".md", ".mlir", ".txt", ".json", ".in", ".onnxtxt", ".test", ""}
# Built from pieces so that this file passes its own check.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "HA" + "CK", "X" * 3]) + r")\b")
MACHINE = re.compile(r"(?<![\w.$}])/(?:" + "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me"]) + r")/\w")


def limit(path):
    if path.suffix == ".td":
        return 500
    if path.parts[0] == "test" and path.suffix in {".mlir", ".onnxtxt", ".test", ".cpp", ".c"}:
        return 400
    return 600 if path.suffix in {".cpp", ".c"} else None


def breaches(path):
    data = (ROOT / path).read_bytes()
    if len(data) > 1 << 20:
        yield f"{len(data)} bytes, above 1 MiB"
    if path.suffix not in TEXTS or b"\0" in data:
        return
    lines = data.decode("utf-8", "replace").splitlines()
    is_source = path.suffix in SOURCES or path.name == "CMakeLists.txt"
    if is_source and not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:3]):
        yield "no SPDX-License-Identifier: Apache-2.0 in its first three lines"
    most = limit(path)
    if most and len(lines) > most:
        yield f"{len(lines)} lines, above {most}: split it by meaning"
    for number, line in enumerate(lines, 1):
        if UNFINISHED.search(line):
            yield f"line {number}: a mark of unfinished work"
        if MACHINE.search(line):
            yield f"line {number}: a folder of one machine"


def main():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    count = 0
    for name in sorted(filter(None, listed.stdout.decode().split("\0"))):
        path = pathlib.Path(name)
        if not (ROOT / path).is_file():
            continue
        for breach in breaches(path):
            print(f"{name}: {breach}")
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
