# SPDX-License-Identifier: Apache-2.0
"""Compares two runs of bench.py and flags what became worse by more than noise.

usage: compare.py OLD.json NEW.json        (or bench.py --compare OLD.json NEW.json)

Times are minima: of CPU time, as the machine is shared; of wall time with several threads and below a millisecond. The noise of a figure is how far its rounds' minima
lie apart (their median above the least); a change has to pass that of both runs, and 3%. Where peers of the same version ran both
times, a time is also divided by how theirs changed (the geometric mean): a slower machine is no regression. Sizes
and memory are compared as they are. Exits 1 where anything regressed.
"""
import json
import math
import pathlib
import statistics
import sys

# What is compared beside times: how it is called, where it is in an engine's figures, what it may grow by.
FACTS = [("artifact bytes", ("artifact_bytes",), 0.02), ("peak memory", ("peak_rss_bytes",), 0.05),
         ("compile CPU", ("compile", "cpu_s"), 0.25), ("cold start CPU", ("cold", "cpu_ms"), 0.25)]
LEAST = 0.03


def noise(rounds, metric):
    """How far the rounds' minima lie apart, relative to the least."""
    minima = [each[metric]["min"] for each in rounds]
    return statistics.median(minima) / min(minima) - 1


def drift(old, new, metric, old_engines, new_engines):
    """How the times of peers of one version changed between the runs, or None without any."""
    ratios = [new[name][metric]["min"] / old[name][metric]["min"] for name in old
              if name != "burin" and name in new and metric in old[name] and metric in new[name]
              and old_engines[name]["version"] == new_engines[name]["version"]]
    return math.exp(statistics.fmean(map(math.log, ratios))) if ratios else None


def at(figures, path):
    for key in path:
        figures = (figures or {}).get(key)
    return figures


def compare(old, new):
    """Rows of {"model", "what", "old", "new", "ratio", "allowed", "regressed"}; a model that no longer
    runs is a regression."""
    rows, after = [], {model["name"]: model for model in new["models"]}
    for model in old["models"]:
        if model["name"] not in after:
            continue
        # One that became faster than a millisecond is compared by wall time in both.
        engines, others = model["engines"], after[model["name"]]["engines"]
        metrics = (model["metric"], after[model["name"]]["metric"])
        metric = "wall_ms" if "wall_ms" in metrics else "cpu_ms"
        mine, now = engines.get("burin"), others.get("burin")
        if not mine or metric not in mine or not now:
            continue
        if metric not in now:
            rows.append({"model": model["name"], "what": "error: " + now["error"], "old": None, "new": None,
                         "ratio": None, "allowed": None, "regressed": True})
            continue
        change = drift(engines, others, metric, old["engines"], new["engines"]) or 1
        raw = now[metric]["min"] / mine[metric]["min"]
        allowed = 1 + max(LEAST, noise(mine["rounds"], metric) + noise(now["rounds"], metric))
        rows.append({"model": model["name"], "what": metric.replace("_", " "), "old": mine[metric]["min"],
                     "new": now[metric]["min"], "ratio": raw / change, "drift": change, "allowed": allowed,
                     "regressed": raw / change > allowed})
        for what, path, most in FACTS:
            a, b = at(mine, path), at(now, path)
            if a and b is not None:
                # Seconds that a machine takes drift with it, bytes do not.
                ratio = b / a / (change if path[-1] in ("cpu_s", "cpu_ms") else 1)
                rows.append({"model": model["name"], "what": what, "old": a, "new": b, "ratio": ratio,
                             "allowed": 1 + most, "regressed": ratio > 1 + most})
    return rows


def main(paths):
    if len(paths) != 2:
        raise SystemExit(__doc__)
    old, new = (json.loads(pathlib.Path(path).read_text()) for path in paths)
    rows = compare(old, new)
    print(f"old: {old['when']}, load {old['load']}; new: {new['when']}, load {new['load']}")
    if old["machine"]["cpu"] != new["machine"]["cpu"]:
        print(f"two machines: {old['machine']['cpu']} and {new['machine']['cpu']}")
    print(f"{'':24} {'':16} {'old':>13} {'new':>13} {'ratio':>7} {'up to':>7}")
    for row in rows:
        if row["ratio"] is None:
            print(f"{row['model']:24} {row['what']}  REGRESSED")
            continue
        drifted = f"  peers drifted by {row['drift']:.2f}" if abs(row.get("drift", 1) - 1) > 0.01 else ""
        print(f"{row['model']:24} {row['what']:16} {row['old']:13,.4g} {row['new']:13,.4g} {row['ratio']:7.3f} "
              f"{row['allowed']:7.3f}{'  REGRESSED' if row['regressed'] else ''}{drifted}")
    count = sum(row["regressed"] for row in rows)
    print(f"{len(rows)} figures compared, {count} regressed")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
