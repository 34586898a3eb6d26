# SPDX-License-Identifier: Apache-2.0
"""Runs ONNX's backend node suite through `burin test` and compares with what is expected.

usage: run_suite.py --burin BURIN --cases DIR [--jobs N] [--filter REGEX] [--update]

DIR is what make_cases.py wrote. expected-failures.txt, beside this script, has one line
per case that may fail, `name-or-glob: reason`; everything else must pass. The exit status
is 1 where a case fails that is not listed, passes though listed, or fails otherwise than
its reason's first word says (unsupported, invalid, wrong, internal, run). A crash or a timeout is
never expected. --update writes the list anew from what was measured.
"""
import argparse
import collections
import fnmatch
import json
import pathlib
import re
import subprocess
import sys

import onnx

LIST = pathlib.Path(__file__).with_name("expected-failures.txt")
HEAD = """# SPDX-License-Identifier: Apache-2.0
#
# ONNX's node cases that fail, each with its reason: `name-or-glob: kind: reason`.
# Kinds: unsupported (refused with a diagnostic), invalid (the model or an option is said to be
# wrong), wrong (compiles, other values),
# run (the artifact refuses the data), internal (a bug that the compiler reports).
# Written by run_suite.py --update; a case that passes must go. Why values are others is
# written by hand, and stays.
"""


def read_expected(path=LIST):
    """[(pattern, reason)] in the file's order."""
    expected = []
    if path.exists():
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            pattern, separator, reason = line.partition(": ")
            if not separator or not reason.strip():
                sys.exit(f"{path.name}:{number}: expected `name-or-glob: reason`")
            expected.append((pattern.strip(), reason.strip()))
    return expected


def normalize(reason):
    """`kind: reason` of a failure, from burin's own words."""
    if reason.startswith(("crash:", "timeout:")):
        return reason
    match = re.match(r"compile: exit (\d+):? ?(.*)", reason)
    if match:
        code, text = match.groups()
        text = re.sub(r"^(error: )?(node '[^']*'[^:]*: )?", "", text)
        # Temporary files have other names each time.
        text = re.sub(r"\S*/burin-[^/]*/", "", text).partition(" >>> ")[0].partition("; see `")[0]
        kind = {"2": "invalid", "3": "unsupported"}.get(code, "internal")
        return f"{kind}: " + (text.strip() or f"exit {code}")
    if "elements differ" in reason:
        # Where and by how much differs from one machine to the next; that it does, does not.
        return "wrong: " + re.sub(r"^.*?(output \d+ '[^']*').*", r"\1 differs", reason)
    return "run: " + re.sub(r"^\S*test_data_set_\d+ ", "", reason)


def run(arguments):
    command = [arguments.burin, "test", "-j", str(arguments.jobs), "--json", "--timeout", "120"]
    if arguments.filter:
        command += ["--filter", arguments.filter]
    done = subprocess.run(command + [arguments.cases], stdout=subprocess.PIPE)
    if done.returncode not in (0, 1):
        sys.exit(f"burin test: exit status {done.returncode}")
    return json.loads(done.stdout)["cases"]


def operators(folder, names):
    """The distinct operators that the models of the cases `names` use."""
    found = set()
    for name in names:
        model = onnx.load(str(pathlib.Path(folder) / name / "model.onnx"), load_external_data=False)
        found.update((node.domain, node.op_type) for node in model.graph.node)
    return found


def update(failures, path=LIST, head=HEAD):
    expected = read_expected(path)

    def explained(name, reason):
        """Burin knows only that an output differs: what a hand has written of it stays."""
        for pattern, written in expected:
            if fnmatch.fnmatchcase(name, pattern) and reason.startswith("wrong:"):
                return written if written.startswith("wrong:") else reason
        return reason

    lines = [f"{name}: {explained(name, reason)}" for name, reason in sorted(failures.items())
             if not reason.startswith(("crash:", "timeout:"))]
    path.write_text(head + "\n" + "\n".join(lines) + ("\n" if lines else ""))
    print(f"{len(lines)} expected failures written to {path.name}")


def judge(failures, passes, complete, path=LIST):
    """Prints what is not as expected; returns how much."""
    expected = read_expected(path)
    surprises, used = 0, set()

    def surprise(text):
        nonlocal surprises
        surprises += 1
        print(text)

    def listed(name):
        for index, (pattern, reason) in enumerate(expected):
            if pattern == name or fnmatch.fnmatchcase(name, pattern):
                used.add(index)
                return reason
        return None

    for name, reason in sorted(failures.items()):
        wanted, kind = listed(name), reason.partition(":")[0]
        if kind in ("crash", "timeout") or wanted is None:
            surprise(f"unexpected failure: {name}: {reason}")
        elif wanted.partition(":")[0] != kind:
            surprise(f"fails otherwise than listed ({wanted}): {name}: {reason}")
    for name in passes:
        if listed(name) is not None:
            surprise(f"unexpected pass: {name}: take it off {path.name}")
    if complete:
        for index, (pattern, _) in enumerate(expected):
            if index not in used:
                surprise(f"{path.name} names no case: {pattern}")
    return surprises


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burin", required=True)
    parser.add_argument("--cases", required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--filter", default="")
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    cases = run(arguments)
    passes = sorted(case["name"] for case in cases if case["result"] == "PASS")
    failures = {case["name"]: normalize(case["reason"]) for case in cases
                if case["result"] != "PASS"}
    if arguments.update:
        if arguments.filter:
            sys.exit("--update needs the whole suite: leave --filter out")
        update(failures)

    surprises = judge(failures, passes, complete=not arguments.filter)
    plain = [name for name in passes if not re.search(r"_expanded(_ver\d+)?$", name)]
    tally = collections.Counter(reason.partition(":")[0] for reason in failures.values())
    print(f"{len(cases)} cases: {len(passes)} pass, {len(failures)} fail")
    for kind, count in sorted(tally.items()):
        print(f"  {kind}: {count}")
    print(f"{len(plain)} passes besides expanded ones, over {len(operators(arguments.cases, plain))} "
          "distinct operators")
    print(f"{surprises} not as expected")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
