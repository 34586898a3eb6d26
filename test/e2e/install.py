#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""burin as others get it: installed, moved, found by CMake and pkg-config; samples built with it.

usage: install.py --cmake CMAKE --build BUILD --work DIR
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import onnx

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "python-free-samples"


class Failed(Exception):
    pass


def run(*command, expect=0, **options):
    done = subprocess.run([str(part) for part in command], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    if (done.returncode == 0) != (expect == 0):
        raise Failed(f"{' '.join(map(str, command))}\nended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def check(condition, text):
    if not condition:
        raise Failed(text)


class Consumer:
    """A copy of a sample with a build of its own."""

    def __init__(self, arguments, prefix, name):
        self.cmake, self.prefix = arguments.cmake, prefix
        self.source = arguments.work / "samples" / name
        self.build = arguments.work / "build" / name
        if not self.source.parent.exists():
            shutil.copytree(SAMPLES, self.source.parent)

    def configure(self, *options, build=None, **more):
        return run(self.cmake, "-G", "Ninja", "-S", self.source, "-B", build or self.build,
                   f"-DCMAKE_PREFIX_PATH={self.prefix}", *options, **more)

    def compile(self):
        return run(self.cmake, "--build", self.build)


def test_consumer(arguments, prefix):
    consumer = Consumer(arguments, prefix, "cmake-consumer")
    consumer.configure()
    consumer.compile()
    program = consumer.build / "consumer"
    check(run(program, 3, 4, 5, 12) == "5\n13\n", "the consumer computes other distances")
    check("no work to do" in consumer.compile(), "what is built is built again")
    # The model is what decides what is built.
    model = consumer.source / "distance.onnxtxt"
    model.write_text(model.read_text().replace("ReduceL2", "ReduceL1"))
    consumer.compile()
    check(run(program, 3, 4) == "7\n", "a changed model was not compiled anew")


def test_external_weights(arguments, prefix):
    """The points are scaled by a weight in a file of its own, which then changes."""
    consumer = Consumer(arguments, prefix, "cmake-consumer")
    weights = consumer.source / "scale #1.bin"
    weights.write_bytes(np.array([2, 2], np.float32).tobytes())
    scale = onnx.TensorProto(name="scale", data_type=onnx.TensorProto.FLOAT, dims=[2],
                             data_location=onnx.TensorProto.EXTERNAL)
    scale.external_data.add(key="location", value=weights.name)
    model = onnx.parser.parse_model((consumer.source / "distance.onnxtxt").read_text()
                                    .replace("(points, columns)", "(scaled, columns)"))
    model.graph.initializer.append(scale)
    model.graph.node.insert(0, onnx.helper.make_node("Mul", ["points", "scale"], ["scaled"]))
    (consumer.source / "distance.onnx").write_bytes(model.SerializeToString())
    project = consumer.source / "CMakeLists.txt"
    project.write_text(project.read_text().replace("distance.onnxtxt", "distance.onnx"))
    consumer.compile()
    program = consumer.build / "consumer"
    check(run(program, 3, 4) == "14\n", "the external weight is not used")
    weights.write_bytes(np.array([10, 10], np.float32).tobytes())
    consumer.compile()
    check(run(program, 3, 4) == "70\n", "a changed weight was not compiled anew")


def test_cross(arguments, prefix):
    """For another machine: its CPU's name, and burin of this one."""
    consumer = Consumer(arguments, prefix, "cmake-consumer")
    cross = ["-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_CXX_COMPILER_WORKS=1"]
    burin = f"-DBURIN_EXECUTABLE={prefix / 'bin' / 'burin'}"
    for processor, cpu in [("x86_64", "x86-64-v3"), ("aarch64", "aarch64")]:
        build = arguments.work / "build" / processor
        consumer.configure(*cross, f"-DCMAKE_SYSTEM_PROCESSOR={processor}", burin, build=build)
        check(f"--cpu {cpu} " in (build / "build.ninja").read_text(),
              f"a model for {processor} is not compiled for {cpu}")
    refused = consumer.configure(*cross, "-DCMAKE_SYSTEM_PROCESSOR=pdp11", burin, expect=1,
                                 build=arguments.work / "build" / "pdp11")
    check("no CPU is known for the processor" in refused, refused)


def test_cross_run(arguments, prefix):
    """For aarch64 with a toolchain file; qemu runs what comes out. The runtime is the model's, or the
    package's (lib/burin/aarch64)."""
    emulator, sysroot = shutil.which("qemu-aarch64"), pathlib.Path("/usr/aarch64-linux-gnu")
    if not emulator or not (prefix / "lib" / "burin" / "aarch64" / "burin-run").exists():
        print("not cross-compiled: this machine lacks qemu-aarch64 or the C++ library for aarch64")
        return
    toolchain = arguments.work / "aarch64.cmake"
    toolchain.write_text("""set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER clang-22)
set(CMAKE_C_COMPILER_TARGET aarch64-linux-gnu)
set(CMAKE_CXX_COMPILER clang++-22)
set(CMAKE_CXX_COMPILER_TARGET aarch64-linux-gnu)
set(CMAKE_EXE_LINKER_FLAGS_INIT -fuse-ld=lld)
""")
    consumer = Consumer(arguments, prefix, "cmake-consumer")
    consumer.build = arguments.work / "build" / "emulated"
    project = consumer.source / "CMakeLists.txt"
    project.write_text(project.read_text().replace("PRIVATE distance)", "PRIVATE distance burin::runtime)"))
    consumer.configure(f"-DCMAKE_TOOLCHAIN_FILE={toolchain}")
    consumer.compile()
    rules = (consumer.build / "build.ninja").read_text()
    check("lib/burin/aarch64/libburin_rt.a" in rules, "burin::runtime is not aarch64's")
    said = run(emulator, "-L", sysroot, consumer.build / "consumer", 3, 4, 5, 12)
    here = run(arguments.work / "build" / "cmake-consumer" / "consumer", 3, 4, 5, 12)
    check(said == here, f"the consumer computes {said}, on this machine {here}")


def test_two_models(arguments, prefix):
    sample = Consumer(arguments, prefix, "link-two-models")
    sample.configure()
    sample.compile()
    said = run(sample.build / "link-two-models", sample.source / "seven.txt")
    check(said.startswith("7 ("), f"the seven is a {said}")


def test_embed(arguments, prefix):
    sample = Consumer(arguments, prefix, "embed")
    sample.configure()
    sample.compile()
    said = run(sample.build / "embed", sample.source / "requests.txt", "please call my brother")
    check("Call mum" in said.split("\n")[1], said)


def test_pkg_config(arguments, prefix):
    """The README's program, without CMake."""
    if not shutil.which("pkg-config"):
        return
    work = arguments.work / "pkg-config"
    work.mkdir()
    text = (ROOT / "README.md").read_text()
    (work / "main.c").write_text(text.split("```c\n", 1)[1].split("```", 1)[0])
    run(prefix / "bin" / "burin", "compile", SAMPLES / "digits" / "digits.onnx", "-o",
        work / "digits.a")
    folder = next(prefix.glob("**/pkgconfig"))
    flags = run("pkg-config", "--cflags", "--libs", "burin",
                env={**os.environ, "PKG_CONFIG_PATH": str(folder)}).split()
    run(os.environ["CC"], "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "main.c", "digits.a",
        *flags, "-o", "app", cwd=work)
    check("1 100.0%" in run(work / "app"), "the README's program says something else")


def main():
    parser = argparse.ArgumentParser()
    # A machine may have no compiler but burin's own.
    os.environ.setdefault("CC", "clang-22")
    os.environ.setdefault("CXX", "clang++-22")
    parser.add_argument("--cmake", required=True)
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    shutil.rmtree(arguments.work, ignore_errors=True)
    arguments.work.mkdir(parents=True)
    try:
        run(arguments.cmake, "--install", arguments.build, "--prefix", arguments.work / "staged")
        prefix = (arguments.work / "staged").rename(arguments.work / "moved")
        check(not list(prefix.glob("**/abi.h")), "abi.h is for the compiler and the runtime alone")
        for test in (test_consumer, test_external_weights, test_cross, test_cross_run,
                     test_two_models, test_embed, test_pkg_config):
            test(arguments, prefix)
            print(f"{test.__name__}: fine")
    except Failed as failure:
        print(failure)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
