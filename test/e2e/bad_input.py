# SPDX-License-Identifier: Apache-2.0
"""Files, command lines and requests that are wrong: what each is answered with.

usage: bad_input.py --burin BURIN --work DIR

Every row is a command, the exit code it must end with and what it must say; none may leave a file
behind. The models are in bad_models.py. test/compiler/import/hostile.test has what the import alone refuses, test/tools/burin-run
what artifacts and data files are refused for.
"""
import argparse
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
from onnx import helper

from bad_models import FLOAT, INT64, model, models, node, one

class Bench:
    def __init__(self, burin, work):
        self.burin, self.work, self.wrong = burin, work, 0
        work.mkdir(parents=True, exist_ok=True)
        (work / "data.bin").write_bytes(bytes(64))
        (work / "link.bin").unlink(missing_ok=True)
        (work / "link.bin").symlink_to("/etc/passwd")
        (work / "good.onnx").write_bytes(one("Relu"))
        self.out = work / "out"

    def check(self, name, command, code, said, under=()):
        """Runs one row; `said` is in what it says on stderr."""
        run = subprocess.run([*under, self.burin, *map(str, command)], capture_output=True,
                             text=True, errors="replace", timeout=120)
        if run.returncode != code or said not in run.stderr:
            print(f"{name}: exit code {run.returncode}, not {code}; wanted '{said}', said:\n"
                  f"{run.stderr[-600:]}")
            self.wrong += 1

    def models(self):
        for name, data, code, said in models():
            path, artifact = self.work / "bad.onnx", self.work / "bad.so"
            path.write_bytes(data)
            artifact.unlink(missing_ok=True)
            self.check(name, ["compile", path, "-o", artifact], code, said)
            if artifact.exists():
                print(f"{name}: left an artifact")
                self.wrong += 1

    def damaged(self):
        """Cut at any byte, any bit turned: compiled, or refused with a message."""
        made, chance = one("Softmax", axis=1), random.Random(1)
        cuts = [made[:at] for at in chance.sample(range(1, len(made)), 16)]
        flips = []
        for at in chance.sample(range(len(made) * 8), 24):
            flip = bytearray(made)
            flip[at // 8] ^= 1 << at % 8
            flips.append(bytes(flip))
        for data in cuts + flips:
            path, artifact = self.work / "bad.onnx", self.work / "bad.so"
            path.write_bytes(data)
            artifact.unlink(missing_ok=True)
            run = subprocess.run([self.burin, "compile", path, "-o", artifact],
                                 capture_output=True, text=True, errors="replace", timeout=60)
            refused = run.returncode in (2, 3) and run.stderr.startswith("error: ")
            if not (refused or run.returncode == 0) or artifact.exists() == refused:
                print(f"{data!r}: exit code {run.returncode}, said {run.stderr}")
                self.wrong += 1

    def outputs(self):
        """Nowhere to write: an error, and what was there stays."""
        good, full = self.work / "good.onnx", self.work / "full"
        self.check("absent", ["compile", self.work / "none.onnx", "-o", "m.so"], 2,
                   "cannot be read: No such file or directory")
        self.check("no folder", ["compile", good, "-o", self.work / "none" / "m.so"], 1,
                   "No such file or directory")
        (self.work / "folder.so").mkdir(exist_ok=True)
        self.check("a folder", ["compile", good, "-o", self.work / "folder.so"], 1,
                   "Is a directory")
        device = self.work / "device.so"
        device.unlink(missing_ok=True)
        device.symlink_to("/dev/null")
        self.check("a device", ["compile", good, "-o", device], 1, "It is no regular file")
        full.mkdir(exist_ok=True)
        script = ('mount -t tmpfs -o size=24k none "$0" && echo old > "$0/m.so" && { "$@"; '
                  'code=$?; [ "$(ls "$0")+$(cat "$0/m.so")" = m.so+old ] && exit $code; }')
        if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode == 0:
            self.check("no space", ["compile", good, "-o", full / "m.so"], 1,
                       "No space left on device", ["unshare", "-rm", "bash", "-c", script, str(full)])
            self.check("may not be written", ["compile", good, "-o", full / "m.so"], 1,
                       "Read-only file system", ["unshare", "-rm", "bash", "-c",
                       'mount -t tmpfs -o ro none "$0" && "$@"', str(full)])
        else:
            print("no space: not tried, a mount of its own is not allowed here")

    def killed(self):
        """kill -9 at any moment: the old artifact, or the new one, and nothing beside it. What is left
        among temporary files goes with the next compile that sees it a minute later."""
        good, folder, temporary = (self.work / name for name in ("good.onnx", "killed", "temporary"))
        shutil.rmtree(temporary, ignore_errors=True)
        for made in (folder, temporary, temporary / "burin-temporary-of-mine"):
            made.mkdir(exist_ok=True)
        place = dict(os.environ, TMPDIR=str(temporary))
        artifact, chance = folder / "m.so", random.Random(2)
        begun = time.monotonic()
        subprocess.run([self.burin, "compile", good, "-o", artifact], check=True,
                       capture_output=True)
        whole, new, seen = time.monotonic() - begun, artifact.read_bytes(), {"old": 0, "new": 0}
        for _ in range(20):
            artifact.write_bytes(b"old")
            child = subprocess.Popen([self.burin, "compile", good, "-o", artifact], env=place,
                                     stdout=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, 1.2 * whole))
            child.send_signal(signal.SIGKILL)
            child.wait()
            bytes_ = artifact.read_bytes()
            if bytes_ not in (b"old", new):
                print(f"killed: an artifact of {len(bytes_)} bytes, neither the old nor the new")
                self.wrong += 1
            seen["new" if bytes_ == new else "old"] += 1
            if [path.name for path in folder.iterdir()] != ["m.so"]:
                print(f"killed: {list(folder.iterdir())}")
                self.wrong += 1
        left = list(temporary.iterdir())
        print(f"killed 20 times: {seen}; {len(left) - 1} temporary folders left")
        for path in left:
            os.utime(path, (0, 0))
        subprocess.run([self.burin, "compile", good, "-o", artifact], env=place, check=True,
                       capture_output=True)
        if [path.name for path in temporary.iterdir()] != ["burin-temporary-of-mine"]:
            print(f"killed: temporary files stay, or those of others go: {list(temporary.iterdir())}")
            self.wrong += 1

    def verbs(self):
        """Each verb on files that are not what it takes, and on words that are none."""
        text, good, cut = (self.work / name for name in ("text.so", "good.so", "cut.so"))
        text.write_text("no artifact")
        subprocess.run([self.burin, "compile", self.work / "good.onnx", "-o", good], check=True,
                       capture_output=True)
        cut.write_bytes(good.read_bytes()[:-5000])
        more = {"run": ["--random", "1", "-o", self.out], "inspect": ["--verify"]}
        for verb in "run", "bench", "inspect":
            self.check(verb, [verb, text, *more.get(verb, [])], 2, "text.so: not an ELF file")
            self.check(verb, [verb, cut, *more.get(verb, [])], 2, "cut.so: ")
            self.check(verb, [verb, self.work / "gone.so", *more.get(verb, [])], 2,
                       "gone.so: cannot be opened")
        for verb in "compile", "explain", "verify":
            output = ["-o", self.work / "none.so"] if verb == "compile" else []
            self.check(verb, [verb, good, *output], 2,
                       "good.so: not an ONNX model: malformed protobuf at byte")
        self.check("test", ["test", self.work / "full"], 2, "holds no model.onnx")
        self.check("no verb", [], 2, "error: ")
        self.check("unknown verb", ["fly"], 2, "error: unknown verb 'fly'; see burin --help")
        self.check("unknown option", ["compile", "--wings"], 2, "; see burin compile --help")
        self.check("extension", ["compile", self.work / "good.onnx", "-o", "m.exe"], 2,
                   "'m.exe' ends in none of .so, .a, .o")

    def requests(self):
        """Requests that do not fit the model."""
        path, artifact = self.work / "gather.onnx", self.work / "gather.so"
        # One kernel of three nodes, two of which have an index to blame.
        path.write_bytes(model([node("Gather", "x i", "a"),
                                helper.make_node("Gather", ["x", "j"], ["b"], "other"),
                                node("Add", "a b")],
                               {"x": (FLOAT, [4, 8]), "i": (INT64, [2]), "j": (INT64, [2])},
                               {"y": (FLOAT, [2, 8])}))
        subprocess.run([self.burin, "compile", path, "-o", artifact], check=True,
                       capture_output=True)
        data = {"x": np.ones((4, 8), np.float32), "i": np.array([0, 3]),
                "i4": np.array([0, 4]), "i32": np.array([0, 1], np.int32),
                "i3": np.array([0, 1, 2])}
        for name, array in data.items():
            np.save(self.work / f"{name}.npy", array)
        (self.work / "empty.npy").write_bytes(b"")
        (self.work / "cut.npy").write_bytes((self.work / "x.npy").read_bytes()[:-1])

        def run(name, code, said, x="x", i="i", key="i", j="i"):
            self.check(name, ["run", artifact, "-i", f"x={self.work / x}.npy", "-i",
                              f"{key}={self.work / i}.npy", "-i", f"j={self.work / j}.npy", "-o",
                              self.out], code, said)
        run("fits", 0, "")
        run("index", 1, "node 'gather': index 4 is out of range", i="i4")
        run("other index", 1, "node 'other': index 4 is out of range", j="i4")
        run("dtype", 2, "input 'i' is int64[2], but ", i="i32")
        run("shape", 2, "input 'i' is int64[2], but ", i="i3")
        run("name", 2, "names none of the inputs", key="k")
        run("empty .npy", 2, "empty.npy': is empty", x="empty")
        run("cut .npy", 2, "cut.npy'", x="cut")
        run("no .npy", 2, "none.npy'", x="none")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    bench = Bench(arguments.burin, arguments.work)
    for part in (bench.models, bench.damaged, bench.outputs, bench.killed, bench.verbs, bench.requests):
        part()
    print(f"{bench.wrong} wrong answers" if bench.wrong else "every answer is as it should be")
    sys.exit(1 if bench.wrong else 0)


if __name__ == "__main__":
    main()
