// SPDX-License-Identifier: Apache-2.0
//
// The page of --report. What it draws comes from its JSON; its script writes names as text, never as HTML.

#include "compiler/pipeline/Report.h"
#include "llvm/Support/raw_ostream.h"

namespace burin {
namespace {

constexpr const char *head = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<title>burin report</title>
<style>
:root { color-scheme: light dark; --back: #fff; --text: #1b1f24; --faint: #767d86; --line: #d5d9de;
  --compute: #2f6fd0; --memory: #c8661a; --box: #f3f5f7; }
@media (prefers-color-scheme: dark) {
  :root { --back: #15181c; --text: #dfe3e8; --faint: #8b939d; --line: #363c44; --compute: #6ba4f5;
    --memory: #f09a55; --box: #20252b; } }
body { background: var(--back); color: var(--text); font: 14px/1.45 system-ui, sans-serif; margin: 2em auto;
  max-width: 1100px; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2em; }
p, .faint { color: var(--faint); } code { color: var(--text); overflow-wrap: anywhere; }
.scroll { overflow: auto; max-height: 620px; border: 1px solid var(--line); }
table { border-collapse: collapse; width: 100%; } th, td { padding: 2px 8px; text-align: right; white-space: nowrap; }
th { position: sticky; top: 0; background: var(--box); cursor: pointer; } td.left, th.left { text-align: left; }
tr:nth-child(even) td { background: var(--box); }
svg { display: block; } svg text { fill: var(--text); font-size: 11px; } svg text.faint { fill: var(--faint); }
.axis, .edge { stroke: var(--line); fill: none; } .roof { stroke: var(--text); fill: none; }
.compute { fill: var(--compute); } .memory { fill: var(--memory); } .place { stroke: var(--back); fill-opacity: .75; }
.box { fill: var(--box); stroke: var(--line); }
</style>
</head>
<body>
<noscript><p>The page draws its data by a script of its own; nothing is loaded from elsewhere.</p></noscript>
<script type="application/json" id="data">)html";

constexpr const char *script = R"html(</script>
<script>
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const svgSpace = "http://www.w3.org/2000/svg";
function make(tag, attributes, text, space) {
  const element = space ? document.createElementNS(space, tag) : document.createElement(tag);
  for (const name in attributes || {}) element.setAttribute(name, attributes[name]);
  if (text !== undefined) element.textContent = text;
  return element;
}
const draw = (parent, tag, attributes, text) => parent.appendChild(make(tag, attributes, text, svgSpace));
const put = (parent, tag, attributes, text) => parent.appendChild(make(tag, attributes, text));
const tell = (element, text) => draw(element, "title", {}, text);
function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; bytes >= 1024 && unit < 4; ++unit) bytes /= 1024;
  return bytes.toFixed(unit ? 2 : 0) + " " + units[unit];
}
function short(number) {
  for (const [unit, value] of [["T", 1e12], ["G", 1e9], ["M", 1e6], ["K", 1e3]])
    if (number >= value) return (number / value).toFixed(2) + " " + unit;
  return number.toFixed(0) + " ";
}
const bytesOf = l => l.weight_bytes + l.read_bytes + l.written_bytes;
const nameOf = (l, i) => i + " " + l.kernel + ": " + l.nodes.join(", ") + "\n" + short(l.flops) + "FLOP, " +
  size(bytesOf(l)) + ", at least " + l.roofline_us.toFixed(2) + " us";
function section(parent, title, note) {
  put(parent, "h2", {}, title);
  if (note) put(parent, "p", {}, note);
  return put(parent, "div", {class: "scroll"});
}

function roofline(parent, program) {
  const w = 1040, h = 380, left = 60, low = 340, m = data.machine;
  const points = program.launches.map((l, i) => ({l, i, x: l.flops / bytesOf(l), y: l.flops / (l.roofline_us * 1e-6)}))
    .filter(p => p.l.flops > 0 && bytesOf(p.l) > 0);
  let most = m.flops_per_s / m.memory_bytes_per_s * 8, least = m.flops_per_s / m.cache_bytes_per_s / 8;
  for (const p of points) { most = Math.max(most, p.x * 2); least = Math.min(least, p.x / 2); }
  const top = m.flops_per_s * 2, bottom = Math.min(m.memory_bytes_per_s * least, m.flops_per_s / 1000);
  const x = v => left + Math.log(v / least) / Math.log(most / least) * (w - left - 20);
  const y = v => low - Math.log(v / bottom) / Math.log(top / bottom) * (low - 20);
  const svg = draw(section(parent, "Roofline", "Each launch where its operations per byte put it, below the peak of one core and what memory and cache can feed (" +
    short(m.flops_per_s) + "FLOP/s, " + short(m.memory_bytes_per_s) + "B/s, " + short(m.cache_bytes_per_s) + "B/s up to " + size(m.cache_bytes) + "; " + m.origin + "). A larger point is more time."),
    "svg", {width: w, height: h, viewBox: "0 0 " + w + " " + h});
  for (let e = Math.ceil(Math.log10(least)); e <= Math.log10(most); ++e) {
    draw(svg, "path", {class: "axis", d: "M" + x(10 ** e) + " 20V" + low});
    draw(svg, "text", {class: "faint", x: x(10 ** e), y: low + 15, "text-anchor": "middle"}, String(10 ** e));
  }
  for (let e = Math.ceil(Math.log10(bottom)); e <= Math.log10(top); ++e) {
    draw(svg, "path", {class: "axis", d: "M" + left + " " + y(10 ** e) + "H" + (w - 20)});
    draw(svg, "text", {class: "faint", x: left - 4, y: y(10 ** e) + 4, "text-anchor": "end"}, short(10 ** e));
  }
  draw(svg, "text", {class: "faint", x: w - 20, y: low + 32, "text-anchor": "end"}, "FLOP per byte; upward FLOP/s");
  for (const band of [m.memory_bytes_per_s, m.cache_bytes_per_s]) {
    const knee = m.flops_per_s / band, from = Math.max(least, bottom / band);
    draw(svg, "path", {class: "roof", d: "M" + x(from) + " " + y(from * band) + "L" + x(knee) + " " + y(m.flops_per_s) + "H" + (w - 20)});
  }
  const all = program.launches.reduce((sum, l) => sum + l.roofline_us, 0) || 1;
  for (const p of points) {
    const circle = draw(svg, "circle", {class: p.l.bound, cx: x(p.x), cy: y(Math.max(p.y, bottom)), r: 2.5 + 22 * Math.sqrt(p.l.roofline_us / all), "fill-opacity": .6});
    tell(circle, nameOf(p.l, p.i));
  }
}

function memory(parent, program) {
  const n = program.launches.length || 1, step = Math.max(2, Math.min(24, 1000 / n)), w = 70 + n * step + 10, h = 400;
  const y = at => 370 - at / (program.activation_bytes || 1) * 350;
  const svg = draw(section(parent, "Memory over time", "Across: launches; upward: where in the " + size(program.activation_bytes) +
    " of activations. A rectangle is a tensor, from the launch that makes it to the last that reads it; what is written in place follows at the same height."),
    "svg", {width: w, height: h});
  for (let part = 0; part <= 4; ++part) {
    const at = program.activation_bytes * part / 4;
    draw(svg, "path", {class: "axis", d: "M66 " + y(at) + "H" + w});
    draw(svg, "text", {class: "faint", x: 62, y: y(at) + 4, "text-anchor": "end"}, size(at));
  }
  program.tensors.forEach((t, i) => {
    const rect = draw(svg, "rect", {class: "place " + (i % 2 ? "compute" : "memory"), x: 70 + t.begin * step, y: y(t.offset + t.bytes),
      width: (t.end - t.begin + 1) * step, height: Math.max(.5, y(t.offset) - y(t.offset + t.bytes))});
    tell(rect, t.node + ": " + t.type + "\n" + size(t.bytes) + " at " + t.offset + ", launches " + t.begin + " to " + t.end);
  });
}

function graph(parent, program) {
  const depth = [], rows = [], place = [];
  program.launches.forEach((l, i) => {
    depth[i] = l.reads_from.reduce((most, from) => Math.max(most, depth[from] + 1), 0);
    (rows[depth[i]] = rows[depth[i]] || []).push(i);
  });
  const columns = rows.reduce((most, row) => Math.max(most, row.length), 1), w = columns * 230 + 20;
  rows.forEach((row, r) => row.forEach((i, c) => { place[i] = [10 + c * 230 + (columns - row.length) * 115, 10 + r * 46]; }));
  const svg = draw(section(parent, "Kernels", "An arrow downward is a tensor that a kernel makes and another reads."), "svg", {width: w, height: rows.length * 46 + 20});
  program.launches.forEach((l, i) => {
    for (const from of l.reads_from) {
      const [x, y] = place[from], [u, v] = place[i];
      draw(svg, "path", {class: "edge", d: "M" + (x + 105) + " " + (y + 30) + "C" + (x + 105) + " " + (y + 44) + " " + (u + 105) + " " + (v - 14) + " " + (u + 105) + " " + v});
    }
  });
  program.launches.forEach((l, i) => {
    const [x, y] = place[i], group = draw(svg, "g", {});
    draw(group, "rect", {class: "box", x, y, width: 210, height: 30, rx: 4});
    draw(group, "rect", {class: l.bound, x, y, width: 4, height: 30});
    const name = l.nodes.length ? l.nodes[0] + (l.nodes.length > 1 ? " +" + (l.nodes.length - 1) : "") : l.kernel;
    draw(group, "text", {x: x + 10, y: y + 13}, name.length > 32 ? "…" + name.slice(-31) : name);
    draw(group, "text", {class: "faint", x: x + 10, y: y + 25}, short(l.flops) + "FLOP, " + l.roofline_us.toFixed(1) + " us");
    tell(group, nameOf(l, i));
  });
}

function table(parent, program) {
  const columns = [["#", (l, i) => i], ["FLOP", l => l.flops, short], ["weights", l => l.weight_bytes, size], ["read", l => l.read_bytes, size],
    ["written", l => l.written_bytes, size], ["least us", l => l.roofline_us, v => v.toFixed(2)], ["bound", l => l.bound],
    ["vector", l => (data.kernels[l.kernel] || {}).vector_share ?? -1, v => v < 0 ? "-" : (100 * v).toFixed(0) + "%"],
    ["code", l => (data.kernels[l.kernel] || {}).code_bytes || 0, size], ["kernel", l => l.kernel], ["nodes", l => l.nodes.join(", ")]];
  const box = put(section(parent, "Launches", "Vector: of the arithmetic instructions in innermost loops, those that work on vectors. A heading sorts."), "table");
  const rows = program.launches.map((l, i) => columns.map(column => column[1](l, i)));
  const show = () => {
    box.replaceChildren();
    const headings = put(box, "tr");
    columns.forEach(([name], c) => put(headings, "th", {class: c > 8 ? "left" : ""}, name).onclick = () => {
      rows.sort((a, b) => typeof a[c] === "number" ? (c ? b[c] - a[c] : a[c] - b[c]) : a[c] < b[c] ? -1 : a[c] > b[c] ? 1 : 0);
      show();
    });
    for (const row of rows) {
      const line = put(box, "tr");
      row.forEach((value, c) => put(line, "td", {class: c > 8 ? "left" : ""}, columns[c][2] ? columns[c][2](value) : String(value).slice(0, 120)));
    }
  };
  show();
}

function facts(parent) {
  const m = data.memory, box = put(parent, "table");
  for (const [name, value] of [["command", data.command], ["compiler", data.compiler], ["for", data.target], ["artifact", size(data.artifact_bytes)],
      ["code", size(m.code_bytes)], ["weights", size(m.weights_bytes)], ["arena, one worker", size(m.arena_bytes) + ", at least " + size(m.arena_lower_bound_bytes)],
      ["activations", size(m.activation_bytes)], ["scratch of a worker", size(m.scratch_bytes_per_worker)], ["stack of a thread", size(m.stack_bytes)],
      ...(m.recomputed ? [["computed again", m.recomputed.map(r => r.type + " of " + r.node).join(", ") + "; kept, the arena would be " + size(m.arena_bytes_if_kept)]] : [])]) {
    const line = put(box, "tr");
    put(line, "td", {class: "left"}, name);
    put(put(line, "td", {class: "left", style: "white-space: normal"}), "code", {}, value);
  }
}

function phases(parent) {
  const most = Math.max(...data.phases.map(p => p.seconds), 1e-9);
  const svg = draw(section(parent, "Compile time"), "svg", {width: 700, height: data.phases.length * 20 + 10});
  data.phases.forEach((p, i) => {
    draw(svg, "text", {x: 100, y: i * 20 + 18, "text-anchor": "end"}, p.name);
    draw(svg, "rect", {class: "compute", x: 108, y: i * 20 + 7, width: p.seconds / most * 480, height: 14});
    draw(svg, "text", {class: "faint", x: 114 + p.seconds / most * 480, y: i * 20 + 18}, (p.seconds * 1e3).toFixed(1) + " ms");
  });
}

document.title = data.model + ": burin report";
put(document.body, "h1", {}, data.model);
facts(document.body);
const chooser = put(document.body, "select"), programs = put(document.body, "div");
data.programs.forEach((p, i) => put(chooser, "option", {value: i}, p.sizes));
chooser.hidden = data.programs.length < 2;
chooser.onchange = () => {
  programs.replaceChildren();
  for (const part of [roofline, memory, graph, table]) part(programs, data.programs[chooser.value || 0]);
};
chooser.onchange();
phases(document.body);
</script>
</body>
</html>
)html";

} // namespace

std::string reportPage(llvm::json::Object data) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << llvm::json::Value(std::move(data));
  std::string page = head;
  for (char c : text)
    page += c == '<' ? "\\u003c" : std::string(1, c); // "</script>" ends an element
  return page + script;
}

} // namespace burin
