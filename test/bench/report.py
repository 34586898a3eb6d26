# SPDX-License-Identifier: Apache-2.0
"""The results of bench.py as one HTML page: plots and tables, nothing from a network, light and dark.

usage: report.py RESULTS.json OUT.html
"""
import html
import json
import math
import pathlib
import sys

import compare

STYLE = """
:root{--back:#fff;--text:#1b1f24;--soft:#656d76;--line:#d0d7de;--burin:#b3430f;--onnxruntime:#3b6ea5;--openvino:#6f5aa8;
--other:#7a7a7a;--good:#1a7f37;--bad:#b42318}
@media(prefers-color-scheme:dark){:root{--back:#14171b;--text:#e4e7ea;--soft:#9aa4ae;--line:#343b43;--burin:#f08a4b;
--onnxruntime:#79aee2;--openvino:#b09ae8;--other:#a0a0a0;--good:#5fc27e;--bad:#ff8a80}}
body{background:var(--back);color:var(--text);font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem}p,dd{color:var(--soft)}dt{font-weight:600}dd{margin:0 0 .4rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
td,th{padding:.25rem .7rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
td:first-child,th:first-child{text-align:left}.good{color:var(--good)}.bad{color:var(--bad)}
svg{max-width:100%;height:auto}svg text{fill:var(--text);font-size:12px}svg .soft{fill:var(--soft)}svg line{stroke:var(--line)}
"""
ROW, BAR, LEFT, WIDTH = 18, 12, 190, 860


def escape(value):
    return html.escape(str(value))


def colour(engine):
    return f"var(--{engine if engine in ('burin', 'onnxruntime', 'openvino') else 'other'})"


def time_of(figures, key="time_ms"):
    return figures.get(key, {}).get("min")


def ticks(least, most):
    """Powers of 2, or of 10 where there would be too many."""
    base = 2 if math.log2(most / least) <= 10 else 10
    first, last = math.ceil(math.log(least, base)), math.floor(math.log(most, base))
    return [float(base) ** i for i in range(first, last + 1)]


def bars(groups, engines, unit, logarithmic):
    """Horizontal bars. groups: [(label, {engine: value or None})]; a logarithmic axis has 1 as its origin."""
    values = [value for _, each in groups for value in each.values() if value]
    if not values:
        return "<p>Nothing was measured.</p>"
    span = WIDTH - LEFT - 90
    if logarithmic:
        least, most = min(1, *values) / 1.1, max(1, *values) * 1.1
        marks = ticks(least, most)
        place = lambda value: LEFT + span * math.log(value / least) / math.log(most / least)
        origin = place(1)
    else:
        most = max(1, *values)
        marks = [most * i / 4 for i in range(5)] if most > 1.5 else [0, .25, .5, .75, 1]
        place = lambda value: LEFT + span * value / most
        origin = LEFT
    height = 24 + sum(len(each) * ROW + 10 for _, each in groups)
    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">']
    for mark in marks:
        text = f"{mark:.3g}{unit}" if unit == "x" else f"{mark:.0%}"
        parts.append(f'<line x1="{place(mark):.1f}" x2="{place(mark):.1f}" y1="18" y2="{height}"/>'
                     f'<text class="soft" x="{place(mark):.1f}" y="12" text-anchor="middle">{text}</text>')
    y = 24
    for label, each in groups:
        parts.append(f'<text x="{LEFT - 8}" y="{y + ROW * len(each) / 2 + 2:.1f}" text-anchor="end">{escape(label)}</text>')
        for engine, value in each.items():
            if value:
                begin, end = sorted((origin, place(value)))
                text = f"{value:.2f}x" if unit == "x" else f"{value:.0%}"
                parts.append(f'<rect x="{begin:.1f}" y="{y}" width="{max(end - begin, 1):.1f}" height="{BAR}" '
                             f'fill="{colour(engine)}"><title>{escape(label)}, {engine}: {text}</title></rect>'
                             f'<text class="soft" x="{max(end, origin) + 4:.1f}" y="{y + BAR - 2}">{text}</text>')
            else:
                parts.append(f'<text class="soft" x="{origin + 4:.1f}" y="{y + BAR - 2}">{engine}: refused</text>')
            y += ROW
        y += 10
    legend = " ".join(f'<span style="color:{colour(engine)}">&#9632;</span> {escape(engine)}' for engine in engines)
    return f'<p>{legend}</p><div class="wide">{"".join(parts)}</svg></div>'


def speedups(results):
    """How many times faster each is than the best peer."""
    groups = []
    for model in results["models"]:
        times = {name: time_of(figures) for name, figures in model["engines"].items()}
        peers = [value for name, value in times.items() if name != "burin" and value]
        if peers:
            groups.append((model["name"], {name: value and min(peers) / value for name, value in times.items()}))
    return groups


def parts_of_roofline(results):
    return [(model["name"], {name: model["roofline_ms"] / time if (time := time_of(figures)) else None
                             for name, figures in model["engines"].items()})
            for model in results["models"] if model["roofline_ms"]]


def table(head, rows):
    lines = ["".join(f"<th>{escape(cell)}</th>" for cell in head)]
    lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return '<div class="wide"><table>' + "".join(f"<tr>{line}</tr>" for line in lines) + "</table></div>"


def number(value, scale=1.0, digits=3):
    return "-" if value is None else f"{value * scale:,.{digits}f}"


def times_table(results):
    head = ["", "engine", "CPU ms: min", "median", "wall ms: min", "median", "runs", "noise", "x best peer",
            "of roofline", "GFLOP/s", "GB/s", "differs by", "load"]
    rows = []
    for model in results["models"]:
        peers = [time for name, figures in model["engines"].items() if name != "burin" and (time := time_of(figures))]
        for name, figures in model["engines"].items():
            if "error" in figures:
                error = f'<span class="bad">{escape(figures["error"][:120])}</span>'
                rows.append([escape(model["name"]), escape(name), error])
                continue
            least = time_of(figures)
            ratio = min(peers) / least if peers else None
            mark = "good" if ratio and ratio >= 1 else "bad"
            away = figures.get("difference")
            rows.append([escape(model["name"]), escape(name), number(time_of(figures, "cpu_ms")), number(figures["cpu_ms"]["median"]),
                         number(time_of(figures, "wall_ms")), number(figures["wall_ms"]["median"]), figures["runs"],
                         f"{compare.noise(figures['rounds'], model['metric']):.1%}",
                         f'<span class="{mark if name == "burin" else ""}">{number(ratio, 1, 2)}</span>',
                         f'{model["roofline_ms"] / least:.0%} ({model["bound"]})',
                         number(model["flops"] and model["flops"] / least, 1e-6, 1),
                         number(model["bytes"] / least, 1e-6, 1), "-" if away is None else f"{away:.0e}", model["load"]])
    return table(head, rows)


def facts_table(results):
    head = ["", "engine", "cold start: CPU ms", "wall ms", "peak memory MiB", "artifact MiB", "library MiB",
            "compile or load: CPU s", "peak MiB"]
    rows = []
    for model in results["models"]:
        for name, figures in model["engines"].items():
            if "error" in figures:
                continue
            mebibytes = [(figures.get("peak_rss_bytes"), 1), (figures["artifact_bytes"], 2), (figures["library_bytes"], 1)]
            rows.append([escape(model["name"]), escape(name), number(figures["cold"]["cpu_ms"], 1, 1),
                         number(figures["cold"]["wall_ms"], 1, 1),
                         *(number(value, 2.0 ** -20, digits) for value, digits in mebibytes),
                         number(figures["compile"]["cpu_s"], 1, 2),
                         number(figures["compile"].get("peak_rss_bytes"), 2.0 ** -20, 0)])
    return table(head, rows)


def page(results):
    machine, probe = results["machine"], results["machine"]["probe"]
    memory = ", ".join(f"{level['bytes'] >> 10} KiB: {level['read_gbs']} read, {level['copy_gbs']} copied"
                       for level in probe["memory"])
    facts = {"when": results["when"], "command": results["command"],
             "CPU": f"{machine['cpu']}; pinned to {machine['pinned_to']} of {machine['cpus']}", "system": machine["system"],
             "load": f"{results['load']} before, {results['load_after']} after",
             "measured peak": f"{probe['fma_gflops']} GFLOP/s of f32; GB/s by size of memory: {memory}",
             "options": ", ".join(f"{key}: {value}" for key, value in results["options"].items())}
    for name, about in results["engines"].items():
        facts[name] = about["version"] + "".join(f", {key}={value}" for key, value in about["options"].items() if value != "")
    engines = list(dict.fromkeys(name for model in results["models"] for name in model["engines"]))
    listed = "".join(f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in facts.items())
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>Burin: {escape(results["kind"])}</title><style>{STYLE}</style></head><body>
<h1>Burin beside its peers: {escape(results["kind"])}</h1><dl>{listed}</dl>
<h2>Times as fast as the best peer</h2><p>Minima of CPU time, with several threads and below a millisecond of wall time; above 1 is faster. The axis is logarithmic.</p>
{bars(speedups(results), engines, "x", True)}
<h2>Part of the roofline</h2><p>The larger of FLOPs / peak and bytes / bandwidth, both measured in the same run, by the time that
was needed. Where a convolution is computed with fewer FLOPs than are counted (Winograd), more than 100% is no error.</p>
{bars(parts_of_roofline(results), engines, "%", False)}
<h2>Times</h2>{times_table(results)}
<h2>Cold start, memory, sizes</h2><p>A start is from the process's begin to its first result, of peers without the interpreter and numpy; so is
peak memory. A peer's artifact is the model's file, which its library comes on top of.</p>{facts_table(results)}
</body></html>
"""


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    pathlib.Path(sys.argv[2]).write_text(page(json.loads(pathlib.Path(sys.argv[1]).read_text())))
