# SPDX-License-Identifier: Apache-2.0
"""Hot loops as machine code: sums stay in registers, and the loads are those of the tile.

usage: assembly.py --burin BURIN --objdump LLVM-OBJDUMP --work DIR

Of each contraction's kernel the innermost loops over k are read: none may touch the stack, and the largest of a
plain product has as many multiply-adds, broadcasts and loads per step as its tile asks for. (Winograd's transforms, whose squares
are more than registers hold, are no such loops: they are long.)
"""
import argparse
import pathlib
import re
import subprocess
import sys

import numpy as np
import onnx

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "models"))
from graph import model


def weights(*shape):
    return np.random.default_rng(3).standard_normal(shape).astype(np.float32)


def models():
    """(name, nodes, inputs, outputs, tensors); one kernel with a contraction each"""
    yield "product", [("MatMul", ["x", "w"], ["y"])], {"x": [96, 256]}, {"y": [96, 256]}, {"w": weights(256, 256)}
    yield "eights", [("MatMul", ["x", "w"], ["y"])], {"x": [64, 256]}, {"y": [64, 384]}, {"w": weights(256, 384)}
    yield "rest", [("MatMul", ["x", "w"], ["y"])], {"x": [49, 100]}, {"y": [49, 72]}, {"w": weights(100, 72)}
    yield "row", [("MatMul", ["x", "w"], ["y"])], {"x": [1, 512]}, {"y": [1, 512]}, {"w": weights(512, 512)}
    yield "strided", [("Conv", ["x", "w"], ["y"], {"strides": [2, 2], "pads": [1, 1, 1, 1]})], \
        {"x": [1, 64, 28, 28]}, {"y": [1, 64, 14, 14]}, {"w": weights(64, 64, 3, 3)}
    yield "depthwise", [("Conv", ["x", "w"], ["y"], {"group": 64, "pads": [1, 1, 1, 1]})], \
        {"x": [1, 64, 28, 28]}, {"y": [1, 64, 28, 28]}, {"w": weights(64, 1, 3, 3)}
    yield "winograd", [("Conv", ["x", "w"], ["y"], {"pads": [1, 1, 1, 1]})], \
        {"x": [1, 64, 28, 28]}, {"y": [1, 64, 28, 28]}, {"w": weights(64, 64, 3, 3)}


# Of each level: multiply-adds on vectors; the stack; what a step of a model's largest tile has: (multiply-adds,
# vectors of b, elements of a).
LEVELS = {
    "x86-64-v3": (re.compile(r"vfn?m(add|sub)\d+ps.*%ymm"), re.compile(r"\(%rsp[,)]"), {"product": (12, 2, 6)}),
    "x86-64-v4": (re.compile(r"vfn?m(add|sub)\d+ps.*%[zy]mm"), re.compile(r"\(%rsp[,)]"), {"product": (24, 4, 6), "eights": (24, 3, 8)}),
    "aarch64": (re.compile(r"\bfml[as]\b.*\.4s"), re.compile(r"\[sp[,\]]"), {}),
}
JUMP = re.compile(r"^(?:j[a-z]+|b|b\.[a-z]+|cbn?z|tbn?z)\s+.*?(?:0x)?([0-9a-f]+) <")


def functions(objdump, artifact):
    """{name: [(address, instruction)]} of the code of an object."""
    text = subprocess.run([objdump, "-d", "--no-show-raw-insn", artifact], check=True, capture_output=True,
                          text=True).stdout
    found, current = {}, []
    for line in text.splitlines():
        if start := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            current = found.setdefault(start[1], [])
        elif code := re.match(r"\s*([0-9a-f]+):\s+(.*)$", line):
            current.append((int(code[1], 16), re.sub(r"\s+", " ", code[2])))
    return found


def innermost(code):
    """The loops of a function without one inside, each as its instructions."""
    at = {address: i for i, (address, _) in enumerate(code)}
    loops = []
    for i, (_, text) in enumerate(code):
        jump = JUMP.match(text)
        target = at.get(int(jump[1], 16)) if jump else None
        if target is not None and target <= i:
            loops.append((target, i))
    return [[text for _, text in code[first:last + 1]] for first, last in loops
            if not any((a, b) != (first, last) and first <= a and b <= last for a, b in loops)]


def check(arguments, level, flags, made):
    name, *graph = made
    case = f"{level} {name} {' '.join(flags)}".strip()
    path, artifact = (arguments.work / f"{name}{suffix}" for suffix in (".onnx", ".o"))
    onnx.save(model(*made), path)
    subprocess.run([arguments.burin, "compile", path, "-o", artifact, "--cpu", level, *flags], check=True,
                   stdout=subprocess.DEVNULL)
    multiply, stack, steps = LEVELS[level]

    def adds(loop):
        return sum(bool(multiply.search(text)) for text in loop)
    sums = [loop for code in functions(arguments.objdump, artifact).values() for loop in innermost(code)
            if len(loop) < 250 and adds(loop) > 0.2 * len(loop)]
    good = True
    if not sums:
        print(f"{case}: no loop of multiply-adds was found")
        return False
    for loop in sums:
        if spills := [text for text in loop if stack.search(text)]:
            print(f"{case}: a loop of {len(loop)} instructions spills {len(spills)} times: {spills[0]}")
            good = False
    largest = max(sums, key=adds)
    count = adds(largest)
    broadcasts = sum("broadcast" in text for text in largest)
    print(f"{case}: {len(sums)} loops; the largest has {count} multiply-adds in {len(largest)} instructions")
    if name in steps:
        of_step, vectors, elements = steps[name]
        unrolled = count // of_step
        loads = sum(bool(re.search(r"v(mov|pmov)\S* [^%]*\(", text)) for text in largest)
        if count % of_step or broadcasts > unrolled * elements or loads > unrolled * vectors:
            print(f"{case}: {count} multiply-adds, {broadcasts} broadcasts, {loads} loads; a step has "
                  f"{of_step}, {elements}, {vectors}")
            good = False
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", required=True)
    parser.add_argument("--objdump", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    good = all([check(arguments, level, flags, made) for level in LEVELS for made in models()
                for flags in ([], ["--precision", "bf16"])])
    print("agrees" if good else "DISAGREES")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
