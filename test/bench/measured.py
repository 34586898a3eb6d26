# SPDX-License-Identifier: Apache-2.0
"""Runs a command and prints what it took, as one JSON object. Started by engines.py for each command: Linux counts the memory of
the process that starts a program as the program's own, until it is another, and copies page tables for a start.

usage: measured.py CPUS COMMAND...        CPUS: "0,1", or "" for all

{"code": exit code, "text": standard output, "errors": standard error, "wall_s", "cpu_s", "peak_rss_bytes"}
"""
import json
import os
import sys
import tempfile
import time


def main():
    cpus, command = sys.argv[1], sys.argv[2:]
    if cpus:
        os.sched_setaffinity(0, [int(cpu) for cpu in cpus.split(",")])
    with tempfile.TemporaryFile("w+") as text, tempfile.TemporaryFile("w+") as errors:
        begin = time.perf_counter()
        child = os.posix_spawnp(command[0], command, os.environ, file_actions=[
            (os.POSIX_SPAWN_DUP2, text.fileno(), 1), (os.POSIX_SPAWN_DUP2, errors.fileno(), 2)])
        _, status, usage = os.wait4(child, 0)
        wall = time.perf_counter() - begin
        text.seek(0)
        errors.seek(0)
        print(json.dumps({"code": os.waitstatus_to_exitcode(status), "text": text.read(), "errors": errors.read(), "wall_s": wall,
                          "cpu_s": usage.ru_utime + usage.ru_stime, "peak_rss_bytes": usage.ru_maxrss * 1024}))


if __name__ == "__main__":
    main()
