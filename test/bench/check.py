# SPDX-License-Identifier: Apache-2.0
"""What bench.py counts, and what reads its results: bytes, FLOPs, the roofline, compare.py's flags, the page. No engine runs.

usage: check.py
"""
import copy
import pathlib
import tempfile
import unittest
from html.parser import HTMLParser

import numpy as np
from onnx import TensorProto

import cases
import compare
import graph
import machine
import report


def engine(minima, **facts):
    rounds = [{"runs": 9, "cpu_ms": {"min": value, "median": value * 1.1}, "wall_ms": {"min": value, "median": value}}
              for value in minima]
    both = {"min": min(minima), "median": min(minima) * 1.1}
    return dict({"rounds": rounds, "cpu_ms": both, "wall_ms": both, "time_ms": both, "runs": 9 * len(minima), "artifact_bytes": 1000,
                 "library_bytes": 0, "peak_rss_bytes": 2000, "cold": {"cpu_ms": 5.0, "wall_ms": 6.0},
                 "compile": {"cpu_s": 1.0}}, **facts)


def results(mine, theirs, **facts):
    probe = {"fma_gflops": 100.0, "memory": [
        {"bytes": 16384, "read_gbs": 200.0, "copy_gbs": 150.0, "holds": 32768},
        {"bytes": 1 << 28, "read_gbs": 20.0, "copy_gbs": 12.0, "holds": None}]}
    return {"format": 1, "kind": "models", "when": "today", "command": "bench.py", "load": 0.5, "load_after": 0.6,
            "options": {"threads": 1}, "engines": {"burin": {"version": "1", "options": {}},
                                                   "openvino": {"version": "2", "options": {"hint": "f32 & <more>"}}},
            "machine": {"cpu": "C", "cpus": 2, "pinned_to": [1], "system": "S", "probe": probe},
            "models": [{"name": "net<1>", "flops": 1e9, "bytes": 1e6, "load": 0.5, "metric": "cpu_ms", "roofline_ms": 10.0, "bound": "compute",
                        "engines": {"burin": engine(mine, **facts), "openvino": engine(theirs)}}]}


def regressed(old, new):
    return [row["what"] for row in compare.compare(old, new) if row["regressed"]]


class Compare(unittest.TestCase):
    def test_equal_runs_do_not_regress(self):
        old = results([10, 10.1, 10.2], [20, 20.1, 20.2])
        self.assertEqual(regressed(old, old), [])

    def test_slower_than_noise(self):
        old = results([10, 10.1, 10.2], [20, 20.1, 20.2])
        self.assertEqual(regressed(old, results([11, 11.1, 11.2], [20, 20.1, 20.2])), ["cpu ms"])
        self.assertEqual(regressed(results([11, 11.1, 11.2], [20, 20.1, 20.2]), old), [])

    def test_within_noise(self):
        old = results([10, 11, 12], [20, 20.1, 20.2])
        self.assertEqual(regressed(old, results([11, 11.1, 11.2], [20, 20.1, 20.2])), [])

    def test_least_allowance(self):
        self.assertEqual(regressed(results([10, 10], [20, 20]), results([10.2, 10.2], [20, 20])), [])
        self.assertEqual(regressed(results([10, 10], [20, 20]), results([10.4, 10.4], [20, 20])), ["cpu ms"])

    def test_slower_machine_is_no_regression(self):
        old, slow = results([10, 10], [20, 20]), results([15, 15], [30, 30])
        self.assertEqual(regressed(old, slow), [])
        slow["engines"]["openvino"]["version"] = "3"
        self.assertEqual(regressed(old, slow), ["cpu ms"])

    def test_a_faster_machine_that_burin_has_nothing_of(self):
        self.assertEqual(regressed(results([10, 10], [20, 20]), results([10, 10], [15, 15])), ["cpu ms", "compile CPU",
                                                                                               "cold start CPU"])

    def test_sizes(self):
        old = results([10, 10], [20, 20])
        self.assertEqual(regressed(old, results([10, 10], [20, 20], artifact_bytes=1030, peak_rss_bytes=2200)),
                         ["artifact bytes", "peak memory"])

    def test_refused(self):
        old = results([10, 10], [20, 20])
        new = copy.deepcopy(old)
        new["models"][0]["engines"]["burin"] = {"error": "unsupported"}
        self.assertEqual(regressed(old, new), ["error: unsupported"])
        self.assertEqual(regressed(new, old), [])


class Roofline(unittest.TestCase):
    probe = results([1], [1])["machine"]["probe"]

    def test_bound(self):
        milliseconds, bound = machine.roofline_ms(self.probe, 1e9, 1e6)
        self.assertAlmostEqual(milliseconds, 10)
        self.assertEqual(bound, "compute")
        milliseconds, bound = machine.roofline_ms(self.probe, 1e6, 1e8)
        self.assertAlmostEqual(milliseconds, 5)
        self.assertEqual(bound, "memory")

    def test_cache(self):
        self.assertEqual(machine.bandwidth(self.probe, 32768), 200)
        self.assertEqual(machine.bandwidth(self.probe, 32769), 20)

    def test_cpus(self):
        self.assertEqual(machine.parse_cpus("0,2-4"), [0, 2, 3, 4])


class Cases(unittest.TestCase):
    def test_bytes(self):
        """Two rows of the table, the matrix once, ids and the result."""
        model = graph.model("rows", [("Gather", ["table", "ids"], ["x"]), ("MatMul", ["x", "w"], ["y"])],
                            {"ids": (TensorProto.INT64, [2])}, {"y": [2, 3]},
                            {"table": np.zeros((100, 4), np.float32), "w": np.zeros((4, 3), np.float32)})
        self.assertEqual(cases.least_bytes(model, {"ids": np.zeros(2, np.int64)}), 2 * 16 + 48 + 16 + 24)

    def cache(self, length):
        model = graph.model("cache", [("Concat", ["past_k", "x"], ["present_k"], {"axis": 1})],
                            {"past_k": [2, "past", 8], "x": [2, "new", 8]}, {"present_k": [2, "total", 8]}, {})
        inputs = {"past_k": np.zeros((2, length, 8), np.float32), "x": np.zeros((2, 1, 8), np.float32)}
        with tempfile.TemporaryDirectory() as work:
            return cases.Case("cache", pathlib.Path(work) / "m.onnx", model, inputs, pathlib.Path(work))

    def test_state(self):
        case = self.cache(5)
        self.assertEqual(case.burin_options, ["--dim", "new=1", "--dim", "past=0..9", "--state", "auto"])
        self.assertEqual(case.run_options, ["--dim", "past=5"])
        self.assertEqual(list(case.fed), ["x"])
        self.assertEqual(case.peer_shapes, {"past_k": [2, -1, 8], "x": [2, 1, 8]})
        self.assertEqual(case.fixed, {"new": 1})
        self.assertFalse(case.compared)

    def test_empty_cache(self):
        case = self.cache(0)
        self.assertEqual(case.burin_options, ["--input", "past_k=2x0x8", "--input", "x=2x1x8"])
        self.assertEqual(case.peer_shapes, {"past_k": [2, 0, 8], "x": [2, 1, 8]})
        self.assertTrue(case.compared)


class Page(HTMLParser):
    """Every element that is opened is closed, and none fetches anything."""

    def __init__(self):
        super().__init__()
        self.open, self.tags = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        assert not {"src", "href"} & {name for name, _ in attributes}, tag
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag


class Report(unittest.TestCase):
    def test_page(self):
        found = results([10, 10.1], [20, 20.1], difference=1e-6)
        found["models"].append(copy.deepcopy(found["models"][0]))
        found["models"][1]["engines"]["burin"] = {"error": "no <such> operator"}
        page, text = Page(), report.page(found)
        page.feed(text)
        self.assertEqual(page.open, [])
        # One bar for each figure: two plots of two engines and of one.
        self.assertEqual(page.tags.count("rect"), 6)
        for part in ("2.00x", "100%", "net&lt;1&gt;", "no &lt;such&gt; operator", "f32 &amp; &lt;more&gt;",
                     "prefers-color-scheme:dark"):
            self.assertIn(part, text)


if __name__ == "__main__":
    unittest.main()
