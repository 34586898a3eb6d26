# SPDX-License-Identifier: Apache-2.0
#
# report.py PAGE: fails unless the page is well-formed, loads nothing and holds its data as JSON; prints
# the data, sorted.
import html.parser
import json
import sys

EMPTY = {"meta", "link", "img", "br", "hr", "input"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text = [], [], {}

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.seen.append(tag)
        assert not {"src", "href", "data"} & set(attributes), f"<{tag}> loads something"
        if tag not in EMPTY:
            self.open.append((tag, attributes.get("id")))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop()[0] == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        if self.open:
            self.text[self.open[-1]] = self.text.get(self.open[-1], "") + data


with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()
page = Page()
page.feed(text)
page.close()
assert not page.open, f"{page.open} stay open"
assert sorted(page.seen) == sorted("html head meta meta meta title style body noscript p script script".split()), page.seen
assert "innerHTML" not in text and "fetch(" not in text and "@import" not in text and "url(" not in text
data = json.loads(page.text[("script", "data")])
for program in data["programs"]:
    for tensor in program["tensors"]:
        assert 0 <= tensor["begin"] <= tensor["end"] < len(program["launches"]), tensor
        assert tensor["offset"] + tensor["bytes"] <= program["activation_bytes"], tensor
    # Of two tensors that are alive at once, none lies on the other, unless one is made in the other's place.
    for i, a in enumerate(program["tensors"]):
        for b in program["tensors"][:i]:
            if a["begin"] < b["end"] and b["begin"] < a["end"]:
                assert a["offset"] + a["bytes"] <= b["offset"] or b["offset"] + b["bytes"] <= a["offset"], (a, b)
    for i, launch in enumerate(program["launches"]):
        assert all(from_ < i for from_ in launch["reads_from"]), launch
        assert launch["kernel"] in data["kernels"], launch
print(json.dumps(data, indent=1, sort_keys=True))
