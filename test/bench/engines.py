# SPDX-License-Identifier: Apache-2.0
"""What is compared: Burin, and peers in processes of their own (worker.py). No command of its own.

An engine of ENGINES is made with (context, case) and gives `about` (version, options), `facts` (compile time,
cold start, sizes), `round(seconds)` and `close()`. What an engine cannot run raises `Refused` with its own words.
"""
import json
import os
import pathlib
import subprocess
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
PEERS = ("onnxruntime", "openvino", "iree")
AHEAD_OF_TIME = {"iree": "iree.vmfb"}  # what is compiled before a process that runs it starts, and into which file


class Refused(Exception):
    """An engine does not take the model: the line of its text that says why."""


class Context:
    """What all engines share: where things are, threads and the CPUs to run on."""

    def __init__(self, burin, work, threads, cpus, wheels):
        self.burin, self.work, self.threads, self.cpus = pathlib.Path(burin), pathlib.Path(work), threads, cpus
        self.wheels = wheels

    def pin(self):
        os.sched_setaffinity(0, self.cpus)

    def run(self, command, environment=None, pinned=True):
        """(standard output, seconds of wall, seconds of CPU, peak memory in bytes)"""
        cpus = ",".join(map(str, self.cpus)) if pinned else ""
        done = subprocess.run([sys.executable, "-S", HERE / "measured.py", cpus, *map(str, command)],
                              stdout=subprocess.PIPE, text=True, env=environment, check=True)
        took = json.loads(done.stdout)
        if took["code"]:
            lines = (took["errors"] + took["text"]).strip().splitlines() or [f"exit code {took['code']}"]
            raise Refused(next((line for line in lines if "error" in line), lines[-1]))
        return took["text"], took["wall_s"], took["cpu_s"], took["peak_rss_bytes"]


def result_file(name):
    """Where `burin-run run` writes an output."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name) + ".npy"


class Burin:
    """Compiled once; each round is a `burin-run bench` of its own."""

    def __init__(self, context, case):
        self.context, folder = context, case.folder
        artifact = folder / "model.so"
        command = [context.burin, "compile", case.path, "-o", artifact, *case.burin_options]
        for stale in folder.glob("model.*"):
            stale.unlink()
        _, wall, cpu, peak = context.run(command, pinned=False)
        weights = sum(path.stat().st_size for path in folder.glob("model*.safetensors"))
        runner = context.burin.with_name("burin-run")
        feed = []
        for i, (name, array) in enumerate(case.fed.items()):
            np.save(folder / f"input{i}.npy", array)
            feed += ["-i", f"{name}={folder / f'input{i}.npy'}"]
        self.command = [runner, "bench", artifact, "--threads", context.threads, "--json", *feed, *case.run_options]
        version = context.run([context.burin, "--version"])[0].strip().splitlines()[0]
        self.about = {"version": version, "options": {"compile": " ".join(case.burin_options)}}
        self.facts = {"compile": {"wall_s": wall, "cpu_s": cpu, "peak_rss_bytes": peak},
                      "artifact_bytes": artifact.stat().st_size + weights, "library_bytes": 0}
        self.outputs = {}
        if case.compared:
            context.run([runner, "run", artifact, *feed, *case.run_options, "-o", folder / "outputs"])
            files = {name: folder / "outputs" / result_file(name) for name in case.outputs}
            self.outputs = {name: np.load(path) for name, path in files.items() if path.is_file()}
        # Spawn to exit, less the second of its two runs: so a start is never flattered.
        colds = []
        for _ in range(3):
            text, wall, cpu, _ = context.run([*self.command, "--seconds", 0])
            figures = json.loads(text)
            colds.append((wall * 1e3 - figures["latency_ms"]["min"], cpu * 1e3 - figures["cpu_ms"]["min"]))
        self.facts["cold"] = {"wall_ms": min(c[0] for c in colds), "cpu_ms": min(c[1] for c in colds)}
        self.facts["first_peak_rss_bytes"] = figures["peak_rss_bytes"]

    def round(self, seconds):
        figures = json.loads(self.context.run([*self.command, "--seconds", seconds])[0])
        self.facts["peak_rss_bytes"] = max(self.facts.get("peak_rss_bytes", 0), figures["peak_rss_bytes"])
        return {"runs": figures["iterations"], "wall_ms": pick(figures["latency_ms"]), "cpu_ms": pick(figures["cpu_ms"])}

    def close(self):
        pass


def pick(figures):
    return {"min": figures["min"], "median": figures["median"]}


class Peer:
    """worker.py, which waits between its rounds."""

    def __init__(self, engine, context, case):
        inputs, outputs = case.folder / "inputs.npz", case.folder / f"{engine}.npz"
        if not inputs.exists():
            np.savez(inputs, *case.inputs.values())
        job = {"engine": engine, "model": str(case.path), "inputs": str(inputs), "names": list(case.inputs),
               "threads": context.threads, "fixed": case.fixed, "shapes": case.peer_shapes,
               "outputs": str(outputs) if case.compared else None, "output_names": case.outputs}
        path = case.folder / f"{engine}.json"
        path.write_text(json.dumps(job))
        self.log = open(case.folder / f"{engine}.log", "w+")
        environment = dict(os.environ, BURIN_BENCH_PACKAGES=str(context.wheels.get(engine) or ""))
        artifact, prepared = case.path, None
        if engine in AHEAD_OF_TIME:
            artifact = case.folder / AHEAD_OF_TIME[engine]
            _, wall, cpu, peak = context.run([sys.executable, HERE / "worker.py", path, "prepare"], environment, pinned=False)
            prepared = {"wall_s": wall, "cpu_s": cpu, "peak_rss_bytes": peak}
        colds = []
        for _ in range(3):
            self.process = subprocess.Popen([sys.executable, HERE / "worker.py", path], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=self.log, text=True,
                                            env=environment, preexec_fn=context.pin)
            ready = self.answer()
            colds.append((ready["cold"]["wall_ms"], ready["cold"]["cpu_ms"]))
            if sum(wall for wall, _ in colds) > 6e3 or len(colds) == 3:
                break
            self.close()
            self.log = open(self.log.name, "w+")
        self.about = {key: ready[key] for key in ("version", "options")}
        self.facts = {"compile": prepared or {"cpu_s": ready["load_cpu_s"]}, "artifact_bytes": artifact.stat().st_size,
                      "library_bytes": ready["library_bytes"], "first_peak_rss_bytes": ready["first_peak_rss_bytes"],
                      "cold": {"wall_ms": min(c[0] for c in colds), "cpu_ms": min(c[1] for c in colds)}}
        self.outputs = {}
        if case.compared:
            with np.load(outputs) as arrays:
                self.outputs = {name: arrays[f"arr_{i}"] for i, name in enumerate(ready["names"])}

    def answer(self):
        # Some libraries write to standard output, too.
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        self.process.wait()
        self.log.seek(0)
        lines = self.log.read().strip().splitlines()
        raise Refused(lines[-1] if lines else f"exit code {self.process.returncode}")

    def round(self, seconds):
        self.process.stdin.write(f"round {seconds}\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        try:
            self.process.stdin.close()
            last = self.answer()
            if hasattr(self, "facts"):
                self.facts["peak_rss_bytes"] = last["peak_rss_bytes"]
        except (Refused, BrokenPipeError):
            pass
        self.process.stdout.close()
        self.process.wait()
        self.log.close()


def make(engine, context, case):
    return Burin(context, case) if engine == "burin" else Peer(engine, context, case)
