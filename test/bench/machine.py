# SPDX-License-Identifier: Apache-2.0
"""The machine that a benchmark runs on: what it is, what else runs on it, what a core can do.

usage: machine.py [--threads N] [--cpus LIST]        prints it as JSON
"""
import argparse
import json
import os
import pathlib
import platform
import shutil
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent


def cpu_model():
    """What the machine calls its CPU; of a virtual one family and model say more than the name."""
    facts = {}
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            facts.setdefault(key.strip(), value.strip())
    except OSError:
        pass
    name = facts.get("model name") or platform.processor() or platform.machine()
    if "cpu family" in facts:
        name += f" (family {facts['cpu family']}, model {facts['model']})"
    return name


def load():
    """How many processes ran or waited to, on average over the last minute."""
    return round(os.getloadavg()[0], 2)


def parse_cpus(text):
    """"0,2-3" as [0, 2, 3]."""
    cpus = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        cpus += range(int(first), int(last or first) + 1)
    return cpus


def choose_cpus(threads, asked=None):
    """As many CPUs as there are threads, the last ones that the process may use: interrupts go to the first."""
    allowed = sorted(os.sched_getaffinity(0))
    if asked:
        missing = set(asked) - set(allowed)
        if missing:
            raise SystemExit(f"bench: no CPU {min(missing)} here; there are {allowed}")
        return asked
    return allowed[-threads:]


def describe(cpus):
    return {"cpu": cpu_model(), "cpus": os.cpu_count(), "pinned_to": list(cpus),
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")}


def caches():
    """Bytes of each level that holds data, as one CPU sees it: [L1, L2, L3]."""
    levels = {}
    for index in pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        try:
            if (index / "type").read_text().strip() != "Instruction":
                levels[int((index / "level").read_text())] = int((index / "size").read_text().strip().rstrip("K")) << 10
        except (OSError, ValueError):
            continue
    return [levels[level] for level in sorted(levels)] or [32 << 10, 512 << 10, 16 << 20]


class Probe:
    """probe.c, built for this machine. It is run before, between and after what it is compared with; the
    best rates stand, as what else runs can only lower them."""

    def __init__(self, work, threads, cpus):
        compiler = next(filter(None, map(shutil.which, ["clang-22", "clang", "cc"])), None)
        if not compiler:
            raise SystemExit("bench: no clang to build probe.c with; tools/setup.sh installs it")
        self.program = pathlib.Path(work) / "probe"
        command = [compiler, "-O3", "-march=native", HERE / "probe.c", "-o", self.program, "-lpthread"]
        if platform.machine() == "aarch64":
            command[2] = "-mcpu=native"
        subprocess.run(command, check=True)
        self.threads, self.cpus, self.best = threads, cpus, None
        # Half of each cache, as data share it with other things (of the last one all threads have a part), and what no
        # cache holds.
        self.holds = caches()
        self.sizes = [size // 2 for size in self.holds]
        if len(self.sizes) > 2:
            self.sizes[-1] //= threads
        self.sizes.append(max(256 << 20, 4 * self.holds[-1] // threads))

    def run_at_times(self):
        """Runs it if the last run was half a minute ago."""
        if time.monotonic() > self.last + 30:
            self.run()

    def run(self):
        done = subprocess.run([self.program, *map(str, [self.threads, *self.sizes])], check=True, capture_output=True, text=True,
                              preexec_fn=lambda: os.sched_setaffinity(0, self.cpus))
        found = json.loads(done.stdout)
        for level, holds in zip(found["memory"], [*self.holds, None]):
            level["holds"] = holds
        self.best, self.last = better(self.best, found), time.monotonic()
        return self.best


def better(old, new):
    """The better rates of two runs of the probe."""
    if old is None:
        return new
    merged = dict(new, fma_gflops=max(old["fma_gflops"], new["fma_gflops"]))
    merged["memory"] = [dict(b, **{key: max(a[key], b[key]) for key in ("read_gbs", "copy_gbs")})
                        for a, b in zip(old["memory"], new["memory"])]
    return merged


def bandwidth(probe, size):
    """GB/s, reading or copying, of the smallest memory that holds `size` bytes: what a model touches in
    each run stays in the cache that holds all of it."""
    level = next(level for level in probe["memory"] if level["holds"] is None or size <= level["holds"])
    return max(level["read_gbs"], level["copy_gbs"])


def roofline_ms(probe, flops, size):
    """(milliseconds, "compute" or "memory"): what no program on this machine can go below."""
    compute, memory = flops / probe["fma_gflops"] * 1e-6, size / bandwidth(probe, size) * 1e-6
    return max(compute, memory), "compute" if compute >= memory else "memory"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cpus", type=parse_cpus)
    arguments = parser.parse_args()
    cpus = choose_cpus(arguments.threads, arguments.cpus)
    with tempfile.TemporaryDirectory() as work:
        probe = Probe(work, arguments.threads, cpus).run()
    print(json.dumps(dict(describe(cpus), load=load(), probe=probe), indent=1))


if __name__ == "__main__":
    main()
