# SPDX-License-Identifier: Apache-2.0
"""Weights in files of their own: the same bits, valid safetensors, each fault named.

usage: weights.py CASE --burin BURIN --runner BURIN_RUN --work DIR

CASE is a function below.
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def save_model(path, seed, layers=3, width=100):
    """A chain of Gemms and Relus with odd sizes among their weights; `seed` decides their values."""
    rng = np.random.default_rng(seed)
    nodes, initializers, last = [], [], "x"
    for i in range(layers):
        for name, shape in ((f"w{i}", (width, width)), (f"b{i}", (width,))):
            value = (rng.standard_normal(shape) / np.sqrt(width)).astype(np.float32)
            initializers.append(numpy_helper.from_array(value, name))
        nodes += [helper.make_node("Gemm", [last, f"w{i}", f"b{i}"], [f"g{i}"]),
                  helper.make_node("Relu", [f"g{i}"], [f"h{i}"])]
        last = f"h{i}"
    initializers.append(numpy_helper.from_array(rng.standard_normal((7, 5)).astype(np.float32), "odd"))
    nodes += [helper.make_node("Slice", [last, "from", "to", "axes"], ["part"]),
              helper.make_node("MatMul", ["part", "odd"], ["y"])]
    initializers += [numpy_helper.from_array(np.array([v]), n)
                     for n, v in (("from", 0), ("to", 7), ("axes", 1))]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "chain", [value("x", TensorProto.FLOAT, [4, width])],
                              [value("y", TensorProto.FLOAT, [4, 5])], initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    return path


def compile(model, output, *options, code=0, cwd=None):
    result = subprocess.run([args.burin, "compile", model, "-o", output, "--cpu", "x86-64-v3", *options],
                            capture_output=True, text=True, cwd=cwd)
    assert result.returncode == code, result.stderr + result.stdout
    return result


def run(artifact, *options, expect=None):
    """The bytes of y, or with `expect` what the failure says."""
    out = args.work / "out"
    shutil.rmtree(out, ignore_errors=True)
    result = subprocess.run([args.runner, "run", artifact, "--random", "1", "-o", out, *options],
                            capture_output=True, text=True)
    if expect is None:
        assert result.returncode == 0, result.stderr
        return (out / "y.npy").read_bytes()
    assert result.returncode == 2 and all(text in result.stderr for text in expect), result.stderr
    return result.stderr


def read_shard(path):
    """Header, data and metadata of a safetensors file, checked against the form's rules."""
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:8 + length])
    metadata = header.pop("__metadata__")
    assert all(isinstance(value, str) for value in metadata.values())
    data, end = raw[8 + length:], 0
    sizes = {"U8": 1, "I8": 1, "F16": 2, "BF16": 2, "F32": 4, "I32": 4, "F64": 8, "I64": 8}
    for tensor in sorted(header.values(), key=lambda tensor: tensor["data_offsets"]):
        begin, stop = tensor["data_offsets"]
        assert begin == end and stop - begin == sizes[tensor["dtype"]] * int(np.prod(tensor["shape"])), tensor
        end = stop
    assert end == len(data) and (8 + length) % 65536 == 0
    return header, data, metadata


def shards():
    """One file or several, the bits are those of embedded weights; files are what they say."""
    model = save_model(args.work / "m.onnx", 0)
    compile(model, args.work / "embedded.so")
    reference = run(args.work / "embedded.so")
    one = args.work / "one.so"
    compile(model, one, "--weights", args.work / "one.safetensors")
    assert run(one) == run(one, "--threads", "2") == reference
    assert one.stat().st_size < (args.work / "embedded.so").stat().st_size - 3 * 96 * 96 * 4
    header, data, metadata = read_shard(args.work / "one.safetensors")
    packed = [name for name in header if "burin.layout." + name in metadata]
    plain = [name for name in header if name.startswith("b") and name not in packed
             and not name.startswith("burin.pad")]
    assert packed and all(header[name]["dtype"] == "U8" for name in packed), header
    assert any(name.startswith("burin.pad") for name in header), header
    for name, tensor in header.items():
        assert tensor["data_offsets"][0] % 64 == 0 or name.startswith("burin.pad"), name
    initializers = {value.name: numpy_helper.to_array(value)
                    for value in onnx.load(model).graph.initializer}
    for name in plain:
        begin, end = header[name]["data_offsets"]
        assert data[begin:end] == initializers[name].tobytes(), name

    # Whatever folder the compiler runs in, a name alone is beside the artifact; of another folder it warns.
    for folder in ("beside", "elsewhere"):
        (args.work / folder).mkdir()
    named = args.work / "beside" / "named.so"
    told = compile(model, "beside/named.so", "--weights", "named.safetensors", cwd=args.work)
    assert run(named) == reference and not told.stderr and not (args.work / "named.safetensors").exists()
    (args.work / "beside" / "named.safetensors").unlink()
    told = compile(model, "beside/named.so", "--weights", "elsewhere/named.safetensors", cwd=args.work)
    assert "looks for its weights in its own folder, and they are in 'elsewhere'" in told.stderr, told.stderr
    assert run(named, "--weights", args.work / "elsewhere") == reference
    run(named, expect=["named.safetensors", "missing"])

    told = compile(model, args.work / "many.so", "--weights", "many.safetensors", "--shard-size", "20K", code=2)
    assert "--shard-size: a file holds weights in steps of 64K" in told.stderr, told.stderr
    many = args.work / "many.so"
    compile(model, many, "--weights", args.work / "many.safetensors", "--shard-size", "100K")
    files = sorted(args.work.glob("many-*.safetensors"))
    assert [file.name for file in files] == [f"many-0000{i}-of-00003.safetensors" for i in (1, 2, 3)]
    assert run(many) == run(many, "--threads", "2") == reference
    assert all(len(read_shard(file)[1]) <= 64 << 10 for file in files) # 100K is one step of 64K
    assert {read_shard(file)[2]["burin.shard"] for file in files} == {"1 of 3", "2 of 3", "3 of 3"}
    for _ in range(2): # the same bytes again, over those that are there
        before = [file.read_bytes() for file in [many, *files]]
        compile(model, many, "--weights", args.work / "many.safetensors", "--shard-size", "100K")
        assert before == [file.read_bytes() for file in [many, *files]]

    moved = args.work / "moved"
    moved.mkdir()
    for file in [args.work / "one.safetensors", *files]:
        shutil.move(file, moved)
    assert run(one, "--weights", moved) == run(one, "--weights", moved / "one.safetensors") == reference
    assert run(many, "--weights", moved) == reference
    verbs = [args.burin, "inspect", many, "--verify", "--weights", moved, "--json"]
    told = json.loads(subprocess.run(verbs, check=True, capture_output=True).stdout)
    hashes = subprocess.run(["sha256sum", *sorted(moved.glob("many*"))], check=True,
                            capture_output=True, text=True).stdout.split()[::2]
    assert [shard["sha256"] for shard in told["certificate"]["weights"]] == hashes


def faults():
    """Each file that is not the one of the compile is a status of its own that names the file."""
    model = save_model(args.work / "m.onnx", 0)
    so, file = args.work / "m.so", args.work / "m.safetensors"
    weights = ["--weights", file]
    compile(model, so, *weights)
    run(so)
    good = file.read_bytes()

    def expect(*texts, name="m.safetensors"):
        run(so, expect=[name, *texts])

    def changed(at, to):
        data = bytearray(good)
        data[at] = to
        file.write_bytes(data)
    file.unlink()
    expect("missing")
    file.mkdir()
    expect()
    file.rmdir()
    for size in (0, 1, 7, 100, 4096, 65535, 65536, 70000, len(good) - 1):
        file.write_bytes(good[:size])
        expect("empty" if size == 0 else "cut short")
    file.write_bytes(good + b"\0")
    expect("longer")
    rng = random.Random(0)
    for at in [65536, len(good) - 1, *(rng.randrange(65536, len(good)) for _ in range(20))]:
        changed(at, good[at] ^ 1 << rng.randrange(8))
        expect("damaged within")
    for at in [0, 7, 8, 65535, *(rng.randrange(8, 65535) for _ in range(20))]:
        changed(at, good[at] ^ 1 << rng.randrange(8))
        # A name that has changed is one of another model, compile or shard.
        identity = at < 8 + int.from_bytes(good[:8], "little") and good[at:at + 1] != b" "
        expect(*([] if identity else ["damaged header"]))
    file.write_bytes(b"\0" * len(good))
    expect("damaged header")

    compile(save_model(args.work / "n.onnx", 0), args.work / "n.so", "--weights", args.work / "n.safetensors")
    shutil.copy(args.work / "n.safetensors", file)
    expect("another model")
    compile(save_model(args.work / "m.onnx", 1), so, *weights)
    file.write_bytes(good)
    expect("another compile")

    model = save_model(args.work / "m.onnx", 0)
    compile(model, so, *weights, "--shard-size", "64K")
    first, second = sorted(args.work.glob("m-*.safetensors"))[:2]
    first.rename(file)
    second.rename(first)
    file.rename(second)
    expect("another shard", name=first.name)


def interrupted():
    """A compile that is killed leaves the artifact and weights that were there, or the new ones."""
    models = [save_model(args.work / f"m{seed}.onnx", seed) for seed in (0, 1)]
    so, file = args.work / "m.so", args.work / "m.safetensors"
    outputs, took = [], 0
    for model in models:
        begin = time.monotonic()
        compile(model, so, "--weights", file)
        took = max(took, time.monotonic() - begin)
        outputs.append(run(so))
    assert outputs[0] != outputs[1]
    rng, seen = random.Random(0), set()
    for i in range(30):
        process = subprocess.Popen([args.burin, "compile", models[i % 2], "-o", so, "--cpu", "x86-64-v3",
                                    "--weights", file], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        time.sleep(took * rng.uniform(0.3, 1.1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        seen.add(outputs.index(run(so)))
    print("killed 30 times; afterwards ran:", seen)

    # The moments between the renames, each by itself.
    compile(models[0], so, "--weights", file)
    id = read_shard(file)[2]["burin.weights"][:8]
    old_so, old_file = so.read_bytes(), file.read_bytes()
    compile(models[1], so, "--weights", file)
    staged = file.with_name(file.name + "." + id)
    staged.write_bytes(old_file) # complete, not renamed; the other artifact and its weights
    assert run(so) == outputs[1]
    so.write_bytes(old_so) # the artifact in its place, its weights not
    assert run(so) == outputs[0]
    staged.rename(file)
    assert run(so) == outputs[0]


def no_space():
    """A full disk ends the compile with exit code 1; what was there is there."""
    folder = args.work / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]).returncode:
        print("cannot mount a small file system: not root")
        sys.exit(77)
    try:
        small, large = (save_model(args.work / f"{name}.onnx", 0, *size)
                        for name, size in (("small", (1, 32)), ("large", (5, 256))))
        so = folder / "m.so"
        for options in (["--weights", folder / "m.safetensors"], ["--weights", "embed"]):
            compile(small, so, *options)
            before = {file.name: file.read_bytes() for file in folder.iterdir()}
            reference = run(so)
            message = compile(large, so, *options, code=1).stderr
            assert "No space left on device" in message, message
            assert before == {file.name: file.read_bytes() for file in folder.iterdir()}
            assert run(so) == reference
        # Room for the weights, and none for the artifact.
        for filler in range(0, 1 << 20, 65536):
            for file in ("m.so", "m.safetensors", "filler"):
                (folder / file).unlink(missing_ok=True)
            (folder / "filler").write_bytes(b"\0" * ((1 << 20) - filler - 65536))
            result = subprocess.run([args.burin, "compile", small, "-o", so, "--cpu", "x86-64-v3",
                                     "--weights", folder / "m.safetensors"], capture_output=True, text=True)
            left = sorted(file.name for file in folder.iterdir() if file.name != "filler")
            if result.returncode == 0:
                assert left == ["m.safetensors", "m.so"], left
                break
            assert result.returncode == 1 and not left, (result.stderr, left)
        else:
            raise AssertionError("never fitted")
    finally:
        subprocess.run(["umount", folder], check=True)


CASES = {case.__name__: case for case in (shards, faults, interrupted, no_space)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=CASES)
    for option in ("burin", "runner", "work"):
        parser.add_argument("--" + option, type=pathlib.Path, required=True)
    args = parser.parse_args()
    args.work, args.burin = args.work.absolute(), args.burin.absolute()
    shutil.rmtree(args.work, ignore_errors=True)
    args.work.mkdir(parents=True)
    CASES[args.case]()
