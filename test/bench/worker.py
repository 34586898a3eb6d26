# SPDX-License-Identifier: Apache-2.0
"""A peer in a process of its own: makes it ready, then times rounds as it is told.

usage: worker.py JOB.json [prepare]       (engines.py writes the job and talks to the process; prepare: compiles, for
                                          an engine that does so ahead of time)

The job: engine, model, inputs (an .npz), threads, fixed {symbol: size}, shapes {input: shape; -1: changes
from run to run}, output_names, outputs (where the first results go as .npz, or null). On standard output: a line of
JSON when the first result is there, one for each line "round SECONDS" of standard input, and a last one at its end.
Inputs and outputs are bound once, as the fastest use of each engine does: nothing is copied between runs but by the engine.
"""
import importlib.metadata
import json
import os
import pathlib
import re
import statistics
import sys
import time

import numpy as np

# Where bench.py keeps wheels that only it needs.
if os.environ.get("BURIN_BENCH_PACKAGES"):
    sys.path.append(os.environ["BURIN_BENCH_PACKAGES"])


def memory(field):
    """VmRSS or VmHWM of this process, in bytes."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+) kB", status)[1]) * 1024


def package_bytes(module, pattern):
    """The shared libraries of a package."""
    folder = pathlib.Path(module.__file__).parent
    return sum(path.stat().st_size for path in folder.rglob(pattern) if not path.is_symlink())


class OnnxRuntime:
    def __init__(self, job, inputs):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = job["threads"]
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        for symbol, size in job["fixed"].items():
            options.add_free_dimension_override_by_name(symbol, size)
        self.session = onnxruntime.InferenceSession(job["model"], options, ["CPUExecutionProvider"])
        self.binding = self.session.io_binding()
        self.names = [output.name for output in self.session.get_outputs()]
        self.values = {name: onnxruntime.OrtValue.ortvalue_from_numpy(array) for name, array in inputs.items()}
        for name, value in self.values.items():
            self.binding.bind_ortvalue_input(name, value)
        for name in self.names:
            self.binding.bind_output(name, "cpu")
        self.about = {"version": onnxruntime.__version__, "options": {
            "intra_op_num_threads": job["threads"], "inter_op_num_threads": 1,
            "graph_optimization_level": "all", "io_binding": True}}
        self.library = lambda: package_bytes(onnxruntime, "*.so*")

    def run(self):
        self.session.run_with_iobinding(self.binding)

    def results(self):
        values = self.binding.get_outputs()
        results = {name: value.numpy() for name, value in zip(self.names, values)}
        # Sizes are the same from now on, and so is the memory.
        for name, value in zip(self.names, values):
            self.binding.bind_ortvalue_output(name, value)
        return results


class OpenVino:
    def __init__(self, job, inputs):
        import openvino
        core = openvino.Core()
        model = core.read_model(job["model"])
        model.reshape({name: shape for name, shape in job["shapes"].items()})
        # f32 throughout: by itself it takes bf16 where the CPU has it.
        options = {"INFERENCE_PRECISION_HINT": "f32", "EXECUTION_MODE_HINT": "ACCURACY",
                   "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": job["threads"],
                   "ENABLE_CPU_PINNING": False, "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0", "KV_CACHE_PRECISION": "f32"}
        self.request = core.compile_model(model, "CPU", options).create_infer_request()
        self.tensors = {name: openvino.Tensor(array, shared_memory=True) for name, array in inputs.items()}
        for name, tensor in self.tensors.items():
            self.request.set_tensor(name, tensor)
        self.names = [output.get_any_name() for output in model.outputs]
        self.about = {"version": openvino.__version__, "options": {k: str(v) for k, v in options.items()}}
        self.library = lambda: package_bytes(openvino, "*.so*")

    def run(self):
        self.request.infer()

    def results(self):
        return {name: self.request.get_output_tensor(i).data for i, name in enumerate(self.names)}


class Iree:
    """Compiled ahead of time, by `prepare`."""

    @staticmethod
    def prepare(job):
        import iree.compiler.tools
        import onnx
        from iree.compiler.tools.import_onnx.__main__ import main as import_onnx, parse_arguments
        # Its importer takes shapes as the model has them.
        model, folder = onnx.load(job["model"]), pathlib.Path(job["inputs"]).parent
        for value in model.graph.input:
            for dim, size in zip(value.type.tensor_type.shape.dim, job["shapes"].get(value.name, [])):
                if size >= 0:
                    dim.dim_value = size
        onnx.save(onnx.shape_inference.infer_shapes(model), folder / "iree.onnx")
        import_onnx(parse_arguments([str(folder / "iree.onnx"), "-o", str(folder / "iree.mlir"), "--opset-version", "17"]))
        iree.compiler.tools.compile_file(str(folder / "iree.mlir"), input_type="onnx", target_backends=["llvm-cpu"],
                                         output_file=str(folder / "iree.vmfb"), extra_args=Iree.flags)

    flags = ["--iree-llvmcpu-target-cpu=host", "--iree-opt-level=O3"]

    def __init__(self, job, inputs):
        import iree.runtime
        device = "local-sync" if job["threads"] == 1 else "local-task"
        config = iree.runtime.Config(device)
        path = pathlib.Path(job["inputs"]).with_name("iree.vmfb")
        module = iree.runtime.VmModule.mmap(config.vm_instance, str(path))
        loaded = iree.runtime.load_vm_modules(module, config=config)[-1]
        self.function = loaded[[name for name in module.function_names if not name.startswith("_") and "$" not in name][0]]
        self.inputs = [iree.runtime.asdevicearray(config.device, array) for array in inputs.values()]
        self.names = job["output_names"]
        self.about = {"version": importlib.metadata.version("iree-base-runtime"),
                      "options": {"compile": " ".join(Iree.flags), "device": device}}
        self.library = lambda: package_bytes(iree.runtime, "*.so*")

    def run(self):
        self.values = self.function(*self.inputs)

    def results(self):
        values = self.values if isinstance(self.values, (tuple, list)) else [self.values]
        return {name: value.to_host() for name, value in zip(self.names, values)}


ENGINES = {"onnxruntime": OnnxRuntime, "openvino": OpenVino, "iree": Iree}


def sample(engine, seconds):
    """At least three runs, and for so long: milliseconds of wall and of the process's CPU time."""
    wall, cpu, end = [], [], time.perf_counter() + seconds
    while len(wall) < 3 or time.perf_counter() < end:
        busy = time.process_time_ns()  # a system call: outside of what is taken as wall time
        begin = time.perf_counter_ns()
        engine.run()
        stop = time.perf_counter_ns()
        cpu.append((time.process_time_ns() - busy) * 1e-6)
        wall.append((stop - begin) * 1e-6)
    return {"runs": len(wall), "wall_ms": {"min": min(wall), "median": statistics.median(wall)},
            "cpu_ms": {"min": min(cpu), "median": statistics.median(cpu)}}


def say(what):
    print(json.dumps(what), flush=True)


def main():
    job = json.loads(pathlib.Path(sys.argv[1]).read_text())
    if sys.argv[2:] == ["prepare"]:
        return ENGINES[job["engine"]].prepare(job)
    with np.load(job["inputs"]) as arrays:
        inputs = {name: np.ascontiguousarray(arrays[f"arr_{i}"]) for i, name in enumerate(job["names"])}
    # From here on it is the engine's time and memory; the interpreter's and numpy's are not counted.
    before, wall, cpu = memory("VmRSS"), time.perf_counter(), time.process_time()
    engine = ENGINES[job["engine"]](job, inputs)
    ready = time.process_time()
    engine.run()
    cold = {"wall_ms": (time.perf_counter() - wall) * 1e3, "cpu_ms": (time.process_time() - cpu) * 1e3}
    peak = memory("VmHWM") - before
    results = engine.results()
    if job["outputs"]:
        np.savez(job["outputs"], *results.values())
    say(dict(engine.about, cold=cold, load_cpu_s=ready - cpu, names=list(results), library_bytes=engine.library(),
             first_peak_rss_bytes=peak))
    del results
    engine.run()
    for line in sys.stdin:
        say(sample(engine, float(line.split()[1])))
    say({"peak_rss_bytes": memory("VmHWM") - before})


if __name__ == "__main__":
    main()
