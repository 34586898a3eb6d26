# SPDX-License-Identifier: Apache-2.0
"""Weights above 1 GiB, whole: embedded and in shards, beside ONNX Runtime.

usage: large.py --burin BURIN --work DIR [--gib G]

`ninja large` runs it; it takes minutes and thrice the weights on the disk. Fails where values or the
artifact's forms differ or a compile takes more memory than 1.3 times the weights and 300 MB, and
prints what the compile and the open took.
"""
import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "models"))
import compare
import reference

WIDTH = 4096


def save_model(path, layers):
    """A chain of products, the weights in one file beside the model."""
    rng = np.random.default_rng(0)
    data, tensors, nodes = path.with_suffix(".bin"), [], []
    with open(data, "wb") as file:
        for i in range(layers):
            tensor = TensorProto(name=f"w{i}", data_type=TensorProto.FLOAT, dims=[WIDTH, WIDTH],
                                 data_location=TensorProto.EXTERNAL)
            for key, value in (("location", data.name), ("offset", file.tell()),
                               ("length", 4 * WIDTH * WIDTH)):
                tensor.external_data.add(key=key, value=str(value))
            tensors.append(tensor)
            rows = rng.standard_normal((WIDTH, WIDTH), np.float32)
            rows *= np.float32(WIDTH ** -0.5)
            rows.tofile(file)
            nodes += [helper.make_node("MatMul", [f"h{i}", f"w{i}"], [f"p{i}"]),
                      helper.make_node("Tanh", [f"p{i}"], [f"h{i + 1}"])]
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, WIDTH])
             for name in ("h0", f"h{layers}")]
    graph = helper.make_graph(nodes, "large", infos[:1], infos[1:], tensors)
    path.write_bytes(helper.make_model(graph, ir_version=10, opset_imports=[
        helper.make_opsetid("", 21)]).SerializeToString())
    return data.stat().st_size


def watched(command):
    """Runs a command; the most memory that it had, in bytes, and its seconds of processor time."""
    child = os.posix_spawn(command[0], [str(part) for part in command], os.environ)
    _, status, usage = os.wait4(child, 0)
    assert status == 0, f"{command} ended with {os.waitstatus_to_exitcode(status)}"
    return usage.ru_maxrss << 10, usage.ru_utime + usage.ru_stime


def linked(archive):
    """A shared library that a C compiler makes of an archive, which is removed."""
    shared = archive.with_suffix(".so")
    subprocess.run(["cc", "-shared", "-nostdlib", "-o", shared, "-Wl,-u,burin_model_archive", archive,
                    archive.parent / "libburin_rt.a", "-lc"], check=True)
    archive.unlink()
    return shared


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--gib", type=float, default=1.3)
    arguments = parser.parse_args()
    burin, work = arguments.burin, arguments.work
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    model = work / "large.onnx"
    weights = save_model(model, int(np.ceil(arguments.gib * 2**30 / (4 * WIDTH**2))))
    inputs = reference.make_inputs(onnx.load(model, load_external_data=False), seed=1)
    expected = reference.run_onnxruntime(model, inputs)
    name, = expected
    good, seen = True, set()
    shards = ["--weights", work / "large.safetensors", "--shard-size", "512M"]
    embed = ["--weights", "embed"]
    for form, artifact, options in (("archive", "archive.a", embed), ("embedded", "embedded.so", embed),
                                    ("shards", "shards.so", shards)):
        artifact = work / artifact
        peak, seconds = watched([burin, "compile", model, "-o", artifact, *options])
        over = peak - 1.3 * weights
        print(f"{form}: {weights} bytes of weights, compiled with {peak} bytes of memory at most "
              f"({over / 1e6:+.0f} MB to 1.3 x weights) in {seconds:.1f} s")
        good &= over <= 300e6
        if form == "archive":
            artifact = linked(artifact)
        actual = compare.run_burin(burin, artifact, inputs, [name], work, 1)[name]
        good &= compare.check_output(name, actual, expected[name], None)
        seen.add(actual.tobytes())
        told = json.loads(subprocess.run([burin, "bench", artifact, "--seconds", "1", "--json"],
                                         check=True, capture_output=True).stdout)
        print(f"{form}: opened in {told['open_ms']:.1f} ms, first run {told['first_ms']:.1f} ms, then "
              f"{told['latency_ms']['median']:.1f}; {told['peak_rss_bytes']} bytes of memory at most")
        verified = subprocess.run([burin, "inspect", artifact, "--verify", "--json"], capture_output=True,
                                  text=True)
        if verified.returncode:
            print(f"{form}: {verified.stderr}")
            good = False
            continue
        certificate = json.loads(verified.stdout)["certificate"]
        hashes = [(file["name"], file["sha256"]) for file in certificate["provenance"]["files"]]
        hashes += [(shard["file"], shard["sha256"]) for shard in certificate.get("weights", [])]
        for file, said in hashes: # above 512 MiB, too
            with open(work / file, "rb") as bytes_:
                if hashlib.file_digest(bytes_, "sha256").hexdigest() != said:
                    print(f"{form}: the certificate has another SHA-256 of {file}")
                    good = False
        artifact.unlink()
    files = sorted(path.stat().st_size for path in work.glob("large-*.safetensors"))
    print(f"shards of {files} bytes")
    good &= len(files) > 2 and files[-1] <= (512 << 20) + 65536 and len(seen) == 1
    print("holds" if good else "does not hold")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
